//! Templates, of which workspaces are made.

use serde::Deserialize;

use super::wire::{ErrorBody, Template};
use super::{Coder, CoderError, encode};

impl Coder {
    /// The templates of which the caller may make workspaces, without deprecated ones.
    ///
    /// # Errors
    /// The call failed.
    pub fn templates(&self) -> Result<Vec<Template>, CoderError> {
        const OPERATION: &str = "list templates";
        let answer = self.get(OPERATION, "/templates")?;
        let all: Option<Vec<Template>> = answer.json();
        let all = all.filter(|_| answer.status == 200);
        let mut all = all.ok_or_else(|| CoderError::of(OPERATION, &answer))?;
        all.retain(|template| !template.deprecated);
        Ok(all)
    }

    /// The template of this name in the default organization, deprecated or not; `None` = there is none
    /// that the token may see.
    ///
    /// # Errors
    /// The call failed.
    pub fn template_named(&self, name: &str) -> Result<Option<Template>, CoderError> {
        self.template(&format!(
            "/organizations/default/templates/{}",
            encode(name)
        ))
    }

    /// The template with this id (a UUID), deprecated or not; `None` = there is none that the token may
    /// see.
    ///
    /// # Errors
    /// The call failed.
    pub fn template_with_id(&self, id: &str) -> Result<Option<Template>, CoderError> {
        self.template(&format!("/templates/{}", encode(id)))
    }

    fn template(&self, path: &str) -> Result<Option<Template>, CoderError> {
        const OPERATION: &str = "look up the template";
        let answer = self.get(OPERATION, path)?;
        match answer.status {
            200 => answer
                .json()
                .map(Some)
                .ok_or_else(|| CoderError::unreadable(OPERATION)),
            // 410 for one that is deleted, by id.
            404 | 410 if answer.json::<ErrorBody>().is_some() => Ok(None),
            _ => Err(CoderError::of(OPERATION, &answer)),
        }
    }
}

/// What a template asks of those who make workspaces of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateNeeds {
    /// The state of the import of its active version: `succeeded`, `running`, `failed` or another one of
    /// Coder's jobs.
    pub import: String,
    /// Its parameters.
    pub parameters: Vec<TemplateParameter>,
    /// The services that its workspaces' owners sign in to.
    pub external_auth: Vec<ExternalAuth>,
}

/// A parameter of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateParameter {
    /// Its name.
    pub name: String,
    /// Whether it has no default.
    pub required: bool,
    /// The values that it may have; empty = any.
    pub options: Vec<String>,
    /// Whether it has several values, as a JSON list.
    is_list: bool,
}

impl TemplateParameter {
    /// Whether its options allow this value.
    pub fn allows(&self, value: &str) -> bool {
        self.options.is_empty() || self.is_list || self.options.iter().any(|one| one == value)
    }
}

/// A service that the owner of a workspace signs in to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ExternalAuth {
    /// Coder's id of it, such as `github`.
    pub id: String,
    /// Whether a workspace is built without it.
    #[serde(default)]
    pub optional: bool,
}

#[derive(Deserialize)]
struct VersionBody {
    job: JobBody,
}

#[derive(Deserialize)]
struct JobBody {
    status: String,
}

#[derive(Deserialize)]
struct TemplateParameterBody {
    name: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    options: Option<Vec<OptionBody>>,
}

#[derive(Deserialize)]
struct OptionBody {
    value: String,
}

impl Coder {
    /// What the version with this id asks of those who make workspaces of it.
    ///
    /// # Errors
    /// A call failed.
    pub fn template_needs(&self, version: &str) -> Result<TemplateNeeds, CoderError> {
        const OPERATION: &str = "read what the template needs";
        let path = format!("/templateversions/{}", encode(version));
        let (body, _): (VersionBody, _) = self.page(OPERATION, &path)?;
        let parameters = format!("{path}/rich-parameters");
        let (parameters, _): (Vec<TemplateParameterBody>, _) = self.page(OPERATION, &parameters)?;
        let services = format!("{path}/external-auth");
        let (external_auth, _): (Vec<ExternalAuth>, _) = self.page(OPERATION, &services)?;
        let parameter = |one: TemplateParameterBody| TemplateParameter {
            name: one.name,
            required: one.required,
            is_list: one.kind.starts_with("list"),
            options: one
                .options
                .into_iter()
                .flatten()
                .map(|one| one.value)
                .collect(),
        };
        Ok(TemplateNeeds {
            import: body.job.status,
            parameters: parameters.into_iter().map(parameter).collect(),
            external_auth,
        })
    }
}

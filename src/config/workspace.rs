//! The workspace that each student of a class gets with the login, if a template is set.

use super::SettingProblem;
use super::reader::{Faulty, Reader};
use crate::domain::WorkspaceName;

/// What workspaces are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceConfig {
    /// The template in the default organization.
    pub template: TemplateRef,
    /// The name of each workspace.
    pub name: WorkspaceName,
    /// The template's parameters, as name and value.
    pub parameters: Vec<(String, String)>,
}

/// How a template is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateRef {
    /// By its name.
    Name(String),
    /// By its id (a UUID), which stays when it is renamed.
    Id(String),
}

impl TemplateRef {
    /// Reads a name or an id.
    pub(super) fn parse(value: &str) -> Result<Self, SettingProblem> {
        if value.contains('/') {
            return Err(SettingProblem::new(
                format!(
                    "{value:?} names an organization: students are members of the default organization only"
                ),
                "write the name of a template there",
            ));
        }
        if is_uuid(value) {
            return Ok(Self::Id(value.to_ascii_lowercase()));
        }
        match WorkspaceName::parse(value) {
            Some(_) => Ok(Self::Name(value.to_owned())),
            None => Err(SettingProblem::new(
                format!("{value:?} is not the name of a template"),
                "letters, digits and single hyphens, as Coder lists it under Templates",
            )),
        }
    }

    /// As it is set.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Name(text) | Self::Id(text) => text,
        }
    }
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [8, 4, 4, 4, 12] && parts.concat().bytes().all(|b| b.is_ascii_hexdigit())
}

/// What the general settings say about workspaces. A class may have a template of its own.
#[derive(Clone, Debug)]
pub(super) struct GeneralWorkspace {
    template: Option<TemplateRef>,
    name: WorkspaceName,
    parameters: Vec<(String, String)>,
}

impl GeneralWorkspace {
    /// The workspaces of a class whose own template is `own`; `None` = it gets none.
    pub(super) fn of_class(&self, own: Option<TemplateRef>) -> Option<WorkspaceConfig> {
        let template = own.or_else(|| self.template.clone())?;
        Some(WorkspaceConfig {
            template,
            name: self.name.clone(),
            parameters: self.parameters.clone(),
        })
    }
}

/// Reads the general settings of workspaces.
pub(super) fn read(r: &mut Reader) -> Result<GeneralWorkspace, Faulty> {
    let template = r.optional("CODER_REG_TEMPLATE", TemplateRef::parse);
    let name = r.value("CODER_REG_WORKSPACE", |value| {
        WorkspaceName::parse(value).ok_or_else(|| {
            SettingProblem::new(format!("{value:?} is not a name for a workspace"), "1 to 32 letters and digits with single hyphens between them, not \"new\" and not \"create\"")
        })
    });
    let parameters = r.optional("CODER_REG_PARAMETERS", parameters);
    let (template, name, parameters) = (template?, name?, parameters?.unwrap_or_default());
    let of_a_class = |r: &Reader| {
        let mut all = r.classes().values().flatten();
        all.any(|name| name.ends_with("_TEMPLATE") && r.get(name).is_some())
    };
    if template.is_none() && !parameters.is_empty() && !of_a_class(r) {
        r.warn(
            "CODER_REG_PARAMETERS is set, but no workspace is made without CODER_REG_TEMPLATE",
            "set CODER_REG_TEMPLATE, or remove CODER_REG_PARAMETERS",
        );
    }
    Ok(GeneralWorkspace {
        template,
        name,
        parameters,
    })
}

/// Reads `name=value,name=value`. Where a value contains a comma, all of it is a JSON object instead: quotes
/// and backslashes around a part of the value would not survive every loader of env files.
fn parameters(value: &str) -> Result<Vec<(String, String)>, SettingProblem> {
    let pairs = if value.starts_with('{') {
        of_object(value)?
    } else {
        value.split(',').map(pair).collect::<Result<_, _>>()?
    };
    let repeated = pairs
        .iter()
        .enumerate()
        .find(|(at, (name, _))| pairs[..*at].iter().any(|(before, _)| before == name));
    match repeated {
        Some((_, (name, _))) => Err(SettingProblem::new(
            format!("names the parameter {name:?} twice"),
            "remove one",
        )),
        None => Ok(pairs),
    }
}

fn pair(text: &str) -> Result<(String, String), SettingProblem> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(SettingProblem::new(
            format!("{:?} is not NAME=VALUE", text.trim()),
            r#"if a value contains a comma, write all as a JSON object, in an env file within single quotes: '{"name":"a, b"}'"#,
        )),
    }
}

/// A list becomes its own JSON, as Coder wants for parameters of several values.
fn of_object(text: &str) -> Result<Vec<(String, String)>, SettingProblem> {
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|error| {
            SettingProblem::new(
                format!("begins with {{ and is not a JSON object: {error}"),
                r#"write it as {"name":"a, b"}, in an env file with single quotes around all of it"#,
            )
        })?;
    let value = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(object
        .into_iter()
        .map(|(name, one)| (name, value(one)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_a_name_or_an_id_and_never_in_another_organization() {
        let id = "5F6cd4b2-9a3e-4c55-8f0e-3d1b7a60c9e4";
        for (value, expected) in [
            ("docker", TemplateRef::Name("docker".to_owned())),
            ("Docker-2", TemplateRef::Name("Docker-2".to_owned())),
            ("abc", TemplateRef::Name("abc".to_owned())),
            (id, TemplateRef::Id(id.to_lowercase())),
        ] {
            assert_eq!(TemplateRef::parse(value), Ok(expected), "{value}");
        }
        for value in ["school/docker", "my template", "a_b", "https://x"] {
            assert!(TemplateRef::parse(value).is_err(), "{value}");
        }
    }

    #[test]
    fn parameters_are_pairs_or_a_json_object() {
        let read = |value: &str| {
            let all = parameters(value).expect(value);
            let all = all
                .into_iter()
                .map(|(name, value)| format!("{name}:{value}"));
            all.collect::<Vec<_>>().join("|")
        };
        assert_eq!(read("region=eu"), "region:eu");
        assert_eq!(
            read(" region = eu , url=http://x/?a=b,".trim_end_matches(',')),
            "region:eu|url:http://x/?a=b"
        );
        assert_eq!(read("empty="), "empty:");
        assert_eq!(
            read(r#"{"a": "x, y", "b": ["vim", "code"], "c": 3, "d": true}"#),
            r#"a:x, y|b:["vim","code"]|c:3|d:true"#
        );
        for value in [
            "region",
            "=eu",
            "a=1,",
            "a=1,b",
            "a=1,a=2",
            "{",
            r#"{"a":}"#,
        ] {
            assert!(parameters(value).is_err(), "{value}");
        }
    }

    #[test]
    fn an_object_that_lost_its_quotes_to_a_shell_is_told_how_to_keep_them() {
        for value in ["{motd:hello, you}", "{motd:hello", r#"{"a":"#] {
            let told = parameters(value).unwrap_err().to_string();
            assert!(
                told.ends_with("in an env file with single quotes around all of it"),
                "{told}"
            );
        }
    }
}

//! Templates, of which workspaces are made.

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

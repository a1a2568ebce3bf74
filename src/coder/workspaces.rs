//! Workspaces of one user: list, stop, delete.

use serde::Serialize;
use ureq::http::Method;

use super::wire::{User, Workspace, WorkspaceList};
use super::{Coder, CoderError, encode, json};

/// What to do with a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Transition {
    /// Stop it; it can be started again.
    Stop,
    /// Delete it with all that is in it.
    Delete,
}

/// Answer to a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildResult {
    /// It is queued or runs.
    Queued,
    /// Another build of the workspace is active; nothing was done.
    Busy,
    /// The workspace is gone.
    Gone,
}

#[derive(Serialize)]
struct BuildBody {
    transition: Transition,
}

impl Coder {
    /// The workspaces of `owner` that are not deleted, as far as our token sees them. What belongs to
    /// another id is left out, whatever the server lists.
    ///
    /// `drawn` is the name that we drew for it. Coder searches for workspaces by their owner's name, and
    /// a name that the member chose itself cannot be searched for: `me` would be ourselves. So of a
    /// renamed one everybody's workspaces are read; should there be too many, Coder's own refusal to
    /// delete a user that has some remains.
    ///
    /// # Errors
    /// A call failed.
    pub fn workspaces(&self, owner: &User, drawn: &str) -> Result<Vec<Workspace>, CoderError> {
        let listed = if owner.username.eq_ignore_ascii_case(drawn) {
            self.workspaces_of_name(drawn)?
        } else {
            self.all_workspaces()?
        };
        let of_owner = |workspace: &Workspace| workspace.owner_id == owner.id;
        Ok(listed.into_iter().filter(of_owner).collect())
    }

    fn workspaces_of_name(&self, owner: &str) -> Result<Vec<Workspace>, CoderError> {
        const DOING: &str = "list workspaces";
        // Only `q` filters: `?owner=` would be ignored and everybody's workspaces listed.
        let query = encode(&format!("owner:{owner}"));
        let path = format!("/workspaces?q={query}");
        let (list, _): (WorkspaceList, _) = self.page(DOING, &path)?;
        Ok(list.workspaces)
    }

    /// Asks for a build.
    ///
    /// # Errors
    /// The call failed. After [`super::CoderErrorKind::Unclear`] the build may be queued.
    pub fn build(
        &self,
        workspace: &str,
        transition: Transition,
    ) -> Result<BuildResult, CoderError> {
        let doing = match transition {
            Transition::Stop => "stop a workspace",
            Transition::Delete => "delete a workspace",
        };
        let path = format!("/workspaces/{}/builds", encode(workspace));
        let answer = self.send(doing, Method::POST, &path, json(&BuildBody { transition }))?;
        match answer.status {
            200 | 201 => Ok(BuildResult::Queued),
            // 406: the template is still being imported, which passes.
            406 | 409 => Ok(BuildResult::Busy),
            410 => Ok(BuildResult::Gone),
            _ => Err(CoderError::of(doing, &answer)),
        }
    }
}

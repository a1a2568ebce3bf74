//! Lists, stops and deletes the workspaces of one user.

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
    /// Delete it with all its data.
    Delete,
}

/// Answer to a request for a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildResult {
    /// The build is queued or running.
    Queued,
    /// Another build of the workspace is active; nothing was queued.
    Busy,
    /// The workspace is deleted.
    Gone,
}

#[derive(Serialize)]
struct BuildBody {
    transition: Transition,
}

impl Coder {
    /// The workspaces of `owner` that are not deleted and that our token may see. Workspaces of
    /// another owner id are left out, whatever the server lists.
    ///
    /// `drawn` is the name that we gave it. Coder searches for workspaces by their owner's name,
    /// and a name chosen by the member is not safe to search for: `me` would mean ourselves. So for
    /// a renamed user the workspaces of all users are read. If there are too many to read them all,
    /// Coder itself still refuses to delete a user that has workspaces.
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
        const OPERATION: &str = "list workspaces";
        // Only `q` filters: `?owner=` would be ignored, and the workspaces of all users listed.
        let query = encode(&format!("owner:{owner}"));
        let path = format!("/workspaces?q={query}");
        let (list, _): (WorkspaceList, _) = self.page(OPERATION, &path)?;
        Ok(list.workspaces)
    }

    /// Starts a build.
    ///
    /// # Errors
    /// The call failed. After [`super::CoderErrorKind::Unclear`] the build may be queued.
    pub fn build(
        &self,
        workspace: &str,
        transition: Transition,
    ) -> Result<BuildResult, CoderError> {
        let operation = match transition {
            Transition::Stop => "stop a workspace",
            Transition::Delete => "delete a workspace",
        };
        let path = format!("/workspaces/{}/builds", encode(workspace));
        let answer = self.send(
            operation,
            Method::POST,
            &path,
            json(&BuildBody { transition }),
        )?;
        match answer.status {
            200 | 201 => Ok(BuildResult::Queued),
            // 406: the template is still being imported, which ends by itself.
            406 | 409 => Ok(BuildResult::Busy),
            410 => Ok(BuildResult::Gone),
            _ => Err(CoderError::of(operation, &answer)),
        }
    }
}

//! Workspaces of one user: list, stop, delete.

use serde::Serialize;
use ureq::http::Method;

use super::wire::{Workspace, WorkspaceList};
use super::{Coder, CoderFault, encode, json};

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
pub enum BuildAsked {
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
    /// The workspaces of `owner` that are not deleted, as far as our token sees them. What belongs
    /// to another id is left out, whatever the server lists.
    ///
    /// # Errors
    /// The call failed.
    pub fn workspaces(&self, owner: &str, owner_id: &str) -> Result<Vec<Workspace>, CoderFault> {
        const DOING: &str = "list workspaces";
        // Only `q` filters: `?owner=` would be ignored and everybody's workspaces listed.
        let answer = self.get(
            DOING,
            &format!("/workspaces?q={}", encode(&format!("owner:{owner}"))),
        )?;
        let list: Option<WorkspaceList> = answer.json();
        match list {
            Some(list) if answer.status == 200 => Ok(list
                .workspaces
                .into_iter()
                .filter(|workspace| workspace.owner_id == owner_id)
                .collect()),
            _ => Err(CoderFault::of(DOING, &answer)),
        }
    }

    /// Asks for a build.
    ///
    /// # Errors
    /// The call failed. After [`super::Trouble::Unclear`] the build may be queued.
    pub fn build(&self, workspace: &str, transition: Transition) -> Result<BuildAsked, CoderFault> {
        let doing = match transition {
            Transition::Stop => "stop a workspace",
            Transition::Delete => "delete a workspace",
        };
        let path = format!("/workspaces/{}/builds", encode(workspace));
        let answer = self.send(doing, Method::POST, &path, json(&BuildBody { transition }))?;
        match answer.status {
            200 | 201 => Ok(BuildAsked::Queued),
            // 406: the template is still being imported, which passes.
            406 | 409 => Ok(BuildAsked::Busy),
            410 => Ok(BuildAsked::Gone),
            _ => Err(CoderFault::of(doing, &answer)),
        }
    }
}

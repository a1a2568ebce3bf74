//! Makes, lists, starts, stops and deletes the workspaces of one user.

use std::time::Duration;

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use ureq::http::Method;

use super::wire::{ErrorBody, User, Workspace, WorkspaceList};
use super::{Coder, CoderError, encode, json};
use crate::domain::{UnixSeconds, WorkspaceName};
use crate::http::HttpResponse;

/// What to do with a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Transition {
    /// Start it, or try again to build it.
    Start,
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

/// A workspace that is to be made for a user.
#[derive(Clone, Copy, Debug)]
pub struct NewWorkspace<'a> {
    /// The id of the user.
    pub owner: &'a str,
    /// The id of the template.
    pub template: &'a str,
    /// Its name.
    pub name: &'a WorkspaceName,
    /// The template's parameters, as name and value.
    pub parameters: &'a [(String, String)],
    /// How long it runs after a start, in whole minutes, from one minute to 30 days; `None` = as the
    /// template says.
    pub runs_for: Option<Duration>,
}

/// Answer to a request for a new workspace.
#[derive(Debug)]
pub enum NewWorkspaceResult {
    /// It exists, and its first build is queued.
    Made(Workspace),
    /// The user has a workspace of this name.
    Taken,
    /// The user has to sign in to another service first, such as GitHub.
    NeedsExternalAuth,
}

/// Answer to a request to move the time at which Coder stops a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtendResult {
    /// It is moved.
    Moved,
    /// It does not run, or never stops by itself.
    NotNeeded,
    /// It is being started; it can be moved after that.
    Building,
    /// It is deleted.
    Gone,
}

/// The earliest time, in seconds from now, to which Coder moves the stop of a workspace: 29 minutes
/// (`validWorkspaceDeadline` in coderd/workspaces.go), and one for the way and the clocks.
pub const EARLIEST_STOP: UnixSeconds = 30 * 60;

#[derive(Serialize)]
struct BuildBody {
    transition: Transition,
}

#[derive(Serialize)]
struct NewWorkspaceBody<'a> {
    template_id: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl_ms: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rich_parameter_values: Vec<ParameterBody<'a>>,
}

#[derive(Serialize)]
struct ParameterBody<'a> {
    name: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct ExtendBody {
    deadline: String,
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
        if !owner.username.eq_ignore_ascii_case(drawn) {
            return self.workspaces_of_id(&owner.id);
        }
        let listed = self.workspaces_of_name(drawn)?;
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

    /// Makes a workspace for a user, who may be dormant and stays so.
    ///
    /// # Errors
    /// The call failed. After [`super::CoderErrorKind::Unclear`] the workspace may exist. For a template
    /// that is gone, deprecated or not complete, and for a parameter that is missing, it is
    /// [`super::CoderErrorKind::Refused`].
    pub fn create_workspace(
        &self,
        new: NewWorkspace<'_>,
    ) -> Result<NewWorkspaceResult, CoderError> {
        const OPERATION: &str = "make a workspace";
        let parameters = new.parameters.iter();
        let body = NewWorkspaceBody {
            template_id: new.template,
            name: new.name.as_str(),
            ttl_ms: new.runs_for.map(|span| span.as_secs() * 1_000),
            rich_parameter_values: parameters
                .map(|(name, value)| ParameterBody { name, value })
                .collect(),
        };
        let path = format!("/users/{}/workspaces", encode(new.owner));
        let answer = self.send(OPERATION, Method::POST, &path, json(&body))?;
        match answer.status {
            200 | 201 => {
                let made: Option<Workspace> = answer.json();
                made.filter(|made| made.owner_id == new.owner)
                    .map(NewWorkspaceResult::Made)
                    .ok_or_else(|| CoderError::unreadable(OPERATION))
            }
            409 => Ok(NewWorkspaceResult::Taken),
            403 if blames_external_auth(&answer) => Ok(NewWorkspaceResult::NeedsExternalAuth),
            _ => Err(CoderError::of(OPERATION, &answer)),
        }
    }

    /// The workspace of this name that the user with this id has; `None` = it has none, or our token may
    /// not see it.
    ///
    /// # Errors
    /// The call failed.
    pub fn workspace_of(
        &self,
        owner: &str,
        name: &WorkspaceName,
    ) -> Result<Option<Workspace>, CoderError> {
        const OPERATION: &str = "look up a workspace";
        let path = format!(
            "/users/{}/workspace/{}",
            encode(owner),
            encode(name.as_str())
        );
        let answer = self.get(OPERATION, &path)?;
        match answer.status {
            200 => {
                let found: Option<Workspace> = answer.json();
                let found = found.ok_or_else(|| CoderError::unreadable(OPERATION))?;
                Ok(Some(found).filter(|found| found.owner_id == owner))
            }
            404 if answer.json::<ErrorBody>().is_some() => Ok(None),
            _ => Err(CoderError::of(OPERATION, &answer)),
        }
    }

    /// Moves the time at which Coder stops a workspace that runs.
    ///
    /// # Errors
    /// The call failed. [`super::CoderErrorKind::Refused`] = Coder does not allow this time.
    pub fn extend_workspace(
        &self,
        workspace: &str,
        stops_at: UnixSeconds,
    ) -> Result<ExtendResult, CoderError> {
        const OPERATION: &str = "move the stop of a workspace";
        let at = OffsetDateTime::from_unix_timestamp(stops_at).ok();
        let deadline = at.and_then(|at| at.format(&Rfc3339).ok());
        let body = ExtendBody {
            deadline: deadline.unwrap_or_default(),
        };
        let path = format!("/workspaces/{}/extend", encode(workspace));
        let answer = self.send(OPERATION, Method::PUT, &path, json(&body))?;
        let is_building = || {
            let body: Option<ErrorBody> = answer.json();
            body.is_some_and(|body| body.message.contains("building"))
        };
        match answer.status {
            200 | 204 | 304 => Ok(ExtendResult::Moved),
            409 if is_building() => Ok(ExtendResult::Building),
            409 => Ok(ExtendResult::NotNeeded),
            410 => Ok(ExtendResult::Gone),
            _ => Err(CoderError::of(OPERATION, &answer)),
        }
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
            Transition::Start => "start a workspace",
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

/// Whether Coder refused a workspace because its owner has not signed in to another service.
fn blames_external_auth(answer: &HttpResponse) -> bool {
    answer.json::<ErrorBody>().is_some_and(|body| {
        let mut blamed = body.validations.iter();
        blamed.any(|one| one.field == "external_auth")
    })
}

//! One step of a removal that has begun: lock the user out, stop its workspaces, delete them, and then
//! delete the user.

use log::{Level, debug};

use super::inspect::{AccountInspection, Pace, RemovalError, refused, wait};
use super::plan::{Plan, StopPermission, plan};
use super::{Reaper, seconds_since};
use crate::coder::{
    BuildResult, CoderError, CoderErrorKind, DeleteResult, Transition, User, Workspace,
};
use crate::domain::registration::Registration;
use crate::domain::{UnixSeconds, count};
use crate::store::StoreError;

/// Seconds that Coder has to stop the workspaces of a locked-out user by itself before we request
/// stops. Coder was observed to do so within a minute (2.24.4, 2.29.19, 2.31.14).
const COMES_TO_REST: UnixSeconds = 120;

/// Seconds that workspaces have to stop. After that, a workspace whose stop failed is deleted, which
/// also removes its machines.
const STOPS: UnixSeconds = 600;

/// A build that Coder did not accept.
pub(super) struct RefusedBuild<'a> {
    workspace: &'a Workspace,
    fault: CoderError,
}

impl RefusedBuild<'_> {
    /// The worst one: a refusal, if there is one.
    pub(super) fn worst(mut all: Vec<Self>) -> Option<Self> {
        all.sort_by_key(|one| !is_refusal(&one.fault));
        all.into_iter().next()
    }

    /// A note for a person if it is a refusal; otherwise the fault, which may pass.
    pub(super) fn report(self, user: &User) -> Result<AccountInspection, CoderError> {
        let Self { workspace, fault } = self;
        if is_refusal(&fault) {
            let note = cannot_delete(user, workspace, &fault.to_string(), fault.message());
            return Ok(refused(Pace::Backoff, note));
        }
        Err(fault)
    }
}

impl Reaper {
    /// One step of a removal that has begun. `awaited`: whether another workspace may still appear.
    pub(super) fn remove(
        &self,
        registration: &Registration,
        user: &User,
        workspaces: &[Workspace],
        awaited: bool,
        now: UnixSeconds,
    ) -> Result<AccountInspection, RemovalError> {
        if workspaces.is_empty() && awaited {
            self.lock_out(registration, user, now)?
                .map_err(RemovalError::from)?;
            let note = "locked out, waiting for the answer to a request for its workspace";
            return Ok(wait(Pace::Motion, Level::Info, note));
        }
        if workspaces.is_empty() {
            return self.remove_user(registration, user, now);
        }
        // First the lock-out, so that no workspace is started while others are deleted. The removal
        // continues even if the server refuses it.
        let locked = self.lock_out(registration, user, now)?;
        if let Err(fault) = &locked
            && is_busy(fault)
        {
            return Err(fault.clone().into());
        }
        let removal = registration.removal;
        let plan = plan(workspaces, permission(registration, now));
        let mut refused_builds = self.request_builds(&plan.stop, Transition::Stop);
        refused_builds.extend(self.request_builds(&plan.delete, Transition::Delete));
        let pace = if seconds_since(removal.since.or(Some(now)), now) < STOPS {
            Pace::Motion
        } else {
            Pace::Backoff
        };
        if let Some(worst) = RefusedBuild::worst(refused_builds) {
            return Ok(worst.report(user)?);
        }
        if let Some(workspace) = plan.failed.first() {
            let error = &workspace.latest_build.error;
            let said = Some(error.as_str()).filter(|words| !words.is_empty());
            let note = cannot_delete(user, workspace, "its deletion failed", said);
            return Ok(refused(Pace::Backoff, note));
        }
        if let Err(fault) = locked {
            let note = format!("continues without locking the user out: {fault}");
            return Ok(wait(Pace::Backoff, Level::Warn, note));
        }
        Ok(wait(pace, Level::Info, progress(&plan)))
    }

    /// Locks a user out, if needed, and records that. If Coder does not do it, that is the inner error.
    pub(super) fn lock_out(
        &self,
        registration: &Registration,
        user: &User,
        now: UnixSeconds,
    ) -> Result<Result<(), CoderError>, StoreError> {
        if !user.is_suspended()
            && let Err(fault) = self.coder.suspend(&user.id)
        {
            return Ok(Err(fault));
        }
        if registration.removal.locked_at.is_none() {
            self.store.locked_out(registration.id, now)?;
        }
        Ok(Ok(()))
    }

    /// Requests a build of each workspace. A refused one does not delay the others.
    pub(super) fn request_builds<'a>(
        &self,
        workspaces: &[&'a Workspace],
        transition: Transition,
    ) -> Vec<RefusedBuild<'a>> {
        let mut refused_builds = Vec::new();
        for workspace in workspaces {
            match self.coder.build(&workspace.id, transition) {
                Ok(BuildResult::Queued | BuildResult::Gone) => {}
                Ok(BuildResult::Busy) => {
                    debug!("workspace {} is busy with another build", workspace.id);
                }
                Err(fault) => refused_builds.push(RefusedBuild { workspace, fault }),
            }
        }
        refused_builds
    }

    /// Deletes a user that has no workspaces. A user that cannot be deleted is at least locked out.
    fn remove_user(
        &self,
        registration: &Registration,
        user: &User,
        now: UnixSeconds,
    ) -> Result<AccountInspection, RemovalError> {
        match self.coder.delete_user(&user.id) {
            Ok(DeleteResult::Done) => {}
            Ok(DeleteResult::HasWorkspaces) => {
                self.lock_out(registration, user, now)?
                    .map_err(RemovalError::from)?;
                let note =
                    "stuck: Coder says that the user has workspaces, but shows none to this token";
                return Ok(refused(Pace::Backoff, note));
            }
            Err(fault) => {
                // Also if the server fails at this call only: the student must not have two accounts.
                if !fault.affects_every_call() && !is_busy(&fault) {
                    let locked = self.lock_out(registration, user, now)?;
                    if is_refusal(&fault) {
                        locked.map_err(RemovalError::from)?;
                    }
                }
                return Err(fault.into());
            }
        }
        Ok(AccountInspection::Deleted(Box::new(user.clone())))
    }
}

/// Whether a person must act, because trying again will not help.
pub(super) fn is_refusal(fault: &CoderError) -> bool {
    matches!(fault.kind, CoderErrorKind::Denied | CoderErrorKind::Refused)
}

/// Whether Coder accepts no more calls for now.
pub(super) fn is_busy(fault: &CoderError) -> bool {
    matches!(fault.kind, CoderErrorKind::Busy(_))
}

/// What may be done to workspaces that still run in a removal that has begun.
pub(super) fn permission(registration: &Registration, now: UnixSeconds) -> StopPermission {
    let removal = registration.removal;
    permission_after(seconds_since(
        removal.locked_at.or(removal.since).or(Some(now)),
        now,
    ))
}

/// What may be done to workspaces that still run `locked_for` seconds after the lock-out.
fn permission_after(locked_for: UnixSeconds) -> StopPermission {
    match locked_for {
        ..COMES_TO_REST => StopPermission::Wait,
        COMES_TO_REST..STOPS => StopPermission::Stop,
        STOPS.. => StopPermission::Delete,
    }
}

/// The note on a workspace that cannot be deleted, with Coder's words and the way out.
fn cannot_delete(user: &User, workspace: &Workspace, what: &str, said: Option<&str>) -> String {
    let (owner, name) = (plain(&user.username), plain(&workspace.name));
    let said = said.map_or_else(String::new, |words| format!(" ({words})"));
    format!(
        "its workspace {name} cannot be deleted: {what}{said}; it is tried again. By hand: coder delete {owner}/{name} --orphan, which does not delete its machines"
    )
}

/// A name reduced to the characters that Coder allows.
fn plain(name: &str) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
    name.chars().filter(is_plain).take(32).collect()
}

/// The state of a removal, in words that change only when the state does.
fn progress(plan: &Plan<'_>) -> String {
    if !plan.stop.is_empty() {
        let stopping = count(plan.stop.len(), "running workspace");
        format!("locked out, stopping {stopping}")
    } else if plan.running > 0 {
        let running = count(plan.running, "running workspace");
        format!("locked out, waiting for Coder to stop {running}")
    } else {
        "deleting its workspaces".to_owned()
    }
}

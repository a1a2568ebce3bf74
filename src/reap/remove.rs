//! One step of a removal that has begun: lock the user out, bring its workspaces to rest, delete them, then
//! the user.

use log::{Level, debug};

use super::inspect::{AccountInspection, Pace, RemovalError, refused, wait};
use super::plan::{Plan, StopPermission, plan};
use super::{Reaper, after};
use crate::coder::{
    BuildResult, CoderError, CoderErrorKind, DeleteResult, Transition, User, Workspace,
};
use crate::domain::UnixSeconds;
use crate::domain::registration::Registration;
use crate::store::StoreError;

/// How long Coder has to stop the workspaces of a locked-out user by itself, in seconds, which it was seen
/// to do within a minute (2.24.4, 2.29.19, 2.31.14), before we ask for stops.
const COMES_TO_REST: UnixSeconds = 120;

/// How long workspaces have to stop, in seconds, before one whose stop failed is deleted as it is: that
/// takes its machines away as well.
const STOPS: UnixSeconds = 600;

/// A build that Coder did not take.
pub(super) struct RefusedBuild<'a> {
    workspace: &'a Workspace,
    fault: CoderError,
}

impl RefusedBuild<'_> {
    /// The gravest of some.
    pub(super) fn gravest(mut some: Vec<Self>) -> Option<Self> {
        some.sort_by_key(|one| !is_refusal(&one.fault));
        some.into_iter().next()
    }

    /// A refusal that a person has to know, or a fault that may pass.
    pub(super) fn tell(self, user: &User) -> Result<AccountInspection, CoderError> {
        let Self { workspace, fault } = self;
        if is_refusal(&fault) {
            let note = cannot_go(user, workspace, &fault.to_string(), fault.message());
            return Ok(refused(Pace::Backoff, note));
        }
        Err(fault)
    }
}

impl Reaper {
    /// One step of a removal that has begun.
    pub(super) fn remove(
        &self,
        registration: &Registration,
        user: &User,
        workspaces: &[Workspace],
        now: UnixSeconds,
    ) -> Result<AccountInspection, RemovalError> {
        if workspaces.is_empty() {
            return self.remove_user(registration, user, now);
        }
        // First, so that no workspace is started while the others go. A server that refuses this is no
        // reason to keep the account.
        let locked = self.lock_out(registration, user, now)?;
        if let Err(fault) = &locked
            && is_busy(fault)
        {
            return Err(fault.clone().into());
        }
        let removal = registration.removal;
        let plan = plan(workspaces, permission(registration, now));
        let mut not_taken = self.ask_builds(&plan.stop, Transition::Stop);
        not_taken.extend(self.ask_builds(&plan.delete, Transition::Delete));
        let pace = if after(removal.since.or(Some(now)), now) < STOPS {
            Pace::Motion
        } else {
            Pace::Backoff
        };
        if let Some(not_taken) = RefusedBuild::gravest(not_taken) {
            return Ok(not_taken.tell(user)?);
        }
        if let Some(workspace) = plan.failed.first() {
            let error = &workspace.latest_build.error;
            let said = Some(error.as_str()).filter(|words| !words.is_empty());
            let note = cannot_go(user, workspace, "its delete failed", said);
            return Ok(refused(Pace::Backoff, note));
        }
        if let Err(fault) = locked {
            let note = format!("goes on without locking the user out: {fault}");
            return Ok(wait(Pace::Backoff, Level::Warn, note));
        }
        Ok(wait(pace, Level::Info, progress(&plan)))
    }

    /// Locks a user out, if it is not, and records that. What Coder has against it is the inner error.
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

    /// Asks for a build of each workspace. One that is refused does not keep the others waiting.
    pub(super) fn ask_builds<'a>(
        &self,
        workspaces: &[&'a Workspace],
        transition: Transition,
    ) -> Vec<RefusedBuild<'a>> {
        let mut not_taken = Vec::new();
        for workspace in workspaces {
            match self.coder.build(&workspace.id, transition) {
                Ok(BuildResult::Queued | BuildResult::Gone) => {}
                Ok(BuildResult::Busy) => {
                    debug!("workspace {} is busy with another build", workspace.id);
                }
                Err(fault) => not_taken.push(RefusedBuild { workspace, fault }),
            }
        }
        not_taken
    }

    /// Deletes a user that has no workspaces. One that cannot be deleted is at least locked out.
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
                // Also where the server fails at this call alone: its student shall not have two accounts.
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

/// Whether a person has to act, as trying again will not help.
pub(super) fn is_refusal(fault: &CoderError) -> bool {
    matches!(fault.kind, CoderErrorKind::Denied | CoderErrorKind::Refused)
}

/// Whether Coder takes no more calls for now.
pub(super) fn is_busy(fault: &CoderError) -> bool {
    matches!(fault.kind, CoderErrorKind::Busy(_))
}

/// What may be done to what still runs of an account in removal.
pub(super) fn permission(registration: &Registration, now: UnixSeconds) -> StopPermission {
    let removal = registration.removal;
    leave(after(
        removal.locked_at.or(removal.since).or(Some(now)),
        now,
    ))
}

/// What may be done to what still runs, so many seconds after its student was locked out.
fn leave(locked_for: UnixSeconds) -> StopPermission {
    match locked_for {
        ..COMES_TO_REST => StopPermission::Wait,
        COMES_TO_REST..STOPS => StopPermission::Stop,
        STOPS.. => StopPermission::Delete,
    }
}

/// A workspace that does not go, with what Coder says and the way out.
fn cannot_go(user: &User, workspace: &Workspace, what: &str, said: Option<&str>) -> String {
    let (owner, name) = (plain(&user.username), plain(&workspace.name));
    let said = said.map_or_else(String::new, |words| format!(" ({words})"));
    format!(
        "its workspace {name} does not go: {what}{said}; it is tried again. By hand: coder delete {owner}/{name} --orphan, which leaves its machines to you"
    )
}

/// A name by Coder's rule, and nothing else that may stand in its place.
fn plain(name: &str) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
    name.chars().filter(is_plain).take(32).collect()
}

/// A removal's state in words that change only when the state does.
fn progress(plan: &Plan<'_>) -> String {
    if !plan.stop.is_empty() {
        format!("locked out, stopping {} that still run", plan.stop.len())
    } else if plan.running > 0 {
        format!(
            "locked out, waiting for Coder to stop {} that still run",
            plan.running
        )
    } else {
        "deleting its workspaces".to_owned()
    }
}

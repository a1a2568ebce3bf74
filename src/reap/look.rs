//! One look at one account: what is there, and the next step of its removal.

use std::time::Duration;

use log::{Level, debug, warn};

use super::{Plan, Reaper, plan};
use crate::clock::seconds;
use crate::coder::{BuildAsked, CoderFault, Rights, Transition, User, UserDeleted, Workspace};
use crate::domain::UnixSeconds;
use crate::ownership::find_ours;
use crate::registration::{Registration, Stage};
use crate::store::StoreError;

/// Where one look at one account ended.
pub(super) enum Look {
    /// Coder has no such user, as far as our rights go.
    Gone,
    /// It has to be looked at again.
    Wait(Wait),
    /// Its time was renewed meanwhile.
    Renewed,
}

/// What a removal waits for.
pub(super) struct Wait {
    /// When to look again.
    pub(super) pace: Pace,
    /// How grave it is: an error needs a person.
    pub(super) level: Level,
    /// In words that change only when the state does.
    pub(super) note: String,
}

/// When to look again.
pub(super) enum Pace {
    /// At the check interval: the student is at work.
    Interval,
    /// Soon, then less and less often: something is in motion or has failed.
    Backoff,
    /// After that long.
    Exactly(Duration),
}

/// What cuts a look short.
pub(super) enum Fault {
    Coder(CoderFault),
    Store(StoreError),
}

impl From<CoderFault> for Fault {
    fn from(fault: CoderFault) -> Self {
        Self::Coder(fault)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn wait(pace: Pace, level: Level, note: impl Into<String>) -> Look {
    Look::Wait(Wait {
        pace,
        level,
        note: note.into(),
    })
}

impl Reaper {
    pub(super) fn look(
        &self,
        registration: &Registration,
        now: UnixSeconds,
        rights: Rights,
    ) -> Result<Look, Fault> {
        let Some(user) = self.user_of(registration, now)? else {
            return self.nobody(registration, now);
        };
        let may_stop = self.may_stop(registration, now);
        let workspaces = self
            .coder
            .workspaces(&user, registration.username.as_str())?;
        if workspaces.is_empty() && !rights.see_workspaces {
            return Ok(blind());
        }
        if registration.stage != Stage::Reaping {
            let plan = plan(&workspaces, may_stop);
            if plan.is_busy() {
                return self.leave_in_use(&plan);
            }
            if !self.store.begin_reap(registration.id, now)? {
                return Ok(Look::Renewed);
            }
        }
        self.remove(registration, &user, workspaces, may_stop, rights)
    }

    /// The account's user as it is now; `None` if it is gone or was never made.
    fn user_of(
        &self,
        registration: &Registration,
        now: UnixSeconds,
    ) -> Result<Option<User>, Fault> {
        if let Some(id) = &registration.coder_id {
            let address = registration.username.email(&self.email_domain);
            return Ok(self.coder.locate(id, &address)?);
        }
        let email = registration.username.email(&self.email_domain);
        let found = find_ours(&self.coder, registration, &email)?;
        if let (Some(user), Stage::Reaping) = (&found, registration.stage) {
            // Of a removal that has begun only the id is recorded.
            self.store.created(registration.id, &user.id, now, None)?;
        }
        Ok(found)
    }

    /// Ends a registration without a user, once no create can be under way any more.
    fn nobody(&self, registration: &Registration, now: UnixSeconds) -> Result<Look, Fault> {
        if registration.stage != Stage::Reaping {
            if !self.store.begin_reap(registration.id, now)? {
                return Ok(Look::Renewed);
            }
            if registration.coder_id.is_none() {
                // A create that began just before may still arrive: look once more when it must
                // have ended.
                let note = "reserved, but no user was seen yet";
                let pace = Pace::Exactly(late_create(self.call_limit));
                return Ok(wait(pace, Level::Info, note));
            }
        }
        Ok(Look::Gone)
    }

    fn may_stop(&self, registration: &Registration, now: UnixSeconds) -> bool {
        match (self.stop_after, registration.due_at) {
            (Some(span), Some(due)) => now >= due + seconds(span),
            _ => false,
        }
    }

    fn leave_in_use(&self, plan: &Plan<'_>) -> Result<Look, Fault> {
        if plan.stop.is_empty() {
            let (running, building) = (plan.running, plan.building);
            let note = format!("in use ({running} running, {building} changing), waiting");
            return Ok(wait(Pace::Interval, Level::Info, note));
        }
        self.ask_builds(&plan.stop, Transition::Stop)?;
        let note = format!("stopping {} that still ran", plan.stop.len());
        Ok(wait(Pace::Backoff, Level::Info, note))
    }

    /// Asks for a build of each workspace. One that is refused does not keep the others waiting; the
    /// first fault is returned after all were asked.
    fn ask_builds(&self, workspaces: &[&Workspace], transition: Transition) -> Result<(), Fault> {
        let mut first = None;
        for workspace in workspaces {
            match self.coder.build(&workspace.id, transition) {
                Ok(BuildAsked::Queued | BuildAsked::Gone) => {}
                Ok(BuildAsked::Busy) => {
                    debug!("workspace {} is busy with another build", workspace.id);
                }
                Err(fault) => drop(first.get_or_insert(fault)),
            }
        }
        first.map_or(Ok(()), |fault| Err(fault.into()))
    }

    /// One step of a removal that has begun.
    fn remove(
        &self,
        registration: &Registration,
        user: &User,
        mut workspaces: Vec<Workspace>,
        may_stop: bool,
        rights: Rights,
    ) -> Result<Look, Fault> {
        if !workspaces.is_empty() && user.status != SUSPENDED {
            // Locked out first, so that no workspace is started while the others go. A server that
            // refuses this is no reason to keep the account: the delete finds out.
            match self.coder.suspend(&user.id) {
                Ok(()) => {
                    let drawn = registration.username.as_str();
                    workspaces = self.coder.workspaces(user, drawn)?;
                }
                Err(fault) => warn!(
                    "removal of {}: goes on without locking the user out: {fault}",
                    user.username
                ),
            }
        }
        let plan = plan(&workspaces, may_stop);
        if !plan.is_empty() {
            let stops = self.ask_builds(&plan.stop, Transition::Stop);
            self.ask_builds(&plan.delete, Transition::Delete)?;
            stops?;
            return Ok(progress(&plan));
        }
        if !rights.see_workspaces {
            return Ok(blind());
        }
        if self.coder.delete_user(&user.id)? == UserDeleted::HasWorkspaces {
            let note =
                "stuck: Coder says that the user has workspaces, but shows none to this token";
            return Ok(wait(Pace::Backoff, Level::Error, note));
        }
        if self.coder.is_listed(&user.id, &user.email)? {
            return Ok(wait(Pace::Backoff, Level::Warn, "deleted, but still there"));
        }
        Ok(Look::Gone)
    }
}

/// What a token comes to that does not see workspaces of others. Coder 2.25.0 to 2.25.3 and releases before
/// 2.24.3 delete a user whose workspaces the caller does not see, and those run on without an owner. The lack
/// itself is in the log already.
fn blind() -> Look {
    let note = "stuck: the token (CODER_API_KEY) does not see workspaces of others, so the user may have some";
    wait(Pace::Interval, Level::Debug, note)
}

/// How long a create may take to arrive, which is as many as three calls.
pub(super) fn late_create(call_limit: Duration) -> Duration {
    call_limit * 4
}

/// Coder's word for a user that may not log in.
const SUSPENDED: &str = "suspended";

/// A removal's state in words that change only when the state does.
fn progress(plan: &Plan<'_>) -> Look {
    let (level, note) = if plan.failed > 0 {
        let note = format!("deleting {} workspaces failed, trying again", plan.failed);
        (Level::Warn, note)
    } else if plan.running > 0 {
        (
            Level::Info,
            format!("{} workspaces run again, waiting", plan.running),
        )
    } else {
        (Level::Info, "deleting its workspaces".to_owned())
    };
    wait(Pace::Backoff, level, note)
}

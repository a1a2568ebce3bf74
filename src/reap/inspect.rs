//! The inspection of one account: what Coder has, and whether its removal may begin.

use std::time::Duration;

use log::Level;

use super::plan::{Plan, StopPermission, plan};
use super::remove::{RefusedBuild, permission};
use super::shared::SharedLists;
use super::{Reaper, seconds_since};
use crate::coder::{CoderError, LoginType, Rights, Transition, User};
use crate::domain::registration::{Registration, Stage};
use crate::domain::{UnixSeconds, count, seconds};
use crate::ownership::find_ours;
use crate::store::StoreError;

/// The result of one inspection.
pub(super) enum AccountInspection {
    /// Coder has no such user, as far as our rights show.
    Gone,
    /// Coder says that it has deleted this user; only a list proves it.
    Deleted(Box<User>),
    /// It must be inspected again.
    Wait(RemovalWait),
    /// Its time was renewed meanwhile.
    Renewed,
}

/// What a removal waits for.
pub(super) struct RemovalWait {
    /// When to inspect again.
    pub(super) pace: Pace,
    /// The level of its log line; an error needs a person.
    pub(super) level: Level,
    /// A description that changes only when the state does.
    pub(super) note: String,
    /// Whether Coder refuses something that the removal needs.
    pub(super) refused: bool,
}

/// When to inspect again.
#[derive(Clone, Copy)]
pub(super) enum Pace {
    /// After the check interval: the student is at work.
    Interval,
    /// Soon, then less and less often: something is in progress or has failed.
    Backoff,
    /// Every few seconds: something is in progress that ends soon.
    Motion,
    /// After this time.
    Exactly(Duration),
}

/// What ends an inspection early.
pub(super) enum RemovalError {
    Coder(CoderError),
    Store(StoreError),
}

impl From<CoderError> for RemovalError {
    fn from(fault: CoderError) -> Self {
        Self::Coder(fault)
    }
}

impl From<StoreError> for RemovalError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

pub(super) fn wait(pace: Pace, level: Level, note: impl Into<String>) -> AccountInspection {
    AccountInspection::Wait(RemovalWait {
        pace,
        level,
        note: note.into(),
        refused: false,
    })
}

/// Coder refuses something that the removal needs, and a person must act.
pub(super) fn refused(pace: Pace, note: impl Into<String>) -> AccountInspection {
    AccountInspection::Wait(RemovalWait {
        pace,
        level: Level::Error,
        note: note.into(),
        refused: true,
    })
}

impl Reaper {
    /// Inspects one account and takes the next step of its removal.
    pub(super) fn inspect(
        &self,
        registration: &Registration,
        now: UnixSeconds,
        rights: Rights,
        lists: &SharedLists,
    ) -> Result<AccountInspection, RemovalError> {
        let recorded_id = registration.coder_id.as_deref();
        let user = match recorded_id.and_then(|id| lists.user(id)) {
            Some(user) => Some(user.clone()),
            None => self.user_of(registration, now)?,
        };
        let Some(user) = user else {
            return self.no_user(registration, now);
        };
        if let Some(reason) = belongs_to_a_person(&user) {
            let note = format!(
                "{reason}: a person must decide. Undo that, and the service removes it; or remove it by hand"
            );
            return Ok(refused(Pace::Interval, note));
        }
        if !rights.see_workspaces {
            return self.cannot_see(registration, &user, now);
        }
        let may = match registration.stage {
            Stage::Reaping => permission(registration, now),
            _ => StopPermission::Wait,
        };
        // Asked before the list is read: a workspace that appears later would run on without an owner.
        let awaited = self.store.making_until(registration.id, now)?.is_some();
        let workspaces = match lists.all_in_progress(&user.id, may) {
            Some(workspaces) => workspaces.to_vec(),
            None => self
                .coder
                .workspaces(&user, registration.username.as_str())?,
        };
        if registration.stage != Stage::Reaping {
            let plan = plan(&workspaces, StopPermission::Wait);
            if plan.is_busy() && !self.may_lock_out(registration, now) {
                return Ok(self.in_use(&user, &plan)?);
            }
            if let Some(ended) = self.begin(registration, now)? {
                return Ok(ended);
            }
        }
        self.remove(registration, &user, &workspaces, awaited, now)
    }

    /// Begins a removal. Returns the result of the inspection if it cannot begin now.
    fn begin(
        &self,
        registration: &Registration,
        now: UnixSeconds,
    ) -> Result<Option<AccountInspection>, StoreError> {
        if self.store.begin_removal(registration.id, now)? {
            return Ok(None);
        }
        let held = self.store.held_until(registration.id, now)?;
        Ok(Some(held.map_or(AccountInspection::Renewed, |until| {
            let rest = Duration::from_secs((until - now).max(1).unsigned_abs());
            let note = "waiting for a login that is being sent to its phone";
            wait(Pace::Exactly(rest), Level::Info, note)
        })))
    }

    /// The current user of the account; `None` if it is gone or was never made.
    fn user_of(
        &self,
        registration: &Registration,
        now: UnixSeconds,
    ) -> Result<Option<User>, RemovalError> {
        let email = registration.username.email(&self.email_domain);
        if let Some(id) = &registration.coder_id {
            let located = self.coder.locate(id, &email)?;
            // If its create was repeated, there may be another user of the same name after the first one was deleted.
            if located.is_some() || registration.create_repeated_at.is_none() {
                return Ok(located);
            }
        }
        let found = find_ours(&self.coder, registration, &email)?;
        if let (Some(user), Stage::Reaping) = (&found, registration.stage) {
            // Once a removal has begun, only the id is recorded.
            self.store.created(registration.id, &user.id, now, None)?;
        }
        Ok(found)
    }

    /// Ends a registration without a user, as soon as no create can be in progress any more.
    fn no_user(
        &self,
        registration: &Registration,
        now: UnixSeconds,
    ) -> Result<AccountInspection, RemovalError> {
        let mut since = registration.removal.since;
        if registration.stage != Stage::Reaping {
            if let Some(ended) = self.begin(registration, now)? {
                return Ok(ended);
            }
            since = Some(now);
        }
        // A create sent just before may still be carried out: inspect again when it must have ended.
        let rest = seconds(late_create(self.call_limit)) - seconds_since(since, now);
        if registration.coder_id.is_some() || rest <= 0 {
            return Ok(AccountInspection::Gone);
        }
        self.store.locked_out(registration.id, now)?;
        let note = "reserved, but no user was seen yet";
        let pace = Pace::Exactly(Duration::from_secs(rest.unsigned_abs()));
        Ok(wait(pace, Level::Info, note))
    }

    /// With a token that does not see the workspaces of others, no user may be deleted: Coder 2.25.0 to
    /// 2.25.3 and releases before 2.24.3 delete a user whose workspaces the caller does not see, and the
    /// workspaces run on without an owner. Locking out is still allowed.
    fn cannot_see(
        &self,
        registration: &Registration,
        user: &User,
        now: UnixSeconds,
    ) -> Result<AccountInspection, RemovalError> {
        if registration.stage == Stage::Reaping
            && let Err(fault) = self.lock_out(registration, user, now)?
        {
            return Err(fault.into());
        }
        // The lack itself is in the log already.
        Ok(AccountInspection::Wait(RemovalWait {
            pace: Pace::Interval,
            level: Level::Debug,
            note: "stuck: the token (CODER_API_KEY) does not see workspaces of others, so the user may have some".to_owned(),
            refused: true,
        }))
    }

    /// Leaves alone what is in use. A stop that failed is requested again.
    fn in_use(&self, user: &User, plan: &Plan<'_>) -> Result<AccountInspection, CoderError> {
        let refused = self.request_builds(&plan.stop, Transition::Stop);
        if let Some(worst) = RefusedBuild::worst(refused) {
            return worst.report(user);
        }
        let (running, building) = (plan.running, plan.building);
        if !plan.stop.is_empty() {
            let stops = count(plan.stop.len(), "workspace");
            let note = format!("{stops} did not stop, stopping again");
            return Ok(wait(Pace::Backoff, Level::Warn, note));
        }
        let note = format!("in use ({running} running, {building} changing), waiting");
        Ok(wait(Pace::Interval, Level::Info, note))
    }

    /// Whether the time has been up for so long that a running workspace is no reason to wait.
    fn may_lock_out(&self, registration: &Registration, now: UnixSeconds) -> bool {
        match (self.stop_after, registration.due_at) {
            (Some(span), Some(due)) => now >= due + seconds(span),
            _ => false,
        }
    }
}

/// Why an account no longer belongs to a student, if so.
fn belongs_to_a_person(user: &User) -> Option<&'static str> {
    if user.has_roles {
        return Some("has a role");
    }
    match user.login_type {
        LoginType::Unknown | LoginType::Password | LoginType::None => None,
        LoginType::Github => Some("logs in by GitHub"),
        LoginType::Oidc => Some("logs in by OpenID Connect"),
        LoginType::Other => Some("does not log in with a password"),
    }
}

/// The longest time until a create has been carried out. One create may be up to three calls.
pub(super) fn late_create(call_limit: Duration) -> Duration {
    call_limit * 4
}

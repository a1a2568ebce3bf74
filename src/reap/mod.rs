//! Removes accounts whose time is up: one sweep at a given `now`, many students side by side.
//!
//! What is hidden here: the order of a removal. The database says only that it has begun; everything
//! else is read from Coder at every look, so that whatever was interrupted, repeated or done by
//! somebody else, the next look goes on from what is there. Nothing sleeps: a look that finds a
//! build at work puts the next one off.

mod inspect;
mod plan;
mod remove;
mod shared;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use log::{Level, debug, error, info, log, warn};

use crate::clock::{ClockStep, TOLERANCE};
use crate::coder::{Coder, CoderError, CoderErrorKind, Rights, User};
use crate::config::Config;
use crate::domain::registration::{Registration, Stage};
use crate::domain::{UnixSeconds, count, seconds};
use crate::retry;
use crate::store::{Postponement, Store, StoreError};
use crate::token::CoderToken;
use inspect::{AccountInspection, Pace, RemovalError, RemovalWait};
pub use plan::{Plan, StopPermission, plan};
use shared::SharedLists;

/// Everything that removals need.
pub struct Reaper {
    /// Where registrations are kept.
    pub store: Arc<Store>,
    /// Where accounts are removed.
    pub coder: Arc<Coder>,
    /// What the token may do there.
    pub token: Arc<CoderToken>,
    /// Domain of the students' addresses.
    pub email_domain: String,
    /// Pause between two looks at an account that is in use.
    pub check_interval: Duration,
    /// How long past its time an account whose workspace runs is left alone; `None` = for ever.
    pub stop_after: Option<Duration>,
    /// Longest time that one call to Coder may take.
    pub call_limit: Duration,
    /// Accounts looked at side by side.
    pub parallel: usize,
}

/// What one sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepResult {
    /// Accounts proved gone and forgotten.
    pub removed: usize,
    /// Accounts left for a later look.
    pub waiting: usize,
}

/// What is left to do after a look at one account.
enum Conclusion {
    Done,
    Gone,
    Deleted(Box<User>),
    Busy(CoderError),
}

/// What a part of a sweep saw.
#[derive(Default)]
struct Inspected<'a> {
    /// Accounts proved gone.
    gone: Vec<&'a Registration>,
    /// Those that Coder says it has deleted.
    deleted: Vec<(&'a Registration, User)>,
    busy: Option<PausedRemovals<'a>>,
}

/// Accounts that Coder takes no more calls for at the moment.
struct PausedRemovals<'a> {
    fault: CoderError,
    all: Vec<&'a Registration>,
}

impl<'a> Inspected<'a> {
    fn add(&mut self, registration: &'a Registration, look: Conclusion) {
        match look {
            Conclusion::Done => {}
            Conclusion::Gone => self.gone.push(registration),
            Conclusion::Deleted(user) => self.deleted.push((registration, *user)),
            Conclusion::Busy(fault) => {
                let all = Vec::new();
                let busy = self.busy.get_or_insert(PausedRemovals { fault, all });
                busy.all.push(registration);
            }
        }
    }
}

/// For how long Coder's limit of calls holds where it does not say so.
const LIMIT_LASTS: Duration = Duration::from_secs(60);

/// What a removal waits for then.
const LIMITED: &str = "Coder takes no more calls for now, waiting";

/// The pause between two looks at workspaces that stop or go.
const MOTION: Duration = Duration::from_secs(2);

impl Reaper {
    /// A reaper by these settings.
    pub fn new(
        config: &Config,
        store: &Arc<Store>,
        coder: &Arc<Coder>,
        token: &Arc<CoderToken>,
    ) -> Self {
        Self {
            store: Arc::clone(store),
            coder: Arc::clone(coder),
            token: Arc::clone(token),
            email_domain: config.coder.email_domain.clone(),
            check_interval: config.class.check_interval,
            stop_after: config.class.stop_after,
            call_limit: config.service.call_limit,
            parallel: config.service.parallel,
        }
    }

    /// Looks once at every account whose time is up.
    ///
    /// # Errors
    /// The database cannot be read. Troubles of single accounts are logged and put them off.
    pub fn sweep(&self, now: UnixSeconds) -> Result<SweepResult, StoreError> {
        let due = self.store.due(now, self.longest_wait())?;
        if due.is_empty() {
            return Ok(SweepResult::default());
        }
        // All looks would fail alike: nobody waits for so many time limits.
        let rights = match self.rights() {
            Ok(rights) => rights,
            Err(wait) => {
                due.iter()
                    .for_each(|registration| self.put_off(registration, now, &wait));
                return Ok(SweepResult {
                    removed: 0,
                    waiting: due.len(),
                });
            }
        };
        let mut removed = 0;
        let mut parts = due.chunks(shared::SHARING);
        while let Some(part) = parts.next() {
            let busy = match self.shared_lists(part.len()) {
                Ok(lists) => {
                    let seen = self.inspect_all(part, now, rights, &lists);
                    removed += self.forget(&seen.gone, now);
                    seen.busy
                }
                Err(fault) => {
                    let all = part.iter().collect();
                    Some(PausedRemovals { fault, all })
                }
            };
            if let Some(busy) = busy {
                let rest = busy.all.into_iter().chain(parts.flatten()).collect();
                self.pause(rest, &busy.fault, now);
                break;
            }
        }
        Ok(SweepResult {
            removed,
            waiting: due.len() - removed,
        })
    }

    /// Has accounts keep what they had left of their time when the clock was set; to be told before
    /// the first sweep by the new time.
    ///
    /// # Errors
    /// The database cannot be written; a sweep must not follow.
    pub fn clock_was_set(&self, step: ClockStep, now: UnixSeconds) -> Result<(), StoreError> {
        let moved = self.store.follow_clock(step, now)?;
        let (minutes, side) = (
            // Rounded, as clock and uptime are read in whole seconds one after the other.
            (step.by.abs() + 30) / 60,
            if step.by > 0 { "ahead" } else { "back" },
        );
        warn!(
            "this machine's clock was set {side} by {}: no change to the time that is left for {}",
            count(minutes, "minute"),
            count(moved, "account")
        );
        Ok(())
    }

    /// The longest time for which a look is ever put off.
    fn longest_wait(&self) -> UnixSeconds {
        let longest = self.check_interval.max(retry::REMOVAL.most);
        seconds(longest.max(inspect::late_create(self.call_limit)))
    }

    /// The token's rights, or why there is no use in looking.
    fn rights(&self) -> Result<Rights, RemovalWait> {
        let stuck = |note: String| RemovalWait {
            pace: Pace::Backoff,
            level: Level::Error,
            note,
            refused: false,
        };
        match self.token.rights() {
            // To such a token everybody looks gone. The lack itself is in the log already.
            Ok(rights) if !rights.see_users => Err(RemovalWait {
                level: Level::Debug,
                ..stuck("stuck: the token (CODER_API_KEY) may not see users".to_owned())
            }),
            Ok(Rights {
                clock_ahead: Some(ahead),
                ..
            }) if ahead.abs() > TOLERANCE => {
                let side = if ahead > 0 { "ahead of" } else { "behind" };
                let minutes = count(ahead.abs() / 60, "minute");
                Err(stuck(format!(
                    "stuck: this machine's clock is {minutes} {side} Coder's, so nobody's time is sure to be up; set the clocks"
                )))
            }
            Ok(rights) => Ok(rights),
            Err(fault) if fault.kind == CoderErrorKind::Denied => Err(stuck(fault.to_string())),
            Err(fault) if remove::is_busy(&fault) => {
                let span = limit_lasts(&fault);
                warn!("{fault}: removals go on in {} s", span.as_secs());
                Err(RemovalWait {
                    pace: Pace::Exactly(span),
                    level: Level::Debug,
                    note: LIMITED.to_owned(),
                    refused: false,
                })
            }
            Err(fault) => Err(RemovalWait {
                pace: Pace::Backoff,
                level: Level::Warn,
                note: fault.to_string(),
                refused: false,
            }),
        }
    }

    /// Looks at every account on a few threads, until Coder takes no more calls. Those that it has deleted are looked
    /// for together.
    fn inspect_all<'a>(
        &self,
        due: &'a [Registration],
        now: UnixSeconds,
        rights: Rights,
        lists: &SharedLists,
    ) -> Inspected<'a> {
        let next = AtomicUsize::new(0);
        let seen = Mutex::new(Inspected::default());
        let lock = || seen.lock().unwrap_or_else(PoisonError::into_inner);
        let work = || {
            while let Some(registration) = due.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Some(busy) = &mut lock().busy {
                    busy.all.push(registration);
                    continue;
                }
                let look = self.inspect(registration, now, rights, lists);
                let look = self.conclude(registration, now, look);
                lock().add(registration, look);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.parallel.min(due.len()) {
                let helper = std::thread::Builder::new().name("reaper".to_owned());
                // Where the system has no thread left, this one does it all.
                let _ = helper.spawn_scoped(scope, work);
            }
            work();
        });
        let mut seen = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (registration, is_gone) in self.proved_gone(std::mem::take(&mut seen.deleted)) {
            let look = is_gone.map(|is_gone| {
                if is_gone {
                    return AccountInspection::Gone;
                }
                inspect::wait(Pace::Backoff, Level::Warn, "deleted, but still there")
            });
            seen.add(registration, self.conclude(registration, now, look));
        }
        seen
    }

    /// Puts off what Coder takes no more calls for. That is nobody's fault, and one line for all.
    fn pause(&self, paused: Vec<&Registration>, fault: &CoderError, now: UnixSeconds) {
        let (accounts, span) = (paused.len(), limit_lasts(fault));
        warn!(
            "{fault}: removals go on in {} s, waiting: {accounts}",
            span.as_secs()
        );
        for registration in paused {
            let put_off = Postponement {
                until: now + seconds(span),
                tries: registration.reap_tries,
                note: registration.reap_note.as_deref().unwrap_or(LIMITED),
                refused_since: registration.removal.refused_since,
            };
            if let Err(error) = self.store.put_off(registration.id, put_off) {
                error!("removal of {}: {error}", registration.username);
            }
        }
    }

    /// Forgets the accounts that were seen to be gone, if the token still had the right to see them.
    fn forget(&self, gone: &[&Registration], now: UnixSeconds) -> usize {
        if gone.is_empty() {
            return 0;
        }
        if let Err(wait) = self.rights() {
            gone.iter()
                .for_each(|registration| self.put_off(registration, now, &wait));
            return 0;
        }
        let mut forgotten = 0;
        for registration in gone {
            match self.store.forget(registration.id, now) {
                Ok(()) => {
                    forgotten += 1;
                    info!("{} is removed", registration.username);
                }
                Err(error) => warn!("removal of {}: {error}", registration.username),
            }
        }
        if let Err(error) = self.store.overwrite_log() {
            debug!("what is forgotten still stands in the log of the database: {error}");
        }
        forgotten
    }

    /// Acts on where a look ended, and returns what is left to do about it.
    fn conclude(
        &self,
        registration: &Registration,
        now: UnixSeconds,
        look: Result<AccountInspection, RemovalError>,
    ) -> Conclusion {
        let wait = match look {
            Ok(AccountInspection::Gone) => return Conclusion::Gone,
            Ok(AccountInspection::Deleted(user)) => return Conclusion::Deleted(user),
            Ok(AccountInspection::Renewed) => return Conclusion::Done,
            Ok(AccountInspection::Wait(wait)) => wait,
            Err(RemovalError::Coder(fault)) if remove::is_busy(&fault) => {
                return Conclusion::Busy(fault);
            }
            Err(RemovalError::Coder(fault)) => {
                let refused = remove::is_refusal(&fault);
                let level = if refused { Level::Error } else { Level::Warn };
                let note = match fault.message() {
                    Some(words) => format!("{fault} ({words})"),
                    None => fault.to_string(),
                };
                RemovalWait {
                    pace: Pace::Backoff,
                    level,
                    note,
                    refused,
                }
            }
            Err(RemovalError::Store(error)) => {
                error!("removal of {}: {error}", registration.username);
                return Conclusion::Done;
            }
        };
        self.put_off(registration, now, &wait);
        Conclusion::Done
    }

    /// Puts the next look off. One log line for each change of state, however often it is looked at. What
    /// goes on meanwhile is no news of a removal that Coder refuses: the refusal stands until it changes.
    fn put_off(&self, registration: &Registration, now: UnixSeconds, wait: &RemovalWait) {
        let username = &registration.username;
        let before = registration.reap_note.as_deref();
        // Whose student works on waits for nothing else, whatever was refused before.
        let refused_before = registration
            .removal
            .refused_since
            .filter(|_| registration.stage == Stage::Reaping || wait.refused);
        let note = match before {
            Some(refusal) if refused_before.is_some() && wait.level > Level::Warn => refusal,
            _ => wait.note.as_str(),
        };
        if before == Some(note) {
            debug!("removal of {username}: still {}", wait.note);
        } else {
            log!(wait.level, "removal of {username}: {note}");
        }
        let (tries, span) = self.next_check(registration.reap_tries + 1, wait.pace);
        let put_off = Postponement {
            until: now + seconds(span).max(1),
            tries,
            note,
            refused_since: refused_before.or_else(|| wait.refused.then_some(now)),
        };
        if let Err(error) = self.store.put_off(registration.id, put_off) {
            error!("removal of {username}: {error}");
        }
    }

    /// The number of looks to be recorded, of which this is number `tries`, and the pause after it.
    fn next_check(&self, tries: u32, pace: Pace) -> (u32, Duration) {
        let backoff = || retry::REMOVAL.wait(tries, 0).min(self.check_interval);
        match pace {
            Pace::Interval => (0, self.check_interval),
            Pace::Backoff => (tries, backoff()),
            Pace::Motion => (tries, backoff().min(MOTION)),
            Pace::Exactly(span) => (0, span),
        }
    }
}

/// For how long Coder takes no more calls.
fn limit_lasts(fault: &CoderError) -> Duration {
    let told = match fault.kind {
        CoderErrorKind::Busy(told) => told,
        _ => None,
    };
    told.unwrap_or(LIMIT_LASTS).max(Duration::from_secs(1))
}

/// Seconds since then; none where a clock that was set back says that it is still to come.
fn after(since: Option<UnixSeconds>, now: UnixSeconds) -> UnixSeconds {
    let since = since.filter(|since| *since <= now);
    since.map_or(UnixSeconds::MAX, |since| now - since)
}

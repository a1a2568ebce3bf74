//! Removes accounts whose time is up: one sweep at a given `now`, several accounts in parallel.
//!
//! The database records only that a removal has begun. Everything else is read from Coder at every
//! inspection, so the next inspection continues from the real state, whatever was interrupted,
//! repeated or done by others. Nothing sleeps: if a build is in progress, the account is inspected
//! again later.

mod inspect;
mod plan;
mod postpone;
mod remove;
mod shared;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use log::{Level, debug, error, info, warn};

use crate::clock::ClockStep;
use crate::coder::{Coder, CoderError, Rights, User};
use crate::config::Config;
use crate::domain::registration::Registration;
use crate::domain::{ClassName, UnixSeconds, count, seconds};
use crate::store::{Store, StoreError};
use crate::token::CoderToken;
use inspect::{AccountInspection, Pace, RemovalError, RemovalWait};
pub use plan::{Plan, StopPermission, plan};
use shared::SharedLists;

/// Removes accounts.
pub struct Reaper {
    /// The registrations.
    pub store: Arc<Store>,
    /// The Coder deployment.
    pub coder: Arc<Coder>,
    /// The rights and the expiry of the token for it.
    pub token: Arc<CoderToken>,
    /// Domain of the students' addresses.
    pub email_domain: String,
    /// Pause between two inspections of an account that is in use.
    pub check_interval: Duration,
    /// How long past its time an account with a running workspace is left alone; `None` = without end.
    pub stop_after: Option<Duration>,
    /// The longest time that one call to Coder may take.
    pub call_limit: Duration,
    /// Number of accounts inspected in parallel.
    pub parallel: usize,
    /// The classes with accounts that end at a time of day, even if the clock is changed.
    pub by_clock: Vec<ClassName>,
}

/// What one sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepResult {
    /// Accounts proved gone and deleted from the database.
    pub removed: usize,
    /// Accounts left for a later sweep.
    pub waiting: usize,
}

/// What is left to do after the inspection of one account.
enum Conclusion {
    Done,
    Gone,
    Deleted(Box<User>),
    Busy(CoderError),
}

/// The result of inspecting a part of the due accounts.
#[derive(Default)]
struct Inspected<'a> {
    /// Accounts proved gone.
    gone: Vec<&'a Registration>,
    /// Accounts that Coder says it has deleted.
    deleted: Vec<(&'a Registration, User)>,
    busy: Option<PausedRemovals<'a>>,
}

/// Accounts that wait because Coder accepts no more calls for now.
struct PausedRemovals<'a> {
    fault: CoderError,
    all: Vec<&'a Registration>,
}

impl<'a> Inspected<'a> {
    fn add(&mut self, registration: &'a Registration, conclusion: Conclusion) {
        match conclusion {
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

impl Reaper {
    /// A reaper with these settings.
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
            by_clock: config.class.end_by_clock().cloned().collect(),
        }
    }

    /// Inspects every account whose time is up, once.
    ///
    /// # Errors
    /// The database cannot be read. Faults of single accounts are logged, and postpone these accounts.
    pub fn sweep(&self, now: UnixSeconds) -> Result<SweepResult, StoreError> {
        let due = self.store.due(now, self.longest_wait())?;
        if due.is_empty() {
            return Ok(SweepResult::default());
        }
        // Without the rights every inspection would fail, each after its time limit.
        let rights = match self.rights() {
            Ok(rights) => rights,
            Err(wait) => {
                self.put_off_all(&due, now, &wait);
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

    /// Lets accounts keep the rest of their time after the clock was set, except where they end at a time of
    /// day. To be called before the first sweep by the new time.
    ///
    /// # Errors
    /// The database cannot be written. Then no sweep may follow.
    pub fn clock_was_set(&self, step: ClockStep, now: UnixSeconds) -> Result<(), StoreError> {
        let moved = self.store.follow_clock(step, now, &self.by_clock)?;
        let (minutes, side) = (
            // Rounded, as clock and uptime are read in whole seconds one after the other.
            (step.by.abs() + 30) / 60,
            if step.by > 0 { "ahead" } else { "back" },
        );
        warn!(
            "this machine's clock was set {side} by {}: the remaining time of {} is unchanged",
            count(minutes, "minute"),
            count(moved, "account")
        );
        Ok(())
    }

    /// Inspects every account on a few threads, until Coder accepts no more calls. Accounts that Coder
    /// says it has deleted are then checked together.
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
                let inspection = self.inspect(registration, now, rights, lists);
                let conclusion = self.conclude(registration, now, inspection);
                lock().add(registration, conclusion);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.parallel.min(due.len()) {
                let helper = std::thread::Builder::new().name("reaper".to_owned());
                // If the system has no thread left, this thread does all the work.
                let _ = helper.spawn_scoped(scope, work);
            }
            work();
        });
        let mut seen = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (registration, is_gone) in self.proved_gone(std::mem::take(&mut seen.deleted)) {
            let inspection = is_gone.map(|is_gone| {
                if is_gone {
                    return AccountInspection::Gone;
                }
                inspect::wait(Pace::Backoff, Level::Warn, "deleted, but it still exists")
            });
            seen.add(registration, self.conclude(registration, now, inspection));
        }
        seen
    }

    /// Deletes accounts proved gone from the database, if the token still has the right to see users.
    fn forget(&self, gone: &[&Registration], now: UnixSeconds) -> usize {
        if gone.is_empty() {
            return 0;
        }
        if let Err(wait) = self.rights() {
            self.put_off_all(gone.iter().copied(), now, &wait);
            return 0;
        }
        let mut forgotten = 0;
        for registration in gone {
            match self.forget_one(registration, now) {
                Ok(true) => {
                    forgotten += 1;
                    info!("{} is removed", registration.username);
                }
                Ok(false) => {}
                Err(error) => warn!("removal of {}: {error}", registration.username),
            }
        }
        if let Err(error) = self.store.overwrite_log() {
            debug!("the database's write-ahead log still contains what was forgotten: {error}");
        }
        forgotten
    }

    /// Deletes one of them. While Coder may still carry out a repeated create, it is not deleted, and Coder is asked
    /// again later. A removal that has begun permits no further create. Returns whether it is deleted.
    fn forget_one(
        &self,
        registration: &Registration,
        now: UnixSeconds,
    ) -> Result<bool, StoreError> {
        let span = seconds(inspect::late_create(self.call_limit));
        let Some(until) = self.store.late_create_until(registration.id, now, span)? else {
            return self.store.forget(registration.id, now).map(|()| true);
        };
        let rest = Duration::from_secs((until - now).max(1).unsigned_abs());
        let note = "its user is gone; waiting until a late request can no longer create it again";
        let wait = RemovalWait {
            pace: Pace::Exactly(rest),
            level: Level::Info,
            note: note.to_owned(),
            refused: false,
        };
        self.put_off(registration, now, &wait);
        Ok(false)
    }

    /// Acts on the result of an inspection. Returns what is left to do.
    fn conclude(
        &self,
        registration: &Registration,
        now: UnixSeconds,
        inspection: Result<AccountInspection, RemovalError>,
    ) -> Conclusion {
        let wait = match inspection {
            Ok(AccountInspection::Gone) => return Conclusion::Gone,
            Ok(AccountInspection::Deleted(user)) => return Conclusion::Deleted(user),
            Ok(AccountInspection::Renewed) => return Conclusion::Done,
            Ok(AccountInspection::Wait(wait)) => wait,
            Err(RemovalError::Coder(fault)) if remove::is_busy(&fault) => {
                return Conclusion::Busy(fault);
            }
            Err(RemovalError::Coder(fault)) => {
                let refused = remove::is_refusal(&fault);
                let level = match fault.refuses_token() {
                    // Reported for all calls.
                    true => Level::Debug,
                    false if refused => Level::Error,
                    false => Level::Warn,
                };
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
}

/// Seconds since then. Without end if there is no such time, or if it is in the future because the
/// clock was set back.
fn seconds_since(since: Option<UnixSeconds>, now: UnixSeconds) -> UnixSeconds {
    let since = since.filter(|since| *since <= now);
    since.map_or(UnixSeconds::MAX, |since| now - since)
}

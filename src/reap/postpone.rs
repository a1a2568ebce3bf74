//! Postpones removals: until when, how serious the reason is, and what the log says about it.

use std::time::Duration;

use log::{Level, debug, error, log, warn};

use super::inspect::{Pace, RemovalWait, late_create};
use super::{Reaper, remove};
use crate::clock::TOLERANCE;
use crate::coder::{CoderError, CoderErrorKind, Rights};
use crate::domain::registration::{Registration, Stage};
use crate::domain::{UnixSeconds, count, seconds};
use crate::retry;
use crate::store::Postponement;

/// How long Coder's limit of calls lasts if Coder does not say so.
const LIMIT_LASTS: Duration = Duration::from_secs(60);

/// The note of a removal that waits for the end of that limit.
const LIMITED: &str = "Coder accepts no more calls for now, waiting";

/// The longest pause between two inspections of workspaces that are being stopped or deleted.
const MOTION: Duration = Duration::from_secs(2);

impl Reaper {
    /// The longest time for which an inspection is ever postponed.
    pub(super) fn longest_wait(&self) -> UnixSeconds {
        let longest = self.check_interval.max(retry::REMOVAL.most);
        seconds(longest.max(late_create(self.call_limit)))
    }

    /// The token's rights, or why no inspection is possible now.
    pub(super) fn rights(&self) -> Result<Rights, RemovalWait> {
        let wait = |level: Level, note: String| RemovalWait {
            pace: Pace::Backoff,
            level,
            note,
            refused: false,
        };
        match self.token.rights() {
            // With such a token every user seems to be gone. The missing right is in the log already.
            Ok(rights) if !rights.see_users => Err(wait(
                Level::Debug,
                "stuck: the token (CODER_API_KEY) may not see users".to_owned(),
            )),
            Ok(Rights {
                clock_ahead: Some(ahead),
                ..
            }) if ahead.abs() > TOLERANCE => {
                let side = if ahead > 0 { "ahead of" } else { "behind" };
                let minutes = count(ahead.abs() / 60, "minute");
                Err(wait(
                    Level::Error,
                    format!(
                        "stuck: this machine's clock is {minutes} {side} Coder's, so it is not certain whose time is up; set the clocks"
                    ),
                ))
            }
            Ok(rights) => Ok(rights),
            // The error with its cure is in the log already, for all calls.
            Err(fault) if fault.refuses_token() => Err(wait(Level::Warn, fault.to_string())),
            Err(fault) if fault.kind == CoderErrorKind::Denied => {
                Err(wait(Level::Error, fault.to_string()))
            }
            Err(fault) if remove::is_busy(&fault) => {
                let span = limit_lasts(&fault);
                warn!("{fault}: removals continue in {} s", span.as_secs());
                Err(RemovalWait {
                    pace: Pace::Exactly(span),
                    ..wait(Level::Debug, LIMITED.to_owned())
                })
            }
            Err(fault) => Err(wait(Level::Warn, fault.to_string())),
        }
    }

    /// Postpones accounts because Coder accepts no more calls. This is not a failed try of theirs, and it
    /// is one log line for all.
    pub(super) fn pause(&self, paused: Vec<&Registration>, fault: &CoderError, now: UnixSeconds) {
        let (accounts, span) = (paused.len(), limit_lasts(fault));
        warn!(
            "{fault}: removals continue in {} s, {} waiting",
            span.as_secs(),
            count(accounts, "account")
        );
        for registration in paused {
            let postponement = Postponement {
                until: now + seconds(span),
                tries: registration.reap_tries,
                note: registration.reap_note.as_deref().unwrap_or(LIMITED),
                refused_since: registration.removal.refused_since,
            };
            if let Err(error) = self.store.put_off(registration.id, postponement) {
                error!("removal of {}: {error}", registration.username);
            }
        }
    }

    /// Postpones the next inspection of one account. There is one log line for each change of state,
    /// however often the account is inspected. While Coder refuses the removal, progress in between is
    /// not worth a line: the refusal stays the note until it changes.
    pub(super) fn put_off(
        &self,
        registration: &Registration,
        now: UnixSeconds,
        wait: &RemovalWait,
    ) {
        let username = &registration.username;
        match self.postpone(registration, now, wait) {
            Some(note) => log!(wait.level, "removal of {username}: {note}"),
            None => debug!("removal of {username}: still {}", wait.note),
        }
    }

    /// Postpones accounts that all wait for the same. That is one log line, not one for each of them, and
    /// none for those that join the others later.
    pub(super) fn put_off_all<'a>(
        &self,
        all: impl IntoIterator<Item = &'a Registration>,
        now: UnixSeconds,
        wait: &RemovalWait,
    ) {
        let (mut accounts, mut is_known) = (0, false);
        for registration in all {
            accounts += 1;
            is_known |= registration.reap_note.as_deref() == Some(wait.note.as_str());
            self.postpone(registration, now, wait);
        }
        let level = if is_known { Level::Debug } else { wait.level };
        let accounts = count(accounts, "account");
        log!(level, "removals of {accounts} wait: {}", wait.note);
    }

    /// Records until when an account waits, and for what. Returns that, if it is new.
    fn postpone<'a>(
        &self,
        registration: &'a Registration,
        now: UnixSeconds,
        wait: &'a RemovalWait,
    ) -> Option<&'a str> {
        let before = registration.reap_note.as_deref();
        // A removal that has not begun only waits for its student; an earlier refusal is obsolete.
        let refused_before = registration
            .removal
            .refused_since
            .filter(|_| registration.stage == Stage::Reaping || wait.refused);
        let note = match before {
            Some(refusal) if refused_before.is_some() && wait.level > Level::Warn => refusal,
            _ => wait.note.as_str(),
        };
        let (tries, span) = self.next_check(registration.reap_tries + 1, wait.pace);
        let postponement = Postponement {
            until: now + seconds(span).max(1),
            tries,
            note,
            refused_since: refused_before.or_else(|| wait.refused.then_some(now)),
        };
        if let Err(error) = self.store.put_off(registration.id, postponement) {
            error!("removal of {}: {error}", registration.username);
        }
        (before != Some(note)).then_some(note)
    }

    /// The number of tries to record, this one being number `tries`, and the pause after it.
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

/// How long Coder accepts no more calls.
fn limit_lasts(fault: &CoderError) -> Duration {
    let announced = match fault.kind {
        CoderErrorKind::Busy(announced) => announced,
        _ => None,
    };
    announced.unwrap_or(LIMIT_LASTS).max(Duration::from_secs(1))
}

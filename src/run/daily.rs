//! What is done at the start and then once a day: old texts are deleted, the token is checked, and
//! accounts that the database does not contain are searched for.

use std::time::Duration;

use log::{debug, error, log, warn};

use super::observers::coder_is_away;
use crate::coder::{CoderError, CoderErrorKind};
use crate::domain::{UnixSeconds, Username, count, seconds};
use crate::obstacles::{Observer, Obstacle, Obstacles};
use crate::reconcile::{Reconciler, SearchResult};
use crate::store::StoreError;
use crate::stream::Settler;
use crate::token::CoderToken;

/// The period, in seconds. By Coder's default an owner's token expires after a week without use.
const DAILY: UnixSeconds = 86_400;

/// The shortest time in seconds between two checks of the token's rights after refused calls.
const SPACING: UnixSeconds = 5;

/// The time in seconds between two checks of the token's rights while Coder is an obstacle. They show the end of the
/// obstacle also when no text needs Coder.
const OBSTACLE_SPACING: UnixSeconds = 10;

/// The obstacles that a check of the token's rights may end.
const OF_CODER: [Obstacle; 3] = [
    Obstacle::CoderAway,
    Obstacle::CoderRefuses,
    Obstacle::TokenLacksRights,
];

/// The largest number of names in one line.
const LISTED: usize = 50;

/// The daily tasks, and when each is due.
pub(super) struct DailyRounds<'a> {
    reconciler: &'a Reconciler,
    settler: &'a Settler,
    token: &'a CoderToken,
    obstacles: &'a Obstacles,
    /// The pause before Coder is asked again, if it did not answer.
    pause: Duration,
    /// How long a text is retried.
    text_life: Duration,
    last: Option<UnixSeconds>,
    /// When Coder is asked again.
    again_at: Option<UnixSeconds>,
    /// Whether Coder answered the last check of the token.
    reached: bool,
    /// When the token's rights were last checked.
    asked: UnixSeconds,
    /// When the token's expiry is checked again.
    expiry_check_at: UnixSeconds,
}

impl<'a> DailyRounds<'a> {
    pub(super) fn new(
        reconciler: &'a Reconciler,
        settler: &'a Settler,
        token: &'a CoderToken,
        obstacles: &'a Obstacles,
        (pause, text_life): (Duration, Duration),
    ) -> Self {
        Self {
            reconciler,
            settler,
            token,
            obstacles,
            pause,
            text_life,
            last: None,
            again_at: None,
            reached: false,
            asked: 0,
            expiry_check_at: 0,
        }
    }

    /// Does what is due at `now`.
    pub(super) fn run(&mut self, now: UnixSeconds) {
        // The range makes it run also after the clock was set back.
        let daily = self
            .last
            .is_none_or(|last| !(0..DAILY).contains(&(now - last)));
        if daily {
            self.last = Some(now);
            if let Err(error) = self.reconciler.store.prune(now, self.text_life) {
                log!(error.level(), "old texts were not deleted: {error}");
            }
            forget_phones(self.settler);
        }
        let pause = seconds(self.pause);
        let again = self
            .again_at
            .is_some_and(|at| at <= now || at - now > pause);
        if daily || again {
            let done = self.ask_coder(now, daily);
            self.again_at = (!done).then_some(now + pause);
            self.asked = now;
        } else if self.next_question_in(now) == Some(0) {
            self.asked = now;
            // If Coder does not answer, the next refused call causes another check.
            let _ = self.token.rights();
        }
        if self.reached {
            self.check_expiry(now);
        }
    }

    /// Checks the token's expiry, if that is due; also after the clock was set back.
    fn check_expiry(&mut self, now: UnixSeconds) {
        if self.expiry_check_at <= now || self.expiry_check_at > now + DAILY {
            self.expiry_check_at = self.token.check_expiry(now, self.pause);
        }
    }

    /// Seconds until the next check of the rights, if Coder refused a call or is an obstacle; otherwise `None`.
    pub(super) fn next_question_in(&self, now: UnixSeconds) -> Option<UnixSeconds> {
        let spacing = if self.token.is_in_doubt() {
            SPACING
        } else if OF_CODER.iter().any(|one| self.obstacles.has(*one)) {
            OBSTACLE_SPACING
        } else {
            return None;
        };
        let since = now - self.asked;
        let waits = (0..spacing).contains(&since);
        Some(if waits { spacing - since } else { 0 })
    }

    /// Checks the token and searches for accounts. Returns whether both were completed.
    fn ask_coder(&mut self, now: UnixSeconds, daily: bool) -> bool {
        let rights = self.token.ask();
        if rights.is_ok() {
            self.check_expiry(now);
            if let Err(error) = self.compare_coder() {
                error!("{error}");
            }
        }
        // A token that may not see users gets an empty list, and 404 for each user.
        let well = rights.as_ref().is_ok_and(|rights| rights.see_users);
        let done = well && self.reconcile(now, daily);
        match &rights {
            // The beginning and the end of an outage are logged once each.
            Ok(rights) => self.token.log(rights, daily || !self.reached),
            Err(fault) if fault.is_away() => {
                coder_is_away(self.obstacles, fault, Observer::Token);
            }
            // The observer of the calls to Coder has already logged this.
            Err(fault) if fault.refuses_token() => {}
            Err(fault) if daily => log_fault(fault),
            Err(_) => {}
        }
        self.reached = rights.is_ok();
        done
    }

    /// Reports accounts that were made at another Coder. This one does not list them, so their rows are deleted when their
    /// time is up.
    fn compare_coder(&self) -> Result<(), StoreError> {
        let Reconciler { store, coder, .. } = self.reconciler;
        let Some(organization) = coder.cached_organization() else {
            return Ok(());
        };
        if !store.knows_another_coder(&organization)? {
            return Ok(());
        }
        let roster = store.roster()?;
        let made = roster.iter().filter(|one| one.coder_id.is_some());
        let made: Vec<&Username> = made.map(|one| &one.username).collect();
        if !made.is_empty() {
            error!(
                "CODER_API_URL leads to another Coder than before: this service cannot remove {} made at the old one, and will forget them; if that Coder still runs, set CODER_API_URL back, or delete them there by hand: {}",
                count(made.len(), "account"),
                names(made.into_iter())
            );
        }
        store.record_coder(&organization)
    }

    fn reconcile(&self, now: UnixSeconds, daily: bool) -> bool {
        match self.reconciler.sweep(now) {
            Ok(result) => {
                log_search(&result);
                true
            }
            Err(fault) => {
                let words = format!(
                    "the search for accounts missing from the database failed and will be repeated: {fault}"
                );
                if daily {
                    warn!("{words}");
                } else {
                    debug!("{words}");
                }
                false
            }
        }
    }
}

fn log_fault(fault: &CoderError) {
    match fault.kind {
        CoderErrorKind::Denied => error!("Coder: {fault}"),
        CoderErrorKind::Refused => {
            error!("Coder: {fault}: no account is removed until Coder answers this");
        }
        _ => warn!("Coder: {fault}"),
    }
}

/// Logs the accounts that were found, if any.
fn log_search(result: &SearchResult) {
    if !result.adopted.is_empty() {
        warn!(
            "adopted {} missing from the database: {}; removal follows when the time is up",
            count(result.adopted.len(), "account"),
            names(result.adopted.iter())
        );
    }
    if !result.left.is_empty() {
        warn!(
            "accounts with our mark that are missing from the database, left alone because they may belong to another service or a person ({}): {}; see coder-sms-register reconcile",
            result.left.len(),
            names(result.left.iter().map(|found| &found.username))
        );
    }
}

fn names<'a>(all: impl Iterator<Item = &'a Username>) -> String {
    let all: Vec<&str> = all.map(Username::as_str).collect();
    let shown = all[..all.len().min(LISTED)].join(" ");
    match all.len().saturating_sub(LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Makes Redis rewrite its append-only file, so that it no longer contains old phone numbers. Done daily, and when a
/// class is over.
pub(super) fn forget_phones(settler: &Settler) {
    if let Err(fault) = settler.compact() {
        debug!("Redis does not rewrite its append-only file: {fault}");
    }
}

//! What is done at the start and then once a day: old texts are forgotten, the token is tried, and
//! accounts are looked for that the database does not know.

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

/// How often: an owner's token that nobody uses for a week expires by Coder's default.
const DAILY: UnixSeconds = 86_400;

/// The least time in seconds between two looks at the token's rights that refused calls have asked for.
const SPACING: UnixSeconds = 5;

/// The time in seconds between two looks at the token's rights while Coder is an obstacle, so that its end shows
/// although no text needs Coder.
const OBSTACLE_SPACING: UnixSeconds = 10;

/// The obstacles that an answer about the token's rights may end.
const OF_CODER: [Obstacle; 3] = [
    Obstacle::CoderAway,
    Obstacle::CoderRefuses,
    Obstacle::TokenLacksRights,
];

/// Names that are listed at most.
const LISTED: usize = 50;

/// The rounds, and when the next one is.
pub(super) struct DailyRounds<'a> {
    reconciler: &'a Reconciler,
    settler: &'a Settler,
    token: &'a CoderToken,
    obstacles: &'a Obstacles,
    /// Pause before Coder is asked again, if it did not answer.
    pause: Duration,
    /// How long a text may be tried for.
    text_life: Duration,
    last: Option<UnixSeconds>,
    /// When Coder is asked again.
    again_at: Option<UnixSeconds>,
    /// Whether Coder answered when the token was last tried.
    reached: bool,
    /// When the token's rights were last asked for.
    asked: UnixSeconds,
    /// When it is looked at again until when the token is good.
    end_at: UnixSeconds,
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
            end_at: 0,
        }
    }

    /// Does what is due at `now`.
    pub(super) fn inspect(&mut self, now: UnixSeconds) {
        // Also after the clock was set back.
        let daily = self
            .last
            .is_none_or(|last| !(0..DAILY).contains(&(now - last)));
        if daily {
            self.last = Some(now);
            if let Err(error) = self.reconciler.store.prune(now, self.text_life) {
                log!(error.level(), "old texts stay: {error}");
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
            // Where Coder does not answer any more, the next refusal asks again.
            let _ = self.token.rights();
        }
        if self.reached {
            self.inspect_the_end(now);
        }
    }

    /// Looks until when the token is good, if that is due; also after the clock was set back.
    fn inspect_the_end(&mut self, now: UnixSeconds) {
        if self.end_at <= now || self.end_at > now + DAILY {
            self.end_at = self.token.inspect_its_end(now, self.pause);
        }
    }

    /// Seconds until the rights are asked for again, as Coder refused a call or is an obstacle; `None` = neither.
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

    /// Tries the token and looks for accounts. Returns whether both came to an end.
    fn ask_coder(&mut self, now: UnixSeconds, daily: bool) -> bool {
        // An outage is told of once, and its end.
        let rights = self.token.ask();
        if rights.is_ok() {
            self.inspect_the_end(now);
            if let Err(error) = self.compare_coder() {
                error!("{error}");
            }
        }
        // To a token without rights everybody looks gone, and a list shows nobody.
        let well = rights.as_ref().is_ok_and(|rights| rights.see_users);
        let done = well && self.reconcile(now, daily);
        match &rights {
            // An outage is told of once, and its end.
            Ok(rights) => self.token.tell(rights, daily || !self.reached),
            Err(fault) if fault.is_away() => {
                coder_is_away(self.obstacles, fault, Observer::Token);
            }
            // Reported for all calls.
            Err(fault) if fault.refuses_token() => {}
            Err(fault) if daily => tell_fault(fault),
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
            Ok(swept) => {
                tell(&swept);
                true
            }
            Err(fault) => {
                let words = format!(
                    "accounts that the database does not know were not looked for, it is tried again: {fault}"
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

fn tell_fault(fault: &CoderError) {
    match fault.kind {
        CoderErrorKind::Denied => error!("Coder: {fault}"),
        CoderErrorKind::Refused => {
            error!("Coder: {fault}: without an answer to that no account is removed");
        }
        _ => warn!("Coder: {fault}"),
    }
}

/// Nothing when all is well.
fn tell(swept: &SearchResult) {
    if !swept.adopted.is_empty() {
        warn!(
            "adopted {} unknown to the database: {}; removal follows when the time is up",
            count(swept.adopted.len(), "account"),
            names(swept.adopted.iter())
        );
    }
    if !swept.left.is_empty() {
        warn!(
            "{} with our mark, unknown to the database, left alone as another service's or a person's: {}; see coder-sms-register reconcile",
            count(swept.left.len(), "account"),
            names(swept.left.iter().map(|found| &found.username))
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

/// Has Redis forget the phones in its append-only file: daily, and when a class is over.
pub(super) fn forget_phones(settler: &Settler) {
    if let Err(fault) = settler.compact() {
        debug!("Redis does not write its file anew: {fault}");
    }
}

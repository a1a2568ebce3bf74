//! Watches our token at Coder: its rights, and when it expires. A change of its rights is logged once, an expiry that
//! is near at each check.
//!
//! This module hides what was logged before. All code that needs the rights of the token asks here, so a missing right
//! that a sweep, a search and the daily check find is one line in the log.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use log::{debug, error, info, warn};

use crate::coder::{Coder, CoderError, MissingRight, NEAR, Nearness, Rights, Validity};
use crate::domain::{UnixSeconds, seconds};
use crate::metrics::Gauge;
use crate::obstacles::{Observer, Obstacle, Obstacles};

/// The longest time between two checks of the token's expiry, in seconds.
const DAILY: UnixSeconds = 86_400;

/// What to do if a token expires soon. The tokens of users who are not owners may be valid for years.
pub const RENEWAL: &str = "create one as a user that is no Owner (coder tokens create --lifetime 8760h), put it into CODER_API_KEY and restart the service";

/// The token of the service at Coder.
pub struct CoderToken {
    coder: Arc<Coder>,
    logged: Mutex<Option<KnownRights>>,
    expires_at: Arc<Gauge>,
    obstacles: Arc<Obstacles>,
}

/// The rights as they were last logged.
#[derive(PartialEq, Eq)]
struct KnownRights {
    lack: Option<MissingRight>,
    set_passwords: Option<bool>,
}

impl CoderToken {
    /// The token that `coder` uses. Missing rights are reported to `obstacles`.
    pub fn of(coder: Arc<Coder>, obstacles: Arc<Obstacles>) -> Self {
        Self {
            coder,
            logged: Mutex::new(None),
            expires_at: Arc::default(),
            obstacles,
        }
    }

    /// What the token may do now. A change since the last time is logged.
    ///
    /// # Errors
    /// Coder cannot be asked. That is not logged here.
    pub fn rights(&self) -> Result<Rights, CoderError> {
        let rights = self.ask()?;
        self.log(&rights, false);
        Ok(rights)
    }

    /// Asks Coder for the rights without logging them; see [`CoderToken::log`].
    ///
    /// # Errors
    /// Coder cannot be asked.
    pub fn ask(&self) -> Result<Rights, CoderError> {
        self.coder.rights()
    }

    /// When the token expires, as of the last check, in UTC seconds; 0 = not known.
    pub fn expires_at(&self) -> Arc<Gauge> {
        Arc::clone(&self.expires_at)
    }

    /// Asks Coder when the token expires, and logs it if that is soon. Returns the time of the next check, which is after
    /// `pause` if Coder did not answer.
    pub fn check_expiry(&self, now: UnixSeconds, pause: Duration) -> UnixSeconds {
        match self.coder.validity(now) {
            Ok(validity) => {
                let at = validity.expires_at.and_then(|at| u64::try_from(at).ok());
                self.expires_at.set(at.unwrap_or(0));
                log_expiry(&validity, now);
                next_check(&validity, now)
            }
            Err(fault) => {
                debug!("the expiry of the token is not known: {fault}");
                now + seconds(pause)
            }
        }
    }

    /// Whether Coder refused a call because of a missing right since the rights were last asked for.
    pub fn is_in_doubt(&self) -> bool {
        self.coder.was_refused()
    }

    /// Logs what the token may do, if that has changed; with `again` in any case.
    pub fn log(&self, rights: &Rights, again: bool) {
        let now = KnownRights {
            lack: rights.missing(),
            set_passwords: rights.set_passwords,
        };
        self.obstacles.set(
            Obstacle::TokenLacksRights,
            Observer::Token,
            now.lack.is_some(),
        );
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        let before = logged.as_ref();
        if again || before.is_none_or(|before| before.lack != now.lack) {
            match &now.lack {
                Some(lack) => error!("Coder: {lack}"),
                None => info!("Coder: reached, the token may make and remove accounts"),
            }
        }
        if before.is_none_or(|before| before.set_passwords != now.set_passwords)
            && rights.set_passwords == Some(false)
        {
            warn!(
                "Coder: the token may not set passwords (up to Coder 2.35 only an Owner's may): students get the same login again, but not once they have changed its password"
            );
        }
        *logged = Some(now);
    }
}

fn log_expiry(validity: &Validity, now: UnixSeconds) {
    let words = validity.describe(now);
    match validity.nearness(now) {
        Nearness::Far => debug!("the token (CODER_API_KEY) {words}"),
        Nearness::Days => warn!("the token (CODER_API_KEY) {words}; {RENEWAL}"),
        Nearness::Hours => error!("the token (CODER_API_KEY) {words}; {RENEWAL}"),
    }
}

/// The time of the next check: after a day, or earlier when the expiry reaches the next threshold of nearness.
fn next_check(validity: &Validity, now: UnixSeconds) -> UnixSeconds {
    let end = validity.expires_at.unwrap_or(UnixSeconds::MAX);
    let turns = NEAR.map(|before| end.saturating_sub(before));
    let next = turns.into_iter().filter(|at| *at > now).min();
    next.map_or(now + DAILY, |at| at.min(now + DAILY))
}

//! The watch over our token at Coder: what it may do, and until when it is good. A change of its rights is logged
//! once, a near end at each look.
//!
//! What is hidden here: what was told before. Everybody who has to know the token's rights asks here, so that
//! the same lack met by a sweep, a search and the daily look is one line.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use log::{debug, error, info, warn};

use crate::coder::{Coder, CoderError, MissingRight, NEAR, Nearness, Rights, Validity};
use crate::domain::{UnixSeconds, seconds};
use crate::metrics::Gauge;
use crate::obstacles::{Observer, Obstacle, Obstacles};

/// The longest time between two looks at when the token ends, in seconds.
const DAILY: UnixSeconds = 86_400;

/// What helps where a token ends soon. Others than owners may have tokens that live for years.
pub const RENEWAL: &str = "make one as a user that is no Owner (coder tokens create --lifetime 8760h), put it into CODER_API_KEY and restart the service";

/// The token that a service works with.
pub struct CoderToken {
    coder: Arc<Coder>,
    told: Mutex<Option<KnownRights>>,
    expires_at: Arc<Gauge>,
    obstacles: Arc<Obstacles>,
}

/// What was told of the rights when they were last asked for.
#[derive(PartialEq, Eq)]
struct KnownRights {
    lack: Option<MissingRight>,
    set_passwords: Option<bool>,
}

impl CoderToken {
    /// The token that `coder` calls with. What it lacks is reported to `obstacles`.
    pub fn of(coder: Arc<Coder>, obstacles: Arc<Obstacles>) -> Self {
        Self {
            coder,
            told: Mutex::new(None),
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
        self.tell(&rights, false);
        Ok(rights)
    }

    /// The same, and nothing is logged; [`CoderToken::tell`] does that.
    ///
    /// # Errors
    /// Coder cannot be asked.
    pub fn ask(&self) -> Result<Rights, CoderError> {
        self.coder.rights()
    }

    /// When the token ends as it stood at the last look, in UTC seconds; 0 = not known.
    pub fn expires_at(&self) -> Arc<Gauge> {
        Arc::clone(&self.expires_at)
    }

    /// Looks until when the token is good; a near end is logged. Returns when to look again, which is after `pause` if
    /// Coder did not say.
    pub fn inspect_its_end(&self, now: UnixSeconds, pause: Duration) -> UnixSeconds {
        match self.coder.validity(now) {
            Ok(validity) => {
                let at = validity.expires_at.and_then(|at| u64::try_from(at).ok());
                self.expires_at.set(at.unwrap_or(0));
                tell_end(&validity, now);
                next_check(&validity, now)
            }
            Err(fault) => {
                debug!("until when the token is good is not known: {fault}");
                now + seconds(pause)
            }
        }
    }

    /// Whether Coder refused a call for want of a right since the rights were last asked for.
    pub fn is_in_doubt(&self) -> bool {
        self.coder.was_refused()
    }

    /// Logs what the token may do, where that has changed; with `again` in any case.
    pub fn tell(&self, rights: &Rights, again: bool) {
        let now = KnownRights {
            lack: rights.missing(),
            set_passwords: rights.set_passwords,
        };
        self.obstacles.set(
            Obstacle::TokenLacksRights,
            Observer::Token,
            now.lack.is_some(),
        );
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let before = told.as_ref();
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
        *told = Some(now);
    }
}

fn tell_end(validity: &Validity, now: UnixSeconds) {
    let words = validity.describe(now);
    match validity.nearness(now) {
        Nearness::Far => debug!("the token (CODER_API_KEY) {words}"),
        Nearness::Days => warn!("the token (CODER_API_KEY) {words}; {RENEWAL}"),
        Nearness::Hours => error!("the token (CODER_API_KEY) {words}; {RENEWAL}"),
    }
}

/// Tomorrow, or as soon as the end is near in another way.
fn next_check(validity: &Validity, now: UnixSeconds) -> UnixSeconds {
    let end = validity.expires_at.unwrap_or(UnixSeconds::MAX);
    let turns = NEAR.map(|before| end.saturating_sub(before));
    let next = turns.into_iter().filter(|at| *at > now).min();
    next.map_or(now + DAILY, |at| at.min(now + DAILY))
}

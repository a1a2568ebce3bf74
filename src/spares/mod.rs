//! Keeps spare accounts ready, so that a student who texts gets one at once.
//!
//! A sweep compares what each class wants with what the database has. It makes what is missing, a few side by
//! side, looks at Coder whether somebody has used one, and dismisses what is too much; the removal is that of
//! any account. The database says before each step what is about to happen, so a sweep after a kill goes on
//! where the last one ended. Nothing here sleeps.

mod looks;
mod making;
mod pool;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use log::{info, warn};

use crate::coder::{Coder, CoderError, CoderErrorKind};
use crate::config::{ClassConfig, ClassSettings, Config};
use crate::domain::{
    ClassName, InstanceId, PasswordKey, PhoneKey, UnixSeconds, Username, count, noise, seconds,
};
use crate::obstacles::Obstacles;
use crate::retry;
use crate::store::{Seats, Spare, Store, StoreError};
use pool::Pool;

/// Seconds between two looks at Coder whether somebody has used a spare.
const LOOK: UnixSeconds = 60;

/// How many spares are made at the same time. Coder makes them no faster with more.
const SIDE_BY_SIDE: usize = 4;

/// How many are made in one sweep, so that looks at the others are not late.
const AT_ONCE: usize = 100;

/// How much later a sweep comes for each spare. Reading one takes a tenth of that.
const PAUSE_OF_EACH: Duration = Duration::from_micros(200);

/// A day. Spares of a class without an end are removed at the end of the next one if no service renews
/// that.
const DAY: UnixSeconds = 86_400;

/// Keeps spare accounts ready.
pub struct SpareKeeper {
    store: Arc<Store>,
    coder: Arc<Coder>,
    class: ClassConfig,
    key: PhoneKey,
    passwords: PasswordKey,
    instance_id: InstanceId,
    email_domain: String,
    parallel: usize,
    obstacles: Arc<Obstacles>,
    /// Called with the name of each spare that is made.
    on_made: Box<dyn Fn(&Username) + Send + Sync>,
    /// Called when spares are dismissed.
    on_dismissed: Box<dyn Fn() + Send + Sync>,
    pools: HashMap<Option<ClassName>, Pool>,
    /// When Coder was last asked about all of them; `None` = not yet.
    looked_at: Option<UnixSeconds>,
    /// Sweeps in a row in which Coder made none.
    failures: u32,
    /// The number of spares at the last sweep.
    known: u32,
}

/// What a [`SpareKeeper`] needs in addition to its settings.
pub struct SpareKeeperParts {
    /// The registrations.
    pub store: Arc<Store>,
    /// The Coder deployment.
    pub coder: Arc<Coder>,
    /// The key of the phone hashes, for the markers.
    pub key: PhoneKey,
    /// The key that passwords are derived from.
    pub passwords: PasswordKey,
    /// The instance id of the data folder, for the markers.
    pub instance_id: InstanceId,
    /// Learn whether spares are given up.
    pub obstacles: Arc<Obstacles>,
    /// Called with the name of each spare that is made.
    pub on_made: Box<dyn Fn(&Username) + Send + Sync>,
    /// Called when spares are dismissed.
    pub on_dismissed: Box<dyn Fn() + Send + Sync>,
}

impl SpareKeeper {
    /// A keeper of the spares that these settings ask for.
    pub fn new(config: &Config, parts: SpareKeeperParts) -> Self {
        let SpareKeeperParts {
            store,
            coder,
            key,
            passwords,
            instance_id,
            obstacles,
            on_made,
            on_dismissed,
        } = parts;
        Self {
            store,
            coder,
            class: config.class.clone(),
            key,
            passwords,
            instance_id,
            email_domain: config.coder.email_domain.clone(),
            parallel: config.service.parallel.min(SIDE_BY_SIDE),
            obstacles,
            on_made,
            on_dismissed,
            pools: HashMap::new(),
            looked_at: None,
            failures: 0,
            known: 0,
        }
    }

    /// How long a sweep should wait at least after the last one though a student has got a spare: it reads all spares, and
    /// while a large class texts there would be one after the other.
    pub fn pause(&self) -> Duration {
        PAUSE_OF_EACH * self.known
    }

    /// Brings the spares of all classes nearer to what they want at `now`. Returns the pause before the next
    /// sweep; `None` = the settings ask for none, and there are none left.
    ///
    /// # Errors
    /// The database cannot be used.
    pub fn sweep(&mut self, now: UnixSeconds) -> Result<Option<Duration>, StoreError> {
        let mut spares = self.store.spares()?;
        self.known = u32::try_from(spares.len()).unwrap_or(u32::MAX);
        if spares.is_empty() && self.class.classes.iter().all(|one| one.warm == 0) {
            return Ok(None);
        }
        self.dismiss_unwanted(&mut spares, now)?;
        let next_look = self.looked_at.map_or(now, |at| at + LOOK);
        let is_due = next_look <= now || next_look > now + LOOK;
        if !spares.is_empty() && is_due {
            match self.look(&mut spares, now)? {
                Ok(()) => self.looked_at = Some(now),
                Err(fault) => return Ok(Some(self.failed(&fault, "looked at"))),
            }
        }
        self.judge_builds(&mut spares, now)?;
        let made = self.make_missing(&spares, now)?;
        let all_made = match made {
            Ok(all_made) => all_made,
            Err(fault) => return Ok(Some(self.failed(&fault, "made"))),
        };
        if self.failures > 0 {
            self.failures = 0;
            info!("spare accounts are kept ready again");
        }
        if !all_made {
            return Ok(Some(Duration::ZERO));
        }
        // Without any the last look grows old, and there is nothing to look at.
        let looked_at = self.looked_at.filter(|_| !spares.is_empty());
        Ok(Some(rest(looked_at, now)))
    }

    /// Records that Coder failed, and says how long to wait.
    fn failed(&mut self, fault: &CoderError, what: &str) -> Duration {
        self.failures += 1;
        if self.failures == 1 {
            let words = fault.message().unwrap_or_default();
            let note = match words {
                "" => String::new(),
                words => format!(" ({words})"),
            };
            warn!(
                "spare accounts are not {what} yet, tried again: {fault}{note}; students get those that are ready, and others as soon as Coder makes them"
            );
        }
        match fault.kind {
            CoderErrorKind::Busy(Some(pause)) => pause.max(Duration::from_secs(1)),
            _ => retry::WORKSPACE.wait(self.failures, noise()),
        }
    }

    /// Dismisses the spares that no class wants now, those that are more than its free seats, and those whose
    /// password is not known. What is left stays in `spares`.
    fn dismiss_unwanted(
        &self,
        spares: &mut Vec<Spare>,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        let mut left: HashMap<Option<ClassName>, u32> = HashMap::new();
        for class in &self.class.classes {
            let allowed = self
                .store
                .spares_allowed(seats(class), class.spares_wanted(now))?;
            left.insert(class.name.clone(), allowed);
            self.store
                .spares_live_until(class.name.as_ref(), due_at(class, now))?;
        }
        // The best ones stay.
        spares.sort_by_key(pool::rank);
        let mut dismissed = 0;
        let mut kept = Vec::with_capacity(spares.len());
        for spare in spares.drain(..) {
            let left = left.get_mut(&spare.class).filter(|left| **left > 0);
            if let Some(left) = left
                && spare.password_known
            {
                *left -= 1;
                kept.push(spare);
                continue;
            }
            let class = self.class.class(spare.class.as_ref());
            let is_dismissed = match class.filter(|_| spare.password_known) {
                Some(class) => self.store.dismiss_surplus_spare(
                    spare.id,
                    seats(class),
                    class.spares_wanted(now),
                    now,
                )?,
                None => self.store.dismiss_spare(spare.id, now)?,
            };
            dismissed += usize::from(is_dismissed);
        }
        *spares = kept;
        if dismissed > 0 {
            let number = count(dismissed, "spare account");
            info!("{number} not wanted any more: removal follows");
            (self.on_dismissed)();
        }
        Ok(())
    }
}

/// How long a sweep is not needed, the last look at Coder having been at `looked_at`; `None` = there was nothing to
/// look at.
fn rest(looked_at: Option<UnixSeconds>, now: UnixSeconds) -> Duration {
    let next = looked_at.map_or(LOOK, |at| at + LOOK - now);
    Duration::from_secs(next.clamp(1, LOOK).unsigned_abs())
}

/// The seats of a class.
fn seats(class: &ClassSettings) -> Seats<'_> {
    Seats {
        class: class.name.as_ref(),
        limit: class.seats,
    }
}

/// When the spares of a class are removed if nobody takes them, and no service runs that would say otherwise.
fn due_at(class: &ClassSettings, now: UnixSeconds) -> UnixSeconds {
    let tomorrow = (now / DAY + 2) * DAY;
    class.gives_until().map_or(tomorrow, |at| at.min(tomorrow))
}

/// Seconds until a failed build is tried again, or a missing spare is made, while spares are given up.
fn build_again() -> UnixSeconds {
    seconds(retry::WORKSPACE.most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keeper_without_spares_does_not_wake_each_second_for_an_old_look() {
        let now = 1_800_000_000;
        for (looked_at, seconds) in [
            (None, 60),
            (Some(now), 60),
            (Some(now - 20), 40),
            (Some(now - 59), 1),
            (Some(now - 600), 1),
            // The clock was set back.
            (Some(now + 9_000), 60),
        ] {
            assert_eq!(rest(looked_at, now), Duration::from_secs(seconds));
        }
    }
}

//! Adopts accounts at Coder that would otherwise never be removed: they carry our mark, but the
//! database does not contain them, because it was lost or replaced by an older one.
//!
//! Accounts that are surely ours are adopted: the reaper then removes them when their time is up.
//! All others are reported to a person. No decision is based on what a list does not contain.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::coder::{Coder, CoderError};
use crate::config::Config;
use crate::domain::{InstanceId, Marker, PhoneKey, UnixSeconds, Username, seconds};
pub use crate::ownership::unknown::{Marks, Ownership, UnknownAccount, still_unknown, unknown};
use crate::store::{Adoption, Store, StoreError};

/// The least time that an adopted account has left, unless all accounts live shorter: its student may
/// be at work, and a person who reads of it in the log must have time to extend it.
const GRACE: Duration = Duration::from_secs(3_600);

/// Searches Coder for accounts that the database does not contain.
pub struct Reconciler {
    /// The registrations.
    pub store: Arc<Store>,
    /// The Coder deployment.
    pub coder: Arc<Coder>,
    /// Every key that their markers may have been drawn with.
    pub keys: Vec<PhoneKey>,
    /// The instance id of the data folder.
    pub instance_id: InstanceId,
    /// Domain of the students' addresses.
    pub email_domain: String,
    /// How long accounts live; `None` = without end.
    pub remove_after: Option<Duration>,
}

/// The result of one search.
#[derive(Debug, Default)]
pub struct SearchResult {
    /// Accounts that were adopted.
    pub adopted: Vec<Username>,
    /// Accounts that a person must decide on.
    pub left: Vec<UnknownAccount>,
}

/// What ended a search early. Nothing was changed.
#[derive(Debug)]
pub enum ReconcileError {
    /// A call to Coder failed.
    Coder(CoderError),
    /// The database cannot be used.
    Store(StoreError),
}

impl fmt::Display for ReconcileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Coder(fault) => fault.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReconcileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(match self {
            Self::Coder(error) => error,
            Self::Store(error) => error,
        })
    }
}

impl From<CoderError> for ReconcileError {
    fn from(fault: CoderError) -> Self {
        Self::Coder(fault)
    }
}

impl From<StoreError> for ReconcileError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Reconciler {
    /// A search with these settings.
    pub fn new(
        config: &Config,
        store: &Arc<Store>,
        coder: &Arc<Coder>,
        instance_id: &InstanceId,
    ) -> Self {
        Self {
            store: Arc::clone(store),
            coder: Arc::clone(coder),
            keys: config.service.phone_keys.clone(),
            instance_id: instance_id.clone(),
            email_domain: config.coder.email_domain.clone(),
            remove_after: config.class.remove_after,
        }
    }

    /// Searches once, and adopts what is surely ours.
    ///
    /// # Errors
    /// [`ReconcileError`].
    pub fn sweep(&self, now: UnixSeconds) -> Result<SearchResult, ReconcileError> {
        let roster = self.store.roster()?;
        let users = self.coder.users_of(&self.email_domain)?;
        let marks = Marks {
            keys: &self.keys,
            instance_id: Some(&self.instance_id),
            domain: &self.email_domain,
        };
        let found = unknown(&users, &roster, marks);
        if found.is_empty() {
            return Ok(SearchResult::default());
        }
        let (ours, left): (Vec<UnknownAccount>, Vec<UnknownAccount>) = found
            .into_iter()
            .partition(|found| found.ownership == Ownership::Ours);
        let adoptions: Vec<Adoption> = ours
            .iter()
            .map(|found| adoption(found, now, self.remove_after))
            .collect();
        let mut swept = SearchResult::default();
        if !adoptions.is_empty() {
            swept.adopted = self.store.adopt(&adoptions, now)?;
        }
        if !left.is_empty() {
            swept.left = still_unknown(left, &self.store.roster()?);
        }
        Ok(swept)
    }
}

/// The row for an adopted account. Its time is counted from its making, as for every account, but at
/// least an hour is left. If Coder does not report when it was made, it gets the full time.
pub fn adoption(
    found: &UnknownAccount,
    now: UnixSeconds,
    remove_after: Option<Duration>,
) -> Adoption {
    let made_at = found.user.made_at.map_or(now, |at| at.min(now));
    let due_at = remove_after.map(|span| {
        let grace = now.saturating_add(seconds(span.min(GRACE)));
        made_at.saturating_add(seconds(span)).max(grace)
    });
    Adoption {
        username: found.username.clone(),
        marker: Marker::from_stored(found.user.name.clone()),
        coder_id: found.user.id.clone(),
        made_at,
        due_at,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::coder::{LoginType, User};
    use crate::properties::drawn;

    const NOW: UnixSeconds = 1_800_000_000;
    const HOUR: UnixSeconds = 3_600;

    fn found(age: Option<UnixSeconds>) -> UnknownAccount {
        UnknownAccount {
            username: Username::parse("happy-tuna").unwrap(),
            ownership: Ownership::Ours,
            user: User {
                id: "id".into(),
                username: "happy-tuna".into(),
                email: "happy-tuna@example.org".into(),
                name: "Class guest".into(),
                created_at: String::new(),
                status: "active".into(),
                last_seen_at: String::new(),
                login_type: LoginType::Password,
                has_roles: false,
                made_at: age.map(|age| NOW - age),
            },
        }
    }

    fn left(age: Option<UnixSeconds>, hours: Option<f64>) -> Option<UnixSeconds> {
        let span = hours.map(|hours| Duration::from_secs_f64(hours * 3_600.0));
        adoption(&found(age), NOW, span).due_at.map(|due| due - NOW)
    }

    #[test]
    fn an_adopted_account_has_what_it_would_have_had_and_an_hour_at_least() {
        for (age, hours, expected) in [
            (Some(0), Some(12.0), Some(12 * HOUR)),
            (Some(2 * HOUR), Some(12.0), Some(10 * HOUR)),
            (Some(11 * HOUR + 60), Some(12.0), Some(HOUR)),
            (Some(900 * HOUR), Some(12.0), Some(HOUR)),
            // Made in the future, because the clocks differ.
            (Some(-HOUR), Some(12.0), Some(12 * HOUR)),
            (None, Some(12.0), Some(12 * HOUR)),
            (Some(2 * HOUR), Some(0.5), Some(HOUR / 2)),
            (Some(2 * HOUR), None, None),
        ] {
            assert_eq!(left(age, hours), expected, "{age:?} {hours:?}");
        }
    }

    proptest! {
        #![proptest_config(drawn())]

        #[test]
        fn an_adopted_account_has_no_less_than_the_grace_and_no_more_than_its_life(
            age in -1_000_000..i64::from(u32::MAX),
            life in 1..10_000_000_u64,
        ) {
            let adoption = adoption(&found(Some(age)), NOW, Some(Duration::from_secs(life)));
            let left = adoption.due_at.unwrap() - NOW;
            let life = i64::try_from(life).unwrap();
            prop_assert!(left >= life.min(HOUR) && left <= life);
            prop_assert!(adoption.made_at <= NOW);
        }
    }
}

//! Accounts at Coder that nobody would ever remove: they carry our mark, and the database does not know
//! them, as it was lost, or an older one was put into its place.
//!
//! What is hidden here: which of them are surely ours, and what becomes of those. They are adopted: the
//! reaper removes them in its usual course when their time is up. All others are told to a person.
//! Nothing is ever concluded from what a list does not show.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::coder::{Coder, CoderError};
use crate::config::Config;
use crate::domain::{InstanceId, Marker, PhoneKey, UnixSeconds, Username, seconds};
pub use crate::ownership::unknown::{Marks, Ownership, UnknownAccount, still_unknown, unknown};
use crate::store::{Adoption, Store, StoreError};

/// The least time that an adopted account has left, unless all accounts have less: its student may be
/// at work, and whoever reads of it in the log shall be able to extend it.
const GRACE: Duration = Duration::from_secs(3_600);

/// Everything that the search needs.
pub struct Reconciler {
    /// Where registrations are kept.
    pub store: Arc<Store>,
    /// Where accounts are.
    pub coder: Arc<Coder>,
    /// Every key that may have drawn their markers.
    pub keys: Vec<PhoneKey>,
    /// The id of the data folder.
    pub instance_id: InstanceId,
    /// Domain of the students' addresses.
    pub email_domain: String,
    /// How long accounts live; `None` = for ever.
    pub remove_after: Option<Duration>,
}

/// What one search came to.
#[derive(Debug, Default)]
pub struct SearchResult {
    /// Accounts that are known from now on.
    pub adopted: Vec<Username>,
    /// Accounts that a person has to look at.
    pub left: Vec<UnknownAccount>,
}

/// What cut a search short. Nothing was changed then.
#[derive(Debug)]
pub enum ReconcileError {
    /// Coder did not answer as it should.
    Coder(CoderError),
    /// The database did not.
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
    /// A search by these settings.
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
    /// The [`ReconcileError`].
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
            .partition(|found| found.verdict == Ownership::Ours);
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

/// How an account enters the database: with the time that it would have had, were it known, but never
/// with less than an hour. Where Coder does not tell its age it gets a full one.
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
            verdict: Ownership::Ours,
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
            // Made in the future, by clocks that differ.
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
        fn nobody_is_adopted_with_less_than_everybody_gets_or_with_more(
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

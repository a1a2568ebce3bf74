//! What was recorded since the start, counted once it is committed; and how the registrations stand.

use std::time::Instant;

use super::{Store, StoreError};
use crate::domain::UnixSeconds;
use crate::domain::registration::Stage;
use crate::metrics::{Counter, Histogram};

/// What was recorded since the start.
pub struct StoreCounters {
    /// Phones that a name was reserved for.
    pub reserved: Counter,
    /// Registrations that were forgotten, as their users were proved gone.
    pub forgotten: Counter,
    /// Logins that Twilio took.
    pub sent: Counter,
    /// Logins that are known to have reached the phone.
    pub delivered: Counter,
    /// How long transactions took, the wait for those of others included.
    pub writes: Histogram,
}

impl Default for StoreCounters {
    fn default() -> Self {
        Self {
            reserved: Counter::default(),
            forgotten: Counter::default(),
            sent: Counter::default(),
            delivered: Counter::default(),
            writes: Histogram::of_writes(),
        }
    }
}

/// How the registrations stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassStanding {
    /// How many there are in each stage, those that nobody is in included.
    pub stages: Vec<(Stage, u32)>,
    /// How many should be gone by now.
    pub overdue: u32,
    /// When the time of the first of those was up.
    pub overdue_since: Option<UnixSeconds>,
}

impl Store {
    /// What was recorded since the start.
    pub fn counts(&self) -> &StoreCounters {
        &self.counts
    }

    /// How the registrations stand.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn standing(&self, now: UnixSeconds) -> Result<ClassStanding, StoreError> {
        let connection = self.lock();
        let read = || {
            let mut stages: Vec<(Stage, u32)> =
                Stage::STORED.iter().map(|stage| (*stage, 0)).collect();
            let mut counted = connection
                .prepare_cached("SELECT stage, count(*) FROM registrations GROUP BY stage")?;
            let mut rows = counted.query([])?;
            while let Some(row) = rows.next()? {
                let word: String = row.get(0)?;
                let count = row.get(1)?;
                stages
                    .iter_mut()
                    .filter(|(stage, _)| stage.as_str() == word)
                    .for_each(|(_, known)| *known = count);
            }
            let (overdue, overdue_since) = connection
                .prepare_cached(
                    "SELECT count(*), min(due_at) FROM registrations WHERE due_at <= ?1",
                )?
                .query_row([now], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(ClassStanding {
                stages,
                overdue,
                overdue_since,
            })
        };
        read().map_err(StoreError::sql("count registrations"))
    }

    /// Notes what a transaction that began then has taken.
    pub(super) fn wrote(&self, began: Instant) {
        self.counts.writes.observe(began.elapsed());
    }
}

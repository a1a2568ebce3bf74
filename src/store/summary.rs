//! What was recorded since the start, counted once it is committed; and how the registrations stand.

use std::fs;
use std::path::Path;
use std::time::Instant;

use rusqlite::Connection;

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

    /// Notes how a write ended that began then, and how long it took if it was done.
    pub(super) fn note<T>(&self, began: Instant, result: &Result<T, StoreError>) {
        if result.is_ok() {
            self.counts.writes.observe(began.elapsed());
        }
        if let Some(observer) = self.observer.get() {
            observer(result.as_ref().map(drop));
        }
    }
}

/// What is in a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupSummary {
    /// How many registrations.
    pub registrations: i64,
    /// When the newest of them was made.
    pub newest: Option<UnixSeconds>,
    /// The version of its tables.
    pub version: i64,
    /// Its size.
    pub bytes: u64,
}

/// What is in the database at `path`.
pub(super) fn summary(connection: &Connection, path: &Path) -> Result<BackupSummary, StoreError> {
    let failed = StoreError::sql("count registrations");
    let (registrations, newest) = connection
        .query_row(
            "SELECT count(*), max(reserved_at) FROM registrations",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .map_err(&failed)?;
    let version = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(failed)?;
    let bytes = fs::metadata(path)
        .map_err(StoreError::file("look at", path))?
        .len();
    Ok(BackupSummary {
        registrations,
        newest,
        version,
        bytes,
    })
}

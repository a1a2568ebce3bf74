//! Counters of what was recorded since the start, and the state of the registrations.

use std::fs;
use std::path::Path;
use std::time::Instant;

use rusqlite::Connection;

use super::{SpareFigures, Store, StoreError, spares};
use crate::domain::registration::Stage;
use crate::domain::{ClassName, UnixSeconds};
use crate::metrics::{Counter, Histogram};

/// What was recorded since the start, counted after the commit.
pub struct StoreCounters {
    /// Phones that a name was reserved for.
    pub reserved: Counter,
    /// Spare accounts that a phone has got.
    pub spares_taken: Counter,
    /// Registrations deleted because their users were proved gone.
    pub forgotten: Counter,
    /// Logins that Twilio accepted.
    pub sent: Counter,
    /// Logins that reached the phone, according to a receipt.
    pub delivered: Counter,
    /// The duration of transactions, including the wait for other ones.
    pub writes: Histogram,
}

impl Default for StoreCounters {
    fn default() -> Self {
        Self {
            reserved: Counter::default(),
            spares_taken: Counter::default(),
            forgotten: Counter::default(),
            sent: Counter::default(),
            delivered: Counter::default(),
            writes: Histogram::of_writes(),
        }
    }
}

/// The state of the registrations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassStanding {
    /// The number of registrations in each stage, stages without any included. Spare ones count once they are
    /// being removed.
    pub stages: Vec<(Stage, u32)>,
    /// The spare accounts that may still get a student.
    pub spares: SpareFigures,
    /// The number of registrations that are due.
    pub overdue: u32,
    /// The earliest due time of those.
    pub overdue_since: Option<UnixSeconds>,
    /// The number of registrations of each class that has any; without those of no class.
    pub classes: Vec<(ClassName, u32)>,
}

impl Store {
    /// What was recorded since the start.
    pub fn counts(&self) -> &StoreCounters {
        &self.counts
    }

    /// The state of the registrations.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn standing(&self, now: UnixSeconds) -> Result<ClassStanding, StoreError> {
        let connection = self.lock();
        let spares = SpareFigures::of(&spares::read(&connection)?);
        let read = || {
            let mut stages: Vec<(Stage, u32)> =
                Stage::STORED.iter().map(|stage| (*stage, 0)).collect();
            let mut counted = connection.prepare_cached(
                "SELECT stage, count(*) FROM registrations
                 WHERE spare_since IS NULL OR stage = 'reaping' GROUP BY stage",
            )?;
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
            let mut counted = connection.prepare_cached(
                "SELECT class, count(*) FROM registrations
                 WHERE class NOT NULL AND spare_since IS NULL GROUP BY class",
            )?;
            let of_class =
                |row: &rusqlite::Row<'_>| Ok((ClassName::from_stored(row.get(0)?), row.get(1)?));
            let classes = counted.query_map([], of_class)?;
            let classes = classes.collect::<rusqlite::Result<_>>()?;
            Ok(ClassStanding {
                classes,
                stages,
                spares,
                overdue,
                overdue_since,
            })
        };
        read().map_err(StoreError::sql("count registrations"))
    }

    /// Reports the result of a write that began at `began`, and records its duration if it succeeded.
    pub(super) fn note(&self, began: Instant, result: &Result<(), StoreError>) {
        if result.is_ok() {
            self.counts.writes.observe(began.elapsed());
        }
        if let Some(observer) = self.observer.get() {
            observer(result.as_ref().copied());
        }
    }
}

/// The contents of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupSummary {
    /// Number of registrations.
    pub registrations: i64,
    /// When the newest of them was made.
    pub newest: Option<UnixSeconds>,
    /// The version of its tables.
    pub version: i64,
    /// Its size.
    pub bytes: u64,
}

/// The contents of the database at `path`.
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
        .map_err(StoreError::file("inspect", path))?
        .len();
    Ok(BackupSummary {
        registrations,
        newest,
        version,
        bytes,
    })
}

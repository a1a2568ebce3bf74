//! Keeps registrations in one SQLite file: finds them, records each step, and copies the file away and
//! back.
//!
//! All SQL is in this room. Steps go through [`Stage::after`]: a method that records a step reads the
//! stage and writes the next one in the same transaction, so two threads never both take it.

mod adopt;
mod atomic_file;
mod backup;
mod commands;
mod contacts;
mod deliveries;
mod error;
mod facts;
mod files;
mod group;
mod inspect;
mod key_file;
mod known;
mod open;
mod passwords;
mod projector;
mod prune;
mod removals;
mod renumbered;
mod reserve;
mod restore;
mod rows;
mod schema;
mod sends;
mod shown;
mod spares;
mod summary;
mod texts;
mod workspaces;

use std::fs::File;
use std::sync::{MutexGuard, OnceLock};
use std::time::Instant;

use rusqlite::{OptionalExtension, params};

pub use adopt::Adoption;
pub use backup::{backup, backup_to, receive_backup};
pub use commands::{Chosen, Commands, ForgetResult, OrderResult};
pub use contacts::{Contact, Notice};
pub use deliveries::PendingRedaction;
pub use error::StoreError;
pub use files::DATABASE;
pub use inspect::{Inspection, LockHolder, holder, inspect_spares, place};
pub use key_file::inspect_password_key;
pub use known::Known;
pub use passwords::{RenewError, Renewal, WithheldLogin};
pub use projector::ProjectorFigures;
pub use prune::JUST_GONE;
pub use removals::Postponement;
pub use reserve::{Reservation, ReserveResult, Seats};
pub use restore::{Carryover, Origin, RestoreResult, restore};
pub use sends::{ClearedSend, SentLogin};
pub use shown::{Arrival, ShownLogin};
pub use spares::{NewSpare, Spare, SpareBuild, SpareCondition, SpareFigures, SpareRequest};
pub use summary::{BackupSummary, ClassStanding, StoreCounters};
pub use texts::TextHistory;
pub use workspaces::{ProlongedWorkspace, TroubledWorkspace, WorkspaceProgress, WorkspaceTask};

use crate::domain::registration::{Event, Registration, Stage};
use crate::domain::{Marker, PhoneHash, UnixSeconds, Username};
use files::OpenedFile;
use group::{Guarded, SharedConnection, Tx};
use rows::read_of_phone;

/// The database of one data folder. The folder belongs to this process as long as this value lives.
pub struct Store {
    connection: SharedConnection,
    /// Nothing is written while it is not at its path.
    file: OpenedFile,
    counts: StoreCounters,
    /// Called with the result of each write.
    observer: OnceLock<WriteObserver>,
    /// Holds the folder's lock until the process ends in any way.
    lock: File,
}

/// Called with the result of each write. It must not use the store.
pub type WriteObserver = Box<dyn Fn(Result<(), &StoreError>) + Send + Sync>;

impl Store {
    /// The registration of a phone.
    ///
    /// # Errors
    /// SQLite refused, or the row is impossible.
    pub fn find(&self, phone: &PhoneHash) -> Result<Option<Registration>, StoreError> {
        read_of_phone(&self.lock(), phone)
    }

    /// Gives a registration another name, because the first one belongs to someone else's user or because
    /// its user was removed outside this service (`event` says which). Returns whether that was done: not
    /// if our own table contains the name already.
    ///
    /// # Errors
    /// SQLite refused, or the step is illegal.
    pub fn rename(
        &self,
        id: i64,
        event: Event,
        username: &Username,
        marker: &Marker,
        due_at: UnixSeconds,
    ) -> Result<bool, StoreError> {
        self.step("draw another name", id, event, |tx, stage| {
            let updated = tx
                .prepare_cached(
                    "UPDATE OR IGNORE registrations
                     SET stage = ?2, username = ?3, marker = ?4, coder_id = NULL,
                         due_at = CASE WHEN ended_at IS NULL THEN ?5 ELSE due_at END,
                         fingerprint = NULL, sending_since = NULL, doubtful = 0,
                         create_repeated_at = NULL, password_counter = 1, password_marker = ?4,
                         renewed_at = NULL, withheld_at = NULL
                     WHERE id = ?1",
                )?
                .execute(params![
                    id,
                    stage.as_str(),
                    username.as_str(),
                    marker.as_str(),
                    due_at
                ])?;
            Ok(updated == 1)
        })
    }

    /// Undoes the instructor's end of an account, because its student has asked for it since. It is now due
    /// at `due_at`, `None` = never.
    ///
    /// # Errors
    /// SQLite refused, or the account is being removed.
    pub fn undo_end(&self, id: i64, due_at: Option<UnixSeconds>) -> Result<(), StoreError> {
        self.step("undo an end", id, Event::Renewed, |tx, _| {
            tx.prepare_cached(
                "UPDATE registrations SET due_at = ?2, ended_at = NULL, forgotten_at = NULL, check_at = 0
                 WHERE id = ?1",
            )?
            .execute(params![id, due_at])
            .map(drop)
        })
    }

    /// Has an account be due at `due_at` at the earliest, if the removal has not begun. What the instructor has
    /// ordered meanwhile is kept: an end, and a later time.
    ///
    /// # Errors
    /// SQLite refused, or the account is being removed.
    pub fn renew(&self, id: i64, due_at: UnixSeconds) -> Result<(), StoreError> {
        self.step("renew a registration", id, Event::Renewed, |tx, _| {
            tx.prepare_cached(
                "UPDATE registrations SET due_at = max(due_at, ?2), check_at = 0
                 WHERE id = ?1 AND ended_at IS NULL",
            )?
            .execute(params![id, due_at])
            .map(drop)
        })
    }

    /// Checks that the database can be written, by writing to it.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn probe(&self) -> Result<(), StoreError> {
        self.write("write to the database", |tx| facts::probe(tx))
    }

    /// Has `observer` told how each write ended, on the thread of that write. Only the first one that is given
    /// counts.
    pub fn observe(&self, observer: WriteObserver) {
        // A second one is dropped.
        let _ = self.observer.set(observer);
    }

    /// The connection to read by.
    fn lock(&self) -> MutexGuard<'_, Guarded> {
        self.connection.lock()
    }

    /// Runs `work` in one IMMEDIATE transaction, which writes of other threads may share.
    fn write<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Tx<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.transact(doing, |tx| work(tx).map_err(StoreError::sql(doing)))
    }

    /// Takes one registration one step further in one transaction. `work` gets the stage that it reaches.
    fn step<T>(
        &self,
        doing: &'static str,
        id: i64,
        event: Event,
        work: impl FnOnce(&Tx<'_>, Stage) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let failed = StoreError::sql(doing);
        self.transact(doing, |tx| {
            let word: Option<String> = tx
                .prepare_cached("SELECT stage FROM registrations WHERE id = ?1")
                .and_then(|mut statement| statement.query_row([id], |row| row.get(0)).optional())
                .map_err(&failed)?;
            let stage = match word {
                None => Stage::Gone,
                Some(word) => Stage::parse(&word).ok_or(StoreError::Row("unknown stage"))?,
            };
            let next = stage.after(event).map_err(StoreError::Step)?;
            work(tx, next).map_err(&failed)
        })
    }

    fn transact<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Tx<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // What is the same for all writes is compiled once, not for each of a hundred.
        let (mut work, mut value) = (Some(work), None);
        self.transact_once(doing, &mut |tx| {
            if let Some(work) = work.take() {
                value = Some(work(tx)?);
            }
            Ok(())
        })?;
        value.ok_or(StoreError::Row("a write without a result"))
    }

    fn transact_once(
        &self,
        doing: &'static str,
        work: &mut dyn FnMut(&Tx<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.file.in_place()?;
        let began = Instant::now();
        let result = self.connection.write(doing, work);
        self.note(began, &result);
        result
    }
}

#[cfg(test)]
mod tests;

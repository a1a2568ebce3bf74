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
mod inspect;
mod key_file;
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
mod shown;
mod summary;
mod texts;
mod workspaces;

use std::fs::File;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

pub use adopt::Adoption;
pub use backup::{backup, backup_to, receive_backup};
pub use commands::{Chosen, Commands, ForgetResult, OrderResult};
pub use contacts::{Contact, Notice};
pub use deliveries::PendingRedaction;
pub use error::StoreError;
pub use files::DATABASE;
pub use inspect::{Inspection, LockHolder, holder, place};
pub use key_file::inspect_password_key;
pub use passwords::{RenewError, Renewal, WithheldLogin};
pub use projector::ProjectorFigures;
pub use prune::JUST_GONE;
pub use removals::Postponement;
pub use reserve::{ReserveResult, Seats};
pub use restore::{Carryover, Origin, RestoreResult, restore};
pub use shown::{Arrival, ShownLogin};
pub use summary::{BackupSummary, ClassStanding, StoreCounters};
pub use texts::TextHistory;
pub use workspaces::{ProlongedWorkspace, TroubledWorkspace, WorkspaceProgress, WorkspaceTask};

use crate::domain::registration::{Event, Registration, Sending, Stage};
use crate::domain::{Marker, MessageSid, PhoneHash, Undelivered, UnixSeconds, Username};
use deliveries::record_send;
use files::OpenedFile;
use rows::{COLUMNS, read_registration};
use texts::{count_send, mark_seen, uncount_send};

/// The database of one data folder. The folder belongs to this process as long as this value lives.
pub struct Store {
    connection: Mutex<Connection>,
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

/// What is recorded about a login that was sent.
#[derive(Clone, Copy, Debug)]
pub struct SentLogin<'a> {
    /// The MessageSid of the login text; `None` if it cannot be found out.
    pub text: Option<&'a MessageSid>,
    /// When Twilio accepted it.
    pub at: UnixSeconds,
    /// The new time at which the account is due; `None` = never.
    pub due_at: Option<UnixSeconds>,
    /// Start of the 24 hours in which logins are counted.
    pub window_start: UnixSeconds,
    /// Logins in them, this one included.
    pub sent_in_window: u32,
}

impl Store {
    /// The registration of a phone.
    ///
    /// # Errors
    /// SQLite refused, or the row is impossible.
    pub fn find(&self, phone: &PhoneHash) -> Result<Option<Registration>, StoreError> {
        let connection = self.lock();
        let failed = StoreError::sql("find a registration");
        let mut statement = connection
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM registrations WHERE phone = ?1"
            ))
            .map_err(&failed)?;
        let mut rows = statement.query([phone.as_bytes()]).map_err(&failed)?;
        match rows.next().map_err(failed)? {
            Some(row) => read_registration(row).map(Some),
            None => Ok(None),
        }
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
                         fingerprint = NULL, sending_since = NULL,
                         password_counter = 1, password_marker = ?4,
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

    /// Records that Coder has the user; with `sending`, also that the user has the intended password and
    /// that its first login text is about to be sent. Returns the reached stage. If a removal has begun
    /// meanwhile, only the id is recorded, so that the removal can continue.
    ///
    /// # Errors
    /// SQLite refused, or the step is illegal.
    pub fn created(
        &self,
        id: i64,
        coder_id: &str,
        due_at: UnixSeconds,
        sending: Option<Sending>,
    ) -> Result<Stage, StoreError> {
        self.record_user(id, coder_id, due_at, sending, sending.is_some())
    }

    /// The same for a login that goes to a screen: `proven` = the user has the intended password, also
    /// where no text is about to be sent.
    fn record_user(
        &self,
        id: i64,
        coder_id: &str,
        due_at: UnixSeconds,
        sending: Option<Sending>,
        proven: bool,
    ) -> Result<Stage, StoreError> {
        self.step("record a new user", id, Event::UserCreated, |tx, stage| {
            if stage == Stage::Reaping {
                tx.prepare_cached("UPDATE registrations SET coder_id = ?2 WHERE id = ?1")?
                    .execute(params![id, coder_id])?;
                return Ok(stage);
            }
            tx.prepare_cached(
                "UPDATE registrations
                 SET stage = ?2, coder_id = ?3, fingerprint = ?5, sending_since = ?6,
                     due_at = CASE WHEN ended_at IS NULL THEN ?4 ELSE due_at END,
                     password_counter = CASE WHEN ?7 THEN coalesce(password_counter, 1)
                                             ELSE password_counter END,
                     password_marker = CASE WHEN ?7 THEN marker ELSE password_marker END
                 WHERE id = ?1",
            )?
            .execute(params![
                id,
                stage.as_str(),
                coder_id,
                due_at,
                sending.as_ref().map(|s| s.fingerprint.as_bytes()),
                sending.map(|s| s.since),
                proven,
            ])?;
            sending.map_or(Ok(()), |s| count_send(tx, s.since))?;
            Ok(stage)
        })
    }

    /// Records that Coder has the password number `counter`, and that a login text with it is about to be
    /// sent. Returns whether that was done: not if another password is intended by now.
    ///
    /// # Errors
    /// SQLite refused, or the account is being removed.
    pub fn begin_send(&self, id: i64, sending: Sending, counter: u32) -> Result<bool, StoreError> {
        self.step("record a send", id, Event::LoginPrepared, |tx, _| {
            let updated = tx
                .prepare_cached(
                    "UPDATE registrations
                     SET fingerprint = ?2, sending_since = ?3, password_marker = marker
                     WHERE id = ?1 AND password_counter = ?4",
                )?
                .execute(params![
                    id,
                    sending.fingerprint.as_bytes(),
                    sending.since,
                    counter
                ])?;
            if updated == 1 {
                count_send(tx, sending.since)?;
            }
            Ok(updated == 1)
        })
    }

    /// Allows another login text: the one on its way surely was not accepted, or (with `doubtful`) it is
    /// repeated although its outcome is unknown, and then counts as sent. With `renewed`, the account is
    /// due then at the earliest.
    ///
    /// # Errors
    /// SQLite refused, or the account is being removed.
    pub fn clear_send(
        &self,
        id: i64,
        doubtful: bool,
        renewed: Option<UnixSeconds>,
    ) -> Result<(), StoreError> {
        self.step("clear a send", id, Event::LoginPrepared, |tx, _| {
            let since: Option<UnixSeconds> = tx
                .prepare_cached("SELECT sending_since FROM registrations WHERE id = ?1")?
                .query_row([id], |row| row.get(0))?;
            if let (Some(since), false) = (since, doubtful) {
                uncount_send(tx, since)?;
            }
            tx.prepare_cached(
                "UPDATE registrations
                 SET fingerprint = NULL, sending_since = NULL, doubtful = doubtful + ?2,
                     due_at = CASE WHEN ?3 IS NULL OR ended_at IS NOT NULL THEN due_at
                                   ELSE max(?3, coalesce(due_at, ?3)) END
                 WHERE id = ?1",
            )?
            .execute(params![id, doubtful, renewed])
            .map(drop)
        })
    }

    /// Records that Twilio accepted a login text, and with it that the text `sid` is served. Returns the
    /// login if an earlier receipt says that it failed.
    ///
    /// Changes of the due time by the instructor while the text was on its way are kept: an end, and an
    /// extension of an account that had a login before. So is a removal that has begun.
    ///
    /// # Errors
    /// SQLite refused, or the account is being removed.
    pub fn login_sent(
        &self,
        id: i64,
        sid: &MessageSid,
        sent: SentLogin<'_>,
    ) -> Result<Option<Undelivered>, StoreError> {
        let end = self.step("record a login", id, Event::LoginSent, |tx, stage| {
            tx.prepare_cached(
                "UPDATE registrations
                 SET stage = ?2, announced_at = ?3, window_start = ?5,
                     due_at = CASE WHEN ended_at IS NOT NULL OR stage = 'reaping' THEN due_at
                                   WHEN stage = 'announced' THEN max(due_at, ?4)
                                   ELSE ?4 END,
                     sent_in_window = ?6, fingerprint = NULL, sending_since = NULL, doubtful = 0,
                     check_at = CASE stage WHEN 'reaping' THEN check_at ELSE 0 END,
                     reap_tries = CASE stage WHEN 'reaping' THEN reap_tries ELSE 0 END,
                     reap_note = CASE stage WHEN 'reaping' THEN reap_note END, login_sid = ?7,
                     renewed_at = NULL, withheld_at = NULL
                 WHERE id = ?1",
            )?
            .execute(params![
                id,
                stage.as_str(),
                sent.at,
                sent.due_at,
                sent.window_start,
                sent.sent_in_window,
                sent.text.map(MessageSid::as_str),
            ])?;
            mark_seen(tx, sid, sent.at)?;
            sent.text
                .map_or(Ok(None), |text| record_send(tx, id, text, sent.at))
        })?;
        self.counts.sent.add();
        Ok(end.and_then(|end| self.count_delivered(end)))
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

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic inside a transaction rolls it back during unwinding, so the connection stays valid.
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` in one IMMEDIATE transaction.
    fn write<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.file.in_place()?;
        let began = Instant::now();
        let mut connection = self.lock();
        let run = || {
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = work(&tx)?;
            tx.commit()?;
            Ok(result)
        };
        let result = run().map_err(StoreError::sql(doing));
        self.note(began, &result);
        result
    }

    /// Takes one registration one step further in one transaction. `work` gets the stage that it reaches.
    fn step<T>(
        &self,
        doing: &'static str,
        id: i64,
        event: Event,
        work: impl FnOnce(&Transaction<'_>, Stage) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.file.in_place()?;
        let began = Instant::now();
        let mut connection = self.lock();
        let failed = StoreError::sql(doing);
        let run = || {
            let tx = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(&failed)?;
            let word: Option<String> = tx
                .prepare_cached("SELECT stage FROM registrations WHERE id = ?1")
                .and_then(|mut statement| statement.query_row([id], |row| row.get(0)).optional())
                .map_err(&failed)?;
            let stage = match word {
                None => Stage::Gone,
                Some(word) => Stage::parse(&word).ok_or(StoreError::Row("unknown stage"))?,
            };
            let next = stage.after(event).map_err(StoreError::Step)?;
            let result = work(&tx, next).map_err(&failed)?;
            tx.commit().map_err(&failed)?;
            Ok(result)
        };
        let result = run();
        self.note(began, &result);
        result
    }
}

#[cfg(test)]
mod tests;

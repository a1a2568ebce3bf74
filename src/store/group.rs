//! The connection that all threads share, and one commit for several of their writes ("group commit").
//!
//! A commit waits for the disk, and meanwhile other threads wait for the connection, each with a write of its own. So
//! whoever has done a write while another writer waits leaves the transaction open for that one, and waits for its
//! end; the last writer commits for all of them. Each is told that its write is done only after that commit, so nothing
//! follows from a write that a power cut could undo. A write that meets no other is committed alone.
//!
//! A write that fails is undone without the others of its group. If SQLite gives up the whole transaction, as on a
//! full disk, all of them fail. Whoever only reads waits for the end of the group first.

use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, ffi};

use super::StoreError;

/// A connection within a transaction, which is ended by whoever began it.
pub(super) struct Tx<'a>(pub(super) &'a Connection);

impl Deref for Tx<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.0
    }
}

/// The connection of all threads.
pub(super) struct SharedConnection {
    guarded: Mutex<Guarded>,
    /// Threads that wait for the connection in order to write. Each of them continues or ends an open group.
    writers: AtomicUsize,
}

/// What the mutex guards.
pub(super) struct Guarded {
    connection: Connection,
    /// The group whose transaction is open. There is none unless a writer waits, who is going to take it.
    open: Option<Arc<Group>>,
}

impl Deref for Guarded {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

#[cfg(test)]
impl std::ops::DerefMut for Guarded {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

impl SharedConnection {
    pub(super) fn new(connection: Connection) -> Self {
        let open = None;
        Self {
            guarded: Mutex::new(Guarded { connection, open }),
            writers: AtomicUsize::new(0),
        }
    }

    /// The connection to read by. It shows only what is committed.
    pub(super) fn lock(&self) -> MutexGuard<'_, Guarded> {
        loop {
            let guarded = self.guarded();
            let Some(group) = &guarded.open else {
                return guarded;
            };
            let group = Arc::clone(group);
            drop(guarded);
            // How it ends is for its members to know.
            let _ = group.wait();
        }
    }

    /// Runs `work` once in an IMMEDIATE transaction, alone or in a group.
    ///
    /// # Errors
    /// That of `work`, or SQLite's as a failure of `doing`. Nothing that `work` wrote is stored then.
    pub(super) fn write(
        &self,
        doing: &'static str,
        work: &mut dyn FnMut(&Tx<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let failed = StoreError::sql(doing);
        self.writers.fetch_add(1, Ordering::SeqCst);
        let mut guarded = self.guarded();
        self.writers.fetch_sub(1, Ordering::SeqCst);

        let Guarded { connection, open } = &mut *guarded;
        let mut turn = Turn::begin(connection, open.take()).map_err(&failed)?;
        let result = turn.run(work, &failed);
        if !turn.is_open {
            return result;
        }
        if self.writers.load(Ordering::SeqCst) == 0 {
            let committed = turn.commit().map_err(failed);
            return result.and(committed);
        }
        let group = turn.leave();
        *open = Some(Arc::clone(&group));
        drop(guarded);
        result?;
        group.wait().map_err(failed)
    }

    fn guarded(&self) -> MutexGuard<'_, Guarded> {
        // A panic within a write undoes its transaction during unwinding, so the connection stays valid.
        self.guarded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many threads wait in order to write.
    #[cfg(test)]
    pub(super) fn writers(&self) -> usize {
        self.writers.load(Ordering::SeqCst)
    }
}

/// One thread's part in a transaction. If it is dropped while that is open, all of it is undone.
struct Turn<'a> {
    connection: &'a Connection,
    /// Those whose writes are in the transaction already.
    group: Option<Arc<Group>>,
    /// Whether it is this turn's task to end the transaction, or to leave it to another writer.
    is_open: bool,
}

impl<'a> Turn<'a> {
    fn begin(connection: &'a Connection, group: Option<Arc<Group>>) -> rusqlite::Result<Self> {
        let mut turn = Self {
            connection,
            is_open: group.is_some(),
            group,
        };
        match &turn.group {
            None => turn.execute("BEGIN IMMEDIATE")?,
            Some(_) => turn.execute("SAVEPOINT member")?,
        }
        turn.is_open = true;
        Ok(turn)
    }

    /// Does the work, or undoes it. The turn is no longer open if nothing is left to commit.
    fn run(
        &mut self,
        work: &mut dyn FnMut(&Tx<'_>) -> Result<(), StoreError>,
        failed: impl Fn(rusqlite::Error) -> StoreError,
    ) -> Result<(), StoreError> {
        let result = work(&Tx(self.connection));
        let is_alone = self.group.is_none();
        let settled = match &result {
            Ok(_) if is_alone => Ok(()),
            Ok(_) => self.execute("RELEASE member"),
            // Nobody else's writes are undone by that.
            Err(_) if is_alone => {
                self.undo_all(None);
                Ok(())
            }
            Err(error) if self.connection.is_autocommit() => {
                // SQLite has undone everybody's writes.
                self.undo_all(Some(RollbackCause::of(error)));
                Ok(())
            }
            Err(_) => self
                .execute("ROLLBACK TO member")
                .and_then(|()| self.execute("RELEASE member")),
        };
        if let Err(error) = settled {
            self.undo_all(Some(RollbackCause::of_sqlite(&error)));
            return result.and(Err(failed(error)));
        }
        result
    }

    /// Commits what the turn and its group have written, and tells the group how that ended.
    fn commit(mut self) -> rusqlite::Result<()> {
        if let Err(error) = self.execute("COMMIT") {
            self.undo_all(Some(RollbackCause::of_sqlite(&error)));
            return Err(error);
        }
        self.is_open = false;
        if let Some(group) = self.group.take() {
            group.end(Ok(()));
        }
        Ok(())
    }

    /// Leaves the transaction to the next writer.
    fn leave(mut self) -> Arc<Group> {
        self.is_open = false;
        self.group.take().unwrap_or_default()
    }

    fn undo_all(&mut self, why: Option<RollbackCause>) {
        self.is_open = false;
        if !self.connection.is_autocommit() {
            // It fails only for want of memory. Then the next write fails as well, and says why.
            let _ = self.execute("ROLLBACK");
        }
        if let Some(group) = self.group.take() {
            group.end(Err(why.unwrap_or_else(RollbackCause::broken_off)));
        }
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.is_open {
            self.undo_all(None);
        }
    }
}

/// Writers whose writes are in one transaction.
#[derive(Default)]
pub(super) struct Group {
    outcome: Mutex<Option<Result<(), RollbackCause>>>,
    has_ended: Condvar,
}

impl Group {
    fn end(&self, outcome: Result<(), RollbackCause>) {
        *self.outcome() = Some(outcome);
        self.has_ended.notify_all();
    }

    /// Waits until the transaction is committed or undone.
    fn wait(&self) -> rusqlite::Result<()> {
        let mut outcome = self.outcome();
        loop {
            match &*outcome {
                Some(Ok(())) => return Ok(()),
                Some(Err(cause)) => return Err(cause.clone().into()),
                None => {
                    outcome = self
                        .has_ended
                        .wait(outcome)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    fn outcome(&self) -> MutexGuard<'_, Option<Result<(), RollbackCause>>> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a transaction was undone: SQLite's own error, which cannot be cloned.
#[derive(Clone)]
struct RollbackCause {
    code: ffi::Error,
    message: Option<String>,
}

impl RollbackCause {
    fn of(error: &StoreError) -> Self {
        match error {
            StoreError::Sql { source, .. } => Self::of_sqlite(source),
            _ => Self::broken_off(),
        }
    }

    fn of_sqlite(error: &rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::SqliteFailure(code, message) => Self {
                code: *code,
                message: message.clone(),
            },
            _ => Self::broken_off(),
        }
    }

    fn broken_off() -> Self {
        Self {
            code: ffi::Error::new(ffi::SQLITE_ABORT_ROLLBACK),
            message: Some("another write of the same transaction broke off".to_owned()),
        }
    }
}

impl From<RollbackCause> for rusqlite::Error {
    fn from(cause: RollbackCause) -> Self {
        Self::SqliteFailure(cause.code, cause.message)
    }
}

#[cfg(test)]
mod tests;

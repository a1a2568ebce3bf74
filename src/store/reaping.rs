//! The reaper's questions to the database, and what it records.

use rusqlite::{OptionalExtension, params};

use super::contacts::{self, end_texts};
use super::files::overwrite_log;
use super::rows::read_all;
use super::{COLUMNS, Store, StoreError, facts, read_registration};
use crate::clock::ClockStep;
use crate::domain::registration::{Event, Registration};
use crate::domain::{InstanceId, UnixSeconds};

/// What a removal waits for, and until when.
#[derive(Clone, Copy, Debug)]
pub struct Postponement<'a> {
    /// When it is looked at again.
    pub until: UnixSeconds,
    /// Looks at it since something last changed.
    pub tries: u32,
    /// What it waits for, as told.
    pub note: &'a str,
    /// Since when Coder refuses something that it needs; `None` = it does not.
    pub refused_since: Option<UnixSeconds>,
}

/// How long a login that is on its way holds a removal up, in seconds: as long as a send takes, and the search
/// for one that a restart interrupted. Twilio may be away for longer; a login that comes then finds its account
/// in removal, which is recorded as well.
const SENDING: UnixSeconds = 60;

/// Whether a login holds the removal of an account up at `?2`; `?3` is [`SENDING`] earlier. Whose account was ended
/// waits for no login: a text from before the end gets no answer.
const IS_HELD: &str = "stage = 'announced' AND ended_at IS NULL
     AND sending_since IS NOT NULL AND sending_since BETWEEN ?3 AND ?2";

impl Store {
    /// Registrations to look at now: due or already being removed, and not put off until later. What
    /// is put off for more than `longest` seconds was so by a clock that has been set back since.
    ///
    /// # Errors
    /// SQLite refused, or a row is impossible.
    pub fn due(
        &self,
        now: UnixSeconds,
        longest: UnixSeconds,
    ) -> Result<Vec<Registration>, StoreError> {
        let connection = self.lock();
        let failed = StoreError::sql("find those whose time is up");
        let mut statement = connection
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM registrations
                 WHERE due_at <= ?1 AND (check_at <= ?1 OR check_at > ?2) ORDER BY due_at, id"
            ))
            .map_err(&failed)?;
        let latest = now.saturating_add(longest);
        let mut rows = statement.query([now, latest]).map_err(&failed)?;
        let mut due = Vec::new();
        while let Some(row) = rows.next().map_err(&failed)? {
            due.push(read_registration(row)?);
        }
        Ok(due)
    }

    /// The earliest time for which a look at a removal in progress is put off.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn next_check(&self, now: UnixSeconds) -> Result<Option<UnixSeconds>, StoreError> {
        self.lock()
            .prepare_cached(
                "SELECT min(check_at) FROM registrations WHERE due_at <= ?1 AND check_at > 0",
            )
            .and_then(|mut statement| statement.query_row([now], |row| row.get(0)))
            .map_err(StoreError::sql("find the next removal"))
    }

    /// Begins a removal. Texts from before it make no other account, unless this one never had a login:
    /// then they are still owed one. Returns whether it did: not if the account's time was renewed meanwhile,
    /// and not while a login holds it up; see [`Store::held_until`].
    ///
    /// # Errors
    /// SQLite refused, or the step is illegal.
    pub fn begin_reap(&self, id: i64, now: UnixSeconds) -> Result<bool, StoreError> {
        self.step("begin a removal", id, Event::ReapBegun, |tx, stage| {
            let updated = tx
                .prepare_cached(&format!(
                    "UPDATE registrations
                     SET stage = ?4, reap_tries = 0, reap_note = NULL, check_at = 0, reaping_since = ?2
                     WHERE id = ?1 AND due_at <= ?2 AND NOT ({IS_HELD})"
                ))?
                .execute(params![id, now, now - SENDING, stage.as_str()])?;
            let had_login = "SELECT 1 FROM registrations WHERE id = ?1 AND announced_at IS NOT NULL";
            if updated == 1 && tx.prepare_cached(had_login)?.exists([id])? {
                end_texts(tx, id, now)?;
            }
            Ok(updated == 1)
        })
    }

    /// Until when a login that is on its way holds the removal of an account up; `None` = none does.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn held_until(&self, id: i64, now: UnixSeconds) -> Result<Option<UnixSeconds>, StoreError> {
        let sql = format!("SELECT sending_since FROM registrations WHERE id = ?1 AND {IS_HELD}");
        self.lock()
            .prepare_cached(&sql)
            .and_then(|mut statement| {
                statement
                    .query_row(params![id, now, now - SENDING], |row| row.get(0))
                    .optional()
            })
            .map(|since: Option<UnixSeconds>| since.map(|since| since + SENDING + 1))
            .map_err(StoreError::sql("look for a login on its way"))
    }

    /// Puts the next look at a removal off.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn put_off(&self, id: i64, put_off: Postponement<'_>) -> Result<(), StoreError> {
        self.write("put a removal off", |tx| {
            tx.prepare_cached(
                "UPDATE registrations
                 SET check_at = ?2, reap_tries = ?3, reap_note = ?4, refused_since = ?5 WHERE id = ?1",
            )?
            .execute(params![
                id,
                put_off.until,
                put_off.tries,
                put_off.note,
                put_off.refused_since
            ])
            .map(drop)
        })
    }

    /// Records that nobody can use the account of a removal any more: its user is locked out, or there
    /// is none.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn locked_out(&self, id: i64, now: UnixSeconds) -> Result<(), StoreError> {
        self.write("record a lock-out", |tx| {
            tx.prepare_cached(
                "UPDATE registrations SET locked_at = ?2
                 WHERE id = ?1 AND stage = 'reaping' AND locked_at IS NULL",
            )?
            .execute(params![id, now])
            .map(drop)
        })
    }

    /// Forgets a registration whose user is proved gone. That its phone had an account is remembered for a day.
    ///
    /// # Errors
    /// SQLite refused, or it is not being removed.
    pub fn forget(&self, id: i64, now: UnixSeconds) -> Result<(), StoreError> {
        self.step("forget a registration", id, Event::UserGone, |tx, _| {
            contacts::is_gone(tx, id, now)?;
            tx.prepare_cached("DELETE FROM registrations WHERE id = ?1")?
                .execute([id])
                .map(drop)
        })?;
        self.counts.forgotten.add();
        Ok(())
    }

    /// Gives accounts that were made while removal was off a time of their own. Returns how many.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn set_missing_due(&self, due_at: UnixSeconds) -> Result<usize, StoreError> {
        self.write("give accounts a time", |tx| {
            tx.execute(
                "UPDATE registrations SET due_at = ?1 WHERE due_at IS NULL",
                [due_at],
            )
        })
    }

    /// Empties the write-ahead log, in which what was forgotten stands until it is overwritten.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn overwrite_log(&self) -> Result<(), StoreError> {
        overwrite_log(&self.lock())
    }

    /// Takes the time off all accounts that students have a login for: removal is switched off. Not off
    /// those that the instructor ended.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn clear_due(&self) -> Result<usize, StoreError> {
        self.write("take the time off accounts", |tx| {
            tx.execute(
                "UPDATE registrations SET due_at = NULL
                 WHERE stage = 'announced' AND due_at IS NOT NULL AND ended_at IS NULL",
                [],
            )
        })
    }

    /// Moves the time of accounts along with a clock that was set, so that they keep what they had
    /// left. Returns how many.
    ///
    /// Set ahead: of those that were reserved before; their later logins leave the time as it was.
    /// Set back: of those that were reserved in what is the future now, but not beyond the present.
    /// Who cannot be told apart keeps the later time: nobody loses any. Of an adopted account the moment of
    /// the adoption counts: it is dated back to when Coder made it, by the clock as it was at the adoption.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn follow_clock(&self, step: ClockStep, now: UnixSeconds) -> Result<usize, StoreError> {
        let ClockStep { before, by } = step;
        self.write("follow the clock", |tx| {
            if by > 0 {
                return tx.execute(
                    "UPDATE registrations SET due_at = due_at + ?1
                     WHERE stage = 'announced' AND due_at IS NOT NULL AND ended_at IS NULL
                       AND coalesce(adopted_at, reserved_at) <= ?2",
                    [by, before],
                );
            }
            tx.execute(
                "UPDATE registrations
                 SET due_at = due_at - min(?1, coalesce(adopted_at, reserved_at) - ?2),
                     announced_at = announced_at - min(?1, coalesce(adopted_at, reserved_at) - ?2),
                     reserved_at = reserved_at - min(?1, coalesce(adopted_at, reserved_at) - ?2),
                     adopted_at = adopted_at - min(?1, adopted_at - ?2)
                 WHERE stage = 'announced' AND coalesce(adopted_at, reserved_at) > ?2",
                [-by, now],
            )
        })
    }

    /// The instance id of this data folder, drawn when it is first asked for.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn instance_id(&self) -> Result<InstanceId, StoreError> {
        self.write("draw the instance id", |tx| {
            facts::draw_instance_id(tx)?;
            facts::instance_id(tx)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
        })
    }

    /// All registrations, in the order of their names.
    ///
    /// # Errors
    /// SQLite refused, or a row is impossible.
    pub fn roster(&self) -> Result<Vec<Registration>, StoreError> {
        read_all(&self.lock())
    }

    /// How many registrations there are.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn count(&self) -> Result<i64, StoreError> {
        self.lock()
            .query_row("SELECT count(*) FROM registrations", [], |row| row.get(0))
            .map_err(StoreError::sql("count registrations"))
    }
}

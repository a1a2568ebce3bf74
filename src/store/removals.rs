//! What the reaper reads from the database and records in it.

use std::path::Path;

use rusqlite::{OptionalExtension, params};

use super::contacts::{self, end_texts};
use super::files::{LOCK, overwrite_log, place_of_lock};
use super::rows::{COLUMNS, read_registration};
use super::rows::{MAY_HAVE_LOGIN, read_all};
use super::texts::redate_sends;
use super::{Store, StoreError, facts};
use crate::clock::ClockStep;
use crate::domain::registration::{Event, Registration};
use crate::domain::{ClassName, InstanceId, RedisOwner, UnixSeconds};

/// What a removal waits for, and until when.
#[derive(Clone, Copy, Debug)]
pub struct Postponement<'a> {
    /// When the account is inspected again.
    pub until: UnixSeconds,
    /// Inspections since something last changed.
    pub tries: u32,
    /// What it waits for, as logged.
    pub note: &'a str,
    /// Since when Coder refuses something that the removal needs; `None` = it does not.
    pub refused_since: Option<UnixSeconds>,
}

/// Seconds for which a login on its way holds up a removal: as long as a send takes, including the search
/// for one that a restart interrupted. Twilio may be unavailable for longer. A login sent after that finds
/// its account in removal, which is recorded as well.
const SENDING: UnixSeconds = 60;

/// Whether a login holds up the removal of an account at `?2`; `?3` is [`SENDING`] earlier. An account
/// that was ended waits for no login, because a text from before the end gets no answer.
const IS_HELD: &str = "stage = 'announced' AND ended_at IS NULL
     AND sending_since IS NOT NULL AND sending_since BETWEEN ?3 AND ?2";

impl Store {
    /// Registrations to inspect now: due or already being removed, and not postponed. A postponement of
    /// more than `longest` seconds was made before the clock was set back, and is ignored.
    ///
    /// # Errors
    /// SQLite refused, or a row is impossible.
    pub fn due(
        &self,
        now: UnixSeconds,
        longest: UnixSeconds,
    ) -> Result<Vec<Registration>, StoreError> {
        let connection = self.lock();
        let failed = StoreError::sql("find due accounts");
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

    /// The earliest time to which a removal in progress is postponed.
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

    /// Begins a removal. Texts received before it get no new account, unless this account never had a login:
    /// then they still get one. Returns whether it began: not if the due time was renewed meanwhile, and not
    /// while a login holds it up; see [`Store::held_until`].
    ///
    /// # Errors
    /// SQLite refused, or the step is illegal.
    pub fn begin_removal(&self, id: i64, now: UnixSeconds) -> Result<bool, StoreError> {
        self.step("begin a removal", id, Event::RemovalBegun, |tx, stage| {
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

    /// Until when a login on its way holds up the removal of an account; `None` if none does.
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
            .map_err(StoreError::sql("find a login on its way"))
    }

    /// Until when another user may appear for an account in removal, because its create was repeated less than
    /// `span` seconds ago; `None` if that can no longer happen.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn late_create_until(
        &self,
        id: i64,
        now: UnixSeconds,
        span: UnixSeconds,
    ) -> Result<Option<UnixSeconds>, StoreError> {
        self.lock()
            .prepare_cached(
                "SELECT create_repeated_at FROM registrations
                 WHERE id = ?1 AND create_repeated_at BETWEEN ?2 + 1 AND ?3",
            )
            .and_then(|mut statement| {
                statement
                    .query_row([id, now - span, now], |row| row.get(0))
                    .optional()
            })
            .map(|at: Option<UnixSeconds>| at.map(|at| at + span))
            .map_err(StoreError::sql("find a repeated create"))
    }

    /// Postpones the next inspection of an account.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn put_off(&self, id: i64, postponement: Postponement<'_>) -> Result<(), StoreError> {
        self.write("postpone a removal", |tx| {
            tx.prepare_cached(
                "UPDATE registrations
                 SET check_at = ?2, reap_tries = ?3, reap_note = ?4, refused_since = ?5 WHERE id = ?1",
            )?
            .execute(params![
                id,
                postponement.until,
                postponement.tries,
                postponement.note,
                postponement.refused_since
            ])
            .map(drop)
        })
    }

    /// Records that an account in removal can no longer be used: its user is locked out, or there is none.
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

    /// Deletes a registration whose user is proved gone. That its phone had an account is kept for a day.
    ///
    /// # Errors
    /// SQLite refused, or it is not being removed.
    pub fn forget(&self, id: i64, now: UnixSeconds) -> Result<(), StoreError> {
        self.step("forget a registration", id, Event::UserGone, |tx, _| {
            contacts::account_gone(tx, id, now)?;
            tx.prepare_cached("DELETE FROM registrations WHERE id = ?1")?
                .execute([id])
                .map(drop)
        })?;
        self.counts.forgotten.add();
        Ok(())
    }

    /// Sets a due time for accounts of `class` that were made while removal was switched off; `None` = for
    /// all accounts. Returns their number.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn set_missing_due(
        &self,
        class: Option<&ClassName>,
        due_at: UnixSeconds,
    ) -> Result<usize, StoreError> {
        self.write("set the due time of accounts", |tx| {
            tx.execute(
                "UPDATE registrations SET due_at = ?1
                 WHERE due_at IS NULL AND (?2 IS NULL OR class = ?2)",
                params![due_at, class.map(ClassName::as_str)],
            )
        })
    }

    /// Empties the write-ahead log, which contains deleted data until it is overwritten.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn overwrite_log(&self) -> Result<(), StoreError> {
        overwrite_log(&self.lock())
    }

    /// Deletes the due time of the accounts of `class` that may have a login, because removal is switched off;
    /// `None` = of all accounts. Accounts that the instructor ended keep it. Returns their number.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn clear_due(&self, class: Option<&ClassName>) -> Result<usize, StoreError> {
        self.write("delete the due time of accounts", |tx| {
            tx.execute(
                &format!(
                    "UPDATE registrations SET due_at = NULL
                     WHERE {MAY_HAVE_LOGIN} AND due_at IS NOT NULL AND ended_at IS NULL
                       AND (?1 IS NULL OR class = ?1)"
                ),
                [class.map(ClassName::as_str)],
            )
        })
    }

    /// Moves the due times with a clock that was set, so that accounts keep the time that they had left.
    /// Returns their number.
    ///
    /// Clock set ahead: moves accounts reserved before that. Later logins do not change their due time.
    /// Clock set back: moves accounts with a reservation that is now in the future, but at most to the
    /// present. If the two cannot be told apart, the later time counts, so no account loses time. For an
    /// adopted account the moment of the adoption counts, by the clock of that moment: its reservation is
    /// dated back to when Coder made it.
    ///
    /// Accounts of the classes `by_clock` keep their due time: it is a time of day, which a clock that was
    /// corrected shows all the better. What was ended, or is being removed, stays due.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn follow_clock(
        &self,
        step: ClockStep,
        now: UnixSeconds,
        by_clock: &[ClassName],
    ) -> Result<usize, StoreError> {
        let ClockStep { before, by } = step;
        // The name of a class contains no comma.
        let names = by_clock.iter().map(|class| format!(",{class},"));
        let names: String = names.collect();
        let follows = "(class IS NULL OR instr(?3, ',' || class || ',') = 0)";
        self.write("follow the clock", |tx| {
            if by > 0 {
                let sql = format!(
                    "UPDATE registrations SET due_at = due_at + ?1
                     WHERE {MAY_HAVE_LOGIN} AND due_at IS NOT NULL AND ended_at IS NULL
                       AND coalesce(adopted_at, reserved_at) <= ?2 AND {follows}"
                );
                return tx.execute(&sql, params![by, before, names]);
            }
            let sql = format!(
                "UPDATE registrations
                 SET due_at = due_at - min(?1, coalesce(adopted_at, reserved_at) - ?2)
                 WHERE {MAY_HAVE_LOGIN} AND coalesce(adopted_at, reserved_at) > ?2 AND {follows}"
            );
            let moved = tx.execute(&sql, params![-by, now, names])?;
            tx.execute(
                &format!(
                    "UPDATE registrations
                 SET announced_at = announced_at - min(?1, coalesce(adopted_at, reserved_at) - ?2),
                     reserved_at = reserved_at - min(?1, coalesce(adopted_at, reserved_at) - ?2),
                     adopted_at = adopted_at - min(?1, adopted_at - ?2)
                 WHERE {MAY_HAVE_LOGIN} AND coalesce(adopted_at, reserved_at) > ?2"
                ),
                [-by, now],
            )?;
            redate_sends(tx, -by, now)?;
            // What was ended is due, whatever the clock says.
            tx.execute(
                "UPDATE registrations SET due_at = ?1
                 WHERE due_at > ?1 AND (stage = 'reaping' OR ended_at IS NOT NULL)",
                [now],
            )?;
            Ok(moved)
        })
    }

    /// Whether the service worked with another Coder before: one whose default organization has another id.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn knows_another_coder(&self, organization: &str) -> Result<bool, StoreError> {
        let known = facts::read(&self.lock(), facts::CODER)
            .map_err(StoreError::sql("read which Coder it is"))?;
        match known {
            Some(known) => Ok(known != organization.as_bytes()),
            None => self.record_coder(organization).map(|()| false),
        }
    }

    /// Records the Coder that the service works with from now on, by the id of its default organization.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn record_coder(&self, organization: &str) -> Result<(), StoreError> {
        self.write("record which Coder it is", |tx| {
            facts::record(tx, facts::CODER, organization.as_bytes())
        })
    }

    /// The instance id of this data folder. It is drawn on the first call.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn instance_id(&self) -> Result<InstanceId, StoreError> {
        self.write("draw the instance id", |tx| {
            facts::draw_instance_id(tx)?;
            facts::instance_id(tx)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
        })
    }

    /// The service of this data folder, as an owner of a Redis database.
    ///
    /// # Errors
    /// SQLite refused, or the file system does not answer.
    pub fn redis_owner(&self) -> Result<RedisOwner, StoreError> {
        let unclear = StoreError::file("inspect", Path::new(LOCK));
        let lock = self.lock.metadata().map_err(unclear)?;
        Ok(RedisOwner::new(&self.instance_id()?, &place_of_lock(&lock)))
    }

    /// All registrations, in the order of their names.
    ///
    /// # Errors
    /// SQLite refused, or a row is impossible.
    pub fn roster(&self) -> Result<Vec<Registration>, StoreError> {
        read_all(&self.lock())
    }

    /// Number of registrations.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn count(&self) -> Result<i64, StoreError> {
        self.lock()
            .query_row("SELECT count(*) FROM registrations", [], |row| row.get(0))
            .map_err(StoreError::sql("count registrations"))
    }
}

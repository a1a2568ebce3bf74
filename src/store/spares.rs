//! Spare accounts. They are made in advance, so that a text only has to take one.
//!
//! A spare is a registration without a phone (random bytes stand in its place) and without a login. It takes
//! no seat. What it needs at Coder is recorded like that of any registration, so an interrupted step is
//! repeated, and a removal is the usual one. The transaction that takes one counts the seats.

mod listing;
mod taking;

use rusqlite::params;

use super::rows::{NEXT_ID, read_where};
use super::sends::write_user;
use super::workspaces::want;
use super::{ReserveResult, Seats, Store, StoreError, Tx};
use crate::domain::registration::{Event, Registration, Stage};
use crate::domain::{ClassName, Marker, UnixSeconds, Username};
pub(super) use listing::read;
pub use listing::{Spare, SpareBuild, SpareFigures};
pub use taking::{SpareCondition, SpareRequest};

/// The spares that may still get a student.
const IS_LIVE: &str =
    "r.spare_since IS NOT NULL AND r.stage IN ('reserved', 'created') AND r.ended_at IS NULL";

/// A spare that is about to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewSpare<'a> {
    /// Its name.
    pub username: &'a Username,
    /// Its marker.
    pub marker: &'a Marker,
    /// When it is removed if nobody takes it.
    pub due_at: UnixSeconds,
    /// The seats of its class.
    pub seats: Seats<'a>,
    /// The number of spares that the class may have.
    pub wanted: u32,
}

impl Store {
    /// Records that a spare is about to be made, if its class may have another one.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn reserve_spare(
        &self,
        spare: NewSpare<'_>,
        now: UnixSeconds,
    ) -> Result<ReserveResult, StoreError> {
        self.write("reserve a spare account", |tx| {
            if allowed(tx, spare.seats, spare.wanted)? <= live(tx, spare.seats)? {
                return Ok(ReserveResult::Full);
            }
            let inserted = tx
                .prepare_cached(&format!(
                    "INSERT INTO registrations
                         (id, phone, username, marker, stage, reserved_at, due_at,
                          password_counter, password_marker, class, spare_since)
                     VALUES ({NEXT_ID}, randomblob(20), ?1, ?2, 'reserved', ?3, ?4, 1, ?2, ?5, ?3)
                     ON CONFLICT DO NOTHING"
                ))?
                .execute(params![
                    spare.username.as_str(),
                    spare.marker.as_str(),
                    now,
                    spare.due_at,
                    spare.seats.name()
                ])?;
            Ok(match inserted {
                1 => ReserveResult::Done,
                _ => ReserveResult::Clash,
            })
        })
    }

    /// The number of spares that a class may have: the wanted number, but not more than its free seats.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn spares_allowed(&self, seats: Seats<'_>, wanted: u32) -> Result<u32, StoreError> {
        let failed = StoreError::sql("count spare accounts");
        let connection = self.lock();
        // Both counts are of the same moment.
        let tx = connection.unchecked_transaction().map_err(&failed)?;
        allowed(&Tx(&tx), seats, wanted).map_err(failed)
    }

    /// The spare with this name that may still get a student.
    ///
    /// # Errors
    /// SQLite refused, or the row is impossible.
    pub fn spare_named(&self, username: &Username) -> Result<Option<Registration>, StoreError> {
        let which = "WHERE username = ?1 AND spare_since IS NOT NULL";
        let found = read_where(&self.lock(), which, [username.as_str()])?.pop();
        Ok(found)
    }

    /// Records that Coder has the user of a spare, which nobody has used, and with `wants_workspace` that its
    /// workspace is to be made. Returns the reached stage, like [`Store::created`].
    ///
    /// # Errors
    /// SQLite refused, or the step is illegal.
    pub fn spare_made(
        &self,
        id: i64,
        coder_id: &str,
        due_at: UnixSeconds,
        wants_workspace: bool,
        now: UnixSeconds,
    ) -> Result<Stage, StoreError> {
        self.step(
            "record a spare account",
            id,
            Event::UserCreated,
            |tx, stage| {
                let stage = write_user(tx, stage, id, (coder_id, Some(due_at)), None, true)?;
                if wants_workspace {
                    want(tx, "AND id = ?2", [now, id])?;
                }
                record_unused(tx, &[id], now)?;
                Ok(stage)
            },
        )
    }

    /// Records that Coder has shown that nobody has used these spares.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn spares_unused(&self, ids: &[i64], now: UnixSeconds) -> Result<(), StoreError> {
        self.write("record a look at spare accounts", |tx| {
            record_unused(tx, ids, now)
        })
    }

    /// Forgets all looks at spares: none is taken before it was looked at again.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn forget_looks_at_spares(&self) -> Result<(), StoreError> {
        self.write("forget looks at spare accounts", |tx| {
            tx.execute(
                "UPDATE registrations SET unused_at = NULL
                 WHERE spare_since IS NOT NULL AND unused_at IS NOT NULL",
                [],
            )
            .map(drop)
        })
    }

    /// Sets when the spares of a class are removed if nobody takes them.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn spares_live_until(
        &self,
        class: Option<&ClassName>,
        due_at: UnixSeconds,
    ) -> Result<(), StoreError> {
        self.write("set the due time of spare accounts", |tx| {
            tx.prepare_cached(&format!(
                "UPDATE registrations AS r SET due_at = ?2
                 WHERE r.class IS ?1 AND r.due_at IS NOT ?2 AND {IS_LIVE}"
            ))?
            .execute(params![class.map(ClassName::as_str), due_at])
            .map(drop)
        })
    }

    /// Begins the removal of a spare. Returns whether it began: not if a student has taken it meanwhile.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn dismiss_spare(&self, id: i64, now: UnixSeconds) -> Result<bool, StoreError> {
        self.dismiss(id, now, |_| Ok(true))
    }

    /// The same, if the class still has more spares than it may have: students may have taken some of them, with
    /// their seats, since that was read.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn dismiss_surplus_spare(
        &self,
        id: i64,
        seats: Seats<'_>,
        wanted: u32,
        now: UnixSeconds,
    ) -> Result<bool, StoreError> {
        self.dismiss(id, now, |tx| {
            Ok(live(tx, seats)? > allowed(tx, seats, wanted)?)
        })
    }

    fn dismiss(
        &self,
        id: i64,
        now: UnixSeconds,
        is_wanted: impl FnOnce(&Tx<'_>) -> rusqlite::Result<bool>,
    ) -> Result<bool, StoreError> {
        let event = Event::RemovalBegun;
        let dismissed = self.step("dismiss a spare account", id, event, |tx, stage| {
            if !is_wanted(tx)? {
                return Ok(false);
            }
            let updated = tx
                .prepare_cached(
                    "UPDATE registrations
                     SET stage = ?3, due_at = min(coalesce(due_at, ?2), ?2), reaping_since = ?2,
                         check_at = 0, reap_tries = 0, reap_note = NULL
                     WHERE id = ?1 AND spare_since IS NOT NULL",
                )?
                .execute(params![id, now, stage.as_str()])?;
            Ok(updated == 1)
        });
        match dismissed {
            // Its removal has begun in another way.
            Err(StoreError::Step(_)) => Ok(false),
            other => other,
        }
    }
}

/// As [`Store::spares_allowed`].
pub(super) fn allowed(tx: &Tx<'_>, seats: Seats<'_>, wanted: u32) -> rusqlite::Result<u32> {
    Ok(wanted.min(seats.free(tx)?))
}

fn record_unused(tx: &Tx<'_>, ids: &[i64], now: UnixSeconds) -> rusqlite::Result<()> {
    let mut update = tx.prepare_cached(
        "UPDATE registrations SET unused_at = ?2
         WHERE id = ?1 AND spare_since IS NOT NULL AND stage = 'created'",
    )?;
    let mut record = |id: &i64| update.execute([*id, now]).map(drop);
    ids.iter().try_for_each(&mut record)
}

/// The number of spares of a class that may still get a student.
fn live(tx: &Tx<'_>, seats: Seats<'_>) -> rusqlite::Result<u32> {
    tx.prepare_cached(&format!(
        "SELECT count(*) FROM registrations r WHERE r.class IS ?1 AND {IS_LIVE}"
    ))?
    .query_row([seats.name()], |row| row.get(0))
}

//! Reserves a seat and a name for a phone.
//!
//! A phone whose earlier account is still being removed may have another one after some time.

use rusqlite::{OptionalExtension, params};

use super::rows::NEXT_ID;
use super::{Store, StoreError, Tx};
use crate::domain::order::LATEST_END;
use crate::domain::registration::Event;
use crate::domain::{ClassName, Marker, MessageSid, PhoneHash, UnixSeconds, Username};

/// Seconds since the lock-out of a user after which its phone may get another account although this one
/// is not gone yet: a workspace that cannot be deleted must not exclude its student from the next class.
const LOCKED_LONG_ENOUGH: UnixSeconds = 5 * 60;

/// The same for a user that could not be locked out, since its removal began. Its student may then have
/// two accounts. The log and `status` have reported the refusal all the time.
const REMOVED_LONG_ENOUGH: UnixSeconds = 30 * 60;

/// The result of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReserveResult {
    /// It is recorded.
    Done,
    /// Our own table contains the phone or the name already.
    Clash,
    /// All seats are taken.
    Full,
    /// The phone gets no account for this text: its account was ended, or its removal has begun, after the text was
    /// received, or the text was served or forgotten meanwhile.
    Ended,
}

/// What is about to be recorded for a phone, and the text that asks for it.
#[derive(Clone, Copy, Debug)]
pub struct Reservation<'a> {
    /// The phone.
    pub phone: &'a PhoneHash,
    /// The text that asks for an account.
    pub text: &'a MessageSid,
    /// When it was received.
    pub received: UnixSeconds,
    /// The name that its user is about to get.
    pub username: &'a Username,
    /// The display name that its user is about to get.
    pub marker: &'a Marker,
    /// The present time.
    pub now: UnixSeconds,
    /// When the reservation is due for removal, if no account follows.
    pub due_at: UnixSeconds,
}

impl Reservation<'_> {
    fn has_ended(&self, tx: &Tx<'_>) -> rusqlite::Result<bool> {
        has_ended(tx, self.phone, self.text, (self.received, self.now))
    }

    fn insert(&self, tx: &Tx<'_>, class: Option<&str>) -> rusqlite::Result<ReserveResult> {
        let inserted = tx
            .prepare_cached(&format!(
                "INSERT INTO registrations
                     (id, phone, username, marker, stage, reserved_at, due_at,
                      password_counter, password_marker, class)
                 VALUES ({NEXT_ID}, ?1, ?2, ?3, 'reserved', ?4, ?5, 1, ?3, ?6) ON CONFLICT DO NOTHING"
            ))?
            .execute(params![
                self.phone.as_bytes(),
                self.username.as_str(),
                self.marker.as_str(),
                self.now,
                self.due_at,
                class
            ])?;
        Ok(if inserted == 1 {
            ReserveResult::Done
        } else {
            ReserveResult::Clash
        })
    }
}

/// The seats of a class, and how many there are.
#[derive(Clone, Copy, Debug)]
pub struct Seats<'a> {
    /// The class; `None` = the one without a name, which has the seats of all registrations.
    pub class: Option<&'a ClassName>,
    /// Registrations that the class may have at the same time.
    pub limit: u32,
}

impl Seats<'_> {
    pub(super) fn name(&self) -> Option<&str> {
        self.class.map(ClassName::as_str)
    }

    /// How many are free. Spare accounts take none.
    pub(super) fn free(&self, tx: &Tx<'_>) -> rusqlite::Result<u32> {
        let taken: i64 = match self.name() {
            None => tx
                .prepare_cached(
                    "SELECT taken.count - spares.count FROM totals taken JOIN totals spares
                     WHERE taken.name = 'registrations' AND spares.name = 'spares'",
                )?
                .query_row([], |row| row.get(0))?,
            Some(class) => {
                let count = |which: &str| -> rusqlite::Result<i64> {
                    let sql =
                        format!("SELECT count(*) FROM registrations WHERE class = ?1 {which}");
                    tx.prepare_cached(&sql)?
                        .query_row([class], |row| row.get(0))
                };
                count("")? - count("AND spare_since IS NOT NULL")?
            }
        };
        let free = (i64::from(self.limit) - taken).max(0);
        Ok(u32::try_from(free).unwrap_or(u32::MAX))
    }

    /// Whether none is free.
    fn are_taken(&self, tx: &Tx<'_>) -> rusqlite::Result<bool> {
        Ok(self.free(tx)? == 0)
    }
}

/// Whether the earlier account of a phone allows another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PhoneHolder {
    /// There is none.
    None,
    /// It keeps the phone.
    Keeps,
    /// Its removal has taken so long that the phone may have another account.
    Releases,
}

impl Store {
    /// Records that a phone is about to get a user, if one of `seats` is free. They are counted in the same
    /// transaction, so a race for the last seat has one winner. In the same transaction it is read whether the
    /// account of the phone was ended after its text was received.
    ///
    /// The same transaction parts the phone from an earlier account that was locked out at least five
    /// minutes ago and is still there, or whose removal began at least half an hour ago. That account keeps
    /// its seat.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn reserve(
        &self,
        reservation: Reservation<'_>,
        seats: Seats<'_>,
    ) -> Result<ReserveResult, StoreError> {
        let Reservation { phone, now, .. } = reservation;
        let reserved = self.write("reserve a name", |tx| {
            if reservation.has_ended(tx)? {
                return Ok(ReserveResult::Ended);
            }
            let earlier = earlier_account(tx, phone, now)?;
            if earlier == PhoneHolder::Keeps {
                return Ok(ReserveResult::Clash);
            }
            if seats.are_taken(tx)? {
                return Ok(ReserveResult::Full);
            }
            if earlier == PhoneHolder::Releases {
                release_phone(tx, phone, now)?;
            }
            reservation.insert(tx, seats.name())
        })?;
        if reserved == ReserveResult::Done {
            self.counts.reserved.add();
        }
        Ok(reserved)
    }

    /// Moves a registration into the class of `seats`, if one of them is free; in the class where it is it
    /// keeps its own. Returns whether it is there now.
    ///
    /// # Errors
    /// SQLite refused, or its removal has begun.
    pub fn change_class(&self, id: i64, seats: Seats<'_>) -> Result<bool, StoreError> {
        self.step("change the class", id, Event::Renewed, |tx, _| {
            let there = tx
                .prepare_cached("SELECT 1 FROM registrations WHERE id = ?1 AND class IS ?2")?
                .exists(params![id, seats.name()])?;
            // The class without a name counts all registrations of students, this one included.
            if there || seats.class.is_some() && seats.are_taken(tx)? {
                return Ok(there);
            }
            tx.prepare_cached("UPDATE registrations SET class = ?2 WHERE id = ?1")?
                .execute(params![id, seats.name()])?;
            Ok(true)
        })
    }
}

/// Whether a text of a phone no longer gets an account. What was read about the phone earlier may be out of date.
pub(super) fn has_ended(
    tx: &Tx<'_>,
    phone: &PhoneHash,
    text: &MessageSid,
    (received, now): (UnixSeconds, UnixSeconds),
) -> rusqlite::Result<bool> {
    // As `precedes_end` says it.
    tx.prepare_cached(
        "SELECT 1 FROM contacts WHERE phone = ?1 AND ended_at > ?2 AND (ended_at <= ?4 OR ?2 > ?5)
         UNION ALL SELECT 1 FROM seen WHERE sid = ?3",
    )?
    .exists(params![
        phone.as_bytes(),
        received,
        text.as_str(),
        now.saturating_add(LATEST_END),
        now
    ])
}

pub(super) fn earlier_account(
    tx: &Tx<'_>,
    phone: &PhoneHash,
    now: UnixSeconds,
) -> rusqlite::Result<PhoneHolder> {
    let releases: Option<bool> = tx
        .prepare_cached(
            // Where no user was seen, or a create was repeated, a user may appear that is not locked out.
            "SELECT stage = 'reaping' AND (coalesce(locked_at <= ?2 AND coder_id IS NOT NULL
                                                    AND create_repeated_at IS NULL, 0)
                                           OR coalesce(reaping_since <= ?3, 0))
             FROM registrations WHERE phone = ?1",
        )?
        .query_row(
            params![
                phone.as_bytes(),
                now - LOCKED_LONG_ENOUGH,
                now - REMOVED_LONG_ENOUGH
            ],
            |row| row.get(0),
        )
        .optional()?;
    Ok(match releases {
        None => PhoneHolder::None,
        Some(false) => PhoneHolder::Keeps,
        Some(true) => PhoneHolder::Releases,
    })
}

/// Parts a phone from its account. The removal of the account continues.
pub(super) fn release_phone(
    tx: &Tx<'_>,
    phone: &PhoneHash,
    now: UnixSeconds,
) -> rusqlite::Result<()> {
    // As for an adopted account: random bytes, which no phone's hash will ever equal.
    tx.prepare_cached(
        "UPDATE registrations SET phone = randomblob(20), forgotten_at = ?2 WHERE phone = ?1",
    )?
    .execute(params![phone.as_bytes(), now])
    .map(drop)
}

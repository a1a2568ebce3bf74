//! One transaction gives a spare to a phone.

use rusqlite::{OptionalExtension, params};

use crate::domain::registration::{Registration, Sending};
use crate::domain::{MessageSid, PhoneHash, UnixSeconds};
use crate::store::reserve::{PhoneHolder, earlier_account, has_ended, release_phone};
use crate::store::rows::{COLUMNS, read_registration};
use crate::store::texts::count_send;
use crate::store::{Seats, Store, StoreError, Tx};

/// Seconds for which a look at Coder counts that showed that nobody has used a spare.
const FRESH: UnixSeconds = 180;

/// A text that asks for a spare.
#[derive(Clone, Copy, Debug)]
pub struct SpareRequest<'a> {
    /// Its phone.
    pub phone: &'a PhoneHash,
    /// The text.
    pub text: &'a MessageSid,
    /// When it was received.
    pub received: UnixSeconds,
    /// The present time.
    pub now: UnixSeconds,
    /// When the account is due from then on; `None` = never.
    pub due_at: Option<UnixSeconds>,
    /// The seats of the class.
    pub seats: Seats<'a>,
    /// Whether the class has workspaces.
    pub with_workspace: bool,
}

/// A spare that a phone has got.
#[derive(Clone, Debug)]
pub struct TakenSpare {
    /// The registration of the phone now.
    pub registration: Registration,
    /// The login text that is about to be sent.
    pub sending: Option<Sending>,
}

impl Store {
    /// Gives a spare of the class to a phone, if a seat is free and a spare is there: one whose workspace
    /// runs before any other, and one whose build failed last. `prepare` gets the registration as it is then, and
    /// makes the login text that is about to be sent.
    ///
    /// `None` = the phone gets none. Then [`Store::reserve`] says why, or reserves another account.
    ///
    /// # Errors
    /// SQLite refused, or the row is impossible.
    pub fn take_spare(
        &self,
        request: SpareRequest<'_>,
        prepare: impl FnOnce(&Registration) -> Option<Sending>,
    ) -> Result<Option<TakenSpare>, StoreError> {
        let mut impossible = None;
        let taken = self.write("take a spare account", |tx| {
            let Some(id) = give_one(tx, &request)? else {
                return Ok(None);
            };
            let row = format!("SELECT {COLUMNS} FROM registrations WHERE id = ?1");
            let mut statement = tx.prepare_cached(&row)?;
            let registration = match statement.query_row([id], |row| Ok(read_registration(row)))? {
                Ok(registration) => registration,
                Err(error) => {
                    impossible = Some(error);
                    // The transaction is rolled back.
                    return Err(rusqlite::Error::InvalidQuery);
                }
            };
            let sending = prepare(&registration);
            if let Some(sending) = &sending {
                record_sending(tx, id, sending)?;
            }
            Ok(Some(TakenSpare {
                registration: Registration {
                    sending,
                    ..registration
                },
                sending,
            }))
        });
        let taken = match impossible {
            Some(error) => return Err(error),
            None => taken?,
        };
        if taken.is_some() {
            self.counts.reserved.add();
            self.counts.spares_taken.add();
        }
        Ok(taken)
    }
}

/// Makes a spare the account of the phone that asks. Returns its row; `None` = the phone gets none.
fn give_one(tx: &Tx<'_>, request: &SpareRequest<'_>) -> rusqlite::Result<Option<i64>> {
    let SpareRequest {
        phone, now, seats, ..
    } = *request;
    if has_ended(tx, phone, request.text, request.received)? {
        return Ok(None);
    }
    let earlier = earlier_account(tx, phone, now)?;
    if earlier == PhoneHolder::Keeps {
        return Ok(None);
    }
    let Some(id) = best(tx, seats, request.with_workspace, now)? else {
        return Ok(None);
    };
    if seats.free(tx)? == 0 {
        return Ok(None);
    }
    if earlier == PhoneHolder::Releases {
        release_phone(tx, phone, now)?;
    }
    give(tx, id, phone, (now, request.due_at))?;
    Ok(Some(id))
}

/// Records the login text that is about to be sent.
fn record_sending(tx: &Tx<'_>, id: i64, sending: &Sending) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "UPDATE registrations SET fingerprint = ?2, sending_since = ?3 WHERE id = ?1",
    )?
    .execute(params![id, sending.fingerprint.as_bytes(), sending.since])?;
    count_send(tx, sending.since)
}

/// The spare to take.
fn best(
    tx: &Tx<'_>,
    seats: Seats<'_>,
    with_workspace: bool,
    now: UnixSeconds,
) -> rusqlite::Result<Option<i64>> {
    // Its password is the derived one, and a moment ago nobody had used it.
    const USABLE: &str = "r.class IS ?1 AND r.spare_since IS NOT NULL AND r.stage = 'created'
         AND r.ended_at IS NULL AND r.password_marker = r.marker AND coalesce(r.due_at > ?2, 1)
         AND r.unused_at BETWEEN ?3 AND ?4";
    const RUNS: &str = "w.running_since IS NOT NULL AND w.trouble IS NULL";
    let joined = "FROM registrations r LEFT JOIN workspaces w
         ON w.registration = r.id AND w.owner = r.coder_id";
    let times = params![seats.name(), now, now - FRESH, now + FRESH];
    let find = |which: &str| {
        tx.prepare_cached(&format!(
            "SELECT r.id {joined} WHERE {USABLE} {which} LIMIT 1"
        ))?
        .query_row(times, |row| row.get(0))
        .optional()
    };
    if !with_workspace {
        return find("");
    }
    match find(&format!("AND {RUNS}"))? {
        Some(id) => Ok(Some(id)),
        None => find(
            "ORDER BY coalesce(w.trouble = 'build-failed', 0), w.trouble IS NOT NULL, w.id IS NULL, r.id",
        ),
    }
}

/// Makes a spare the account of a phone.
fn give(
    tx: &Tx<'_>,
    id: i64,
    phone: &PhoneHash,
    (now, due_at): (UnixSeconds, Option<UnixSeconds>),
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "UPDATE registrations
         SET phone = ?2, spare_since = NULL, unused_at = NULL, reserved_at = ?3, due_at = ?4,
             check_at = 0, reap_tries = 0, reap_note = NULL, refused_since = NULL
         WHERE id = ?1",
    )?
    .execute(params![id, phone.as_bytes(), now, due_at])
    .map(drop)
}

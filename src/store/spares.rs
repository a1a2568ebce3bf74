//! Spare accounts: made before a student asks, so that a text only has to take one.
//!
//! A spare is a registration without a phone (random bytes stand in its place) and without a login. It takes
//! no seat. What it needs at Coder is recorded like that of any registration, so an interrupted step is
//! repeated, and a removal is the usual one. The transaction that takes one counts the seats.

use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::reserve::{PhoneHolder, earlier_account, has_ended, release_phone};
use super::rows::{COLUMNS, NEXT_ID, read_registration, read_where};
use super::sends::write_user;
use super::texts::count_send;
use super::workspaces::want;
use super::{Commands, ReserveResult, Seats, Store, StoreError};
use crate::domain::registration::{Event, Registration, Sending, Stage};
use crate::domain::{
    ClassName, Marker, MessageSid, PhoneHash, UnixSeconds, Username, WorkspaceTrouble,
};

/// Seconds for which a look at Coder counts that showed that nobody has used a spare.
const FRESH: UnixSeconds = 180;

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

/// How far the workspace of a spare has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpareBuild {
    /// None is recorded.
    None,
    /// It runs.
    Running,
    /// It is being made, or built.
    Building,
    /// It is not made, or does not run, for this reason; `given_up` = it is not tried again.
    Troubled {
        /// Why.
        trouble: WorkspaceTrouble,
        /// Whether it is not tried again.
        given_up: bool,
    },
}

/// A spare that may still get a student.
#[derive(Clone, Debug)]
pub struct Spare {
    /// Its registration.
    pub registration: Registration,
    /// Its workspace.
    pub build: SpareBuild,
    /// Whether Coder has shown that nobody has used it.
    pub is_unused: bool,
}

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

/// The numbers of the spares that may still get a student.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpareFigures {
    /// Nobody has used them, and their workspaces run or are not wanted.
    pub ready: u32,
    /// They or their workspaces are being made.
    pub building: u32,
    /// Their workspaces are not made, or do not run.
    pub troubled: u32,
}

impl SpareFigures {
    /// Counts these spares.
    pub fn of<'a>(spares: impl IntoIterator<Item = &'a Spare>) -> Self {
        let mut figures = Self::default();
        for spare in spares {
            let number = match (spare.registration.stage, spare.build) {
                (Stage::Reserved, _) | (_, SpareBuild::Building) => &mut figures.building,
                (_, SpareBuild::Troubled { .. }) => &mut figures.troubled,
                // After a start none is given before it was looked at.
                _ if !spare.is_unused => &mut figures.building,
                (_, SpareBuild::None | SpareBuild::Running) => &mut figures.ready,
            };
            *number += 1;
        }
        figures
    }
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

    /// How many spares a class may have that wants `wanted`: no more than it has free seats.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn spares_allowed(&self, seats: Seats<'_>, wanted: u32) -> Result<u32, StoreError> {
        let failed = StoreError::sql("count spare accounts");
        let mut connection = self.lock();
        let tx = connection.transaction().map_err(&failed)?;
        allowed(&tx, seats, wanted).map_err(failed)
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
        is_wanted: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<bool>,
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

    /// The spares that may still get a student, the oldest first.
    ///
    /// # Errors
    /// SQLite refused, or a row is impossible.
    pub fn spares(&self) -> Result<Vec<Spare>, StoreError> {
        read(&self.lock())
    }

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
        let SpareRequest {
            phone, now, seats, ..
        } = request;
        let mut impossible = None;
        let taken =
            self.write("take a spare account", |tx| {
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
                let row = format!("SELECT {COLUMNS} FROM registrations WHERE id = ?1");
                let registration = tx.prepare_cached(&row)?.query_row([id], |row| {
                    match read_registration(row) {
                        Ok(registration) => Ok(Some(registration)),
                        Err(error) => {
                            impossible = Some(error);
                            Ok(None)
                        }
                    }
                })?;
                // Rolled back.
                let registration = registration.ok_or(rusqlite::Error::InvalidQuery)?;
                let sending = prepare(&registration);
                if let Some(sending) = &sending {
                    tx.prepare_cached(
                    "UPDATE registrations SET fingerprint = ?2, sending_since = ?3 WHERE id = ?1",
                )?
                .execute(params![id, sending.fingerprint.as_bytes(), sending.since])?;
                    count_send(tx, sending.since)?;
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

impl Commands {
    /// As [`Store::spares`].
    ///
    /// # Errors
    /// SQLite refused, or a row is impossible.
    pub fn spares(&self) -> Result<Vec<Spare>, StoreError> {
        read(&self.connection)
    }
}

fn allowed(tx: &Transaction<'_>, seats: Seats<'_>, wanted: u32) -> rusqlite::Result<u32> {
    Ok(wanted.min(seats.free(tx)?))
}

fn record_unused(tx: &Transaction<'_>, ids: &[i64], now: UnixSeconds) -> rusqlite::Result<()> {
    let mut update = tx.prepare_cached(
        "UPDATE registrations SET unused_at = ?2
         WHERE id = ?1 AND spare_since IS NOT NULL AND stage = 'created'",
    )?;
    let mut record = |id: &i64| update.execute([*id, now]).map(drop);
    ids.iter().try_for_each(&mut record)
}

/// The number of spares of a class that may still get a student.
fn live(tx: &Transaction<'_>, seats: Seats<'_>) -> rusqlite::Result<u32> {
    tx.prepare_cached(&format!(
        "SELECT count(*) FROM registrations r WHERE r.class IS ?1 AND {IS_LIVE}"
    ))?
    .query_row([seats.name()], |row| row.get(0))
}

/// The spare to take.
fn best(
    tx: &Transaction<'_>,
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
    tx: &Transaction<'_>,
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

pub(super) fn read(connection: &rusqlite::Connection) -> Result<Vec<Spare>, StoreError> {
    let failed = StoreError::sql("read the spare accounts");
    let live = "WHERE spare_since IS NOT NULL AND stage IN ('reserved', 'created')
                  AND ended_at IS NULL ORDER BY id";
    let registrations = read_where(connection, live, [])?;
    let mut state = connection
        .prepare_cached(
            "SELECT running_since IS NOT NULL, trouble, check_at IS NULL FROM workspaces
             WHERE registration = ?1 AND owner = ?2",
        )
        .map_err(&failed)?;
    let mut unused = connection
        .prepare_cached("SELECT unused_at IS NOT NULL FROM registrations WHERE id = ?1")
        .map_err(&failed)?;
    let mut spares = Vec::new();
    for registration in registrations {
        let is_unused = unused.query_row([registration.id], |row| row.get(0));
        let owner = registration.coder_id.as_deref();
        let build = state
            .query_row(params![registration.id, owner], build)
            .optional()
            .map_err(&failed)?;
        spares.push(Spare {
            build: build.unwrap_or(SpareBuild::None),
            is_unused: is_unused.map_err(&failed)?,
            registration,
        });
    }
    Ok(spares)
}

fn build(row: &Row<'_>) -> rusqlite::Result<SpareBuild> {
    let (runs, trouble, given_up): (bool, Option<String>, bool) =
        (row.get(0)?, row.get(1)?, row.get(2)?);
    Ok(match trouble {
        Some(word) => SpareBuild::Troubled {
            trouble: WorkspaceTrouble::parse(&word).unwrap_or(WorkspaceTrouble::Refused),
            given_up,
        },
        None if runs => SpareBuild::Running,
        None => SpareBuild::Building,
    })
}

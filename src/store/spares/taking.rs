//! One transaction gives a spare to a phone.

use rusqlite::params;

use crate::domain::registration::{Registration, Removal, Sending};
use crate::domain::{MessageSid, PhoneHash, UnixSeconds};
use crate::store::known::is_known;
use crate::store::reserve::{PhoneHolder, earlier_account, has_ended, release_phone};
use crate::store::rows::{COLUMNS, read_registration};
use crate::store::texts::{count_send, sent_last_hour};
use crate::store::{Seats, Store, StoreError, Tx};

/// Seconds for which a look at Coder counts that showed that nobody has used a spare.
const FRESH: UnixSeconds = 180;

/// What has to hold so that a phone gets a spare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpareCondition {
    /// It was read before that the phone may get an account, and that still holds.
    NotEnded,
    /// Nothing is recorded about the phone and its text, and fewer texts than this were sent in the last hour.
    Newcomer {
        /// The limit.
        hourly_texts: u32,
    },
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
    /// What has to hold.
    pub condition: SpareCondition,
}

impl SpareRequest<'_> {
    /// The earlier account of the phone; `None` = the phone gets no spare.
    fn holder(&self, tx: &Tx<'_>) -> rusqlite::Result<Option<PhoneHolder>> {
        let Self {
            phone, text, now, ..
        } = *self;
        let earlier = match self.condition {
            SpareCondition::NotEnded if has_ended(tx, phone, text, (self.received, now))? => {
                return Ok(None);
            }
            SpareCondition::NotEnded => earlier_account(tx, phone, now)?,
            SpareCondition::Newcomer { hourly_texts } => {
                if is_known(tx, text, phone)? || sent_last_hour(tx, now)? >= hourly_texts {
                    return Ok(None);
                }
                PhoneHolder::None
            }
        };
        Ok((earlier != PhoneHolder::Keeps).then_some(earlier))
    }
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
    ) -> Result<Option<Registration>, StoreError> {
        let taken = self.transact("take a spare account", |tx| {
            let failed = StoreError::sql("take a spare account");
            let Some(choice) = choose(tx, &request)? else {
                return Ok(None);
            };
            let taken = of_phone(choice.spare, &request, prepare);
            if choice.earlier == PhoneHolder::Releases {
                release_phone(tx, request.phone, request.now).map_err(&failed)?;
            }
            if choice.lacks_workspace {
                build_again(tx, taken.id, request.now).map_err(&failed)?;
            }
            give(tx, &taken, request.phone).map_err(failed)?;
            Ok(Some(taken))
        })?;
        if taken.is_some() {
            self.counts.reserved.add();
            self.counts.spares_taken.add();
        }
        Ok(taken)
    }
}

/// The spare that a phone gets.
struct SpareChoice {
    spare: Registration,
    /// The earlier account of the phone.
    earlier: PhoneHolder,
    /// Whether its class has workspaces, and its own is not known to run.
    lacks_workspace: bool,
}

/// The spare that the phone gets; `None` = it gets none.
fn choose(tx: &Tx<'_>, request: &SpareRequest<'_>) -> Result<Option<SpareChoice>, StoreError> {
    let failed = StoreError::sql("choose a spare account");
    let Some(earlier) = request.holder(tx).map_err(&failed)? else {
        return Ok(None);
    };
    let best = best(tx, request.seats, request.with_workspace, request.now)?;
    let Some((spare, lacks_workspace)) = best else {
        return Ok(None);
    };
    let is_full = request.seats.free(tx).map_err(failed)? == 0;
    Ok((!is_full).then_some(SpareChoice {
        spare,
        earlier,
        lacks_workspace,
    }))
}

/// A spare as the account of the phone that asks, with the login text that `prepare` makes.
fn of_phone(
    spare: Registration,
    request: &SpareRequest<'_>,
    prepare: impl FnOnce(&Registration) -> Option<Sending>,
) -> Registration {
    let removal = Removal {
        refused_since: None,
        ..spare.removal
    };
    let mut registration = Registration {
        spare_since: None,
        reserved_at: request.now,
        due_at: request.due_at,
        reap_tries: 0,
        reap_note: None,
        removal,
        ..spare
    };
    registration.sending = prepare(&registration);
    registration
}

/// The spare to take, and whether it lacks a workspace that runs.
fn best(
    tx: &Tx<'_>,
    seats: Seats<'_>,
    with_workspace: bool,
    now: UnixSeconds,
) -> Result<Option<(Registration, bool)>, StoreError> {
    // Its password is the derived one, and a moment ago nobody had used it.
    const USABLE: &str = "r.class IS ?1 AND r.spare_since IS NOT NULL AND r.stage = 'created'
         AND r.ended_at IS NULL AND r.password_marker = r.marker AND coalesce(r.due_at > ?2, 1)
         AND r.unused_at BETWEEN ?3 AND ?4";
    const RUNS: &str = "w.running_since IS NOT NULL AND w.trouble IS NULL";
    let joined = "FROM registrations r LEFT JOIN workspaces w
         ON w.registration = r.id AND w.owner = r.coder_id";
    let times = params![seats.name(), now, now - FRESH, now + FRESH];
    let failed = StoreError::sql("choose a spare account");
    let find = |which: &str| {
        let sql = format!(
            "SELECT {COLUMNS} FROM registrations
             WHERE id = (SELECT r.id {joined} WHERE {USABLE} {which} LIMIT 1)"
        );
        let mut statement = tx.prepare_cached(&sql).map_err(&failed)?;
        let mut rows = statement.query(times).map_err(&failed)?;
        let row = rows.next().map_err(&failed)?;
        row.map(read_registration).transpose()
    };
    if !with_workspace {
        return Ok(find("")?.map(|spare| (spare, false)));
    }
    if let Some(spare) = find(&format!("AND {RUNS}"))? {
        return Ok(Some((spare, false)));
    }
    let readiest = find(
        "ORDER BY coalesce(w.trouble = 'build-failed', 0), w.trouble IS NOT NULL, w.id IS NULL, r.id",
    )?;
    Ok(readiest.map(|spare| (spare, true)))
}

/// Has the workspace of a spare that a phone gets built again if its build was given up. That was left to the keeper of
/// spares, who does not look after this one any more.
fn build_again(tx: &Tx<'_>, spare: i64, now: UnixSeconds) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "UPDATE workspaces SET check_at = ?2, tries = 0
         WHERE registration = ?1 AND check_at IS NULL AND trouble IS NOT NULL",
    )?
    .execute([spare, now])
    .map(drop)
}

/// Makes a spare the account of a phone.
fn give(tx: &Tx<'_>, taken: &Registration, phone: &PhoneHash) -> rusqlite::Result<()> {
    let sending = taken.sending;
    tx.prepare_cached(
        "UPDATE registrations
         SET phone = ?2, spare_since = NULL, unused_at = NULL, reserved_at = ?3, due_at = ?4,
             check_at = 0, reap_tries = 0, reap_note = NULL, refused_since = NULL,
             fingerprint = ?5, sending_since = ?6
         WHERE id = ?1",
    )?
    .execute(params![
        taken.id,
        phone.as_bytes(),
        taken.reserved_at,
        taken.due_at,
        sending.as_ref().map(|one| one.fingerprint.as_bytes()),
        sending.map(|one| one.since),
    ])?;
    sending.map_or(Ok(()), |one| count_send(tx, one.since))
}

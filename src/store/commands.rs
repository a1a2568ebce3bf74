//! The database as commands use it, while the service runs or without it.
//!
//! The folder's lock marks the one process that is the service; commands do not need it. SQLite admits
//! one writer at a time. Each order is one transaction that reads the stage and goes through
//! [`crate::domain::registration::Stage::after`]. So a command and a worker never both take the same
//! step, and a command that is killed has changed everything or nothing.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::adopt::{self, Adoption};
use super::contacts::end_texts;
use super::files::{open_existing, overwrite_log};
use super::rows::{read_all, read_where};
use super::{StoreError, Tx, facts, schema};
use crate::domain::order::{Due, Order, OrderRefused};
use crate::domain::registration::{Event, Registration};
use crate::domain::{
    ClassName, Delivery, InstanceId, Marker, MessageSid, PhoneHash, PhoneKey, Receipt, UnixSeconds,
    Username,
};

/// Seconds after its due time from which a login in Twilio's log is reported as late: sweeps may be an
/// hour apart.
const OVERDUE: UnixSeconds = 3_600;

/// The database, opened for one command.
pub struct Commands {
    pub(super) connection: Connection,
}

/// The accounts that an order is for.
#[derive(Clone, Copy, Debug)]
pub enum Chosen<'a> {
    /// All.
    All,
    /// Those of a class.
    Class(&'a ClassName),
    /// Those with these names, in any case.
    Named(&'a [String]),
}

/// The result of an order.
#[derive(Debug, Default)]
pub struct OrderResult {
    /// Accounts as they were before, and their new time.
    pub changed: Vec<(Registration, Due)>,
    /// Accounts that are not changed, and why.
    pub refused: Vec<(Registration, OrderRefused)>,
    /// Names that no account has. If there are any, nothing was changed.
    pub unknown: Vec<String>,
}

/// What was stored about a phone, and is erased now or soon.
#[derive(Debug)]
pub struct ForgetResult {
    /// Its account as it was before; erased when it is removed. A renumbered phone may have two.
    pub accounts: Vec<Registration>,
    /// Whether there were hints, opt-outs or refusals. They are erased.
    pub contact: bool,
}

impl Commands {
    /// Opens the database of a data folder, which must exist.
    ///
    /// # Errors
    /// There is none, it is not ours, or it has another version.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let connection = open_existing(folder)?;
        let found = schema::usable_version(&connection)?;
        if found < schema::VERSION {
            let known = schema::VERSION;
            return Err(StoreError::Older { found, known });
        }
        // The same settings as the service: an order survives a power cut, and deleted data is overwritten.
        connection
            .execute_batch("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;")
            .map_err(StoreError::sql("prepare the database"))?;
        Ok(Self { connection })
    }

    /// All registrations, in the order of their names.
    ///
    /// # Errors
    /// SQLite refused, or a row is impossible.
    pub fn roster(&self) -> Result<Vec<Registration>, StoreError> {
        read_all(&self.connection)
    }

    /// The delivery state of the last login text of each registration, as reported by Twilio, by the
    /// text's MessageSid.
    ///
    /// # Errors
    /// SQLite refused, or a row is impossible.
    pub fn deliveries(&self) -> Result<HashMap<String, Receipt>, StoreError> {
        let failed = StoreError::sql("read the delivery of logins");
        let mut statement = self
            .connection
            .prepare(
                "SELECT d.sid, d.state, d.code FROM registrations r
                 JOIN deliveries d ON d.sid = r.login_sid",
            )
            .map_err(&failed)?;
        let rows = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .and_then(Iterator::collect::<rusqlite::Result<Vec<(String, String, Option<u32>)>>>)
            .map_err(&failed)?;
        let read = |(sid, state, code): (String, String, Option<u32>)| {
            let receipt = Receipt {
                sid: MessageSid::parse(&sid).ok_or(StoreError::Row("MessageSid"))?,
                // A state written by a later program means nothing to this one.
                delivery: Delivery::parse(&state).unwrap_or(Delivery::Queued),
                code,
            };
            Ok((sid, receipt))
        };
        rows.into_iter().map(read).collect()
    }

    /// Logins not redacted in Twilio's log: those given up, and the number of those that should have been
    /// redacted more than an hour before `now`.
    ///
    /// # Errors
    /// SQLite refused, or a row is impossible.
    pub fn pending_redactions(
        &self,
        now: UnixSeconds,
    ) -> Result<(Vec<MessageSid>, u32), StoreError> {
        let failed = StoreError::sql("read which logins stay in Twilio's log");
        let late = "SELECT count(*) FROM deliveries
                    WHERE redact_at < ?1 OR redact_at IS NOT NULL AND redact_tries > 0";
        let late = self
            .connection
            .query_row(late, [now - OVERDUE], |row| row.get(0))
            .map_err(&failed)?;
        let mut statement = self
            .connection
            .prepare("SELECT sid FROM unredacted ORDER BY at, sid")
            .map_err(&failed)?;
        let rows = statement
            .query_map([], |row| row.get(0))
            .and_then(Iterator::collect::<rusqlite::Result<Vec<String>>>)
            .map_err(failed)?;
        let read = |sid: String| MessageSid::parse(&sid).ok_or(StoreError::Row("MessageSid"));
        let given_up = rows.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok((given_up, late))
    }

    /// Carries out `order` for these accounts. A `rehearsal` reports what would be done, and changes nothing.
    ///
    /// # Errors
    /// SQLite refused; nothing is changed.
    pub fn apply(
        &mut self,
        order: Order,
        chosen: Chosen<'_>,
        now: UnixSeconds,
        rehearsal: bool,
    ) -> Result<OrderResult, StoreError> {
        let tx = self.begin("change the time of accounts")?;
        let all = read_all(&tx)?;
        let mut applied = OrderResult::default();
        let has_name = |registration: &Registration, name: &String| {
            registration.username.as_str().eq_ignore_ascii_case(name)
        };
        if let Chosen::Named(names) = chosen {
            let is_unknown = |name: &&String| !all.iter().any(|one| has_name(one, name));
            applied.unknown = names.iter().filter(is_unknown).cloned().collect();
            if !applied.unknown.is_empty() {
                return Ok(applied);
            }
        }
        let is_selected = |one: &Registration| match chosen {
            // Spare accounts have no student; the service makes and removes them.
            Chosen::All => !one.is_spare(),
            Chosen::Class(class) => !one.is_spare() && one.class.as_ref() == Some(class),
            Chosen::Named(names) => names.iter().any(|name| has_name(one, name)),
        };
        for registration in all.into_iter().filter(is_selected) {
            match order.due(&registration, now) {
                Ok(due) => {
                    reschedule(&tx, &registration, due.at, order, now)?;
                    applied.changed.push((registration, due));
                }
                Err(refusal) => applied.refused.push((registration, refusal)),
            }
        }
        end(tx, rehearsal)?;
        Ok(applied)
    }

    /// The instance id; `None` before the first start of a service in the data folder.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn instance_id(&self) -> Result<Option<InstanceId>, StoreError> {
        facts::instance_id(&self.connection).map_err(StoreError::sql("read the instance id"))
    }

    /// As [`super::Store::adopt`].
    ///
    /// # Errors
    /// SQLite refused; nothing is changed.
    pub fn adopt(
        &mut self,
        accounts: &[Adoption],
        now: UnixSeconds,
    ) -> Result<Vec<Username>, StoreError> {
        let failed = StoreError::sql(adopt::DOING);
        let tx = self.begin(adopt::DOING)?;
        let adopted = adopt::adopt(&Tx(&tx), accounts, now).map_err(&failed)?;
        tx.commit().map_err(failed)?;
        Ok(adopted)
    }

    /// Deletes the registration with this marker if it was adopted; any other stays. Its user must be gone.
    ///
    /// # Errors
    /// SQLite refused; nothing is changed.
    pub fn disown(&mut self, marker: &Marker) -> Result<(), StoreError> {
        const DOING: &str = "forget an adopted account";
        let failed = StoreError::sql(DOING);
        let tx = self.begin(DOING)?;
        adopt::disown(&Tx(&tx), marker).map_err(&failed)?;
        tx.commit().map_err(failed)
    }

    /// The one of `keys` that the hashes in the database were made with.
    ///
    /// # Errors
    /// It is none of them.
    pub fn key(&self, keys: &[PhoneKey]) -> Result<PhoneKey, StoreError> {
        let failed = StoreError::sql("read the database's key check");
        match facts::phone_key(&self.connection, keys).map_err(&failed)? {
            Some(key) => Ok(key.clone()),
            None => Err(StoreError::OtherKey {
                registrations: self
                    .connection
                    .query_row("SELECT count(*) FROM registrations", [], |row| row.get(0))
                    .map_err(failed)?,
            }),
        }
    }

    /// Erases what is stored about a phone under any of `hashes`, ends its account, and marks `waiting`, its
    /// texts in the stream, as served. An account whose removal has begun is only reported. A `rehearsal`
    /// reports what would be done, and changes nothing.
    ///
    /// # Errors
    /// SQLite refused; nothing is changed.
    pub fn forget(
        &mut self,
        hashes: &[PhoneHash],
        waiting: &[MessageSid],
        now: UnixSeconds,
        rehearsal: bool,
    ) -> Result<ForgetResult, StoreError> {
        let failed = StoreError::sql("forget a phone");
        let tx = self.begin("forget a phone")?;
        let mut forgotten = ForgetResult {
            accounts: Vec::new(),
            contact: false,
        };
        for phone in hashes {
            let accounts = read_where(&tx, "WHERE phone = ?1", [phone.as_bytes()])?;
            let erase = || tx.execute("DELETE FROM contacts WHERE phone = ?1", [phone.as_bytes()]);
            forgotten.contact |= erase().map_err(&failed)? > 0;
            tx.execute(
                "UPDATE registrations SET forgotten_at = ?2 WHERE phone = ?1",
                params![phone.as_bytes(), now],
            )
            .map_err(&failed)?;
            for registration in &accounts {
                if let Ok(due) = Order::End.due(registration, now) {
                    reschedule(&tx, registration, due.at, Order::End, now)?;
                    // The end of the account leaves a contact; here the texts are marked as served instead.
                    erase().map_err(&failed)?;
                }
            }
            forgotten.accounts.extend(accounts);
        }
        for sid in waiting {
            super::texts::mark_seen(&Tx(&tx), sid, now).map_err(&failed)?;
        }
        end(tx, rehearsal)?;
        if !rehearsal {
            overwrite_log(&self.connection)?;
        }
        Ok(forgotten)
    }

    /// Allows a text that was given up to be served again: that record is deleted, and so is a refusal of
    /// its phone, stored under `hashes`. An opt-out stays.
    ///
    /// # Errors
    /// SQLite refused; nothing is changed.
    pub fn allow_again(
        &mut self,
        sid: &MessageSid,
        hashes: &[PhoneHash],
    ) -> Result<(), StoreError> {
        let failed = StoreError::sql("allow a text again");
        let tx = self.begin("allow a text again")?;
        // A text that was served meanwhile stays served.
        tx.execute(
            "DELETE FROM seen WHERE sid = ?1 AND gave_up IS NOT NULL",
            [sid.as_str()],
        )
        .map_err(&failed)?;
        for phone in hashes {
            tx.execute(
                "UPDATE contacts SET refused_until = NULL WHERE phone = ?1",
                [phone.as_bytes()],
            )
            .map_err(&failed)?;
        }
        tx.commit().map_err(failed)
    }

    pub(super) fn begin(&mut self, doing: &'static str) -> Result<Transaction<'_>, StoreError> {
        self.connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(StoreError::sql(doing))
    }
}

fn end(tx: Transaction<'_>, rehearsal: bool) -> Result<(), StoreError> {
    let ended = if rehearsal {
        tx.rollback()
    } else {
        tx.commit()
    };
    ended.map_err(StoreError::sql("end a change"))
}

fn reschedule(
    tx: &Transaction<'_>,
    registration: &Registration,
    due_at: UnixSeconds,
    order: Order,
    now: UnixSeconds,
) -> Result<(), StoreError> {
    let event = match order {
        Order::End => Event::RemovalBegun,
        Order::EndGently | Order::Extend { .. } => Event::Rescheduled,
    };
    let stage = registration.stage.after(event).map_err(StoreError::Step)?;
    let ends = order.ends();
    let began = event == Event::RemovalBegun;
    let change = || {
        tx.prepare_cached(
            "UPDATE registrations
             SET stage = ?2, due_at = ?3, ended_at = ?4, check_at = 0, reap_tries = 0,
                 reaping_since = ?5, reap_note = CASE WHEN ?5 IS NULL THEN reap_note END
             WHERE id = ?1",
        )?
        .execute(params![
            registration.id,
            stage.as_str(),
            due_at,
            ends.then_some(now),
            began.then_some(now)
        ])?;
        if ends {
            end_texts(&Tx(tx), registration.id, now)?;
        }
        Ok(())
    };
    change().map_err(StoreError::sql("change the time of an account"))
}

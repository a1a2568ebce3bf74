//! What became of login texts, and whose words still stand in Twilio's log: by MessageSid, without
//! phones and words.
//!
//! A row begins with the send's own answer or with a receipt that was faster. Rows go with their
//! registration, or after 30 days; those that still have to be redacted outlive it until they are.

use rusqlite::{OptionalExtension, Transaction, params};

use super::contacts::opted_out_at_twilio;
use super::{Store, StoreError};
use crate::domain::{
    Delivery, MessageSid, Receipt, Undelivered, UnixSeconds, Username, says_opted_out,
};

/// How long after it was sent a login is redacted in Twilio's log if nobody confirms its delivery.
const REDACT_AFTER: UnixSeconds = 3_600;

/// Texts that no registration is known for: receipts that came before the send's own answer, and
/// those of texts that are none of our logins. More than are ever on their way at once.
pub(super) const STRANGERS_KEPT: u32 = 1_000;

/// Texts that are remembered at most, about 15 MB.
const KEPT: u32 = 100_000;

/// What the first word about a login's end was.
pub(super) enum Fate {
    Arrived,
    Failed(Undelivered),
}

/// A login whose words still stand in Twilio's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingRedaction {
    /// The text.
    pub sid: MessageSid,
    /// How far it has come, as far as we know.
    pub delivery: Delivery,
    /// Tries to redact it that failed.
    pub tries: u32,
}

impl Store {
    /// Records what Twilio says of texts. Returns the logins of which this is the first word that
    /// they failed.
    ///
    /// # Errors
    /// SQLite refused; nothing is recorded.
    pub fn record_receipts(
        &self,
        receipts: &[Receipt],
        now: UnixSeconds,
    ) -> Result<Vec<Undelivered>, StoreError> {
        let fates = self.write("record receipts", |tx| {
            let mut fates = Vec::new();
            let mut strangers = false;
            for receipt in receipts {
                match known(tx, &receipt.sid)? {
                    Some(known) => fates.extend(advance(tx, receipt, known, now)?),
                    None => {
                        strangers = true;
                        insert(tx, receipt, now)?;
                    }
                }
            }
            if strangers {
                tx.prepare_cached(
                    "DELETE FROM deliveries WHERE sid IN
                     (SELECT sid FROM deliveries WHERE registration IS NULL AND redact_at IS NULL
                      ORDER BY at DESC LIMIT -1 OFFSET ?1)",
                )?
                .execute([STRANGERS_KEPT])?;
            }
            Ok(fates)
        })?;
        Ok(fates
            .into_iter()
            .filter_map(|fate| self.told(fate))
            .collect())
    }

    /// Counts a login that arrived, once that is recorded. Returns it if it failed.
    pub(super) fn told(&self, fate: Fate) -> Option<Undelivered> {
        match fate {
            Fate::Arrived => {
                self.counts.delivered.add();
                None
            }
            Fate::Failed(undelivered) => Some(undelivered),
        }
    }

    /// Whether `sid` is a login text of ours whose sending is recorded.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn is_recorded(&self, sid: &str) -> Result<bool, StoreError> {
        self.lock()
            .prepare_cached("SELECT 1 FROM deliveries WHERE sid = ?1 AND registration IS NOT NULL")
            .and_then(|mut statement| statement.exists([sid]))
            .map_err(StoreError::sql("look a login text up"))
    }

    /// Whether `sid` is a login text that is known not to reach its phone.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn has_failed(&self, sid: &MessageSid) -> Result<bool, StoreError> {
        let state: Option<String> = self
            .lock()
            .prepare_cached("SELECT state FROM deliveries WHERE sid = ?1")
            .and_then(|mut statement| {
                statement
                    .query_row([sid.as_str()], |row| row.get(0))
                    .optional()
            })
            .map_err(StoreError::sql("look a login text up"))?;
        let delivery = state.as_deref().and_then(Delivery::parse);
        Ok(delivery.is_some_and(Delivery::has_failed))
    }

    /// Up to `limit` logins that are to be redacted in Twilio's log by now. What is put off for more
    /// than a day was so by a clock that has been set back since.
    ///
    /// # Errors
    /// SQLite refused, or a row is impossible.
    pub fn to_redact(
        &self,
        now: UnixSeconds,
        limit: u32,
    ) -> Result<Vec<PendingRedaction>, StoreError> {
        let rows: Vec<(String, String, u32)> = self
            .lock()
            .prepare_cached(
                "SELECT sid, state, redact_tries FROM deliveries
                 WHERE redact_at IS NOT NULL AND redact_at NOT BETWEEN ?1 + 1 AND ?1 + 86400
                 ORDER BY redact_at LIMIT ?2",
            )
            .and_then(|mut statement| {
                let rows = statement.query_map(params![now, limit], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })?;
                rows.collect()
            })
            .map_err(StoreError::sql("find texts to redact"))?;
        let read = |(sid, state, tries): (String, String, u32)| {
            Ok(PendingRedaction {
                sid: MessageSid::parse(&sid).ok_or(StoreError::Row("MessageSid"))?,
                delivery: Delivery::parse(&state).ok_or(StoreError::Row("delivery"))?,
                tries,
            })
        };
        rows.into_iter().map(read).collect()
    }

    /// Has the text `sid`, which somebody sent to us with a login in it, redacted in Twilio's log by the next sweep.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn redact_received(&self, sid: &MessageSid, now: UnixSeconds) -> Result<(), StoreError> {
        self.write("remember a text to redact", |tx| {
            // As one that has arrived: Twilio has it, and nothing is to be waited for.
            tx.prepare_cached(
                "INSERT INTO deliveries (sid, at, state, redact_at) VALUES (?1, ?2, ?3, ?2)
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![sid.as_str(), now, Delivery::Delivered.as_str()])
            .map(drop)
        })
    }

    /// Records that a login is redacted in Twilio's log.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn redacted(&self, sid: &MessageSid) -> Result<(), StoreError> {
        self.write("record a redacted text", |tx| end_redaction(tx, sid))
    }

    /// Records that a login stays in Twilio's log, as it could not be redacted: nobody tries again, and `status`
    /// shows it for 30 days.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn not_redacted(&self, sid: &MessageSid, now: UnixSeconds) -> Result<(), StoreError> {
        self.write("give the redaction of a text up", |tx| {
            tx.prepare_cached(
                "INSERT INTO unredacted (sid, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            )?
            .execute(params![sid.as_str(), now])?;
            end_redaction(tx, sid)
        })
    }

    /// Puts the next try to redact a login off until `at`, after so many that failed.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn redact_later(
        &self,
        sid: &MessageSid,
        at: UnixSeconds,
        tries: u32,
    ) -> Result<(), StoreError> {
        self.write("put a redaction off", |tx| {
            tx.prepare_cached(
                "UPDATE deliveries SET redact_at = ?2, redact_tries = ?3
                 WHERE sid = ?1 AND redact_at IS NOT NULL",
            )?
            .execute(params![sid.as_str(), at, tries])
            .map(drop)
        })
    }
}

fn end_redaction(tx: &Transaction<'_>, sid: &MessageSid) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM deliveries WHERE sid = ?1 AND registration IS NULL")?
        .execute([sid.as_str()])?;
    tx.prepare_cached("UPDATE deliveries SET redact_at = NULL WHERE sid = ?1")?
        .execute([sid.as_str()])
        .map(drop)
}

/// Records that Twilio took the login text `sid` of a registration. Returns what became of it if a
/// receipt was faster.
pub(super) fn record_send(
    tx: &Transaction<'_>,
    registration: i64,
    sid: &MessageSid,
    at: UnixSeconds,
) -> rusqlite::Result<Option<Fate>> {
    let early = known(tx, sid)?;
    let arrived = early
        .as_ref()
        .is_some_and(|known| known.delivery.has_arrived());
    let redact_at = if arrived { at } else { at + REDACT_AFTER };
    tx.prepare_cached(
        "INSERT INTO deliveries (sid, at, registration, state, redact_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (sid) DO UPDATE SET at = excluded.at, registration = excluded.registration,
                                         redact_at = excluded.redact_at",
    )?
    .execute(params![sid.as_str(), at, registration, Delivery::Queued.as_str(), redact_at])?;
    match early {
        Some(early) if early.registration.is_none() => {
            fate(tx, registration, sid, (early.delivery, early.code), at)
        }
        _ => Ok(None),
    }
}

/// Forgets texts of before then, and the oldest beyond 100,000. Returns how many rows went.
pub(super) fn forget_old(tx: &Transaction<'_>, before: UnixSeconds) -> rusqlite::Result<usize> {
    let old = tx.execute("DELETE FROM deliveries WHERE at < ?1", [before])?;
    let surplus = tx.execute(
        "DELETE FROM deliveries WHERE sid IN
         (SELECT sid FROM deliveries ORDER BY at DESC LIMIT -1 OFFSET ?1)",
        [KEPT],
    )?;
    tx.execute("DELETE FROM unredacted WHERE at < ?1", [before])?;
    Ok(old + surplus)
}

/// A row as it stands.
struct DeliveryRow {
    delivery: Delivery,
    code: Option<u32>,
    registration: Option<i64>,
}

fn known(tx: &Transaction<'_>, sid: &MessageSid) -> rusqlite::Result<Option<DeliveryRow>> {
    tx.prepare_cached("SELECT state, code, registration FROM deliveries WHERE sid = ?1")?
        .query_row([sid.as_str()], |row| {
            let state: String = row.get(0)?;
            Ok(DeliveryRow {
                // A word of a later program: anything that Twilio says now is as good.
                delivery: Delivery::parse(&state).unwrap_or(Delivery::Queued),
                code: row.get(1)?,
                registration: row.get(2)?,
            })
        })
        .optional()
}

fn insert(tx: &Transaction<'_>, receipt: &Receipt, now: UnixSeconds) -> rusqlite::Result<()> {
    tx.prepare_cached("INSERT INTO deliveries (sid, at, state, code) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![
            receipt.sid.as_str(),
            now,
            receipt.delivery.as_str(),
            receipt.code
        ])
        .map(drop)
}

/// Takes a row further, if the receipt is. A confirmed login is redacted by the next sweep.
fn advance(
    tx: &Transaction<'_>,
    receipt: &Receipt,
    known: DeliveryRow,
    now: UnixSeconds,
) -> rusqlite::Result<Option<Fate>> {
    let Receipt {
        sid,
        delivery,
        code,
    } = receipt;
    if !delivery.is_beyond(known.delivery) {
        return Ok(None);
    }
    let redact_by = delivery.has_arrived().then_some(now);
    tx.prepare_cached(
        "UPDATE deliveries SET state = ?2, code = ?3, redact_at = min(redact_at, coalesce(?4, redact_at))
         WHERE sid = ?1",
    )?
    .execute(params![sid.as_str(), delivery.as_str(), code, redact_by])?;
    match known.registration {
        // That it was read is no news of its arrival.
        Some(registration) if !known.delivery.has_ended() => {
            fate(tx, registration, sid, (*delivery, *code), now)
        }
        _ => Ok(None),
    }
}

/// The end of a login, if it has come to one. That the person has opted out counts from then on.
fn fate(
    tx: &Transaction<'_>,
    registration: i64,
    sid: &MessageSid,
    (delivery, code): (Delivery, Option<u32>),
    now: UnixSeconds,
) -> rusqlite::Result<Option<Fate>> {
    if delivery.has_arrived() {
        return Ok(Some(Fate::Arrived));
    }
    if !delivery.has_failed() {
        return Ok(None);
    }
    if says_opted_out(code) {
        opted_out_at_twilio(tx, registration, now)?;
    }
    let username: Option<String> = tx
        .prepare_cached("SELECT username FROM registrations WHERE id = ?1")?
        .query_row([registration], |row| row.get(0))
        .optional()?;
    let username = username.as_deref().and_then(Username::parse);
    Ok(username.map(|username| {
        Fate::Failed(Undelivered {
            username,
            sid: sid.clone(),
            code,
        })
    }))
}

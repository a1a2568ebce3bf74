//! The delivery of login texts, and which of them must still be redacted in Twilio's log: by
//! MessageSid, without phones and words.
//!
//! A row begins with the answer to the send, or with a receipt that came earlier. Rows are deleted with
//! their registration, or after 30 days. Rows of texts still to be redacted outlive their registration until that is
//! done, for 30 days at most.

use rusqlite::{OptionalExtension, params};

use super::contacts::opted_out_at_twilio;
use super::{Store, StoreError, Tx};
use crate::domain::{
    Delivery, MessageSid, Receipt, Undelivered, UnixSeconds, Username, says_opted_out,
};

/// Seconds after sending when a login is redacted in Twilio's log if no receipt confirms its delivery.
const REDACT_AFTER: UnixSeconds = 3_600;

/// Maximum number of rows without a registration: of receipts that came before the answer to the send,
/// and of texts that are not our logins. More than are ever on their way at once.
pub(super) const UNASSIGNED_KEPT: u32 = 1_000;

/// Maximum number of rows, about 15 MB.
const KEPT: u32 = 100_000;

/// The first report on the end of a login's delivery.
pub(super) enum DeliveryEnd {
    Arrived,
    Failed(Undelivered),
}

/// A login that is not yet redacted in Twilio's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingRedaction {
    /// The text.
    pub sid: MessageSid,
    /// Its delivery, as far as reported.
    pub delivery: Delivery,
    /// Failed tries to redact it.
    pub tries: u32,
}

impl Store {
    /// Records receipts of texts. Returns the logins for which this is the first report of a failure.
    ///
    /// # Errors
    /// SQLite refused; nothing is recorded.
    pub fn record_receipts(
        &self,
        receipts: &[Receipt],
        now: UnixSeconds,
    ) -> Result<Vec<Undelivered>, StoreError> {
        let ends = self.write("record receipts", |tx| {
            let mut ends = Vec::new();
            let mut unassigned = false;
            for receipt in receipts {
                match known(tx, &receipt.sid)? {
                    Some(known) => ends.extend(advance(tx, receipt, known, now)?),
                    None => {
                        unassigned = true;
                        insert(tx, receipt, now)?;
                    }
                }
            }
            if unassigned {
                tx.prepare_cached(
                    "DELETE FROM deliveries WHERE sid IN
                     (SELECT sid FROM deliveries WHERE registration IS NULL AND redact_at IS NULL
                      ORDER BY at DESC LIMIT -1 OFFSET ?1)",
                )?
                .execute([UNASSIGNED_KEPT])?;
            }
            Ok(ends)
        })?;
        Ok(ends
            .into_iter()
            .filter_map(|end| self.count_delivered(end))
            .collect())
    }

    /// Counts a login that arrived; to be called after the commit. Returns a login that failed.
    pub(super) fn count_delivered(&self, end: DeliveryEnd) -> Option<Undelivered> {
        match end {
            DeliveryEnd::Arrived => {
                self.counts.delivered.add();
                None
            }
            DeliveryEnd::Failed(undelivered) => Some(undelivered),
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
            .map_err(StoreError::sql("look up a login text"))
    }

    /// Whether `sid` is a login text whose delivery surely failed.
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
            .map_err(StoreError::sql("look up a login text"))?;
        let delivery = state.as_deref().and_then(Delivery::parse);
        Ok(delivery.is_some_and(Delivery::has_failed))
    }

    /// Up to `limit` logins that are due to be redacted in Twilio's log. A time more than a day ahead was
    /// set before the clock was set back, and counts as due.
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

    /// Schedules the received text `sid` for the next redaction sweep, because it contains a login.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn redact_received(&self, sid: &MessageSid, now: UnixSeconds) -> Result<(), StoreError> {
        self.write("record a text to redact", |tx| {
            // Stored as delivered: Twilio has the text, so no receipt is to be waited for.
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

    /// Records that a login could not be redacted in Twilio's log. It is not tried again, and `status`
    /// shows it for 30 days.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn not_redacted(&self, sid: &MessageSid, now: UnixSeconds) -> Result<(), StoreError> {
        self.write("give up the redaction of a text", |tx| {
            tx.prepare_cached(
                "INSERT INTO unredacted (sid, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            )?
            .execute(params![sid.as_str(), now])?;
            end_redaction(tx, sid)
        })
    }

    /// Postpones the next try to redact a login until `at`, after `tries` failed ones.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn redact_later(
        &self,
        sid: &MessageSid,
        at: UnixSeconds,
        tries: u32,
    ) -> Result<(), StoreError> {
        self.write("postpone a redaction", |tx| {
            tx.prepare_cached(
                "UPDATE deliveries SET redact_at = ?2, redact_tries = ?3
                 WHERE sid = ?1 AND redact_at IS NOT NULL",
            )?
            .execute(params![sid.as_str(), at, tries])
            .map(drop)
        })
    }
}

fn end_redaction(tx: &Tx<'_>, sid: &MessageSid) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM deliveries WHERE sid = ?1 AND registration IS NULL")?
        .execute([sid.as_str()])?;
    tx.prepare_cached("UPDATE deliveries SET redact_at = NULL WHERE sid = ?1")?
        .execute([sid.as_str()])
        .map(drop)
}

/// Records that Twilio accepted the login text `sid` of a registration. Returns the end of its delivery
/// if a receipt came earlier.
pub(super) fn record_send(
    tx: &Tx<'_>,
    registration: i64,
    sid: &MessageSid,
    at: UnixSeconds,
) -> rusqlite::Result<Option<DeliveryEnd>> {
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
            delivery_end(tx, registration, sid, (early.delivery, early.code), at)
        }
        _ => Ok(None),
    }
}

/// Deletes rows of texts before then, and the oldest beyond 100,000. Returns the number of deleted rows.
pub(super) fn forget_old(tx: &Tx<'_>, before: UnixSeconds) -> rusqlite::Result<usize> {
    let old = tx.execute("DELETE FROM deliveries WHERE at < ?1", [before])?;
    let surplus = tx.execute(
        "DELETE FROM deliveries WHERE sid IN
         (SELECT sid FROM deliveries ORDER BY at DESC LIMIT -1 OFFSET ?1)",
        [KEPT],
    )?;
    tx.execute("DELETE FROM unredacted WHERE at < ?1", [before])?;
    Ok(old + surplus)
}

/// A row of `deliveries`.
struct DeliveryRow {
    delivery: Delivery,
    code: Option<u32>,
    registration: Option<i64>,
}

fn known(tx: &Tx<'_>, sid: &MessageSid) -> rusqlite::Result<Option<DeliveryRow>> {
    tx.prepare_cached("SELECT state, code, registration FROM deliveries WHERE sid = ?1")?
        .query_row([sid.as_str()], |row| {
            let state: String = row.get(0)?;
            Ok(DeliveryRow {
                // A state written by a later program counts as none: the next receipt replaces it.
                delivery: Delivery::parse(&state).unwrap_or(Delivery::Queued),
                code: row.get(1)?,
                registration: row.get(2)?,
            })
        })
        .optional()
}

fn insert(tx: &Tx<'_>, receipt: &Receipt, now: UnixSeconds) -> rusqlite::Result<()> {
    tx.prepare_cached("INSERT INTO deliveries (sid, at, state, code) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![
            receipt.sid.as_str(),
            now,
            receipt.delivery.as_str(),
            receipt.code
        ])
        .map(drop)
}

/// Updates a row if the receipt is a later state. A confirmed login is redacted by the next sweep.
fn advance(
    tx: &Tx<'_>,
    receipt: &Receipt,
    known: DeliveryRow,
    now: UnixSeconds,
) -> rusqlite::Result<Option<DeliveryEnd>> {
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
        // A read receipt after the delivery is no new end.
        Some(registration) if !known.delivery.has_ended() => {
            delivery_end(tx, registration, sid, (*delivery, *code), now)
        }
        _ => Ok(None),
    }
}

/// The end of a login's delivery, if it has one. An opt-out that it reports is recorded.
fn delivery_end(
    tx: &Tx<'_>,
    registration: i64,
    sid: &MessageSid,
    (delivery, code): (Delivery, Option<u32>),
    now: UnixSeconds,
) -> rusqlite::Result<Option<DeliveryEnd>> {
    if delivery.has_arrived() {
        return Ok(Some(DeliveryEnd::Arrived));
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
        DeliveryEnd::Failed(Undelivered {
            username,
            sid: sid.clone(),
            code,
        })
    }))
}

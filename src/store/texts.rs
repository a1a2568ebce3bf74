//! Which texts were served, and how many texts were sent recently.

use rusqlite::{Connection, OptionalExtension, params};

use super::{Store, StoreError, Tx};
use crate::domain::{MessageSid, UnixSeconds};

/// What is recorded about a received text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextHistory {
    /// Nothing: it is new, or its handling was interrupted.
    Never,
    /// It was served.
    Served,
    /// It was given up, for this reason.
    GivenUp(String),
}

/// Sent texts are counted in slots of five minutes, so that the hour is a sliding one. It has this many.
pub(super) const SLOTS: i64 = 12;

pub(super) fn slot(at: UnixSeconds) -> i64 {
    at.div_euclid(300)
}

/// Counts a text that is about to be sent.
pub(super) fn count_send(tx: &Tx<'_>, at: UnixSeconds) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO sends (slot, count) VALUES (?1, 1) ON CONFLICT (slot) DO UPDATE SET count = count + 1",
    )?
    .execute([slot(at)])
    .map(drop)
}

/// Undoes what [`count_send`] counted at `at`: Twilio surely did not accept that text.
pub(super) fn uncount_send(tx: &Tx<'_>, at: UnixSeconds) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE sends SET count = count - 1 WHERE slot = ?1 AND count > 0")?
        .execute([slot(at)])
        .map(drop)
}

/// Dates the sends of the future as the clock shows it since it was set back by `by` seconds. Otherwise they would not
/// count for this hour, but for one that comes.
pub(super) fn redate_sends(tx: &Tx<'_>, by: UnixSeconds, now: UnixSeconds) -> rusqlite::Result<()> {
    tx.execute(
        "INSERT INTO sends (slot, count) SELECT min(slot - ?1, ?2), count FROM sends WHERE slot > ?2
         ON CONFLICT (slot) DO UPDATE SET count = sends.count + excluded.count",
        [slot(by), slot(now)],
    )?;
    tx.execute("DELETE FROM sends WHERE slot > ?1", [slot(now)])
        .map(drop)
}

impl Store {
    /// Whether the text `sid` was served or given up.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn seen(&self, sid: &MessageSid) -> Result<TextHistory, StoreError> {
        history(&self.lock(), sid)
    }

    /// Records that the text `sid` was served.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn finish(&self, sid: &MessageSid, now: UnixSeconds) -> Result<(), StoreError> {
        self.write("record a text", |tx| mark_seen(tx, sid, now))
    }
}

/// Whether the text `sid` was served or given up.
pub(super) fn history(
    connection: &Connection,
    sid: &MessageSid,
) -> Result<TextHistory, StoreError> {
    connection
        .prepare_cached("SELECT gave_up FROM seen WHERE sid = ?1")
        .and_then(|mut statement| {
            statement
                .query_row([sid.as_str()], |row| row.get(0))
                .optional()
        })
        .map(|row: Option<Option<String>>| match row {
            None => TextHistory::Never,
            Some(None) => TextHistory::Served,
            Some(Some(why)) => TextHistory::GivenUp(why),
        })
        .map_err(StoreError::sql("look up a text"))
}

/// Number of texts sent in the hour before `now`, in slots of five minutes. Texts that Twilio surely did not accept are
/// not counted.
pub(super) fn sent_last_hour(connection: &Connection, now: UnixSeconds) -> rusqlite::Result<u32> {
    connection
        .prepare_cached("SELECT coalesce(sum(count), 0) FROM sends WHERE slot > ?1 AND slot <= ?2")?
        .query_row([slot(now) - SLOTS, slot(now)], |row| row.get(0))
}

/// Records that a text was given up, so that it becomes a dead letter despite any interruption.
pub(super) fn mark_given_up(
    tx: &Tx<'_>,
    sid: &MessageSid,
    now: UnixSeconds,
    why: &str,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO seen (sid, at, gave_up) VALUES (?1, ?2, ?3)
         ON CONFLICT (sid) DO UPDATE SET gave_up = excluded.gave_up",
    )?
    .execute(params![sid.as_str(), now, why])
    .map(drop)
}

/// Records that a text was served.
pub(super) fn mark_seen(tx: &Tx<'_>, sid: &MessageSid, now: UnixSeconds) -> rusqlite::Result<()> {
    tx.prepare_cached("INSERT INTO seen (sid, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![sid.as_str(), now])
        .map(drop)
}

//! What is remembered of a phone beside its registration: hints, opt-outs, refusals.

use rusqlite::{OptionalExtension, Transaction, params};

use super::{Store, StoreError, mark_seen};
use crate::domain::{MessageSid, PhoneHash, UnixSeconds};

/// What is remembered of one phone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// When it was last told that its text was not the phrase.
    pub hinted_at: Option<UnixSeconds>,
    /// When it opted out, if it did and has not come back.
    pub opted_out_at: Option<UnixSeconds>,
    /// Until when nothing is sent to it, as Twilio said that it cannot be reached.
    pub refused_until: Option<UnixSeconds>,
}

/// How long seen texts and idle contacts are remembered: 30 days. Twilio's retries come within
/// seconds; a captured webhook can be replayed for ever and then earns one more resend at most.
const MEMORY: UnixSeconds = 30 * 86_400;

impl Store {
    /// What is remembered of `phone`.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn contact(&self, phone: &PhoneHash) -> Result<Contact, StoreError> {
        self.lock()
            .prepare_cached(
                "SELECT hinted_at, opted_out_at, refused_until FROM contacts WHERE phone = ?1",
            )
            .and_then(|mut statement| {
                statement
                    .query_row([phone.as_bytes()], |row| {
                        Ok(Contact {
                            hinted_at: row.get(0)?,
                            opted_out_at: row.get(1)?,
                            refused_until: row.get(2)?,
                        })
                    })
                    .optional()
            })
            .map(Option::unwrap_or_default)
            .map_err(StoreError::sql("look a contact up"))
    }

    /// Records that `phone` is about to get a hint for the text `sid`.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn hinted(
        &self,
        phone: &PhoneHash,
        sid: &MessageSid,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        self.write("record a hint", |tx| {
            set(tx, "hinted_at", phone, Some(now))?;
            mark_seen(tx, sid, now)
        })
    }

    /// Records that `phone` opted out or in by the text `sid`.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn opted(
        &self,
        phone: &PhoneHash,
        out: bool,
        sid: &MessageSid,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        self.write("record an opt-out", |tx| {
            set(tx, "opted_out_at", phone, out.then_some(now))?;
            mark_seen(tx, sid, now)
        })
    }

    /// Records that `phone` cannot be reached until then, and that the text `sid` ends with that.
    /// An account nobody has a login for is due at once.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn refused(
        &self,
        phone: &PhoneHash,
        until: UnixSeconds,
        sid: &MessageSid,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        self.write("record a refusal", |tx| {
            set(tx, "refused_until", phone, Some(until))?;
            release(tx, phone, now)?;
            mark_seen(tx, sid, now)
        })
    }

    /// Records that the text `sid` was given up. An account nobody has a login for is due at once.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn gave_up(
        &self,
        phone: &PhoneHash,
        sid: &MessageSid,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        self.write("give a text up", |tx| {
            release(tx, phone, now)?;
            mark_seen(tx, sid, now)
        })
    }

    /// Forgets texts and contacts of more than 30 days ago. Returns how many rows went.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn prune(&self, now: UnixSeconds) -> Result<usize, StoreError> {
        let before = now - MEMORY;
        self.write("forget old texts", |tx| {
            let texts = tx.execute("DELETE FROM seen WHERE at < ?1", [before])?;
            let contacts = tx.execute(
                "DELETE FROM contacts WHERE opted_out_at IS NULL
                 AND coalesce(hinted_at, 0) < ?1 AND coalesce(refused_until, 0) < ?1",
                [before],
            )?;
            Ok(texts + contacts)
        })
    }
}

fn set(
    tx: &Transaction<'_>,
    column: &str,
    phone: &PhoneHash,
    value: Option<UnixSeconds>,
) -> rusqlite::Result<()> {
    tx.prepare_cached(&format!(
        "INSERT INTO contacts (phone, {column}) VALUES (?1, ?2)
         ON CONFLICT (phone) DO UPDATE SET {column} = excluded.{column}"
    ))?
    .execute(params![phone.as_bytes(), value])
    .map(drop)
}

fn release(tx: &Transaction<'_>, phone: &PhoneHash, now: UnixSeconds) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "UPDATE registrations SET due_at = ?2, fingerprint = NULL, sending_since = NULL
         WHERE phone = ?1 AND stage IN ('reserved', 'created')",
    )?
    .execute(params![phone.as_bytes(), now])
    .map(drop)
}

//! What is stored about a phone in addition to its registration: hints, opt-outs, refusals.

use rusqlite::{Connection, OptionalExtension, params};

use super::rows::MAY_HAVE_LOGIN;
use super::texts::{count_send, mark_given_up, mark_seen};
use super::{Commands, Store, StoreError, Tx};
use crate::domain::{MessageSid, PhoneHash, UnixSeconds};

/// What is stored about one phone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// When it was last told that its text was not the phrase.
    pub hinted_at: Option<UnixSeconds>,
    /// When it opted out, if it has not opted in again.
    pub opted_out_at: Option<UnixSeconds>,
    /// Whether it opted out in words that Twilio does not act on, so that only we know.
    pub own_opt_out: bool,
    /// Until when nothing is sent to it, because Twilio reported that it cannot be reached.
    pub refused_until: Option<UnixSeconds>,
    /// When it was last told that the class is full.
    pub full_at: Option<UnixSeconds>,
    /// When it was last told that a class is not open yet or is over, or that its login is of another class.
    pub told_at: Option<UnixSeconds>,
    /// When the removal of its account began or the instructor ended it. Texts received before that get
    /// no new account.
    pub ended_at: Option<UnixSeconds>,
    /// When an account was removed for which it had a login.
    pub gone_at: Option<UnixSeconds>,
}

/// A short text without a login, sent at most once per period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Its text was not the phrase.
    Hint,
    /// All seats are taken.
    Full,
    /// The class is not open yet or is over, or the phone has a login of another class.
    NotNow,
}

impl Notice {
    /// The column with the time of the last one.
    const fn column(self) -> &'static str {
        match self {
            Self::Hint => "hinted_at",
            Self::Full => "full_at",
            Self::NotNow => "told_at",
        }
    }
}

/// How long a phone counts as turned away by the full class: a day.
const TURNED_AWAY_LATELY: UnixSeconds = 86_400;

impl Store {
    /// What is stored about `phone`.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn contact(&self, phone: &PhoneHash) -> Result<Contact, StoreError> {
        contact(&self.lock(), phone)
    }

    /// Records that `phone` is about to get this notice in answer to the text `sid`.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn noticed(
        &self,
        notice: Notice,
        phone: &PhoneHash,
        sid: &MessageSid,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        self.write("record a notice", |tx| {
            count_send(tx, now)?;
            record_notice(tx, notice, phone, sid, now)
        })
    }

    /// Records that a screen showed this notice to `phone`, so that no text is sent.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn noticed_on_screen(
        &self,
        notice: Notice,
        phone: &PhoneHash,
        sid: &MessageSid,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        self.write("record a notice", |tx| {
            record_notice(tx, notice, phone, sid, now)
        })
    }

    /// Records that `phone` opted out or in at Twilio by the text `sid`. With `gave_up`, an opt-out was
    /// discovered because Twilio refused the answer to this text, which was given up for that reason.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn opted(
        &self,
        phone: &PhoneHash,
        out: bool,
        sid: &MessageSid,
        now: UnixSeconds,
        gave_up: Option<&str>,
    ) -> Result<(), StoreError> {
        self.write("record an opt-out", |tx| {
            set(tx, "opted_out_at", phone, out.then_some(now))?;
            set(tx, "own_opt_out", phone, None)?;
            match gave_up {
                Some(why) => give_up(tx, phone, sid, now, why),
                None => mark_seen(tx, sid, now),
            }
        })
    }

    /// Records that `phone` opted out by the text `sid`, in words that Twilio does not act on.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn own_opt_out_received(
        &self,
        phone: &PhoneHash,
        sid: &MessageSid,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        self.write("record an opt-out", |tx| {
            set(tx, "opted_out_at", phone, Some(now))?;
            set(tx, "own_opt_out", phone, Some(1))?;
            mark_seen(tx, sid, now)
        })
    }

    /// Deletes the opt-out of `phone`. The text that causes this is not marked as served.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn lift_opt_out(&self, phone: &PhoneHash) -> Result<(), StoreError> {
        self.write("lift an opt-out", |tx| {
            set(tx, "opted_out_at", phone, None)?;
            set(tx, "own_opt_out", phone, None)
        })
    }

    /// Records that `phone` cannot be reached until then, and that the text `sid` was given up for that
    /// reason. An account that surely has no login is due at once.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn refused(
        &self,
        phone: &PhoneHash,
        until: UnixSeconds,
        sid: &MessageSid,
        now: UnixSeconds,
        why: &str,
    ) -> Result<(), StoreError> {
        self.write("record a refusal", |tx| {
            set(tx, "refused_until", phone, Some(until))?;
            give_up(tx, phone, sid, now, why)
        })
    }

    /// Records that the text `sid` was given up, and why. An account that surely has no login is due at once.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn gave_up(
        &self,
        phone: &PhoneHash,
        sid: &MessageSid,
        now: UnixSeconds,
        why: &str,
    ) -> Result<(), StoreError> {
        self.write("give up a text", |tx| give_up(tx, phone, sid, now, why))
    }
}

/// What is stored about `phone`.
pub(super) fn contact(connection: &Connection, phone: &PhoneHash) -> Result<Contact, StoreError> {
    connection
        .prepare_cached(
            "SELECT hinted_at, opted_out_at, refused_until, full_at, ended_at, gone_at,
                    own_opt_out IS NOT NULL, told_at
             FROM contacts WHERE phone = ?1",
        )
        .and_then(|mut statement| {
            statement
                .query_row([phone.as_bytes()], |row| {
                    Ok(Contact {
                        hinted_at: row.get(0)?,
                        opted_out_at: row.get(1)?,
                        refused_until: row.get(2)?,
                        full_at: row.get(3)?,
                        ended_at: row.get(4)?,
                        gone_at: row.get(5)?,
                        own_opt_out: row.get(6)?,
                        told_at: row.get(7)?,
                    })
                })
                .optional()
        })
        .map(Option::unwrap_or_default)
        .map_err(StoreError::sql("look up a contact"))
}

impl Commands {
    /// Number of phones that found the class full in the day before `now` and got no account since.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn turned_away(&self, now: UnixSeconds) -> Result<u32, StoreError> {
        self.connection
            .query_row(
                "SELECT count(*) FROM contacts c
                 WHERE c.full_at > ?1 AND coalesce(c.ended_at, 0) < c.full_at
                   AND coalesce(c.gone_at, 0) < c.full_at
                   AND NOT EXISTS (SELECT 1 FROM registrations r
                                   WHERE r.phone = c.phone AND r.reserved_at >= c.full_at)",
                [now - TURNED_AWAY_LATELY],
                |row| row.get(0),
            )
            .map_err(StoreError::sql(
                "count phones that the full class turned away",
            ))
    }
}

/// Records that texts sent before `now` by the phone of an account get no new account. Not for an
/// adopted account, whose phone is unknown, nor for a phone that is to be forgotten.
pub(super) fn end_texts(tx: &Tx<'_>, registration: i64, now: UnixSeconds) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO contacts (phone, ended_at)
         SELECT phone, ?2 FROM registrations WHERE id = ?1 AND adopted_at IS NULL AND forgotten_at IS NULL
         ON CONFLICT (phone) DO UPDATE SET ended_at = excluded.ended_at",
    )?
    .execute(params![registration, now])
    .map(drop)
}

/// Records that the phone of a registration has opted out, as Twilio reports for a text to it.
pub(super) fn opted_out_at_twilio(
    tx: &Tx<'_>,
    registration: i64,
    now: UnixSeconds,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO contacts (phone, opted_out_at)
         SELECT phone, ?2 FROM registrations WHERE id = ?1 AND adopted_at IS NULL
         ON CONFLICT (phone) DO UPDATE SET opted_out_at = excluded.opted_out_at, own_opt_out = NULL",
    )?
    .execute(params![registration, now])
    .map(drop)
}

/// Records that a registration is removed, if its phone had a login and is not to be forgotten.
pub(super) fn account_gone(
    tx: &Tx<'_>,
    registration: i64,
    now: UnixSeconds,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO contacts (phone, gone_at)
         SELECT phone, ?2 FROM registrations
         WHERE id = ?1 AND announced_at IS NOT NULL AND adopted_at IS NULL AND forgotten_at IS NULL
         ON CONFLICT (phone) DO UPDATE SET gone_at = excluded.gone_at",
    )?
    .execute(params![registration, now])
    .map(drop)
}

fn record_notice(
    tx: &Tx<'_>,
    notice: Notice,
    phone: &PhoneHash,
    sid: &MessageSid,
    now: UnixSeconds,
) -> rusqlite::Result<()> {
    set(tx, notice.column(), phone, Some(now))?;
    mark_seen(tx, sid, now)
}

fn set(
    tx: &Tx<'_>,
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

/// Records that a text of `phone` was given up. An account that surely has no login is due at once. If a login may
/// be on its way, the account keeps its time, and that login counts as sent.
fn give_up(
    tx: &Tx<'_>,
    phone: &PhoneHash,
    sid: &MessageSid,
    now: UnixSeconds,
    why: &str,
) -> rusqlite::Result<()> {
    tx.prepare_cached(&format!(
        "UPDATE registrations
         SET due_at = CASE WHEN {MAY_HAVE_LOGIN} THEN due_at ELSE ?2 END,
             doubtful = doubtful + (fingerprint IS NOT NULL), fingerprint = NULL, sending_since = NULL
         WHERE phone = ?1 AND stage IN ('reserved', 'created')"
    ))?
    .execute(params![phone.as_bytes(), now])?;
    mark_given_up(tx, sid, now, why)
}

//! The way of a registration to its login: its user, and the texts with the login that are sent.

use rusqlite::params;

use super::deliveries::record_send;
use super::texts::{count_send, mark_given_up, mark_seen, uncount_send};
use super::{Store, StoreError, Tx};
use crate::domain::registration::{Event, Sending, Stage};
use crate::domain::{MessageSid, Undelivered, UnixSeconds};

/// What is recorded about a login that was sent.
#[derive(Clone, Copy, Debug)]
pub struct SentLogin<'a> {
    /// The MessageSid of the login text; `None` if it cannot be found out.
    pub text: Option<&'a MessageSid>,
    /// When Twilio accepted it.
    pub at: UnixSeconds,
    /// The new time at which the account is due; `None` = never.
    pub due_at: Option<UnixSeconds>,
    /// Start of the 24 hours in which logins are counted.
    pub window_start: UnixSeconds,
    /// Logins in them, this one included.
    pub sent_in_window: u32,
}

/// What becomes of a text whose login is recorded.
#[derive(Clone, Copy, Debug)]
enum TextEnd<'a> {
    Served,
    /// Served, unless the removal of the account has begun.
    ServedUnlessRemoved,
    /// Given up, for this reason.
    GivenUp(&'a str),
}

/// Why another login text may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClearedSend {
    /// The one on its way surely was not accepted.
    NotSent {
        /// When the account is due, if none of its logins can have been accepted.
        without_login: UnixSeconds,
    },
    /// It is repeated although its outcome is unknown, and then counts as sent.
    Doubtful,
}

impl Store {
    /// Records that Coder is about to be asked once more to create the user of a reservation. From then on its row
    /// is not forgotten before [`Store::late_create_until`].
    ///
    /// # Errors
    /// SQLite refused, or the account is being removed.
    pub fn begin_create(&self, id: i64, now: UnixSeconds) -> Result<(), StoreError> {
        self.step("record a create", id, Event::UserRequested, |tx, _| {
            tx.prepare_cached("UPDATE registrations SET create_repeated_at = ?2 WHERE id = ?1")?
                .execute([id, now])
                .map(drop)
        })
    }

    /// Records that Coder has the user; with `sending`, also that the user has the intended password and
    /// that its first login text is about to be sent. The account is due at `due_at`, `None` = never: as late as
    /// that text promises. Returns the reached stage. If a removal has begun
    /// meanwhile, only the id is recorded, so that the removal can continue.
    ///
    /// # Errors
    /// SQLite refused, or the step is illegal.
    pub fn created(
        &self,
        id: i64,
        coder_id: &str,
        due_at: impl Into<Option<UnixSeconds>>,
        sending: Option<Sending>,
    ) -> Result<Stage, StoreError> {
        self.record_user(id, coder_id, due_at.into(), sending, sending.is_some())
    }

    /// The same for a login that goes to a screen: `proven` = the user has the intended password, also
    /// where no text is about to be sent.
    pub(super) fn record_user(
        &self,
        id: i64,
        coder_id: &str,
        due_at: Option<UnixSeconds>,
        sending: Option<Sending>,
        proven: bool,
    ) -> Result<Stage, StoreError> {
        self.step("record a new user", id, Event::UserCreated, |tx, stage| {
            write_user(tx, stage, id, (coder_id, due_at), sending, proven)
        })
    }

    /// Records that Coder has the password number `counter`, and that a login text with it is about to be
    /// sent. The text promises that the account lives until `promised`, `None` = without end; if it is the first
    /// one, the account is not due earlier. Returns whether that was done: not if another password is intended by
    /// now.
    ///
    /// # Errors
    /// SQLite refused, or the account is being removed.
    pub fn begin_send(
        &self,
        id: i64,
        sending: Sending,
        counter: u32,
        promised: Option<UnixSeconds>,
    ) -> Result<bool, StoreError> {
        self.step("record a send", id, Event::LoginPrepared, |tx, _| {
            let updated = tx
                .prepare_cached(
                    "UPDATE registrations
                     SET fingerprint = ?2, sending_since = ?3, password_marker = marker,
                         due_at = CASE WHEN stage <> 'created' OR ended_at IS NOT NULL THEN due_at
                                       ELSE max(?5, coalesce(due_at, ?5)) END
                     WHERE id = ?1 AND password_counter = ?4",
                )?
                .execute(params![
                    id,
                    sending.fingerprint.as_bytes(),
                    sending.since,
                    counter,
                    promised
                ])?;
            if updated == 1 {
                count_send(tx, sending.since)?;
            }
            Ok(updated == 1)
        })
    }

    /// Allows another login text, because of `cleared`. With `renewed`, the account is due then at the earliest.
    ///
    /// # Errors
    /// SQLite refused, or the account is being removed.
    pub fn clear_send(
        &self,
        id: i64,
        cleared: ClearedSend,
        renewed: Option<UnixSeconds>,
    ) -> Result<(), StoreError> {
        let (doubtful, without_login) = match cleared {
            ClearedSend::Doubtful => (true, None),
            ClearedSend::NotSent { without_login } => (false, Some(without_login)),
        };
        self.step("clear a send", id, Event::LoginPrepared, |tx, _| {
            let since: Option<UnixSeconds> = tx
                .prepare_cached("SELECT sending_since FROM registrations WHERE id = ?1")?
                .query_row([id], |row| row.get(0))?;
            if let (Some(since), false) = (since, doubtful) {
                uncount_send(tx, since)?;
            }
            tx.prepare_cached(
                "UPDATE registrations
                 SET fingerprint = NULL, sending_since = NULL, doubtful = doubtful + ?2,
                     due_at = CASE WHEN ended_at IS NOT NULL THEN due_at
                                   WHEN stage = 'created' AND doubtful = 0 AND ?4 IS NOT NULL THEN ?4
                                   WHEN ?3 IS NULL THEN due_at
                                   ELSE max(?3, coalesce(due_at, ?3)) END
                 WHERE id = ?1",
            )?
            .execute(params![id, doubtful, renewed, without_login])
            .map(drop)
        })
    }

    /// Records that Twilio accepted a login text, and with it that the text `sid` is served. Returns the
    /// login if an earlier receipt says that it failed.
    ///
    /// Changes of the due time by the instructor while the text was on its way are kept: an end, and an
    /// extension of an account that had a login before. So is a removal that has begun.
    ///
    /// # Errors
    /// SQLite refused, or the account is being removed.
    pub fn login_sent(
        &self,
        id: i64,
        sid: &MessageSid,
        sent: SentLogin<'_>,
    ) -> Result<Option<Undelivered>, StoreError> {
        let (_, undelivered) = self.record_login(id, sid, sent, TextEnd::Served)?;
        Ok(undelivered)
    }

    /// The same for a login that was sent before the text `sid` was received, and was found in Twilio's log. Once the
    /// removal of its account has begun, it is no answer to that text: then the login alone is recorded. Returns also
    /// the reached stage.
    ///
    /// # Errors
    /// SQLite refused, or the account is gone.
    pub fn earlier_login_sent(
        &self,
        id: i64,
        sid: &MessageSid,
        sent: SentLogin<'_>,
    ) -> Result<(Stage, Option<Undelivered>), StoreError> {
        self.record_login(id, sid, sent, TextEnd::ServedUnlessRemoved)
    }

    /// Records a login as sent although that cannot be found out, and that the text `sid` was given up for that
    /// reason: in one transaction, so that its dead letter follows whatever happens next.
    ///
    /// # Errors
    /// SQLite refused, or the account is being removed.
    pub fn login_perhaps_sent(
        &self,
        id: i64,
        sid: &MessageSid,
        sent: SentLogin<'_>,
        why: &str,
    ) -> Result<(), StoreError> {
        self.record_login(id, sid, sent, TextEnd::GivenUp(why))
            .map(drop)
    }

    fn record_login(
        &self,
        id: i64,
        sid: &MessageSid,
        sent: SentLogin<'_>,
        text_end: TextEnd<'_>,
    ) -> Result<(Stage, Option<Undelivered>), StoreError> {
        let (stage, end) = self.step("record a login", id, Event::LoginSent, |tx, stage| {
            tx.prepare_cached(
                "UPDATE registrations
                 SET stage = ?2, announced_at = ?3, window_start = ?5,
                     due_at = CASE WHEN ended_at IS NOT NULL OR stage = 'reaping' THEN due_at
                                   WHEN stage = 'announced' THEN max(due_at, ?4)
                                   ELSE ?4 END,
                     sent_in_window = ?6, fingerprint = NULL, sending_since = NULL, doubtful = 0,
                     check_at = CASE stage WHEN 'reaping' THEN check_at ELSE 0 END,
                     reap_tries = CASE stage WHEN 'reaping' THEN reap_tries ELSE 0 END,
                     reap_note = CASE stage WHEN 'reaping' THEN reap_note END, login_sid = ?7,
                     renewed_at = NULL, withheld_at = NULL
                 WHERE id = ?1",
            )?
            .execute(params![
                id,
                stage.as_str(),
                sent.at,
                sent.due_at,
                sent.window_start,
                sent.sent_in_window,
                sent.text.map(MessageSid::as_str),
            ])?;
            match text_end {
                TextEnd::GivenUp(why) => mark_given_up(tx, sid, sent.at, why)?,
                TextEnd::ServedUnlessRemoved if stage == Stage::Reaping => {}
                TextEnd::Served | TextEnd::ServedUnlessRemoved => mark_seen(tx, sid, sent.at)?,
            }
            let end = match sent.text {
                Some(text) => record_send(tx, id, text, sent.at)?,
                None => None,
            };
            Ok((stage, end))
        })?;
        self.counts.sent.add();
        Ok((stage, end.and_then(|end| self.count_delivered(end))))
    }
}

/// Writes that Coder has a user, in a transaction that has read the stage which follows. Returns that stage.
pub(super) fn write_user(
    tx: &Tx<'_>,
    stage: Stage,
    id: i64,
    (coder_id, due_at): (&str, Option<UnixSeconds>),
    sending: Option<Sending>,
    proven: bool,
) -> rusqlite::Result<Stage> {
    if stage == Stage::Reaping {
        tx.prepare_cached("UPDATE registrations SET coder_id = ?2 WHERE id = ?1")?
            .execute(params![id, coder_id])?;
        return Ok(stage);
    }
    tx.prepare_cached(
        "UPDATE registrations
         SET stage = ?2, coder_id = ?3, fingerprint = ?5, sending_since = ?6,
             due_at = CASE WHEN ended_at IS NULL THEN ?4 ELSE due_at END,
             password_counter = CASE WHEN ?7 THEN coalesce(password_counter, 1)
                                     ELSE password_counter END,
             password_marker = CASE WHEN ?7 THEN marker ELSE password_marker END
         WHERE id = ?1",
    )?
    .execute(params![
        id,
        stage.as_str(),
        coder_id,
        due_at,
        sending.as_ref().map(|s| s.fingerprint.as_bytes()),
        sending.map(|s| s.since),
        proven,
    ])?;
    sending.map_or(Ok(()), |s| count_send(tx, s.since))?;
    Ok(stage)
}

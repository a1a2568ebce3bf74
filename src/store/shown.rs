//! Logins on screens: when a screen fetched one, and when its browser proved to be signed in.

use rusqlite::params;

use super::texts::mark_seen;
use super::{Store, StoreError, Tx};
use crate::domain::registration::{Event, Stage};
use crate::domain::{MessageSid, UnixSeconds, Username};

/// What is recorded about a login that a screen has fetched.
#[derive(Clone, Copy, Debug)]
pub struct ShownLogin {
    /// When it was fetched.
    pub at: UnixSeconds,
    /// When it was offered. A password that was renewed since is not the one that was fetched.
    pub offered_at: UnixSeconds,
    /// The new time at which the account is due; `None` = never.
    pub due_at: Option<UnixSeconds>,
    /// Start of the 24 hours in which logins are counted.
    pub window_start: UnixSeconds,
    /// Logins in them, this one included.
    pub sent_in_window: u32,
    /// Whether a login text with an unknown outcome is still searched for.
    pub keep_send: bool,
}

/// A browser that proved to be signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The account.
    pub username: Username,
    /// When it proved that.
    pub at: UnixSeconds,
}

impl Store {
    /// Records that Coder has the user with the intended password, and that its login is about to be offered
    /// to a screen. Returns the reached stage, like [`Store::created`].
    ///
    /// # Errors
    /// SQLite refused, or the step is illegal.
    pub fn created_for_screen(
        &self,
        id: i64,
        coder_id: &str,
        due_at: UnixSeconds,
    ) -> Result<Stage, StoreError> {
        self.record_user(id, coder_id, Some(due_at), None, true)
    }

    /// Records that Coder has the password number `counter`, and that a login with it is about to be offered
    /// to a screen. Returns whether that was done: not if another password is intended by now.
    ///
    /// # Errors
    /// SQLite refused, or the account is being removed.
    pub fn begin_show(&self, id: i64, counter: u32) -> Result<bool, StoreError> {
        self.step("record an offer", id, Event::LoginPrepared, |tx, _| {
            let updated = tx
                .prepare_cached(
                    "UPDATE registrations SET password_marker = marker
                     WHERE id = ?1 AND password_counter = ?2",
                )?
                .execute(params![id, counter])?;
            Ok(updated == 1)
        })
    }

    /// Records that a screen has fetched a login, and with it that the text `sid` is served. Changes of the
    /// due time by the instructor and a removal that has begun are kept, like in [`Store::login_sent`].
    ///
    /// # Errors
    /// SQLite refused, or the account has no user any more.
    pub fn login_shown(
        &self,
        id: i64,
        sid: &MessageSid,
        shown: ShownLogin,
    ) -> Result<(), StoreError> {
        self.step("record a login", id, Event::LoginSent, |tx, stage| {
            tx.prepare_cached(
                "UPDATE registrations
                 SET stage = ?2, announced_at = ?3, shown_at = ?3, window_start = ?5,
                     due_at = CASE WHEN ended_at IS NOT NULL OR stage = 'reaping' THEN due_at
                                   WHEN stage = 'announced' THEN max(due_at, ?4)
                                   ELSE ?4 END,
                     sent_in_window = ?6,
                     fingerprint = CASE WHEN ?7 THEN fingerprint END,
                     sending_since = CASE WHEN ?7 THEN sending_since END,
                     doubtful = CASE WHEN ?7 THEN doubtful ELSE 0 END,
                     check_at = CASE stage WHEN 'reaping' THEN check_at ELSE 0 END,
                     reap_tries = CASE stage WHEN 'reaping' THEN reap_tries ELSE 0 END,
                     reap_note = CASE stage WHEN 'reaping' THEN reap_note END, login_sid = NULL,
                     renewed_at = CASE WHEN renewed_at > ?8 THEN renewed_at END,
                     withheld_at = NULL
                 WHERE id = ?1",
            )?
            .execute(params![
                id,
                stage.as_str(),
                shown.at,
                shown.due_at,
                shown.window_start,
                shown.sent_in_window,
                shown.keep_send,
                shown.offered_at,
            ])?;
            mark_seen(tx, sid, shown.at)
        })
    }

    /// Records that browsers proved to be signed in.
    ///
    /// # Errors
    /// SQLite refused; nothing is recorded.
    pub fn logins_arrived(&self, arrivals: &[Arrival]) -> Result<(), StoreError> {
        self.write("record sign-ins", |tx| {
            let record = |arrival: &Arrival| record_arrival(tx, arrival);
            arrivals.iter().try_for_each(record)
        })
    }
}

fn record_arrival(tx: &Tx<'_>, arrival: &Arrival) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE registrations SET arrived_at = ?2 WHERE username = ?1")?
        .execute(params![arrival.username.as_str(), arrival.at])
        .map(drop)
}

//! Which of its passwords an account has: a counter, never a password.
//!
//! `password_counter` says which derived password is intended. NULL = the account was found at Coder,
//! and its password is unknown. `password_marker` is the marker of the account that surely has this
//! password at Coder. A renamed account has another marker, so nothing need be cleared.

use std::path::Path;

use rusqlite::params;

use super::rows::read_where;
use super::texts::{count_send, mark_seen};
use super::{Commands, Store, StoreError, facts, key_file};
use crate::domain::registration::{Event, Registration, Stage};
use crate::domain::{MessageSid, PasswordKey, UnixSeconds};

/// A text sent instead of a login that cannot be sent.
#[derive(Clone, Copy, Debug)]
pub struct WithheldLogin<'a> {
    /// The text that asked for the login.
    pub text: &'a MessageSid,
    /// When the answer is sent.
    pub at: UnixSeconds,
    /// Start of the 24 hours in which logins are counted.
    pub window_start: UnixSeconds,
    /// Logins in them, this text included.
    pub sent_in_window: u32,
}

impl Store {
    /// Reads the password key in `folder`, or makes it. If it is another key than before, the passwords of
    /// all accounts are unknown from now on. Returns the key and the number of these accounts.
    ///
    /// # Errors
    /// The file cannot be read or made, or SQLite refused.
    pub fn password_key(&self, folder: &Path) -> Result<(PasswordKey, usize), StoreError> {
        let key = key_file::read_or_make(folder)?;
        let check = key.check();
        let stored = facts::read(&self.lock(), facts::PASSWORD_KEY)
            .map_err(StoreError::sql("read the check of the password key"))?;
        if stored.as_deref() == Some(check.as_slice()) {
            return Ok((key, 0));
        }
        let raised = self.write("record the password key", |tx| {
            let raised = tx.execute(
                "UPDATE registrations
                 SET password_counter = password_counter + 1, password_marker = NULL
                 WHERE password_counter IS NOT NULL",
                [],
            )?;
            facts::record(tx, facts::PASSWORD_KEY, check.as_slice())?;
            Ok(raised)
        })?;
        Ok((key, raised))
    }

    /// Gives an account with an unknown password a counter, and so an intended password. Returns whether
    /// that was done: not if it has a counter already.
    ///
    /// # Errors
    /// SQLite refused, or the account is being removed.
    pub fn count_password(&self, id: i64) -> Result<bool, StoreError> {
        self.step("count a password", id, Event::LoginPrepared, |tx, _| {
            let updated = tx
                .prepare_cached(
                    "UPDATE registrations SET password_counter = 1, password_marker = NULL
                     WHERE id = ?1 AND password_counter IS NULL",
                )?
                .execute([id])?;
            Ok(updated == 1)
        })
    }

    /// Undoes the renewal that raised the counter to `counter`: according to Coder the previous password
    /// is valid. Does nothing if another password is intended by now.
    ///
    /// # Errors
    /// SQLite refused, or the account is being removed.
    pub fn undo_renewal(&self, id: i64, counter: u32) -> Result<(), StoreError> {
        self.step("undo a renewal", id, Event::LoginPrepared, |tx, _| {
            tx.prepare_cached(
                "UPDATE registrations SET password_counter = ?2 - 1, password_marker = marker
                 WHERE id = ?1 AND password_counter = ?2",
            )?
            .execute(params![id, counter])
            .map(drop)
        })
    }

    /// Records that the student is about to be told that the login cannot be sent, and with it that the
    /// text which asked for it is served.
    ///
    /// # Errors
    /// SQLite refused, or the account is being removed.
    pub fn withhold(&self, id: i64, withheld: WithheldLogin<'_>) -> Result<(), StoreError> {
        self.step(
            "record a withheld login",
            id,
            Event::LoginPrepared,
            |tx, _| {
                tx.prepare_cached(
                "UPDATE registrations SET withheld_at = ?2, window_start = ?3, sent_in_window = ?4
                 WHERE id = ?1",
            )?
            .execute(params![
                id,
                withheld.at,
                withheld.window_start,
                withheld.sent_in_window
            ])?;
                count_send(tx, withheld.at)?;
                mark_seen(tx, withheld.text, withheld.at)
            },
        )
    }
}

/// An account whose counter was raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// The account after that.
    pub registration: Registration,
    /// Whether the previous password was known to be valid.
    pub known_before: bool,
}

/// Why an account's password cannot be renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenewError {
    /// No account has that name.
    Unknown,
    /// It has no login yet.
    NoLogin,
    /// Its login is being sent.
    BeingSent,
    /// It is being removed.
    BeingRemoved,
    /// It was found at Coder, and its student's phone is unknown.
    Adopted,
}

impl Commands {
    /// The password key in `folder`, as the service uses it.
    ///
    /// # Errors
    /// There is none, it cannot be used, or the service has not seen it yet.
    pub fn password_key(&self, folder: &Path) -> Result<PasswordKey, StoreError> {
        let path = key_file::path(folder);
        let unfit = |problem: &str, cure: &str| StoreError::PasswordKey {
            path: path.clone(),
            problem: problem.to_owned(),
            cure: cure.to_owned(),
        };
        let key = key_file::read(folder)?
            .ok_or_else(|| unfit("it is not there", "start the service, which makes it"))?;
        let stored = facts::read(&self.connection, facts::PASSWORD_KEY)
            .map_err(StoreError::sql("read the check of the password key"))?;
        if stored.as_deref() == Some(key.check().as_slice()) {
            Ok(key)
        } else {
            Err(unfit(
                "it is not the key that the service works with",
                "start the service again",
            ))
        }
    }

    /// Raises the counter of an account's password: the next password is intended from now on, and is not
    /// known to be set at Coder.
    ///
    /// # Errors
    /// SQLite refused; nothing is changed.
    pub fn renew_password(
        &mut self,
        name: &str,
    ) -> Result<Result<Renewal, RenewError>, StoreError> {
        const DOING: &str = "renew a password";
        let failed = StoreError::sql(DOING);
        let tx = self.begin(DOING)?;
        let found = read_where(&tx, "WHERE username = ?1", [name])?.pop();
        let registration = match may_renew(found) {
            Ok(registration) => registration,
            Err(refusal) => return Ok(Err(refusal)),
        };
        tx.execute(
            "UPDATE registrations
             SET password_counter = coalesce(password_counter, 0) + 1, password_marker = NULL
             WHERE id = ?1",
            [registration.id],
        )
        .map_err(&failed)?;
        let raised = read_where(&tx, "WHERE id = ?1", [registration.id])?.pop();
        tx.commit().map_err(failed)?;
        let renewal = |raised| Renewal {
            registration: raised,
            known_before: registration.password_known,
        };
        Ok(raised.map(renewal).ok_or(RenewError::Unknown))
    }

    /// Records at `now` that Coder has the intended password of a renewed account. Its student gets it with
    /// the next text, regardless of earlier logins. Does nothing if another password is intended by now.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn password_renewed(
        &mut self,
        renewal: &Renewal,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        self.change_password(
            &renewal.registration,
            "UPDATE registrations SET password_marker = marker, renewed_at = ?3, withheld_at = NULL
             WHERE id = ?1 AND password_counter = ?2",
            now,
        )
    }

    /// Undoes a renewal that changed nothing at Coder: the previous password stays valid. Does nothing
    /// if another password is intended by now, or if the service has set the new one meanwhile.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn password_kept(&mut self, renewal: &Renewal) -> Result<(), StoreError> {
        self.change_password(
            &renewal.registration,
            "UPDATE registrations
             SET password_counter = nullif(password_counter - 1, 0),
                 password_marker = CASE WHEN ?3 THEN marker END
             WHERE id = ?1 AND password_counter = ?2 AND password_marker IS NOT marker",
            renewal.known_before,
        )
    }

    fn change_password(
        &mut self,
        registration: &Registration,
        sql: &str,
        value: impl rusqlite::ToSql,
    ) -> Result<(), StoreError> {
        const DOING: &str = "record a renewed password";
        let failed = StoreError::sql(DOING);
        let tx = self.begin(DOING)?;
        tx.execute(
            sql,
            params![registration.id, registration.password_counter, value],
        )
        .map_err(&failed)?;
        tx.commit().map_err(failed)
    }
}

fn may_renew(found: Option<Registration>) -> Result<Registration, RenewError> {
    let found = found.ok_or(RenewError::Unknown)?;
    match found.stage {
        Stage::Reserved | Stage::Created => Err(RenewError::NoLogin),
        Stage::Reaping | Stage::Gone => Err(RenewError::BeingRemoved),
        // That text contains a password that is about to be replaced.
        Stage::Announced if found.sending.is_some() => Err(RenewError::BeingSent),
        Stage::Announced if found.adopted_at.is_some() => Err(RenewError::Adopted),
        Stage::Announced => Ok(found),
    }
}

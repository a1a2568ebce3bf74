//! Sends the same login once more, or handles the case that it cannot be sent.
//!
//! The password is derived, so the only question is whether it is still valid. Setting it at Coder
//! answers that: Coder reports whether it was set already, and in that case no session is ended.

use std::time::{Duration, Instant};

use log::{info, warn};

use super::decide::{due_with_login, window};
use super::outcome::{AttemptEnd, Completion, RetryTime};
use super::{Provisioner, Request, reply};
use crate::clock::unix_now;
use crate::coder::{DeleteResult, LoginType, PasswordResult, User};
use crate::domain::registration::{Event, Registration, Sending};
use crate::domain::{Password, UnixSeconds};
use crate::store::WithheldLogin;

/// What Coder's answer to setting a password proves.
enum PasswordProof {
    /// The password is valid now.
    Valid,
    /// The registration has to be read again.
    Unclear,
    /// The student has another password, which the token may not replace.
    Changed,
}

impl Provisioner {
    /// Proves that the account exists and that its password is valid, and texts the login. `None` = read
    /// the registration again.
    pub(super) fn login_again(
        &self,
        request: &Request<'_>,
        registration: &Registration,
        due: Option<UnixSeconds>,
    ) -> Result<Option<Completion>, AttemptEnd> {
        self.may_send_login(request)?;
        let Some(counter) = registration.password_counter else {
            self.store.count_password(registration.id)?;
            return Ok(None);
        };
        let username = &registration.username;
        let id = registration.coder_id.as_deref().unwrap_or_default();
        // The user is located first, because Coder also sets the password of a deleted user.
        let found = self.coder.locate(id, &username.email(&self.email_domain))?;
        let Some(user) = found else {
            self.start_over(request, registration)?;
            return Ok(None);
        };
        let password = self
            .passwords
            .password(username, &registration.marker, counter);
        match self.prove_password(request, registration, &user, (&password, counter))? {
            PasswordProof::Valid => {}
            PasswordProof::Unclear => return Ok(None),
            PasswordProof::Changed => return self.has_other_password(request, registration, &user),
        }
        if request.on_screen {
            if !self.store.begin_show(registration.id, counter)? {
                // An operator renewed the password a moment ago.
                return Ok(None);
            }
            return Err(self.offer(request, registration, &user.email, password));
        }
        self.text_again(request, registration, &user, (&password, counter), due)
    }

    /// Texts the login once more. `None` = read the registration again.
    fn text_again(
        &self,
        request: &Request<'_>,
        registration: &Registration,
        user: &User,
        (password, counter): (&Password, u32),
        due: Option<UnixSeconds>,
    ) -> Result<Option<Completion>, AttemptEnd> {
        let now = request.clock();
        let left =
            due.map(|due| Duration::from_secs(due.saturating_sub(now).max(0).unsigned_abs()));
        let class = registration.class.as_ref();
        let username = &registration.username;
        let body = self.login_text(class, username, &user.email, password, left);
        let sending = Sending {
            fingerprint: self.key.fingerprint(&body),
            since: now,
        };
        let promised = due_with_login(due, self.pending_due(request, Some(registration)));
        if !self
            .store
            .begin_send(registration.id, sending, counter, promised)?
        {
            // An operator renewed the password a moment ago.
            return Ok(None);
        }
        self.send_login(request, registration, &body, due).map(Some)
    }

    /// Sets the password of a user, which proves whether it is valid.
    fn prove_password(
        &self,
        request: &Request<'_>,
        registration: &Registration,
        user: &User,
        (password, counter): (&Password, u32),
    ) -> Result<PasswordProof, AttemptEnd> {
        let username = &registration.username;
        match self.coder.set_password(&user.id, password)? {
            PasswordResult::Unchanged => Ok(PasswordProof::Valid),
            PasswordResult::Set => {
                info!(
                    "text {}: {username} had another password at Coder; the one of its login is set again",
                    request.text.sid
                );
                // Coder sets the password of a user that was deleted a moment ago, too.
                Ok(match self.coder.is_listed(&user.id, &user.email)? {
                    true => PasswordProof::Valid,
                    false => PasswordProof::Unclear,
                })
            }
            PasswordResult::NoUser => {
                let why = format!("Coder does not find the user {username}");
                Err(AttemptEnd::later(RetryTime::Away, why))
            }
            PasswordResult::Forbidden if self.previous_holds(registration, user, counter)? => {
                warn!(
                    "text {}: the password of {username} was to be renewed, which the token (CODER_API_KEY) may not do; the previous password stays valid",
                    request.text.sid
                );
                Ok(PasswordProof::Unclear)
            }
            PasswordResult::Forbidden => Ok(PasswordProof::Changed),
        }
    }

    /// Whether an interrupted renewal changed nothing at Coder. If so, it is undone.
    fn previous_holds(
        &self,
        registration: &Registration,
        user: &User,
        counter: u32,
    ) -> Result<bool, AttemptEnd> {
        if registration.password_known || counter < 2 {
            return Ok(false);
        }
        let username = &registration.username;
        let before = self
            .passwords
            .password(username, &registration.marker, counter - 1);
        if self.coder.set_password(&user.id, &before)? != PasswordResult::Unchanged {
            return Ok(false);
        }
        self.store.undo_renewal(registration.id, counter)?;
        Ok(true)
    }

    /// Handles an account whose password is not the one that would be texted, while the token may not set
    /// it. An account without a workspace is made anew; otherwise the student is told. `None` = read the
    /// registration again.
    fn has_other_password(
        &self,
        request: &Request<'_>,
        registration: &Registration,
        user: &User,
    ) -> Result<Option<Completion>, AttemptEnd> {
        if self.is_empty(registration, user)?
            && self.coder.delete_user(&user.id)? == DeleteResult::Done
        {
            if self.coder.is_listed(&user.id, &user.email)? {
                let why = format!("{} was deleted at Coder, but still exists", user.username);
                return Err(AttemptEnd::later(RetryTime::Away, why));
            }
            // If we are killed before this is recorded, the next attempt finds no user and makes one.
            info!(
                "text {}: {} has another password at Coder and no workspace; the account is made anew",
                request.text.sid, registration.username
            );
            let username = registration.username.clone();
            self.give_name(request, registration, Event::UserVanished, &username)?;
            return Ok(None);
        }
        self.withhold(request, registration, user).map(Some)
    }

    /// Whether the account surely has no workspace and no special rights, so that deleting it loses
    /// nothing. This is not proved by a token that does not see the workspaces of others, nor for a user
    /// who was renamed.
    fn is_empty(&self, registration: &Registration, user: &User) -> Result<bool, AttemptEnd> {
        let name = registration.username.as_str();
        if self
            .store
            .making_until(registration.id, unix_now())?
            .is_some()
            || user.login_type != LoginType::Password
            || user.has_roles
            || !user.username.eq_ignore_ascii_case(name)
        {
            return Ok(false);
        }
        let rights = self.coder.rights()?;
        Ok(rights.see_users
            && rights.delete_users
            && rights.see_workspaces
            && self.coder.workspaces(user, name)?.is_empty())
    }

    /// Tells the student and the operator that the login cannot be sent. The text is a courtesy and is
    /// not repeated.
    fn withhold(
        &self,
        request: &Request<'_>,
        registration: &Registration,
        user: &User,
    ) -> Result<Completion, AttemptEnd> {
        let sid = &request.text.sid;
        let username = &registration.username;
        let now = request.clock();
        let (window_start, before) = window(registration, now);
        let withheld = WithheldLogin {
            text: sid,
            at: now,
            window_start,
            sent_in_window: before + 1,
        };
        self.store.withhold(registration.id, withheld)?;
        let (why, body) = if registration.password_known {
            let body = reply::own_password(&self.site, &user.email);
            ("the student has changed the password", body)
        } else {
            let body = reply::no_password(&self.site, &user.email);
            ("the service no longer knows its password", body)
        };
        warn!(
            "text {sid}: the login of {username} cannot be sent again: {why}, and the token (CODER_API_KEY) may not set passwords; the student gets a text that says so. With an owner's token, coder-sms-register renew {username} sets a new password"
        );
        if request.on_screen {
            self.screens.tell(sid, &body, Instant::now());
        }
        if request.by_text {
            self.send_once(request, &body)?;
        }
        Ok(Completion::Withheld {
            username: username.clone(),
        })
    }
}

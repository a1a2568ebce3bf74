//! Sets passwords, and so also checks whether a password is set.
//!
//! Coder compares the new password with the old one before it checks the token's rights, so any
//! token can find out whether a password is still the current one. Up to 2.35.1 only an owner's
//! token may set another one; other tokens get an internal error. Recorded with 2.24.4, 2.25.3,
//! 2.29.19 and 2.31.14.

use serde::Serialize;
use ureq::http::Method;

use super::wire::ErrorBody;
use super::{Coder, CoderError, VERSION_HEADER, encode, json};
use crate::domain::Password;
use crate::http::HttpResponse;

/// Answer to setting a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordResult {
    /// The password was changed. All sessions of the user have ended.
    Set,
    /// It was the user's password already. Nothing has changed. Every token can find this out.
    Unchanged,
    /// There is no such user, or the token may not see it.
    NoUser,
    /// It is not the user's password, and the token may not set passwords. Nothing has changed.
    Forbidden,
}

/// How often an unexplained internal error must repeat before the token's rights are checked. If
/// they do not show that it may set passwords, the error counts as a missing right.
const SUSPICIOUS_REPEATS: u32 = 3;

#[derive(Serialize)]
struct PasswordBody<'a> {
    password: &'a str,
}

const OPERATION: &str = "set a password";

impl Coder {
    /// Sets a user's password, or reports that it was set already.
    ///
    /// Pass only the id of a user that is not deleted: Coder sets a deleted user's password as
    /// well.
    ///
    /// # Errors
    /// The call failed. After [`super::CoderErrorKind::Unclear`] the password may be set.
    pub fn set_password(
        &self,
        id: &str,
        password: &Password,
    ) -> Result<PasswordResult, CoderError> {
        let set = self.failing_passwords.count(self.try_to_set(id, password));
        let error = match set {
            Ok(PasswordResult::Set) => {
                self.can_set_passwords.record(true);
                return set;
            }
            Ok(_) => return set,
            Err(error) => error,
        };
        if error.is_forbidden()
            || (error.repeats() >= SUSPICIOUS_REPEATS && self.probably_lacks_right()?)
        {
            self.can_set_passwords.record(false);
            return Ok(PasswordResult::Forbidden);
        }
        Err(error)
    }

    fn try_to_set(&self, id: &str, password: &Password) -> Result<PasswordResult, CoderError> {
        let body = json(&PasswordBody {
            password: password.reveal(),
        });
        let path = format!("/users/{}/password", encode(id));
        let answer = self.send(OPERATION, Method::PUT, &path, body)?;
        let words: Option<ErrorBody> = answer.json();
        match (answer.status, words) {
            // A proxy's page may have this status as well, and so may a page of Coder's own; then the
            // student's own password is still set.
            (200 | 204, _) if is_empty_answer(&answer) => Ok(PasswordResult::Set),
            (400, Some(words)) if is_same_password(&words) => Ok(PasswordResult::Unchanged),
            (400 | 404, Some(words)) if says_no_user(answer.status, &words) => {
                Ok(PasswordResult::NoUser)
            }
            _ => Err(CoderError::of(OPERATION, &answer)),
        }
    }

    /// Whether the token may set passwords of other users, by the last call that showed it; `None`
    /// = not tried yet.
    pub fn may_set_passwords(&self) -> Option<bool> {
        self.can_set_passwords.last()
    }

    /// Whether the token probably may not set passwords, by its rights and the calls so far.
    fn probably_lacks_right(&self) -> Result<bool, CoderError> {
        Ok(self.rights()?.set_passwords != Some(true))
    }
}

/// Whether the answer is Coder's own and has no body.
fn is_empty_answer(answer: &HttpResponse) -> bool {
    answer.header(VERSION_HEADER).is_some() && answer.body.is_empty()
}

/// Whether this message says that the new password equals the old one.
fn is_same_password(words: &ErrorBody) -> bool {
    let message = words.message.to_ascii_lowercase();
    let compares = message.contains("match") || message.contains("same");
    words.validations.is_empty() && message.contains("old password") && compares
}

/// Whether this message says that the user in the path does not exist. A 404 from Coder has no
/// other meaning for a known path; a 400 may be about the password.
fn says_no_user(status: u16, words: &ErrorBody) -> bool {
    words.validations.is_empty() && (status == 404 || words.message.contains("must be an existing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coders_messages_about_a_password_are_distinguished() {
        for (status, body, same, no_user) in [
            (
                400,
                r#"{"message": "New password cannot match old password."}"#,
                true,
                false,
            ),
            (
                400,
                r#"{"message": "The new password is the same as the old password"}"#,
                true,
                false,
            ),
            (
                400,
                r#"{"message": "Old password is required."}"#,
                false,
                false,
            ),
            (
                400,
                r#"{"message": "Old password is incorrect."}"#,
                false,
                false,
            ),
            (
                400,
                r#"{"message": "Invalid password.", "validations": [{"field": "password", "detail": "insecure"}]}"#,
                false,
                false,
            ),
            (
                400,
                r#"{"message": "\"user\" must be an existing uuid or username.", "detail": "queried user=\"x\""}"#,
                false,
                true,
            ),
            (
                404,
                r#"{"message": "Resource not found or you do not have access to this resource"}"#,
                false,
                true,
            ),
            (
                400,
                r#"{"message": "Only owners can change the password of an owner."}"#,
                false,
                false,
            ),
        ] {
            let words: ErrorBody = serde_json::from_str(body).unwrap();
            assert_eq!(is_same_password(&words), same, "{body}");
            assert_eq!(says_no_user(status, &words), no_user, "{body}");
        }
    }
}

//! Setting a password, which is also the question whether it is set.
//!
//! Coder compares with the password that is set before it looks at what a token may do, so every token
//! learns whether a password still holds. Up to 2.35.1 only an owner's token may set another one; other
//! tokens get an internal error then. Recorded with 2.24.4, 2.25.3, 2.29.19 and 2.31.14.

use serde::Serialize;
use ureq::http::Method;

use super::wire::ErrorBody;
use super::{Coder, CoderError, VERSION_HEADER, encode, json};
use crate::domain::Password;

/// Answer to setting a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordResult {
    /// It is the user's password now and was not before. All sessions of the user have ended.
    Set,
    /// It was the user's password already. Nothing has changed. Every token learns this.
    Unchanged,
    /// There is no such user, or the token does not see it.
    NoUser,
    /// It is not the user's password, and the token may not set passwords. Nothing has changed.
    Forbidden,
}

/// How often in a row an internal error of unknown meaning has to come before it counts as a missing right
/// with a token that has not shown that it has it.
const SUSPICIOUS: u32 = 3;

#[derive(Serialize)]
struct PasswordBody<'a> {
    password: &'a str,
}

const DOING: &str = "set a password";

impl Coder {
    /// Sets a user's password, and says whether it was the user's already.
    ///
    /// Only the id of a user that is alive may be given: Coder sets a deleted user's password as well.
    ///
    /// # Errors
    /// The call failed. After [`super::CoderErrorKind::Unclear`] the password may be set.
    pub fn set_password(
        &self,
        id: &str,
        password: &Password,
    ) -> Result<PasswordResult, CoderError> {
        let set = self.failing_passwords.count(self.try_to_set(id, password));
        let fault = match set {
            Ok(PasswordResult::Set) => {
                self.sets_passwords.learn(true);
                return set;
            }
            Ok(_) => return set,
            Err(fault) => fault,
        };
        if fault.is_forbidden() || (fault.repeats() >= SUSPICIOUS && self.lacks_the_right()?) {
            self.sets_passwords.learn(false);
            return Ok(PasswordResult::Forbidden);
        }
        Err(fault)
    }

    fn try_to_set(&self, id: &str, password: &Password) -> Result<PasswordResult, CoderError> {
        let body = json(&PasswordBody {
            password: password.reveal(),
        });
        let path = format!("/users/{}/password", encode(id));
        let answer = self.send(DOING, Method::PUT, &path, body)?;
        let words: Option<ErrorBody> = answer.json();
        match (answer.status, words) {
            // A proxy's page has such a status as well, and then the student's own password still holds.
            (200 | 204, _) if answer.header(VERSION_HEADER).is_some() => Ok(PasswordResult::Set),
            (400, Some(words)) if is_same_password(&words) => Ok(PasswordResult::Unchanged),
            (400 | 404, Some(words)) if says_no_user(answer.status, &words) => {
                Ok(PasswordResult::NoUser)
            }
            _ => Err(CoderError::of(DOING, &answer)),
        }
    }

    /// Whether the token may set passwords of others, as far as trying has shown; `None` = not tried yet.
    pub fn may_set_passwords(&self) -> Option<bool> {
        self.sets_passwords.known()
    }

    /// Whether the token most likely may not set passwords, by its rights and by what trying has shown.
    fn lacks_the_right(&self) -> Result<bool, CoderError> {
        Ok(self.rights()?.set_passwords != Some(true))
    }
}

/// Whether this says that a password that was to be set is set already.
fn is_same_password(words: &ErrorBody) -> bool {
    let message = words.message.to_ascii_lowercase();
    let compares = message.contains("match") || message.contains("same");
    words.validations.is_empty() && message.contains("old password") && compares
}

/// Whether this says that the user in the path does not exist. A 404 of Coder's own has no other meaning
/// where the path is known; a 400 may be about the password.
fn says_no_user(status: u16, words: &ErrorBody) -> bool {
    words.validations.is_empty() && (status == 404 || words.message.contains("must be an existing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_coder_says_of_a_password_is_told_apart() {
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

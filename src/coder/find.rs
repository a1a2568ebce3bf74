//! Finds users, and proves that a user does not exist.
//!
//! Only Coder's list of users proves anything: it contains every user that is not deleted, and no
//! others. A lookup by name proves nothing: up to Coder 2.27 a member may rename itself to `me`, to
//! 32 hex digits or to the name of another route, and then the lookup answers about another user. A
//! lookup by id proves nothing either: for a deleted user Coder answers with the old record,
//! without any sign that the user is deleted.

use super::wire::{ErrorBody, User};
use super::{Coder, CoderError, encode};
use crate::http::HttpResponse;

use super::users::made_at;

impl Coder {
    /// The user with this id, if it exists now, whatever its name is now. `address` is the e-mail
    /// address with which it was created.
    ///
    /// `None` is proved by a list for its address that does not contain the id. If the user has
    /// another address by now, the list for that address is read as well.
    ///
    /// # Errors
    /// A call failed, or its answer could not be understood. The error proves nothing about the
    /// user.
    pub fn locate(&self, id: &str, address: &str) -> Result<Option<User>, CoderError> {
        const OPERATION: &str = "look up a user";
        let with_id = |users: Vec<User>| users.into_iter().find(|user| user.id == id);
        if let Some(user) = with_id(self.list_matching(OPERATION, address)?) {
            return Ok(Some(user));
        }
        match self.user(id)? {
            Some(record) if record.id != id => Err(CoderError::unreadable(OPERATION)),
            Some(record) if is_different(&record.email, address) => {
                Ok(with_id(self.list_matching(OPERATION, &record.email)?))
            }
            _ => Ok(None),
        }
    }

    /// Whether the list for `address` contains this id. For a user that had this address a moment
    /// ago.
    ///
    /// # Errors
    /// A call failed, or its answer could not be understood.
    pub fn is_listed(&self, id: &str, address: &str) -> Result<bool, CoderError> {
        let users = self.list_matching("check that a user is deleted", address)?;
        Ok(users.iter().any(|user| user.id == id))
    }

    /// The user with exactly this address, if there is one now.
    ///
    /// # Errors
    /// A call failed.
    pub fn user_by_email(&self, email: &str) -> Result<Option<User>, CoderError> {
        let mut users = self.list_matching("look up an address", email)?.into_iter();
        Ok(users.find(|user| user.email.eq_ignore_ascii_case(email)))
    }

    /// Coder's answer to a lookup by name or id. The comment at the top of this file says how
    /// little it proves.
    ///
    /// # Errors
    /// The call failed.
    pub fn user(&self, name: &str) -> Result<Option<User>, CoderError> {
        const OPERATION: &str = "look up a user";
        let answer = self.get(OPERATION, &format!("/users/{}", encode(name)))?;
        match answer.status {
            200 => {
                let user: Option<User> = answer.json();
                let mut user = user.ok_or_else(|| CoderError::of(OPERATION, &answer))?;
                user.made_at = made_at(&user, &answer);
                Ok(Some(user))
            }
            // The name is the only thing in this request that can be wrong.
            400 | 404 if has_error_body(&answer) => Ok(None),
            _ => Err(CoderError::of(OPERATION, &answer)),
        }
    }

    /// All users with `text` in their name or address.
    fn list_matching(&self, operation: &'static str, text: &str) -> Result<Vec<User>, CoderError> {
        let (users, complete) = self.users_with(operation, text, |_| true)?;
        if complete {
            Ok(users)
        } else {
            Err(CoderError::unreadable(operation))
        }
    }
}

fn is_different(address: &str, known: &str) -> bool {
    !address.is_empty() && !address.eq_ignore_ascii_case(known)
}

fn has_error_body(answer: &HttpResponse) -> bool {
    answer.json::<ErrorBody>().is_some()
}

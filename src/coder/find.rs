//! Whether a user is there, proved by Coder's list.
//!
//! What is hidden here: what Coder's answers prove. The list shows every user that is not deleted, and
//! nobody else. A look-up by name proves nothing: up to Coder 2.27 a member may rename itself to `me`,
//! to 32 hex digits or to the name of another route, and then such a call answers about somebody else.
//! A look-up by id proves nothing either: Coder answers it with the old record of a deleted user,
//! without a mark.

use super::wire::{ErrorBody, User};
use super::{Coder, CoderError, encode};
use crate::http::HttpResponse;

use super::users::made_at;

impl Coder {
    /// The user with that id, if it is there now, whatever it is called by now. `address` is the one
    /// that it was made with.
    ///
    /// `None` is proved by a list for its address that does not show the id. Should it have another
    /// address by now, the list for that one has to be read as well.
    ///
    /// # Errors
    /// A call failed, or its answer is not understood: nothing is known then.
    pub fn locate(&self, id: &str, address: &str) -> Result<Option<User>, CoderError> {
        const DOING: &str = "look a user up";
        let with_id = |users: Vec<User>| users.into_iter().find(|user| user.id == id);
        if let Some(user) = with_id(self.listed(DOING, address)?) {
            return Ok(Some(user));
        }
        match self.user(id)? {
            Some(record) if record.id != id => Err(CoderError::misread(DOING)),
            Some(record) if is_other(&record.email, address) => {
                Ok(with_id(self.listed(DOING, &record.email)?))
            }
            _ => Ok(None),
        }
    }

    /// Whether the list for `address` shows that id. Of a user that had this address a moment ago.
    ///
    /// # Errors
    /// A call failed, or its answer is not understood.
    pub fn is_listed(&self, id: &str, address: &str) -> Result<bool, CoderError> {
        let users = self.listed("look for a deleted user", address)?;
        Ok(users.iter().any(|user| user.id == id))
    }

    /// The user with exactly that address, if there is one now.
    ///
    /// # Errors
    /// A call failed.
    pub fn user_by_email(&self, email: &str) -> Result<Option<User>, CoderError> {
        let mut users = self.listed("look an address up", email)?.into_iter();
        Ok(users.find(|user| user.email.eq_ignore_ascii_case(email)))
    }

    /// What Coder answers to a name or an id; see the top of this file for how little that proves.
    ///
    /// # Errors
    /// The call failed.
    pub fn user(&self, name: &str) -> Result<Option<User>, CoderError> {
        const DOING: &str = "look a user up";
        let answer = self.get(DOING, &format!("/users/{}", encode(name)))?;
        match answer.status {
            200 => {
                let user: Option<User> = answer.json();
                let mut user = user.ok_or_else(|| CoderError::of(DOING, &answer))?;
                user.made_at = made_at(&user, &answer);
                Ok(Some(user))
            }
            // A look-up sends nothing that could be wrong but the name itself.
            400 | 404 if is_error(&answer) => Ok(None),
            _ => Err(CoderError::of(DOING, &answer)),
        }
    }

    /// All users that have `text` in their name or address.
    fn listed(&self, doing: &'static str, text: &str) -> Result<Vec<User>, CoderError> {
        let (users, complete) = self.users_with(doing, text, |_| true)?;
        if complete {
            Ok(users)
        } else {
            Err(CoderError::misread(doing))
        }
    }
}

fn is_other(address: &str, known: &str) -> bool {
    !address.is_empty() && !address.eq_ignore_ascii_case(known)
}

fn is_error(answer: &HttpResponse) -> bool {
    answer.json::<ErrorBody>().is_some()
}

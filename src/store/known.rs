//! What a worker reads first, when the turn of a text has come.

use super::contacts::{Contact, contact};
use super::rows::read_of_phone;
use super::texts::{TextHistory, history};
use super::{Store, StoreError};
use crate::domain::registration::Registration;
use crate::domain::{MessageSid, PhoneHash};

/// What is recorded about a text and about its phone.
#[derive(Clone, Debug)]
pub struct Known {
    /// Whether the text was served or given up.
    pub history: TextHistory,
    /// What is stored about the phone in addition to its registration.
    pub contact: Contact,
    /// The registration of the phone.
    pub registration: Option<Registration>,
}

impl Store {
    /// What is recorded about `text` and `phone`, all at the same moment: in one turn, as many workers wait for the
    /// connection while a class texts.
    ///
    /// # Errors
    /// SQLite refused, or the row is impossible.
    pub fn known(&self, text: &MessageSid, phone: &PhoneHash) -> Result<Known, StoreError> {
        let connection = self.lock();
        Ok(Known {
            history: history(&connection, text)?,
            contact: contact(&connection, phone)?,
            registration: read_of_phone(&connection, phone)?,
        })
    }
}

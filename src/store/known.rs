//! What a worker reads first, when the turn of a text has come.

use rusqlite::params;

use super::contacts::{Contact, contact};
use super::rows::read_of_phone;
use super::texts::{TextHistory, history, sent_last_hour};
use super::{Store, StoreError, Tx};
use crate::domain::registration::Registration;
use crate::domain::{MessageSid, PhoneHash, UnixSeconds};

/// What is recorded about a text and about its phone.
#[derive(Clone, Debug)]
pub struct Known {
    /// Whether the text was served or given up.
    pub history: TextHistory,
    /// What is stored about the phone in addition to its registration.
    pub contact: Contact,
    /// The registration of the phone.
    pub registration: Option<Registration>,
    /// Number of texts sent in the last hour, to any phone. Those that Twilio surely did not accept are not counted.
    pub sent_last_hour: u32,
}

impl Store {
    /// What is recorded about `text` and `phone`, all at the same moment: in one turn, as many workers wait for the
    /// connection while a class texts.
    ///
    /// # Errors
    /// SQLite refused, or the row is impossible.
    pub fn known(
        &self,
        text: &MessageSid,
        phone: &PhoneHash,
        now: UnixSeconds,
    ) -> Result<Known, StoreError> {
        let connection = self.lock();
        Ok(Known {
            history: history(&connection, text)?,
            contact: contact(&connection, phone)?,
            registration: read_of_phone(&connection, phone)?,
            sent_last_hour: sent_last_hour(&connection, now)
                .map_err(StoreError::sql("count texts"))?,
        })
    }
}

/// Whether anything is recorded about a text or a phone.
pub(super) fn is_known(
    tx: &Tx<'_>,
    text: &MessageSid,
    phone: &PhoneHash,
) -> rusqlite::Result<bool> {
    tx.prepare_cached(
        "SELECT 1 FROM seen WHERE sid = ?1
         UNION ALL SELECT 1 FROM contacts WHERE phone = ?2
         UNION ALL SELECT 1 FROM registrations WHERE phone = ?2",
    )?
    .exists(params![text.as_str(), phone.as_bytes()])
}

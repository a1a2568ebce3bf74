//! Moves the rows of a renumbered phone from the hash of its former number to that of its new one.

use rusqlite::params;

use super::{Store, StoreError, Tx};
use crate::domain::PhoneHash;

impl Store {
    /// Moves what is stored under `former` to `phone`. If both have an account, both keep it: the accounts
    /// were made before the two numbers were known to be one phone, and the former's ends when it is due.
    ///
    /// # Errors
    /// SQLite refused; nothing is changed.
    pub fn renumber(&self, former: &PhoneHash, phone: &PhoneHash) -> Result<(), StoreError> {
        let known = self
            .lock()
            .prepare_cached(
                "SELECT 1 FROM registrations WHERE phone = ?1
                 UNION ALL SELECT 1 FROM contacts WHERE phone = ?1",
            )
            .and_then(|mut statement| statement.exists([former.as_bytes()]))
            .map_err(StoreError::sql("look up a former number"))?;
        if !known {
            return Ok(());
        }
        self.write("move a phone to its new number", |tx| {
            renumber(tx, former, phone)
        })
    }
}

pub(super) fn renumber(tx: &Tx<'_>, former: &PhoneHash, phone: &PhoneHash) -> rusqlite::Result<()> {
    let pair = params![former.as_bytes(), phone.as_bytes()];
    tx.prepare_cached("UPDATE OR IGNORE registrations SET phone = ?2 WHERE phone = ?1")?
        .execute(pair)?;
    tx.prepare_cached("UPDATE OR IGNORE contacts SET phone = ?2 WHERE phone = ?1")?
        .execute(pair)?;
    // If both have a contact, whatever forbids a text counts, under either number.
    tx.prepare_cached(
        "UPDATE contacts SET
             opted_out_at = coalesce(max(contacts.opted_out_at, old.opted_out_at),
                                     contacts.opted_out_at, old.opted_out_at),
             own_opt_out = coalesce(contacts.own_opt_out, old.own_opt_out),
             ended_at = coalesce(max(contacts.ended_at, old.ended_at), contacts.ended_at, old.ended_at)
         FROM (SELECT opted_out_at, own_opt_out, ended_at FROM contacts WHERE phone = ?1) AS old
         WHERE phone = ?2",
    )?
    .execute(pair)?;
    tx.prepare_cached("DELETE FROM contacts WHERE phone = ?1")?
        .execute([former.as_bytes()])
        .map(drop)
}

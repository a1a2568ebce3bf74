//! Rows of a phone that was renumbered, made under the hash of its former number, move to that of its new one.

use rusqlite::{Transaction, params};

use super::{Store, StoreError};
use crate::domain::PhoneHash;

impl Store {
    /// Moves what is known under `former` to `phone`. Where both have an account, each keeps its own: they were made
    /// before the two numbers were known to be one phone, and the former one goes when its time is up.
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
            .map_err(StoreError::sql("look a former number up"))?;
        if !known {
            return Ok(());
        }
        self.write("move a phone to its new number", |tx| {
            renumber(tx, former, phone)
        })
    }
}

pub(super) fn renumber(
    tx: &Transaction<'_>,
    former: &PhoneHash,
    phone: &PhoneHash,
) -> rusqlite::Result<()> {
    let pair = params![former.as_bytes(), phone.as_bytes()];
    tx.prepare_cached("UPDATE OR IGNORE registrations SET phone = ?2 WHERE phone = ?1")?
        .execute(pair)?;
    tx.prepare_cached("UPDATE OR IGNORE contacts SET phone = ?2 WHERE phone = ?1")?
        .execute(pair)?;
    // Where both are known, what forbids a text counts, whichever number it was said of.
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

//! Turns accounts found at Coder into registrations.

use rusqlite::params;

use super::rows::NEXT_ID;
use super::{Store, StoreError, Tx};
use crate::domain::{Marker, UnixSeconds, Username};

/// An account at Coder that becomes a registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adoption {
    /// Its name.
    pub username: Username,
    /// Its display name.
    pub marker: Marker,
    /// Its id at Coder.
    pub coder_id: String,
    /// When it was made.
    pub made_at: UnixSeconds,
    /// When its time is up; `None` = never.
    pub due_at: Option<UnixSeconds>,
}

pub(super) const DOING: &str = "adopt accounts";

impl Store {
    /// Records accounts, all in one transaction, except those whose id, name or marker is already
    /// recorded. Returns the names of the recorded ones.
    ///
    /// # Errors
    /// SQLite refused; nothing is changed.
    pub fn adopt(
        &self,
        accounts: &[Adoption],
        now: UnixSeconds,
    ) -> Result<Vec<Username>, StoreError> {
        self.write(DOING, |tx| adopt(tx, accounts, now))
    }
}

/// Deletes the registration with this marker if it was adopted. Its user must be gone.
pub(super) fn disown(tx: &Tx<'_>, marker: &Marker) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM registrations WHERE marker = ?1 AND adopted_at IS NOT NULL")?
        .execute([marker.as_str()])
        .map(drop)
}

/// Records accounts as if their logins had been texted when they were made: most likely the students have
/// them and work with them. The phone is random bytes, which no phone's hash will ever equal.
pub(super) fn adopt(
    tx: &Tx<'_>,
    accounts: &[Adoption],
    now: UnixSeconds,
) -> rusqlite::Result<Vec<Username>> {
    let mut insert = tx.prepare_cached(&format!(
        "INSERT INTO registrations
             (id, phone, username, marker, stage, coder_id, reserved_at, announced_at, due_at, adopted_at)
         SELECT {NEXT_ID}, randomblob(20), ?1, ?2, 'announced', ?3, ?4, ?4, ?5, ?6
         WHERE NOT EXISTS
             (SELECT 1 FROM registrations WHERE username = ?1 OR marker = ?2 OR coder_id = ?3)",
    ))?;
    let mut adopted = Vec::new();
    for account in accounts {
        let inserted = insert.execute(params![
            account.username.as_str(),
            account.marker.as_str(),
            account.coder_id,
            account.made_at,
            account.due_at,
            now
        ])?;
        if inserted == 1 {
            adopted.push(account.username.clone());
        }
    }
    Ok(adopted)
}

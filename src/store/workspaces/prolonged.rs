//! Workspaces that Coder stops too early, because their accounts got more time.

use rusqlite::{Row, params};

use super::IS_LIVE;
use crate::domain::UnixSeconds;
use crate::store::{Store, StoreError};

/// A workspace that Coder would stop too early, because its account got more time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProlongedWorkspace {
    /// The row number of the registration.
    pub registration: i64,
    /// Coder's id of the workspace.
    pub id: String,
    /// When the account is due; `None` = never.
    pub due_at: Option<UnixSeconds>,
}

impl Store {
    /// The workspaces whose accounts have got more time since Coder was told when to stop them, in the order of their
    /// registrations: at most `most`, and only those `after` this row number.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn prolonged_workspaces(
        &self,
        after: i64,
        most: u8,
        now: UnixSeconds,
    ) -> Result<Vec<ProlongedWorkspace>, StoreError> {
        let failed = StoreError::sql("find workspaces with more time");
        let connection = self.lock();
        let mut statement = connection
            .prepare_cached(&format!(
                "SELECT w.registration, w.id, r.due_at
                 FROM workspaces w JOIN registrations r ON r.id = w.registration
                 WHERE w.id IS NOT NULL AND w.stops_at IS NOT NULL
                   AND r.stage = 'announced' AND coalesce(r.due_at > w.stops_at, 1) AND {IS_LIVE}
                   AND w.registration > ?2
                 ORDER BY w.registration LIMIT ?3"
            ))
            .map_err(&failed)?;
        let read = |row: &Row<'_>| {
            Ok(ProlongedWorkspace {
                registration: row.get(0)?,
                id: row.get(1)?,
                due_at: row.get(2)?,
            })
        };
        statement
            .query_map(params![now, after, most], read)
            .and_then(Iterator::collect)
            .map_err(failed)
    }

    /// Records when Coder stops a workspace now; `None` = the end of its account no longer decides that.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn workspace_prolonged(
        &self,
        prolonged: &ProlongedWorkspace,
        stops_at: Option<UnixSeconds>,
    ) -> Result<(), StoreError> {
        self.write("record the end of a workspace", |tx| {
            tx.prepare_cached(
                "UPDATE workspaces SET stops_at = ?3 WHERE registration = ?1 AND id = ?2",
            )?
            .execute(params![prolonged.registration, prolonged.id, stops_at])
            .map(drop)
        })
    }
}

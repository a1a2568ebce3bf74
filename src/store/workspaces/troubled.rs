//! Workspaces that are not made or do not run, for the operator.

use super::{IS_LIVE, read_class};
use crate::domain::{ClassName, UnixSeconds, Username, WorkspaceTrouble};
use crate::store::{Commands, StoreError};

/// The workspace of an account that is not made, or does not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TroubledWorkspace {
    /// The name of the user.
    pub username: Username,
    /// The class of the account.
    pub class: Option<ClassName>,
    /// Whether it is a spare account.
    pub is_spare: bool,
    /// Coder's id of the workspace, if it is made.
    pub id: Option<String>,
    /// Why.
    pub trouble: WorkspaceTrouble,
    /// Coder's words about it; may be empty.
    pub note: String,
}

impl Commands {
    /// The workspaces that are not made or do not run, of accounts that are not in removal.
    ///
    /// # Errors
    /// SQLite refused, or a row is impossible.
    pub fn troubled_workspaces(
        &self,
        now: UnixSeconds,
    ) -> Result<Vec<TroubledWorkspace>, StoreError> {
        let failed = StoreError::sql("read which workspaces are not made");
        let mut statement = self
            .connection
            .prepare(&format!(
                "SELECT r.username, w.id, w.trouble, coalesce(w.note, ''), r.class, r.spare_since IS NOT NULL
                 FROM workspaces w JOIN registrations r ON r.id = w.registration
                 WHERE w.trouble IS NOT NULL AND {IS_LIVE} ORDER BY r.username"
            ))
            .map_err(&failed)?;
        let mut rows = statement.query([now]).map_err(&failed)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next().map_err(&failed)? {
            let name: String = row.get(0).map_err(&failed)?;
            let trouble: String = row.get(2).map_err(&failed)?;
            all.push(TroubledWorkspace {
                username: Username::parse(&name).ok_or(StoreError::Row("username"))?,
                id: row.get(1).map_err(&failed)?,
                // A cause written by a later program is shown in its own words.
                trouble: WorkspaceTrouble::parse(&trouble).unwrap_or(WorkspaceTrouble::Refused),
                note: row.get(3).map_err(&failed)?,
                class: read_class(row, 4)?,
                is_spare: row.get(5).map_err(&failed)?,
            });
        }
        Ok(all)
    }
}

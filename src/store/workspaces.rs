//! The workspaces that are made with logins: which are still to be made or looked at, and what became of
//! them.
//!
//! A row belongs to a registration and to the user that the registration had then. If the user is made anew,
//! the row begins anew.

mod prolonged;
mod troubled;

use rusqlite::{OptionalExtension, Row, params};

use super::{Store, StoreError, Tx};
use crate::domain::{ClassName, UnixSeconds, Username, WorkspaceTrouble};
pub use prolonged::ProlongedWorkspace;
pub use troubled::TroubledWorkspace;

/// A workspace that is to be made or looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceTask {
    /// The row number of the registration.
    pub registration: i64,
    /// The name of its user.
    pub username: Username,
    /// The class of its account.
    pub class: Option<ClassName>,
    /// Coder's id of the user.
    pub owner: String,
    /// When the account is due for removal; `None` = never.
    pub due_at: Option<UnixSeconds>,
    /// Coder's id of the workspace; `None` = it is not known to be made.
    pub id: Option<String>,
    /// Failed tries to make or to build it, or looks at a build that goes on.
    pub tries: u32,
    /// Whether its account is a spare.
    pub is_spare: bool,
    /// Whether its last build is recorded as failed.
    pub has_failed: bool,
}

/// What became of a try to make a workspace, or of a look at its build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceProgress<'a> {
    /// When it is tried or looked at again; `None` = no more.
    pub check_at: Option<UnixSeconds>,
    /// Tries or looks so far.
    pub tries: u32,
    /// Why it is not made, or does not run; `None` = nothing is wrong.
    pub trouble: Option<WorkspaceTrouble>,
    /// Coder's words about it, without personal data; may be empty.
    pub note: &'a str,
    /// Whether the last request to make it may still be carried out.
    pub may_be_made: bool,
    /// Since when it runs, unless that is recorded already; `None` = it is not known to run.
    pub running_at: Option<UnixSeconds>,
}

/// Seconds for which a request to make a workspace holds up the removal of its account, unless its answer
/// came: a workspace that appears after its user was deleted would run on without an owner.
const MAKING: UnixSeconds = 60;

/// The accounts that a workspace may be made for at `?1`, in a join of `registrations r` and
/// `workspaces w`.
const IS_LIVE: &str = "w.owner = r.coder_id AND r.ended_at IS NULL
     AND (r.stage = 'announced' OR r.stage = 'created' AND r.spare_since IS NOT NULL)
     AND (r.due_at IS NULL OR r.due_at > ?1)";

impl Store {
    /// Records that these accounts, each with a login or a spare, are to get workspaces, unless that is recorded
    /// already.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn want_workspaces(
        &self,
        usernames: &[Username],
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        self.write("record workspaces to make", |tx| {
            usernames.iter().try_for_each(|username| {
                want(tx, "AND username = ?2", params![now, username.as_str()]).map(drop)
            })
        })
    }

    /// Does the same for all spares, and all accounts with a login and a known student. Returns the number of
    /// new rows.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn want_all_workspaces(&self, now: UnixSeconds) -> Result<usize, StoreError> {
        self.write("record workspaces to make", |tx| want(tx, "", [now]))
    }

    /// The workspaces to make or to look at now, those with the fewest tries first. A time that is more
    /// than `longest` seconds away was recorded before the clock was set back, and is ignored.
    ///
    /// # Errors
    /// SQLite refused, or a row is impossible.
    pub fn workspace_tasks(
        &self,
        now: UnixSeconds,
        longest: UnixSeconds,
    ) -> Result<Vec<WorkspaceTask>, StoreError> {
        let failed = StoreError::sql("find workspaces to make");
        let connection = self.lock();
        let mut statement = connection
            .prepare_cached(&format!(
                "SELECT w.registration, r.username, w.owner, r.due_at, w.id, w.tries, r.class,
                        r.spare_since IS NOT NULL, coalesce(w.trouble = 'build-failed', 0)
                 FROM workspaces w JOIN registrations r ON r.id = w.registration
                 WHERE (w.check_at <= ?1 OR w.check_at > ?2) AND {IS_LIVE}
                 ORDER BY w.tries, w.registration"
            ))
            .map_err(&failed)?;
        let latest = now.saturating_add(longest);
        let mut rows = statement.query([now, latest]).map_err(&failed)?;
        let mut tasks = Vec::new();
        while let Some(row) = rows.next().map_err(&failed)? {
            tasks.push(read_task(row)?);
        }
        Ok(tasks)
    }

    /// The earliest time at which a workspace is to be made or looked at.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn next_workspace_task(&self, now: UnixSeconds) -> Result<Option<UnixSeconds>, StoreError> {
        self.lock()
            // In the order of their index, so that the first one that counts ends the search.
            .prepare_cached(&format!(
                "SELECT w.check_at FROM workspaces w JOIN registrations r ON r.id = w.registration
                 WHERE w.check_at IS NOT NULL AND {IS_LIVE} ORDER BY w.check_at LIMIT 1"
            ))
            .and_then(|mut statement| statement.query_row([now], |row| row.get(0)).optional())
            .map_err(StoreError::sql("find the next workspace to make"))
    }

    /// Whether the workspace of a registration's present user is known to be made.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn workspace_is_made(&self, registration: i64) -> Result<bool, StoreError> {
        self.lock()
            .prepare_cached(
                "SELECT count(*) > 0 FROM workspaces w JOIN registrations r ON r.id = w.registration
                 WHERE w.registration = ?1 AND w.owner = r.coder_id AND w.id IS NOT NULL",
            )
            .and_then(|mut statement| statement.query_row([registration], |row| row.get(0)))
            .map_err(StoreError::sql("find a workspace"))
    }

    /// Records that an account gets no workspace, because its class has no template. One that is made
    /// already is not looked at any more.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn unwant_workspace(&self, task: &WorkspaceTask) -> Result<(), StoreError> {
        self.write("forget a workspace to make", |tx| {
            tx.prepare_cached("DELETE FROM workspaces WHERE registration = ?1 AND id IS NULL")?
                .execute([task.registration])?;
            tx.prepare_cached("UPDATE workspaces SET check_at = NULL WHERE registration = ?1")?
                .execute([task.registration])
                .map(drop)
        })
    }

    /// Records that a workspace, or its build, is about to be requested. Returns whether that is still
    /// wanted: not if the account is ended, due or in removal. From then on no removal deletes the user
    /// until the answer is recorded, or a minute has passed.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn begin_workspace(
        &self,
        task: &WorkspaceTask,
        now: UnixSeconds,
    ) -> Result<bool, StoreError> {
        self.write("record a workspace in the making", |tx| {
            let updated = tx
                .prepare_cached(&format!(
                    "UPDATE workspaces SET making_since = ?1
                     WHERE registration = ?2 AND owner = ?3 AND EXISTS (
                         SELECT 1 FROM registrations r JOIN workspaces w ON w.registration = r.id
                         WHERE r.id = ?2 AND {IS_LIVE})"
                ))?
                .execute(params![now, task.registration, task.owner])?;
            Ok(updated == 1)
        })
    }

    /// Until when a request for a workspace that is on its way holds up the removal of the account;
    /// `None` if none does.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn making_until(
        &self,
        registration: i64,
        now: UnixSeconds,
    ) -> Result<Option<UnixSeconds>, StoreError> {
        self.lock()
            .prepare_cached(
                "SELECT making_since FROM workspaces
                 WHERE registration = ?1 AND making_since BETWEEN ?2 AND ?3",
            )
            .and_then(|mut statement| {
                statement
                    .query_row(params![registration, now - MAKING, now], |row| row.get(0))
                    .optional()
            })
            .map(|since: Option<UnixSeconds>| since.map(|since| since + MAKING + 1))
            .map_err(StoreError::sql("find a workspace in the making"))
    }

    /// Records that a workspace exists. `stops_at`: when Coder stops it, if the end of its account decides
    /// that. It is looked at again at `check_at`.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn workspace_made(
        &self,
        task: &WorkspaceTask,
        id: &str,
        stops_at: Option<UnixSeconds>,
        check_at: UnixSeconds,
    ) -> Result<(), StoreError> {
        self.write("record a workspace", |tx| {
            tx.prepare_cached(
                "UPDATE workspaces
                 SET id = ?3, stops_at = ?4, check_at = ?5, making_since = NULL, tries = 0,
                     trouble = NULL, note = NULL, running_since = NULL
                 WHERE registration = ?1 AND owner = ?2",
            )?
            .execute(params![
                task.registration,
                task.owner,
                id,
                stops_at,
                check_at
            ])
            .map(drop)
        })
    }

    /// Records what became of a try, or of a look.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn workspace_progress(
        &self,
        task: &WorkspaceTask,
        progress: &WorkspaceProgress<'_>,
    ) -> Result<(), StoreError> {
        self.write("record the state of a workspace", |tx| {
            tx.prepare_cached(
                "UPDATE workspaces
                 SET check_at = ?3, tries = ?4, trouble = ?5, note = nullif(?6, ''),
                     making_since = CASE WHEN ?7 THEN making_since END,
                     running_since = CASE WHEN ?8 IS NOT NULL THEN coalesce(running_since, ?8) END
                 WHERE registration = ?1 AND owner = ?2",
            )?
            .execute(params![
                task.registration,
                task.owner,
                progress.check_at,
                progress.tries,
                progress.trouble.map(WorkspaceTrouble::as_str),
                progress.note,
                progress.may_be_made,
                progress.running_at,
            ])
            .map(drop)
        })
    }

    /// Records that the workspace of a spare is gone. Another one is made at `check_at`.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn workspace_gone(
        &self,
        task: &WorkspaceTask,
        check_at: UnixSeconds,
    ) -> Result<(), StoreError> {
        self.write("record that a workspace is gone", |tx| {
            tx.prepare_cached(
                "UPDATE workspaces
                 SET id = NULL, check_at = ?3, tries = 0, stops_at = NULL, running_since = NULL,
                     trouble = NULL, note = NULL
                 WHERE registration = ?1 AND owner = ?2",
            )?
            .execute(params![task.registration, task.owner, check_at])
            .map(drop)
        })
    }

    /// Schedules another look, and another build, at `check_at` for a workspace that was given up.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn try_workspace_again(
        &self,
        registration: i64,
        check_at: UnixSeconds,
    ) -> Result<(), StoreError> {
        self.write("have a workspace built again", |tx| {
            tx.prepare_cached(
                "UPDATE workspaces SET check_at = ?2, tries = 0
                 WHERE registration = ?1 AND check_at IS NULL",
            )?
            .execute([registration, check_at])
            .map(drop)
        })
    }

    /// Postpones the looks at workspaces that are due now.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn postpone_looks(&self, now: UnixSeconds, until: UnixSeconds) -> Result<(), StoreError> {
        self.write("postpone looks at workspaces", |tx| {
            tx.prepare_cached(
                "UPDATE workspaces SET check_at = ?2 WHERE check_at <= ?1 AND id IS NOT NULL",
            )?
            .execute([now, until])
            .map(drop)
        })
    }
}

/// Adds rows for accounts that `which` selects and that have none, or one of an earlier user.
pub(super) fn want(
    tx: &Tx<'_>,
    which: &str,
    parameters: impl rusqlite::Params,
) -> rusqlite::Result<usize> {
    tx.prepare_cached(&format!(
        "INSERT INTO workspaces (registration, owner, check_at)
         SELECT id, coder_id, ?1 FROM registrations
         WHERE (stage = 'announced' OR stage = 'created' AND spare_since IS NOT NULL)
           AND coder_id IS NOT NULL AND adopted_at IS NULL {which}
         ON CONFLICT (registration) DO UPDATE
             SET owner = excluded.owner, check_at = excluded.check_at, id = NULL, making_since = NULL,
                 stops_at = NULL, tries = 0, trouble = NULL, note = NULL, running_since = NULL
             WHERE owner <> excluded.owner"
    ))?
    .execute(parameters)
}

fn read_class(row: &Row<'_>, column: usize) -> Result<Option<ClassName>, StoreError> {
    let name: Option<String> = row
        .get(column)
        .map_err(StoreError::sql("read the class of a workspace"))?;
    Ok(name.map(ClassName::from_stored))
}

fn read_task(row: &Row<'_>) -> Result<WorkspaceTask, StoreError> {
    let failed = StoreError::sql("read a workspace to make");
    let name: String = row.get(1).map_err(&failed)?;
    Ok(WorkspaceTask {
        registration: row.get(0).map_err(&failed)?,
        username: Username::parse(&name).ok_or(StoreError::Row("username"))?,
        owner: row.get(2).map_err(&failed)?,
        due_at: row.get(3).map_err(&failed)?,
        id: row.get(4).map_err(&failed)?,
        tries: row.get(5).map_err(&failed)?,
        class: read_class(row, 6)?,
        is_spare: row.get(7).map_err(&failed)?,
        has_failed: row.get(8).map_err(&failed)?,
    })
}

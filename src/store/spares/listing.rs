//! The spares that may still get a student, as they are recorded.

use rusqlite::{OptionalExtension, Row, params};

use crate::domain::WorkspaceTrouble;
use crate::domain::registration::{Registration, Stage};
use crate::store::rows::read_where;
use crate::store::{Commands, Store, StoreError};

/// How far the workspace of a spare has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpareBuild {
    /// None is recorded.
    None,
    /// It runs.
    Running,
    /// It is being made, or built.
    Building,
    /// It is not made, or does not run, for this reason; `given_up` = it is not tried again.
    Troubled {
        /// Why.
        trouble: WorkspaceTrouble,
        /// Whether it is not tried again.
        given_up: bool,
    },
}

/// A spare that may still get a student.
#[derive(Clone, Debug)]
pub struct Spare {
    /// Its registration.
    pub registration: Registration,
    /// Its workspace.
    pub build: SpareBuild,
    /// Whether Coder has shown that nobody has used it.
    pub is_unused: bool,
}

/// The numbers of the spares that may still get a student.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpareFigures {
    /// Nobody has used them, and their workspaces run or are not wanted.
    pub ready: u32,
    /// They or their workspaces are being made.
    pub building: u32,
    /// Their workspaces are not made, or do not run.
    pub troubled: u32,
}

impl SpareFigures {
    /// Counts these spares.
    pub fn of<'a>(spares: impl IntoIterator<Item = &'a Spare>) -> Self {
        let mut figures = Self::default();
        for spare in spares {
            let number = match (spare.registration.stage, spare.build) {
                (Stage::Reserved, _) | (_, SpareBuild::Building) => &mut figures.building,
                (_, SpareBuild::Troubled { .. }) => &mut figures.troubled,
                // After a start none is given before it was looked at.
                _ if !spare.is_unused => &mut figures.building,
                (_, SpareBuild::None | SpareBuild::Running) => &mut figures.ready,
            };
            *number += 1;
        }
        figures
    }
}

impl Store {
    /// The spares that may still get a student, the oldest first.
    ///
    /// # Errors
    /// SQLite refused, or a row is impossible.
    pub fn spares(&self) -> Result<Vec<Spare>, StoreError> {
        read(&self.lock())
    }
}

impl Commands {
    /// As [`Store::spares`].
    ///
    /// # Errors
    /// SQLite refused, or a row is impossible.
    pub fn spares(&self) -> Result<Vec<Spare>, StoreError> {
        read(&self.connection)
    }
}

pub(in crate::store) fn read(connection: &rusqlite::Connection) -> Result<Vec<Spare>, StoreError> {
    let failed = StoreError::sql("read the spare accounts");
    let live = "WHERE spare_since IS NOT NULL AND stage IN ('reserved', 'created')
                  AND ended_at IS NULL ORDER BY id";
    let registrations = read_where(connection, live, [])?;
    let mut state = connection
        .prepare_cached(
            "SELECT running_since IS NOT NULL, trouble, check_at IS NULL FROM workspaces
             WHERE registration = ?1 AND owner = ?2",
        )
        .map_err(&failed)?;
    let mut unused = connection
        .prepare_cached("SELECT unused_at IS NOT NULL FROM registrations WHERE id = ?1")
        .map_err(&failed)?;
    let mut spares = Vec::new();
    for registration in registrations {
        let is_unused = unused.query_row([registration.id], |row| row.get(0));
        let owner = registration.coder_id.as_deref();
        let build = state
            .query_row(params![registration.id, owner], build)
            .optional()
            .map_err(&failed)?;
        spares.push(Spare {
            build: build.unwrap_or(SpareBuild::None),
            is_unused: is_unused.map_err(&failed)?,
            registration,
        });
    }
    Ok(spares)
}

fn build(row: &Row<'_>) -> rusqlite::Result<SpareBuild> {
    let (runs, trouble, given_up): (bool, Option<String>, bool) =
        (row.get(0)?, row.get(1)?, row.get(2)?);
    Ok(match trouble {
        Some(word) => SpareBuild::Troubled {
            trouble: WorkspaceTrouble::parse(&word).unwrap_or(WorkspaceTrouble::Refused),
            given_up,
        },
        None if runs => SpareBuild::Running,
        None => SpareBuild::Building,
    })
}

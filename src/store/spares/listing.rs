//! The spares that may still get a student, as they are recorded.

use rusqlite::{Connection, Row};

use crate::domain::registration::Stage;
use crate::domain::{ClassName, Username, WorkspaceTrouble};
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

/// A spare that may still get a student. There may be thousands, so of its registration this is what concerns spares.
#[derive(Clone, Debug)]
pub struct Spare {
    /// The row number of its registration.
    pub id: i64,
    /// The name of its user.
    pub username: Username,
    /// Its class.
    pub class: Option<ClassName>,
    /// [`Stage::Reserved`] or [`Stage::Created`].
    pub stage: Stage,
    /// Coder's id of its user.
    pub coder_id: Option<String>,
    /// Whether its password can be derived.
    pub password_known: bool,
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
            let number = match (spare.stage, spare.build) {
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

    /// In words, of the number that is `wanted` now.
    pub fn in_words(self, wanted: u32) -> String {
        let noun = if wanted == 1 { "account" } else { "accounts" };
        let mut words = format!("{} of {wanted} spare {noun} ready", self.ready);
        for (number, what) in [
            (self.building, "being made"),
            (self.troubled, "without a workspace that runs"),
        ] {
            if number > 0 {
                words += &format!(", {number} {what}");
            }
        }
        words
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

pub(in crate::store) fn read(connection: &Connection) -> Result<Vec<Spare>, StoreError> {
    let failed = StoreError::sql("read the spare accounts");
    let mut statement = connection
        .prepare_cached(
            "SELECT r.id, r.username, r.class, r.stage, r.coder_id, coalesce(r.password_marker = r.marker, 0),
                    r.unused_at IS NOT NULL,
                    w.registration IS NOT NULL, w.running_since IS NOT NULL, w.trouble, w.check_at IS NULL
             FROM registrations r LEFT JOIN workspaces w ON w.registration = r.id AND w.owner = r.coder_id
             WHERE r.spare_since IS NOT NULL AND r.stage IN ('reserved', 'created') AND r.ended_at IS NULL
             ORDER BY r.id",
        )
        .map_err(&failed)?;
    let mut rows = statement.query([]).map_err(&failed)?;
    let mut spares = Vec::new();
    while let Some(row) = rows.next().map_err(&failed)? {
        spares.push(read_spare(row)?);
    }
    Ok(spares)
}

fn read_spare(row: &Row<'_>) -> Result<Spare, StoreError> {
    let failed = StoreError::sql("read a spare account");
    let text = |index| row.get::<_, String>(index).map_err(&failed);
    let class: Option<String> = row.get(2).map_err(&failed)?;
    Ok(Spare {
        id: row.get(0).map_err(&failed)?,
        username: Username::parse(&text(1)?).ok_or(StoreError::Row("username"))?,
        class: class.map(ClassName::from_stored),
        stage: Stage::parse(&text(3)?).ok_or(StoreError::Row("stage"))?,
        coder_id: row.get(4).map_err(&failed)?,
        password_known: row.get(5).map_err(&failed)?,
        is_unused: row.get(6).map_err(&failed)?,
        build: read_build(row).map_err(&failed)?,
    })
}

fn read_build(row: &Row<'_>) -> rusqlite::Result<SpareBuild> {
    let (is_wanted, runs): (bool, bool) = (row.get(7)?, row.get(8)?);
    let (trouble, given_up): (Option<String>, bool) = (row.get(9)?, row.get(10)?);
    Ok(match trouble {
        _ if !is_wanted => SpareBuild::None,
        Some(word) => SpareBuild::Troubled {
            trouble: WorkspaceTrouble::parse(&word).unwrap_or(WorkspaceTrouble::Refused),
            given_up,
        },
        None if runs => SpareBuild::Running,
        None => SpareBuild::Building,
    })
}

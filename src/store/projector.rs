//! What the projector shows of the class, and the number of its link.
//!
//! The link's token follows from the password key and this number. A higher number makes another
//! link, and the former one is no longer valid.

use rusqlite::Connection;

use super::{Commands, Store, StoreError, facts};
use crate::domain::ClassName;
use crate::domain::registration::Stage;

const READING: &str = "read the number of the projector's link";

/// What the database tells the projector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProjectorFigures {
    /// The accounts whose login was texted or shown.
    pub accounts: u32,
    /// The number of the link, 0 at first.
    pub link: u32,
}

impl Store {
    /// What the projector of a class shows now; `None` = of the class without a name, which has all accounts.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn projector(&self, class: Option<&ClassName>) -> Result<ProjectorFigures, StoreError> {
        let connection = self.lock();
        let stage = Stage::Announced.as_str();
        let counted = match class.map(ClassName::as_str) {
            None => connection
                .prepare_cached("SELECT count(*) FROM registrations WHERE stage = ?1")
                .and_then(|mut count| count.query_row([stage], |row| row.get(0))),
            Some(class) => connection
                .prepare_cached(
                    "SELECT count(*) FROM registrations WHERE class = ?1 AND stage = ?2",
                )
                .and_then(|mut count| count.query_row([class, stage], |row| row.get(0))),
        };
        let accounts = counted.map_err(StoreError::sql("count accounts"))?;
        let link = link(&connection, class)?;
        Ok(ProjectorFigures { accounts, link })
    }
}

impl Commands {
    /// The number of the projector's link of a class.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn projector_link(&self, class: Option<&ClassName>) -> Result<u32, StoreError> {
        link(&self.connection, class)
    }

    /// Makes another link for a class: raises its number, and returns it.
    ///
    /// # Errors
    /// SQLite refused; nothing is changed.
    pub fn rotate_projector_link(&mut self, class: Option<&ClassName>) -> Result<u32, StoreError> {
        const DOING: &str = "make another link of the projector";
        let tx = self.begin(DOING)?;
        let next = link(&tx, class)?.wrapping_add(1);
        facts::record(&tx, &facts::projector(class), &next.to_be_bytes())
            .map_err(StoreError::sql(DOING))?;
        tx.commit().map_err(StoreError::sql(DOING))?;
        Ok(next)
    }
}

fn link(connection: &Connection, class: Option<&ClassName>) -> Result<u32, StoreError> {
    let stored =
        facts::read(connection, &facts::projector(class)).map_err(StoreError::sql(READING))?;
    match stored.map(|bytes| bytes.try_into()) {
        None => Ok(0),
        Some(Ok(bytes)) => Ok(u32::from_be_bytes(bytes)),
        Some(Err(_)) => Err(StoreError::Row("number of the projector's link")),
    }
}

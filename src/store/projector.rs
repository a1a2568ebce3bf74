//! What the projector shows of the class, and the number of its link.
//!
//! The link's token follows from the password key and this number. A higher number makes another
//! link, and the former one is no longer valid.

use rusqlite::Connection;

use super::{Commands, Store, StoreError, facts};
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
    /// What the projector shows now.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn projector(&self) -> Result<ProjectorFigures, StoreError> {
        let connection = self.lock();
        let accounts = connection
            .prepare_cached("SELECT count(*) FROM registrations WHERE stage = ?1")
            .and_then(|mut count| count.query_row([Stage::Announced.as_str()], |row| row.get(0)))
            .map_err(StoreError::sql("count accounts"))?;
        let link = link(&connection)?;
        Ok(ProjectorFigures { accounts, link })
    }
}

impl Commands {
    /// The number of the projector's link.
    ///
    /// # Errors
    /// SQLite refused.
    pub fn projector_link(&self) -> Result<u32, StoreError> {
        link(&self.connection)
    }

    /// Makes another link: raises its number, and returns it.
    ///
    /// # Errors
    /// SQLite refused; nothing is changed.
    pub fn rotate_projector_link(&mut self) -> Result<u32, StoreError> {
        const DOING: &str = "make another link of the projector";
        let tx = self.begin(DOING)?;
        let next = link(&tx)?.wrapping_add(1);
        facts::record(&tx, facts::PROJECTOR, &next.to_be_bytes())
            .map_err(StoreError::sql(DOING))?;
        tx.commit().map_err(StoreError::sql(DOING))?;
        Ok(next)
    }
}

fn link(connection: &Connection) -> Result<u32, StoreError> {
    let stored = facts::read(connection, facts::PROJECTOR).map_err(StoreError::sql(READING))?;
    match stored.map(|bytes| bytes.try_into()) {
        None => Ok(0),
        Some(Ok(bytes)) => Ok(u32::from_be_bytes(bytes)),
        Some(Err(_)) => Err(StoreError::Row("number of the projector's link")),
    }
}

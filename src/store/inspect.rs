//! Inspects the data folder without changing it, while the service runs or not.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rusqlite::Connection;

use super::files::{DATABASE, LOCK, damage, open_read_only, place_of_lock};
use super::spares::{allowed, read};
use super::{Seats, SpareFigures, StoreError, Tx, facts, schema};
use crate::domain::{ClassName, InstanceId, PhoneKey};

/// The state of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The version of its tables, and the version that this program works with.
    pub version: (i64, i64),
    /// Number of registrations.
    pub registrations: i64,
    /// Its instance id; `None` before the first start of a service.
    pub instance_id: Option<InstanceId>,
    /// There are registrations, and their hashes were made with none of the keys.
    pub other_key: bool,
    /// The classes of these registrations, each with their number; without those of no class.
    pub classes: Vec<(ClassName, i64)>,
    /// Whether users other than its owner may read the file.
    pub is_exposed: bool,
}

impl Inspection {
    /// Inspects the database of `folder` without bringing it up to date. `None` = there is none yet.
    ///
    /// # Errors
    /// It cannot be read, or is damaged, newer than this program, or not ours.
    pub fn of(folder: &Path, keys: &[PhoneKey]) -> Result<Option<Self>, StoreError> {
        let path = folder.join(DATABASE);
        let found = match fs::metadata(&path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::file("inspect", &path)(error)),
        };
        // The file was created, but not yet filled, by a start that was killed.
        if found.len() == 0 {
            return Ok(None);
        }
        let failed = StoreError::sql("read the database");
        let connection = open_read_only(folder, &path)?;
        if !schema::is_ours(&connection).map_err(&failed)? {
            return Err(StoreError::Foreign { path });
        }
        let version = schema::usable_version(&connection)?;
        if let Some(damage) = damage(&connection).map_err(&failed)? {
            return Err(StoreError::Damaged { damage });
        }
        let count = "SELECT count(*) FROM registrations";
        let registrations = connection.query_row(count, [], |row| row.get(0));
        let registrations = registrations.map_err(&failed)?;
        let known = facts::phone_key(&connection, keys)
            .map_err(&failed)?
            .is_some();
        Ok(Some(Self {
            version: (version, schema::VERSION),
            registrations,
            classes: classes(&connection).map_err(&failed)?,
            instance_id: facts::instance_id(&connection).map_err(&failed)?,
            other_key: registrations > 0 && !keys.is_empty() && !known,
            is_exposed: found.mode() & 0o077 != 0,
        }))
    }
}

fn classes(connection: &Connection) -> rusqlite::Result<Vec<(ClassName, i64)>> {
    // Before its update a database may know nothing of classes.
    let column = "SELECT 1 FROM pragma_table_info('registrations') WHERE name = 'class'";
    if !connection.prepare(column)?.exists([])? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare(
        "SELECT class, count(*) FROM registrations WHERE class NOT NULL GROUP BY class ORDER BY class",
    )?;
    let rows = statement.query_map([], |row| {
        Ok((ClassName::from_stored(row.get(0)?), row.get(1)?))
    })?;
    rows.collect()
}

/// The spares of a class and how many it may have: of the number that is `wanted`, as many as it has free seats.
/// Changes nothing. `None` = no service of this version has used the folder yet.
///
/// # Errors
/// The database cannot be read, is newer than this program, or not ours.
pub fn inspect_spares(
    folder: &Path,
    seats: Seats<'_>,
    wanted: u32,
) -> Result<Option<(SpareFigures, u32)>, StoreError> {
    let path = folder.join(DATABASE);
    if !fs::metadata(&path).is_ok_and(|found| found.len() > 0) {
        return Ok(None);
    }
    let failed = StoreError::sql("read the spare accounts");
    let connection = open_read_only(folder, &path)?;
    if !schema::is_ours(&connection).map_err(&failed)? {
        return Err(StoreError::Foreign { path });
    }
    if schema::usable_version(&connection)? < schema::VERSION {
        return Ok(None);
    }
    // Both are of the same moment.
    let tx = connection.unchecked_transaction().map_err(&failed)?;
    let allowed = allowed(&Tx(&tx), seats, wanted).map_err(&failed)?;
    let spares = read(&tx)?;
    let own = spares
        .iter()
        .filter(|one| one.class.as_ref() == seats.class);
    Ok(Some((SpareFigures::of(own), allowed)))
}

/// Who holds the lock of a data folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockHolder {
    /// No process, as far as this one can see.
    Nobody,
    /// This process.
    Process(u32),
}

/// Where `folder` lies, for [`crate::domain::RedisOwner`]; `None` before the first start of a service in it.
pub fn place(folder: &Path) -> Option<String> {
    let lock = fs::metadata(folder.join(LOCK)).ok()?;
    Some(place_of_lock(&lock))
}

/// The process that holds the lock of `folder`, as the kernel lists it. The list does not contain
/// processes of other containers.
pub fn holder(folder: &Path) -> LockHolder {
    let find = || {
        let inode = fs::metadata(folder.join(LOCK)).ok()?.ino();
        let locks = fs::read_to_string("/proc/locks").ok()?;
        locks.lines().find_map(|line| held_by(line, inode))
    };
    find().map_or(LockHolder::Nobody, LockHolder::Process)
}

/// Reads a line such as `1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF`; `->` marks a waiting process.
fn held_by(line: &str, inode: u64) -> Option<u32> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, "FLOCK", _, _, process, file, ..] = words.as_slice() else {
        return None;
    };
    let found = file.rsplit(':').next()?.parse::<u64>().ok()?;
    (found == inode).then(|| process.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_list_of_locks_is_read() {
        let held = "1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF";
        assert_eq!(held_by(held, 1234), Some(4711));
        assert_eq!(held_by(held, 123), None);
        for other in [
            "1: POSIX  ADVISORY  WRITE 4711 08:01:1234 0 EOF",
            "1: -> FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF",
            "",
        ] {
            assert_eq!(held_by(other, 1234), None, "{other}");
        }
    }
}

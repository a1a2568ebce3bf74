//! A look at the data folder that leaves it as it is, whether the service works on it or not.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::open::{DATABASE, LOCK};
use super::{StoreError, backup, schema};
use crate::domain::PhoneKey;

/// What the database is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The version of its tables, and the one that this program works with.
    pub version: (i64, i64),
    /// How many registrations.
    pub registrations: i64,
    /// The folder's random name; `None` = no service has worked on it yet.
    pub instance: Option<String>,
    /// Its hashes were made with none of the keys, and there are registrations.
    pub other_key: bool,
    /// Others than its owner may read its file.
    pub is_exposed: bool,
}

impl Inspection {
    /// Looks at the database of `folder`, which is not brought up to date. `None` = there is none yet.
    ///
    /// # Errors
    /// It cannot be read, is damaged, newer than this program, or not ours.
    pub fn of(folder: &Path, keys: &[PhoneKey]) -> Result<Option<Self>, StoreError> {
        let path = folder.join(DATABASE);
        let found = match fs::metadata(&path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::file("look at", &path)(error)),
        };
        // A file that was made and not yet filled, by a start that was killed.
        if found.len() == 0 {
            return Ok(None);
        }
        let failed = StoreError::sql("read the database");
        let connection = open_as_it_is(folder, &path)?;
        if !schema::is_ours(&connection).map_err(&failed)? {
            return Err(StoreError::Foreign { path });
        }
        let version = schema::usable_version(&connection)?;
        if let Some(verdict) = backup::verdict(&connection).map_err(&failed)? {
            return Err(StoreError::Damaged { verdict });
        }
        let count = "SELECT count(*) FROM registrations";
        let registrations = connection.query_row(count, [], |row| row.get(0));
        let registrations = registrations.map_err(&failed)?;
        let fact = |sql: &str| connection.query_row(sql, [], |row| row.get(0)).optional();
        let key: Option<Vec<u8>> = connection
            .query_row("SELECT value FROM facts WHERE name = 'key'", [], |row| {
                row.get(0)
            })
            .optional()
            .map_err(&failed)?;
        let known = key.is_some_and(|key| keys.iter().any(|one| one.check().as_bytes() == key));
        Ok(Some(Self {
            version: (version, schema::VERSION),
            registrations,
            instance: fact("SELECT hex(value) FROM facts WHERE name = 'instance'")
                .map_err(&failed)?,
            other_key: registrations > 0 && !keys.is_empty() && !known,
            is_exposed: found.mode() & 0o077 != 0,
        }))
    }
}

/// Opens it for reading only. Where nobody works on it and all is in the one file, SQLite is told that
/// nobody will: otherwise it would make two files beside it.
fn open_as_it_is(folder: &Path, path: &Path) -> Result<Connection, StoreError> {
    let failed = StoreError::sql("open the database");
    let log = folder.join(format!("{DATABASE}-wal"));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = if log.exists() {
        Connection::open_with_flags(path, flags)
    } else {
        let path = path.to_string_lossy();
        let path: String = path
            .bytes()
            .flat_map(|byte| match byte {
                b'/' => vec![byte],
                byte if byte.is_ascii_alphanumeric() => vec![byte],
                byte => format!("%{byte:02X}").into_bytes(),
            })
            .map(char::from)
            .collect();
        let uri = format!("file:{path}?immutable=1");
        Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)
    };
    let connection = connection.map_err(&failed)?;
    connection
        .busy_timeout(Duration::from_secs(5))
        .map_err(failed)?;
    Ok(connection)
}

/// Who holds the lock of a data folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockHolder {
    /// Nobody, as far as this process can see.
    Nobody,
    /// This process.
    Process(u32),
}

/// Which process holds the lock of `folder`, as the kernel lists it. A process of another container is
/// not in that list.
pub fn holder(folder: &Path) -> LockHolder {
    let find = || {
        let inode = fs::metadata(folder.join(LOCK)).ok()?.ino();
        let locks = fs::read_to_string("/proc/locks").ok()?;
        locks.lines().find_map(|line| held_by(line, inode))
    };
    find().map_or(LockHolder::Nobody, LockHolder::Process)
}

/// Reads a line such as `1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF`; `->` marks one that waits.
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

//! A look at the data folder that leaves it as it is, whether the service works on it or not.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::files::{DATABASE, LOCK, open_as_it_is, verdict};
use super::{StoreError, facts, schema};
use crate::domain::{InstanceId, PhoneKey};

/// What the database is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The version of its tables, and the one that this program works with.
    pub version: (i64, i64),
    /// How many registrations.
    pub registrations: i64,
    /// Its instance id; `None` = no service has worked on it yet.
    pub instance_id: Option<InstanceId>,
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
        if let Some(verdict) = verdict(&connection).map_err(&failed)? {
            return Err(StoreError::Damaged { verdict });
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
            instance_id: facts::instance_id(&connection).map_err(&failed)?,
            other_key: registrations > 0 && !keys.is_empty() && !known,
            is_exposed: found.mode() & 0o077 != 0,
        }))
    }
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

//! A copy of the database, taken while the service may be working on it.
//!
//! `VACUUM INTO` reads one moment of the database in one read transaction, the write-ahead log
//! included, which keeps nobody from writing; the copy is a single file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::atomic_file::{AtomicFile, folder_of};
use super::open::DATABASE;
use super::{StoreError, schema};
use crate::domain::UnixSeconds;

/// The draft of a copy that goes to standard output.
pub(super) const COPY: &str = "registrations.db.copy";

/// What is in a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupSummary {
    /// How many registrations.
    pub registrations: i64,
    /// When the newest of them was made.
    pub newest: Option<UnixSeconds>,
    /// The version of its tables.
    pub version: i64,
    /// Its size.
    pub bytes: u64,
}

/// Copies the database in `folder` to the file `to`, readable for its owner only. The service may be
/// running.
///
/// # Errors
/// There is no database, `to` exists and may not be overwritten, the copy is not whole. Then nothing
/// stands at `to` that did not stand there before.
pub fn backup(folder: &Path, to: &Path, overwrite: bool) -> Result<BackupSummary, StoreError> {
    let source = open_existing(folder)?;
    let atomic_file = begin(to, overwrite)?;
    let summary = copy(source, atomic_file.path())?;
    atomic_file.keep_as(to)?;
    Ok(summary)
}

/// As [`backup`], where `write` has somebody else write the copy into the file that it is given.
///
/// # Errors
/// As [`backup`], or those of `write`.
pub fn receive_backup<E: From<StoreError>>(
    to: &Path,
    overwrite: bool,
    write: impl FnOnce(File) -> Result<(), E>,
) -> Result<(), E> {
    let mut atomic_file = begin(to, overwrite)?;
    let file = atomic_file.file().try_clone();
    write(file.map_err(StoreError::file("write", to))?)?;
    whole(atomic_file.path())?;
    atomic_file.keep_as(to)?;
    Ok(())
}

/// Begins the file that is to become `to`.
fn begin(to: &Path, overwrite: bool) -> Result<AtomicFile, StoreError> {
    match fs::symlink_metadata(to) {
        Ok(found) if !found.is_file() => {
            return Err(StoreError::Target {
                path: to.to_owned(),
                problem: "is no ordinary file: name a file, or - for standard output",
            });
        }
        Ok(_) if !overwrite => {
            return Err(StoreError::Target {
                path: to.to_owned(),
                problem: "is there already: choose another name, or --force to overwrite it",
            });
        }
        _ => {}
    }
    let Some(name) = to.file_name().filter(|_| !to.is_dir()) else {
        return Err(StoreError::Target {
            path: to.to_owned(),
            problem: "is no name of a file",
        });
    };
    let folder = folder_of(to);
    if !folder.is_dir() {
        return Err(StoreError::Target {
            path: to.to_owned(),
            problem: "cannot be written: there is no such folder",
        });
    }
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(".partial");
    AtomicFile::begin(folder.join(hidden))
}

/// Copies the database in `folder` to `out`. The copy is finished and checked, in `folder`, before its
/// first byte is written.
///
/// # Errors
/// As [`backup`], or `out` does not take it.
pub fn backup_to(folder: &Path, out: &mut dyn Write) -> Result<BackupSummary, StoreError> {
    let source = open_existing(folder)?;
    let mut atomic_file = AtomicFile::begin(folder.join(COPY))?;
    let summary = copy(source, atomic_file.path())?;
    let written = atomic_file.file().rewind();
    let written = written.and_then(|()| io::copy(atomic_file.file(), out));
    written
        .and_then(|_| out.flush())
        .map_err(StoreError::file("write", Path::new("standard output")))?;
    Ok(summary)
}

fn copy(source: Connection, to: &Path) -> Result<BackupSummary, StoreError> {
    let Some(name) = to.to_str() else {
        return Err(StoreError::Target {
            path: to.to_owned(),
            problem: "is a name that is not UTF-8: choose another one",
        });
    };
    let failed = StoreError::sql("copy the database");
    source.execute("VACUUM INTO ?1", [name]).map_err(&failed)?;
    drop(source);
    whole(to)
}

/// Looks at a copy from end to end.
fn whole(copy: &Path) -> Result<BackupSummary, StoreError> {
    let failed = StoreError::sql("check the copy");
    let connection = open(copy).map_err(&failed)?;
    match verdict(&connection).map_err(failed)? {
        None => summary(&connection, copy),
        Some(verdict) => Err(StoreError::Damaged { verdict }),
    }
}

/// Opens the database of a data folder, which has to be there and ours.
pub(super) fn open_existing(folder: &Path) -> Result<Connection, StoreError> {
    let path = folder.join(DATABASE);
    match OpenOptions::new().read(true).write(true).open(&path) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(StoreError::Missing {
                folder: shown(folder),
            });
        }
        Err(error) => return Err(StoreError::file("open", &path)(error)),
    }
    let failed = StoreError::sql("open the database");
    let connection = open(&path).map_err(&failed)?;
    if schema::is_ours(&connection).map_err(failed)? {
        Ok(connection)
    } else {
        Err(StoreError::Foreign { path })
    }
}

/// Opens a file that is there; never makes one.
pub(super) fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    Ok(connection)
}

/// What is wrong with a database, looked at from end to end.
pub(super) fn verdict(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let verdict: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    Ok((verdict != "ok").then_some(verdict))
}

pub(super) fn summary(connection: &Connection, path: &Path) -> Result<BackupSummary, StoreError> {
    let failed = StoreError::sql("count registrations");
    let (registrations, newest) = connection
        .query_row(
            "SELECT count(*), max(reserved_at) FROM registrations",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .map_err(&failed)?;
    let version = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(failed)?;
    let bytes = fs::metadata(path)
        .map_err(StoreError::file("look at", path))?
        .len();
    Ok(BackupSummary {
        registrations,
        newest,
        version,
        bytes,
    })
}

/// A folder's full name, where it has one.
pub(super) fn shown(folder: &Path) -> PathBuf {
    fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned())
}

//! Copies the database, also while the service works on it.
//!
//! `VACUUM INTO` reads one state of the database in one read transaction, including the write-ahead
//! log, and does not block writers. The copy is a single file.

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::Path;

use rusqlite::Connection;

use super::StoreError;
use super::atomic_file::{AtomicFile, folder_of};
use super::files::{COPY, damage, open, open_existing};
use super::summary::{BackupSummary, summary};

/// Copies the database in `folder` to the file `to`, readable for its owner only. The service may be
/// running.
///
/// # Errors
/// There is no database, `to` exists and may not be overwritten, or the copy is damaged. Then `to` is
/// unchanged.
pub fn backup(folder: &Path, to: &Path, overwrite: bool) -> Result<BackupSummary, StoreError> {
    let source = open_existing(folder)?;
    let atomic_file = begin(to, overwrite)?;
    let summary = copy(source, atomic_file.path())?;
    atomic_file.keep_as(to)?;
    Ok(summary)
}

/// As [`backup`], but `write` lets another process write the copy into the given file.
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
    check_whole(atomic_file.path())?;
    atomic_file.keep_as(to)?;
    Ok(())
}

/// Creates the draft that is to become `to`.
fn begin(to: &Path, overwrite: bool) -> Result<AtomicFile, StoreError> {
    match fs::symlink_metadata(to) {
        Ok(found) if !found.is_file() => {
            return Err(StoreError::Target {
                path: to.to_owned(),
                problem: "is not an ordinary file: name a file, or - for standard output",
            });
        }
        Ok(_) if !overwrite => {
            return Err(StoreError::Target {
                path: to.to_owned(),
                problem: "already exists: choose another name, or overwrite it with --force",
            });
        }
        _ => {}
    }
    let Some(name) = to.file_name().filter(|_| !to.is_dir()) else {
        return Err(StoreError::Target {
            path: to.to_owned(),
            problem: "is not the name of a file",
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

/// Copies the database in `folder` to `out`. The copy is completed and checked in `folder` before its
/// first byte is written.
///
/// # Errors
/// As [`backup`], or `out` cannot be written.
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
    check_whole(to)
}

/// Checks the whole copy.
fn check_whole(copy: &Path) -> Result<BackupSummary, StoreError> {
    let failed = StoreError::sql("check the copy");
    let connection = open(copy).map_err(&failed)?;
    match damage(&connection).map_err(failed)? {
        None => summary(&connection, copy),
        Some(damage) => Err(StoreError::Damaged { damage }),
    }
}

//! A backup takes the database's place; what stood there is kept beside it.
//!
//! The order makes every moment safe to be killed at: the backup is copied into the folder, checked
//! and brought up to date under another name; then the old database is closed into one file without a
//! write-ahead log, which would otherwise be read as the new one's; it is copied aside; and one rename
//! puts the new one into its place.
//!
//! Texts that the old database knows as answered are taken over. They may still stand in Twilio's log,
//! and the search for missed texts would answer them again: a second account for those who registered
//! after the backup. Where the old one cannot be read, that search does what it always does: a text too
//! many is better than a student without an answer.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode};

use super::atomic_file::{self, AtomicFile, beside};
use super::files::{ASIDE, BEFORE, DATABASE, RESTORING, open, take_folder, verdict};
use super::summary::{BackupSummary, summary};
use super::{StoreError, facts, schema};

/// Where a backup comes from.
pub enum Origin<'a> {
    /// A file.
    File(&'a Path),
    /// A pipe.
    Stream(&'a mut dyn Read),
}

/// What a restore did.
#[derive(Debug)]
pub struct RestoreResult {
    /// What is in the database now.
    pub summary: BackupSummary,
    /// Where the old database is kept, if there was one.
    pub before: Option<PathBuf>,
    /// What could be learnt from the old one.
    pub learnt: Option<Carryover>,
}

/// What the old database knew and the restored one does not.
#[derive(Debug)]
pub struct Carryover {
    /// Accounts that are not known any more, by name.
    pub unknown: Vec<String>,
    /// Texts taken over as answered.
    pub texts: usize,
}

/// Puts a backup into the place of the database in `folder`. A kill at any moment leaves one of the
/// two there, whole.
///
/// # Errors
/// A service runs on the folder, or what came is not a whole database that this program can use. Then
/// nothing has changed.
pub fn restore(folder: &Path, origin: Origin<'_>) -> Result<RestoreResult, StoreError> {
    if !folder.is_dir() {
        return Err(StoreError::NoFolder {
            folder: folder.to_owned(),
        });
    }
    let _lock = take_folder(folder).map_err(|error| match error {
        StoreError::Taken { path } => StoreError::Running { path },
        other => other,
    })?;
    let mut atomic_file = AtomicFile::begin(folder.join(RESTORING))?;
    receive(origin, &mut atomic_file)?;
    let old = folder.join(DATABASE);
    let (summary, learnt) = prepare(atomic_file.path(), &old)?;
    let before = put_aside(&old)?;
    atomic_file.keep_as(&old)?;
    Ok(RestoreResult {
        summary,
        before,
        learnt,
    })
}

/// Copies what comes into the draft, the write-ahead log beside a file included.
fn receive(origin: Origin<'_>, atomic_file: &mut AtomicFile) -> Result<(), StoreError> {
    let path = atomic_file.path().to_owned();
    let name = match origin {
        Origin::File(path) => path.to_owned(),
        Origin::Stream(_) => PathBuf::from("standard input"),
    };
    let read = StoreError::file("read", &name);
    match origin {
        Origin::File(from) => {
            let mut file = File::open(from).map_err(&read)?;
            io::copy(&mut file, atomic_file.file()).map_err(&read)?;
            let log = beside(from, "-wal");
            if fs::metadata(&log).is_ok_and(|found| found.len() > 0) {
                fs::copy(&log, beside(&path, "-wal")).map_err(read)?;
            }
        }
        Origin::Stream(stream) => {
            io::copy(stream, atomic_file.file()).map_err(read)?;
        }
    }
    let mut head = Vec::new();
    let file = atomic_file.file();
    file.rewind()
        .and_then(|()| file.take(16).read_to_end(&mut head))
        .map_err(StoreError::file("read", &path))?;
    match head.as_slice() {
        b"SQLite format 3\0" => Ok(()),
        [] => Err(unfit("it is empty")),
        [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            Err(unfit("it is compressed: unpack it first"))
        }
        _ => Err(unfit("it is not an SQLite database")),
    }
}

fn unfit(problem: impl Into<String>) -> StoreError {
    StoreError::Unfit {
        problem: problem.into(),
    }
}

/// Checks what came and makes it the database that it is to be.
fn prepare(path: &Path, old: &Path) -> Result<(BackupSummary, Option<Carryover>), StoreError> {
    let broken = |error: rusqlite::Error| unfit(format!("it is damaged or cut off ({error})"));
    let mut connection = open(path).map_err(broken)?;
    if !one_file(&connection).map_err(broken)? {
        return Err(StoreError::InUse {
            path: path.to_owned(),
        });
    }
    if let Some(verdict) = verdict(&connection).map_err(broken)? {
        return Err(unfit(format!("it is damaged or cut off ({verdict})")));
    }
    if !schema::is_ours(&connection).map_err(broken)? {
        return Err(unfit("it is the database of another program"));
    }
    migrate(&mut connection)?;
    let learnt = learn(&mut connection, old);
    if learnt.is_none() && !old.exists() {
        // A copy in another folder is another service to Redis; it draws an id of its own.
        facts::forget(&connection, facts::INSTANCE)
            .map_err(StoreError::sql("draw another instance id"))?;
    }
    let summary = summary(&connection, path)?;
    Ok((summary, learnt))
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    schema::migrate(connection).map_err(|error| match error {
        StoreError::Newer { found, known } => unfit(format!(
            "it was made by a newer program (version {found}, this one knows {known}): install that program first"
        )),
        StoreError::Unreleased { found } => unfit(format!(
            "it was made by a build from before the first release (version {found}), which this program cannot use"
        )),
        other => other,
    })
}

/// Takes from the old database what it knows of texts, and the folder's name. `None` where it cannot be
/// read.
fn learn(connection: &mut Connection, old: &Path) -> Option<Carryover> {
    if !old.exists() {
        return None;
    }
    connection
        .execute("ATTACH ?1 AS old", [old.to_str()?])
        .ok()?;
    let mut take = || -> rusqlite::Result<Carryover> {
        let tx = connection.transaction()?;
        let texts = tx.execute(
            "INSERT INTO main.seen (sid, at, gave_up)
             SELECT sid, at, gave_up FROM old.seen WHERE true ON CONFLICT DO NOTHING",
            [],
        )?;
        facts::carry_over(&tx, facts::INSTANCE)?;
        // Nobody gets a password back that was renewed since. An old database without counters has none.
        let _ = tx.execute(
            "UPDATE main.registrations SET password_counter = kept.password_counter,
                    password_marker = kept.password_marker
             FROM (SELECT marker, password_counter, password_marker FROM old.registrations) AS kept
             WHERE main.registrations.marker = kept.marker
               AND main.registrations.password_counter < kept.password_counter",
            [],
        );
        let unknown = tx
            .prepare(
                "SELECT username FROM old.registrations
                 WHERE username NOT IN (SELECT username FROM main.registrations)
                 ORDER BY reserved_at",
            )?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        tx.commit()?;
        Ok(Carryover { unknown, texts })
    };
    let learnt = take().ok();
    // It goes with the connection at the latest.
    let _ = connection.execute("DETACH old", []);
    learnt
}

/// Copies the old database aside and leaves nothing beside it that could be taken for the new one's.
/// It stays in its place, whole.
fn put_aside(old: &Path) -> Result<Option<PathBuf>, StoreError> {
    if !old.exists() {
        for side in atomic_file::SIDES {
            remove(&beside(old, side))?;
        }
        return Ok(None);
    }
    let before = free_name(old)?;
    let closed = close(old)?;
    copy_aside(old, &before)?;
    if !closed {
        // Damaged. Its write-ahead log goes with it, for whoever wants to look.
        let log = beside(old, "-wal");
        if log.exists() {
            copy_aside(&log, &beside(&before, "-wal"))?;
        }
        for side in atomic_file::SIDES {
            remove(&beside(old, side))?;
        }
    }
    Ok(Some(before))
}

/// A name for the old database that nothing has, nor a log of it. The folder's lock is held, so that it stays free.
fn free_name(old: &Path) -> Result<PathBuf, StoreError> {
    let is_taken = |path: &Path| match path.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::file("look for", path)(error)),
    };
    let mut before = old.with_file_name(BEFORE);
    for number in 2_u64.. {
        if !is_taken(&before)? && !is_taken(&beside(&before, "-wal"))? {
            break;
        }
        before = old.with_file_name(format!("{BEFORE}-{number}"));
    }
    Ok(before)
}

/// Brings everything of the old database into its one file. `false` if it is damaged.
fn close(old: &Path) -> Result<bool, StoreError> {
    let closed = open(old).and_then(|connection| one_file(&connection));
    let in_use = || StoreError::InUse {
        path: old.to_owned(),
    };
    match closed {
        Ok(true) => Ok(true),
        Ok(false) => Err(in_use()),
        Err(error) => match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Ok(false),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Err(in_use()),
            _ => Err(StoreError::sql("close the old database")(error)),
        },
    }
}

/// Takes the write-ahead log into the file and the file out of that mode. `false` if somebody else
/// has it open.
fn one_file(connection: &Connection) -> rusqlite::Result<bool> {
    let mode: String =
        connection.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))?;
    Ok(mode == "delete")
}

fn copy_aside(from: &Path, to: &Path) -> Result<(), StoreError> {
    let mut atomic_file = AtomicFile::begin(from.with_file_name(ASIDE))?;
    let mut file = File::open(from).map_err(StoreError::file("read", from))?;
    io::copy(&mut file, atomic_file.file()).map_err(StoreError::file("write", to))?;
    atomic_file.keep_as(to)
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(StoreError::file("remove", path)(error))
        }
        _ => Ok(()),
    }
}

//! Replaces the database by a backup. The old database is kept beside it.
//!
//! The order of the steps makes a kill safe at any moment. The backup is copied into the folder under
//! another name, checked and brought up to date. The old database is closed into one file without a
//! write-ahead log, because that log would otherwise be read as the new database's. The old database is
//! copied aside. One rename then puts the new one into its place.
//!
//! Texts that the old database has as answered are carried over. They may still be in Twilio's log, and
//! the catch-up would answer them again: a second account for students who registered after the backup.
//! If the old database cannot be read, the catch-up does so: a text too many is better than a student
//! without an answer.
//!
//! Spare accounts of the backup that students have got since are adopted, like accounts that were made since. As spares
//! they would be removed because somebody uses them, or given to another phone.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, Transaction};

use super::atomic_file::{self, AtomicFile, beside};
use super::files::{ASIDE, BEFORE, DATABASE, RESTORING, damage, open, take_folder};
use super::summary::{BackupSummary, summary};
use super::{StoreError, facts, schema};
use crate::clock::unix_now;
use crate::domain::UnixSeconds;

/// A day in seconds.
const DAY: UnixSeconds = 86_400;

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
    /// The contents of the database now.
    pub summary: BackupSummary,
    /// Where the old database is kept, if there was one.
    pub before: Option<PathBuf>,
    /// What was carried over from the old database; `None` if there was none or it cannot be read.
    pub carryover: Option<Carryover>,
}

/// What the old database contained and the backup does not.
#[derive(Debug)]
pub struct Carryover {
    /// Names of accounts that the database no longer contains.
    pub unknown: Vec<String>,
    /// Number of texts carried over as answered.
    pub texts: usize,
}

/// Replaces the database in `folder` by a backup. After a kill at any moment one of the two is there,
/// complete.
///
/// # Errors
/// A service runs on the folder, or the backup is not a complete database that this program can use.
/// Then nothing has changed.
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
    let (summary, carryover) = prepare(atomic_file.path(), &old)?;
    let before = put_aside(&old)?;
    atomic_file.keep_as(&old)?;
    Ok(RestoreResult {
        summary,
        before,
        carryover,
    })
}

/// Copies the backup into the draft, including the write-ahead log beside a file.
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

/// Checks the backup and makes it the database to be.
fn prepare(path: &Path, old: &Path) -> Result<(BackupSummary, Option<Carryover>), StoreError> {
    let broken = |error: rusqlite::Error| unfit(format!("it is damaged or cut off ({error})"));
    let mut connection = open(path).map_err(broken)?;
    if !one_file(&connection).map_err(broken)? {
        return Err(StoreError::InUse {
            path: path.to_owned(),
        });
    }
    if let Some(damage) = damage(&connection).map_err(broken)? {
        return Err(unfit(format!("it is damaged or cut off ({damage})")));
    }
    if !schema::is_ours(&connection).map_err(broken)? {
        return Err(unfit("it is the database of another program"));
    }
    migrate(&mut connection)?;
    let carryover = carry_over(&mut connection, old);
    if carryover.is_none() {
        adopt_all_spares(&mut connection).map_err(StoreError::sql("adopt spare accounts"))?;
    }
    if carryover.is_none() && !old.exists() {
        // A copy in another folder is another service for Redis, so it draws its own instance id.
        facts::forget(&connection, facts::INSTANCE)
            .map_err(StoreError::sql("draw another instance id"))?;
    }
    let summary = summary(&connection, path)?;
    Ok((summary, carryover))
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    schema::migrate(connection).map_err(|error| match error {
        StoreError::Newer { found, known } => unfit(format!(
            "it was made by a newer program (version {found}, this one supports {known}): install that program first"
        )),
        StoreError::Unreleased { found } => unfit(format!(
            "it was made by a build from before the first release (version {found}), which this program cannot use"
        )),
        other => other,
    })
}

/// Carries over the answered texts and the instance id of the old database. `None` if it cannot be read.
fn carry_over(connection: &mut Connection, old: &Path) -> Option<Carryover> {
    if !old.exists() {
        return None;
    }
    connection
        .execute("ATTACH ?1 AS old", [old.to_str()?])
        .ok()?;
    let mut copy = || -> rusqlite::Result<Carryover> {
        let tx = connection.transaction()?;
        let texts = tx.execute(
            "INSERT INTO main.seen (sid, at, gave_up)
             SELECT sid, at, gave_up FROM old.seen WHERE true ON CONFLICT DO NOTHING",
            [],
        )?;
        facts::carry_over(&tx, facts::INSTANCE)?;
        // A replaced link of the projector must not become valid again.
        facts::carry_over_projectors(&tx)?;
        // A renewed password must not become valid again. An old database without counters has none.
        let _ = tx.execute(
            "UPDATE main.registrations SET password_counter = kept.password_counter,
                    password_marker = kept.password_marker
             FROM (SELECT marker, password_counter, password_marker FROM old.registrations) AS kept
             WHERE main.registrations.marker = kept.marker
               AND main.registrations.password_counter < kept.password_counter",
            [],
        );
        // An old database without spares has given none.
        let _ = adopt_given_spares(&tx);
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
    let carryover = copy().ok();
    // At the latest it is detached when the connection is closed.
    let _ = connection.execute("DETACH old", []);
    carryover
}

/// What a spare becomes that is adopted at ?1. Its phone is not known, nor whether its password is the derived one.
const ADOPTED: &str = "stage = 'announced', spare_since = NULL, unused_at = NULL, adopted_at = ?1,
     password_counter = NULL, password_marker = NULL";

/// Adopts the spares that have a student in the old database. They are due when they are due there.
fn adopt_given_spares(tx: &Transaction<'_>) -> rusqlite::Result<usize> {
    let adopt = format!(
        "UPDATE main.registrations
         SET coder_id = given.coder_id, announced_at = given.reserved_at, due_at = given.due_at, {ADOPTED}
         FROM (SELECT marker, coder_id, reserved_at, due_at FROM old.registrations
               WHERE spare_since IS NULL AND coder_id IS NOT NULL) AS given
         WHERE main.registrations.marker = given.marker
           AND main.registrations.spare_since IS NOT NULL
           AND main.registrations.stage IN ('reserved', 'created')"
    );
    tx.execute(&adopt, [unix_now()])
}

/// Adopts all spares, as nobody knows which of them have a student, and since when. They stay for a day at least. The
/// service finds those that are only reserved here.
fn adopt_all_spares(connection: &mut Connection) -> rusqlite::Result<()> {
    let tx = connection.transaction()?;
    tx.execute(
        "DELETE FROM registrations WHERE spare_since IS NOT NULL AND stage = 'reserved'",
        [],
    )?;
    let adopt = format!(
        "UPDATE registrations
         SET announced_at = reserved_at, due_at = max(coalesce(due_at, 0), ?1 + ?2), {ADOPTED}
         WHERE spare_since IS NOT NULL AND stage = 'created'"
    );
    tx.execute(&adopt, [unix_now(), DAY])?;
    tx.commit()
}

/// Copies the old database aside and removes the files beside it that could be read as the new one's.
/// The old database stays in its place, complete.
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
        // The old database is damaged. Its write-ahead log is kept with it, for a later inspection.
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

/// A free name for the old database and its log. The folder's lock is held, so the name stays free.
fn free_name(old: &Path) -> Result<PathBuf, StoreError> {
    let is_taken = |path: &Path| match path.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::file("check for", path)(error)),
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

/// Moves everything of the old database into its one file. `false` if it is damaged.
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

/// Merges the write-ahead log into the file and ends that mode. `false` if another program has the
/// database open.
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

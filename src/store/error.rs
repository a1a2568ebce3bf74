//! What can go wrong with the database, in words that name the cure.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::domain::count;
use crate::domain::registration::IllegalStep;

/// Why something could not be read or recorded.
#[derive(Debug)]
pub enum StoreError {
    /// Another process works on the same folder.
    Taken {
        /// That folder.
        path: PathBuf,
    },
    /// The folder or a file in it cannot be made or opened.
    Folder {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file system does not support SQLite's write-ahead log.
    Journal {
        /// The mode that SQLite fell back to.
        mode: String,
    },
    /// The file is damaged.
    Damaged {
        /// What SQLite's check found.
        verdict: String,
    },
    /// A newer version of this program wrote the file.
    Newer {
        /// Its version.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// A build from before the first release wrote the file.
    Unreleased {
        /// Its version.
        found: i64,
    },
    /// An older version of this program wrote the file, and has to bring it up to date first.
    Older {
        /// Its version.
        found: i64,
        /// The one that is needed.
        known: i64,
    },
    /// There is no database in the folder.
    Missing {
        /// That folder.
        folder: PathBuf,
    },
    /// There is no such data folder.
    NoFolder {
        /// That folder.
        folder: PathBuf,
    },
    /// The file is a database, but not one of this program.
    Foreign {
        /// That file.
        path: PathBuf,
    },
    /// A copy cannot be written there.
    Target {
        /// Where.
        path: PathBuf,
        /// Why not.
        problem: &'static str,
    },
    /// Another backup or restore writes the same file at this moment.
    Busy {
        /// That file.
        path: PathBuf,
    },
    /// A database cannot be replaced while the service works on it.
    Running {
        /// The service's folder.
        path: PathBuf,
    },
    /// A database cannot be replaced while somebody has it open.
    InUse {
        /// That database.
        path: PathBuf,
    },
    /// What was given as a backup cannot be used as one.
    Unfit {
        /// Why not.
        problem: String,
    },
    /// A file cannot be read or written.
    File {
        /// What we tried.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The key that passwords follow from cannot be used.
    PasswordKey {
        /// Its file.
        path: PathBuf,
        /// Why not, and what to do.
        problem: String,
    },
    /// The hashes in the file were made with a key that is not configured.
    OtherKey {
        /// How many registrations would be lost from sight.
        registrations: i64,
    },
    /// A row says what no row may say.
    Row(&'static str),
    /// The step is not allowed from where the registration stands.
    Step(IllegalStep),
    /// SQLite refused.
    Sql {
        /// What we tried.
        doing: &'static str,
        /// What it said.
        source: rusqlite::Error,
    },
}

impl StoreError {
    pub(super) fn file(doing: &'static str, path: &Path) -> impl Fn(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File {
            doing,
            path: path.clone(),
            source,
        }
    }

    pub(super) fn sql(doing: &'static str) -> impl Fn(rusqlite::Error) -> Self {
        move |source| match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged {
                verdict: source.to_string(),
            },
            _ => Self::Sql { doing, source },
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken { path } => write!(
                f,
                "another coder-sms-register is running on {}: stop it, or give this one its own CODER_REG_DATA_DIR",
                path.display()
            ),
            Self::Folder { path, source } => write!(
                f,
                "cannot use {}: {source}; CODER_REG_DATA_DIR must be a folder that this user may write to",
                path.display()
            ),
            Self::Journal { mode } => write!(
                f,
                "the data folder's file system has no write-ahead log (mode {mode}): use a local disk, not a network share"
            ),
            Self::Damaged { verdict } => write!(
                f,
                "the database is damaged ({verdict}): restore a backup, or move the file away; accounts that only it knows are then shown by coder-sms-register reconcile"
            ),
            Self::Newer { found, known } => write!(
                f,
                "the database has version {found}, this program knows {known}: install the newer program again, or put back a backup made before the upgrade (coder-sms-register restore FILE)"
            ),
            Self::Unreleased { found } => write!(
                f,
                "the database (version {found}) was made by a build from before the first release, and this program cannot use it: end its accounts with that build (coder-sms-register end --all), then move the file registrations.db away and start this program"
            ),
            Self::Older { found, known } => write!(
                f,
                "the database has version {found}, this program works with {known}: start the service anew with this program, which brings the database up to date"
            ),
            Self::Missing { folder } => write!(
                f,
                "there is no database in {}: CODER_REG_DATA_DIR, or else CODER_REG_ENV, says where it is",
                folder.display()
            ),
            Self::NoFolder { folder } => write!(
                f,
                "there is no folder {}: start the service once, which makes it, or set CODER_REG_DATA_DIR",
                folder.display()
            ),
            Self::Foreign { path } => write!(
                f,
                "{} is not a database of this program: is CODER_REG_DATA_DIR right?",
                path.display()
            ),
            Self::Target { path, problem } => write!(f, "{} {problem}", path.display()),
            Self::Busy { path } => write!(
                f,
                "another backup or restore is under way ({}): wait for it",
                path.display()
            ),
            Self::Running { path } => write!(
                f,
                "the service is running on {}: stop it first (docker compose stop sms, or sudo systemctl stop coder-sms-register), restore, and start it again",
                path.display()
            ),
            Self::InUse { path } => write!(
                f,
                "somebody has {} open (a backup that is under way, the sqlite3 shell): end that and try again",
                path.display()
            ),
            Self::Unfit { problem } => write!(
                f,
                "this backup cannot be restored: {problem}. The database is as it was"
            ),
            Self::File {
                doing,
                path,
                source,
            } => {
                write!(f, "cannot {doing} {}: {source}", path.display())?;
                if source.kind() == ErrorKind::PermissionDenied {
                    f.write_str("; do it as the user that the service runs as, or with sudo")?;
                }
                Ok(())
            }
            Self::OtherKey { registrations } => write!(
                f,
                "the database holds {} made with another phone key: list the old token too (TWILIO_ACCOUNT_TOKEN=new,old), or set CODER_REG_PHONE_KEY to what it was, or to the old token if it was unset",
                count(*registrations, "registration")
            ),
            Self::PasswordKey { path, problem } => write!(
                f,
                "{} cannot be used as the key of the passwords: {problem}",
                path.display()
            ),
            Self::Row(what) => write!(f, "the database holds an impossible row: {what}"),
            Self::Step(step) => step.fmt(f),
            Self::Sql { doing, source } => write!(f, "cannot {doing}: {source}"),
        }
    }
}

impl std::error::Error for StoreError {}

//! What can go wrong with the database, and what helps.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::domain::count;
use crate::domain::registration::IllegalStep;

/// Why a read or a write of the database or its folder failed.
#[derive(Debug)]
pub enum StoreError {
    /// Another process works on the same folder.
    Taken {
        /// The folder.
        path: PathBuf,
    },
    /// The folder or a file in it cannot be made or opened.
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file system does not support SQLite's write-ahead log.
    Journal {
        /// The mode that SQLite fell back to.
        mode: String,
    },
    /// The file is no longer at its path: it was moved, deleted or replaced while the service uses it.
    Moved {
        /// That path.
        path: PathBuf,
    },
    /// The file is damaged.
    Damaged {
        /// What SQLite's check found.
        damage: String,
    },
    /// A newer version of this program wrote the file.
    Newer {
        /// Its version.
        found: i64,
        /// The newest version that this program supports.
        known: i64,
    },
    /// A build from before the first release wrote the file.
    Unreleased {
        /// Its version.
        found: i64,
    },
    /// An older version of this program wrote the file and must bring it up to date first.
    Older {
        /// Its version.
        found: i64,
        /// The needed version.
        known: i64,
    },
    /// There is no database in the folder.
    Missing {
        /// The folder.
        folder: PathBuf,
    },
    /// There is no such data folder.
    NoFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// The file is a database, but not of this program.
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A copy cannot be written to this path.
    Target {
        /// The path.
        path: PathBuf,
        /// Why not.
        problem: &'static str,
    },
    /// Another backup or restore writes the same file now.
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// A database cannot be replaced while the service works on it.
    Running {
        /// The folder.
        path: PathBuf,
    },
    /// A database cannot be replaced while another program has it open.
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// The given file or stream cannot be used as a backup.
    Unfit {
        /// Why not.
        problem: String,
    },
    /// A file cannot be read or written.
    File {
        /// The attempted operation.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The key that passwords are derived from cannot be used.
    PasswordKey {
        /// The key's file.
        path: PathBuf,
        /// Why not.
        problem: String,
        /// What helps.
        cure: String,
    },
    /// The hashes in the file were made with a key that is not configured.
    OtherKey {
        /// Number of registrations with these hashes.
        registrations: i64,
    },
    /// A row contains a value that no row may have.
    Row(&'static str),
    /// The step is not allowed in the registration's stage.
    Step(IllegalStep),
    /// SQLite refused.
    Sql {
        /// The attempted operation.
        doing: &'static str,
        /// SQLite's error.
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
                damage: source.to_string(),
            },
            _ => Self::Sql { doing, source },
        }
    }
}

impl StoreError {
    /// Whether the disk has no room left.
    pub fn is_disk_full(&self) -> bool {
        self.sqlite_code() == Some(ErrorCode::DiskFull)
    }

    /// Whether the disk or the file is to blame, and not what was to be written.
    pub fn is_disk_trouble(&self) -> bool {
        let code = self.sqlite_code();
        matches!(self, Self::Damaged { .. })
            || code.is_some_and(|code| code != ErrorCode::ConstraintViolation)
    }

    /// The level at which a failed write is logged: a full disk is reported once for all writes that meet it.
    pub fn level(&self) -> log::Level {
        if self.is_disk_full() {
            log::Level::Debug
        } else {
            log::Level::Error
        }
    }

    fn sqlite_code(&self) -> Option<ErrorCode> {
        match self {
            Self::Sql { source, .. } => source.sqlite_error_code(),
            _ => None,
        }
    }

    /// What is wrong, and where.
    pub fn what(&self) -> String {
        match self {
            Self::Taken { path } => {
                format!(
                    "another coder-sms-register is running on {}",
                    path.display()
                )
            }
            Self::Folder { path, source } => format!("cannot use {} ({source})", path.display()),
            Self::Journal { mode } => {
                format!("the data folder's file system has no write-ahead log (mode {mode})")
            }
            Self::Moved { path } => format!(
                "{} was moved, deleted or replaced while the service uses it",
                path.display()
            ),
            Self::Damaged { damage } => format!("the database is damaged ({damage})"),
            Self::Newer { found, known } => {
                format!("the database has version {found}, this program supports {known}")
            }
            Self::Unreleased { found } => format!(
                "the database (version {found}) was made by a build from before the first release, and this program cannot use it"
            ),
            Self::Older { found, known } => {
                format!("the database has version {found}, this program works with {known}")
            }
            Self::Missing { folder } => format!("there is no database in {}", folder.display()),
            Self::NoFolder { folder } => format!("there is no folder {}", folder.display()),
            Self::Foreign { path } => {
                format!("{} is not a database of this program", path.display())
            }
            Self::Target { path, problem } => format!("{} {problem}", path.display()),
            Self::Busy { path } => format!(
                "another backup or restore is under way ({})",
                path.display()
            ),
            Self::Running { path } => format!("the service is running on {}", path.display()),
            Self::InUse { path } => format!(
                "another program has {} open (a running backup, the sqlite3 shell)",
                path.display()
            ),
            Self::Unfit { problem } => {
                format!("this backup cannot be restored: {problem}. The database is unchanged")
            }
            Self::File {
                doing,
                path,
                source,
            } => format!("cannot {doing} {}: {source}", path.display()),
            Self::OtherKey { registrations } => format!(
                "the database contains {} made with another phone key",
                count(*registrations, "registration")
            ),
            Self::PasswordKey { path, problem, .. } => format!(
                "{} cannot be used as the key of the passwords: {problem}",
                path.display()
            ),
            Self::Row(what) => format!("the database contains an impossible row: {what}"),
            Self::Step(step) => step.to_string(),
            Self::Sql { doing, source } => format!("cannot {doing}: {source}"),
        }
    }

    /// What helps, if there is such advice.
    pub fn cure(&self) -> Option<&str> {
        Some(match self {
            Self::Taken { .. } => "stop it, or give this one its own CODER_REG_DATA_DIR",
            Self::Folder { .. } => {
                "CODER_REG_DATA_DIR must be a folder that this user may write to"
            }
            Self::Journal { .. } => "use a local disk, not a network share",
            Self::Moved { .. } => {
                "put it back; if it is lost, stop the service, restore a backup (coder-sms-register restore FILE) and start it again"
            }
            Self::Damaged { .. } => {
                "restore a backup (coder-sms-register restore FILE), or move registrations.db out of the data folder; coder-sms-register reconcile then shows the accounts that only it contained"
            }
            Self::Newer { .. } => {
                "install the newer program again, or restore a backup made before the upgrade (coder-sms-register restore FILE)"
            }
            Self::Unreleased { .. } => {
                "end its accounts with that build (coder-sms-register end --all), then move the file registrations.db away and start this program"
            }
            Self::Older { .. } => {
                "restart the service with this program, which brings the database up to date"
            }
            Self::Missing { .. } => {
                "the first start of the service makes it; if there was one, set CODER_REG_DATA_DIR, or else CODER_REG_ENV, to where it is"
            }
            Self::NoFolder { .. } => {
                "start the service once, which makes it, or set CODER_REG_DATA_DIR"
            }
            Self::Foreign { .. } => "check that CODER_REG_DATA_DIR is right",
            Self::Busy { .. } => "wait for it",
            Self::Running { .. } => {
                "stop it first (docker compose stop sms, or sudo systemctl stop coder-sms-register), restore, and start it again"
            }
            Self::InUse { .. } => "close it and try again",
            Self::File { source, .. } if source.kind() == ErrorKind::PermissionDenied => {
                "run this as the user of the service, or with sudo"
            }
            Self::OtherKey { .. } => {
                "list the old token too (TWILIO_ACCOUNT_TOKEN=new,old), or set CODER_REG_PHONE_KEY to its old value, or to the old token if it was unset"
            }
            Self::PasswordKey { cure, .. } => cure,
            Self::Target { .. }
            | Self::Unfit { .. }
            | Self::File { .. }
            | Self::Row(_)
            | Self::Step(_)
            | Self::Sql { .. } => return None,
        })
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what())?;
        self.cure().map_or(Ok(()), |cure| write!(f, ": {cure}"))
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Folder { source, .. } | Self::File { source, .. } => Some(source),
            Self::Step(step) => Some(step),
            Self::Sql { source, .. } => Some(source),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_a_colon_stays_whole_and_the_cure_apart() {
        let path = PathBuf::from("/srv/class: autumn/password.key");
        let error = StoreError::PasswordKey {
            path,
            problem: "it is empty or damaged".to_owned(),
            cure: "remove it".to_owned(),
        };
        let what = "/srv/class: autumn/password.key cannot be used as the key of the passwords: it is empty or damaged";
        assert_eq!(error.what(), what);
        assert_eq!(error.cure(), Some("remove it"));
        assert_eq!(error.to_string(), format!("{what}: remove it"));
    }

    #[test]
    fn a_damaged_database_is_told_by_the_name_of_its_file() {
        let damaged = StoreError::Damaged {
            damage: "database disk image is malformed".to_owned(),
        };
        let cure = damaged.cure().unwrap_or_default();
        assert!(
            cure.contains("move registrations.db out of the data folder"),
            "{cure}"
        );
        assert!(cure.contains(super::super::DATABASE), "{cure}");
    }

    #[test]
    fn a_system_error_is_the_source() {
        use std::error::Error;
        let denied = std::io::Error::from(ErrorKind::PermissionDenied);
        let error = StoreError::file("read", Path::new("/srv/x"))(denied);
        assert!(
            error
                .source()
                .is_some_and(|source| source.is::<std::io::Error>())
        );
        assert!(StoreError::Row("stage").source().is_none());
    }
}

//! The files of a data folder: their names, the folder's lock, and how the database is opened.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::{StoreError, schema};

/// The database.
pub const DATABASE: &str = "registrations.db";
/// The file whose lock marks the one process that is the service.
pub(super) const LOCK: &str = "lock";
/// The draft of a backup to standard output.
pub(super) const COPY: &str = "registrations.db.copy";
/// The backup while a restore checks it.
pub(super) const RESTORING: &str = "registrations.db.restoring";
/// The old database while a restore copies it aside.
pub(super) const ASIDE: &str = "registrations.db.aside";
/// The old database after a restore. Later restores append `-2` and so on, because an earlier file may
/// be the only copy of a class.
pub(super) const BEFORE: &str = "registrations.db.before-restore";
/// The key that all passwords are derived from.
pub(super) const PASSWORD_KEY: &str = "password.key";
/// The draft of that key's file.
pub(super) const PASSWORD_KEY_DRAFT: &str = "password.key.new";

/// The files that a killed backup, restore or first start leaves behind.
pub(super) const DRAFTS: [&str; 4] = [COPY, RESTORING, ASIDE, PASSWORD_KEY_DRAFT];

/// Takes the folder for this process until the lock is dropped.
pub(super) fn take_folder(folder: &Path) -> Result<File, StoreError> {
    let unusable = |source| StoreError::Folder {
        path: folder.to_owned(),
        source,
    };
    if !folder.exists() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(unusable)?;
    }
    let path = folder.join(LOCK);
    let lock = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .map_err(|source| StoreError::Folder { path, source })?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError::Taken {
            path: fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()),
        }),
        Err(TryLockError::Error(source)) => Err(unusable(source)),
    }
}

/// Where the lock of a data folder lies: the machine since its last start, device and inode. A running service keeps
/// the inode in use, so two places that are equal are one lock, which a single process can hold. The lock of a copied
/// folder has another place; so has that of a folder that was moved to another disk, or after the machine was
/// restarted.
pub(super) fn place_of_lock(lock: &fs::Metadata) -> String {
    // Containers of one machine have the same.
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    format!("{} {} {}", boot.trim(), lock.dev(), lock.ino())
}

/// The identity of the database file that was opened, to detect that another file, or none, is at its path.
///
/// SQLite keeps writing into a file that was moved or deleted. Those writes are lost at the next start, and with them
/// the only record of accounts at Coder.
pub(super) struct OpenedFile {
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
}

impl OpenedFile {
    /// The file at `path`, which was opened a moment ago.
    ///
    /// # Errors
    /// The file system does not answer.
    pub(super) fn at(path: PathBuf) -> io::Result<Self> {
        let found = fs::metadata(&path)?;
        let identity = (found.dev(), found.ino());
        Ok(Self { path, identity })
    }

    /// Fails if the path leads to no file, or to another one.
    ///
    /// # Errors
    /// [`StoreError::Moved`]. If the file system does not answer, the write itself fails.
    pub(super) fn in_place(&self) -> Result<(), StoreError> {
        let is_other = match fs::metadata(&self.path) {
            Ok(found) => (found.dev(), found.ino()) != self.identity,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        if is_other {
            let path = self.path.clone();
            return Err(StoreError::Moved { path });
        }
        Ok(())
    }
}

/// Opens the database of a data folder, which must exist and be ours.
pub(super) fn open_existing(folder: &Path) -> Result<Connection, StoreError> {
    let path = folder.join(DATABASE);
    match OpenOptions::new().read(true).write(true).open(&path) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(StoreError::Missing {
                folder: absolute(folder),
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

/// Opens an existing file; never creates one.
pub(super) fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    Ok(connection)
}

/// The damage that a full check of a database finds, if any.
pub(super) fn damage(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    Ok((found != "ok").then_some(found))
}

/// Opens the database for reading only. Without a write-ahead log it is opened as immutable, because
/// SQLite would otherwise create two files beside it.
pub(super) fn open_read_only(folder: &Path, path: &Path) -> Result<Connection, StoreError> {
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

/// The absolute path of a folder, if it exists.
pub(super) fn absolute(folder: &Path) -> PathBuf {
    fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned())
}

/// Empties the write-ahead log, which contains erased data until it is overwritten. While another
/// process reads the log, it stays until the next time.
///
/// # Errors
/// SQLite refused.
pub(super) fn overwrite_log(connection: &Connection) -> Result<(), StoreError> {
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .map_err(StoreError::sql("empty the write-ahead log"))
}

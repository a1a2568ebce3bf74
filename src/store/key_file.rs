//! The file of the key that all passwords are derived from: made once, read at each start, in no backup.
//!
//! It is beside the database and not in it, so that a copy of the database reveals no password.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::StoreError;
use super::atomic_file::AtomicFile;
use super::files::{PASSWORD_KEY, PASSWORD_KEY_DRAFT};
use crate::domain::PasswordKey;

/// What helps if the key is lost.
const REMOVE: &str = "remove it: the next start makes another key, and each account gets a new password when its student texts the phrase";

/// Number of bytes read from the file: more than a valid one has.
const LONGEST: u64 = 256;

/// Reads the key of a data folder; `None` if it has no such file.
///
/// # Errors
/// The file cannot be read, other users may read it, or it contains no key.
pub(super) fn read(folder: &Path) -> Result<Option<PasswordKey>, StoreError> {
    let path = path(folder);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::file("read", &path)(error)),
    };
    let failed = StoreError::file("read", &path);
    let found = file.metadata().map_err(&failed)?;
    let unfit = |problem: String, cure: String| StoreError::PasswordKey {
        path: path.clone(),
        problem,
        cure,
    };
    if !found.is_file() {
        return Err(unfit("it is no file".to_owned(), REMOVE.to_owned()));
    }
    if found.mode() & 0o077 != 0 {
        let (mode, shown) = (found.mode() & 0o777, path.display());
        return Err(unfit(
            format!("other users may read it (mode {mode:03o}), and derive every password from it"),
            format!("chmod 600 {shown}; if another user has read it, {REMOVE}"),
        ));
    }
    let mut written = Vec::new();
    file.take(LONGEST)
        .read_to_end(&mut written)
        .map_err(failed)?;
    let written = String::from_utf8_lossy(&written);
    match PasswordKey::parse(written.trim_ascii_end()) {
        Some(key) => Ok(Some(key)),
        None => Err(unfit(
            "it is empty or damaged".to_owned(),
            format!("put it back as it was, or {REMOVE}"),
        )),
    }
}

/// Whether `folder` has a password key that the service can use. `false` = there is none yet.
///
/// # Errors
/// The same as at a start of the service. Nothing is changed.
pub fn inspect_password_key(folder: &Path) -> Result<bool, StoreError> {
    read(folder).map(|key| key.is_some())
}

/// Reads the key of a data folder, or makes it if there is none. The folder's lock must be held, so that
/// no other process makes one at the same time.
///
/// # Errors
/// As [`read`], or the file cannot be written. An existing file is never replaced.
pub(super) fn read_or_make(folder: &Path) -> Result<PasswordKey, StoreError> {
    if let Some(key) = read(folder)? {
        return Ok(key);
    }
    let key = PasswordKey::draw();
    let mut atomic_file = AtomicFile::begin(folder.join(PASSWORD_KEY_DRAFT))?;
    writeln!(atomic_file.file(), "{}", key.reveal())
        .map_err(StoreError::file("write", atomic_file.path()))?;
    atomic_file.keep_as(&path(folder))?;
    Ok(key)
}

/// The path of the file.
pub(super) fn path(folder: &Path) -> PathBuf {
    folder.join(PASSWORD_KEY)
}

//! A file that gets its name only when it is whole: a kill leaves the old one, or the new one, and
//! perhaps a draft, which the next one who passes removes.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::StoreError;

/// What SQLite puts beside a database.
pub(super) const SIDES: [&str; 3] = ["-wal", "-shm", "-journal"];

/// A file under a temporary name, locked; removed on drop unless it was kept.
pub(super) struct AtomicFile {
    path: PathBuf,
    file: File,
    kept: bool,
}

impl AtomicFile {
    /// Begins an empty draft at `path`, readable for its owner only. What an earlier one left there is
    /// removed.
    ///
    /// # Errors
    /// Somebody is writing it at this moment, or the folder cannot be written.
    pub(super) fn begin(path: PathBuf) -> Result<Self, StoreError> {
        let failed = |source| StoreError::file("write", &path)(source);
        if !remove_left(&path).map_err(failed)? {
            return Err(StoreError::Busy { path });
        }
        // Never through a link that somebody has put there.
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(Self {
            path,
            file,
            kept: false,
        })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The open file.
    pub(super) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Puts it, whole and on the disk, to where it belongs.
    ///
    /// # Errors
    /// The disk refused; then what was there still is.
    pub(super) fn keep_as(mut self, name: &Path) -> Result<(), StoreError> {
        let failed = |source| StoreError::file("write", name)(source);
        self.file.sync_all().map_err(failed)?;
        fs::rename(&self.path, name).map_err(failed)?;
        self.kept = true;
        sync_folder(name).map_err(failed)
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.kept {
            remove_with_sides(&self.path);
        }
    }
}

/// The folder that `path` is in.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Makes the names in the folder of `path` last.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

/// `path` with `side` at its end.
pub(super) fn beside(path: &Path, side: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(side);
    PathBuf::from(name)
}

/// Removes what a killed draft left. `false` if it is being written at this moment.
pub(super) fn remove_left(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => {
            let held = File::open(path)?;
            if let Err(TryLockError::WouldBlock) = held.try_lock() {
                return Ok(false);
            }
        }
        Ok(found) if found.is_dir() => return Err(ErrorKind::IsADirectory.into()),
        _ => {}
    }
    remove_with_sides(path);
    Ok(true)
}

fn remove_with_sides(path: &Path) {
    // What cannot be removed stops nobody: whoever needs the name will say so.
    let _ = fs::remove_file(path);
    for side in SIDES {
        let _ = fs::remove_file(beside(path, side));
    }
}

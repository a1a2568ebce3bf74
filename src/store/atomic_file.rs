//! A file that gets its final name only when it is complete. A kill leaves the old file or the new one,
//! and perhaps a draft, which the next use of that name removes.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::StoreError;

/// The files that SQLite creates beside a database.
pub(super) const SIDES: [&str; 3] = ["-wal", "-shm", "-journal"];

/// A locked file under a temporary name. It is removed on drop unless it was kept.
pub(super) struct AtomicFile {
    path: PathBuf,
    file: File,
    kept: bool,
}

impl AtomicFile {
    /// Creates an empty draft at `path`, readable for its owner only. An abandoned draft there is
    /// removed.
    ///
    /// # Errors
    /// Another process writes a draft there now, or the folder cannot be written.
    pub(super) fn begin(path: PathBuf) -> Result<Self, StoreError> {
        let failed = |source| StoreError::file("write", &path)(source);
        if !remove_left(&path).map_err(failed)? {
            return Err(StoreError::Busy { path });
        }
        // `create_new` never follows a link placed there by someone else.
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

    /// The path of the draft.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The open file.
    pub(super) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Writes it to the disk and gives it its final name.
    ///
    /// # Errors
    /// The disk refused. The previous file of that name is unchanged then.
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

/// The folder that contains `path`.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Writes the folder that contains `path` to the disk, so that the names in it are durable.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

/// `path` with `side` appended.
pub(super) fn beside(path: &Path, side: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(side);
    PathBuf::from(name)
}

/// Removes an abandoned draft. `false` if another process writes it now.
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
    // A file that cannot be removed is no error here: the next use of the name reports it.
    let _ = fs::remove_file(path);
    for side in SIDES {
        let _ = fs::remove_file(beside(path, side));
    }
}

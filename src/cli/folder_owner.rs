//! An operator is often root, and the data folder another user's: then that user does the work.
//!
//! Root that opens, makes or gives away files in a folder of somebody else could be led by links there
//! to any file of the machine. So the program starts itself once more as the folder's owner; only the
//! operator's own file is opened by root, and handed over as standard input or output.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::arguments::CommandError;

/// A data folder that belongs to somebody else than root, seen by root.
pub(super) struct FolderOwner {
    folder: PathBuf,
    uid: u32,
    gid: u32,
}

impl FolderOwner {
    /// The owner of `folder`, if this is root and the folder another user's.
    pub(super) fn other_than_root(folder: &Path) -> Option<Self> {
        let folder = fs::canonicalize(folder).ok()?;
        let (own, found) = (
            fs::metadata("/proc/self").ok()?,
            fs::metadata(&folder).ok()?,
        );
        (own.uid() == 0 && found.uid() != 0).then(|| Self {
            folder,
            uid: found.uid(),
            gid: found.gid(),
        })
    }

    /// Runs `command -` of this program as that user, with what follows the command. It says itself what came of it.
    pub(super) fn does(
        &self,
        command: &[&str],
        input: impl Into<Stdio>,
        output: impl Into<Stdio>,
    ) -> Result<(), CommandError> {
        let status = Command::new("/proc/self/exe")
            .args(command)
            .arg("-")
            .env_clear()
            .env("CODER_REG_DATA_DIR", &self.folder)
            // Gives up root's further groups, too.
            .uid(self.uid)
            .gid(self.gid)
            .current_dir("/")
            .stdin(input)
            .stdout(output)
            .status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(_) => Err(CommandError::Reported),
            Err(error) => Err(CommandError::Failed(format!(
                "cannot work as the owner of {} (user {}): {error}",
                self.folder.display(),
                self.uid
            ))),
        }
    }
}

/// Opens a backup for the owner to read.
pub(super) fn open_backup(path: &Path) -> Result<File, CommandError> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if fs::metadata(&log).is_ok_and(|found| found.len() > 0) {
        return Err(CommandError::Failed(format!(
            "{} has a write-ahead log beside it: make the copy with backup, which leaves one file",
            path.display()
        )));
    }
    File::open(path)
        .map_err(|error| CommandError::Failed(format!("cannot read {}: {error}", path.display())))
}

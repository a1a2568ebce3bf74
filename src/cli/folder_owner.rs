//! Runs a command as the owner of the data folder if the operator is root.
//!
//! If root opened, created or chowned files in another user's folder, symbolic links in it could lead to any
//! file of the machine. So the program starts itself again as the folder's owner. Root opens only the
//! operator's own file, and passes it as standard input or output.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::arguments::CommandError;

/// The owner of a data folder, who is not root, while this process runs as root.
pub(super) struct FolderOwner {
    folder: PathBuf,
    uid: u32,
    gid: u32,
}

impl FolderOwner {
    /// The owner of `folder`, if this process runs as root and the owner is another user.
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

    /// Runs `command -` of this program as that user. That process prints the result itself.
    pub(super) fn run(
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
            // This also drops root's supplementary groups.
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
                "cannot run as the owner of {} (user {}): {error}",
                self.folder.display(),
                self.uid
            ))),
        }
    }
}

/// Opens a backup that the owner will read.
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

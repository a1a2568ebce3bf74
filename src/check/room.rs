//! The room for the database: whether the folder can be written, and how much is free.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::StatVfsMountFlags;

use super::Notes;

/// Bytes that must be free. The database of a class needs less than one megabyte.
const REQUIRED_SPACE: usize = 8 * 1024 * 1024;

/// What helps where there is less.
const MORE_SPACE: &str =
    "free some space on that disk, or set CODER_REG_DATA_DIR to a folder on another one";

/// What helps if a disk can only be read, as after an error of the disk.
const WRITABLE: &str = "mount that disk writable (the log of the kernel may say why it is not: dmesg), or set CODER_REG_DATA_DIR to a folder on another one";

/// What to do about a folder that cannot be written.
pub(super) fn cure_of(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem => WRITABLE,
        _ => MORE_SPACE,
    }
}

/// Judges the room that the owner of a folder has, seen by root: with sudo the operator sees what the service would meet.
pub(super) fn room_for(owner: u32, available: io::Result<u64>, shown: &str, notes: &mut Notes<'_>) {
    let mega = |bytes: u64| bytes / (1024 * 1024);
    match available {
        Ok(bytes) if bytes < REQUIRED_SPACE as u64 => notes.fault(
            format!("{shown} has only {} MB of free space", mega(bytes)),
            MORE_SPACE,
        ),
        Ok(_) => notes.pass(format!(
            "{shown} belongs to user {owner} and has at least {} MB of free space",
            mega(REQUIRED_SPACE as u64)
        )),
        Err(error) => notes.fault(format!("{shown} cannot be used: {error}"), cure_of(&error)),
    }
}

/// The bytes that are free for users other than root, for whom some file systems reserve a part. Nothing is written.
pub(super) fn available(folder: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(folder)?;
    if found.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Err(io::ErrorKind::ReadOnlyFilesystem.into());
    }
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Writes to a file that is already deleted, so that nothing remains even if this program is
/// killed.
pub(super) fn check_space(folder: &Path) -> io::Result<()> {
    let path = folder.join(format!(".check-{}", std::process::id()));
    let file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&path);
    let mut file = file?;
    fs::remove_file(&path)?;
    let block = [0; 64 * 1024];
    for _ in 0..REQUIRED_SPACE / block.len() {
        file.write_all(&block)?;
    }
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_room_is_no_cure_for_a_disk_that_can_only_be_read() {
        let mut all = Vec::new();
        let read_only = io::Error::from(io::ErrorKind::ReadOnlyFilesystem);
        let mut notes = Notes::of(crate::check::Area::Folder, &mut all);
        room_for(997, Err(read_only), "/srv", &mut notes);
        assert_eq!(
            all[0].what,
            "/srv cannot be used: read-only filesystem or storage medium"
        );
        assert_eq!(all[0].cure.as_deref(), Some(WRITABLE));
        assert_eq!(cure_of(&io::ErrorKind::StorageFull.into()), MORE_SPACE);
    }

    #[test]
    fn root_is_told_of_the_room_that_the_service_has() {
        for (available, words, is_fault) in [
            (
                Ok(9 << 20),
                "belongs to user 997 and has at least 8 MB",
                false,
            ),
            (
                Ok(8 << 20),
                "belongs to user 997 and has at least 8 MB",
                false,
            ),
            (Ok((8 << 20) - 1), "has only 7 MB of free space", true),
            (Err(io::Error::other("no")), "cannot be used: no", true),
        ] {
            let mut all = Vec::new();
            let mut notes = Notes::of(crate::check::Area::Folder, &mut all);
            room_for(997, available, "/srv", &mut notes);
            assert_eq!(all.len(), 1);
            assert!(all[0].what.contains(words), "{all:?}");
            assert_eq!(all[0].cure.is_some(), is_fault, "{all:?}");
        }
        assert!(available(&std::env::temp_dir()).is_ok());
        assert!(available(Path::new("/nowhere-at-all")).is_err());
    }
}

//! A folder for one class, removed with it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A new folder with a short name, as the path of a Unix socket has 107 characters at most.
pub struct Folder(PathBuf);

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Folder {
    /// Makes it.
    pub fn new() -> Self {
        Self::within(&std::env::temp_dir())
    }

    /// Makes it in memory where the system has a place for that, else as [`Folder::new`].
    pub fn in_memory() -> Self {
        let memory = Path::new("/dev/shm");
        match memory.metadata() {
            Ok(found) if found.is_dir() && !found.permissions().readonly() => Self::within(memory),
            _ => Self::new(),
        }
    }

    fn within(parent: &Path) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("class-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

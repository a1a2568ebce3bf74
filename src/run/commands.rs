//! The thread that waits for commands which have changed something.

use std::path::Path;

use super::{RunError, system};
use crate::wake;

/// Starts a thread that calls `wake_all` when a command has changed something. The thread ends with the
/// process.
///
/// # Errors
/// The socket or the thread cannot be created.
pub(super) fn listen(
    data_dir: &Path,
    wake_all: impl Fn() + Send + 'static,
) -> Result<(), RunError> {
    let doing = || format!("listen for commands in {}", data_dir.display());
    let socket = wake::listen(data_dir).map_err(system(doing()))?;
    std::thread::Builder::new()
        .name("commands".to_owned())
        .stack_size(64 * 1024)
        .spawn(move || {
            while wake::wait(&socket).is_ok() {
                wake_all();
            }
        })
        .map(drop)
        .map_err(system(doing()))
}

//! The thread that waits for commands of the operator.

use std::path::Path;

use super::notifier::Notifier;
use super::{RunError, system};
use crate::wake;

/// Has commands that changed something wake the reaper. The thread sleeps until one does, and is left
/// behind when the process ends.
///
/// # Errors
/// The socket or the thread cannot be made.
pub(super) fn hear(data_dir: &Path, notifier: Notifier) -> Result<(), RunError> {
    let doing = || format!("listen for commands in {}", data_dir.display());
    let socket = wake::listen(data_dir).map_err(system(doing()))?;
    std::thread::Builder::new()
        .name("commands".to_owned())
        .stack_size(64 * 1024)
        .spawn(move || {
            while wake::wait(&socket).is_ok() {
                notifier.notify();
            }
        })
        .map(drop)
        .map_err(system(doing()))
}

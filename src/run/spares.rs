//! The thread that keeps spare accounts ready: it is woken when a student got one, and wakes by itself to look
//! at them.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use log::log;

use super::GATHER;
use crate::clock::unix_now;
use crate::spares::SpareKeeper;
use crate::stop::Stop;

/// The pause after the database could not be used.
const AGAIN: Duration = Duration::from_secs(10);

/// The pause where no class wants spares. A restart brings other settings.
const NOTHING: Duration = Duration::from_secs(86_400);

/// Keeps spares ready until the service stops. Returns whether it ended because of that.
pub(super) fn run(keeper: &mut SpareKeeper, wakeups: &Receiver<()>, stop: &Stop) -> bool {
    while !stop.asked() {
        let rest = match keeper.sweep(unix_now()) {
            Ok(rest) => rest.unwrap_or(NOTHING),
            Err(error) => {
                log!(error.level(), "no spare accounts are kept ready: {error}");
                AGAIN
            }
        };
        match wakeups.recv_timeout(rest) {
            Ok(()) => {
                stop.wait(keeper.pause().max(GATHER));
                // One sweep is enough for several wake-ups.
                while wakeups.try_recv().is_ok() {}
            }
            Err(RecvTimeoutError::Timeout) => {}
            // Nobody wakes this thread any more.
            Err(RecvTimeoutError::Disconnected) => {
                stop.wait(rest);
            }
        }
    }
    true
}

//! The loop of the threads that write to the database what others must not wait for.
//!
//! The webhook answers texts and pages on one thread. What it learns from them goes through a bounded queue to
//! a writer of its own, which writes what has gathered in one transaction, and repeats that while the database
//! is away.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use log::{debug, info, log};

use super::GATHER;
use crate::domain::noise;
use crate::retry;
use crate::stop::Stop;
use crate::store::StoreError;

/// How many records may wait: three for each student of a class of 300.
const QUEUE: usize = 1_024;

/// The queue to a writer.
pub(super) fn queue<T>() -> (SyncSender<T>, Receiver<T>) {
    sync_channel(QUEUE)
}

/// Writes until all senders are gone and their last record is written. `records` names them in the log, in
/// the plural. Returns whether it ended because of `stop`.
pub(super) fn run<T>(
    records: &str,
    queue: &Receiver<T>,
    stop: &Stop,
    write: impl Fn(&[T]) -> Result<(), StoreError>,
) -> bool {
    while let Ok(first) = queue.recv() {
        stop.wait(GATHER);
        let mut batch = vec![first];
        batch.extend(queue.try_iter().take(QUEUE));
        write_batch(records, &batch, stop, &write);
    }
    stop.asked()
}

/// Writes a batch; repeats that until it succeeds or the service stops.
fn write_batch<T>(
    records: &str,
    batch: &[T],
    stop: &Stop,
    write: impl Fn(&[T]) -> Result<(), StoreError>,
) {
    for attempt in 1.. {
        match write(batch) {
            Ok(()) => {
                if attempt > 1 {
                    info!("{records} are written again");
                }
                debug!("{} {records} written", batch.len());
                return;
            }
            Err(error) if attempt == 1 => log!(error.level(), "{records} wait: {error}"),
            Err(_) => {}
        }
        if stop.wait(retry::TEXT.wait(attempt, noise())) {
            return;
        }
    }
}

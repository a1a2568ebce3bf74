//! The loop that writes down what became of texts.
//!
//! The webhook must not wait for the database while it holds texts up, so receipts pass through a
//! short queue to a thread of their own, which writes what has gathered in one transaction. A full
//! queue turns receipts away, never texts. What is in the queue when we are killed is lost: the
//! account works all the same, and a login that nobody confirmed is looked up within the hour.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use log::{debug, info, log};

use crate::clock::unix_now;
use crate::domain::{Receipt, noise};
use crate::retry;
use crate::stop::Stop;
use crate::store::Store;
use crate::twilio::codes::UndeliveredLogins;

/// Receipts that may wait: three for each login of a class of 300.
const QUEUE: usize = 1_024;

/// How long receipts gather: ten transactions a second at most, however many come, as each keeps
/// the workers from the database for a moment.
const GATHER: Duration = Duration::from_millis(100);

/// The queue between webhook and writer.
pub(super) fn queue() -> (SyncSender<Receipt>, Receiver<Receipt>) {
    sync_channel(QUEUE)
}

/// Writes until the webhook is gone and its last receipt is written. Returns whether it was told to stop.
pub(super) fn run(
    store: &Arc<Store>,
    undelivered: &UndeliveredLogins,
    queue: &Receiver<Receipt>,
    stop: &Stop,
) -> bool {
    while let Ok(first) = queue.recv() {
        stop.wait(GATHER);
        let mut batch = vec![first];
        batch.extend(queue.try_iter().take(QUEUE));
        write(store, undelivered, &batch, stop);
    }
    stop.asked()
}

/// Writes a batch, again and again until it is written or we stop.
fn write(store: &Store, counters: &UndeliveredLogins, batch: &[Receipt], stop: &Stop) {
    for attempt in 1.. {
        match store.record_receipts(batch, unix_now()) {
            Ok(undelivered) => {
                undelivered.iter().for_each(|one| counters.note(one));
                if attempt > 1 {
                    info!("receipts are written again");
                }
                debug!("{} receipts written", batch.len());
                return;
            }
            Err(error) if attempt == 1 => log!(error.level(), "receipts wait: {error}"),
            Err(_) => {}
        }
        if stop.wait(retry::TEXT.wait(attempt, noise())) {
            return;
        }
    }
}

//! The loop that records receipts, Twilio's reports about sent texts.
//!
//! The thread of the webhook must not wait for the database, because texts would wait with it. So receipts
//! pass through a short queue to their own thread, which writes the waiting ones in one transaction. If the
//! queue is full, receipts are rejected, but never texts. A kill loses the receipts in the queue. That does no
//! harm: the account works, and Twilio is asked within an hour about logins without a receipt.

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

/// The capacity of the queue: three receipts for each login of a class of 300.
const QUEUE: usize = 1_024;

/// How long receipts are collected. This limits them to ten transactions a second, because each one blocks the
/// workers' access to the database for a moment.
const GATHER: Duration = Duration::from_millis(100);

/// The queue between webhook and writer.
pub(super) fn queue() -> (SyncSender<Receipt>, Receiver<Receipt>) {
    sync_channel(QUEUE)
}

/// Writes until the webhook is gone and its last receipt is written. Returns whether it ended because of `stop`.
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

/// Writes a batch; repeats that until it succeeds or the service stops.
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

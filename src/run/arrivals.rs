//! Records which browsers proved to be signed in.
//!
//! The thread that answers pages never waits for the database. It passes sign-ins through a short queue to
//! this thread, which writes those that have gathered in one transaction. A lost one costs nothing: the
//! login works, and only `status` does not show that it was used.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use log::{debug, log};

use crate::clock::unix_now;
use crate::domain::{Username, noise};
use crate::retry;
use crate::screen::ArrivalObserver;
use crate::stop::Stop;
use crate::store::{Arrival, Store};

/// Sign-ins that may wait: three for each student of a class of 300.
const QUEUE: usize = 1_024;

/// How long sign-ins gather: at most ten transactions a second.
const GATHER: Duration = Duration::from_millis(100);

/// The queue between the pages and the writer.
pub(super) fn queue() -> (SyncSender<Arrival>, Receiver<Arrival>) {
    sync_channel(QUEUE)
}

/// What puts sign-ins into the queue.
pub(super) fn observer(queue: SyncSender<Arrival>) -> ArrivalObserver {
    Box::new(move |username: &Username| {
        let arrival = Arrival {
            username: username.clone(),
            at: unix_now(),
        };
        if queue.try_send(arrival).is_err() {
            debug!("the sign-in of {username} is not recorded: too many wait");
        }
    })
}

/// Writes until the pages are gone. Returns whether the service was told to stop.
pub(super) fn run(store: &Store, queue: &Receiver<Arrival>, stop: &Stop) -> bool {
    while let Ok(first) = queue.recv() {
        stop.wait(GATHER);
        let mut batch = vec![first];
        batch.extend(queue.try_iter().take(QUEUE));
        write(store, &batch, stop);
    }
    stop.asked()
}

/// Writes a batch, again and again until it is written or the service stops.
fn write(store: &Store, batch: &[Arrival], stop: &Stop) {
    for attempt in 1.. {
        match store.logins_arrived(batch) {
            Ok(()) => return,
            Err(error) if attempt == 1 => log!(error.level(), "sign-ins wait: {error}"),
            Err(_) => {}
        }
        if stop.wait(retry::TEXT.wait(attempt, noise())) {
            return;
        }
    }
}

//! Records which browsers proved to be signed in.
//!
//! A lost sign-in costs nothing: the login works, and only `status` does not show that it was used.

use std::sync::mpsc::{Receiver, SyncSender};

use log::debug;

use super::writer;
use crate::clock::unix_now;
use crate::domain::Username;
use crate::screen::ArrivalObserver;
use crate::stop::Stop;
use crate::store::{Arrival, Store};

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

/// Writes until the pages are gone. Returns whether it ended because of `stop`.
pub(super) fn run(store: &Store, queue: &Receiver<Arrival>, stop: &Stop) -> bool {
    writer::run("sign-ins", queue, stop, |batch| store.logins_arrived(batch))
}

//! How one thread wakes another.

use std::sync::mpsc::{Receiver, Sender, channel};

/// Wakes the thread that holds the receiver.
#[derive(Clone)]
pub(super) struct Notifier(Sender<()>);

impl Notifier {
    /// A notifier and its receiver.
    pub(super) fn new() -> (Self, Receiver<()>) {
        let (sender, receiver) = channel();
        (Self(sender), receiver)
    }

    /// Wakes the receiver. Has no effect if the receiver is gone.
    pub(super) fn notify(&self) {
        let _ = self.0.send(());
    }
}

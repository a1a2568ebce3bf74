//! How one thread wakes another.

use std::sync::mpsc::{Receiver, Sender, channel};

/// Wakes whoever holds its receiver.
#[derive(Clone)]
pub(super) struct Notifier(Sender<()>);

impl Notifier {
    /// A notifier and what it wakes.
    pub(super) fn new() -> (Self, Receiver<()>) {
        let (sender, receiver) = channel();
        (Self(sender), receiver)
    }

    /// Wakes the receiver. Nothing happens where there is none any more.
    pub(super) fn notify(&self) {
        let _ = self.0.send(());
    }
}

//! Records receipts, Twilio's reports about sent texts.
//!
//! If the writer's queue is full, receipts are rejected, but never texts. A kill loses the receipts in the
//! queue. That does no harm: the account works, and Twilio is asked within an hour about logins without a
//! receipt.

use std::sync::mpsc::Receiver;

use super::writer;
use crate::clock::unix_now;
use crate::domain::Receipt;
use crate::stop::Stop;
use crate::store::Store;
use crate::twilio::codes::UndeliveredLogins;

/// Writes until the webhook is gone. Returns whether it ended because of `stop`.
pub(super) fn run(
    store: &Store,
    undelivered: &UndeliveredLogins,
    queue: &Receiver<Receipt>,
    stop: &Stop,
) -> bool {
    writer::run("receipts", queue, stop, |batch| {
        let ended = store.record_receipts(batch, unix_now())?;
        ended.iter().for_each(|one| undelivered.note(one));
        Ok(())
    })
}

//! Stopping: who is told, in which order, and how long each may take.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use log::{debug, info, warn};

use super::RunError;
use super::notifier::Notifier;
use super::threads::Threads;
use crate::http::Http;
use crate::stop::Stop;
use crate::stream::Settler;
use crate::{gate, webhook};
/// Longest time that a stop may take before the process leaves anyway. Any kill is safe.
const STOP_LIMIT: Duration = Duration::from_millis(4_500);
/// Share of it that calls in progress get before they are cut.
const CALLS_END: Duration = Duration::from_millis(3_500);

/// What has to be told to stop, in the order in which it is told.
pub(super) struct Shutdown {
    pub(super) gate: gate::GateHandle,
    pub(super) webhook: webhook::Waker,
    pub(super) settler: Arc<Settler>,
    pub(super) taker_id: Arc<AtomicI64>,
    pub(super) calls: Http,
    pub(super) notifier: Notifier,
    /// Wakes the reaper.
    pub(super) reaper_notifier: Notifier,
    pub(super) stop: Stop,
}

impl Shutdown {
    /// Stops in order: no new requests, answers to those under way, no new work, calls cut last.
    pub(super) fn close(self, threads: &Threads) -> Result<(), RunError> {
        let began = Instant::now();
        // A thread that ended before anybody asked it to is the reason why we are here.
        let died = threads.first_ended();
        self.stop.ask();
        self.notifier.notify();
        self.reaper_notifier.notify();
        self.gate.stop();
        self.wake_taker();
        threads.wait_for("gate", began + STOP_LIMIT);
        self.webhook.close();
        if !threads.wait_for_awaited(began + CALLS_END) {
            // What these calls were about goes on after the next start.
            self.calls.shut_down();
            if !threads.wait_for_awaited(began + STOP_LIMIT) {
                warn!("leaving with work in hand; it goes on after the next start");
            }
        }
        match died {
            None => {
                info!("stopped");
                Ok(())
            }
            Some(name) => Err(RunError::Thread(name.to_owned())),
        }
    }

    /// Ends the taker's wait for entries, again and again, as it may have begun to wait just after it
    /// was woken; on a thread of its own, as a Redis that hangs must not keep us.
    fn wake_taker(&self) {
        let (settler, id) = (Arc::clone(&self.settler), Arc::clone(&self.taker_id));
        let wake = move || loop {
            let id = id.load(Ordering::Relaxed);
            if id != 0
                && let Err(fault) = settler.unblock(id)
            {
                debug!("stopping: {fault}");
            }
            std::thread::park_timeout(Duration::from_millis(50));
        };
        if let Err(error) = std::thread::Builder::new()
            .name("waker".to_owned())
            .spawn(wake)
        {
            warn!("stopping may take a moment longer: {error}");
        }
    }
}

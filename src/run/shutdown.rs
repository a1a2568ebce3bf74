//! The shutdown: its order, and how long each step may take.

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

/// The longest time for a shutdown. After it the process exits anyway, which is as safe as a kill.
const STOP_LIMIT: Duration = Duration::from_millis(4_500);
/// The part of that time after which calls in progress are aborted.
const CALLS_END: Duration = Duration::from_millis(3_500);

/// The handles of everything that has to stop.
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
    /// Stops in order: accepts no new requests, answers the present ones, starts no new work, and aborts calls last.
    pub(super) fn close(self, threads: &Threads) -> Result<(), RunError> {
        let began = Instant::now();
        // If a thread has already ended, that is the reason for this shutdown.
        let died = threads.first_ended();
        self.stop.ask();
        self.notifier.notify();
        self.reaper_notifier.notify();
        self.gate.stop();
        self.wake_taker();
        threads.wait_for("gate", began + STOP_LIMIT);
        self.webhook.close();
        if !threads.wait_for_all(began + CALLS_END) {
            // The next start continues the work of these calls.
            self.calls.shut_down();
            if !threads.wait_for_all(began + STOP_LIMIT) {
                warn!("exiting with unfinished work; the next start continues it");
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

    /// Ends the taker's wait for entries. This is repeated, because the taker may begin to wait just after a
    /// wake-up. It has its own thread, because Redis may hang.
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
            warn!("the shutdown may take longer: {error}");
        }
    }
}

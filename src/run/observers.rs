//! The observers of the calls to Coder and Twilio and of the writes to the database: they keep the list of
//! obstacles, and log one ERROR when an obstacle begins and one INFO when it is over.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use log::{error, info};

use super::notifier::Notifier;
use crate::coder::{self, CoderError};
use crate::obstacles::{Observer, Obstacle, Obstacles};
use crate::store;
use crate::twilio::sms;

/// The number of calls in a row that must fail before the peer counts as away.
const FAILURES: u32 = 3;

/// The shortest time between the first and the last of them: several simultaneous calls that fail because a
/// proxy restarts are not an outage yet.
const SPAN: Duration = Duration::from_secs(2);

/// The calls that failed in a row: when the first of them failed, and their number.
#[derive(Default)]
pub(super) struct FailedCalls(Mutex<Option<(Instant, u32)>>);

impl FailedCalls {
    /// Counts a call that failed at `now`. Returns whether the peer counts as away.
    fn add(&self, now: Instant) -> bool {
        let mut failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, number) = failed.get_or_insert((now, 0));
        *number = number.saturating_add(1);
        *number >= FAILURES && now.duration_since(*first) >= SPAN
    }

    /// Starts again, as a call was answered.
    fn reset(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Observes the calls to Coder. It wakes the reaper when an obstacle begins; the reaper then asks Coder until the obstacle
/// is over.
pub(super) fn of_coder(obstacles: &Arc<Obstacles>, reaper: Notifier) -> coder::CallObserver {
    let (obstacles, failed) = (Arc::clone(obstacles), FailedCalls::default());
    let is_refused = AtomicBool::new(false);
    Box::new(move |result| {
        if let Err(fault) = result
            && fault.is_away()
        {
            if failed.add(Instant::now()) && coder_is_away(&obstacles, fault, Observer::Calls) {
                reaper.notify();
            }
            return;
        }
        failed.reset();
        if obstacles.clear(Obstacle::CoderAway) {
            info!("Coder: it answers again");
        }
        match result {
            Err(fault) if fault.refuses_token() => {
                is_refused.store(true, Ordering::Relaxed);
                if obstacles.begin(Obstacle::CoderRefuses, Observer::Calls) {
                    error!("Coder: {fault}; {} and restart the service", fault.cure());
                    reaper.notify();
                }
            }
            Err(_) => {}
            Ok(()) => {
                // Also if texts are still paused: the next one is a probe, which says whether Coder refuses more.
                let was_refused =
                    is_refused.load(Ordering::Relaxed) && is_refused.swap(false, Ordering::Relaxed);
                if was_refused && obstacles.clear(Obstacle::CoderRefuses) {
                    info!("Coder: the token is accepted again");
                }
            }
        }
    })
}

/// Reports that Coder is away, and logs it if that is new. Returns whether it is new.
pub(super) fn coder_is_away(obstacles: &Obstacles, fault: &CoderError, observer: Observer) -> bool {
    let is_new = obstacles.begin(Obstacle::CoderAway, observer);
    if is_new {
        error!("Coder: no answer: {fault}; {}", fault.cure());
    }
    is_new
}

/// Observes the calls to Twilio. Several clients share `obstacles` and `failed`.
pub(super) fn of_twilio(
    obstacles: &Arc<Obstacles>,
    failed: &Arc<FailedCalls>,
) -> sms::SendObserver {
    let (obstacles, failed) = (Arc::clone(obstacles), Arc::clone(failed));
    Box::new(move |result| {
        if let Err(fault) = result
            && fault.is_away()
        {
            if failed.add(Instant::now()) && obstacles.begin(Obstacle::TwilioAway, Observer::Calls)
            {
                error!("Twilio does not answer: {fault}");
            }
            return;
        }
        failed.reset();
        if obstacles.clear(Obstacle::TwilioAway) {
            info!("Twilio answers again");
        }
        match result {
            Err(fault) if fault.refuses_key() => {
                if obstacles.begin(Obstacle::TwilioRefuses, Observer::Calls) {
                    error!("Twilio refuses our key or account: {fault}");
                }
            }
            Err(_) => {}
            Ok(()) => {
                if obstacles.end(Obstacle::TwilioRefuses, Observer::Calls) {
                    info!("Twilio accepts our key again");
                }
            }
        }
    })
}

/// Observes the writes to the database in `folder`. It wakes the reaper when an obstacle begins; the reaper then tries to
/// write until the obstacle is over.
pub(super) fn of_writes(
    obstacles: &Arc<Obstacles>,
    folder: &Path,
    reaper: Notifier,
) -> store::WriteObserver {
    const DISK: [Obstacle; 2] = [Obstacle::DiskFull, Obstacle::DatabaseNotWritable];
    let (obstacles, folder) = (Arc::clone(obstacles), folder.display().to_string());
    Box::new(move |result| match result {
        Ok(()) => {
            // `map` clears both; `any` would stop at the first.
            if DISK
                .map(|obstacle| obstacles.clear(obstacle))
                .contains(&true)
            {
                info!("the database can be written again");
            }
        }
        Err(fault) if fault.is_disk_full() => {
            if obstacles.begin(Obstacle::DiskFull, Observer::Calls) {
                error!(
                    "the disk of {folder} (CODER_REG_DATA_DIR) is full: free some space there; texts wait until then"
                );
                reaper.notify();
            }
        }
        Err(fault) if fault.is_disk_trouble() => {
            if obstacles.begin(Obstacle::DatabaseNotWritable, Observer::Calls) {
                error!("the database in {folder} cannot be written: {fault}");
                reaper.notify();
            }
        }
        Err(_) => {}
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_counts_as_away_after_three_failures_over_two_seconds() {
        let (failed, now) = (FailedCalls::default(), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        for _ in 0..20 {
            assert!(!failed.add(at(0)), "all at once");
        }
        assert!(failed.add(at(2)));
        failed.reset();
        assert!(!failed.add(at(3)));
        assert!(!failed.add(at(60)), "two");
        assert!(failed.add(at(61)));
    }
}

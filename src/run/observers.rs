//! The observers of the calls to Coder and Twilio and of the writes to the database: they keep the list of
//! obstacles, and log one ERROR when an obstacle begins and one INFO when it is over.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use log::{error, info};

use super::notifier::Notifier;
use crate::coder::{self, CoderError};
use crate::obstacles::{Observer, Obstacle, Obstacles};
use crate::store;
use crate::twilio::sms;

/// Calls that must fail in a row until their peer counts as away.
const FAILURES: u32 = 3;

/// The least time between the first and the last of them: several calls at once that meet one restart of
/// a proxy are no outage yet.
const SPAN: Duration = Duration::from_secs(2);

/// Calls that failed in a row: when the first of them ended, and how many there were.
#[derive(Default)]
pub(super) struct FailedCalls(Mutex<Option<(Instant, u32)>>);

impl FailedCalls {
    /// Another call failed at `now`. Returns whether the peer counts as away.
    fn add(&self, now: Instant) -> bool {
        let mut failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, number) = failed.get_or_insert((now, 0));
        *number = number.saturating_add(1);
        *number >= FAILURES && now.duration_since(*first) >= SPAN
    }

    /// A call was answered.
    fn reset(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Observes the calls to Coder. Wakes the reaper, which asks Coder until an obstacle is over.
pub(super) fn of_coder(obstacles: &Arc<Obstacles>, reaper: Notifier) -> coder::CallObserver {
    let (obstacles, failed) = (Arc::clone(obstacles), FailedCalls::default());
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
                if obstacles.begin(Obstacle::CoderRefuses, Observer::Calls) {
                    error!("Coder: {fault}; {} and restart the service", fault.cure());
                    reaper.notify();
                }
            }
            Err(_) => {}
            Ok(()) => {
                if obstacles.end(Obstacle::CoderRefuses, Observer::Calls) {
                    info!("Coder: the token is accepted again");
                }
            }
        }
    })
}

/// Reports that Coder is away, and logs it if that is new. Returns whether it is.
pub(super) fn coder_is_away(obstacles: &Obstacles, fault: &CoderError, observer: Observer) -> bool {
    let is_new = obstacles.begin(Obstacle::CoderAway, observer);
    if is_new {
        error!("Coder: no answer: {fault}; {}", fault.cure());
    }
    is_new
}

/// Observes the calls to Twilio: several clients share what `obstacles` and `failed` hold.
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

/// Observes the writes to the database in `folder`. Wakes the reaper, which writes until an obstacle is over.
pub(super) fn of_writes(
    obstacles: &Arc<Obstacles>,
    folder: &Path,
    reaper: Notifier,
) -> store::WriteObserver {
    const DISK: [Obstacle; 2] = [Obstacle::DiskFull, Obstacle::DatabaseNotWritable];
    let (obstacles, folder) = (Arc::clone(obstacles), folder.display().to_string());
    Box::new(move |result| match result {
        Ok(()) => {
            // Both are to be cleared.
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
                    "the disk of {folder} (CODER_REG_DATA_DIR) is full: free some space there; texts wait and are served then"
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
    fn a_peer_is_away_after_failures_that_last() {
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

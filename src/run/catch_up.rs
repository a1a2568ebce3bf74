//! The loop that searches for texts that never reached the webhook: at the start, after a wake-up, and at
//! intervals.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use log::{debug, info, warn};

use crate::catch_up::CatchUp;
use crate::clock::unix_now;
use crate::domain::{count, noise};
use crate::metrics::Counter;
use crate::retry::{self, Backoff};
use crate::stop::Stop;

/// Twilio's log may show a text some seconds late, so a search after a wake-up is repeated after this time.
const SECOND_SEARCH: Duration = Duration::from_secs(30);

/// Searches until `stop`. A stop must also wake this loop. Texts that were found are counted in `found`. Returns whether
/// it ended because of `stop`.
pub(super) fn run(
    catch_up: &mut CatchUp,
    notifier: &Receiver<()>,
    found: &Counter,
    stop: &Stop,
) -> bool {
    // Two searches cover each moment, so one of them may fail.
    let period = (catch_up.window / 2).max(retry::CATCH_UP.first);
    let mut wakeups = true;
    while !stop.asked() {
        search(catch_up, found, stop);
        let pause = if wakeups {
            SECOND_SEARCH.min(period)
        } else {
            period
        };
        wakeups = notifier.recv_timeout(pause).is_ok();
        // One search is enough for several wake-ups.
        while notifier.try_recv().is_ok() {}
    }
    true
}

/// Searches until it succeeds, or until a retry is useless because a person has to act.
fn search(catch_up: &mut CatchUp, found: &Counter, stop: &Stop) {
    const POLICY: Backoff = retry::CATCH_UP;
    for attempt in 1.. {
        match catch_up.search(unix_now()) {
            Ok(0) => debug!("no text was missed"),
            Ok(missed) => {
                found.add_many(missed as u64);
                info!(
                    "found in Twilio's log: {} that had not reached us",
                    count(missed, "text")
                );
            }
            Err(error) if error.passes() => {
                if attempt == 1 {
                    warn!("cannot search for missed texts yet: {error}");
                }
                if stop.wait(POLICY.wait(attempt, noise())) {
                    return;
                }
                continue;
            }
            // The observer of the calls to Twilio has already logged this.
            Err(error) if error.refuses_key() => {
                debug!("cannot search for missed texts: {error}");
            }
            Err(error) => warn!("cannot search for missed texts: {error}"),
        }
        return;
    }
}

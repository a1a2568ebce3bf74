//! The loop that looks for texts that never reached us: at the start, when somebody rings, and now
//! and then.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use log::{debug, info, warn};

use crate::catch_up::CatchUp;
use crate::clock::unix_now;
use crate::domain::{count, noise};
use crate::metrics::Counter;
use crate::retry::{self, Backoff};
use crate::stop::Stop;

/// Twilio's log may show a text some seconds after it came: a search that somebody rang for is
/// repeated after this long.
const SECOND_LOOK: Duration = Duration::from_secs(30);

/// Searches until `stop`, after which somebody has to wake it; what is found is counted. Returns whether it was told
/// to stop.
pub(super) fn run(
    catch_up: &mut CatchUp,
    notifier: &Receiver<()>,
    found: &Counter,
    stop: &Stop,
) -> bool {
    // Two searches see each text, whatever happens to one of them.
    let period = (catch_up.window / 2).max(retry::CATCH_UP.first);
    let mut wakeups = true;
    while !stop.asked() {
        search(catch_up, found, stop);
        let pause = if wakeups {
            SECOND_LOOK.min(period)
        } else {
            period
        };
        wakeups = notifier.recv_timeout(pause).is_ok();
        // Rung several times over one outage: one search is enough.
        while notifier.try_recv().is_ok() {}
    }
    true
}

/// Searches until it succeeds, or somebody has to act first.
fn search(catch_up: &mut CatchUp, found: &Counter, stop: &Stop) {
    const POLICY: Backoff = retry::CATCH_UP;
    for attempt in 1.. {
        match catch_up.search(unix_now()) {
            Ok(0) => debug!("no text was missed"),
            Ok(missed) => {
                found.add_many(missed as u64);
                info!(
                    "taken in from Twilio's log: {} that had not reached us",
                    count(missed, "text")
                );
            }
            Err(error) if error.passes() => {
                if attempt == 1 {
                    warn!("cannot look for missed texts yet: {error}");
                }
                if stop.wait(POLICY.wait(attempt, noise())) {
                    return;
                }
                continue;
            }
            // Reported for all calls to Twilio.
            Err(error) if error.refuses_key() => {
                debug!("cannot look for missed texts: {error}");
            }
            Err(error) => warn!("cannot look for missed texts: {error}"),
        }
        return;
    }
}

//! The system clock. It is read only here; all other code gets `now` as an argument.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::domain::{UnixSeconds, nonce};

/// The present time, UTC. A clock before 1970 counts as 1970.
pub fn unix_now() -> UnixSeconds {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    UnixSeconds::try_from(since.as_secs()).unwrap_or(UnixSeconds::MAX)
}

/// Seconds since the machine was started, including the time when it was suspended. This clock cannot be set.
/// `None` if the system does not provide it.
pub fn uptime() -> Option<UnixSeconds> {
    // CLOCK_BOOTTIME of Linux. `Instant` does not advance while the machine is suspended, so every
    // suspension would look like a changed clock.
    let text = std::fs::read_to_string("/proc/uptime").ok()?;
    text.split('.').next()?.parse().ok()
}

/// What tells this process from every other one, and a moment from which it counts.
fn process() -> &'static (String, Instant) {
    static PROCESS: OnceLock<(String, Instant)> = OnceLock::new();
    PROCESS.get_or_init(|| (nonce(), Instant::now()))
}

/// A moment of this process in words that only this process can read.
pub fn write_moment(moment: Instant) -> String {
    let (process, start) = process();
    match moment.checked_duration_since(*start) {
        Some(since) => format!("{process}:{}", since.as_nanos()),
        None => format!("{process}:-{}", start.duration_since(moment).as_nanos()),
    }
}

/// Reads what [`write_moment`] has written; `None` if another process wrote it.
pub fn read_moment(words: &str) -> Option<Instant> {
    let (process, start) = process();
    let nanos = words.strip_prefix(process.as_str())?.strip_prefix(':')?;
    let span = |nanos: &str| Some(Duration::from_nanos(nanos.parse().ok()?));
    match nanos.strip_prefix('-') {
        Some(before) => start.checked_sub(span(before)?),
        None => start.checked_add(span(nanos)?),
    }
}

/// The largest difference between our clock and Coder's, in seconds, at which accounts are still removed. No larger one
/// is expected between our clock and Twilio's.
pub const TOLERANCE: UnixSeconds = 900;

/// Smaller changes of the clock are ignored, in seconds: adjustments, and the time between two readings.
const UNNOTICED: UnixSeconds = 60;

/// The largest error of a difference between readings in whole seconds.
const ROUNDING: UnixSeconds = 2;

/// A change of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockStep {
    /// Times up to this one were certainly recorded before the change.
    pub before: UnixSeconds,
    /// How far the clock was set forward, in seconds; negative = back.
    pub by: UnixSeconds,
}

/// Detects a change of the clock by comparing it with the uptime of the machine. It needs a first reading, so a start
/// accepts the clock as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClockWatch {
    /// Clock and uptime at the last call of [`ClockWatch::note`].
    known: Option<(UnixSeconds, UnixSeconds)>,
}

impl ClockWatch {
    /// The change of the clock since the last call of [`ClockWatch::note`], if it is more than an adjustment.
    pub fn inspect(&self, now: UnixSeconds, uptime: Option<UnixSeconds>) -> Option<ClockStep> {
        let (then, uptime_then) = self.known?;
        let expected = then + (uptime? - uptime_then);
        let by = now - expected;
        // Since the last note the clock has shown `then` to `expected`, and times from `then + by` on.
        let before = (expected + ROUNDING).max(then + by - ROUNDING);
        (by.abs() >= UNNOTICED).then_some(ClockStep { before, by })
    }

    /// Records clock and uptime for the next comparison.
    pub fn note(&mut self, now: UnixSeconds, uptime: Option<UnixSeconds>) {
        self.known = uptime.map(|uptime| (now, uptime));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = 1_800_000_000;

    fn watch() -> ClockWatch {
        let mut watch = ClockWatch::default();
        watch.note(NOW, Some(1_000));
        watch
    }

    #[test]
    fn a_changed_clock_is_detected() {
        for (passed, by, before) in [
            (900, 7_200, 7_198),
            (900, 600, 902),
            (900, -7_200, 902),
            (1, 60, 58),
            (50_000, -60, 50_002),
        ] {
            let step = watch().inspect(NOW + passed + by, Some(1_000 + passed));
            let before = NOW + before;
            assert_eq!(step, Some(ClockStep { before, by }));
        }
    }

    #[test]
    fn time_that_passes_and_small_adjustments_are_no_change() {
        for (passed, adjusted) in [(0, 0), (900, 1), (50_000, -59), (50_000, 59)] {
            let now = NOW + passed + adjusted;
            assert_eq!(watch().inspect(now, Some(1_000 + passed)), None);
        }
    }

    #[test]
    fn without_a_first_reading_or_an_uptime_nothing_is_detected() {
        assert_eq!(ClockWatch::default().inspect(NOW, Some(1_000)), None);
        assert_eq!(watch().inspect(NOW + 7_200, None), None);
    }

    #[test]
    fn a_moment_is_read_by_the_process_that_wrote_it() {
        let before = Instant::now();
        process();
        let words = write_moment(Instant::now());
        for moment in [before, Instant::now()] {
            assert_eq!(read_moment(&write_moment(moment)), Some(moment));
        }
        let another = format!("{}{}", nonce(), &words[32..]);
        for foreign in ["", ":", ":5", &words[..32], &words[..33], &another] {
            assert_eq!(read_moment(foreign), None, "{foreign}");
        }
        assert_eq!(read_moment(&format!("{words}00000000000000000000")), None);
    }

    #[test]
    fn the_uptime_of_this_machine_can_be_read() {
        let (first, second) = (uptime().unwrap(), uptime().unwrap());
        assert!(first > 0 && second >= first && second - first < 3_600);
    }
}

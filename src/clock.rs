//! The system clock. It is read only here; all other code gets `now` as an argument.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::UnixSeconds;

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

/// The largest difference between our clock and Coder's, in seconds, at which accounts are still removed.
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
    fn the_uptime_of_this_machine_can_be_read() {
        let (first, second) = (uptime().unwrap(), uptime().unwrap());
        assert!(first > 0 && second >= first && second - first < 3_600);
    }
}

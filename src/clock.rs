//! The system's clock, read in one place; everything else is given its `now`.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::UnixSeconds;

/// The present time, UTC. A clock before 1970 counts as 1970.
pub fn unix_now() -> UnixSeconds {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    UnixSeconds::try_from(since.as_secs()).unwrap_or(UnixSeconds::MAX)
}

/// Seconds since the machine was started, its sleep included: a clock that nobody sets. `None` where
/// the system does not tell.
pub fn uptime() -> Option<UnixSeconds> {
    // Linux's CLOCK_BOOTTIME. `Instant` is no substitute: it stands still while the machine sleeps,
    // so that every sleep would look like a clock that was set.
    let told = std::fs::read_to_string("/proc/uptime").ok()?;
    told.split('.').next()?.parse().ok()
}

/// How far our clock and Coder's may differ, in seconds, before nobody is removed by ours.
pub const TOLERANCE: UnixSeconds = 900;

/// Steps of the clock that are not worth following, in seconds: adjustments, and a slow look.
const UNNOTICED: UnixSeconds = 60;

/// By how much two readings of clocks in whole seconds may differ, and their difference.
const ROUNDING: UnixSeconds = 2;

/// The clock was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockStep {
    /// What is dated up to then was surely written before.
    pub before: UnixSeconds,
    /// By how much it was set ahead; negative = back.
    pub by: UnixSeconds,
}

/// Notices that the clock was set, by the machine's uptime. It knows nothing of the time before its
/// first look: whoever starts anew takes the clock as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClockWatch {
    /// Clock and uptime as of the last look that was taken note of.
    known: Option<(UnixSeconds, UnixSeconds)>,
}

impl ClockWatch {
    /// What was done to the clock since the last note, if it was more than an adjustment.
    pub fn inspect(&self, now: UnixSeconds, uptime: Option<UnixSeconds>) -> Option<ClockStep> {
        let (then, uptime_then) = self.known?;
        let expected = then + (uptime? - uptime_then);
        let by = now - expected;
        // Since the last look the clock has shown `then` to `expected`, and from `then + by` on.
        let before = (expected + ROUNDING).max(then + by - ROUNDING);
        (by.abs() >= UNNOTICED).then_some(ClockStep { before, by })
    }

    /// Takes note of how things stand.
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
    fn a_clock_that_was_set_is_noticed() {
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
    fn time_that_passes_awake_or_asleep_is_no_step() {
        for (passed, adjusted) in [(0, 0), (900, 1), (50_000, -59), (50_000, 59)] {
            let now = NOW + passed + adjusted;
            assert_eq!(watch().inspect(now, Some(1_000 + passed)), None);
        }
    }

    #[test]
    fn without_a_first_look_or_an_uptime_nothing_is_noticed() {
        assert_eq!(ClockWatch::default().inspect(NOW, Some(1_000)), None);
        assert_eq!(watch().inspect(NOW + 7_200, None), None);
    }

    #[test]
    fn the_machine_tells_its_uptime() {
        let (first, second) = (uptime().unwrap(), uptime().unwrap());
        assert!(first > 0 && second >= first && second - first < 3_600);
    }
}

//! Points and spans of time, and how they are said.

/// Seconds since 1970-01-01 UTC: the only form of time inside the service.
pub type UnixSeconds = i64;

/// A span as whole seconds, rounded up: a time set by it never comes early.
pub fn seconds(span: std::time::Duration) -> UnixSeconds {
    let whole = span.as_secs() + u64::from(span.subsec_nanos() > 0);
    UnixSeconds::try_from(whole).unwrap_or(UnixSeconds::MAX / 4)
}

/// A span in its two largest units: `45 s`, `12 min`, `1 h 30 min`, `2 d 3 h`. The smaller one is
/// rounded down, a negative span is 0.
pub fn span(seconds: UnixSeconds) -> String {
    let seconds = seconds.max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let pair = |large: i64, unit: &str, small: i64, part: &str| match small {
        0 => format!("{large} {unit}"),
        _ => format!("{large} {unit} {small} {part}"),
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => pair(hours, "h", minutes % 60, "min"),
        _ => pair(days, "d", hours % 24, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_as_people_say_them() {
        for (seconds, words) in [
            (-5, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_599, "59 min"),
            (3_600, "1 h"),
            (5_400, "1 h 30 min"),
            (86_400, "1 d"),
            (97_300, "1 d 3 h"),
        ] {
            assert_eq!(span(seconds), words);
        }
    }
}

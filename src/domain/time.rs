//! Times and time spans, and how they are displayed.

/// Seconds since 1970-01-01 UTC: the only form in which the service stores times.
pub type UnixSeconds = i64;

/// A span as whole seconds, rounded up, so that a time computed with it is never too early.
pub fn seconds(span: std::time::Duration) -> UnixSeconds {
    let whole = span
        .as_secs()
        .saturating_add(u64::from(span.subsec_nanos() > 0));
    UnixSeconds::try_from(whole).unwrap_or(UnixSeconds::MAX / 4)
}

/// A span for display: `45 s`, `12 min`, `1 h 30 min`, `2 d 3 h`. It is rounded down to minutes,
/// and from one day on to hours; a negative span is displayed as 0.
pub fn span(seconds: UnixSeconds) -> String {
    let step = match seconds {
        ..60 => 1,
        60..86_400 => 60,
        _ => 3_600,
    };
    exact_span(seconds - seconds % step)
}

/// A span for display without rounding: `1 min 30 s`; a negative span is displayed as 0.
pub fn exact_span(seconds: UnixSeconds) -> String {
    let mut rest = seconds.max(0);
    let mut words = Vec::new();
    for (size, unit) in [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")] {
        if rest >= size {
            words.push(format!("{} {unit}", rest / size));
        }
        rest %= size;
    }
    if words.is_empty() {
        return "0 s".to_owned();
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::properties::drawn;

    #[test]
    fn spans_are_displayed_in_usual_units() {
        for (seconds, words) in [
            (-5, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_599, "59 min"),
            (3_600, "1 h"),
            (5_400, "1 h 30 min"),
            (86_400, "1 d"),
            (90_000 - 1, "1 d"),
            (97_300, "1 d 3 h"),
        ] {
            assert_eq!(span(seconds), words);
        }
        assert_eq!(exact_span(90), "1 min 30 s");
        assert_eq!(exact_span(86_401), "1 d 1 s");
    }

    #[test]
    fn a_span_counts_as_whole_seconds_and_never_as_fewer() {
        use std::time::Duration;
        for (span, whole) in [
            (Duration::ZERO, 0),
            (Duration::from_secs(5), 5),
            (Duration::from_nanos(5_000_000_001), 6),
            (Duration::from_millis(999), 1),
            // Two of them can be added to a time.
            (Duration::MAX, UnixSeconds::MAX / 4),
        ] {
            assert_eq!(seconds(span), whole, "{span:?}");
        }
    }

    /// The seconds of a displayed span.
    fn seconds_of(words: &str) -> i64 {
        let words: Vec<&str> = words.split(' ').collect();
        let pairs = words.chunks(2).map(|pair| {
            let unit = match pair[1] {
                "s" => 1,
                "min" => 60,
                "h" => 3_600,
                "d" => 86_400,
                other => panic!("{other}"),
            };
            pair[0].parse::<i64>().unwrap() * unit
        });
        pairs.sum()
    }

    proptest! {
        #![proptest_config(drawn())]

        #[test]
        fn a_span_is_never_more_than_there_is(seconds in 0..400_000_i64) {
            prop_assert_eq!(seconds_of(&exact_span(seconds)), seconds);
            let displayed = seconds_of(&span(seconds));
            let step = match seconds { ..60 => 1, 60..86_400 => 60, _ => 3_600 };
            prop_assert!(displayed <= seconds && seconds - displayed < step, "{} of {}", displayed, seconds);
        }
    }
}

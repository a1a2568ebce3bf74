use proptest::prelude::*;

use super::*;
use crate::config::settings::{LONGEST, Unit};
use crate::config::span::{of_setting, parse_span};
use crate::properties::drawn;

#[test]
fn spans_take_the_unit_or_a_suffix() {
    for (text, unit, seconds) in [
        ("720", Unit::Minutes, 43_200),
        ("900", Unit::Seconds, 900),
        ("30s", Unit::Minutes, 30),
        ("90m", Unit::Seconds, 5_400),
        ("12h", Unit::Minutes, 43_200),
        ("2d", Unit::Minutes, 172_800),
        ("0", Unit::Minutes, 0),
    ] {
        assert_eq!(
            parse_span(text, unit),
            Ok(Duration::from_secs(seconds)),
            "{text}"
        );
    }
    assert_eq!(
        parse_span("250ms", Unit::Seconds),
        Ok(Duration::from_millis(250))
    );
    for bad in [
        "soon",
        "",
        "-5",
        "1.5h",
        "5 weeks",
        "99999999999999999999",
        "9999d",
    ] {
        assert!(parse_span(bad, Unit::Minutes).is_err(), "{bad}");
    }
}

#[test]
fn a_span_outside_the_range_of_its_setting_is_told_with_the_limit() {
    for (name, value, problem) in [
        ("CODER_CHECK_INTERVAL", "0", Some("must be longer than 0")),
        ("CODER_CHECK_INTERVAL", "1ms", None),
        ("CODER_MAX_TIME", "0h", Some("must be longer than 0")),
        ("CODER_REMOVE_TIME", "0", None),
        ("CODER_REMOVE_TIME", "3660d", None),
        (
            "CODER_REMOVE_TIME",
            "3661d",
            Some("\"3661d\" is longer than 10 years"),
        ),
        ("CODER_REG_CATCH_UP", "1d", None),
        (
            "CODER_REG_CATCH_UP",
            "25h",
            Some("\"25h\" is longer than 1 day"),
        ),
    ] {
        let read = of_setting(name, value);
        let told = read.err().map(|told| told.to_string());
        assert_eq!(told.as_deref(), problem, "{name}={value}");
    }
}

#[test]
fn every_span_has_a_unit_and_a_range() {
    for setting in SETTINGS {
        assert_eq!(
            setting.spans.is_some(),
            setting.unit != Unit::None,
            "{}",
            setting.name
        );
        if let (Some(_), Some(default)) = (&setting.spans, setting.default) {
            assert!(
                of_setting(setting.name, default).is_ok(),
                "{}",
                setting.name
            );
        }
    }
}

#[test]
fn quotes_of_env_loaders_come_off() {
    assert_eq!(clean(" \"a b\" "), "a b");
    assert_eq!(clean("'x'"), "x");
    assert_eq!(clean("it's"), "it's");
    assert_eq!(clean("\""), "\"");
}

proptest! {
    #![proptest_config(drawn())]

    #[test]
    fn spans_are_their_number_times_their_unit(
        number in 0..400_000_000_u64,
        unit in prop::sample::select(vec![
            ("ms", 1), ("s", 1_000), ("m", 60_000), ("min", 60_000), ("h", 3_600_000), ("d", 86_400_000),
        ]),
        blank in " {0,2}",
    ) {
        let (suffix, millis) = unit;
        let span = Duration::from_millis(number * millis);
        let read = parse_span(&format!("{number}{blank}{suffix}"), Unit::Minutes);
        prop_assert_eq!(read.ok(), (span <= LONGEST).then_some(span));
        for (unit, millis) in [(Unit::Seconds, 1_000), (Unit::Minutes, 60_000)] {
            let span = Duration::from_millis(number * millis);
            let read = parse_span(&number.to_string(), unit);
            prop_assert_eq!(read.ok(), (span <= LONGEST).then_some(span));
        }
    }

    #[test]
    fn no_other_words_are_a_span(words in "[0-9]{0,3}[a-z +.,-]{0,5}|\\PC{0,9}") {
        let digits = words.trim_start_matches(|c: char| c.is_ascii_digit());
        let known = ["", "ms", "s", "m", "min", "h", "d"].contains(&digits.trim());
        let right = known && digits.len() < words.len();
        let read = parse_span(&words, Unit::Seconds);
        prop_assert_eq!(read.is_ok(), right);
    }

    #[test]
    fn one_pair_of_quotes_comes_off_and_no_more(
        word in "[a-z'\"]{0,6}", quote in "['\"]", blanks in ("\\s{0,2}", "\\s{0,2}")
    ) {
        let quoted = format!("{}{quote}{word}{quote}{}", blanks.0, blanks.1);
        prop_assert_eq!(clean(&quoted), word);
    }
}

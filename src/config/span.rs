//! Parsers of spans of time: a number in a given unit, or with a suffix.

use std::time::Duration;

use super::SettingProblem;
use super::settings::{LONGEST, Unit, bound, setting};

/// Reads a span of time in the unit and the range of the setting `name`.
pub(super) fn of_setting(name: &str, value: &str) -> Result<Duration, SettingProblem> {
    let setting = setting(name);
    let span = parse_span(value, setting.map_or(Unit::Seconds, |setting| setting.unit))?;
    match setting.and_then(|setting| setting.spans.as_ref()) {
        Some(spans) if span < *spans.start() => positive(span),
        Some(spans) if span > *spans.end() => {
            Err(format!("{value:?} is longer than {}", bound(*spans.end())).into())
        }
        _ => Ok(span),
    }
}

/// Reads a number in `unit`, or a number with `ms`, `s`, `m`, `h` or `d`; ten years at most.
pub(super) fn parse_span(value: &str, unit: Unit) -> Result<Duration, SettingProblem> {
    let complaint = || {
        SettingProblem::new(
            format!("{value:?} is not a whole number of {}", unit.name()),
            "it may end with a unit: 90s, 30m, 12h, 2d",
        )
    };
    let digits = value
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(value.len());
    let (number, suffix) = value.split_at(digits);
    let number: u64 = number.parse().map_err(|_| complaint())?;
    let factor_ms: u64 = match (suffix.trim(), unit) {
        ("ms", _) => 1,
        ("s", _) | ("", Unit::Seconds | Unit::None) => 1_000,
        ("m" | "min", _) | ("", Unit::Minutes) => 60_000,
        ("h", _) => 3_600_000,
        ("d", _) => 86_400_000,
        _ => return Err(complaint()),
    };
    let span = number.checked_mul(factor_ms).map(Duration::from_millis);
    match span {
        Some(span) if span <= LONGEST => Ok(span),
        _ => Err(format!("{value:?} is longer than {}", bound(LONGEST)).into()),
    }
}

/// Refuses a span of 0.
fn positive(span: Duration) -> Result<Duration, SettingProblem> {
    if span.is_zero() {
        return Err("must be longer than 0".into());
    }
    Ok(span)
}

/// Reads a span of time on the command line: as in a setting, without suffix in minutes.
///
/// # Errors
/// Why the value is not a span of time.
pub(crate) fn minutes(value: &str) -> Result<Duration, SettingProblem> {
    positive(parse_span(value, Unit::Minutes)?)
}

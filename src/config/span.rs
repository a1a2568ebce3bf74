//! Parsers of spans of time: a number in a given unit, or with a suffix.

use std::time::Duration;

use super::settings::Unit;

/// Ten years; a longer span is a typing error.
pub(super) const LONGEST: Duration = Duration::from_secs(10 * 366 * 86_400);

/// Reads a number in `unit`, or a number with `ms`, `s`, `m`, `h` or `d`.
pub(super) fn parse_span(value: &str, unit: Unit) -> Result<Duration, String> {
    let complaint = || {
        format!(
            "{value:?} is not a whole number of {}; a suffix is possible, too: 90s, 30m, 12h, 2d",
            unit.name()
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
        _ => Err(format!("{value:?} is longer than ten years")),
    }
}

/// Refuses a span of 0.
pub(super) fn positive(span: Duration) -> Result<Duration, String> {
    if span.is_zero() {
        return Err("must be longer than 0".to_owned());
    }
    Ok(span)
}

/// Reads a span of time on the command line: as in a setting, without suffix in minutes.
///
/// # Errors
/// Why the value is not a span of time.
pub(crate) fn minutes(value: &str) -> Result<Duration, String> {
    positive(parse_span(value, Unit::Minutes)?)
}

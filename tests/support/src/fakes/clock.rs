//! Dates as the two systems write them: RFC 3339 for Coder, RFC 2822 and plain days for Twilio. UTC only.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: u64 = 86_400;
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// Seconds since 1970.
pub fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// `2026-10-05T12:30:00.123456Z`
pub fn rfc3339(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (year, month, day) = civil(since.as_secs() / DAY);
    let (hour, minute, second) = time_of_day(since.as_secs());
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:06}Z",
        since.subsec_micros()
    )
}

/// `Mon, 05 Oct 2026 12:30:00 +0000`
pub fn rfc2822(time: SystemTime) -> String {
    let seconds = unix_seconds(time);
    let (year, month, day) = civil(seconds / DAY);
    let (hour, minute, second) = time_of_day(seconds);
    let weekday = WEEKDAYS[(seconds / DAY % 7) as usize];
    let month = MONTHS[month as usize - 1];
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} +0000")
}

/// `2026-10-05`, the UTC day.
pub fn day(time: SystemTime) -> String {
    rfc3339(time)[..10].to_owned()
}

/// Reads `2026-10-05` or `2026-10-05T12:30:00Z` (fractions are dropped; only the zone `Z`).
pub fn parse(text: &str) -> Option<SystemTime> {
    let number = |range: std::ops::Range<usize>| -> Option<u64> {
        let digits = text.get(range)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let separators = text.get(4..5)? == "-" && text.get(7..8)? == "-";
    if !separators
        || !(1970..=9999).contains(&year)
        || !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
    {
        return None;
    }
    let mut seconds = days_from_civil(year, month, day) * DAY;
    if text.len() > 10 {
        let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
        if !text[10..11].eq_ignore_ascii_case("t")
            || !text.ends_with(['Z', 'z'])
            || hour > 23
            || minute > 59
        {
            return None;
        }
        seconds += hour * 3_600 + minute * 60 + second;
    }
    Some(UNIX_EPOCH + Duration::from_secs(seconds))
}

fn time_of_day(seconds: u64) -> (u64, u64, u64) {
    (seconds % DAY / 3_600, seconds % 3_600 / 60, seconds % 60)
}

/// Year, month and day of a day number counted from 1970-01-01.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

fn days_from_civil(year: u64, month: u64, day: u64) -> u64 {
    let year = year - u64::from(month <= 2);
    let (era, year_of_era) = (year / 400, year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_and_read_back() {
        let time = UNIX_EPOCH + Duration::from_secs(1_692_853_305);
        assert_eq!(rfc2822(time), "Thu, 24 Aug 2023 05:01:45 +0000");
        assert_eq!(rfc3339(time), "2023-08-24T05:01:45.000000Z");
        assert_eq!(parse("2023-08-24T05:01:45Z"), Some(time));
        assert_eq!(parse("2024-02-29").map(day), Some("2024-02-29".into()));
        assert_eq!(rfc2822(UNIX_EPOCH), "Thu, 01 Jan 1970 00:00:00 +0000");
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for nonsense in [
            "",
            "today",
            "2023-13-01",
            "2023-08-24 05:01:45",
            "20230824",
            "2023-08-24T25:00:00Z",
        ] {
            assert_eq!(parse(nonsense), None, "{nonsense}");
        }
    }
}

//! Reads a moment as people write it: a local time with its zone, or with its offset from UTC.

use super::SettingProblem;
use std::path::Path;

use tz::datetime::FoundDateTimeKind;
use tz::{DateTime, LocalTimeType, TimeZone, UtcDateTime};

use crate::domain::UnixSeconds;

/// The function that reads the file of a time zone.
pub(super) type ReadBytes<'a> = &'a dyn Fn(&Path) -> std::io::Result<Vec<u8>>;

/// Where systems keep the rules of time zones.
const ZONES: &str = "/usr/share/zoneinfo";

const USUAL: &str = "write it as 2026-12-01T09:00 Europe/Berlin or 2026-12-01T09:00+01:00";

/// A moment as `2026-12-01T08:00Z`.
pub(super) fn in_utc(at: UnixSeconds) -> String {
    let time = UtcDateTime::from_timespec(at, 0);
    time.map_or_else(
        |_| at.to_string(),
        |time| {
            let (year, month, day) = (time.year(), time.month(), time.month_day());
            let (hour, minute) = (time.hour(), time.minute());
            format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}Z")
        },
    )
}

/// A date and a time of day, without a zone.
#[derive(Clone, Copy)]
struct Local {
    year: i32,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
}

/// Reads a moment. `read` opens the file of a time zone.
///
/// # Errors
/// What is wrong with it. A local time that the clocks skip or show twice is a fault, with both readings.
pub(super) fn parse(value: &str, read: ReadBytes<'_>) -> Result<UnixSeconds, SettingProblem> {
    let complaint =
        || SettingProblem::new(format!("{value:?} is not a time with a time zone"), USUAL);
    let (local, zone) = split(value).ok_or_else(complaint)?;
    let local = Local::parse(local).ok_or_else(complaint)?;
    match zone {
        "" => Err(SettingProblem::new(
            format!("{value:?} has no time zone"),
            USUAL,
        )),
        zone => match offset(zone) {
            Some(offset) => local.at(offset).ok_or_else(|| not_in_the_calendar(value)),
            None => in_zone(value, local, zone, read),
        },
    }
}

/// The local time, and what follows it. Between date and time is a `T` or a blank.
fn split(value: &str) -> Option<(&str, &str)> {
    let time = value.get(11..)?;
    let end = time.find(|c: char| !c.is_ascii_digit() && c != ':');
    let end = 11 + end.unwrap_or(time.len());
    Some((&value[..end], value[end..].trim()))
}

impl Local {
    fn parse(value: &str) -> Option<Self> {
        let number = |from: usize, to: usize| {
            let digits = value.get(from..to)?;
            let all = digits.bytes().all(|b| b.is_ascii_digit());
            all.then(|| digits.parse::<u16>().ok()).flatten()
        };
        let sign =
            |at: usize, allowed: &[u8]| allowed.contains(value.as_bytes().get(at)?).then_some(());
        sign(4, b"-")?;
        sign(7, b"-")?;
        sign(10, b"Tt ")?;
        sign(13, b":")?;
        let small = |from, to| number(from, to).and_then(|number| u8::try_from(number).ok());
        let second = match value.len() {
            16 => 0,
            19 => {
                sign(16, b":")?;
                small(17, 19)?
            }
            _ => return None,
        };
        Some(Self {
            year: i32::from(number(0, 4)?),
            month: small(5, 7)?,
            day: small(8, 10)?,
            hour: small(11, 13)?,
            minute: small(14, 16)?,
            second,
        })
    }

    /// The moment when clocks that are `offset` seconds ahead of UTC show it.
    fn at(self, offset: i32) -> Option<UnixSeconds> {
        let zone = LocalTimeType::with_ut_offset(offset).ok()?;
        let Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
        } = self;
        let at = DateTime::new(year, month, day, hour, minute, second, 0, zone).ok()?;
        // A second 60 is not accepted.
        (second < 60).then(|| at.unix_time())
    }
}

/// Seconds ahead of UTC that `Z`, `UTC` or `+01:00` mean; `None` = it is another zone.
fn offset(zone: &str) -> Option<i32> {
    if ["Z", "z", "UTC", "utc"].contains(&zone) {
        return Some(0);
    }
    let (sign, rest) = match zone.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let digits: String = rest.chars().filter(|c| *c != ':').collect();
    let shaped = [4, 5].contains(&rest.len()) && digits.len() == 4;
    if !shaped || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (digits[..2].parse().ok()?, digits[2..].parse().ok()?);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// A time with its offset from UTC.
fn written(at: &DateTime) -> String {
    let offset = at.local_time_type().ut_offset();
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = offset.unsigned_abs() / 60;
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}{sign}{:02}:{:02}",
        at.year(),
        at.month(),
        at.month_day(),
        at.hour(),
        at.minute(),
        minutes / 60,
        minutes % 60
    )
}

fn in_zone(
    value: &str,
    local: Local,
    zone: &str,
    read: ReadBytes<'_>,
) -> Result<UnixSeconds, SettingProblem> {
    let rules = rules(zone, read)?;
    let Local {
        year,
        month,
        day,
        hour,
        minute,
        second,
    } = local;
    let found = DateTime::find(year, month, day, hour, minute, second, 0, rules.as_ref());
    let found = found.map_err(|_| not_in_the_calendar(value))?.into_inner();
    match found.as_slice() {
        [FoundDateTimeKind::Normal(at)] if second < 60 => Ok(at.unix_time()),
        [
            FoundDateTimeKind::Normal(first),
            FoundDateTimeKind::Normal(second),
        ] => Err(SettingProblem::new(
            format!("{value:?}: clocks in {zone} show this time twice"),
            format!("write {} or {}", written(first), written(second)),
        )),
        [
            FoundDateTimeKind::Skipped {
                before_transition,
                after_transition,
            },
        ] => {
            let around = [after_transition, before_transition];
            let [earlier, later] = around.map(|at| beside_a_gap(local, at, &rules));
            Err(SettingProblem::new(
                format!("{value:?}: clocks in {zone} skip this time"),
                format!("write {earlier} or {later}"),
            ))
        }
        _ => Err(not_in_the_calendar(value)),
    }
}

/// The moment at which clocks would show `local`, a time that they skip, if they had the offset of `transition`:
/// the one before they are put forward, or the one after.
fn beside_a_gap(local: Local, transition: &DateTime, rules: &TimeZone) -> String {
    let moment = local.at(transition.local_time_type().ut_offset());
    let at = moment.and_then(|at| DateTime::from_timespec(at, 0, rules.as_ref()).ok());
    at.as_ref().map(written).unwrap_or_default()
}

fn not_in_the_calendar(value: &str) -> SettingProblem {
    SettingProblem::new(format!("{value:?} is not a valid date and time"), USUAL)
}

/// The rules of a time zone.
fn rules(zone: &str, read: ReadBytes<'_>) -> Result<TimeZone, SettingProblem> {
    // The name becomes part of a path.
    let is_name = zone.starts_with(|c: char| c.is_ascii_alphabetic())
        && zone
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/_+-".contains(&b));
    if !is_name {
        return Err(SettingProblem::new(
            format!("{zone:?} is not the name of a time zone"),
            USUAL,
        ));
    }
    let zones = Path::new(ZONES);
    let bytes = read(&zones.join(zone)).map_err(|_| {
        // Every system that has rules has these.
        if read(&zones.join("UTC")).is_err() {
            return SettingProblem::new(format!("{zone:?} cannot be looked up, as this machine has no time zone rules ({ZONES})"), "install the package tzdata, or mount that folder of the host into the container, or write the offset from UTC, such as 2026-12-01T09:00+01:00");
        }
        SettingProblem::new(format!("the time zone {zone:?} is not known to this machine ({ZONES})"), "correct its name, or write the offset from UTC, such as 2026-12-01T09:00+01:00")
    })?;
    TimeZone::from_tz_data(&bytes).map_err(|_| {
        SettingProblem::new(
            format!("the rules of the time zone {zone:?} in {ZONES} cannot be read"),
            "write the offset from UTC, such as 2026-12-01T09:00+01:00",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &Path) -> std::io::Result<Vec<u8>> {
        // The rules as POSIX writes them, in a file without transitions: the same on every machine.
        let rule = match path.strip_prefix(ZONES).unwrap().to_str().unwrap() {
            "Europe/Berlin" => "CET-1CEST,M3.5.0,M10.5.0/3",
            "America/Chicago" => "CST6CDT,M3.2.0,M11.1.0",
            "Europe/London" => "GMT0BST,M3.5.0/1,M10.5.0",
            "UTC" => "UTC0",
            "Broken" => return Ok(b"TZif?".to_vec()),
            _ => return Err(std::io::ErrorKind::NotFound.into()),
        };
        let header = |types: u8, abbreviations: u8| {
            let mut header = b"TZif2".to_vec();
            header.extend([0; 15]);
            for count in [0, 0, 0, 0, types, abbreviations] {
                header.extend([0, 0, 0, count]);
            }
            header.extend([0, 0, 0, 0, 0, 0]);
            header.extend(b"LMT\0");
            header
        };
        let mut file = [header(1, 4), header(1, 4)].concat();
        file.extend(format!("\n{rule}\n").bytes());
        Ok(file)
    }

    fn moment(value: &str) -> Result<UnixSeconds, SettingProblem> {
        parse(value, &read)
    }

    #[test]
    fn a_time_with_its_zone_or_its_distance_from_utc_is_a_moment() {
        for (value, at) in [
            ("2026-12-01T09:00 Europe/Berlin", 1_796_112_000),
            ("2026-12-01 09:00 Europe/Berlin", 1_796_112_000),
            ("2026-12-01T09:00+01:00", 1_796_112_000),
            ("2026-12-01T09:00 +0100", 1_796_112_000),
            ("2026-12-01T08:00Z", 1_796_112_000),
            ("2026-12-01T08:00:00 UTC", 1_796_112_000),
            ("2026-12-01T02:00 America/Chicago", 1_796_112_000),
            ("2026-07-01T09:00 Europe/Berlin", 1_782_889_200),
            ("2026-07-01T03:30-05:30", 1_782_896_400),
            ("2028-02-29T00:00Z", 1_835_395_200),
        ] {
            assert_eq!(moment(value), Ok(at), "{value}");
        }
        assert_eq!(in_utc(1_796_112_000), "2026-12-01T08:00Z");
    }

    #[test]
    fn a_time_that_clocks_skip_or_show_twice_is_a_fault_with_both_readings() {
        for (value, one, two) in [
            (
                "2026-03-29T02:30 Europe/Berlin",
                "2026-03-29T01:30+01:00",
                "2026-03-29T03:30+02:00",
            ),
            (
                "2026-10-25T02:30 Europe/Berlin",
                "2026-10-25T02:30+02:00",
                "2026-10-25T02:30+01:00",
            ),
            (
                "2026-10-25T01:30 Europe/London",
                "2026-10-25T01:30+01:00",
                "2026-10-25T01:30+00:00",
            ),
            (
                "2026-11-01T01:30 America/Chicago",
                "2026-11-01T01:30-05:00",
                "2026-11-01T01:30-06:00",
            ),
        ] {
            let fault = moment(value).unwrap_err().to_string();
            assert!(fault.contains(&format!("write {one} or {two}")), "{fault}");
            assert!(moment(one).unwrap() < moment(two).unwrap());
        }
    }

    #[test]
    fn a_machine_without_rules_of_time_zones_is_told_apart_from_a_wrong_name() {
        let none = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
        let fault = parse("2026-12-01T09:00 Europe/Berlin", &none)
            .unwrap_err()
            .to_string();
        assert!(fault.contains("install the package tzdata"), "{fault}");
        assert!(!fault.contains("correct its name"), "{fault}");
        assert_eq!(parse("2026-12-01T09:00+01:00", &none), Ok(1_796_112_000));
    }

    #[test]
    fn what_is_no_moment_is_a_fault_with_a_cure() {
        for (value, told) in [
            ("", "is not a time with a time zone"),
            ("tomorrow", "is not a time with a time zone"),
            ("9:00 Europe/Berlin", "is not a time with a time zone"),
            (
                "2026-12-01T9:00 Europe/Berlin",
                "is not a time with a time zone",
            ),
            ("2026-12-01T09:00", "has no time zone"),
            ("2026-02-30T09:00Z", "is not a valid date and time"),
            (
                "2026-02-30T09:00 Europe/Berlin",
                "is not a valid date and time",
            ),
            ("2026-13-01T09:00Z", "is not a valid date and time"),
            ("2026-12-01T24:00Z", "is not a valid date and time"),
            ("2026-12-01T09:00:60Z", "is not a valid date and time"),
            (
                "2026-12-01T09:00 Europe/Berlni",
                "is not known to this machine",
            ),
            (
                "2026-12-01T09:00 ../../etc/passwd",
                "is not the name of a time zone",
            ),
            ("2026-12-01T09:00 +99:00", "is not the name of a time zone"),
            ("2026-12-01T09:00 +01000", "is not the name of a time zone"),
            ("2026-12-01T09:00 +01::00", "is not the name of a time zone"),
            ("2026-12-01T09:00 +01:60", "is not the name of a time zone"),
            (
                "2026-12-01T09:00:60 Europe/Berlin",
                "is not a valid date and time",
            ),
            ("2026-12-01T09:00 +-1:00", "is not the name of a time zone"),
            ("2026-12-01T09:00 Broken", "cannot be read"),
            ("2026-12-01T09:00 é", "is not the name of a time zone"),
            ("2026-12-0é", "is not a time with a time zone"),
        ] {
            let fault = moment(value).unwrap_err().to_string();
            assert!(fault.contains(told), "{value}: {fault}");
            assert!(fault.contains("write"), "{fault}");
        }
    }
}

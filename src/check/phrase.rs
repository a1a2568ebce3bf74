//! Checks the phrase, and the length of the text with a login.

use super::{Notes, sends_texts};
use crate::clock::unix_now;
use crate::config::{ClassPhrase, ClassSettings, ClassState, PartialConfig};
use crate::domain::UnixSeconds;
use crate::provision::reply;

/// A class that opens later than this was probably given a wrong year.
const SOON: UnixSeconds = 365 * 86_400;

pub(super) fn inspect(parts: &PartialConfig, notes: &mut Notes<'_>) {
    match &parts.phrases {
        // The phrase itself is never shown.
        None => notes.skip("the phrase", "as it is invalid"),
        Some(phrases) => phrases.iter().for_each(|one| of_class(one, notes)),
    }
    let (Some(coder), Some(class)) = (&parts.coder, &parts.class) else {
        return notes.skip("the length of a login's text", "as settings have faults");
    };
    openings(&class.classes, unix_now(), notes);
    if let Some(service) = parts.service.as_ref().filter(|_| sends_texts(parts)) {
        hourly_texts(&class.classes, service.hourly_texts, unix_now(), notes);
    }
    let (site, domain) = (&coder.address.site, &coder.email_domain);
    let longest = reply::longest_login(site, domain, class.longest_life(unix_now()));
    if longest <= reply::SEGMENT {
        notes.pass(format!(
            "the longest login fits in one text: {longest} of {} characters",
            reply::SEGMENT
        ));
    } else {
        notes.warn(
            format!(
                "a login may have {longest} characters, which Twilio sends and charges as two texts"
            ),
            "shorten CODER_API_URL or CODER_EMAIL_DOM",
        );
    }
}

fn of_class(one: &ClassPhrase, notes: &mut Notes<'_>) {
    let name = one.class.as_ref();
    let whose = name.map_or_else(String::new, |class| format!("class {class}: "));
    notes.pass(format!("{whose}it is not a word that opts out of texts"));
    notes.pass(format!("{whose}{}", one.phrase.comparison()));
    match one.phrase.weakness() {
        None => notes.pass(format!("{whose}it is not easily guessed")),
        Some(weakness) => notes.warn(
            format!(
                "{whose}it {}: anyone who guesses it gets an account",
                weakness.reason()
            ),
            format!(
                "set {} to two or three words that belong together only in your class",
                one.setting
            ),
        ),
    }
}

/// Which classes give accounts.
fn openings(classes: &[ClassSettings], now: UnixSeconds, notes: &mut Notes<'_>) {
    let is_over = |class: &ClassSettings| class.state(now, now) == ClassState::Over;
    let all_over = classes.iter().all(is_over);
    for class in classes {
        let (whose, (opens, until)) = (class.whose(), class.times());
        let (opens, until) = (opens.unwrap_or_default(), until.unwrap_or_default());
        match class.state(now, now) {
            ClassState::Over => {
                let what = format!("{whose}it is over since {until}: its phrase brings no account");
                let ending = if class.closes.is_some() {
                    "_CLOSES"
                } else {
                    "_END_AT"
                };
                let setting = class.setting(ending);
                let cure =
                    format!("set {setting} to a later time, or take the class out of the settings");
                if all_over {
                    notes.fault(what, cure);
                } else {
                    notes.warn(what, cure);
                }
            }
            ClassState::NotYet(at) if at - now > SOON => notes.warn(
                format!("{whose}it opens in more than a year, at {opens}"),
                format!(
                    "correct {} unless that is what you want",
                    class.setting("_OPENS")
                ),
            ),
            ClassState::NotYet(_) => notes.pass(format!("{whose}it opens at {opens}")),
            ClassState::Open if !until.is_empty() => {
                notes.pass(format!("{whose}it is open until {until}"));
            }
            ClassState::Open => {}
        }
    }
}

/// Warns of classes with more seats than texts are sent within an hour: the logins of the others wait.
fn hourly_texts(classes: &[ClassSettings], limit: u32, now: UnixSeconds, notes: &mut Notes<'_>) {
    let to_come = classes
        .iter()
        .filter(|class| class.state(now, now) != ClassState::Over);
    for class in to_come.filter(|class| class.seats > limit) {
        let (whose, seats, setting) = (class.whose(), class.seats, class.setting("_SEATS"));
        notes.warn(
            format!("{whose}there are {seats} seats ({setting}), but only {limit} texts are sent within an hour (CODER_REG_HOURLY_TEXTS): further logins wait"),
            format!("raise CODER_REG_HOURLY_TEXTS, or set {setting} to the number of students"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Area, CheckStatus, Finding};

    const NOW: UnixSeconds = 1_796_112_000;

    fn class(name: &str, [opens, closes, end_at]: [Option<UnixSeconds>; 3]) -> ClassSettings {
        let at = |offset: Option<UnixSeconds>| offset.map(|offset| NOW + offset);
        let mut class = ClassSettings::for_tests(Some(name), name, 3);
        (class.opens, class.closes, class.end_at) = (at(opens), at(closes), at(end_at));
        class
    }

    fn found(classes: &[ClassSettings]) -> Vec<Finding> {
        let mut all = Vec::new();
        openings(classes, NOW, &mut Notes::of(Area::Phrase, &mut all));
        all
    }

    #[test]
    fn a_class_that_needs_more_texts_than_an_hour_has_is_told() {
        for (limit, closes, warnings) in [(2, None, 1), (3, None, 0), (2, Some(-60), 0)] {
            let classes = [class("intro", [None, closes, None])];
            let mut all = Vec::new();
            let mut notes = Notes::of(Area::Phrase, &mut all);
            hourly_texts(&classes, limit, NOW, &mut notes);
            assert_eq!(all.len(), warnings, "{limit} {closes:?}");
        }
    }

    #[test]
    fn classes_that_give_no_accounts_are_told_and_that_none_does_is_a_fault() {
        let closed = class("closed", [None, Some(-60), None]);
        let ended = class("ended", [None, None, Some(0)]);
        let late = class("late", [Some(60), Some(120), None]);
        let never = class("never", [Some(SOON + 1), None, None]);
        let open = class("open", [Some(-60), None, Some(60)]);
        let always = class("always", [None; 3]);
        let all = found(&[closed.clone(), ended.clone(), late, never, open, always]);
        let told: Vec<(CheckStatus, &str)> = all
            .iter()
            .map(|one| (one.verdict, one.what.as_str()))
            .collect();
        use CheckStatus::{Pass, Warning};
        let expected = [
            (Warning, "class closed: it is over since 2026-12-01T07:59Z"),
            (Warning, "class ended: it is over since 2026-12-01T08:00Z"),
            (Pass, "class late: it opens at 2026-12-01T08:01Z"),
            (
                Warning,
                "class never: it opens in more than a year, at 2027-12-01T08:00Z",
            ),
            (Pass, "class open: it is open until 2026-12-01T08:01Z"),
        ];
        assert_eq!(told.len(), expected.len(), "{told:?}");
        for ((verdict, what), (expected, begin)) in told.iter().zip(expected) {
            assert!(*verdict == expected && what.starts_with(begin), "{what}");
        }
        assert!(
            all[0]
                .cure
                .as_ref()
                .is_some_and(|cure| cure.contains("set _CLOSES"))
        );
        assert!(
            all[1]
                .cure
                .as_ref()
                .is_some_and(|cure| cure.contains("set _END_AT"))
        );
        let all = found(&[closed, ended]);
        assert!(
            all.iter().all(|one| one.verdict == CheckStatus::Fault),
            "{all:?}"
        );
    }
}

//! Compares the URL to which Twilio sends texts with our own.

use super::Notes;
use crate::domain::SignedUrl;
use crate::twilio::account::Target;

/// The part of the URL that makes Twilio retry a text that it could not deliver.
const RETRIES: &str = "#rc=3&rp=ct,rt,5xx";

/// Judges where texts of `whose` (a number, a Messaging Service) are sent.
pub(super) fn judge(ours: &SignedUrl, target: &Target, whose: &str, notes: &mut Notes<'_>) {
    let Target { url, method } = target;
    let set = |what: &str| {
        format!(
            "at Twilio, set {what} of {whose} to {}{RETRIES}",
            ours.as_str()
        )
    };
    if url.is_empty() {
        notes.fault(
            format!("Twilio forwards texts of {whose} to no URL"),
            set("\"A message comes in\""),
        );
        return;
    }
    match SignedUrl::parse(url) {
        Ok(theirs) if theirs.is_same_as(ours) => {
            notes.pass(format!(
                "Twilio sends texts of {whose} to TWILIO_WEBHOOK_URL"
            ));
            retries(url, &set("the URL"), notes);
        }
        Ok(theirs) => notes.fault(
            format!(
                "Twilio sends texts of {whose} to {}, not to {}",
                shown(theirs.as_str()),
                ours.as_str()
            ),
            format!(
                "{}, or set TWILIO_WEBHOOK_URL to the URL at Twilio",
                set("the URL")
            ),
        ),
        Err(_) => notes.fault(
            format!("the entry at Twilio for texts of {whose} is not a valid URL"),
            set("the URL"),
        ),
    }
    notes.judge(
        method.eq_ignore_ascii_case("POST"),
        "by HTTP POST",
        "Twilio sends them by HTTP GET",
        &format!("at Twilio, select HTTP POST next to the URL of {whose}"),
    );
}

fn retries(url: &str, cure: &str, notes: &mut Notes<'_>) {
    let fragment = url.split_once('#').map_or("", |(_, fragment)| fragment);
    let value = |key: &str| {
        let mut pairs = fragment.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(name, _)| *name == key).map(|(_, value)| value)
    };
    let policy: Vec<&str> = value("rp").unwrap_or("ct").split(',').collect();
    let covers = |what| policy.contains(&what) || policy.contains(&"all");
    let count: u32 = value("rc")
        .and_then(|count| count.parse().ok())
        .unwrap_or(1);
    if count > 0 && ["ct", "rt", "5xx"].into_iter().all(covers) {
        notes.pass("and retries if the service does not answer");
    } else {
        notes.warn(
            "Twilio does not retry a text that the service could not accept at once",
            cure,
        );
    }
}

/// Another server's URL, shortened to fit a line, without the query: it may contain a secret.
fn shown(url: &str) -> String {
    let (place, more) = match url.split_once('?') {
        Some((place, _)) => (place, "?..."),
        None => (url, ""),
    };
    format!("{}{more}", place.get(..120).unwrap_or(place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Area, CheckStatus};

    #[test]
    fn targets_are_judged() {
        use CheckStatus::{Fault, Pass, Warning};
        let ours = SignedUrl::parse("https://sms.example.org/inbound").unwrap();
        for (url, method, verdicts) in [
            (
                "https://sms.example.org/inbound#rc=3&rp=ct,rt,5xx",
                "POST",
                &[Pass, Pass, Pass][..],
            ),
            (
                "https://sms.example.org:443/inbound#rp=all",
                "post",
                &[Pass, Pass, Pass],
            ),
            (
                "https://sms.example.org/inbound",
                "POST",
                &[Pass, Warning, Pass],
            ),
            (
                "https://sms.example.org/inbound#rc=0&rp=all",
                "POST",
                &[Pass, Warning, Pass],
            ),
            (
                "https://sms.example.org/inbound#rp=rt,5xx",
                "POST",
                &[Pass, Warning, Pass],
            ),
            (
                "https://sms.example.org/inbound#rp=all",
                "GET",
                &[Pass, Pass, Fault],
            ),
            ("https://sms.example.org/inbound/", "POST", &[Fault, Pass]),
            ("http://sms.example.org/inbound", "POST", &[Fault, Pass]),
            ("sms.example.org/inbound", "GET", &[Fault, Fault]),
            ("", "POST", &[Fault]),
        ] {
            let target = Target {
                url: url.to_owned(),
                method: method.to_owned(),
            };
            let mut all = Vec::new();
            judge(&ours, &target, "+1", &mut Notes::of(Area::Twilio, &mut all));
            let found: Vec<CheckStatus> = all.iter().map(|one| one.verdict).collect();
            assert_eq!(found, verdicts, "{url} {method}");
        }
    }

    #[test]
    fn a_secret_in_twilios_url_is_not_shown() {
        let ours = SignedUrl::parse("https://sms.example.org/inbound").unwrap();
        let target = Target {
            url: "https://user:hunter2@other.example.org/x?key=hunter2".to_owned(),
            method: "POST".to_owned(),
        };
        let mut all = Vec::new();
        judge(&ours, &target, "+1", &mut Notes::of(Area::Twilio, &mut all));
        assert!(
            all[0]
                .what
                .contains("to https://other.example.org/x?..., not")
        );
        assert!(!format!("{all:?}").contains("hunter2"));
    }
}

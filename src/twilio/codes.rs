//! What Twilio's codes of failed deliveries mean and what to do, in words for the log and for
//! operators. The codes of refused calls are in `refusals`.
//!
//! The codes are those of twilio.com/docs/api/errors. A code that is not listed is still shown with
//! its number, because Twilio adds new ones.

use std::fmt;

use log::warn;

use super::refusals::REFUSALS;
use crate::domain::Undelivered;
use crate::metrics::Family;

/// A code as a label of a metric. Only listed codes have a value of their own, so that new codes of
/// Twilio do not create new time series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A listed code.
    Listed(u32),
    /// Any other code.
    Other,
    /// Twilio gave no code.
    None,
}

impl Code {
    /// The label for the code of a failed delivery.
    pub fn of_delivery(code: Option<u32>) -> Self {
        Self::listed(code, deliveries())
    }

    /// The label for the code of a failed send.
    pub fn of_send(code: Option<u32>) -> Self {
        Self::listed(code, sends())
    }

    /// All values that [`Code::of_delivery`] can return.
    pub fn of_deliveries() -> impl Iterator<Item = Self> {
        Self::all(deliveries())
    }

    /// All values that [`Code::of_send`] can return.
    pub fn of_sends() -> impl Iterator<Item = Self> {
        Self::all(sends())
    }

    fn listed(code: Option<u32>, mut list: impl Iterator<Item = u32>) -> Self {
        match code {
            Option::None => Self::None,
            Some(code) if list.any(|listed| listed == code) => Self::Listed(code),
            Some(_) => Self::Other,
        }
    }

    fn all(list: impl Iterator<Item = u32>) -> impl Iterator<Item = Self> {
        list.map(Self::Listed).chain([Self::Other, Self::None])
    }
}

/// Logs and counts the logins that were not delivered.
#[derive(Debug)]
pub struct UndeliveredLogins(Family<Code>);

impl Default for UndeliveredLogins {
    fn default() -> Self {
        Self(Family::new(Code::of_deliveries()))
    }
}

impl UndeliveredLogins {
    /// Logs and counts one login. The store reports each login once, however many receipts arrive.
    pub fn note(&self, undelivered: &Undelivered) {
        self.0.add(Code::of_delivery(undelivered.code));
        warn!("{}", line(undelivered));
    }

    /// The counts since the start, by Twilio's code.
    pub fn counts(&self) -> &Family<Code> {
        &self.0
    }
}

/// Codes of failed deliveries.
fn deliveries() -> impl Iterator<Item = u32> {
    DELIVERIES.iter().map(|(code, _)| *code)
}

/// Codes of refused sends.
fn sends() -> impl Iterator<Item = u32> {
    REFUSALS.iter().map(|row| row.code)
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listed(code) => code.fmt(f),
            Self::Other => f.write_str("other"),
            Self::None => f.write_str("none"),
        }
    }
}

/// The meaning of a code, in plain words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What happened.
    pub meaning: &'static str,
    /// Who can do what about it; empty if nobody has to act.
    pub cure: &'static str,
}

const fn says(meaning: &'static str, cure: &'static str) -> Explanation {
    Explanation { meaning, cure }
}

const fn row(code: u32, meaning: &'static str, cure: &'static str) -> (u32, Explanation) {
    (code, says(meaning, cure))
}

const ASK_AGAIN: &str = "the student can text the phrase again";
const OTHER_PHONE: &str = "the student needs another phone";
const SLOWER: &str =
    "wait, or raise the limit at Twilio; then the student can text the phrase again";
const SEE_CONSOLE: &str =
    "find the text in Twilio's console for the reason; the student can text the phrase again";

const QUEUE_FULL: Explanation = says("the sender's queue is full", SLOWER);
const BRIEF_FAILURE: Explanation = says("the carrier or Twilio failed for a moment", ASK_AGAIN);
const CARRIER_LIMIT: Explanation = says("a carrier's limit is reached", SLOWER);
const ACCOUNT_LIMIT: Explanation = says("the account's limit of texts is reached", SLOWER);
const UNLINKED: Explanation = says(
    "the number is not linked to its campaign yet",
    "wait some hours, or check the campaign in Twilio's console",
);

/// Failed deliveries by code, with their explanations.
const DELIVERIES: &[(u32, Explanation)] = &[
    row(
        21408,
        "the country is not enabled",
        "enable it under Twilio's geo permissions",
    ),
    row(
        21610,
        "the person has opted out",
        "the student texts START, then the phrase",
    ),
    (21611, QUEUE_FULL),
    row(21612, "this sender cannot reach that phone", OTHER_PHONE),
    (30001, QUEUE_FULL),
    row(
        30002,
        "the Twilio account is suspended",
        "contact Twilio's support",
    ),
    row(30003, "the phone is off or out of reach", ASK_AGAIN),
    row(
        30004,
        "the phone or its carrier blocks the sender",
        "the student texts START, then the phrase, or uses another phone",
    ),
    row(30005, "the number is unknown or not in use", OTHER_PHONE),
    row(
        30006,
        "a landline, or a carrier that cannot be reached",
        OTHER_PHONE,
    ),
    row(
        30007,
        "filtered as spam by Twilio or the carrier",
        "check the campaign and its sample message at Twilio, and the link in CODER_API_URL",
    ),
    row(30008, "the carrier gave no reason", ASK_AGAIN),
    (30017, BRIEF_FAILURE),
    (30022, CARRIER_LIMIT),
    (30023, CARRIER_LIMIT),
    (30024, UNLINKED),
    (30025, CARRIER_LIMIT),
    (30026, CARRIER_LIMIT),
    (30027, CARRIER_LIMIT),
    row(
        30032,
        "the toll-free number is not verified",
        "submit it for verification in Twilio's console",
    ),
    row(
        30033,
        "the A2P 10DLC campaign is suspended",
        "check the campaign in Twilio's console; Twilio suspends campaigns after complaints or breaches of its rules, and only Twilio's support can reactivate it",
    ),
    row(
        30034,
        "the number has no approved A2P 10DLC campaign",
        "register a campaign at Twilio and add the number to its Messaging Service",
    ),
    (30035, UNLINKED),
    row(30036, "it waited too long in the queue", ASK_AGAIN),
    row(
        30038,
        "the phone is a number at Twilio, which accepts no passwords",
        OTHER_PHONE,
    ),
    row(
        30039,
        "the phone is a number at Twilio, which treated the text as part of a loop between two automatic repliers",
        OTHER_PHONE,
    ),
    row(
        30042,
        "the sender is blocked: its name is too general, or has characters that carriers do not accept",
        "remove named senders (alphanumeric sender IDs) from the Messaging Service, so that it texts from a number; then the student can text the phrase again",
    ),
    row(
        30044,
        "a trial account sends short texts only",
        "upgrade the Twilio account",
    ),
    (30410, BRIEF_FAILURE),
    row(
        30450,
        "Twilio's protection against SMS pumping blocks the number",
        "in half an hour the student can text the phrase again",
    ),
    (30500, BRIEF_FAILURE),
    (60728, ACCOUNT_LIMIT),
    row(
        63036,
        "the phone does not accept RCS, and the Messaging Service has no number for SMS instead",
        "add a number with SMS to the Messaging Service as a fallback; then the student can text the phrase again",
    ),
    (63038, ACCOUNT_LIMIT),
];

/// Explains the error code of a text; `None` = it failed without a code.
pub fn explain(code: Option<u32>) -> Explanation {
    let Some(code) = code else {
        return says("Twilio gave no code", SEE_CONSOLE);
    };
    let row = DELIVERIES.iter().find(|(listed, _)| *listed == code);
    row.map_or(says("not delivered", SEE_CONSOLE), |(_, explanation)| {
        *explanation
    })
}

/// The log line about a login that was not delivered.
pub fn line(undelivered: &Undelivered) -> String {
    let Undelivered {
        username,
        sid,
        code,
    } = undelivered;
    let Explanation { meaning, cure } = explain(*code);
    let number = code.map_or_else(String::new, |code| format!("code {code}, "));
    format!("login of {username} was not delivered (text {sid}): {number}{meaning}; {cure}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{MessageSid, Username};

    #[test]
    fn common_codes_have_their_own_explanation() {
        let other = explain(Some(99_999));
        for (code, word) in [
            (30003, "off or out of reach"),
            (30004, "blocks"),
            (30005, "unknown"),
            (30006, "landline"),
            (30007, "spam"),
            (30008, "no reason"),
            (30032, "toll-free"),
            (30033, "suspended"),
            (30034, "campaign"),
            (30038, "accepts no passwords"),
            (30039, "automatic repliers"),
            (30042, "sender is blocked"),
            (63036, "RCS"),
            (21610, "opted out"),
        ] {
            let Explanation { meaning, cure } = explain(Some(code));
            assert!(meaning.contains(word), "{code}: {meaning}");
            assert!(!cure.is_empty() && explain(Some(code)) != other, "{code}");
        }
        assert_ne!(explain(None), other);
    }

    #[test]
    fn listed_codes_have_labels_of_their_own() {
        assert_eq!(Code::of_delivery(Some(30_003)), Code::Listed(30_003));
        assert_eq!(Code::of_delivery(Some(99_999)), Code::Other);
        assert_eq!(Code::of_delivery(Option::None), Code::None);
        for all in [
            Code::of_deliveries().collect::<Vec<_>>(),
            Code::of_sends().collect(),
        ] {
            let mut words: Vec<String> = all.iter().map(Code::to_string).collect();
            words.sort();
            words.dedup();
            assert_eq!(words.len(), all.len());
        }
    }

    #[test]
    fn the_line_names_account_text_code_and_cure() {
        let mut undelivered = Undelivered {
            username: Username::parse("happy-tuna").unwrap(),
            sid: MessageSid::parse("SM6262211c157aa9623d96f03ffb638c3f").unwrap(),
            code: Some(30003),
        };
        assert_eq!(
            line(&undelivered),
            "login of happy-tuna was not delivered (text SM6262211c157aa9623d96f03ffb638c3f): code 30003, \
             the phone is off or out of reach; the student can text the phrase again"
        );
        undelivered.code = None;
        assert!(line(&undelivered).contains("): Twilio gave no code; "));
    }
}

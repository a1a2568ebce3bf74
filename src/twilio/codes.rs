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

/// Codes of failed deliveries that [`explain`] explains.
const DELIVERIES: &[u32] = &[
    21408, 21610, 21611, 21612, 30001, 30002, 30003, 30004, 30005, 30006, 30007, 30008, 30017,
    30022, 30023, 30024, 30025, 30026, 30027, 30032, 30033, 30034, 30035, 30036, 30038, 30039,
    30042, 30044, 30410, 30450, 30500, 60728, 63036, 63038,
];

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
        Self::listed(code, DELIVERIES.iter().copied())
    }

    /// The label for the code of a failed send.
    pub fn of_send(code: Option<u32>) -> Self {
        Self::listed(code, sends())
    }

    /// All values that [`Code::of_delivery`] can return.
    pub fn of_deliveries() -> impl Iterator<Item = Self> {
        Self::all(DELIVERIES.iter().copied())
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

const ASK_AGAIN: &str = "the student can text the phrase again";
const OTHER_PHONE: &str = "the student needs another phone";
const SLOWER: &str =
    "wait, or raise the limit at Twilio; then the student can text the phrase again";
const SEE_CONSOLE: &str =
    "find the text in Twilio's console for the reason; the student can text the phrase again";

/// Explains the error code of a text; `None` = it failed without a code.
pub fn explain(code: Option<u32>) -> Explanation {
    let Some(code) = code else {
        return says("Twilio gave no code", SEE_CONSOLE);
    };
    match code {
        21408 => says(
            "the country is not enabled",
            "enable it under Twilio's geo permissions",
        ),
        21610 => says(
            "the person has opted out",
            "the student texts START, then the phrase",
        ),
        21611 | 30001 => says("the sender's queue is full", SLOWER),
        21612 => says("this sender cannot reach that phone", OTHER_PHONE),
        30002 => says(
            "the Twilio account is suspended",
            "contact Twilio's support",
        ),
        30003 => says("the phone is off or out of reach", ASK_AGAIN),
        30004 => says(
            "the phone or its carrier blocks the sender",
            "the student texts START, then the phrase, or uses another phone",
        ),
        30005 => says("the number is unknown or not in use", OTHER_PHONE),
        30006 => says(
            "a landline, or a carrier that cannot be reached",
            OTHER_PHONE,
        ),
        30007 => says(
            "filtered as spam by Twilio or the carrier",
            "check the campaign and its sample message at Twilio, and the link in CODER_API_URL",
        ),
        30008 => says("the carrier gave no reason", ASK_AGAIN),
        30017 | 30410 | 30500 => says("the carrier or Twilio failed for a moment", ASK_AGAIN),
        30022 | 30023 | 30025..=30027 => says("a carrier's limit is reached", SLOWER),
        63038 | 60728 => says("the account's limit of texts is reached", SLOWER),
        30024 | 30035 => says(
            "the number is not linked to its campaign yet",
            "wait some hours, or check the campaign in Twilio's console",
        ),
        30032 => says(
            "the toll-free number is not verified",
            "submit it for verification in Twilio's console",
        ),
        30033 => says(
            "the A2P 10DLC campaign is suspended",
            "check the campaign in Twilio's console; Twilio suspends campaigns after complaints or breaches of its rules, and only Twilio's support can reactivate it",
        ),
        30034 => says(
            "the number has no approved A2P 10DLC campaign",
            "register a campaign at Twilio and add the number to its Messaging Service",
        ),
        30036 => says("it waited too long in the queue", ASK_AGAIN),
        30038 => says(
            "the phone is a number at Twilio, which accepts no passwords",
            OTHER_PHONE,
        ),
        30039 => says(
            "the phone is a number at Twilio, which treated the text as part of a loop between two automatic repliers",
            OTHER_PHONE,
        ),
        30042 => says(
            "the sender is blocked: its name is too general, or has characters that carriers do not accept",
            "remove named senders (alphanumeric sender IDs) from the Messaging Service, so that it texts from a number; then the student can text the phrase again",
        ),
        63036 => says(
            "the phone does not accept RCS, and the Messaging Service has no number for SMS instead",
            "add a number with SMS to the Messaging Service as a fallback; then the student can text the phrase again",
        ),
        30044 => says(
            "a trial account sends short texts only",
            "upgrade the Twilio account",
        ),
        30450 => says(
            "Twilio's protection against SMS pumping blocks the number",
            "in half an hour the student can text the phrase again",
        ),
        _ => says("not delivered", SEE_CONSOLE),
    }
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
    fn exactly_the_explained_codes_are_counted_separately() {
        let other = explain(Some(99_999));
        for code in 0..100_000 {
            let listed = Code::of_delivery(Some(code)) == Code::Listed(code);
            assert_eq!(explain(Some(code)) != other, listed, "{code}");
        }
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

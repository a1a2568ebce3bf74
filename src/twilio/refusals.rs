//! What Twilio's refusals of a call mean, by code: what is affected, and what to do.
//!
//! Source of each row: twilio.com/docs/api/errors/CODE, read in November 2026. If Twilio's page
//! does not say what is affected, operators' reports decide, and the row says so. Codes that are
//! not listed are sorted by their group, because Twilio adds new codes and asks programs not to
//! depend on single ones.

use std::time::Duration;

use super::codes::Explanation;
use super::error::SmsErrorKind::{
    self, Blocked, NotTaken, OptedOut, Recipient, Refused, Region, Sender, Unclear, Unverified,
};

/// One code of a refused call.
pub(super) struct RefusalCode {
    pub(super) code: u32,
    kind: SmsErrorKind,
    why: Explanation,
}

const fn row(
    code: u32,
    kind: SmsErrorKind,
    meaning: &'static str,
    cure: &'static str,
) -> RefusalCode {
    RefusalCode {
        code,
        kind,
        why: Explanation { meaning, cure },
    }
}

/// When Twilio reports a full queue, it holds ten hours of texts.
const QUEUE_FULL: SmsErrorKind = NotTaken(Some(Duration::from_secs(300)));

/// The limits of an account are per hour or per day.
const LIMIT_REACHED: SmsErrorKind = NotTaken(Some(Duration::from_secs(900)));

const CREDENTIALS: &str = "credentials or account refused";
const CHECK_KEYS: &str = "check TWILIO_AUTH_SID and TWILIO_AUTH_TOKEN, and in Twilio's console that the account is active and its compliance profile approved";
const NOT_ACTIVE: &str = "the account is not active";
const SETTLE: &str = "check balance and status of the account in Twilio's console; a suspended account is reactivated by Twilio's support";
const SENDER: &str = "the sender cannot be used";
const CHECK_SENDER: &str = "check FROM_NUM";
const EITHER: &str = "this sender cannot send to that phone";
const CHECK_EITHER: &str =
    "if it happens to many phones, check FROM_NUM and its Messaging Service in Twilio's console";
const NO_TEXTS: &str = "the number cannot be texted";
const OUR_REQUEST: &str = "Twilio does not accept this request";
const NO_RIGHT: &str = "the key lacks a right, or the account may not do this";
const GIVE_RIGHT: &str = "give the key of TWILIO_AUTH_SID the right to read, make and change messages; if it has that right, check in Twilio's console that the account is active";
const SERVICE: &str = "the Messaging Service does not exist, or has no sender for this text";
const CHECK_SERVICE: &str = "check FROM_NUM: it must be a Messaging Service of the account, with a number in its sender pool";
const CAMPAIGN: &str = "check the campaign in Twilio's console; Twilio suspends campaigns after complaints or breaches of its rules, and only Twilio's support can reactivate it";

/// All codes that have their own row.
pub(super) const REFUSALS: &[RefusalCode] = &[
    // Temporary.
    row(20409, NotTaken(None), "a conflict with another call", ""),
    row(20429, NotTaken(None), "too many requests", ""),
    row(21730, NotTaken(None), "Twilio is under maintenance", ""),
    row(21611, QUEUE_FULL, "the sender's queue is full", ""),
    row(
        60728,
        LIMIT_REACHED,
        "the account's limit of texts is reached",
        "",
    ),
    row(
        63038,
        LIMIT_REACHED,
        "the account's limit of texts is reached",
        "",
    ),
    // About the phone.
    row(21211, Recipient, NO_TEXTS, ""),
    row(21214, Recipient, NO_TEXTS, ""),
    row(21217, Recipient, NO_TEXTS, ""),
    row(21265, Recipient, NO_TEXTS, ""),
    row(21266, Recipient, NO_TEXTS, ""),
    row(21401, Recipient, NO_TEXTS, ""),
    row(21612, Recipient, NO_TEXTS, ""),
    row(21614, Recipient, NO_TEXTS, ""),
    row(21635, Recipient, NO_TEXTS, ""),
    row(21610, OptedOut, "the person has opted out", ""),
    // About the account, for some phones only.
    row(
        21408,
        Region,
        "Twilio may not send to the phone's region",
        "switch the region on in Twilio's console, Messaging, Settings, Geo permissions",
    ),
    row(
        21608,
        Unverified,
        "the account may text verified numbers only",
        "upgrade the trial account, have its primary compliance profile approved, or verify the phone in Twilio's console",
    ),
    row(
        572_002,
        Unverified,
        "the trial account has no sender for that phone",
        "upgrade the trial account",
    ),
    // About the sender or the phone: by Twilio's pages the number is not ours or not in order; by
    // operators' reports it may also not reach some phones or countries.
    row(21606, Sender, EITHER, CHECK_EITHER),
    row(21659, Sender, EITHER, CHECK_EITHER),
    row(21703, Sender, EITHER, CHECK_EITHER),
    row(
        30024,
        Sender,
        "the number is not linked to its campaign yet",
        CHECK_EITHER,
    ),
    row(
        30032,
        Sender,
        "the toll-free number is not verified",
        "submit it for verification in Twilio's console",
    ),
    row(
        30034,
        Sender,
        "the number has no approved A2P 10DLC campaign",
        "register a campaign at Twilio and add the number to its Messaging Service",
    ),
    row(
        30035,
        Sender,
        "the number is not linked to its campaign yet",
        CHECK_EITHER,
    ),
    row(
        30042,
        Sender,
        "the sender's name is blocked",
        "remove named senders (alphanumeric sender IDs) from the Messaging Service, so that it texts from a number",
    ),
    // About the sender: no text can be sent.
    row(21212, Blocked, SENDER, CHECK_SENDER),
    row(21660, Blocked, SENDER, CHECK_SENDER),
    row(21661, Blocked, SENDER, CHECK_SENDER),
    row(21701, Blocked, SERVICE, CHECK_SERVICE),
    row(21702, Blocked, SERVICE, CHECK_SERVICE),
    row(21704, Blocked, SERVICE, CHECK_SERVICE),
    row(21705, Blocked, SERVICE, CHECK_SERVICE),
    row(
        30033,
        Blocked,
        "the A2P 10DLC campaign is suspended",
        CAMPAIGN,
    ),
    // About the account: no text can be sent.
    row(10001, Blocked, NOT_ACTIVE, SETTLE),
    row(20005, Blocked, NOT_ACTIVE, SETTLE),
    row(20010, Blocked, NOT_ACTIVE, SETTLE),
    row(30002, Blocked, "the Twilio account is suspended", SETTLE),
    row(20003, Blocked, CREDENTIALS, CHECK_KEYS),
    row(
        20008,
        Blocked,
        "these are test credentials",
        "set the live ones as TWILIO_AUTH_SID and TWILIO_AUTH_TOKEN",
    ),
    row(20403, Blocked, NO_RIGHT, GIVE_RIGHT),
    row(70051, Blocked, NO_RIGHT, GIVE_RIGHT),
    row(
        20404,
        Blocked,
        "Twilio does not find the account or the requested resource",
        "check TWILIO_ACCOUNT_SID and TWILIO_API_URL",
    ),
    // About our request.
    row(20001, Refused, OUR_REQUEST, ""),
    row(20009, Refused, "it is still in progress", ""),
    row(21602, Refused, OUR_REQUEST, ""),
    row(21603, Refused, OUR_REQUEST, ""),
    row(21604, Refused, OUR_REQUEST, ""),
    row(BAD_CALLBACK, Refused, "the receipt URL is refused", ""),
    row(21617, Refused, "the text is too long", ""),
    row(21618, Refused, "these words cannot be sent", ""),
    row(21624, Refused, OUR_REQUEST, ""),
    row(30029, Refused, OUR_REQUEST, ""),
];

/// Twilio's code for a receipt URL (StatusCallback) that it does not accept.
pub(super) const BAD_CALLBACK: u32 = 21609;

/// What an answer means that is not a success, by its status and Twilio's code.
pub(super) fn classify(status: u16, code: Option<u32>) -> (SmsErrorKind, Explanation) {
    let found = code.and_then(|code| REFUSALS.iter().find(|row| row.code == code));
    let known = found.map(|row| (row.kind, row.why));
    match (status, code) {
        (500.., _) => says(Unclear, "Twilio failed", ""),
        (200..=299, _) => says(Unclear, "unreadable answer", ""),
        (429, _) => match known {
            Some((NotTaken(wait), why)) => (NotTaken(wait), why),
            _ => says(NotTaken(None), "too many requests", ""),
        },
        (_, None) => says(
            NotTaken(None),
            "not Twilio's answer, but a proxy's or another server's",
            "if it lasts, check TWILIO_API_URL",
        ),
        (408 | 409 | 421 | 425, _) if known.is_none() => {
            says(NotTaken(None), "a temporary refusal", "")
        }
        (401 | 403, _) if known.is_none() => says(Blocked, CREDENTIALS, CHECK_KEYS),
        (_, Some(21_000..=21_999)) if known.is_none() => says(
            Refused,
            "unknown code of a group that Twilio uses for permanent refusals",
            "look it up at twilio.com/docs/api/errors",
        ),
        _ => known.unwrap_or_else(|| {
            says(
                Refused,
                "refused with an unknown code",
                "look it up at twilio.com/docs/api/errors",
            )
        }),
    }
}

fn says(
    kind: SmsErrorKind,
    meaning: &'static str,
    cure: &'static str,
) -> (SmsErrorKind, Explanation) {
    (kind, Explanation { meaning, cure })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status: u16, code: u32) -> SmsErrorKind {
        classify(status, Some(code)).0
    }

    #[test]
    fn listed_codes_have_their_kind() {
        for (status, code, expected) in [
            (400, 21_408, Region),
            (400, 21_608, Unverified),
            (400, 21_606, Sender),
            (400, 21_659, Sender),
            (400, 21_703, Sender),
            (400, 21_702, Blocked),
            (400, 20_010, Blocked),
            (400, 30_033, Blocked),
            (401, 20_003, Blocked),
            (400, 20_003, Blocked),
            (403, 20_008, Blocked),
            (403, 70_051, Blocked),
            (404, 20_404, Blocked),
            (409, 20_409, NotTaken(None)),
            (400, 20_409, NotTaken(None)),
            (400, 21_730, NotTaken(None)),
            (429, 20_429, NotTaken(None)),
            (400, 21_614, Recipient),
            (400, 21_610, OptedOut),
            (400, 21_617, Refused),
            (409, 20_009, Refused),
        ] {
            assert_eq!(kind(status, code), expected, "{status} {code}");
        }
    }

    #[test]
    fn a_code_that_is_not_listed_is_sorted_by_its_group() {
        for (status, code, expected) in [
            (400, 21_999, Refused),
            (400, 30_999, Refused),
            (400, 63_999, Refused),
            (401, 20_999, Blocked),
            (403, 20_999, Blocked),
            (408, 20_999, NotTaken(None)),
            (409, 20_999, NotTaken(None)),
            (421, 20_999, NotTaken(None)),
            (425, 20_999, NotTaken(None)),
            (429, 20_999, NotTaken(None)),
            (500, 21_614, Unclear),
            (503, 20_503, Unclear),
        ] {
            assert_eq!(kind(status, code), expected, "{status} {code}");
        }
    }

    #[test]
    fn each_code_is_listed_once() {
        let mut codes: Vec<u32> = REFUSALS.iter().map(|row| row.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), REFUSALS.len());
    }

    #[test]
    fn a_refusal_that_needs_the_operator_has_a_cure() {
        for row in REFUSALS {
            let acts = matches!(row.kind, Blocked | Sender | Region | Unverified);
            assert_eq!(!row.why.cure.is_empty(), acts, "{}", row.code);
        }
    }
}

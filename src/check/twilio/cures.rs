//! What helps where Twilio refuses a question. Codes are those of twilio.com/docs/api/errors.

use crate::twilio::sms::SmsError;

pub(super) const SUSPENDED: &str = "see Twilio's console: usually its balance is used up; Twilio's support opens an account that is suspended for another reason";
const PROFILE: &str = "finish the primary customer profile in Twilio's console (Trust Hub), and wait until it is approved";
const TEST: &str = "these are test credentials: copy the live ones from Twilio's console";
const RIGHTS: &str = "give the restricted key the right to read Messages, Phone Numbers and Messaging Services, or make a Standard one; set TWILIO_AUTH_SID and TWILIO_AUTH_TOKEN to it";
const KEY: &str = "make an API key (Standard) in Twilio's console and set TWILIO_AUTH_SID and TWILIO_AUTH_TOKEN to its two halves";
const AWAY: &str = "see that this machine reaches Twilio itself (TWILIO_API_URL), by no proxy; status.twilio.com tells of outages";
const NOT_TWILIO: &str = "leave TWILIO_API_URL out, or set it to https://api.twilio.com; see that no proxy answers in Twilio's place";
const ELSEWHERE: &str =
    "set TWILIO_ACCOUNT_SID to the account of the key, and TWILIO_API_URL to its region";
const BUSY: &str = "wait for a minute and check again; other programs may use this Twilio account at the same time";
const FAILED: &str = "check again in some minutes; status.twilio.com tells of outages";

/// What helps. What Twilio says itself stands in the fault's words.
pub(super) fn of(fault: &SmsError) -> &'static str {
    let says = |words: &str| fault.said.as_ref().is_some_and(|said| said.names(words));
    match fault.code {
        _ if fault.is_about_the_profile() => return PROFILE,
        Some(20008) => return TEST,
        Some(70051) => return RIGHTS,
        Some(10001 | 20005 | 30002) => return SUSPENDED,
        Some(_) if says("suspended") || says("closed") || says("not active") => return SUSPENDED,
        _ => {}
    }
    match (fault.status(), fault.code) {
        (None, _) => AWAY,
        (Some(429), _) => BUSY,
        (Some(408 | 421 | 425 | 500..), _) => FAILED,
        (_, None) => NOT_TWILIO,
        (Some(401), _) => KEY,
        (Some(403), _) => RIGHTS,
        (Some(404), _) => ELSEWHERE,
        _ => NOT_TWILIO,
    }
}

const LEGAL_ENTITY: &str = "register the brand of the school or company with its tax number (EIN), as a Standard or Low-Volume Standard one: Sole Proprietor is for people without one";
const NO_PRIVATE_USE: &str = "hand it in again as texts of an organisation to its students, on their own request: private use and texts between people are refused";
const CALL_TO_ACTION: &str = "put up a page that anybody can open, and name it when you hand it in again: who sends, for what, how one asks for it, \"Message and data rates may apply\", STOP and HELP, privacy policy and terms (docs/deploy.md)";
const PLAIN_LINKS: &str = "hand it in again with full links to a name of your own: those of shared shorteners are refused";

/// What helps where a review has refused a registration for one of these reasons; `None` = no reason that is known.
pub(super) fn of_review(codes: &[u32]) -> Option<&'static str> {
    codes.iter().find_map(|code| match code {
        30_915 => Some(LEGAL_ENTITY),
        30_532 | 30_533 => Some(NO_PRIVATE_USE),
        30_540 | 30_544 | 30_562 | 30_569 => Some(CALL_TO_ACTION),
        30_525 | 30_892 => Some(PLAIN_LINKS),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_review_s_reasons_have_cures_of_their_own() {
        for (codes, words) in [
            (&[30_915][..], "tax number"),
            (&[30_532], "private use"),
            (&[30_533], "private use"),
            (&[30_540], "Message and data rates may apply"),
            (&[30_544], "privacy policy and terms"),
            (&[30_562], "STOP and HELP"),
            (&[30_569], "anybody can open"),
            (&[30_525], "shorteners"),
            (&[30_892], "shorteners"),
            (&[30_897, 30_569, 30_915], "anybody can open"),
        ] {
            let cure = of_review(codes).unwrap_or_default();
            assert!(cure.contains(words), "{codes:?}: {cure}");
        }
        assert_eq!(of_review(&[]), None);
        assert_eq!(of_review(&[30_897]), None);
    }
}

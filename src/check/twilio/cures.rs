//! Cures for calls that Twilio refuses. The codes are those of twilio.com/docs/api/errors.

use crate::twilio::sms::SmsError;

pub(super) const SUSPENDED: &str = "see Twilio's console: usually the balance is used up; if it is suspended for another reason, contact Twilio's support";
const PROFILE: &str = "finish the primary customer profile in Twilio's console (Trust Hub), and wait until it is approved";
const TEST: &str = "these are test credentials: copy the live ones from Twilio's console";
const RIGHTS: &str = "give the restricted key the right to read Messages, Phone Numbers and Messaging Services, or create a Standard one; set TWILIO_AUTH_SID and TWILIO_AUTH_TOKEN to it";
const KEY: &str = "create an API key (Standard) in Twilio's console, and set TWILIO_AUTH_SID to its SID and TWILIO_AUTH_TOKEN to its secret";
const UNREACHABLE: &str = "make sure that this machine reaches Twilio directly (TWILIO_API_URL), without a proxy; status.twilio.com shows outages";
const NOT_TWILIO: &str = "leave TWILIO_API_URL out, or set it to https://api.twilio.com; make sure that no proxy answers in place of Twilio";
const ELSEWHERE: &str =
    "set TWILIO_ACCOUNT_SID to the account of the key, and TWILIO_API_URL to its region";
const BUSY: &str = "wait for a minute and check again; other programs may use this Twilio account at the same time";
const FAILED: &str = "check again in some minutes; status.twilio.com shows outages";

/// The cure for an error. Twilio's own message is part of the error's text.
pub(super) fn of(error: &SmsError) -> &'static str {
    let says = |words: &str| {
        error
            .message
            .as_ref()
            .is_some_and(|message| message.contains(words))
    };
    match error.code {
        _ if error.is_about_the_profile() => return PROFILE,
        Some(20008) => return TEST,
        Some(70051) => return RIGHTS,
        Some(10001 | 20005 | 30002) => return SUSPENDED,
        Some(_) if says("suspended") || says("closed") || says("not active") => return SUSPENDED,
        _ => {}
    }
    match (error.status(), error.code) {
        (None, _) => UNREACHABLE,
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
const NO_PRIVATE_USE: &str = "submit it again as texts of an organisation to its students, on their own request: private use and texts between people are refused";
const CALL_TO_ACTION: &str = "publish a page that anybody can open, and give its address when you submit it again: who sends, for what purpose, how students request it, \"Message and data rates may apply\", STOP and HELP, privacy policy and terms (docs/deploy.md)";
const PLAIN_LINKS: &str = "submit it again with full links to your own domain: links of public URL shorteners are refused";

/// The cure for a registration that a review refused for one of these reasons; `None` = no known
/// reason.
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
    fn reasons_of_a_review_have_their_own_cures() {
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

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

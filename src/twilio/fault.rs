//! A call to Twilio that did not do what it was made for, and what that means.

use std::fmt;
use std::time::Duration;

use super::codes::Explanation;
use super::error_message::{ErrorMessage, Message};
use super::refusals;
use crate::http::{HttpError, HttpResponse};

/// Why a text was not sent, or cannot be looked for.
#[derive(Clone, Debug)]
pub struct SmsError {
    operation: &'static str,
    /// What it means.
    pub kind: SmsErrorKind,
    pub(super) status: Option<u16>,
    /// Twilio's error code, if it gave one.
    pub code: Option<u32>,
    why: Explanation,
    /// What Twilio itself says.
    pub said: Option<Message>,
}

/// What a failed call to Twilio means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmsErrorKind {
    /// Surely not taken; another try may help, after that long if that is known.
    NotTaken(Option<Duration>),
    /// It may have been taken, or the answer cannot be read.
    Unclear,
    /// This number cannot be reached by us, and that will not change soon.
    Recipient,
    /// This person has opted out.
    OptedOut,
    /// The account may not send to this number's region. Somebody has to act; other regions are not
    /// concerned.
    Region,
    /// The account may not send to this number yet: it is a trial account, or its profile is not approved.
    /// Somebody has to act; numbers that were verified are not concerned.
    Unverified,
    /// Our sender cannot send to this number. Either the sender is not in order, or it is and does not
    /// reach this number; what becomes of other numbers tells.
    Sender,
    /// Credentials, account or sender are not in order: nobody gets through until somebody acts.
    Blocked,
    /// This request can never work.
    Refused,
}

impl SmsError {
    /// A fault without an answer, or of an answer that cannot be read.
    pub(super) fn new(operation: &'static str, kind: SmsErrorKind, why: &'static str) -> Self {
        Self {
            operation,
            kind,
            status: None,
            code: None,
            why: Explanation {
                meaning: why,
                cure: "",
            },
            said: None,
        }
    }

    /// A call without a complete answer.
    pub(super) fn broken(operation: &'static str, broken: HttpError) -> Self {
        match broken {
            HttpError::NotSent(why) => Self::new(operation, SmsErrorKind::NotTaken(None), why),
            HttpError::Unknown(why) => Self::new(operation, SmsErrorKind::Unclear, why),
        }
    }

    /// Sorts an answer: by what its status says for sure, then by Twilio's code. What has no code is not
    /// from Twilio, but from a proxy or a login page on the way, and may be another one a moment later.
    pub(super) fn of(operation: &'static str, answer: &HttpResponse) -> Self {
        let ErrorMessage { code, message } = ErrorMessage::of(answer);
        let (kind, mut why) = refusals::read(answer.status, code);
        if message.as_ref().is_some_and(is_about_the_profile) {
            why = PROFILE;
        }
        let kind = match kind {
            SmsErrorKind::NotTaken(usual) => SmsErrorKind::NotTaken(answer.retry_after().or(usual)),
            other => other,
        };
        Self {
            operation,
            kind,
            status: Some(answer.status),
            code,
            why,
            said: message,
        }
    }

    /// The same without Twilio's words, should they repeat some of `text`: it may be a login.
    pub(super) fn without_words_of(mut self, text: &str) -> Self {
        self.said = self.said.and_then(|said| said.unless_it_repeats(text));
        self
    }

    /// What was tried and what came back, without what helps.
    pub fn told(&self) -> String {
        let uncured = Self {
            why: Explanation {
                cure: "",
                ..self.why
            },
            ..self.clone()
        };
        uncured.to_string()
    }

    /// Whether the account's compliance profile is in the way, which comes with the code of wrong
    /// credentials.
    pub fn is_about_the_profile(&self) -> bool {
        self.said.as_ref().is_some_and(is_about_the_profile)
    }

    /// Whether Twilio refuses our key or account, so that no call of ours can work.
    pub fn refuses_key(&self) -> bool {
        matches!(self.status, Some(401 | 403))
            && self.code.is_some_and(|code| REFUSE_ALL.contains(&code))
            && !self.is_about_the_profile()
    }

    /// Whether Twilio was not reached or failed, as opposed to an answer about this call.
    pub fn is_away(&self) -> bool {
        let failed = matches!(self.kind, SmsErrorKind::NotTaken(_) | SmsErrorKind::Unclear);
        failed && self.status != Some(429)
    }

    /// Whether Twilio itself has refused the call for want of a right, while it takes the credentials and
    /// the account is in order. What was refused by somebody else, or cannot be read, says nothing of rights.
    pub fn lacks_right(&self) -> bool {
        matches!(self.status, Some(401 | 403))
            && self.code.is_some_and(|code| !REFUSE_ALL.contains(&code))
    }
}

/// What it means where Twilio's words name the compliance profile, whatever the code is.
const PROFILE: Explanation = Explanation {
    meaning: "the account's primary compliance profile is not approved",
    cure: "finish the primary customer profile in Twilio's console (Trust Hub), and wait until it is approved",
};

fn is_about_the_profile(said: &Message) -> bool {
    said.names("compliance profile")
}

/// Codes of 401 and 403 that are about credentials or the account, not about a right.
const REFUSE_ALL: [u32; 6] = [10001, 20003, 20005, 20008, 20010, 30002];

impl fmt::Display for SmsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at Twilio: ", self.operation)?;
        if let Some(status) = self.status {
            write!(f, "status {status}, ")?;
        }
        if let Some(code) = self.code {
            write!(f, "code {code}, ")?;
        }
        f.write_str(self.why.meaning)?;
        if !self.why.cure.is_empty() {
            write!(f, "; {}", self.why.cure)?;
        }
        match &self.said {
            Some(said) => write!(f, " (Twilio says: {said})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SmsError {}

#[cfg(test)]
mod tests {
    use ureq::http::{HeaderMap, HeaderValue};

    use super::*;

    fn answer(status: u16, kind: &'static str, body: &str) -> HttpResponse {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static(kind));
        HttpResponse {
            status,
            headers,
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn codes_are_read_from_both_forms_of_an_error() {
        for (kind, body) in [
            (
                "application/json",
                r#"{"code":21614,"more_info":"x","status":400}"#,
            ),
            (
                "application/problem+json",
                r#"{"type":"https://www.twilio.com/docs/api/errors/21614","title":"no","status":400,"code":21614,"detail":null,"errors":[]}"#,
            ),
            ("application/json; charset=utf-8", r#"{"code":"21614"}"#),
        ] {
            let fault = SmsError::of("send a text", &answer(400, kind, body));
            assert_eq!(fault.code, Some(21_614), "{body}");
            assert_eq!(fault.kind, SmsErrorKind::Recipient, "{body}");
        }
    }

    #[test]
    fn what_is_not_from_twilio_may_pass() {
        for status in [301, 302, 307, 400, 401, 403, 404, 407, 408, 413, 421, 425] {
            for (kind, body) in [
                ("text/html", "<html>blocked</html>"),
                ("application/json", "{}"),
                ("application/json", r#"{"error":"blocked"}"#),
                ("application/json", r#"{"code":null,"message":"blocked"}"#),
                ("application/json", "[21614]"),
                ("application/json", "<html>"),
                ("text/plain", r#"{"code":21614}"#),
            ] {
                let fault = SmsError::of("send a text", &answer(status, kind, body));
                let shown = format!("{status} {kind} {body}");
                assert_eq!(fault.kind, SmsErrorKind::NotTaken(None), "{shown}");
                assert!(!fault.lacks_right(), "{shown}");
            }
        }
        // It was taken, as far as anybody knows.
        for status in [200, 201, 202, 204] {
            let fault = SmsError::of("send a text", &answer(status, "text/html", "<html>"));
            assert_eq!(fault.kind, SmsErrorKind::Unclear, "{status}");
        }
    }

    #[test]
    fn the_others_wish_to_wait_goes_before_our_usual_wait() {
        let mut full = answer(429, "application/json", r#"{"code":63038}"#);
        let wait_of = |answer: &HttpResponse| SmsError::of("send a text", answer).kind;
        let usual = wait_of(&full);
        assert!(
            matches!(usual, SmsErrorKind::NotTaken(Some(span)) if span > Duration::from_secs(60))
        );
        full.headers
            .insert("retry-after", HeaderValue::from_static("7"));
        let seven = Some(Duration::from_secs(7));
        assert_eq!(wait_of(&full), SmsErrorKind::NotTaken(seven));
    }

    #[test]
    fn a_fault_says_what_where_and_what_helps() {
        let fault = SmsError::of(
            "send a text",
            &answer(400, "application/json", r#"{"code":21614}"#),
        );
        assert_eq!(
            fault.to_string(),
            "send a text at Twilio: status 400, code 21614, the number cannot be texted"
        );
        let fault = SmsError::new("send a text", SmsErrorKind::Unclear, "timed out");
        assert_eq!(fault.to_string(), "send a text at Twilio: timed out");
    }

    /// Codes as operators meet them, with whose fault each is and what the line for the log names as its cure.
    const MET: [(u16, u32, SmsErrorKind, &str); 26] = [
        // The account's, so everybody's.
        (401, 20_003, SmsErrorKind::Blocked, "TWILIO_AUTH_TOKEN"),
        (403, 20_005, SmsErrorKind::Blocked, "balance and suspension"),
        (401, 20_005, SmsErrorKind::Blocked, "balance and suspension"),
        (400, 20_010, SmsErrorKind::Blocked, "balance and suspension"),
        (400, 10_001, SmsErrorKind::Blocked, "balance and suspension"),
        (400, 30_002, SmsErrorKind::Blocked, "balance and suspension"),
        (403, 20_403, SmsErrorKind::Blocked, "the account is active"),
        (403, 20_008, SmsErrorKind::Blocked, "set the live ones"),
        (401, 20_008, SmsErrorKind::Blocked, "set the live ones"),
        (403, 70_051, SmsErrorKind::Blocked, "the right to read"),
        (401, 70_051, SmsErrorKind::Blocked, "the right to read"),
        (404, 20_404, SmsErrorKind::Blocked, "TWILIO_ACCOUNT_SID"),
        // The sender's, so everybody's.
        (
            404,
            21_701,
            SmsErrorKind::Blocked,
            "has to be a Messaging Service",
        ),
        (
            400,
            21_702,
            SmsErrorKind::Blocked,
            "has to be a Messaging Service",
        ),
        (400, 30_033, SmsErrorKind::Blocked, "Twilio's support"),
        (400, 21_212, SmsErrorKind::Blocked, "FROM_NUM"),
        // The sender's, or the phone's: what becomes of others tells.
        (400, 21_606, SmsErrorKind::Sender, "FROM_NUM"),
        (400, 21_659, SmsErrorKind::Sender, "FROM_NUM"),
        (400, 21_703, SmsErrorKind::Sender, "FROM_NUM"),
        (400, 30_032, SmsErrorKind::Sender, "have it verified"),
        (400, 30_034, SmsErrorKind::Sender, "register a campaign"),
        (400, 30_042, SmsErrorKind::Sender, "alphanumeric sender IDs"),
        // The account's, for some phones.
        (400, 21_408, SmsErrorKind::Region, "Geo permissions"),
        (
            400,
            21_608,
            SmsErrorKind::Unverified,
            "compliance profile approved",
        ),
        // It passes.
        (409, 20_409, SmsErrorKind::NotTaken(None), ""),
        (400, 21_730, SmsErrorKind::NotTaken(None), ""),
    ];

    #[test]
    fn codes_as_operators_meet_them_have_a_scope_a_cure_and_twilios_own_words() {
        for (status, code, kind, cure) in MET {
            let body = format!(r#"{{"code":{code},"message":"Its own words","status":{status}}}"#);
            let fault = SmsError::of("send a text", &answer(status, "application/json", &body));
            assert_eq!(fault.kind, kind, "{status} {code}");
            let line = fault.to_string();
            assert!(line.contains(&format!("code {code}, ")), "{line}");
            assert!(line.contains(cure), "{line}");
            assert!(line.ends_with(" (Twilio says: Its own words)"), "{line}");
            assert!(!line.contains("not known here"), "{line}");
        }
    }

    #[test]
    fn a_profile_that_is_not_approved_has_its_own_cure_under_the_code_of_wrong_keys() {
        let of = |words: &str| {
            let body = format!(r#"{{"code":20003,"message":"{words}"}}"#);
            SmsError::of("send a text", &answer(401, "application/json", &body))
        };
        let profile = of("Primary compliance profile is not approved");
        assert!(profile.to_string().contains("Trust Hub"), "{profile}");
        assert!(!profile.told().contains("Trust Hub"), "{profile}");
        assert_eq!(profile.kind, SmsErrorKind::Blocked);
        let keys = of("Authenticate");
        assert!(keys.to_string().contains("TWILIO_AUTH_TOKEN"), "{keys}");
    }

    #[test]
    fn a_key_without_a_right_is_told_from_bad_credentials() {
        for (status, code, lacks) in [
            (403, 20403, true),
            (403, 70051, true),
            (401, 70051, true),
            (401, 20003, false),
            (403, 20003, false),
            (403, 20005, false),
            (404, 20404, false),
            (429, 20429, false),
            (500, 20500, false),
        ] {
            let body = format!(r#"{{"code":{code}}}"#);
            let fault = SmsError::of("read the log", &answer(status, "application/json", &body));
            assert_eq!(fault.lacks_right(), lacks, "{status} {code}");
        }
    }
}

//! Errors of calls to Twilio, and what they mean for the next step.

use std::fmt;
use std::time::Duration;

use super::codes::Explanation;
use super::error_message::{ErrorMessage, Message};
use super::refusals;
use crate::http::{HttpError, HttpResponse};

/// Why a call to Twilio failed.
#[derive(Clone, Debug)]
pub struct SmsError {
    operation: &'static str,
    /// What the failure means.
    pub kind: SmsErrorKind,
    pub(super) status: Option<u16>,
    /// Twilio's error code, if there was one.
    pub code: Option<u32>,
    why: Explanation,
    /// Twilio's own message, cleaned.
    pub message: Option<Message>,
}

/// What a failed call to Twilio means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmsErrorKind {
    /// Certainly not accepted. A retry may help, after this pause if one is known.
    NotTaken(Option<Duration>),
    /// The text may have been accepted, or the answer cannot be read.
    Unclear,
    /// We cannot reach this number, and that will not change soon.
    Recipient,
    /// The owner of this number has opted out.
    OptedOut,
    /// The account may not send to this number's region. The operator has to act; other regions are
    /// not affected.
    Region,
    /// The account may not send to this number yet: it is a trial account, or its profile is not
    /// approved. The operator has to act; verified numbers are not affected.
    Unverified,
    /// Our sender cannot send to this number: either the sender is set up wrongly, or it does not
    /// reach this number. The results for other numbers show which.
    Sender,
    /// Credentials, account or sender are not in order: no text can be sent until the operator
    /// acts.
    Blocked,
    /// This request can never succeed.
    Refused,
}

impl SmsError {
    /// An error without an answer, or with an answer that cannot be read.
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
            message: None,
        }
    }

    /// For a call without a complete answer.
    pub(super) fn broken(operation: &'static str, broken: HttpError) -> Self {
        match broken {
            HttpError::NotSent(why) => Self::new(operation, SmsErrorKind::NotTaken(None), why),
            HttpError::Unknown(why) => Self::new(operation, SmsErrorKind::Unclear, why),
        }
    }

    /// The error for an answer, by its status first and then by Twilio's code. An answer without a
    /// code is not from Twilio but from a proxy or a login page in between, and may be different a
    /// moment later.
    pub(super) fn of(operation: &'static str, answer: &HttpResponse) -> Self {
        let ErrorMessage { code, message } = ErrorMessage::of(answer);
        let (kind, mut why) = refusals::classify(answer.status, code);
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
            message,
        }
    }

    /// The same error, without Twilio's message if that repeats words of `text`, which may be a
    /// login.
    pub(super) fn without_words_of(mut self, text: &str) -> Self {
        self.message = self
            .message
            .and_then(|message| message.unless_repeating(text));
        self
    }

    /// What is wrong, with Twilio's message, without the cure.
    pub fn what(&self) -> String {
        let uncured = Self {
            why: Explanation {
                cure: "",
                ..self.why
            },
            ..self.clone()
        };
        uncured.to_string()
    }

    /// What to do about it, if a person has to act.
    pub fn cure(&self) -> Option<&'static str> {
        Some(self.why.cure).filter(|cure| !cure.is_empty())
    }

    /// Whether the cause is the account's compliance profile. Twilio reports it with the code of
    /// wrong credentials.
    pub fn is_about_the_profile(&self) -> bool {
        self.message.as_ref().is_some_and(is_about_the_profile)
    }

    /// Whether Twilio refuses our key or account, so that no call of ours can work.
    pub fn refuses_key(&self) -> bool {
        matches!(self.status, Some(401 | 403))
            && self
                .code
                .is_some_and(|code| NOT_ABOUT_RIGHTS.contains(&code))
            && !self.is_about_the_profile()
    }

    /// Whether Twilio was not reached or failed, as opposed to an answer about this call.
    pub fn is_away(&self) -> bool {
        let failed = matches!(self.kind, SmsErrorKind::NotTaken(_) | SmsErrorKind::Unclear);
        failed && self.status != Some(429)
    }

    /// Whether Twilio itself refused the call because the key lacks a right, while credentials and
    /// account are in order. Refusals of other servers and unreadable answers do not count.
    pub fn lacks_right(&self) -> bool {
        matches!(self.status, Some(401 | 403))
            && self
                .code
                .is_some_and(|code| !NOT_ABOUT_RIGHTS.contains(&code))
    }
}

/// The explanation if Twilio's message is about the compliance profile, whatever the code is.
const PROFILE: Explanation = Explanation {
    meaning: "the account's primary compliance profile is not approved",
    cure: "finish the primary customer profile in Twilio's console (Trust Hub), and wait until it is approved",
};

fn is_about_the_profile(message: &Message) -> bool {
    message.contains("compliance profile")
}

/// Codes of 401 and 403 that are about credentials or the account, not about a missing right.
const NOT_ABOUT_RIGHTS: [u32; 6] = [10001, 20003, 20005, 20008, 20010, 30002];

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
        if let Some(cure) = self.cure() {
            write!(f, "; {cure}")?;
        }
        match &self.message {
            Some(message) => write!(f, " (Twilio says: {message})"),
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
            let error = SmsError::of("send a text", &answer(400, kind, body));
            assert_eq!(error.code, Some(21_614), "{body}");
            assert_eq!(error.kind, SmsErrorKind::Recipient, "{body}");
        }
    }

    #[test]
    fn an_answer_that_is_not_from_twilio_is_retried() {
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
                let error = SmsError::of("send a text", &answer(status, kind, body));
                let shown = format!("{status} {kind} {body}");
                assert_eq!(error.kind, SmsErrorKind::NotTaken(None), "{shown}");
                assert!(!error.lacks_right(), "{shown}");
            }
        }
        // The text may have been accepted.
        for status in [200, 201, 202, 204] {
            let error = SmsError::of("send a text", &answer(status, "text/html", "<html>"));
            assert_eq!(error.kind, SmsErrorKind::Unclear, "{status}");
        }
    }

    #[test]
    fn a_pause_that_twilio_asks_for_replaces_our_usual_one() {
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
    fn an_error_says_what_where_and_what_to_do() {
        let error = SmsError::of(
            "send a text",
            &answer(400, "application/json", r#"{"code":21614}"#),
        );
        assert_eq!(
            error.to_string(),
            "send a text at Twilio: status 400, code 21614, the number cannot be texted"
        );
        let error = SmsError::new("send a text", SmsErrorKind::Unclear, "timed out");
        assert_eq!(error.to_string(), "send a text at Twilio: timed out");
    }

    /// Codes that operators see, with their kind and a part of the cure in the log line.
    const COMMON_CODES: [(u16, u32, SmsErrorKind, &str); 26] = [
        // About the account: no text can be sent.
        (401, 20_003, SmsErrorKind::Blocked, "TWILIO_AUTH_TOKEN"),
        (403, 20_005, SmsErrorKind::Blocked, "balance and status"),
        (401, 20_005, SmsErrorKind::Blocked, "balance and status"),
        (400, 20_010, SmsErrorKind::Blocked, "balance and status"),
        (400, 10_001, SmsErrorKind::Blocked, "balance and status"),
        (400, 30_002, SmsErrorKind::Blocked, "balance and status"),
        (403, 20_403, SmsErrorKind::Blocked, "the account is active"),
        (403, 20_008, SmsErrorKind::Blocked, "set the live ones"),
        (401, 20_008, SmsErrorKind::Blocked, "set the live ones"),
        (403, 70_051, SmsErrorKind::Blocked, "the right to read"),
        (401, 70_051, SmsErrorKind::Blocked, "the right to read"),
        (404, 20_404, SmsErrorKind::Blocked, "TWILIO_ACCOUNT_SID"),
        // About the sender: no text can be sent.
        (
            404,
            21_701,
            SmsErrorKind::Blocked,
            "must be a Messaging Service",
        ),
        (
            400,
            21_702,
            SmsErrorKind::Blocked,
            "must be a Messaging Service",
        ),
        (400, 30_033, SmsErrorKind::Blocked, "Twilio's support"),
        (400, 21_212, SmsErrorKind::Blocked, "FROM_NUM"),
        // About the sender or the phone: the results for other phones show which.
        (400, 21_606, SmsErrorKind::Sender, "FROM_NUM"),
        (400, 21_659, SmsErrorKind::Sender, "FROM_NUM"),
        (400, 21_703, SmsErrorKind::Sender, "FROM_NUM"),
        (
            400,
            30_032,
            SmsErrorKind::Sender,
            "submit it for verification",
        ),
        (400, 30_034, SmsErrorKind::Sender, "register a campaign"),
        (400, 30_042, SmsErrorKind::Sender, "alphanumeric sender IDs"),
        // About the account, for some phones only.
        (400, 21_408, SmsErrorKind::Region, "Geo permissions"),
        (
            400,
            21_608,
            SmsErrorKind::Unverified,
            "compliance profile approved",
        ),
        // Temporary.
        (409, 20_409, SmsErrorKind::NotTaken(None), ""),
        (400, 21_730, SmsErrorKind::NotTaken(None), ""),
    ];

    #[test]
    fn codes_that_operators_see_have_a_kind_a_cure_and_twilios_message() {
        for (status, code, kind, cure) in COMMON_CODES {
            let body = format!(r#"{{"code":{code},"message":"Its own words","status":{status}}}"#);
            let error = SmsError::of("send a text", &answer(status, "application/json", &body));
            assert_eq!(error.kind, kind, "{status} {code}");
            let line = error.to_string();
            assert!(line.contains(&format!("code {code}, ")), "{line}");
            assert!(line.contains(cure), "{line}");
            assert!(line.ends_with(" (Twilio says: Its own words)"), "{line}");
            assert!(!line.contains("unknown code"), "{line}");
        }
    }

    #[test]
    fn a_profile_that_is_not_approved_has_its_own_cure_despite_the_code_of_wrong_keys() {
        let of = |words: &str| {
            let body = format!(r#"{{"code":20003,"message":"{words}"}}"#);
            SmsError::of("send a text", &answer(401, "application/json", &body))
        };
        let profile = of("Primary compliance profile is not approved");
        assert!(profile.to_string().contains("Trust Hub"), "{profile}");
        assert!(!profile.what().contains("Trust Hub"), "{profile}");
        assert!(profile.cure().unwrap().contains("Trust Hub"), "{profile}");
        assert_eq!(profile.kind, SmsErrorKind::Blocked);
        let keys = of("Authenticate");
        assert!(keys.to_string().contains("TWILIO_AUTH_TOKEN"), "{keys}");
    }

    #[test]
    fn a_key_without_a_right_is_distinguished_from_bad_credentials() {
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
            let error = SmsError::of("read the log", &answer(status, "application/json", &body));
            assert_eq!(error.lacks_right(), lacks, "{status} {code}");
        }
    }
}

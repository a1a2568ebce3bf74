//! Errors of calls to Coder, sorted by what can be done about them.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use super::cleaned::cleaned;
use super::wire::ErrorBody;
use super::{VERSION_HEADER, is_missing_right};
use crate::http::{HttpError, HttpResponse, HttpStage};

/// In each answer of a Coder that limits calls: how many it accepts in a minute. `coderd/httpmw/ratelimit.go`, go-chi/httprate.
const CALL_LIMIT_HEADER: &str = "X-RateLimit-Limit";

/// What a failed call means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoderErrorKind {
    /// The request certainly did not arrive. A retry may help.
    Unreachable,
    /// The request may have been carried out. A retry may help, after a check of the state at
    /// Coder.
    Unclear,
    /// Too many requests; the request was not carried out. The server asks for this pause before a
    /// retry.
    Busy(Option<Duration>),
    /// The token is invalid or expired, it lacks a right, or password login is off. An
    /// administrator has to act.
    Denied,
    /// Something other than Coder answered, such as a proxy or a login page.
    NotCoder,
    /// This request can never succeed.
    Refused,
}

/// A failed call to Coder. It never contains the body of the answer, because error texts of other
/// programs may repeat our secrets; only the harmless words of Coder's message are kept.
#[derive(Clone, Debug)]
pub struct CoderError {
    operation: &'static str,
    /// What the failure means.
    pub kind: CoderErrorKind,
    status: Option<u16>,
    stage: Option<HttpStage>,
    why: String,
    /// Coder itself reported that the token lacks a right.
    forbidden: bool,
    /// Coder's own limit of calls has refused it.
    by_call_limit: bool,
    /// A hash that is equal for equal internal errors of Coder (status 500).
    fingerprint: Option<u64>,
    /// How many calls of this kind have failed with this internal error in a row, including this
    /// one.
    repeats: u32,
    /// Coder's own message, cleaned for the log.
    message: Option<String>,
}

impl CoderError {
    /// What the operator should do, for the report of `check`.
    pub fn cure(&self) -> &'static str {
        match self.kind {
            CoderErrorKind::Unreachable if self.stage() == Some(HttpStage::Tls) => {
                "give Coder's address a certificate that browsers trust, with its full chain: private authorities are not supported"
            }
            CoderErrorKind::Unreachable => {
                "set CODER_API_URL to the address of Coder, and make sure that this machine reaches it"
            }
            CoderErrorKind::NotCoder => {
                "set CODER_API_URL to the address that opens Coder in a browser, as in https://coder.example.org"
            }
            CoderErrorKind::Denied if self.hides_default_organization() => {
                "make the user of the token (CODER_API_KEY) a member of the default organization at Coder"
            }
            CoderErrorKind::Denied => {
                "create a token as a user admin (coder tokens create --lifetime 8760h) and put it into CODER_API_KEY"
            }
            CoderErrorKind::Unclear => "see the logs of Coder and of the proxy in front of it",
            CoderErrorKind::Busy(_) => "wait for a minute, and check again",
            CoderErrorKind::Refused => "update Coder, or see its log for the reason",
        }
    }

    pub(super) fn broken(operation: &'static str, broken: HttpError) -> Self {
        let kind = match broken {
            HttpError::NotSent(_) => CoderErrorKind::Unreachable,
            HttpError::Unknown(_) => CoderErrorKind::Unclear,
        };
        Self {
            operation,
            kind,
            status: None,
            stage: Some(broken.stage()),
            why: broken.to_string(),
            forbidden: false,
            by_call_limit: false,
            fingerprint: None,
            repeats: 0,
            message: None,
        }
    }

    /// The error for an answer whose status means that the call failed.
    pub(super) fn of(operation: &'static str, answer: &HttpResponse) -> Self {
        let body: Option<ErrorBody> = answer.json();
        let coder_body = body
            .as_ref()
            .filter(|_| answer.header(VERSION_HEADER).is_some());
        let forbidden = is_missing_right(answer);
        let (kind, why) = classify(answer, forbidden);
        let fingerprint = coder_body.filter(|_| answer.status == 500).map(fingerprint);
        let message = coder_body.map(|body| cleaned(&body.message));
        let fields: Vec<String> = body
            .map(|body| body.validations.into_iter().map(|v| v.field))
            .map(|fields| fields.filter(|name| is_field(name)).take(8).collect())
            .unwrap_or_default();
        let why = if fields.is_empty() {
            why.to_owned()
        } else {
            format!("{why} ({})", fields.join(", "))
        };
        Self {
            operation,
            kind,
            status: Some(answer.status),
            stage: None,
            why,
            forbidden,
            by_call_limit: answer.status == 429 && answer.header(CALL_LIMIT_HEADER).is_some(),
            fingerprint,
            repeats: 0,
            message: message.filter(|words| !words.is_empty()),
        }
    }

    /// Whether any other call to the same server would fail in the same way.
    pub fn affects_every_call(&self) -> bool {
        match self.kind {
            CoderErrorKind::Unreachable | CoderErrorKind::NotCoder => true,
            // No answer at all, as opposed to an error of the server.
            CoderErrorKind::Unclear => self.status.is_none(),
            _ => false,
        }
    }

    /// Whether Coder was not reached or does not work, as opposed to an answer of Coder itself.
    pub fn is_away(&self) -> bool {
        matches!(
            self.kind,
            CoderErrorKind::Unreachable | CoderErrorKind::NotCoder | CoderErrorKind::Unclear
        ) && self.fingerprint.is_none()
    }

    /// Whether Coder refuses the token itself, so that no call can work.
    pub fn refuses_token(&self) -> bool {
        self.kind == CoderErrorKind::Denied && self.status == Some(401)
    }

    /// Whether the token sees organizations, but not the default one.
    pub fn hides_default_organization(&self) -> bool {
        // Each other refusal is an answer with a status of its own.
        self.kind == CoderErrorKind::Denied && self.status.is_none()
    }

    /// Whether Coder itself reported that the token lacks a right for this call. Answers of other
    /// servers do not count.
    pub fn is_forbidden(&self) -> bool {
        self.forbidden
    }

    /// Whether Coder's own limit of calls has refused this one. It counts a sliding minute, so a call may be accepted
    /// long before the minute is over that Coder names each time.
    pub fn is_of_call_limit(&self) -> bool {
        self.by_call_limit
    }

    /// A hash that is equal for equal internal errors of Coder (status 500); `None` for all other
    /// errors.
    pub(super) fn fingerprint(&self) -> Option<u64> {
        self.fingerprint
    }

    /// How many calls in a row that create a user, or that set a password, have failed with this
    /// internal error of Coder, including this call; 0 for all other errors and calls.
    pub fn repeats(&self) -> u32 {
        self.repeats
    }

    pub(super) fn repeated(mut self, times: u32) -> Self {
        self.repeats = times;
        self
    }

    /// Coder's own message, cleaned for the log, if there was one. `Display` does not contain it.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// How far the call came, if there was no answer.
    pub fn stage(&self) -> Option<HttpStage> {
        self.stage
    }

    /// Whether the server does not support this call, because it is too old or too new for it.
    pub fn is_unsupported_call(&self) -> bool {
        matches!(self.status, Some(400 | 404 | 405))
    }

    /// For an answer that looks like Coder's but cannot be correct.
    pub(super) fn unreadable(operation: &'static str) -> Self {
        Self {
            operation,
            kind: CoderErrorKind::NotCoder,
            status: None,
            stage: None,
            why: "the answer cannot be understood".to_owned(),
            forbidden: false,
            by_call_limit: false,
            fingerprint: None,
            repeats: 0,
            message: None,
        }
    }

    /// The token sees organizations, but not the default one.
    pub(super) fn no_default(operation: &'static str) -> Self {
        Self {
            kind: CoderErrorKind::Denied,
            why: "none of the organizations that the token (CODER_API_KEY) sees is the default one"
                .to_owned(),
            ..Self::unreadable(operation)
        }
    }

    pub(super) fn not_coder(operation: &'static str, status: u16) -> Self {
        Self {
            operation,
            kind: CoderErrorKind::NotCoder,
            status: Some(status),
            stage: None,
            why: "not Coder's answer: check CODER_API_URL, and that the server runs".to_owned(),
            forbidden: false,
            by_call_limit: false,
            fingerprint: None,
            repeats: 0,
            message: None,
        }
    }
}

/// A hash of the words of an error. Words with a digit or a quotation mark are left out, because
/// names and ids differ from call to call.
fn fingerprint(body: &ErrorBody) -> u64 {
    let mut hasher = DefaultHasher::new();
    let words = body
        .message
        .split_whitespace()
        .chain(body.detail.split_whitespace());
    words
        .filter(|word| !word.contains(|c: char| c.is_ascii_digit() || c == '"'))
        .for_each(|word| word.hash(&mut hasher));
    hasher.finish()
}

/// Whether this is the name of a JSON field. Anything else is free text of a server, which must not
/// get into our log.
fn is_field(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.[]".contains(&b))
}

/// What the status of an answer means. `forbidden` = Coder reported a missing right.
fn classify(answer: &HttpResponse, forbidden: bool) -> (CoderErrorKind, &'static str) {
    use CoderErrorKind::{Busy, Denied, NotCoder, Refused, Unclear};
    match answer.status {
        500 if forbidden => (Denied, "not allowed: the token lacks a right"),
        401 => (Denied, "the token (CODER_API_KEY) is invalid or expired"),
        403 => (
            Denied,
            "not allowed: the token lacks a right, or password login is off",
        ),
        428 => (
            Denied,
            "the server refuses the header X-Coder-Bypass-Ratelimit",
        ),
        429 => (Busy(answer.retry_after()), "too many requests"),
        200..=399 => (NotCoder, "not Coder's answer: check CODER_API_URL"),
        500..=599 => (Unclear, "the server failed"),
        _ => (Refused, "refused"),
    }
}

impl fmt::Display for CoderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at Coder: ", self.operation)?;
        if let Some(status) = self.status {
            write!(f, "status {status}, ")?;
        }
        f.write_str(&self.why)
    }
}

impl std::error::Error for CoderError {}

#[cfg(test)]
mod tests {
    use ureq::http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};

    use super::*;

    #[test]
    fn field_names_are_shown_and_no_other_words_of_the_server() {
        let fields = [
            "password",
            "organization_ids[0]",
            "a\nb",
            "Said \"x7k\"",
            "",
        ];
        let validations: Vec<_> = fields
            .map(|field| serde_json::json!({ "field": field, "detail": "echoes x7k" }))
            .into();
        let body = serde_json::json!({ "message": "x7k", "validations": validations });
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let answer = HttpResponse {
            status: 400,
            headers,
            body: body.to_string().into_bytes(),
        };
        assert_eq!(
            CoderError::of("create a user", &answer).to_string(),
            "create a user at Coder: status 400, refused (password, organization_ids[0])"
        );
    }

    /// An answer as Coder sends it, or with `header: false` as a proxy might.
    fn internal(detail: &str, header: bool) -> CoderError {
        let body = serde_json::json!({ "message": "Internal error.", "detail": detail });
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if header {
            headers.insert(VERSION_HEADER, HeaderValue::from_static("v2.31.14"));
        }
        let answer = HttpResponse {
            status: 500,
            headers,
            body: body.to_string().into_bytes(),
        };
        CoderError::of("set a password", &answer)
    }

    #[test]
    fn only_an_answer_of_coder_shows_that_a_right_is_missing() {
        let words =
            "execute transaction: delete api keys by user ID: unauthorized: rbac: forbidden";
        let error = internal(words, true);
        assert_eq!(
            (error.is_forbidden(), error.kind),
            (true, CoderErrorKind::Denied)
        );
        let elsewhere = internal(words, false);
        assert_eq!(
            (elsewhere.is_forbidden(), elsewhere.kind),
            (false, CoderErrorKind::Unclear)
        );
        let other = internal("pq: the database is away", true);
        assert_eq!(
            (other.is_forbidden(), other.kind),
            (false, CoderErrorKind::Unclear)
        );
    }

    #[test]
    fn coders_own_limit_of_calls_is_told_from_that_of_another_server() {
        for is_coders in [true, false] {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", HeaderValue::from_static("60"));
            if is_coders {
                headers.insert("x-ratelimit-limit", HeaderValue::from_static("512"));
            }
            let answer = HttpResponse {
                status: 429,
                headers,
                body: Vec::new(),
            };
            let error = CoderError::of("create a user", &answer);
            assert_eq!(error.is_of_call_limit(), is_coders);
            let minute = Duration::from_secs(60);
            assert_eq!(error.kind, CoderErrorKind::Busy(Some(minute)));
        }
    }

    #[test]
    fn equal_internal_errors_are_recognised_despite_other_names_and_ids() {
        let of = |detail: &str| internal(detail, true).fingerprint();
        let one = of(r#"insert member 1f0c92aa-77b0 of "happy-tuna": role is refused"#);
        let other = of(r#"insert member 2a0c92aa-88b1 of "calm-otter": role is refused"#);
        assert!(one.is_some() && one == other);
        assert_ne!(one, of("pq: the database is away"));
        assert_eq!(internal("role is refused", false).fingerprint(), None);
    }
}

//! What went wrong with a call to Coder, sorted by what can be done about it.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use super::cleaned::cleaned;
use super::wire::ErrorBody;
use super::{VERSION_HEADER, smells_of_rights};
use crate::http::{HttpError, HttpResponse, HttpStage};

/// What a failed call means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoderErrorKind {
    /// The request surely never arrived. Another try may help.
    Unreachable,
    /// It may have been carried out. Another try may help, after a look.
    Unclear,
    /// Too many requests; the server asks to wait that long. Not carried out.
    Busy(Option<Duration>),
    /// The token is invalid or expired, lacks a right, or password login is switched off:
    /// somebody has to act.
    Denied,
    /// Something else than Coder answered, such as a proxy or a login page.
    NotCoder,
    /// This request can never work.
    Refused,
}

/// A call to Coder that did not do what it should. Never holds the answer's body, as other people's
/// error texts repeat our secrets; of Coder's message the plain words are kept.
#[derive(Clone, Debug)]
pub struct CoderError {
    doing: &'static str,
    /// What it means.
    pub trouble: CoderErrorKind,
    status: Option<u16>,
    stage: Option<HttpStage>,
    why: String,
    /// The server is Coder and said that the token lacks a right.
    forbidden: bool,
    /// What an internal error of Coder's is recognised by when it comes again.
    likeness: Option<u64>,
    /// How many calls of this kind have met this internal error in a row, this one included.
    repeats: u32,
    /// Coder's own message, as far as it may be logged.
    said: Option<String>,
}

impl CoderError {
    /// What helps, said before class.
    pub fn cure(&self) -> &'static str {
        match self.trouble {
            CoderErrorKind::Unreachable if self.stage() == Some(HttpStage::Tls) => {
                "give Coder's address a certificate that browsers trust, with its full chain: private authorities are not supported"
            }
            CoderErrorKind::Unreachable => {
                "set CODER_API_URL to the address of Coder, and see that this machine reaches it"
            }
            CoderErrorKind::NotCoder => {
                "set CODER_API_URL to the address that opens Coder in a browser, as in https://coder.example.org"
            }
            CoderErrorKind::Denied => {
                "make a token as a user admin (coder tokens create --lifetime 8760h) and put it into CODER_API_KEY"
            }
            CoderErrorKind::Unclear => {
                "look into the log of Coder, and of the proxy in front of it"
            }
            CoderErrorKind::Busy(_) => "wait for a minute, and check again",
            CoderErrorKind::Refused => "update Coder, or look into its log",
        }
    }

    pub(super) fn broken(doing: &'static str, broken: HttpError) -> Self {
        let trouble = match broken {
            HttpError::NotSent(_) => CoderErrorKind::Unreachable,
            HttpError::Unknown(_) => CoderErrorKind::Unclear,
        };
        Self {
            doing,
            trouble,
            status: None,
            stage: Some(broken.stage()),
            why: broken.to_string(),
            forbidden: false,
            likeness: None,
            repeats: 0,
            said: None,
        }
    }

    /// Sorts an answer whose status means that the call failed.
    pub(super) fn of(doing: &'static str, answer: &HttpResponse) -> Self {
        let body: Option<ErrorBody> = answer.json();
        let coders = body
            .as_ref()
            .filter(|_| answer.header(VERSION_HEADER).is_some());
        let forbidden = smells_of_rights(answer);
        let (trouble, why) = match answer.status {
            500 if forbidden => (
                CoderErrorKind::Denied,
                "not allowed: the token lacks a right",
            ),
            401 => (
                CoderErrorKind::Denied,
                "the token (CODER_API_KEY) is invalid or expired",
            ),
            403 => (
                CoderErrorKind::Denied,
                "not allowed: the token lacks a right, or password login is off",
            ),
            428 => (CoderErrorKind::Denied, "the server wants no such header"),
            429 => (
                CoderErrorKind::Busy(answer.retry_after()),
                "too many requests",
            ),
            200..=399 => (
                CoderErrorKind::NotCoder,
                "not Coder's answer: is CODER_API_URL right?",
            ),
            500..=599 => (CoderErrorKind::Unclear, "the server failed"),
            _ => (CoderErrorKind::Refused, "refused"),
        };
        let likeness = coders.filter(|_| answer.status == 500).map(likeness);
        let said = coders.map(|body| cleaned(&body.message));
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
            doing,
            trouble,
            status: Some(answer.status),
            stage: None,
            why,
            forbidden,
            likeness,
            repeats: 0,
            said: said.filter(|words| !words.is_empty()),
        }
    }

    /// Whether asking the same server something else would meet the same trouble.
    pub fn is_everybodys(&self) -> bool {
        match self.trouble {
            CoderErrorKind::Unreachable | CoderErrorKind::NotCoder => true,
            // Silence, not an error of the server's.
            CoderErrorKind::Unclear => self.status.is_none(),
            _ => false,
        }
    }

    /// Whether Coder itself said that the token lacks a right for this call. Not what another server says.
    pub fn is_forbidden(&self) -> bool {
        self.forbidden
    }

    /// A number by which an internal error of Coder's (status 500) is recognised when it comes again;
    /// `None` for all other faults.
    pub(super) fn likeness(&self) -> Option<u64> {
        self.likeness
    }

    /// How many creates, or settings of a password, have met this same internal error of Coder's in a row,
    /// this call included; 0 for all other faults and calls.
    pub fn repeats(&self) -> u32 {
        self.repeats
    }

    pub(super) fn repeated(mut self, times: u32) -> Self {
        self.repeats = times;
        self
    }

    /// What Coder said with it, if it did: words that may be logged. Not part of what is displayed.
    pub fn said(&self) -> Option<&str> {
        self.said.as_deref()
    }

    /// How far the call came, where there was no answer to it.
    pub fn stage(&self) -> Option<HttpStage> {
        self.stage
    }

    /// Whether the server does not know the question: it is older, or newer, than the question.
    pub fn is_unknown_question(&self) -> bool {
        matches!(self.status, Some(400 | 404 | 405))
    }

    /// An answer that looks like Coder's and cannot be true.
    pub(super) fn misread(doing: &'static str) -> Self {
        Self {
            doing,
            trouble: CoderErrorKind::NotCoder,
            status: None,
            stage: None,
            why: "the answer is not understood".to_owned(),
            forbidden: false,
            likeness: None,
            repeats: 0,
            said: None,
        }
    }

    pub(super) fn not_coder(doing: &'static str, status: u16) -> Self {
        Self {
            doing,
            trouble: CoderErrorKind::NotCoder,
            status: Some(status),
            stage: None,
            why: "not Coder's answer: is CODER_API_URL right, and the server up?".to_owned(),
            forbidden: false,
            likeness: None,
            repeats: 0,
            said: None,
        }
    }
}

/// Names and ids differ from call to call, so words with a digit or a quotation mark do not count.
fn likeness(body: &ErrorBody) -> u64 {
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

/// Whether this is the name of a JSON field and not words of a server's own, which must not get into our log.
fn is_field(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.[]".contains(&b))
}

impl fmt::Display for CoderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at Coder: ", self.doing)?;
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
    fn fields_are_told_and_nothing_else_that_the_server_says() {
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

    /// An answer as Coder gives it, or with `header: false` as a proxy might.
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
    fn only_coders_own_word_says_that_a_right_is_missing() {
        let words =
            "execute transaction: delete api keys by user ID: unauthorized: rbac: forbidden";
        let fault = internal(words, true);
        assert_eq!(
            (fault.is_forbidden(), fault.trouble),
            (true, CoderErrorKind::Denied)
        );
        let elsewhere = internal(words, false);
        assert_eq!(
            (elsewhere.is_forbidden(), elsewhere.trouble),
            (false, CoderErrorKind::Unclear)
        );
        let other = internal("pq: the database is away", true);
        assert_eq!(
            (other.is_forbidden(), other.trouble),
            (false, CoderErrorKind::Unclear)
        );
    }

    #[test]
    fn internal_errors_are_alike_whatever_names_and_ids_stand_in_them() {
        let of = |detail: &str| internal(detail, true).likeness();
        let one = of(r#"insert member 1f0c92aa-77b0 of "happy-tuna": role is refused"#);
        let other = of(r#"insert member 2a0c92aa-88b1 of "calm-otter": role is refused"#);
        assert!(one.is_some() && one == other);
        assert_ne!(one, of("pq: the database is away"));
        assert_eq!(internal("role is refused", false).likeness(), None);
    }
}

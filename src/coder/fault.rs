//! What went wrong with a call to Coder, sorted by what can be done about it.

use std::fmt;
use std::time::Duration;

use super::wire::ErrorBody;
use crate::http::{Answer, Broken, Stage};

/// What a failed call means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
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

/// A call to Coder that did not do what it should. Never holds the answer's body: other people's
/// error texts repeat our secrets.
#[derive(Clone, Debug)]
pub struct CoderFault {
    doing: &'static str,
    /// What it means.
    pub trouble: Trouble,
    status: Option<u16>,
    stage: Option<Stage>,
    why: String,
}

impl CoderFault {
    pub(super) fn broken(doing: &'static str, broken: Broken) -> Self {
        let trouble = match broken {
            Broken::NotSent(_) => Trouble::Unreachable,
            Broken::Unknown(_) => Trouble::Unclear,
        };
        Self {
            doing,
            trouble,
            status: None,
            stage: Some(broken.stage()),
            why: broken.to_string(),
        }
    }

    /// Sorts an answer whose status means that the call failed.
    pub(super) fn of(doing: &'static str, answer: &Answer) -> Self {
        let (trouble, why) = match answer.status {
            401 => (
                Trouble::Denied,
                "the token (CODER_API_KEY) is invalid or expired",
            ),
            403 => (
                Trouble::Denied,
                "not allowed: the token lacks a right, or password login is off",
            ),
            428 => (Trouble::Denied, "the server wants no such header"),
            429 => (Trouble::Busy(answer.retry_after()), "too many requests"),
            200..=399 => (
                Trouble::NotCoder,
                "not Coder's answer: is CODER_API_URL right?",
            ),
            500..=599 => (Trouble::Unclear, "the server failed"),
            _ => (Trouble::Refused, "refused"),
        };
        let fields: Vec<String> = answer
            .json::<ErrorBody>()
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
        }
    }

    /// Whether asking the same server something else would meet the same trouble.
    pub fn is_everybodys(&self) -> bool {
        match self.trouble {
            Trouble::Unreachable | Trouble::NotCoder => true,
            // Silence, not an error of the server's.
            Trouble::Unclear => self.status.is_none(),
            _ => false,
        }
    }

    /// How far the call came, where there was no answer to it.
    pub fn stage(&self) -> Option<Stage> {
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
            trouble: Trouble::NotCoder,
            status: None,
            stage: None,
            why: "the answer is not understood".to_owned(),
        }
    }

    pub(super) fn not_coder(doing: &'static str, status: u16) -> Self {
        Self {
            doing,
            trouble: Trouble::NotCoder,
            status: Some(status),
            stage: None,
            why: "not Coder's answer: is CODER_API_URL right, and the server up?".to_owned(),
        }
    }
}

/// Whether this is the name of a JSON field and not words of a server's own, which must not get into our log.
fn is_field(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.[]".contains(&b))
}

impl fmt::Display for CoderFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at Coder: ", self.doing)?;
        if let Some(status) = self.status {
            write!(f, "status {status}, ")?;
        }
        f.write_str(&self.why)
    }
}

impl std::error::Error for CoderFault {}

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
        let answer = Answer {
            status: 400,
            headers,
            body: body.to_string().into_bytes(),
        };
        assert_eq!(
            CoderFault::of("create a user", &answer).to_string(),
            "create a user at Coder: status 400, refused (password, organization_ids[0])"
        );
    }
}

//! What went wrong with a call to Coder, sorted by what can be done about it.

use std::fmt;
use std::time::Duration;

use super::wire::ErrorBody;
use crate::http::{Answer, Broken};

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
            .map(|body| body.validations.into_iter().map(|v| v.field).collect())
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
            why,
        }
    }

    pub(super) fn not_coder(doing: &'static str, status: u16) -> Self {
        Self {
            doing,
            trouble: Trouble::NotCoder,
            status: Some(status),
            why: "not Coder's answer: is CODER_API_URL right, and the server up?".to_owned(),
        }
    }
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

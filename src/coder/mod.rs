//! The Coder client: each call is one method with one request and one answer.
//!
//! This module hides Coder's URLs, JSON and status codes, and the differences between its versions.
//! It contains nothing about phones, retries or storage. The rules are taken from `coderd/` and
//! `codersdk/` of github.com/coder/coder: an unknown user is 400, a deleted workspace 410, a user
//! that still has workspaces 417, and a deleted user read by id still answers 200.

mod class;
mod cleaned;
mod error;
mod find;
mod inspect;
mod observed;
mod password;
mod rights;
mod roster;
mod templates;
mod users;
mod validity;
mod wire;
mod workspaces;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use serde::Serialize;
use ureq::http::Method;

pub use class::{AGENTS_ACCESS, Mails, MemberRoles, WORKSPACE_ACCESS};
pub use error::{CoderError, CoderErrorKind};
pub use inspect::{Server, Session, TokenHolder};
pub use password::PasswordResult;
pub use rights::{MissingRight, Rights};
pub use templates::{ExternalAuth, TemplateNeeds, TemplateParameter};
pub use users::{CreateResult, DeleteResult, NewUser};
pub use validity::{NEAR, Nearness, Validity};
pub use wire::{Build, LoginType, Template, User, Workspace};
pub use workspaces::{
    BuildResult, EARLIEST_STOP, ExtendResult, NewWorkspace, NewWorkspaceResult, Transition,
};

use crate::domain::Secret;
use crate::http::{Http, HttpError, HttpResponse};
use observed::{ObservedRight, Repeats};

/// The header of every answer of a Coder server, errors included. A proxy's page does not have it.
const VERSION_HEADER: &str = "x-coder-build-version";

/// The organization id that means "the default organization" since Coder 2.15.
const DEFAULT_ORGANIZATION: &str = "00000000-0000-0000-0000-000000000000";

/// This header switches off the limit of calls per minute (512 by default, for each path), for
/// owners only; others get 428. Releases before 2.32 ignore it. Source:
/// `coderd/httpmw/ratelimit.go`.
const BYPASS_LIMIT: (&str, &str) = ("X-Coder-Bypass-Ratelimit", "true");

/// One Coder server, called with one token.
pub struct Coder {
    http: Http,
    api: String,
    key: Secret,
    /// Whether [`BYPASS_LIMIT`] is worth trying: the token had an owner's rights at the last check,
    /// and the header was not refused since then.
    may_bypass_limit: AtomicBool,
    /// Whether the token may set passwords of other users, by the last call that showed it.
    can_set_passwords: ObservedRight,
    failing_creates: Repeats,
    failing_passwords: Repeats,
    /// The organization id for new users: the alias above, until a server requires the real one.
    organization: Mutex<String>,
    /// The default organization's real id, once it has been fetched.
    default_organization: Mutex<Option<String>>,
    /// Called when a call is refused because the token lacks a right.
    on_refusal: OnceLock<Box<dyn Fn() + Send + Sync>>,
    /// Whether a call was refused since the rights were last read.
    refused: AtomicBool,
    /// Told how each call ended.
    observer: OnceLock<CallObserver>,
}

/// Told how each call ended: `Ok` where Coder itself has answered and accepts the token.
pub type CallObserver = Box<dyn Fn(Result<(), &CoderError>) + Send + Sync>;

impl Coder {
    /// A client for the server whose API is at `api` (ends in `/api/v2`).
    pub fn new(http: Http, api: &str, key: Secret) -> Self {
        Self {
            http,
            api: api.to_owned(),
            key,
            may_bypass_limit: AtomicBool::new(false),
            can_set_passwords: ObservedRight::default(),
            failing_creates: Repeats::default(),
            failing_passwords: Repeats::default(),
            organization: Mutex::new(DEFAULT_ORGANIZATION.to_owned()),
            default_organization: Mutex::new(None),
            on_refusal: OnceLock::new(),
            refused: AtomicBool::new(false),
            observer: OnceLock::new(),
        }
    }

    /// Has `observer` told how each call ended, on the thread of that call. Only the first one that is given
    /// counts.
    pub fn observe(&self, observer: CallObserver) {
        // A second one is dropped.
        let _ = self.observer.set(observer);
    }

    /// Sets `act` to be called whenever a call is refused because the token lacks a right. It runs
    /// on the thread of that call. Only the first `act` is kept.
    pub fn on_refusal(&self, act: Box<dyn Fn() + Send + Sync>) {
        // A second one is ignored.
        let _ = self.on_refusal.set(act);
    }

    /// Whether a call was refused because the token lacks a right, since [`Coder::rights`] was last
    /// called.
    pub fn was_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// The server's public version, such as `v2.31.0+abc123`.
    ///
    /// # Errors
    /// The server cannot be reached, or is not Coder.
    pub fn version(&self) -> Result<String, CoderError> {
        let answer = self.get("ask for the version", "/buildinfo")?;
        let error = || CoderError::of("ask for the version", &answer);
        if answer.status != 200 {
            return Err(error());
        }
        answer
            .json::<wire::BuildInfo>()
            .map(|info| info.version)
            .ok_or_else(error)
    }

    fn organization(&self) -> String {
        self.organization
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Fetches the default organization's real id, for a server that does not accept the alias.
    fn fetch_organization(&self) -> Result<(), CoderError> {
        let id = self.default_organization()?.id;
        *self
            .organization
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = id;
        Ok(())
    }

    /// The default organization's id, if it has been fetched before.
    pub fn cached_organization(&self) -> Option<String> {
        self.default_organization
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The default organization, in which users are created. It is never guessed: rights that were asked in
    /// another one would be wrong, and another id would stand for another Coder.
    fn default_organization(&self) -> Result<wire::Organization, CoderError> {
        const OPERATION: &str = "ask for the default organization";
        let answer = self.get(OPERATION, "/organizations")?;
        let error = || CoderError::of(OPERATION, &answer);
        if answer.status != 200 {
            return Err(error());
        }
        let all: Vec<wire::Organization> = answer.json().ok_or_else(error)?;
        if all.is_empty() {
            return Err(error());
        }
        let default = pick_default(all).ok_or_else(|| CoderError::no_default(OPERATION))?;
        *self
            .default_organization
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(default.id.clone());
        Ok(default)
    }

    fn get(&self, operation: &'static str, path: &str) -> Result<HttpResponse, CoderError> {
        self.send(operation, Method::GET, path, Vec::new())
    }

    /// Makes one request. An answer that means the same for every call becomes an error here, so
    /// that no method has to check for it again.
    fn send(
        &self,
        operation: &'static str,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<HttpResponse, CoderError> {
        let result = self.exchange(operation, method, path, body);
        if let Some(observer) = self.observer.get() {
            match &result {
                // A login page on the way.
                Ok(answer) if answer.header(VERSION_HEADER).is_none() => {
                    observer(Err(&CoderError::not_coder(operation, answer.status)));
                }
                Ok(_) => observer(Ok(())),
                Err(fault) => observer(Err(fault)),
            }
        }
        result
    }

    fn exchange(
        &self,
        operation: &'static str,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<HttpResponse, CoderError> {
        let call = |bypass_limit| {
            self.call(method.clone(), path, body.clone(), bypass_limit)
                .map_err(|broken| CoderError::broken(operation, broken))
        };
        let mut answer = call(false)?;
        if self.is_avoidable_limit(&answer) {
            // The refused call was not carried out, so it is safe to repeat. The number of our
            // calls is bounded by how many we make in parallel.
            match call(true)? {
                // The token's user is no longer an owner, or the release ignores the header: our
                // calls obey the limit from now on.
                denied if matches!(denied.status, 428 | 429) => {
                    self.may_bypass_limit.store(false, Ordering::Relaxed);
                }
                allowed => answer = allowed,
            }
        }
        if is_missing_right(&answer) {
            self.refused.store(true, Ordering::Relaxed);
            if let Some(act) = self.on_refusal.get() {
                act();
            }
        }
        match answer.status {
            300..=399 | 429 | 500..=599 => Err(CoderError::of(operation, &answer)),
            // A 404 of another server must not be read as "that user does not exist", nor a proxy's
            // 401 as "our token is invalid".
            400..=499 if answer.header(VERSION_HEADER).is_none() => {
                Err(CoderError::not_coder(operation, answer.status))
            }
            401 | 428 => Err(CoderError::of(operation, &answer)),
            _ => Ok(answer),
        }
    }

    /// Whether this refusal is due to the limit of calls per minute, and our token may be able to
    /// bypass the limit.
    fn is_avoidable_limit(&self, answer: &HttpResponse) -> bool {
        answer.status == 429
            && answer.header(VERSION_HEADER).is_some()
            && self.may_bypass_limit.load(Ordering::Relaxed)
    }

    fn call(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        bypass_limit: bool,
    ) -> Result<HttpResponse, HttpError> {
        let url = format!("{}{path}", self.api);
        // No cookie is sent: Coder would prefer it to this header.
        let mut headers = vec![
            ("Coder-Session-Token", self.key.reveal()),
            ("Accept", "application/json"),
        ];
        if !body.is_empty() {
            headers.push(("Content-Type", "application/json"));
        }
        if bypass_limit {
            headers.push(BYPASS_LIMIT);
        }
        self.http.call(method, &url, &headers, body)
    }
}

/// Whether Coder refused this call because the token lacks a right. Some of Coder's calls report
/// that as a 500 with words of its authorization layer.
fn is_missing_right(answer: &HttpResponse) -> bool {
    const WORDS: [&str; 3] = ["forbidden", "unauthorized", "not authorized"];
    let names_right = || {
        let body: Option<wire::ErrorBody> = answer.json();
        let detail = body.map(|body| body.detail.to_ascii_lowercase());
        detail.is_some_and(|detail| WORDS.iter().any(|word| detail.contains(word)))
    };
    answer.header(VERSION_HEADER).is_some()
        && (answer.status == 403 || (answer.status == 500 && names_right()))
}

/// The default one of the organizations that the token sees. A server that never says which one it is has no
/// other but the only one.
fn pick_default(all: Vec<wire::Organization>) -> Option<wire::Organization> {
    let is_only = all.len() == 1;
    let is_default = |one: &wire::Organization| one.is_default.unwrap_or(is_only);
    all.into_iter().find(is_default)
}

/// A request body. Our bodies are structs of strings and flags, which always serialize.
fn json(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_default()
}

/// One path segment or query value, percent-encoded.
fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_organization_is_never_guessed() {
        for (answer, expected) in [
            (r#"[{"id":"a","is_default":true}]"#, Some("a")),
            (
                r#"[{"id":"a","is_default":false},{"id":"b","is_default":true}]"#,
                Some("b"),
            ),
            (r#"[{"id":"a"}]"#, Some("a")),
            (r#"[{"id":"a","is_default":null}]"#, Some("a")),
            (r#"[{"id":"a"},{"id":"b"}]"#, None),
            (r#"[{"id":"a","is_default":false}]"#, None),
            (
                r#"[{"id":"a","is_default":false},{"id":"b","is_default":false}]"#,
                None,
            ),
        ] {
            let all = serde_json::from_str(answer).expect("organizations");
            let picked = pick_default(all).map(|one| one.id);
            assert_eq!(picked.as_deref(), expected, "{answer}");
        }
    }
}

//! The Coder client: each call is one method with one request and one answer.
//!
//! What is hidden here: Coder's URLs, JSON and status codes, and how its versions differ. It knows
//! nothing of phones, retries or storage. Rules are taken from `coderd/` and `codersdk/` of
//! github.com/coder/coder: an unknown user is 400, a deleted workspace 410, a user that still has
//! workspaces 417, and a deleted user read by id still answers 200.

mod class;
mod cleaned;
mod fault;
mod find;
mod inspect;
mod observed;
mod password;
mod rights;
mod roster;
mod users;
mod validity;
mod wire;
mod workspaces;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use serde::Serialize;
use ureq::http::Method;

pub use class::{AGENTS_ACCESS, Mails, MemberRoles, WORKSPACE_ACCESS};
pub use fault::{CoderError, CoderErrorKind};
pub use inspect::{Server, Session, TokenHolder};
pub use password::PasswordResult;
pub use rights::{MissingRight, Rights};
pub use users::{CreateResult, DeleteResult, NewUser};
pub use validity::{NEAR, Nearness, Validity};
pub use wire::{Build, LoginType, User, Workspace};
pub use workspaces::{BuildResult, Transition};

use crate::domain::Secret;
use crate::http::{Http, HttpError, HttpResponse};
use observed::{ObservedRight, Repeats};

/// The header that every answer of a Coder server has, errors included; a proxy's page has it not.
const VERSION_HEADER: &str = "x-coder-build-version";

/// The organization id that stands for "the default one" since Coder 2.15.
const DEFAULT_ORGANIZATION: &str = "00000000-0000-0000-0000-000000000000";

/// With this header the limit of calls a minute (512 by default, for each path) does not hold, for owners
/// only; anybody else gets 428. Releases before 2.32 take no notice of it.
/// Source: `coderd/httpmw/ratelimit.go`.
const UNLIMITED: (&str, &str) = ("X-Coder-Bypass-Ratelimit", "true");

/// One Coder server, called with one token.
pub struct Coder {
    http: Http,
    api: String,
    key: Secret,
    /// Whether the limit of calls is worth asking away: the token had an owner's rights when we last looked, and
    /// was not refused since.
    unlimited: AtomicBool,
    /// Whether it may set passwords of others, as far as trying has shown.
    sets_passwords: ObservedRight,
    failing_creates: Repeats,
    failing_passwords: Repeats,
    /// The id to create users with: the alias above, until a server wants the real one.
    organization: Mutex<String>,
    /// The default organization's real id, once it was asked for.
    default_organization: Mutex<Option<String>>,
    /// Called when a call was refused for want of a right.
    on_refusal: OnceLock<Box<dyn Fn() + Send + Sync>>,
    /// Whether one was since the rights were last asked for.
    refused: AtomicBool,
}

impl Coder {
    /// A client of the server whose API is at `api` (ends in `/api/v2`).
    pub fn new(http: Http, api: &str, key: Secret) -> Self {
        Self {
            http,
            api: api.to_owned(),
            key,
            unlimited: AtomicBool::new(false),
            sets_passwords: ObservedRight::default(),
            failing_creates: Repeats::default(),
            failing_passwords: Repeats::default(),
            organization: Mutex::new(DEFAULT_ORGANIZATION.to_owned()),
            default_organization: Mutex::new(None),
            on_refusal: OnceLock::new(),
            refused: AtomicBool::new(false),
        }
    }

    /// Has `act` called whenever a call is refused for want of a right, on the thread of that call. Only the first
    /// one that is given counts.
    pub fn on_refusal(&self, act: Box<dyn Fn() + Send + Sync>) {
        // A second one is dropped.
        let _ = self.on_refusal.set(act);
    }

    /// Whether a call was refused for want of a right since [`Coder::rights`] was last asked.
    pub fn was_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// The version that the server tells everybody, such as `v2.31.0+abc123`.
    ///
    /// # Errors
    /// The server cannot be reached, or is no Coder.
    pub fn version(&self) -> Result<String, CoderError> {
        let answer = self.get("ask for the version", "/buildinfo")?;
        let fault = || CoderError::of("ask for the version", &answer);
        if answer.status != 200 {
            return Err(fault());
        }
        answer
            .json::<wire::BuildInfo>()
            .map(|info| info.version)
            .ok_or_else(fault)
    }

    fn organization(&self) -> String {
        self.organization
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Asks for the default organization's real id, for a server that does not know the alias.
    fn learn_organization(&self) -> Result<(), CoderError> {
        let id = self.default_organization()?.id;
        *self
            .organization
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = id;
        Ok(())
    }

    /// The default organization's id, if it was asked for before.
    fn known_organization(&self) -> Option<String> {
        self.default_organization
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn default_organization(&self) -> Result<wire::Organization, CoderError> {
        const DOING: &str = "ask for the default organization";
        let answer = self.get(DOING, "/organizations")?;
        let fault = || CoderError::of(DOING, &answer);
        if answer.status != 200 {
            return Err(fault());
        }
        let all: Vec<wire::Organization> = answer.json().ok_or_else(fault)?;
        let at = all.iter().position(|org| org.is_default).unwrap_or(0);
        let default = all.into_iter().nth(at).ok_or_else(fault)?;
        *self
            .default_organization
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(default.id.clone());
        Ok(default)
    }

    fn get(&self, doing: &'static str, path: &str) -> Result<HttpResponse, CoderError> {
        self.send(doing, Method::GET, path, Vec::new())
    }

    /// Makes one request. What means the same for every call is a fault already, so that no method
    /// has to ask for it again.
    fn send(
        &self,
        doing: &'static str,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<HttpResponse, CoderError> {
        let call = |unlimited| {
            self.call(method.clone(), path, body.clone(), unlimited)
                .map_err(|broken| CoderError::broken(doing, broken))
        };
        let mut answer = call(false)?;
        if self.may_go_on(&answer) {
            // A refused call was not carried out. Our calls are bounded by how many we make side by side.
            match call(true)? {
                // No owner's any more, or a release that takes no notice: this call has to wait as everybody's.
                denied if matches!(denied.status, 428 | 429) => {
                    self.unlimited.store(false, Ordering::Relaxed);
                }
                allowed => answer = allowed,
            }
        }
        if smells_of_rights(&answer) {
            self.refused.store(true, Ordering::Relaxed);
            if let Some(act) = self.on_refusal.get() {
                act();
            }
        }
        match answer.status {
            300..=399 | 429 | 500..=599 => Err(CoderError::of(doing, &answer)),
            // Somebody else's 404 must not be taken for "that user does not exist", nor a proxy's 401 for a
            // word about our token.
            400..=499 if answer.header(VERSION_HEADER).is_none() => {
                Err(CoderError::not_coder(doing, answer.status))
            }
            401 | 428 => Err(CoderError::of(doing, &answer)),
            _ => Ok(answer),
        }
    }

    /// Whether that refusal is over the number of calls a minute, which may not hold for us.
    fn may_go_on(&self, answer: &HttpResponse) -> bool {
        answer.status == 429
            && answer.header(VERSION_HEADER).is_some()
            && self.unlimited.load(Ordering::Relaxed)
    }

    fn call(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        unlimited: bool,
    ) -> Result<HttpResponse, HttpError> {
        let url = format!("{}{path}", self.api);
        // Never a cookie: Coder would prefer it to this header.
        let mut headers = vec![
            ("Coder-Session-Token", self.key.reveal()),
            ("Accept", "application/json"),
        ];
        if !body.is_empty() {
            headers.push(("Content-Type", "application/json"));
        }
        if unlimited {
            headers.push(UNLIMITED);
        }
        self.http.call(method, &url, &headers, body)
    }
}

/// Whether Coder refused that call for want of a right. Some of its calls say so by a 500 with words of its inner parts.
fn smells_of_rights(answer: &HttpResponse) -> bool {
    const WORDS: [&str; 3] = ["forbidden", "unauthorized", "not authorized"];
    let says = || {
        let body: Option<wire::ErrorBody> = answer.json();
        let detail = body.map(|body| body.detail.to_ascii_lowercase());
        detail.is_some_and(|detail| WORDS.iter().any(|word| detail.contains(word)))
    };
    answer.header(VERSION_HEADER).is_some()
        && (answer.status == 403 || (answer.status == 500 && says()))
}

/// A request body. Ours are structs of strings and flags, which always serialize.
fn json(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_default()
}

/// One path segment or query value, percent-encoded.
fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

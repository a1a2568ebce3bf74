//! The Coder client: each call is one method with one request and one answer.
//!
//! What is hidden here: Coder's URLs, JSON and status codes, and how its versions differ. It knows
//! nothing of phones, retries or storage. Rules are taken from `coderd/` and `codersdk/` of
//! github.com/coder/coder: an unknown user is 400, a deleted workspace 410, a user that still has
//! workspaces 417, and a deleted user read by id still answers 200.

mod fault;
mod find;
mod inspect;
mod roster;
mod users;
mod wire;
mod workspaces;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use ureq::http::Method;

pub use fault::{CoderFault, Trouble};
pub use inspect::{Holder, Permissions, Server};
pub use users::{Created, NewUser, PasswordSet, UserDeleted};
pub use wire::{Build, LoginType, User, Workspace};
pub use workspaces::{BuildAsked, Transition};

use crate::domain::{Secret, UnixSeconds};
use crate::http::{Answer, Broken, Http};

/// The header that every answer of a Coder server has, errors included; a proxy's page has it not.
const VERSION_HEADER: &str = "x-coder-build-version";

/// The organization id that stands for "the default one" since Coder 2.15.
const DEFAULT_ORGANIZATION: &str = "00000000-0000-0000-0000-000000000000";

/// With this header the limit of calls a minute (512 by default, for each path) does not hold, for owners
/// only; anybody else gets 428. Source: `coderd/httpmw/ratelimit.go`.
const UNLIMITED: (&str, &str) = ("X-Coder-Bypass-Ratelimit", "true");

/// The first version that knows who calls when it counts calls. Earlier ones take no notice of the header.
const UNLIMITED_SINCE: (u32, u32) = (2, 31);

/// One Coder server, called with one token.
pub struct Coder {
    http: Http,
    api: String,
    key: Secret,
    /// Whether the token was an owner's when we last looked.
    owner: AtomicBool,
    /// The id to create users with: the alias above, until a server wants the real one.
    organization: Mutex<String>,
}

/// What the token may see. "There is none" is believed only with these: to a token that has lost its
/// rights every user looks deleted, and every list of workspaces is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// It sees all users.
    pub users: bool,
    /// It sees all workspaces, or the server itself refuses to delete a user that has some.
    pub workspaces: bool,
    /// Seconds by which our clock is ahead of the server's; `None` where it did not tell its time.
    pub clock_ahead: Option<UnixSeconds>,
}

impl Coder {
    /// A client of the server whose API is at `api` (ends in `/api/v2`).
    pub fn new(http: Http, api: &str, key: Secret) -> Self {
        Self {
            http,
            api: api.to_owned(),
            key,
            owner: AtomicBool::new(false),
            organization: Mutex::new(DEFAULT_ORGANIZATION.to_owned()),
        }
    }

    /// The version that the server tells everybody, such as `v2.31.0+abc123`.
    ///
    /// # Errors
    /// The server cannot be reached, or is no Coder.
    pub fn version(&self) -> Result<String, CoderFault> {
        let answer = self.get("ask for the version", "/buildinfo")?;
        let fault = || CoderFault::of("ask for the version", &answer);
        if answer.status != 200 {
            return Err(fault());
        }
        answer
            .json::<wire::BuildInfo>()
            .map(|info| info.version)
            .ok_or_else(fault)
    }

    /// What the token may see now.
    ///
    /// Owners see everything, user admins all users. Whether a server deletes a user whose
    /// workspaces the caller merely cannot see depends on its version: since 2.25 it counts them
    /// all (coder/coder issue 19209).
    ///
    /// # Errors
    /// The server cannot be asked.
    pub fn rights(&self) -> Result<Rights, CoderFault> {
        const DOING: &str = "ask for our own roles";
        let answer = self.get(DOING, "/users/me")?;
        let fault = || CoderFault::of(DOING, &answer);
        if answer.status != 200 {
            return Err(fault());
        }
        let me: wire::Me = answer.json().ok_or_else(fault)?;
        let version = answer
            .header(VERSION_HEADER)
            .map_or((0, 0), wire::version_pair);
        let has = |name| me.roles.iter().any(|role| role.name == name);
        self.owner.store(has("owner"), Ordering::Relaxed);
        Ok(Rights {
            users: has("owner") || has("user-admin"),
            workspaces: has("owner") || version >= (2, 25),
            clock_ahead: answer.clock_ahead(),
        })
    }

    fn organization(&self) -> String {
        self.organization
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Asks for the default organization's real id, for a server that does not know the alias.
    fn learn_organization(&self) -> Result<(), CoderFault> {
        let id = self.default_organization()?;
        *self
            .organization
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = id;
        Ok(())
    }

    fn default_organization(&self) -> Result<String, CoderFault> {
        const DOING: &str = "ask for the default organization";
        let answer = self.get(DOING, "/organizations")?;
        let fault = || CoderFault::of(DOING, &answer);
        if answer.status != 200 {
            return Err(fault());
        }
        let all: Vec<wire::Organization> = answer.json().ok_or_else(fault)?;
        let default = all
            .iter()
            .find(|org| org.is_default)
            .or_else(|| all.first());
        default.map(|org| org.id.clone()).ok_or_else(fault)
    }

    fn get(&self, doing: &'static str, path: &str) -> Result<Answer, CoderFault> {
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
    ) -> Result<Answer, CoderFault> {
        let call = |unlimited| {
            self.call(method.clone(), path, body.clone(), unlimited)
                .map_err(|broken| CoderFault::broken(doing, broken))
        };
        let mut answer = call(false)?;
        if self.may_go_on(&answer) {
            // A refused call was not carried out. Our calls are bounded by how many we make side by side.
            match call(true)? {
                // No owner's any more: this call has to wait as everybody's.
                denied if denied.status == 428 => self.owner.store(false, Ordering::Relaxed),
                allowed => answer = allowed,
            }
        }
        match answer.status {
            300..=399 | 401 | 428 | 429 | 500..=599 => Err(CoderFault::of(doing, &answer)),
            // Somebody else's 404 must not be taken for "that user does not exist".
            400..=499 if answer.header(VERSION_HEADER).is_none() => {
                Err(CoderFault::not_coder(doing, answer.status))
            }
            _ => Ok(answer),
        }
    }

    /// Whether that refusal is over the number of calls a minute, which does not hold for us.
    fn may_go_on(&self, answer: &Answer) -> bool {
        let version = || answer.header(VERSION_HEADER).map(wire::version_pair);
        answer.status == 429
            && self.owner.load(Ordering::Relaxed)
            && version().is_some_and(|version| version >= UNLIMITED_SINCE)
    }

    fn call(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        unlimited: bool,
    ) -> Result<Answer, Broken> {
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

/// A request body. Ours are structs of strings and flags, which always serialize.
fn json(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_default()
}

/// One path segment or query value, percent-encoded.
fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

//! Who calls, and what they may do.

use std::time::Instant;

use super::super::http::percent_decode;
use super::super::server::{Reply, Request};
use super::fault::Fault;
use super::ops::Route;
use super::world::{Role, Status, User, Version, World};

const COOKIE: &str = "coder_session_token";
const HEADER: &str = "Coder-Session-Token";
const SIGNED_OUT: &str =
    "You are signed out or your session has expired. Please sign in again to continue.";

/// The owner of a valid session.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The user's id.
    pub id: String,
    roles: Vec<Role>,
}

impl Caller {
    fn has_any(&self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.roles.contains(role))
    }

    /// Is an owner.
    pub fn is_owner(&self) -> bool {
        self.has_any(&[Role::Owner])
    }

    /// May create, change and delete users.
    pub fn manages_users(&self) -> bool {
        self.has_any(&[Role::Owner, Role::UserAdmin])
    }

    /// May look at this user.
    pub fn sees_user(&self, user: &str) -> bool {
        self.id == user || !self.roles.is_empty()
    }

    /// May look at workspaces of this user.
    pub fn sees_workspaces_of(&self, owner: &str) -> bool {
        self.id == owner
            || self.has_any(&[Role::Owner, Role::OrganizationAdmin, Role::TemplateAdmin])
    }

    /// May build workspaces of this user.
    pub fn manages_workspaces_of(&self, owner: &str) -> bool {
        self.id == owner || self.has_any(&[Role::Owner, Role::OrganizationAdmin])
    }

    /// May throw away a workspace's state.
    pub fn manages_templates(&self) -> bool {
        self.has_any(&[Role::Owner, Role::OrganizationAdmin, Role::TemplateAdmin])
    }
}

fn cookie(request: &Request) -> Option<String> {
    let pairs = request
        .header("cookie")?
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .into_iter()
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| percent_decode(value))
}

/// A write with a session cookie needs a header that agrees; clients with a header only are exempt.
pub fn check_csrf(request: &Request, route: &Route) -> Result<(), Reply> {
    let Some(cookie) = cookie(request) else {
        return Ok(());
    };
    let safe = request.method == "GET" || matches!(route, Route::Login);
    if safe || request.header(HEADER) == Some(cookie.as_str()) {
        return Ok(());
    }
    let text = format!(
        "CSRF error encountered. Authentication via {COOKIE:?} cookie and {HEADER:?} header, but the values do not match.\n"
    );
    Err(Reply::text(400, &text))
}

/// Cookie, then query, then header; recent versions take a bearer token as well.
fn find_token(request: &Request, version: Version) -> Option<String> {
    let given = |token: Option<String>| token.filter(|token| !token.is_empty());
    let bearer = || {
        let value = request
            .header("authorization")
            .filter(|_| version == Version::Newest)?;
        value.strip_prefix("Bearer ").map(str::to_owned)
    };
    given(cookie(request))
        .or_else(|| given(request.query_value(COOKIE)))
        .or_else(|| given(request.header(HEADER).map(str::to_owned)))
        .or_else(|| given(bearer()))
}

/// Finds the session that a request belongs to. A dormant user wakes by it.
pub fn identify(world: &mut World, request: &Request) -> Result<Caller, Fault> {
    let refuse = |detail: &str| Fault::new(401, SIGNED_OUT).detail(detail);
    let token = find_token(request, world.version).ok_or_else(|| {
        refuse(&format!(
            "Cookie {COOKIE:?} or query parameter must be provided."
        ))
    })?;
    let (id, secret) =
        split_token(&token).map_err(|fault| refuse(&format!("Invalid API key format: {fault}")))?;
    let key = world
        .keys
        .iter()
        .find(|key| key.id == id)
        .ok_or_else(|| refuse("API key is invalid."))?;
    if key.secret != secret {
        return Err(refuse("API key secret is invalid."));
    }
    if key.expired {
        return Err(refuse(
            "API key expired at \"2020-01-01 00:00:00 +0000 UTC\".",
        ));
    }
    let owner = key.user.clone();
    let user = world
        .users
        .iter_mut()
        .find(|user| user.id == owner)
        .ok_or_else(|| refuse("API key is invalid."))?;
    wake(user)?;
    Ok(Caller {
        id: user.id.clone(),
        roles: user.roles.clone(),
    })
}

/// Ten characters, a hyphen, twenty-two characters.
fn split_token(token: &str) -> Result<(&str, &str), String> {
    let parts: Vec<&str> = token.split('-').collect();
    let wrong_length = |what: &str, expected: usize, part: &str| {
        let length = part.len();
        Err(format!(
            "invalid API key {what} length, expected {expected} got {length}"
        ))
    };
    match parts.as_slice() {
        [id, _] if id.len() != 10 => wrong_length("ID", 10, id),
        [_, secret] if secret.len() != 22 => wrong_length("secret", 22, secret),
        [id, secret] => Ok((id, secret)),
        other => Err(format!(
            "incorrect amount of API key parts, expected 2 got {}",
            other.len()
        )),
    }
}

fn wake(user: &mut User) -> Result<(), Fault> {
    if user.status == Status::Suspended {
        let message = "User is not active (status = \"suspended\"). Contact an admin to reactivate your account.";
        return Err(Fault::new(401, message));
    }
    user.status = Status::Active;
    user.last_seen = Some(Instant::now());
    Ok(())
}

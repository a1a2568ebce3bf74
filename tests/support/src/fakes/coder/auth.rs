//! Who calls, and what they may do.

use std::time::Instant;

use super::super::http::percent_decode;
use super::super::server::{Reply, Request};
use super::fault::Fault;
use super::world::{Role, Status, User, Version, WORKSPACE_ACCESS, World};

/// The cookie of a session.
pub const COOKIE: &str = "coder_session_token";
/// The cookie that a write by a browser has to repeat in [`CSRF_HEADER`].
pub const CSRF_COOKIE: &str = "csrf_token";
const CSRF_HEADER: &str = "X-CSRF-TOKEN";
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

    /// May make workspaces for this user. In the newest release a member needs a role for its own.
    pub fn creates_workspaces_of(&self, owner: &str, world: &World) -> bool {
        let defaults = &world.settings.default_org_member_roles;
        let by_right =
            world.version < Version::Newest || defaults.iter().any(|role| role == WORKSPACE_ACCESS);
        self.manages_workspaces_of("") || (self.id == owner && by_right)
    }

    /// May delete keys of this user, which is a part of setting its password.
    pub fn deletes_keys_of(&self, owner: &str) -> bool {
        self.id == owner || self.is_owner()
    }

    /// May set the password of this user. The newest release deletes the keys in its own name.
    pub fn sets_password_of(&self, owner: &str, version: Version) -> bool {
        self.deletes_keys_of(owner) || (version == Version::Newest && self.manages_users())
    }

    /// May give this role of the organization to somebody.
    pub fn assigns(&self, role: &str) -> bool {
        let to_members = ["organization-member", WORKSPACE_ACCESS, "agents-access"];
        self.has_any(&[Role::Owner, Role::OrganizationAdmin])
            || (self.has_any(&[Role::UserAdmin]) && to_members.contains(&role))
    }

    /// May throw away a workspace's state.
    pub fn manages_templates(&self) -> bool {
        self.has_any(&[Role::Owner, Role::OrganizationAdmin, Role::TemplateAdmin])
    }
}

/// The value of a cookie.
pub fn cookie(request: &Request, name: &str) -> Option<String> {
    let pairs = request
        .header("cookie")?
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .into_iter()
        .find(|(found, _)| *found == name)
        .map(|(_, value)| percent_decode(value))
}

/// A write with a session cookie needs a header that agrees, a login as well; clients with a header only are exempt.
pub fn check_csrf(request: &Request) -> Result<(), Reply> {
    let Some(session) = cookie(request, COOKIE) else {
        return Ok(());
    };
    let csrf = cookie(request, CSRF_COOKIE);
    let repeats_it = csrf.is_some() && csrf.as_deref() == request.header(CSRF_HEADER);
    if repeats_it && request.header(HEADER).is_none() {
        return Ok(());
    }
    if request.method == "GET" || request.header(HEADER) == Some(session.as_str()) {
        return Ok(());
    }
    let text = match request.header(HEADER) {
        Some(_) => format!(
            "CSRF error encountered. Authentication via {COOKIE:?} cookie and {HEADER:?} header detected, but the \
             values do not match. To resolve this issue ensure the values used in both match, or only use one of the \
             authentication methods. You can also try clearing your cookies if this error persists.\n"
        ),
        None => "Something is wrong with your CSRF token. Please refresh the page. If this error persists, try \
                 clearing your cookies.\n"
            .to_owned(),
    };
    Err(Reply::text(400, &text))
}

/// Cookie, then query, then header; recent versions take a bearer token as well.
pub fn find_token(request: &Request, version: Version) -> Option<String> {
    let given = |token: Option<String>| token.filter(|token| !token.is_empty());
    let bearer = || {
        let value = request
            .header("authorization")
            .filter(|_| version == Version::Newest)?;
        value.strip_prefix("Bearer ").map(str::to_owned)
    };
    given(cookie(request, COOKIE))
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
    let owner = world
        .use_key(id, secret)
        .map_err(|detail| refuse(&detail))?;
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

//! What a server is like and what our token may do there: asked before class, never in it.
//!
//! Nothing here changes anything at Coder, except that a login of a user's own opens a session, which
//! ends with the user.

use std::collections::BTreeMap;

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use ureq::http::Method;

use super::{Coder, CoderFault, VERSION_HEADER, encode, json, wire};
use crate::domain::{Password, UnixSeconds};

/// The owner of the workspaces that permissions are asked for: somebody else, whoever that is.
const SOMEBODY: &str = "5f6cd4b2-9a3e-4c55-8f0e-3d1b7a60c9e4";

/// A server, as it tells everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its version, such as `v2.31.0+abc123`; letters, digits and `.+-` only.
    pub version: String,
    /// Seconds by which our clock is ahead of its clock; `None` where it did not tell its time.
    pub clock_ahead: Option<UnixSeconds>,
}

/// The user that our token belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its name; `None` where it is no name by Coder's own rule.
    pub username: Option<String>,
    /// It may do everything.
    pub owner: bool,
    /// It may manage users.
    pub user_admin: bool,
    /// The server tells by itself that a user still has workspaces that we cannot see: see
    /// [`super::Rights::workspaces`].
    pub sound: bool,
}

/// What the token may do, by the server's own word. An empty list would prove nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// Create users, as members of the default organization.
    pub create_users: bool,
    /// Delete them.
    pub delete_users: bool,
    /// See workspaces of others there.
    pub see_workspaces: bool,
    /// Delete them.
    pub delete_workspaces: bool,
}

#[derive(Serialize)]
struct Question<'a> {
    object: Object<'a>,
    action: &'static str,
}

#[derive(Serialize)]
struct Object<'a> {
    resource_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner_id: Option<&'static str>,
}

#[derive(Serialize)]
struct Questions<'a> {
    checks: BTreeMap<&'static str, Question<'a>>,
}

#[derive(Serialize)]
struct PasswordQuestion<'a> {
    password: &'a str,
}

#[derive(Serialize)]
struct Login<'a> {
    email: &'a str,
    password: &'a str,
}

impl Coder {
    /// What the server tells everybody about itself.
    ///
    /// # Errors
    /// It cannot be reached, or is no Coder.
    pub fn server(&self) -> Result<Server, CoderFault> {
        const DOING: &str = "ask for the version";
        let answer = self.get(DOING, "/buildinfo")?;
        let info: Option<wire::BuildInfo> = answer.json();
        let info = info.filter(|_| answer.status == 200);
        // Other programs have a page of that name, too.
        if answer.header(VERSION_HEADER).is_none() {
            return Err(CoderFault::not_coder(DOING, answer.status));
        }
        let version = info.ok_or_else(|| CoderFault::of(DOING, &answer))?.version;
        let plain = |c: &char| c.is_ascii_alphanumeric() || ".+-".contains(*c);
        Ok(Server {
            version: version.chars().filter(plain).take(40).collect(),
            clock_ahead: answer.clock_ahead(),
        })
    }

    /// Whose our token is.
    ///
    /// # Errors
    /// The call failed; the token may be wrong.
    pub fn holder(&self) -> Result<Holder, CoderFault> {
        const DOING: &str = "ask whose the token is";
        let answer = self.get(DOING, "/users/me")?;
        let me: Option<wire::Me> = answer.json();
        let me = me.filter(|_| answer.status == 200);
        let me = me.ok_or_else(|| CoderFault::of(DOING, &answer))?;
        let version = answer.header(VERSION_HEADER);
        let version = version.map_or((0, 0), wire::version_pair);
        let has = |name| me.roles.iter().any(|role| role.name == name);
        let name = crate::domain::Username::parse(&me.username);
        Ok(Holder {
            username: name.map(|name| name.to_string()),
            owner: has("owner"),
            user_admin: has("user-admin"),
            sound: has("owner") || version >= (2, 25),
        })
    }

    /// Until when our token is good, if it is not used any more; `None` where the server does not say.
    ///
    /// # Errors
    /// The call failed.
    pub fn token_expiry(&self) -> Result<Option<UnixSeconds>, CoderFault> {
        const DOING: &str = "ask until when the token is good";
        // A token is `id-secret`; the id alone opens nothing.
        let id = self.key.reveal().split('-').next().unwrap_or_default();
        let answer = self.get(DOING, &format!("/users/me/keys/{}", encode(id)))?;
        let key: Option<wire::Key> = answer.json();
        match key {
            Some(key) if answer.status == 200 => {
                let until = OffsetDateTime::parse(&key.expires_at, &Rfc3339).ok();
                Ok(until.map(OffsetDateTime::unix_timestamp))
            }
            _ => Err(CoderFault::of(DOING, &answer)),
        }
    }

    /// Whether users may log in with passwords.
    ///
    /// # Errors
    /// The call failed.
    pub fn password_login(&self) -> Result<bool, CoderFault> {
        const DOING: &str = "ask how users log in";
        let answer = self.get(DOING, "/users/authmethods")?;
        let methods: Option<wire::AuthMethods> = answer.json();
        let methods = methods.filter(|_| answer.status == 200);
        methods
            .map(|methods| methods.password.enabled)
            .ok_or_else(|| CoderFault::of(DOING, &answer))
    }

    /// What the token may do with users, and with other people's workspaces in the default
    /// organization.
    ///
    /// # Errors
    /// A call failed, or the server does not know the question.
    pub fn permissions(&self) -> Result<Permissions, CoderFault> {
        const DOING: &str = "ask for the token's permissions";
        let organization = self.default_organization()?;
        let ask = |resource_type, action, inside: bool, owned: bool| Question {
            object: Object {
                resource_type,
                organization_id: inside.then_some(organization.as_str()),
                owner_id: owned.then_some(SOMEBODY),
            },
            action,
        };
        let checks = BTreeMap::from([
            ("create", ask("user", "create", false, false)),
            ("join", ask("organization_member", "create", true, false)),
            ("remove", ask("user", "delete", false, false)),
            ("see", ask("workspace", "read", true, true)),
            ("delete", ask("workspace", "delete", true, true)),
        ]);
        let body = json(&Questions { checks });
        let answer = self.send(DOING, Method::POST, "/authcheck", body)?;
        let allowed: Option<BTreeMap<String, bool>> = answer.json();
        let allowed = allowed.filter(|_| answer.status == 200);
        let allowed = allowed.ok_or_else(|| CoderFault::of(DOING, &answer))?;
        let may = |name: &str| allowed.get(name).copied();
        let read = || {
            Some(Permissions {
                create_users: may("create")? && may("join")?,
                delete_users: may("remove")?,
                see_workspaces: may("see")?,
                delete_workspaces: may("delete")?,
            })
        };
        read().ok_or_else(|| CoderFault::of(DOING, &answer))
    }

    /// Whether the server would take `password`; `None` where it cannot be asked (before 2.17 or so).
    ///
    /// # Errors
    /// The call failed.
    pub fn takes_password(&self, password: &Password) -> Result<Option<bool>, CoderFault> {
        const DOING: &str = "show a password";
        let body = json(&PasswordQuestion {
            password: password.reveal(),
        });
        let answer = self.send(DOING, Method::POST, "/users/validate-password", body)?;
        let verdict: Option<wire::PasswordVerdict> = answer.json();
        match (answer.status, verdict) {
            (200, Some(verdict)) => Ok(Some(verdict.valid)),
            (404 | 405, _) => Ok(None),
            _ => Err(CoderFault::of(DOING, &answer)),
        }
    }

    /// Logs in as a student would, without our token. Returns whether that was let in.
    ///
    /// # Errors
    /// The call failed.
    pub fn logs_in(&self, email: &str, password: &Password) -> Result<bool, CoderFault> {
        const DOING: &str = "log in";
        let url = format!("{}/users/login", self.api);
        let headers = [
            ("Accept", "application/json"),
            ("Content-Type", "application/json"),
        ];
        let body = json(&Login {
            email,
            password: password.reveal(),
        });
        let answer = self.http.call(Method::POST, &url, &headers, body);
        let answer = answer.map_err(|broken| CoderFault::broken(DOING, broken))?;
        match answer.status {
            200 | 201 => Ok(true),
            401 | 403 if answer.header(VERSION_HEADER).is_some() => Ok(false),
            _ => Err(CoderFault::of(DOING, &answer)),
        }
    }
}

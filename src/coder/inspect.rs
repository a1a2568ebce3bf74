//! What a server is like and what our token may do there: asked before class, never in it.
//!
//! Nothing here changes anything at Coder, except that a login of a user's own opens a session, which
//! ends with the user.

use serde::Serialize;
use ureq::http::Method;

use super::{Coder, CoderError, VERSION_HEADER, json, wire};
use crate::domain::{Password, Secret, UnixSeconds};

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
pub struct TokenHolder {
    /// Its name; `None` where it is no name by Coder's own rule.
    pub username: Option<String>,
    /// It is an owner, by the name of a role. For words only: [`Coder::rights`] tells what the token may do.
    pub owner: bool,
}

/// The session of a user's login.
#[derive(Debug)]
pub struct Session(Secret);

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
    pub fn server(&self) -> Result<Server, CoderError> {
        const DOING: &str = "ask for the version";
        let answer = self.get(DOING, "/buildinfo")?;
        let info: Option<wire::BuildInfo> = answer.json();
        let info = info.filter(|_| answer.status == 200);
        // Other programs have a page of that name, too.
        if answer.header(VERSION_HEADER).is_none() {
            return Err(CoderError::not_coder(DOING, answer.status));
        }
        let version = info.ok_or_else(|| CoderError::of(DOING, &answer))?.version;
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
    pub fn holder(&self) -> Result<TokenHolder, CoderError> {
        const DOING: &str = "ask whose the token is";
        let answer = self.get(DOING, "/users/me")?;
        let me: Option<wire::Me> = answer.json();
        let me = me.filter(|_| answer.status == 200);
        let me = me.ok_or_else(|| CoderError::of(DOING, &answer))?;
        let name = crate::domain::Username::parse(&me.username);
        Ok(TokenHolder {
            username: name.map(|name| name.to_string()),
            owner: me.roles.iter().any(|role| role.name == "owner"),
        })
    }

    /// Whether users may log in with passwords.
    ///
    /// # Errors
    /// The call failed.
    pub fn password_login(&self) -> Result<bool, CoderError> {
        const DOING: &str = "ask how users log in";
        let answer = self.get(DOING, "/users/authmethods")?;
        let methods: Option<wire::AuthMethods> = answer.json();
        let methods = methods.filter(|_| answer.status == 200);
        methods
            .map(|methods| methods.password.enabled)
            .ok_or_else(|| CoderError::of(DOING, &answer))
    }

    /// Whether the server would take `password`; `None` where it cannot be asked (before 2.17 or so).
    ///
    /// # Errors
    /// The call failed.
    pub fn takes_password(&self, password: &Password) -> Result<Option<bool>, CoderError> {
        const DOING: &str = "show a password";
        let body = json(&PasswordQuestion {
            password: password.reveal(),
        });
        let answer = self.send(DOING, Method::POST, "/users/validate-password", body)?;
        let verdict: Option<wire::PasswordCheck> = answer.json();
        match (answer.status, verdict) {
            (200, Some(verdict)) => Ok(Some(verdict.valid)),
            (404 | 405, _) => Ok(None),
            _ => Err(CoderError::of(DOING, &answer)),
        }
    }

    /// Logs in as a student would, without our token. Returns the session; `None` = it was not let in.
    ///
    /// # Errors
    /// The call failed.
    pub fn logs_in(&self, email: &str, password: &Password) -> Result<Option<Session>, CoderError> {
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
        let answer = answer.map_err(|broken| CoderError::broken(DOING, broken))?;
        match answer.status {
            200 | 201 => {
                let session: Option<wire::SessionBody> = answer.json();
                session
                    .map(|session| Some(Session(Secret::new(session.session_token))))
                    .ok_or_else(|| CoderError::of(DOING, &answer))
            }
            401 | 403 if answer.header(VERSION_HEADER).is_some() => Ok(None),
            _ => Err(CoderError::of(DOING, &answer)),
        }
    }

    /// A client of the same server in the name of that session. It shares nothing with this one but connections:
    /// the session travels in a header of its own calls only, and no cookie is ever kept.
    pub fn of_session(&self, session: Session) -> Self {
        Self::new(self.http.clone(), &self.api, session.0)
    }
}

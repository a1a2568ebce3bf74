//! Calls that inspect the server and our token. They are made before class, never during class.
//!
//! They change nothing at Coder, except that the login of a test user opens a session, which ends
//! when the user is deleted.

use serde::Serialize;
use ureq::http::Method;

use super::{Coder, CoderError, VERSION_HEADER, json, wire};
use crate::domain::{Password, Secret, UnixSeconds};

/// The public data of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its version, such as `v2.31.0+abc123`; letters, digits and `.+-` only.
    pub version: String,
    /// Seconds by which our clock is ahead of the server's; `None` if the answer had no date.
    pub clock_ahead: Option<UnixSeconds>,
}

/// The user that our token belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenHolder {
    /// Its name; `None` if it is not valid by Coder's own rule.
    pub username: Option<String>,
    /// It has the role `owner`. For messages only: [`Coder::rights`] shows what the token may do.
    pub owner: bool,
}

/// The session token of a user that has logged in.
#[derive(Debug)]
pub struct Session(Secret);

#[derive(Serialize)]
struct PasswordCheckBody<'a> {
    password: &'a str,
}

#[derive(Serialize)]
struct LoginBody<'a> {
    email: &'a str,
    password: &'a str,
}

impl Coder {
    /// The public data of the server.
    ///
    /// # Errors
    /// The server cannot be reached, or is not Coder.
    pub fn server(&self) -> Result<Server, CoderError> {
        const OPERATION: &str = "ask for the version";
        let answer = self.get(OPERATION, "/buildinfo")?;
        let info: Option<wire::BuildInfo> = answer.json();
        let info = info.filter(|_| answer.status == 200);
        // Other programs may have a page at this path, too.
        if answer.header(VERSION_HEADER).is_none() {
            return Err(CoderError::not_coder(OPERATION, answer.status));
        }
        let version = info
            .ok_or_else(|| CoderError::of(OPERATION, &answer))?
            .version;
        let plain = |c: &char| c.is_ascii_alphanumeric() || ".+-".contains(*c);
        Ok(Server {
            version: version.chars().filter(plain).take(40).collect(),
            clock_ahead: answer.clock_ahead(),
        })
    }

    /// The user that our token belongs to.
    ///
    /// # Errors
    /// The call failed; the token may be wrong.
    pub fn holder(&self) -> Result<TokenHolder, CoderError> {
        const OPERATION: &str = "ask who owns the token";
        let answer = self.get(OPERATION, "/users/me")?;
        let me: Option<wire::Me> = answer.json();
        let me = me.filter(|_| answer.status == 200);
        let me = me.ok_or_else(|| CoderError::of(OPERATION, &answer))?;
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
        const OPERATION: &str = "ask how users log in";
        let answer = self.get(OPERATION, "/users/authmethods")?;
        let methods: Option<wire::AuthMethods> = answer.json();
        let methods = methods.filter(|_| answer.status == 200);
        methods
            .map(|methods| methods.password.enabled)
            .ok_or_else(|| CoderError::of(OPERATION, &answer))
    }

    /// Whether the server would accept `password`; `None` if it has no such call (before 2.17 or
    /// so).
    ///
    /// # Errors
    /// The call failed.
    pub fn accepts_password(&self, password: &Password) -> Result<Option<bool>, CoderError> {
        const OPERATION: &str = "ask whether a password is accepted";
        let body = json(&PasswordCheckBody {
            password: password.reveal(),
        });
        let answer = self.send(OPERATION, Method::POST, "/users/validate-password", body)?;
        let check: Option<wire::PasswordCheck> = answer.json();
        match (answer.status, check) {
            (200, Some(check)) => Ok(Some(check.valid)),
            (404 | 405, _) => Ok(None),
            _ => Err(CoderError::of(OPERATION, &answer)),
        }
    }

    /// Logs in as a student would, without our token. Returns the session; `None` = Coder refused
    /// the login.
    ///
    /// # Errors
    /// The call failed.
    pub fn log_in(&self, email: &str, password: &Password) -> Result<Option<Session>, CoderError> {
        const OPERATION: &str = "log in";
        let url = format!("{}/users/login", self.api);
        let headers = [
            ("Accept", "application/json"),
            ("Content-Type", "application/json"),
        ];
        let body = json(&LoginBody {
            email,
            password: password.reveal(),
        });
        let answer = self.http.call(Method::POST, &url, &headers, body);
        let answer = answer.map_err(|broken| CoderError::broken(OPERATION, broken))?;
        match answer.status {
            200 | 201 => {
                let session: Option<wire::SessionBody> = answer.json();
                session
                    .map(|session| Some(Session(Secret::new(session.session_token))))
                    .ok_or_else(|| CoderError::of(OPERATION, &answer))
            }
            401 | 403 if answer.header(VERSION_HEADER).is_some() => Ok(None),
            _ => Err(CoderError::of(OPERATION, &answer)),
        }
    }

    /// A client of the same server that uses this session. The two clients share only connections:
    /// the session token is sent only in a header of the new client's calls, and no cookies are
    /// kept.
    pub fn with_session(&self, session: Session) -> Self {
        Self::new(self.http.clone(), &self.api, session.0)
    }
}

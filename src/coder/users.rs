//! Creates, suspends and deletes users.

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use ureq::http::Method;

use super::wire::{ErrorBody, User};
use super::{Coder, CoderError, encode, json};
use crate::clock::unix_now;
use crate::domain::registration::Registration;
use crate::domain::{Marker, Password, UnixSeconds, Username};
use crate::http::HttpResponse;

/// A user that is to be created.
#[derive(Clone, Copy, Debug)]
pub struct NewUser<'a> {
    /// Its name.
    pub username: &'a Username,
    /// Its e-mail address, with which it logs in.
    pub email: &'a str,
    /// Its display name, by which we recognise our own users.
    pub marker: &'a Marker,
    /// Its first password.
    pub password: &'a Password,
}

impl<'a> NewUser<'a> {
    /// The user of a registration.
    pub fn of(registration: &'a Registration, email: &'a str, password: &'a Password) -> Self {
        Self {
            username: &registration.username,
            email,
            marker: &registration.marker,
            password,
        }
    }
}

/// Answer to a create.
#[derive(Debug)]
pub enum CreateResult {
    /// The user was created.
    Created(User),
    /// Its name or its address is in use already. Coder reports neither which of them nor by whom.
    Taken,
}

/// Answer to a delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteResult {
    /// Coder reports that the user is deleted, or was so before; only a list proves it.
    Done,
    /// It still has workspaces, which our token may or may not see.
    HasWorkspaces,
}

#[derive(Serialize)]
struct CreateBody<'a> {
    username: &'a str,
    email: &'a str,
    name: &'a str,
    password: &'a str,
    login_type: &'static str,
    // No `user_status`: so a user that never logs in stays dormant and needs no licence seat.
    organization_ids: [&'a str; 1],
}

impl Coder {
    /// Creates a user.
    ///
    /// # Errors
    /// The call failed. After [`super::CoderErrorKind::Unclear`] the user may exist. The error says
    /// how often in a row creations of users have failed with the same internal error.
    pub fn create_user(&self, new: NewUser<'_>) -> Result<CreateResult, CoderError> {
        let created = self.try_to_create(new);
        self.failing_creates.count(created)
    }

    fn try_to_create(&self, new: NewUser<'_>) -> Result<CreateResult, CoderError> {
        let organization = self.organization();
        let answer = self.post_user(new, &organization)?;
        if !names_organization(&answer) || organization != super::DEFAULT_ORGANIZATION {
            return read_created(&answer, new);
        }
        // An unusual server that does not accept the alias for "the default organization".
        self.fetch_organization()?;
        read_created(&self.post_user(new, &self.organization())?, new)
    }

    fn post_user(&self, new: NewUser<'_>, organization: &str) -> Result<HttpResponse, CoderError> {
        let body = CreateBody {
            username: new.username.as_str(),
            email: new.email,
            name: new.marker.as_str(),
            password: new.password.reveal(),
            login_type: "password",
            organization_ids: [organization],
        };
        self.send(CREATE, Method::POST, "/users", json(&body))
    }

    /// Locks a user out without deleting anything: its sessions end, it cannot log in, and Coder
    /// stops its workspaces by itself within a minute.
    ///
    /// # Errors
    /// The call failed.
    pub fn suspend(&self, id: &str) -> Result<(), CoderError> {
        const OPERATION: &str = "suspend a user";
        let path = format!("/users/{}/status/suspend", encode(id));
        let answer = self.send(OPERATION, Method::PUT, &path, Vec::new())?;
        match answer.json::<User>() {
            Some(user) if answer.status == 200 && user.is_suspended() => Ok(()),
            _ => Err(CoderError::of(OPERATION, &answer)),
        }
    }

    /// Deletes a user.
    ///
    /// # Errors
    /// The call failed. After [`super::CoderErrorKind::Unclear`] the user may be gone.
    pub fn delete_user(&self, id: &str) -> Result<DeleteResult, CoderError> {
        const OPERATION: &str = "delete a user";
        let answer = self.send(
            OPERATION,
            Method::DELETE,
            &format!("/users/{}", encode(id)),
            Vec::new(),
        )?;
        match answer.status {
            200 | 204 => Ok(DeleteResult::Done),
            417 => Ok(DeleteResult::HasWorkspaces),
            // An unknown user is a 400 up to Coder 2.30, a 404 from 2.31 on.
            400 if is_no_user(&answer) => Ok(DeleteResult::Done),
            404 if answer.json::<ErrorBody>().is_some() => Ok(DeleteResult::Done),
            _ => Err(CoderError::of(OPERATION, &answer)),
        }
    }
}

const CREATE: &str = "create a user";

/// Reads the answer to a create. An answer about another user is not accepted: the user whose id is recorded is deleted
/// in the end.
fn read_created(answer: &HttpResponse, new: NewUser<'_>) -> Result<CreateResult, CoderError> {
    let name = new.username.as_str();
    let is_the_new_one = |user: &User| user.username.eq_ignore_ascii_case(name);
    match answer.status {
        200 | 201 => {
            let user: Option<User> = answer.json();
            user.filter(is_the_new_one)
                .map(CreateResult::Created)
                .ok_or_else(|| CoderError::of(CREATE, answer))
        }
        409 => Ok(CreateResult::Taken),
        _ => Err(CoderError::of(CREATE, answer)),
    }
}

/// Whether a creation was refused because of the organization.
fn names_organization(answer: &HttpResponse) -> bool {
    let validated = || {
        answer.json::<ErrorBody>().is_some_and(|body| {
            body.validations
                .iter()
                .any(|v| v.field.starts_with("organization_id"))
        })
    };
    answer.status == 404 || (answer.status == 400 && validated())
}

/// Whether a 400 or 404 says that the user in the path does not exist. Coder uses 400 for that,
/// without a code; other 400s of these calls are about a field, named in `validations`, or about
/// the password.
fn is_no_user(answer: &HttpResponse) -> bool {
    answer.json::<ErrorBody>().is_some_and(|body| {
        body.validations.is_empty() && body.message.contains("must be an existing")
    })
}

/// When a user was created, by our own clock: its age by the server's clock, subtracted from our
/// time. The server's time is the date of the answer.
pub(super) fn made_at(user: &User, answer: &HttpResponse) -> Option<UnixSeconds> {
    let created = OffsetDateTime::parse(&user.created_at, &Rfc3339).ok()?;
    Some(unix_now() - (answer.date()? - created.unix_timestamp()))
}

//! Users: create, suspend, delete.

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use ureq::http::Method;

use super::wire::{ErrorBody, User};
use super::{Coder, CoderError, encode, json};
use crate::clock::unix_now;
use crate::domain::{Marker, Password, UnixSeconds, Username};
use crate::http::HttpResponse;

/// A user to be.
#[derive(Clone, Copy, Debug)]
pub struct NewUser<'a> {
    /// Its name.
    pub username: &'a Username,
    /// Its address, which it logs in with.
    pub email: &'a str,
    /// Its display name, by which we know it again.
    pub marker: &'a Marker,
    /// Its first password.
    pub password: &'a Password,
}

/// Answer to a create.
#[derive(Debug)]
pub enum CreateResult {
    /// It exists now and did not before.
    Fresh(User),
    /// Its name or its address was there already; Coder does not say which, nor whose.
    Taken,
}

/// Answer to a delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteResult {
    /// It is deleted, or was before, by Coder's word; only a list proves it.
    Done,
    /// It still has workspaces, seen by us or not.
    HasWorkspaces,
}

#[derive(Serialize)]
struct CreateBody<'a> {
    username: &'a str,
    email: &'a str,
    name: &'a str,
    password: &'a str,
    login_type: &'static str,
    // No `user_status`: a user that never logs in then stays dormant and takes no licence seat.
    organization_ids: [&'a str; 1],
}

impl Coder {
    /// Creates a user.
    ///
    /// # Errors
    /// The call failed. After [`super::CoderErrorKind::Unclear`] the user may exist. The fault says how often in
    /// a row creates have met the same internal error.
    pub fn create_user(&self, new: NewUser<'_>) -> Result<CreateResult, CoderError> {
        let created = self.try_to_create(new);
        self.failing_creates.count(created)
    }

    fn try_to_create(&self, new: NewUser<'_>) -> Result<CreateResult, CoderError> {
        let organization = self.organization();
        let answer = self.post_user(new, &organization)?;
        if !names_organization(&answer) || organization != super::DEFAULT_ORGANIZATION {
            return read_created(&answer);
        }
        // An unusual server that does not know the alias for "the default organization".
        self.learn_organization()?;
        read_created(&self.post_user(new, &self.organization())?)
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

    /// Locks a user out without deleting anything: its sessions and its login end, and Coder stops its
    /// workspaces by itself within a minute.
    ///
    /// # Errors
    /// The call failed.
    pub fn suspend(&self, id: &str) -> Result<(), CoderError> {
        const DOING: &str = "suspend a user";
        let path = format!("/users/{}/status/suspend", encode(id));
        let answer = self.send(DOING, Method::PUT, &path, Vec::new())?;
        match answer.json::<User>() {
            Some(user) if answer.status == 200 && user.is_suspended() => Ok(()),
            _ => Err(CoderError::of(DOING, &answer)),
        }
    }

    /// Deletes a user.
    ///
    /// # Errors
    /// The call failed. After [`super::CoderErrorKind::Unclear`] the user may be gone.
    pub fn delete_user(&self, id: &str) -> Result<DeleteResult, CoderError> {
        const DOING: &str = "delete a user";
        let answer = self.send(
            DOING,
            Method::DELETE,
            &format!("/users/{}", encode(id)),
            Vec::new(),
        )?;
        match answer.status {
            200 | 204 => Ok(DeleteResult::Done),
            417 => Ok(DeleteResult::HasWorkspaces),
            // Unknown: 400 up to Coder 2.30, 404 from 2.31 on.
            400 if is_no_user(&answer) => Ok(DeleteResult::Done),
            404 if answer.json::<ErrorBody>().is_some() => Ok(DeleteResult::Done),
            _ => Err(CoderError::of(DOING, &answer)),
        }
    }
}

const CREATE: &str = "create a user";

fn read_created(answer: &HttpResponse) -> Result<CreateResult, CoderError> {
    match answer.status {
        200 | 201 => answer
            .json()
            .map(CreateResult::Fresh)
            .ok_or_else(|| CoderError::of(CREATE, answer)),
        409 => Ok(CreateResult::Taken),
        _ => Err(CoderError::of(CREATE, answer)),
    }
}

/// Whether a create was refused over the organization.
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
/// without a code; other 400s of these calls are about a field and say so in `validations`, or about
/// the password.
fn is_no_user(answer: &HttpResponse) -> bool {
    answer.json::<ErrorBody>().is_some_and(|body| {
        body.validations.is_empty() && body.message.contains("must be an existing")
    })
}

/// When a user was created, by our own clock: its age by the server's clock, which may differ from
/// ours, taken from the time of the answer.
pub(super) fn made_at(user: &User, answer: &HttpResponse) -> Option<UnixSeconds> {
    let created = OffsetDateTime::parse(&user.created_at, &Rfc3339).ok()?;
    Some(unix_now() - (answer.date()? - created.unix_timestamp()))
}

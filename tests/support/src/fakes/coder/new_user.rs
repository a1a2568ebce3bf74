//! Creating users: what is asked for, the checks in the server's order, and the database's last word.

use std::sync::Mutex;

use serde::Deserialize;

use super::super::lock;
use super::super::server::{Reply, Request};
use super::auth::Caller;
use super::fault::Fault;
use super::fields::{Check, NIL_UUID, Uuid, is_email, is_real_name, is_username, read_body};
use super::json;
use super::password;
use super::world::{Status, Version, World};

#[derive(Deserialize)]
struct UserBody {
    email: Option<String>,
    username: Option<String>,
    name: Option<String>,
    password: Option<String>,
    login_type: Option<String>,
    disable_login: Option<bool>,
    user_status: Option<String>,
    organization_ids: Option<Vec<Uuid>>,
    organization_id: Option<Uuid>,
    service_account: Option<bool>,
}

/// A new user as asked for, with what the version ignores left out.
struct UserWish {
    email: String,
    username: String,
    name: String,
    password: String,
    login_type: String,
    status: String,
    organizations: Vec<String>,
}

impl UserWish {
    fn read(request: &Request, version: Version) -> Result<Self, Fault> {
        let body: UserBody = read_body(request)?;
        let newer = version > Version::V2_10;
        let older_wish_for_none = !newer && body.disable_login == Some(true);
        let login_type = if older_wish_for_none {
            Some("none".to_owned())
        } else {
            body.login_type
        };
        let listed = body
            .organization_ids
            .filter(|list| newer && !list.is_empty());
        let organizations = listed.unwrap_or_else(|| body.organization_id.into_iter().collect());
        if version == Version::Newest && body.service_account == Some(true) {
            return Err(Fault::new(
                403,
                "Service accounts is a Premium feature. Contact sales!",
            ));
        }
        Ok(Self {
            email: body.email.unwrap_or_default(),
            username: body.username.unwrap_or_default(),
            name: body.name.filter(|_| newer).unwrap_or_default(),
            password: body.password.unwrap_or_default(),
            login_type: login_type
                .filter(|kind| !kind.is_empty())
                .unwrap_or_else(|| "password".to_owned()),
            status: body.user_status.filter(|_| newer).unwrap_or_default(),
            organizations: organizations.into_iter().map(|Uuid(id)| id).collect(),
        })
    }

    fn check_fields(&self) -> Result<(), Fault> {
        Check::default()
            .that(!self.email.is_empty(), "email", "required", "")
            .that(is_email(&self.email), "email", "email", &self.email)
            .that(!self.username.is_empty(), "username", "required", "")
            .that(
                is_username(&self.username),
                "username",
                "username",
                &self.username,
            )
            .that(
                is_real_name(&self.name),
                "name",
                "user_real_name",
                &self.name,
            )
            .done()
    }

    fn check_login_type(&self, version: Version) -> Result<(), Fault> {
        let kind = self.login_type.as_str();
        match kind {
            "password" => return Ok(()),
            "none" if version >= Version::Newest => {
                return Err(Fault::new(
                    400,
                    "Login type 'none' requires a service account.",
                ));
            }
            "none" | "github" | "oidc" => {}
            _ => {
                return Err(Fault::new(
                    400,
                    &format!("Unsupported login type {kind:?} for manually creating new users."),
                ));
            }
        }
        if !self.password.is_empty() {
            let message =
                format!("Password cannot be set for non-password ({kind:?}) authentication.");
            return Err(Fault::new(400, &message));
        }
        if kind == "oidc" {
            return Err(Fault::new(400, "OIDC is not configured."));
        }
        Ok(())
    }

    /// All checks that come before the insert, in the server's order.
    fn check(&self, world: &World, caller: &Caller) -> Result<(), Fault> {
        self.check_fields()?;
        self.check_login_type(world.version)?;
        let by_password = self.login_type == "password";
        if by_password && !world.settings.password_auth {
            let message = "Password based authentication is disabled! Unable to provision new users with password authentication.";
            return Err(Fault::new(403, message));
        }
        if world.version > Version::V2_10 && self.organizations.is_empty() {
            let message = "No organization specified to place the user as a member of. It is required to specify at \
                           least one organization id to place the user in.";
            let fault = Fault::new(400, message)
                .detail("required at least 1 value for the array 'organization_ids'");
            return Err(fault.field("organization_ids", "Missing values, this cannot be empty"));
        }
        if world.by_name(&self.username).is_some() || world.by_email(&self.email).is_some() {
            return Err(Fault::new(409, "User already exists."));
        }
        if let Some(id) = self
            .organizations
            .iter()
            .find(|id| *id != NIL_UUID && **id != world.organization)
        {
            return Err(Fault::new(
                404,
                &format!("Organization does not exist with the provided id {id:?}."),
            ));
        }
        if by_password {
            let message = if world.version >= Version::V2_29 {
                "Password is invalid"
            } else {
                "Password not strong enough!"
            };
            password::validate(&self.password)
                .map_err(|detail| Fault::new(400, message).field("password", detail))?;
        }
        if !caller.manages_users() {
            return Err(Fault::new(403, "You are not authorized to create users."));
        }
        Ok(())
    }

    /// The database has the last word: its unique indexes, and its list of statuses.
    fn insert(self, world: &mut World, caller: &Caller) -> Result<Reply, Fault> {
        let broken =
            |detail: String| Fault::new(500, "Internal error creating user.").detail(detail);
        let duplicate = |index: &str| {
            broken(format!(
                "execute transaction: create user: pq: duplicate key value violates unique constraint \"{index}\""
            ))
        };
        if world.by_email(&self.email).is_some() {
            return Err(duplicate("idx_users_email"));
        }
        if world.by_name(&self.username).is_some() {
            return Err(duplicate("idx_users_username"));
        }
        let status = if self.status.is_empty() {
            Some(Status::Dormant)
        } else {
            Status::of(&self.status)
        };
        let status = status.ok_or_else(|| {
            broken(format!(
                "execute transaction: create user: pq: invalid input value for enum user_status: \"{}\"",
                self.status
            ))
        })?;
        let roles = &world.settings.default_org_member_roles;
        if world.version == Version::Newest && !roles.iter().all(|role| caller.assigns(role)) {
            return Err(broken(
                "execute transaction: create organization member: unauthorized: rbac: forbidden"
                    .to_owned(),
            ));
        }
        let by_api = caller.id == world.admin;
        let user = world.add_user(&self.username, &self.email, &self.password);
        user.name = self.name;
        user.status = status;
        user.by_api = by_api;
        user.login_type = match self.login_type.as_str() {
            "password" => "password",
            "github" => "github",
            _ => "none",
        };
        let id = user.id.clone();
        world.note(caller, "create user", &id);
        let created = world
            .by_id(&id)
            .ok_or_else(|| Fault::new(500, "just added"))?;
        Ok(Reply::json(201, &json::user(world, created)))
    }
}

/// `POST /users`. The world is not locked while the password is hashed: two calls for one name can both come this far.
pub fn create(world: &Mutex<World>, caller: &Caller, request: &Request) -> Result<Reply, Fault> {
    let (wish, meeting) = {
        let world = lock(world);
        let wish = UserWish::read(request, world.version)?;
        wish.check(&world, caller)?;
        (wish, world.settings.meeting.clone())
    };
    if let Some(meeting) = meeting {
        meeting.wait();
    }
    wish.insert(&mut lock(world), caller)
}

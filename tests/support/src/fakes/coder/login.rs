//! What can be asked about the server itself, and the password login.

use std::time::Instant;

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::clock::rfc3339;
use super::super::random::{self, parse_uuid};
use super::super::server::{Reply, Request};
use super::auth::Caller;
use super::fault::Fault;
use super::fields::{Check, is_email, read_body};
use super::world::{Status, Version, World};
use super::{browser, password, users};

/// `GET /buildinfo`
pub fn build_info(world: &World) -> Reply {
    let version = world.version.build();
    Reply::json(
        200,
        &json!({
            "external_url": "https://github.com/coder/coder",
            "version": version,
            "dashboard_url": "https://coder.test",
            "telemetry": false,
            "workspace_proxy": false,
            "agent_api_version": "1.0",
            "provisioner_api_version": "1.15",
            "upgrade_message": "",
            "deployment_id": world.organization,
        }),
    )
}

/// `GET /users/authmethods`
pub fn auth_methods(world: &World) -> Reply {
    Reply::json(
        200,
        &json!({
            "password": { "enabled": world.settings.password_auth },
            "github": { "enabled": false, "default_provider_configured": false },
            "oidc": { "enabled": false, "signInText": "", "iconUrl": "" },
        }),
    )
}

fn organization_json(world: &World) -> Value {
    let created = rfc3339(world.date(world.since));
    let mut body = json!({
        "id": world.organization,
        "name": "coder",
        "display_name": "Coder",
        "icon": "",
        "description": "Builtin default organization.",
        "created_at": created,
        "updated_at": created,
        "is_default": true,
    });
    if world.version == Version::Newest {
        body["default_org_member_roles"] = json!(world.settings.default_org_member_roles);
    }
    body
}

/// `GET /organizations`
pub fn organizations(world: &World) -> Reply {
    if !world.settings.default_organization_is_hidden {
        return Reply::json(200, &json!([organization_json(world)]));
    }
    let other = |name: &str| {
        let mut body = organization_json(world);
        body["id"] = json!(random::uuid());
        body["name"] = json!(name);
        body["is_default"] = json!(false);
        body
    };
    Reply::json(200, &json!([other("art"), other("biology")]))
}

/// `GET /organizations/{id, name or "default"}`
pub fn organization(world: &World, name: &str) -> Result<Reply, Fault> {
    let known = name == "default"
        || name == "coder"
        || parse_uuid(name).as_ref() == Some(&world.organization);
    if !known {
        return Err(Fault::not_found());
    }
    Ok(Reply::json(200, &organization_json(world)))
}

#[derive(Deserialize)]
struct LoginBody {
    email: Option<String>,
    password: Option<String>,
}

/// Whether a login with these would succeed now.
pub fn would_log_in(world: &World, email: &str, password: &str) -> Result<String, Fault> {
    let user = world.by_email(email);
    if !world.settings.password_auth && user.is_none_or(|user| !user.is(super::Role::Owner)) {
        return Err(Fault::new(403, "Password authentication is disabled."));
    }
    let known = user.filter(|user| user.password == password && !password.is_empty());
    let user = known.ok_or_else(|| Fault::new(401, "Incorrect email or password."))?;
    if user.login_type != "password" {
        let kind = user.login_type;
        let message = format!(
            "Incorrect login type, attempting to use \"password\" but user is of login type {kind:?}"
        );
        return Err(Fault::new(403, &message));
    }
    if user.status == Status::Suspended {
        return Err(Fault::new(
            401,
            "Your account is suspended. Contact an admin to reactivate your account.",
        ));
    }
    Ok(user.id.clone())
}

/// `POST /users/login`
pub fn login(world: &mut World, request: &Request) -> Result<Reply, Fault> {
    let body: LoginBody = read_body(request)?;
    let (email, password) = (
        body.email.unwrap_or_default(),
        body.password.unwrap_or_default(),
    );
    Check::default()
        .that(!email.is_empty(), "email", "required", "")
        .that(is_email(&email), "email", "email", &email)
        .that(!password.is_empty(), "password", "required", "")
        .done()?;
    let id = would_log_in(world, &email, &password)?;
    if let Some(user) = world.by_id_mut(&id) {
        user.status = Status::Active;
        user.last_seen = Some(Instant::now());
    }
    let token = world.add_session(id);
    let reply = Reply::json(201, &json!({ "session_token": token }));
    Ok(browser::keep_session(reply, &token, request))
}

/// `GET /users/{user}/login-type`: for that very user alone, not even for an owner.
pub fn login_type(world: &World, caller: &Caller, text: &str) -> Result<Reply, Fault> {
    let user = users::find(world, caller, text)?;
    if user.id != caller.id {
        return Err(Fault::new(
            403,
            "You are not authorized to view this user's login type.",
        ));
    }
    Ok(Reply::json(200, &json!({ "login_type": user.login_type })))
}

#[derive(Deserialize)]
struct PasswordBody {
    password: Option<String>,
}

/// `POST /users/validate-password`
pub fn validate_password(request: &Request) -> Result<Reply, Fault> {
    let body: PasswordBody = read_body(request)?;
    let password = body.password.unwrap_or_default();
    Check::default()
        .that(!password.is_empty(), "password", "required", "")
        .done()?;
    let verdict = password::validate(&password);
    Ok(Reply::json(
        200,
        &json!({ "valid": verdict.is_ok(), "details": verdict.err().unwrap_or_default() }),
    ))
}

/// `GET /users/first`
pub fn first_user() -> Reply {
    let body = json!({ "message": "The initial user has already been created!" });
    Reply::json(200, &body)
}

/// `POST /users/otp/request`: the code goes out by mail, and the answer does not tell whether anybody has that address.
pub fn request_code(request: &Request) -> Result<Reply, Fault> {
    #[derive(Deserialize)]
    struct CodeBody {
        email: Option<String>,
    }
    let email = read_body::<CodeBody>(request)?.email.unwrap_or_default();
    Check::default()
        .that(!email.is_empty(), "email", "required", "")
        .that(is_email(&email), "email", "email", &email)
        .done()?;
    Ok(Reply::empty(204))
}

//! What can be asked about the server itself, and the password login.

use std::time::Instant;

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::clock::rfc3339;
use super::super::random::parse_uuid;
use super::super::server::{Reply, Request};
use super::fault::Fault;
use super::fields::{Check, is_email, read_body};
use super::password;
use super::world::{Status, World};

/// `GET /buildinfo`
pub fn build_info(world: &World) -> Reply {
    let version = world.version.build();
    Reply::json(
        200,
        &json!({
            "external_url": format!("https://github.com/coder/coder/commit/{}", &version[version.len() - 7..]),
            "version": version,
            "dashboard_url": "https://coder.test",
            "deployment_id": world.organization,
            "telemetry": false,
            "workspace_proxy": false,
            "agent_api_version": "1.0",
        }),
    )
}

/// `GET /users/authmethods`
pub fn auth_methods(world: &World) -> Reply {
    Reply::json(
        200,
        &json!({
            "terms_of_service_url": "",
            "password": { "enabled": world.settings.password_auth },
            "github": { "enabled": false, "default_provider_configured": false },
            "oidc": { "enabled": false, "signInText": "OpenID Connect", "iconUrl": "" },
        }),
    )
}

fn organization_json(world: &World) -> Value {
    let created = rfc3339(world.date(Instant::now()));
    json!({
        "id": world.organization,
        "name": "coder",
        "display_name": "Coder",
        "icon": "",
        "description": "",
        "created_at": created,
        "updated_at": created,
        "is_default": true,
    })
}

/// `GET /organizations`
pub fn organizations(world: &World) -> Reply {
    Reply::json(200, &json!([organization_json(world)]))
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
    if let Some(user) = world.users.iter_mut().find(|user| user.id == id) {
        user.status = Status::Active;
        user.last_seen = Some(Instant::now());
    }
    let token = world.add_session(id);
    let cookie = format!("coder_session_token={token}; Path=/; HttpOnly; SameSite=Lax");
    Ok(Reply::json(201, &json!({ "session_token": token })).with("Set-Cookie", cookie))
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

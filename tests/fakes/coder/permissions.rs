//! What a caller may do, told to itself; and the keys that open the door.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::clock::rfc3339;
use super::super::server::{Reply, Request};
use super::auth::Caller;
use super::fault::Fault;
use super::fields::read_body;
use super::users;
use super::world::World;

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    checks: BTreeMap<String, Check>,
}

#[derive(Deserialize)]
struct Check {
    object: Object,
    action: String,
}

#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    resource_type: String,
    #[serde(default)]
    owner_id: String,
    #[serde(default)]
    organization_id: String,
}

/// `POST /authcheck`: a verdict for each check. Nothing is done.
pub fn check(world: &World, caller: &Caller, request: &Request) -> Result<Reply, Fault> {
    let body: Body = read_body(request)?;
    let mut verdicts = BTreeMap::new();
    for (name, check) in &body.checks {
        verdicts.insert(name.clone(), may(world, caller, check));
    }
    Ok(Reply::json(200, &json!(verdicts)))
}

/// The actions that each kind of object has. Any other one is "no", as is a kind that there is not.
fn is_known(kind: &str, action: &str) -> bool {
    let actions: &[&str] = match kind {
        "user" => &[
            "create",
            "read",
            "update",
            "delete",
            "read_personal",
            "update_personal",
        ],
        "organization_member" | "api_key" => &["create", "read", "update", "delete"],
        "workspace" => &["create", "read", "update", "delete", "start", "stop"],
        _ => &[],
    };
    actions.contains(&action)
}

fn may(world: &World, caller: &Caller, check: &Check) -> bool {
    let Object {
        resource_type,
        owner_id,
        organization_id,
    } = &check.object;
    let owner = if owner_id == "me" {
        &caller.id
    } else {
        owner_id
    };
    let inside = *organization_id == world.organization;
    let reads = check.action == "read";
    if !is_known(resource_type, &check.action) {
        return false;
    }
    match resource_type.as_str() {
        "user" => caller.manages_users() || (reads && caller.sees_user(owner)),
        "organization_member" => {
            caller.manages_users() || (inside && caller.manages_workspaces_of(""))
        }
        // What an organization's admin may do counts within it; somebody's own things are theirs.
        "workspace" => {
            let anybodys = caller.is_owner() || (inside && caller.manages_workspaces_of(""));
            anybodys || *owner == caller.id || (reads && caller.sees_workspaces_of(owner) && inside)
        }
        "api_key" => caller.is_owner() || *owner == caller.id,
        _ => false,
    }
}

/// `GET /users/{user}/keys/{id}`: all of a key but its secret. Using it has just prolonged it.
pub fn key(world: &World, caller: &Caller, user: &str, id: &str) -> Result<Reply, Fault> {
    let user = users::find(world, caller, user)?.id.clone();
    let key = world
        .keys
        .iter()
        .find(|key| key.id == id && key.user == user)
        .ok_or_else(Fault::not_found)?;
    let now = Instant::now();
    let date = |at| rfc3339(world.date(at));
    let body: Value = json!({
        "id": key.id,
        "user_id": key.user,
        "last_used": date(now),
        "expires_at": date(now + key.lives),
        "created_at": date(now),
        "updated_at": date(now),
        "login_type": "token",
        "scope": "all",
        "token_name": "class",
        "lifetime_seconds": key.lives.as_secs(),
    });
    Ok(Reply::json(200, &body))
}

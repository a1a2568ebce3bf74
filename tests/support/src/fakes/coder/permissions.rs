//! What a caller may do, told to itself.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::super::server::{Reply, Request};
use super::auth::Caller;
use super::fault::Fault;
use super::fields::read_body;
use super::world::World;

#[derive(Deserialize)]
struct PermissionsBody {
    #[serde(default)]
    checks: BTreeMap<String, PermissionCheck>,
}

#[derive(Deserialize)]
struct PermissionCheck {
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

/// `POST /authcheck`: a verdict for each check. Nothing is done. A word that the server does not know is not allowed.
pub fn check(world: &World, caller: &Caller, request: &Request) -> Result<Reply, Fault> {
    let body: PermissionsBody = read_body(request)?;
    let verdict = |check: &PermissionCheck| {
        is_known(&check.object.resource_type, &check.action) && may(world, caller, check)
    };
    let verdicts: BTreeMap<&String, bool> = body
        .checks
        .iter()
        .map(|(name, check)| (name, verdict(check)))
        .collect();
    Ok(Reply::json(200, &json!(verdicts)))
}

/// The actions that each kind of object knows.
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
        "workspace" | "workspace_dormant" => &[
            "create",
            "read",
            "update",
            "delete",
            "start",
            "stop",
            "ssh",
            "application_connect",
        ],
        "template" => &["create", "read", "update", "delete", "use"],
        "assign_role" | "assign_org_role" => &["assign", "unassign", "read"],
        _ => &[],
    };
    actions.contains(&action)
}

fn may(world: &World, caller: &Caller, check: &PermissionCheck) -> bool {
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
    let action = check.action.as_str();
    let reads = action == "read";
    match resource_type.as_str() {
        "user" => caller.manages_users() || (reads && caller.sees_user(owner)),
        "organization_member" => {
            caller.manages_users() || (inside && caller.manages_workspaces_of(""))
        }
        // What an organization's admin may do counts within it; somebody's own things are theirs.
        "workspace" | "workspace_dormant" => {
            let anybodys = caller.is_owner() || (inside && caller.manages_workspaces_of(""));
            let own = match action {
                "create" => inside && caller.creates_workspaces_of(owner, world),
                _ => *owner == caller.id,
            };
            anybodys || own || (reads && caller.sees_workspaces_of(owner) && inside)
        }
        "api_key" => caller.deletes_keys_of(owner),
        "template" => caller.manages_templates(),
        "assign_role" => caller.is_owner(),
        "assign_org_role" => caller.manages_users() || (inside && caller.manages_workspaces_of("")),
        _ => false,
    }
}

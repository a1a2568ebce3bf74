//! The server's answers as JSON.

use std::time::Instant;

use serde_json::{Value, json};

use super::super::clock::rfc3339;
use super::fields::NIL_UUID;
use super::timeline::{Build, End, Workspace};
use super::world::{Role, User, World};

const NEVER: &str = "0001-01-01T00:00:00Z";

fn date(world: &World, at: Instant) -> String {
    rfc3339(world.date(at))
}

fn date_or_null(world: &World, at: Option<Instant>) -> Value {
    at.map_or(Value::Null, |at| json!(date(world, at)))
}

/// A user. Nothing in it tells whether the user is deleted.
pub fn user(world: &World, user: &User) -> Value {
    let role = |role: &Role| match role {
        Role::Owner => Some(json!({ "name": "owner", "display_name": "Owner" })),
        Role::UserAdmin => Some(json!({ "name": "user-admin", "display_name": "User Admin" })),
        Role::TemplateAdmin => {
            Some(json!({ "name": "template-admin", "display_name": "Template Admin" }))
        }
        Role::OrganizationAdmin => None,
    };
    json!({
        "id": user.id,
        "username": user.username,
        "name": user.name,
        "avatar_url": "",
        "email": user.email,
        "created_at": date(world, user.created),
        "updated_at": date(world, user.updated),
        "last_seen_at": user.last_seen.map_or_else(|| NEVER.to_owned(), |at| date(world, at)),
        "status": user.status.word(),
        "login_type": user.login_type,
        "theme_preference": "",
        "organization_ids": [world.organization],
        "roles": user.roles.iter().filter_map(role).collect::<Vec<_>>(),
    })
}

/// A workspace with its latest build.
pub fn workspace(world: &World, workspace: &Workspace) -> Value {
    json!({
        "id": workspace.id,
        "created_at": date(world, workspace.created),
        "updated_at": date(world, workspace.latest().created),
        "owner_id": workspace.owner,
        "owner_name": world.username(&workspace.owner),
        "organization_id": world.organization,
        "organization_name": "coder",
        "template_id": workspace.template,
        "template_name": "docker",
        "name": workspace.name,
        "ttl_ms": Value::Null,
        "autostart_schedule": Value::Null,
        "last_used_at": date(world, workspace.last_used),
        "dormant_at": date_or_null(world, workspace.dormant),
        "deleting_at": Value::Null,
        "outdated": false,
        "favorite": false,
        "automatic_updates": "never",
        "health": { "healthy": true, "failing_agents": [] },
        "latest_build": build(world, workspace, workspace.latest()),
    })
}

/// A build with its job.
pub fn build(world: &World, workspace: &Workspace, build: &Build) -> Value {
    let owner = world.username(&workspace.owner);
    let available = u32::from(!world.settings.no_provisioners);
    json!({
        "id": build.id,
        "created_at": date(world, build.created),
        "updated_at": date(world, build.done.map_or(build.created, |(at, _)| at)),
        "workspace_id": workspace.id,
        "workspace_name": workspace.name,
        "workspace_owner_id": workspace.owner,
        "workspace_owner_name": owner,
        "template_version_id": NIL_UUID,
        "build_number": build.number,
        "transition": build.transition.word(),
        "initiator_id": build.initiator,
        "initiator_name": world.username(&build.initiator),
        "reason": build.reason,
        "status": build.status(),
        "job": job(world, build),
        "resources": [],
        "daily_cost": 0,
        "max_deadline": Value::Null,
        "deadline": Value::Null,
        "matched_provisioners": { "count": available, "available": available, "most_recently_seen": Value::Null },
    })
}

fn job(world: &World, build: &Build) -> Value {
    let completed = build.done.map(|(at, _)| at);
    let canceled = build
        .cancel_asked
        .filter(|_| !matches!(build.done, Some((_, End::Succeeded | End::Failed))));
    let mut job = json!({
        "id": build.id,
        "created_at": date(world, build.created),
        "status": build.job_status(),
        "queue_position": 0,
        "queue_size": 0,
        "file_id": NIL_UUID,
        "tags": { "owner": "", "scope": "organization" },
    });
    for (name, at) in [
        ("started_at", build.started),
        ("completed_at", completed),
        ("canceled_at", canceled),
    ] {
        if let Some(at) = at {
            job[name] = json!(date(world, at));
        }
    }
    if let Some((_, End::Failed)) = build.done {
        job["error"] = json!("recv workspace provision: exit status 1");
    }
    job
}

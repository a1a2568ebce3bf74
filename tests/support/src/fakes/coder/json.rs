//! The server's answers as JSON.

use std::time::Instant;

use serde_json::{Value, json};

use super::super::clock::rfc3339;
use super::fields::NIL_UUID;
use super::timeline::{Build, End, Workspace};
use super::world::{User, Version, World};

const NEVER: &str = "0001-01-01T00:00:00Z";

fn date(world: &World, at: Instant) -> String {
    rfc3339(world.date(at))
}

fn date_or_null(world: &World, at: Option<Instant>) -> Value {
    at.map_or(Value::Null, |at| json!(date(world, at)))
}

/// A user. Nothing in it tells whether the user is deleted.
pub fn user(world: &World, user: &User) -> Value {
    let of_site = user.roles.iter().filter(|role| role.is_of_site());
    let roles: Vec<Value> = of_site
        .map(|role| json!({ "name": role.word(), "display_name": role.title() }))
        .collect();
    let mut body = json!({
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "created_at": date(world, user.created),
        "updated_at": date(world, user.updated),
        "last_seen_at": user.last_seen.map_or_else(|| NEVER.to_owned(), |at| date(world, at)),
        "status": user.status.word(),
        "login_type": user.login_type,
        "organization_ids": [world.organization],
        "roles": roles,
    });
    if !user.name.is_empty() {
        body["name"] = json!(user.name);
    }
    body
}

/// A workspace with its latest build.
pub fn workspace(world: &World, workspace: &Workspace) -> Value {
    with_build(
        world,
        workspace,
        &build(world, workspace, workspace.latest()),
    )
}

/// A workspace as the call that made it answers.
pub fn new_workspace(world: &World, workspace: &Workspace) -> Value {
    with_build(
        world,
        workspace,
        &new_build(world, workspace, workspace.latest()),
    )
}

fn with_build(world: &World, workspace: &Workspace, build: &Value) -> Value {
    let template = world.template(&workspace.template);
    let mut body = json!({
        "id": workspace.id,
        "created_at": date(world, workspace.created),
        "updated_at": date(world, workspace.latest().created),
        "owner_id": workspace.owner,
        "owner_name": world.username(&workspace.owner),
        "owner_avatar_url": "",
        "organization_id": world.organization,
        "organization_name": "coder",
        "template_id": workspace.template,
        "template_name": template.map_or("", |template| template.name.as_str()),
        "template_display_name": "",
        "template_icon": "",
        "template_allow_user_cancel_workspace_jobs": false,
        "template_active_version_id": template.map_or(NIL_UUID, |template| template.version.as_str()),
        "template_require_active_version": false,
        "template_use_classic_parameter_flow": world.version <= Version::V2_24,
        "latest_build": build,
        "latest_app_status": null,
        "outdated": false,
        "name": workspace.name,
        "last_used_at": date(world, workspace.last_used),
        "deleting_at": null,
        "dormant_at": date_or_null(world, workspace.dormant),
        "health": { "healthy": true, "failing_agents": [] },
        "automatic_updates": "never",
        "allow_renames": false,
        "favorite": false,
        "next_start_at": null,
    });
    if let Some(ttl) = workspace.ttl_ms {
        body["ttl_ms"] = json!(ttl);
    }
    if world.version >= Version::V2_25 {
        body["is_prebuild"] = json!(false);
    }
    if world.version >= Version::V2_29 {
        body["task_id"] = Value::Null;
    }
    body
}

/// A build with its job.
pub fn build(world: &World, workspace: &Workspace, build: &Build) -> Value {
    let mut body = new_build(world, workspace, build);
    body["template_version_name"] = json!("first");
    body["has_ai_task"] = json!(false);
    if world.version >= Version::V2_29 {
        body["has_external_agent"] = json!(false);
    }
    body
}

/// A build as the call that made it answers: some fields are not there yet.
pub fn new_build(world: &World, workspace: &Workspace, build: &Build) -> Value {
    let available = u32::from(!world.settings.no_provisioners);
    let seen = (available > 0).then(Instant::now);
    let version = world
        .template(&workspace.template)
        .map_or(NIL_UUID, |template| template.version.as_str());
    let resources: Vec<Value> = (build.status() == "running")
        .then(|| resource(world, build))
        .into_iter()
        .collect();
    json!({
        "id": build.id,
        "created_at": date(world, build.created),
        "updated_at": date(world, build.done.map_or(build.created, |(at, _)| at)),
        "workspace_id": workspace.id,
        "workspace_name": workspace.name,
        "workspace_owner_id": workspace.owner,
        "workspace_owner_name": world.username(&workspace.owner),
        "template_version_id": version,
        "template_version_name": "",
        "build_number": build.number,
        "transition": build.transition.word(),
        "initiator_id": build.initiator,
        "initiator_name": world.username(&build.initiator),
        "job": job(world, build),
        "reason": build.reason,
        "resources": resources,
        "deadline": date_or_null(world, build.deadline),
        "max_deadline": null,
        "status": build.status(),
        "daily_cost": 0,
        "matched_provisioners": {
            "count": available, "available": available, "most_recently_seen": date_or_null(world, seen)
        },
        "template_version_preset_id": null,
    })
}

/// What a running workspace consists of: one machine with one agent.
fn resource(world: &World, build: &Build) -> Value {
    let made = date(world, build.created);
    let agent = json!({
        "id": NIL_UUID, "parent_id": null, "created_at": made, "updated_at": made, "status": "connecting",
        "lifecycle_state": "created", "name": "main", "resource_id": NIL_UUID, "architecture": "",
        "environment_variables": null, "operating_system": "", "logs_length": 0, "logs_overflowed": false,
        "version": "", "api_version": "", "apps": [], "connection_timeout_seconds": 0, "troubleshooting_url": "",
        "subsystems": [], "health": { "healthy": true }, "display_apps": [], "log_sources": [], "scripts": [],
        "startup_script_behavior": "non-blocking",
    });
    json!({
        "id": NIL_UUID, "created_at": made, "job_id": build.id, "workspace_transition": "start",
        "type": "docker_container", "name": "workspace", "hide": false, "icon": "", "agents": [agent], "daily_cost": 0,
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
        "file_id": NIL_UUID,
        "tags": { "owner": "", "scope": "organization" },
        "queue_position": 0,
        "queue_size": 0,
        "organization_id": world.organization,
        "input": { "workspace_build_id": build.id },
        "type": "workspace_build",
        "metadata": {
            "template_version_name": "", "template_id": NIL_UUID, "template_name": "", "template_display_name": "",
            "template_icon": ""
        },
    });
    if build.started.is_some() {
        job["worker_id"] = json!(NIL_UUID);
    }
    if world.version >= Version::V2_29 {
        job["initiator_id"] = json!(build.initiator);
        job["logs_overflowed"] = json!(false);
    }
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
        job["error"] = json!(build.error);
    }
    job
}

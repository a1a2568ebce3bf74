//! Starting, stopping and deleting workspaces: all of them are builds, and builds take time.

use std::time::{Duration, Instant};

use serde::Deserialize;

use super::super::clock;
use super::super::random::parse_uuid;
use super::super::server::{Reply, Request};
use super::auth::Caller;
use super::fault::Fault;
use super::fields::{Check, read_body};
use super::json;
use super::timeline::{Build, End, Transition, Workspace};
use super::workspaces;
use super::world::{Version, World};

#[derive(Deserialize)]
struct BuildBody {
    transition: Option<String>,
    orphan: Option<bool>,
    state: Option<String>,
}

/// `POST /workspaces/{id}/builds`
pub fn create(
    world: &mut World,
    caller: &Caller,
    id: &str,
    request: &Request,
) -> Result<Reply, Fault> {
    let at = workspaces::find(world, caller, id)?;
    let body: BuildBody = read_body(request)?;
    let word = body.transition.unwrap_or_default();
    let transition = Transition::of(&word);
    Check::default()
        .that(!word.is_empty(), "transition", "required", "")
        .that(transition.is_some(), "transition", "oneof", &word)
        .done()?;
    let transition = transition.ok_or_else(|| Fault::new(400, "Validation failed."))?;
    let owner = world.workspaces[at].owner.clone();
    world.note(caller, &format!("build {word}"), &owner);
    if !caller.manages_workspaces_of(&owner) {
        let verb = if word == "delete" { "delete" } else { "update" };
        let message = format!("You do not have permission to {verb} this workspace.");
        return Err(Fault::new(403, &message));
    }
    let orphan = body.orphan == Some(true);
    let state = body.state.is_some_and(|state| !state.is_empty());
    check_orphan(caller, transition, orphan, state)?;
    let workspace = &world.workspaces[at];
    if workspace.deleted && transition != Transition::Delete && world.version >= Version::V2_29 {
        let detail = "This workspace has been deleted and cannot be modified.";
        return Err(Fault::new(409, &format!("Cannot {word} a deleted workspace!")).detail(detail));
    }
    if workspace.latest().done.is_none() {
        let message = "A workspace build is already active.";
        return Err(Fault::new(409, message).detail(message));
    }
    if transition == Transition::Start {
        world.workspaces[at].deleted = false;
    }
    let number = world.add_build(at, transition, &caller.id, "initiator");
    if orphan && world.settings.no_provisioners && world.version == Version::Newest {
        // Nobody is there to do the work, and there is none: the state is empty.
        let now = Instant::now();
        world.workspaces[at].builds[number].done = Some((now, End::Succeeded));
        world.workspaces[at].deleted = true;
    }
    let workspace = &world.workspaces[at];
    let build = json::new_build(world, workspace, &workspace.builds[number]);
    Ok(Reply::json(201, &build))
}

fn check_orphan(
    caller: &Caller,
    transition: Transition,
    orphan: bool,
    state: bool,
) -> Result<(), Fault> {
    if orphan && transition != Transition::Delete {
        return Err(Fault::new(
            400,
            "Orphan is only permitted when deleting a workspace.",
        ));
    }
    if orphan && state {
        return Err(Fault::new(
            400,
            "ProvisionerState cannot be set alongside orphan since state intent is unclear.",
        ));
    }
    if (orphan || state) && !caller.manages_templates() {
        return Err(Fault::new(
            403,
            "Only template managers may provide custom state",
        ));
    }
    Ok(())
}

#[derive(Deserialize)]
struct ExtendBody {
    deadline: String,
}

/// `PUT /workspaces/{id}/extend`: moves the time at which the server stops what runs. Source:
/// `coderd/workspaces.go`.
pub fn extend(
    world: &mut World,
    caller: &Caller,
    id: &str,
    request: &Request,
) -> Result<Reply, Fault> {
    let at = workspaces::find(world, caller, id)?;
    let body: ExtendBody = read_body(request)?;
    let owner = world.workspaces[at].owner.clone();
    world.note(caller, "extend workspace", &owner);
    if !caller.manages_workspaces_of(&owner) {
        return Err(Fault::not_found());
    }
    let workspace = &world.workspaces[at];
    if workspace.deleted {
        return Err(Fault::new(410, "Workspace was deleted."));
    }
    let build = workspace.latest();
    if build.transition != Transition::Start {
        let word = build.transition.word();
        let message = format!("Workspace must be started, current status: {word}");
        return Err(Fault::new(409, &message));
    }
    if build.done.is_none() {
        return Err(Fault::new(409, "Workspace is still building!"));
    }
    if build.deadline.is_none() {
        return Err(Fault::new(409, "Workspace shutdown is manual."));
    }
    let wanted = clock::parse(&body.deadline)
        .ok_or_else(|| Fault::new(400, "Request body must be valid JSON."))?;
    let left = wanted.duration_since(world.now()).unwrap_or_default();
    if left < Duration::from_secs(29 * 60) {
        let message =
            "Cannot extend workspace: new deadline must be at least 30 minutes in the future";
        return Err(Fault::new(400, message));
    }
    let build = world.workspaces[at]
        .builds
        .last_mut()
        .expect("it has a build");
    build.deadline = Some(Instant::now() + left);
    let body = serde_json::json!({ "message": format!("Deadline updated to {}.", body.deadline) });
    Ok(Reply::json(200, &body))
}

fn find(world: &World, caller: &Caller, id: &str) -> Result<(usize, usize), Fault> {
    let id = parse_uuid(id).ok_or_else(|| workspaces::invalid_uuid(id))?;
    let position = |(at, workspace): (usize, &Workspace)| {
        workspace
            .builds
            .iter()
            .position(|build| build.id == id)
            .map(|number| (at, number))
    };
    let found = world.workspaces.iter().enumerate().find_map(position);
    found
        .filter(|(at, _)| caller.sees_workspaces_of(&world.workspaces[*at].owner))
        .ok_or_else(Fault::not_found)
}

/// `GET /workspacebuilds/{id}`: works after the deletion, too.
pub fn read(world: &World, caller: &Caller, id: &str) -> Result<Reply, Fault> {
    let (at, number) = find(world, caller, id)?;
    let workspace = &world.workspaces[at];
    Ok(Reply::json(
        200,
        &json::build(world, workspace, &workspace.builds[number]),
    ))
}

/// `PATCH /workspacebuilds/{id}/cancel`
pub fn cancel(
    world: &mut World,
    caller: &Caller,
    id: &str,
    request: &Request,
) -> Result<Reply, Fault> {
    let (at, number) = find(world, caller, id)?;
    let owner = world.workspaces[at].owner.clone();
    world.note(caller, "cancel build", &owner);
    if !caller.manages_workspaces_of(&owner) {
        let message = "User is not allowed to cancel workspace builds. Owner role is required.";
        return Err(Fault::new(403, message));
    }
    let build = &mut world.workspaces[at].builds[number];
    let status = build.job_status();
    match request.query_value("expect_status") {
        Some(wanted) if wanted != "pending" && wanted != "running" => {
            return Err(Fault::new(
                400,
                "Invalid expect_status. Only 'pending' or 'running' are allowed.",
            ));
        }
        Some(wanted) if wanted != status => {
            return Err(Fault::new(412, "Job is not in the expected state."));
        }
        _ => {}
    }
    if build.done.is_some() {
        return Err(Fault::new(400, "Job has already completed!"));
    }
    if build.cancel_asked.is_some() {
        return Err(Fault::new(400, "Job has already been marked as canceled!"));
    }
    cancel_now(build);
    let body = serde_json::json!({ "message": "Job has been marked as canceled..." });
    Ok(Reply::json(200, &body))
}

/// Asks for the end of a build that is active: at once if it waits, soon if it runs. `false` if it is over.
pub(super) fn cancel_now(build: &mut Build) -> bool {
    if build.done.is_some() || build.cancel_asked.is_some() {
        return false;
    }
    let now = Instant::now();
    build.cancel_asked = Some(now);
    if build.started.is_none() {
        build.done = Some((now, End::Canceled));
    }
    true
}

//! Creating, listing and reading workspaces.

use std::time::Instant;

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::clock;
use super::super::random::{self, parse_uuid};
use super::super::server::{Reply, Request};
use super::auth::Caller;
use super::fault::Fault;
use super::fields::{Check, NIL_UUID, Uuid, is_username, read_body};
use super::json;
use super::search::{Paging, Search};
use super::templates::{self, Template};
use super::timeline::{Transition, Workspace};
use super::users;
use super::world::{Version, World};

const STATUSES: [&str; 10] = [
    "pending",
    "starting",
    "running",
    "stopping",
    "stopped",
    "failed",
    "canceling",
    "canceled",
    "deleted",
    "deleting",
];
const KEYS: [&str; 12] = [
    "owner",
    "name",
    "status",
    "dormant",
    "id",
    "template",
    "organization",
    "last_used_before",
    "last_used_after",
    "deleted",
    "outdated",
    "shared",
];
/// Keys of the real server that the fake does not model.
const OTHER_KEYS: [&str; 5] = [
    "has-agent",
    "param",
    "template_id",
    "has-ai-task",
    "healthy",
];

/// Reads `q`; a bare word is a name, and `owner/name` is both.
fn read_search(request: &Request) -> Result<Search, Fault> {
    let known: Vec<&str> = KEYS.iter().chain(&OTHER_KEYS).copied().collect();
    let mut search = Search::parse(request, "workspace", &known)?;
    let refuse = |field: &str, detail: &str| {
        Fault::new(400, "Invalid workspace search query.").field(field, detail)
    };
    for word in std::mem::take(&mut search.words) {
        let (owner, name) = word
            .split_once('/')
            .map_or((None, &*word), |(o, n)| (Some(o), n));
        if name.contains('/') {
            let detail = format!("Query element {word:?} can only contain 1 '/'");
            return Err(refuse("q", &detail));
        }
        let owner = owner.map(|owner| ("owner".to_owned(), owner.to_owned()));
        search.terms.extend(owner);
        search.terms.push(("name".to_owned(), name.to_owned()));
    }
    let status = search.term("status");
    if status.is_some_and(|status| !STATUSES.contains(&status)) {
        return Err(refuse("status", "Query param \"status\" has invalid value"));
    }
    Ok(search)
}

/// `GET /workspaces`. Only `q` filters; all other parameters but those of paging are ignored.
pub fn list(world: &World, caller: &Caller, request: &Request) -> Result<Reply, Fault> {
    let search = read_search(request)?;
    let paging = Paging::parse(request)?;
    let is_wanted = |workspace: &&Workspace| {
        !workspace.deleted
            && caller.sees_workspaces_of(&workspace.owner)
            && fits(world, caller, workspace, &search)
    };
    let mut rows: Vec<&Workspace> = world.workspaces.iter().filter(is_wanted).collect();
    let order = |workspace: &&Workspace| {
        let owner = world.username(&workspace.owner).to_lowercase();
        (
            workspace.latest().status() != "running",
            owner,
            workspace.name.to_lowercase(),
        )
    };
    rows.sort_by_cached_key(order);
    let count = rows.len();
    let page: Vec<Value> = paging
        .cut(rows)
        .into_iter()
        .map(|workspace| json::workspace(world, workspace))
        .collect();
    let reply = Reply::json(200, &json!({ "workspaces": page, "count": count }));
    let unmodelled = search
        .terms
        .iter()
        .find(|(key, _)| OTHER_KEYS.contains(&key.as_str()));
    Ok(match unmodelled {
        Some((key, _)) => reply.noting(format!("the search key {key} is not modelled")),
        None => reply,
    })
}

fn fits(world: &World, caller: &Caller, workspace: &Workspace, search: &Search) -> bool {
    let later = |limit: &str| Some(world.date(workspace.last_used)) > clock::parse(limit);
    let is_owner = |name: &str| match name {
        "me" => workspace.owner == caller.id,
        // Only users that are not deleted own something.
        name => world
            .by_id(&workspace.owner)
            .is_some_and(|user| !user.deleted && user.username.eq_ignore_ascii_case(name)),
    };
    search.terms.iter().all(|(key, value)| match key.as_str() {
        "owner" => is_owner(value),
        "name" => workspace.name.to_lowercase().contains(value.as_str()),
        "status" => workspace.latest().status() == value,
        "dormant" => value != "true" || workspace.dormant.is_some(),
        "id" => value
            .split(',')
            .any(|id| parse_uuid(id).as_ref() == Some(&workspace.id)),
        "template" => world
            .template(&workspace.template)
            .is_some_and(|template| template.name == *value),
        "organization" => value == "coder" || value == "default" || *value == world.organization,
        "last_used_after" => later(value),
        "last_used_before" => !later(value),
        "deleted" | "outdated" | "shared" => value != "true",
        _ => true,
    })
}

/// The position of the workspace that a path means. Deleted ones are found as well.
pub fn find(world: &World, caller: &Caller, id: &str) -> Result<usize, Fault> {
    let id = parse_uuid(id).ok_or_else(|| invalid_uuid(id))?;
    let found = world
        .workspaces
        .iter()
        .position(|workspace| workspace.id == id);
    found
        .filter(|&at| caller.sees_workspaces_of(&world.workspaces[at].owner))
        .ok_or_else(Fault::not_found)
}

/// The path should hold a UUID and does not.
pub fn invalid_uuid(text: &str) -> Fault {
    Fault::new(400, &format!("Invalid UUID {text:?}."))
        .detail(format!("invalid UUID length: {}", text.len()))
}

fn wants_deleted(request: &Request) -> bool {
    request
        .query_value("include_deleted")
        .is_some_and(|value| value == "true" || value == "1")
}

/// `GET /workspaces/{id}`
pub fn read(world: &World, caller: &Caller, id: &str, request: &Request) -> Result<Reply, Fault> {
    let workspace = &world.workspaces[find(world, caller, id)?];
    if workspace.deleted && !wants_deleted(request) {
        let message = format!(
            "Workspace {:?} was deleted, you can view this workspace by specifying '?deleted=true' and trying again.",
            workspace.id
        );
        return Err(Fault::new(410, &message));
    }
    Ok(Reply::json(200, &json::workspace(world, workspace)))
}

/// `GET /users/{user}/workspace/{name}`
pub fn read_by_name(
    world: &World,
    caller: &Caller,
    user: &str,
    name: &str,
    request: &Request,
) -> Result<Reply, Fault> {
    let owner = &users::find(world, caller, user)?.id;
    let is_meant = |workspace: &&Workspace| {
        workspace.owner == *owner && workspace.name.eq_ignore_ascii_case(name)
    };
    let mut named = world
        .workspaces
        .iter()
        .filter(is_meant)
        .filter(|_| caller.sees_workspaces_of(owner));
    let alive = named.clone().find(|workspace| !workspace.deleted);
    let found = alive.or_else(|| {
        if wants_deleted(request) {
            named.next_back()
        } else {
            None
        }
    });
    let workspace = found.ok_or_else(Fault::not_found)?;
    Ok(Reply::json(200, &json::workspace(world, workspace)))
}

#[derive(Deserialize)]
struct WorkspaceBody {
    template_id: Option<Uuid>,
    template_version_id: Option<Uuid>,
    name: Option<String>,
    ttl_ms: Option<i64>,
    rich_parameter_values: Option<Vec<ParameterBody>>,
}

#[derive(Deserialize)]
struct ParameterBody {
    #[serde(default)]
    name: String,
    #[serde(default)]
    value: String,
}

/// `POST /users/{user}/workspaces`, and its alias below the organization
pub fn create(
    world: &mut World,
    caller: &Caller,
    user: &str,
    request: &Request,
) -> Result<Reply, Fault> {
    let owner = users::find(world, caller, user)?.id.clone();
    world.note(caller, "create workspace", &owner);
    let wish = read_wish(world, request)?;
    let template = world
        .template(&wish.template)
        .ok_or_else(Fault::not_found)?;
    if !caller.creates_workspaces_of(&owner, world) {
        let detail = "You are unable to create a workspace in this organization. It is possible to have access to the \
                      template, but not be able to create a workspace. Please contact an administrator about your \
                      permissions if you feel this is an error.";
        return Err(Fault::new(403, "Unauthorized to create workspace.").detail(detail));
    }
    check_template(template, caller, world.version)?;
    check_time_to_live(wish.ttl_ms)?;
    let default_ttl = template.default_ttl_ms;
    let name = &wish.name;
    if world
        .workspaces_of(&owner)
        .any(|workspace| workspace.name.eq_ignore_ascii_case(name))
    {
        let fault = Fault::new(409, &format!("Workspace {name:?} already exists."));
        return Err(fault.field("name", "This value is already in use and should be unique."));
    }
    if let Some(template) = world.template(&wish.template) {
        templates::check_build(template, &wish.parameters)?;
    }
    let at = add(world, &owner, name, &caller.id);
    world.workspaces[at].template = wish.template;
    let ttl = wish.ttl_ms.filter(|ttl| *ttl != 0).unwrap_or(default_ttl);
    world.workspaces[at].ttl_ms = (ttl != 0).then_some(ttl / 60_000 * 60_000);
    world.workspaces[at].parameters = wish.parameters;
    let made = json::new_workspace(world, &world.workspaces[at]);
    Ok(Reply::json(201, &made))
}

/// A workspace as asked for.
struct WorkspaceWish {
    name: String,
    /// The id of a template that exists.
    template: String,
    ttl_ms: Option<i64>,
    parameters: Vec<(String, String)>,
}

/// What the template says to a new workspace. The sign-in to other services is asked for by the newest release
/// only; before, it was up to the client.
fn check_template(template: &Template, caller: &Caller, version: Version) -> Result<(), Fault> {
    if !template.is_for(caller) {
        let message = format!(
            "Unauthorized access to use the template {:?}.",
            template.name
        );
        let detail = "Although you are able to view the template, you are unable to create a workspace using it. Please \
                      contact an administrator about your permissions if you feel this is an error.";
        return Err(Fault::new(403, &message).detail(detail));
    }
    if !template.deprecated.is_empty() {
        let message = format!(
            "Template {:?} has been deprecated, and cannot be used to create a new workspace.",
            template.name
        );
        return Err(Fault::new(400, &message).detail(template.deprecated.as_str()));
    }
    let needed = template
        .external_auth
        .iter()
        .filter(|(_, optional)| !optional);
    let needed: Vec<&str> = needed.map(|(id, _)| id.as_str()).collect();
    if version < Version::Newest || needed.is_empty() {
        return Ok(());
    }
    let message = "External authentication is required to create a workspace with this template.";
    let detail = format!(
        "The workspace owner must authenticate with the following external auth providers: {}.",
        needed.join(", ")
    );
    let fault = Fault::new(403, message).detail(detail);
    Err(needed
        .iter()
        .fold(fault, |fault, id| fault.field("external_auth", *id)))
}

fn check_time_to_live(ttl_ms: Option<i64>) -> Result<(), Fault> {
    let detail = match ttl_ms {
        None | Some(0) => return Ok(()),
        Some(ttl) if ttl < 60_000 => "time until shutdown must be at least one minute",
        Some(ttl) if ttl > 30 * 86_400_000 => "time until shutdown must be less than 30 days",
        Some(_) => return Ok(()),
    };
    Err(Fault::new(400, "Invalid Workspace Time to Shutdown.").field("ttl_ms", detail))
}

/// Checks what is asked for: its fields, and that the template exists.
fn read_wish(world: &World, request: &Request) -> Result<WorkspaceWish, Fault> {
    let body: WorkspaceBody = read_body(request)?;
    let name = body.name.unwrap_or_default();
    let (template, version) = (body.template_id, body.template_version_id);
    let one = template.is_some() != version.is_some();
    let tag = if template.is_some() {
        "excluded_with"
    } else {
        "required_without"
    };
    Check::default()
        .that(one, "template_id", tag, NIL_UUID)
        .that(one, "template_version_id", tag, NIL_UUID)
        .that(is_username(&name), "name", "workspace_name", &name)
        .done()?;
    let asked = template.or(version).map_or_else(String::new, |Uuid(id)| id);
    let known = world
        .templates
        .iter()
        .find(|template| template.id == asked || template.version == asked);
    let template = known.ok_or_else(|| {
        Fault::new(400, &format!("Template {asked:?} doesn't exist."))
            .field("template_id", "template not found")
    })?;
    if template.deleted {
        let message = format!("Template {:?} has been deleted!", template.name);
        return Err(Fault::new(404, &message));
    }
    let values = body.rich_parameter_values.unwrap_or_default();
    Ok(WorkspaceWish {
        name,
        template: template.id.clone(),
        ttl_ms: body.ttl_ms,
        parameters: values
            .into_iter()
            .map(|one| (one.name, one.value))
            .collect(),
    })
}

/// A new workspace whose first start is queued.
pub fn add(world: &mut World, owner: &str, name: &str, initiator: &str) -> usize {
    let now = Instant::now();
    world.workspaces.push(Workspace {
        id: random::uuid(),
        name: name.to_owned(),
        owner: owner.to_owned(),
        template: world.templates[0].id.clone(),
        ttl_ms: None,
        parameters: Vec::new(),
        created: now,
        last_used: now,
        dormant: None,
        deleted: false,
        builds: Vec::new(),
    });
    let at = world.workspaces.len() - 1;
    world.add_build(at, Transition::Start, initiator, "initiator");
    at
}

//! Templates: found by all, changed by nobody.

use serde_json::{Value, json};

use super::super::clock::rfc3339;
use super::super::random::{self, parse_uuid};
use super::super::server::{Reply, Request};
use super::fault::Fault;
use super::login;
use super::search::Search;
use super::workspaces;
use super::world::{Version, World};

/// What a workspace is made of.
pub struct Template {
    pub id: String,
    pub name: String,
    /// The id of the active version.
    pub version: String,
}

impl Template {
    /// A new template with its first version.
    pub fn new(name: &str) -> Self {
        Self {
            id: random::uuid(),
            name: name.to_owned(),
            version: random::uuid(),
        }
    }
}

const KEYS: [&str; 6] = [
    "organization",
    "exact_name",
    "name",
    "deprecated",
    "author",
    "deleted",
];

/// `GET /templates`: sorted by name.
pub fn list(world: &World, request: &Request) -> Result<Reply, Fault> {
    let search = Search::parse(request, "template", &KEYS)?;
    let fits = |template: &&Template| {
        let exact = search.term("exact_name");
        exact.is_none_or(|name| template.name.eq_ignore_ascii_case(name))
            && search
                .term("name")
                .is_none_or(|part| template.name.contains(part))
            && search.words.iter().all(|word| template.name.contains(word))
    };
    let mut rows: Vec<&Template> = world.templates.iter().filter(fits).collect();
    rows.sort_by_key(|template| &template.name);
    let rows: Vec<Value> = rows
        .into_iter()
        .map(|template| to_json(world, template))
        .collect();
    Ok(Reply::json(200, &json!(rows)))
}

/// `GET /organizations/{organization}/templates/{name}`
pub fn by_name(world: &World, organization: &str, name: &str) -> Result<Reply, Fault> {
    login::organization(world, organization)?;
    let found = world
        .templates
        .iter()
        .find(|template| template.name.eq_ignore_ascii_case(name));
    let template = found.ok_or_else(Fault::not_found)?;
    Ok(Reply::json(200, &to_json(world, template)))
}

/// `GET /templateversions/{id}/rich-parameters`: no template here asks for any.
pub fn parameters(world: &World, version: &str) -> Result<Reply, Fault> {
    let id = parse_uuid(version).ok_or_else(|| workspaces::invalid_uuid(version))?;
    match world.templates.iter().any(|known| known.version == id) {
        true => Ok(Reply::json(200, &json!([]))),
        false => Err(Fault::not_found()),
    }
}

fn to_json(world: &World, template: &Template) -> Value {
    let made = rfc3339(world.date(world.since));
    let times = json!({ "P50": null, "P95": null });
    let running = world
        .workspaces
        .iter()
        .filter(|workspace| !workspace.deleted && workspace.template == template.id);
    let mut body = json!({
        "id": template.id,
        "created_at": made,
        "updated_at": made,
        "organization_id": world.organization,
        "organization_name": "coder",
        "organization_display_name": "Coder",
        "organization_icon": "",
        "name": template.name,
        "display_name": "",
        "provisioner": "terraform",
        "active_version_id": template.version,
        "active_user_count": running.count(),
        "build_time_stats": { "delete": times, "start": times, "stop": times },
        "description": "",
        "deprecated": false,
        "deprecation_message": "",
        "icon": "",
        "default_ttl_ms": 0,
        "activity_bump_ms": 3_600_000,
        "autostop_requirement": { "days_of_week": [], "weeks": 1 },
        "autostart_requirement": { "days_of_week": ["monday", "tuesday", "wednesday", "thursday", "friday"] },
        "created_by_id": world.admin,
        "created_by_name": world.username(&world.admin),
        "allow_user_autostart": true,
        "allow_user_autostop": true,
        "allow_user_cancel_workspace_jobs": false,
        "failure_ttl_ms": 0,
        "time_til_dormant_ms": 0,
        "time_til_dormant_autodelete_ms": 0,
        "require_active_version": false,
        "max_port_share_level": "public",
        "use_classic_parameter_flow": world.version <= Version::V2_24,
    });
    if world.version >= Version::V2_29 {
        body["cors_behavior"] = json!("simple");
    }
    if world.version == Version::V2_29 {
        body["use_terraform_workspace_cache"] = json!(false);
    }
    if world.version >= Version::V2_31 {
        body["deleted"] = json!(false);
        body["disable_module_cache"] = json!(false);
    }
    body
}

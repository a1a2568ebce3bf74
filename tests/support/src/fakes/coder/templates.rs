//! Templates: found by those who may use them, changed by nobody. What is not recorded follows the source:
//! `coderd/templates.go`, `coderd/templateversions.go`, `codersdk/templateversions.go`.

use serde_json::{Value, json};

use super::super::clock::rfc3339;
use super::super::random::{self, parse_uuid};
use super::super::server::{Reply, Request};
use super::auth::Caller;
use super::fault::Fault;
use super::fields::NIL_UUID;
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
    /// Why no new workspaces are made of it; empty = they are.
    pub deprecated: String,
    pub deleted: bool,
    /// Whether members may neither see nor use it.
    pub for_admins: bool,
    pub parameters: Vec<Parameter>,
    /// Services that its workspaces' owners sign in to; whether that is optional.
    pub external_auth: Vec<(String, bool)>,
    /// The state of the import of its active version: `succeeded`, `running`, `failed` ...
    pub import: &'static str,
    /// How long its workspaces run after a start; 0 = without end.
    pub default_ttl_ms: i64,
}

/// A parameter of a template. One that is required has no default.
#[derive(Clone)]
pub struct Parameter {
    pub name: String,
    pub required: bool,
    /// The values that it may have; empty = any.
    pub options: Vec<String>,
}

impl Template {
    /// A new template with its first version.
    pub fn new(name: &str) -> Self {
        Self {
            id: random::uuid(),
            name: name.to_owned(),
            version: random::uuid(),
            deprecated: String::new(),
            deleted: false,
            for_admins: false,
            parameters: Vec::new(),
            external_auth: Vec::new(),
            import: "succeeded",
            default_ttl_ms: 0,
        }
    }

    /// Whether the caller may see it and make workspaces of it.
    pub fn is_for(&self, caller: &Caller) -> bool {
        !self.for_admins || caller.manages_templates()
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
pub fn list(world: &World, caller: &Caller, request: &Request) -> Result<Reply, Fault> {
    let search = Search::parse(request, "template", &KEYS)?;
    let fits = |template: &&Template| {
        let exact = search.term("exact_name");
        !template.deleted
            && template.is_for(caller)
            && exact.is_none_or(|name| template.name.eq_ignore_ascii_case(name))
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
pub fn by_name(
    world: &World,
    caller: &Caller,
    organization: &str,
    name: &str,
) -> Result<Reply, Fault> {
    login::organization(world, organization)?;
    let found = world.templates.iter().find(|template| {
        !template.deleted && template.is_for(caller) && template.name.eq_ignore_ascii_case(name)
    });
    let template = found.ok_or_else(Fault::not_found)?;
    Ok(Reply::json(200, &to_json(world, template)))
}

/// `GET /templates/{id}`
pub fn by_id(world: &World, caller: &Caller, id: &str) -> Result<Reply, Fault> {
    let id = parse_uuid(id).ok_or_else(|| workspaces::invalid_uuid(id))?;
    let found = world.template(&id);
    let template = found.filter(|template| !template.deleted && template.is_for(caller));
    let template = template.ok_or_else(Fault::not_found)?;
    Ok(Reply::json(200, &to_json(world, template)))
}

/// The template with this version.
fn of_version<'a>(world: &'a World, caller: &Caller, version: &str) -> Result<&'a Template, Fault> {
    let id = parse_uuid(version).ok_or_else(|| workspaces::invalid_uuid(version))?;
    let mut all = world.templates.iter();
    let found = all.find(|known| known.version == id && known.is_for(caller));
    found.ok_or_else(Fault::not_found)
}

/// `GET /templateversions/{id}`
pub fn version(world: &World, caller: &Caller, version: &str) -> Result<Reply, Fault> {
    let template = of_version(world, caller, version)?;
    let made = rfc3339(world.date(world.since));
    let mut job = json!({ "id": NIL_UUID, "created_at": made, "status": template.import,
        "file_id": NIL_UUID, "tags": {}, "type": "template_version_import" });
    if template.import == "failed" {
        job["error"] = json!("terraform plan: exit status 1");
    }
    let body = json!({ "id": template.version, "template_id": template.id,
        "organization_id": world.organization, "created_at": made, "updated_at": made,
        "name": "first", "message": "", "job": job, "readme": "", "archived": false });
    Ok(Reply::json(200, &body))
}

/// `GET /templateversions/{id}/external-auth`: as far as the caller itself has signed in, which nobody here has.
pub fn external_auth(world: &World, caller: &Caller, version: &str) -> Result<Reply, Fault> {
    let template = of_version(world, caller, version)?;
    let one = |(id, optional): &(String, bool)| {
        json!({ "id": id, "type": id, "display_name": "", "display_icon": "",
            "authenticate_url": format!("/external-auth/{id}"), "authenticated": false,
            "optional": optional })
    };
    let all: Vec<Value> = template.external_auth.iter().map(one).collect();
    Ok(Reply::json(200, &json!(all)))
}

/// `GET /templateversions/{id}/rich-parameters`
pub fn parameters(world: &World, caller: &Caller, version: &str) -> Result<Reply, Fault> {
    let template = of_version(world, caller, version)?;
    let one = |parameter: &Parameter| {
        let option = |value: &String| json!({ "name": value, "description": "", "value": value, "icon": "" });
        let options: Vec<Value> = parameter.options.iter().map(option).collect();
        json!({ "name": parameter.name, "description": "", "description_plaintext": "",
            "type": "string", "form_type": "input", "mutable": false, "default_value": "",
            "icon": "", "options": options, "required": parameter.required, "ephemeral": false })
    };
    let all: Vec<Value> = template.parameters.iter().map(one).collect();
    Ok(Reply::json(200, &json!(all)))
}

/// Whether a workspace can be built with these values: the version is imported, and every parameter has a
/// value that it may have. A value of an unknown parameter is let through. Source:
/// `coderd/wsbuilder/wsbuilder.go`.
pub fn check_build(template: &Template, values: &[(String, String)]) -> Result<(), Fault> {
    match template.import {
        "succeeded" => {}
        "pending" | "running" => {
            let message = format!(
                "The provided template version is {}. Wait for it to complete importing!",
                template.import
            );
            return Err(Fault::new(406, &message).detail(message));
        }
        _ => {
            let message = "The provided template version \"first\" has failed to import: \"terraform plan: exit status 1\". You cannot build workspaces with it!";
            return Err(Fault::new(400, message).detail(message));
        }
    }
    for parameter in &template.parameters {
        let value = values.iter().find(|(name, _)| *name == parameter.name);
        let detail = match value {
            None if parameter.required => "parameter is required",
            Some((_, value))
                if !parameter.options.is_empty() && !parameter.options.contains(value) =>
            {
                "parameter value must match one of options"
            }
            _ => continue,
        };
        let message = format!("Unable to validate parameter {:?}", parameter.name);
        return Err(Fault::new(400, &message).detail(detail));
    }
    Ok(())
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
        "deprecated": !template.deprecated.is_empty(),
        "deprecation_message": template.deprecated,
        "icon": "",
        "default_ttl_ms": template.default_ttl_ms,
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

//! What an owner or an organization's admin gives to users: roles.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::clock::rfc3339;
use super::super::server::{Reply, Request};
use super::auth::Caller;
use super::fault::Fault;
use super::fields::read_body;
use super::login;
use super::users;
use super::world::{Role, Version, World};

#[derive(Deserialize)]
struct RolesBody {
    #[serde(default)]
    roles: Vec<String>,
}

/// Of the roles asked for, those of the site or those of the organization.
fn read_roles(request: &Request, of_site: bool) -> Result<Vec<Role>, Fault> {
    let body: RolesBody = read_body(request)?;
    let known = |word: &String| {
        let role = Role::of(word).filter(|role| role.is_of_site() == of_site);
        role.ok_or_else(|| {
            Fault::new(400, "One or more role names are invalid")
                .detail(format!("role {word:?} not found"))
        })
    };
    body.roles.iter().map(known).collect()
}

/// `PUT /users/{user}/roles`: the user has these roles of the site from now on, and no others.
pub fn set_of_site(
    world: &mut World,
    caller: &Caller,
    text: &str,
    request: &Request,
) -> Result<Reply, Fault> {
    let id = users::find(world, caller, text)?.id.clone();
    world.note(caller, "set roles", &id);
    if id == caller.id {
        return Err(Fault::new(400, "You cannot change your own roles."));
    }
    if !caller.is_owner() {
        return Err(Fault::forbidden());
    }
    let wanted = read_roles(request, true)?;
    let user = users::user_mut(world, &id);
    user.roles.retain(|role| !role.is_of_site());
    user.roles.extend(wanted);
    users::read(world, caller, &id)
}

/// `PUT /organizations/{organization}/members/{user}/roles`: as [`set_of_site`], in the organization.
pub fn set_in_organization(
    world: &mut World,
    caller: &Caller,
    (organization, text): (&str, &str),
    request: &Request,
) -> Result<Reply, Fault> {
    login::organization(world, organization)?;
    let id = users::find(world, caller, text)?.id.clone();
    world.note(caller, "set roles", &id);
    if id == caller.id {
        return Err(Fault::new(
            400,
            "You cannot change your own organization roles.",
        ));
    }
    if !caller.manages_workspaces_of("") {
        return Err(Fault::forbidden());
    }
    let wanted = read_roles(request, false)?;
    let user = users::user_mut(world, &id);
    user.roles.retain(|role| role.is_of_site());
    user.roles.extend(wanted);
    let user = users::find(world, caller, &id)?;
    let roles: Vec<Value> = user
        .roles
        .iter()
        .filter(|role| !role.is_of_site())
        .map(|role| json!({ "name": role.word(), "display_name": role.title() }))
        .collect();
    let member = json!({
        "user_id": user.id,
        "organization_id": world.organization,
        "created_at": rfc3339(world.date(user.created)),
        "updated_at": rfc3339(world.date(user.updated)),
        "roles": roles,
    });
    Ok(Reply::json(200, &member))
}

/// `GET /users/roles`: what there is to give.
pub fn list(world: &World, caller: &Caller) -> Reply {
    let entry = |role: Role| {
        let permission = json!({ "negate": false, "resource_type": "user", "action": "read" });
        let mut body = json!({
            "name": role.word(),
            "display_name": role.title(),
            "site_permissions": [permission],
            "organization_permissions": [],
            "user_permissions": [],
            "assignable": caller.is_owner(),
            "built_in": true,
        });
        if world.version >= Version::V2_29 {
            body["organization_member_permissions"] = json!([]);
        }
        body
    };
    let all = [Role::Owner, Role::UserAdmin, Role::TemplateAdmin];
    Reply::json(200, &json!(all.map(entry)))
}

/// `PUT /users/{user}/notifications/preferences`
pub fn set_notifications(
    world: &mut World,
    caller: &Caller,
    text: &str,
    request: &Request,
) -> Result<Reply, Fault> {
    #[derive(Deserialize)]
    struct Preferences {
        #[serde(default)]
        template_disabled_map: std::collections::BTreeMap<String, bool>,
    }
    let id = users::find(world, caller, text)?.id.clone();
    world.note(caller, "set notifications", &id);
    let wanted: Preferences = read_body(request)?;
    if id != caller.id && !caller.is_owner() {
        let message = "Failed to update user notifications preferences.";
        return Err(Fault::new(500, message).detail("unauthorized: rbac: forbidden"));
    }
    let now = rfc3339(world.now());
    let rows: Vec<Value> = wanted
        .template_disabled_map
        .iter()
        .map(|(id, disabled)| json!({ "id": id, "disabled": disabled, "updated_at": now }))
        .collect();
    Ok(Reply::json(200, &json!(rows)))
}

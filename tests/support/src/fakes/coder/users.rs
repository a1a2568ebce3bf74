//! Finding, changing and deleting users.

use std::time::Instant;

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::clock;
use super::super::random::parse_uuid;
use super::super::server::{Reply, Request};
use super::auth::Caller;
use super::fault::Fault;
use super::fields::{Check, is_real_name, is_username, read_body};
use super::json;
use super::password;
use super::search::{Paging, Search};
use super::world::{Role, Status, User, Version, World};

/// The user that a path means: `me`, an id (deleted users too), or a name (never a deleted user).
pub fn find<'a>(world: &'a World, caller: &Caller, text: &str) -> Result<&'a User, Fault> {
    let found = match parse_uuid(text) {
        _ if text == "me" => world.by_id(&caller.id),
        Some(id) => world.by_id(&id),
        None => world.by_name(text),
    };
    found
        .filter(|user| caller.sees_user(&user.id))
        .ok_or_else(|| match world.version {
            Version::V2_31 | Version::Newest => Fault::not_found(),
            _ => Fault::new(400, "\"user\" must be an existing uuid or username.")
                .detail(format!("queried user={text:?}")),
        })
}

/// `GET /users/{user}`
pub fn read(world: &World, caller: &Caller, text: &str) -> Result<Reply, Fault> {
    let user = find(world, caller, text)?;
    Ok(Reply::json(200, &json::user(world, user)))
}

/// Finds the user that a call is going to change, and notes the attempt.
fn target(world: &mut World, caller: &Caller, text: &str, what: &str) -> Result<String, Fault> {
    let id = find(world, caller, text)?.id.clone();
    world.note(caller, what, &id);
    Ok(id)
}

pub fn user_mut<'a>(world: &'a mut World, id: &str) -> &'a mut User {
    world
        .users
        .iter_mut()
        .find(|user| user.id == id)
        .expect("rows are never removed")
}

/// `PUT /users/{user}/status/suspend` and `.../activate`
pub fn set_status(
    world: &mut World,
    caller: &Caller,
    text: &str,
    suspend: bool,
) -> Result<Reply, Fault> {
    let id = target(
        world,
        caller,
        text,
        if suspend {
            "suspend user"
        } else {
            "activate user"
        },
    )?;
    let user = user_mut(world, &id);
    if !caller.manages_users() {
        return Err(Fault::not_found());
    }
    if suspend && id == caller.id {
        return Err(Fault::new(400, "You cannot suspend yourself."));
    }
    if suspend && user.is(Role::Owner) {
        let message =
            "You cannot suspend a user with the \"owner\" role. You must remove the role first.";
        return Err(Fault::new(400, message));
    }
    user.suspend(suspend);
    read(world, caller, &id)
}

#[derive(Deserialize)]
struct NewPasswordBody {
    password: Option<String>,
    old_password: Option<String>,
}

/// `PUT /users/{user}/password`
pub fn set_password(
    world: &mut World,
    caller: &Caller,
    text: &str,
    request: &Request,
) -> Result<Reply, Fault> {
    let version = world.version;
    let id = target(world, caller, text, "set password")?;
    let user = user_mut(world, &id);
    if !caller.manages_users() && user.id != caller.id {
        return Err(Fault::not_found());
    }
    let guards_owners = matches!(version, Version::V2_29 | Version::Newest);
    if guards_owners && user.id != caller.id && user.is(Role::Owner) && !caller.is_owner() {
        return Err(Fault::new(
            400,
            "Only owners can change the password of an owner.",
        ));
    }
    let body: NewPasswordBody = read_body(request)?;
    let (new, old) = (
        body.password.unwrap_or_default(),
        body.old_password.unwrap_or_default(),
    );
    check_new_password(user, caller, &new, &old)?;
    // The server writes the password and deletes the user's keys in one transaction; the second part may be forbidden.
    if !caller.sets_password_of(&id, version) {
        let detail =
            "execute transaction: delete api keys by user ID: unauthorized: rbac: forbidden";
        return Err(Fault::new(500, "Internal error updating user's password.").detail(detail));
    }
    user.takes_password(&new);
    user.updated = Instant::now();
    world.keys.retain(|key| key.user != id);
    Ok(Reply::empty(204))
}

/// Refuses a password that the server does not take for this user.
fn check_new_password(user: &User, caller: &Caller, new: &str, old: &str) -> Result<(), Fault> {
    Check::default()
        .that(!new.is_empty(), "password", "required", "")
        .done()?;
    if user.login_type != "password" {
        return Err(Fault::new(
            400,
            "Users without password login type cannot change their password.",
        ));
    }
    if user.id == caller.id && old.is_empty() {
        return Err(Fault::new(400, "Old password is required."));
    }
    password::validate(new)
        .map_err(|detail| Fault::new(400, "Invalid password.").field("password", detail))?;
    if !old.is_empty() && user.password != old {
        return Err(Fault::new(400, "Old password is incorrect.")
            .field("old_password", "Old password is incorrect."));
    }
    if user.password == new {
        return Err(Fault::new(400, "New password cannot match old password."));
    }
    Ok(())
}

#[derive(Deserialize)]
struct ProfileBody {
    username: Option<String>,
    name: Option<String>,
}

/// `PUT /users/{user}/profile`
pub fn set_profile(
    world: &mut World,
    caller: &Caller,
    text: &str,
    request: &Request,
) -> Result<Reply, Fault> {
    let id = target(world, caller, text, "set profile")?;
    let own = id == caller.id && world.version <= Version::V2_25;
    if !caller.manages_users() && !own {
        return Err(Fault::not_found());
    }
    let body: ProfileBody = read_body(request)?;
    let (username, name) = (
        body.username.unwrap_or_default(),
        body.name.unwrap_or_default(),
    );
    Check::default()
        .that(!username.is_empty(), "username", "required", "")
        .that(is_username(&username), "username", "username", &username)
        .that(is_real_name(&name), "name", "user_real_name", &name)
        .done()?;
    if world.by_name(&username).is_some_and(|other| other.id != id) {
        let fault = Fault::new(409, "A user with this username already exists.");
        return Err(fault.field("username", "This username is already in use."));
    }
    let user = user_mut(world, &id);
    (user.username, user.name, user.updated) = (username, name, Instant::now());
    read(world, caller, &id)
}

/// `DELETE /users/{user}`: the row stays, marked as deleted; name and address are free again.
pub fn delete(world: &mut World, caller: &Caller, text: &str) -> Result<Reply, Fault> {
    let id = target(world, caller, text, "delete user")?;
    if id == caller.id {
        return Err(Fault::new(403, "You cannot delete yourself!"));
    }
    let counts = !world.version.counts_seen_workspaces_only() || caller.sees_workspaces_of(&id);
    if counts && world.workspaces_of(&id).next().is_some() {
        let message =
            "You cannot delete a user that has workspaces. Delete their workspaces and try again!";
        return Err(Fault::new(417, message));
    }
    if !caller.manages_users() {
        return Err(Fault::forbidden());
    }
    world.delete_user(&id);
    world.note(caller, "deleted user", &id);
    Ok(Reply::json(
        200,
        &json!({ "message": "User has been deleted!" }),
    ))
}

const KEYS: [&str; 7] = [
    "status",
    "role",
    "login_type",
    "last_seen_before",
    "last_seen_after",
    "created_before",
    "created_after",
];
const NEWER_KEYS: [&str; 3] = ["name", "github_com_user_id", "service_account"];

/// `GET /users`: never the deleted ones, sorted by name.
pub fn list(world: &World, caller: &Caller, request: &Request) -> Result<Reply, Fault> {
    let newer = match world.version {
        Version::Newest => &NEWER_KEYS[..],
        Version::V2_31 => &NEWER_KEYS[..2],
        _ => &[],
    };
    let known: Vec<&str> = KEYS.iter().chain(newer).copied().collect();
    let search = Search::parse(request, "user", &known)?;
    if search.words.len() > 1 && world.version < Version::V2_29 {
        let detail = "Query param \"search\" provided more than once, found 2 times";
        return Err(Fault::new(400, "Invalid user search query.").field("search", detail));
    }
    let statuses = search
        .term("status")
        .map(|list| list.split(',').map(Status::of).collect::<Option<Vec<_>>>());
    if statuses.as_ref().is_some_and(Option::is_none) {
        let detail = "Query param \"status\" has invalid values";
        return Err(Fault::new(400, "Invalid user search query.").field("status", detail));
    }
    let paging = Paging::parse(request)?;
    let is_wanted =
        |user: &&User| !user.deleted && caller.sees_user(&user.id) && fits(world, user, &search);
    let mut rows: Vec<&User> = world.users.iter().filter(is_wanted).collect();
    rows.sort_by_key(|user| user.username.to_lowercase());
    if let Some(after) = &paging.after_id {
        let cursor = world.by_id(after).map(|user| user.username.to_lowercase());
        rows.retain(|user| {
            cursor
                .as_ref()
                .is_some_and(|cursor| user.username.to_lowercase() > *cursor)
        });
    }
    let count = rows.len();
    let page: Vec<Value> = paging
        .cut(rows)
        .into_iter()
        .map(|user| json::user(world, user))
        .collect();
    // The total travels with the rows: a page past the end has none.
    let count = if page.is_empty() { 0 } else { count };
    Ok(Reply::json(200, &json!({ "users": page, "count": count })))
}

fn fits(world: &World, user: &User, search: &Search) -> bool {
    let has = |text: &str, part: &str| text.to_lowercase().contains(part);
    let words = search.words.join(" ");
    let listed = |list: &str, word: &str| list.split(',').any(|item| item == word);
    let later =
        |at: Option<Instant>, limit: &str| at.map(|at| world.date(at)) > clock::parse(limit);
    let term_fits = |(key, value): &(String, String)| match key.as_str() {
        "status" => listed(value, user.status.word()),
        "login_type" => listed(value, user.login_type),
        "role" => match value.as_str() {
            "member" => true,
            word => Role::of(word).is_some_and(|role| user.is(role)),
        },
        "name" => has(&user.name, value),
        "created_after" => later(Some(user.created), value),
        "created_before" => !later(Some(user.created), value),
        "last_seen_after" => later(user.last_seen, value),
        "last_seen_before" => !later(user.last_seen, value),
        "service_account" => value == "false",
        _ => false,
    };
    (has(&user.username, &words) || has(&user.email, &words)) && search.terms.iter().all(term_fits)
}

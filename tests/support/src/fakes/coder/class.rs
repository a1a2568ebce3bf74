//! What a deployment tells of itself: roles to assign, mails.
//!
//! Source: `coderd/roles.go`, `coderd/notifications.go`, `coderd/deployment.go`.

use serde_json::json;

use super::super::server::Reply;
use super::auth::Caller;
use super::fault::Fault;
use super::world::World;

/// Whether the server sends mails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mails {
    /// It has no mail server.
    Off,
    /// It has one.
    On,
    /// It has one, and an admin has paused notifications.
    Paused,
}

/// `GET /organizations/{organization}/members/roles`: the roles of the organization, and whether the caller may give
/// them to somebody.
pub fn assignable_roles(caller: &Caller) -> Result<Reply, Fault> {
    if !caller.assigns("organization-member") {
        return Err(Fault::not_found());
    }
    let roles = [
        "organization-admin",
        "organization-auditor",
        "organization-template-admin",
        "organization-user-admin",
        "organization-workspace-creation-ban",
        "organization-workspace-access",
        "agents-access",
    ];
    let roles = roles.map(|role| {
        json!({ "name": role, "display_name": role, "assignable": caller.assigns(role), "built_in": true })
    });
    Ok(Reply::json(200, &json!(roles)))
}

/// `GET /notifications/settings`: for everybody with a session.
pub fn notification_settings(world: &World) -> Reply {
    let paused = world.settings.mails == Mails::Paused;
    Reply::json(200, &json!({ "notifier_paused": paused }))
}

/// `GET /deployment/config`: without secrets, for those who may read it.
pub fn deployment_config(world: &World, caller: &Caller) -> Result<Reply, Fault> {
    if !caller.is_owner() {
        return Err(Fault::forbidden());
    }
    let host = match world.settings.mails {
        Mails::Off => "",
        Mails::On | Mails::Paused => "mail.example.org:587",
    };
    let email = json!({ "from": "coder@example.org", "smarthost": host, "hello": "localhost" });
    let body = json!({
        "config": {
            "notifications": { "method": "smtp", "email": { "smarthost": "" } },
            "email": email,
        },
        "options": [],
    });
    Ok(Reply::json(200, &body))
}

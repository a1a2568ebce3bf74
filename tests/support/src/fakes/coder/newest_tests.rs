//! What the newest release does otherwise than the recorded ones, by Coder's source; and what depends on time.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::super::client::Client;
use super::super::clock;
use super::tests::{STRONG, admin, create, wish};
use super::{FakeCoder, Role, Version};

const ANOTHER: &str = "kx7mq2vr9tz";

/// A server with a student, and what its caller may do there.
fn class(version: Version, roles: &[Role]) -> (FakeCoder, Client) {
    let coder = FakeCoder::start_version(version);
    let mut api = admin(&coder);
    assert_eq!(create(&mut api, "happy-tuna").status, 201);
    coder.add_stranger("teacher", "teacher@school.example.org");
    coder.gives_role("teacher", Role::Owner);
    coder.token_roles(roles);
    (coder, api)
}

#[test]
fn a_user_admin_sets_passwords_in_the_newest_release_only() {
    let roles = [Role::UserAdmin, Role::OrganizationAdmin];
    for (version, of_student, of_owner) in [(Version::V2_31, 500, 500), (Version::Newest, 204, 400)]
    {
        let (coder, mut api) = class(version, &roles);
        let mut set = |user: &str, password: &str| {
            let path = format!("/api/v2/users/{user}/password");
            api.json("PUT", &path, &json!({ "password": password }))
                .status
        };
        assert_eq!(set("happy-tuna", STRONG), 400, "it is that already");
        assert_eq!(set("happy-tuna", ANOTHER), of_student, "{version:?}");
        assert_eq!(set("teacher", ANOTHER), of_owner, "{version:?}");
        let works = coder.password_works("happy-tuna@temp.example.com", ANOTHER);
        assert_eq!(works, of_student == 204);
        let check = json!({ "checks": { "keys": { "action": "delete",
            "object": { "resource_type": "api_key", "owner_id": coder.template_id() } } } });
        let told = api.json("POST", "/api/v2/authcheck", &check).json();
        assert_eq!(told["keys"], json!(false), "{version:?}");
    }
}

#[test]
fn a_login_type_of_none_is_refused_by_the_newest_release() {
    for (version, expected) in [(Version::V2_31, 201), (Version::Newest, 400)] {
        let (_coder, mut api) = class(version, &[Role::Owner]);
        let mut body = wish("calm-newt");
        body["login_type"] = json!("none");
        body["password"] = json!("");
        let answer = api.json("POST", "/api/v2/users", &body);
        assert_eq!(answer.status, expected, "{version:?}");
    }
}

#[test]
fn who_cannot_assign_the_default_roles_cannot_create_in_the_newest_release() {
    let user_admin: &[Role] = &[Role::UserAdmin];
    let both: &[Role] = &[Role::UserAdmin, Role::OrganizationAdmin];
    let table = [
        (Version::V2_31, user_admin, "organization-auditor", 201),
        (
            Version::Newest,
            user_admin,
            "organization-workspace-access",
            201,
        ),
        (Version::Newest, user_admin, "agents-access", 201),
        (Version::Newest, user_admin, "organization-auditor", 500),
        (Version::Newest, both, "organization-auditor", 201),
    ];
    for (version, roles, default, expected) in table {
        let (coder, mut api) = class(version, roles);
        coder.default_org_member_roles(&[default]);
        let answer = create(&mut api, "calm-newt");
        assert_eq!(answer.status, expected, "{version:?} {roles:?} {default}");
        let shown =
            api.get("/api/v2/organizations/default").json()["default_org_member_roles"].clone();
        let newest = version == Version::Newest;
        assert_eq!(
            shown,
            if newest {
                json!([default])
            } else {
                Value::Null
            }
        );
    }
}

#[test]
fn a_member_makes_workspaces_only_by_a_role_in_the_newest_release() {
    for (version, default, expected) in [
        (Version::V2_31, "agents-access", 201),
        (Version::Newest, "organization-workspace-access", 201),
        (Version::Newest, "agents-access", 403),
    ] {
        let (coder, _) = class(version, &[Role::Owner]);
        coder.default_org_member_roles(&[default]);
        let login = json!({ "email": "happy-tuna@temp.example.com", "password": STRONG });
        let session = Client::new(&coder.url()).json("POST", "/api/v2/users/login", &login);
        let token = session.json()["session_token"]
            .as_str()
            .expect("a token")
            .to_owned();
        let mut student = Client::new(&coder.url()).token(&token);
        let check = json!({ "checks": { "own": { "action": "create", "object": { "resource_type": "workspace",
            "owner_id": "me", "organization_id": coder.organization_id() } } } });
        let told = student.json("POST", "/api/v2/authcheck", &check).json();
        assert_eq!(told["own"], json!(expected == 201), "{version:?} {default}");
        let wish = json!({ "template_id": coder.template_id(), "name": "dev" });
        let made = student.json("POST", "/api/v2/users/me/workspaces", &wish);
        assert_eq!(made.status, expected, "{version:?} {default}");
    }
}

#[test]
fn use_prolongs_a_token_in_some_releases() {
    for (version, prolongs) in [
        (Version::V2_24, true),
        (Version::V2_25, true),
        (Version::V2_29, false),
        (Version::V2_31, true),
        (Version::Newest, false),
    ] {
        let coder = FakeCoder::start_version(version);
        coder.token_is_older(Duration::from_secs(6 * 86_400));
        let mut api = admin(&coder);
        let id = coder.token().split('-').next().expect("an id").to_owned();
        let key = api.get(&format!("/api/v2/users/me/keys/{id}")).json();
        let date = |name: &str| clock::parse(key[name].as_str().expect("a date")).expect("a date");
        let left = date("expires_at")
            .duration_since(SystemTime::now())
            .expect("it is still good");
        assert_eq!(
            left > Duration::from_secs(2 * 86_400),
            prolongs,
            "{version:?}"
        );
        assert_eq!(key["lifetime_seconds"], json!(7 * 86_400));
        coder.token_is_older(Duration::from_secs(2 * 86_400));
        let status = api.get("/api/v2/users/me").status;
        assert_eq!(status, if prolongs { 200 } else { 401 }, "{version:?}");
    }
}

#[test]
fn the_newest_release_counts_calls_by_user_and_lets_an_owner_pass() {
    for (version, expected) in [(Version::V2_31, 429), (Version::Newest, 200)] {
        let (coder, mut api) = class(version, &[Role::Owner]);
        coder.calls_a_minute(2);
        let last = (0..5).map(|_| api.get("/api/v2/users/me").status).last();
        assert_eq!(last, Some(429));
        let mut passing = api.twin().with("X-Coder-Bypass-Ratelimit", "true");
        assert_eq!(
            passing.get("/api/v2/users/me").status,
            expected,
            "{version:?}"
        );
    }
}

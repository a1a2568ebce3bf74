//! The fake's own rules for workspaces and builds.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::client::{Client, ClientAnswer};
use super::tests::{admin, create};
use super::{FakeCoder, Role, Version};

fn build(api: &mut Client, workspace: &str, body: &Value) -> ClientAnswer {
    api.json(
        "POST",
        &format!("/api/v2/workspaces/{workspace}/builds"),
        body,
    )
}

fn delete() -> Value {
    json!({ "transition": "delete" })
}

fn wait_until(mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !is_so() {
        assert!(Instant::now() < deadline, "it did not happen in time");
        thread::sleep(Duration::from_millis(2));
    }
}

/// A fake with one student who has a running workspace `dev`.
fn lesson(version: Version) -> (FakeCoder, Client, String) {
    let coder = FakeCoder::start_version(version);
    let mut api = admin(&coder);
    create(&mut api, "happy-tuna");
    let id = coder
        .running_workspace("happy-tuna", "dev")
        .expect("a workspace");
    (coder, api, id)
}

#[test]
fn only_q_filters_the_list() {
    let (coder, mut api, id) = lesson(Version::Newest);
    coder.add_stranger("teacher", "teacher@school.example.org");
    coder
        .running_workspace("teacher", "dev-two")
        .expect("a workspace");
    coder.make_dormant("happy-tuna", "dev");
    let mut count =
        |query: &str| api.get(&format!("/api/v2/workspaces?{query}")).json()["count"].as_u64();
    let table = [
        ("", 2),
        ("owner=happy-tuna", 2),
        ("q=owner:HAPPY-TUNA", 1),
        ("q=owner:nobody", 0),
        ("q=owner:me", 0),
        ("q=name:dev", 2),
        ("q=teacher/dev", 1),
        ("q=status:running", 2),
        ("q=status:stopped", 0),
        ("q=dormant:true", 1),
        ("q=owner:teacher&limit=1&offset=1", 1),
    ];
    for (query, expected) in table {
        assert_eq!(count(query), Some(expected), "{query}");
    }
    assert_eq!(count(&format!("q=id:{id}")), Some(1));
    for query in ["q=color:red", "q=status:happy"] {
        assert_eq!(
            api.get(&format!("/api/v2/workspaces?{query}")).message(),
            "Invalid workspace search query."
        );
    }
    assert_eq!(api.get("/api/v2/workspaces/nonsense").status, 400);
    assert_eq!(
        api.get(&format!("/api/v2/workspaces/{}", coder.template_id()))
            .status,
        404
    );
    assert_eq!(
        api.get("/api/v2/users/happy-tuna/workspace/dev").json()["id"],
        json!(id)
    );
}

#[test]
fn failed_deletes_leave_the_workspace_alive() {
    let (coder, mut api, id) = lesson(Version::Newest);
    coder.fail_deletes("happy-tuna", 1);
    build(&mut api, &id, &delete());
    wait_until(|| coder.workspaces_of("happy-tuna")[0].status == "failed");
    assert_eq!(coder.workspaces_of("happy-tuna")[0].transition, "delete");
    build(&mut api, &id, &delete());
    wait_until(|| coder.workspaces_of("happy-tuna").is_empty());
}

#[test]
fn a_user_admin_sees_no_workspaces_and_some_servers_then_orphan_them() {
    for (version, expected) in [(Version::V2_20, 200), (Version::Newest, 417)] {
        let (coder, mut api, id) = lesson(version);
        coder.token_roles(&[Role::UserAdmin]);
        assert_eq!(
            api.get("/api/v2/workspaces?q=owner:happy-tuna").json()["count"],
            0
        );
        assert_eq!(api.get(&format!("/api/v2/workspaces/{id}")).status, 404);
        assert_eq!(build(&mut api, &id, &delete()).status, 404);
        assert_eq!(
            api.send("DELETE", "/api/v2/users/happy-tuna", "", "")
                .expect("an answer")
                .status,
            expected
        );
        coder.token_roles(&[Role::UserAdmin, Role::OrganizationAdmin]);
        assert_eq!(build(&mut api, &id, &delete()).status, 201);
    }
}

#[test]
fn without_provisioners_builds_wait_and_can_be_canceled() {
    let (coder, mut api, id) = lesson(Version::Newest);
    coder.no_provisioners(true);
    let asked = build(&mut api, &id, &delete()).json();
    assert_eq!(asked["matched_provisioners"]["available"], 0);
    let cancel = format!(
        "/api/v2/workspacebuilds/{}/cancel",
        asked["id"].as_str().expect("an id")
    );
    let mut patch = |query: &str| {
        api.send("PATCH", &format!("{cancel}{query}"), "", "")
            .expect("an answer")
            .status
    };
    assert_eq!(
        [patch("?expect_status=running"), patch(""), patch("")],
        [412, 200, 400]
    );
    assert_eq!(coder.workspaces_of("happy-tuna")[0].status, "canceled");
    let orphaned = build(
        &mut api,
        &id,
        &json!({ "transition": "delete", "orphan": true }),
    );
    assert_eq!(
        (orphaned.status, &orphaned.json()["status"]),
        (201, &json!("deleted"))
    );
    assert!(coder.workspaces_of("happy-tuna").is_empty());
}

#[test]
fn a_pending_build_starts_when_provisioners_come_back_or_fails_in_the_end() {
    let (coder, mut api, id) = lesson(Version::Newest);
    coder.build_time(Duration::from_millis(300));
    coder.no_provisioners(true);
    build(&mut api, &id, &delete());
    thread::sleep(Duration::from_millis(80));
    assert_eq!(coder.workspaces_of("happy-tuna")[0].status, "pending");
    coder.no_provisioners(false);
    assert_eq!(coder.workspaces_of("happy-tuna")[0].status, "deleting");
    wait_until(|| coder.workspaces_of("happy-tuna").is_empty());
    coder.no_provisioners(true);
    coder.pending_builds_fail_after(Duration::from_millis(5));
    coder.start_workspace("happy-tuna", "next");
    wait_until(|| coder.workspaces_of("happy-tuna")[0].status == "failed");
}

#[test]
fn a_running_build_is_canceled_after_a_while() {
    let (coder, mut api, id) = lesson(Version::Newest);
    coder.build_time(Duration::from_millis(600));
    let asked = build(&mut api, &id, &json!({ "transition": "stop" })).json();
    wait_until(|| coder.workspaces_of("happy-tuna")[0].status == "stopping");
    let cancel = format!(
        "/api/v2/workspacebuilds/{}/cancel",
        asked["id"].as_str().expect("an id")
    );
    assert_eq!(
        api.send("PATCH", &cancel, "", "")
            .expect("an answer")
            .status,
        200
    );
    assert_eq!(coder.workspaces_of("happy-tuna")[0].status, "canceling");
    wait_until(|| coder.workspaces_of("happy-tuna")[0].status == "canceled");
}

#[test]
fn workspaces_stop_by_themselves() {
    let (coder, _, _) = lesson(Version::Newest);
    coder.auto_stop_after(Duration::from_millis(20));
    wait_until(|| coder.workspaces_of("happy-tuna")[0].status == "stopped");
    assert_eq!(coder.workspaces_of("happy-tuna")[0].builds, 2);
    assert!(coder.start_workspace("happy-tuna", "dev").is_some());
    assert!(
        !coder.stop_workspace("happy-tuna", "dev"),
        "its start is not done"
    );
}

#[test]
fn the_server_stops_what_a_suspended_user_left_running_and_tries_once() {
    let (coder, mut api, id) = lesson(Version::V2_31);
    coder.suspended_workspaces_stop_after(Duration::from_secs(3_600));
    coder.fail_stops("happy-tuna", 1);
    api.send("PUT", "/api/v2/users/happy-tuna/status/suspend", "", "");
    assert_eq!(coder.workspaces_of("happy-tuna")[0].status, "running");
    coder.suspended_workspaces_stop_after(Duration::ZERO);
    wait_until(|| coder.workspaces_of("happy-tuna")[0].status == "failed");
    let left = api.get(&format!("/api/v2/workspaces/{id}")).json()["latest_build"].clone();
    assert_eq!(
        (&left["transition"], &left["reason"], &left["build_number"]),
        (&json!("stop"), &json!("autostop"), &json!(2))
    );
    assert_eq!(
        build(&mut api, &id, &json!({ "transition": "stop" })).status,
        201
    );
    wait_until(|| coder.workspaces_of("happy-tuna")[0].status == "stopped");
}

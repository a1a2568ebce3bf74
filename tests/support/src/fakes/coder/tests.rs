//! The fake's own rules for accounts. Sessions, workspaces and troubles have files of their own.

use std::thread;

use serde_json::{Value, json};

use super::super::client::{Client, ClientAnswer};
use super::{FakeCoder, Version};

const NIL: &str = "00000000-0000-0000-0000-000000000000";
pub const STRONG: &str = "mfq8-r3tn-vk2p";

pub fn admin(coder: &FakeCoder) -> Client {
    Client::new(&coder.url()).token(&coder.token())
}

pub fn wish(name: &str) -> Value {
    json!({ "username": name, "email": format!("{name}@temp.example.com"), "name": "a student", "password": STRONG,
            "login_type": "password", "user_status": "active", "organization_ids": [NIL] })
}

pub fn create(client: &mut Client, name: &str) -> ClientAnswer {
    client.json("POST", "/api/v2/users", &wish(name))
}

pub fn fields(answer: &ClientAnswer) -> Vec<String> {
    let list = answer.json()["validations"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    list.iter()
        .map(|entry| entry["field"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn one_bad_request_shows_only_the_first_class_of_fault() {
    let coder = FakeCoder::start();
    let mut api = admin(&coder);
    create(&mut api, "happy-tuna");
    let stranger = super::super::random::uuid();
    let mut ask = |changes: Value| {
        let mut body = wish("happy-tuna");
        for (name, value) in changes.as_object().expect("an object") {
            body[name] = value.clone();
        }
        let answer = api.json("POST", "/api/v2/users", &body);
        (answer.status, answer.message(), fields(&answer))
    };
    let none = Vec::<String>::new;
    let all_wrong = json!({ "username": "a--b", "email": "x@localhost", "name": " x", "password": "x", "organization_ids": [] });
    assert_eq!(
        ask(all_wrong),
        (
            400,
            "Validation failed.".into(),
            vec!["email".into(), "username".into(), "name".into()]
        )
    );
    assert_eq!(
        ask(json!({ "organization_ids": [], "password": "x" })).2,
        ["organization_ids"]
    );
    assert_eq!(
        ask(json!({ "password": "x" })),
        (409, "User already exists.".into(), none())
    );
    assert_eq!(
        ask(json!({ "username": "other" })).0,
        409,
        "the address is taken"
    );
    let free = json!({ "username": "other", "email": "other@temp.example.com", "password": "x" });
    let mut foreign = free.clone();
    foreign["organization_ids"] = json!([stranger]);
    assert_eq!(ask(foreign).0, 404);
    assert_eq!(
        ask(free),
        (400, "Password is invalid".into(), vec!["password".into()])
    );
    assert_eq!(
        ask(json!({ "organization_ids": ["x"] })).1,
        "Request body must be valid JSON."
    );
}

#[test]
fn rights_are_asked_last_and_a_member_sees_nobody() {
    let coder = FakeCoder::start();
    let mut api = admin(&coder);
    create(&mut api, "happy-tuna");
    coder.token_loses_rights();
    assert_eq!(create(&mut api, "happy-tuna").status, 409);
    assert_eq!(
        create(&mut api, "other").message(),
        "You are not authorized to create users."
    );
    assert_eq!(api.get("/api/v2/users/happy-tuna").status, 404);
    assert_eq!(api.get("/api/v2/users").json()["count"], 1);
}

#[test]
fn two_calls_for_one_name_at_the_same_moment_end_in_a_500_for_one() {
    let coder = FakeCoder::start();
    coder.make_users_at_once(2);
    let call = || {
        thread::spawn({
            let mut api = admin(&coder);
            move || create(&mut api, "happy-tuna")
        })
    };
    let answers = [call(), call()].map(|thread| thread.join().expect("no panic"));
    let mut statuses = answers.each_ref().map(|answer| answer.status);
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 500]);
    let detail = answers
        .iter()
        .find_map(|answer| answer.json()["detail"].as_str().map(str::to_owned));
    assert!(
        detail
            .expect("a detail")
            .contains("duplicate key value violates unique constraint")
    );
}

#[test]
fn older_versions_ignore_what_they_do_not_know() {
    let coder = FakeCoder::start_version(Version::V2_10);
    let mut api = admin(&coder);
    let mut body = wish("happy-tuna");
    body["organization_ids"] = json!([]);
    let created = api.json("POST", "/api/v2/users", &body).json();
    assert_eq!(
        (&created["name"], &created["status"]),
        (&Value::Null, &json!("dormant"))
    );
    assert_eq!(
        api.json(
            "POST",
            "/api/v2/users/validate-password",
            &json!({ "password": STRONG })
        )
        .status,
        404
    );
    body["username"] = json!("other");
    body["email"] = json!("o@x.org");
    body["password"] = json!("");
    body["login_type"] = json!("none");
    assert_eq!(api.json("POST", "/api/v2/users", &body).status, 201);
}

#[test]
fn lists_are_searched_and_paged() {
    let coder = FakeCoder::start();
    let mut api = admin(&coder);
    for name in ["cheerful-otter", "brave-otter", "calm-newt"] {
        create(&mut api, name);
    }
    let mut names = |query: &str| {
        let list = api.get(&format!("/api/v2/users?{query}")).json();
        let users = list["users"].as_array().cloned().unwrap_or_default();
        let names: Vec<String> = users
            .iter()
            .map(|user| user["username"].as_str().unwrap_or_default().to_owned())
            .collect();
        (names, list["count"].clone())
    };
    assert_eq!(
        names(""),
        (
            ["admin", "brave-otter", "calm-newt", "cheerful-otter"]
                .map(str::to_owned)
                .to_vec(),
            json!(4)
        )
    );
    assert_eq!(
        names("q=OTTER&limit=1"),
        (vec!["brave-otter".to_owned()], json!(2))
    );
    assert_eq!(names("q=otter&offset=5"), (vec![], json!(0)));
    assert_eq!(names("q=status:active+role:owner").0, ["admin"]);
    let cursor = coder.user("calm-newt").expect("the user").id;
    assert_eq!(names(&format!("after_id={cursor}")).0, ["cheerful-otter"]);
    assert_eq!(
        api.get("/api/v2/users?q=color:red").message(),
        "Invalid user search query."
    );
    assert_eq!(api.get("/api/v2/users?q=:x").status, 400);
    assert_eq!(
        api.get("/api/v2/users?limit=-1").message(),
        "Query parameters have invalid values."
    );
}

#[test]
fn strangers_are_watched_over() {
    let coder = FakeCoder::start();
    let mut api = admin(&coder);
    let id = coder.add_stranger("teacher", "teacher@school.example.org");
    create(&mut api, "happy-tuna");
    api.get(&format!("/api/v2/users/{id}"));
    api.send("DELETE", "/api/v2/users/happy-tuna", "", "");
    assert_eq!(coder.touched_foreign(), Vec::<String>::new());
    api.json(
        "PUT",
        "/api/v2/users/teacher/password",
        &json!({ "password": "x" }),
    );
    assert_eq!(coder.touched_foreign().len(), 1);
}

//! The fields of `status --json`: all of them are there, and all of them are told.

use super::*;

#[test]
fn scripts_get_every_field() {
    let class = sleepy();
    let names = every_state(&class);
    let told = class.tells(&["status", "--json"]);
    assert_eq!(told["service_running"], false);
    assert_eq!(told["coder_asked"], true);
    assert!(told["coder_error"].is_null());
    assert_eq!(told["waiting_texts"]["count"], 0);
    assert_eq!(told["dead_letters"].as_array().unwrap().len(), 0);
    let counts = serde_json::json!({
        "accounts": 40, "with_login": 35, "not_delivered": 0, "overdue": 3, "seats": 500, "seats_left": 460,
        "spares": { "wanted": 0, "ready": 0, "building": 0, "troubled": 0 },
        "turned_away": 0, "waiting_texts": 0, "dead_letters": 0,
        "states": {
            "being removed": 1, "ended": 1, "has a login": 34, "login being sent": 1,
            "new login being sent": 1, "time is up": 1, "waiting for Coder": 1,
        },
    });
    assert_eq!(told["counts"], counts);
    assert_eq!(told["service_well"], false);
    assert!(told["service_error"].is_null());
    let students = told["accounts"].as_array().unwrap();
    assert_eq!(students.len(), CLASS);
    for (number, student) in students.iter().enumerate() {
        assert_eq!(student["username"], names[number].as_str());
        assert_eq!(
            student["state"],
            *STATES.get(number).unwrap_or(&"has a login")
        );
        assert_eq!(student["overdue"], [4, 6, 7].contains(&number));
        assert_eq!(student["at_coder"], true);
        for field in [
            "stage",
            "registered_at",
            "login_at",
            "delivery",
            "delivery_code",
            "due_at",
            "ended_at",
            "note",
            "last_seen_at",
        ] {
            assert!(student.get(field).is_some(), "{field}");
        }
    }
    assert_eq!(students[0]["workspaces"][0]["name"], "dev");
    assert_eq!(students[0]["workspaces"][0]["status"], "running");
    assert!(students[0]["last_seen_at"].is_i64() && students[8]["last_seen_at"].is_null());
    assert_eq!(students[6]["note"], "in use");
}

/// Every name of a field in `value`, but for words that stand for a state.
fn fields(value: &serde_json::Value, found: &mut std::collections::BTreeSet<String>) {
    match value {
        serde_json::Value::Object(all) => {
            for (name, value) in all {
                found.insert(name.clone());
                if name != "states" {
                    fields(value, found);
                }
            }
        }
        serde_json::Value::Array(all) => all.iter().for_each(|one| fields(one, found)),
        _ => {}
    }
}

#[test]
fn the_document_tells_every_field() {
    let class = plan().open();
    let landline = class.student();
    class.twilio().refuse(landline.phone(), 400, 21614);
    let login = class.student().gets_a_login();
    class
        .coder()
        .running_workspace(login.username(), "dev")
        .expect("a workspace");
    landline.asks();
    class.all_served();
    let stray = class.student().gets_a_login();
    class.all_served();
    class.end_service();
    class.change(&format!(
        "DELETE FROM registrations WHERE username = '{}'",
        stray.username()
    ));
    let told = class.tells(&["status", "--json"]);
    for list in ["accounts", "dead_letters", "unknown_accounts"] {
        assert!(
            told[list].as_array().is_some_and(|all| !all.is_empty()),
            "{told}"
        );
    }
    let mut found = std::collections::BTreeSet::new();
    fields(&told, &mut found);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/monitoring.md");
    let document = std::fs::read_to_string(path).expect("the document");
    let section = document
        .split("## ")
        .find(|part| part.starts_with("The class, for"));
    let section = section.expect("the section");
    for name in found {
        assert!(section.contains(&format!("`{name}`")), "{name}");
    }
}

//! Accounts that were renamed: up to Coder 2.27 members can rename themselves.

use crate::plan;
use support::classroom::Classroom;
use support::classroom::student::Login;
use support::fakes::coder::ops as coder;
use support::fakes::server::Request;
use support::fakes::trouble::Trouble;

/// Names for which a lookup by name finds something else: ourselves, nothing, or another route.
const NAMES: [&str; 6] = [
    "me",
    "0123456789abcdef0123456789abcdef",
    "oidc-claims",
    "authmethods",
    "roles",
    "first",
];

/// A class whose time is up when a test says so.
fn class() -> Classroom {
    plan().with("CODER_REMOVE_TIME", "1h").open()
}

/// A student with a login.
fn login(class: &Classroom) -> Login {
    class.login_of(&class.student())
}

#[test]
fn whatever_a_student_calls_itself_its_workspaces_and_then_it_are_removed() {
    for name in NAMES {
        let class = class();
        let login = login(&class);
        let fake = class.coder();
        // Somebody else's, which a search for the owner `me` would show.
        fake.running_workspace("admin", "precious")
            .expect("a workspace");
        fake.running_workspace(login.username(), "dev")
            .expect("a workspace");
        fake.rename_user(login.username(), name);
        class.time_is_up();
        class.logs("in use (1 running");
        assert_eq!(fake.count(coder::DELETE_USER), 0, "{name}");
        assert!(fake.stop_workspace(name, "dev"));
        class.all_gone();
        let left = fake.all_workspaces();
        let left: Vec<_> = left.iter().filter(|one| !one.deleted).collect();
        assert!(left.len() == 1 && left[0].name == "precious", "{left:?}");
    }
}

#[test]
fn a_renamed_student_who_asks_again_keeps_its_account() {
    for name in NAMES {
        let class = class();
        let ana = class.student();
        let login = class.login_of(&ana);
        class.coder().rename_user(login.username(), name);
        class.change("UPDATE registrations SET announced_at = announced_at - 120");
        assert_eq!(ana.gets_a_login().email, login.email, "{name}");
        class.all_served();
        assert!(ana.can_log_in());
        assert_eq!(class.coder().created_ever().len(), 1);
    }
}

#[test]
fn an_error_page_in_place_of_a_404_does_not_hold_a_removal_open() {
    let class = class();
    login(&class);
    // A proxy that has a page of its own for every user that is not there.
    let is_look_up = |request: &Request| {
        let user = request.path.strip_prefix("/api/v2/users/");
        request.method == "GET" && user.is_some_and(|user| user != "me")
    };
    let page = Trouble::html(200, "Oops");
    class
        .coder()
        .trouble_when(Box::new(is_look_up), usize::MAX, page);
    class.time_is_up();
    class.all_gone();
}

#[test]
fn whose_id_is_still_listed_is_not_forgotten() {
    let class = class();
    login(&class);
    // The server says that it is done, and is not.
    let done = serde_json::json!({"message": "User has been deleted!"});
    class.trouble_at_coder(coder::DELETE_USER, 3, Trouble::json(200, &done));
    class.time_is_up();
    class.logs("deleted, but it still exists");
    assert_eq!(class.registrations(), 1);
    class.all_gone();
    assert!(class.coder().count(coder::DELETE_USER) >= 4);
}

#[test]
fn a_list_that_is_none_proves_nothing() {
    for page in [
        Trouble::html(200, "<html>"),
        Trouble::json(200, &serde_json::json!({})),
        Trouble::json(200, &serde_json::json!({"users": null, "count": 0})),
        Trouble::json(200, &serde_json::json!({"message": "ok"})),
    ] {
        let class = class();
        login(&class);
        class.trouble_at_coder(coder::LIST_USERS, 2, page);
        class.time_is_up();
        class.logs("not Coder's answer");
        assert_eq!(class.coder().students().len(), 1);
        class.all_gone();
    }
}

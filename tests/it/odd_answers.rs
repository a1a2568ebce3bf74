//! Answers of Coder and requests of Twilio that are valid, and that nobody expects.

use std::time::Duration;

use crate::{class, plan};
use serde_json::{Value, json};
use support::classroom::{Classroom, PHRASE, http};
use support::fakes::coder::{Account, Version, ops as coder};
use support::fakes::trouble::{Op, Trouble};

/// The calls that a registration, a repeated login and a removal make.
const CALLS: [Op; 9] = [
    coder::CREATE_USER,
    coder::LIST_USERS,
    coder::READ_USER,
    coder::SET_PASSWORD,
    coder::DELETE_USER,
    coder::SUSPEND,
    coder::AUTH_CHECK,
    coder::LIST_WORKSPACES,
    coder::CREATE_BUILD,
];

/// Marks an answer as Coder's own.
fn from_coder(trouble: Trouble) -> Trouble {
    trouble.with_header("X-Coder-Build-Version", "v2.31.14+abc123")
}

fn empty(status: u16) -> Trouble {
    Trouble::Status(status, Vec::new(), String::new(), String::new())
}

fn login_page() -> Trouble {
    empty(302).with_header(
        "Location",
        "https://sso.example.org/login?next=/api/v2/users",
    )
}

/// Answers that are valid HTTP and no answer to any of the calls.
fn odd_answers() -> Vec<(&'static str, Trouble)> {
    vec![
        ("a page", Trouble::html(200, "Sign in")),
        ("a page of Coder's", from_coder(Trouble::html(200, "Coder"))),
        ("204", empty(204)),
        ("204 of Coder's", from_coder(empty(204))),
        ("a redirect to a login page", login_page()),
        (
            "401 of a proxy",
            Trouble::html(401, "Authorization Required"),
        ),
        ("null", from_coder(Trouble::json(200, &Value::Null))),
        ("a list", from_coder(Trouble::json(200, &json!([])))),
        (
            "an empty object",
            from_coder(Trouble::json(201, &json!({}))),
        ),
        (
            "a sentence",
            from_coder(Trouble::json(200, &json!({"message": "ok"}))),
        ),
    ]
}

/// Makes the time of all accounts end now.
fn time_is_up(class: &Classroom) {
    class.change("UPDATE registrations SET due_at = 1");
}

/// Lets the phones ask again at once.
fn may_ask_again(class: &Classroom) {
    class.change("UPDATE registrations SET announced_at = announced_at - 120");
}

/// A class in which each call is answered so once, in each of the three parts of an account's life.
fn lives_through(name: &str, answer: &Trouble) {
    let class = plan().with("CODER_REMOVE_TIME", "1h").open();
    let trouble = |calls: &[Op]| {
        for op in calls {
            class.coder().trouble(*op, 1, answer.clone());
        }
    };
    let ana = class.student();
    trouble(&CALLS);
    let first = ana.gets_a_login();
    class.all_served();
    assert!(ana.can_log_in(), "{name}");
    class.coder().no_more_trouble();
    may_ask_again(&class);
    // The student has changed the password, so that a wrong belief about it shows.
    class
        .coder()
        .change_password(first.username(), "another-Passw0rd-77");
    // With 204 Coder says that a password is set, so such an answer to that call would be no odd one.
    let is_true = |op: &Op| name == "204 of Coder's" && *op == coder::SET_PASSWORD;
    let calls: Vec<Op> = CALLS.into_iter().filter(|op| !is_true(op)).collect();
    trouble(&calls);
    assert_eq!(ana.gets_a_login().email, first.email, "{name}");
    class.all_served();
    assert!(ana.can_log_in(), "{name}");
    class.coder().no_more_trouble();
    class.has_a_stopped_workspace(&first);
    trouble(&CALLS);
    time_is_up(&class);
    class.eventually_within(Duration::from_secs(90), name, || {
        class.coder().students().is_empty() && class.registrations() == 0
    });
    assert!(class.workspaces_are_deleted(), "{name}");
    assert_eq!(class.coder().created_ever().len(), 1, "{name}");
    ana.has_read_all();
    let letters = class.redis().length("coder-sms-register:dead");
    assert_eq!(letters, 0, "{name}");
}

#[test]
fn an_odd_answer_to_any_call_loses_nobody_and_makes_no_second_account() {
    std::thread::scope(|scope| {
        for (name, answer) in odd_answers() {
            scope.spawn(move || lives_through(name, &answer));
        }
    });
}

/// A user as Coder writes it, with other fields in place of some.
fn user_json(account: &Account, other: &Value) -> Value {
    let mut user = json!({
        "id": account.id,
        "username": account.username,
        "email": account.email,
        "name": account.name,
        "status": account.status,
        "login_type": "password",
        "roles": [],
        "created_at": "2026-11-28T10:00:00Z",
        "last_seen_at": "0001-01-01T00:00:00Z",
        "organization_ids": [],
    });
    for (field, value) in other.as_object().expect("fields") {
        user[field] = value.clone();
    }
    user
}

#[test]
fn a_create_that_is_answered_with_somebody_elses_user_gives_nobody_that_user() {
    let class = plan().with("CODER_REMOVE_TIME", "1h").open();
    let fake = class.coder();
    fake.add_stranger("carla", "carla@class.example.org");
    let carla = fake.user("carla").expect("a stranger");
    // An answer that was kept for another request.
    let answer = from_coder(Trouble::json(201, &user_json(&carla, &json!({}))));
    fake.trouble(coder::CREATE_USER, 1, answer);
    let ana = class.student();
    ana.gets_a_login();
    class.all_served();
    assert!(ana.can_log_in(), "the login is of a user that was made");
    time_is_up(&class);
    class.all_gone();
    assert!(fake.user("carla").is_some(), "the stranger is still there");
}

#[test]
fn words_numbers_and_dates_of_another_release_change_nothing() {
    for other in [
        json!({"status": "resting"}),
        json!({"status": 3, "roles": [{"name": "member", "organization_id": 7}]}),
        json!({"created_at": "2026-11-28T10:00:00.123456789+05:30", "last_seen_at": "2026-11-28T10:00:00.000000001-11:00"}),
        json!({"created_at": "0001-01-01T00:00:00Z", "last_seen_at": "9999-12-31T23:59:59.999999999Z"}),
        json!({"created_at": 1_795_000_000, "last_seen_at": "1795000000", "name": null}),
    ] {
        let class = plan().with("CODER_REMOVE_TIME", "1h").open();
        let ana = class.student();
        let login = ana.gets_a_login();
        class.all_served();
        let account = class.coder().only_user();
        let user = user_json(&account, &other);
        let list = json!({"users": [user.clone(), user], "count": "2"});
        let answer = from_coder(Trouble::json(200, &list));
        class.coder().trouble(coder::LIST_USERS, usize::MAX, answer);
        may_ask_again(&class);
        assert_eq!(ana.gets_a_login().email, login.email, "{other}");
        class.all_served();
        assert!(ana.can_log_in(), "{other}");
        let shown = class.does(&["status"]);
        assert_eq!(
            shown.matches(login.username()).count(),
            1,
            "{other}: {shown}"
        );
        class.restart_service();
        class.has_a_stopped_workspace(&login);
        time_is_up(&class);
        class.eventually("the user is deleted", || {
            class.coder().students().is_empty()
        });
        // The list still shows it, so that it is not forgotten.
        assert!(
            class.service().logs("deleted, but it still exists"),
            "{other}"
        );
        assert_eq!(class.registrations(), 1, "{other}");
        class.coder().no_more_trouble();
        class.all_gone();
    }
}

#[test]
fn a_student_with_thirty_workspaces_and_another_name_is_removed_with_all_of_them() {
    for name in [None, Some("me")] {
        let class = plan()
            .with("CODER_REMOVE_TIME", "1h")
            .coder_of(if name.is_some() {
                Version::V2_24
            } else {
                Version::Newest
            })
            .open();
        let login = class.student().gets_a_login();
        class.all_served();
        let fake = class.coder();
        for number in 0..30 {
            let workspace = format!("dev-{number}");
            fake.running_workspace(login.username(), &workspace)
                .expect("a workspace");
            if number % 3 > 0 {
                assert!(fake.stop_workspace(login.username(), &workspace));
            }
        }
        if let Some(name) = name {
            fake.rename_user(login.username(), name);
        }
        assert_eq!(class.by_hand(&["end", "--all", "--yes"]).code, Some(0));
        class.eventually_within(Duration::from_secs(200), "all gone", || {
            fake.students().is_empty() && class.registrations() == 0
        });
        assert!(class.workspaces_are_deleted());
        assert_eq!(fake.all_workspaces().len(), 30);
    }
}

#[test]
fn a_text_with_every_kind_of_character_is_taken_and_the_phrase_found_in_it() {
    let class = class();
    let ana = class.student();
    // Zero-width characters, a NUL, a byte order mark, direction marks and a soft hyphen.
    ana.texts(
        "\u{feff}I\u{200b} am\u{200d} rea\u{ad}dy\0 \u{202e}to\u{2060} learn\u{200f}\u{fe0f}\0",
    );
    ana.next_login();
    let ben = class.student();
    let emoji = "\u{1f600}".repeat(1_600);
    assert_eq!(ben.posts(&ben.webhook(&emoji, &[])), 200);
    ben.next_text();
    let cem = class.student();
    assert_eq!(cem.posts(&cem.webhook("\0", &[])), 200);
    cem.next_text();
    class.all_served();
    for student in [&ana, &ben, &cem] {
        student.has_read_all();
    }
    assert_eq!(class.coder().created_ever().len(), 1);
}

#[test]
fn one_text_that_comes_on_many_connections_at_once_has_one_effect() {
    let class = plan().with("CODER_REG_RESEND_INTERVAL", "0").open();
    let ana = class.student();
    let webhook = ana.webhook(PHRASE, &[]);
    let address = class.service().address();
    let gate = std::sync::Barrier::new(24);
    std::thread::scope(|scope| {
        for _ in 0..24 {
            scope.spawn(|| {
                gate.wait();
                let body = webhook.body.as_bytes();
                let answer = http::request(address, "POST", "/inbound", &webhook.headers, body);
                assert_eq!(answer.map_or(0, |answer| answer.status), 200);
            });
        }
    });
    ana.next_login();
    class.all_served();
    ana.has_read_all();
    assert_eq!(class.coder().created_ever().len(), 1);
    // Once more when all is over.
    assert_eq!(ana.posts(&webhook), 200);
    class.all_served();
    ana.has_read_all();
}

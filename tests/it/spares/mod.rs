//! Accounts that are made before a student asks, each with a workspace that runs.
//!
//! - `burst`: what students cost who text when spares are ready
//! - `bad_input`: what is wrong with the class or its template
//! - `given_up`: they fail one after the other

mod bad_input;
mod burst;
mod given_up;

use support::classroom::student::{Login, Student};
use support::classroom::{Classroom, Plan};
use support::fakes::client::Client;
use support::fakes::coder::ops as coder;
use support::fakes::trouble::When;
use time::OffsetDateTime;

use crate::plan;

/// A class `intro` of six seats with these spare accounts, which opens at this time.
fn warm(wanted: &str, opens: &str) -> Plan {
    plan()
        .with("CODER_REG_PASS", "")
        .with("CODER_REG_TEMPLATE", "docker")
        .with("CODER_CLASS_INTRO_PASS", "purple kettle")
        .with("CODER_CLASS_INTRO_SEATS", "6")
        .with("CODER_CLASS_INTRO_WARM", wanted)
        .with("CODER_CLASS_INTRO_OPENS", opens)
}

const LONG_AGO: &str = "2020-12-01T09:00Z";

/// The time in these minutes, as a setting.
fn in_minutes(minutes: i64) -> String {
    let at = OffsetDateTime::now_utc() + time::Duration::minutes(minutes);
    let (date, hour, minute) = (at.date(), at.hour(), at.minute());
    format!("{date}T{hour:02}:{minute:02}Z")
}

/// What `status` says of the spare accounts.
fn figures(class: &Classroom) -> (u64, u64, u64) {
    let told = class.tells(&["status", "--json", "--offline"]);
    let spares = &told["counts"]["spares"];
    let number = |name: &str| spares[name].as_u64().expect("a number");
    (number("ready"), number("building"), number("troubled"))
}

/// Waits until this number of spare accounts is ready, and no other is there.
#[track_caller]
fn ready(class: &Classroom, number: u64) {
    class.eventually(&format!("{number} spare accounts"), || {
        figures(class) == (number, 0, 0)
    });
}

fn asks(student: &Student<'_>) -> Login {
    student.texts("purple kettle");
    student.next_login()
}

/// All users that Coder has, and all that it ever made.
fn users(class: &Classroom) -> (usize, usize) {
    (
        class.coder().students().len(),
        class.coder().created_ever().len(),
    )
}

#[test]
fn spares_run_before_the_class_opens_and_a_student_costs_no_call_to_coder() {
    let class = warm("4", &in_minutes(10)).open();
    class.coder().finish_builds();
    ready(&class, 4);
    let told = class.does(&["status"]);
    assert!(
        told.contains("intro: 4 of 4 spare accounts ready"),
        "{told}"
    );
    assert!(
        told.contains("0 accounts") || told.contains("0 with login"),
        "{told}"
    );
    assert_eq!(users(&class), (4, 4));
    // It is not open yet.
    let early = class.student();
    early.texts("purple kettle");
    assert!(early.next_text().contains("opens in"));
    // Nobody is seated, so the seats are all free.
    let told = class.tells(&["status", "--json"]);
    assert_eq!(told["classes"][0]["seats_left"], 6);
    assert_eq!(told["unknown_accounts"], serde_json::json!([]));
    class.set("CODER_CLASS_INTRO_OPENS", LONG_AGO);
    class.set("CODER_CLASS_INTRO_SEATS", "4");
    class.restart_service();
    class.eventually("a look at the spares", || {
        class.query("SELECT count(*) FROM registrations WHERE unused_at IS NOT NULL") == "4"
    });
    let calls = class.coder().count(coder::CREATE_USER);
    let passwords = class.coder().count(coder::SET_PASSWORD);
    let students = class.students(5);
    let served: Vec<Login> = students[..4].iter().map(asks).collect();
    for login in &served {
        let all = class.coder().workspaces_of(login.username());
        assert_eq!(all.len(), 1, "{all:?}");
        assert_eq!(all[0].status, "running");
        let user = class.coder().user(login.username()).expect("a user");
        assert_eq!(user.status, "dormant");
    }
    assert_eq!(class.coder().count(coder::CREATE_USER), calls);
    assert_eq!(class.coder().count(coder::SET_PASSWORD), passwords);
    students[4].texts("purple kettle");
    assert!(students[4].next_text().contains("This class is full"));
    students[..4]
        .iter()
        .for_each(|one| assert!(one.can_log_in()));
    class.all_served();
    ready(&class, 0);
    assert_eq!(users(&class), (4, 4));
    let told = class.does(&["status"]);
    assert!(told.contains("4 with login"), "{told}");
    assert!(
        told.contains("intro: no spare accounts, as all seats are taken"),
        "{told}"
    );
}

#[test]
fn while_coder_is_away_no_account_is_promised() {
    let class = warm("1", LONG_AGO).open();
    ready(&class, 1);
    class.coder().goes_down();
    class.restart_service();
    class.logs("students get those that are ready, and others as soon as Coder makes them");
    class.coder().comes_back();
    class.logs("spare accounts are kept ready again");
}

#[test]
fn spares_are_seen_to_run_among_thousands_of_other_workspaces() {
    let class = warm("2", LONG_AGO).prepare();
    // Coder lists those that run first, by the names of their owners: these come before any of ours.
    for number in 0..2_100 {
        let name = format!("a-{number}");
        let email = format!("{name}@others.example.org");
        class.coder().add_stranger(&name, &email);
        class.coder().running_workspace(&name, "class");
    }
    class.start_service();
    ready(&class, 2);
    assert!(asks(&class.student()).username() > "a-9");
    ready(&class, 2);
}

#[test]
fn the_pool_refills_up_to_the_free_seats_and_is_gone_when_the_class_closes() {
    let class = warm("3", LONG_AGO).open();
    ready(&class, 3);
    let students = class.students(6);
    for student in &students[..2] {
        asks(student);
    }
    ready(&class, 3);
    assert_eq!(users(&class), (5, 5));
    for student in &students[2..5] {
        asks(student);
    }
    ready(&class, 1);
    asks(&students[5]);
    class.all_served();
    ready(&class, 0);
    assert_eq!(users(&class), (6, 6));
    class.does(&["end", "--class", "intro", "--yes"]);
    ready(&class, 3);
    // Spares are no accounts of the class: its end and more time are not for them.
    let told = class.fails(3, &["extend", "--class", "intro", "--yes", "1h"]);
    assert!(
        told.stderr
            .contains("no account belongs to the class intro"),
        "{told:?}"
    );
    class.set("CODER_CLASS_INTRO_CLOSES", "2021-12-01T09:00Z");
    class
        .coder()
        .suspended_workspaces_stop_after(std::time::Duration::ZERO);
    class.restart_service();
    class.all_gone();
    assert!(class.workspaces_are_deleted());
}

#[test]
fn spares_that_the_settings_do_not_ask_for_any_more_are_removed() {
    let class = warm("2", LONG_AGO).open();
    ready(&class, 2);
    class.end_service();
    class
        .coder()
        .suspended_workspaces_stop_after(std::time::Duration::ZERO);
    class.set("CODER_CLASS_INTRO_WARM", "0");
    class.change("UPDATE registrations SET class = 'former' WHERE id = 1");
    class.start_service();
    class.all_gone();
    assert!(class.workspaces_are_deleted());
}

#[test]
fn a_spare_that_somebody_has_used_is_removed_and_never_given_to_a_student() {
    let class = warm("2", LONG_AGO).open();
    ready(&class, 2);
    let names = class.query("SELECT group_concat(username, ' ') FROM registrations");
    let used = names.split(' ').next().expect("a name").to_owned();
    let email = class.coder().user(&used).expect("a user").email;
    class.coder().change_password(&used, "somebody-else-1");
    class.end_service();
    let login = serde_json::json!({ "email": email, "password": "somebody-else-1" });
    let mut browser = Client::new(&class.coder().url());
    let session = browser.json("POST", "/api/v2/users/login", &login);
    assert_eq!(session.status, 201);
    class
        .coder()
        .suspended_workspaces_stop_after(std::time::Duration::ZERO);
    class.start_service();
    let logins: Vec<Login> = class.students(6).iter().map(asks).collect();
    assert!(logins.iter().all(|login| login.username() != used));
    class.logs("used, changed or deleted at Coder by somebody");
    class.eventually("it is removed", || class.coder().user(&used).is_none());
}

#[test]
fn a_broken_template_makes_a_limited_number_of_users_and_students_are_served() {
    for words in ["no such image", "insufficient quota"] {
        builds_fail(words);
    }
}

/// All builds of a class fail with these words.
fn builds_fail(words: &str) {
    let class = warm("2", LONG_AGO)
        .with("CODER_CLASS_OTHER_PASS", "brown lantern")
        .prepare();
    class.coder().failed_builds_say(words);
    class.coder().fail_starts("class", 1_000);
    class.start_service();
    class.logs("fail one after the other, so no more are made");
    let made = users(&class).1;
    // Two, and one more for each of three replacements.
    assert!(made <= 5, "{made}");
    class.eventually("the failure is told", || {
        let told = class.does(&["status"]);
        told.contains("without a workspace that runs") && told.contains(words)
    });
    // No student waits for these, and they are none of another class.
    class.eventually("it is told as a warning", || {
        let told = class.does(&["status"]);
        told.contains("warn   2 workspaces of spare accounts do not run")
    });
    let told = class.does(&["status", "--class", "other"]);
    assert!(told.contains("nothing needs you now"), "{told}");
    asks(&class.student());
    asks(&class.student());
    let third = class.student();
    asks(&third);
    assert!(third.can_log_in());
    // The third had an account made for it.
    assert!(users(&class).1 <= 6);
}

#[test]
fn students_get_spares_whose_builds_wait_for_a_provisioner() {
    let class = warm("2", LONG_AGO).prepare();
    class.coder().no_provisioners(true);
    class.start_service();
    class.eventually("the wait is told", || {
        let told = class.does(&["status"]);
        told.contains("2 without a workspace that runs") && told.contains("wait for a provisioner")
    });
    let login = asks(&class.student());
    let all = class.coder().workspaces_of(login.username());
    assert_eq!(all[0].status, "pending");
    class.coder().no_provisioners(false);
    class.eventually("its workspace runs", || {
        let all = class.coder().workspaces_of(login.username());
        all[0].status == "running" && all.len() == 1
    });
}

#[test]
fn a_kill_at_any_call_leaves_no_spare_twice_and_no_orphan() {
    for (op, when) in [
        (coder::CREATE_USER, When::Before),
        (coder::CREATE_USER, When::After),
        (coder::CREATE_WORKSPACE, When::Before),
        (coder::CREATE_WORKSPACE, When::After),
        (coder::LIST_USERS, When::Before),
    ] {
        let class = warm("3", LONG_AGO).prepare();
        let at = std::sync::Arc::clone(class.coder());
        class.start_service();
        let service = class.service();
        at.on(op, when, 2, Box::new(move || service.kill()));
        class.eventually("the kill, or all made", || {
            class.is_dead() || figures(&class).0 == 3
        });
        class.restart_service();
        ready(&class, 3);
        assert_eq!(users(&class).0, 3, "{op:?} {when:?}");
        assert_eq!(class.coder().all_workspaces().len(), 3, "{op:?} {when:?}");
        assert_eq!(class.registrations(), 3);
    }
}

#[test]
fn the_only_class_has_spares_without_a_template_as_well() {
    let class = plan().with("CODER_REG_WARM", "2").open();
    ready(&class, 2);
    let logins = class.logins(2);
    assert_eq!(logins.len(), 2);
    ready(&class, 2);
    assert_eq!(users(&class), (4, 4));
    class.does(&["end", "--all", "--yes"]);
    class.eventually("the students are gone", || users(&class).0 == 2);
    ready(&class, 2);
}

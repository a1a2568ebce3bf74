//! Accounts whose instructor ends them.

use std::time::{Duration, Instant};

use super::{AT_ONCE, sleepy};
use crate::plan;
use support::fakes::coder::ops;

#[test]
fn an_ended_account_is_gone_within_seconds_and_others_stay() {
    let class = sleepy();
    let logins = class.logins(3);
    class.has_a_stopped_workspace(&logins[0]);
    class.eventually("a stopped workspace", || {
        class.coder().workspaces_of(logins[0].username())[0].status == "stopped"
    });
    let began = Instant::now();
    let told = class.does(&["end", &logins[0].username().to_uppercase()]);
    assert!(
        told.contains(logins[0].username()) && told.contains("1 account ended"),
        "{told}"
    );
    class.eventually_within(AT_ONCE, "the account's end", || {
        class.coder().user(logins[0].username()).is_none() && class.registrations() == 2
    });
    assert!(began.elapsed() < AT_ONCE);
    assert!(class.workspaces_are_deleted());
    assert_eq!(class.coder().students().len(), 2);
}

#[test]
fn a_whole_class_ends_at_one_word_and_the_service_sleeps_again() {
    let class = sleepy();
    class.logins(5);
    let told = class.does(&["end", "--all", "--yes"]);
    assert!(told.contains("5 accounts ended"), "{told}");
    class.eventually_within(AT_ONCE, "an empty class", || {
        class.coder().students().is_empty() && class.registrations() == 0
    });
    let calls = class.coder().calls().len();
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(class.coder().calls().len(), calls);
    class.fails(3, &["end", "--all", "--yes"]);
}

#[test]
fn what_is_ended_while_the_service_is_stopped_is_removed_at_its_start() {
    // Also where nothing is ever removed by itself.
    for remove in ["12h", "0"] {
        let class = plan()
            .with("CODER_CHECK_INTERVAL", "15m")
            .with("CODER_REMOVE_TIME", remove)
            .open();
        let logins = class.logins(2);
        class.end_service();
        let told = class.does(&["end", logins[0].username()]);
        assert!(
            told.contains("the service does not run: it can be used until it is started"),
            "{told}"
        );
        assert_eq!(class.registrations(), 2);
        class.start_service();
        class.eventually_within(AT_ONCE, "the account's end", || {
            class.coder().user(logins[0].username()).is_none() && class.registrations() == 1
        });
        assert!(class.coder().user(logins[1].username()).is_some());
    }
}

#[test]
fn names_that_nobody_has_are_told_at_once_and_nothing_is_changed() {
    let class = sleepy();
    let login = &class.logins(1)[0];
    let due = class.due(login);
    let ended = class.fails(3, &["end", "nobody-here", login.username(), "none-either"]);
    assert!(
        ended.stderr.contains("nobody-here, none-either"),
        "{ended:?}"
    );
    let ended = class.fails(3, &["extend", "nobody-here", login.username(), "30m"]);
    assert!(ended.stderr.contains("nobody-here"), "{ended:?}");
    assert_eq!(class.due(login), due);
}

#[test]
fn all_are_ended_only_after_a_yes() {
    let class = sleepy();
    let login = &class.logins(2)[0];
    let due = class.due(login);
    let ended = class.fails(2, &["end", "--all"]);
    assert!(ended.stderr.contains("--yes"), "{ended:?}");
    class.fails(2, &["end"]);
    class.fails(2, &["end", "--all", login.username()]);
    class.fails(2, &["end", "--soon"]);
    let told = class.does(&["end", "--all", "--dry-run"]);
    assert!(
        told.contains(login.username()) && told.contains("2 accounts would be ended"),
        "{told}"
    );
    let answer = class.on_a_terminal(&["end", "--all"], "n\n");
    assert_eq!(answer.code, Some(1));
    assert!(
        answer.stderr.contains("end 2 accounts? [y/N]"),
        "{answer:?}"
    );
    assert_eq!(class.due(login), due);
    let answer = class.on_a_terminal(&["end", "--all"], "y\n");
    assert_eq!(answer.code, Some(0), "{answer:?}");
    class.all_gone();
}

#[test]
fn scripts_are_told_the_same() {
    let class = sleepy();
    let login = &class.logins(1)[0];
    let due = class.due(login);
    let told = class.tells(&["end", "--dry-run", "--json", login.username()]);
    assert_eq!(told["dry_run"], true);
    assert_eq!(told["service_running"], true);
    assert_eq!(told["changed"][0]["username"], login.username());
    assert_eq!(told["changed"][0]["due_before"], due);
    assert!(told["changed"][0]["due_at"].as_i64().unwrap() < due);
    assert_eq!(class.due(login), due);
    class.end_service();
    let told = class.tells(&["end", "--json", "--all", "--yes"]);
    assert_eq!(
        (&told["dry_run"], &told["service_running"]),
        (&false.into(), &false.into())
    );
    assert_eq!(
        class.due(login),
        told["changed"][0]["due_at"].as_i64().unwrap()
    );
    let help = class.does(&["end", "--help"]);
    assert!(
        help.contains("Usage: coder-sms-register end USER...|--class NAME|--all"),
        "{help}"
    );
}

#[test]
fn an_account_that_is_ended_gently_waits_and_its_student_may_ask_again() {
    let class = sleepy();
    let student = class.student();
    let login = student.gets_a_login();
    class.all_served();
    let due = class.due(&login);
    class
        .coder()
        .running_workspace(login.username(), "dev")
        .expect("a workspace");
    let told = class.does(&["end", "--gently", login.username()]);
    assert!(told.contains("when its workspaces have stopped"), "{told}");
    class.eventually("the wait", || class.log().contains("in use (1 running"));
    assert!(student.can_log_in(), "it is not locked out");
    assert_eq!(class.registrations(), 1);
    // A text counts in whole seconds, and this one is to come after the end.
    std::thread::sleep(Duration::from_millis(1_100));
    class.change("UPDATE registrations SET announced_at = announced_at - 120");
    student.asks();
    assert_eq!(student.next_login().username(), login.username());
    assert!(student.can_log_in());
    class.all_served();
    assert!(class.due(&login) >= due);
    assert_eq!(class.query("SELECT ended_at FROM registrations"), "null");
}

#[test]
fn a_text_that_waits_for_coder_is_no_way_around_an_end() {
    // A user that was asked for may turn up until four times this is over.
    let class = plan()
        .with("CODER_CHECK_INTERVAL", "15m")
        .with("CODER_REG_CALL_LIMIT", "1s")
        .open();
    let (early, late) = (class.student(), class.student());
    class.coder().goes_down();
    early.asks();
    class.eventually("an attempt", || class.log().contains("attempt 1 failed"));
    std::thread::sleep(Duration::from_millis(1_100));
    let told = class.does(&["end", "--all", "--yes"]);
    assert!(
        told.contains("1 account ended: 1 without a login, not removed yet, see below"),
        "{told}"
    );
    class.coder().comes_back();
    class.all_served();
    assert!(
        class
            .service()
            .logs("the account of this phone ended after this text was received")
    );
    class.all_gone();
    late.gets_a_login();
    early.has_read_all();
}

#[test]
fn an_end_stays_that_comes_while_the_login_is_being_sent() {
    let class = sleepy();
    let student = class.student();
    class.twilio().latency(
        support::fakes::twilio::ops::SEND,
        Duration::from_millis(3_000),
    );
    student.asks();
    class.eventually("a user", || class.coder().count(ops::CREATE_USER) == 1);
    class.eventually("its record", || {
        class.query("SELECT stage FROM registrations") == "created"
    });
    std::thread::sleep(Duration::from_millis(1_100));
    class.does(&["end", "--all", "--yes"]);
    class.all_served();
    class.all_gone();
}

#[test]
fn a_deep_data_folder_is_no_hindrance() {
    let class = plan().with("CODER_CHECK_INTERVAL", "15m").prepare();
    let deep = class.folder().join("d".repeat(90)).join("data");
    class.set("CODER_REG_DATA_DIR", &deep.display().to_string());
    class.start_service();
    class.logins(1);
    class.does(&["end", "--all", "--yes"]);
    class.eventually_within(AT_ONCE, "an empty class", || class.registrations() == 0);
}

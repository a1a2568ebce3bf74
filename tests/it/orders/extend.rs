//! Accounts whose instructor lets them live longer.

use std::sync::mpsc::channel;

use super::sleepy;
use crate::plan;
use support::classroom::student::Student;
use support::classroom::{Classroom, PATIENCE};
use support::fakes::trouble::When;
use support::fakes::twilio::ops::SEND;

#[test]
fn an_extended_account_lives_longer_and_others_do_not() {
    let class = sleepy();
    let logins = class.logins(2);
    let before = [class.due(&logins[0]), class.due(&logins[1])];
    let told = class.does(&["extend", logins[0].username(), "30m"]);
    assert!(
        told.contains("12 h 29 min left") || told.contains("12 h 30 min left"),
        "{told}"
    );
    assert_eq!(class.due(&logins[0]), before[0] + 1_800);
    class.does(&["extend", "--all", "--yes", "15"]);
    assert_eq!(class.due(&logins[0]), before[0] + 2_700);
    assert_eq!(class.due(&logins[1]), before[1] + 900);
    let told = class.tells(&["extend", "--json", "--dry-run", logins[1].username(), "2h"]);
    assert_eq!(told["changed"][0]["due_at"], before[1] + 900 + 7_200);
    assert_eq!(class.due(&logins[1]), before[1] + 900);
    for misuse in [
        &["extend"][..],
        &["extend", "30m"],
        &["extend", "happy-tuna"],
        &["extend", "--all", "soon"],
        &["extend", "--all", "0"],
        &["extend", "--all", "30m"],
        &["extend", logins[0].username(), "30d"],
    ] {
        class.fails(2, misuse);
    }
    let due = class.due(&logins[0]);
    let long = ["extend", logins[0].username(), "30d"];
    let ended = class.on_a_terminal(&long, "n\n");
    assert!(
        ended.stderr.contains("extend 1 account by 30 d?"),
        "{ended:?}"
    );
    assert_eq!((ended.code, class.due(&logins[0])), (Some(1), due));
    class.on_a_terminal(&long, "y\n");
    assert_eq!(class.due(&logins[0]), due + 30 * 86_400);
    class.does(&["extend", "--yes", logins[0].username(), "8d"]);
    assert!(class.does(&["extend", "--help"]).contains("CODER_MAX_TIME"));
}

#[test]
fn nobody_lives_longer_than_the_longest_time() {
    let class = plan().with("CODER_MAX_TIME", "13h").open();
    let login = &class.logins(1)[0];
    let before = class.due(login);
    let told = class.does(&["extend", "--all", "--yes", "2h"]);
    assert!(told.contains("CODER_MAX_TIME allows no more"), "{told}");
    assert!((before + 3_590..=before + 3_600).contains(&class.due(login)));
    let ended = class.fails(1, &["extend", login.username(), "2h"]);
    assert!(ended.stderr.contains("the longest time"), "{ended:?}");
    let faulty = plan().with("CODER_MAX_TIME", "soon").prepare();
    let ended = faulty.fails(2, &["extend", "--all", "--yes", "2h"]);
    assert!(ended.stderr.contains("CODER_MAX_TIME"), "{ended:?}");
}

#[test]
fn what_cannot_be_extended_is_told_in_plain_words() {
    let class = plan().with("CODER_REMOVE_TIME", "0").open();
    let login = &class.logins(1)[0];
    let says = |words: &str| {
        let ended = class.fails(1, &["extend", login.username(), "30m"]);
        assert!(ended.stderr.contains(words), "{ended:?}");
    };
    says("is never removed");
    class.end_service();
    class.change("UPDATE registrations SET stage = 'reaping', due_at = 1");
    says("is being removed already");
    class.change("UPDATE registrations SET stage = 'created'");
    says("has no login yet");
    // Of all, those that it does not concern are no failure.
    class.does(&["extend", "--all", "--yes", "30m"]);
}

#[test]
fn a_gentle_end_can_be_taken_back_while_it_waits() {
    let class = sleepy();
    let login = &class.logins(1)[0];
    class
        .coder()
        .running_workspace(login.username(), "dev")
        .expect("a workspace");
    class.does(&["end", "--gently", login.username()]);
    class.eventually("the wait", || class.log().contains("in use (1 running"));
    class.does(&["extend", login.username(), "20m"]);
    assert_eq!(class.query("SELECT ended_at FROM registrations"), "null");
    let left: i64 = class
        .query("SELECT due_at - unixepoch() FROM registrations")
        .parse()
        .unwrap();
    assert!((1_150..=1_200).contains(&left), "{left}");
}

/// The student asks again, and `act` is done while the login is on its way, however long it takes.
fn with_a_login_on_its_way(class: &Classroom, student: &Student<'_>, act: impl FnOnce()) {
    let (arrives, goes) = channel();
    let held = Box::new(move || {
        let _ = goes.recv_timeout(PATIENCE);
    });
    class.twilio().on(SEND, When::Before, 1, held);
    student.asks();
    let sending = "SELECT count(*) FROM registrations WHERE sending_since IS NOT NULL";
    class.eventually("a send", || class.query(sending) == "1");
    act();
    assert_eq!(class.query(sending), "1", "it was still on its way");
    arrives.send(()).expect("it waits");
    class.all_served();
}

#[test]
fn an_extension_stays_that_comes_while_a_new_login_is_being_sent() {
    let class = sleepy();
    let student = class.student();
    let login = student.gets_a_login();
    class.all_served();
    let before = class.due(&login);
    class.change("UPDATE registrations SET announced_at = announced_at - 120");
    with_a_login_on_its_way(&class, &student, || {
        class.does(&["extend", login.username(), "30m"]);
    });
    student.next_login();
    assert_eq!(class.due(&login), before + 1_800);
}

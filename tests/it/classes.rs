//! Several classes side by side, each with its phrase, its seats and its times.

use crate::plan;
use support::classroom::student::Student;
use support::classroom::{Classroom, ORIGIN, Plan};

/// Two classes that are open, one that is not open yet, and one that is over.
fn classes() -> Plan {
    plan()
        .with("CODER_REG_PASS", "")
        .with("CODER_CLASS_INTRO_PASS", "purple kettle")
        .with("CODER_CLASS_INTRO_SEATS", "2")
        .with("CODER_CLASS_ADVANCED_2_PASS", "brown lantern")
        .with("CODER_CLASS_ADVANCED_2_REMOVE_TIME", "3h")
        .with("CODER_CLASS_LATE_PASS", "green teapot")
        .with("CODER_CLASS_LATE_OPENS", "2099-12-01T09:00Z")
        .with("CODER_CLASS_PAST_PASS", "yellow window")
        .with("CODER_CLASS_PAST_CLOSES", "2020-12-01T09:00+01:00")
}

fn hears(student: &Student<'_>, phrase: &str, words: &str) {
    student.texts(phrase);
    let told = student.next_text();
    assert!(told.contains(words), "{told}");
}

/// The number of accounts of a class.
fn accounts(class: &Classroom, name: &str) -> String {
    class.query(&format!(
        "SELECT count(*) FROM registrations WHERE class = '{name}'"
    ))
}

#[test]
fn each_phrase_leads_to_its_class_with_its_own_seats_and_times() {
    let class = classes().open();
    let (ana, ben, cem) = (class.student(), class.student(), class.student());
    ana.texts("Purple Kettle!");
    let first = ana.next_login();
    ben.texts("brown lantern");
    let second = ben.next_login();
    class.all_served();
    let apart = class.due(&first) - class.due(&second);
    assert!((apart - 9 * 3_600).abs() < 600, "{apart}");
    cem.texts("purple kettle");
    cem.next_login();
    // The third has no seat there, but one in the other class.
    let eva = class.student();
    hears(&eva, "purple kettle", "This class is full");
    eva.texts("green teapot");
    class.logs("not open, or the phone has a login of another class, and it was told so before");
    eva.texts("brown lantern");
    eva.next_login();
    hears(&class.student(), "green teapot", "opens in");
    hears(
        &class.student(),
        "yellow window",
        "does not give logins any more",
    );
    assert_eq!(accounts(&class, "intro"), "2");
    assert_eq!(accounts(&class, "advanced-2"), "2");
    assert_eq!(class.registrations(), 4);
    // A phone has one class at a time, until the time of its account is up.
    ana.texts("brown lantern");
    let told = ana.next_text();
    for words in ["another class (intro)", first.username(), "Time left: 1"] {
        assert!(told.contains(words), "{told}");
    }
    class.all_served();
}

#[test]
fn an_account_whose_time_is_up_moves_to_the_class_whose_phrase_is_texted() {
    let class = classes().with("CODER_CHECK_INTERVAL", "1h").open();
    let ana = class.student();
    ana.texts("purple kettle");
    let login = ana.next_login();
    class.all_served();
    class.end_service();
    class.change("UPDATE registrations SET due_at = 1, announced_at = announced_at - 600");
    class.has_a_running_workspace(&login);
    class.start_service();
    ana.texts("brown lantern");
    assert_eq!(ana.next_login().username(), login.username());
    class.all_served();
    assert_eq!(accounts(&class, "intro"), "0");
    assert_eq!(accounts(&class, "advanced-2"), "1");
}

#[test]
fn an_account_that_finds_no_seat_in_another_class_has_the_time_of_its_own() {
    let class = classes().with("CODER_CLASS_ADVANCED_2_SEATS", "1").open();
    let (ana, ben) = (class.student(), class.student());
    ben.texts("brown lantern");
    ben.next_login();
    ana.texts("purple kettle");
    let login = ana.next_login();
    class.all_served();
    // As after a kill before the login was sent.
    class.end_service();
    let username = login.username();
    class.change(&format!(
        "UPDATE registrations SET stage = 'created', announced_at = NULL, sent_in_window = 0
         WHERE username = '{username}'"
    ));
    class.start_service();
    ana.texts("brown lantern");
    let again = ana.next_text();
    class.all_served();
    assert!(
        again.contains(username) && again.contains("Time left: 1"),
        "{again}"
    );
    let left = class.query(&format!(
        "SELECT due_at - announced_at FROM registrations WHERE username = '{username}'"
    ));
    assert_eq!(left, (12 * 3_600).to_string());
    assert_eq!(accounts(&class, "intro"), "1");
}

#[test]
fn commands_act_on_one_class() {
    let class = classes().with("CODER_REG_PAGES_URL", ORIGIN).open();
    let (ana, ben) = (class.student(), class.student());
    ana.texts("purple kettle");
    let first = ana.next_login();
    ben.texts("brown lantern");
    let second = ben.next_login();
    class.all_served();
    let before = [class.due(&first), class.due(&second)];
    class.does(&["extend", "--class", "Advanced_2", "--yes", "30m"]);
    assert_eq!(class.due(&first), before[0]);
    assert_eq!(class.due(&second), before[1] + 1_800);
    let told = class.fails(3, &["end", "--class", "advancd-2", "--yes"]);
    assert!(told.stderr.contains("did you mean advanced-2?"), "{told:?}");
    class.fails(2, &["end", "--class", "intro", "--all", "--yes"]);
    class.fails(2, &["end", "--class", "intro"]);
    let status = class.tells(&["status", "--json", "--class", "intro"]);
    assert_eq!(status["accounts"][0]["username"], first.username());
    assert_eq!(status["counts"]["accounts"], 1);
    assert_eq!(status["counts"]["seats_left"], 1);
    assert_eq!(status["classes"][0]["name"], "intro");
    class.fails(3, &["status", "--class", "inro"]);
    let told = class.does(&["status"]);
    assert!(told.contains("intro: 1 of 2 seats left"), "{told}");
    let links = class.does(&["projector"]);
    assert_eq!(links.lines().count(), 4, "{links}");
    let link = class.does(&["projector", "--class", "intro"]);
    assert!(links.contains(&format!("intro: {link}")), "{links}");
    let turned = class.does(&["projector", "--class", "intro", "--rotate"]);
    assert!(turned != link && class.does(&["projector"]).contains(&turned));
    class.fails(3, &["projector", "--class", "inro"]);
    class.does(&["end", "--class", "intro", "--yes"]);
    class.eventually("the class is over", || class.registrations() == 1);
    assert_eq!(accounts(&class, "advanced-2"), "1");
}

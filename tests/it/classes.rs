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
    class.logs("not open yet or is over, or the phone has a login of another class, and it was told so before");
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

/// This number of seconds from now, as a setting says it.
fn moment(from_now: i64) -> (i64, String) {
    let now = coder_sms_register::clock::unix_now();
    let at = now + from_now;
    let written = std::process::Command::new("date")
        .args(["-u", "-d", &format!("@{at}"), "+%Y-%m-%dT%H:%M:%SZ"])
        .output()
        .expect("the command date");
    let written = String::from_utf8(written.stdout).expect("a date");
    (at, written.trim().to_owned())
}

/// The clocks of the service and of Coder, which are one machine here.
fn clocks_are_ahead(class: &Classroom, seconds: i64) {
    class.coder().clock_is_ahead(seconds);
    class.sets_the_clock(seconds);
}

#[test]
fn a_class_ends_at_its_time_of_day_also_after_the_clock_was_set() {
    let (end, written) = moment(3_600);
    let class = classes()
        .with("CODER_CLASS_INTRO_END_AT", &written)
        .with_clock_shim()
        .open();
    let (ana, ben) = (class.student(), class.student());
    ana.texts("purple kettle");
    assert_eq!(class.due(&ana.next_login()), end);
    ben.texts("brown lantern");
    let other = ben.next_login();
    class.all_served();
    let due = class.due(&other);
    clocks_are_ahead(&class, 7_200);
    class.logs("the remaining time of 1 account is unchanged");
    class.eventually("the class is over", || accounts(&class, "intro") == "0");
    assert_eq!(accounts(&class, "advanced-2"), "1");
    assert!((class.due(&other) - due - 7_200).abs() <= 5);
    hears(&class.student(), "purple kettle", "does not give logins");
}

#[test]
fn a_class_opens_although_the_clock_jumped_over_its_opening_or_the_service_was_down() {
    let class = classes()
        .with("CODER_CLASS_LATE_OPENS", &moment(3_600).1)
        .with("CODER_CLASS_LATER_PASS", "orange bottle")
        .with("CODER_CLASS_LATER_OPENS", &moment(3 * 3_600).1)
        .with_clock_shim()
        .open();
    hears(&class.student(), "green teapot", "opens in");
    clocks_are_ahead(&class, 7_200);
    let ana = class.student();
    ana.texts("green teapot");
    ana.next_login();
    hears(&class.student(), "orange bottle", "opens in");
    class.all_served();
    class.end_service();
    clocks_are_ahead(&class, 4 * 3_600);
    class.start_service();
    let ben = class.student();
    ben.texts("orange bottle");
    ben.next_login();
    class.all_served();
    assert_eq!(accounts(&class, "late"), "1");
    assert_eq!(accounts(&class, "later"), "1");
}

#[test]
fn a_time_that_clocks_skip_or_show_twice_is_refused_with_both_readings() {
    let class = classes()
        .with("CODER_CLASS_LATE_OPENS", "2026-03-29T02:30 Europe/Berlin")
        .with("CODER_CLASS_PAST_CLOSES", "2026-10-25T02:30 Europe/Berlin")
        .prepare();
    let told = class.by_hand(&["config"]);
    assert_ne!(told.code, Some(0), "{told:?}");
    let told = format!("{}{}", told.stdout, told.stderr);
    let expected = if std::path::Path::new("/usr/share/zoneinfo/UTC").exists() {
        [
            "write 2026-03-29T01:30+01:00 or 2026-03-29T03:30+02:00",
            "write 2026-10-25T02:30+02:00 or 2026-10-25T02:30+01:00",
        ]
    } else {
        ["install the package tzdata"; 2]
    };
    for words in ["CODER_CLASS_LATE_OPENS", "CODER_CLASS_PAST_CLOSES"]
        .into_iter()
        .chain(expected)
    {
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[test]
fn a_login_on_a_screen_takes_a_seat_of_its_class() {
    let class = classes()
        .with_pages("both")
        .with("CODER_CLASS_INTRO_SEATS", "1")
        .open();
    let (ana, laptop) = (class.student(), class.laptop());
    ana.texts(&format!("purple kettle {}", laptop.code()));
    laptop.is_asked(&ana, true);
    laptop.login();
    class.all_served();
    assert_eq!(accounts(&class, "intro"), "1");
    let left = class.query("SELECT due_at - announced_at FROM registrations");
    assert_eq!(left, (12 * 3_600).to_string());
    hears(&class.student(), "purple kettle", "This class is full");
    assert_eq!(class.registrations(), 1);
}

#[test]
fn accounts_of_a_class_that_was_taken_out_keep_their_time() {
    let class = classes().open();
    let ana = class.student();
    ana.texts("purple kettle");
    let login = ana.next_login();
    class.all_served();
    let due = class.due(&login);
    class.end_service();
    class.unset("CODER_CLASS_INTRO_PASS");
    class.unset("CODER_CLASS_INTRO_SEATS");
    class.start_service();
    // It takes no seat of another class, and its student gets the login by another phrase.
    support::classroom::a_later_second();
    class.change("UPDATE registrations SET announced_at = announced_at - 600");
    ana.texts("brown lantern");
    assert_eq!(ana.next_login().username(), login.username());
    class.all_served();
    assert_eq!(
        (class.due(&login), accounts(&class, "intro")),
        (due, "1".to_owned())
    );
    let told = class.try_service(&["check"]).stdout;
    for words in [
        "class intro: 1 account in the database, but the class is not in the settings",
        "end --class intro",
    ] {
        assert!(told.contains(words), "{told}");
    }
    let status = class.tells(&["status", "--json", "--class", "intro"]);
    assert_eq!(status["accounts"][0]["username"], login.username());
    class.does(&["extend", "--class", "intro", "--yes", "30m"]);
    assert_eq!(class.due(&login), due + 1_800);
    class.does(&["end", "--class", "intro", "--yes"]);
    class.all_gone();
}

#[test]
fn a_full_class_among_several_is_named_with_its_own_setting() {
    let class = classes().with("CODER_CLASS_INTRO_SEATS", "1").open();
    let (ana, ben) = (class.student(), class.student());
    ana.texts("purple kettle");
    ana.next_login();
    ben.texts("purple kettle");
    assert!(ben.next_text().contains("full"));
    class.all_served();
    let text = class.does(&["status"]);
    for words in [
        "1 turned away; ",
        "intro: 0 of 1 seats left;",
        "past: 500 of 500 seats left, over",
        "late: 500 of 500 seats left, not open yet",
        "FAULT  1 student was turned away in the last day because the class was full; full now: intro\n",
        "raise CODER_CLASS_INTRO_SEATS and restart the service",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("CODER_REG_MAX_USERS"), "{text}");
    // Not the command that ends the whole class.
    let log = class.log();
    assert!(log.contains("(coder-sms-register end USER)") && !log.contains("end --class"));
    // Of which class they were is not recorded.
    let text = class.does(&["status", "--class", "advanced-2"]);
    assert!(text.contains("500 of 500 seats left; "), "{text}");
    assert!(!text.contains("turned away"), "{text}");
    let told = class.tells(&["status", "--json", "--class", "past"]);
    assert!(told["counts"]["turned_away"].is_null(), "{told}");
    assert_eq!(told["classes"][0]["state"], "over");
    // The seats of another class are not for those of this one, which is over.
    class.set("CODER_CLASS_INTRO_CLOSES", "2021-12-01T09:00Z");
    let text = class.does(&["status"]);
    for words in [
        "warn   1 student was turned away in the last day because the class was full; classes with free seats now: advanced-2\n",
        "-> their students text the phrase again\n",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let checked = class.try_service(&["check"]).stdout;
    assert!(checked.contains("class advanced-2: there are"), "{checked}");
    assert!(!checked.contains("class intro: there are"), "{checked}");
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

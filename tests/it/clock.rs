//! The service's clock is changed by hours while students are registered: no student loses time, and nothing
//! that is limited by time gets stuck.

use crate::plan;
use support::classroom::Classroom;
use support::classroom::student::Student;
use support::fakes::coder::ops as coder;

const HOURS: i64 = 7_200;

/// A class whose clock can be set.
fn class() -> Classroom {
    plan()
        .with_clock_shim()
        .with("CODER_REMOVE_TIME", "1h")
        .open()
}

/// Whether the student's account is there.
fn is_there(class: &Classroom, student: &Student<'_>) -> bool {
    let email = student.last_login().map(|login| login.email);
    let students = class.coder().students();
    students
        .iter()
        .any(|user| Some(&user.email) == email.as_ref())
}

/// Ends a student's time.
fn time_is_up(class: &Classroom, student: &Student<'_>) {
    let login = student.last_login().expect("a login");
    let username = login.username();
    class.change(&format!(
        "UPDATE registrations SET due_at = 1, check_at = 0 WHERE username = '{username}'"
    ));
}

/// Waits until the reaper has asked Coder for its rights, and with it for the time, some times more.
fn looks_pass(class: &Classroom) {
    let asked = || {
        let calls = class.coder().calls();
        let asked = |path: &str| path.ends_with("/authcheck");
        calls.iter().filter(|call| asked(&call.path)).count()
    };
    let before = asked();
    class.eventually("some looks", || asked() >= before + 4);
}

/// How often these words were logged for those who run the service.
fn told(class: &Classroom, words: &str) -> usize {
    let log = class.log();
    let lines = log.lines().filter(|line| !line.contains(" DEBUG "));
    lines.filter(|line| line.contains(words)).count()
}

#[test]
fn a_clock_that_jumps_holds_removals_and_ends_nobodys_time() {
    for (by, side, way) in [(HOURS, "ahead of", "ahead"), (-HOURS, "behind", "back")] {
        let class = class();
        let (ana, bob) = (class.student(), class.student());
        ana.gets_a_login();
        class.login_of(&bob);
        class.sets_the_clock(by);
        class.logs(&format!("clock was set {way} by 120 minutes:"));
        time_is_up(&class, &bob);
        let stuck = format!("clock is 120 minutes {side} Coder's");
        class.logs(&stuck);
        looks_pass(&class);
        assert!(is_there(&class, &ana) && is_there(&class, &bob), "{by}");
        assert_eq!(told(&class, &stuck), 1, "once, not at every look");

        class.sets_the_clock(0);
        class.eventually("the removal of the one whose time is up", || {
            !is_there(&class, &bob)
        });
        assert!(is_there(&class, &ana), "{by}");
        class.eventually("there and back, each told of", || {
            told(&class, "clock was set") == 2
        });
        assert!(ana.can_log_in());
    }
}

#[test]
fn a_clock_that_jumps_together_with_coders_ends_nobodys_time_either() {
    let class = class();
    let (ana, bob) = (class.student(), class.student());
    ana.gets_a_login();
    class.login_of(&bob);
    // Both on one machine: nothing at Coder tells that the clock was set.
    class.coder().clock_is_ahead(HOURS);
    class.sets_the_clock(HOURS);
    class.logs("the remaining time of 2 accounts is unchanged");
    time_is_up(&class, &bob);
    class.eventually("a removal by the new time", || !is_there(&class, &bob));
    assert!(is_there(&class, &ana));
    let left = class.query("SELECT due_at - announced_at FROM registrations");
    assert!(
        (10_795..=10_805).contains(&left.parse::<i64>().unwrap_or(0)),
        "{left}"
    );
}

#[test]
fn hints_and_logins_are_not_held_back_by_a_clock_that_was_set() {
    let class = class();
    let (ana, bob) = (class.student(), class.student());
    class.sets_the_clock(HOURS);
    ana.gets_a_login();
    bob.texts("hello?");
    bob.next_text();
    class.all_served();

    class.sets_the_clock(0);
    ana.gets_a_login();
    assert!(ana.can_log_in());
    bob.texts("hello?");
    assert!(bob.next_text().contains("not the phrase"));
    class.all_served();
    class.sets_the_clock(-HOURS);
    ana.gets_a_login();
    assert!(ana.can_log_in());
    assert_eq!(class.coder().created_ever().len(), 1);
}

#[test]
fn an_end_before_the_clock_was_set_back_concerns_no_later_text() {
    let class = class();
    let ana = class.student();
    class.coder().clock_is_ahead(HOURS);
    class.sets_the_clock(HOURS);
    ana.gets_a_login();
    let username = ana.last_login().expect("a login").username().to_owned();
    class.does(&["end", &username]);
    class.eventually("the removal", || !is_there(&class, &ana));
    class.coder().clock_is_ahead(0);
    class.sets_the_clock(0);
    class.logs("clock was set back");
    ana.gets_a_login();
    assert!(ana.can_log_in());
}

#[test]
fn who_was_told_of_a_full_class_before_the_clock_was_set_back_is_told_again() {
    let class = plan()
        .with_clock_shim()
        .with("CODER_REG_MAX_USERS", "1")
        .open();
    class.student().gets_a_login();
    let bob = class.student();
    class.sets_the_clock(HOURS);
    for ahead in [HOURS, 0] {
        class.sets_the_clock(ahead);
        bob.asks();
        assert!(bob.next_text().contains("class is full"), "{ahead}");
        class.all_served();
    }
}

#[test]
fn texts_that_wait_are_not_given_up_because_the_clock_was_set() {
    for by in [HOURS, -HOURS] {
        let class = class();
        class.coder().goes_down();
        let ana = class.student();
        ana.asks();
        class.logs("attempt 1 failed");
        class.sets_the_clock(by);
        class.eventually("attempts at the new time", || {
            class.log().matches(": attempt ").count() > 1
        });
        class.coder().comes_back();
        ana.next_login();
        class.all_served();
        assert!(ana.can_log_in());
        assert_eq!(class.dead_letters(), 0);
        assert!(class.coder().count(coder::CREATE_USER) > 0);
    }
}

#[test]
fn the_time_zone_changes_nothing() {
    for zone in ["Pacific/Apia", "America/New_York", ":nonsense"] {
        let class = plan()
            .with("TZ", zone)
            .with("CODER_REMOVE_TIME", "3h")
            .open();
        class.login_of(&class.student());
        let left = class.query("SELECT due_at - unixepoch() FROM registrations");
        let left: i64 = left.parse().unwrap_or(0);
        assert!((10_700..=10_800).contains(&left), "{zone}: {left}");
    }
}

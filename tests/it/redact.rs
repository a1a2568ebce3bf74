//! Logins are redacted in Twilio's log: once they have arrived, or after an hour; never one whose
//! sending is not finished, and never at the cost of a student.

use std::time::Duration;

use crate::plan;
use support::classroom::{Classroom, Plan};
use support::fakes::trouble::Trouble;
use support::fakes::twilio::{Fate, ops};

/// A little more than the hour after which a login is redacted in any case.
const HOUR: i64 = 3_700;

/// A class without receipts, whose clock can be set.
fn silent() -> Plan {
    plan().with_clock_shim()
}

fn words_left(class: &Classroom) -> usize {
    let bodies = class.twilio().logged_bodies();
    bodies.iter().filter(|body| !body.is_empty()).count()
}

/// Waits until Twilio's log holds no login any more.
fn all_redacted(class: &Classroom) {
    class.eventually("all logins are redacted", || words_left(class) == 0);
    let open = "SELECT count(*) FROM deliveries WHERE redact_at IS NOT NULL";
    class.eventually("that is recorded", || class.query(open) == "0");
}

/// Waits until the reaper has swept a few times more: it rereads what is due each time.
fn sweeps_pass(class: &Classroom) {
    class.change("UPDATE registrations SET due_at = 1, check_at = 0");
    class.eventually("a removal by a later sweep", || class.registrations() == 0);
}

#[test]
fn a_login_that_arrived_is_redacted_and_works_on() {
    let class = plan()
        .with_receipts()
        .with("CODER_REG_RESEND_INTERVAL", "0")
        .open();
    let students = class.students(4);
    class.all_get_logins(&students);
    all_redacted(&class);
    assert!(students.iter().all(|student| student.can_log_in()));
    assert_eq!(class.twilio().count(ops::REDACT), 4, "each once");
    // One sweep redacts all whose receipts have arrived by then.
    class.eventually("the log tells of four redacted logins", || {
        let log = class.log();
        let told = log
            .lines()
            .filter(|line| line.contains("redacted in Twilio's log, 0 given up"));
        let number = |line: &str| {
            let word = line.split(" login").next()?.rsplit(' ').next()?;
            word.parse::<u32>().ok()
        };
        told.filter_map(number).sum::<u32>() == 4
    });
    students[0].gets_a_login();
    all_redacted(&class);
    assert_eq!(
        class.twilio().count(ops::READ),
        0,
        "nothing had to be looked up"
    );
}

#[test]
fn a_login_that_nobody_confirms_is_looked_up_and_redacted_after_an_hour() {
    let class = silent().open();
    let ana = class.student();
    class.login_of(&ana);
    assert_eq!(words_left(&class), 1);
    class.sets_the_clock(HOUR);
    all_redacted(&class);
    assert_eq!(
        (
            class.twilio().count(ops::READ),
            class.twilio().count(ops::REDACT)
        ),
        (1, 1)
    );
    assert_eq!(class.query("SELECT state FROM deliveries"), "delivered");
    assert!(ana.can_log_in());
}

#[test]
fn a_login_that_waits_at_twilio_is_left_until_it_has_left() {
    let class = silent().open();
    class.twilio().delivery_time(Duration::from_secs(3_600));
    class.login_of(&class.student());
    class.sets_the_clock(HOUR);
    class.eventually("a look that puts it off", || {
        class.query("SELECT redact_tries FROM deliveries") == "1"
    });
    assert_eq!(
        (words_left(&class), class.twilio().count(ops::REDACT)),
        (1, 0)
    );
    class.twilio().delivery_time(Duration::ZERO);
    class.sets_the_clock(HOUR + 400);
    all_redacted(&class);
}

#[test]
fn a_login_of_an_account_that_is_gone_is_redacted_too() {
    let class = silent().with("CODER_REMOVE_TIME", "2s").open();
    class.student().gets_a_login();
    class.all_gone();
    assert_eq!(words_left(&class), 1);
    class.sets_the_clock(HOUR);
    all_redacted(&class);
    assert_eq!(class.query("SELECT count(*) FROM deliveries"), "0");
}

#[test]
fn switched_off_it_touches_nothing() {
    let class = plan()
        .with_receipts()
        .with("CODER_REG_REDACT", "off")
        .open();
    assert!(class.log().contains("redacting logins in Twilio's log"));
    class.student().gets_a_login();
    class.eventually("it has arrived", || {
        class.query("SELECT state FROM deliveries") == "delivered"
    });
    sweeps_pass(&class);
    assert_eq!(
        (words_left(&class), class.twilio().count(ops::REDACT)),
        (1, 0)
    );
    // Switched on it catches up.
    class.set("CODER_REG_REDACT", "on");
    class.restart_service();
    all_redacted(&class);
}

#[test]
fn a_key_without_the_right_is_told_once_and_tried_now_and_then() {
    let class = plan()
        .with("CODER_REG_METRICS", "127.0.0.1:0")
        .with_receipts()
        .with_clock_shim()
        .open();
    let body = serde_json::json!({ "code": 20403, "message": "Forbidden", "status": 403 });
    class.trouble_at_twilio(ops::REDACT, usize::MAX, Trouble::json(403, &body));
    let students = class.students(3);
    class.all_get_logins(&students);
    class.logs("logins stay in Twilio's log");
    class.login_of(&class.student());
    sweeps_pass(&class);
    assert_eq!(class.twilio().count(ops::REDACT), 1);
    assert_eq!(
        class.log().matches("logins stay in Twilio's log").count(),
        1
    );
    crate::metrics::comes_to(&class, "redactions_total{result=\"refused\"}", 1.0);
    class.twilio().no_more_trouble();
    class.sets_the_clock(400);
    all_redacted(&class);
    class.logs("logins are redacted in Twilio's log again");
}

#[test]
fn what_an_outage_or_a_kill_interrupts_is_done_later() {
    let class = plan().with_receipts().with_clock_shim().open();
    class.trouble_at_twilio(ops::REDACT, 1, Trouble::CutBefore);
    class.trouble_at_twilio(ops::REDACT, 1, Trouble::LoseReply);
    let students = class.students(3);
    class.all_get_logins(&students);
    class.eventually("a try that fails", || class.twilio().count(ops::REDACT) > 0);
    class.restart_service();
    class.sets_the_clock(HOUR);
    all_redacted(&class);
    assert!(students.iter().all(|student| student.can_log_in()));
}

#[test]
fn a_text_that_can_never_be_redacted_is_given_up() {
    let class = plan()
        .with("CODER_REG_METRICS", "127.0.0.1:0")
        .with_receipts()
        .open();
    let body = serde_json::json!({ "code": 20009, "message": "in progress", "status": 409 });
    class.trouble_at_twilio(ops::REDACT, usize::MAX, Trouble::json(409, &body));
    class.student().gets_a_login();
    for tries in 1..8 {
        let failed = format!("SELECT count(*) FROM deliveries WHERE redact_tries = {tries}");
        class.eventually("a try that fails", || class.query(&failed) == "1");
        class.change("UPDATE deliveries SET redact_at = 1");
    }
    class.logs("0 logins redacted in Twilio's log, 1 given up");
    sweeps_pass(&class);
    assert_eq!(class.twilio().count(ops::REDACT), 8);
    crate::metrics::comes_to(&class, "redactions_total{result=\"put_off\"}", 7.0);
    crate::metrics::comes_to(&class, "redactions_total{result=\"given_up\"}", 1.0);

    // It stays in Twilio's log; a person learns which one it is, also once its account is gone.
    let sid = class.twilio().texts()[0].sid.clone();
    class.logs("status lists the logins that stay in Twilio's log");
    let told = class.does(&["status"]);
    assert!(
        told.contains(&format!(
            "could not be redacted in Twilio's log: 1 login: {sid}"
        )),
        "{told}"
    );
    let told = class.tells(&["status", "--json"]);
    assert_eq!(told["unredacted_logins"]["given_up"][0], sid.as_str());
}

#[test]
fn one_odd_answer_ends_nothing() {
    let refused = serde_json::json!({ "code": 20003, "message": "Authenticate", "status": 401 });
    let empty = |status| Trouble::Status(status, Vec::new(), "text/plain".into(), String::new());
    for trouble in [
        Trouble::json(401, &refused),
        Trouble::html(401, "Unauthorized"),
        Trouble::html(403, "Forbidden"),
        Trouble::html(404, "Not Found"),
        Trouble::html(200, "Please log in"),
        Trouble::json(200, &serde_json::json!({ "body": "not blanked" })),
        empty(202),
        empty(204),
    ] {
        let class = plan().with_receipts().with_clock_shim().open();
        class.trouble_at_twilio(ops::REDACT, 1, trouble);
        class.student().gets_a_login();
        class.eventually("a try that fails", || class.twilio().count(ops::REDACT) > 0);
        assert_eq!(words_left(&class), 1);
        class.sets_the_clock(HOUR);
        all_redacted(&class);
        assert_eq!(class.query("SELECT count(*) FROM unredacted"), "0");
    }
}

#[test]
fn a_login_that_arrived_in_part_is_redacted() {
    let class = silent().open();
    class
        .twilio()
        .fate_of_all(Fate::of(&["sent", "partially_delivered"]));
    let ana = class.student();
    class.login_of(&ana);
    class.sets_the_clock(HOUR);
    all_redacted(&class);
    assert!(ana.can_log_in());
}

#[test]
fn a_login_that_twilio_shows_as_waiting_for_ever_is_redacted_by_the_last_try() {
    let class = silent().open();
    class.twilio().fate_of_all(Fate::of(&["scheduled"]));
    class.login_of(&class.student());
    class.sets_the_clock(HOUR);
    class.eventually("a look that puts it off", || {
        class.query("SELECT redact_tries FROM deliveries") == "1"
    });
    assert_eq!(words_left(&class), 1);
    class.change("UPDATE deliveries SET redact_tries = 7, redact_at = 1");
    all_redacted(&class);
}

#[test]
fn a_redacted_login_is_not_taken_for_the_next_one_whose_outcome_is_open() {
    let class = plan()
        .with_receipts()
        .with("CODER_REG_RESEND_INTERVAL", "0")
        .open();
    let ana = class.student();
    ana.gets_a_login();
    all_redacted(&class);
    // It was sent a moment ago and has no words: by its time it might be the one that is looked for.
    class.trouble_at_twilio(ops::SEND, 1, Trouble::CutBefore);
    std::thread::sleep(Duration::from_secs(1));
    class.login_of(&ana);
    assert!(ana.can_log_in());
    assert!(class.twilio().count(ops::LIST) > 0, "it was looked for");
    ana.has_read_all();
}

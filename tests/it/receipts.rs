//! Delivery receipts of logins: they arrive in any order, and failed deliveries are logged.

use std::time::{Duration, SystemTime};

use crate::plan;
use support::classroom::student::Student;
use support::classroom::{Classroom, PHRASE, SIGNED_URL, STATUS_URL};
use support::fakes::trouble::Trouble;
use support::fakes::twilio::{self, Fate, new_sid, ops, receipt_params};

/// A class to which Twilio tells what becomes of logins.
fn class() -> Classroom {
    plan().with_receipts().open()
}

/// What the database knows of the last login of the only student.
fn state(class: &Classroom) -> String {
    class.query(
        "SELECT coalesce(state || ' ' || code, state) FROM deliveries
         JOIN registrations ON login_sid = sid AND registration = id",
    )
}

/// Waits until Twilio has told so much, and until all of it is written.
fn told(class: &Classroom, receipts: usize) {
    class.eventually("all receipts", || {
        class.twilio().receipts().len() >= receipts
    });
    let answers = class.twilio().receipts();
    assert!(answers.iter().all(|one| one.answer == 200), "{answers:?}");
    // One more takes its place behind all others; once another one is written after it, what was to be
    // said of the first has been said.
    for _ in 0..2 {
        let last = new_sid();
        assert_eq!(tells(class, &last, "sent", STATUS_URL), 200);
        let written = format!("SELECT count(*) FROM deliveries WHERE sid = '{last}'");
        class.eventually("the last receipt is written", || {
            class.query(&written) == "1"
        });
    }
}

/// Posts a receipt that is signed for `url`, with the account's token.
fn tells(class: &Classroom, sid: &str, state: &str, url: &str) -> u16 {
    let account = class.twilio().account();
    let token = &account.account_token;
    let params = receipt_params(sid, "+12025550123", "+12025550100", state, None, account);
    posts_to(
        class,
        "/status",
        &params,
        &twilio::sign(token, url, &params),
    )
}

fn posts_to(class: &Classroom, path: &str, params: &[(String, String)], signature: &str) -> u16 {
    let headers = twilio::webhook_headers(signature);
    let body = twilio::form_encode(params);
    let address = class.service().address();
    let answer =
        support::classroom::http::request(address, "POST", path, &headers, body.as_bytes());
    answer.map_or(0, |answer| answer.status)
}

/// How often the log says that a login did not arrive.
fn complaints(class: &Classroom) -> usize {
    class.log().matches("was not delivered").count()
}

#[test]
fn given_a_login_arrives_then_the_registration_knows_it() {
    let class = class();
    let ana = class.student();
    ana.gets_a_login();
    told(&class, 2);
    assert_eq!(state(&class), "delivered");
    let sid = class.query("SELECT login_sid FROM registrations");
    assert_eq!(sid, ana.inbox()[0].sid);
    assert_eq!(complaints(&class), 0);
}

#[test]
fn given_a_login_does_not_arrive_then_the_log_says_why_and_what_helps_once() {
    let class = class();
    let ana = class.student();
    let mut fate = Fate::undelivered(30003);
    fate.steps = [fate.steps.clone(), fate.steps].concat();
    class.twilio().fate_of(ana.phone(), fate);
    let login = ana.gets_a_login();
    told(&class, 4);
    assert_eq!(state(&class), "undelivered 30003");
    let log = class.log();
    let line = log.lines().find(|line| line.contains("was not delivered"));
    let line = line.expect("a line about it");
    let words = format!(
        "login of {} was not delivered (text {}): code 30003, the phone is off or out of reach; \
         the student can text the phrase again",
        login.username(),
        ana.inbox()[0].sid
    );
    assert!(line.contains(" WARN ") && line.contains(&words), "{line}");
    assert_eq!(complaints(&class), 1);
}

#[test]
fn receipts_in_any_order_and_repeated_leave_the_furthest_state() {
    for (steps, last) in [
        (&["delivered", "sent", "queued", "sent"][..], "delivered"),
        (&["sent", "sent", "sending"], "sent"),
        (&["sent", "no word of ours"], "sent"),
        (&["failed", "delivered"], "failed"),
    ] {
        let class = class();
        let ana = class.student();
        class.twilio().fate_of(ana.phone(), Fate::of(steps));
        ana.gets_a_login();
        told(&class, steps.len());
        assert_eq!(state(&class), last, "{steps:?}");
    }
}

#[test]
fn a_receipt_that_comes_before_the_sends_own_answer_counts() {
    let class = class();
    let ana = class.student();
    let fate = Fate {
        pause: Duration::ZERO,
        steps: vec![("failed", Some(30034))],
    };
    class.twilio().fate_of(ana.phone(), fate);
    // Taken after one second, answered after another.
    class.twilio().latency(ops::SEND, Duration::from_secs(2));
    ana.asks();
    class.eventually("a receipt of a text that nobody knows", || {
        class.query("SELECT count(*) FROM deliveries WHERE registration IS NULL") == "1"
    });
    assert_eq!(complaints(&class), 0);
    class.logs("no approved A2P 10DLC campaign");
    class.all_served();
    assert_eq!(state(&class), "failed 30034");
    assert_eq!(complaints(&class), 1);
}

#[test]
fn who_cannot_sign_changes_nothing() {
    let class = class();
    let ana = class.student();
    ana.gets_a_login();
    told(&class, 2);
    let before = class.query("SELECT count(*) FROM deliveries");
    let sid = &ana.inbox()[0].sid;
    let account = class.twilio().account();
    let params = receipt_params(sid, "+12025550123", "+12025550100", "read", None, account);
    let right = twilio::sign(&account.account_token, STATUS_URL, &params);
    let forged = twilio::sign("another token", STATUS_URL, &params);
    assert_eq!(posts_to(&class, "/status", &params, &forged), 403);
    assert_eq!(posts_to(&class, "/status", &params, ""), 403);
    assert_eq!(tells(&class, sid, "read", SIGNED_URL), 403);
    assert_eq!(
        tells(&class, sid, "read", "https://evil.example.org/status"),
        403
    );
    assert_eq!(posts_to(&class, "/inbound", &params, &right), 403);
    assert_eq!(posts_to(&class, "/status?a=b", &params, &forged), 403);
    let mut other = account.clone();
    other.account_sid = format!("AC{}", "0".repeat(32));
    let params = receipt_params(sid, "+12025550123", "+12025550100", "read", None, &other);
    let signed = twilio::sign(&account.account_token, STATUS_URL, &params);
    assert_eq!(posts_to(&class, "/status", &params, &signed), 403);
    // Whatever got in would stand before this one.
    assert_eq!(tells(&class, &new_sid(), "sent", STATUS_URL), 200);
    class.eventually("the honest one", || {
        class.query("SELECT count(*) FROM deliveries") != before
    });
    assert_eq!(state(&class), "delivered");
}

#[test]
fn given_the_database_is_held_then_receipts_are_turned_away_and_texts_are_not() {
    let class = class();
    let students = class.students(5);
    let path = class.data_dir().join("registrations.db");
    let held = rusqlite::Connection::open(path).expect("the database opens");
    held.execute_batch("BEGIN IMMEDIATE")
        .expect("nobody writes");
    let flood = || (0..2_500).filter(|_| tells(&class, &new_sid(), "sent", STATUS_URL) == 503);
    let refused = flood().count();
    assert!(refused > 0, "the queue has an end");
    class.all_ask(&students);
    held.execute_batch("ROLLBACK")
        .expect("the database is free");
    class.all_log_in(&students);
    class.all_served();
    let strangers = "SELECT count(*) FROM deliveries WHERE registration IS NULL";
    // A receipt that came before the answer to its send becomes that of a login.
    class.eventually("the surplus goes", || {
        let kept: u32 = class.query(strangers).parse().expect("a number");
        (1_000 - 5..=1_000).contains(&kept)
    });
    assert!(students.iter().all(Student::can_log_in));
}

#[test]
fn a_flood_of_receipts_holds_no_login_back() {
    let class = plan().with_receipts().with_clock_shim().open();
    let students = class.students(20);
    std::thread::scope(|scope| {
        let account = class.twilio().account();
        let address = class.service().address();
        for _ in 0..4 {
            scope.spawn(move || {
                for _ in 0..500 {
                    let (sid, to) = (new_sid(), "+12025550123");
                    let params = receipt_params(&sid, to, "+12025550100", "sent", None, account);
                    let _ = twilio::post(address, &account.account_token, STATUS_URL, &params);
                }
            });
        }
        class.all_ask(&students);
        class.all_log_in(&students);
    });
    class.all_served();
    assert!(students.iter().all(Student::can_log_in));
    // The flood may have filled the queue, so that a receipt was refused; within the hour Twilio is asked.
    class.sets_the_clock(3_700);
    class.eventually("every login is known to have arrived", || {
        class.query(
            "SELECT count(*) FROM registrations JOIN deliveries ON sid = login_sid
             WHERE state = 'delivered'",
        ) == "20"
    });
}

#[test]
fn a_kill_among_receipts_loses_no_login_and_the_next_start_looks_up_what_it_missed() {
    let class = plan().with_receipts().with_clock_shim().open();
    let students = class.students(6);
    class
        .twilio()
        .fate_of_all(Fate::delivered().slowly(Duration::from_millis(150)));
    for student in &students {
        student.asks();
    }
    class.all_log_in(&students);
    class.all_served();
    class.eventually("the first receipts", || {
        !class.twilio().receipts().is_empty()
    });
    class.end_service();
    class.eventually("receipts that find nobody", || {
        class.twilio().receipts().len() == 12
    });
    class.start_service();
    class.sets_the_clock(3_700);
    class.eventually("all are known to have arrived", || {
        class.query("SELECT count(*) FROM deliveries WHERE state = 'delivered'") == "6"
    });
    for student in &students {
        assert!(student.can_log_in());
        student.has_read_all();
    }
}

#[test]
fn given_twilio_does_not_take_our_address_then_logins_go_without() {
    let class = class();
    let body = serde_json::json!({ "code": 21609, "message": "invalid", "status": 400 });
    class.trouble_at_twilio(ops::SEND, 1, Trouble::json(400, &body));
    let (ana, ben) = (class.student(), class.student());
    ana.gets_a_login();
    class.login_of(&ben);
    assert!(ana.can_log_in() && ben.can_log_in());
    assert_eq!(class.twilio().count(ops::SEND), 3);
    assert_eq!(class.log().matches("no delivery receipts").count(), 1);
    assert_eq!(class.twilio().receipts(), []);
}

#[test]
fn without_https_there_are_no_receipts_and_the_start_says_so() {
    let class = plan()
        .with("TWILIO_WEBHOOK_URL", "http://sms.class.example.org/inbound")
        .open();
    let words = "switched off: stopping workspaces, searching for missed texts, \
                 delivery receipts (TWILIO_WEBHOOK_URL is not https)";
    assert!(class.log().contains(words), "{}", class.log());
    assert_eq!(tells(&class, &new_sid(), "sent", STATUS_URL), 404);
}

#[test]
fn a_login_that_is_known_to_have_failed_does_not_hold_the_next_one_back() {
    let class = class();
    let ana = class.student();
    class
        .twilio()
        .fate_of(ana.phone(), Fate::undelivered(30_003));
    ana.gets_a_login();
    told(&class, 2);
    assert_eq!(state(&class), "undelivered 30003");
    assert!(
        class
            .log()
            .contains("the student can text the phrase again")
    );

    // Within the minute for which others have to wait.
    class.twilio().fate_of(ana.phone(), Fate::delivered());
    ana.gets_a_login();
    assert!(ana.can_log_in());
    told(&class, 4);
    ana.asks();
    class.all_served();
    ana.has_read_all();
}

#[test]
fn a_text_that_came_before_a_login_that_failed_is_answered() {
    let class = plan()
        .with_receipts()
        .with("CODER_REG_CATCH_UP", "30")
        .open();
    class.logs("no text was missed");
    let ana = class.student();
    class
        .twilio()
        .fate_of(ana.phone(), Fate::undelivered(30_008));
    ana.gets_a_login();
    told(&class, 2);
    class.end_service();
    // The first of two texts did not reach us, and is found after the login for the second one failed.
    let to = class.twilio().account().from_numbers[0].clone();
    let before = SystemTime::now() - Duration::from_secs(60);
    class
        .twilio()
        .add_inbound(&new_sid(), ana.phone(), &to, PHRASE, before);
    class.twilio().fate_of(ana.phone(), Fate::delivered());
    class.start_service();
    ana.logs_in();
}

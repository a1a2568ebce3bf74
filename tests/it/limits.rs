//! What a class, a phone or an attacker can cost: limits that hold by default.

use std::time::Duration;

use crate::plan;
use support::classroom::student::Student;
use support::classroom::{Classroom, Plan, a_later_second};
use support::fakes::coder::{Role, Version, ops as coder};
use support::fakes::desk::Call;
use support::fakes::http::Request;
use support::fakes::trouble::{Op, Trouble, Which};
use support::fakes::twilio::ops as twilio;

const FULL: &str = "This class is full";

#[test]
fn a_hundred_who_race_for_thirty_seats_get_exactly_thirty_accounts() {
    let class = plan()
        .with("CODER_REG_MAX_USERS", "30")
        .with("CODER_REG_PARALLEL", "16")
        .open();
    class.coder().latency(Op::ANY, Duration::from_millis(5));
    let students = class.students(100);
    class.all_ask(&students);
    class.all_served();
    let (mut logins, mut told) = (0, 0);
    for student in &students {
        let text = student.next_text();
        told += usize::from(text.starts_with(FULL));
        logins += usize::from(student.can_log_in());
        student.has_read_all();
    }
    assert_eq!((logins, told), (30, 70));
    assert_eq!(class.coder().created_ever().len(), 30);
}

#[test]
fn who_finds_the_class_full_is_told_once_and_gets_the_seat_that_becomes_free() {
    let class = plan()
        .with("CODER_REG_MAX_USERS", "1")
        .with("CODER_REMOVE_TIME", "3s")
        .open();
    let [ana, ben] = [(); 2].map(|()| class.student());
    ana.gets_a_login();
    ben.asks();
    assert!(ben.next_text().starts_with(FULL));
    ben.asks();
    class.all_served();
    ben.has_read_all();
    // Who has a seat may ask again in a full class.
    ana.asks();
    class.all_served();
    class.all_gone();
    ben.gets_a_login();
    assert!(ben.can_log_in());
    // The operator is told once, and how many it was.
    class.logs("turned away while it was full: 1");
    assert_eq!(
        class.log().matches("the class is full: all seats").count(),
        1
    );
}

#[test]
fn a_full_class_that_cannot_be_told_so_costs_one_try() {
    let class = plan().with("CODER_REG_MAX_USERS", "1").open();
    class.student().gets_a_login();
    let ben = class.student();
    class.trouble_at_twilio(twilio::SEND, 1, Trouble::bad_gateway());
    ben.asks();
    ben.asks();
    class.all_served();
    assert!(ben.inbox().is_empty());
    assert_eq!(class.twilio().count(twilio::SEND), 2);
}

#[test]
fn the_bill_of_an_hour_has_a_limit_and_those_beyond_it_wait() {
    let class = plan()
        .with("CODER_REG_HOURLY_TEXTS", "3")
        .with("CODER_REG_PARALLEL", "1")
        .open();
    let students = class.students(5);
    class.all_ask(&students);
    class.logs("logins wait: CODER_REG_HOURLY_TEXTS allows 3 an hour");
    class.eventually("three logins", || class.twilio().texts().len() == 3);
    // Courtesies are left out, not put off.
    let eva = class.student();
    eva.texts("what is the phrase?");
    class.logs("no answer, the hourly limit of texts is reached");
    class.eventually("two in waiting", || {
        class.redis().length("coder-sms-register:texts") == 2
    });
    // An hour later.
    class.end_service();
    class.change("UPDATE sends SET slot = slot - 12");
    class.start_service();
    class.all_served();
    class.all_log_in(&students);
    students.iter().for_each(Student::has_read_all);
    assert!(eva.inbox().is_empty());
}

#[test]
fn texts_that_twilio_did_not_take_do_not_count() {
    let class = plan().with("CODER_REG_HOURLY_TEXTS", "2").open();
    let ana = class.student();
    class.trouble_at_twilio(twilio::SEND, 3, Trouble::too_many_requests(1));
    class.login_of(&ana);
    assert_eq!(class.query("SELECT sum(count) FROM sends"), "1");
}

#[test]
fn two_bots_that_answer_each_other_come_to_rest() {
    let class = plan().with("CODER_REG_RESEND_INTERVAL", "0").open();
    let echo = class.student();
    let parrot = class.student();
    echo.texts("hello?");
    parrot.asks();
    // The echo sends back what it hears, the parrot repeats the phrase at whatever it hears.
    let (mut echoed, mut repeated) = (0, 0);
    for _ in 0..200 {
        class.all_served();
        let (heard, learnt) = (echo.inbox(), parrot.inbox());
        if heard.len() == echoed && learnt.len() == repeated {
            break;
        }
        if heard.len() > echoed {
            echo.texts(&heard[echoed].body.clone());
        }
        if learnt.len() > repeated {
            // Its next text comes in a later second, or it would count as asked before the login.
            a_later_second();
            parrot.asks();
        }
        (echoed, repeated) = (heard.len(), learnt.len());
    }
    class.all_served();
    assert_eq!(echo.inbox().len(), 1, "one hint");
    assert_eq!(parrot.inbox().len(), 10, "the logins of a day");
}

#[test]
fn senders_that_cannot_be_texted_cost_nothing() {
    let class = plan().open();
    let own = class.twilio().account().from_numbers[0].clone();
    for sender in [
        "12345",
        "787878",
        "MYBANK",
        "TWILIO",
        "whatsapp:+12025550123",
        "+4915112345678",
        "+18005550123",
        "+1900",
        "",
        "anonymous",
        "+12345678901234567",
        &own,
    ] {
        let student = class.student_with(sender);
        student.asks();
        student.texts("hello?");
    }
    class.all_served();
    assert!(class.twilio().texts().is_empty());
    assert!(class.coder().created_ever().is_empty());
    assert_eq!(class.twilio().count(Op::ANY), 0);
}

#[test]
fn a_phone_that_asks_all_day_gets_the_logins_of_a_day_and_one_account() {
    let class = plan()
        .with("CODER_REG_RESEND_INTERVAL", "0")
        .with("CODER_REG_RESEND_DAILY", "3")
        .open();
    let ana = class.student();
    for _ in 0..3 {
        ana.gets_a_login();
        a_later_second();
    }
    for _ in 0..5 {
        ana.asks();
    }
    class.all_served();
    ana.has_read_all();
    class.logs("has reached its limit of logins for a day");
    assert!(ana.can_log_in());
    assert_eq!(class.coder().created_ever().len(), 1);
}

#[test]
fn hints_do_not_add_up() {
    let class = plan().open();
    let students = class.students(3);
    for _ in 0..10 {
        for student in &students {
            student.texts("is this the number?");
        }
    }
    class.all_served();
    let hints: usize = students.iter().map(|student| student.inbox().len()).sum();
    assert_eq!(hints, 3);
    students
        .iter()
        .for_each(|student| drop(Student::next_text(student)));
}

/// The calls so far that make a user.
fn creates(class: &Classroom) -> Vec<Call> {
    let calls = class.coder().calls().into_iter();
    calls
        .filter(|call| call.op == coder::CREATE_USER.0)
        .collect()
}

/// How Coder answered them.
fn answers_to_creates(class: &Classroom) -> Vec<u16> {
    let creates = creates(class).into_iter();
    creates.filter_map(|call| call.status).collect()
}

/// A class whose token has these roles from the start.
fn opened_with(plan: Plan, roles: &[Role]) -> Classroom {
    let class = plan.prepare();
    class.coder().token_roles(roles);
    class.start_service();
    class
}

#[test]
fn coders_limit_of_calls_does_not_hold_up_a_class_of_an_owner() {
    let class = plan().with("CODER_REG_PARALLEL", "1").open();
    class.coder().calls_a_minute(2);
    let students = class.students(6);
    class.all_ask(&students);
    // Coder would have them wait for a minute, and this waits for less.
    class.all_log_in(&students);
    let answers = answers_to_creates(&class);
    assert_eq!(answers, [201, 201, 429, 201, 429, 201, 429, 201, 429, 201]);
}

/// How often texts were put off.
fn refused_attempts(class: &Classroom) -> usize {
    let log = class.log();
    let lines = log.lines();
    lines
        .filter(|line| line.contains(" failed, trying again: "))
        .count()
}

#[test]
fn who_is_no_owner_tries_again_and_asks_for_no_favour() {
    for (roles, version, favours) in [
        (vec![Role::UserAdmin], Version::Newest, 0),
        // Takes no notice of the header, so it is asked once.
        (vec![Role::Owner], Version::V2_20, 1),
    ] {
        let plan = plan().coder_of(version).with("CODER_REG_PARALLEL", "1");
        let class = opened_with(plan, &roles);
        let [ana, ben] = [(); 2].map(|()| class.student());
        ana.gets_a_login();
        // None, as one that was made counts for less as soon as another minute begins.
        class.coder().calls_a_minute(0);
        ben.asks();
        class.eventually("three attempts are refused, by one call each", || {
            let (attempts, answers) = (refused_attempts(&class), answers_to_creates(&class));
            let refused = answers.iter().filter(|status| **status == 429).count();
            attempts >= 3 && refused == attempts + favours && answers.len() == 1 + refused
        });
    }
}

#[test]
fn who_is_no_owner_any_more_asks_for_a_favour_once() {
    let class = plan().with("CODER_REG_PARALLEL", "1").open();
    class.coder().token_roles(&[Role::UserAdmin]);
    let [ana, ben] = [(); 2].map(|()| class.student());
    ana.gets_a_login();
    class.coder().calls_a_minute(0);
    ben.asks();
    class.eventually("three attempts are refused", || {
        refused_attempts(&class) >= 3
    });
    let answers = answers_to_creates(&class);
    assert_eq!(answers[..3], [201, 429, 428]);
    assert!(
        answers[3..].iter().all(|status| *status == 429),
        "{answers:?}"
    );
}

#[test]
fn texts_that_coders_limit_refused_are_served_as_soon_as_it_accepts_calls() {
    let class = opened_with(plan(), &[Role::UserAdmin]);
    class.coder().calls_a_minute(2);
    let students = class.students(12);
    class.all_ask(&students);
    class.eventually("all but two are refused", || refused_attempts(&class) >= 10);
    class.coder().calls_a_minute(512);
    // Coder told them to wait for a minute, and this waits for less.
    class.all_log_in(&students);
}

#[test]
fn texts_that_wait_for_coders_limit_are_one_line_for_the_operator() {
    let plan = plan().with("CODER_REG_CATCH_UP", "0");
    let class = opened_with(plan, &[Role::UserAdmin, Role::OrganizationAdmin]);
    // With any, a minute that ends meanwhile would have them counted for less.
    class.coder().calls_a_minute(0);
    let students = class.students(6);
    class.all_ask(&students);
    class.eventually("all are refused", || {
        class.log().matches("attempt 1 failed").count() == 6
    });
    class.logs("Coder accepts no more calls for now");
    // Only the debug log tells of each text.
    let log = class.log();
    let told: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("too many requests") && !line.contains("DEBUG"))
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("served as soon as it accepts them"),
        "{told:?}"
    );
}

#[test]
fn a_limit_that_is_not_coders_is_waited_for_as_long_as_it_says() {
    let class = opened_with(plan(), &[Role::UserAdmin]);
    class.trouble_at_coder(coder::CREATE_USER, 1, Trouble::too_many_requests(3));
    class.student().gets_a_login();
    let creates = creates(&class);
    assert_eq!(creates.len(), 2);
    let wait = creates[1].at - creates[0].at;
    assert!(wait >= Duration::from_secs(3), "{wait:?}");
}

/// A class of twelve, of a token for which Coder's limit holds.
fn class_under_the_limit() -> Classroom {
    let plan = plan()
        .with("CODER_REG_CATCH_UP", "0")
        .with("CODER_CHECK_INTERVAL", "1h");
    let class = opened_with(plan, &[Role::UserAdmin, Role::OrganizationAdmin]);
    let students = class.students(12);
    class.all_ask(&students);
    class.all_log_in(&students);
    class.all_served();
    class
}

#[test]
fn the_end_of_a_class_stays_below_coders_limit() {
    let class = class_under_the_limit();
    // Twelve creates, and less than two lookups for each account.
    class.coder().calls_a_minute(12 + 12);
    class.try_service(&["end", "--all", "--yes"]);
    class.all_gone();
    let calls = class.coder().calls();
    assert!(calls.iter().all(|call| call.status != Some(429)));
}

#[test]
fn coders_limit_is_one_line_and_a_later_removal() {
    // Met by the list for all, and by a lookup amid the sweep.
    for query in ["limit=", "q="] {
        let class = class_under_the_limit();
        let is_met = move |request: &Request| {
            request.path.ends_with("/workspaces") && request.query.starts_with(query)
        };
        let met = Which::When(Box::new(is_met));
        class.trouble_at_coder(met, 1, Trouble::too_many_requests(2));
        class.try_service(&["end", "--all", "--yes"]);
        class.all_gone();
        let log = class.log();
        assert_eq!(log.matches("removals continue in 2 s").count(), 1, "{log}");
        assert!(!log.contains("removal of "), "{log}");
    }
}

//! It is not known whether Twilio accepted a text: the text is searched in Twilio's log and sent once.

use std::time::SystemTime;

use serde_json::{Value, json};

use crate::{class, plan};
use support::classroom::student::Student;
use support::classroom::{Classroom, PATIENCE, a_later_second};
use support::fakes::coder::ops as coder;
use support::fakes::trouble::{Trouble, When};
use support::fakes::twilio::{new_sid, ops as twilio};

/// A text of something else that sends with the account to the same phone, with these fields changed.
fn also_got(class: &Classroom, student: &Student<'_>, fields: &Value) {
    let mut entry = json!({
        "sid": new_sid(),
        "to": student.phone(),
        "from": class.twilio().account().from_numbers[0],
        "messaging_service_sid": null,
        "body": "See you on Monday",
        "status": "delivered",
        "direction": "outbound-api",
        "date_created": support::fakes::clock::rfc2822(SystemTime::now()),
        "error_code": null,
    });
    for (name, value) in fields.as_object().expect("fields") {
        entry[name] = value.clone();
    }
    class.twilio().logs_also(SystemTime::now(), entry);
}

#[test]
fn an_entry_with_null_fields_does_not_hide_the_others() {
    for fields in [
        json!({ "body": null }),
        json!({ "sid": null }),
        json!({ "direction": null }),
        json!({ "date_created": null, "status": null }),
        json!({ "body": null, "sid": null, "date_created": null }),
        json!({ "body": 5, "sid": ["SM"] }),
    ] {
        let class = class();
        let ana = class.student();
        also_got(&class, &ana, &fields);
        class.trouble_at_twilio(twilio::SEND, 1, Trouble::LoseReply);
        class.login_of(&ana);
        ana.has_read_all();
        assert!(ana.can_log_in(), "{fields}");
        assert_eq!(class.twilio().count(twilio::SEND), 1, "{fields}");
    }
}

#[test]
fn a_log_that_cannot_be_read_is_read_later_and_nothing_is_sent_meanwhile() {
    for trouble in [
        Trouble::html(200, "Please log in"),
        Trouble::json(200, &json!({ "messages": null })),
        Trouble::html(403, "Forbidden"),
        Trouble::html(302, "Found"),
    ] {
        let shown = trouble.to_string();
        let class = class();
        class.trouble_at_twilio(twilio::SEND, 1, Trouble::LoseReply);
        class.trouble_at_twilio(twilio::LIST, 1, trouble);
        let ana = class.student();
        class.login_of(&ana);
        ana.has_read_all();
        assert!(ana.can_log_in(), "{shown}");
        assert_eq!(class.twilio().count(twilio::SEND), 1, "{shown}");
        assert_eq!(class.dead_letters(), 0);
    }
}

#[test]
fn a_text_that_went_by_rcs_is_found_under_that_address() {
    let class = plan().prepare();
    let twilio = class.twilio();
    class.set("FROM_NUM", &twilio.account().service_sid);
    twilio.set_up(|setup| setup.by_rcs = true);
    class.start_service();
    twilio.trouble(twilio::SEND, 1, Trouble::LoseReply);
    let ana = class.student();
    class.login_of(&ana);
    ana.has_read_all();
    assert!(ana.can_log_in());
    assert_eq!(twilio.count(twilio::SEND), 1);
}

#[test]
fn a_text_of_another_messaging_service_is_not_taken_for_ours() {
    let other = "MGffffffffffffffffffffffffffffffff";
    for fields in [
        json!({ "body": "", "messaging_service_sid": other }),
        json!({ "body": "", "from": "+12015550199" }),
        json!({ "body": null, "messaging_service_sid": other, "from": null }),
    ] {
        let class = plan().prepare();
        class.texts_by_service();
        class.start_service();
        let ana = class.student();
        also_got(&class, &ana, &fields);
        class.trouble_at_twilio(twilio::SEND, 1, Trouble::CutBefore);
        class.login_of(&ana);
        assert!(ana.can_log_in(), "{fields}");
        ana.has_read_all();
    }
}

#[test]
fn where_the_log_keeps_no_words_our_own_text_is_found_by_its_sender_and_time() {
    for by_service in [false, true] {
        let class = plan().prepare();
        if by_service {
            class.texts_by_service();
        }
        class.start_service();
        class.twilio().keeps_no_words(true);
        class.trouble_at_twilio(twilio::SEND, 1, Trouble::LoseReply);
        let ana = class.student();
        class.login_of(&ana);
        ana.has_read_all();
        assert!(ana.can_log_in());
        assert_eq!(class.twilio().count(twilio::SEND), 1);
    }
}

/// How long the account of a login lives that was sent just now, as the database has it.
fn time_left(class: &Classroom) -> i64 {
    let left = "SELECT due_at - CAST(strftime('%s') AS INTEGER) FROM registrations
                WHERE coder_id IS NOT NULL ORDER BY id LIMIT 1";
    class.query(left).parse().unwrap_or(i64::MIN)
}

#[test]
fn who_may_have_a_login_keeps_the_time_that_it_promised_although_the_text_is_given_up() {
    let class = plan()
        .with("CODER_REMOVE_TIME", "3h")
        .with("CODER_REG_GIVE_UP", "15s")
        .open();
    class.trouble_at_twilio(twilio::SEND, 1, Trouble::LoseReply);
    class.twilio().list_unavailable(true);
    let (ana, ben) = (class.student(), class.student());
    ana.asks();
    ana.next_login();
    // Already while the outcome is searched for.
    class.logs("attempt 1 failed");
    assert!(
        (3 * 3_600 - 60..=3 * 3_600).contains(&time_left(&class)),
        "{} s",
        time_left(&class)
    );
    class.eventually("the text given up", || class.dead_letters() == 1);
    // An account that surely has no login goes at once.
    class.twilio().refuse(ben.phone(), 400, 21614);
    ben.asks();
    only_her_account_stays(&class, &ana);
    // She is served like anybody else.
    class.twilio().list_unavailable(false);
    ana.gets_a_login();
    assert!(ana.can_log_in());
    assert_eq!(class.coder().created_ever().len(), 2);
}

#[test]
fn a_login_of_half_a_day_ago_is_not_taken_for_one_that_failed_a_moment_ago() {
    let class = plan()
        .with_clock_shim()
        .with("CODER_REG_GIVE_UP", "5s")
        .open();
    class.trouble_at_twilio(twilio::SEND, 1, Trouble::LoseReply);
    class.twilio().list_unavailable(true);
    let ana = class.student();
    ana.asks();
    let first = ana.next_login();
    class.eventually("the text given up", || class.dead_letters() == 1);
    class.twilio().list_unavailable(false);
    class.sets_the_clock(12 * 3_600);
    class.logs("clock was set ahead");
    // Its words are the same, and Twilio never gets it.
    class.trouble_at_twilio(twilio::SEND, 1, Trouble::CutBefore);
    ana.asks();
    assert_eq!(ana.next_login(), first);
    assert!(ana.can_log_in());
    class.all_served();
    ana.has_read_all();
    assert_eq!(class.twilio().texts().len(), 2);
}

#[test]
fn a_login_that_is_found_when_its_account_is_being_removed_answers_no_later_text() {
    let class = plan().with("CODER_REG_CALL_LIMIT", "10s").open();
    class.trouble_at_twilio(twilio::SEND, 1, Trouble::LoseReply);
    // So the second text comes to search before the first one searches again.
    class.trouble_at_twilio(twilio::LIST, 1, Trouble::unavailable());
    let ana = class.student();
    ana.asks();
    let first = ana.next_login();
    a_later_second();
    // The search of the second text is still under way when the time of the account is up.
    let begun = class.twilio().hold(twilio::LIST, When::Before);
    class.trouble_at_coder(coder::DELETE_USER, 2, Trouble::unavailable());
    let asked_again = ana.asks();
    assert!(class.twilio().wait_for_calls(twilio::LIST, 2, PATIENCE));
    class.time_is_up();
    class.eventually("the removal begun", || {
        class.query("SELECT count(*) FROM registrations WHERE stage = 'reaping'") == "1"
    });
    begun.send(()).expect("the search still waits");
    // The second text is not served by the login that was found.
    let why = format!("the account {} is being removed", first.username());
    class.eventually("another attempt", || {
        let log = class.log();
        let mut lines = log.lines();
        lines.any(|line| line.contains(&asked_again) && line.contains(&why))
    });
    let second = ana.next_login();
    class.all_served();
    ana.has_read_all();
    assert_ne!(second.username(), first.username());
    assert!(ana.can_log_in());
    class.eventually("the first account gone", || {
        class.coder().students().len() == 1
    });
}

/// Of two accounts the one without a login is removed, and that of `ana` keeps its three hours.
fn only_her_account_stays(class: &Classroom, ana: &Student<'_>) {
    class.eventually("the useless account removed", || {
        class.coder().created_ever().len() == 2 && class.coder().students().len() == 1
    });
    assert!(ana.can_log_in());
    let left = time_left(class);
    assert!(left > 3 * 3_600 - 120, "{left} s");
}

#[test]
fn a_first_send_of_unknown_outcome_counts_although_the_second_surely_failed() {
    let class = plan().with("CODER_REMOVE_TIME", "3h").open();
    let forbidden = json!({"code": 20403, "message": "Forbidden", "status": 403});
    class.trouble_at_twilio(twilio::LIST, usize::MAX, Trouble::json(403, &forbidden));
    class.trouble_at_twilio(twilio::SEND, 1, Trouble::LoseReply);
    let (ana, ben) = (class.student(), class.student());
    ana.asks();
    ana.next_login();
    class.twilio().refuse(ana.phone(), 400, 21614);
    class.twilio().refuse(ben.phone(), 400, 21614);
    class.eventually("the text given up", || class.dead_letters() == 1);
    ben.asks();
    only_her_account_stays(&class, &ana);
}

#[test]
fn a_send_that_surely_failed_promises_no_time() {
    let class = plan()
        .with("CODER_REMOVE_TIME", "3h")
        .with("CODER_REG_GIVE_UP", "1h")
        .open();
    class.twilio().refuse_all(429, 63038);
    class.student().asks();
    class.logs("code 63038");
    assert!(time_left(&class) <= 3_600, "{} s", time_left(&class));
}

#[test]
fn a_text_given_up_after_two_sends_leaves_its_dead_letter_whatever_breaks_between_two_records() {
    let class = class();
    let forbidden = json!({"code": 20403, "message": "Forbidden", "status": 403});
    class.trouble_at_twilio(twilio::LIST, usize::MAX, Trouble::json(403, &forbidden));
    class.trouble_at_twilio(twilio::SEND, 2, Trouble::LoseReply);
    class.change(
        "CREATE TRIGGER broken BEFORE INSERT ON seen WHEN NEW.gave_up IS NOT NULL BEGIN
             SELECT RAISE(ABORT, 'broken on purpose');
         END",
    );
    let ana = class.student();
    ana.asks();
    class.logs("broken on purpose");
    class.service().kill();
    class.change("DROP TRIGGER broken");
    class.restart_service();
    class.all_served();
    class.eventually("the dead letter", || class.dead_letters() == 1);
    assert_eq!(ana.inbox().len(), 2);
    assert!(ana.can_log_in(), "the last one works");
    assert_eq!(class.query("SELECT stage FROM registrations"), "announced");
}

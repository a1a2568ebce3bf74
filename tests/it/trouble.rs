//! Coder, Twilio and Redis fail; no text is lost, and none is served twice.

use std::time::Duration;

use crate::class;
use crate::plan;
use support::classroom::PATIENCE;
use support::classroom::student::Student;
use support::fakes::coder::{Version, ops as coder};
use support::fakes::trouble::{Op, Trouble};
use support::fakes::twilio::ops as twilio;

#[test]
fn given_coder_is_down_when_students_text_then_logins_arrive_once_it_is_back() {
    let class = class();
    let students = class.students(10);
    class.coder().goes_down();
    class.all_ask(&students);
    class.logs("attempt 2 failed");
    class.coder().comes_back();
    class.all_log_in(&students);
    students.iter().for_each(Student::has_read_all);
    assert_eq!(class.coder().created_ever().len(), 10);
}

#[test]
fn every_coder_call_may_lose_its_answer_or_fail_once() {
    for trouble in [
        Trouble::CutBefore,
        Trouble::LoseReply,
        Trouble::bad_gateway(),
        Trouble::unavailable(),
        Trouble::html(500, "Oops"),
        Trouble::html(404, "nginx"),
        Trouble::too_many_requests(1),
    ] {
        for op in [coder::CREATE_USER, coder::LIST_USERS, coder::SET_PASSWORD] {
            let class = plan().open();
            class.trouble_at_coder(op, 1, trouble.clone());
            // A lost create leads to a look at the user, and a login that Twilio did not take, which is
            // longer ago, to a look whether its password holds.
            class.trouble_at_coder(coder::CREATE_USER, 1, Trouble::LoseReply);
            class.trouble_at_twilio(twilio::SEND, 1, Trouble::unavailable());
            let ana = class.student();
            class.login_of(&ana);
            assert!(ana.can_log_in(), "{trouble:?} {op:?}");
            ana.has_read_all();
            assert_eq!(class.coder().created_ever().len(), 1, "{trouble:?} {op:?}");
        }
    }
}

#[test]
fn a_text_that_twilio_surely_did_not_take_is_sent_again() {
    for trouble in [
        Trouble::CutBefore,
        Trouble::html(503, "Service Unavailable"),
    ] {
        let class = class();
        class.trouble_at_twilio(twilio::SEND, 2, trouble);
        let ana = class.student();
        class.login_of(&ana);
        ana.has_read_all();
        assert!(ana.can_log_in());
    }
}

#[test]
fn where_the_log_cannot_be_read_a_doubtful_text_is_repeated_once() {
    let class = class();
    // A key that may send but not read.
    let forbidden = serde_json::json!({"code": 20403, "message": "Forbidden", "status": 403});
    class.trouble_at_twilio(twilio::LIST, usize::MAX, Trouble::json(403, &forbidden));
    class.trouble_at_twilio(twilio::SEND, 5, Trouble::LoseReply);
    let ana = class.student();
    ana.asks();
    class.all_served();
    // Both were taken; a third would not help.
    assert_eq!(ana.inbox().len(), 2);
    assert!(ana.can_log_in(), "the last one works");
    assert_eq!(class.dead_letters(), 1);
}

#[test]
fn a_number_that_cannot_be_texted_ends_as_a_dead_letter_and_its_account_goes() {
    let class = class();
    let (ana, ben) = (class.student(), class.student());
    class.twilio().refuse(ana.phone(), 400, 21614);
    ana.asks();
    ben.gets_a_login();
    class.eventually("a dead letter", || class.dead_letters() == 1);
    let letter = class.redis().entries("coder-sms-register:dead");
    assert!(
        letter.contains("21614") && !letter.contains(&ana.phone()[2..]),
        "{letter}"
    );
    class.eventually("the useless account removed", || {
        class.coder().students().len() == 1
    });

    // Remembered: no further account is made for it.
    ana.asks();
    class.all_served();
    assert_eq!(class.coder().created_ever().len(), 2);
}

#[test]
fn a_person_who_opted_out_at_twilio_is_remembered() {
    let class = class();
    let ana = class.student();
    class.twilio().refuse(ana.phone(), 400, 21610);
    ana.asks();
    class.all_served();
    ana.asks();
    class.all_served();
    assert_eq!(class.twilio().refused_to(ana.phone()), 1);
}

#[test]
fn while_twilio_refuses_our_credentials_everything_waits_and_nothing_is_given_up() {
    let class = class();
    let students = class.students(5);
    class.twilio().auth_fails(true);
    class.all_ask(&students);
    class.logs("all texts are paused until this is fixed");
    assert!(
        class.twilio().count(twilio::SEND) <= 8,
        "a pause, not a storm"
    );

    // The operator mends it and starts the service again.
    class.twilio().auth_fails(false);
    class.restart_service();
    class.all_log_in(&students);
    assert_eq!(class.dead_letters(), 0);
}

#[test]
fn one_student_whose_calls_hang_does_not_keep_the_others_waiting() {
    let class = plan()
        .with("CODER_REG_CALL_LIMIT", "60s")
        .with("CODER_REG_PARALLEL", "2")
        .open();
    let stuck = class.student();
    let number = stuck.phone().trim_start_matches('+').to_owned();
    let hers = move |request: &support::fakes::server::Request| {
        String::from_utf8_lossy(&request.body).contains(&number)
    };
    class
        .twilio()
        .trouble_when(Box::new(hers), usize::MAX, Trouble::Hang(PATIENCE));
    stuck.asks();
    let sends = || class.twilio().count(twilio::SEND);
    class.eventually("her send under way", || sends() == 1);

    let others = class.students(6);
    class.all_get_logins(&others);
    // All of them within the first of her calls: she was not tried again meanwhile.
    assert_eq!(sends(), 1 + others.len());
    class.twilio().no_more_trouble();
    class.service().kill();
    class.start_service();
    stuck.logs_in();
}

#[test]
fn a_redirect_is_not_followed_with_our_token() {
    let class = class();
    let elsewhere = support::fakes::coder::FakeCoder::start();
    let location = format!("{}/api/v2/users", elsewhere.url());
    let redirect = Trouble::Status(
        307,
        vec![("Location".into(), location)],
        "text/html".into(),
        String::new(),
    );
    class.trouble_at_coder(coder::CREATE_USER, 1, redirect);
    let ana = class.student();
    ana.gets_a_login();
    assert!(elsewhere.calls().is_empty());
    assert!(class.log().contains("check CODER_API_URL"));
}

#[test]
fn texts_survive_a_redis_that_dies_hangs_and_forgets_its_group() {
    let class = plan().with_safe_redis().open();
    let students = class.students(4);
    class.coder().latency(Op::ANY, Duration::from_millis(100));
    class.all_ask(&students);
    class.redis().kill();
    class.redis().start_again();
    class.all_log_in(&students);

    let late = class.student();
    class.redis().pause();
    assert_eq!(late.posts(&late.phrase_webhook()), 503);
    class.redis().resume();
    late.asks();
    late.next_login();

    let mut connection = class.redis().connection().unwrap();
    redis::cmd("FLUSHALL").exec(&mut connection).unwrap();
    let last = class.student();
    last.asks();
    last.logs_in();
    students.iter().for_each(Student::has_read_all);
}

#[test]
fn a_wrong_redis_password_is_named() {
    let class = plan().with("REDIS_PW", "wrong").open();
    class.logs("Redis refuses the password: set REDIS_PW");
    assert_eq!(
        class.student().posts(&class.student().webhook("x", &[])),
        503
    );
}

#[test]
fn a_full_redis_turns_texts_away_until_there_is_room() {
    let class = class();
    let ana = class.student();
    let mut connection = class.redis().connection().unwrap();
    redis::cmd("CONFIG")
        .arg(&["SET", "maxmemory", "1"])
        .exec(&mut connection)
        .unwrap();
    assert_eq!(ana.posts(&ana.phrase_webhook()), 503);
    redis::cmd("CONFIG")
        .arg(&["SET", "maxmemory", "0"])
        .exec(&mut connection)
        .unwrap();
    ana.asks();
    ana.next_login();
}

#[test]
fn a_token_that_lost_its_rights_forgets_nobody() {
    let class = plan().with("CODER_REG_RESEND_INTERVAL", "0").open();
    let ana = class.student();
    let login = ana.gets_a_login();
    class.coder().token_loses_rights();
    class.eventually("a text after the login", || {
        ana.asks();
        class.service().log().contains("may not see users any more")
    });
    assert_eq!(
        class.query("SELECT username FROM registrations"),
        login.username()
    );
    assert_eq!(class.query("SELECT stage FROM registrations"), "announced");
}

#[test]
fn a_text_that_shows_late_in_twilios_log_is_not_sent_again() {
    let class = class();
    class
        .coder()
        .latency(coder::CREATE_USER, Duration::from_secs(4));
    class.twilio().hide_from_list_for(Duration::from_secs(4));
    class.trouble_at_twilio(twilio::SEND, 1, Trouble::LoseReply);
    let ana = class.student();
    class.login_of(&ana);
    ana.has_read_all();
    assert!(ana.can_log_in());
}

#[test]
fn a_text_that_twilio_takes_after_our_time_limit_is_not_sent_again() {
    let class = plan().with("CODER_REG_CALL_LIMIT", "2s").open();
    class.trouble_at_twilio(twilio::SEND, 1, Trouble::Delay(Duration::from_secs(4)));
    let ana = class.student();
    class.login_of(&ana);
    ana.has_read_all();
    assert!(ana.can_log_in());
}

#[test]
fn dead_letters_wait_for_a_redis_that_is_away_when_they_are_written() {
    let class = plan().with_safe_redis().open();
    let students = class.students(4);
    for student in &students {
        class.twilio().refuse(student.phone(), 400, 21614);
    }
    class
        .twilio()
        .latency(twilio::SEND, Duration::from_millis(800));
    class.all_ask(&students);
    assert!(
        class
            .twilio()
            .wait_for_calls(twilio::SEND, 4, Duration::from_secs(10))
    );
    class.redis().kill();
    class.logs("given up");
    class.redis().start_again();
    class.eventually("all dead letters", || class.dead_letters() == 4);
    class.all_served();
}

#[test]
fn a_full_account_at_twilio_is_waited_for() {
    let class = class();
    class.twilio().refuse_all(429, 63038);
    let ana = class.student();
    ana.asks();
    class.logs("code 63038");
    class.twilio().refuse_none();
    // The wait is long; a restart ends it.
    class.restart_service();
    ana.logs_in();
}

#[test]
fn on_an_old_coder_a_slow_answer_does_not_make_our_own_user_foreign() {
    let class = plan().coder_of(Version::V2_10).open();
    class.trouble_at_coder(coder::CREATE_USER, 1, Trouble::LoseReply);
    class.trouble_at_coder(
        coder::CREATE_USER,
        1,
        Trouble::Delay(Duration::from_secs(5)),
    );
    let ana = class.student();
    ana.gets_a_login();
    assert!(ana.can_log_in());
    assert_eq!(class.coder().created_ever().len(), 1);
}

#[test]
fn two_services_on_one_redis_database_never_serve_the_same_phone() {
    let class = class();
    let ana = class.student();
    class.login_of(&ana);
    // A second service, with its own folder, is pointed at the same Redis by mistake.
    let other = plan()
        .with("REDIS_HOST", class.redis().socket())
        .with("REDIS_PW", class.redis().password())
        .open();
    assert!(other.service().logs("works on this Redis database"));
    ana.asks();
    class.all_served();
    assert!(other.coder().created_ever().is_empty());
    assert_eq!(class.coder().created_ever().len(), 1);
}

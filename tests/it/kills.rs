//! The service is killed in the middle of its work: any kill is safe.

use std::time::Duration;

use rustix::process::{Signal, kill_process};

use crate::plan;
use support::classroom::Classroom;
use support::classroom::student::Student;
use support::fakes::coder::ops as coder;
use support::fakes::trouble::{Op, When};
use support::fakes::twilio::ops as twilio;

/// Arranges a kill at a call, at Coder or at Twilio.
type Dies = fn(&Classroom, Op, When);

#[test]
fn a_first_login_killed_at_any_call_still_ends_with_one_account_and_a_working_login() {
    for (dies, op, when) in [
        (
            Classroom::dies_at_coder as Dies,
            coder::CREATE_USER,
            When::Before,
        ),
        (
            Classroom::dies_at_coder as Dies,
            coder::CREATE_USER,
            When::After,
        ),
        (
            Classroom::dies_at_twilio as Dies,
            twilio::SEND,
            When::Before,
        ),
        (Classroom::dies_at_twilio as Dies, twilio::SEND, When::After),
    ] {
        let class = plan().open();
        let ana = class.student();
        dies(&class, op, when);
        ana.asks_over_a_kill();
        ana.next_login();
        class.all_served();
        assert!(ana.can_log_in(), "{op:?} {when:?}");
        ana.has_read_all();
        assert_eq!(class.coder().created_ever().len(), 1, "{op:?} {when:?}");
        assert_eq!(class.registrations(), 1);
    }
}

#[test]
fn a_second_login_killed_at_any_call_still_ends_with_a_working_login() {
    for (dies, op, when) in [
        (
            Classroom::dies_at_coder as Dies,
            coder::LIST_USERS,
            When::After,
        ),
        (
            Classroom::dies_at_coder as Dies,
            coder::SET_PASSWORD,
            When::Before,
        ),
        (
            Classroom::dies_at_coder as Dies,
            coder::SET_PASSWORD,
            When::After,
        ),
        (
            Classroom::dies_at_twilio as Dies,
            twilio::SEND,
            When::Before,
        ),
        (Classroom::dies_at_twilio as Dies, twilio::SEND, When::After),
    ] {
        let class = plan().with("CODER_REG_RESEND_INTERVAL", "0").open();
        let ana = class.student();
        class.login_of(&ana);
        dies(&class, op, when);
        // The second text must arrive in a later second than the first login.
        class.eventually("the kill", || {
            if !class.is_dead() {
                let _ = ana.posts(&ana.phrase_webhook());
            }
            class.is_dead()
        });
        class.restart_service();

        ana.next_login();
        class.all_served();
        assert!(ana.can_log_in(), "{op:?} {when:?}");
        assert_eq!(class.coder().created_ever().len(), 1);
    }
}

#[test]
fn the_search_for_a_text_may_be_killed_too() {
    let class = plan().open();
    let ana = class.student();
    class.dies_at_twilio(twilio::SEND, When::After);
    ana.asks_over_a_kill();
    class.dies_at_twilio(twilio::LIST, When::After);
    class.eventually("the second kill", || class.is_dead());
    class.restart_service();
    class.all_served();
    ana.next_login();
    ana.has_read_all();
    assert!(ana.can_log_in());
}

#[test]
fn a_removal_killed_at_any_call_still_ends_with_nothing_left() {
    for (op, when) in [
        (coder::LIST_WORKSPACES, When::After),
        (coder::SUSPEND, When::After),
        (coder::CREATE_BUILD, When::Before),
        (coder::CREATE_BUILD, When::After),
        (coder::DELETE_USER, When::Before),
        (coder::DELETE_USER, When::After),
    ] {
        let class = plan().with("CODER_REMOVE_TIME", "2s").open();
        let ana = class.student();
        let login = ana.gets_a_login();
        class.coder().running_workspace(login.username(), "dev");
        class.coder().stop_workspace(login.username(), "dev");
        class.dies_at_coder(op, when);
        class.starts_after_the_kill();
        class.all_gone();
        assert!(class.workspaces_are_deleted(), "{op:?}");
    }
}

#[test]
fn a_dead_letter_is_written_although_the_service_dies_before_redis_takes_it() {
    let class = plan().open();
    let ana = class.student();
    class.twilio().refuse(ana.phone(), 400, 21614);
    // The refusal is recorded in the database, and Redis is gone when the dead letter is to be written.
    let redis = class.redis().pid();
    let dies = Box::new(move || kill_process(redis, Signal::KILL).unwrap());
    class.twilio().on(twilio::SEND, When::Before, 1, dies);
    ana.asks();
    class.eventually("the refusal recorded", || {
        class.query("SELECT count(*) FROM seen WHERE gave_up IS NOT NULL") == "1"
    });
    class.end_service();
    class.redis().kill();
    class.redis().start_again();
    assert_eq!(class.dead_letters(), 0);
    class.start_service();
    class.all_served();
    assert_eq!(class.dead_letters(), 1);
    assert_eq!(
        class.twilio().count(twilio::SEND),
        1,
        "it is not tried again"
    );
}

#[test]
fn kills_at_random_moments_lose_and_double_nobody() {
    let class = plan().with_safe_redis().open();
    class.coder().latency(Op::ANY, Duration::from_millis(10));
    class.twilio().latency(Op::ANY, Duration::from_millis(10));
    let students = class.students(20);
    for (number, student) in students.iter().enumerate() {
        student.asks();
        if number % 3 == 2 {
            // Somewhere within the work on the last few texts.
            std::thread::park_timeout(Duration::from_millis(7 * (number as u64 % 5)));
            class.restart_service();
        }
    }
    class.all_served();
    class.all_log_in(&students);
    students.iter().for_each(Student::has_read_all);
    assert_eq!(class.coder().created_ever().len(), students.len());
    assert_eq!(class.registrations(), students.len());
}

#[test]
fn entries_of_the_run_before_come_first_and_soon() {
    let class = plan().open();
    class.coder().goes_down();
    let ana = class.student();
    ana.asks();
    class.logs("attempt 1 failed");
    class.end_service();
    class.coder().comes_back();
    let began = std::time::Instant::now();
    class.start_service();
    ana.next_login();
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn a_dead_letter_is_written_once_although_the_service_dies_beside_it() {
    let class = plan().open();
    let ana = class.student();
    class.twilio().refuse(ana.phone(), 400, 21614);
    class.dies_at_twilio(twilio::SEND, When::After);
    ana.asks_over_a_kill();
    class.all_served();
    class.eventually("the useless account removed", || {
        class.coder().students().is_empty()
    });
    assert_eq!(class.dead_letters(), 1);
    assert!(ana.inbox().is_empty());
}

//! Texts that did not reach the service: the catch-up finds them in Twilio's log, and each is served once.

use std::time::{Duration, SystemTime};

use crate::plan;
use support::classroom::student::{Student, Webhook};
use support::classroom::{Classroom, PHRASE};
use support::fakes::trouble::Trouble;
use support::fakes::twilio::{new_sid, ops as twilio};

/// A class that looks for missed texts.
fn class() -> Classroom {
    let class = plan().with("CODER_REG_CATCH_UP", "30").open();
    // The search of this start is over: a text in its log that is still on its way counts as missed.
    class.logs("no text was missed");
    class
}

/// A text that is in Twilio's log and did not reach the service.
fn misses(student: &Student<'_>) -> Webhook {
    student.phrase_webhook()
}

/// A text that came that long ago.
fn came(class: &Classroom, student: &Student<'_>, ago: Duration, body: &str) {
    let to = class.twilio().account().from_numbers[0].clone();
    let date = SystemTime::now() - ago;
    class
        .twilio()
        .add_inbound(&new_sid(), student.phone(), &to, body, date);
}

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn who_texts_while_the_service_is_down_gets_a_login_after_its_start() {
    let class = class();
    class.end_service();
    let students = class.students(5);
    students.iter().for_each(|student| drop(misses(student)));
    class.start_service();
    class.all_log_in(&students);
    assert!(class.log().contains("5 texts that had not reached us"));
    class.all_served();
    students.iter().for_each(Student::has_read_all);
}

#[test]
fn a_text_that_twilio_offers_again_after_it_was_found_is_served_once() {
    let class = class();
    class.end_service();
    let ana = class.student();
    let webhook = misses(&ana);
    class.start_service();
    ana.next_login();
    assert_eq!(ana.posts(&webhook), 200);
    class.all_served();
    ana.has_read_all();
    assert_eq!(class.coder().created_ever().len(), 1);
}

#[test]
fn nobody_is_served_twice_however_often_the_service_starts() {
    let class = plan()
        .with("CODER_REG_CATCH_UP", "30")
        .with("CODER_REG_RESEND_INTERVAL", "0")
        .with("CODER_REG_HINTS", "4s")
        .open();
    class.logs("no text was missed");
    let [ana, ben, eva] = [(); 3].map(|()| class.student());
    ana.gets_a_login();
    ben.texts("what is the phrase?");
    ben.next_text();
    // Answered by silence, which has to be remembered as well.
    ben.texts("and now?");
    eva.texts("STOP");
    class.all_served();
    // Long enough for a second hint, if anybody had forgotten the first text.
    std::thread::sleep(Duration::from_secs(5));
    for _ in 0..3 {
        class.restart_service();
        class.logs("no text was missed");
        class.all_served();
    }
    ana.has_read_all();
    ben.has_read_all();
    eva.has_read_all();
    assert!(!class.log().contains("had not reached us"));
}

#[test]
fn texts_that_still_wait_are_not_put_in_again() {
    let class = class();
    class.coder().goes_down();
    let students = class.students(3);
    class.all_ask(&students);
    for _ in 0..2 {
        class.restart_service();
        class.logs("no text was missed");
    }
    assert_eq!(class.redis().length("coder-sms-register:texts"), 3);
    class.coder().comes_back();
    class.all_log_in(&students);
}

#[test]
fn texts_that_redis_lost_or_could_not_take_are_found() {
    let class = class();
    let [ana, ben] = [(); 2].map(|()| class.student());
    class.coder().goes_down();
    ana.asks();
    class.redis().kill();
    class.redis().forget();
    assert_ne!(ben.posts(&misses(&ben)), 200, "there is no Redis");
    class.coder().comes_back();
    class.redis().start_again();
    // At once, and not when it would be searched anyway.
    class.eventually_within(Duration::from_secs(20), "the search", || {
        !ana.inbox().is_empty() && !ben.inbox().is_empty()
    });
    for student in [&ana, &ben] {
        student.logs_in();
        student.has_read_all();
    }
}

#[test]
fn only_recent_texts_to_our_own_number_are_taken() {
    let class = class();
    class.end_service();
    let [old, fresh, foreign, blanked] = [(); 4].map(|()| class.student());
    came(&class, &old, 31 * MINUTE, PHRASE);
    came(&class, &fresh, 28 * MINUTE, PHRASE);
    came(&class, &blanked, MINUTE, "");
    class.twilio().add_inbound(
        &new_sid(),
        foreign.phone(),
        "+12025550199",
        PHRASE,
        SystemTime::now(),
    );
    class.start_service();
    fresh.next_login();
    class.all_served();
    assert!(old.inbox().is_empty() && foreign.inbox().is_empty());
    assert!(blanked.inbox().is_empty());
}

/// This many texts that are not for us, a second apart.
fn strangers_text(class: &Classroom, count: u64, first: Duration) {
    let stranger = class.student_with("+4915112345678");
    for second in 0..count {
        came(class, &stranger, first - Duration::from_secs(second), "hi");
    }
}

#[test]
fn more_texts_than_one_page_holds_are_all_found_wherever_twilio_says_that_the_pages_are() {
    // An absolute address is Twilio's own, as behind a proxy or in a region; it is asked where the first page was.
    for pages_at in ["", "https://api.dublin.ie1.twilio.com"] {
        let class = class();
        class.end_service();
        class
            .twilio()
            .set_up(|setup| setup.pages_at = pages_at.to_owned());
        // The students come first and last.
        let [first, last] = [(); 2].map(|()| class.student());
        came(&class, &first, 20 * MINUTE, PHRASE);
        strangers_text(&class, 450, Duration::from_secs(700));
        came(&class, &last, MINUTE, PHRASE);
        class.start_service();
        first.logs_in();
        last.logs_in();
        class.all_served();
        assert!(class.log().contains("452 texts that had not reached us"));
    }
}

#[test]
fn a_page_that_cannot_be_asked_for_is_told() {
    let class = class();
    class.end_service();
    let at = "nowhere:".to_owned();
    class.twilio().set_up(|setup| setup.pages_at = at);
    strangers_text(&class, 201, Duration::from_secs(700));
    class.start_service();
    class.logs("the search for missed texts ended after 200 of them");
}

#[test]
fn the_log_may_have_any_order() {
    let class = class();
    class.end_service();
    class.twilio().lists_oldest_first(true);
    // A whole page of texts that are too old comes first.
    strangers_text(&class, 200, Duration::from_secs(2_500));
    let ana = class.student();
    came(&class, &ana, 5 * MINUTE, PHRASE);
    class.start_service();
    ana.logs_in();
}

#[test]
fn a_text_that_twilio_held_back_is_not_served() {
    let class = class();
    class.end_service();
    let [ana, ben] = [(); 2].map(|()| class.student());
    let held_back = misses(&ana);
    class
        .twilio()
        .has_state(&held_back.sid, "failed", Some(30_038));
    misses(&ben);
    class.start_service();
    ben.next_login();
    class.all_served();
    assert!(class.log().contains("1 text that had not reached us"));
    assert!(ana.inbox().is_empty());
}

#[test]
fn an_odd_entry_in_the_log_does_not_hide_the_others() {
    let class = class();
    class.end_service();
    let ana = class.student();
    misses(&ana);
    let to = &class.twilio().account().from_numbers[0];
    let odd = serde_json::json!({
        "sid": null, "to": to, "from": null, "body": null, "direction": "inbound",
        "status": null, "date_created": null, "messaging_service_sid": null,
    });
    class.twilio().logs_also(SystemTime::now(), odd);
    class.start_service();
    ana.logs_in();
}

#[test]
fn a_log_that_cannot_be_read_yet_is_read_later() {
    let class = class();
    class.end_service();
    let ana = class.student();
    misses(&ana);
    class.trouble_at_twilio(twilio::LIST, 2, Trouble::bad_gateway());
    class.start_service();
    ana.next_login();
    assert!(class.log().contains("cannot search for missed texts yet"));
}

#[test]
fn a_key_that_may_not_read_the_log_stops_nothing_else() {
    let class = plan().with("CODER_REG_CATCH_UP", "30").prepare();
    class.trouble_at_twilio(
        twilio::LIST,
        usize::MAX,
        Trouble::json(403, &serde_json::json!({ "code": 20403, "status": 403 })),
    );
    class.start_service();
    class.logs("cannot search for missed texts: ");
    class.student().gets_a_login();
    let calls = class.twilio().count(twilio::LIST);
    assert_eq!(calls, 1, "it is not asked again and again");
}

#[test]
fn behind_a_messaging_service_its_own_texts_are_found() {
    let class = plan().with("CODER_REG_CATCH_UP", "30").prepare();
    class.texts_by_service();
    let [ana, ben] = [(); 2].map(|()| class.student());
    // The fake's log does not say which service a text came to, as some of Twilio's entries do not.
    came(&class, &ana, MINUTE, PHRASE);
    came(&class, &ben, MINUTE, "are you open today?");
    class.start_service();
    ana.next_login();
    class.all_served();
    assert!(
        ben.inbox().is_empty(),
        "that may have been meant for others"
    );
}

#[test]
fn the_catch_up_can_be_switched_off() {
    let class = plan().open();
    class.end_service();
    let ana = class.student();
    misses(&ana);
    class.start_service();
    class.student().gets_a_login();
    assert_eq!(class.twilio().count(twilio::LIST), 0);
    assert!(ana.inbox().is_empty());
    assert!(class.log().contains("searching for missed texts"));
}

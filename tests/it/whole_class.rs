//! A class as it should be, from the first text to the last removal.

use std::time::Duration;

use crate::{class, plan};
use support::classroom::student::Login;
use support::fakes::coder::{Version, ops as coder_ops};
use support::fakes::trouble::Op;
use support::fakes::twilio::ops as twilio_ops;

/// Long enough for a text that should not come to come.
const QUIET: Duration = Duration::from_millis(400);

#[test]
fn a_student_texts_the_phrase_and_gets_a_login_that_works() {
    let class = class();
    let ana = class.student();

    let login = ana.gets_a_login();
    assert_eq!(login.site, class.coder().url());
    assert_eq!(
        login.email,
        format!("{}@class.example.org", class.coder().only_user().username)
    );
    assert!(ana.can_log_in());
    class.all_served();
    ana.has_read_all();
}

#[test]
fn spelling_case_and_signs_do_not_matter() {
    let class = class();
    for body in [
        "i am ready to learn",
        "  IAMREADYTOLEARN!! ",
        "I\u{2019}am, ready to learn \u{1f600}",
    ] {
        let student = class.student();
        student.texts(body);
        student.next_login();
        assert!(student.can_log_in(), "{body}");
    }
}

#[test]
fn the_same_text_twice_makes_one_user_and_one_reply() {
    let class = class();
    let ana = class.student();
    let webhook = ana.webhook("I am ready to learn", &[]);

    assert_eq!(ana.posts(&webhook), 200);
    assert_eq!(ana.posts(&webhook), 200);

    ana.next_login();
    class.all_served();
    assert_eq!(ana.posts(&webhook), 200);
    class.all_served();
    ana.has_read_all();
    assert_eq!(class.coder().created_ever().len(), 1);
}

#[test]
fn impatience_earns_one_login_a_minute() {
    let class = class();
    let ana = class.student();
    for _ in 0..5 {
        ana.asks();
    }
    ana.next_login();
    class.all_served();
    ana.has_read_all();
    assert!(ana.can_log_in());
}

#[test]
fn one_phone_gets_so_many_logins_a_day() {
    let class = plan()
        .with("CODER_REG_RESEND_INTERVAL", "0")
        .with("CODER_REG_RESEND_DAILY", "2")
        .open();
    let ana = class.student();
    let ask_until = |logins: usize| {
        class.eventually("another login", || {
            ana.asks();
            class.all_served();
            ana.inbox().len() >= logins
        });
    };
    ask_until(2);
    class.eventually("the daily limit", || {
        ana.asks();
        class
            .service()
            .log()
            .contains("has had its logins for today")
    });
    assert_eq!(ana.inbox().len(), 2);
    assert!(ana.can_log_in());
}

#[test]
fn a_wrong_phrase_gets_one_hint_an_hour() {
    let class = class();
    let ana = class.student();
    ana.texts("I am reddy too lurn and much more");
    assert!(ana.next_text().contains("not the phrase"));

    ana.texts("I am ready too learn, please let me in");
    class.all_served();
    ana.has_read_all();

    ana.gets_a_login();
    assert!(ana.can_log_in());
}

#[test]
fn hints_can_be_switched_off_and_students_with_a_login_get_none() {
    let class = plan().with("CODER_REG_HINTS", "off").open();
    let (ana, ben) = (class.student(), class.student());
    ana.texts("hello?");
    class.all_served();
    ana.hears_nothing_for(QUIET);

    class.set("CODER_REG_HINTS", "on");
    class.restart_service();
    ben.gets_a_login();
    ben.texts("Thank you so much, this is great!");
    class.all_served();
    ben.has_read_all();
}

#[test]
fn opt_out_words_are_recorded_and_never_answered() {
    let class = class();
    let ana = class.student();
    ana.texts("STOP");
    class.all_served();
    ana.asks();
    class.all_served();
    ana.hears_nothing_for(QUIET);
    assert!(class.coder().students().is_empty());

    ana.texts("Start");
    class.all_served();
    ana.gets_a_login();
    assert!(ana.can_log_in());
}

#[test]
fn what_twilio_calls_an_opt_out_is_one() {
    let class = class();
    let ana = class.student();
    let webhook = ana.webhook("please stop this", &[("OptOutType", "STOP")]);
    assert_eq!(ana.posts(&webhook), 200);
    class.all_served();
    ana.asks();
    class.all_served();
    ana.hears_nothing_for(QUIET);
}

#[test]
fn strange_senders_get_silence() {
    let class = class();
    let own = class.twilio().account().from_numbers[0].clone();
    for sender in [
        "787878",
        "TWILIO",
        "whatsapp:+12025550123",
        "+4915112345678",
        "+18005550123",
        "",
        &own,
    ] {
        class.student_with(sender).asks();
    }
    class.all_served();
    assert!(class.twilio().texts().is_empty());
    assert!(class.coder().created_ever().is_empty());
}

#[test]
fn other_countries_are_served_where_the_setting_says_so() {
    let class = plan().with("CODER_REG_COUNTRIES", "+1, +49").open();
    let student = class.student_with("+4915112345678");
    student.gets_a_login();
    assert!(student.can_log_in());
}

#[test]
fn a_name_that_a_stranger_has_is_left_to_the_stranger() {
    let class = class();
    let coder = std::sync::Arc::clone(class.coder());
    // Whatever name the service draws first, somebody else gets it just before.
    let stranger = std::sync::Arc::new(std::sync::Mutex::new(None));
    let taken = std::sync::Arc::clone(&stranger);
    class.coder().trouble_when(
        Box::new(move |request| {
            let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let mut taken = taken.lock().unwrap();
            if request.method == "POST" && request.path.ends_with("/users") && taken.is_none() {
                let name = body["username"].as_str().unwrap_or_default().to_owned();
                coder.add_stranger(&name, &format!("{name}@elsewhere.example.com"));
                *taken = Some(name);
            }
            false
        }),
        1,
        support::fakes::trouble::Trouble::CutBefore,
    );
    let ana = class.student();
    let login = ana.gets_a_login();
    let stranger = stranger.lock().unwrap().clone().expect("a name was taken");
    assert_ne!(login.username(), stranger);
    assert!(
        login.username().ends_with(|c: char| c.is_ascii_digit()),
        "{}",
        login.username()
    );
    assert!(ana.can_log_in());
}

#[test]
fn older_coder_servers_are_served_and_cleaned_too() {
    for version in [Version::V2_20, Version::V2_10] {
        let class = plan()
            .coder_of(version)
            .with("CODER_REMOVE_TIME", "1s")
            .open();
        let ana = class.student();
        let login = ana.gets_a_login();
        assert!(Login::read(&ana.inbox()[0].body).is_some());
        class.all_gone();
        assert!(class.coder().user(login.username()).is_none());
    }
}

#[test]
fn a_class_of_three_hundred_with_slow_neighbours() {
    let class = plan().with("CODER_REG_PARALLEL", "16").open();
    class.coder().latency(Op::ANY, Duration::from_millis(50));
    class
        .coder()
        .latency(coder_ops::CREATE_USER, Duration::from_millis(250));
    class
        .twilio()
        .latency(twilio_ops::SEND, Duration::from_millis(150));
    let students = class.students(300);
    for student in &students {
        student.asks();
    }
    for student in &students {
        student.next_login();
        assert!(student.can_log_in());
        student.has_read_all();
    }
    assert_eq!(class.coder().students().len(), 300);
    assert_eq!(class.coder().count(coder_ops::CREATE_USER), 300);
    assert_eq!(class.twilio().count(twilio_ops::SEND), 300);
}

#[test]
fn a_messaging_service_sends_where_it_is_configured() {
    let class = plan().prepare();
    let service = class.twilio().account().service_sid.clone();
    class.set("FROM_NUM", &service);
    class.start_service();
    let ana = class.student();
    ana.gets_a_login();
    assert!(ana.can_log_in());
}

//! A class as it should be, from the first text to the last removal.

use std::time::Duration;

use crate::{class, plan};
use support::classroom::student::{Login, Student};
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
fn a_student_who_asks_often_gets_one_login_a_minute() {
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
    // Whatever name the service draws first, a stranger gets it just before.
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
    class.all_log_in(&students);
    students.iter().for_each(Student::has_read_all);
    assert_eq!(class.coder().students().len(), 300);
    assert_eq!(class.coder().count(coder_ops::CREATE_USER), 300);
    assert_eq!(class.twilio().count(twilio_ops::SEND), 300);
}

//! How Twilio's refusals of a text are read: whose fault each one is, and who waits for it.

use serde_json::json;

use crate::class;
use crate::classroom::Classroom;
use crate::fakes::trouble::Trouble;
use crate::fakes::twilio::ops as twilio;

/// What is logged when all texts wait for somebody to act.
const PAUSED: &str = "all texts are paused";

fn dead_letters(class: &Classroom) -> usize {
    class.redis().length("coder-sms-register:dead")
}

/// An error as Twilio writes it.
fn refusal(status: u16, code: u32) -> Trouble {
    Trouble::json(status, &json!({ "code": code, "status": status }))
}

#[test]
fn what_may_pass_is_tried_again_and_nobody_is_given_up() {
    let class = class();
    for trouble in [
        Trouble::html(200, "Please log in"),
        Trouble::html(302, "Found"),
        Trouble::html(400, "Bad Request"),
        Trouble::html(403, "Forbidden"),
        Trouble::html(404, "Not Found"),
        Trouble::html(408, "Request Timeout"),
        Trouble::html(421, "Misdirected Request"),
        Trouble::html(425, "Too Early"),
        Trouble::json(400, &json!({ "error": "blocked by a proxy" })),
        refusal(408, 20_408),
        refusal(409, 20_409),
        refusal(400, 21_730),
    ] {
        let shown = trouble.to_string();
        class.twilio().trouble(twilio::SEND, 1, trouble);
        let student = class.student();
        student.gets_a_login();
        assert!(student.can_log_in(), "{shown}");
        student.has_read_all();
    }
    class.all_served();
    assert_eq!(dead_letters(&class), 0);
    assert!(!class.log().contains(PAUSED));
}

#[test]
fn two_pages_of_a_proxy_do_not_pause_the_class() {
    let class = class();
    let students = class.students(4);
    class
        .twilio()
        .trouble(twilio::SEND, 2, Trouble::html(403, "Forbidden"));
    students.iter().for_each(|student| drop(student.asks()));
    for student in &students {
        student.next_login();
        assert!(student.can_log_in());
    }
    assert!(!class.log().contains(PAUSED));
    assert!(class.log().contains("look at TWILIO_API_URL"));
}

#[test]
fn what_is_the_senders_pauses_everybody_and_gives_nobody_up() {
    for code in [21_702, 20_010, 30_033] {
        let class = class();
        class.twilio().refuse_all(400, code);
        let students = class.students(10);
        students.iter().for_each(|student| drop(student.asks()));
        assert!(class.service().logs(PAUSED));
        assert_eq!(dead_letters(&class), 0, "{code}");
        let log = class.log();
        let told = log.lines().find(|line| line.contains(PAUSED)).unwrap();
        assert!(told.contains("ERROR") && told.contains("; look"), "{told}");

        // The operator mends it and starts the service again.
        class.twilio().refuse_none();
        class.restart_service();
        for student in &students {
            student.next_login();
            assert!(student.can_log_in());
        }
    }
}

#[test]
fn an_error_in_the_form_of_a_problem_document_is_understood() {
    let class = class();
    let body = json!({
        "type": "https://www.twilio.com/docs/api/errors/21614",
        "title": "Invalid number",
        "status": 400,
        "code": 21614,
        "detail": "not a mobile number",
    });
    let kind = "application/problem+json".to_owned();
    let problem = Trouble::Status(400, Vec::new(), kind, body.to_string());
    class.twilio().trouble(twilio::SEND, 1, problem);
    class.student().asks();
    class.eventually("a dead letter", || dead_letters(&class) == 1);
    let letter = class.redis().entries("coder-sms-register:dead");
    assert!(letter.contains("code 21614"), "{letter}");
}

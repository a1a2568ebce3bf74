//! Twilio refuses a text: whose fault it is, and which texts wait.

use serde_json::json;

use crate::{class, plan};
use support::classroom::student::Student;
use support::classroom::{Classroom, PATIENCE};
use support::fakes::trouble::Trouble;
use support::fakes::twilio::ops as twilio;

/// What is logged when all texts wait until the operator acts.
const PAUSED: &str = "all texts are paused";

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
        class.trouble_at_twilio(twilio::SEND, 1, trouble);
        let student = class.student();
        student.gets_a_login();
        assert!(student.can_log_in(), "{shown}");
        student.has_read_all();
    }
    class.all_served();
    assert_eq!(class.dead_letters(), 0);
    assert!(!class.log().contains(PAUSED));
}

#[test]
fn two_pages_of_a_proxy_do_not_pause_the_class() {
    let class = class();
    let students = class.students(4);
    class.trouble_at_twilio(twilio::SEND, 2, Trouble::html(403, "Forbidden"));
    class.all_ask(&students);
    class.all_log_in(&students);
    assert!(!class.log().contains(PAUSED));
    assert!(class.log().contains("check TWILIO_API_URL"));
}

#[test]
fn what_is_the_senders_pauses_everybody_and_gives_nobody_up() {
    for code in [21_702, 20_010, 30_033] {
        let class = class();
        class.twilio().refuse_all(400, code);
        let students = class.students(10);
        class.all_ask(&students);
        class.logs(PAUSED);
        assert_eq!(class.dead_letters(), 0, "{code}");
        let log = class.log();
        let told = log.lines().find(|line| line.contains(PAUSED)).unwrap();
        assert!(told.contains("ERROR") && told.contains("; check"), "{told}");

        // The operator mends it and starts the service again.
        class.twilio().refuse_none();
        class.restart_service();
        class.all_log_in(&students);
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
    class.trouble_at_twilio(twilio::SEND, 1, problem);
    class.student().asks();
    class.eventually("a dead letter", || class.dead_letters() == 1);
    let letter = class.redis().entries("coder-sms-register:dead");
    assert!(letter.contains("code 21614"), "{letter}");
}

/// How often a text was refused.
fn refused(class: &Classroom, students: &[Student<'_>]) -> usize {
    let times = students
        .iter()
        .map(|one| class.twilio().refused_to(one.phone()));
    times.sum()
}

#[test]
fn what_the_account_may_not_do_yet_is_done_for_all_once_it_may() {
    for (code, words) in [
        (21_408, "region +1 wait"),
        (21_608, "has not verified wait"),
    ] {
        let class = class();
        class.twilio().refuse_all(400, code);
        let students = class.students(12);
        class.all_ask(&students);
        class.eventually("all were refused", || refused(&class, &students) >= 12);
        assert_eq!(class.dead_letters(), 0, "{code}");
        assert!(!class.log().contains(PAUSED), "{code}");
        let log = class.log();
        let errors: Vec<&str> = log.lines().filter(|line| line.contains("ERROR")).collect();
        assert_eq!(errors.len(), 1, "told once: {errors:?}");
        assert!(errors[0].contains(words), "{errors:?}");
        let marked = "SELECT count(*) FROM contacts WHERE refused_until IS NOT NULL";
        assert_eq!(class.query(marked), "0", "{code}");

        // The operator fixes it at Twilio; the next text is the probe for all others.
        class.twilio().refuse_none();
        class.student().gets_a_login();
        class.all_log_in(&students);
        class.all_served();
        students.iter().for_each(Student::has_read_all);
        assert!(class.log().contains("are sent again"));
    }
}

#[test]
fn a_region_that_is_not_switched_on_concerns_nobody_else() {
    let class = class();
    class.twilio().refuse_region("+1787", 400, 21_408);
    class.twilio().refuse_region("+1939", 400, 21_408);
    let [ana, ben, eva] =
        ["+17875550101", "+17875550102", "+19395550103"].map(|phone| class.student_with(phone));
    for student in [&ana, &ben, &eva] {
        student.asks();
        assert!(class.twilio().wait_for_calls(twilio::SEND, 1, PATIENCE));
        class.student().gets_a_login();
    }
    let regions = ["region +1787 wait", "region +1939 wait"];
    for region in regions {
        class.logs(region);
    }
    class.eventually("all three were refused", || {
        class.log().matches("attempt 1 failed").count() == 3
    });
    assert!(!class.log().contains(PAUSED));
    let log = class.log();
    for region in regions {
        let told = log.lines().filter(|line| line.contains(region));
        let told: Vec<&str> = told.collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("ERROR") && told[0].contains("Geo permissions"));
    }

    // The next text of a phone tries again at once, and takes the place of the one before.
    let before = class.twilio().refused_to(ana.phone());
    ana.asks();
    class.eventually("another try", || {
        class.twilio().refused_to(ana.phone()) > before
    });
    class.logs("a newer text of this phone is served instead");
    class.twilio().refuse_none();
    ana.gets_a_login();
    ben.next_login();
    eva.asks();
    eva.next_login();
    class.all_served();
    for student in [&ana, &ben, &eva] {
        assert!(student.can_log_in());
        student.has_read_all();
    }
}

#[test]
fn three_phones_that_the_sender_does_not_reach_hold_nobody_else_up() {
    let class = class();
    let stuck = class.students(3);
    for (student, code) in stuck.iter().zip([21_606, 21_659, 21_703]) {
        class.twilio().refuse(student.phone(), 400, code);
    }
    // Wave by wave: each of the three texts again beside those who are served.
    for _ in 0..4 {
        class.all_ask(&stuck);
        let others = class.students(6);
        class.all_ask(&others);
        class.all_log_in(&others);
    }
    assert!(!class.log().contains(PAUSED));
    assert_eq!(class.dead_letters(), 0);
    // Each text of theirs is tried when it comes, and hardly ever again meanwhile.
    let tries = refused(&class, &stuck);
    assert!(tries <= 3 * 4 * 2, "{tries} tries");
    let marked = "SELECT count(*) FROM contacts WHERE refused_until IS NOT NULL";
    assert_eq!(class.query(marked), "0");

    class.twilio().refuse_none();
    for student in &stuck {
        student.gets_a_login();
    }
    class.all_served();
    stuck.iter().for_each(Student::has_read_all);
}

#[test]
fn a_text_that_is_given_up_names_the_command_that_serves_it_later() {
    for (give_up, code) in [("1h", 21_617), ("2s", 21_408)] {
        let class = plan().with("CODER_REG_GIVE_UP", give_up).open();
        class.twilio().refuse_all(400, code);
        let ana = class.student();
        let sid = ana.asks();
        class.eventually("a dead letter", || class.dead_letters() == 1);
        class.logs(&format!(
            "after the cause is fixed: coder-sms-register retry {sid}"
        ));
        let told = class.does(&["status"]);
        assert!(told.contains(&sid), "{told}");
        assert!(told.contains("coder-sms-register retry --all"), "{told}");
        class.twilio().refuse_none();
        class.does(&["retry", &sid]);
        ana.logs_in();
    }
}

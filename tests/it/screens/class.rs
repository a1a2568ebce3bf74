//! A class whose logins appear on laptops.

use std::time::Duration;

use crate::plan;
use support::classroom::Classroom;
use support::classroom::student::{Login, Student};
use support::fakes::coder::ops as coder;
use support::fakes::trouble::Trouble;
use support::fakes::twilio::ops as twilio;

/// Long enough for a text that should not come to come.
const QUIET: Duration = Duration::from_millis(400);

/// The state of an account in `status`.
fn status(class: &Classroom, login: &Login) -> serde_json::Value {
    let told = class.tells(&["status", "--offline", "--json"]);
    let accounts = told["accounts"].as_array().expect("accounts");
    let found = accounts
        .iter()
        .find(|account| account["username"] == login.username());
    found.expect("the account").clone()
}

/// The numbers of texts that were handed to Twilio, whatever became of them.
fn sends(class: &Classroom) -> usize {
    class.twilio().count(twilio::SEND)
}

#[test]
fn a_student_texts_the_code_and_the_laptop_is_signed_in() {
    for reply in ["both", "screen"] {
        let class = plan().with_pages(reply).open();
        let (ana, laptop) = (class.student(), class.laptop());
        assert_eq!(laptop.state()["state"], "open");
        ana.texts(&laptop.words());
        laptop.is_asked(&ana, true);
        let login = laptop.login();
        class.all_served();
        class.logs(&format!("login of {} shown on a screen", login.username()));
        assert_eq!(status(&class, &login)["on_screen"], "on a screen");
        assert_eq!(status(&class, &login)["delivery"], serde_json::Value::Null);
        // Lost answers are repeated until the browser is signed in.
        assert_eq!(laptop.login(), login);
        assert_eq!(laptop.arrives(), 204);
        class.eventually("the sign-in is recorded", || {
            status(&class, &login)["on_screen"] == "signed in"
        });
        let table = class.does(&["status", "--offline"]);
        assert!(table.contains("signed in"), "{table}");
        assert_eq!(laptop.state()["state"], "gone");
        assert_eq!(sends(&class), 0);
        assert_eq!(class.coder().created_ever().len(), 1);
    }
}

#[test]
fn without_pages_a_code_is_no_part_of_the_phrase() {
    let class = plan().with("CODER_REG_HINTS", "on").open();
    let ana = class.student();
    ana.texts("I am ready to learn 05724");
    assert!(ana.next_text().contains("not the phrase"));
}

#[test]
fn a_student_without_a_laptop_texts_the_phrase_alone() {
    let class = plan().with_pages("both").open();
    let ana = class.student();
    ana.gets_a_login();
    assert!(ana.can_log_in());
}

#[test]
fn who_is_turned_away_at_a_laptop_gets_the_login_by_text() {
    let class = plan().with_pages("both").open();
    let (ana, laptop) = (class.student(), class.laptop());
    ana.texts(&laptop.words());
    laptop.is_asked(&ana, false);
    ana.next_login();
    assert!(ana.can_log_in());
    class.all_served();
    ana.has_read_all();
    assert_eq!(laptop.state()["state"], "open");
}

#[test]
fn of_two_who_text_one_code_the_confirmed_one_is_signed_in() {
    let class = plan().with_pages("both").open();
    let (ana, ben, laptop) = (class.student(), class.student(), class.laptop());
    ana.texts(&laptop.words());
    laptop.shows("question");
    ben.texts(&laptop.words());
    class.eventually("both accounts", || class.coder().created_ever().len() == 2);
    laptop.is_asked(&ana, true);
    let login = laptop.login();
    ben.next_login();
    assert!(ben.can_log_in());
    class.all_served();
    assert_ne!(ben.last_login().unwrap().email, login.email);
    assert!(ana.inbox().is_empty());
    ben.has_read_all();
}

#[test]
fn a_student_moves_on_to_another_laptop_at_once() {
    let class = plan().with_pages("both").open();
    let ana = class.student();
    let first = class.laptop().signs_in(&ana);
    let second = class.laptop().signs_in(&ana);
    assert_eq!(first, second, "the same login");
    // Also from a laptop where nobody has answered yet.
    let (left, other) = (class.laptop(), class.laptop());
    ana.texts(&left.words());
    left.shows("question");
    ana.texts(&other.words());
    left.shows("open");
    other.is_asked(&ana, true);
    assert_eq!(other.login(), first);
    class.all_served();
    assert_eq!(sends(&class), 0);
    assert_eq!(class.coder().created_ever().len(), 1);
}

#[test]
fn a_wrong_or_dead_code_is_answered_by_text() {
    let class = plan().with_pages("both").open();
    let (ana, ben) = (class.student(), class.student());
    ana.texts("I am ready to learn 12345");
    ana.next_login();
    assert!(ana.can_log_in());
    let laptop = class.laptop();
    let words = laptop.words();
    class.restart_service();
    assert_eq!(laptop.state()["state"], "gone");
    ben.texts(&words);
    ben.next_login();
    assert!(ben.can_log_in());
    laptop.reloads();
    assert_eq!(laptop.state()["state"], "open");
}

#[test]
fn where_nothing_is_sent_only_a_code_is_answered() {
    let class = plan().with_pages("screen").with_receipts().open();
    let (ana, laptop) = (class.student(), class.laptop());
    for words in [
        "I am ready to learn",
        "I am ready to learn 12345",
        "hello?",
        "STOP",
        "START",
        "HELP",
    ] {
        ana.texts(words);
    }
    class.all_served();
    assert_eq!(class.registrations(), 0);
    class.logs("the text has no code");
    class.logs("not the phrase, and with CODER_REG_REPLY=screen nothing is texted");
    class.logs("opt-out word recorded");
    class.logs("opt-in word recorded");
    ana.texts(&laptop.words());
    laptop.is_asked(&ana, false);
    class.logs("not their phone");
    class.all_served();
    laptop.signs_in(&ana);
    class.all_served();
    assert_eq!(class.twilio().calls().len(), 0, "no call to Twilio at all");
}

#[test]
fn a_full_class_is_told_on_the_laptop() {
    for (reply, texts) in [("both", 1), ("screen", 0)] {
        let class = plan()
            .with_pages(reply)
            .with("CODER_REG_MAX_USERS", "1")
            .open();
        let (ana, ben) = (class.student(), class.student());
        class.laptop().signs_in(&ana);
        let laptop = class.laptop();
        ben.texts(&laptop.words());
        laptop.is_asked(&ben, true);
        let words = laptop.shows("notice");
        assert!(words["words"].as_str().unwrap().contains("full"), "{words}");
        class.all_served();
        assert_eq!(ben.inbox().len(), texts);
    }
}

#[test]
fn the_laptop_waits_while_coder_is_away() {
    let class = plan().with_pages("screen").open();
    let (ana, laptop) = (class.student(), class.laptop());
    class.trouble_at_coder(coder::CREATE_USER, 3, Trouble::CutBefore);
    ana.texts(&laptop.words());
    assert_eq!(laptop.is_asked(&ana, true)["state"], "making");
    laptop.login();
    class.all_served();
    assert_eq!(class.coder().created_ever().len(), 1);
}

#[test]
fn a_class_is_complete_although_every_text_is_refused() {
    let class = plan().with_pages("screen").open();
    // Not registered with the carriers.
    class.twilio().refuse_all(400, 30034);
    let students: Vec<Student<'_>> = class.students(30);
    let laptops: Vec<_> = students.iter().map(|_| class.laptop()).collect();
    for (student, laptop) in students.iter().zip(&laptops) {
        student.texts(&laptop.words());
    }
    let mut logins = std::collections::HashSet::new();
    for (student, laptop) in students.iter().zip(&laptops) {
        laptop.is_asked(student, true);
        assert!(
            logins.insert(laptop.login().email),
            "two laptops with one login"
        );
        assert_eq!(laptop.arrives(), 204);
    }
    class.all_served();
    assert_eq!(class.coder().created_ever().len(), 30);
    assert_eq!(sends(&class), 0);
}

#[test]
fn screens_are_served_while_twilio_refuses_all_texts_of_others() {
    let class = plan().with_pages("both").open();
    class.twilio().auth_fails(true);
    let others = class.students(3);
    class.all_ask(&others);
    class.logs("all texts are paused");
    let (ana, laptop) = (class.student(), class.laptop());
    ana.texts(&laptop.words());
    laptop.shows("question");
    laptop.is_asked(&ana, true);
    laptop.login();
    class.logs("shown on a screen");
    assert!(!class.log().contains("texts are served again"));
    class.twilio().auth_fails(false);
}

#[test]
fn an_account_that_was_shown_is_removed_like_every_other() {
    let class = plan()
        .with_pages("screen")
        .with("CODER_REMOVE_TIME", "2s")
        .open();
    let (ana, laptop) = (class.student(), class.laptop());
    laptop.signs_in(&ana);
    class.all_gone();
    // A student who asks again gets another account.
    class.laptop().signs_in(&ana);
    assert_eq!(class.coder().created_ever().len(), 2);
}

#[test]
fn nobody_is_texted_for_a_login_that_was_shown() {
    let class = plan().with_pages("both").open();
    let (ana, laptop) = (class.student(), class.laptop());
    laptop.signs_in(&ana);
    class.all_served();
    ana.hears_nothing_for(QUIET);
}

#[test]
fn a_clock_that_is_set_between_page_and_text_keeps_nobody_out() {
    for ahead in [7_200, -7_200] {
        let class = plan().with_pages("screen").with_clock_shim().open();
        let (ana, laptop) = (class.student(), class.laptop());
        class.sets_the_clock(ahead);
        laptop.signs_in(&ana);
        // Back again, after the code and before the yes.
        let (ben, other) = (class.student(), class.laptop());
        ben.texts(&other.words());
        other.shows("question");
        class.sets_the_clock(0);
        other.is_asked(&ben, true);
        other.login();
        class.all_served();
        assert_eq!(class.coder().created_ever().len(), 2);
    }
}

#[test]
fn a_laptop_is_told_when_its_text_is_given_up() {
    let class = plan()
        .with_pages("screen")
        .with("CODER_REG_GIVE_UP", "2s")
        .open();
    class.coder().goes_down();
    let (ana, laptop) = (class.student(), class.laptop());
    ana.texts(&laptop.words());
    laptop.is_asked(&ana, true);
    class.logs("given up");
    let words = laptop.shows("notice");
    let words = words["words"].as_str().unwrap();
    assert!(words.contains("could not be made"), "{words}");
    // Nothing of Coder's answer, nothing for the operator.
    assert!(!words.contains("retry"), "{words}");
    class.coder().comes_back();
    laptop.signs_in(&ana);
}

#[test]
fn a_laptop_is_told_when_its_text_is_deleted() {
    let class = plan().with_pages("screen").open();
    class.trouble_at_coder(coder::CREATE_USER, usize::MAX, Trouble::CutBefore);
    let (ana, laptop) = (class.student(), class.laptop());
    ana.texts(&laptop.words());
    laptop.is_asked(&ana, true);
    class.logs("attempt 1 failed");
    class.does(&["forget", ana.phone()]);
    laptop.shows("notice");
    class.all_served();
    assert_eq!(class.coder().created_ever().len(), 0);
}

//! Texts that were given up, again or for good.

use super::sleepy;
use support::classroom::Classroom;
use support::classroom::student::Student;

const DEAD: &str = "coder-sms-register:dead";

/// A text that was given up, as its sender could not be texted.
fn given_up(class: &Classroom, student: &Student<'_>) -> String {
    let before = class.redis().length(DEAD);
    class.twilio().refuse(student.phone(), 400, 21614);
    let sid = student.asks();
    class.all_served();
    assert_eq!(class.redis().length(DEAD), before + 1);
    class.twilio().refuse_none();
    sid
}

#[test]
fn twilios_own_words_stand_beside_the_reason() {
    let class = sleepy();
    let (ana, bob) = (class.student(), class.student());
    given_up(&class, &ana);
    let words = "Twilio says: 'To' number is not a valid mobile number: [number])";
    for told in [class.does(&["status", "--offline"]), class.does(&["retry"])] {
        assert!(told.contains(words), "{told}");
    }
    assert!(class.log().contains(words), "{}", class.log());

    // Words that repeat the login are dropped; the class looks for it in its log when it closes.
    class.twilio().refusals_quote(true);
    let sid = given_up(&class, &bob);
    let told = class.does(&["retry"]);
    let letter = told.lines().find(|line| line.contains(&sid));
    let letter = letter.expect("a dead letter");
    assert!(
        letter.contains("cannot be texted") && !letter.contains("says"),
        "{told}"
    );
}

/// Writes a dead letter as the service does.
fn add_dead_letter(class: &Classroom, sid: &str) {
    let mut connection = class.redis().connection().unwrap();
    let fields = [
        "sid", sid, "reason", "once", "received", "1", "at", "2", "attempts", "3",
    ];
    let mut add = redis::cmd("XADD");
    add.arg(DEAD).arg("*").arg(&fields);
    add.exec(&mut connection).unwrap();
}

#[test]
fn a_text_that_was_given_up_leads_to_a_login_when_it_is_retried() {
    let class = sleepy();
    let ana = class.student();
    let sid = given_up(&class, &ana);
    for command in ["retry", "drop"] {
        let told = class.does(&[command]);
        assert!(
            told.contains(&sid) && told.contains("cannot be texted"),
            "{told}"
        );
        let told = class.tells(&[command, "--json"]);
        assert_eq!(told["dead_letters"][0]["sid"], sid.as_str());
        assert!(class.does(&[command, "--help"]).contains("[SID...|--all]"));
    }
    let told = class.does(&["retry", &sid]);
    assert!(told.contains("1 text given to the service again"), "{told}");
    ana.next_login();
    class.all_served();
    assert!(ana.can_log_in());
    assert_eq!(class.redis().length(DEAD), 0);
    assert!(class.does(&["retry"]).contains("no dead letters"));
    class.fails(3, &["retry", &sid]);
    class.fails(3, &["retry", "--all"]);

    // Killed before the letter was removed: nobody gets two.
    add_dead_letter(&class, &sid);
    class.does(&["retry", &sid]);
    class.all_served();
    ana.has_read_all();
    assert!(class.log().contains("this text was served before"));
}

#[test]
fn a_retry_that_was_killed_half_way_is_done_again() {
    let class = sleepy();
    let ana = class.student();
    let sid = given_up(&class, &ana);
    class.end_service();
    class.change("DELETE FROM seen; UPDATE contacts SET refused_until = NULL");
    let told = class.tells(&["retry", "--all", "--json"]);
    assert_eq!(told["retried"][0], sid.as_str());
    assert_eq!(told["failed"].as_array().unwrap().len(), 0);
    class.start_service();
    ana.next_login();
    class.all_served();
    ana.has_read_all();
}

#[test]
fn what_twilio_does_not_have_stays_and_is_told() {
    let class = sleepy();
    let ana = class.student();
    let sid = given_up(&class, &ana);
    let lost = format!("SM{}", "5".repeat(32));
    add_dead_letter(&class, &lost);
    add_dead_letter(&class, "");
    let ended = class.fails(1, &["retry", "--all"]);
    assert!(
        ended
            .stderr
            .contains(&format!("{lost} remains a dead letter: Twilio's log")),
        "{ended:?}"
    );
    // One without a sid has its other name everywhere.
    let letters = class.tells(&["retry", "--json"]);
    let letters = letters["dead_letters"].as_array().expect("a list");
    let mut nameless = letters.iter().filter(|one| one["sid"] == "");
    let nameless = nameless.next().expect("it is left")["id"].as_str();
    let nameless = nameless.expect("an id");
    let words = format!("{nameless} remains a dead letter: its entry in Redis could not be read");
    assert!(ended.stderr.contains(&words), "{ended:?}");
    let status = class.does(&["status", "--offline"]);
    assert!(status.contains(nameless), "{status}");
    ana.next_login();
    class.all_served();
    assert_eq!(class.redis().length(DEAD), 2);

    class.twilio().goes_down();
    let ended = class.fails(1, &["retry", &lost]);
    assert!(ended.stderr.contains("fetch a text"), "{ended:?}");
    class.fails(3, &["drop", &lost, &sid]);
    class.fails(2, &["drop", "--all", &lost]);
    assert_eq!(class.redis().length(DEAD), 2);
    assert!(
        class
            .does(&["drop", &lost])
            .contains("1 dead letter dropped")
    );
    let ended = class.fails(2, &["drop", "--all"]);
    assert!(ended.stderr.contains("needs --yes"), "{ended:?}");
    let ended = class.on_a_terminal(&["drop", "--all"], "n\n");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(class.redis().length(DEAD), 1);
    assert_eq!(
        class.tells(&["drop", "--all", "--yes", "--json"])["dropped"],
        1
    );
    assert_eq!(class.redis().length(DEAD), 0);
}

#[test]
fn texts_that_were_too_old_for_the_same_reason_are_one_cause() {
    let class = crate::plan().with("CODER_REG_GIVE_UP", "2s").open();
    class.twilio().refuse_all(400, 21408);
    let students = class.students(3);
    class.all_ask(&students);
    class.eventually("three dead letters", || class.dead_letters() == 3);
    let status = class.does(&["status", "--offline"]);
    // On a busy machine the removal of an account, which is due as well, may come before the end of its text.
    assert_eq!(status.matches("code 21408").count(), 1, "{status}");
    assert_eq!(status.matches("retry SID").count(), 1, "{status}");
    assert!(!status.contains("retry SM"), "{status}");
}

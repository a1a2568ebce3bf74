//! Thanks and reactions to our texts get no answer.

use crate::plan;
use support::classroom::Classroom;
use support::fakes::twilio::ops;

/// Reactions to a text as phones send them, in some of their languages.
fn reactions(text: &str) -> Vec<String> {
    vec![
        format!("Liked “{text}”"),
        format!("Loved “{text}”"),
        format!("Laughed at “{text}”"),
        format!("Emphasized “{text}”"),
        format!("Questioned “{text}”"),
        format!("Disliked “{text}”"),
        format!("Reacted 👍 to “{text}”"),
        format!("\u{200a}👍\u{200b} to “{text}”"),
        format!("Removed a heart from “{text}”"),
        format!("Hat „{text}“ mit „Gefällt mir“ markiert"),
        format!("Le gustó “{text}”"),
        format!("A aimé « {text} »"),
    ]
}

#[test]
fn who_was_told_that_the_class_is_full_gets_no_hint_for_an_hour() {
    let class = plan()
        .with("CODER_REG_MAX_USERS", "1")
        .with_clock_shim()
        .open();
    class.student().gets_a_login();
    let ben = class.student();
    ben.asks();
    let full = ben.next_text();
    for thanks in ["Ok, thanks!", "👍"] {
        ben.texts(thanks);
    }
    class.all_served();
    ben.has_read_all();
    assert!(class.log().contains("got another notice in the last hour"));
    class.sets_the_clock(3_700);
    for reaction in reactions(&full) {
        ben.texts(&reaction);
    }
    class.all_served();
    ben.has_read_all();
    ben.texts("is there a seat by now?");
    assert!(ben.next_text().starts_with("That is not the phrase"));
}

#[test]
fn who_reacts_to_a_hint_gets_no_other_one() {
    let class = plan().with_clock_shim().open();
    let ana = class.student();
    ana.texts("is this the number?");
    let hint = ana.next_text();
    class.sets_the_clock(3_700);
    for reaction in reactions(&hint) {
        ana.texts(&reaction);
    }
    class.all_served();
    ana.has_read_all();
    ana.texts("and what is the phrase?");
    ana.next_text();
}

/// A class whose accounts go two seconds after their login.
fn short() -> Classroom {
    plan()
        .with("CODER_REMOVE_TIME", "2s")
        .with_clock_shim()
        .open()
}

#[test]
fn who_thanks_for_the_class_when_the_account_is_gone_gets_no_hint_for_a_day() {
    let class = short();
    let ana = class.student();
    ana.gets_a_login();
    class.all_gone();
    for thanks in ["Thanks for the class!", "Ok, thanks!", "👍"] {
        ana.texts(thanks);
    }
    class.all_served();
    ana.has_read_all();
    class.sets_the_clock(86_500);
    ana.texts("is there another class?");
    assert!(ana.next_text().starts_with("That is not the phrase"));
}

#[test]
fn nothing_is_remembered_of_who_wants_to_be_forgotten_nor_after_two_days_of_anybody() {
    let class = short();
    let [ana, ben] = [(); 2].map(|()| class.student());
    ana.gets_a_login();
    ben.gets_a_login();
    class.does(&["forget", ana.phone()]);
    class.all_gone();
    assert_eq!(class.query("SELECT count(*) FROM contacts"), "1");
    ana.texts("Thanks for the class!");
    ana.next_text();
    // The start forgets what is old.
    class.sets_the_clock(2 * 86_400);
    class.restart_service();
    class.eventually("ben is forgotten", || {
        class.query("SELECT count(*) FROM contacts WHERE gone_at IS NOT NULL") == "0"
    });
}

/// Bodies in Twilio's log that hold a password.
fn passwords_left(class: &Classroom, password: &str) -> usize {
    let twilio = class.twilio();
    let bodies = [twilio.logged_bodies(), twilio.received_bodies()].concat();
    bodies.iter().filter(|body| body.contains(password)).count()
}

#[test]
fn a_reaction_that_repeats_a_login_is_redacted_at_twilio_like_the_login() {
    let class = plan().with_receipts().open();
    let ana = class.student();
    let login = ana.gets_a_login();
    let text = ana.inbox()[0].body.clone();
    let sids: Vec<String> = reactions(&text)
        .iter()
        .map(|body| ana.texts(body))
        .collect();
    ana.texts("see you tomorrow");
    class.all_served();
    class.eventually("all is redacted", || {
        passwords_left(&class, &login.password) == 0
    });
    class.eventually("that is recorded", || {
        class.query("SELECT count(*) FROM deliveries WHERE redact_at IS NOT NULL") == "0"
    });
    assert_eq!(
        class.twilio().count(ops::REDACT),
        1 + sids.len(),
        "each once"
    );
    assert!(
        class
            .twilio()
            .received_bodies()
            .contains(&"see you tomorrow".to_owned())
    );
    ana.has_read_all();
    assert!(ana.can_log_in());
}

#[test]
fn switched_off_a_reaction_stays_as_the_login_does() {
    let class = plan()
        .with_receipts()
        .with("CODER_REG_REDACT", "off")
        .open();
    let ana = class.student();
    let login = ana.gets_a_login();
    let text = ana.inbox()[0].body.clone();
    ana.texts(&format!("Loved “{text}”"));
    class.all_served();
    class.change("UPDATE registrations SET due_at = 1, check_at = 0");
    class.eventually("a removal by a later sweep", || class.registrations() == 0);
    assert_eq!(class.twilio().count(ops::REDACT), 0);
    assert_eq!(passwords_left(&class, &login.password), 2);
}

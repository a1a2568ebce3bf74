//! Texts by other channels than SMS. RCS counts as the same phone; each channel that is not served is logged once.

use std::time::SystemTime;

use crate::plan;
use support::classroom::student::{Student, Webhook};
use support::classroom::wire::{self, Wire};
use support::classroom::{Classroom, PHRASE};
use support::fakes::twilio::new_sid;

const AGENT: &str = "rcs:brand_agent";

/// A class behind a Messaging Service, which is where RCS senders are.
fn class() -> Classroom {
    let class = plan()
        .with("CODER_REG_RESEND_INTERVAL", "0")
        .with("CODER_REG_CATCH_UP", "30")
        .with("CODER_REG_CALL_LIMIT", "1s")
        .prepare();
    class.texts_by_service();
    class.start_service();
    class.logs("no text was missed");
    class
}

fn posts(student: &Student<'_>, webhook: &Webhook) {
    assert_eq!(student.posts(webhook), 200);
}

#[test]
fn a_phone_that_texts_by_sms_and_by_rcs_has_one_account() {
    let class = class();
    let ana = class.student();
    // A text that comes in the second of a login gets no other one; the phone asks until it does.
    let login_after = |webhook: &dyn Fn() -> Webhook, number| {
        class.eventually("a login", || {
            posts(&ana, &webhook());
            class.all_served();
            ana.inbox().len() >= number
        });
        assert!(ana.can_log_in());
        ana.last_login().expect("a login").username().to_owned()
    };
    let by_rcs = || ana.webhook_by_rcs(PHRASE);
    let first = login_after(&by_rcs, 1);
    assert_eq!(login_after(&|| ana.phrase_webhook(), 2), first);
    assert_eq!(login_after(&by_rcs, 3), first);
    assert_eq!(class.registrations(), 1);
    assert_eq!(class.coder().created_ever().len(), 1);
    // The answers go to the plain number.
    for text in ana.inbox() {
        assert_eq!(text.to, ana.phone());
    }
}

#[test]
fn texts_of_a_phone_by_both_channels_at_once_make_one_account() {
    let class = class();
    let students = class.students(8);
    // In one write, so that the service has them all in hand together.
    let posted: Vec<u8> = students
        .iter()
        .flat_map(|student| [student.phrase_webhook(), student.webhook_by_rcs(PHRASE)])
        .flat_map(|webhook| wire::bytes(&webhook))
        .collect();
    let mut wire = Wire::saying(class.service().address(), &posted);
    for _ in 0..2 * students.len() {
        assert_eq!(wire.status(), 200);
    }
    class.all_log_in(&students);
    class.all_served();
    assert_eq!(class.coder().created_ever().len(), students.len());
    assert_eq!(class.registrations(), students.len());
}

#[test]
fn an_opt_out_by_rcs_counts_for_sms_and_the_other_way_round() {
    let class = class();
    let (ana, ben) = (class.student(), class.student());
    posts(&ana, &ana.webhook_by_rcs("STOP"));
    ana.asks();
    ben.texts("STOP");
    posts(&ben, &ben.webhook_by_rcs(PHRASE));
    class.all_served();
    ana.has_read_all();
    ben.has_read_all();
    posts(&ben, &ben.webhook_by_rcs("START"));
    ben.gets_a_login();
}

#[test]
fn a_missed_text_by_rcs_is_found_and_served_once() {
    let class = class();
    let ana = class.student();
    class.end_service();
    let from = format!("rcs:{}", ana.phone());
    class
        .twilio()
        .add_inbound(&new_sid(), &from, AGENT, PHRASE, SystemTime::now());
    class.start_service();
    ana.next_login();
    class.all_served();
    class.restart_service();
    class.logs("no text was missed");
    class.all_served();
    ana.has_read_all();
    assert_eq!(class.coder().created_ever().len(), 1);
}

#[test]
fn a_phone_is_forgotten_with_its_waiting_texts_by_rcs() {
    let class = class();
    let ana = class.student();
    class.coder().goes_down();
    posts(&ana, &ana.webhook_by_rcs(PHRASE));
    class.eventually("an attempt", || class.log().contains("attempt 1 failed"));
    let told = class.try_service(&["forget", ana.phone()]).stdout;
    assert!(
        told.contains("1 text of this phone in the queue: deleted"),
        "{told}"
    );
    class.coder().comes_back();
    class.student().gets_a_login();
    class.eventually("one registration", || class.registrations() == 1);
    class.all_served();
    ana.has_read_all();
}

#[test]
fn a_text_of_our_own_is_known_as_such_by_either_channel() {
    let class = crate::class();
    let own = class.twilio().account().from_numbers[0].clone();
    let stranger = class.student();
    for from in [own.clone(), format!("rcs:{own}"), format!("RCS:{own}")] {
        posts(&stranger, &stranger.webhook_as(&from, AGENT, PHRASE, &[]));
    }
    let number = stranger.phone();
    let by_rcs = format!("rcs:{number}");
    posts(
        &stranger,
        &stranger.webhook_as(&by_rcs, number, PHRASE, &[]),
    );
    class.all_served();
    assert!(class.twilio().texts().is_empty());
    assert_eq!(class.registrations(), 0);
    let told = class.log();
    assert_eq!(
        told.matches("no answer, the sender is our own number")
            .count(),
        4,
        "{told}"
    );
}

#[test]
fn a_channel_that_is_not_served_is_named_once_and_its_texts_get_no_answer() {
    let class = class();
    let ana = class.student();
    let number = ana.phone();
    for from in [
        &format!("whatsapp:{number}"),
        "whatsapp:US.1349abcdef",
        "messenger:1234567890",
        &format!("messenger:{number}"),
        "rcs:brand_agent_2",
        "We call you:",
    ] {
        posts(&ana, &ana.webhook_as(from, AGENT, PHRASE, &[]));
    }
    class.all_served();
    ana.has_read_all();
    assert_eq!(class.registrations(), 0);
    assert!(class.twilio().texts().is_empty());
    let log = class.log();
    let warnings: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("WARN") && line.contains("students have to text by SMS"))
        .collect();
    assert_eq!(warnings.len(), 2, "{log}");
    for words in [
        "Set another webhook for your WhatsApp sender",
        "(messenger)",
    ] {
        assert!(warnings.iter().any(|line| line.contains(words)), "{log}");
    }
    assert_eq!(
        log.matches("no answer, the sender texts by WhatsApp")
            .count(),
        2,
        "{log}"
    );
    assert_eq!(
        log.matches("no answer, the sender is not a phone number")
            .count(),
        2,
        "{log}"
    );
}

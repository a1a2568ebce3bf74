//! Students who want no more texts, and students who want them again.

use crate::{class, plan};
use support::classroom::{Classroom, PATIENCE, PHRASE, a_later_second};
use support::fakes::trouble::When;
use support::fakes::twilio::{Fate, ops};

#[test]
fn every_usual_wording_opts_out_in_silence() {
    let class = class();
    let bodies = [
        "opt out",
        "Opt-out",
        "Stop.",
        "STOP!",
        "“Stop”",
        "Stop🛑",
        "stop all",
        "please stop",
        "stop texting me",
        "STOP\u{200b}",
        "Revoke",
        "ARRÊT",
    ];
    let students = class.students(bodies.len());
    for (student, body) in students.iter().zip(bodies) {
        student.texts(body);
    }
    class.all_served();
    class.all_ask(&students);
    class.all_served();
    assert!(class.twilio().texts().is_empty());
    assert!(class.coder().created_ever().is_empty());
    for student in &students {
        student.texts("Start!");
    }
    class.all_served();
    students[0].gets_a_login();
    students[students.len() - 1].gets_a_login();
}

#[test]
fn a_sentence_with_such_a_word_in_it_opts_nobody_out() {
    let class = class();
    let bodies = [
        "I can't stop learning",
        "when does the class end",
        "quit asking!",
    ];
    for body in bodies {
        let student = class.student();
        student.texts(body);
        student.next_text();
        student.gets_a_login();
    }
}

#[test]
fn the_phrase_that_is_an_opt_in_word_as_well_is_served_and_opts_in() {
    let class = class();
    let [ana, ben, cem] = [(); 3].map(|()| class.student());
    ana.texts_a_word(PHRASE, "START");
    ana.logs_in();
    ben.texts("please stop");
    class.all_served();
    ben.texts_a_word(PHRASE, "START");
    ben.logs_in();
    cem.texts_a_word(PHRASE, "STOP");
    cem.asks();
    class.all_served();
    assert!(cem.inbox().is_empty());
}

#[test]
fn a_kill_between_opting_in_and_the_login_loses_neither() {
    let class = class();
    let ana = class.student();
    ana.texts("STOP");
    class.all_served();
    class.coder().goes_down();
    ana.texts_a_word(PHRASE, "START");
    class.logs("attempt 1 failed");
    class.end_service();
    class.coder().comes_back();
    class.start_service();
    ana.logs_in();
}

/// A class that looks for missed texts, and has looked once.
fn searching() -> Classroom {
    let class = plan().with("CODER_REG_CATCH_UP", "30").open();
    class.logs("no text was missed");
    class
}

#[test]
fn an_opt_in_word_of_the_services_own_counts_when_it_is_found_afterwards() {
    let class = searching();
    let [ana, ben] = class.students(2).try_into().ok().unwrap();
    ana.texts("STOP");
    ben.texts_a_word("nunca más", "STOP");
    class.all_served();
    class.end_service();
    // Nobody takes these; the log does not say what kind they are of.
    ana.webhook("aprender otra vez", &[("OptOutType", "START")]);
    ben.webhook(PHRASE, &[("OptOutType", "START")]);
    class.start_service();
    ben.logs_in();
    class.all_served();
    ana.has_read_all();
    ana.gets_a_login();
    assert!(ana.can_log_in());
}

#[test]
fn a_text_found_afterwards_is_not_sent_to_who_is_still_on_twilios_list() {
    let class = searching();
    let ana = class.student();
    ana.texts("STOP");
    class.all_served();
    class.twilio().refuse(ana.phone(), 400, 21610);
    class.end_service();
    ana.phrase_webhook();
    class.start_service();
    class.eventually("Twilio says that they are still on its list", || {
        class.twilio().refused_to(ana.phone()) == 1
    });
    class.all_served();
    ana.asks();
    class.all_served();
    assert_eq!(class.twilio().refused_to(ana.phone()), 1);
    assert!(ana.inbox().is_empty());
}

#[test]
fn what_only_we_know_is_not_undone_by_a_text_found_afterwards() {
    let class = searching();
    let ana = class.student();
    ana.texts("stop texting me");
    class.all_served();
    class.end_service();
    ana.phrase_webhook();
    ana.webhook("ok", &[]);
    class.start_service();
    class.logs("2 texts that had not reached us");
    class.all_served();
    ana.asks();
    class.all_served();
    assert!(ana.inbox().is_empty());
    ana.texts("START");
    class.all_served();
    ana.gets_a_login();
}

#[test]
fn an_opt_out_that_a_receipt_tells_of_is_recorded() {
    let class = plan()
        .with_receipts()
        .with("CODER_REG_RESEND_INTERVAL", "0")
        .open();
    for state in ["undelivered", "failed"] {
        let ana = class.student();
        let fate = Fate {
            steps: vec![("sent", None), (state, Some(21610))],
            ..Fate::of(&[])
        };
        class.twilio().fate_of(ana.phone(), fate);
        let login = ana.gets_a_login();
        let told = format!("login of {} was not delivered", login.username());
        class.logs(&told);
        ana.asks();
        class.all_served();
        ana.has_read_all();
        class.twilio().fate_of(ana.phone(), Fate::delivered());
        ana.texts("START");
        class.all_served();
        // A later second, or it would count as asked before the login.
        a_later_second();
        ana.gets_a_login();
    }
}

#[test]
fn who_is_on_twilios_list_stays_known_though_the_account_is_ended_meanwhile() {
    let class = searching();
    let ana = class.student();
    class.twilio().refuse(ana.phone(), 400, 21610);
    let (arrived, sends) = std::sync::mpsc::channel();
    let (done, goes) = std::sync::mpsc::channel::<()>();
    let held = Box::new(move || {
        let _ = arrived.send(());
        let _ = goes.recv_timeout(PATIENCE);
    });
    class.twilio().on(ops::SEND, When::Before, 1, held);
    ana.asks();
    sends.recv_timeout(PATIENCE).expect("a login is sent");
    class.change("UPDATE registrations SET stage = 'reaping', reaping_since = 1, due_at = 1");
    done.send(()).expect("it waits");
    let known = "SELECT count(*) FROM contacts WHERE opted_out_at IS NOT NULL";
    class.eventually("it is known", || class.query(known) == "1");
}

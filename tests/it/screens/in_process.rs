//! What follows from each text, played step by step in this process.

use coder_sms_register::config::Reply;
use coder_sms_register::domain::registration::{OnScreen, Stage};
use coder_sms_register::provision::{Completion, Outcome, RetryTime, Silence};
use coder_sms_register::screen::ScreenState;
use support::fakes::coder::ops as coder;
use support::fakes::trouble::Trouble;
use support::faults::hall::{Hall, phone};
use support::faults::inside::Inside;

/// Fails unless the login of a text waits for its screen.
#[track_caller]
fn waits(outcome: &Outcome) {
    let waits =
        matches!(outcome, Outcome::Later(later) if matches!(later.wait, RetryTime::Screen(_)));
    assert!(waits, "{outcome:?}");
}

#[track_caller]
fn ends(outcome: Outcome) -> Completion {
    match outcome {
        Outcome::Done(done) => done,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn is_silent(outcome: Outcome, silence: Silence) {
    assert_eq!(ends(outcome), Completion::Silent(silence));
}

#[track_caller]
fn is_texted(outcome: Outcome) {
    let done = ends(outcome);
    assert!(matches!(done, Completion::LoginSent { .. }), "{done:?}");
}

#[track_caller]
fn is_shown(outcome: Outcome) {
    let done = ends(outcome);
    assert!(matches!(done, Completion::LoginShown { .. }), "{done:?}");
}

const EITHER: [Reply; 2] = [Reply::Both, Reply::Screen];

#[test]
fn a_login_appears_on_the_laptop_and_nothing_is_sent() {
    for reply in EITHER {
        let inside = Inside::new();
        let mut hall = Hall::open(&inside, reply, 0);
        let ana = phone(23);
        let laptop = hall.opens();
        let text = hall.text_code(&ana, &laptop);
        waits(&hall.attempt(&text));
        assert_eq!(hall.account(&ana).unwrap().stage, Stage::Created);
        assert!(matches!(hall.shows(&laptop), ScreenState::Question { ends, .. } if ends == "23"));
        hall.says(&laptop, true);
        let login = hall.login(&laptop);
        assert!(hall.belongs(&login, &ana));
        is_shown(hall.attempt(&text));
        let account = hall.account(&ana).unwrap();
        assert_eq!(account.stage, Stage::Announced);
        assert_eq!(account.on_screen(), Some(OnScreen::Shown));
        assert_eq!(account.sent_in_window, 1);
        assert!(account.due_at.is_some() && account.sending.is_none());
        assert_eq!(hall.twilio.texts().len(), 0);
        assert_eq!(hall.coder.created_ever().len(), 1);
        is_silent(hall.attempt(&text), Silence::ServedBefore);
    }
}

#[test]
fn a_login_that_the_screen_does_not_take_comes_by_text_if_texts_are_sent() {
    for reply in EITHER {
        let inside = Inside::new();
        let mut hall = Hall::open(&inside, reply, 0);
        // Declined.
        let laptop = hall.opens();
        let text = hall.text_code(&phone(1), &laptop);
        waits(&hall.attempt(&text));
        hall.says(&laptop, false);
        let declined = hall.attempt(&text);
        // Not fetched within a minute.
        let other = hall.opens();
        let late = hall.text_code(&phone(2), &other);
        waits(&hall.attempt(&late));
        hall.waits_a_minute(&late);
        let expired = hall.attempt(&late);
        // Another phone was confirmed.
        let shared = hall.opens();
        let (first, second) = (
            hall.text_code(&phone(3), &shared),
            hall.text_code(&phone(4), &shared),
        );
        waits(&hall.attempt(&first));
        waits(&hall.attempt(&second));
        hall.says(&shared, true);
        assert!(hall.belongs(&hall.login(&shared), &phone(3)));
        let lost = hall.attempt(&second);
        is_shown(hall.attempt(&first));
        // A code of no screen.
        hall.restart();
        let dead = hall.text_code(&phone(5), &laptop);
        let gone = hall.attempt(&dead);
        if reply == Reply::Both {
            [declined, expired, lost, gone]
                .into_iter()
                .for_each(is_texted);
            for place in [1, 2, 4, 5] {
                assert_eq!(hall.twilio.texts_to(&phone(place)).len(), 1, "{place}");
            }
            assert_eq!(hall.twilio.texts().len(), 4);
        } else {
            is_silent(declined, Silence::Declined);
            is_silent(expired, Silence::NotFetched);
            is_silent(lost, Silence::ScreenTaken);
            is_silent(gone, Silence::NoScreen);
            assert_eq!(hall.twilio.texts().len(), 0);
        }
    }
}

#[test]
fn where_logins_go_to_screens_only_no_text_is_ever_answered() {
    let inside = Inside::new();
    let mut hall = Hall::open(&inside, Reply::Screen, 0);
    for (body, silence) in [
        ("I am ready to learn", Silence::NoCode),
        ("I am ready to learn 12345", Silence::WrongCode),
        ("hello?", Silence::NoHints),
        ("HELP", Silence::HelpWord),
    ] {
        let text = hall.text(&phone(1), body);
        is_silent(hall.attempt(&text), silence);
    }
    let stop = hall.text(&phone(1), "STOP");
    assert_eq!(ends(hall.attempt(&stop)), Completion::OptedOut);
    let start = hall.text(&phone(1), "START");
    assert_eq!(ends(hall.attempt(&start)), Completion::OptedIn);
    assert!(hall.account(&phone(1)).is_none());
    assert_eq!(hall.twilio.texts().len(), 0);
}

#[test]
fn a_mistyped_code_is_answered_like_the_phrase_alone() {
    let inside = Inside::new();
    let mut hall = Hall::open(&inside, Reply::Both, 0);
    let text = hall.text(&phone(1), "I am ready to learn 12345");
    is_texted(hall.attempt(&text));
    let text = hall.text(&phone(2), "I am ready to learn");
    is_texted(hall.attempt(&text));
}

#[test]
fn a_phone_that_opted_out_is_served_at_its_screen_and_never_texted() {
    for reply in EITHER {
        let inside = Inside::new();
        let mut hall = Hall::open(&inside, reply, 0);
        let stop = hall.text(&phone(1), "STOP");
        hall.attempt(&stop);
        let laptop = hall.opens();
        let text = hall.text_code(&phone(1), &laptop);
        waits(&hall.attempt(&text));
        hall.says(&laptop, true);
        assert!(hall.belongs(&hall.login(&laptop), &phone(1)));
        is_shown(hall.attempt(&text));
        let other = hall.opens();
        let text = hall.text_code(&phone(1), &other);
        waits(&hall.attempt(&text));
        hall.says(&other, false);
        let silence = match reply {
            Reply::Both => Silence::OptedOut,
            _ => Silence::Declined,
        };
        is_silent(hall.attempt(&text), silence);
        assert_eq!(hall.twilio.texts().len(), 0);
    }
}

#[test]
fn a_full_class_is_told_to_the_screen() {
    for reply in EITHER {
        let inside = Inside::new();
        let mut hall = Hall::open(&inside, reply, 0);
        hall.provisioner.class.classes[0].seats = 1;
        let (first, second) = (hall.opens(), hall.opens());
        let text = hall.text_code(&phone(1), &first);
        waits(&hall.attempt(&text));
        for round in 0..2 {
            let text = hall.text_code(&phone(2), &second);
            let done = ends(hall.attempt(&text));
            let told = [
                Completion::ToldFull,
                Completion::Silent(Silence::FullToldBefore),
            ];
            assert!(told.contains(&done), "{done:?}");
            let state = hall.says(&second, true);
            assert!(
                matches!(&state, ScreenState::Notice(words) if words.contains("full")),
                "round {round}: {state:?}"
            );
        }
        let sent = hall.twilio.texts_to(&phone(2)).len();
        assert_eq!(sent, usize::from(reply == Reply::Both));
    }
}

#[test]
fn another_laptop_may_follow_at_once_but_not_more_often_a_day_than_is_set() {
    for reply in EITHER {
        let inside = Inside::new();
        let mut hall = Hall::open(&inside, reply, 0);
        hall.provisioner.class.resend_interval = std::time::Duration::from_secs(3_600);
        hall.provisioner.class.resend_daily = 2;
        for _ in 0..2 {
            let laptop = hall.opens();
            let text = hall.text_code(&phone(1), &laptop);
            waits(&hall.attempt(&text));
            hall.says(&laptop, true);
            assert!(hall.belongs(&hall.login(&laptop), &phone(1)));
            is_shown(hall.attempt(&text));
        }
        let laptop = hall.opens();
        let text = hall.text_code(&phone(1), &laptop);
        is_silent(hall.attempt(&text), Silence::DailyLimit);
        let state = hall.says(&laptop, true);
        assert!(matches!(state, ScreenState::Notice(_)), "{state:?}");
        assert_eq!(hall.coder.created_ever().len(), 1);
        assert_eq!(hall.twilio.texts().len(), 0);
    }
}

#[test]
fn coder_may_be_away_while_the_laptop_waits() {
    let inside = Inside::new();
    let mut hall = Hall::open(&inside, Reply::Screen, 0);
    let laptop = hall.opens();
    let text = hall.text_code(&phone(1), &laptop);
    hall.coder
        .trouble(coder::CREATE_USER, 2, Trouble::CutBefore);
    for _ in 0..2 {
        let outcome = hall.attempt(&text);
        let is_away = matches!(&outcome, Outcome::Later(later) if later.wait == RetryTime::Away);
        assert!(is_away, "{outcome:?}");
    }
    assert_eq!(hall.says(&laptop, true), ScreenState::Making);
    waits(&hall.attempt(&text));
    assert!(hall.belongs(&hall.login(&laptop), &phone(1)));
    is_shown(hall.attempt(&text));
}

#[test]
fn what_a_killed_service_may_have_shown_lives_its_whole_time() {
    for (reply, was_shown) in [
        (Reply::Screen, true),
        (Reply::Screen, false),
        (Reply::Both, true),
    ] {
        let inside = Inside::new();
        let mut hall = Hall::open(&inside, reply, 0);
        let laptop = hall.opens();
        let text = hall.text_code(&phone(1), &laptop);
        waits(&hall.attempt(&text));
        if was_shown {
            hall.says(&laptop, true);
            hall.login(&laptop);
        }
        hall.restart();
        assert_eq!(hall.shows(&laptop), ScreenState::Gone);
        let outcome = hall.attempt(&text);
        if reply == Reply::Both {
            is_texted(outcome);
        } else {
            is_silent(outcome, Silence::NoScreen);
            assert_eq!(hall.twilio.texts().len(), 0);
        }
        assert_eq!(hall.account(&phone(1)).unwrap().stage, Stage::Announced);
        // The student texts the new code of the laptop and is served.
        let laptop = hall.opens();
        let text = hall.text_code(&phone(1), &laptop);
        waits(&hall.attempt(&text));
        hall.says(&laptop, true);
        assert!(hall.belongs(&hall.login(&laptop), &phone(1)));
        is_shown(hall.attempt(&text));
        assert_eq!(hall.coder.created_ever().len(), 1);
    }
}

#[test]
fn a_send_with_an_unknown_outcome_does_not_keep_the_login_from_a_screen() {
    let inside = Inside::new();
    let mut hall = Hall::open(&inside, Reply::Both, 0);
    hall.twilio
        .trouble(support::fakes::twilio::ops::SEND, 1, Trouble::LoseReply);
    let plain = hall.text(&phone(1), "I am ready to learn");
    assert!(matches!(hall.attempt(&plain), Outcome::Later(_)));
    let laptop = hall.opens();
    let text = hall.text_code(&phone(1), &laptop);
    waits(&hall.attempt(&text));
    hall.says(&laptop, true);
    assert!(hall.belongs(&hall.login(&laptop), &phone(1)));
    is_shown(hall.attempt(&text));
    // The text that was sent is still found, so that it is redacted.
    assert!(hall.account(&phone(1)).unwrap().sending.is_some());
    assert_eq!(hall.twilio.texts().len(), 1);
}

#[test]
fn who_texts_a_code_again_after_the_login_was_shown_gets_it_by_text_within_the_limits() {
    for reply in EITHER {
        let inside = Inside::new();
        let mut hall = Hall::open(&inside, reply, 0);
        let ana = phone(1);
        let laptop = hall.opens();
        let first = hall.text_code(&ana, &laptop);
        waits(&hall.attempt(&first));
        let early = hall.text_code(&ana, &laptop);
        is_silent(hall.attempt(&early), Silence::Doubled);
        hall.says(&laptop, true);
        let login = hall.login(&laptop);
        // Not before the login on the screen is recorded, so that it counts.
        let again = hall.text_code(&ana, &laptop);
        waits(&hall.attempt(&again));
        is_shown(hall.attempt(&first));
        if reply == Reply::Screen {
            is_silent(hall.attempt(&again), Silence::ShownBefore);
            let other = hall.opens();
            let text = hall.text_code(&ana, &other);
            waits(&hall.attempt(&text));
            hall.says(&other, true);
            assert_eq!(hall.login(&other), login);
            continue;
        }
        hall.provisioner.class.resend_interval = std::time::Duration::from_secs(60);
        is_silent(hall.attempt(&again), Silence::JustSent);
        let mut later = hall.text_code(&ana, &laptop);
        later.received += 60;
        is_texted(hall.attempt(&later));
        let texts = hall.twilio.texts_to(&ana);
        assert!(texts.len() == 1 && texts[0].body.contains(login.password.reveal()));
        // Also after the browser was signed in.
        hall.screens
            .arrived(&laptop.secret, std::time::Instant::now());
        hall.provisioner.class.resend_interval = std::time::Duration::ZERO;
        let mut last = hall.text_code(&ana, &laptop);
        last.received += 120;
        is_texted(hall.attempt(&last));
        assert_eq!(hall.coder.created_ever().len(), 1);
    }
}

#[test]
fn a_clock_that_is_set_between_text_and_screen_changes_nothing() {
    for by in [3_600, -3_600] {
        let inside = Inside::new();
        let mut hall = Hall::open(&inside, Reply::Screen, 0);
        let laptop = hall.opens();
        let text = hall.text_code(&phone(1), &laptop);
        waits(&hall.attempt_at_a_set_clock(&text, by));
        hall.says(&laptop, true);
        assert!(hall.belongs(&hall.login(&laptop), &phone(1)));
        is_shown(hall.attempt_at_a_set_clock(&text, by));
        // Dated by a clock that was wrong, in a process that began by the right one.
        let laptop = hall.opens();
        let mut text = hall.text_code(&phone(2), &laptop);
        text.received += by;
        waits(&hall.attempt(&text));
        // A code that was given to another page since the text.
        let text = hall.text_code(&phone(3), &laptop);
        hall.restart();
        let other = hall.opens();
        let mut late = hall.text_code(&phone(3), &other);
        late.heard = text.heard;
        late.received = text.received;
        is_silent(hall.attempt_at_a_set_clock(&late, by), Silence::NoScreen);
        assert_eq!(hall.shows(&other), ScreenState::Open);
    }
}

use super::*;
use crate::domain::{Fingerprint, InstanceId, Marker, PhoneKey, Username};

const NOW: UnixSeconds = 1_800_000_000;
const MINUTE: Duration = Duration::from_secs(60);

fn registration(stage: Stage) -> Registration {
    let username = Username::parse("happy-tuna").unwrap();
    let marker = Marker::draw(
        &username,
        &PhoneKey::derive("k"),
        &InstanceId::from_stored("0001"),
    );
    Registration {
        stage,
        ..Registration::fresh(username, marker, NOW - 3_600)
    }
}

#[test]
fn each_stage_has_its_next_step() {
    use NextStep as N;
    let create = |renew| N::Create { renew };
    // Stage, ended at, due at, and the step of a text that was received now.
    let table = [
        (Stage::Reserved, None, None, create(false)),
        (Stage::Reserved, None, Some(NOW + 1), create(false)),
        (Stage::Reserved, None, Some(NOW), create(true)),
        (Stage::Created, None, None, N::Announce),
        (Stage::Announced, None, Some(NOW), N::Announce),
        (Stage::Announced, None, Some(NOW - 1), N::Announce),
        (Stage::Reserved, Some(NOW + 1), None, N::Ended),
        (Stage::Created, Some(NOW + 1), None, N::Ended),
        (Stage::Announced, Some(NOW + 1), None, N::Ended),
        // In the second of the end the text counts as the later one.
        (Stage::Announced, Some(NOW), None, N::UndoEnd),
        (Stage::Reserved, Some(NOW - 1), None, N::UndoEnd),
        // The clock was set back since.
        (Stage::Announced, Some(NOW + 3_600), None, N::UndoEnd),
        (Stage::Reaping, None, None, N::TakeAnother),
        (Stage::Reaping, Some(NOW + 1), None, N::TakeAnother),
        (Stage::Gone, None, None, N::TakeAnother),
    ];
    for (stage, ended_at, due_at, step) in table {
        let registration = Registration {
            ended_at,
            due_at,
            ..registration(stage)
        };
        let found = next_step(&registration, NOW, NOW);
        assert_eq!(found, step, "{stage:?}, ended {ended_at:?}, due {due_at:?}");
    }
}

#[test]
fn a_text_that_waited_until_the_time_was_up_gives_no_new_time() {
    let step = |stage, due_at, is_sending: bool| {
        let sending = Sending {
            fingerprint: PhoneKey::derive("k").fingerprint("a login"),
            since: NOW - 100,
        };
        let registration = Registration {
            due_at,
            sending: is_sending.then_some(sending),
            ..registration(stage)
        };
        next_step(&registration, NOW - 60, NOW)
    };
    assert_eq!(step(Stage::Announced, Some(NOW), false), NextStep::Ended);
    let after = Some(NOW - 59);
    assert_eq!(step(Stage::Announced, after, false), NextStep::Ended);
    // In the second in which the time was up, the text counts as the later one.
    for due_at in [None, Some(NOW - 60), Some(NOW + 1)] {
        let found = step(Stage::Announced, due_at, false);
        assert_eq!(found, NextStep::Announce, "{due_at:?}");
    }
    assert_eq!(step(Stage::Announced, Some(NOW), true), NextStep::Announce);
    // Without a login so far, the phone still gets one.
    assert_eq!(step(Stage::Created, Some(NOW), false), NextStep::Announce);
    let create = NextStep::Create { renew: true };
    assert_eq!(step(Stage::Reserved, Some(NOW), false), create);
}

#[test]
fn a_taken_name_is_ours_only_if_the_user_was_found() {
    let mut registration = registration(Stage::Reserved);
    assert_eq!(taken_name(&registration, true), TakenName::Ours);
    assert_eq!(taken_name(&registration, false), TakenName::Foreign);
    registration.password_known = false;
    assert_eq!(taken_name(&registration, true), TakenName::OtherPassword);
    assert_eq!(taken_name(&registration, false), TakenName::Foreign);
}

#[test]
fn a_login_is_repeated_within_its_limits() {
    let announced = |at| Registration {
        announced_at: Some(at),
        window_start: NOW - 100,
        sent_in_window: 2,
        ..registration(Stage::Announced)
    };
    let limits = |daily| ResendLimits {
        interval: MINUTE,
        daily,
    };
    let limit = |one: &Registration, received, failed, daily| {
        resend_limit(one, received, NOW, failed, limits(daily))
    };
    let fresh = registration(Stage::Created);
    assert_eq!(limit(&fresh, NOW, false, 1), None, "no login yet");
    let old = announced(NOW - 60);
    assert_eq!(limit(&old, NOW, false, 3), None);
    assert_eq!(limit(&old, NOW, false, 2), Some(Silence::DailyLimit));
    assert_eq!(limit(&old, NOW, false, 1), Some(Silence::DailyLimit));
    // The count begins anew after a day.
    let yesterday = Registration {
        window_start: NOW - DAY,
        ..old.clone()
    };
    assert_eq!(limit(&yesterday, NOW, false, 2), None);
    let recent = announced(NOW - 59);
    assert_eq!(limit(&recent, NOW, false, 3), Some(Silence::JustSent));
    let before = Some(Silence::NewerLogin);
    assert_eq!(limit(&recent, NOW - 59, false, 3), before);
    assert_eq!(limit(&recent, NOW - 60, false, 3), before);
    // What surely did not arrive counts for the daily limit alone.
    assert_eq!(limit(&recent, NOW, true, 3), None);
    assert_eq!(limit(&recent, NOW - 60, true, 3), None);
    assert_eq!(limit(&recent, NOW, true, 2), Some(Silence::DailyLimit));
    // A login of the future was sent before the clock was set back.
    assert_eq!(limit(&announced(NOW + 1), NOW, false, 1), None);
    let just_now = announced(NOW);
    assert_eq!(limit(&just_now, NOW, false, 3), before);
}

#[test]
fn a_renewed_password_is_sent_whatever_the_limits_say() {
    let renewed = |at| Registration {
        announced_at: Some(NOW - 10),
        renewed_at: Some(at),
        window_start: NOW - 100,
        sent_in_window: 9,
        ..registration(Stage::Announced)
    };
    let limits = ResendLimits {
        interval: MINUTE,
        daily: 3,
    };
    let limit = |one: &Registration| resend_limit(one, NOW, NOW, false, limits);
    assert_eq!(limit(&renewed(NOW - 10)), None);
    assert_eq!(limit(&renewed(NOW - 5)), None);
    assert_eq!(limit(&renewed(NOW - 11)), Some(Silence::JustSent));
}

#[test]
fn the_last_answer_is_a_login_or_the_word_that_there_is_none() {
    let answered = |announced_at, withheld_at| {
        answered_at(&Registration {
            announced_at,
            withheld_at,
            ..registration(Stage::Announced)
        })
    };
    assert_eq!(answered(None, None), None);
    assert_eq!(answered(Some(1), None), Some(1));
    assert_eq!(answered(Some(1), Some(2)), Some(2));
    assert_eq!(answered(Some(3), Some(2)), Some(3));
}

#[test]
fn a_search_waits_until_the_log_is_surely_written() {
    let sending = Sending {
        fingerprint: Fingerprint::from_bytes(&[7; 20]).unwrap(),
        since: NOW,
    };
    for (later, rest) in [
        (0, Some(5)),
        (1, Some(4)),
        (4, Some(1)),
        (5, None),
        (90, None),
        // The clock was set back since.
        (-1, None),
    ] {
        assert_eq!(settles_for(sending, NOW + later), rest, "{later} s later");
    }
}

#[test]
fn an_interrupted_send_is_repeated_in_doubt_at_most_once() {
    let mut registration = registration(Stage::Created);
    for doubtful in [0, 1, 2] {
        registration.doubtful = doubtful;
        let after = |trace| after_trace(&registration, trace);
        assert_eq!(after(Trace::Found(3)), AfterTrace::Record(3));
        let again = AfterTrace::SendAgain { doubtful: false };
        assert_eq!(after(Trace::NotFound), again);
        let unreadable = match doubtful {
            0 => AfterTrace::SendAgain { doubtful: true },
            _ => AfterTrace::GiveUp,
        };
        assert_eq!(after(Trace::Unreadable), unreadable);
    }
}

#[test]
fn the_first_login_starts_the_time_and_no_other_changes_it() {
    let at = |stage, due_at| Registration {
        due_at,
        ..registration(stage)
    };
    let span = Some(MINUTE);
    let full = Some(NOW + 60);
    assert_eq!(first_due(span, NOW), full);
    assert_eq!(first_due(None, NOW), None);
    let announced = at(Stage::Announced, Some(NOW + 5));
    assert_eq!(due_after(&announced, span, NOW), Some(NOW + 5));
    let forever = at(Stage::Announced, None);
    assert_eq!(due_after(&forever, span, NOW), None);
    let created = at(Stage::Created, Some(NOW + 5));
    assert_eq!(due_after(&created, span, NOW), full);
    assert_eq!(due_after(&created, None, NOW), None);
    assert_eq!(renewed_due(&announced, span, NOW), None);
    let late = at(Stage::Announced, Some(NOW));
    assert_eq!(renewed_due(&late, span, NOW), full);
    assert_eq!(renewed_due(&late, None, NOW), None);
}

#[test]
fn an_account_lives_as_long_as_its_login_promises_and_its_text_is_tried() {
    for (promised, pending, due) in [
        (Some(100), 50, Some(100)),
        (Some(100), 150, Some(150)),
        // One that is never removed stays so.
        (None, 150, None),
    ] {
        assert_eq!(due_with_login(promised, pending), due);
    }
}

#[test]
fn logins_are_counted_in_days_that_have_begun() {
    let counted = |window_start| {
        window(
            &Registration {
                window_start,
                sent_in_window: 4,
                ..registration(Stage::Announced)
            },
            NOW,
        )
    };
    assert_eq!(counted(NOW), (NOW, 4));
    assert_eq!(counted(NOW - DAY + 1), (NOW - DAY + 1, 4));
    assert_eq!(counted(NOW - DAY), (NOW, 0));
    // It was begun before the clock was set back.
    assert_eq!(counted(NOW + 1), (NOW, 0));
}

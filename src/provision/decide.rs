//! The decisions of an attempt: pure rules.
//!
//! Each of them gets what was read, and says what follows from it. Nothing here asks the database, Coder or Twilio.

use super::outcome::Silence;
use crate::domain::registration::{Registration, Sending, Stage};
use crate::domain::{UnixSeconds, seconds};
use std::time::Duration;

/// Seconds until a text is surely in Twilio's log: after it was handed over, or after a send without a
/// clear answer that Twilio was still working on.
pub(crate) const SETTLE: UnixSeconds = 5;

/// The period in which logins of one phone are counted.
const DAY: UnixSeconds = 86_400;

/// What a text that asks for a login does next with the registration of its phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextStep {
    /// Nothing: the account was ended after the text was received.
    Ended,
    /// Undo the instructor's end: the text is newer.
    UndoEnd,
    /// Make its user, or find that it exists. With `renew`, its time is up, and the reaper must not remove it
    /// meanwhile.
    Create {
        /// Whether a new time has to be set before.
        renew: bool,
    },
    /// Send its login.
    Announce,
    /// Reserve another account if the removal of this one has taken long enough, or wait.
    TakeAnother,
}

/// What a text that was received at `received` does next with the registration of its phone.
pub(crate) fn next_step(
    registration: &Registration,
    received: UnixSeconds,
    now: UnixSeconds,
) -> NextStep {
    match (registration.stage, registration.ended_at) {
        (Stage::Reaping | Stage::Gone, _) => NextStep::TakeAnother,
        (_, Some(ended)) if received < ended => NextStep::Ended,
        (_, Some(_)) => NextStep::UndoEnd,
        (Stage::Reserved, None) => NextStep::Create {
            renew: registration.is_due(now),
        },
        (Stage::Created | Stage::Announced, None) => NextStep::Announce,
    }
}

/// What a create means that Coder refused because the name or the address is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TakenName {
    /// The user is ours, made by an interrupted attempt that did not see the answer, with the same password.
    Ours,
    /// The user is ours, made before the password key changed.
    OtherPassword,
    /// It is a user of somebody else.
    Foreign,
}

/// What a taken name means, if a user that is surely ours was found or not.
pub(crate) fn taken_name(registration: &Registration, found_ours: bool) -> TakenName {
    match (found_ours, registration.password_known) {
        (true, true) => TakenName::Ours,
        (true, false) => TakenName::OtherPassword,
        (false, _) => TakenName::Foreign,
    }
}

/// How often a phone gets its login.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResendLimits {
    /// The least time between two logins.
    pub interval: Duration,
    /// Logins a day at most.
    pub daily: u32,
}

/// Why a phone with a login gets no answer to a text that was received at `received`, if so. `failed` = its
/// last login surely did not arrive.
pub(crate) fn resend_limit(
    registration: &Registration,
    received: UnixSeconds,
    now: UnixSeconds,
    failed: bool,
    limits: ResendLimits,
) -> Option<Silence> {
    // A login in the future was sent before the clock was set back; it limits nothing.
    let announced = answered_at(registration).filter(|at| *at <= now)?;
    if received <= announced && !failed {
        return Some(Silence::NewerLogin);
    }
    if registration.renewed_at.is_some_and(|at| at >= announced) {
        return None;
    }
    if received - announced < seconds(limits.interval) && !failed {
        return Some(Silence::JustSent);
    }
    (window(registration, now).1 >= limits.daily).then_some(Silence::DailyLimit)
}

/// When the phone got its last answer about its login.
pub(crate) fn answered_at(registration: &Registration) -> Option<UnixSeconds> {
    registration.announced_at.max(registration.withheld_at)
}

/// For how many seconds a search for an interrupted send has to wait; `None` = not at all.
pub(crate) fn settles_for(sending: Sending, now: UnixSeconds) -> Option<UnixSeconds> {
    let waited = now - sending.since;
    (0..SETTLE).contains(&waited).then(|| SETTLE - waited)
}

/// The result of the search for a text whose sending was interrupted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trace<T> {
    /// Twilio accepted it; this is known about it.
    Found(T),
    /// Twilio did not accept it.
    NotFound,
    /// Twilio's log cannot be read.
    Unreadable,
}

/// What follows from a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AfterTrace<T> {
    /// It was sent: record it.
    Record(T),
    /// Send it again. With `doubtful`, a text may be on its way all the same.
    SendAgain {
        /// Whether the outcome of the last send stays unknown.
        doubtful: bool,
    },
    /// Two texts may be on their way; a third would not help. Record it as sent, and give the text up.
    GiveUp,
}

/// What follows from the search for an interrupted send of this registration.
pub(crate) fn after_trace<T>(registration: &Registration, trace: Trace<T>) -> AfterTrace<T> {
    match trace {
        Trace::Found(found) => AfterTrace::Record(found),
        Trace::NotFound => AfterTrace::SendAgain { doubtful: false },
        Trace::Unreadable if registration.doubtful == 0 => AfterTrace::SendAgain { doubtful: true },
        Trace::Unreadable => AfterTrace::GiveUp,
    }
}

/// When the time of an account is up if its first login is sent at `now`.
pub(crate) fn first_due(remove_after: Option<Duration>, now: UnixSeconds) -> Option<UnixSeconds> {
    remove_after.map(|span| now + seconds(span))
}

/// The due time that an account gets at once because its time is up and its student asks again.
pub(crate) fn renewed_due(
    registration: &Registration,
    remove_after: Option<Duration>,
    now: UnixSeconds,
) -> Option<UnixSeconds> {
    registration
        .is_due(now)
        .then(|| first_due(remove_after, now))
        .flatten()
}

/// When the account's time is up after its next login. The first login starts the time.
pub(crate) fn due_after(
    registration: &Registration,
    remove_after: Option<Duration>,
    now: UnixSeconds,
) -> Option<UnixSeconds> {
    match registration.stage {
        Stage::Announced => registration.due_at,
        _ => first_due(remove_after, now),
    }
}

/// When an account is due whose first login is about to be sent. From then on its student may have that login,
/// whatever becomes of the send, so the account lives as long as the login promises; and as long as its text is
/// tried.
pub(crate) fn due_with_login(
    promised: Option<UnixSeconds>,
    pending: UnixSeconds,
) -> Option<UnixSeconds> {
    promised.map(|promised| promised.max(pending))
}

/// Start of the current 24 hours and the number of logins sent in them.
pub(crate) fn window(registration: &Registration, now: UnixSeconds) -> (UnixSeconds, u32) {
    let running = now - registration.window_start < DAY && registration.window_start <= now;
    if running {
        (registration.window_start, registration.sent_in_window)
    } else {
        (now, 0)
    }
}

#[cfg(test)]
mod tests {
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
            (Stage::Reserved, Some(NOW + 1), None, N::Ended),
            (Stage::Created, Some(NOW + 1), None, N::Ended),
            (Stage::Announced, Some(NOW + 1), None, N::Ended),
            // In the second of the end the text counts as the later one.
            (Stage::Announced, Some(NOW), None, N::UndoEnd),
            (Stage::Reserved, Some(NOW - 1), None, N::UndoEnd),
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
}

//! The decisions of an attempt: pure rules.
//!
//! Each of them gets what was read, and says what follows from it. Nothing here asks the database, Coder or Twilio.

use super::outcome::Silence;
use crate::domain::order::precedes_end;
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
    /// Nothing: the account was ended, or its time was up, after the text was received.
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
        (_, Some(ended)) if precedes_end(received, ended, now) => NextStep::Ended,
        (_, Some(_)) => NextStep::UndoEnd,
        (Stage::Reserved, None) => NextStep::Create {
            renew: registration.is_due(now),
        },
        (Stage::Announced, None) if is_left_over(registration, received, now) => NextStep::Ended,
        (Stage::Created | Stage::Announced, None) => NextStep::Announce,
    }
}

/// Whether a text has waited until the time of an account was up that had its login before. Such a text gives the
/// account no new time: nobody asks for it any more, and it would live on after the class. A send whose outcome is
/// unknown is looked for all the same.
fn is_left_over(registration: &Registration, received: UnixSeconds, now: UnixSeconds) -> bool {
    registration.is_due(now)
        && registration.due_at.is_some_and(|due| received < due)
        && registration.sending.is_none()
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
mod tests;

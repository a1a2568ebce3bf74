//! Whether a text gets an account of the class whose phrase it is.
//!
//! A phone belongs to one class at a time. An account that has no login yet, or whose time is up, moves to the
//! class whose phrase its phone texts. While it lives, the phone is told which login it has.

use super::decide::{NextStep, next_step};
use super::outcome::{AttemptEnd, Completion};
use super::{Provisioner, Request, reply};
use crate::config::{ClassSettings, ClassState};
use crate::domain::UnixSeconds;
use crate::domain::registration::{Registration, Stage};
use crate::store::{Notice, Seats};

/// What a text gets of its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Admission {
    /// Its login.
    Served,
    /// The account of the phone, once it has moved to this class; `whole` = with a new time, which a full
    /// class does not give.
    Moved { whole: bool },
    /// Nothing: the class does not give accounts now.
    NotOpen(ClassState),
    /// Nothing: the phone has a login of another class.
    HasOther,
}

/// What a text that was received at `received` gets of `class`. `knows_own`: whether the class of the
/// registration is in the settings.
fn admission(
    registration: Option<&Registration>,
    class: &ClassSettings,
    knows_own: bool,
    (received, now): (UnixSeconds, UnixSeconds),
) -> Admission {
    let state = class.state(received, now);
    let is_open = state == ClassState::Open;
    let Some(registration) = registration else {
        return if is_open {
            Admission::Served
        } else {
            Admission::NotOpen(state)
        };
    };
    let step = next_step(registration, received, now);
    let needs_time =
        matches!(step, NextStep::UndoEnd | NextStep::TakeAnother) || registration.is_due(now);
    match step {
        NextStep::Ended => Admission::Served,
        _ if needs_time && !is_open => Admission::NotOpen(state),
        // Another one is reserved, in this class.
        NextStep::TakeAnother => Admission::Served,
        _ if registration.class == class.name => Admission::Served,
        _ if needs_time => Admission::Moved { whole: true },
        _ if registration.stage != Stage::Announced && is_open => Admission::Moved { whole: false },
        // Its own class cannot say how long it lives.
        _ if registration.stage != Stage::Announced && !knows_own => Admission::NotOpen(state),
        NextStep::Announce if registration.stage == Stage::Announced && knows_own => {
            Admission::HasOther
        }
        _ => Admission::Served,
    }
}

impl Provisioner {
    /// Whether a text gets an account of its class. `Ok(Some)` = it does not, and the phone is told why. If an
    /// account moves to another class, `registration` is changed accordingly.
    pub(super) fn admit(
        &self,
        request: &Request<'_>,
        registration: &mut Option<Registration>,
    ) -> Result<Option<Completion>, AttemptEnd> {
        let class = request.class;
        let own = registration.as_ref().and_then(|one| one.class.as_ref());
        let knows_own = own.is_some() && self.class.class(own).is_some();
        let times = (request.text.received, request.now);
        let done = match admission(registration.as_ref(), class, knows_own, times) {
            Admission::Served => None,
            Admission::Moved { whole } => match registration {
                Some(one) if self.store.change_class(one.id, self.seats(request))? => {
                    one.class.clone_from(&class.name);
                    None
                }
                Some(_) if whole => {
                    self.full_class.turn_away(&request.hash, class);
                    Some(self.class_is_full(request)?)
                }
                _ => None,
            },
            Admission::NotOpen(state) => {
                let body = match state {
                    ClassState::NotYet(opens) => reply::not_yet(opens - request.now),
                    _ => reply::no_more(),
                };
                Some(self.turn_away(request, Notice::NotNow, &body)?)
            }
            Admission::HasOther => {
                let body = registration.as_ref().map(|one| {
                    let name = one.class.as_ref().map_or("", |class| class.as_str());
                    let left = one.due_at.map(|due| due - request.now);
                    reply::other_class(name, &one.username.email(&self.email_domain), left)
                });
                let body = body.unwrap_or_default();
                Some(self.turn_away(request, Notice::NotNow, &body)?)
            }
        };
        Ok(done)
    }

    /// The seats of the class that a text asks for.
    pub(super) fn seats<'a>(&self, request: &Request<'a>) -> Seats<'a> {
        Seats {
            class: request.class.name.as_ref(),
            limit: request.class.seats,
        }
    }

    /// The class that says how long an account lives: its own, which may be another one than that of the text.
    /// If it is not in the settings, that of the text.
    pub(super) fn class_of<'a>(
        &'a self,
        request: &Request<'a>,
        registration: &Registration,
    ) -> &'a ClassSettings {
        let own = self.class.class(registration.class.as_ref());
        own.unwrap_or(request.class)
    }

    /// Until when an account without a login may live, which may not be reserved yet: as long as its text is
    /// tried, but not beyond the end of its class.
    pub(super) fn pending_due(
        &self,
        request: &Request<'_>,
        registration: Option<&Registration>,
    ) -> UnixSeconds {
        let class = registration.map_or(request.class, |one| self.class_of(request, one));
        let tried = request.now + crate::domain::seconds(self.limits.give_up);
        class.end_at.map_or(tried, |end| end.min(tried))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ClassName, InstanceId, Marker, PhoneKey, Username};

    const NOW: UnixSeconds = 1_800_000_000;

    /// An account that is in use; `left` = the rest of its time, in seconds.
    fn account(stage: Stage, class: Option<&str>, left: UnixSeconds) -> Registration {
        let username = Username::parse("happy-tuna").unwrap();
        let (key, home) = (PhoneKey::derive("k"), InstanceId::from_stored("here"));
        let marker = Marker::draw(&username, &key, &home);
        Registration {
            stage,
            class: class.map(ClassName::in_command),
            due_at: Some(NOW + left),
            ..Registration::fresh(username, marker, NOW - 60)
        }
    }

    #[test]
    fn what_a_text_gets_follows_from_its_class_and_from_the_account_of_its_phone() {
        use Admission::{HasOther, Moved, NotOpen, Served};
        use Stage::{Announced, Created, Reaping, Reserved};
        let open = ClassSettings::for_tests(Some("intro"), "purple kettle", 2);
        let (mut later, mut over) = (open.clone(), open.clone());
        later.opens = Some(NOW + 600);
        over.closes = Some(NOW - 600);
        let mut ended = open.clone();
        ended.end_at = Some(NOW);
        let (not_yet, no_more) = (
            NotOpen(ClassState::NotYet(NOW + 600)),
            NotOpen(ClassState::Over),
        );
        let (moved, renewed) = (Moved { whole: false }, Moved { whole: true });
        let as_without_account = [Served, not_yet, no_more];
        let (moves, renews) = ([moved, not_yet, no_more], [renewed, not_yet, no_more]);
        // The stage, the class and the rest of the time of the account; whether its class is in the settings;
        // then what it gets of a class that is open, not open yet, and over.
        for (account, knows_own, expected) in [
            (None, false, as_without_account),
            // Of this class.
            (Some((Reserved, Some("intro"), 60)), true, [Served; 3]),
            (Some((Created, Some("intro"), 60)), true, [Served; 3]),
            (Some((Announced, Some("intro"), 60)), true, [Served; 3]),
            (Some((Reserved, Some("intro"), 0)), true, as_without_account),
            (
                Some((Announced, Some("intro"), 0)),
                true,
                as_without_account,
            ),
            (
                Some((Reaping, Some("intro"), -60)),
                true,
                as_without_account,
            ),
            // Of another class.
            (
                Some((Reserved, Some("other"), 60)),
                true,
                [moved, Served, Served],
            ),
            (
                Some((Created, Some("other"), 60)),
                true,
                [moved, Served, Served],
            ),
            (Some((Announced, Some("other"), 60)), true, [HasOther; 3]),
            (Some((Created, Some("other"), 0)), true, renews),
            (Some((Announced, Some("other"), 0)), true, renews),
            (
                Some((Reaping, Some("other"), -60)),
                true,
                as_without_account,
            ),
            // Of a class that is not in the settings any more.
            (Some((Created, Some("gone"), 60)), false, moves),
            (Some((Announced, Some("gone"), 60)), false, [Served; 3]),
            (Some((Announced, Some("gone"), 0)), false, renews),
            // Of the time without classes.
            (Some((Created, None, 60)), false, moves),
            (Some((Announced, None, 60)), false, [Served; 3]),
            (Some((Announced, None, 0)), false, renews),
        ] {
            let registration =
                account.map(|(stage, class, left)| self::account(stage, class, left));
            for (class, expected) in [&open, &later, &over].into_iter().zip(expected) {
                let found = admission(registration.as_ref(), class, knows_own, (NOW, NOW));
                assert_eq!(found, expected, "{account:?} {:?}", class.state(NOW, NOW));
            }
            // An end at a clock time closes as well.
            let found = admission(registration.as_ref(), &ended, knows_own, (NOW, NOW));
            assert_eq!(found, expected[2], "{account:?}");
        }
    }

    #[test]
    fn a_text_from_before_the_close_is_served_after_it_and_an_end_counts_for_earlier_texts() {
        let mut class = ClassSettings::for_tests(Some("intro"), "purple kettle", 2);
        class.closes = Some(NOW - 10);
        let late = admission(None, &class, false, (NOW - 11, NOW));
        assert_eq!(late, Admission::Served);
        let too_late = admission(None, &class, false, (NOW - 10, NOW));
        assert_eq!(too_late, Admission::NotOpen(ClassState::Over));
        let mut ended = account(Stage::Announced, Some("other"), 60);
        ended.ended_at = Some(NOW - 10);
        let open = ClassSettings::for_tests(Some("intro"), "purple kettle", 2);
        let of = |received| admission(Some(&ended), &open, true, (received, NOW));
        // The attempt then ends silently.
        assert_eq!(of(NOW - 11), Admission::Served);
        assert_eq!(of(NOW - 10), Admission::Moved { whole: true });
    }
}

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
use crate::store::{Contact, Notice, Seats};

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
        contact: &Contact,
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
                    Some(self.class_is_full(request, contact)?)
                }
                _ => None,
            },
            Admission::NotOpen(state) => {
                let body = match state {
                    ClassState::NotYet(opens) => reply::not_yet(opens - request.now),
                    _ => reply::no_more(),
                };
                Some(self.turn_away(request, Notice::NotNow, &body, contact)?)
            }
            Admission::HasOther => {
                let body = registration.as_ref().map(|one| {
                    let name = one.class.as_ref().map_or("", |class| class.as_str());
                    let left = one.due_at.map(|due| due - request.now);
                    reply::other_class(name, &one.username.email(&self.email_domain), left)
                });
                let body = body.unwrap_or_default();
                Some(self.turn_away(request, Notice::NotNow, &body, contact)?)
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

    /// Until when an account without a login may live: as long as its text is tried, but not beyond the end of
    /// its class.
    pub(super) fn pending_due(&self, request: &Request<'_>) -> UnixSeconds {
        let tried = request.now + crate::domain::seconds(self.limits.give_up);
        request.class.end_at.map_or(tried, |end| end.min(tried))
    }
}

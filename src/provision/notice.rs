//! What a phone is told other than a login: that its text was not the phrase, or why it gets no
//! account.
//!
//! A notice is a courtesy: it is sent once, and is neither repeated nor waited for.

use std::time::Instant;

use log::warn;

use super::outcome::{AttemptEnd, Completion, Silence};
use super::{Provisioner, Request, reply, sender_line};
use crate::domain::{Password, UnixSeconds, seconds};
use crate::store::{Contact, JUST_GONE, Notice};
use crate::twilio::sms::SmsErrorKind;

/// How often a phone is told why it gets no account: once an hour.
const TOLD_PAUSE: UnixSeconds = 3_600;

/// How long a phone gets no hint after another notice: an hour.
const JUST_TOLD: UnixSeconds = 3_600;

impl Provisioner {
    /// Sends the hint that a text was not the phrase, if it may help: not if the phone has a login or had
    /// one within the last day, got another notice within the hour, or only reacts to a text of ours.
    pub(super) fn hint(&self, request: &Request<'_>) -> Result<Completion, AttemptEnd> {
        let Request {
            text, contact, now, ..
        } = request;
        let Some(interval) = self.class.hint_interval else {
            return Ok(Completion::Silent(Silence::HintsOff));
        };
        // A time in the future was recorded before the clock was set back.
        let is_within = |span: UnixSeconds, at: Option<UnixSeconds>| {
            at.is_some_and(|at| (0..span).contains(&(now - at)))
        };
        let silence = if is_within(seconds(interval), contact.hinted_at) {
            Silence::HintedBefore
        } else if request.registration.is_some() {
            Silence::HasLogin
        } else if is_within(JUST_TOLD, contact.full_at) || is_within(JUST_TOLD, contact.told_at) {
            Silence::ToldBefore
        } else if is_within(JUST_GONE, contact.gone_at) || is_within(JUST_GONE, contact.ended_at) {
            Silence::AccountGone
        } else if reply::repeats_notice(&text.body) || Password::is_in(&text.body) {
            Silence::Reaction
        } else {
            return self.notify(request, Notice::Hint, &reply::hint());
        };
        Ok(Completion::Silent(silence))
    }

    /// Tells a phone that all seats are taken, unless it was told recently.
    pub(super) fn class_is_full(&self, request: &Request<'_>) -> Result<Completion, AttemptEnd> {
        self.turn_away(request, Notice::Full, &reply::full())
    }

    /// Tells a phone why it gets no account of a class, unless it was told recently why it gets none.
    pub(super) fn turn_away(
        &self,
        request: &Request<'_>,
        notice: Notice,
        body: &str,
    ) -> Result<Completion, AttemptEnd> {
        let sid = &request.text.sid;
        if request.on_screen {
            self.screens.tell(sid, body, Instant::now());
        }
        if !request.by_text {
            self.store
                .noticed_on_screen(notice, &request.hash, sid, request.now)?;
            return Ok(told(notice));
        }
        let Contact {
            full_at, told_at, ..
        } = request.contact;
        let told_at = full_at.max(told_at);
        // A time in the future was recorded before the clock was set back.
        if told_at.is_some_and(|at| (0..TOLD_PAUSE).contains(&(request.now - at))) {
            return Ok(Completion::Silent(match notice {
                Notice::NotNow => Silence::NotNowToldBefore,
                Notice::Full | Notice::Hint => Silence::FullToldBefore,
            }));
        }
        self.notify(request, notice, body)
    }

    /// Sends a notice, if this hour's texts are not used up.
    fn notify(
        &self,
        request: &Request<'_>,
        notice: Notice,
        body: &str,
    ) -> Result<Completion, AttemptEnd> {
        let Request {
            text, hash, now, ..
        } = request;
        if !self.hour_has_texts(request) {
            return Ok(Completion::Silent(Silence::HourlyLimit));
        }
        // Recorded first: a crash then leads to no notice, and not to two.
        self.store.noticed(notice, hash, &text.sid, *now)?;
        self.send_once(request, body)?;
        Ok(told(notice))
    }

    /// Sends a text that is not repeated if it fails. A failure is logged, and an opt-out that it reveals is
    /// recorded.
    pub(super) fn send_once(&self, request: &Request<'_>, body: &str) -> Result<(), AttemptEnd> {
        let Request {
            text, hash, now, ..
        } = request;
        let body = sender_line::notice_from(self.organization.as_deref(), body);
        if let Err(fault) = self.sms.send(&request.phone, &body) {
            if fault.kind == SmsErrorKind::OptedOut {
                self.store.opted(hash, true, &text.sid, *now, None)?;
            }
            warn!("notice for text {}: {fault}", text.sid);
        }
        Ok(())
    }
}

/// How a text was served if its phone got this notice.
fn told(notice: Notice) -> Completion {
    match notice {
        Notice::Hint => Completion::Hinted,
        Notice::Full => Completion::ToldFull,
        Notice::NotNow => Completion::ToldNotNow,
    }
}

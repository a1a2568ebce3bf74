//! Gets the login of a Coder user to the phone, exactly once.

use std::time::Duration;

use super::account::being_removed;
use super::decide::{
    AfterTrace, ResendLimits, SETTLE, Trace, after_trace, answered_at, due_after, renewed_due,
    resend_limit, settles_for, window,
};
use super::outcome::{AttemptEnd, Completion, RetryTime, Silence};
use super::{Provisioner, REFUSAL, Request};
use crate::clock::TOLERANCE;
use crate::domain::registration::{Registration, Sending, Stage};
use crate::domain::{MessageSid, Undelivered, UnixSeconds};
use crate::store::{ClearedSend, SentLogin, StoreError};
use crate::twilio::sms::{LoggedText, SmsError, SmsErrorKind};

/// The words that a trial account puts before every text.
const TRIAL_PREFIX: &str = "Sent from your Twilio trial account - ";

impl Provisioner {
    /// Texts the login of an existing account, unless this text was answered or a limit is reached.
    /// `None` = read the registration again.
    pub(super) fn announce(
        &self,
        request: &Request<'_>,
        registration: &Registration,
    ) -> Result<Option<Completion>, AttemptEnd> {
        if request.on_screen {
            return self.announce_on_screen(request, registration);
        }
        let now = request.now;
        let remove_after = self.class_of(request, registration).life(now);
        let renewed = renewed_due(registration, remove_after, now);
        let due = renewed.or_else(|| due_after(registration, remove_after, now));
        let mut uncertain = false;
        if let Some(sending) = registration.sending {
            let trace = self.trace(request, sending)?;
            match after_trace(registration, trace) {
                AfterTrace::Record(sid) if sending.since < request.text.received => {
                    return self
                        .record_earlier_login(request, registration, due, sid.as_ref())
                        .map(Some);
                }
                AfterTrace::Record(sid) => {
                    return self
                        .record_login(request, registration, due, sid.as_ref())
                        .map(Some);
                }
                AfterTrace::SendAgain { doubtful } => uncertain = doubtful,
                AfterTrace::GiveUp => {
                    return Err(self.record_perhaps_sent(request, registration, due)?);
                }
            }
        } else if let Some(silence) = self.limit(request, registration)? {
            return Ok(Some(Completion::Silent(silence)));
        }
        if registration.sending.is_some() || renewed.is_some() {
            // Before the next send, so that a late trace of an earlier text is not taken for it.
            let cleared = if uncertain {
                ClearedSend::Doubtful
            } else {
                self.not_accepted(request, registration)
            };
            self.store.clear_send(registration.id, cleared, renewed)?;
        }
        self.login_again(request, registration, due)
    }

    /// Sends a login whose fingerprint is recorded.
    pub(super) fn send_login(
        &self,
        request: &Request<'_>,
        registration: &Registration,
        body: &str,
        due: Option<UnixSeconds>,
    ) -> Result<Completion, AttemptEnd> {
        match self.sms.send_login(&request.phone, body) {
            Ok(sid) => {
                let sid = MessageSid::parse(&sid);
                self.record_login(request, registration, due, sid.as_ref())
            }
            Err(fault) => Err(self.not_sent(request, registration, fault)?),
        }
    }

    /// Records what a failed send means and decides how to continue.
    fn not_sent(
        &self,
        request: &Request<'_>,
        registration: &Registration,
        fault: SmsError,
    ) -> Result<AttemptEnd, AttemptEnd> {
        let Request {
            text, hash, now, ..
        } = request;
        if fault.kind == SmsErrorKind::Unclear {
            return Ok(AttemptEnd::later(
                RetryTime::Exactly(Duration::from_secs(SETTLE.unsigned_abs())),
                fault,
            ));
        }
        let failed = self.not_accepted(request, registration);
        let cleared = match self.store.clear_send(registration.id, failed, None) {
            // The removal of the account has begun meanwhile. What the fault says about the phone is recorded
            // all the same.
            step @ Err(StoreError::Step(_)) => step,
            // Recorded without this, the refusal would end the text while its login still counts as on its way.
            other => Ok(other?),
        };
        match fault.kind {
            SmsErrorKind::Recipient => {
                let until = now + REFUSAL;
                self.store
                    .refused(hash, until, &text.sid, *now, &fault.to_string())?;
            }
            SmsErrorKind::OptedOut => {
                let why = fault.to_string();
                self.store.opted(hash, true, &text.sid, *now, Some(&why))?;
            }
            _ => {}
        }
        cleared?;
        let left = self.left(text, request.clock());
        Ok(AttemptEnd::of_send(fault, &request.phone, left))
    }

    /// What is recorded about a send that surely failed.
    fn not_accepted(&self, request: &Request<'_>, registration: &Registration) -> ClearedSend {
        ClearedSend::NotSent {
            without_login: self.pending_due(request, Some(registration)),
        }
    }

    /// Records a login whose two sends have unknown outcomes as sent, so that the account stays, and gives its text
    /// up.
    fn record_perhaps_sent(
        &self,
        request: &Request<'_>,
        registration: &Registration,
        due_at: Option<UnixSeconds>,
    ) -> Result<AttemptEnd, AttemptEnd> {
        let why = "it cannot be found out whether two attempts to send were successful";
        let sent = sent_login(request, registration, due_at, None);
        self.store
            .login_perhaps_sent(registration.id, &request.text.sid, sent, why)?;
        Ok(AttemptEnd::Never(why.to_owned()))
    }

    fn record_login(
        &self,
        request: &Request<'_>,
        registration: &Registration,
        due_at: Option<UnixSeconds>,
        sid: Option<&MessageSid>,
    ) -> Result<Completion, AttemptEnd> {
        let sent = sent_login(request, registration, due_at, sid);
        let undelivered = self
            .store
            .login_sent(registration.id, &request.text.sid, sent)?;
        Ok(self.login_recorded(registration, undelivered.as_ref()))
    }

    /// Records a login that was sent before this text was received. It answers the text only if it still holds.
    fn record_earlier_login(
        &self,
        request: &Request<'_>,
        registration: &Registration,
        due_at: Option<UnixSeconds>,
        sid: Option<&MessageSid>,
    ) -> Result<Completion, AttemptEnd> {
        let sent = sent_login(request, registration, due_at, sid);
        let (stage, undelivered) =
            self.store
                .earlier_login_sent(registration.id, &request.text.sid, sent)?;
        let recorded = self.login_recorded(registration, undelivered.as_ref());
        if stage == Stage::Reaping {
            // The next attempt gets the phone another account.
            return Err(being_removed(registration));
        }
        Ok(recorded)
    }

    fn login_recorded(
        &self,
        registration: &Registration,
        undelivered: Option<&Undelivered>,
    ) -> Completion {
        if let Some(undelivered) = undelivered {
            self.undelivered.note(undelivered);
        }
        Completion::LoginSent {
            username: registration.username.clone(),
            again: registration.stage == Stage::Announced,
        }
    }

    /// Why a phone with a login gets no answer to this text, if so.
    fn limit(
        &self,
        request: &Request<'_>,
        registration: &Registration,
    ) -> Result<Option<Silence>, AttemptEnd> {
        if answered_at(registration).is_none() {
            return Ok(None);
        }
        // A login that surely failed is no answer: the student was told to ask again.
        let failed = registration.withheld_at < registration.announced_at
            && match &registration.login_sid {
                Some(sid) => self.store.has_failed(sid)?,
                None => false,
            };
        let limits = ResendLimits {
            interval: self.class.resend_interval,
            daily: self.class.resend_daily,
        };
        let received = request.text.received;
        Ok(resend_limit(
            registration,
            received,
            request.now,
            failed,
            limits,
        ))
    }

    /// Searches Twilio's log for a text that was about to be sent when we were interrupted.
    fn trace(
        &self,
        request: &Request<'_>,
        sending: Sending,
    ) -> Result<Trace<Option<MessageSid>>, AttemptEnd> {
        if let Some(rest) = settles_for(sending, request.now) {
            let rest = Duration::from_secs(rest.unsigned_abs());
            return Err(AttemptEnd::later(
                RetryTime::Exactly(rest),
                "a send was interrupted, searching Twilio's log for it",
            ));
        }
        let logged = match self.sms.sent_to(&request.phone) {
            Ok(logged) => logged,
            Err(fault) => {
                // A key that may send but not read, or a query that Twilio refuses.
                let never = fault.lacks_right() || fault.kind == SmsErrorKind::Refused;
                return if never {
                    Ok(Trace::Unreadable)
                } else {
                    Err(fault.into())
                };
            }
        };
        for text in &logged {
            if self.is_interrupted_send(text, sending)? {
                let sid = text.sid.as_deref().and_then(MessageSid::parse);
                return Ok(Trace::Found(sid));
            }
        }
        Ok(Trace::NotFound)
    }

    fn is_interrupted_send(
        &self,
        logged: &LoggedText,
        sending: Sending,
    ) -> Result<bool, AttemptEnd> {
        let body = logged.body();
        let recorded = match &logged.sid {
            Some(sid) => self.store.is_recorded(sid)?,
            None => false,
        };
        if body.is_empty() {
            // The account redacts its texts, so only the time is left to decide. A text that we have
            // redacted ourselves is an earlier one, because it was recorded before.
            let in_time = logged
                .accepted_at()
                .is_some_and(|at| at >= sending.since - SETTLE);
            return Ok(in_time && !recorded);
        }
        let body = body.strip_prefix(TRIAL_PREFIX).unwrap_or(body);
        // The same login may have been sent earlier in the same words. Where the outcome of that send was never found
        // out, it is not recorded, and only the time tells the two apart.
        let earlier = logged
            .accepted_at()
            .is_some_and(|at| at < sending.since - TOLERANCE);
        Ok(self.key.fingerprint(body) == sending.fingerprint && !recorded && !earlier)
    }
}

/// What is recorded about a login that was sent just now as the text `text`, `None` = it cannot be found out.
fn sent_login<'a>(
    request: &Request<'_>,
    registration: &Registration,
    due_at: Option<UnixSeconds>,
    text: Option<&'a MessageSid>,
) -> SentLogin<'a> {
    let (window_start, before) = window(registration, request.now);
    SentLogin {
        text,
        at: request.clock(),
        due_at,
        window_start,
        sent_in_window: before + 1,
    }
}

//! What the words of a text ask for, and whether its phone may be texted at all.

use super::outcome::{AttemptEnd, Completion, RetryTime, Silence};
use super::{HOURLY_WAIT, Provisioner, REFUSAL, Request, on_screen, reply};
use crate::config::Sender;
use crate::domain::{OptWord, Phone, PhraseMatch, Text, UnixSeconds, UnservedSender};
use crate::store::Contact;

impl Provisioner {
    pub(super) fn sender_of(&self, text: &Text) -> Result<Phone, UnservedSender> {
        // Any channel and any of our numbers count: an answer would come back to us as a text.
        let from = Phone::of_sender(&text.from);
        let is_from = |address: &str| from.is_ok() && Phone::of_sender(address) == from;
        let own = matches!(&self.sender, Sender::Number(number) if is_from(number));
        if own || is_from(&text.to) || text.from == text.to {
            return Err(UnservedSender::Ourselves);
        }
        let phone = Phone::parse(&text.from)?;
        if self.class.countries.admit(&phone) {
            Ok(phone)
        } else {
            Err(UnservedSender::Country)
        }
    }

    pub(super) fn serve(&self, request: &mut Request<'_>) -> Result<Completion, AttemptEnd> {
        let Request {
            text,
            hash,
            now,
            matched,
            ..
        } = *request;
        if self.reply.by_text() && reply::holds_login(&text.body, &self.email_domain) {
            self.store.redact_received(&text.sid, now)?;
        }
        let is_phrase = matched != PhraseMatch::Other;
        if let Some(done) = self.opt_word(request, is_phrase)? {
            return Ok(done);
        }
        let request = &*request;
        if let PhraseMatch::WithCode(code) = matched
            && let Some(done) = self.on_screen(request, code)?
        {
            return Ok(done);
        }
        if !self.reply.by_text() {
            return Ok(Completion::Silent(on_screen::without_code(matched)));
        }
        let contact = &request.contact;
        if contact.opted_out_at.is_some() {
            if contact.own_opt_out || text.opt_out != Some(OptWord::Unknown) {
                return Ok(Completion::Silent(Silence::OptedOut));
            }
            // It may have been an opt-in word of a Messaging Service. Twilio keeps the list. If the
            // phone is still on it, Twilio refuses the next text, and that is recorded then.
            self.store.lift_opt_out(&hash)?;
            if !is_phrase {
                return Ok(Completion::OptedIn);
            }
        }
        if is_refused(contact, now) {
            return Ok(Completion::Silent(Silence::Unreachable));
        }
        if is_phrase {
            self.login(request)
        } else {
            self.hint(request)
        }
    }

    /// Handles an opt-out word, an opt-in word and a request for help. A Messaging Service may use the
    /// phrase itself as one of the latter two; then the text counts as the phrase as well. `None` = the
    /// text is to be served.
    fn opt_word(
        &self,
        request: &mut Request<'_>,
        is_phrase: bool,
    ) -> Result<Option<Completion>, AttemptEnd> {
        let Request {
            text, hash, now, ..
        } = *request;
        let reported = text.opt_out.filter(|word| *word != OptWord::Unknown);
        match reported.or_else(|| OptWord::in_body(&text.body)) {
            Some(OptWord::Stop)
                if reported.is_some() || OptWord::is_known_to_twilio(&text.body) =>
            {
                self.store.opted(&hash, true, &text.sid, now, None)?;
            }
            Some(OptWord::Stop) => self.store.own_opt_out_received(&hash, &text.sid, now)?,
            Some(OptWord::Start) if is_phrase => {
                self.store.lift_opt_out(&hash)?;
                request.contact = self.store.contact(&hash)?;
                return Ok(None);
            }
            Some(OptWord::Start) => {
                self.store.opted(&hash, false, &text.sid, now, None)?;
                return Ok(Some(Completion::OptedIn));
            }
            Some(OptWord::Help) if !is_phrase => {
                return Ok(Some(Completion::Silent(Silence::HelpWord)));
            }
            Some(OptWord::Help | OptWord::Unknown) | None => return Ok(None),
        }
        Ok(Some(Completion::OptedOut))
    }

    /// Whether this hour's texts are not used up. So the bill is limited, whatever goes wrong and however the
    /// phrase is misused. Parallel workers may exceed the limit by one text each.
    pub(super) fn hour_has_texts(&self, request: &Request<'_>) -> bool {
        request.sent_last_hour < self.limits.hourly_texts
    }

    /// Ends the attempt if its login would be texted and this hour's texts are used up.
    pub(super) fn may_send_login(&self, request: &Request<'_>) -> Result<(), AttemptEnd> {
        if request.on_screen || self.hour_has_texts(request) {
            return Ok(());
        }
        let limit = self.limits.hourly_texts;
        let why =
            format!("the limit of {limit} texts per hour is reached (CODER_REG_HOURLY_TEXTS)");
        Err(AttemptEnd::later(RetryTime::HourlyLimit(HOURLY_WAIT), why))
    }
}

/// Whether Twilio reported lately that a phone cannot be texted.
pub(super) fn is_refused(contact: &Contact, now: UnixSeconds) -> bool {
    // A refusal too far in the future was recorded before the clock was set back.
    let left = contact.refused_until.map(|until| until - now);
    left.is_some_and(|left| (1..=REFUSAL).contains(&left))
}

//! One text in, one [`Outcome`] out.
//!
//! What is hidden here: all that a text may lead to. It asks the nouns, the store, Coder and Twilio,
//! and knows no stream, no thread and no sleep. Every step may be the last before a crash; run
//! again with the same text it ends the same.
//!
//! A password is kept nowhere: it is derived from a key, the account's name and marker, and a counter. So
//! whatever interrupts a login, the next attempt sends the same one, after it has made sure that no earlier
//! text is on its way. A student who asks again gets it once Coder has confirmed that it holds.

mod account;
mod again;
mod announce;
mod full_class;
mod outcome;
pub mod reply;

use std::sync::Arc;
use std::time::{Duration, Instant};

use log::warn;

pub use full_class::FullClass;
pub use outcome::{Cause, Completion, Later, Outcome, Peer, RetryTime, Silence};

use crate::coder::Coder;
use crate::config::{ClassConfig, Config, Sender, ServiceConfig};
use crate::domain::{
    InstanceId, OptWord, Password, PasswordKey, Phone, PhoneHash, PhoneKey, Text, UnixSeconds,
    UnservedSender, seconds,
};
use crate::store::{Contact, JUST_GONE, Notice, Store, TextHistory};
use crate::twilio::codes::UndeliveredLogins;
use crate::twilio::sms::{Sms, SmsErrorKind};
use outcome::AttemptEnd;

/// How long a number that cannot be texted is left alone: three days.
const REFUSAL: UnixSeconds = 3 * 86_400;

/// How often one phone is told that the class is full: once an hour.
const FULL_PAUSE: UnixSeconds = 3_600;

/// How long a phone that was told something gets no hint: an hour.
const JUST_TOLD: UnixSeconds = 3_600;

/// How long a login waits that would be one text too many in this hour.
const HOURLY_WAIT: Duration = Duration::from_secs(60);

/// Everything that serving a text needs.
pub struct Provisioner {
    /// Where registrations are kept.
    pub store: Arc<Store>,
    /// Where accounts are made.
    pub coder: Arc<Coder>,
    /// How texts are sent.
    pub sms: Sms,
    /// Logins that failed to arrive before their send was recorded.
    pub undelivered: Arc<UndeliveredLogins>,
    /// The key of the phone hashes.
    pub key: PhoneKey,
    /// The key that passwords follow from.
    pub passwords: PasswordKey,
    /// The id of the data folder, for the markers.
    pub instance_id: InstanceId,
    /// Who is served, and what they get.
    pub class: ClassConfig,
    /// Limits.
    pub limits: ServiceConfig,
    /// What students open in their browser.
    pub site: String,
    /// Domain of their addresses.
    pub email_domain: String,
    /// Whom replies come from: texts from there are our own.
    pub sender: Sender,
    /// Whether the class is full, and who found it so.
    pub full_class: FullClass,
}

/// What a [`Provisioner`] works with, beside its settings.
pub struct Parts {
    /// Where registrations are kept.
    pub store: Arc<Store>,
    /// Where accounts are made.
    pub coder: Arc<Coder>,
    /// How texts are sent.
    pub sms: Sms,
    /// Where logins are counted that failed to arrive.
    pub undelivered: Arc<UndeliveredLogins>,
    /// The key of the phone hashes.
    pub key: PhoneKey,
    /// The key that passwords follow from.
    pub passwords: PasswordKey,
    /// The instance id of the data folder.
    pub instance_id: InstanceId,
}

/// One text with its sender understood.
struct Request<'a> {
    text: &'a Text,
    phone: Phone,
    hash: PhoneHash,
    /// When the attempt began.
    now: UnixSeconds,
    began: Instant,
}

impl Request<'_> {
    /// The time now, some calls after the attempt began.
    fn clock(&self) -> UnixSeconds {
        let elapsed = UnixSeconds::try_from(self.began.elapsed().as_secs());
        self.now + elapsed.unwrap_or(0)
    }
}

impl Provisioner {
    /// A provisioner by these settings.
    pub fn new(config: &Config, parts: Parts) -> Self {
        let Parts {
            store,
            coder,
            sms,
            undelivered,
            key,
            passwords,
            instance_id,
        } = parts;
        Self {
            store,
            coder,
            sms,
            undelivered,
            key,
            passwords,
            instance_id,
            class: config.class.clone(),
            limits: config.service.clone(),
            site: config.coder.address.site.clone(),
            email_domain: config.coder.email_domain.clone(),
            sender: config.twilio.sender.clone(),
            full_class: FullClass::default(),
        }
    }

    /// Serves one text at the time `now`.
    pub fn provision(&self, text: &Text, now: UnixSeconds) -> Outcome {
        match self.store.seen(&text.sid) {
            Ok(TextHistory::Never) => {}
            Ok(TextHistory::Served) => {
                return Outcome::Done(Completion::Silent(Silence::ServedBefore));
            }
            // Interrupted on its way to the dead letters.
            Ok(TextHistory::GivenUp(why)) => return Outcome::Never(why),
            Err(error) => return Err(AttemptEnd::from(error)).into(),
        }
        let phone = match self.sender_of(text) {
            Ok(phone) => phone,
            Err(unserved) => return self.stay_silent(text, unserved.into(), now).into(),
        };
        let hash = phone.hash(&self.key);
        if let Some(former) = phone.former_hash(&self.key)
            && let Err(error) = self.store.renumber(&former, &hash)
        {
            return Err(AttemptEnd::from(error)).into();
        }
        let request = Request {
            text,
            phone,
            hash,
            now,
            began: Instant::now(),
        };
        let result = self.serve(&request);
        let too_old = self.left(text, now).is_zero();
        match result {
            Ok(Completion::Silent(silence)) => self.stay_silent(text, silence, now).into(),
            Err(AttemptEnd::Later(later)) if too_old => {
                let sid = &text.sid;
                let why = format!(
                    "{}; once it is fixed: coder-sms-register retry {sid}",
                    later.why
                );
                self.give_up(&request, why)
            }
            Err(AttemptEnd::Never(why)) => self.give_up(&request, why),
            other => other.into(),
        }
    }

    /// Records that a text gets no answer as a newer one of the same phone waits for the same.
    pub fn leave_to_newer(&self, text: &Text, now: UnixSeconds) -> Outcome {
        self.stay_silent(text, Silence::NewerText, now).into()
    }

    /// Records that a text gets no answer: asked about it again, as by a search for texts that were
    /// missed, we must not change our mind.
    fn stay_silent(
        &self,
        text: &Text,
        silence: Silence,
        now: UnixSeconds,
    ) -> Result<Completion, AttemptEnd> {
        self.store.finish(&text.sid, now)?;
        Ok(Completion::Silent(silence))
    }

    /// How long a text is still worth a try.
    fn left(&self, text: &Text, now: UnixSeconds) -> Duration {
        let age = now.saturating_sub(text.received).max(0).unsigned_abs();
        self.limits.give_up.saturating_sub(Duration::from_secs(age))
    }

    fn give_up(&self, request: &Request<'_>, why: String) -> Outcome {
        match self
            .store
            .gave_up(&request.hash, &request.text.sid, request.now, &why)
        {
            Ok(()) => Outcome::Never(why),
            Err(error) => Err(AttemptEnd::from(error)).into(),
        }
    }

    fn sender_of(&self, text: &Text) -> Result<Phone, UnservedSender> {
        // By whichever channel, and by whichever of its numbers: an answer would come back to us as a text.
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

    fn serve(&self, request: &Request<'_>) -> Result<Completion, AttemptEnd> {
        let Request {
            text, hash, now, ..
        } = request;
        if reply::holds_login(&text.body, &self.email_domain) {
            self.store.redact_received(&text.sid, *now)?;
        }
        let is_phrase = self.class.phrase.matches(&text.body);
        if let Some(done) = self.heed(request, is_phrase)? {
            return Ok(done);
        }
        let contact = self.store.contact(hash)?;
        if contact.opted_out_at.is_some() {
            if contact.own_opt_out || text.opt_out != Some(OptWord::Untold) {
                return Ok(Completion::Silent(Silence::OptedOut));
            }
            // It may have been an opt-in word of a Messaging Service. Twilio has the list, and refuses what is sent
            // to a person who is on it, which is recorded then.
            self.store.lift_opt_out(hash)?;
            if !is_phrase {
                return Ok(Completion::Recorded);
            }
        }
        // A refusal or a hint of the future was recorded before somebody set the clock back.
        if contact
            .refused_until
            .is_some_and(|until| (1..=REFUSAL).contains(&(until - now)))
        {
            return Ok(Completion::Silent(Silence::Unreachable));
        }
        if is_phrase {
            self.login(request, &contact)
        } else {
            self.hint(request, &contact)
        }
    }

    /// Heeds an opt-out word, an opt-in word or a request for help. A Messaging Service may have the phrase itself
    /// as one of the latter two; then it is the phrase as well. `None` = the text is to be served.
    fn heed(
        &self,
        request: &Request<'_>,
        is_phrase: bool,
    ) -> Result<Option<Completion>, AttemptEnd> {
        let Request {
            text, hash, now, ..
        } = request;
        let told = text.opt_out.filter(|word| *word != OptWord::Untold);
        match told.or_else(|| OptWord::in_body(&text.body)) {
            Some(OptWord::Stop) if told.is_some() || OptWord::is_known_to_twilio(&text.body) => {
                self.store.opted(hash, true, &text.sid, *now, None)?;
            }
            Some(OptWord::Stop) => self.store.opted_out_in_words(hash, &text.sid, *now)?,
            Some(OptWord::Start) if is_phrase => {
                self.store.lift_opt_out(hash)?;
                return Ok(None);
            }
            Some(OptWord::Start) => self.store.opted(hash, false, &text.sid, *now, None)?,
            Some(OptWord::Help) if !is_phrase => {
                return Ok(Some(Completion::Silent(Silence::HelpWord)));
            }
            Some(OptWord::Help | OptWord::Untold) | None => return Ok(None),
        }
        Ok(Some(Completion::Recorded))
    }

    /// Ends an attempt if this hour has had its texts: whatever goes wrong, or whoever plays with
    /// the phrase, the bill has a limit. Workers that ask side by side may exceed it by one each.
    fn may_send(&self, now: UnixSeconds) -> Result<(), AttemptEnd> {
        let limit = self.limits.hourly_texts;
        if self.store.sent_last_hour(now)? < limit {
            return Ok(());
        }
        let why = format!("the limit of {limit} texts an hour is reached (CODER_REG_HOURLY_TEXTS)");
        Err(AttemptEnd::later(RetryTime::Exactly(HOURLY_WAIT), why))
    }

    /// Tells a phone that its text was not the phrase, if it may need that: not if it has a login or had one until
    /// yesterday, was told something within the hour, or reacts to what it was told.
    fn hint(&self, request: &Request<'_>, contact: &Contact) -> Result<Completion, AttemptEnd> {
        let Request {
            text, hash, now, ..
        } = request;
        let Some(interval) = self.class.hint_interval else {
            return Ok(Completion::Silent(Silence::HintsOff));
        };
        // What is of the future was recorded before somebody set the clock back.
        let is_within = |span: UnixSeconds, at: Option<UnixSeconds>| {
            at.is_some_and(|at| (0..span).contains(&(now - at)))
        };
        let silence = if is_within(seconds(interval), contact.hinted_at) {
            Silence::HintedBefore
        } else if self.store.find(hash)?.is_some() {
            Silence::HasLogin
        } else if is_within(JUST_TOLD, contact.full_at) {
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

    /// Tells a phone that all seats are taken, if it was not told of late.
    fn class_is_full(
        &self,
        request: &Request<'_>,
        told_at: Option<UnixSeconds>,
    ) -> Result<Completion, AttemptEnd> {
        if told_at.is_some_and(|at| request.now - at < FULL_PAUSE) {
            return Ok(Completion::Silent(Silence::FullToldBefore));
        }
        self.notify(request, Notice::Full, &reply::full())
    }

    /// Sends a notice: a courtesy, so it is never repeated.
    fn notify(
        &self,
        request: &Request<'_>,
        notice: Notice,
        body: &str,
    ) -> Result<Completion, AttemptEnd> {
        let Request {
            text,
            phone,
            hash,
            now,
            ..
        } = request;
        if self.may_send(*now).is_err() {
            return Ok(Completion::Silent(Silence::HourlyLimit));
        }
        // Recorded first: after a crash there is no notice rather than two.
        self.store.noticed(notice, hash, &text.sid, *now)?;
        if let Err(fault) = self.sms.send(phone, body) {
            if fault.kind == SmsErrorKind::OptedOut {
                self.store.opted(hash, true, &text.sid, *now, None)?;
            }
            warn!("notice for text {}: {fault}", text.sid);
        }
        Ok(match notice {
            Notice::Hint => Completion::Hinted,
            Notice::Full => Completion::ToldFull,
        })
    }
}

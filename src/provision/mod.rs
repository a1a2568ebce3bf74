//! One text in, one [`Outcome`] out.
//!
//! What is hidden here: all that a text may lead to. It asks the nouns, the store, Coder and Twilio,
//! and knows no stream, no thread and no sleep. Every step may be the last before a crash; run
//! again with the same text it ends the same.
//!
//! A password cannot be read back from Coder and is kept nowhere. So whatever interrupts a login,
//! the next attempt sets a fresh password, after it has made sure that no earlier text is on its
//! way: the last login texted is always the one that works.

mod account;
mod announce;
mod outcome;
pub mod reply;

use std::sync::Arc;
use std::time::Instant;

use log::warn;

pub use outcome::{Done, Later, Outcome, Wait};

use crate::clock::seconds;
use crate::coder::Coder;
use crate::config::{Rules, Sender};
use crate::domain::{
    Countries, OptWord, Passphrase, Phone, PhoneHash, PhoneKey, Text, UnixSeconds, Unserved,
};
use crate::retry;
use crate::store::Store;
use crate::twilio::sms::{Sms, SmsTrouble};
use outcome::Halt;

/// How long a number that cannot be texted is left alone: three days.
const REFUSAL: UnixSeconds = 3 * 86_400;

/// Everything that serving a text needs.
pub struct Provisioner {
    /// Where registrations are kept.
    pub store: Arc<Store>,
    /// Where accounts are made.
    pub coder: Arc<Coder>,
    /// How texts are sent.
    pub sms: Sms,
    /// The key of the phone hashes.
    pub key: PhoneKey,
    /// The phrase that asks for a login.
    pub phrase: Passphrase,
    /// Whose texts are served.
    pub countries: Countries,
    /// Limits and times.
    pub rules: Rules,
    /// What students open in their browser.
    pub site: String,
    /// Domain of their addresses.
    pub email_domain: String,
    /// Whom replies come from: texts from there are our own.
    pub sender: Sender,
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
    /// Serves one text at the time `now`.
    pub fn provision(&self, text: &Text, now: UnixSeconds) -> Outcome {
        let phone = match self.sender_of(text) {
            Ok(phone) => phone,
            Err(unserved) => return Outcome::Done(Done::Silent(unserved.reason())),
        };
        let hash = phone.hash(&self.key);
        let request = Request {
            text,
            phone,
            hash,
            now,
            began: Instant::now(),
        };
        let result = self.serve(&request);
        let age = now.saturating_sub(text.received).max(0).unsigned_abs();
        let too_old = retry::gives_up(std::time::Duration::from_secs(age), self.rules.give_up);
        match result {
            Err(Halt::Later(later)) if too_old => self.give_up(&request, later.why),
            Err(Halt::Never(why)) => self.give_up(&request, why),
            other => other.into(),
        }
    }

    fn give_up(&self, request: &Request<'_>, why: String) -> Outcome {
        match self
            .store
            .gave_up(&request.hash, &request.text.sid, request.now)
        {
            Ok(()) => Outcome::Never(why),
            Err(error) => Err(Halt::from(error)).into(),
        }
    }

    fn sender_of(&self, text: &Text) -> Result<Phone, Unserved> {
        let own = matches!(&self.sender, Sender::Number(number) if *number == text.from);
        if own || text.from == text.to {
            return Err(Unserved::Ourselves);
        }
        let phone = Phone::parse(&text.from)?;
        if self.countries.admit(&phone) {
            Ok(phone)
        } else {
            Err(Unserved::Country)
        }
    }

    fn serve(&self, request: &Request<'_>) -> Result<Done, Halt> {
        let Request {
            text, hash, now, ..
        } = request;
        if self.store.seen(&text.sid)? {
            return Ok(Done::Silent("this text was served before"));
        }
        match text.opt_out.or_else(|| OptWord::in_body(&text.body)) {
            Some(OptWord::Help) => return Ok(Done::Silent("Twilio answers HELP itself")),
            Some(word) => {
                self.store
                    .opted(hash, word == OptWord::Stop, &text.sid, *now)?;
                return Ok(Done::Recorded);
            }
            None => {}
        }
        let contact = self.store.contact(hash)?;
        if contact.opted_out_at.is_some() {
            return Ok(Done::Silent("the phone has opted out"));
        }
        // A refusal or a hint of the future was recorded before somebody set the clock back.
        if contact
            .refused_until
            .is_some_and(|until| (1..=REFUSAL).contains(&(until - now)))
        {
            return Ok(Done::Silent("the phone cannot be texted"));
        }
        if self.phrase.matches(&text.body) {
            self.login(request)
        } else {
            self.hint(request, contact.hinted_at)
        }
    }

    /// Tells a phone that its text was not the phrase, if it has no login and was not told of late.
    fn hint(&self, request: &Request<'_>, hinted_at: Option<UnixSeconds>) -> Result<Done, Halt> {
        let Request {
            text,
            phone,
            hash,
            now,
            ..
        } = request;
        let Some(interval) = self.rules.hint_interval else {
            return Ok(Done::Silent("not the phrase, and hints are off"));
        };
        if hinted_at.is_some_and(|at| (0..seconds(interval)).contains(&(now - at))) {
            return Ok(Done::Silent("not the phrase, hinted before"));
        }
        if self.store.find(hash)?.is_some() {
            return Ok(Done::Silent("not the phrase, but the phone has a login"));
        }
        // Recorded first: after a crash there is no hint rather than two.
        self.store.hinted(hash, &text.sid, *now)?;
        if let Err(fault) = self.sms.send(phone, &reply::hint()) {
            if fault.trouble == SmsTrouble::OptedOut {
                self.store.opted(hash, true, &text.sid, *now)?;
            }
            warn!("hint for text {}: {fault}", text.sid);
        }
        Ok(Done::Hinted)
    }
}

//! Serves one text: a text goes in, one [`Outcome`] comes out.
//!
//! This room decides everything that a text may cause. It uses the store, Coder and Twilio; it has no
//! stream, no threads and no sleep. Every step may be the last before a crash: run again with the same
//! text, it ends with the same result.
//!
//! Passwords are not stored. A password is derived from a key, the account's name and marker, and a
//! counter. So after any interruption the next attempt sends the same login, once it has made sure that
//! no earlier text is on its way. A student who asks again gets the login after Coder has confirmed that
//! the password is still valid.

mod account;
mod again;
mod announce;
mod class;
pub(crate) mod decide;
mod full_class;
mod notice;
mod on_screen;
mod outcome;
pub mod reply;
pub mod sender_line;
mod serving;
mod spare;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use full_class::FullClass;
pub use outcome::{Cause, Completion, Later, Outcome, Peer, RetryTime, Silence};

use crate::coder::Coder;
use crate::config::{ClassConfig, ClassSettings, Config, Reply, Sender, ServiceConfig};
use crate::domain::order::precedes_end;
use crate::domain::registration::Registration;
use crate::domain::{
    ClassName, InstanceId, Password, PasswordKey, Phone, PhoneHash, PhoneKey, PhraseMatch, Text,
    UnixSeconds, Username,
};
use crate::obstacles::FailingTemplates;
use crate::screen::Screens;
use crate::store::{Contact, Store, StoreError, TextHistory};
use crate::twilio::codes::UndeliveredLogins;
use crate::twilio::sms::Sms;
use outcome::AttemptEnd;

/// How long no text is sent to a number that cannot be texted: three days.
const REFUSAL: UnixSeconds = 3 * 86_400;

/// How long a login waits if it would exceed this hour's number of texts.
const HOURLY_WAIT: Duration = Duration::from_secs(60);

/// Serves texts.
pub struct Provisioner {
    /// The registrations.
    pub store: Arc<Store>,
    /// The Coder deployment.
    pub coder: Arc<Coder>,
    /// Sends texts.
    pub sms: Sms,
    /// Logins that failed to arrive before their sending was recorded.
    pub undelivered: Arc<UndeliveredLogins>,
    /// The key of the phone hashes.
    pub key: PhoneKey,
    /// The key that passwords are derived from.
    pub passwords: PasswordKey,
    /// The instance id of the data folder, for the markers.
    pub instance_id: InstanceId,
    /// The phones that are served, and what they get.
    pub class: ClassConfig,
    /// Limits.
    pub limits: ServiceConfig,
    /// The address that students open in their browser.
    pub site: String,
    /// The pages that a login in a text links to, if it does.
    pub link: Option<String>,
    /// Who runs the class, as texts say it; `None` = they do not.
    pub organization: Option<String>,
    /// The domain of the students' addresses.
    pub email_domain: String,
    /// The sender of replies. Texts from there are our own.
    pub sender: Sender,
    /// Whether the class is full, and which phones were turned away.
    pub full_class: FullClass,
    /// Where logins go.
    pub reply: Reply,
    /// The screens that may get them.
    pub screens: Arc<Screens>,
    /// The templates of which no workspaces can be made for now.
    pub failing_templates: Arc<FailingTemplates>,
}

/// What a [`Provisioner`] needs in addition to its settings.
pub struct ProvisionerParts {
    /// The registrations.
    pub store: Arc<Store>,
    /// The Coder deployment.
    pub coder: Arc<Coder>,
    /// Sends texts.
    pub sms: Sms,
    /// Counts logins that failed to arrive.
    pub undelivered: Arc<UndeliveredLogins>,
    /// The key of the phone hashes.
    pub key: PhoneKey,
    /// The key that passwords are derived from.
    pub passwords: PasswordKey,
    /// The instance id of the data folder.
    pub instance_id: InstanceId,
    /// The screens.
    pub screens: Arc<Screens>,
    /// The templates of which no workspaces can be made for now.
    pub failing_templates: Arc<FailingTemplates>,
}

/// One text and the phone that sent it.
#[derive(Clone)]
struct Request<'a> {
    text: &'a Text,
    phone: Phone,
    hash: PhoneHash,
    /// When the attempt began.
    now: UnixSeconds,
    began: Instant,
    /// Whether its login goes to a screen.
    on_screen: bool,
    /// Whether the phone may be texted.
    by_text: bool,
    /// How its words compare with the phrases.
    matched: PhraseMatch,
    /// The class whose phrase it is. If it is none, this has no meaning.
    class: &'a ClassSettings,
    /// What was known of the phone when the attempt began.
    contact: Contact,
    /// Its registration then.
    registration: Option<Registration>,
    /// How many texts were sent in the hour before.
    sent_last_hour: u32,
}

impl Request<'_> {
    /// The current time, some calls after the attempt began.
    fn clock(&self) -> UnixSeconds {
        let elapsed = UnixSeconds::try_from(self.began.elapsed().as_secs());
        self.now + elapsed.unwrap_or(0)
    }

    /// Whether the text was received before an account was ended at `ended`.
    fn precedes(&self, ended: UnixSeconds) -> bool {
        precedes_end(self.text.received, ended, self.now)
    }
}

impl Provisioner {
    /// A provisioner with these settings.
    pub fn new(config: &Config, parts: ProvisionerParts) -> Self {
        let ProvisionerParts {
            store,
            coder,
            sms,
            undelivered,
            key,
            passwords,
            instance_id,
            screens,
            failing_templates,
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
            link: config.pages.link(),
            organization: config.pages.organization.clone(),
            email_domain: config.coder.email_domain.clone(),
            sender: config.twilio.sender.clone(),
            full_class: FullClass::default(),
            reply: config.pages.reply,
            screens,
            failing_templates,
        }
    }

    /// The text with a login. It contains a link only if the page behind it can tell the address from the
    /// name.
    fn login_text(
        &self,
        class: Option<&ClassName>,
        username: &Username,
        email: &str,
        password: &Password,
        left: Option<Duration>,
    ) -> String {
        let pages = self.link.as_deref();
        let pages = pages.filter(|_| email == username.email(&self.email_domain));
        let link = pages.map(|pages| reply::link(pages, username, password));
        let text = reply::login(&self.site, email, password, left, link.as_deref());
        let text = match self.workspace_path(class, username) {
            Some(path) => reply::to_workspace(text, &self.site, &path),
            None => text,
        };
        sender_line::login_from(self.organization.as_deref(), text)
    }

    /// The path at Coder of the workspace that an account gets; `None` = it gets none, or none can be made for now.
    fn workspace_path(&self, class: Option<&ClassName>, username: &Username) -> Option<String> {
        let workspace = self.class.workspace_of(class)?;
        let is_failing = self.failing_templates.has(workspace.template.as_str());
        (!is_failing).then(|| workspace.name.path(username))
    }

    /// Serves one text at the time `now`. If the text ends here without a login, the screen that it claims
    /// says so.
    pub fn provision(&self, text: &Text, now: UnixSeconds) -> Outcome {
        let outcome = self.outcome(text, now);
        self.tell_screen(text, &outcome);
        outcome
    }

    fn outcome(&self, text: &Text, now: UnixSeconds) -> Outcome {
        let attempt = self.attempt(text, now);
        attempt.unwrap_or_else(|error| Err(AttemptEnd::from(error)).into())
    }

    fn attempt(&self, text: &Text, now: UnixSeconds) -> Result<Outcome, StoreError> {
        let phone = match self.sender_of(text) {
            Ok(phone) => phone,
            Err(unserved) => {
                let ended = ended_before(self.store.seen(&text.sid)?);
                let silent = || self.stay_silent(text, unserved.into(), now).into();
                return Ok(ended.unwrap_or_else(silent));
            }
        };
        let hash = phone.hash(&self.key);
        if let Some(former) = phone.former_hash(&self.key) {
            self.store.renumber(&former, &hash)?;
        }
        let asked = self.class.asked(&text.body, self.reply.on_screens());
        let any = self.class.classes.first();
        let Some((class, matched)) = asked.or_else(|| Some((any?, PhraseMatch::Other))) else {
            // The settings always have a class.
            let why = "there is no class in the settings".to_owned();
            return Ok(Outcome::Never(why));
        };
        let mut request = Request {
            text,
            phone,
            hash,
            now,
            began: Instant::now(),
            on_screen: false,
            by_text: self.reply.by_text(),
            matched,
            class,
            // As of a phone of which nothing is known.
            contact: Contact::default(),
            registration: None,
            sent_last_hour: 0,
        };
        if let Some(end) = self.newcomer(&request).transpose() {
            return Ok(self.settle(&request, end));
        }
        let known = self.store.known(&text.sid, &hash, now)?;
        if let Some(ended) = ended_before(known.history) {
            return Ok(ended);
        }
        request.contact = known.contact;
        request.registration = known.registration;
        request.sent_last_hour = known.sent_last_hour;
        let end = self.serve(&mut request);
        Ok(self.settle(&request, end))
    }

    /// What follows from the end of an attempt. A text that is too old is not tried again.
    fn settle(&self, request: &Request<'_>, end: Result<Completion, AttemptEnd>) -> Outcome {
        let (text, now) = (request.text, request.now);
        let too_old = self.left(text, now).is_zero();
        match end {
            Ok(Completion::Silent(silence)) => self.stay_silent(text, silence, now).into(),
            Err(AttemptEnd::Later(later))
                if too_old && !matches!(later.wait, RetryTime::Screen(_)) =>
            {
                self.give_up(request, later.why)
            }
            Err(AttemptEnd::Never(why)) => self.give_up(request, why),
            other => other.into(),
        }
    }

    /// Records that a text gets no answer because a newer text of the same phone asks for the same.
    pub fn leave_to_newer(&self, text: &Text, now: UnixSeconds) -> Outcome {
        let outcome = self.stay_silent(text, Silence::NewerText, now).into();
        self.tell_screen(text, &outcome);
        outcome
    }

    /// Records that a text gets no answer. If the text comes again, for example by a catch-up, the
    /// decision must be the same.
    fn stay_silent(
        &self,
        text: &Text,
        silence: Silence,
        now: UnixSeconds,
    ) -> Result<Completion, AttemptEnd> {
        self.store.finish(&text.sid, now)?;
        Ok(Completion::Silent(silence))
    }

    /// For how much longer it is useful to serve a text.
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
}

/// What becomes of a text that comes once more; `None` = it is new, or its handling was interrupted.
fn ended_before(history: TextHistory) -> Option<Outcome> {
    match history {
        TextHistory::Never => None,
        TextHistory::Served => Some(Outcome::Done(Completion::Silent(Silence::ServedBefore))),
        // The move to the dead letters was interrupted.
        TextHistory::GivenUp(why) => Some(Outcome::Never(why)),
    }
}

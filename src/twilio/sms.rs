//! The Twilio client: sends one text, or looks for one in the log of texts sent.
//!
//! What is hidden here: Twilio's URLs, parameters and codes. A send has no key against doubles, so
//! its outcome says by type whether it may have been taken; [`Sms::sent_to`] then answers for sure.
//! Codes are those of twilio.com/docs/api/errors.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use log::warn;
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use ureq::http::Method;

use crate::config::{Sender, TwilioConfig};
use crate::domain::{Phone, Secret, UnixSeconds};
use crate::http::{Answer, Broken, Http};
use crate::metrics::Family;
use crate::twilio::codes::Code;
use crate::twilio::said::{Message, Said};

/// One Twilio account, called with one key.
pub struct Sms {
    http: Http,
    /// Where Twilio is, without a slash at the end.
    pub(super) base: String,
    /// The list of the account's texts, which is also where new ones go.
    pub(super) messages: String,
    authorization: Secret,
    pub(super) sender: Sender,
    /// Where Twilio is to tell what became of a login.
    callback: Option<Secret>,
    /// Set once Twilio does not like that address.
    callback_refused: AtomicBool,
    failed: Arc<Family<Code>>,
}

/// Why a text was not sent, or cannot be looked for.
#[derive(Clone, Debug)]
pub struct SmsFault {
    doing: &'static str,
    /// What it means.
    pub trouble: SmsTrouble,
    pub(super) status: Option<u16>,
    /// Twilio's error code, if it gave one.
    pub code: Option<u32>,
    why: &'static str,
    /// What Twilio itself says.
    pub said: Option<Message>,
}

/// What a failed call to Twilio means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmsTrouble {
    /// Surely not taken; another try may help, after that long if Twilio says so.
    NotTaken(Option<Duration>),
    /// It may have been taken.
    Unclear,
    /// This number cannot be reached by us, and that will not change soon.
    Recipient,
    /// This person has opted out.
    OptedOut,
    /// Credentials, account or sender are not in order: somebody has to act.
    Blocked,
    /// This request can never work.
    Refused,
}

/// A text in Twilio's log.
#[derive(Clone, Debug, Deserialize)]
pub struct Logged {
    /// Its name.
    pub sid: String,
    /// What it said; empty where the account redacts texts.
    #[serde(default)]
    pub body: String,
    #[serde(default)]
    direction: String,
    #[serde(default)]
    date_created: Option<String>,
}

impl Logged {
    /// When Twilio took it; `None` if it does not say.
    pub fn taken_at(&self) -> Option<UnixSeconds> {
        let date = self.date_created.as_deref()?;
        OffsetDateTime::parse(date, &Rfc2822)
            .ok()
            .map(OffsetDateTime::unix_timestamp)
    }
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<Logged>,
}

#[derive(Deserialize)]
struct Taken {
    sid: String,
}

impl Sms {
    /// A client for the account and sender of `config`.
    pub fn new(http: Http, config: &TwilioConfig) -> Self {
        let login = format!("{}:{}", config.auth_sid, config.auth_token.reveal());
        Self {
            http,
            base: config.api_url.clone(),
            messages: format!(
                "{}/2010-04-01/Accounts/{}/Messages.json",
                config.api_url, config.account_sid
            ),
            authorization: Secret::new(format!("Basic {}", STANDARD.encode(login))),
            sender: config.sender.clone(),
            callback: config.receipts.as_ref().map(|url| url.given.clone()),
            callback_refused: AtomicBool::new(false),
            failed: Arc::new(Family::new(Code::of_sends())),
        }
    }

    /// Logins that it could not send, or of which nobody knows, by Twilio's code.
    pub fn failed_logins(&self) -> Arc<Family<Code>> {
        Arc::clone(&self.failed)
    }

    /// Sends `body` to `to`. Returns Twilio's name for the text: it is queued, not yet delivered.
    ///
    /// # Errors
    /// It was not taken, or nobody knows; [`SmsFault::trouble`] says which.
    pub fn send(&self, to: &Phone, body: &str) -> Result<String, SmsFault> {
        self.post(to, body, None)
    }

    /// As [`Sms::send`], and has Twilio tell us what becomes of the text. Where it does not like our
    /// address, that is logged once and nothing is asked for any more: no login fails over it.
    ///
    /// # Errors
    /// As [`Sms::send`].
    pub fn send_login(&self, to: &Phone, body: &str) -> Result<String, SmsFault> {
        let refused = self.callback_refused.load(Ordering::Relaxed);
        let callback = self.callback.as_ref().filter(|_| !refused);
        let sent = match self.post(to, body, callback) {
            Err(fault) if fault.code == Some(BAD_CALLBACK) && callback.is_some() => {
                if !self.callback_refused.swap(true, Ordering::Relaxed) {
                    warn!(
                        "no delivery receipts until the next start: {fault}; is the host of TWILIO_WEBHOOK_URL a public name?"
                    );
                }
                self.post(to, body, None)
            }
            sent => sent,
        };
        if let Err(fault) = &sent {
            self.failed.add(Code::of_send(fault.code));
        }
        sent
    }

    fn post(&self, to: &Phone, body: &str, callback: Option<&Secret>) -> Result<String, SmsFault> {
        const DOING: &str = "send a text";
        let (name, from) = match &self.sender {
            Sender::Number(number) => ("From", number),
            Sender::Service(sid) => ("MessagingServiceSid", sid),
        };
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("To", to.reveal())
            .append_pair(name, from)
            .append_pair("Body", body);
        if let Some(url) = callback {
            form.append_pair("StatusCallback", url.reveal());
        }
        let form = form.finish().into_bytes();
        let answer = self.call(DOING, Method::POST, &self.messages, form)?;
        if answer.status != 201 && answer.status != 200 {
            return Err(SmsFault::of(DOING, &answer).without_words_of(body));
        }
        // A 201 that cannot be read was taken all the same; a look will find it.
        answer
            .json::<Taken>()
            .map(|taken| taken.sid)
            .ok_or_else(|| SmsFault::new(DOING, SmsTrouble::Unclear, "unreadable answer"))
    }

    /// The latest texts that we sent to `to`, newest first, as far as one page goes (50).
    ///
    /// Not filtered by date: a text that waits in Twilio's queue has no `date_sent` yet.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn sent_to(&self, to: &Phone) -> Result<Vec<Logged>, SmsFault> {
        const DOING: &str = "look for a text";
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("To", to.reveal());
        if let Sender::Number(number) = &self.sender {
            query.append_pair("From", number);
        }
        query.append_pair("PageSize", "50");
        let url = format!("{}?{}", self.messages, query.finish());
        let answer = self.call(DOING, Method::GET, &url, Vec::new())?;
        let page: Option<Page> = answer.json();
        match page {
            Some(page) if answer.status == 200 => Ok(page
                .messages
                .into_iter()
                .filter(|m| m.direction != "inbound")
                .collect()),
            _ => Err(SmsFault::of(DOING, &answer)),
        }
    }

    pub(super) fn call(
        &self,
        doing: &'static str,
        method: Method,
        url: &str,
        body: Vec<u8>,
    ) -> Result<Answer, SmsFault> {
        let headers = [
            ("Authorization", self.authorization.reveal()),
            ("Accept", "application/json"),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        let used = if body.is_empty() {
            &headers[..2]
        } else {
            &headers[..]
        };
        self.http.call(method, url, used, body).map_err(|broken| {
            let (trouble, why) = match broken {
                Broken::NotSent(why) => (SmsTrouble::NotTaken(None), why),
                Broken::Unknown(why) => (SmsTrouble::Unclear, why),
            };
            SmsFault::new(doing, trouble, why)
        })
    }
}

impl SmsFault {
    pub(super) fn new(doing: &'static str, trouble: SmsTrouble, why: &'static str) -> Self {
        Self {
            doing,
            trouble,
            status: None,
            code: None,
            why,
            said: None,
        }
    }

    /// Sorts an answer: by status first, then by code, as Twilio asks not to hang too much on codes.
    pub(super) fn of(doing: &'static str, answer: &Answer) -> Self {
        let Said { code, message } = Said::of(answer);
        let (trouble, why) = match (answer.status, code.unwrap_or(0)) {
            (429, _) => (
                SmsTrouble::NotTaken(answer.retry_after()),
                "too many requests",
            ),
            (500..=599, _) => (SmsTrouble::Unclear, "Twilio failed"),
            (401 | 403, _) | (_, 20003 | 20005 | 10001 | 30002) => (
                SmsTrouble::Blocked,
                "credentials or account refused: look at TWILIO_AUTH_SID and TWILIO_AUTH_TOKEN",
            ),
            (404, _) => (
                SmsTrouble::Blocked,
                "no such account: look at TWILIO_ACCOUNT_SID",
            ),
            (200..=399, _) => (
                SmsTrouble::Blocked,
                "not Twilio's answer: look at TWILIO_API_URL",
            ),
            (_, 21610) => (SmsTrouble::OptedOut, "the person has opted out"),
            (_, 21611) => (
                SmsTrouble::NotTaken(Some(QUEUE_FULL_WAIT)),
                "the sender's queue is full",
            ),
            (_, 63038 | 60728) => (
                SmsTrouble::NotTaken(Some(ACCOUNT_LIMIT_WAIT)),
                "the account has reached its message limit of the day or hour",
            ),
            (_, 21408) => (
                SmsTrouble::Recipient,
                "the country is not enabled: look at the account's geo permissions",
            ),
            (_, 21608) => (
                SmsTrouble::Recipient,
                "a trial account sends to verified numbers only",
            ),
            (_, 21211 | 21214 | 21217 | 21265 | 21266 | 21401 | 21612 | 21614 | 21635) => {
                (SmsTrouble::Recipient, "the number cannot be texted")
            }
            (_, 21212 | 21606 | 21659 | 21660 | 21661 | 21701 | 21703 | 21704) => (
                SmsTrouble::Blocked,
                "the sender is not in order: look at FROM_NUM",
            ),
            (_, BAD_CALLBACK) => (SmsTrouble::Refused, "the address for receipts is refused"),
            _ => (SmsTrouble::Refused, "refused"),
        };
        Self {
            doing,
            trouble,
            status: Some(answer.status),
            code,
            why,
            said: message,
        }
    }

    /// The same without Twilio's words, should they repeat some of `text`: it may be a login.
    fn without_words_of(mut self, text: &str) -> Self {
        self.said = self.said.and_then(|said| said.unless_it_repeats(text));
        self
    }
}

/// Twilio's code for an address for receipts that it does not take.
const BAD_CALLBACK: u32 = 21609;

/// A sender's queue holds ten hours of texts when Twilio says that it is full.
const QUEUE_FULL_WAIT: Duration = Duration::from_secs(300);

/// The limits of an account are counted by the hour or the day.
const ACCOUNT_LIMIT_WAIT: Duration = Duration::from_secs(900);

impl fmt::Display for SmsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at Twilio: ", self.doing)?;
        if let Some(status) = self.status {
            write!(f, "status {status}, ")?;
        }
        if let Some(code) = self.code {
            write!(f, "code {code}, ")?;
        }
        f.write_str(self.why)?;
        match &self.said {
            Some(said) => write!(f, " (Twilio says: {said})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SmsFault {}

#[cfg(test)]
mod tests {
    use ureq::http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};

    use super::*;
    use crate::twilio::codes::SENDS;

    #[test]
    fn codes_that_mean_something_to_us_are_counted_apart() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let mut answer = Answer {
            status: 400,
            headers,
            body: Vec::new(),
        };
        for code in 10_000..70_000 {
            answer.body = format!("{{\"code\":{code}}}").into_bytes();
            let known = SmsFault::of("send a text", &answer).why != "refused";
            // Told by its status.
            assert_eq!(known || code == 20429, SENDS.contains(&code), "{code}");
        }
    }
}

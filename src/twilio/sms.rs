//! The Twilio client: sends one text.
//!
//! What is hidden here: Twilio's URLs and parameters. A send has no key against doubles, so its
//! outcome says by type whether it may have been taken; [`Sms::sent_to`] then answers for sure.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use log::warn;
use serde::Deserialize;
use ureq::http::Method;

use super::codes::Code;
pub use super::fault::{SmsError, SmsErrorKind};
use super::refusals::BAD_CALLBACK;
pub use super::sent::LoggedText;
use super::wire;
use crate::config::{Sender, TwilioConfig};
use crate::domain::{Phone, Secret};
use crate::http::{Http, HttpResponse};
use crate::metrics::Family;

/// One Twilio account, called with one key.
pub struct Sms {
    http: Http,
    /// The list of the account's texts, which is also where new ones go.
    pub(super) messages: String,
    authorization: Secret,
    pub(super) sender: Sender,
    /// Where Twilio is to tell what became of a login.
    callback: Option<Secret>,
    /// Set once Twilio does not like that address.
    callback_refused: AtomicBool,
    failed: Arc<Family<Code>>,
    observer: Option<CallObserver>,
}

/// Told how each call ended: `Ok` where Twilio has done what was asked.
pub type CallObserver = Box<dyn Fn(Result<(), &SmsError>) + Send + Sync>;

#[derive(Deserialize)]
struct AcceptedText {
    #[serde(default, deserialize_with = "wire::text")]
    sid: Option<String>,
}

impl Sms {
    /// A client for the account and sender of `config`.
    pub fn new(http: Http, config: &TwilioConfig) -> Self {
        let login = format!("{}:{}", config.auth_sid, config.auth_token.reveal());
        Self {
            http,
            messages: format!(
                "{}/2010-04-01/Accounts/{}/Messages.json",
                config.api_url, config.account_sid
            ),
            authorization: Secret::new(format!("Basic {}", STANDARD.encode(login))),
            sender: config.sender.clone(),
            callback: config.receipts.as_ref().map(|url| url.given.clone()),
            callback_refused: AtomicBool::new(false),
            failed: Arc::new(Family::new(Code::of_sends())),
            observer: None,
        }
    }

    /// Has `observer` told how each call ended, on the thread of that call.
    pub fn observed_by(mut self, observer: CallObserver) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Logins that it could not send, or of which nobody knows, by Twilio's code.
    pub fn failed_logins(&self) -> Arc<Family<Code>> {
        Arc::clone(&self.failed)
    }

    /// Sends `body` to `to`. Returns Twilio's name for the text: it is queued, not yet delivered.
    ///
    /// # Errors
    /// It was not taken, or nobody knows; [`SmsError::kind`] says which.
    pub fn send(&self, to: &Phone, body: &str) -> Result<String, SmsError> {
        self.post(to, body, None)
    }

    /// As [`Sms::send`], and has Twilio tell us what becomes of the text. Where it does not like our
    /// address, that is logged once and nothing is asked for any more: no login fails over it.
    ///
    /// # Errors
    /// As [`Sms::send`].
    pub fn send_login(&self, to: &Phone, body: &str) -> Result<String, SmsError> {
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

    fn post(&self, to: &Phone, body: &str, callback: Option<&Secret>) -> Result<String, SmsError> {
        const OPERATION: &str = "send a text";
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
        let answer = self.call(OPERATION, Method::POST, &self.messages, form)?;
        if answer.status != 201 && answer.status != 200 {
            return Err(SmsError::of(OPERATION, &answer).without_words_of(body));
        }
        // A 201 that cannot be read was taken all the same; a look will find it.
        answer
            .json::<AcceptedText>()
            .and_then(|taken| taken.sid)
            .ok_or_else(|| SmsError::new(OPERATION, SmsErrorKind::Unclear, "unreadable answer"))
    }

    pub(super) fn call(
        &self,
        operation: &'static str,
        method: Method,
        url: &str,
        body: Vec<u8>,
    ) -> Result<HttpResponse, SmsError> {
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
        let result = self
            .http
            .call(method, url, used, body)
            .map_err(|broken| SmsError::broken(operation, broken));
        if let Some(observer) = &self.observer {
            match &result {
                Ok(answer) if (200..300).contains(&answer.status) => observer(Ok(())),
                Ok(answer) => observer(Err(&SmsError::of(operation, answer))),
                Err(fault) => observer(Err(fault)),
            }
        }
        result
    }
}

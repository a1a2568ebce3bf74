//! The Twilio client, which sends texts.
//!
//! This module hides Twilio's URLs and parameters. Twilio's API has no idempotency key, so a send
//! returns by type whether the text may have been accepted; [`Sms::sent_to`] then finds out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use log::warn;
use serde::Deserialize;
use ureq::http::Method;

use super::codes::Code;
pub use super::error::{SmsError, SmsErrorKind};
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
    /// The URL of the account's texts, for reading the log and for sending.
    pub(super) messages: String,
    authorization: Secret,
    pub(super) sender: Sender,
    /// The URL to which Twilio sends the receipts of logins.
    callback: Option<Secret>,
    /// Set once Twilio has refused that URL.
    callback_refused: AtomicBool,
    failed: Arc<Family<Code>>,
    observer: Option<SendObserver>,
}

/// Called with the result of each call: `Ok` if Twilio has carried it out.
pub type SendObserver = Box<dyn Fn(Result<(), &SmsError>) + Send + Sync>;

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

    /// Calls `observer` with the result of each call, on the thread of that call.
    pub fn observed_by(mut self, observer: SendObserver) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Logins that could not be sent, or whose outcome is unknown, by Twilio's code.
    pub fn failed_logins(&self) -> Arc<Family<Code>> {
        Arc::clone(&self.failed)
    }

    /// Sends `body` to `to`. Returns the SID of the text: it is queued, not yet delivered.
    ///
    /// # Errors
    /// It was not accepted, or that is unknown; [`SmsError::kind`] says which.
    pub fn send(&self, to: &Phone, body: &str) -> Result<String, SmsError> {
        self.post(to, body, None)
    }

    /// Like [`Sms::send`], and asks Twilio for delivery receipts. If Twilio refuses our receipt
    /// URL, that is logged once and no more receipts are requested: no login fails because of it.
    ///
    /// # Errors
    /// As [`Sms::send`].
    pub fn send_login(&self, to: &Phone, body: &str) -> Result<String, SmsError> {
        let refused = self.callback_refused.load(Ordering::Relaxed);
        let callback = self.callback.as_ref().filter(|_| !refused);
        let sent = match self.post(to, body, callback) {
            Err(error) if error.code == Some(BAD_CALLBACK) && callback.is_some() => {
                if !self.callback_refused.swap(true, Ordering::Relaxed) {
                    warn!(
                        "no delivery receipts until the next start: {error}; check that the host of TWILIO_WEBHOOK_URL is a public name"
                    );
                }
                self.post(to, body, None)
            }
            sent => sent,
        };
        if let Err(error) = &sent {
            self.failed.add(Code::of_send(error.code));
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
        // A text with an unreadable 201 was accepted all the same; a search of the log will find
        // it.
        answer
            .json::<AcceptedText>()
            .and_then(|accepted| accepted.sid)
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

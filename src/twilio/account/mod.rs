//! How an account is set up at Twilio: its tokens, its number or Messaging Service, where their texts
//! go, and what the carriers know of it. Asked before class; nothing is changed.
//!
//! - here: the account, its keys, and one call with its one repeat
//! - `pages`: a list with all its pages
//! - `numbers`: numbers and short codes of the account
//! - `messaging`: Messaging Services and what is in them
//! - `registration`: what carriers know: brands, campaigns, toll-free verifications
//! - `signing`: what webhooks are signed with
//! - `wire`: what may be repeated of Twilio's words

mod messaging;
mod numbers;
mod pages;
mod registration;
mod signing;
mod wire;

use std::cell::Cell;
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::http::Method;

use super::sms::SmsError;
use crate::config::TwilioConfig;
use crate::domain::{Secret, UnixSeconds, twilio_hosts};
use crate::http::{Http, HttpError, HttpResponse};

pub use messaging::{Member, Service, ServiceMembership};
pub use numbers::Number;
pub use pages::ListRows;
pub use registration::{Brand, Campaign, Verification};
pub use signing::{SignedBy, Signing};

/// Pause before a call that failed for a passing reason is repeated, and the longest pause that Twilio
/// may ask for instead.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Twilio's code for wrong credentials.
const WRONG_LOGIN: u32 = 20003;

/// One Twilio account, looked at from the outside.
pub struct Account {
    http: Http,
    account: String,
    messaging: String,
    webhooks: String,
    account_sid: String,
    /// The key that sends.
    sender: Secret,
    /// What looks are made with.
    login: Secret,
    clock_ahead: Cell<Option<Option<UnixSeconds>>>,
}

/// What Twilio says to a token, or to a key, that asks for the account itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenCheck {
    /// It is the account's.
    Right {
        /// Twilio's word for the account's state (`active`, `suspended`, `closed`); empty = it tells none.
        status: String,
        /// Whether it is a trial account; `None` = Twilio does not tell.
        trial: Option<bool>,
    },
    /// It is not, or the account is closed.
    Wrong,
}

/// Where texts go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The URL as it was typed at Twilio; empty = nowhere.
    pub url: String,
    /// `POST` or `GET`.
    pub method: String,
}

#[derive(Deserialize)]
struct AccountBody {
    sid: Option<String>,
    status: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl Account {
    /// The account of `config`, looked at with the key that sends until [`Account::inspect_with`] says
    /// otherwise.
    pub fn new(http: Http, config: &TwilioConfig) -> Self {
        let root = &config.api_url;
        let version = twilio_hosts::VERSION;
        Self {
            http,
            account: format!("{root}/{version}/Accounts/{}", config.account_sid),
            messaging: format!("{}/v1", twilio_hosts::beside(root, twilio_hosts::MESSAGING)),
            webhooks: format!("{}/v1", twilio_hosts::beside(root, twilio_hosts::WEBHOOKS)),
            account_sid: config.account_sid.clone(),
            sender: basic(&config.auth_sid, &config.auth_token),
            login: basic(&config.auth_sid, &config.auth_token),
            clock_ahead: Cell::new(None),
        }
    }

    /// Further looks are made with this token of the account. A key may lack rights that they need.
    pub fn inspect_with(&mut self, token: &Secret) {
        self.login = basic(&self.account_sid, token);
    }

    /// Seconds by which our clock is ahead of Twilio's, by its latest answer; `Some(None)` = that did not
    /// tell its time, `None` = there was no answer.
    pub fn clock_ahead(&self) -> Option<Option<UnixSeconds>> {
        self.clock_ahead.get()
    }

    /// Whether `token` is one of the account's: it opens the account itself, which no standard or restricted key does.
    ///
    /// # Errors
    /// The call failed.
    pub fn token(&self, token: &Secret) -> Result<TokenCheck, SmsError> {
        self.record(&basic(&self.account_sid, token))
    }

    /// What Twilio tells the key that sends of the account. A main key is told all, any other nothing
    /// ([`TokenCheck::Wrong`], or a fault).
    ///
    /// # Errors
    /// The call failed.
    pub fn told_to_the_key(&self) -> Result<TokenCheck, SmsError> {
        self.record(&self.sender)
    }

    fn record(&self, login: &Secret) -> Result<TokenCheck, SmsError> {
        const OPERATION: &str = "look the account up";
        let answer = self.get(OPERATION, login, &format!("{}.json", self.account))?;
        if answer.status == 401 {
            let fault = SmsError::of(OPERATION, &answer);
            let is_wrong = fault.code == Some(WRONG_LOGIN) && !fault.is_about_the_profile();
            return if is_wrong {
                Ok(TokenCheck::Wrong)
            } else {
                Err(fault)
            };
        }
        let body: AccountBody = read(OPERATION, &answer)?;
        if body.sid.as_ref() != Some(&self.account_sid) {
            return Err(SmsError::of(OPERATION, &answer));
        }
        Ok(TokenCheck::Right {
            status: wire::word(body.status),
            trial: body.kind.map(|kind| kind.eq_ignore_ascii_case("trial")),
        })
    }

    /// Whether the key that sends is let in, and may read the log, as the service has to.
    ///
    /// # Errors
    /// It is not, or the call failed.
    pub fn sender_is_let_in(&self) -> Result<(), SmsError> {
        const OPERATION: &str = "read the log";
        let url = format!("{}/Messages.json?PageSize=1", self.account);
        let answer = self.get(OPERATION, &self.sender, &url)?;
        let body: serde_json::Value = read(OPERATION, &answer)?;
        if body["messages"].is_array() {
            return Ok(());
        }
        Err(SmsError::of(OPERATION, &answer))
    }

    /// What stands at `url`; `None` = Twilio does not have it.
    fn find<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        url: &str,
    ) -> Result<Option<T>, SmsError> {
        let answer = self.get(operation, &self.login, url)?;
        let fault = || SmsError::of(operation, &answer);
        match answer.status {
            // A page of somebody else's has no code.
            404 if fault().code.is_some() => Ok(None),
            _ => read(operation, &answer).map(Some),
        }
    }

    /// One call. What may pass is asked once more.
    fn get(
        &self,
        operation: &'static str,
        login: &Secret,
        url: &str,
    ) -> Result<HttpResponse, SmsError> {
        let answered = match self.call(login, url) {
            Ok(answer) if !may_pass(answer.status) => Ok(answer),
            first => {
                let asked_for = first.ok().and_then(|answer| answer.retry_after());
                thread::sleep(asked_for.unwrap_or(PAUSE).min(LONGEST_PAUSE));
                self.call(login, url)
            }
        };
        let answer = answered.map_err(|broken| SmsError::broken(operation, broken))?;
        self.clock_ahead.set(Some(answer.clock_ahead()));
        Ok(answer)
    }

    fn call(&self, login: &Secret, url: &str) -> Result<HttpResponse, HttpError> {
        let headers = [
            ("Authorization", login.reveal()),
            ("Accept", "application/json"),
        ];
        self.http.call(Method::GET, url, &headers, Vec::new())
    }
}

impl SmsError {
    /// Whether Twilio was not reached at all, so that asking something else would meet the same trouble.
    pub fn affects_every_call(&self) -> bool {
        self.status.is_none()
    }

    /// The HTTP status, where there was an answer.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// Whether it is about credentials or their rights.
    pub fn is_refusal(&self) -> bool {
        matches!(self.status, Some(401 | 403))
    }
}

/// Whether a status may be over a moment later.
fn may_pass(status: u16) -> bool {
    matches!(status, 408 | 421 | 425 | 429 | 500..=599)
}

fn basic(user: &str, password: &Secret) -> Secret {
    let login = format!("{user}:{}", password.reveal());
    Secret::new(format!("Basic {}", STANDARD.encode(login)))
}

fn read<T: DeserializeOwned>(
    operation: &'static str,
    answer: &HttpResponse,
) -> Result<T, SmsError> {
    let body = answer.json().filter(|_| answer.status == 200);
    body.ok_or_else(|| SmsError::of(operation, answer))
}

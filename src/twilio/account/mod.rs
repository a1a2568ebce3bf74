//! The setup of an account at Twilio: its credentials, its number or Messaging Service, where their
//! texts go, and their registration with carriers. `check` reads it before class; nothing is
//! changed.
//!
//! - here: the account, its keys, and single calls with one retry
//! - `pages`: lists with all their pages
//! - `numbers`: numbers and short codes of the account
//! - `messaging`: Messaging Services and their numbers
//! - `registration`: brands, campaigns and toll-free verifications
//! - `signing`: what webhooks are signed with
//! - `wire`: cleaning of Twilio's values

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

pub use messaging::{Member, MessagingService, ServiceMembership};
pub use numbers::Number;
pub use pages::ListRows;
pub use registration::{Brand, Campaign, Verification};
pub use signing::{SignedBy, Signing};

/// Pause before the retry of a call that failed temporarily, and the longest pause that Twilio may
/// ask for instead.
const RETRY_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_RETRY_PAUSE: Duration = Duration::from_secs(5);

/// Twilio's code for wrong credentials.
const WRONG_LOGIN: u32 = 20003;

/// Reads the setup of one Twilio account.
pub struct Account {
    http: Http,
    account: String,
    messaging: String,
    webhooks: String,
    account_sid: String,
    /// The credentials that the service uses (`TWILIO_AUTH_SID`).
    sender: Secret,
    /// The credentials for reading the setup.
    login: Secret,
    clock_ahead: Cell<Option<Option<UnixSeconds>>>,
}

/// Twilio's answer to a request for the account itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenCheck {
    /// The credentials open the account.
    Right {
        /// The account's state (`active`, `suspended`, `closed`); empty = not reported.
        status: String,
        /// Whether it is a trial account; `None` = not reported.
        trial: Option<bool>,
    },
    /// The credentials do not open the account, or it is closed.
    Wrong,
}

/// Where Twilio sends received texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The URL as entered at Twilio; empty = none.
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
    /// The account of `config`. Its setup is read with the service's own credentials until
    /// [`Account::inspect_with`] sets others.
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

    /// Reads the setup with this Auth Token from now on. A key may lack the rights for that.
    pub fn inspect_with(&mut self, token: &Secret) {
        self.login = basic(&self.account_sid, token);
    }

    /// Seconds by which our clock is ahead of Twilio's, by its latest answer; `Some(None)` = the
    /// answer had no date, `None` = there was no answer.
    pub fn clock_ahead(&self) -> Option<Option<UnixSeconds>> {
        self.clock_ahead.get()
    }

    /// Whether `token` is an Auth Token of the account: it opens the account itself, which a
    /// standard or restricted API key cannot.
    ///
    /// # Errors
    /// The call failed.
    pub fn token(&self, token: &Secret) -> Result<TokenCheck, SmsError> {
        self.record(&basic(&self.account_sid, token))
    }

    /// The account as the service's own credentials see it. Only a main API key sees it; others get
    /// [`TokenCheck::Wrong`] or an error.
    ///
    /// # Errors
    /// The call failed.
    pub fn seen_by_the_key(&self) -> Result<TokenCheck, SmsError> {
        self.record(&self.sender)
    }

    fn record(&self, login: &Secret) -> Result<TokenCheck, SmsError> {
        const OPERATION: &str = "look up the account";
        let answer = self.get(OPERATION, login, &format!("{}.json", self.account))?;
        if answer.status == 401 {
            let error = SmsError::of(OPERATION, &answer);
            let is_wrong = error.code == Some(WRONG_LOGIN) && !error.is_about_the_profile();
            return if is_wrong {
                Ok(TokenCheck::Wrong)
            } else {
                Err(error)
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

    /// Checks that the service's own credentials are accepted and may read the log, as the service
    /// needs.
    ///
    /// # Errors
    /// They may not, or the call failed.
    pub fn check_log_access(&self) -> Result<(), SmsError> {
        const OPERATION: &str = "read the log";
        let url = format!("{}/Messages.json?PageSize=1", self.account);
        let answer = self.get(OPERATION, &self.sender, &url)?;
        let body: serde_json::Value = read(OPERATION, &answer)?;
        if body["messages"].is_array() {
            return Ok(());
        }
        Err(SmsError::of(OPERATION, &answer))
    }

    /// The resource at `url`; `None` = Twilio does not have it.
    fn find<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        url: &str,
    ) -> Result<Option<T>, SmsError> {
        let answer = self.get(operation, &self.login, url)?;
        let error = || SmsError::of(operation, &answer);
        match answer.status {
            // A 404 page of another server has no code.
            404 if error().code.is_some() => Ok(None),
            _ => read(operation, &answer).map(Some),
        }
    }

    /// One call, with one retry after a temporary failure.
    fn get(
        &self,
        operation: &'static str,
        login: &Secret,
        url: &str,
    ) -> Result<HttpResponse, SmsError> {
        let answered = match self.call(login, url) {
            Ok(answer) if !may_be_temporary(answer.status) => Ok(answer),
            first => {
                let requested = first.ok().and_then(|answer| answer.retry_after());
                thread::sleep(requested.unwrap_or(RETRY_PAUSE).min(LONGEST_RETRY_PAUSE));
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
    /// Whether Twilio could not be reached at all, so that any other call would fail as well.
    pub fn affects_every_call(&self) -> bool {
        self.status.is_none()
    }

    /// The HTTP status, where there was an answer.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// Whether it is about the credentials or their rights.
    pub fn is_refusal(&self) -> bool {
        matches!(self.status, Some(401 | 403))
    }
}

/// Whether a status may be temporary.
fn may_be_temporary(status: u16) -> bool {
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

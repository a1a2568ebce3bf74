//! How an account is set up at Twilio: its tokens, its number or Messaging Service, where their texts
//! go, and what the carriers know of it. Asked before class; nothing is changed.

mod wire;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use ureq::http::Method;

use super::sms::SmsFault;
use crate::config::TwilioConfig;
use crate::domain::{Secret, UnixSeconds};
use crate::http::{Answer, Http};
use wire::{
    AccountBody, CampaignsBody, MemberBody, MembersBody, NumbersBody, ServiceBody, ServicesBody,
    VerificationsBody, plain, word,
};

/// Messaging Services that a number is looked for in, at most.
const SERVICES: usize = 20;

/// One Twilio account, looked at from the outside.
pub struct Account {
    http: Http,
    account: String,
    messaging: String,
    account_sid: String,
    /// The key that sends.
    sender: Secret,
    /// What looks are made with.
    login: Secret,
}

/// What Twilio says to a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// It is the account's.
    Right {
        /// Whether the account is active.
        active: bool,
        /// Whether it is a trial account.
        trial: bool,
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

/// A number of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// Twilio's name for it.
    pub sid: String,
    /// It can receive and send texts.
    pub sms: bool,
    /// Its own target.
    pub target: Target,
    /// A TwiML application has taken its texts over.
    pub by_application: bool,
}

/// A Messaging Service of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Twilio's name for it.
    pub sid: String,
    /// Its own target.
    pub target: Target,
    /// Texts go to the targets of its numbers instead.
    pub target_on_number: bool,
}

/// A number in a Messaging Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The number in E.164.
    pub number: String,
    /// Its country, such as `US`.
    pub country: String,
    /// It can text.
    pub sms: bool,
}

impl Account {
    /// The account of `config`, looked at with the first of its tokens until
    /// [`Account::look_with`] says otherwise.
    pub fn new(http: Http, config: &TwilioConfig) -> Self {
        Self {
            http,
            account: format!(
                "{}/2010-04-01/Accounts/{}",
                config.api_url, config.account_sid
            ),
            messaging: format!("{}/v1", messaging_host(&config.api_url)),
            account_sid: config.account_sid.clone(),
            sender: basic(&config.auth_sid, &config.auth_token),
            login: basic(&config.auth_sid, &config.auth_token),
        }
    }

    /// Further looks are made with this token of the account. A key may lack rights that they need.
    pub fn look_with(&mut self, token: &Secret) {
        self.login = basic(&self.account_sid, token);
    }

    /// Whether `token` is one of the account's: it opens the account itself, which no key does. And
    /// the seconds by which our clock is ahead of Twilio's; `None` where it did not tell its time.
    ///
    /// # Errors
    /// The call failed.
    pub fn token(&self, token: &Secret) -> Result<(Token, Option<UnixSeconds>), SmsFault> {
        const DOING: &str = "look the account up";
        let login = basic(&self.account_sid, token);
        let answer = self.get(DOING, &login, &format!("{}.json", self.account))?;
        if answer.status == 401 {
            return Ok((Token::Wrong, answer.clock_ahead()));
        }
        let body: AccountBody = read(DOING, &answer)?;
        let right = Token::Right {
            active: body.status == "active",
            trial: body.kind.eq_ignore_ascii_case("trial"),
        };
        Ok((right, answer.clock_ahead()))
    }

    /// Whether the key that sends is let in, and may read the log, as the service has to.
    ///
    /// # Errors
    /// It is not, or the call failed.
    pub fn sender_is_let_in(&self) -> Result<(), SmsFault> {
        const DOING: &str = "read the log";
        let url = format!("{}/Messages.json?PageSize=1", self.account);
        let answer = self.get(DOING, &self.sender, &url)?;
        read::<serde_json::Value>(DOING, &answer).map(drop)
    }

    /// The account's number of that name.
    ///
    /// # Errors
    /// The call failed.
    pub fn number(&self, number: &str) -> Result<Option<Number>, SmsFault> {
        const DOING: &str = "look the number up";
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("PhoneNumber", number)
            .finish();
        let url = format!("{}/IncomingPhoneNumbers.json?{query}", self.account);
        let body: NumbersBody = self.ask(DOING, &url)?;
        let mut all = body.incoming_phone_numbers.into_iter();
        Ok(all.find(|one| one.phone_number == number).map(Number::from))
    }

    /// The Messaging Service of that name.
    ///
    /// # Errors
    /// The call failed.
    pub fn service(&self, sid: &str) -> Result<Option<Service>, SmsFault> {
        const DOING: &str = "look the Messaging Service up";
        let url = format!("{}/Services/{sid}", self.messaging);
        let answer = self.get(DOING, &self.login, &url)?;
        if answer.status == 404 {
            return Ok(None);
        }
        read::<ServiceBody>(DOING, &answer).map(|body| Some(body.into()))
    }

    /// The Messaging Service that a number is in, if it is in one of the first 20.
    ///
    /// # Errors
    /// A call failed.
    pub fn service_with(&self, number: &Number) -> Result<Option<Service>, SmsFault> {
        const DOING: &str = "look for the number's Messaging Service";
        let url = format!("{}/Services?PageSize={SERVICES}", self.messaging);
        let body: ServicesBody = self.ask(DOING, &url)?;
        for service in body.services.into_iter().take(SERVICES) {
            let (sid, number) = (&service.sid, &number.sid);
            let url = format!("{}/Services/{sid}/PhoneNumbers/{number}", self.messaging);
            let answer = self.get(DOING, &self.login, &url)?;
            if answer.status != 404 {
                read::<MemberBody>(DOING, &answer)?;
                return Ok(Some(service.into()));
            }
        }
        Ok(None)
    }

    /// The numbers of a Messaging Service, 50 at most.
    ///
    /// # Errors
    /// The call failed.
    pub fn members(&self, service: &str) -> Result<Vec<Member>, SmsFault> {
        const DOING: &str = "list the Messaging Service's numbers";
        let url = format!(
            "{}/Services/{service}/PhoneNumbers?PageSize=50",
            self.messaging
        );
        let body: MembersBody = self.ask(DOING, &url)?;
        let member = |body: MemberBody| Member {
            number: plain(body.phone_number),
            country: body.country_code.unwrap_or_default(),
            sms: body.capabilities.iter().any(|one| one == "SMS"),
        };
        Ok(body.phone_numbers.into_iter().map(member).collect())
    }

    /// How far the carriers' registration of a Messaging Service is, in Twilio's word (`VERIFIED`,
    /// `IN_PROGRESS`, `PENDING`, `FAILED`); `None` = it was never asked for.
    ///
    /// # Errors
    /// The call failed.
    pub fn campaign(&self, service: &str) -> Result<Option<String>, SmsFault> {
        const DOING: &str = "look the A2P campaign up";
        let url = format!("{}/Services/{service}/Compliance/Usa2p", self.messaging);
        let answer = self.get(DOING, &self.login, &url)?;
        if answer.status == 404 {
            return Ok(None);
        }
        let body: CampaignsBody = read(DOING, &answer)?;
        let campaign = body.compliance.into_iter().next();
        Ok(campaign.map(|one| word(one.campaign_status)))
    }

    /// How far the verification of a toll-free number is, in Twilio's word (`TWILIO_APPROVED`,
    /// `PENDING_REVIEW`, `IN_REVIEW`, `TWILIO_REJECTED`); `None` = it was never asked for.
    ///
    /// # Errors
    /// The call failed.
    pub fn toll_free(&self, number: &Number) -> Result<Option<String>, SmsFault> {
        const DOING: &str = "look the toll-free verification up";
        let (base, sid) = (&self.messaging, &number.sid);
        let url = format!("{base}/Tollfree/Verifications?TollfreePhoneNumberSid={sid}");
        let body: VerificationsBody = self.ask(DOING, &url)?;
        let verification = body.verifications.into_iter().next();
        Ok(verification.map(|one| word(one.status)))
    }

    fn ask<T: DeserializeOwned>(&self, doing: &'static str, url: &str) -> Result<T, SmsFault> {
        read(doing, &self.get(doing, &self.login, url)?)
    }

    fn get(&self, doing: &'static str, login: &Secret, url: &str) -> Result<Answer, SmsFault> {
        let headers = [
            ("Authorization", login.reveal()),
            ("Accept", "application/json"),
        ];
        self.http
            .call(Method::GET, url, &headers, Vec::new())
            .map_err(|broken| SmsFault::broken(doing, broken))
    }
}

impl SmsFault {
    /// Whether asking Twilio something else would meet the same trouble.
    pub fn is_everybodys(&self) -> bool {
        self.status.is_none()
    }

    /// Whether it is about credentials or their rights.
    pub fn is_refusal(&self) -> bool {
        matches!(self.status, Some(401 | 403))
    }
}

fn basic(user: &str, password: &Secret) -> Secret {
    let login = format!("{user}:{}", password.reveal());
    Secret::new(format!("Basic {}", STANDARD.encode(login)))
}

fn read<T: DeserializeOwned>(doing: &'static str, answer: &Answer) -> Result<T, SmsFault> {
    let body = answer.json().filter(|_| answer.status == 200);
    body.ok_or_else(|| SmsFault::of(doing, answer))
}

/// Where Messaging Services are, as far as Twilio's own hosts go (`api.twilio.com`, or that of a region);
/// whatever else is configured is taken to have all in one place.
fn messaging_host(api_url: &str) -> String {
    match api_url.strip_prefix("https://api.") {
        Some(rest)
            if rest
                .split('/')
                .next()
                .unwrap_or(rest)
                .ends_with("twilio.com") =>
        {
            format!("https://messaging.{rest}")
        }
        _ => api_url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messaging_services_have_a_host_of_their_own_at_twilio() {
        for (api, messaging) in [
            ("https://api.twilio.com", "https://messaging.twilio.com"),
            (
                "https://api.dublin.ie1.twilio.com",
                "https://messaging.dublin.ie1.twilio.com",
            ),
            ("http://127.0.0.1:4711", "http://127.0.0.1:4711"),
            ("https://api.example.org", "https://api.example.org"),
        ] {
            assert_eq!(messaging_host(api), messaging);
        }
    }
}

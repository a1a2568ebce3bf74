//! A strict fake of the Twilio Messages API, and the student's side of it: the webhook that Twilio would send.
//!
//! [`FakeTwilio`] is the handle for tests: it takes messages in Twilio's own way and remembers them. Inside:
//!
//! - [`ops`]: the routes, and their names for counting and for trouble.
//! - [`student`]: a text as Twilio's webhook delivers it, signed.
//! - `send`: the rules for a new message; `list`: finding messages; `records`: one message or number as JSON.
//! - `messaging`: Messaging Services, and what carriers know of the numbers.
//! - `receipts`: what becomes of a message, and the signed status callbacks that tell of it.
//! - `verbs`: what tests can ask and do.

pub mod ops;
pub mod student;

mod fault;
mod list;
mod messaging;
mod receipts;
mod records;
mod send;
mod verbs;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::desk::{Api, FakeServer};
use super::http::http_date;
use super::lock;
use super::random;
use super::server::{ANY_PORT, Reply, Request};
use super::trouble::Op;

use fault::Fault;
use ops::Route;
use records::Message;

pub use receipts::{Fate, SentReceipt, post, receipt_params};
pub use student::{form_encode, new_sid, sign, webhook_headers, webhook_params};
pub use verbs::SentText;

/// An account with the keys and numbers it owns.
#[derive(Clone)]
pub struct TwilioAccount {
    /// `AC` and 32 hexadecimal digits.
    pub account_sid: String,
    /// The primary token: it signs webhooks, and it opens the API together with the account's SID.
    pub account_token: String,
    /// What sends: the account's SID or an API key, `SK` and 32 hexadecimal digits.
    pub auth_sid: String,
    /// The secret that belongs to `auth_sid`.
    pub auth_token: String,
    /// The numbers that may send, in E.164.
    pub from_numbers: Vec<String>,
    /// A messaging service with all these numbers: `MG` and 32 hexadecimal digits.
    pub service_sid: String,
}

impl TwilioAccount {
    /// An account with an API key and one number, all random.
    pub fn random() -> Self {
        let mut dice = random::Dice::unseeded();
        Self {
            account_sid: format!("AC{}", random::hex::<16>()),
            account_token: random::hex::<16>(),
            auth_sid: format!("SK{}", random::hex::<16>()),
            auth_token: random::letters_and_digits(32),
            from_numbers: vec![format!("+1201555{:04}", dice.below(10_000))],
            service_sid: format!("MG{}", random::hex::<16>()),
        }
    }

    /// As whom these are let in, if they are.
    fn lets_in(&self, setup: &Setup, sid: &str, token: &str) -> Option<Login> {
        let primary = token == self.account_token && !setup.first_token_revoked;
        let secondary = setup.second_token.as_deref() == Some(token);
        if sid == self.account_sid && (primary || secondary) {
            return Some(Login::Account);
        }
        (sid == self.auth_sid && token == self.auth_token).then_some(Login::Key)
    }
}

/// Who calls.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Login {
    /// The account itself, by one of its tokens.
    Account,
    /// A standard API key, which opens all but the account's own record.
    Key,
}

/// A running fake. It lends the verbs of [`FakeServer`]; dropping it closes its port.
pub struct FakeTwilio {
    server: FakeServer,
    account: TwilioAccount,
    exchange: Arc<Exchange>,
}

impl FakeTwilio {
    /// Starts the fake with one account.
    pub fn start(account: TwilioAccount) -> Self {
        Self::start_at(ANY_PORT, account)
    }

    /// Starts the fake with one account on this address.
    pub fn start_at(address: SocketAddr, account: TwilioAccount) -> Self {
        let exchange = Arc::new(Exchange::default());
        let rules = Rules {
            account: account.clone(),
            exchange: Arc::clone(&exchange),
        };
        Self {
            server: FakeServer::start_at("fake Twilio", address, rules),
            account,
            exchange,
        }
    }

    /// Starts the fake with [`TwilioAccount::random`].
    pub fn start_default() -> Self {
        Self::start(TwilioAccount::random())
    }

    /// The account that the fake serves.
    pub fn account(&self) -> &TwilioAccount {
        &self.account
    }
}

impl Deref for FakeTwilio {
    type Target = FakeServer;

    fn deref(&self) -> &FakeServer {
        &self.server
    }
}

/// What the fake remembers, and a bell that rings with every new message.
#[derive(Default)]
struct Exchange {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Default)]
struct State {
    /// All messages in both directions, oldest first. Deleted ones are marked.
    messages: Vec<Message>,
    refusals: HashMap<String, (u16, u32)>,
    refuse_all: Option<(u16, u32)>,
    refused: Vec<(String, u32)>,
    /// Messages of refusals repeat what was sent and to whom.
    refusals_quote: bool,
    /// Entries of the log that came about in other ways, as JSON, with their date.
    others: Vec<(SystemTime, serde_json::Value)>,
    /// Whether the log begins with the oldest entry. Twilio does not promise an order.
    oldest_first: bool,
    /// Whether the account keeps no words of texts that it sends.
    keeps_no_words: bool,
    auth_fails: bool,
    list_unavailable: bool,
    hidden_for: Duration,
    delivery_time: Duration,
    setup: Setup,
    /// What becomes of texts to a phone, and to all others; without it they are delivered by the clock.
    fates: HashMap<String, Fate>,
    fate: Option<Fate>,
    /// Where public hosts are really.
    reach: Vec<(String, SocketAddr)>,
    receipts: Vec<SentReceipt>,
}

/// How the account is set up, as its console has it.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Where texts to the numbers go.
    pub sms_url: String,
    /// By which method.
    pub sms_method: String,
    /// A TwiML application that takes them instead; empty = none.
    pub sms_application_sid: String,
    /// Whether the numbers can text.
    pub sms: bool,
    /// Whether the account still owns its numbers.
    pub owns_numbers: bool,
    /// A secondary token, which opens the API as the primary one does.
    pub second_token: Option<String>,
    /// The primary token is not valid any more.
    pub first_token_revoked: bool,
    /// `active`, `suspended` or `closed`.
    pub status: String,
    /// `Full` or `Trial`.
    pub kind: String,
    /// Whether the numbers are in the Messaging Service.
    pub in_service: bool,
    /// Where the Messaging Service sends texts; `None` = nowhere.
    pub service_url: Option<String>,
    /// By which method.
    pub service_method: String,
    /// Whether it leaves that to its numbers, as new ones do.
    pub on_number: bool,
    /// How far its A2P campaign is; `None` = there is none.
    pub campaign: Option<String>,
    /// How far the verification of a toll-free number is; `None` = there is none.
    pub toll_free: Option<String>,
    /// Seconds by which Twilio's clock is ahead of this machine's.
    pub clock_ahead: i64,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            sms_url: String::new(),
            sms_method: "POST".to_owned(),
            sms_application_sid: String::new(),
            sms: true,
            owns_numbers: true,
            second_token: None,
            first_token_revoked: false,
            status: "active".to_owned(),
            kind: "Full".to_owned(),
            in_service: true,
            service_url: None,
            service_method: "POST".to_owned(),
            on_number: true,
            campaign: Some("VERIFIED".to_owned()),
            toll_free: None,
            clock_ahead: 0,
        }
    }
}

struct Rules {
    account: TwilioAccount,
    exchange: Arc<Exchange>,
}

impl Api for Rules {
    fn op(&self, request: &Request) -> Op {
        Route::of(request).op()
    }

    fn answer(&self, request: &Request) -> Reply {
        let answered = self.answer_or_fault(request);
        let ahead = lock(&self.exchange.state).setup.clock_ahead;
        let shift = Duration::from_secs(ahead.unsigned_abs());
        let now = SystemTime::now();
        let date = if ahead < 0 { now - shift } else { now + shift };
        answered
            .unwrap_or_else(Reply::from)
            .with("Date", http_date(date))
            .with("Twilio-Request-Id", format!("RQ{}", random::hex::<16>()))
            .with("Twilio-Concurrent-Requests", "1")
            .with("Twilio-Request-Duration", "0.024")
    }
}

impl Rules {
    /// Identity first; then the path; then the call itself.
    fn answer_or_fault(&self, request: &Request) -> Result<Reply, Fault> {
        let mut state = lock(&self.exchange.state);
        let denied = || Fault::new(401, 20003, "Authenticate");
        let login = self.login(&state, request).filter(|_| !state.auth_fails);
        let login = login.ok_or_else(denied)?;
        let missing = || {
            let message = format!("The requested resource {} was not found", request.path);
            Fault::new(404, 20404, &message)
        };
        let route = Route::of(request);
        if route
            .account()
            .is_some_and(|sid| sid != self.account.account_sid)
        {
            return Err(missing());
        }
        match route {
            Route::Send(_) => {
                let before = state.messages.len();
                let reply = send::send(&mut state, &self.account, request);
                let sid = state
                    .messages
                    .get(before)
                    .map(|message| message.sid.clone());
                drop(state);
                if let Some(sid) = sid {
                    receipts::begin(&self.exchange, &self.account, &sid);
                }
                self.exchange.arrived.notify_all();
                reply
            }
            Route::List(_) => list::messages(&state, &self.account, request),
            Route::Read(_, sid) => records::read(&state, &self.account, &sid).ok_or_else(missing),
            Route::Change(_, sid) => records::redact(&mut state, &self.account, &sid, request)
                .unwrap_or_else(|| Err(missing())),
            Route::Delete(_, sid) => {
                records::delete(&mut state, &sid).unwrap_or_else(|| Err(missing()))
            }
            Route::Numbers(_) => Ok(list::numbers(&state, &self.account, request)),
            Route::Account(_) if login == Login::Key => Err(denied()),
            Route::Account(_) => Ok(records::account(&self.account, &state.setup)),
            Route::Services => Ok(messaging::services(&self.account, &state.setup)),
            Route::Service(sid) => {
                messaging::service(&self.account, &state.setup, &sid).ok_or_else(missing)
            }
            Route::Members(sid) => {
                messaging::members(&self.account, &state.setup, &sid).ok_or_else(missing)
            }
            Route::Member(sid, number) => {
                messaging::member(&self.account, &state.setup, &sid, &number).ok_or_else(missing)
            }
            Route::Campaigns(sid) => {
                messaging::campaigns(&self.account, &state.setup, &sid).ok_or_else(missing)
            }
            Route::TollFree => Ok(messaging::toll_free(&self.account, &state.setup, request)),
            Route::Unknown => Err(missing()),
        }
    }

    fn login(&self, state: &State, request: &Request) -> Option<Login> {
        let read = || {
            let encoded = request.header("authorization")?.strip_prefix("Basic ")?;
            let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
            let (sid, token) = decoded.split_once(':')?;
            self.account.lets_in(&state.setup, sid, token)
        };
        read()
    }
}

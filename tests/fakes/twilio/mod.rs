//! A strict fake of the Twilio Messages API, and the student's side of it: the webhook that Twilio would send.
//!
//! [`FakeTwilio`] is the handle for tests: it takes messages in Twilio's own way and remembers them. Inside:
//!
//! - [`ops`]: the routes, and their names for counting and for trouble.
//! - [`student`]: a text as Twilio's webhook delivers it, signed.
//! - `send`: the rules for a new message; `list`: finding messages; `records`: one message or number as JSON.
//! - `receipts`: what becomes of a message, and the signed status callbacks that tell of it.
//! - `verbs`: what tests can ask and do.

pub mod ops;
pub mod student;

mod fault;
mod list;
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
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::desk::{Api, FakeServer};
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

    fn lets_in(&self, sid: &str, token: &str) -> bool {
        let keys = [
            (&self.account_sid, &self.account_token),
            (&self.auth_sid, &self.auth_token),
        ];
        keys.contains(&(&sid.to_owned(), &token.to_owned()))
    }
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
    auth_fails: bool,
    list_unavailable: bool,
    hidden_for: Duration,
    delivery_time: Duration,
    sms_url: String,
    /// What becomes of texts to a phone, and to all others; without it they are delivered by the clock.
    fates: HashMap<String, Fate>,
    fate: Option<Fate>,
    /// Where public hosts are really.
    reach: Vec<(String, SocketAddr)>,
    receipts: Vec<SentReceipt>,
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
        answered
            .unwrap_or_else(Reply::from)
            .with("Twilio-Request-Id", format!("RQ{}", random::hex::<16>()))
            .with("Twilio-Concurrent-Requests", "1")
            .with("Twilio-Request-Duration", "0.024")
    }
}

impl Rules {
    /// Identity first; then the path; then the call itself.
    fn answer_or_fault(&self, request: &Request) -> Result<Reply, Fault> {
        let mut state = lock(&self.exchange.state);
        if state.auth_fails || !self.is_authorized(request) {
            return Err(Fault::new(401, 20003, "Authenticate"));
        }
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
            Route::Account(_) => Ok(records::account(&self.account)),
            Route::Unknown => Err(missing()),
        }
    }

    fn is_authorized(&self, request: &Request) -> bool {
        let read = || {
            let encoded = request.header("authorization")?.strip_prefix("Basic ")?;
            let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
            let (sid, token) = decoded.split_once(':')?;
            Some(self.account.lets_in(sid, token))
        };
        read() == Some(true)
    }
}

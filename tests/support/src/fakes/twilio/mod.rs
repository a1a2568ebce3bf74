//! A strict fake of the Twilio Messages API, and the student's side of it: the webhook that Twilio would send.
//!
//! [`FakeTwilio`] is the handle for tests: it takes messages in Twilio's own way and remembers them. Inside:
//!
//! - [`ops`]: the routes, and their names for counting and for trouble.
//! - [`student`]: a text as Twilio's webhook delivers it, signed.
//! - `send`: the rules for a new message; `list`: finding messages; `records`: one message or number as JSON.
//! - `setup`: how the account is set up; `account`, `messaging`: what Twilio tells of that, in `pages`.
//! - `schema`: the fields of all answers by Twilio's description, against which they are held.
//! - `receipts`: what becomes of a message, and the signed status callbacks that tell of it.
//! - `verbs`: what tests can ask and do.

pub mod ops;
pub mod student;

mod account;
mod fault;
mod hooks;
mod list;
mod messaging;
mod pages;
mod receipts;
mod records;
mod schema;
mod send;
mod setup;
mod verbs;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::desk::{Api, FakeServer};
use super::http::http_date;
use super::lock;
use super::random;
use super::server::{ANY_PORT, Reply, Request};
use super::trouble::Op;

use fault::TwilioFault;
use ops::TwilioRoute;
use records::Message;

pub use hooks::{HookRule, SigningKey, sign_with_key, signed_headers};
pub use receipts::{Fate, SentReceipt, post, receipt_params};
pub use setup::{Campaign, Setup};
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
    fn lets_in(&self, setup: &Setup, sid: &str, token: &str) -> Option<ApiLogin> {
        let primary = token == self.account_token && !setup.first_token_revoked;
        let secondary = setup.second_token.as_deref() == Some(token);
        if sid == self.account_sid && (primary || secondary) {
            return Some(ApiLogin::Account);
        }
        (sid == self.auth_sid && token == self.auth_token).then_some(ApiLogin::Key)
    }
}

/// Who calls.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ApiLogin {
    /// The account itself, by one of its tokens.
    Account,
    /// An API key; a standard one opens all but the account's own record.
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
        let rules = TwilioRules {
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
    /// Regions, by the first digits of their phones, that texts are refused to.
    closed: HashMap<String, (u16, u32)>,
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

struct TwilioRules {
    account: TwilioAccount,
    exchange: Arc<Exchange>,
}

impl Api for TwilioRules {
    fn op(&self, request: &Request) -> Op {
        TwilioRoute::of(request).op()
    }

    fn answer(&self, request: &Request) -> Reply {
        let reply = self.answer_or_fault(request).unwrap_or_else(Reply::from);
        let (ahead, others) = {
            let state = lock(&self.exchange.state);
            (state.setup.clock_ahead, !state.others.is_empty())
        };
        let shift = Duration::from_secs(ahead.unsigned_abs());
        let now = SystemTime::now();
        let date = if ahead < 0 { now - shift } else { now + shift };
        described(request, reply, others)
            .with("Date", http_date(date))
            .with("Twilio-Request-Id", format!("RQ{}", random::hex::<16>()))
            .with("Twilio-Concurrent-Requests", "1")
            .with("Twilio-Request-Duration", "0.024")
    }
}

/// The reply, noted where it is not as Twilio describes it. Only tests look, as others measure time. `others` =
/// the log holds entries that a test has written, which may be as odd as it likes.
fn described(request: &Request, reply: Reply, others: bool) -> Reply {
    let route = TwilioRoute::of(request);
    if !cfg!(test) || (others && matches!(route, TwilioRoute::List(_))) {
        return reply;
    }
    let differences = schema::differences(&route, reply.status, &reply.body);
    match differences.first() {
        Some(_) => reply.noting(format!("not as described: {}", differences.join(", "))),
        None => reply,
    }
}

fn not_authenticated() -> TwilioFault {
    TwilioFault::new(401, 20003, "Authenticate")
}

fn not_found(request: &Request) -> TwilioFault {
    let message = format!("The requested resource {} was not found", request.path);
    TwilioFault::new(404, 20404, &message)
}

impl TwilioRules {
    /// Identity and rights first; then the call itself.
    fn answer_or_fault(&self, request: &Request) -> Result<Reply, TwilioFault> {
        let mut state = lock(&self.exchange.state);
        let route = TwilioRoute::of(request);
        let login = self.admit(&state, request, &route)?;
        let missing = || not_found(request);
        match route {
            TwilioRoute::Send(_) => self.send(state, request),
            TwilioRoute::List(_) => list::messages(&state, &self.account, request),
            TwilioRoute::Read(_, sid) => {
                records::read(&state, &self.account, &sid).ok_or_else(missing)
            }
            TwilioRoute::Change(_, sid) => {
                records::redact(&mut state, &self.account, &sid, request)
                    .unwrap_or_else(|| Err(missing()))
            }
            TwilioRoute::Delete(_, sid) => {
                records::delete(&mut state, &sid).unwrap_or_else(|| Err(missing()))
            }
            TwilioRoute::Numbers(_) => account::numbers(&self.account, &state.setup, request),
            TwilioRoute::ShortCodes(_) => {
                account::short_codes(&self.account, &state.setup, request)
            }
            TwilioRoute::Account(_) if login == ApiLogin::Key && !state.setup.main_key => {
                Err(not_authenticated())
            }
            TwilioRoute::Account(_) => Ok(account::record(&self.account, &state.setup)),
            TwilioRoute::Services => messaging::services(&self.account, &state.setup, request),
            TwilioRoute::Service(sid) => {
                messaging::service(&self.account, &state.setup, &sid).ok_or_else(missing)
            }
            TwilioRoute::Members(sid) => {
                messaging::members(&self.account, &state.setup, &sid, request)
                    .unwrap_or_else(|| Err(missing()))
            }
            TwilioRoute::Member(sid, number) => {
                messaging::member(&self.account, &state.setup, &sid, &number).ok_or_else(missing)
            }
            TwilioRoute::ChannelSenders(sid) => {
                messaging::channel_senders(&self.account, &state.setup, &sid, request)
                    .unwrap_or_else(|| Err(missing()))
            }
            TwilioRoute::Campaigns(sid) => {
                messaging::campaigns(&self.account, &state.setup, &sid, request)
                    .unwrap_or_else(|| Err(missing()))
            }
            TwilioRoute::Brand(sid) => {
                messaging::brand(&self.account, &state.setup, &sid).ok_or_else(missing)
            }
            TwilioRoute::TollFree => messaging::toll_free(&self.account, &state.setup, request),
            TwilioRoute::HookRules => Ok(hooks::rules(&state.setup)),
            TwilioRoute::HookSettings => Ok(hooks::settings(&state.setup)),
            TwilioRoute::Unknown => Err(missing()),
        }
    }

    /// Who calls, if they may do this call.
    fn admit(
        &self,
        state: &State,
        request: &Request,
        route: &TwilioRoute,
    ) -> Result<ApiLogin, TwilioFault> {
        let login = self.login(state, request).filter(|_| !state.auth_fails);
        let login = login.ok_or_else(not_authenticated)?;
        if let Some((status, code, message)) = &state.setup.refusal {
            return Err(TwilioFault::new(*status, *code, message));
        }
        let may = |rights: &Vec<Op>| login == ApiLogin::Account || rights.contains(&route.op());
        if !state.setup.key_rights.as_ref().is_none_or(may) {
            return Err(TwilioFault::new(403, 70051, "Authorization Failed"));
        }
        let account = route.account();
        if account.is_some_and(|sid| sid != self.account.account_sid) {
            return Err(not_found(request));
        }
        Ok(login)
    }

    /// Takes a text, and begins its receipts.
    fn send(
        &self,
        mut state: MutexGuard<'_, State>,
        request: &Request,
    ) -> Result<Reply, TwilioFault> {
        let before = state.messages.len();
        let reply = send::send(&mut state, &self.account, request);
        let accepted = state.messages.get(before);
        let sid = accepted.map(|message| message.sid.clone());
        drop(state);
        if let Some(sid) = sid {
            receipts::begin(&self.exchange, &self.account, &sid);
        }
        self.exchange.arrived.notify_all();
        reply
    }

    fn login(&self, state: &State, request: &Request) -> Option<ApiLogin> {
        let read = || {
            let encoded = request.header("authorization")?.strip_prefix("Basic ")?;
            let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
            let (sid, token) = decoded.split_once(':')?;
            self.account.lets_in(&state.setup, sid, token)
        };
        read()
    }
}

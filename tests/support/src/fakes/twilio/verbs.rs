//! What tests ask of the fake and do to it, without HTTP.

use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use super::super::lock;
use super::records::Message;
use super::{FakeTwilio, Fate, HookRule, SentReceipt, Setup, State};

/// A text that Twilio took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentText {
    /// Twilio's name for it.
    pub sid: String,
    /// The recipient.
    pub to: String,
    /// The number that sent it.
    pub from: String,
    /// The text as the phone shows it.
    pub body: String,
    /// When it was taken.
    pub at: Instant,
}

fn sent(state: &State, is_wanted: impl Fn(&Message) -> bool) -> Vec<SentText> {
    let wanted = state
        .messages
        .iter()
        .filter(|message| !message.inbound && is_wanted(message));
    let text = |message: &Message| SentText {
        sid: message.sid.clone(),
        to: message.to.clone(),
        from: message.from.clone(),
        body: message.words.clone(),
        at: message.at,
    };
    wanted.map(text).collect()
}

impl FakeTwilio {
    /// All texts to this phone that were taken, oldest first; also those whose answer was lost.
    pub fn texts_to(&self, phone: &str) -> Vec<SentText> {
        sent(&lock(&self.exchange.state), |message| message.to == phone)
    }

    /// All texts that were taken, oldest first.
    pub fn texts(&self) -> Vec<SentText> {
        sent(&lock(&self.exchange.state), |_| true)
    }

    /// Waits until this phone has got `count` texts, and answers all of them. `None` if that does not happen in time.
    pub fn wait_for_texts(
        &self,
        phone: &str,
        count: usize,
        deadline: Duration,
    ) -> Option<Vec<SentText>> {
        let state = lock(&self.exchange.state);
        let missing = |state: &mut State| sent(state, |message| message.to == phone).len() < count;
        let (state, timeout) = self
            .exchange
            .arrived
            .wait_timeout_while(state, deadline, missing)
            .ok()?;
        (!timeout.timed_out()).then(|| sent(&state, |message| message.to == phone))
    }

    /// How many texts to this phone were refused with a code of [`FakeTwilio::refuse`] or [`FakeTwilio::refuse_all`].
    pub fn refused_to(&self, phone: &str) -> usize {
        lock(&self.exchange.state)
            .refused
            .iter()
            .filter(|(to, _)| to == phone)
            .count()
    }

    /// From now on texts to this phone are refused with this HTTP status and code.
    pub fn refuse(&self, phone: &str, status: u16, code: u32) {
        lock(&self.exchange.state)
            .refusals
            .insert(phone.to_owned(), (status, code));
    }

    /// From now on texts to phones that begin with these digits are refused with this HTTP status and code.
    pub fn refuse_region(&self, region: &str, status: u16, code: u32) {
        lock(&self.exchange.state)
            .closed
            .insert(region.to_owned(), (status, code));
    }

    /// From now on all texts are refused with this HTTP status and code.
    pub fn refuse_all(&self, status: u16, code: u32) {
        lock(&self.exchange.state).refuse_all = Some((status, code));
    }

    /// Whether the messages of refusals repeat the text and the phone in full.
    pub fn refusals_quote(&self, quote: bool) {
        lock(&self.exchange.state).refusals_quote = quote;
    }

    /// Ends all refusals.
    pub fn refuse_none(&self) {
        let mut state = lock(&self.exchange.state);
        state.refusals.clear();
        state.closed.clear();
        state.refuse_all = None;
    }

    /// Whether every call is refused with 401 and code 20003: keys revoked, or the account suspended.
    pub fn auth_fails(&self, fails: bool) {
        lock(&self.exchange.state).auth_fails = fails;
    }

    /// Whether the list of messages is refused with 503.
    pub fn list_unavailable(&self, unavailable: bool) {
        lock(&self.exchange.state).list_unavailable = unavailable;
    }

    /// How long after it was taken a message is still missing from the list. At first no time.
    pub fn hide_from_list_for(&self, time: Duration) {
        lock(&self.exchange.state).hidden_for = time;
    }

    /// How long a message stays `queued` before it is `delivered`. At first no time.
    pub fn delivery_time(&self, time: Duration) {
        lock(&self.exchange.state).delivery_time = time;
    }

    /// The account is set up differently from now on.
    pub fn set_up(&self, change: impl FnOnce(&mut Setup)) {
        change(&mut lock(&self.exchange.state).setup);
    }

    /// The webhook that the account's numbers are configured with.
    pub fn sms_url(&self, url: &str) {
        self.set_up(|setup| url.clone_into(&mut setup.sms_url));
    }

    /// A text to one of the account's numbers, as it stands in Twilio's log whatever became of the webhook.
    pub fn add_inbound(&self, sid: &str, from: &str, to: &str, body: &str, date: SystemTime) {
        lock(&self.exchange.state).messages.push(Message {
            sid: sid.to_owned(),
            to: to.to_owned(),
            from: from.to_owned(),
            body: body.to_owned(),
            words: body.to_owned(),
            inbound: true,
            service: None,
            at: Instant::now(),
            date,
            deleted: false,
            callback: None,
            state: None,
        });
    }

    /// The state that the log shows of a text from now on, with an error code.
    pub fn has_state(&self, sid: &str, state: &'static str, code: Option<u32>) {
        let mut world = lock(&self.exchange.state);
        let message = world.messages.iter_mut().find(|message| message.sid == sid);
        message.expect("a text of that name").state = Some((state, code));
    }

    /// An entry of the log that came about in another way, as something else sends with the account. Any of its
    /// fields may be null, or not as Twilio describes them.
    pub fn logs_also(&self, date: SystemTime, entry: serde_json::Value) {
        lock(&self.exchange.state).others.push((date, entry));
    }

    /// Whether the log begins with the oldest entry.
    pub fn lists_oldest_first(&self, oldest_first: bool) {
        lock(&self.exchange.state).oldest_first = oldest_first;
    }

    /// Whether the account keeps no words of the texts that it sends from now on.
    pub fn keeps_no_words(&self, none: bool) {
        lock(&self.exchange.state).keeps_no_words = none;
    }

    /// The headers of a webhook that Twilio sends to this URL.
    pub fn signed_headers(&self, url: &str, params: &[(String, String)]) -> Vec<(String, String)> {
        let setup = &lock(&self.exchange.state).setup;
        super::signed_headers(&self.account, setup, url, params)
    }

    /// Webhooks follow these rules from now on.
    pub fn hook_rules(&self, rules: Vec<HookRule>) {
        lock(&self.exchange.state).setup.hook_rules = rules;
    }

    /// A public origin (`https://host`) is really at this address: status callbacks go there.
    pub fn reaches(&self, origin: &str, address: SocketAddr) {
        let mut state = lock(&self.exchange.state);
        state.reach.retain(|(known, _)| known != origin);
        state.reach.push((origin.to_owned(), address));
    }

    /// What becomes of texts to this phone from now on.
    pub fn fate_of(&self, phone: &str, fate: Fate) {
        lock(&self.exchange.state)
            .fates
            .insert(phone.to_owned(), fate);
    }

    /// What becomes of all other texts from now on.
    pub fn fate_of_all(&self, fate: Fate) {
        lock(&self.exchange.state).fate = Some(fate);
    }

    /// All status callbacks that were sent, oldest first.
    pub fn receipts(&self) -> Vec<SentReceipt> {
        lock(&self.exchange.state).receipts.clone()
    }

    /// What the log holds of the texts that were sent, oldest first; empty where one was redacted.
    pub fn logged_bodies(&self) -> Vec<String> {
        let state = lock(&self.exchange.state);
        let sent = state.messages.iter().filter(|message| !message.inbound);
        sent.map(|message| message.body.clone()).collect()
    }

    /// What students wrote, as the log has it now.
    pub fn received_bodies(&self) -> Vec<String> {
        let state = lock(&self.exchange.state);
        let received = state.messages.iter().filter(|message| message.inbound);
        received.map(|message| message.body.clone()).collect()
    }
}

//! Screens that can be copied and compared, for the model of all orders of events. Texts, phones and screens have small
//! numbers there, and time passes only when it is told to.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::slots::Slots;
use super::{ClaimState, NewClaim, ScreenLogin, ScreenState};
use crate::domain::{MessageSid, Password, Phone, PhoneHash, PhoneKey, ScreenCode, Username};

/// The screens of one process.
#[derive(Clone)]
pub(crate) struct CopiedScreens {
    slots: Slots,
    now: Instant,
    opened: u8,
}

impl Default for CopiedScreens {
    fn default() -> Self {
        static BEGIN: OnceLock<Instant> = OnceLock::new();
        Self {
            slots: Slots::new(Arc::default()),
            now: *BEGIN.get_or_init(Instant::now),
            opened: 0,
        }
    }
}

impl Hash for CopiedScreens {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.slots.picture(self.now, hasher);
    }
}

/// The sid of the text with this number.
fn sid(text: u8) -> MessageSid {
    static SIDS: OnceLock<Vec<MessageSid>> = OnceLock::new();
    let number = |text: u8| MessageSid::parse(&format!("SM{text:032x}")).expect("a sid");
    SIDS.get_or_init(|| (0..8).map(number).collect())[usize::from(text)].clone()
}

/// The last two digits of the phone with this number, and its hash.
fn phone(number: u8) -> (String, PhoneHash) {
    static PHONES: OnceLock<Vec<PhoneHash>> = OnceLock::new();
    let hash = |number: u8| {
        let phone = Phone::parse(&format!("+131255501{number:02}")).expect("a phone");
        phone.hash(&PhoneKey::derive("model"))
    };
    let all = PHONES.get_or_init(|| (0..4).map(hash).collect());
    (format!("{number:02}"), all[usize::from(number)])
}

/// The login of the account number `account` of a phone.
fn login(phone: u8, account: u8) -> ScreenLogin {
    static PARTS: OnceLock<(Username, Password)> = OnceLock::new();
    let draw = || (Username::draw(0), Password::draw());
    let (username, password) = PARTS.get_or_init(draw).clone();
    ScreenLogin {
        username,
        email: format!("{phone}-{account}"),
        password,
        workspace: String::new(),
    }
}

/// Whose login it is: the phone and the account.
pub(crate) fn whose(login: &ScreenLogin) -> (u8, u8) {
    let (phone, account) = login.email.split_once('-').expect("made by `login`");
    let number = |word: &str| word.parse().expect("a number");
    (number(phone), number(account))
}

impl CopiedScreens {
    fn with<T>(&mut self, work: impl FnOnce(&mut Slots, Instant) -> T) -> T {
        let result = work(&mut self.slots, self.now);
        // Nobody is told.
        drop(self.slots.take_news());
        result
    }

    /// Time passes.
    pub(crate) fn pass(&mut self, by: Duration) {
        self.now += by;
        self.with(Slots::pass_time);
    }

    /// A page opens; its number and its code.
    pub(crate) fn open(&mut self) -> (u8, ScreenCode) {
        self.opened += 1;
        let client = IpAddr::from(Ipv4Addr::LOCALHOST);
        let tag = self.opened.to_string();
        let code = self.with(|slots, now| slots.open(client, tag, now));
        (self.opened, code.expect("room for a few"))
    }

    /// The place of a page among those that are open; `None` = it is over.
    pub(crate) fn place(&self, page: u8) -> Option<usize> {
        let tag = page.to_string();
        self.slots.tags().position(|one| one == tag)
    }

    pub(crate) fn state(&mut self, page: u8) -> ScreenState {
        self.with(|slots, now| slots.state(&page.to_string(), now))
    }

    pub(crate) fn answer(&mut self, page: u8, claim: u64, yes: bool) {
        self.with(|slots, now| slots.answer(&page.to_string(), claim, yes, now));
    }

    /// The text of the claim with this number.
    pub(crate) fn text_of(&self, claim: u64) -> Option<u8> {
        let sid = self.slots.text_of(claim)?;
        sid.as_str()[2..].parse().ok()
    }

    pub(crate) fn arrived(&mut self, page: u8) {
        self.with(|slots, _| slots.arrived(&page.to_string()));
    }

    /// `heard`: this process has received the text.
    pub(crate) fn claim(&mut self, text: u8, by: u8, code: ScreenCode, heard: bool) -> ClaimState {
        let (ends, hash) = phone(by);
        self.with(|slots, now| {
            let new = NewClaim {
                code,
                sid: &sid(text),
                phone: &hash,
                ends: &ends,
                heard: heard.then_some(now),
            };
            slots.claim(new, now)
        })
    }

    pub(crate) fn claim_state(&self, text: u8) -> ClaimState {
        self.slots.claim_state(&sid(text))
    }

    pub(crate) fn offer(&mut self, text: u8, by: u8, account: u8) {
        self.with(|slots, now| slots.offer(&sid(text), login(by, account), now));
    }

    pub(crate) fn offered(&self, text: u8) -> Option<ScreenLogin> {
        self.slots.offered(&sid(text))
    }

    pub(crate) fn withdraw(&mut self, text: u8) {
        self.with(|slots, _| slots.withdraw(&sid(text)));
    }

    pub(crate) fn tell(&mut self, text: u8) {
        self.with(|slots, _| slots.tell(&sid(text), "no login"));
    }

    pub(crate) fn recorded(&mut self, text: u8) {
        self.with(|slots, _| slots.recorded(&sid(text)));
    }
}

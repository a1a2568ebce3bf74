//! The screens: open join pages on laptops, and which text may release a login to which of them.
//!
//! A screen shows a code. A text with that code *claims* the screen. The person at the laptop is asked
//! whether the phone is theirs, and only their yes to exactly this claim releases the login. Everything is
//! in memory: after a restart no screen is known, and pages ask for new codes by themselves.
//!
//! What is hidden here: the limits against floods, the life of screens, codes and claims, which claim is
//! asked about, and when a client may use its login. The caller gives the time; nothing here waits.

mod claim;
mod clients;
mod codes;
#[cfg(test)]
pub(crate) mod copied;
mod counts;
mod idle;
mod slots;

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

pub use claim::{ClaimState, NewClaim};
pub use counts::{ClaimEnd, ScreenCounters};

use crate::domain::{
    MessageSid, Password, ScreenCode, Secret, TOKEN_LENGTH, Username, nonce, prove, token,
};
use slots::Slots;

/// How long a screen lives after it was opened or last claimed.
pub const LIFE: Duration = Duration::from_secs(600);

/// How long an offered login waits for its screen.
pub const OFFER: Duration = Duration::from_secs(60);

/// A screen that was just opened.
pub struct NewScreen {
    /// What proves to us that a request comes from this page. It is in no URL and no log.
    pub secret: String,
    /// The code that the student texts.
    pub code: ScreenCode,
    /// How long the screen lives unless it is claimed.
    pub lives: Duration,
}

impl fmt::Debug for NewScreen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewScreen({}, ..)", self.code)
    }
}

/// There is no room for another screen of this client at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScreensFull;

impl fmt::Display for ScreensFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too many pages are open; the phrase can be texted without a code")
    }
}

impl std::error::Error for ScreensFull {}

/// What a page shows next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScreenState {
    /// Its code; nobody has texted it.
    Open,
    /// Whether this phone is that of the person at the laptop.
    Question {
        /// The claim that an answer has to name.
        claim: u64,
        /// The last two digits of the phone.
        ends: String,
    },
    /// That the account is being made.
    Making,
    /// The login.
    Login {
        /// The login itself.
        login: ScreenLogin,
        /// How long the page has to wait before it may use it.
        wait: Duration,
    },
    /// These words, in place of a login.
    Notice(String),
    /// A new code: this screen has ended, or its login was used.
    Gone,
}

/// A login for a screen.
#[derive(Clone, PartialEq, Eq)]
pub struct ScreenLogin {
    /// The name of the account.
    pub username: Username,
    /// Its e-mail address, which Coder's login asks for.
    pub email: String,
    /// Its password.
    pub password: Password,
    /// The path of its workspace at Coder; empty = none is known to be made.
    pub workspace: String,
}

impl fmt::Debug for ScreenLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScreenLogin({}, ..)", self.username)
    }
}

/// Called with a text whose claim has changed, by the thread that changed it. It must not wait.
pub type ClaimObserver = Box<dyn Fn(&MessageSid) + Send + Sync>;

/// Called with the account of a student whose browser is signed in, by the thread that learned it. It must
/// not wait.
pub type ArrivalObserver = Box<dyn Fn(&Username) + Send + Sync>;

/// All screens.
pub struct Screens {
    slots: Mutex<Slots>,
    /// Secrets are found by a keyed hash, so the time of a search tells nothing about them.
    key: Secret,
    on_change: ClaimObserver,
    on_arrival: OnceLock<ArrivalObserver>,
    counts: Arc<ScreenCounters>,
}

impl Screens {
    /// No screens yet. `on_change` learns of each text whose claim has changed, except by time alone; it is
    /// never called under a lock of this value.
    pub fn new(on_change: ClaimObserver) -> Self {
        let counts: Arc<ScreenCounters> = Arc::default();
        Self {
            slots: Mutex::new(Slots::new(Arc::clone(&counts))),
            key: Secret::new(nonce()),
            on_change,
            on_arrival: OnceLock::new(),
            counts,
        }
    }

    /// Has `observer` told of each browser that is signed in. Only the first one that is given counts.
    pub fn on_arrival(&self, observer: ArrivalObserver) {
        // A second one is dropped.
        let _ = self.on_arrival.set(observer);
    }

    /// Opens a screen for a client.
    ///
    /// # Errors
    /// This client has opened 600 screens within a minute, or there is no room and every screen is claimed.
    pub fn open(&self, client: IpAddr, now: Instant) -> Result<NewScreen, ScreensFull> {
        let secret = token();
        let tag = self.tag(&secret);
        let opened = self.within(now, |slots| slots.open(client, tag, now));
        match opened {
            Ok(code) => {
                self.counts.opened.add();
                Ok(NewScreen {
                    secret,
                    code,
                    lives: LIFE,
                })
            }
            Err(full) => {
                self.counts.refused.add();
                Err(full)
            }
        }
    }

    /// What the page with this secret shows next. The first answer that contains the login counts as its
    /// delivery.
    pub fn state(&self, secret: &str, now: Instant) -> ScreenState {
        let Some(tag) = self.tag_of(secret) else {
            return ScreenState::Gone;
        };
        self.within(now, |slots| slots.state(&tag, now))
    }

    /// The answer of the person at the laptop to the question about a claim. An answer to a claim that is
    /// no longer asked about changes nothing. Returns what the page shows next.
    pub fn answer(&self, secret: &str, claim: u64, yes: bool, now: Instant) -> ScreenState {
        let Some(tag) = self.tag_of(secret) else {
            return ScreenState::Gone;
        };
        self.within(now, |slots| {
            slots.answer(&tag, claim, yes, now);
            slots.state(&tag, now)
        })
    }

    /// The page has proved that its browser is signed in: the password is wiped from memory. Returns the path at
    /// Coder to go to, which is empty if no workspace is known; `None` = there is no such screen with a login.
    pub fn arrived(&self, secret: &str, now: Instant) -> Option<String> {
        let tag = self.tag_of(secret)?;
        self.within(now, |slots| slots.arrived(&tag))
    }

    /// The workspace of an account is made, and has this path at Coder.
    pub fn workspace_made(&self, owner: &Username, path: &str, now: Instant) {
        self.within(now, |slots| slots.workspace_made(owner, path));
    }

    /// A text with a code claims the screen that shows it. The same text may claim again; a claim that has
    /// not ended prolongs the life of its screen.
    pub fn claim(&self, claim: NewClaim<'_>, now: Instant) -> ClaimState {
        self.within(now, |slots| slots.claim(claim, now))
    }

    /// The login for a claim is ready. Another offer for the same claim does not prolong the wait.
    pub fn offer(&self, sid: &MessageSid, login: ScreenLogin, now: Instant) -> ClaimState {
        self.within(now, |slots| slots.offer(sid, login, now))
    }

    /// Has each text whose login waits at a screen looked at again: somebody may have ended its account, or replaced
    /// its password.
    pub fn review(&self, now: Instant) {
        let sids = self.within(now, |slots| slots.offers());
        sids.iter().for_each(|sid| (self.on_change)(sid));
    }

    /// The login that waits for the screen of this text; `None` = none does.
    pub fn offered(&self, sid: &MessageSid, now: Instant) -> Option<ScreenLogin> {
        self.within(now, |slots| slots.offered(sid))
    }

    /// Takes a login back that its screen has not fetched. Another offer may follow, until the first one would have
    /// ended.
    pub fn withdraw(&self, sid: &MessageSid, now: Instant) {
        self.within(now, |slots| slots.withdraw(sid));
    }

    /// Has the screen show these words in place of a login, once the claim is confirmed.
    pub fn tell(&self, sid: &MessageSid, words: &str, now: Instant) {
        self.within(now, |slots| slots.tell(sid, words));
    }

    /// What became of the claim of a text.
    pub fn claim_state(&self, sid: &MessageSid, now: Instant) -> ClaimState {
        self.within(now, |slots| slots.claim_state(sid))
    }

    /// The outcome of a claim is recorded, so it need not be remembered for the text's sake.
    pub fn recorded(&self, sid: &MessageSid, now: Instant) {
        self.within(now, |slots| slots.recorded(sid));
    }

    /// What is counted.
    pub fn counts(&self) -> &Arc<ScreenCounters> {
        &self.counts
    }

    /// Works on the slots as they are at `now`, then tells of what changed.
    fn within<T>(&self, now: Instant, work: impl FnOnce(&mut Slots) -> T) -> T {
        // No code that may panic runs under this lock.
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.pass_time(now);
        let result = work(&mut slots);
        let (changed, arrived) = slots.take_news();
        drop(slots);
        changed.iter().for_each(|sid| (self.on_change)(sid));
        if let Some(observer) = self.on_arrival.get() {
            arrived.iter().for_each(observer);
        }
        result
    }

    /// Whether nothing is remembered any more.
    #[cfg(test)]
    fn is_empty(&self) -> bool {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.is_empty()
    }

    fn tag_of(&self, secret: &str) -> Option<String> {
        (secret.len() == TOKEN_LENGTH).then(|| self.tag(secret))
    }

    fn tag(&self, secret: &str) -> String {
        prove(&self.key, &[secret])
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

//! Laptops and phones at a provisioner in this process: no threads, no Redis and no pages. A test says who
//! acts next, so that every order of events can be played.

use std::sync::Arc;
use std::time::{Duration, Instant};

use coder_sms_register::clock::unix_now;
use coder_sms_register::config::Reply;
use coder_sms_register::domain::Text;
use coder_sms_register::domain::registration::Registration;
use coder_sms_register::provision::{Outcome, Provisioner};
use coder_sms_register::screen::{NewScreen, ScreenLogin, ScreenState, Screens};

use super::inside::{Inside, sid};
use super::newcomers;
use crate::fakes::coder::{FakeCoder, Version};
use crate::fakes::twilio::FakeTwilio;

/// The address that all laptops of a hall have.
const CLIENT: [u8; 4] = [192, 0, 2, 7];

/// A hall.
pub struct Hall<'a> {
    inside: &'a Inside,
    /// The fake Coder.
    pub coder: Arc<FakeCoder>,
    /// The fake Twilio.
    pub twilio: FakeTwilio,
    /// The screens.
    pub screens: Arc<Screens>,
    /// What serves texts.
    pub provisioner: Provisioner,
    /// When the service was started last.
    began: Instant,
    texts: u64,
}

impl<'a> Hall<'a> {
    /// An empty hall whose texts have numbers from `first` on.
    pub fn open(inside: &'a Inside, reply: Reply, first: u64) -> Self {
        let coder = Arc::new(FakeCoder::start_version(Version::Newest));
        coder.rate_limits(false);
        let twilio = FakeTwilio::start_default();
        let screens = Arc::new(Screens::new(Box::new(|_| {})));
        let provisioner = Provisioner {
            reply,
            screens: Arc::clone(&screens),
            ..newcomers::provisioner(inside, &coder, &twilio)
        };
        Self {
            inside,
            coder,
            twilio,
            screens,
            provisioner,
            began: Instant::now(),
            texts: first,
        }
    }

    /// A laptop opens the page.
    pub fn opens(&self) -> NewScreen {
        let opened = self.screens.open(CLIENT.into(), Instant::now());
        opened.expect("room for a screen")
    }

    /// What a laptop shows.
    pub fn shows(&self, screen: &NewScreen) -> ScreenState {
        self.screens.state(&screen.secret, Instant::now())
    }

    /// The person at a laptop answers the question that it shows, if it shows one.
    pub fn says(&self, screen: &NewScreen, yes: bool) -> ScreenState {
        match self.shows(screen) {
            ScreenState::Question { claim, .. } => {
                self.screens
                    .answer(&screen.secret, claim, yes, Instant::now())
            }
            other => other,
        }
    }

    /// The login that a laptop shows.
    pub fn login(&self, screen: &NewScreen) -> ScreenLogin {
        match self.shows(screen) {
            ScreenState::Login { login, .. } => login,
            other => panic!("no login, but {other:?}"),
        }
    }

    /// A phone texts.
    pub fn text(&mut self, phone: &str, body: &str) -> Text {
        self.texts += 1;
        Text {
            sid: sid(self.texts),
            from: phone.to_owned(),
            to: "+15005550006".to_owned(),
            body: body.to_owned(),
            opt_out: None,
            received: unix_now(),
            heard: Some(Instant::now()),
        }
    }

    /// A phone texts the phrase with the code of a screen.
    pub fn text_code(&mut self, phone: &str, screen: &NewScreen) -> Text {
        self.text(phone, &format!("I am ready to learn {}", screen.code))
    }

    /// One attempt at a text, as the service reads it.
    pub fn attempt(&self, text: &Text) -> Outcome {
        self.provisioner.provision(&self.as_read(text), unix_now())
    }

    /// The same after the clock was set forward or back by this number of seconds.
    pub fn attempt_at_a_set_clock(&self, text: &Text, by: i64) -> Outcome {
        self.provisioner
            .provision(&self.as_read(text), unix_now() + by)
    }

    /// A text as the service reads it: when another process received it cannot be told.
    pub fn as_read(&self, text: &Text) -> Text {
        Text {
            heard: text.heard.filter(|heard| *heard >= self.began),
            ..text.clone()
        }
    }

    /// The minute in which a screen may fetch a login is over for this text.
    pub fn waits_a_minute(&self, text: &Text) {
        let later = Instant::now() + Duration::from_secs(61);
        self.screens.claim_state(&text.sid, later);
    }

    /// The service is killed and started again: it remembers no screen.
    pub fn restart(&mut self) {
        self.screens = Arc::new(Screens::new(Box::new(|_| {})));
        self.provisioner.screens = Arc::clone(&self.screens);
        self.began = Instant::now();
    }

    /// The account of a phone.
    pub fn account(&self, phone: &str) -> Option<Registration> {
        let found = self.inside.store().find(&self.inside.hash(phone));
        found.expect("the store answers")
    }

    /// Whether this login works at Coder, and is that of this phone.
    pub fn belongs(&self, login: &ScreenLogin, phone: &str) -> bool {
        let is_its = |account: Registration| account.username == login.username;
        self.account(phone).is_some_and(is_its)
            && self
                .coder
                .password_works(&login.email, login.password.reveal())
    }
}

/// The number of a phone by its place in the hall; no two of a hundred end in the same two digits.
pub fn phone(place: u64) -> String {
    format!("+1202{}", 5_550_100 + place)
}

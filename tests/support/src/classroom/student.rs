//! A student: a phone that texts, and reads what it gets.

use std::cell::Cell;
use std::time::{Duration, SystemTime};

use super::{Classroom, PATIENCE, PHRASE, http};
use crate::fakes::twilio::{self, SentText};

/// One phone of a class.
pub struct Student<'a> {
    class: &'a Classroom,
    phone: String,
    read: Cell<usize>,
}

/// What a login text says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Where to log in.
    pub site: String,
    /// As whom.
    pub email: String,
    /// With what.
    pub password: String,
}

impl Login {
    /// Reads a login text as a student would.
    pub fn read(text: &str) -> Option<Self> {
        let after = |label: &str| {
            let line = text.lines().find(|line| line.starts_with(label))?;
            Some(line[label.len()..].trim().to_owned())
        };
        let site = text
            .lines()
            .find(|line| line.starts_with("http"))?
            .to_owned();
        Some(Self {
            site,
            // In a text with little room the label is left out.
            email: after("E-mail:").or_else(|| {
                let line = text.lines().find(|line| line.contains('@'))?;
                Some(line.trim().to_owned())
            })?,
            password: after("Password:")?,
        })
    }

    /// The name in front of the address.
    pub fn username(&self) -> &str {
        self.email.split('@').next().unwrap_or("")
    }
}

/// A webhook request that is ready to be sent, also more than once.
#[derive(Clone)]
pub struct Webhook {
    /// Twilio's name for the text.
    pub sid: String,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
}

impl<'a> Student<'a> {
    pub(super) fn new(class: &'a Classroom, phone: String) -> Self {
        Self {
            class,
            phone,
            read: Cell::new(0),
        }
    }

    /// The class of the student.
    pub(super) fn class(&self) -> &Classroom {
        self.class
    }

    /// The student's number.
    pub fn phone(&self) -> &str {
        &self.phone
    }

    /// The webhook that Twilio would send for this text, which now stands in its log.
    pub fn webhook(&self, body: &str, extra: &[(&str, &str)]) -> Webhook {
        let to = self.class.twilio().account().from_numbers[0].clone();
        self.webhook_as(&self.phone, &to, body, extra)
    }

    /// The webhook that Twilio would send for the phrase.
    pub fn phrase_webhook(&self) -> Webhook {
        self.webhook(PHRASE, &[])
    }

    /// A webhook by RCS, where the class has a sender of that kind.
    pub fn webhook_by_rcs(&self, body: &str) -> Webhook {
        self.webhook_as(&format!("rcs:{}", self.phone), "rcs:brand_agent", body, &[])
    }

    /// A webhook from and to any addresses that Twilio may give.
    pub fn webhook_as(&self, from: &str, to: &str, body: &str, extra: &[(&str, &str)]) -> Webhook {
        let account = self.class.twilio().account();
        let sid = twilio::new_sid();
        let params = twilio::webhook_params(&sid, from, to, body, &account.account_sid, extra);
        self.class
            .twilio()
            .add_inbound(&sid, from, to, body, SystemTime::now());
        let url = self.class.signed_url();
        Webhook {
            sid,
            headers: self.class.twilio().signed_headers(&url, &params),
            body: twilio::form_encode(&params),
        }
    }

    /// Twilio sends this webhook once; gives the status of the answer, 0 if none came.
    pub fn posts(&self, webhook: &Webhook) -> u16 {
        let address = self.class.service().address();
        let answer = http::request(
            address,
            "POST",
            "/inbound",
            &webhook.headers,
            webhook.body.as_bytes(),
        );
        answer.map_or(0, |answer| answer.status)
    }

    /// Texts, and expects that the text is taken. As Twilio does with `rc=3&rp=ct,rt,5xx`, it is sent again while
    /// there is no answer, or a 503 of a slow machine. Gives Twilio's name for it.
    pub fn texts(&self, body: &str) -> String {
        if body.len() > 24 {
            self.class.keeps_secret(body);
        }
        let webhook = self.webhook(body, &[]);
        self.class
            .eventually("the text is taken", || match self.posts(&webhook) {
                200 => true,
                0 | 500.. => false,
                refused => panic!("the text is refused: status {refused}"),
            });
        webhook.sid
    }

    /// Texts something of which Twilio says that it is such an opt-out word (`STOP`, `START`, `HELP`).
    pub fn texts_a_word(&self, body: &str, kind: &str) -> String {
        let webhook = self.webhook(body, &[("OptOutType", kind)]);
        assert_eq!(self.posts(&webhook), 200, "the text is taken");
        webhook.sid
    }

    /// Texts the phrase.
    pub fn asks(&self) -> String {
        self.texts(PHRASE)
    }

    /// Texts the phrase and reads the login that comes.
    pub fn gets_a_login(&self) -> Login {
        self.asks();
        self.next_login()
    }

    /// All texts that came so far.
    pub fn inbox(&self) -> Vec<SentText> {
        self.class.twilio().texts_to(&self.phone)
    }

    /// Waits for the next text and reads it.
    pub fn next_text(&self) -> String {
        let number = self.read.get() + 1;
        self.read.set(number);
        let inbox = self
            .class
            .twilio()
            .wait_for_texts(&self.phone, number, PATIENCE);
        let inbox =
            inbox.unwrap_or_else(|| panic!("text number {number} to a student did not come"));
        inbox[number - 1].body.clone()
    }

    /// Waits for the next text, which must be a login.
    pub fn next_login(&self) -> Login {
        let text = self.next_text();
        Login::read(&text).expect("the text is a login")
    }

    /// The login in the last text that came.
    pub fn last_login(&self) -> Option<Login> {
        self.inbox().last().and_then(|text| Login::read(&text.body))
    }

    /// Whether the last login that came works at Coder.
    pub fn can_log_in(&self) -> bool {
        self.last_login().is_some_and(|login| {
            self.class
                .coder()
                .password_works(&login.email, &login.password)
        })
    }

    /// Fails if a text comes within that time.
    pub fn hears_nothing_for(&self, span: Duration) {
        let more = self.read.get() + 1;
        let heard = self.class.twilio().wait_for_texts(&self.phone, more, span);
        assert!(heard.is_none(), "a text came that should not");
    }

    /// Fails if more texts came than were read.
    pub fn has_read_all(&self) {
        assert_eq!(
            self.inbox().len(),
            self.read.get(),
            "texts came that nobody asked for"
        );
    }
}

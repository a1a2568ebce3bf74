//! A laptop with the join page, as far as the service knows it: what the page's script asks, without a browser.

use std::cell::RefCell;

use serde_json::Value;

use super::student::{Login, Student};
use super::{Classroom, PATIENCE, PHRASE, http};

/// One open join page.
pub struct Laptop<'a> {
    class: &'a Classroom,
    secret: RefCell<String>,
    code: RefCell<String>,
}

impl<'a> Laptop<'a> {
    pub(super) fn open(class: &'a Classroom) -> Self {
        let laptop = Self::closed(class);
        laptop.reloads();
        laptop
    }

    /// One whose page is not open yet.
    pub(super) fn closed(class: &'a Classroom) -> Self {
        Self {
            class,
            secret: RefCell::default(),
            code: RefCell::default(),
        }
    }

    /// The page asks for a new code.
    pub fn reloads(&self) {
        self.takes_code(self.asks("POST", "/screen", ""));
    }

    /// The same where the service may be dead. Returns whether a code came.
    pub fn tries_to_reload(&self) -> bool {
        let opened = self.tries("POST", "/screen", "");
        let came = opened.is_some();
        opened
            .into_iter()
            .for_each(|opened| self.takes_code(opened));
        came
    }

    fn takes_code(&self, opened: (u16, Value)) {
        assert_eq!(opened.0, 201, "{}", opened.1);
        let field = |name: &str| opened.1[name].as_str().expect("a text").to_owned();
        *self.secret.borrow_mut() = field("secret");
        *self.code.borrow_mut() = field("code");
        self.class.keeps_secret(&self.secret.borrow());
    }

    /// The code that it shows.
    pub fn code(&self) -> String {
        self.code.borrow().clone()
    }

    /// What a student texts for it.
    pub fn words(&self) -> String {
        format!("{PHRASE} {}", self.code.borrow())
    }

    /// What the page is told to show.
    pub fn state(&self) -> Value {
        self.asks("GET", "/screen", "").1
    }

    /// The same where the service may be dead.
    pub fn tries_state(&self) -> Option<Value> {
        self.tries("GET", "/screen", "").map(|(_, state)| state)
    }

    /// The person in front of it answers a question.
    pub fn answers(&self, claim: &Value, yes: bool) -> Value {
        let form = format!("claim={claim}&yes={}", u8::from(yes));
        self.asks("POST", "/screen/answer", &form).1
    }

    /// The same where the service may be dead.
    pub fn tries_to_answer(&self, claim: &Value, yes: bool) {
        let form = format!("claim={claim}&yes={}", u8::from(yes));
        self.tries("POST", "/screen/answer", &form);
    }

    /// Waits for that state.
    #[track_caller]
    pub fn shows(&self, state: &str) -> Value {
        self.class
            .eventually(&format!("the page shows {state}"), || {
                self.state()["state"] == state
            });
        self.state()
    }

    /// Waits for the question about this student's phone, and answers it.
    #[track_caller]
    pub fn is_asked(&self, student: &Student<'_>, yes: bool) -> Value {
        let question = self.shows("question");
        let ends = question["ends"].as_str().expect("two digits");
        assert!(student.phone().ends_with(ends), "the digits of {ends}");
        self.answers(&question["claim"], yes)
    }

    /// Waits for the login, which must work.
    #[track_caller]
    pub fn login(&self) -> Login {
        let login = self.read(&self.shows("login"));
        let works = self
            .class
            .coder()
            .password_works(&login.email, &login.password);
        assert!(works, "the login does not work");
        login
    }

    /// The login in what the page is told to show.
    pub fn read(&self, shown: &Value) -> Login {
        let field = |name: &str| shown[name].as_str().expect("a text").to_owned();
        let login = Login {
            site: self.class.coder().url(),
            email: field("email"),
            password: field("password"),
        };
        self.class.keeps_secret(&login.password);
        assert_eq!(login.username(), field("username"));
        login
    }

    /// The page reports that its browser is signed in. Returns the status of the answer.
    pub fn arrives(&self) -> u16 {
        self.asks("POST", "/screen/arrived", "").0
    }

    /// The same. Returns the path at Coder that the page goes to.
    #[track_caller]
    pub fn arrives_at(&self) -> String {
        let (status, told) = self.asks("POST", "/screen/arrived", "");
        match (status, told["path"].as_str()) {
            (204, None) => String::new(),
            (200, Some(path)) => path.to_owned(),
            _ => panic!("{status} {told}"),
        }
    }

    /// The same where the service may be dead. Returns whether the service has taken it.
    pub fn tries_to_arrive(&self) -> bool {
        let answer = self.tries("POST", "/screen/arrived", "");
        answer.is_some_and(|(status, _)| [200, 204].contains(&status))
    }

    /// The student texts the code and says yes. Returns the login.
    #[track_caller]
    pub fn signs_in(&self, student: &Student<'_>) -> Login {
        student.texts(&self.words());
        self.is_asked(student, true);
        let login = self.login();
        self.arrives_at();
        login
    }

    fn asks(&self, method: &str, path: &str, form: &str) -> (u16, Value) {
        let answer = self.tries(method, path, form);
        answer.expect("the page is answered")
    }

    fn tries(&self, method: &str, path: &str, form: &str) -> Option<(u16, Value)> {
        let headers = [("X-Screen".to_owned(), self.secret.borrow().clone())];
        let address = self.class.service().listens(PATIENCE)?;
        let answer = http::request(address, method, path, &headers, form.as_bytes()).ok()?;
        // What was cut off by a kill has no status.
        if answer.status == 0 {
            return None;
        }
        let body = serde_json::from_str(answer.body()).unwrap_or(Value::Null);
        Some((answer.status, body))
    }
}

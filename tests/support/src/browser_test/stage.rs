//! A class whose pages a browser can open, and what people do in front of a laptop.

use std::path::PathBuf;
use std::time::Duration;

use coder_sms_register::domain::{Phone, PhoneKey};

use crate::browser::{Browser, Window, hosts};
use crate::classroom::student::Student;
use crate::classroom::{Classroom, PHRASE, Plan, preload};

/// What all scenes share.
pub struct Stage {
    binary: PathBuf,
    browser: Browser,
    /// Where pictures of the pages go, if they are wanted.
    pub pictures: Option<PathBuf>,
}

impl Stage {
    /// A stage with the program under test and a running Chromium.
    pub fn new(binary: PathBuf, browser: Browser, pictures: Option<PathBuf>) -> Self {
        Self {
            binary,
            browser,
            pictures,
        }
    }

    /// Chromium.
    pub fn browser(&self) -> &Browser {
        &self.browser
    }

    /// A class with pages, whose logins go this way: `text`, `both` or `screen`.
    pub fn class(&self, reply: &str) -> Classroom {
        self.class_with(reply, hosts::CODER)
    }

    /// The same, with Coder at this host.
    pub fn class_with(&self, reply: &str, coder: &str) -> Classroom {
        let class = self.prepare(reply, coder);
        class.start_service();
        class
    }

    /// A class whose students get workspaces.
    pub fn class_with_workspaces(&self, reply: &str) -> Classroom {
        let class = self.prepare(reply, hosts::CODER);
        class.set("CODER_REG_TEMPLATE", "docker");
        class.start_service();
        class
    }

    /// A class for `time_passes`.
    pub fn class_in_time(&self, reply: &str) -> Classroom {
        let class = self.prepare(reply, hosts::CODER);
        let source = concat!(
            include_str!("../classroom/ahead.c"),
            include_str!("uptime.c")
        );
        let library = preload::library("uptime", source);
        class.set("LD_PRELOAD", &format!("{}:{library}", hosts::library()));
        let file = class.folder().join(UPTIME);
        class.set("UPTIME_AHEAD_FILE", &file.display().to_string());
        class.start_service();
        class
    }

    fn prepare(&self, reply: &str, coder: &str) -> Classroom {
        let port = hosts::free_port();
        let class = Plan::new(&self.binary)
            .with("CODER_REG_LISTEN", &format!("127.0.0.1:{port}"))
            .with(
                "CODER_REG_PAGES_URL",
                &format!("http://{}:{port}", hosts::PAGES),
            )
            .with("CODER_REG_REPLY", reply)
            .with("CODER_REG_ORG", "Example University")
            .with("CODER_REG_CONTACT", "class@example.org")
            .with("CODER_REG_NUMBER", "+13125550100")
            .with("CODER_REG_PASS", PHRASE)
            .with("LD_PRELOAD", &hosts::library())
            .prepare();
        let api = class.settings()["CODER_API_URL"].replace("127.0.0.1", coder);
        class.set("CODER_API_URL", &api);
        class
    }
}

/// The file that tells the service by how many seconds its clocks are ahead.
const UPTIME: &str = "uptime-ahead";

/// For the service this time passes at once.
pub fn time_passes(class: &Classroom, time: Duration) {
    let (file, draft) = (class.folder().join(UPTIME), class.folder().join("draft"));
    let before = std::fs::read_to_string(&file).unwrap_or_default();
    let ahead = before.parse().unwrap_or(0) + time.as_secs();
    // Whole or not at all: the service may look at any moment.
    std::fs::write(&draft, ahead.to_string()).expect("a file is written");
    std::fs::rename(&draft, &file).expect("and put into place");
}

/// Where the pages of a class are, without a slash at the end.
pub fn pages_of(class: &Classroom) -> String {
    class.settings()["CODER_REG_PAGES_URL"].clone()
}

/// Where Coder is for browsers, without a slash at the end.
pub fn coder_of(class: &Classroom) -> String {
    let api = class.settings()["CODER_API_URL"].clone();
    api.trim_end_matches("/api/v2/").to_owned()
}

/// The end of the student's number, as the laptop shows it.
pub fn ends_of<'a>(student: &'a Student<'_>) -> &'a str {
    let phone = student.phone();
    &phone[phone.len() - 2..]
}

/// A laptop with the join page open.
pub struct BrowserLaptop<'a> {
    /// Its window.
    pub window: Window<'a>,
    pages: String,
    coder: String,
}

impl<'a> BrowserLaptop<'a> {
    /// A window that opens the join page of this class.
    pub fn opens(window: Window<'a>, class: &Classroom) -> Self {
        let laptop = Self {
            window,
            pages: pages_of(class),
            coder: coder_of(class),
        };
        laptop.window.open(&format!("{}/", laptop.pages));
        laptop
    }

    /// The code that it shows, once it does.
    #[track_caller]
    pub fn code(&self) -> String {
        let is_code = |text: String| text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit());
        self.window
            .eventually("a code", |window| window.text("#code").is_some_and(is_code));
        self.window.text("#code").expect("it was there")
    }

    /// The text that the student is asked to send.
    #[track_caller]
    pub fn wanted_text(&self) -> String {
        format!("{PHRASE} {}", self.code())
    }

    /// Waits for the question after this phone.
    #[track_caller]
    pub fn asks_after(&self, student: &Student<'_>) {
        self.window
            .eventually("the question after that phone", |window| {
                window.text("#question #ends").as_deref() == Some(ends_of(student))
            });
    }

    /// The student texts this laptop's code and says yes.
    #[track_caller]
    pub fn is_joined_by(&self, student: &Student<'_>) {
        student.texts(&self.wanted_text());
        self.asks_after(student);
        self.window.click("#yes");
    }

    /// Its lid is closed: the page does nothing any more.
    pub fn falls_asleep(&self) {
        let listen = "window.slept = false; document.onfreeze = () => { window.slept = true; };";
        self.window.run(listen, &[]).expect("a script");
        self.lives("frozen");
    }

    /// Its lid is opened.
    #[track_caller]
    pub fn wakes_up(&self) {
        self.lives("active");
        let slept = self.window.run("return window.slept", &[]);
        assert_eq!(slept, Ok(true.into()), "it slept");
    }

    fn lives(&self, state: &str) {
        let state = serde_json::json!({ "state": state });
        self.window.devtools("Page.setWebLifecycleState", &state);
    }

    /// The same browser opens the join page once more.
    pub fn comes_back(&self) {
        self.window.open(&format!("{}/", self.pages));
    }

    /// Whether it has left for Coder.
    pub fn is_at_coder(&self) -> bool {
        self.window.url().starts_with(&self.coder)
    }

    /// Waits until it shows Coder, and gives the name of who is signed in there.
    #[track_caller]
    pub fn signed_in_as(&self) -> String {
        self.window.eventually("Coder", |_| self.is_at_coder());
        self.window.eventually_shows("#who")
    }

    /// Signs in at Coder by hand, as its own page would, in a tab of its own.
    pub fn signs_in_by_hand(&self, email: &str, password: &str) {
        let tab = self.window.new_tab();
        tab.open(&self.coder);
        let script = "const [email, password] = arguments;
            return fetch('/api/v2/users/login', { method: 'POST', body: JSON.stringify({ email, password }) })
                .then(answer => answer.status);";
        let status = tab.run(script, &[email.into(), password.into()]);
        assert_eq!(status, Ok(201.into()), "the login by hand");
        tab.close();
    }
}

/// Nothing was sent, nor tried to be sent.
#[track_caller]
pub fn nothing_was_sent(class: &Classroom) {
    let sends = class.twilio().count(crate::fakes::twilio::ops::SEND);
    assert_eq!(sends, 0, "calls to send a text");
}

/// The name of the account that was made for this phone, as the database has it.
pub fn account_of(class: &Classroom, student: &Student<'_>) -> String {
    let key = PhoneKey::derive(&class.twilio().account().account_token);
    let phone = Phone::parse_any(student.phone()).expect("a phone number");
    let hash = phone.hash(&key);
    let hash: String = hash.as_bytes().iter().map(|b| format!("{b:02x}")).collect();
    class.query(&format!(
        "SELECT username FROM registrations WHERE phone = x'{hash}'"
    ))
}

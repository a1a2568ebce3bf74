//! Is everything ready for class? The real binary looks at a class that is, and at one that is broken in
//! one way or another: each broken thing is found, its cure named, and all else still passes.
//!
//! - `whole`: a class that is ready, and `check` leaves nothing behind
//! - `local`: settings, data folder, Redis, phrase
//! - `coder`, `twilio`, `carriers`, `public`: what is broken there
//! - `unseen`: what could not be inspected at Twilio
//! - `write`: the user that is made, logs in and goes
//! - `classes`: several classes side by side
//! - `workspaces`: the template of workspaces
//! - `pages`: the public pages
//! - `front`: what stands between the internet and the service

mod carriers;
mod classes;
mod coder;
mod front;
mod local;
mod pages;
mod public;
mod signing;
mod twilio;
mod unseen;
mod whole;
mod workspaces;
mod write;

use std::ops::Deref;

use rustix::process::Signal;
use serde_json::Value;

use crate::plan;
use front::Front;
use support::classroom::service::Ended;
use support::classroom::{Classroom, PATIENCE};
use support::fakes::coder::Role;

/// A class behind a public front, both at Twilio and here.
struct Ready {
    front: Front,
    class: Classroom,
}

/// A class that is ready, and runs.
fn ready() -> Ready {
    let ready = before_start();
    ready.starts();
    ready
}

/// The same before its service was ever started.
fn before_start() -> Ready {
    let class = plan().prepare();
    let front = Front::open();
    let url = format!("{}/inbound", front.url());
    // More than that may not log in within one minute.
    class.set("CODER_REG_MAX_USERS", "60");
    class.set("TWILIO_WEBHOOK_URL", &url);
    class.twilio().sms_url(&format!("{url}#rc=3&rp=ct,rt,5xx"));
    Ready { front, class }
}

/// The verbs of the class are those of the ready class.
impl Deref for Ready {
    type Target = Classroom;

    fn deref(&self) -> &Classroom {
        &self.class
    }
}

impl Ready {
    fn starts(&self) {
        self.class.set("CODER_REG_LISTEN", "127.0.0.1:0");
        self.class.start_service();
        let address = self.class.service().address();
        self.front.leads_to(address);
        self.class.set("CODER_REG_LISTEN", &address.to_string());
    }

    /// Its service ends in order, so that all of the database is in its one file.
    fn stops(&self) {
        let service = self.class.service();
        service.signal(Signal::TERM);
        assert!(service.wait(PATIENCE).is_some());
        self.front.shows(502, "Bad Gateway");
    }

    /// Checks everything.
    fn check(&self) -> Report {
        self.check_with(&[])
    }

    fn check_with(&self, options: &[&str]) -> Report {
        let arguments = [&["check", "--json"], options].concat();
        Report::of(self.class.try_service(&arguments))
    }

    /// The same as [`Ready::finds_beside`], where no other area is touched.
    fn finds(&self, area: &str, what: &str, cure: &str) -> Report {
        self.finds_beside(area, what, cure, &[])
    }

    /// Checks everything; one thing is broken, and all that is not about it is as in a class that is
    /// ready. `touched` = the areas whose other findings may differ.
    fn finds_beside(&self, area: &str, what: &str, cure: &str, touched: &[&str]) -> Report {
        let report = self.check();
        report.ends_with(1);
        report.has("fault", area, what, cure);
        let faults = report.all("fault").count();
        assert_eq!(faults, 1, "one thing is broken: {report:#?}");
        report.is_well_elsewhere(&[touched, &[area]].concat());
        report
    }
}

/// What `check --json` said.
#[derive(Debug)]
struct Report {
    findings: Vec<Found>,
    whole: Value,
    ended: Ended,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    area: String,
    verdict: String,
    what: String,
    cure: Option<String>,
}

/// Warnings about every class in these tests, as its addresses are only known to this machine.
const WARNINGS: [&str; 3] = [
    "an address that only this machine can open",
    "is not https: texts and phone numbers cross the network unencrypted",
    "Twilio cannot reach 127.0.0.1",
];

impl Report {
    fn of(ended: Ended) -> Self {
        let whole: Value = serde_json::from_str(&ended.stdout)
            .unwrap_or_else(|error| panic!("{error}: {ended:?}"));
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let found = |one: &Value| Found {
            area: text(&one["area"]).expect("an area"),
            verdict: text(&one["verdict"]).expect("a verdict"),
            what: text(&one["what"]).expect("what was looked at"),
            cure: text(&one["cure"]),
        };
        let findings = whole["findings"].as_array().expect("findings");
        Self {
            findings: findings.iter().map(found).collect(),
            whole,
            ended,
        }
    }

    fn all<'a>(&'a self, verdict: &'a str) -> impl Iterator<Item = &'a Found> {
        self.findings
            .iter()
            .filter(move |one| one.verdict == verdict)
    }

    /// How many findings of that verdict an area has.
    fn in_area(&self, verdict: &str, area: &str) -> usize {
        self.all(verdict).filter(|one| one.area == area).count()
    }

    /// Fails if scripts or people are told that the class is ready.
    fn is_not_ready(&self) {
        assert_eq!(self.ended.code, Some(1), "{self:#?}");
        assert_eq!(self.whole["ready"], Value::Bool(false), "{self:#?}");
    }

    /// Fails unless `check` ended with this exit code.
    fn ends_with(&self, code: i32) {
        assert_eq!(self.ended.code, Some(code), "{self:#?}");
    }

    /// Fails unless there is such a finding, with such a cure.
    fn has(&self, verdict: &str, area: &str, what: &str, cure: &str) {
        let fits = |one: &&Found| {
            one.area == area
                && one.what.contains(what)
                && one.cure.as_deref().unwrap_or_default().contains(cure)
        };
        let found = self.all(verdict).find(fits);
        assert!(found.is_some(), "{verdict}: {what} -> {cure}: {self:#?}");
    }

    /// Fails unless all is as it should be but in these areas, which may have a finding other than "pass".
    fn is_well_elsewhere(&self, touched: &[&str]) {
        for one in &self.findings {
            let usual = WARNINGS.iter().any(|words| one.what.contains(words));
            let fine = one.verdict == "pass" || (one.verdict == "warning" && usual);
            assert!(
                fine || touched.contains(&one.area.as_str()),
                "{one:?} in {self:#?}"
            );
        }
        let areas = self.findings.iter().map(|one| one.area.as_str());
        let mut areas: Vec<&str> = areas.collect();
        areas.dedup();
        assert_eq!(areas, AREAS, "everything was looked at");
    }
}

const AREAS: [&str; 8] = [
    "settings",
    "data folder",
    "redis",
    "coder",
    "twilio",
    "public url",
    "clock",
    "phrase",
];

/// What `check` prints for a class whose number leads elsewhere at Twilio.
pub fn of_a_class_with_a_wrong_url() -> String {
    let ready = before_start();
    ready.set("CODER_REG_TEMPLATE", "docker");
    ready.starts();
    let roles = [Role::UserAdmin, Role::OrganizationAdmin];
    ready.coder().token_roles(&roles);
    ready.twilio().sms_url("https://old.example.org/sms");
    ready.try_service(&["check"]).stdout
}

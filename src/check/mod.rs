//! Checks that everything is ready for class: it inspects all that the service needs, changes
//! nothing, and gives a cure for each fault.
//!
//! There is one module for each checked area. It collects facts from the module of that technology
//! and judges them. The judgements are functions of these facts, so that tests can use tables.

mod clock;
mod coder;
mod folder;
mod foreign;
mod mails;
mod members;
mod pages;
mod phrase;
mod probe_user;
mod probe_workspace;
mod public;
mod redis;
mod room;
mod settings;
mod spares;
mod template;
mod token;
mod twilio;
mod webhook_target;

use std::time::Duration;

use crate::config::PartialConfig;
use crate::http::Http;

/// The longest time for one call of a check.
const CALL_LIMIT: Duration = Duration::from_secs(5);

/// The checked areas, in the order of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// The settings.
    Settings,
    /// The data folder, its database, and the service that uses it.
    Folder,
    /// Redis.
    Redis,
    /// Coder.
    Coder,
    /// The account at Twilio.
    Twilio,
    /// The public URL, as seen from this machine.
    Public,
    /// The public pages.
    Pages,
    /// This machine's clock.
    Clock,
    /// The phrase, and what students get for it.
    Phrase,
}

impl Area {
    /// Its name in the report, one or two words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Folder => "data folder",
            Self::Redis => "redis",
            Self::Coder => "coder",
            Self::Twilio => "twilio",
            Self::Public => "public url",
            Self::Pages => "pages",
            Self::Clock => "clock",
            Self::Phrase => "phrase",
        }
    }
}

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckStatus {
    /// In order.
    Pass,
    /// The class can begin, but the operator should read this.
    Warning,
    /// The class cannot begin.
    Fault,
    /// It could not be checked, so it is unknown whether the class can begin.
    Skipped,
}

impl CheckStatus {
    /// Whether the class can begin, by this result alone.
    pub fn is_ready(self) -> bool {
        matches!(self, Self::Pass | Self::Warning)
    }

    /// The word in the JSON report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warning => "warning",
            Self::Fault => "fault",
            Self::Skipped => "skipped",
        }
    }
}

/// The result of one check. Contains no secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The area that it belongs to.
    pub area: Area,
    /// What was checked, and what was found.
    pub what: String,
    /// What it means for the class.
    pub verdict: CheckStatus,
    /// What to do; `None` if nothing.
    pub cure: Option<String>,
}

/// Collects the findings of one area.
struct Notes<'a> {
    area: Area,
    all: &'a mut Vec<Finding>,
}

impl<'a> Notes<'a> {
    fn of(area: Area, all: &'a mut Vec<Finding>) -> Self {
        Self { area, all }
    }

    fn add(&mut self, verdict: CheckStatus, what: impl Into<String>, cure: Option<String>) {
        // SQLite's messages may have several lines.
        let line = |text: String| text.replace(char::is_control, " ");
        self.all.push(Finding {
            area: self.area,
            what: line(what.into()),
            verdict,
            cure: cure.map(line),
        });
    }

    fn pass(&mut self, what: impl Into<String>) {
        self.add(CheckStatus::Pass, what, None);
    }

    fn warn(&mut self, what: impl Into<String>, cure: impl Into<String>) {
        self.add(CheckStatus::Warning, what, Some(cure.into()));
    }

    fn fault(&mut self, what: impl Into<String>, cure: impl Into<String>) {
        self.add(CheckStatus::Fault, what, Some(cure.into()));
    }

    /// Notes that something could not be checked, and why.
    fn skip(&mut self, what: &str, because: &str) {
        let what = format!("{what}: not checked, {because}");
        self.add(CheckStatus::Skipped, what, None);
    }

    /// Like [`Notes::skip`], with a cure.
    fn skip_until(&mut self, what: &str, because: &str, cure: impl Into<String>) {
        let what = format!("{what}: not checked, {because}");
        self.add(CheckStatus::Skipped, what, Some(cure.into()));
    }

    /// Notes that something is in order, or a fault.
    fn judge(&mut self, in_order: bool, what: &str, error: &str, cure: &str) {
        if in_order {
            self.pass(what);
        } else {
            self.fault(error, cure);
        }
    }
}

/// Whether the service sends texts. If the settings have faults, it is assumed to.
fn sends_texts(parts: &PartialConfig) -> bool {
    let pages = parts.pages.as_ref();
    pages.is_none_or(|pages| pages.reply.by_text())
}

/// Checks everything that `parts` configures. With `announce`, it also creates a user at Coder,
/// logs in as that user and deletes it; `announce` gets the user's name before the user is created.
pub fn inspect(parts: &PartialConfig, announce: Option<&dyn Fn(&str)>) -> Vec<Finding> {
    let mut all = Vec::new();
    settings::inspect(parts, &mut Notes::of(Area::Settings, &mut all));
    let facts = folder::inspect(parts, &mut Notes::of(Area::Folder, &mut all));
    redis::inspect(parts, &facts, &mut Notes::of(Area::Redis, &mut all));
    let limit = parts.call_limit.unwrap_or(CALL_LIMIT);
    let http = Http::new(limit.min(CALL_LIMIT));
    let coder_facts = coder::inspect(parts, &http, &facts, &mut Notes::of(Area::Coder, &mut all));
    if let Some(announce) = announce {
        // Coder needs longer to create a user than to answer other calls.
        let http = Http::new(limit);
        probe_user::inspect(
            parts,
            &http,
            &facts,
            &coder_facts,
            announce,
            &mut Notes::of(Area::Coder, &mut all),
        );
    }
    let twilio_facts = twilio::inspect(parts, &http, &mut Notes::of(Area::Twilio, &mut all));
    public::inspect(parts, &http, &facts, &mut Notes::of(Area::Public, &mut all));
    pages::inspect(parts, &http, &facts, &mut Notes::of(Area::Pages, &mut all));
    clock::inspect(
        coder_facts.clock_ahead,
        twilio_facts.clock_ahead,
        sends_texts(parts),
        &mut Notes::of(Area::Clock, &mut all),
    );
    phrase::inspect(parts, &mut Notes::of(Area::Phrase, &mut all));
    all
}

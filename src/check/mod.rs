//! Is everything ready for class? Looks at all that the service needs, changes nothing, and names for
//! each fault what helps.
//!
//! A room for each thing that is looked at; it asks the room of that technology and judges the answer.
//! Judgements are functions of what was found, so that tables can test them.

mod clock;
mod coder;
mod folder;
mod mails;
mod members;
mod phrase;
mod probe_user;
mod public;
mod redis;
mod settings;
mod token;
mod twilio;
mod webhook_target;

use std::time::Duration;

use crate::config::PartialConfig;
use crate::http::Http;

/// Longest time that one call of a look may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was looked at, in the order of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// The settings.
    Settings,
    /// The data folder, its database, and the service that works on it.
    Folder,
    /// Redis.
    Redis,
    /// Coder.
    Coder,
    /// The account at Twilio.
    Twilio,
    /// The public URL, from here.
    Public,
    /// This machine's clock.
    Clock,
    /// The phrase, and what students get for it.
    Phrase,
}

impl Area {
    /// Its name, in one or two words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Folder => "data folder",
            Self::Redis => "redis",
            Self::Coder => "coder",
            Self::Twilio => "twilio",
            Self::Public => "public url",
            Self::Clock => "clock",
            Self::Phrase => "phrase",
        }
    }
}

/// What a look came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckStatus {
    /// As it should be.
    Pass,
    /// The class can begin, but somebody should look.
    Warning,
    /// The class cannot begin like this.
    Fault,
    /// It could not be looked at, so the class is not known to be ready.
    Skipped,
}

impl CheckStatus {
    /// Whether the class can begin, as far as this goes.
    pub fn is_ready(self) -> bool {
        matches!(self, Self::Pass | Self::Warning)
    }

    /// The word for scripts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warning => "warning",
            Self::Fault => "fault",
            Self::Skipped => "skipped",
        }
    }
}

/// One thing that was looked at. Tells nothing secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where it belongs.
    pub area: Area,
    /// What was looked at and how it is.
    pub what: String,
    /// What that means.
    pub verdict: CheckStatus,
    /// What helps; `None` where nothing has to.
    pub cure: Option<String>,
}

/// The findings of one area, as they are made.
struct Notes<'a> {
    area: Area,
    all: &'a mut Vec<Finding>,
}

impl<'a> Notes<'a> {
    fn of(area: Area, all: &'a mut Vec<Finding>) -> Self {
        Self { area, all }
    }

    fn add(&mut self, verdict: CheckStatus, what: impl Into<String>, cure: Option<String>) {
        // SQLite's words come in several lines.
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

    /// Could not be looked at, because of that; so nobody knows whether the class can begin.
    fn skip(&mut self, what: &str, because: &str) {
        let what = format!("{what}: not looked at, {because}");
        self.add(CheckStatus::Skipped, what, None);
    }

    /// The same where something helps.
    fn skip_until(&mut self, what: &str, because: &str, cure: impl Into<String>) {
        let what = format!("{what}: not looked at, {because}");
        self.add(CheckStatus::Skipped, what, Some(cure.into()));
    }

    /// As it should be, or a fault.
    fn judge(&mut self, well: bool, what: &str, fault: &str, cure: &str) {
        if well {
            self.pass(what);
        } else {
            self.fault(fault, cure);
        }
    }
}

/// Looks at everything that `parts` tell of. With `announce`, also makes a user in Coder, logs in as it
/// and deletes it; `announce` is told the user's name before there is one.
pub fn inspect(parts: &PartialConfig, announce: Option<&dyn Fn(&str)>) -> Vec<Finding> {
    let mut all = Vec::new();
    settings::inspect(parts, &mut Notes::of(Area::Settings, &mut all));
    let facts = folder::inspect(parts, &mut Notes::of(Area::Folder, &mut all));
    redis::inspect(parts, &facts, &mut Notes::of(Area::Redis, &mut all));
    let limit = parts.call_limit.unwrap_or(PATIENCE);
    let http = Http::new(limit.min(PATIENCE));
    let at_coder = coder::inspect(parts, &http, &mut Notes::of(Area::Coder, &mut all));
    if let Some(announce) = announce {
        // Making a user takes Coder longer than a look.
        let http = Http::new(limit);
        probe_user::inspect(
            parts,
            &http,
            &facts,
            &at_coder,
            announce,
            &mut Notes::of(Area::Coder, &mut all),
        );
    }
    let at_twilio = twilio::inspect(parts, &http, &mut Notes::of(Area::Twilio, &mut all));
    public::inspect(parts, &http, &facts, &mut Notes::of(Area::Public, &mut all));
    clock::inspect(
        at_coder.clock_ahead,
        at_twilio.clock_ahead,
        &mut Notes::of(Area::Clock, &mut all),
    );
    phrase::inspect(parts, &mut Notes::of(Area::Phrase, &mut all));
    all
}

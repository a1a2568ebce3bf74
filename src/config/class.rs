//! The group "The class": which students are served, and what they get.

use std::time::Duration;

use super::classes::{self, ClassSettings, ClassState};
use super::reader::{Faulty, Reader};
use super::span;
use super::workspace::{self, WorkspaceConfig};
use super::{CoderConfig, SettingProblem};
use super::{span_words, words_of};
use crate::domain::{ClassName, Countries, PhraseMatch, Secret, UnixSeconds};

/// Which students are served, what they get, and how often.
#[derive(Clone, Debug)]
pub struct ClassConfig {
    /// The classes; never empty. One without a name is the only one.
    pub classes: Vec<ClassSettings>,
    /// Lifetime of an account after its login was texted, where its class says nothing else; `None` = it is
    /// never removed.
    pub remove_after: Option<Duration>,
    /// The longest lifetime to which an account may be extended, counted from its login; `None` =
    /// no limit.
    pub max_time: Option<Duration>,
    /// Pause between two searches for accounts whose time is up.
    pub check_interval: Duration,
    /// How long a running workspace of an expired account is left alone; `None` = forever.
    pub stop_after: Option<Duration>,
    /// The countries whose phones are served.
    pub countries: Countries,
    /// Pause between two hints to one phone; `None` = no hints.
    pub hint_interval: Option<Duration>,
    /// Pause after a login in which the same phone gets no other login.
    pub resend_interval: Duration,
    /// Logins that one phone gets within 24 hours.
    pub resend_daily: u32,
    /// The workspace that students get with the login if their class has no template of its own; `None` =
    /// none.
    pub workspace: Option<WorkspaceConfig>,
}

impl ClassConfig {
    /// The class whose phrase `body` is, and how it is; with `codes` a code may stand beside it. `None` = it
    /// is no phrase.
    pub fn asked(&self, body: &str, codes: bool) -> Option<(&ClassSettings, PhraseMatch)> {
        self.classes.iter().find_map(|class| {
            let matched = match (codes, class.phrase.matches(body)) {
                (_, true) => PhraseMatch::Phrase,
                (true, _) => class.phrase.read(body),
                (false, _) => PhraseMatch::Other,
            };
            (matched != PhraseMatch::Other).then_some((class, matched))
        })
    }

    /// The class with this name; `None` = there is none.
    pub fn class(&self, name: Option<&ClassName>) -> Option<&ClassSettings> {
        let mut classes = self.classes.iter();
        classes.find(|class| class.name.as_ref() == name)
    }

    /// The workspace that the accounts of this class get; `None` = none. A class that is not in the settings
    /// has what the general settings say.
    pub fn workspace_of(&self, name: Option<&ClassName>) -> Option<&WorkspaceConfig> {
        let class = self.class(name);
        class.map_or(self.workspace.as_ref(), |class| class.workspace.as_ref())
    }

    /// The workspaces of all classes, each template once.
    pub fn workspaces(&self) -> Vec<&WorkspaceConfig> {
        let own = self.classes.iter().filter_map(|one| one.workspace.as_ref());
        each_once(self.workspace.iter().chain(own))
    }

    /// The workspaces of the classes that give accounts at `now` or later, each template once.
    pub fn workspaces_to_come(&self, now: UnixSeconds) -> Vec<&WorkspaceConfig> {
        let classes = self.classes.iter();
        let to_come = classes.filter(|class| class.state_at(now) != ClassState::Over);
        each_once(to_come.filter_map(|class| class.workspace.as_ref()))
    }

    /// The setting that names the template of these workspaces, for messages.
    pub fn template_setting(&self, workspace: &WorkspaceConfig) -> String {
        let is_it = |one: &Option<WorkspaceConfig>| {
            let one = one.as_ref();
            one.is_some_and(|one| one.template == workspace.template)
        };
        let mut classes = self.classes.iter();
        let class = classes.find(|class| !is_it(&self.workspace) && is_it(&class.workspace));
        class.map_or_else(
            || "CODER_REG_TEMPLATE".to_owned(),
            |class| class.setting("_TEMPLATE"),
        )
    }

    /// The classes whose accounts end at a time of day.
    pub fn end_by_clock(&self) -> impl Iterator<Item = &ClassName> {
        let ended = self.classes.iter().filter(|class| class.end_at.is_some());
        ended.filter_map(|class| class.name.as_ref())
    }

    /// The longest life that an account can have if it is made at `now`; `None` = one lives without end.
    pub fn longest_life(&self, now: UnixSeconds) -> Option<Duration> {
        let lives = self.classes.iter().map(|class| class.life(now));
        lives.reduce(|one, other| Some(one?.max(other?))).flatten()
    }

    /// How long after `now` the last account ends whose end is known; `None` = all live without end. Of a class
    /// that is still to come, the accounts are made when it opens.
    pub fn last_end(&self, now: UnixSeconds) -> Option<Duration> {
        let ends = self.classes.iter().filter_map(|class| class.last_end(now));
        let left = ends.max()?.saturating_sub(now).max(0);
        Some(Duration::from_secs(left.unsigned_abs()))
    }

    /// The classes in full with their phrases, and which Coder makes their accounts by which token: to compare
    /// them with those of a running service.
    pub fn in_full(&self, coder: &CoderConfig) -> Secret {
        let classes = self.classes.iter();
        // The debug form has neither phrases nor the token.
        let written: Vec<&str> = classes.map(|class| class.written.reveal()).collect();
        let (address, key) = (&coder.address.api, coder.key.reveal());
        Secret::new(format!("{:?} {written:?} {address} {key}", self.classes))
    }

    /// The effective value of a setting of this group, if it may differ from the written one. Never
    /// a secret.
    pub(super) fn effective(&self, name: &str) -> Option<String> {
        Some(match name {
            "CODER_REG_PASS" => self.class(None)?.phrase.comparison(),
            "CODER_REMOVE_TIME" => span_words(self.remove_after, "never"),
            "CODER_MAX_TIME" => span_words(self.max_time, "no limit"),
            "CODER_CHECK_INTERVAL" => words_of(self.check_interval),
            "CODER_STOP_AFTER" => span_words(self.stop_after, "never"),
            "CODER_REG_HINTS" => span_words(self.hint_interval, "off"),
            "CODER_REG_RESEND_INTERVAL" => words_of(self.resend_interval),
            _ => {
                let mut classes = self.classes.iter();
                return classes.find_map(|class| class.effective(name));
            }
        })
    }
}

/// These workspaces, but each template once.
fn each_once<'a>(all: impl Iterator<Item = &'a WorkspaceConfig>) -> Vec<&'a WorkspaceConfig> {
    let mut found: Vec<&WorkspaceConfig> = Vec::new();
    for one in all {
        if found.iter().all(|other| other.template != one.template) {
            found.push(one);
        }
    }
    found
}

/// Reads the group. `production`: whether to warn about unlikely times.
pub(super) fn read(r: &mut Reader, production: bool) -> Result<ClassConfig, Faulty> {
    let remove_after = r.span("CODER_REMOVE_TIME");
    let remove_after = remove_after.map(|span| (!span.is_zero()).then_some(span));
    let max_time = read_max_time(r);
    if let (Ok(remove_after), Ok(max_time)) = (&remove_after, &max_time) {
        compare_times(
            r,
            ("CODER_REMOVE_TIME", *remove_after),
            *max_time,
            production,
        );
    }
    let workspace = workspace::read(r);
    let classes = classes::read(
        r,
        (remove_after, max_time),
        workspace.as_ref().ok(),
        production,
    );
    let check_interval = r.span("CODER_CHECK_INTERVAL");
    let stop_after = r.optional_span("CODER_STOP_AFTER");
    let countries = read_countries(r);
    let hint_interval = r.value("CODER_REG_HINTS", hints);
    let resend_interval = r.span("CODER_REG_RESEND_INTERVAL");
    let resend_daily = r.number("CODER_REG_RESEND_DAILY");
    Ok(ClassConfig {
        classes: classes?,
        remove_after: remove_after?,
        max_time: max_time?,
        check_interval: check_interval?,
        stop_after: stop_after?,
        countries: countries?,
        hint_interval: hint_interval?,
        resend_interval: resend_interval?,
        resend_daily: resend_daily?,
        workspace: workspace?.of_class(None),
    })
}

fn read_countries(r: &mut Reader) -> Result<Countries, Faulty> {
    r.value("CODER_REG_COUNTRIES", |list| match Countries::parse(list) {
        Ok(countries) if countries.is_empty() => Err(SettingProblem::new(
            "names no prefix",
            "* allows all countries",
        )),
        Ok(countries) => Ok(countries),
        Err(item) => Err(format!("{item:?} is not a dialling prefix such as +1 or +49").into()),
    })
}

fn hints(value: &str) -> Result<Option<Duration>, SettingProblem> {
    match value.to_ascii_lowercase().as_str() {
        "off" | "no" | "false" | "never" | "0" => Ok(None),
        "on" | "yes" | "true" => Ok(Some(Duration::from_secs(3_600))),
        _ => span::of_setting("CODER_REG_HINTS", value).map(Some),
    }
}

/// Reads `CODER_MAX_TIME`; `None` = no limit.
pub(super) fn read_max_time(r: &mut Reader) -> Result<Option<Duration>, Faulty> {
    r.optional_span("CODER_MAX_TIME")
}

/// A shorter lifetime is probably a number of hours written without `h`.
const SHORT_LIFE: Duration = Duration::from_secs(30 * 60);

/// Compares the lifetimes with each other and with likely values.
pub(super) fn compare_times(
    r: &mut Reader,
    (name, remove_after): (&str, Option<Duration>),
    max_time: Option<Duration>,
    production: bool,
) {
    let Some(remove_after) = remove_after else {
        return;
    };
    if max_time.is_some_and(|most| most < remove_after) {
        r.fault(
            "CODER_MAX_TIME",
            SettingProblem::new(
                format!("is shorter than {name}: no account could be extended"),
                "set a longer time, or remove the setting",
            ),
        );
    }
    if production && remove_after < SHORT_LIFE {
        let minutes = remove_after.as_secs() / 60;
        let cure = match Duration::from_secs(minutes * 60) == remove_after {
            true => format!("if you meant hours, write {minutes}h"),
            false => "set a longer time, unless that is what you want".to_owned(),
        };
        r.warn(format!("{name} is {}", words_of(remove_after)), cure);
    }
}

//! The classes: each with its phrase, its seats and its times.
//!
//! Without settings of a class (`CODER_CLASS_<NAME>_...`) there is one class without a name, which the
//! general settings describe.

mod phrases;

use std::time::Duration;

use super::SettingProblem;
use super::class::compare_times;
use super::reader::{Faulty, Reader};
use super::workspace::{GeneralWorkspace, TemplateRef, WorkspaceConfig};
use super::{moment, span_words};
use crate::domain::{ClassName, Passphrase, Secret, UnixSeconds, seconds};
pub use phrases::ClassPhrase;
use phrases::prefix;
pub(super) use phrases::read_phrases;

/// How the warning about a weak phrase ends.
pub const EASY_TO_GUESS: &str = ", so it is easy to guess";

/// One class.
#[derive(Clone, Debug)]
pub struct ClassSettings {
    /// Its name; `None` = the only class, which the general settings describe.
    pub name: Option<ClassName>,
    /// How the names of its settings begin; empty for the class without a name.
    prefix: String,
    /// The phrase that requests a login.
    pub phrase: Passphrase,
    /// The phrase as it was written, for the projector.
    pub written: Secret,
    /// The most accounts at the same time.
    pub seats: u32,
    /// Whether the operator has set that; otherwise it is a limit, and no size of a class.
    pub seats_are_set: bool,
    /// Lifetime of an account after its login was texted; `None` = without end. Of no meaning with `end_at`.
    pub remove_after: Option<Duration>,
    /// When it opens; `None` = it is open.
    pub opens: Option<UnixSeconds>,
    /// From when on nobody gets a new account.
    pub closes: Option<UnixSeconds>,
    /// When its accounts are removed.
    pub end_at: Option<UnixSeconds>,
    /// The workspace that its students get with the login; `None` = none.
    pub workspace: Option<WorkspaceConfig>,
    /// How many spare accounts are kept ready for its next students; may exceed its seats.
    pub warm: u32,
}

/// Whether a class gives accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassState {
    /// Not before this time.
    NotYet(UnixSeconds),
    /// Now.
    Open,
    /// Not any more.
    Over,
}

#[cfg(test)]
impl ClassSettings {
    /// A class for tests. It is open, and its accounts have no time limit.
    pub(crate) fn for_tests(name: Option<&str>, phrase: &str, seats: u32) -> Self {
        Self {
            name: name.map(ClassName::in_command),
            prefix: String::new(),
            phrase: Passphrase::parse(phrase).unwrap(),
            written: Secret::new(phrase),
            seats,
            seats_are_set: true,
            remove_after: None,
            opens: None,
            closes: None,
            end_at: None,
            workspace: None,
            warm: 0,
        }
    }
}

impl ClassSettings {
    fn new(phrase: &ClassPhrase, own: SeatsAndTimes, workspace: Option<WorkspaceConfig>) -> Self {
        Self {
            name: phrase.class.clone(),
            prefix: phrase.prefix.clone(),
            phrase: phrase.phrase.clone(),
            written: phrase.written.clone(),
            seats: own.seats,
            seats_are_set: own.seats_are_set,
            remove_after: own.remove_after,
            opens: own.opens,
            closes: own.closes,
            end_at: own.end_at,
            workspace,
            warm: own.warm,
        }
    }

    /// Whether a text that was received at `received` gets an account at `now`. Who texts in time is served,
    /// however long that takes, but not beyond the end of the accounts.
    pub fn state(&self, received: UnixSeconds, now: UnixSeconds) -> ClassState {
        match (self.opens, self.closes, self.end_at) {
            (Some(opens), ..) if now < opens => ClassState::NotYet(opens),
            (_, Some(closes), _) if received.min(now) >= closes => ClassState::Over,
            (_, _, Some(end)) if now >= end => ClassState::Over,
            _ => ClassState::Open,
        }
    }

    /// Whether it gives an account to a text that comes at `now`.
    pub fn state_at(&self, now: UnixSeconds) -> ClassState {
        self.state(now, now)
    }

    /// Seconds before it opens from which on spare accounts are kept ready.
    pub const WARMS_UP: UnixSeconds = 15 * 60;

    /// How many spare accounts it wants at `now`: none long before it opens and after it has closed, and never
    /// more than it has seats.
    pub fn spares_wanted(&self, now: UnixSeconds) -> u32 {
        let is_early = self.opens.is_some_and(|at| now < at - Self::WARMS_UP);
        let is_over = self.gives_until().is_some_and(|at| now >= at);
        if is_early || is_over {
            return 0;
        }
        self.warm.min(self.seats)
    }

    /// When it has given its last account; `None` = never.
    pub fn gives_until(&self) -> Option<UnixSeconds> {
        self.closes.into_iter().chain(self.end_at).min()
    }

    /// How long an account lives if its login is sent at `now`; `None` = no limit.
    pub fn life(&self, now: UnixSeconds) -> Option<Duration> {
        match self.end_at {
            None => self.remove_after,
            Some(end) => Some(Duration::from_secs(
                end.saturating_sub(now).max(0).unsigned_abs(),
            )),
        }
    }

    /// When an account ends that is made at `now`, or later when it opens; `None` = never.
    pub(super) fn last_end(&self, now: UnixSeconds) -> Option<UnixSeconds> {
        if self.end_at.is_some() {
            return self.end_at;
        }
        let made = self.opens.map_or(now, |opens| opens.max(now));
        let made = self.closes.map_or(made, |closes| closes.min(made));
        Some(made.saturating_add(seconds(self.remove_after?)))
    }

    /// How a message about it begins: `class intro: `; empty for the class without a name.
    pub fn whose(&self) -> String {
        let name = self.name.as_ref();
        name.map_or_else(String::new, |name| format!("class {name}: "))
    }

    /// When it opens and until when it gives accounts, in words.
    pub fn times(&self) -> (Option<String>, Option<String>) {
        let until = self.closes.or(self.end_at);
        (self.opens.map(moment::in_utc), until.map(moment::in_utc))
    }

    /// The setting of this class whose general name ends in `ending`, for messages.
    pub fn setting(&self, ending: &str) -> String {
        match (&self.name, ending) {
            (Some(_), _) => format!("{}{ending}", self.prefix),
            (None, "_SEATS") => "CODER_REG_MAX_USERS".to_owned(),
            (None, "_PASS") => "CODER_REG_PASS".to_owned(),
            (None, "_WARM") => "CODER_REG_WARM".to_owned(),
            (None, "_TEMPLATE") => "CODER_REG_TEMPLATE".to_owned(),
            (None, _) => "CODER_REMOVE_TIME".to_owned(),
        }
    }

    /// The effective value of a setting of this class, if it may differ from the written one. Never a secret.
    pub(super) fn effective(&self, name: &str) -> Option<String> {
        self.name.as_ref()?;
        let at = |at: Option<UnixSeconds>| at.map(moment::in_utc);
        match name.strip_prefix(&self.prefix)? {
            "_PASS" => Some(self.phrase.comparison()),
            "_REMOVE_TIME" => Some(span_words(self.remove_after, "never")),
            "_OPENS" => at(self.opens),
            "_CLOSES" => at(self.closes),
            "_END_AT" => at(self.end_at),
            _ => None,
        }
    }
}

/// Reads the classes. The general settings say what theirs leave out.
pub(super) fn read(
    r: &mut Reader,
    (remove_after, max_time): (
        Result<Option<Duration>, Faulty>,
        Result<Option<Duration>, Faulty>,
    ),
    workspace: Option<&GeneralWorkspace>,
    production: bool,
) -> Result<Vec<ClassSettings>, Faulty> {
    let phrases = read_phrases(r);
    let seats = r.number("CODER_REG_MAX_USERS");
    let warm = r.number("CODER_REG_WARM");
    let max_time = max_time.unwrap_or(None);
    let general = SeatsAndTimes {
        // A fault of the general settings is reported below.
        seats: seats.unwrap_or(1),
        seats_are_set: r.source("CODER_REG_MAX_USERS") != "default",
        remove_after: remove_after.unwrap_or(None),
        opens: None,
        closes: None,
        end_at: None,
        warm: warm.unwrap_or(0),
    };
    let with_phrase = phrases.as_deref().unwrap_or_default().iter();
    let classes: Vec<_> = with_phrase
        .map(|phrase| read_class(r, phrase, (general, max_time), workspace, production))
        .collect();
    // If a phrase has a fault, the faults of the other settings are still reported.
    if phrases.is_err() {
        let prefixes: Vec<String> = r.classes().keys().map(|written| prefix(written)).collect();
        for prefix in prefixes {
            let _ = read_own(r, &prefix, general, max_time, production);
        }
    }
    phrases?;
    seats?;
    warm?;
    remove_after?;
    for class in classes.iter().flatten() {
        warn_of_few_seats(r, class);
    }
    classes.into_iter().collect()
}

/// Reads the class of a phrase. The general settings say what its own leave out.
fn read_class(
    r: &mut Reader,
    phrase: &ClassPhrase,
    (general, max_time): (SeatsAndTimes, Option<Duration>),
    workspace: Option<&GeneralWorkspace>,
    production: bool,
) -> Result<ClassSettings, Faulty> {
    let own = match phrase.class {
        Some(_) => read_own(r, &phrase.prefix, general, max_time, production),
        None => Ok(general),
    };
    let template = read_template(r, phrase);
    let (own, template) = (own?, template?);
    let workspace = workspace.and_then(|general| general.of_class(template));
    Ok(ClassSettings::new(phrase, own, workspace))
}

/// Reads the template of a class's own; `None` = it has none.
fn read_template(r: &mut Reader, phrase: &ClassPhrase) -> Result<Option<TemplateRef>, Faulty> {
    if phrase.class.is_none() {
        return Ok(None);
    }
    r.optional(&format!("{}_TEMPLATE", phrase.prefix), TemplateRef::parse)
}

/// What a class has beside its name and its phrase. The fields are those of [`ClassSettings`].
#[derive(Clone, Copy)]
struct SeatsAndTimes {
    seats: u32,
    seats_are_set: bool,
    remove_after: Option<Duration>,
    opens: Option<UnixSeconds>,
    closes: Option<UnixSeconds>,
    end_at: Option<UnixSeconds>,
    warm: u32,
}

/// Warns if a class wants more spare accounts than it has seats.
fn warn_of_few_seats(r: &mut Reader, class: &ClassSettings) {
    if class.warm > class.seats {
        let (warm, seats) = (class.setting("_WARM"), class.setting("_SEATS"));
        r.warn(
            format!(
                "{warm} is {}, but {seats} is {}: spare accounts are made for free seats only",
                class.warm, class.seats
            ),
            format!("set {warm} to the number of students, or raise {seats}"),
        );
    }
}

/// Reads what a class with a name has of its own; `general` says the rest.
fn read_own(
    r: &mut Reader,
    prefix: &str,
    general: SeatsAndTimes,
    max_time: Option<Duration>,
    production: bool,
) -> Result<SeatsAndTimes, Faulty> {
    let name = |ending| format!("{prefix}{ending}");
    let mut class = general;
    let mut number_of_own = |ending| {
        let name = name(ending);
        let is_set = r.get(&name).is_some();
        is_set.then(|| r.number(&name)).transpose()
    };
    let seats = number_of_own("_SEATS");
    let warm = number_of_own("_WARM");
    let has_seats = seats.as_ref().map_or(true, Option::is_some);
    let remove_after = r.optional_span(&name("_REMOVE_TIME"));
    let read = |path: &std::path::Path| std::fs::read(path);
    let opens = r.optional(&name("_OPENS"), |value| moment::parse(value, &read));
    let closes = r.optional(&name("_CLOSES"), |value| moment::parse(value, &read));
    let end_at = r.optional(&name("_END_AT"), |value| moment::parse(value, &read));
    if matches!((remove_after, end_at), (Ok(Some(_)), Ok(Some(_)))) {
        let end_at = name("_END_AT");
        let problem = SettingProblem::new(
            format!("is set, and so is {end_at}, which ends the accounts at a clock time"),
            "keep one of them",
        );
        r.fault(&name("_REMOVE_TIME"), problem);
    }
    compare_moments(r, prefix, opens, closes, end_at);
    class.seats = seats?.unwrap_or(class.seats);
    class.seats_are_set |= has_seats;
    class.warm = warm?.unwrap_or(class.warm);
    if let Some(span) = remove_after? {
        class.remove_after = (!span.is_zero()).then_some(span);
        compare_times(
            r,
            (&name("_REMOVE_TIME"), class.remove_after),
            max_time,
            production,
        );
    }
    (class.opens, class.closes, class.end_at) = (opens?, closes?, end_at?);
    warn_of_late_end(r, &name("_END_AT"), &class, max_time);
    Ok(class)
}

/// Warns if a class ends so late that no order can extend its accounts.
fn warn_of_late_end(r: &mut Reader, name: &str, class: &SeatsAndTimes, max_time: Option<Duration>) {
    if let (Some(most), Some(opens), Some(end)) = (max_time, class.opens, class.end_at)
        && i64::try_from(most.as_secs()).is_ok_and(|most| end - opens > most)
    {
        r.warn(
            format!("{name} is later than CODER_MAX_TIME after the class opens, so its accounts cannot be extended"),
            "set a longer CODER_MAX_TIME, unless that is what you want",
        );
    }
}

/// Records what is wrong with the order of a class's times.
fn compare_moments(
    r: &mut Reader,
    prefix: &str,
    opens: Result<Option<UnixSeconds>, Faulty>,
    closes: Result<Option<UnixSeconds>, Faulty>,
    end_at: Result<Option<UnixSeconds>, Faulty>,
) {
    let known = |at: Result<Option<UnixSeconds>, Faulty>| at.ok().flatten();
    let (opens, closes, end_at) = (known(opens), known(closes), known(end_at));
    let mut in_order = |first: Option<UnixSeconds>, one, second: Option<UnixSeconds>, two, why| {
        if first
            .zip(second)
            .is_some_and(|(first, second)| second <= first)
        {
            let problem = SettingProblem::new(
                format!("is not after {prefix}{one}: {why}"),
                "correct one of them",
            );
            r.fault(&format!("{prefix}{two}"), problem);
        }
    };
    let nobody = "nobody could get an account";
    in_order(opens, "_OPENS", closes, "_CLOSES", nobody);
    in_order(opens, "_OPENS", end_at, "_END_AT", nobody);
    if closes.zip(end_at).is_some_and(|(closes, end)| end < closes) {
        let problem = SettingProblem::new(
            format!("is after {prefix}_END_AT, when the accounts are removed"),
            "correct one of them",
        );
        r.fault(&format!("{prefix}_CLOSES"), problem);
    }
}

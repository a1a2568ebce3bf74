//! The faults of settings, and the warnings about them.

use std::fmt;

use super::env_file::LineProblem;
use crate::domain::count;
use crate::terminal::hanging;

/// What is wrong with the value of a setting, and what to do about it. It never contains a secret value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingProblem {
    what: String,
    cure: Option<String>,
}

impl SettingProblem {
    /// A problem with what to do about it.
    pub fn new(what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            cure: Some(cure.into()),
        }
    }

    /// The same problem, with words in front that say where it is.
    pub(super) fn at(self, place: &str) -> Self {
        Self {
            what: format!("{place} {}", self.what),
            ..self
        }
    }

    /// What is wrong.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// What to do about it; `None` if that follows from what is wrong.
    pub fn cure(&self) -> Option<&str> {
        self.cure.as_deref()
    }
}

/// A problem that says by itself what to do.
impl From<String> for SettingProblem {
    fn from(what: String) -> Self {
        Self { what, cure: None }
    }
}

impl From<&str> for SettingProblem {
    fn from(what: &str) -> Self {
        Self::from(what.to_owned())
    }
}

impl From<LineProblem> for SettingProblem {
    fn from(LineProblem { what, cure }: LineProblem) -> Self {
        Self::new(what, cure)
    }
}

impl fmt::Display for SettingProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.cure {
            // One colon in a sentence is enough.
            Some(cure) if self.what.contains(": ") => write!(f, "; {cure}"),
            Some(cure) => write!(f, ": {cure}"),
            None => Ok(()),
        }
    }
}

/// A fault in one variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingError {
    /// The variable.
    pub name: String,
    /// What is wrong, and what to do about it.
    pub problem: SettingProblem,
}

/// A setting that works but looks wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SettingWarning {
    /// What looks wrong. It begins with the name of the variable.
    pub what: String,
    /// What to do about it.
    pub cure: String,
}

impl fmt::Display for SettingWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.cure)
    }
}

/// All faults of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(pub Vec<SettingError>);

impl ConfigError {
    /// All faults, in lines of at most `width` columns; `None` = one line for each. `sources`: where the settings were
    /// read.
    pub fn told(&self, sources: &str, width: Option<usize>) -> String {
        self.in_words(&format!(" in {sources}"), width)
    }

    fn in_words(&self, place: &str, width: Option<usize>) -> String {
        let mut text = format!("configuration has {}{place}", count(self.0.len(), "fault"));
        let longest = self.0.iter().map(|fault| fault.name.len()).max();
        let longest = longest.unwrap_or(0);
        for fault in &self.0 {
            // On a narrow terminal the names take no more than half of a line.
            let problem = fault.problem.to_string();
            let problem = match width {
                Some(width) => hanging(&problem, width, (longest + 4).min(width / 2)),
                None => problem,
            };
            text += &format!("\n  {:longest$}  {problem}", fault.name);
        }
        text
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_words("", None))
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_told_with_its_cure_whatever_a_quoted_path_contains() {
        let plain = SettingProblem::new("is too short", "set more");
        assert_eq!(plain.to_string(), "is too short: set more");
        let quoted = SettingProblem::new(r#""a: b" is no URL"#, "write it as https");
        assert_eq!(quoted.to_string(), r#""a: b" is no URL; write it as https"#);
        assert_eq!(quoted.cure(), Some("write it as https"));
        let alone = SettingProblem::from("is no number: x").at("line 3");
        assert_eq!(
            (alone.what(), alone.cure()),
            ("line 3 is no number: x", None)
        );
        assert_eq!(alone.to_string(), alone.what());
    }

    #[test]
    fn faults_are_told_with_their_place_and_within_the_width_of_a_terminal() {
        let fault = |name: &str| SettingError {
            name: name.to_owned(),
            problem: SettingProblem::new("is too short", "set two more words of it"),
        };
        let faults = ConfigError(vec![fault("LONGEST"), fault("A")]);
        assert_eq!(
            faults.told("the environment", None),
            "configuration has 2 faults in the environment\n  \
             LONGEST  is too short: set two more words of it\n  \
             A        is too short: set two more words of it"
        );
        let narrow = faults.told("the environment", Some(34));
        assert_eq!(
            narrow.lines().skip(1).take(2).collect::<Vec<_>>(),
            [
                "  LONGEST  is too short: set two",
                "           more words of it"
            ]
        );
        // The names take no more than half of a line.
        let narrower = faults.told("the environment", Some(16));
        let second = narrower.lines().nth(2).unwrap_or_default();
        assert_eq!(second.len() - second.trim_start().len(), 8, "{narrower}");
    }
}

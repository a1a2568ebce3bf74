//! The input of a configuration: the environment, completed by the lines of a file.

use std::collections::HashSet;

use super::env_file::{EnvFile, completed_by};
use super::error::{SettingError, SettingProblem};

/// Pairs of name and value, and the faults found while reading them.
#[derive(Clone, Debug, Default)]
pub struct Vars {
    pub(super) pairs: Vec<(String, String)>,
    /// Faulty lines whose variable can be read.
    pub(super) faults: Vec<SettingError>,
    /// Faulty lines whose variable cannot be read, under the name of their file.
    pub(super) unreadable: Vec<SettingError>,
    /// Names that one file sets more than once.
    pub(super) repeated: Vec<String>,
}

impl<I: IntoIterator<Item = (String, String)>> From<I> for Vars {
    fn from(pairs: I) -> Self {
        let pairs = pairs.into_iter();
        Self {
            pairs: pairs.map(|(name, value)| (visible(name), value)).collect(),
            ..Self::default()
        }
    }
}

/// A name as messages may show it. The environment may hold any; no setting has a control character in its name.
fn visible(name: String) -> String {
    if !name.chars().any(char::is_control) {
        return name;
    }
    let shown = name.chars().map(|letter| match letter {
        letter if letter.is_control() => letter.escape_default().to_string(),
        letter => letter.to_string(),
    });
    shown.collect()
}

impl Vars {
    /// These variables, completed by `file` for the settings that they do not set. `shown` is the
    /// name of the file in messages.
    #[must_use]
    pub fn completed_by(self, file: EnvFile, shown: &str) -> Self {
        let mut names = HashSet::new();
        let repeated = |name: &String| !names.insert(name.clone());
        let mut repeated: Vec<String> = file
            .vars
            .iter()
            .map(|(name, _)| name.clone())
            .filter(repeated)
            .collect();
        repeated.dedup();
        let (named, unnamed): (Vec<_>, Vec<_>) = file
            .faults
            .into_iter()
            .partition(|fault| fault.name.is_some());
        let named = named.into_iter().filter_map(|fault| {
            let place = format!("line {} of {shown}", fault.line);
            let problem = SettingProblem::from(fault.problem).at(&place);
            let name = fault.name?;
            Some(SettingError { name, problem })
        });
        let unnamed = unnamed.into_iter().map(|fault| SettingError {
            name: shown.to_owned(),
            problem: SettingProblem::from(fault.problem).at(&format!("line {}", fault.line)),
        });
        Self {
            faults: named.collect(),
            unreadable: unnamed.collect(),
            repeated,
            pairs: completed_by(self.pairs, file.vars),
        }
    }

    /// The faults of these settings, and those that may concern them.
    pub(super) fn faults_of(&self, names: &[&str]) -> Vec<SettingError> {
        let concerns = |fault: &&SettingError| {
            let name = fault.name.as_str();
            names.contains(&name.strip_suffix("_FILE").unwrap_or(name))
        };
        let named = self.faults.iter().filter(concerns);
        named.chain(&self.unreadable).cloned().collect()
    }
}

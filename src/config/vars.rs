//! What a configuration is read from: the environment, and the lines of a file beneath it.

use std::collections::HashSet;

use super::env_file::{EnvFile, laid_over};
use super::reader::SettingError;

/// Pairs of name and value, and what was found wrong on the way to them.
#[derive(Clone, Debug, Default)]
pub struct Vars {
    pub(super) pairs: Vec<(String, String)>,
    /// Lines that cannot be read but name their variable.
    pub(super) faults: Vec<SettingError>,
    /// Lines of which not even the variable can be read, under the name of their file.
    pub(super) unreadable: Vec<SettingError>,
    /// Names that one file sets more than once.
    pub(super) repeated: Vec<String>,
}

impl<I: IntoIterator<Item = (String, String)>> From<I> for Vars {
    fn from(pairs: I) -> Self {
        Self {
            pairs: pairs.into_iter().collect(),
            ..Self::default()
        }
    }
}

impl Vars {
    /// These, and where they say nothing about a setting, what `file` says, which is called `shown`.
    #[must_use]
    pub fn over(self, file: EnvFile, shown: &str) -> Self {
        // Quoted where a sign of its path would look like the end of what is wrong.
        let shown = match shown.contains([':', ';']) {
            true => format!("{shown:?}"),
            false => shown.to_owned(),
        };
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
            let problem = format!("line {} of {shown} {}", fault.line, fault.problem);
            let name = fault.name?;
            Some(SettingError { name, problem })
        });
        let unnamed = unnamed.into_iter().map(|fault| SettingError {
            name: shown.clone(),
            problem: format!("line {} {}", fault.line, fault.problem),
        });
        Self {
            faults: named.collect(),
            unreadable: unnamed.collect(),
            repeated,
            pairs: laid_over(self.pairs, file.vars),
        }
    }

    /// The faults that concern one of these settings, or may do so.
    pub(super) fn faults_of(&self, names: &[&str]) -> Vec<SettingError> {
        let concerns = |fault: &&SettingError| {
            let name = fault.name.as_str();
            names.contains(&name.strip_suffix("_FILE").unwrap_or(name))
        };
        let named = self.faults.iter().filter(concerns);
        named.chain(&self.unreadable).cloned().collect()
    }
}

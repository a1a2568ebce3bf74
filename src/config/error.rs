//! The faults of settings, and the warnings about them.

use std::fmt;

use crate::domain::count;
use crate::terminal::hanging;

/// A fault in one variable. It never contains a secret value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingError {
    /// The variable.
    pub name: String,
    /// What is wrong, and what to do about it.
    pub problem: String,
}

impl SettingError {
    /// What is wrong, and what to do if the problem names it. Quoted values and paths are not
    /// split.
    pub fn what_and_cure(&self) -> (&str, Option<&str>) {
        let mut quoted = false;
        let mut escaped = false;
        for (at, sign) in self.problem.char_indices() {
            match sign {
                '"' if !escaped => quoted = !quoted,
                ':' | ';' if !quoted && self.problem[at + 1..].starts_with(' ') => {
                    return (&self.problem[..at], Some(&self.problem[at + 2..]));
                }
                _ => {}
            }
            escaped = quoted && sign == '\\' && !escaped;
        }
        (&self.problem, None)
    }
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
            let problem = match width {
                Some(width) => hanging(&fault.problem, width, (longest + 4).min(width / 2)),
                None => fault.problem.clone(),
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
    fn the_cure_of_a_fault_begins_behind_what_is_quoted() {
        for (problem, parts) in [
            ("missing: set it", ("missing", Some("set it"))),
            ("is too short; set more", ("is too short", Some("set more"))),
            ("is no number", ("is no number", None)),
            (
                r#""/srv/a: b" cannot be read: no such file"#,
                (r#""/srv/a: b" cannot be read"#, Some("no such file")),
            ),
            (
                r#""a\": b" is no URL: write it as https"#,
                (r#""a\": b" is no URL"#, Some("write it as https")),
            ),
            ("is 10:30; no", ("is 10:30", Some("no"))),
        ] {
            let fault = SettingError {
                name: "REDIS_PW".to_owned(),
                problem: problem.to_owned(),
            };
            assert_eq!(fault.what_and_cure(), parts);
        }
    }
}

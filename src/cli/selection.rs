//! The accounts or dead letters that a command acts on, and the confirmation before it does.

use std::io::{BufRead, IsTerminal, Write};

use super::arguments::{Arguments, CommandError};
use super::naming::username;

/// The options that [`Selection::read`] evaluates itself.
pub(super) const ALL: &str = "all";
pub(super) const DRY_RUN: &str = "dry-run";
pub(super) const JSON: &str = "json";
pub(super) const YES: &str = "yes";

/// The operands and the common options of a command that acts on several accounts or dead letters.
pub(super) struct Selection {
    /// The operands: names, and TIME where a command has one.
    pub(super) names: Vec<String>,
    /// Whether `--all` was given.
    pub(super) all: bool,
    pub(super) dry_run: bool,
    pub(super) json: bool,
    yes: bool,
}

impl Selection {
    /// Reads the rest of the command line. `options` are all that the command has; those that were given are
    /// returned as well.
    ///
    /// # Errors
    /// There is an option that is none of these.
    pub(super) fn read(
        arguments: &mut Arguments,
        options: &[&'static str],
    ) -> Result<(Self, Vec<&'static str>), CommandError> {
        let (names, given) = arguments.operands(options)?;
        let has = |option| given.contains(&option);
        let selection = Self {
            names,
            all: has(ALL),
            dry_run: has(DRY_RUN),
            json: has(JSON),
            yes: has(YES),
        };
        Ok((selection, given))
    }

    /// The same with accounts as operands: of an e-mail address only the username is kept.
    pub(super) fn of_accounts(mut self) -> Self {
        for name in &mut self.names {
            *name = username(name).to_owned();
        }
        self
    }

    /// Refuses names together with `--all`. `what` says what the names are, in the plural.
    pub(super) fn check(&self, what: &str) -> Result<(), CommandError> {
        if self.all && !self.names.is_empty() {
            let problem = format!("name {what} or say --all, not both");
            return Err(CommandError::Misused(problem));
        }
        Ok(())
    }

    /// Whether the command asks before it acts on everything.
    pub(super) fn asks_before_all(&self) -> bool {
        self.all && self.may_ask()
    }

    /// Whether neither `--yes` nor `--dry-run` was given.
    pub(super) fn may_ask(&self) -> bool {
        !self.yes && !self.dry_run
    }

    /// Those of `found` that were named, in their own order.
    ///
    /// # Errors
    /// The names that mean none of `found`.
    pub(super) fn named<T>(
        &self,
        found: impl IntoIterator<Item = T>,
        is_meant: impl Fn(&T, &str) -> bool,
    ) -> Result<Vec<T>, Vec<&str>> {
        let mut is_known = vec![false; self.names.len()];
        let mut named = Vec::new();
        for one in found {
            let mut was_named = false;
            for (name, known) in self.names.iter().zip(&mut is_known) {
                if is_meant(&one, name) {
                    *known = true;
                    was_named = true;
                }
            }
            if was_named {
                named.push(one);
            }
        }
        let names = self.names.iter().zip(is_known);
        let unknown: Vec<&str> = names
            .filter(|(_, known)| !known)
            .map(|(name, _)| name.as_str())
            .collect();
        if unknown.is_empty() {
            Ok(named)
        } else {
            Err(unknown)
        }
    }
}

/// Refuses to ask where standard input is no terminal. `what` is what needs a confirmation.
pub(super) fn needs_a_terminal(what: &str) -> Result<(), CommandError> {
    if std::io::stdin().is_terminal() {
        return Ok(());
    }
    Err(CommandError::Misused(format!(
        "{what} needs --yes where standard input is no terminal"
    )))
}

/// Asks on the terminal. Only `y` and `yes` agree.
///
/// # Errors
/// The answer is another one.
pub(super) fn confirm(question: &str) -> Result<(), CommandError> {
    let mut terminal = std::io::stderr();
    let _ = write!(terminal, "{question} [y/N] ").and_then(|()| terminal.flush());
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    let answer = answer.trim().to_ascii_lowercase();
    if read.is_ok() && ["y", "yes"].contains(&answer.as_str()) {
        return Ok(());
    }
    Err(CommandError::Failed("nothing is changed".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(names: &[&str]) -> Selection {
        Selection {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            all: false,
            dry_run: false,
            json: false,
            yes: false,
        }
    }

    #[test]
    fn names_select_items_and_unknown_names_are_returned() {
        let found = ["agile-noodle", "happy-tuna", "quiet-comet"];
        let is_meant = |one: &&str, name: &str| one.eq_ignore_ascii_case(name);
        let named = |names: &[&str]| {
            let selection = selection(names);
            let named = selection.named(found, is_meant);
            named.map_err(|unknown| unknown.join(" "))
        };
        assert_eq!(
            named(&["Quiet-Comet", "agile-noodle", "quiet-comet"]),
            Ok(vec!["agile-noodle", "quiet-comet"])
        );
        assert_eq!(
            named(&["bob", "happy-tuna", "eve"]),
            Err("bob eve".to_owned())
        );
        assert_eq!(named(&[]), Ok(Vec::new()));
    }

    #[test]
    fn an_address_selects_its_account() {
        let selection = selection(&["happy-tuna@class.example.org", "30m"]).of_accounts();
        assert_eq!(selection.names, ["happy-tuna", "30m"]);
    }
}

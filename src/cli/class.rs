//! What `extend` and `end` have in common: whom they are about, asking first, and telling what came of it.

use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::arguments::{Arguments, CommandError};
use super::naming::{not_known, username};
use super::table::{count, span, table};
use super::{complain, print};
use crate::clock::unix_now;
use crate::domain::order::{Due, Order};
use crate::domain::registration::Registration;
use crate::domain::{UnixSeconds, seconds};
use crate::store::{Commands, OrderResult};
use crate::wake;

/// What stands behind `extend` or `end`.
pub(super) struct OrderArguments {
    /// Names, and what else is no option. Of an e-mail address it is the name.
    pub(super) words: Vec<String>,
    all: bool,
    pub(super) dry_run: bool,
    yes: bool,
    pub(super) json: bool,
    /// `--gently`, which only `end` knows.
    pub(super) gently: bool,
}

/// An order that was carried out, or rehearsed.
pub(super) struct AppliedOrder {
    pub(super) applied: OrderResult,
    pub(super) now: UnixSeconds,
    /// Whether there is a service that was told; `None` = it cannot be told.
    pub(super) running: Option<bool>,
}

impl OrderArguments {
    /// Reads the rest of the command line. `more` are options of this command's own.
    ///
    /// # Errors
    /// There is an option that is none of these.
    pub(super) fn read(
        arguments: &mut Arguments,
        more: &[&'static str],
    ) -> Result<Self, CommandError> {
        let options = [&["all", "dry-run", "yes", "json"], more].concat();
        let (words, given) = arguments.operands(&options)?;
        let has = |option| given.contains(&option);
        let words = words.iter().map(|word| username(word).to_owned());
        Ok(Self {
            words: words.collect(),
            all: has("all"),
            dry_run: has("dry-run"),
            yes: has("yes"),
            json: has("json"),
            gently: has("gently"),
        })
    }

    /// The names; `None` = everybody's.
    fn names(&self) -> Result<Option<&[String]>, CommandError> {
        let misused = |problem: &str| Err(CommandError::Misused(problem.to_owned()));
        match (self.all, self.words.is_empty()) {
            (true, true) => Ok(None),
            (true, false) => misused("name accounts or say --all, not both"),
            (false, true) => misused("USER is missing: name accounts, or say --all"),
            (false, false) => Ok(Some(&self.words)),
        }
    }

    /// Carries `order` out.
    ///
    /// # Errors
    /// Nothing was changed, or there is nobody to change.
    pub(super) fn carry_out(
        &self,
        order: Order,
        folder: &Path,
    ) -> Result<AppliedOrder, CommandError> {
        let names = self.names()?;
        let long = long_time(order);
        let ask = (self.all || long.is_some()) && !self.yes && !self.dry_run;
        if ask {
            needs_a_terminal(if self.all {
                "--all"
            } else {
                "more than 7 days"
            })?;
        }
        let mut hand = Commands::open(folder)?;
        if ask {
            let meant = hand.apply(order, names, unix_now(), true)?.changed.len();
            let verb = verb(order).0;
            let long = long
                .map(|by| format!(" by {}", span(by)))
                .unwrap_or_default();
            if meant > 0 && !agreed(&format!("{verb} {}{long}?", count(meant, "account"))) {
                return Err(CommandError::Failed("nothing is changed".to_owned()));
            }
        }
        let now = unix_now();
        let applied = hand.apply(order, names, now, self.dry_run)?;
        if !applied.unknown.is_empty() {
            let roster = hand.roster()?;
            let known = roster.iter().map(|one| one.username.as_str());
            return Err(CommandError::Unmatched(format!(
                "{}; nothing is changed",
                not_known(&applied.unknown, known)
            )));
        }
        if applied.changed.is_empty() && applied.refused.is_empty() {
            return Err(CommandError::Unmatched("there is no account".to_owned()));
        }
        Ok(AppliedOrder {
            applied,
            now,
            running: self.tell_service(folder),
        })
    }

    /// Whether everybody was meant.
    pub(super) fn all(&self) -> bool {
        self.all
    }

    /// Has the service look at once. `None` = it cannot be told.
    fn tell_service(&self, folder: &Path) -> Option<bool> {
        let told = if self.dry_run {
            wake::is_running(folder)
        } else {
            wake::notify(folder)
        };
        told.inspect_err(|error| {
            complain(&format!(
                "the service cannot be told ({error}); it looks at its next check interval"
            ));
        })
        .ok()
    }

    /// Shows whose time was changed, and whose could not be and why.
    pub(super) fn show(&self, order: Order, done: &AppliedOrder) {
        let changed = done.applied.changed.iter();
        let rows: Vec<Vec<String>> = changed
            .map(|(before, due)| row(order, before, *due, done.now))
            .collect();
        if !rows.is_empty() {
            print(&table(&["USER", "BEFORE", "NOW"], &rows));
        }
        for (registration, refusal) in &done.applied.refused {
            complain(&format!("{} {}", registration.username, refusal.reason()));
        }
    }

    /// Tells how many accounts were changed, with what that means.
    pub(super) fn sum_up(&self, order: Order, done: &AppliedOrder, meaning: &str) {
        let changed = done.applied.changed.len();
        if changed == 0 {
            return;
        }
        let accounts = count(changed, "account");
        let verb = verb(order).1;
        if self.dry_run {
            print(&format!("{accounts} would be {verb}; nothing is changed\n"));
        } else {
            print(&format!("{accounts} {verb}{meaning}\n"));
        }
    }
}

/// By how much accounts are to live longer, if that is more than anybody means who does not mistype it.
fn long_time(order: Order) -> Option<UnixSeconds> {
    const LONG: UnixSeconds = 7 * 86_400;
    match order {
        Order::Extend { by, .. } => Some(seconds(by)).filter(|by| *by > LONG),
        Order::End | Order::EndGently => None,
    }
}

fn verb(order: Order) -> (&'static str, &'static str) {
    match order {
        Order::End | Order::EndGently => ("end", "ended"),
        Order::Extend { .. } => ("extend", "extended"),
    }
}

fn row(order: Order, before: &Registration, due: Due, now: UnixSeconds) -> Vec<String> {
    let left = |due: Option<UnixSeconds>| match due {
        None => "no end".to_owned(),
        Some(due) if due <= now => format!("up since {}", span(now - due)),
        Some(due) => format!("{} left", span(due - now)),
    };
    let after = match order {
        Order::End | Order::EndGently => "ended".to_owned(),
        Order::Extend { .. } if due.limited => {
            format!("{} (CODER_MAX_TIME allows no more)", left(Some(due.at)))
        }
        Order::Extend { .. } => left(Some(due.at)),
    };
    vec![before.username.to_string(), left(before.due_at), after]
}

/// Times are UTC seconds.
pub(super) fn as_json(done: &AppliedOrder, dry_run: bool) -> Value {
    let AppliedOrder {
        applied, running, ..
    } = done;
    let changed = |(before, due): &(Registration, Due)| {
        json!({
            "username": before.username.as_str(),
            "due_before": before.due_at,
            "due_at": due.at,
            "limited": due.limited,
        })
    };
    json!({
        "dry_run": dry_run,
        "service_running": running,
        "changed": applied.changed.iter().map(changed).collect::<Vec<_>>(),
        "refused": applied.refused.iter().map(|(registration, refusal)| {
            json!({ "username": registration.username.as_str(), "reason": refusal.reason() })
        }).collect::<Vec<_>>(),
    })
}

/// Refuses where nobody can be asked; `what` is what wants an answer.
pub(super) fn needs_a_terminal(what: &str) -> Result<(), CommandError> {
    if std::io::stdin().is_terminal() {
        return Ok(());
    }
    Err(CommandError::Misused(format!(
        "{what} wants --yes where nobody can be asked"
    )))
}

/// Asks on the terminal; anything but a yes is a no.
pub(super) fn agreed(question: &str) -> bool {
    let mut terminal = std::io::stderr();
    let _ = write!(terminal, "{question} [y/N] ").and_then(|()| terminal.flush());
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.is_ok() && ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str())
}

//! What `extend` and `end` have in common: the selection of accounts, the confirmation, and the report.

use std::path::Path;

use serde_json::{Value, json};

use super::arguments::{Arguments, CommandError};
use super::naming::not_known;
use super::selection::{ALL, DRY_RUN, JSON, Selection, YES, confirm, needs_a_terminal};
use super::table::{count, span, table};
use super::{complain, print};
use crate::clock::unix_now;
use crate::domain::order::{Due, Order};
use crate::domain::registration::Registration;
use crate::domain::{UnixSeconds, seconds};
use crate::store::{Commands, OrderResult};
use crate::wake;

/// The operands and options of `extend` or `end`.
pub(super) struct OrderArguments {
    pub(super) selection: Selection,
    /// `--gently`, an option of `end` only.
    pub(super) gently: bool,
}

/// An order that was carried out, or tried with `--dry-run`.
pub(super) struct AppliedOrder {
    pub(super) applied: OrderResult,
    pub(super) now: UnixSeconds,
    /// Whether the service runs, and so was notified; `None` = it cannot be notified.
    pub(super) running: Option<bool>,
}

impl OrderArguments {
    /// Reads the rest of the command line. `more` are options that only this command has.
    ///
    /// # Errors
    /// There is an unknown option.
    pub(super) fn read(
        arguments: &mut Arguments,
        more: &[&'static str],
    ) -> Result<Self, CommandError> {
        let options = [&[ALL, DRY_RUN, YES, JSON], more].concat();
        let (selection, given) = Selection::read(arguments, &options)?;
        Ok(Self {
            selection: selection.of_accounts(),
            gently: given.contains(&"gently"),
        })
    }

    /// The names; `None` = all accounts.
    fn names(&self) -> Result<Option<&[String]>, CommandError> {
        self.selection.check("accounts")?;
        match (self.selection.all, self.selection.names.as_slice()) {
            (true, _) => Ok(None),
            (false, []) => Err(CommandError::Misused(
                "USER is missing: name accounts, or say --all".to_owned(),
            )),
            (false, names) => Ok(Some(names)),
        }
    }

    /// Carries `order` out.
    ///
    /// # Errors
    /// Nothing was changed, or there is no account to change.
    pub(super) fn carry_out(
        &self,
        order: Order,
        folder: &Path,
    ) -> Result<AppliedOrder, CommandError> {
        let names = self.names()?;
        let long = long_time(order);
        let asked = &self.selection;
        let ask = (asked.all || long.is_some()) && asked.may_ask();
        if ask {
            needs_a_terminal(if asked.all {
                "--all"
            } else {
                "more than 7 days"
            })?;
        }
        let mut database = Commands::open(folder)?;
        if ask {
            let meant = database
                .apply(order, names, unix_now(), true)?
                .changed
                .len();
            let verb = verb(order).0;
            let long = long
                .map(|by| format!(" by {}", span(by)))
                .unwrap_or_default();
            if meant > 0 {
                confirm(&format!("{verb} {}{long}?", count(meant, "account")))?;
            }
        }
        let now = unix_now();
        let applied = database.apply(order, names, now, asked.dry_run)?;
        if !applied.unknown.is_empty() {
            let roster = database.roster()?;
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
            running: self.notify_service(folder),
        })
    }

    /// Has the service act at once. Returns whether it runs; `None` = it cannot be notified.
    fn notify_service(&self, folder: &Path) -> Option<bool> {
        let result = if self.selection.dry_run {
            wake::is_running(folder)
        } else {
            wake::notify(folder)
        };
        result
            .inspect_err(|error| {
                complain(&format!(
                    "the service cannot be notified ({error}); it acts at its next check interval"
                ));
            })
            .ok()
    }

    /// Prints the accounts whose time was changed, and those whose time could not be changed, with the reason.
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

    /// Prints how many accounts were changed, and what that means.
    pub(super) fn sum_up(&self, order: Order, done: &AppliedOrder, meaning: &str) {
        let changed = done.applied.changed.len();
        if changed == 0 {
            return;
        }
        let accounts = count(changed, "account");
        let verb = verb(order).1;
        if self.selection.dry_run {
            print(&format!("{accounts} would be {verb}; nothing is changed\n"));
        } else {
            print(&format!("{accounts} {verb}{meaning}\n"));
        }
    }
}

/// The time of an extension, in seconds, if it is so long that it may be a typing error.
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

/// The order for scripts. Times are UTC seconds.
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

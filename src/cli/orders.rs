//! What `extend` and `end` have in common: the selection of accounts, the confirmation, and the report.

use std::path::Path;

use serde_json::{Value, json};

use super::arguments::{Arguments, CLASS, CommandError};
use super::naming::{guessed, not_known};
use super::selection::{ALL, DRY_RUN, JSON, Selection, YES, confirm, needs_a_terminal};
use super::table::{count, span, table};
use super::{complain, print};
use crate::clock::unix_now;
use crate::domain::order::{Due, Order};
use crate::domain::registration::Registration;
use crate::domain::{ClassName, UnixSeconds, seconds};
use crate::store::{Chosen, Commands, OrderResult};
use crate::wake;

/// The operands and options of `extend` or `end`.
pub(super) struct OrderArguments {
    pub(super) selection: Selection,
    /// `--gently`, an option of `end` only.
    pub(super) gently: bool,
    /// `--class`.
    class: Option<ClassName>,
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
        let options = [&[ALL, CLASS, DRY_RUN, YES, JSON], more].concat();
        let (selection, given) = Selection::read(arguments, &options)?;
        Ok(Self {
            selection: selection.of_accounts(),
            gently: given.contains(&"gently"),
            class: arguments.class().cloned(),
        })
    }

    /// The accounts that are meant.
    fn chosen(&self) -> Result<Chosen<'_>, CommandError> {
        self.selection.check("accounts")?;
        let (all, names) = (self.selection.all, self.selection.names.as_slice());
        match (&self.class, all, names) {
            (Some(class), false, []) => Ok(Chosen::Class(class)),
            (Some(_), ..) => Err(CommandError::Misused(
                "give --class without USER and --all: it means all accounts of the class"
                    .to_owned(),
            )),
            (None, true, _) => Ok(Chosen::All),
            (None, false, []) => Err(CommandError::Misused(
                "USER is missing: give usernames, --class or --all".to_owned(),
            )),
            (None, false, names) => Ok(Chosen::Named(names)),
        }
    }

    /// Whether the accounts are not named one by one.
    pub(super) fn means_many(&self) -> bool {
        self.selection.all || self.class.is_some()
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
        let chosen = self.chosen()?;
        let ask = (self.means_many() || long_time(order).is_some()) && self.selection.may_ask();
        if ask {
            needs_a_terminal(match chosen {
                Chosen::All => "--all",
                Chosen::Class(_) => "--class",
                Chosen::Named(_) => "more than 7 days",
            })?;
        }
        let mut database = Commands::open(folder)?;
        if let Chosen::Class(class) = chosen {
            has_accounts(&database, class)?;
        }
        if ask {
            confirm_order(&mut database, order, chosen)?;
        }
        let now = unix_now();
        let applied = database.apply(order, chosen, now, self.selection.dry_run)?;
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
                    "the service could not be notified ({error}): it acts at its next check (CODER_CHECK_INTERVAL)"
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
            complain(&format!(
                "{} {}",
                registration.username,
                refusal.reason(order)
            ));
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

/// Asks whether `order` is meant for as many accounts as it would change.
fn confirm_order(
    database: &mut Commands,
    order: Order,
    chosen: Chosen<'_>,
) -> Result<(), CommandError> {
    let meant = database.apply(order, chosen, unix_now(), true)?.changed;
    if meant.is_empty() {
        return Ok(());
    }
    let long = long_time(order).map(|by| format!(" by {}", span(by)));
    let (verb, accounts) = (verb(order).0, count(meant.len(), "account"));
    confirm(&format!("{verb} {accounts}{}?", long.unwrap_or_default()))
}

/// Refuses a class without accounts. Which classes the settings have is not asked: accounts of a class that was
/// taken out of them can be ended as well.
fn has_accounts(database: &Commands, class: &ClassName) -> Result<(), CommandError> {
    let roster = database.roster()?;
    // Orders for a class are not for its spare accounts.
    let students = roster.iter().filter(|one| !one.is_spare());
    let known = students.filter_map(|one| one.class.as_ref());
    if known.clone().any(|one| one == class) {
        return Ok(());
    }
    let guess = guessed(&[class.as_str()], known.map(ClassName::as_str));
    Err(CommandError::Unmatched(format!(
        "no account belongs to the class {guess}; nothing is changed"
    )))
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

/// What `order` has done, for scripts. Times are UTC seconds.
pub(super) fn as_json(order: Order, done: &AppliedOrder, dry_run: bool) -> Value {
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
            json!({ "username": registration.username.as_str(), "reason": refusal.reason(order) })
        }).collect::<Vec<_>>(),
    })
}

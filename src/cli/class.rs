//! What `extend` and `end` have in common: whom they are about, asking first, and telling what came of it.

use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::arguments::{Arguments, Failure};
use super::table::{count, span, table};
use super::{complain, print};
use crate::clock::unix_now;
use crate::domain::UnixSeconds;
use crate::hand::{Due, Order};
use crate::registration::Registration;
use crate::store::{Applied, Hand};
use crate::wake;

/// The options of both, for `--help`.
pub(super) const OPTIONS: &str = "      --all            every account
      --dry-run        say what would be done, and change nothing
      --yes            do not ask before --all
      --json           print one JSON object
";

/// What stands behind `extend` or `end`.
pub(super) struct Asked {
    /// Names, and what else is no option.
    pub(super) words: Vec<String>,
    all: bool,
    dry_run: bool,
    yes: bool,
    json: bool,
}

impl Asked {
    /// Reads the rest of the command line.
    ///
    /// # Errors
    /// There is an option that is none of these.
    pub(super) fn read(arguments: &mut Arguments) -> Result<Self, Failure> {
        let (words, given) = arguments.operands(&["all", "dry-run", "yes", "json"])?;
        let has = |option| given.contains(&option);
        Ok(Self {
            words,
            all: has("all"),
            dry_run: has("dry-run"),
            yes: has("yes"),
            json: has("json"),
        })
    }

    /// The names; `None` = everybody's.
    fn names(&self) -> Result<Option<&[String]>, Failure> {
        let misused = |problem: &str| Err(Failure::Misused(problem.to_owned()));
        match (self.all, self.words.is_empty()) {
            (true, true) => Ok(None),
            (true, false) => misused("name accounts or say --all, not both"),
            (false, true) => misused("USER is missing: name accounts, or say --all"),
            (false, false) => Ok(Some(&self.words)),
        }
    }

    /// Carries `order` out, and tells what came of it.
    ///
    /// # Errors
    /// Nothing was changed, or not all that was asked for.
    pub(super) fn carry_out(&self, order: Order, folder: &Path) -> Result<(), Failure> {
        let names = self.names()?;
        let ask = self.all && !self.yes && !self.dry_run;
        if ask && !std::io::stdin().is_terminal() {
            return Err(Failure::Misused(
                "--all wants --yes where nobody can be asked".to_owned(),
            ));
        }
        let mut hand = Hand::open(folder)?;
        if ask {
            let meant = hand.apply(order, names, unix_now(), true)?.changed.len();
            let verb = verb(order).0;
            if meant > 0 && !agreed(&format!("{verb} {}?", count(meant, "account"))) {
                return Err(Failure::Failed("nothing is changed".to_owned()));
            }
        }
        let now = unix_now();
        let applied = hand.apply(order, names, now, self.dry_run)?;
        if !applied.unknown.is_empty() {
            let unknown = applied.unknown.join(" ");
            let noun = count(applied.unknown.len(), "account");
            return Err(Failure::Unmatched(format!(
                "{noun} not known: {unknown}; nothing is changed"
            )));
        }
        let running = self.tell_service(folder);
        self.report(order, &applied, now, running);
        let refused = !applied.refused.is_empty();
        match order {
            _ if applied.changed.is_empty() && !refused => {
                Err(Failure::Unmatched("there is no account".to_owned()))
            }
            // An end that is under way already is what was asked for.
            Order::Extend { .. } if refused && !self.all => Err(Failure::Told),
            _ => Ok(()),
        }
    }

    /// Has the service look at once. `None` = it cannot be told.
    fn tell_service(&self, folder: &Path) -> Option<bool> {
        let told = if self.dry_run {
            wake::is_running(folder)
        } else {
            wake::tell(folder)
        };
        told.inspect_err(|error| {
            complain(&format!(
                "the service cannot be told ({error}); it looks at its next check interval"
            ));
        })
        .ok()
    }

    fn report(&self, order: Order, applied: &Applied, now: UnixSeconds, running: Option<bool>) {
        if self.json {
            print(&format!("{}\n", as_json(applied, self.dry_run, running)));
            return;
        }
        let rows: Vec<Vec<String>> = applied
            .changed
            .iter()
            .map(|(before, due)| row(order, before, *due, now))
            .collect();
        if !rows.is_empty() {
            print(&table(&["USER", "BEFORE", "NOW"], &rows));
        }
        for (registration, refusal) in &applied.refused {
            complain(&format!("{} {}", registration.username, refusal.reason()));
        }
        if !rows.is_empty() {
            let accounts = count(rows.len(), "account");
            print(&format!("{accounts} {}\n", self.outcome(order, running)));
        }
    }

    fn outcome(&self, order: Order, running: Option<bool>) -> String {
        let done = verb(order).1;
        if self.dry_run {
            return format!("would be {done}; nothing is changed");
        }
        match (order, running) {
            (Order::End, Some(false)) => format!(
                "{done}; the service does not run: it removes them when it is started, each once its workspaces have stopped"
            ),
            (Order::End, _) => format!(
                "{done}; the service removes them now, each once its workspaces have stopped"
            ),
            _ => done.to_owned(),
        }
    }
}

fn verb(order: Order) -> (&'static str, &'static str) {
    match order {
        Order::End => ("end", "ended"),
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
        Order::End => "ended".to_owned(),
        Order::Extend { .. } if due.limited => {
            format!("{} (CODER_MAX_TIME allows no more)", left(Some(due.at)))
        }
        Order::Extend { .. } => left(Some(due.at)),
    };
    vec![before.username.to_string(), left(before.due_at), after]
}

/// Times are UTC seconds.
fn as_json(applied: &Applied, dry_run: bool, running: Option<bool>) -> Value {
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

/// Asks on the terminal; anything but a yes is a no.
pub(super) fn agreed(question: &str) -> bool {
    let mut terminal = std::io::stderr();
    let _ = write!(terminal, "{question} [y/N] ").and_then(|()| terminal.flush());
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.is_ok() && ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str())
}

//! `end`: ends the time of accounts now.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use super::arguments::{Arguments, CommandError};
use super::orders::{AppliedOrder, OrderArguments, as_json};
use super::table::count;
use super::{Command, print};
use crate::domain::order::Order;
use crate::domain::registration::Registration;
use crate::store::{Commands, StoreError};

pub(super) const COMMAND: Command = Command {
    name: "end",
    operands: "USER...|--class NAME|--all",
    summary: "end the time of accounts now; the service may be running or stopped",
    details: "\
USER is an account's username or e-mail address, in any case. A running service locks the accounts out at once: logins and open
sessions end, and Coder stops their workspaces within a minute. The workspaces are deleted when they have
stopped, then the accounts. The command waits until all accounts are locked out, at most a minute, and reports
the result. With --gently no account is locked out: it is removed when none of its workspaces runs, or after
CODER_STOP_AFTER. Earlier texts are ignored from then on; a student who texts the phrase again gets another
account. If one of several names is not known, nothing is changed. The only settings that it needs are
CODER_REG_DATA_DIR or CODER_REG_ENV.

Exit codes: 0 recorded, 1 failure, 2 wrong usage, 3 no such account
",
    options: OPTIONS,
    run: end,
};

/// The options, for `--help`.
const OPTIONS: &str = "      --gently         wait until no workspace runs, and lock no account out
      --all            every account
      --class NAME     every account of this class
      --dry-run        print what would be done, and change nothing
      --yes            do not ask before --all or --class
      --json           print one JSON object
";

/// How long the command waits until the service has locked all accounts out.
const PATIENCE: Duration = Duration::from_secs(60);

/// The pause between two queries of the database.
const PAUSE: Duration = Duration::from_millis(200);

/// How far the removal of ended accounts is.
#[derive(Default)]
struct Progress {
    /// The number of accounts that are removed.
    gone: usize,
    /// The number of accounts that are locked out; the rest of their removal follows.
    locked_out: usize,
    /// Accounts that are locked out, but whose removal Coder refuses.
    stuck: Vec<Registration>,
    /// Accounts that can still be used.
    usable: Vec<Registration>,
    /// Accounts that Coder may have, but nobody has their login.
    without_login: Vec<Registration>,
    /// The number of accounts of which the service has not said yet what their removal waits for.
    untold: usize,
}

impl Progress {
    /// The progress of `ended`.
    fn of(ended: &[&Registration], database: &Commands) -> Result<Self, StoreError> {
        let roster = database.roster()?;
        let mut progress = Self::default();
        for before in ended {
            let Some(one) = roster.iter().find(|one| one.marker == before.marker) else {
                progress.gone += 1;
                continue;
            };
            progress.untold += usize::from(one.reap_note.is_none());
            let removal = &one.removal;
            match (removal.locked_at, removal.refused_since) {
                (Some(_), None) => progress.locked_out += 1,
                (Some(_), Some(_)) => progress.stuck.push(one.clone()),
                _ if before.may_have_login() => progress.usable.push(one.clone()),
                _ => progress.without_login.push(one.clone()),
            }
        }
        Ok(progress)
    }

    /// Whether waiting longer is useless: an account that the service tried and failed to lock out, or to remove, is
    /// retried only later.
    fn is_final(&self) -> bool {
        self.untold == 0
    }

    /// The number of accounts that nobody can use any more.
    fn all_locked_out(&self) -> usize {
        self.gone + self.locked_out + self.stuck.len()
    }

    /// The accounts that are neither removed nor locked out.
    fn not_over(&self) -> impl Iterator<Item = &Registration> {
        self.usable.iter().chain(&self.without_login)
    }

    fn in_words(&self) -> String {
        let numbers = [
            (self.all_locked_out(), "locked out"),
            (self.usable.len(), "can still be used"),
            (self.without_login.len(), "without a login, not removed yet"),
        ];
        let mut words = if self.not_over().next().is_none() {
            " and locked out".to_owned()
        } else {
            let numbers = numbers.into_iter().filter(|(number, _)| *number > 0);
            let numbers = numbers.map(|(number, what)| format!("{number} {what}"));
            let numbers: Vec<String> = numbers.collect();
            format!(": {}, see below", numbers.join("; "))
        };
        // Whether they have workspaces is known at Coder only.
        words += &match self.locked_out {
            0 => String::new(),
            1 => "; 1 is removed within minutes, as soon as its workspaces are stopped and deleted"
                .to_owned(),
            more => format!(
                "; {more} are removed within minutes, as soon as their workspaces are stopped and deleted"
            ),
        };
        if !self.stuck.is_empty() {
            words += &format!("; {} cannot be removed now, see below", self.stuck.len());
        }
        let named: Vec<&Registration> = self.not_over().chain(&self.stuck).collect();
        for one in &named {
            let note = one.reap_note.as_deref();
            let note = note.unwrap_or("the service has not tried it yet");
            words += &format!("\n{}: {note}", one.username);
        }
        if !named.is_empty() {
            words += "\nthe service retries, see status";
        }
        words
    }
}

fn end(arguments: &mut Arguments) -> Result<(), CommandError> {
    let asked = OrderArguments::read(arguments, &["gently"])?;
    let order = if asked.gently {
        Order::EndGently
    } else {
        Order::End
    };
    let folder = arguments.data_dir()?;
    let done = asked.carry_out(order, &folder)?;
    let waits = order == Order::End && done.running == Some(true) && !asked.selection.dry_run;
    if !asked.selection.json {
        asked.show(order, &done);
    }
    let progress = waits.then(|| wait(&done, &folder)).transpose()?;
    if asked.selection.json {
        print(&format!(
            "{}\n",
            to_json(order, &done, &asked, progress.as_ref())
        ));
    } else {
        let is_one = done.applied.changed.len() == 1;
        let meaning = meaning(order, done.running, progress.as_ref(), is_one);
        asked.sum_up(order, &done, &meaning);
    }
    Ok(())
}

/// Waits until the service has tried to lock all accounts out.
fn wait(done: &AppliedOrder, folder: &Path) -> Result<Progress, StoreError> {
    let ended: Vec<&Registration> = done.applied.changed.iter().map(|(one, _)| one).collect();
    let began = Instant::now();
    let mut terminal = std::io::stderr();
    let shows = terminal.is_terminal();
    // Opened here: the service may have been restarted on another database since the order.
    let database = Commands::open(folder)?;
    loop {
        let progress = Progress::of(&ended, &database)?;
        let is_over = progress.is_final() || began.elapsed() > PATIENCE;
        if shows && began.elapsed() > PAUSE {
            let left = count(progress.not_over().count(), "account");
            let end = if is_over { "\n" } else { "" };
            // A failure to write the progress does not matter.
            let _ = write!(terminal, "\rlocking out: {left} left  {end}");
        }
        if is_over {
            return Ok(progress);
        }
        std::thread::sleep(PAUSE);
    }
}

/// What the order means for the use of the accounts. `is_one` = it is a single one.
fn meaning(
    order: Order,
    running: Option<bool>,
    progress: Option<&Progress>,
    is_one: bool,
) -> String {
    let (they, them) = if is_one {
        ("it", "it")
    } else {
        ("they", "them")
    };
    let each = if is_one { "it" } else { "each" };
    match (progress, order, running) {
        (Some(progress), ..) => progress.in_words(),
        (None, Order::End, Some(false)) => format!(
            ", but only in the database, as the service does not run: {they} can be used until it is started, which locks {them} out first"
        ),
        (None, Order::End, _) => format!(
            ", but only in the database: {they} can be used until the service handles {them}"
        ),
        (None, _, Some(false)) => format!(
            "; the service does not run: once started, it removes {each} when its workspaces have stopped"
        ),
        _ => format!("; the service removes {each} when its workspaces have stopped"),
    }
}

fn to_json(
    order: Order,
    done: &AppliedOrder,
    asked: &OrderArguments,
    progress: Option<&Progress>,
) -> serde_json::Value {
    let mut value = as_json(order, done, asked.selection.dry_run);
    value["gently"] = json!(asked.gently);
    value["gone"] = json!(progress.map(|one| one.gone));
    value["locked_out"] = json!(progress.map(|one| one.locked_out + one.stuck.len()));
    value["still_usable"] = json!(progress.map(|one| with_reasons(&one.usable)));
    value["without_login"] = json!(progress.map(|one| with_reasons(&one.without_login)));
    value
}

/// Accounts with what their removal waits for.
fn with_reasons(accounts: &[Registration]) -> Vec<serde_json::Value> {
    let with_reason =
        |one: &Registration| json!({ "username": one.username.as_str(), "reason": one.reap_note });
    accounts.iter().map(with_reason).collect()
}

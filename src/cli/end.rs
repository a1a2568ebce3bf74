//! `end`: accounts' time is up.

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
    operands: "USER...|--all",
    summary: "end the time of accounts now; the service may be running or not",
    details: "\
USER is an account's username or e-mail address, in any case. A running service locks the accounts out at once: their logins and
open sessions are over, Coder stops their workspaces within a minute, and they are deleted as soon as they have
stopped, then the account. The command waits until all are locked out, a minute at most, and says what it saw.
With --gently nobody is locked out: an account is removed once no workspace of it runs, or after
CODER_STOP_AFTER. Texts that came before count no more; a student who texts the phrase afterwards gets another
account. If one of several names is not known nothing is changed. Needs no settings but CODER_REG_DATA_DIR or
CODER_REG_ENV.

Exit codes: 0 recorded, 1 failed, 2 misused, 3 no such account
",
    options: OPTIONS,
    run: end,
};

/// The options, for `--help`.
const OPTIONS: &str = "      --gently         wait until no workspace runs, and lock nobody out
      --all            every account
      --dry-run        say what would be done, and change nothing
      --yes            do not ask before --all
      --json           print one JSON object
";

/// How long the command waits for the service to lock everybody out.
const PATIENCE: Duration = Duration::from_secs(60);

/// The pause between two looks into the database.
const PAUSE: Duration = Duration::from_millis(200);

/// What the service has done about accounts that were ended.
#[derive(Default)]
struct Progress {
    /// They are gone.
    gone: usize,
    /// Nobody can work with them; their workspaces are being stopped and deleted.
    locked_out: usize,
    /// They can still be worked with.
    usable: Vec<Registration>,
}

impl Progress {
    /// How far the removal of these accounts is.
    fn of(ended: &[&Registration], hand: &Commands) -> Result<Self, StoreError> {
        let roster = hand.roster()?;
        let mut progress = Self::default();
        for before in ended {
            match roster.iter().find(|one| one.marker == before.marker) {
                None => progress.gone += 1,
                Some(one) if one.removal.locked_at.is_some() => progress.locked_out += 1,
                Some(one) => progress.usable.push(one.clone()),
            }
        }
        Ok(progress)
    }

    /// Whether a further wait would bring nothing: whom the service has looked at and not locked out, it
    /// looks at again only later.
    fn is_final(&self) -> bool {
        self.usable.iter().all(|one| one.reap_note.is_some())
    }

    fn in_words(&self) -> String {
        let mut words = match (self.usable.len(), self.gone + self.locked_out) {
            (0, _) => ": nobody can work on".to_owned(),
            (usable, 0) => format!(": {usable} can still be used, see below"),
            (usable, over) => {
                format!(": nobody can work on with {over}; {usable} can still be used, see below")
            }
        };
        words += &match self.locked_out {
            0 => String::new(),
            1 => {
                "; 1 has a workspace that is being stopped and deleted, and is gone within minutes"
                    .to_owned()
            }
            more => format!(
                "; {more} have workspaces that are being stopped and deleted, and are gone within minutes"
            ),
        };
        for one in &self.usable {
            let note = one.reap_note.as_deref();
            let note = note.unwrap_or("the service has not looked at it yet");
            words += &format!("\n{}: {note}", one.username);
        }
        if !self.usable.is_empty() {
            words += "\nthe service goes on trying, see status";
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
        print(&format!("{}\n", to_json(&done, &asked, progress.as_ref())));
    } else {
        let meaning = meaning(order, done.running, progress.as_ref());
        asked.sum_up(order, &done, &meaning);
    }
    Ok(())
}

/// Waits until the service has locked everybody out, or has looked at all and could not.
fn wait(done: &AppliedOrder, folder: &Path) -> Result<Progress, StoreError> {
    let ended: Vec<&Registration> = done.applied.changed.iter().map(|(one, _)| one).collect();
    let began = Instant::now();
    let mut terminal = std::io::stderr();
    let shows = terminal.is_terminal();
    // Opened here: the service may have been restarted on another database since the order.
    let hand = Commands::open(folder)?;
    loop {
        let progress = Progress::of(&ended, &hand)?;
        let is_over = progress.is_final() || began.elapsed() > PATIENCE;
        if shows && began.elapsed() > PAUSE {
            let left = count(progress.usable.len(), "account");
            let end = if is_over { "\n" } else { "" };
            // Only for the eyes.
            let _ = write!(terminal, "\rlocking out: {left} left  {end}");
        }
        if is_over {
            return Ok(progress);
        }
        std::thread::sleep(PAUSE);
    }
}

/// What an end means for those who work with the accounts.
fn meaning(order: Order, running: Option<bool>, progress: Option<&Progress>) -> String {
    match (progress, order, running) {
        (Some(progress), ..) => progress.in_words(),
        (None, Order::End, Some(false)) => {
            ", but only on record: the service does not run. They can be used until it is started, which locks them out first"
                .to_owned()
        }
        (None, Order::End, _) => {
            ", but only on record: they can be used until the service looks at them".to_owned()
        }
        (None, _, Some(false)) => {
            "; the service does not run: it removes them when it is started, each once its workspaces have stopped"
                .to_owned()
        }
        _ => "; the service removes each once its workspaces have stopped".to_owned(),
    }
}

fn to_json(
    done: &AppliedOrder,
    asked: &OrderArguments,
    progress: Option<&Progress>,
) -> serde_json::Value {
    let mut value = as_json(done, asked.selection.dry_run);
    value["gently"] = json!(asked.gently);
    value["gone"] = json!(progress.map(|one| one.gone));
    value["locked_out"] = json!(progress.map(|one| one.locked_out));
    value["still_usable"] = json!(progress.map(|one| {
        let usable = one.usable.iter();
        let usable =
            usable.map(|one| json!({ "username": one.username.as_str(), "reason": one.reap_note }));
        usable.collect::<Vec<_>>()
    }));
    value
}

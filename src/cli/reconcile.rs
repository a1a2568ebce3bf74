//! `reconcile`: finds accounts in Coder that are missing from the database.

use serde_json::{Value, json};

use super::arguments::{Arguments, CommandError};
use super::naming::guessed;
use super::selection::{ALL, DRY_RUN, JSON, Selection, YES, confirm, needs_a_terminal};
use super::table::{count, span, table};
use super::{Command, complain, print};
use crate::clock::unix_now;
use crate::coder::{Coder, CoderError};
use crate::config::Config;
use crate::domain::UnixSeconds;
use crate::http::Http;
use crate::reconcile::{Marks, Ownership, UnknownAccount, adoption, still_unknown, unknown};
use crate::store::{Adoption, Commands};
use crate::wake;

pub(super) const COMMAND: Command = Command {
    name: "reconcile",
    operands: "[USER...|--all]",
    summary: "find our accounts in Coder that are missing from the database, and have them removed in time",
    details: "\
This is for a lost database or a restored old backup. Accounts with our mark (display name
\"Class guest ...\") that are missing from the database would never be removed. Those that this service made are
adopted: they are removed when their time is up like all others, but not within the next hour. The service does
the same at its start and daily.

The others are listed and not changed, because they may belong to another service with the same Coder, e-mail
domain and key. If there is none, adopt them by USER, which is a username, or with --all. An account that was
altered after it was made is never adopted. Accounts without our mark are not listed.

Exit codes: 0 done, 1 failure or not done for all named accounts, 2 wrong usage, 3 no such account
",
    options: "      --all            also adopt those that may be another service's
      --dry-run        print what would be done, and change nothing
      --yes            do not ask before --all
      --json           print one JSON object
",
    run: reconcile,
};

impl From<CoderError> for CommandError {
    fn from(fault: CoderError) -> Self {
        Self::Failed(format!("{fault}; {}", fault.cure()))
    }
}

fn reconcile(arguments: &mut Arguments) -> Result<(), CommandError> {
    let (asked, _) = Selection::read(arguments, &[ALL, DRY_RUN, YES, JSON])?;
    let asked = asked.of_accounts();
    asked.check("accounts")?;
    if asked.asks_before_all() {
        needs_a_terminal("--all")?;
    }
    let config = arguments.config()?;
    // Open until the end, so that no restore replaces the database in between.
    let mut database = Commands::open(&config.service.data_dir)?;
    let mut found = search(&config, &database)?;
    let chosen = choose(&asked, &found)?;
    let adoptions = |now| -> Vec<Adoption> {
        let chosen = chosen.iter();
        let life = config.class.remove_after;
        chosen.map(|found| adoption(found, now, life)).collect()
    };
    if asked.asks_before_all() && !chosen.is_empty() {
        let now = unix_now();
        agree(&found, &adoptions(now), now)?;
    }
    // Again, because the answer may have taken long.
    let now = unix_now();
    let adoptions = adoptions(now);
    let adopted = if asked.dry_run {
        adoptions
    } else {
        adopt(&mut database, &mut found, adoptions, now)?
    };
    let running = if asked.dry_run || adopted.is_empty() {
        wake::is_running(&config.service.data_dir)
    } else {
        wake::notify(&config.service.data_dir)
    };
    let report = ReconcileReport {
        dry_run: asked.dry_run,
        running: running.ok(),
        now,
        found: &found,
        adopted: &adopted,
    };
    print(&if asked.json {
        format!("{}\n", report.json())
    } else {
        report.text()
    });
    Ok(())
}

/// Shows what would be done, and asks.
fn agree(
    found: &[UnknownAccount],
    adoptions: &[Adoption],
    now: UnixSeconds,
) -> Result<(), CommandError> {
    let rehearsal = ReconcileReport {
        dry_run: true,
        running: None,
        now,
        found,
        adopted: adoptions,
    };
    complain(rehearsal.rows().trim_end());
    let accounts = count(adoptions.len(), "account");
    confirm(&format!("adopt {accounts}, to be removed in time?"))
}

/// Adopts the accounts, and returns those that were adopted. Accounts that were adopted by others in the meantime,
/// such as by the service, are removed from `found`.
fn adopt(
    database: &mut Commands,
    found: &mut Vec<UnknownAccount>,
    adoptions: Vec<Adoption>,
    now: UnixSeconds,
) -> Result<Vec<Adoption>, CommandError> {
    let names = database.adopt(&adoptions, now)?;
    let is_new = |one: &Adoption| names.contains(&one.username);
    let adopted: Vec<Adoption> = adoptions.into_iter().filter(is_new).collect();
    let left = still_unknown(found.clone(), &database.roster()?);
    found.retain(|one| left.contains(one) || adopted.iter().any(|new| new.coder_id == one.user.id));
    Ok(adopted)
}

/// The accounts with our mark that are missing from the database.
fn search(config: &Config, database: &Commands) -> Result<Vec<UnknownAccount>, CommandError> {
    let coder = Coder::new(
        Http::new(config.service.call_limit),
        &config.coder.address.api,
        config.coder.key.clone(),
    );
    if !coder.rights()?.see_users {
        return Err(CommandError::Failed(
            "the token (CODER_API_KEY) may not see users: give its user the role User Admin"
                .to_owned(),
        ));
    }
    let instance_id = database.instance_id()?;
    let domain = &config.coder.email_domain;
    let marks = Marks {
        keys: &config.service.phone_keys,
        instance_id: instance_id.as_ref(),
        domain,
    };
    let before = database.roster()?;
    let found = unknown(&coder.users_of(domain)?, &before, marks);
    Ok(still_unknown(found, &database.roster()?))
}

/// The accounts to adopt.
fn choose<'a>(
    asked: &Selection,
    found: &'a [UnknownAccount],
) -> Result<Vec<&'a UnknownAccount>, CommandError> {
    if asked.names.is_empty() {
        let is_meant = |one: &&UnknownAccount| {
            one.ownership == Ownership::Ours || asked.all && one.ownership.may_be_ours()
        };
        return Ok(found.iter().filter(is_meant).collect());
    }
    let is_meant =
        |one: &&UnknownAccount, name: &str| one.username.as_str().eq_ignore_ascii_case(name);
    let named = asked.named(found, is_meant).map_err(|unknown| {
        let marked = found.iter().map(|one| one.username.as_str());
        CommandError::Unmatched(format!(
            "no account with our mark that is missing from the database: {}; nothing is changed",
            guessed(&unknown, marked)
        ))
    })?;
    match named.iter().find(|one| !one.ownership.may_be_ours()) {
        Some(altered) => Err(CommandError::Failed(format!(
            "{} {}, so it is never adopted: remove it in Coder if it is not needed; nothing is changed",
            altered.username,
            altered.ownership.in_words()
        ))),
        None => Ok(named),
    }
}

/// The result.
struct ReconcileReport<'a> {
    dry_run: bool,
    /// Whether the service runs; `None` = not known.
    running: Option<bool>,
    now: UnixSeconds,
    found: &'a [UnknownAccount],
    adopted: &'a [Adoption],
}

impl ReconcileReport<'_> {
    fn adoption(&self, found: &UnknownAccount) -> Option<&Adoption> {
        let mut all = self.adopted.iter();
        all.find(|one| one.coder_id == found.user.id)
    }

    fn ago(&self, at: Option<UnixSeconds>, never: &str) -> String {
        at.map_or_else(
            || never.to_owned(),
            |at| format!("{} ago", span(self.now - at)),
        )
    }

    fn row(&self, found: &UnknownAccount) -> Vec<String> {
        let outcome = match self.adoption(found) {
            None => "left alone".to_owned(),
            Some(one) => {
                let left = one.due_at.map_or_else(
                    || "no end".to_owned(),
                    |due| format!("{} left", span(due - self.now)),
                );
                let would = if self.dry_run { "would be " } else { "" };
                format!("{would}adopted, {left}")
            }
        };
        vec![
            found.username.to_string(),
            self.ago(found.user.made_at, "-"),
            self.ago(found.user.last_seen(), "never"),
            found.ownership.in_words().to_owned(),
            outcome,
        ]
    }

    fn rows(&self) -> String {
        let rows: Vec<Vec<String>> = self.found.iter().map(|found| self.row(found)).collect();
        table(&["USER", "MADE", "LAST SEEN", "WHOSE", "OUTCOME"], &rows)
    }

    fn text(&self) -> String {
        if self.found.is_empty() {
            return "the database contains every account with our mark\n".to_owned();
        }
        let mut text = self.rows();
        let (adopted, left) = (self.adopted.len(), self.found.iter());
        let left = left.filter(|found| self.adoption(found).is_none());
        let (doubtful, altered): (Vec<&UnknownAccount>, Vec<&UnknownAccount>) =
            left.partition(|found| found.ownership.may_be_ours());
        if adopted > 0 {
            let accounts = count(adopted, "account");
            text += &if self.dry_run {
                format!("{accounts} would be adopted; nothing is changed\n")
            } else {
                format!("{accounts} adopted, to be removed when the time is up\n")
            };
        }
        if !doubtful.is_empty() {
            text += &format!(
                "{} may belong to another service with this Coder, e-mail domain and key; if there is none: coder-sms-register reconcile --all\n",
                count(doubtful.len(), "account")
            );
        }
        if !altered.is_empty() {
            let it = if altered.len() == 1 { "it" } else { "them" };
            text += &format!(
                "altered after being made, so never adopted: {}; remove {it} in Coder if no longer needed\n",
                count(altered.len(), "account")
            );
        }
        text
    }

    /// Times are UTC seconds.
    fn json(&self) -> Value {
        let account = |found: &UnknownAccount| {
            let adoption = self.adoption(found);
            let mut value = as_json(found);
            value["adopted"] = (adoption.is_some() && !self.dry_run).into();
            value["would_be_adopted"] = (adoption.is_some() && self.dry_run).into();
            value["due_at"] = adoption.and_then(|one| one.due_at).into();
            value
        };
        json!({
            "dry_run": self.dry_run,
            "service_running": self.running,
            "accounts": self.found.iter().map(account).collect::<Vec<_>>(),
        })
    }
}

/// An account for scripts. Times are UTC seconds.
pub(super) fn as_json(found: &UnknownAccount) -> Value {
    json!({
        "username": found.username.as_str(),
        "verdict": found.ownership.as_str(),
        "adoptable": found.ownership.may_be_ours(),
        "made_at": found.user.made_at,
        "last_seen_at": found.user.last_seen(),
    })
}

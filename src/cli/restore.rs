//! `restore`: replaces the database with a backup.

use std::fs::{self, File};
use std::io::IsTerminal;
use std::path::Path;
use std::process::Stdio;

use time::OffsetDateTime;

use super::arguments::{Arguments, CommandError};
use super::folder_owner::{FolderOwner, open_backup};
use super::selection::{confirm, needs_a_terminal};
use super::table::count;
use super::{Command, print};
use crate::domain::UnixSeconds;
use crate::store::{self, Origin, RestoreResult, StoreError};
use crate::wake;

pub(super) const COMMAND: Command = Command {
    name: "restore",
    operands: "FILE",
    summary: "replace the database with FILE, or with - from standard input; the service must be stopped",
    details: "\
The backup is checked completely first. The old database is kept beside the new one as
registrations.db.before-restore, or ...-2 and so on: nothing is overwritten. The only settings that it needs
are CODER_REG_DATA_DIR or CODER_REG_ENV. Root runs it as the owner of the data folder.
",
    options: "      --yes            do not ask before a database is replaced\n",
    run: put_back,
};

fn put_back(arguments: &mut Arguments) -> Result<(), CommandError> {
    let (from, given) = arguments.operand("FILE (or - for standard input)", &["yes"])?;
    if from == "-" && std::io::stdin().is_terminal() {
        return Err(CommandError::Misused(
            "standard input is a terminal: redirect it, as in restore - < FILE".to_owned(),
        ));
    }
    let folder = arguments.data_dir()?;
    if from != "-" {
        is_readable(Path::new(&from))?;
    }
    let database = folder.join(store::DATABASE);
    if database.exists() && !given.contains(&"yes") {
        // Decided below, under the lock; this spares the question.
        if wake::is_running(&folder).unwrap_or(false) {
            return Err(StoreError::Running { path: folder }.into());
        }
        needs_a_terminal("replacing a database")?;
        let question = format!(
            "replace {}? It is kept beside the new one.",
            database.display()
        );
        confirm(&question)?;
    }
    if let Some(owner) = FolderOwner::other_than_root(&folder) {
        let input = if from == "-" {
            Stdio::inherit()
        } else {
            open_backup(Path::new(&from))?.into()
        };
        return owner.run(&["restore", "--yes"], input, Stdio::inherit());
    }
    let mut stdin = std::io::stdin().lock();
    let origin = if from == "-" {
        Origin::Stream(&mut stdin)
    } else {
        Origin::File(Path::new(&from))
    };
    print(&report(&store::restore(&folder, origin)?));
    Ok(())
}

/// If the file cannot be read, nobody is asked whether it may replace the database.
fn is_readable(from: &Path) -> Result<(), CommandError> {
    let cannot = |why: &dyn std::fmt::Display| {
        let problem = format!("cannot read {}: {why}; nothing is changed", from.display());
        Err(CommandError::Failed(problem))
    };
    // A pipe is not opened, as it can be read only once.
    match fs::metadata(from) {
        Ok(found) if found.is_dir() => cannot(&"it is a folder"),
        Ok(found) if found.is_file() => match File::open(from) {
            Ok(_) => Ok(()),
            Err(error) => cannot(&error),
        },
        Ok(_) => Ok(()),
        Err(error) => cannot(&error),
    }
}

/// The most names that are listed.
const LISTED: usize = 50;

fn report(restored: &RestoreResult) -> String {
    let registrations = count(restored.summary.registrations, "registration");
    let newest = restored.summary.newest.and_then(date);
    let newest = newest.map_or_else(String::new, |at| format!(", the newest created {at}"));
    let mut text = format!(
        "restored {registrations}{newest}; it does not contain accounts made since the backup\n"
    );
    if let Some(carryover) = &restored.carryover {
        text += &match carryover.unknown.as_slice() {
            [] => "the old database contained no other accounts\n".to_owned(),
            names => {
                let more = names.len().saturating_sub(LISTED);
                let more = if more > 0 {
                    format!(" and {more} more")
                } else {
                    String::new()
                };
                let names = names[..names.len().min(LISTED)].join(" ");
                format!("the old database contained these others: {names}{more}\n")
            }
        };
    }
    match &restored.before {
        Some(before) => {
            text += &format!("the old database is kept as {}\n", before.display());
            text += "now start the service: it finds the accounts that it made since the backup, and removes them when their time is up\n";
        }
        None => {
            text += "now start the service; coder-sms-register reconcile lists accounts made since the backup, and reconcile --all adopts them if no other service made them\n";
        }
    }
    text
}

fn date(at: UnixSeconds) -> Option<String> {
    let at = OffsetDateTime::from_unix_timestamp(at).ok()?;
    Some(format!(
        "{}-{:02}-{:02} {:02}:{:02} UTC",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute()
    ))
}

//! `restore`: a backup becomes the database.

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
use crate::store::{self, Origin, RestoreResult};

pub(super) const COMMAND: Command = Command {
    name: "restore",
    operands: "FILE",
    summary: "make FILE, or with - what comes on standard input, the database; the service must be stopped",
    details: "\
The backup is checked from end to end first. The old database is kept beside the new one as
registrations.db.before-restore, or ...-2 and so on: nothing is overwritten. Needs no settings but
CODER_REG_DATA_DIR or CODER_REG_ENV. As root it works as the user to whom the folder belongs.
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
    let database = folder.join(store::DATABASE);
    if database.exists() && !given.contains(&"yes") {
        needs_a_terminal("restore in the place of a database")?;
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
        return owner.does(&["restore", "--yes"], input, Stdio::inherit());
    }
    let mut stdin = std::io::stdin().lock();
    let origin = if from == "-" {
        Origin::Stream(&mut stdin)
    } else {
        Origin::File(Path::new(&from))
    };
    print(&told(&store::restore(&folder, origin)?));
    Ok(())
}

/// Names that are listed at most.
const LISTED: usize = 50;

fn told(restored: &RestoreResult) -> String {
    let registrations = count(restored.summary.registrations, "registration");
    let newest = restored.summary.newest.and_then(date);
    let newest = newest.map_or_else(String::new, |at| format!(", the newest made {at}"));
    let mut text = format!(
        "restored {registrations}{newest}; accounts made since the backup are not known to it\n"
    );
    if let Some(learnt) = &restored.learnt {
        text += &match learnt.unknown.as_slice() {
            [] => "the old database knew no other accounts\n".to_owned(),
            names => {
                let more = names.len().saturating_sub(LISTED);
                let more = if more > 0 {
                    format!(" and {more} more")
                } else {
                    String::new()
                };
                let names = names[..names.len().min(LISTED)].join(" ");
                format!("the old database knew these others: {names}{more}\n")
            }
        };
    }
    match &restored.before {
        Some(before) => {
            text += &format!("the old database is kept as {}\n", before.display());
            text += "now start the service: it finds the accounts that it made since the backup, and removes them when their time is up\n";
        }
        None => {
            text += "now start the service; accounts made since the backup are shown by coder-sms-register reconcile, and adopted with --all if no other service made them\n";
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

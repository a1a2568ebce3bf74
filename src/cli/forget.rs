//! `forget`: erases all data about a phone.

use std::io::{IsTerminal, Read};

use log::debug;
use serde_json::json;

use super::arguments::{Arguments, CommandError};
use super::table::count;
use super::{Command, complain, print};
use crate::clock::unix_now;
use crate::config::Config;
use crate::domain::registration::Stage;
use crate::domain::{MessageSid, Phone};
use crate::store::{Commands, ForgetResult};
use crate::stream::{Redis, Settler, StreamError, StreamInspector};
use crate::wake;

pub(super) const COMMAND: Command = Command {
    name: "forget",
    operands: "PHONE",
    summary: "erase all data about a phone, and end its account; the service may be running or stopped",
    details: "\
PHONE is in international form, +12025550123. Every user of this machine can see it in the list of processes;
with - it is read from standard input instead. Hints, opt-outs and waiting texts are erased at once, the rest
with the account, whose removal starts at once. For a phone that was renumbered (Mexico, Benin, Ivory Coast)
either number works. A phone that had opted out can ask for a login again after it was forgotten; Twilio keeps
its own list. Twilio's log and backups of the database are not changed.

Exit codes: 0 done, 1 failure or not everything done, 2 wrong usage, 3 there is no data about this phone
",
    options: "      --dry-run        print what is stored, and change nothing
      --json           print one JSON object
",
    run: forget,
};

/// The most bytes that are read: more than any phone with spaces and brackets.
const LONGEST: u64 = 64;

fn forget(arguments: &mut Arguments) -> Result<(), CommandError> {
    let what = "PHONE (or - for standard input)";
    let (operand, given) = arguments.operand(what, &["dry-run", "json"])?;
    let dry_run = given.contains(&"dry-run");
    let phone = if operand == "-" {
        typed()?
    } else {
        operand.to_string_lossy().into_owned()
    };
    let phone = parse(&phone)?;
    let config = arguments.config()?;
    let mut database = Commands::open(&config.service.data_dir)?;
    let hashes = phone.hashes(&database.key(&config.service.phone_keys)?);
    let waiting = waiting(&config, &phone);
    let sids: Vec<MessageSid> = waiting
        .iter()
        .flatten()
        .map(|(_, sid)| sid.clone())
        .collect();
    // The database first: it records the texts as served, so that they are not served wherever they turn up.
    let known = database.forget(&hashes, &sids, unix_now(), dry_run)?;
    let texts = waiting.and_then(|entries| {
        if !dry_run {
            delete(&config, &entries)?;
        }
        Ok(entries.len())
    });
    let mut is_stopped = false;
    if !dry_run {
        match wake::notify(&config.service.data_dir) {
            Ok(runs) => is_stopped = !runs,
            Err(error) => debug!("the service could not be notified: {error}"),
        }
    }
    if given.contains(&"json") {
        print(&as_json(&known, &texts, dry_run));
    } else {
        print(&report(&known, &texts, dry_run, is_stopped));
    }
    match texts {
        Err(fault) => {
            complain(&format!(
                "waiting texts of this phone could not be read; repeat the command later: {fault}"
            ));
            Err(CommandError::Reported)
        }
        Ok(0) if known.accounts.is_empty() && !known.contact => Err(CommandError::Unmatched(
            "there is no data about this phone".to_owned(),
        )),
        Ok(_) => Ok(()),
    }
}

/// Reads standard input.
fn typed() -> Result<String, CommandError> {
    let mut words = String::new();
    if std::io::stdin().is_terminal() {
        complain("PHONE, then Enter and Ctrl-D:");
    }
    let read = std::io::stdin()
        .lock()
        .take(LONGEST)
        .read_to_string(&mut words);
    read.map_err(|error| CommandError::Failed(format!("cannot read standard input: {error}")))?;
    Ok(words)
}

/// Parses the phone. Its error does not contain `given`.
fn parse(given: &str) -> Result<Phone, CommandError> {
    let is_sign = |c: char| c.is_whitespace() || "-().".contains(c);
    let bare: String = given.chars().filter(|c| !is_sign(*c)).collect();
    Phone::parse_any(&bare).map_err(|_| {
        CommandError::Misused("PHONE is not in international form, such as +12025550123".to_owned())
    })
}

/// The phone's texts in the stream.
fn waiting(config: &Config, phone: &Phone) -> Result<Vec<(String, MessageSid)>, StreamError> {
    StreamInspector::new(Redis::new(&config.redis)?.patient()).texts_of(phone)
}

fn delete(config: &Config, entries: &[(String, MessageSid)]) -> Result<(), StreamError> {
    if entries.is_empty() {
        return Ok(());
    }
    let settler = Settler::new(Redis::new(&config.redis)?.patient());
    for (id, _) in entries {
        settler.acknowledge(id)?;
    }
    // The phone remains in Redis' file until that is rewritten, which the service requests daily.
    if let Err(fault) = settler.compact() {
        complain(&format!(
            "the texts may remain in Redis' append-only file for another day: {fault}"
        ));
    }
    Ok(())
}

fn report(
    known: &ForgetResult,
    texts: &Result<usize, StreamError>,
    dry_run: bool,
    is_stopped: bool,
) -> String {
    let when = if is_stopped {
        " when it is started"
    } else {
        ""
    };
    let (erased, deleted) = if dry_run {
        ("would be erased", "would be deleted")
    } else {
        ("erased", "deleted")
    };
    let mut text = String::new();
    if known.contact {
        text += &format!("hints, opt-outs and refusals of this phone: {erased}\n");
    }
    if let Ok(number @ 1..) = texts {
        let texts = count(*number, "text");
        text += &format!("{texts} of this phone in the queue: {deleted}\n");
    }
    for account in &known.accounts {
        let name = &account.username;
        text += &match (account.stage, dry_run) {
            (Stage::Reaping, _) => format!(
                "its account {name} is being removed; after that there is no data about this phone\n"
            ),
            (_, true) => format!("its account {name} would be ended and removed\n"),
            _ => format!(
                "its account {name} is ended: the service locks it out and removes it{when}; after that there is no data about this phone\n"
            ),
        };
    }
    text
}

fn as_json(known: &ForgetResult, texts: &Result<usize, StreamError>, dry_run: bool) -> String {
    let account = known.accounts.first();
    let names: Vec<&str> = known
        .accounts
        .iter()
        .map(|account| account.username.as_str())
        .collect();
    let value = json!({
        "dry_run": dry_run,
        "contact": known.contact,
        "waiting_texts": texts.as_ref().ok(),
        "username": names.first(),
        "usernames": names,
        "being_removed": account.map(|account| account.stage == Stage::Reaping),
    });
    format!("{value}\n")
}

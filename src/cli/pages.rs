//! The manual page and the completions of shells, made from the program's own tables.
//!
//! The tests hold the files in `deploy/` to these tables. With `WRITE_PAGES=1` they write the files, as `make pages`
//! does.

mod completions;
mod manual;

use std::path::PathBuf;

use super::help::{OPTIONS, sentence};
use super::{COMMANDS, Command, EXIT_CODES, PROGRAM};
use crate::config::{CLASS_SETTINGS, SETTINGS};

/// The words in the place of a command that are none of `COMMANDS`.
const FURTHER: [(&str, &str); 2] = [
    ("help", "print help, also of one command"),
    ("version", "print the version"),
];

/// One option, as help shows it.
struct HelpOption<'a> {
    short: Option<&'a str>,
    /// Without dashes.
    long: &'a str,
    /// The name of its value; in brackets if it may be left out.
    value: Option<&'a str>,
    meaning: &'a str,
}

/// The options in lines such as `  -h, --help  print help`.
fn options(lines: &str) -> Vec<HelpOption<'_>> {
    let option = |line| {
        let (names, meaning) = str::trim(line).split_once("  ").unwrap();
        let (short, long) = match names.split_once(", ") {
            Some((short, long)) => (short.strip_prefix('-'), long),
            None => (None, names),
        };
        let (long, value) = match long.split_once(' ') {
            Some((long, value)) => (long, Some(value)),
            None => (long, None),
        };
        HelpOption {
            short,
            long: long.strip_prefix("--").unwrap(),
            value,
            meaning: meaning.trim(),
        }
    };
    lines.lines().map(option).collect()
}

fn takes_a_file(command: &Command) -> bool {
    command.operands == "FILE"
}

/// Whether it takes names of accounts in the database. Those of `reconcile` are known to Coder only.
fn takes_accounts(command: &Command) -> bool {
    command.operands.contains("USER") && command.name != "reconcile"
}

/// Lists the accounts without asking Redis or Coder, as a key press must not wait for them. It changes nothing. Who may
/// not read the database gets no names and no message.
const LIST_ACCOUNTS: &str = "extend --all --dry-run --json 1m 2>/dev/null \
| grep -o '\"username\":\"[^\"]*\"' | cut -d '\"' -f 4";

/// Compares a file of the repository with what it must be, or writes it.
#[track_caller]
fn hold(file: &str, content: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("WRITE_PAGES").is_some() {
        std::fs::write(path, content).unwrap();
        return;
    }
    let written = std::fs::read_to_string(path).unwrap();
    assert!(written == content, "{file} is behind; type: make pages");
}

//! A story as text: a move a line.
//!
//! `work reserve well | | text 1: a name is reserved`: what the player of `faults stories` reads, what is so afterwards,
//! and the same in plain words. `login` = the student has a login that has to work; `rests` = the attempt of the worker,
//! or the inspection of the reaper, is over; `writes` = the database is written to; `found` = the reaper
//! has found the user; `row:created` = how far the last registration is then, where something is written.

use std::fmt::{Debug, Write};
use std::path::Path;

use super::super::removal::Reap;
use super::super::state::State;
use super::super::words::{Luck, Move};
use super::super::worker::At;
use super::Story;

/// The name of a step.
pub(super) fn name(step: &impl Debug) -> String {
    let words = format!("{step:?}");
    let end = words.find(|c: char| !c.is_ascii_alphanumeric());
    words[..end.unwrap_or(words.len())].to_ascii_lowercase()
}

/// What the player reads. `None` = it does not know how to play that.
fn form(before: &State, what: &Move) -> Option<String> {
    Some(match what {
        Move::Texts { stop: false, .. } => "text".to_owned(),
        Move::Begin { .. } => "begin".to_owned(),
        Move::Work { at, luck, .. } => format!("work {} {}", name(at), name(luck)),
        Move::Lands {
            luck: Luck::Late, ..
        } => "late done".to_owned(),
        Move::Lands { luck, .. } if before.workers[0].at == At::Await => {
            format!("lands create {}", name(luck))
        }
        Move::Lands { .. } => "late never".to_owned(),
        Move::Inspect { .. } => "inspect".to_owned(),
        Move::Reap { at, luck } => format!("reap {} {}", name(at), name(luck)),
        Move::Time => "time".to_owned(),
        Move::Kill => "kill".to_owned(),
        _ => return None,
    })
}

fn marks(before: &State, what: &Move, after: &State) -> String {
    let login = after.students[0].login;
    let works = login.is_some_and(|login| login.until > after.now);
    let rests = match what {
        Move::Work { .. } | Move::Lands { .. } => after.workers[0].at == At::Idle,
        Move::Reap { .. } => after.reaper.at == Reap::Idle,
        _ => false,
    };
    let writes = match what {
        // What is written may be what was there.
        Move::Work {
            at: At::BeginCreate,
            ..
        } => after.workers[0].at == At::Create,
        Move::Work { .. } | Move::Reap { .. } => before.table != after.table,
        _ => false,
    };
    let looks = matches!(what, Move::Reap { at: Reap::User, .. });
    let mut removal = after.reaper.at;
    let is_found = looks && removal.user().is_some();
    let marks = [
        (works, "login"),
        (rests, "rests"),
        (writes, "writes"),
        (is_found, "found"),
    ];
    let set = marks.iter().filter(|(is_set, _)| *is_set);
    let mut set: Vec<String> = set.map(|(_, mark)| (*mark).to_owned()).collect();
    if writes {
        let last = after.table.rows.iter().flatten().next_back();
        let stage = last.map_or("none", |row| row.stage.as_str());
        set.push(format!("row:{stage}"));
    }
    set.join(" ")
}

fn text(about: &str, story: &Story) -> String {
    let mut text = format!("# {about}\n");
    let mut before = State::new();
    for (what, after) in story {
        let form = form(&before, what).unwrap_or_else(|| panic!("nobody plays: {what}"));
        let marks = marks(&before, what, after);
        // Writing to a string does not fail.
        let _ = writeln!(text, "{form} | {marks} | {what}");
        before = *after;
    }
    text
}

/// Compares a story with its file, or writes it.
pub(super) fn holds(name: &str, about: &str, story: &Story) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/stories");
    let (file, text) = (folder.join(format!("{name}.txt")), text(about, story));
    if std::env::var_os("WRITE_PAGES").is_some() {
        std::fs::write(&file, &text).expect("the file is written");
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == text,
        "{} is out of date: WRITE_PAGES=1 cargo test --lib -- model::stories",
        file.display()
    );
}

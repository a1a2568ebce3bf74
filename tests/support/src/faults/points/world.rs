//! What is left when the service is dead: all that its next life can find.
//!
//! That is the database, the files beside it, the database of Redis, and what Coder, Twilio and the student have. Two
//! worlds are the same if they differ only in what differs from run to run: names and ids that were drawn, and moments
//! that are within a minute of each other (see [`canon`]). A transaction that a kill broke off is not in it, as the
//! next life does not find it either.

mod canon;
mod database;
mod queue;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use super::stage::PointStage;
use crate::classroom::Classroom;
use crate::fakes::coder::Account;

/// One world, in words that are the same in every run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PointWorld(String);

impl PointWorld {
    /// Before the first kill.
    pub fn untouched() -> Self {
        Self(String::new())
    }

    /// The world as it is now. Nothing of it is changed: the database is read from a copy.
    pub fn of(stage: &PointStage) -> Self {
        let class = &stage.class;
        let mut lines = vec![format!(
            "act step {} command {:?} shown {}",
            stage.step.get(),
            stage.command_code.get(),
            stage.shown.borrow().is_some()
        )];
        lines.extend(files(&class.data_dir()));
        let accounts = accounts(class);
        let mut drawn: BTreeSet<String> = accounts
            .iter()
            .flat_map(|(account, _)| [account.username.clone(), account.password.clone()])
            .collect();
        lines.extend(database::lines(class, &mut drawn));
        lines.extend(queue::lines(&mut stage.queue()));
        lines.extend(accounts.iter().map(|(account, deleted)| {
            format!(
                "user {} {} {} {} {} passwords {} deleted {deleted}",
                account.id,
                account.username,
                account.name,
                account.status,
                account.password,
                account.passwords
            )
        }));
        lines.extend(workspaces(class));
        lines.extend(texts(class));
        let places = [
            (class.coder().url(), "coder"),
            (class.twilio().url(), "twilio"),
            (class.folder().display().to_string(), "folder"),
        ];
        for line in &mut lines {
            for (place, word) in &places {
                *line = line.replace(place, word);
            }
        }
        Self(canon::canonical(&lines, &drawn, SystemTime::now()))
    }

    /// All of it, a fact a line.
    pub fn describe(&self) -> &str {
        &self.0
    }
}

/// The names of the files in a folder, and whether they are empty.
fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let known = entries.filter_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let length = entry.metadata().ok()?.len();
        // The index of the log, which is written anew.
        (!name.ends_with("-shm")).then(|| format!("file {name} empty {}", length == 0))
    });
    known.collect()
}

/// All users that were ever made with the service's token, and whether each is deleted.
fn accounts(class: &Classroom) -> Vec<(Account, bool)> {
    let coder = class.coder();
    let all = |accounts: Vec<Account>, deleted| accounts.into_iter().map(move |one| (one, deleted));
    all(coder.users(), false)
        .chain(all(coder.deleted_users(), true))
        .collect()
}

fn workspaces(class: &Classroom) -> Vec<String> {
    let all = class.coder().all_workspaces();
    let told = all.iter().map(|one| {
        format!(
            "workspace {} {} of {} {} {} deleted {} stops {}",
            one.id,
            one.name,
            one.owner_id,
            one.status,
            one.transition,
            one.deleted,
            one.stops_at
                .map_or_else(|| "never".to_owned(), canon::seconds)
        )
    });
    told.collect()
}

/// The texts that Twilio has, those of the students too, and whether each of ours was redacted.
fn texts(class: &Classroom) -> Vec<String> {
    let twilio = class.twilio();
    let sent = twilio.texts();
    let logged = twilio.logged_bodies();
    let ours = sent.iter().zip(logged).map(|(text, logged)| {
        let (sid, to) = (&text.sid, &text.to);
        let body = canon::without_clock(&text.body);
        format!("text {sid} to {to} redacted {}: {body}", logged.is_empty())
    });
    let theirs = twilio.received_bodies();
    let theirs = theirs.iter().map(|body| format!("received {body}"));
    ours.chain(theirs).collect()
}

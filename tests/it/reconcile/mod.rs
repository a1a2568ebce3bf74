//! Accounts at Coder that the database does not contain, because it was lost or an older backup restored: those
//! of this service are adopted and removed in time, others are shown and left alone.
//!
//! - `start`: what the service finds at its start, and daily
//! - `command`: what the command shows and adopts
//! - `killed`: the command, killed at every write and sync

mod command;
mod killed;
mod start;

use support::classroom::student::Login;

/// What was adopted, by name.
const ADOPTED: &str = "SELECT group_concat(username, ' ') FROM (SELECT username FROM registrations WHERE adopted_at IS NOT NULL ORDER BY username)";

/// The names of logins in alphabetical order.
fn names(logins: &[&Login]) -> Vec<String> {
    let mut names: Vec<String> = logins.iter().map(|one| one.username().to_owned()).collect();
    names.sort();
    names
}

//! What an operator and a container ask of the binary beside the service itself.
//!
//! - `health`: `healthcheck`, of the service and of others
//! - `completions`: bash, zsh and fish complete commands, options and names of accounts
//! - `obstacles`: what keeps students from being served, in all places where it is shown
//! - `backup`: copies of the database while the service works
//! - `restore`: a copy takes the database's place
//! - `killed`: both, killed at every write, sync and name
//! - `shells`: bash, zsh and fish themselves, on a terminal
//! - `settings`: `--env-file`, credentials, help
//! - `token`: the token at Coder, its end and what it lacks

mod backup;
mod completions;
mod health;
mod killed;
mod obstacles;
mod restore;
mod settings;
mod shells;
mod token;

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The binary with `arguments`, an empty environment and nothing on its standard input.
fn program<S: AsRef<OsStr>>(arguments: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coder-sms-register"));
    command
        .env_clear()
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The same for the database in `folder`.
fn on<S: AsRef<OsStr>>(folder: &Path, arguments: &[S]) -> Command {
    let mut command = program(arguments);
    command.env("CODER_REG_DATA_DIR", folder);
    command
}

/// What a command that ended said on standard error, and how it ended.
fn said(output: &Output) -> (Option<i32>, String) {
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), words)
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The first value of a query to a database file, as a number.
fn number(file: &Path, sql: &str) -> i64 {
    let connection = rusqlite::Connection::open(file).expect("the file opens");
    connection
        .query_row(sql, [], |row| row.get(0))
        .expect("a number")
}

/// Fails unless the file is a whole database.
fn is_whole(file: &Path) {
    let connection = rusqlite::Connection::open(file).expect("the file opens");
    let verdict: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("a verdict");
    assert_eq!(verdict, "ok", "{}", file.display());
}

const REGISTRATIONS: &str = "SELECT count(*) FROM registrations";

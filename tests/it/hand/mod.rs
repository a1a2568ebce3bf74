//! The instructor's hand on the class: the real binary on the data folder of a service that runs, or
//! does not.
//!
//! - `end`: accounts' time is up
//! - `lockout`: what an end means for those who work
//! - `extend`: accounts live longer
//! - `forget`: a phone wants to be forgotten
//! - `letters`: texts that were given up, again or for good
//! - `renew`: a password that others have seen is replaced
//! - `named`: accounts as people write them
//! - `status`: the class at one glance
//! - `screens`: the same on terminals of several sizes
//! - `terminal`: such a terminal
//! - `killed`: `end --all`, killed at every write and sync

mod end;
mod extend;
mod forget;
mod killed;
mod letters;
mod lockout;
mod named;
mod renew;
mod screens;
mod status;
mod terminal;

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;

use crate::classroom::Classroom;
use crate::classroom::service::Ended;
use crate::classroom::student::Login;
use crate::plan;

/// A class whose reaper would sleep for a quarter of an hour.
fn sleepy() -> Classroom {
    plan().with("CODER_CHECK_INTERVAL", "15m").open()
}

/// How long a running service may take to do what it was told.
const AT_ONCE: Duration = Duration::from_secs(10);

impl Classroom {
    /// Runs a command beside the service, which has to end well.
    pub fn does(&self, arguments: &[&str]) -> String {
        let ended = self.try_service(arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
        ended.stdout
    }

    /// The same for one that prints JSON.
    pub fn tells(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.does(arguments)).expect("JSON")
    }

    /// Runs a command that ends with this exit code.
    pub fn fails(&self, code: i32, arguments: &[&str]) -> Ended {
        let ended = self.try_service(arguments);
        assert_eq!(ended.code, Some(code), "{arguments:?}: {ended:?}");
        ended
    }

    /// Runs a command on a terminal, on which `answer` is typed.
    fn on_a_terminal(&self, arguments: &[&str], answer: &str) -> Ended {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&terminal)
            .and_then(|()| unlockpt(&terminal))
            .expect("ours");
        let name = ptsname(&terminal, Vec::new()).expect("its name");
        let name = name.to_str().expect("a path");
        let line = OpenOptions::new()
            .read(true)
            .write(true)
            .open(name)
            .expect("its line");
        let child = Command::new(env!("CARGO_BIN_EXE_coder-sms-register"))
            .env_clear()
            .envs(self.settings())
            .args(arguments)
            .stdin(line)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut keyboard = std::fs::File::from(terminal);
        keyboard.write_all(answer.as_bytes()).expect("typed");
        let mut output = child.wait_with_output().expect("it ends");
        let mut stderr = String::new();
        output
            .stderr
            .as_slice()
            .read_to_string(&mut stderr)
            .expect("words");
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&std::mem::take(&mut output.stdout)).into_owned(),
            stderr,
        }
    }

    /// When the time of an account is up.
    fn due(&self, login: &Login) -> i64 {
        let due = self.query(&format!(
            "SELECT due_at FROM registrations WHERE username = '{}'",
            login.username()
        ));
        due.parse().unwrap_or_else(|_| panic!("due at {due}"))
    }

    /// Logins of so many students, who all have theirs.
    fn logins(&self, count: usize) -> Vec<Login> {
        let students = self.students(count);
        students.iter().for_each(|student| drop(student.asks()));
        let logins = students.iter().map(|student| student.next_login());
        let logins = logins.collect();
        self.all_served();
        logins
    }
}

//! Accounts at Coder that the database does not know, as it was lost or an older backup restored: those
//! of this service are adopted and removed in time, others are shown and left alone.
//!
//! - `start`: what the service finds at its start, and daily
//! - `command`: what a person finds, and decides
//! - `killed`: the command, killed at every write and sync

mod command;
mod killed;
mod start;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::classroom::Classroom;
use crate::classroom::service::Ended;
use crate::classroom::student::{Login, Student};

/// What was adopted, by name.
const ADOPTED: &str = "SELECT group_concat(username, ' ') FROM (SELECT username FROM registrations WHERE adopted_at IS NOT NULL ORDER BY username)";

impl Classroom {
    /// A command that ends with this code.
    fn runs(&self, code: i32, arguments: &[&str]) -> Ended {
        let ended = self.try_service(arguments);
        assert_eq!(ended.code, Some(code), "{arguments:?}: {ended:?}");
        ended
    }

    /// What a command prints that ends well.
    fn says(&self, arguments: &[&str]) -> String {
        self.runs(0, arguments).stdout
    }

    fn says_json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.says(arguments)).expect("JSON")
    }

    /// A login whose text is served.
    fn login_of(&self, student: &Student<'_>) -> Login {
        let login = student.gets_a_login();
        self.all_served();
        login
    }

    /// Copies the database away while the service runs.
    fn backs_up(&self) -> PathBuf {
        let file = self.folder().join("copy.db");
        self.says(&["backup", file.to_str().expect("a path")]);
        file
    }

    /// Ends the service and puts that copy into the place of the database.
    fn goes_back_to(&self, backup: &Path) -> String {
        self.end_service();
        self.says(&["restore", backup.to_str().expect("a path")])
    }

    /// Ends the service and loses its database. Redis forgets, as it would within a minute, whose it is.
    fn loses_its_database(&self) {
        self.end_service();
        for entry in fs::read_dir(self.data_dir()).expect("a folder").flatten() {
            let name = entry.file_name();
            if name.to_string_lossy().starts_with("registrations.db") {
                fs::remove_file(entry.path()).expect("a file");
            }
        }
        self.redis_forgets();
    }

    fn redis_forgets(&self) {
        self.redis().kill();
        self.redis().forget();
        self.redis().start_again();
    }
}

/// The names of logins in alphabetical order.
fn names(logins: &[&Login]) -> Vec<String> {
    let mut names: Vec<String> = logins.iter().map(|one| one.username().to_owned()).collect();
    names.sort();
    names
}

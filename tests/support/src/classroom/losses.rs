//! A database that is lost or older, and a Redis that forgets.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Classroom;
use super::service::Ended;
use super::student::{Login, Student};

impl Classroom {
    /// A command that ends with this code.
    pub fn runs(&self, code: i32, arguments: &[&str]) -> Ended {
        let ended = self.try_service(arguments);
        assert_eq!(ended.code, Some(code), "{arguments:?}: {ended:?}");
        ended
    }

    /// What a command prints that ends well.
    pub fn says(&self, arguments: &[&str]) -> String {
        self.runs(0, arguments).stdout
    }

    pub fn says_json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.says(arguments)).expect("JSON")
    }

    /// A login whose text is served.
    pub fn login_of(&self, student: &Student<'_>) -> Login {
        let login = student.gets_a_login();
        self.all_served();
        login
    }

    /// Copies the database away while the service runs.
    pub fn backs_up(&self) -> PathBuf {
        let file = self.folder().join("copy.db");
        self.says(&["backup", file.to_str().expect("a path")]);
        file
    }

    /// Ends the service and puts that copy into the place of the database.
    pub fn goes_back_to(&self, backup: &Path) -> String {
        self.end_service();
        self.says(&["restore", "--yes", backup.to_str().expect("a path")])
    }

    /// Ends the service and loses its database. Redis forgets, as it would within a minute, whose it is.
    pub fn loses_its_database(&self) {
        self.end_service();
        for entry in fs::read_dir(self.data_dir()).expect("a folder").flatten() {
            let name = entry.file_name();
            if name.to_string_lossy().starts_with("registrations.db") {
                fs::remove_file(entry.path()).expect("a file");
            }
        }
        self.redis_forgets();
    }

    pub fn redis_forgets(&self) {
        self.redis().kill();
        self.redis().forget();
        self.redis().start_again();
    }
}

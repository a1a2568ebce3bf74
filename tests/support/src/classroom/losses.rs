//! A database that is lost or older, and a Redis that forgets.

use std::fs;
use std::path::{Path, PathBuf};

use super::Classroom;

impl Classroom {
    /// Copies the database away while the service runs.
    pub fn backs_up(&self) -> PathBuf {
        let file = self.folder().join("copy.db");
        self.does(&["backup", file.to_str().expect("a path")]);
        file
    }

    /// Ends the service and puts that copy into the place of the database.
    pub fn goes_back_to(&self, backup: &Path) -> String {
        self.end_service();
        self.does(&["restore", "--yes", backup.to_str().expect("a path")])
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

    /// Ends the service; its database forgets all registrations.
    pub fn loses_its_rows(&self) {
        self.end_service();
        self.change("DELETE FROM registrations");
    }

    /// Redis is started again without anything.
    pub fn redis_forgets(&self) {
        self.redis().kill();
        self.redis().forget();
        self.redis().start_again();
    }
}

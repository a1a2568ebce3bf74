//! Commands beside the service, on a terminal or not.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;

use super::Classroom;
use super::service::Ended;
use super::student::Login;

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
    pub fn on_a_terminal(&self, arguments: &[&str], answer: &str) -> Ended {
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
        let child = Command::new(&self.binary)
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
    pub fn due(&self, login: &Login) -> i64 {
        let due = self.query(&format!(
            "SELECT due_at FROM registrations WHERE username = '{}'",
            login.username()
        ));
        due.parse().unwrap_or_else(|_| panic!("due at {due}"))
    }

    /// The logins of this number of students, who all have one.
    pub fn logins(&self, count: usize) -> Vec<Login> {
        let students = self.students(count);
        students.iter().for_each(|student| drop(student.asks()));
        let logins = students.iter().map(|student| student.next_login());
        let logins = logins.collect();
        self.all_served();
        logins
    }
}

//! The class, act by act.

use std::time::Duration;

use serde_json::{Value, json};
use ureq::http::Method;

use crate::classroom::student::Login;

use super::server::CoderServer;
use super::stage::CoderStage;
use super::switch::Outage;
use super::{CoderTally, Trial, staff, traces};

/// Students who open a workspace.
const WORKERS: usize = 3;

/// Students who text again.
const FORGETFUL: usize = 2;

/// What `check` says where students cannot work.
const NO_WORKSPACES: &str = "cannot create workspaces";

/// A class on its way.
pub struct CoderRun<'a> {
    trial: &'a Trial,
    tally: &'a CoderTally<'a>,
    server: &'a CoderServer,
    stage: &'a CoderStage,
    suffix: &'a str,
    /// The session of each student, by number.
    sessions: Vec<String>,
    /// The ids of workspaces that were made.
    workspaces: Vec<String>,
    /// `check` has said that students make no workspace.
    none_expected: bool,
}

impl<'a> CoderRun<'a> {
    /// Nobody has texted yet.
    pub fn new(
        trial: &'a Trial,
        tally: &'a CoderTally<'a>,
        server: &'a CoderServer,
        stage: &'a CoderStage,
        suffix: &'a str,
    ) -> Self {
        Self {
            trial,
            tally,
            server,
            stage,
            suffix,
            sessions: Vec::new(),
            workspaces: Vec::new(),
            none_expected: false,
        }
    }

    /// All acts. The error is why it cannot go on.
    pub fn play(mut self, students: usize) -> Result<(), String> {
        self.is_checked()?;
        self.stage.start()?;
        self.texts(students)?;
        self.log_in(students)?;
        self.get_workspaces(students)?;
        self.text_again()?;
        self.work()?;
        self.an_account_is_forgotten()?;
        self.ends()
    }

    /// `check --write` finds no fault at Coder, but that students may make no workspace where that is so; all else
    /// that it looks at is played here.
    fn is_checked(&mut self) -> Result<(), String> {
        let ended = self.stage.command(&["check", "--write", "--json"]);
        let said: Value = serde_json::from_str(&ended.stdout)
            .map_err(|error| format!("check --write: {error}: {}", ended.stderr))?;
        let findings = said["findings"].as_array().cloned().unwrap_or_default();
        let (mut passed, mut warned, mut others) = (0, 0, 0);
        for one in findings.iter().filter(|one| one["area"] == "coder") {
            match one["verdict"].as_str().unwrap_or_default() {
                "pass" => {
                    passed += 1;
                    continue;
                }
                "warning" => warned += 1,
                _ if words(one).contains(NO_WORKSPACES) => self.none_expected = true,
                _ => others += 1,
            }
            let verdict = one["verdict"].as_str().unwrap_or_default();
            self.tally
                .say(&format!("            {verdict}: {}", words(one)));
        }
        let told = format!("check --write: {passed} passed at Coder, {warned} warnings");
        self.tally.holds(&told, passed > 0 && others == 0);
        Ok(())
    }

    /// Students cannot work, and why; `check` must have said so.
    fn no_workspace(&self, why: &str) {
        self.tally
            .say(&format!("            no workspace is tried: {why}"));
        let told = "check --write has told that students make no workspace";
        self.tally.holds(told, self.none_expected);
    }

    /// Kills the server, if there is a command for it; it comes back when what is returned ends.
    fn kill_server(&self) -> Result<Option<Outage<'a>>, String> {
        let switch = self.trial.switch.as_ref();
        let outage = switch.map(|switch| Outage::begin(switch, self.server));
        outage.transpose()
    }

    /// Half of the class texts, the service is killed, the other half texts; the server is killed in the middle of that.
    fn texts(&self, students: usize) -> Result<(), String> {
        let taken = |student: usize| {
            let what = "a text to be taken";
            self.tally.until(what, || Ok(self.stage.texts(student)))
        };
        for student in 0..students / 2 {
            taken(student)?;
        }
        self.stage.start()?;
        let before = students * 3 / 4;
        for student in students / 2..before {
            taken(student)?;
        }
        let outage = self.kill_server()?;
        for student in before..students {
            taken(student)?;
        }
        let was_killed = outage.is_some();
        outage.map(Outage::end).transpose()?;
        let all = || (0..students).all(|student| !self.stage.logins(student).is_empty());
        self.tally
            .until("a login for every student", || Ok(all()))?;
        let killed = match was_killed {
            true => "the service and the server were",
            false => "the service was",
        };
        let told = format!(
            "{students} students texted, {killed} killed in between, {students} logins came"
        );
        self.tally.holds(&told, true);
        let students_there = self.students()?.len();
        let told = format!("Coder has {students_there} accounts for {students} phones");
        self.tally.holds(&told, students_there == students);
        Ok(())
    }

    /// The students that Coder lists.
    fn students(&self) -> Result<Vec<Value>, String> {
        let name = staff::username(self.suffix);
        let users = traces::users(self.server, self.suffix)?;
        Ok(users
            .into_iter()
            .filter(|user| user["username"] != name.as_str())
            .collect())
    }

    fn last_login(&self, student: usize) -> Result<Login, String> {
        let last = self.stage.logins(student).pop();
        last.ok_or_else(|| format!("student {student} has no login"))
    }

    fn log_in(&mut self, students: usize) -> Result<(), String> {
        for student in 0..students {
            let login = self.last_login(student)?;
            let (status, session) = self.server.log_in(&login.email, &login.password)?;
            if status != 201 {
                self.tally.holds(
                    &format!("student {student} logs in: status {status}"),
                    false,
                );
            }
            self.sessions.push(session);
        }
        let all = self.sessions.iter().all(|session| !session.is_empty());
        self.tally
            .holds(&format!("{students} students log in with what came"), all);
        Ok(())
    }

    /// Who texts again gets a login that works, and stays signed in.
    fn text_again(&self) -> Result<(), String> {
        // A text whose work was cut off by a kill counts as unanswered: a second one of its phone would be its twin.
        self.tally.until("every text to be settled", || {
            Ok(self.stage.waiting_texts() == 0)
        })?;
        // The service lets a phone have its login again after a second.
        std::thread::sleep(Duration::from_millis(1_100));
        for student in 0..FORGETFUL {
            self.tally
                .until("a text to be taken", || Ok(self.stage.texts(student)))?;
            self.tally
                .until("an answer to a student who texts again", || {
                    Ok(self.stage.logins(student).len() > 1)
                })?;
            let login = self.last_login(student)?;
            let (status, _) = self.server.log_in(&login.email, &login.password)?;
            let stays = self.server.knows(&self.sessions[student])?;
            self.tally.holds(
                &format!(
                    "student {student} texts again: the login works, and nobody is signed out"
                ),
                status == 201 && stays,
            );
        }
        Ok(())
    }

    /// With a template each student has a workspace that runs, made by the service.
    fn get_workspaces(&mut self, students: usize) -> Result<(), String> {
        if self.trial.workspace.is_empty() {
            return Ok(());
        }
        for student in 0..students {
            let login = self.last_login(student)?;
            let path = format!("/users/{}/workspace/class", login.username());
            self.tally
                .until("a workspace that comes with the login", || {
                    let found = self.server.ask(Method::GET, &path)?;
                    Ok(found.body["latest_build"]["status"] == "running")
                })?;
            let found = self.server.ask(Method::GET, &path)?;
            self.workspaces.push(found.text("id"));
        }
        let told = format!("{students} students have a workspace that came with the login");
        self.tally.holds(&told, true);
        Ok(())
    }

    /// Some students open a workspace of the first template that they may use.
    fn work(&mut self) -> Result<(), String> {
        let path = "/templates";
        let session = &self.sessions[0];
        let templates = self
            .server
            .call(Some(session), Method::GET, path, &Value::Null)?
            .expect("list templates as a student", &[200])?;
        let templates = templates.body.as_array().cloned().unwrap_or_default();
        let usable = templates.iter().find(|one| one["deprecated"] != true);
        let Some(template) = usable else {
            self.no_workspace("students see no template");
            return Ok(());
        };
        for session in self.sessions.iter().take(WORKERS) {
            let wish = json!({ "template_id": template["id"], "name": "dev" });
            let path = "/users/me/workspaces";
            let made = self.server.call(Some(session), Method::POST, path, &wish)?;
            if made.status != 201 {
                self.no_workspace(&format!(
                    "{} answers {} {:?}",
                    template["name"],
                    made.status,
                    made.text("message")
                ));
                return Ok(());
            }
            self.workspaces.push(made.text("id"));
        }
        for id in &self.workspaces {
            self.tally.until("a workspace to be built", || {
                let answer = self.server.ask(Method::GET, &format!("/workspaces/{id}"))?;
                let status = answer.body["latest_build"]["status"]
                    .as_str()
                    .unwrap_or_default();
                Ok(["running", "failed", "canceled"].contains(&status))
            })?;
        }
        let told = format!(
            "{} students open a workspace of {}",
            self.workspaces.len(),
            template["name"]
        );
        self.tally.holds(&told, true);
        Ok(())
    }

    /// The database forgets an account; `reconcile` finds it at Coder.
    fn an_account_is_forgotten(&self) -> Result<(), String> {
        self.stage.kill();
        let login = self.last_login(self.sessions.len() - 1)?;
        let database = rusqlite::Connection::open(self.stage.database());
        let forgotten = database.and_then(|database| {
            let sql = "DELETE FROM registrations WHERE username = ?1";
            database.execute(sql, [login.username()])
        });
        let forgotten = forgotten.map_err(|error| format!("forget an account: {error}"))?;
        let ended = self.stage.command(&["reconcile"]);
        let adopted = ended.stdout.contains("1 account adopted");
        if !adopted {
            self.tally
                .say(&format!("            {}{}", ended.stdout, ended.stderr));
        }
        self.tally.holds(
            "an account that the database lost is found by reconcile",
            forgotten == 1 && adopted && ended.code == Some(0),
        );
        self.stage.start()
    }

    /// How many accounts were left when the server was killed.
    fn kill_server_in_removal(&self) -> Result<Option<usize>, String> {
        if self.trial.switch.is_none() {
            return Ok(None);
        }
        let left = self.students()?.len();
        let outage = self.kill_server()?;
        outage.map(Outage::end).transpose()?;
        Ok(Some(left))
    }

    /// The class ends, the service is killed meanwhile, and nothing stays.
    fn ends(&self) -> Result<(), String> {
        let ended = self.stage.command(&["end", "--all", "--yes"]);
        if ended.code != Some(0) {
            return Err(format!("end --all: {}{}", ended.stdout, ended.stderr));
        }
        self.stage.start()?;
        let killed = match self.kill_server_in_removal()? {
            Some(left) => {
                format!("the service was killed meanwhile, and the server when {left} were left")
            }
            None => "the service was killed meanwhile".to_owned(),
        };
        self.tally.until("every account to be removed", || {
            Ok(self.students()?.is_empty())
        })?;
        let told = format!("end --all: every account is removed, {killed}");
        self.tally.holds(&told, true);
        let mut left = 0;
        for id in &self.workspaces {
            let answer = self.server.ask(Method::GET, &format!("/workspaces/{id}"))?;
            left += usize::from(![404, 410].contains(&answer.status));
        }
        let told = format!(
            "{} workspaces were made, {left} are left",
            self.workspaces.len()
        );
        self.tally.holds(&told, left == 0);
        let mut signed_in = 0;
        for session in &self.sessions {
            signed_in += usize::from(self.server.knows(session)?);
        }
        self.tally
            .holds("no session of a student is good any more", signed_in == 0);
        Ok(())
    }
}

fn words(finding: &Value) -> String {
    let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    format!("{} -> {}", text("what"), text("cure"))
}

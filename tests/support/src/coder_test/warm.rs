//! A class whose accounts and workspaces are ready before anybody texts.

use serde_json::Value;
use ureq::http::Method;

use super::server::CoderServer;
use super::stage::CoderStage;
use super::{CoderTally, staff, traces};

/// Its students, and as many spare accounts.
const STUDENTS: usize = 4;

/// The number of its first student; those of the first class have the numbers before.
const FIRST: usize = 50;

/// The setting.
const WARM: &str = "CODER_REG_WARM";

/// The class, and what it is played with.
pub struct WarmRun<'a> {
    pub tally: &'a CoderTally<'a>,
    pub server: &'a CoderServer,
    pub stage: &'a CoderStage,
    pub suffix: &'a str,
}

impl WarmRun<'_> {
    /// Plays it to its end. The error is why it cannot go on.
    pub fn play(&self) -> Result<(), String> {
        self.stage.set_to(WARM, Some(&STUDENTS.to_string()));
        let spares = self.warms_up()?;
        let made = self.texts(&spares)?;
        self.ends(&made)
    }

    /// Spare accounts are made, and the service is killed when the first one is there. Returns their names.
    fn warms_up(&self) -> Result<Vec<String>, String> {
        self.stage.start()?;
        self.tally.until("the first spare account", || {
            Ok(!self.accounts()?.is_empty())
        })?;
        self.stage.start()?;
        self.tally.until("the spare accounts to be ready", || {
            let ended = self.stage.command(&["status", "--json", "--offline"]);
            let told: Value = serde_json::from_str(&ended.stdout).unwrap_or_default();
            Ok(told["counts"]["spares"]["ready"] == STUDENTS)
        })?;
        let spares = self.accounts()?;
        let dormant = spares.iter().all(|user| user["status"] == "dormant");
        let told = format!(
            "{} spare accounts are made for {STUDENTS}, all of them dormant, the service was killed meanwhile",
            spares.len()
        );
        self.tally.holds(&told, dormant && spares.len() == STUDENTS);
        let name = |user: &Value| user["username"].as_str().unwrap_or_default().to_owned();
        Ok(spares.iter().map(name).collect())
    }

    /// Everybody texts, and gets one of them with a workspace that runs. Returns the ids of the workspaces.
    fn texts(&self, spares: &[String]) -> Result<Vec<String>, String> {
        let (mut known, mut running, mut signed_in) = (0, 0, 0);
        let mut made = Vec::new();
        for student in FIRST..FIRST + STUDENTS {
            self.tally
                .until("a text to be taken", || Ok(self.stage.texts(student)))?;
        }
        for student in FIRST..FIRST + STUDENTS {
            self.tally.until("a login for every student", || {
                Ok(!self.stage.logins(student).is_empty())
            })?;
            let login = self.stage.logins(student).pop();
            let login = login.ok_or_else(|| format!("student {student} has no login"))?;
            let path = format!("/users/{}/workspace/class", login.username());
            let workspace = self.server.ask(Method::GET, &path)?;
            running += usize::from(workspace.body["latest_build"]["status"] == "running");
            made.push(workspace.text("id"));
            known += usize::from(spares.iter().any(|name| name == login.username()));
            let (status, _) = self.server.log_in(&login.email, &login.password)?;
            signed_in += usize::from(status == 201);
        }
        let told = format!(
            "{STUDENTS} students texted: {known} have an account that was ready, {running} a workspace that runs, {signed_in} log in"
        );
        let all = [known, running, signed_in]
            .iter()
            .all(|one| *one == STUDENTS);
        self.tally.holds(&told, all);
        Ok(made)
    }

    /// The class ends, no more spares are wanted, and nothing stays.
    fn ends(&self, made: &[String]) -> Result<(), String> {
        let ended = self.stage.command(&["end", "--all", "--yes"]);
        if ended.code != Some(0) {
            return Err(format!("end --all: {}{}", ended.stdout, ended.stderr));
        }
        self.stage.set_to(WARM, None);
        self.stage.start()?;
        self.tally
            .until("every account and every spare to be removed", || {
                Ok(self.accounts()?.is_empty())
            })?;
        let mut left = 0;
        for id in made {
            let answer = self.server.ask(Method::GET, &format!("/workspaces/{id}"))?;
            left += usize::from(![404, 410].contains(&answer.status));
        }
        let told = format!(
            "the warm class is over: no account, no spare, {left} of {} workspaces",
            made.len()
        );
        self.tally.holds(&told, left == 0);
        Ok(())
    }

    /// The accounts that Coder lists, without the service's user.
    fn accounts(&self) -> Result<Vec<Value>, String> {
        let name = staff::username(self.suffix);
        let mut users = traces::users(self.server, self.suffix)?;
        users.retain(|user| user["username"] != name.as_str());
        Ok(users)
    }
}

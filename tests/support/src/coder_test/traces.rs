//! What a trial leaves at Coder: found, and removed where it did not go by itself.

use serde_json::{Value, json};
use ureq::http::Method;

use super::server::CoderServer;
use super::{CoderTally, PATIENCE, staff};

use std::time::Instant;

/// Removes what is left of a trial when it is dropped, whatever became of it.
pub struct Traces<'a> {
    server: &'a CoderServer,
    suffix: &'a str,
}

/// Somebody whom Coder lists.
struct Listed {
    id: String,
    username: String,
}

impl<'a> Traces<'a> {
    /// Nothing is there yet.
    pub fn new(server: &'a CoderServer, suffix: &'a str) -> Self {
        Self { server, suffix }
    }

    /// Removes the service's user and returns whether anything of the trial is left.
    pub fn are_gone(&self, tally: &CoderTally<'_>) {
        let name = staff::username(self.suffix);
        let gone = self.users().and_then(|users| {
            let (staff, students): (Vec<_>, Vec<_>) =
                users.into_iter().partition(|user| user.username == name);
            tally.holds("no student is left", students.is_empty());
            for user in &students {
                self.remove(user)?;
            }
            if !students.is_empty() {
                tally.say("            they are removed now, with their workspaces");
            }
            for user in &staff {
                self.server
                    .ask(Method::DELETE, &format!("/users/{}", user.id))?
                    .expect("delete the service's user", &[200])?;
            }
            let tokens = self.tokens_of(&staff)?;
            tally.holds(
                "the service's user and its token are gone",
                tokens == 0 && self.users()?.is_empty(),
            );
            Ok(())
        });
        if let Err(complaint) = gone {
            tally.holds(&complaint, false);
        }
    }

    /// Everybody with an address of the trial.
    fn users(&self) -> Result<Vec<Listed>, String> {
        users(self.server, self.suffix).map(|users| {
            let listed = |user: &Value| Listed {
                id: user["id"].as_str().unwrap_or_default().to_owned(),
                username: user["username"].as_str().unwrap_or_default().to_owned(),
            };
            users.iter().map(listed).collect()
        })
    }

    fn tokens_of(&self, users: &[Listed]) -> Result<usize, String> {
        let path = "/users/me/keys/tokens?include_all=true";
        let tokens = self
            .server
            .ask(Method::GET, path)?
            .expect("list tokens", &[200])?;
        let tokens = tokens.body.as_array().cloned().unwrap_or_default();
        let is_theirs = |token: &&Value| {
            users
                .iter()
                .any(|user| token["user_id"] == user.id.as_str())
        };
        Ok(tokens.iter().filter(is_theirs).count())
    }

    /// Deletes a user with its workspaces, by the Owner.
    fn remove(&self, user: &Listed) -> Result<(), String> {
        let path = format!("/users/{}/status/suspend", user.id);
        self.server.ask(Method::PUT, &path)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self
                .server
                .ask(Method::DELETE, &format!("/users/{}", user.id))?;
            match answer.status {
                200 => return Ok(()),
                417 if Instant::now() < deadline => {}
                status => return Err(format!("delete {}: status {status}", user.username)),
            }
            for workspace in workspaces_of(self.server, &user.username)? {
                let id = workspace["id"].as_str().unwrap_or_default();
                let path = format!("/workspaces/{id}/builds");
                // 409: a build is active; it is tried again soon.
                self.server
                    .tell(Method::POST, &path, &json!({ "transition": "delete" }))?
                    .expect("delete a workspace", &[201, 409])?;
            }
            std::thread::sleep(super::PAUSE);
        }
    }
}

impl Drop for Traces<'_> {
    fn drop(&mut self) {
        // What cannot be removed was reported by `are_gone`, or is reported by name here.
        let left = self.users().unwrap_or_default();
        for user in left {
            if let Err(complaint) = self.remove(&user) {
                eprintln!(
                    "coder-test: {} is left at Coder: {complaint}",
                    user.username
                );
            }
        }
    }
}

/// The users with an address of the trial, as Coder lists them.
pub fn users(server: &CoderServer, suffix: &str) -> Result<Vec<Value>, String> {
    let path = format!("/users?q=@{}&limit=200", staff::domain(suffix));
    let list = server
        .ask(Method::GET, &path)?
        .expect("list users", &[200])?;
    Ok(list.body["users"].as_array().cloned().unwrap_or_default())
}

/// The workspaces of a user that are not deleted.
pub fn workspaces_of(server: &CoderServer, username: &str) -> Result<Vec<Value>, String> {
    let path = format!("/workspaces?q=owner:{username}");
    let list = server
        .ask(Method::GET, &path)?
        .expect("list workspaces", &[200])?;
    Ok(list.body["workspaces"]
        .as_array()
        .cloned()
        .unwrap_or_default())
}

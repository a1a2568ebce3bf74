//! What is asked of Coder: one request, one answer, with patience where Coder asks for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::http::Method;

use coder_sms_register::http::Http;

use super::Deployment;

/// How long one call may take.
const CALL: Duration = Duration::from_secs(30);

/// How often a call is repeated that came too often.
const TRIES: usize = 3;

/// An answer of Coder.
pub struct CoderAnswer {
    pub status: u16,
    /// Null where it is no JSON.
    pub body: Value,
}

impl CoderAnswer {
    /// The text of a field, empty where there is none.
    pub fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_default().to_owned()
    }

    /// This answer, or an error that says what was asked and what came.
    pub fn expect(self, what: &str, statuses: &[u16]) -> Result<Self, String> {
        match statuses.contains(&self.status) {
            true => Ok(self),
            false => Err(format!(
                "{what}: status {}, {:?}",
                self.status,
                self.text("message")
            )),
        }
    }
}

/// The deployment.
pub struct CoderServer {
    http: Http,
    url: String,
    token: String,
    interrupted: Arc<AtomicBool>,
}

impl CoderServer {
    /// Nothing is asked yet.
    pub fn new(deployment: &Deployment, interrupted: Arc<AtomicBool>) -> Self {
        Self {
            http: Http::new(CALL),
            url: deployment.url.clone(),
            token: deployment.token.clone(),
            interrupted,
        }
    }

    /// Where it is, which release, and whether the token is an Owner's.
    pub fn introduce(&self) -> Result<String, String> {
        let build = self
            .ask(Method::GET, "/buildinfo")?
            .expect("ask for the release", &[200])?;
        let me = self
            .ask(Method::GET, "/users/me")?
            .expect("ask whose CODER_API_KEY is", &[200])?;
        let roles = me.body["roles"].as_array().cloned().unwrap_or_default();
        if !roles.iter().any(|role| role["name"] == "owner") {
            return Err(format!(
                "CODER_API_KEY is the token of {}, who is no Owner: only an Owner can give roles to the service's users",
                me.text("username")
            ));
        }
        Ok(format!("Coder {} at {}", build.text("version"), self.url))
    }

    /// A call as the Owner.
    pub fn ask(&self, method: Method, path: &str) -> Result<CoderAnswer, String> {
        self.call(Some(&self.token), method, path, &Value::Null)
    }

    /// A call as the Owner, with a body.
    pub fn tell(&self, method: Method, path: &str, body: &Value) -> Result<CoderAnswer, String> {
        self.call(Some(&self.token), method, path, body)
    }

    /// A call with a token or without one. Waits when Coder answers that there were too many requests.
    pub fn call(
        &self,
        token: Option<&str>,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<CoderAnswer, String> {
        let url = format!("{}/api/v2{path}", self.url);
        let mut headers = vec![("Content-Type", "application/json")];
        headers.extend(token.map(|token| ("Coder-Session-Token", token)));
        let bytes = match body {
            Value::Null => Vec::new(),
            body => body.to_string().into_bytes(),
        };
        let mut tries = 1;
        loop {
            let answer = self
                .http
                .call(method.clone(), &url, &headers, bytes.clone())
                .map_err(|broken| format!("{method} {path} at Coder: {broken}"))?;
            if answer.status != 429 || tries == TRIES {
                return Ok(CoderAnswer {
                    status: answer.status,
                    body: serde_json::from_slice(&answer.body).unwrap_or(Value::Null),
                });
            }
            tries += 1;
            let wait = answer.headers.get("Retry-After");
            let wait = wait.and_then(|value| value.to_str().ok()?.parse().ok());
            self.sleep(Duration::from_secs(wait.unwrap_or(60).min(120)));
        }
    }

    fn sleep(&self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end && !self.interrupted.load(Ordering::Relaxed) {
            std::thread::sleep(super::PAUSE);
        }
    }

    /// Logs in. Returns the session and the status of the answer.
    pub fn log_in(&self, email: &str, password: &str) -> Result<(u16, String), String> {
        let body = serde_json::json!({ "email": email, "password": password });
        let answer = self.call(None, Method::POST, "/users/login", &body)?;
        Ok((answer.status, answer.text("session_token")))
    }

    /// Whether this session or token is good.
    pub fn knows(&self, token: &str) -> Result<bool, String> {
        let answer = self.call(Some(token), Method::GET, "/users/me", &Value::Null)?;
        Ok(answer.status == 200)
    }
}

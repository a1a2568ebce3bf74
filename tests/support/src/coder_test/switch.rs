//! The commands that stop and start the deployment, if they were given.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use ureq::http::Method;

use super::server::CoderServer;
use super::{PATIENCE, PAUSE};

/// How long a command may take to return.
const COMMAND: Duration = Duration::from_secs(60);

/// How long the server stays away, so that the service meets its absence.
const ABSENCE: Duration = Duration::from_secs(3);

/// How to stop the server as a power cut would, and how to start it again.
#[derive(Clone)]
pub struct Switch {
    stop: String,
    start: String,
}

impl Switch {
    /// The two commands, for the shell. Empty ones are none; one alone is an error.
    pub fn new(stop: &str, start: &str) -> Result<Option<Self>, String> {
        match (stop.trim(), start.trim()) {
            ("", "") => Ok(None),
            ("", _) | (_, "") => {
                Err("CODER_TEST_STOP and CODER_TEST_START go together: set both or none".to_owned())
            }
            (stop, start) => Ok(Some(Self {
                stop: stop.to_owned(),
                start: start.to_owned(),
            })),
        }
    }
}

/// The server is away. Whatever happens, it is started again.
pub struct Outage<'a> {
    switch: &'a Switch,
    server: &'a CoderServer,
    began: Instant,
    is_over: bool,
}

impl<'a> Outage<'a> {
    /// Stops the server, and makes sure that it has stopped.
    pub fn begin(switch: &'a Switch, server: &'a CoderServer) -> Result<Self, String> {
        // From here on the server may be down, also after an error.
        let outage = Self {
            switch,
            server,
            began: Instant::now(),
            is_over: false,
        };
        run("CODER_TEST_STOP", &switch.stop)?;
        match answers(server) {
            true => Err("CODER_TEST_STOP returned, but the server still answers".to_owned()),
            false => Ok(outage),
        }
    }

    /// Starts the server once it was away for a while, and waits until it answers.
    pub fn end(mut self) -> Result<(), String> {
        std::thread::sleep(ABSENCE.saturating_sub(self.began.elapsed()));
        self.is_over = true;
        self.start()
    }

    fn start(&self) -> Result<(), String> {
        run("CODER_TEST_START", &self.switch.start)?;
        let deadline = Instant::now() + PATIENCE;
        while !answers(self.server) {
            if Instant::now() >= deadline {
                return Err("CODER_TEST_START returned, but the server does not answer".to_owned());
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }
}

impl Drop for Outage<'_> {
    fn drop(&mut self) {
        if !self.is_over
            && let Err(complaint) = self.start()
        {
            eprintln!("coder-test: the server is not back: {complaint}");
        }
    }
}

fn answers(server: &CoderServer) -> bool {
    let answer = server.ask(Method::GET, "/buildinfo");
    answer.is_ok_and(|answer| answer.status == 200)
}

/// Runs a command to its end. It does not see the token.
fn run(name: &str, command: &str) -> Result<(), String> {
    let mut child = Command::new("/bin/sh")
        .args(["-c", command])
        .env_remove("CODER_API_KEY")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| format!("{name}: {error}"))?;
    match ended(&mut child).map_err(|error| format!("{name}: {error}"))? {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(format!("{name}: {status}")),
        None => Err(format!(
            "{name} does not return: let it leave what runs in the background"
        )),
    }
}

/// How it ended; one that takes too long is killed.
fn ended(child: &mut Child) -> std::io::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + COMMAND;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

//! A class on a Coder that exists, given by its address and an Owner's token alone.
//!
//! The real program and a real Redis run here; Twilio is played. For each set of roles that the service's user may
//! have a class is taken from its first text to its last trace, with the service killed in between. What was made at
//! Coder is removed again whatever happens. A file a topic:
//!
//! - `server`: what is asked of Coder
//! - `staff`: the service's user, made and removed
//! - `stage`: Redis, Twilio and the service; phones that text
//! - `switch`: the commands that stop and start the deployment
//! - `class_run`: the class, act by act
//! - `warm`: a second one, whose accounts are ready before it texts
//! - `traces`: what is left at Coder, and its removal

mod class_run;
mod command;
mod server;
mod staff;
mod stage;
mod switch;
mod traces;
mod warm;

pub use command::main;
use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::fakes::random;
use class_run::CoderRun;
use server::CoderServer;
use staff::{ROLES, Staff};
use stage::CoderStage;
pub use switch::Switch;
use traces::Traces;
use warm::WarmRun;

/// How long one thing may take before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(180);

/// How often a waiting thread checks.
const PAUSE: Duration = Duration::from_millis(200);

/// A Coder and who may do everything there.
pub struct Deployment {
    url: String,
    token: String,
}

impl Deployment {
    /// The address as operators write it, with or without scheme, slash and `/api/v2`.
    pub fn new(url: &str, token: &str) -> Self {
        let bare = url.trim_end_matches('/').trim_end_matches("/api/v2");
        let url = match bare.contains("://") {
            true => bare.to_owned(),
            false => format!("https://{bare}"),
        };
        Self {
            url: url.trim_end_matches('/').to_owned(),
            token: token.to_owned(),
        }
    }
}

/// What is to be tried, and where.
pub struct Trial {
    /// The program under test.
    pub binary: PathBuf,
    pub deployment: Deployment,
    pub students: usize,
    /// The settings of the workspaces that students get with their logins; none = they get none.
    pub workspace: Vec<(String, String)>,
    /// Without it the server is not killed.
    pub switch: Option<Switch>,
    /// Set to end the trial early.
    pub interrupted: Arc<AtomicBool>,
    /// Prints a line.
    pub say: Box<dyn Fn(&str) + Send + Sync>,
}

/// What held and what did not, printed line by line.
pub struct CoderTally<'a> {
    trial: &'a Trial,
    faults: RefCell<Vec<String>>,
}

impl CoderTally<'_> {
    /// A line of its own.
    fn say(&self, line: &str) {
        (self.trial.say)(line);
    }

    /// Tells whether something held.
    fn holds(&self, what: &str, held: bool) {
        let mark = if held { "ok    " } else { "FAILED" };
        self.say(&format!("    {mark}  {what}"));
        if !held {
            self.faults.borrow_mut().push(what.to_owned());
        }
    }

    /// Waits until something is so; the error says for what it waited in vain.
    fn until(
        &self,
        what: &str,
        mut is_so: impl FnMut() -> Result<bool, String>,
    ) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if is_so()? {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(format!("in vain waited for: {what}"));
            }
            self.pause()?;
        }
    }

    /// Sleeps a moment, unless the trial is to end.
    fn pause(&self) -> Result<(), String> {
        if self.trial.interrupted.load(Ordering::Relaxed) {
            return Err("stopped by a signal".to_owned());
        }
        std::thread::sleep(PAUSE);
        Ok(())
    }
}

impl Trial {
    /// Plays a class for each set of roles. Gives what did not hold.
    pub fn play(&self) -> Vec<String> {
        let tally = CoderTally {
            trial: self,
            faults: RefCell::default(),
        };
        let server = CoderServer::new(&self.deployment, Arc::clone(&self.interrupted));
        match server.introduce() {
            Ok(words) => tally.say(&format!("\n  {words}")),
            Err(complaint) => return vec![complaint],
        }
        if self.switch.is_none() {
            tally.say(
                "  The server is not killed: CODER_TEST_STOP and CODER_TEST_START are not set",
            );
        }
        for roles in &ROLES {
            let suffix = random::hex::<4>();
            tally.say(&format!(
                "\n  The service's user has the role {}\n",
                roles.title
            ));
            let traces = Traces::new(&server, &suffix);
            if let Err(complaint) = self.with_roles(&tally, &server, roles, &suffix) {
                tally.holds(&complaint, false);
            }
            traces.are_gone(&tally);
            if self.interrupted.load(Ordering::Relaxed) {
                break;
            }
        }
        tally.faults.into_inner()
    }

    fn with_roles(
        &self,
        tally: &CoderTally<'_>,
        server: &CoderServer,
        roles: &staff::Roles,
        suffix: &str,
    ) -> Result<(), String> {
        let staff = Staff::make(server, roles, suffix)?;
        let stage = CoderStage::set(self, &staff.token, suffix);
        let mut played = CoderRun::new(self, tally, server, &stage, suffix).play(self.students);
        if played.is_ok() && !self.workspace.is_empty() {
            let stage = &stage;
            let class = WarmRun {
                tally,
                server,
                stage,
                suffix,
            };
            played = class.play();
        }
        if played.is_err() {
            tally.say(&format!("\n  The service's log:\n{}", stage.log()));
        }
        played
    }
}

//! `make coder-test`: a class on a Coder that exists.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use super::{Deployment, Switch, Trial};
use crate::classroom::redis::server_version;

/// Exit codes besides 0: something did not hold, it cannot run, a signal stopped it.
const BROKEN: u8 = 1;
const UNUSABLE: u8 = 2;
const STOPPED: u8 = 130;

const HELP: &str = "\
Runs the real program against a Coder that exists: service users with each of the recommended roles are made, and
with each of them a class is played to its end. Twilio is played here, no phone rings, and nothing is charged.
All that was made is removed again, also after Ctrl-C.

  CODER_API_URL=https://coder.example.org CODER_API_KEY=TOKEN make coder-test

  CODER_API_URL   the deployment; use one for tests, as Coder keeps the rows of deleted users
  CODER_API_KEY   the token of an Owner there; it is neither stored nor printed

  CODER_REG_TEMPLATE, CODER_REG_PARAMETERS
                  a template and its parameters, as in the settings; with them each student gets a workspace with the
                  login, which has to run; then a class of 4 follows whose accounts and workspaces are ready before
                  it texts

  CODER_TEST_STOP, CODER_TEST_START
                  commands for the shell that kill the server and start it again, each of which returns by itself, as
                  \"docker kill coder\" and \"docker start coder\"; with them the server is killed in the middle of each
                  class and of each removal, without them it is not

  --students N    how many students text, 4 to 30 (12); Coder lets 60 log in a minute from one address
  --help          this text

Exit code: 0 all held, 1 something did not, 2 it cannot run, 130 stopped by a signal.";

/// The command.
pub fn main() -> ExitCode {
    let mut students = 12;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => {
                println!("{HELP}");
                return ExitCode::SUCCESS;
            }
            "--students" => match arguments.next().and_then(|text| text.parse().ok()) {
                Some(count @ 4..=30) => students = count,
                _ => return unusable("--students takes a number from 4 to 30"),
            },
            other => return unusable(&format!("{other:?} is not known; --help shows what is")),
        }
    }
    match trial(students) {
        Ok(trial) => judge(&trial),
        Err(complaint) => unusable(&complaint),
    }
}

fn trial(students: usize) -> Result<Trial, String> {
    let optional = |name: &str| std::env::var(name).unwrap_or_default();
    let setting = |name: &str| {
        let value = optional(name).trim().to_owned();
        match value.is_empty() {
            true => Err(format!("{name} is not set; --help says what it is")),
            false => Ok(value),
        }
    };
    let deployment = Deployment::new(&setting("CODER_API_URL")?, &setting("CODER_API_KEY")?);
    server_version()?;
    Ok(Trial {
        binary: crate::program()?,
        deployment,
        students,
        workspace: ["CODER_REG_TEMPLATE", "CODER_REG_PARAMETERS"]
            .into_iter()
            .map(|name| (name.to_owned(), optional(name)))
            .filter(|(_, value)| !value.is_empty())
            .collect(),
        switch: Switch::new(&optional("CODER_TEST_STOP"), &optional("CODER_TEST_START"))?,
        interrupted: interrupt().map_err(|error| format!("signals cannot be caught: {error}"))?,
        say: Box::new(|line| println!("{line}")),
    })
}

/// Set by the first signal; the second one ends the process at once.
fn interrupt() -> std::io::Result<Arc<AtomicBool>> {
    let asked = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        flag::register_conditional_shutdown(signal, i32::from(STOPPED), Arc::clone(&asked))?;
        flag::register(signal, Arc::clone(&asked))?;
    }
    Ok(asked)
}

fn judge(trial: &Trial) -> ExitCode {
    let faults = trial.play();
    let stopped = trial.interrupted.load(Ordering::Relaxed);
    if faults.is_empty() && !stopped {
        println!("\n  all held");
        return ExitCode::SUCCESS;
    }
    println!("\n  not all held:");
    for fault in &faults {
        println!("    - {fault}");
    }
    ExitCode::from(if stopped { STOPPED } else { BROKEN })
}

fn unusable(complaint: &str) -> ExitCode {
    eprintln!("coder-test: {complaint}");
    ExitCode::from(UNUSABLE)
}

//! `make docker-test`: the images are built, the compose file is brought up with fakes of Coder and Twilio as
//! further containers, and a class registers through the published ports while containers are killed.
//!
//! Everything is real but Coder and Twilio. A file a topic:
//!
//! - `docker`: the two command-line tools
//! - `guest`: a fake, played inside a container, and the window through which it is watched
//! - `site`: a clone of the project with its `.env`, as an instructor has it
//! - `class_run`: students who text, and what has to be true of them
//! - `tls`: a client that trusts the proxy's own authority
//! - `inspect`: what the containers may do, and what they have logged
//! - `acts`, `proxies`, `packages`: what is done, in this order
//!
//! Every container, network and volume that it makes is removed again, and every image but the base images, the
//! builder's cache and the one that packages are installed in.

mod acts;
mod class_run;
mod docker;
mod guest;
mod inspect;
mod packages;
mod proxies;
mod site;
mod tls;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

const HELP: &str = "\
Builds the images, brings the compose file up with fakes of Coder and Twilio beside it, and lets a
class register while containers are killed. Needs a Docker engine and docker compose (or docker-compose).

  containers [ACT ...]

  --list    the acts and what each does
  --help    this text

Exit code: 0 all held, 1 something did not, 2 it cannot run.";

/// The command.
pub fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--help" | "-h"] => {
            println!("{HELP}");
            ExitCode::SUCCESS
        }
        ["--list"] => {
            for act in acts::ACTS {
                println!("{:10} {}", act.name, act.about);
            }
            ExitCode::SUCCESS
        }
        ["play", guest, settings @ ..] => guest::play(guest, settings),
        names => perform(names),
    }
}

fn perform(names: &[&str]) -> ExitCode {
    if let Some(name) = names
        .iter()
        .find(|name| acts::ACTS.iter().all(|act| act.name != **name))
    {
        return unusable(&format!("{name:?} is no act; --list shows them"));
    }
    if let Err(complaint) = docker::is_there() {
        return unusable(&complaint);
    }
    let played = catch_unwind(AssertUnwindSafe(|| acts::play(names)));
    if played.is_err() {
        println!("\nnot all held, see above");
        return ExitCode::FAILURE;
    }
    println!("\nall held");
    ExitCode::SUCCESS
}

fn unusable(complaint: &str) -> ExitCode {
    eprintln!("containers: {complaint}");
    ExitCode::from(2)
}

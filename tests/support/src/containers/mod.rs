//! `make docker-test`: the images are built, the compose file is brought up with fakes of Coder and Twilio as
//! further containers, and a class registers through the published ports while containers are killed.
//!
//! Everything is real but Coder and Twilio. One file for each topic:
//!
//! - `docker`: the two command-line tools
//! - `leftovers`: the images that a run leaves, and their removal
//! - `guest`: a fake, played inside a container, and the window through which it is watched
//! - `site`: a clone of the project with its `.env`, as an instructor has it
//! - `class_run`: students who text, and what has to be true of them
//! - `tls`: a client that trusts the proxy's own authority
//! - `inspect`: what the containers may do, and what they have logged
//! - `acts`, `images`, `proxies`, `packages`: what is done, in this order
//!
//! Every container, network, volume and image that it makes is removed again, after Ctrl-C too. What stays: base
//! images that were there before, or with `KEEP=1` all of them, and the cache of BuildKit, if Docker uses it.

mod acts;
mod class_run;
mod docker;
mod guest;
mod images;
mod inspect;
mod leftovers;
mod packages;
mod proxies;
mod site;
mod tls;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, ExitCode};

use leftovers::Leftovers;

const HELP: &str = "\
Builds the images, brings the compose file up with fakes of Coder and Twilio beside it, and lets a
class register while containers are killed. Needs a Docker engine and docker compose (or docker-compose).

  containers [ACT ...]

  --list    the acts and what each does
  --help    this text

KEEP=1 keeps the base images that were pulled or made, for the next run.
Exit code: 0 all held, 1 something did not, 2 it cannot run, 130 stopped by a signal.";

/// The version of the service, as its manifest says; that of this crate is another one.
fn service_version() -> String {
    let manifest = crate::project().join("Cargo.toml");
    let manifest = std::fs::read_to_string(manifest).expect("the manifest is there");
    let mut lines = manifest.lines();
    let version = lines.find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'));
    version.expect("a version").to_owned()
}

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
        return unusable(&format!("there is no act {name:?}; see --list"));
    }
    if let Err(complaint) = docker::is_there() {
        return unusable(&complaint);
    }
    if let Err(error) = docker::catch_signals() {
        return unusable(&format!("signals cannot be caught: {error}"));
    }
    let leftovers = Leftovers::since_now();
    let bases = leftovers::base_images(crate::project());
    let played = catch_unwind(AssertUnwindSafe(|| {
        provide_bases();
        acts::play(names);
    }));
    println!("removing the images that were made");
    let kept = leftovers.remove(&bases);
    if !kept.is_empty() {
        println!("kept for the next run: {}", kept.join(", "));
    }
    if docker::stopped() {
        println!("\nstopped before the end");
        return ExitCode::from(130);
    }
    if played.is_err() {
        println!("\nnot all held, see above");
        return ExitCode::FAILURE;
    }
    println!("\nall held");
    ExitCode::SUCCESS
}

/// Makes sure that every base image is there.
fn provide_bases() {
    let mut command = Command::new("sh");
    command.arg("tests/containers/stand-ins.sh");
    let status = command.current_dir(crate::project()).status();
    let status = status.expect("sh runs");
    assert!(status.success(), "a base image is missing: {status}");
}

fn unusable(complaint: &str) -> ExitCode {
    eprintln!("containers: {complaint}");
    ExitCode::from(2)
}

//! `make demo`: a class from the first text to the last removal, played for a person who watches.
//!
//! The real program and a real Redis run on this machine; Coder and Twilio are fakes. Every claim is
//! checked: the exit code is 0 only if all held. One file for each topic:
//!
//! - `options`, `screen`, `interrupt`: the command line, the terminal, Ctrl-C
//! - `stage`: what is started, and how long an account lives
//! - `cast`: who texts what
//! - `ground`: what a student's thread can reach
//! - `class_run`, `phones`: act 1, the class texts; and what the phones show
//! - `proof`: act 2, every login is tried and every student starts a workspace
//! - `removal`: act 3, the time is up
//! - `report`: the results, and the instructor's screen
//!
//! With `--picture FILE` it draws the picture of the README instead ([`crate::picture`]).

mod cast;
mod class_run;
mod ground;
mod interrupt;
mod options;
mod phones;
mod proof;
mod removal;
mod report;
mod screen;
mod stage;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use interrupt::{Interrupt, Interrupted};
use options::{DemoWish, Options};
use report::DemoReport;
use screen::{DemoScreen, Paint};
use stage::DemoStage;

use crate::classroom::redis::server_version;

/// Exit codes besides 0: something did not hold, the demo cannot run, a signal stopped it.
const BROKEN: u8 = 1;
const UNUSABLE: u8 = 2;
const STOPPED: u8 = 130;

/// Between the texts of two students in the picture.
const BETWEEN_STUDENTS: Duration = Duration::from_secs(6);

/// The command.
pub fn main() -> ExitCode {
    let options = match options::read(std::env::args().skip(1)) {
        Ok(DemoWish::Play(options)) => options,
        Ok(DemoWish::Help) => {
            println!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(complaint) => return unusable(&complaint),
    };
    let binary = match crate::program().and_then(|path| server_version().map(|_| path)) {
        Ok(path) => path,
        Err(complaint) => return unusable(&complaint),
    };
    if let Some(file) = &options.picture {
        return draw(binary, file);
    }
    let interrupt = match Interrupt::catch() {
        Ok(interrupt) => interrupt,
        Err(error) => return unusable(&format!("signals cannot be caught: {error}")),
    };
    let screen = DemoScreen::new(interrupt.clone());
    perform(&options, binary, &screen)
}

/// Plays it and prints the verdict after the class is closed, as closing may find a fault too.
fn perform(options: &Options, program: PathBuf, screen: &DemoScreen) -> ExitCode {
    let mut report = None;
    let closed = catch_unwind(AssertUnwindSafe(|| {
        let stage = DemoStage::prepare(program, options);
        report = play(options, &stage, screen).ok();
    }));
    screen.end_progress();
    if screen.interrupt().asked() {
        screen.say("\n  stopped before the end; nothing is left running");
        return ExitCode::from(STOPPED);
    }
    let mut faults = match report {
        Some(report) => report.faults,
        None => vec!["the demo did not come to its end".to_owned()],
    };
    if closed.is_err() {
        faults.push("the demo broke off, see above".to_owned());
    }
    if faults.is_empty() {
        screen.say(&screen.paint(Paint::Good, "\n  all held"));
        return ExitCode::SUCCESS;
    }
    screen.say(&screen.paint(Paint::Bad, "\n  not all held:"));
    for fault in &faults {
        screen.say(&format!("    - {fault}"));
    }
    ExitCode::from(BROKEN)
}

/// Draws the picture of the README.
fn draw(program: PathBuf, file: &str) -> ExitCode {
    let drawn =
        catch_unwind(|| crate::picture::PictureScene::play(program, BETWEEN_STUDENTS).drawn());
    let Ok(drawn) = drawn else {
        return unusable("the class of the picture broke off, see above");
    };
    match std::fs::write(file, drawn) {
        Ok(()) => {
            println!("The picture is {file}.");
            ExitCode::SUCCESS
        }
        Err(error) => unusable(&format!("{file} cannot be written: {error}")),
    }
}

fn unusable(complaint: &str) -> ExitCode {
    eprintln!("demo: {complaint}");
    ExitCode::from(UNUSABLE)
}

fn play(
    options: &Options,
    stage: &DemoStage,
    screen: &DemoScreen,
) -> Result<DemoReport, Interrupted> {
    stage.introduce(screen);
    let cast = cast::gather(stage.class(), options.students);
    let ground = stage.ground(screen.interrupt());
    let class_run = class_run::play(stage, &cast, &ground, screen)?;
    phones::show(&cast, &class_run, screen);
    let proof = proof::play(stage, &cast, &class_run, &ground, screen)?;
    let removal = removal::play(stage, &class_run, &ground, screen)?;
    Ok(report::draw_up(
        stage, &cast, &class_run, &proof, &removal, screen,
    ))
}

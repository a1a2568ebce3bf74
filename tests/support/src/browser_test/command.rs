//! `make browser-test`: plays the scenes and says what held.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use super::{SCENES, Scene, Stage};
use crate::browser::{Browser, Engine};
use crate::classroom::redis::server_version;

const HELP: &str = "\
Opens the pages in real browsers: the real program with a real Redis and fakes of Coder and Twilio. Nothing leaves
the machine.

  browser-test [--pictures FOLDER] [SCENE ...]

  --pictures FOLDER   writes a picture of each page there
  --list              the scenes and what each proves
  --help              this text

Exit code: 0 all held, 1 something did not, 2 it cannot run.";

/// The command.
pub fn main() -> ExitCode {
    let mut pictures = None;
    let mut scenes: Vec<&Scene> = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => {
                println!("{HELP}");
                return ExitCode::SUCCESS;
            }
            "--list" => {
                for scene in SCENES {
                    println!("{:10} {}", scene.name, scene.about);
                }
                return ExitCode::SUCCESS;
            }
            "--pictures" => match arguments.next() {
                Some(folder) => pictures = Some(PathBuf::from(folder)),
                None => return unusable("--pictures takes a folder"),
            },
            name => match SCENES.iter().find(|scene| scene.name == name) {
                Some(scene) => scenes.push(scene),
                None => return unusable(&format!("{name:?} is no scene; --list shows them")),
            },
        }
    }
    if scenes.is_empty() {
        scenes.extend(SCENES);
    }
    let binary = match crate::program() {
        Ok(path) => path,
        Err(complaint) => return unusable(&complaint),
    };
    if let Err(complaint) = server_version() {
        return unusable(&complaint);
    }
    if !Engine::Chromium.is_installed() {
        return unusable(
            "chromium or chromedriver is missing: `make browsers` installs them on Debian",
        );
    }
    let stage = Stage::new(binary, Browser::start(Engine::Chromium), pictures);
    play(&stage, &scenes)
}

fn play(stage: &Stage, scenes: &[&Scene]) -> ExitCode {
    let mut failed = Vec::new();
    for scene in scenes {
        let began = Instant::now();
        let held = catch_unwind(AssertUnwindSafe(|| (scene.play)(stage))).is_ok();
        let word = if held { "held" } else { "FAILED" };
        let seconds = began.elapsed().as_secs_f64();
        println!(
            "{word:6} {seconds:5.1} s  {:10} {}",
            scene.name, scene.about
        );
        if !held {
            failed.push(scene.name);
        }
    }
    match failed.is_empty() {
        true => ExitCode::SUCCESS,
        false => {
            println!("failed: {}", failed.join(" "));
            ExitCode::FAILURE
        }
    }
}

fn unusable(complaint: &str) -> ExitCode {
    eprintln!("browser-test: {complaint}");
    ExitCode::from(2)
}

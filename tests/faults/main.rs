//! `make faults`: every proof in full, with progress and a closing table.

#[path = "../classroom/mod.rs"]
mod classroom;
#[path = "../fakes/mod.rs"]
mod fakes;
#[path = "mod.rs"]
mod force;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

use force::table::{Row, draw};
use force::{Force, PROOFS, Proof};

const HELP: &str = "\
Does harm to the real program and counts what came of it: nobody may be lost, doubled or orphaned.
Coder and Twilio are fakes, Redis is real; nothing leaves the machine.

  faults [--short] [PROOF ...]

  --short   the short cut of each proof, as the tests run it
  --list    the proofs and what each does
  --help    this text

Exit code: 0 all held, 1 something did not, 2 it cannot run.";

fn main() -> ExitCode {
    let mut full = true;
    let mut wanted = Vec::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--help" | "-h" => {
                println!("{HELP}");
                return ExitCode::SUCCESS;
            }
            "--list" => {
                for proof in PROOFS {
                    println!("{:12} {}", proof.name, proof.about);
                }
                return ExitCode::SUCCESS;
            }
            "--short" => full = false,
            name => match PROOFS.iter().find(|proof| proof.name == name) {
                Some(proof) => wanted.push(proof),
                None => return unusable(&format!("{name:?} is no proof; --list shows them")),
            },
        }
    }
    if wanted.is_empty() {
        wanted.extend(PROOFS);
    }
    let binary = match program() {
        Ok(path) => path,
        Err(complaint) => return unusable(&complaint),
    };
    let began = Instant::now();
    let force = Force {
        binary,
        full,
        progress: Box::new(move |words| {
            println!("  {:>5.0} s  {words}", began.elapsed().as_secs_f64());
        }),
    };
    let (rows, broken) = run_all(&wanted, &force);
    conclude(&rows, &broken)
}

fn run_all(wanted: &[&Proof], force: &Force) -> (Vec<Row>, Vec<&'static str>) {
    let (mut rows, mut broken) = (Vec::new(), Vec::new());
    for proof in wanted {
        println!("{}: {}", proof.name, proof.about);
        let began = Instant::now();
        match catch_unwind(AssertUnwindSafe(|| (proof.run)(force))) {
            Ok(found) => rows.extend(found),
            Err(_) => broken.push(proof.name),
        }
        force.says(&format!("took {:.0} s", began.elapsed().as_secs_f64()));
    }
    (rows, broken)
}

fn conclude(rows: &[Row], broken: &[&str]) -> ExitCode {
    println!("\n{}", draw(rows));
    let failed: Vec<&str> = rows
        .iter()
        .filter(|row| !row.holds())
        .map(|row| row.fault.as_str())
        .collect();
    if failed.is_empty() && broken.is_empty() {
        println!("all held");
        return ExitCode::SUCCESS;
    }
    for name in broken {
        println!("broke off, see above: {name}");
    }
    for fault in failed {
        println!("did not hold: {fault}");
    }
    ExitCode::FAILURE
}

/// The program beside this one: `target/<profile>/examples/faults` and `target/<profile>/coder-sms-register`.
fn program() -> Result<std::path::PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder = own.parent().and_then(std::path::Path::parent);
    let binary = folder.map(|folder| folder.join("coder-sms-register"));
    match binary {
        Some(binary) if binary.is_file() => Ok(binary),
        _ => Err("the program is not built: make faults builds it".to_owned()),
    }
}

fn unusable(complaint: &str) -> ExitCode {
    eprintln!("faults: {complaint}");
    ExitCode::from(2)
}

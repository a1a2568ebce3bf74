//! `make faults`: every proof in full, with progress and a closing table.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::table::{Row, draw};
use super::{Assault, FaultProof, PROOFS};

/// Proofs at the same time.
const WORKERS: usize = 3;

const HELP: &str = "\
Does harm to the real program and counts what came of it: nobody may be lost, doubled or orphaned.
Coder and Twilio are fakes, Redis is real; nothing leaves the machine.

  faults [--short] [PROOF ...]

  --short   the short version of each proof, as the tests run it
  --list    the proofs and what each does
  --help    this text

  FAULTS_SITE=2.24.4-admin, 2.24.4-owner or newest-admin plays `points`, `pairs_...` and `worlds` at that Coder alone,
  FAULTS_ACT=screen (or first, again, ...) plays that act of `points` or `worlds` alone,
  FAULTS_PART=1/3 the first third of `pairs_...`, FAULTS_ONLY the plans that a failed run has printed,
  FAULTS_KILLS=2 no more kills than that in a run of `worlds`, FAULTS_WORLDS=FOLDER writes its worlds there,
  FAULTS_ONLY='longest strange-03' plays these of `stories`,
  FAULTS_MINUTES=20 and FAULTS_SEED=7 play `soak` for so long, with these dice.

Exit code: 0 all held, 1 something did not, 2 it cannot run.";

/// The command.
pub fn main() -> ExitCode {
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
    let binary = match crate::program() {
        Ok(path) => path,
        Err(complaint) => return unusable(&complaint),
    };
    let (rows, broken) = run_all(&wanted, &binary, full);
    conclude(&rows, &broken)
}

/// Runs proofs, some at a time, as they wait more than they work. The rows are in the order of the
/// proofs.
fn run_all(wanted: &[&FaultProof], binary: &Path, full: bool) -> (Vec<Row>, Vec<&'static str>) {
    let (began, next) = (Instant::now(), AtomicUsize::new(0));
    let ended = Mutex::new(Vec::new());
    let worker = || {
        while let Some((place, proof)) = {
            let place = next.fetch_add(1, Ordering::Relaxed);
            wanted.get(place).map(|proof| (place, *proof))
        } {
            let name = proof.name;
            let force = Assault {
                binary: binary.to_owned(),
                full,
                progress: Box::new(move |words| {
                    println!("{:>5.0} s  {name}: {words}", began.elapsed().as_secs_f64());
                }),
            };
            force.says(proof.about);
            let start = Instant::now();
            let found = catch_unwind(AssertUnwindSafe(|| (proof.run)(&force)));
            force.says(&format!("took {:.0} s", start.elapsed().as_secs_f64()));
            let mut ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
            ended.push((place, name, found.ok()));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(worker);
        }
    });
    let mut ended = ended.into_inner().unwrap_or_else(PoisonError::into_inner);
    ended.sort_by_key(|(place, ..)| *place);
    let (mut rows, mut broken) = (Vec::new(), Vec::new());
    for (_, name, found) in ended {
        match found {
            Some(found) => rows.extend(found),
            None => broken.push(name),
        }
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

fn unusable(complaint: &str) -> ExitCode {
    eprintln!("faults: {complaint}");
    ExitCode::from(2)
}

//! Proofs by force: the real binary and a real Redis, and every fault that we can think of.
//!
//! Each proof plays classes, does harm, mends it, lets the service finish, and counts who was lost,
//! who was doubled and what was orphaned. `make faults` runs all of them in full and prints the
//! table; `make test` runs a short version of each. A file a proof.

pub mod answers;
mod class_run;
mod class_seats;
mod clock_back;
mod command;
mod crossings;
pub mod disk;
mod full_disk;
pub mod hall;
pub mod inside;
pub mod kills;
pub mod network;
mod newcomers;
pub mod outages;
pub mod points;
mod populations;
pub mod post;
pub mod proxy;
pub mod repeats;
mod schedules;
pub mod seats;
pub mod secrets;
mod soak;
pub mod storage;
mod stories;
mod students;
pub mod table;
pub mod tape;

pub use command::main;
use std::path::PathBuf;

use table::Row;

/// What a proof has to work with.
pub struct Assault {
    /// The program under test.
    pub binary: PathBuf,
    /// All of it, which may take minutes; otherwise a short version of seconds.
    pub full: bool,
    /// Says how far a proof is; a line a step at most.
    pub progress: Box<dyn Fn(&str) + Send + Sync>,
}

impl Assault {
    /// `full` when all of it runs, `short` otherwise.
    pub fn pick<T>(&self, short: T, full: T) -> T {
        if self.full { full } else { short }
    }

    /// Runs parts of a proof all at once, as they wait most of the time; a row of each.
    fn all_at_once<const N: usize>(&self, parts: [fn(&Self) -> Row; N]) -> Vec<Row> {
        let rows = std::thread::scope(|scope| {
            let parts = parts.map(|part| scope.spawn(move || part(self)));
            parts.map(|row| row.join().expect("every class comes to its end"))
        });
        rows.into()
    }

    /// Says how far the proof is.
    pub fn says(&self, words: &str) {
        (self.progress)(words);
    }
}

/// One proof: does its harm and counts what came of it. It panics, with all that was seen, where
/// something cannot be counted.
pub struct FaultProof {
    /// By which it is chosen on the command line.
    pub name: &'static str,
    /// What is done, in words.
    pub about: &'static str,
    /// Does it; a row for each kind of fault.
    pub run: fn(&Assault) -> Vec<Row>,
}

/// All proofs, in the order in which they begin: the longest first.
pub const PROOFS: &[FaultProof] = &[
    network::PROOF,
    points::PROOF,
    points::pairs::FIRST,
    points::pairs::AGAIN,
    points::pairs::REMOVAL,
    points::pairs::END,
    points::pairs::RENEW,
    points::pairs::SCREEN,
    points::pairs::WARM,
    points::worlds::PROOF,
    stories::PROOF,
    schedules::PROOF,
    populations::PROOF,
    crossings::PROOF,
    soak::PROOF,
    repeats::REPEATS,
    answers::ANSWERS,
    kills::CRASH_LOOP,
    seats::SEATS,
    class_seats::PROOF,
    kills::KILLS,
    outages::OUTAGES,
    secrets::SECRETS,
    storage::PROOF,
    full_disk::PROOF,
    clock_back::PROOF,
];

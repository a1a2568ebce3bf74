//! Instructions of the hot paths: the one figure that is the same on a busy machine and a quiet one.
//!
//! valgrind counts all instructions of a child process that runs a path several times, and of another
//! that runs it more often. The difference, divided by the number of further runs, is the path alone. Its
//! processor is a plain one: where the real one has instructions for SHA-1, a signature is cheaper
//! than counted here.

mod paths;
pub mod student;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use super::report::{Section, Table};
use super::stats::number;
use super::{Bench, BenchPart};
use crate::classroom::folder::Folder;

pub use paths::{STORE_NEW, STORE_OTHER, register, take_as_child};

/// The part.
pub const PART: BenchPart = BenchPart {
    name: "instructions",
    about: "instructions of the pure hot paths, under valgrind",
    run: measure,
};

/// What counting gave.
pub enum Counted {
    /// For each time that the path was taken.
    Instructions(f64),
    /// Nothing, and why.
    Not(&'static str),
}

/// Counts the instructions of a path by taking it `times.0` and then `times.1` times; one that needs a
/// database is given the data folder of a service that does not run, and its settings.
pub fn instructions(
    bench: &Bench,
    name: &str,
    times: (u32, u32),
    database: Option<(&Path, &BTreeMap<String, String>)>,
) -> Counted {
    let Some(own) = &bench.own else {
        return Counted::Not("it takes a child of this program");
    };
    let count = |times: u32| {
        // A copy for each, so that both begin with the same; in memory, as no disk is measured here.
        let copy = Folder::in_memory();
        let mut command = Command::new("valgrind");
        command
            .args(["--tool=cachegrind", "--cache-sim=no"])
            .arg("--cachegrind-out-file=/dev/null")
            .arg(own)
            .args(["--count", name, &times.to_string()]);
        if let Some((folder, settings)) = database {
            for file in ["registrations.db", "registrations.db-wal"] {
                // The service was killed, so the second has what is not in the first yet; or is not there.
                let _ = std::fs::copy(folder.join(file), copy.path().join(file));
            }
            command.arg(copy.path()).envs(settings);
        }
        let output = command.stdin(Stdio::null()).output().ok()?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{name} under valgrind:\n{told}");
        told.lines().find_map(instructions_in)
    };
    match (count(times.0), count(times.1)) {
        (Some(few), Some(many)) => {
            Counted::Instructions((many - few) / f64::from(times.1 - times.0))
        }
        _ => Counted::Not("valgrind is not installed"),
    }
}

/// The figure of cachegrind's line `==123== I   refs:      1,234,567`.
fn instructions_in(line: &str) -> Option<f64> {
    let (label, figure) = line.split_once("refs:")?;
    let label = label.split_whitespace().last()?;
    (label == "I").then(|| figure.trim().replace(',', "").parse().ok())?
}

fn measure(bench: &Bench) -> Section {
    bench.says("instructions");
    let mut section = Section::new("Instructions");
    let heads = ["path", "instructions"];
    let mut table = Table::new("**Instructions each time**", &heads);
    let times = bench.pick((10, 20), (1_000, 3_000));
    for path in paths::PURE {
        match instructions(bench, path.name, times, None) {
            Counted::Instructions(count) => {
                table.row(vec![path.about.to_owned(), number(count, 0)]);
            }
            Counted::Not(why) => {
                section.says(&format!("Nothing was counted: {why}."));
                return section;
            }
        }
    }
    section.says(
        "Counted by valgrind, which takes each path 1,000 and then 3,000 times: the difference is the path \
         alone, and the same on every machine but for the compiler. valgrind's processor has no instructions \
         for SHA-1, so signatures are cheaper on one that has them.",
    );
    section.shows(&table);
    section
}

#[cfg(test)]
mod tests {
    use super::instructions_in;

    #[test]
    fn both_ways_of_cachegrind_to_tell_are_read() {
        let old = "==4711== I   refs:      1,234,567";
        let new = "==4711== I refs:        1,234,567";
        assert_eq!(instructions_in(old), Some(1_234_567.0));
        assert_eq!(instructions_in(new), Some(1_234_567.0));
        assert_eq!(instructions_in("==4711== LL refs:  17"), None);
        assert_eq!(instructions_in("==4711== Cachegrind, a profiler"), None);
    }
}

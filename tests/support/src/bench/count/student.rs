//! Instructions of the whole service for a student: all that it does by itself, from the text to the login that is
//! sent and reported as delivered. What the kernel does for it is not counted.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::super::class::play;
use super::super::report::{Section, Table};
use super::super::stats::number;
use super::super::{Bench, BenchPart};
use super::{Counted, instructions_in};
use crate::classroom::PATIENCE;
use crate::classroom::folder::Folder;
use crate::classroom::redis::Fsync;

/// The part.
pub const PART: BenchPart = BenchPart {
    name: "student",
    about: "instructions of the whole service for a student",
    run: measure,
};

/// The longest that a class may take under valgrind.
const SLOW: Duration = Duration::from_secs(240);

fn measure(bench: &Bench) -> Section {
    bench.says("student: a class under valgrind");
    let mut section = Section::new("Instructions for a student");
    match instructions(bench) {
        Counted::Instructions(count) => {
            section.says(
                "All that the program does by itself for a student, from the text to the reported login: the \
                 difference between a class of 250 and one of 50, both served at once, counted by valgrind. What \
                 the kernel does for it is left out.",
            );
            let mut table = Table::new("", &["", "instructions"]);
            table.row(vec!["a student".to_owned(), number(count, 0)]);
            section.shows(&table);
        }
        Counted::Not(why) => section.says(&format!("Nothing was counted: {why}.")),
    }
    section
}

/// Has a small class and a larger one served under valgrind: the difference is the students.
pub fn instructions(bench: &Bench) -> Counted {
    let mut valgrind = Command::new("valgrind");
    valgrind.arg("--version").stdout(Stdio::null());
    if valgrind.status().is_err() {
        return Counted::Not("valgrind is not installed");
    }
    let (few, many) = bench.pick((2, 4), (50, 250));
    match (class(bench, few), class(bench, many)) {
        (Some(less), Some(more)) => Counted::Instructions((more - less) / (many - few) as f64),
        _ => Counted::Not("valgrind did not tell"),
    }
}

/// The instructions of a service from its start to its end, in which this number of students get their logins.
fn class(bench: &Bench, students: usize) -> Option<f64> {
    let folder = Folder::new();
    let (program, told) = (folder.path().join("program"), folder.path().join("told"));
    let options = format!(
        "--tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null --log-file='{}'",
        told.display()
    );
    write_script(&program, &options, &bench.binary);
    let class = bench
        .plan_of(program)
        .with_redis_that_syncs(Fsync::EverySecond)
        .with_receipts()
        .open();
    let texts = play::texts(&class, students);
    play::bring(&class, &texts, Duration::ZERO, Instant::now());
    let reported = || class.twilio().receipts().len() >= 2 * students;
    class.eventually_within(SLOW, "every login has arrived", reported);
    class.all_served();
    let service = class.service();
    service.signal(Signal::TERM);
    service.wait(PATIENCE)?;
    let told = std::fs::read_to_string(told).ok()?;
    told.lines().find_map(instructions_in)
}

/// Writes a script that runs a program under valgrind with these options.
pub(crate) fn write_script(script: &Path, options: &str, program: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let words = format!(
        "#!/bin/sh\nexec valgrind {options} '{}' \"$@\"\n",
        program.display()
    );
    std::fs::write(script, words).expect("a script");
    let all = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(script, all).expect("a script that can be run");
}

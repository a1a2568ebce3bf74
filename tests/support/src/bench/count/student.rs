//! Instructions and processor time of the whole service for a student: all that it does by itself, from the text to the
//! login that is sent and reported as delivered. What the kernel does for it is part of the time only.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::super::class::play::{self, BenchRun};
use super::super::report::{Section, Table};
use super::super::stats::{Spread, number};
use super::super::{Bench, BenchPart};
use super::{Counted, instructions_in};
use crate::classroom::PATIENCE;
use crate::classroom::folder::Folder;
use crate::classroom::redis::Fsync;

/// The part.
pub const PART: BenchPart = BenchPart {
    name: "student",
    about: "instructions and processor time of the whole service for a student",
    run: measure,
};

/// The longest that a class may take under valgrind.
const SLOW: Duration = Duration::from_secs(240);

fn measure(bench: &Bench) -> Section {
    let mut section = Section::new("The service's own work for a student");
    bench.says("student: classes at once and without delays");
    let times = Spread::of((0..bench.pick(1, 5)).map(|_| processor_time(bench)));
    let took = format!(
        "{} ms of processor time each, kernel included",
        times.show(2)
    );
    section.says(&format!("A class of 300, served at once, took {took}."));
    bench.says(&format!("student: {took}; now a class under valgrind"));
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

/// Milliseconds of processor time for a student, kernel included, in a class that is served at once by a Coder and a
/// Twilio that do not wait.
pub fn processor_time(bench: &Bench) -> f64 {
    let played = play::play(bench, &BenchRun::at_once(bench));
    played.service_cpu * 1e3 / played.students as f64
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

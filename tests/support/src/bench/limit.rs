//! Classes that are larger than what Coder accepts in a minute, of a token that is no owner's.

use std::time::Duration;

use super::class::play::{self, BenchRun, CODER_CREATES, Played, TWILIO_ANSWERS};
use super::report::{Section, Table};
use super::stats::{last, number};
use super::{Bench, BenchPart, bound};

/// The part.
pub const PART: BenchPart = BenchPart {
    name: "limit",
    about: "a class of 600 where Coder accepts 512 creates a minute",
    run: measure,
};

/// Calls that Coder accepts in a minute of one caller to one path.
const LIMIT: u64 = 512;

/// The seconds of a minute at which the classes begin: when calls are accepted again depends on it.
const SECONDS: [Option<u64>; 3] = [Some(0), Some(20), Some(45)];

fn measure(bench: &Bench) -> Section {
    // A short version does not wait.
    let (students, seconds) = bench.pick((5, &[None][..]), (600, &SECONDS[..]));
    let mut section = Section::new("Coder's limit of calls");
    section.says(&format!(
        "{students} students text within 10 s; Coder takes 250 ms to make a user, Twilio 150 ms. Coder accepts {LIMIT} calls a \
         minute that make a user, and counts a sliding minute. The bound is the last login if the workers knew when a call \
         will be accepted."
    ));
    let mut table = Table::new(
        "**The last login, seconds after the first text**",
        &[
            "begins at second",
            "last",
            "bound",
            "of bound",
            "refused calls",
        ],
    );
    for &second in seconds {
        bench.says(&format!("limit: a class of {students}"));
        let class_run = BenchRun {
            students,
            workers: 8,
            span: bench.pick(Duration::ZERO, Duration::from_secs(10)),
            delays: true,
            limited: true,
            second,
        };
        table.row(row(&play::play(bench, &class_run)));
    }
    section.shows(&table);
    section
}

fn row(class: &Played) -> Vec<String> {
    let work = (CODER_CREATES + TWILIO_ANSWERS).as_secs_f64();
    let bound = bound::last_under_limit(&class.sent, work, class.workers, class.began, LIMIT);
    let last = last(&class.texted);
    vec![
        number(class.began % 60.0, 0),
        number(last, 1),
        number(bound, 1),
        format!("{} %", number(last / bound * 100.0, 0)),
        (class.creates - class.students).to_string(),
    ]
}

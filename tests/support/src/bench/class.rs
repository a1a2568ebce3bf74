//! Whole classes: all students text within ten seconds, and each waits for a login.
//!
//! Coder and Twilio take their time, as the real ones do, and keep to it whatever comes. What is
//! compared is when the last login was texted, and when it could have been: the same texts at the same
//! moments, the calls that were really made, and as many workers as the service was given.

pub mod play;
mod tables;

use std::time::Duration;

use super::report::Section;
use super::stats::Spread;
use super::{Bench, BenchPart, count};
use crate::classroom::folder::Folder;
use play::{BenchRun, Played};

/// The part.
pub const PART: BenchPart = BenchPart {
    name: "class",
    about: "from the first text of a class to its last login",
    run: measure,
};

/// How long the class takes to text.
const SPAN: Duration = Duration::from_secs(10);

/// The class of the goal, with the parallelism that is the default.
const GOAL: (usize, usize) = (300, 8);

/// Classes of this size wait nearly all of the time, so they are played side by side.
const SMALL: usize = 30;

fn measure(bench: &Bench) -> Section {
    let cells: &[(usize, usize)] = bench.pick(
        &[(5, 4)],
        &[
            (SMALL, 1),
            (SMALL, 4),
            (SMALL, 8),
            (SMALL, 16),
            (300, 4),
            (300, 8),
            (300, 16),
            (1_000, 8),
            (1_000, 16),
        ],
    );
    let span = bench.pick(Duration::from_millis(200), SPAN);
    let class_runs = cells.iter().map(|&(students, workers)| BenchRun {
        students,
        workers,
        span,
        delays: true,
        limited: false,
        second: None,
    });
    let (small, large): (Vec<BenchRun>, Vec<BenchRun>) =
        class_runs.partition(|class_run| class_run.students <= SMALL);
    bench.says("class: small ones, side by side");
    let mut played: Vec<Played> = std::thread::scope(|scope| {
        let classes: Vec<_> = small
            .iter()
            .map(|class_run| scope.spawn(move || play::play(bench, class_run)))
            .collect();
        let classes = classes.into_iter();
        classes
            .map(|class| class.join().expect("every class comes to its end"))
            .collect()
    });
    for class_run in &large {
        let (students, workers) = (class_run.students, class_run.workers);
        bench.says(&format!(
            "class: {students} students, {workers} side by side"
        ));
        played.push(play::play(bench, class_run));
    }
    bench.says("class: at once and without delays");
    let at_once = |_| play::play(bench, &BenchRun::at_once(bench));
    let costs: Vec<Played> = (0..bench.pick(1, 3)).map(at_once).collect();
    tables::draw(&played, &costs, database(bench))
}

/// How many milliseconds the database takes for each of some students, one after the other.
fn database(bench: &Bench) -> Spread {
    let students = bench.pick(5, 300);
    let each = |_| {
        let folder = Folder::new();
        let span = count::register(folder.path(), students);
        span.as_secs_f64() * 1e3 / f64::from(students)
    };
    Spread::of((0..bench.pick(1, 3)).map(each))
}

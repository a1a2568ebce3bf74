//! What changes with the number of registrations that are known: a text, a start, a sweep of the
//! reaper. It should be nothing, or what a search tree one level deeper costs.

mod sweeps;
mod tables;

use std::time::{Duration, Instant};

use super::class::play;
use super::count::{self, Counted};
use super::footprint::starts;
use super::process::Process;
use super::report::Section;
use super::stats::Spread;
use super::{Bench, BenchPart, other_accounts};
use crate::classroom::redis::Fsync;
use crate::classroom::student::{Student, Webhook};
use crate::classroom::{Classroom, PHRASE};
use sweeps::Sweep;

/// The part.
pub const PART: BenchPart = BenchPart {
    name: "growth",
    about: "a text, a start and a sweep with many registrations known",
    run: measure,
};

/// How many registrations are known. The last is what the largest limit of accounts leaves room for,
/// 100,000, less those that are made while it is measured.
const KNOWN: [usize; 3] = [10, 1_000, 99_000];

/// What is measured with each number of registrations.
struct Grown {
    known: usize,
    /// CPU milliseconds of the service for a new phone's phrase.
    new: Vec<f64>,
    /// The same for other words from a phone that has a login.
    other: Vec<f64>,
    /// Milliseconds from start to ready.
    starts: Spread,
    /// Instructions of the database for a text of either kind.
    instructions: Option<[f64; 2]>,
}

/// What was measured, for the tables.
struct GrowthFindings {
    grown: Vec<Grown>,
    sweeps: Vec<Sweep>,
    rounds: usize,
    texts: usize,
}

fn measure(bench: &Bench) -> Section {
    let known: &[usize] = bench.pick(&[10, 100], &KNOWN);
    let (rounds, texts) = bench.pick((1, 5), (5, 100));
    bench.says("growth: databases");
    let classes: Vec<Classroom> = known
        .iter()
        .map(|&known| class_with(bench, known))
        .collect();
    let mut grown: Vec<Grown> = known
        .iter()
        .map(|&known| Grown {
            known,
            new: Vec::new(),
            other: Vec::new(),
            starts: Spread::of([]),
            instructions: None,
        })
        .collect();
    bench.says("growth: starts");
    for (grown, class) in grown.iter_mut().zip(&classes) {
        let times = (0..bench.pick(1, 5)).map(|_| starts::start(class).1);
        grown.starts = Spread::of(times.collect::<Vec<_>>());
    }
    for round in 1..=rounds {
        bench.says(&format!("growth: texts, round {round} of {rounds}"));
        for (grown, class) in grown.iter_mut().zip(&classes) {
            let students = class.students(texts);
            grown.new.push(cost(class, &students, &[PHRASE]));
            // These cost little, so that it takes more of them to see it.
            grown.other.push(cost(class, &students, &["Thank you!"; 3]));
        }
    }
    for (grown, class) in grown.iter_mut().zip(&classes) {
        bench.says(&format!("growth: instructions with {} known", grown.known));
        class.end_service();
        grown.instructions = instructions(bench, class);
    }
    drop(classes);
    let sweeps = sweeps::measure(bench);
    tables::draw(&GrowthFindings {
        grown,
        sweeps,
        rounds,
        texts,
    })
}

/// A class with this many registrations, whose Coder and Twilio answer at once.
fn class_with(bench: &Bench, known: usize) -> Classroom {
    let class = bench
        .plan()
        .with_redis_that_syncs(Fsync::EverySecond)
        .open();
    class.end_service();
    other_accounts::fill(&class, known);
    class
}

/// All students text each of these words, at once. Returns the CPU milliseconds that a text takes of
/// the service.
fn cost(class: &Classroom, students: &[Student<'_>], words: &[&str]) -> f64 {
    let each = |words: &&str| {
        let texts = students.iter();
        let texts = texts.map(|student| (student.phone().to_owned(), student.webhook(words, &[])));
        texts.collect::<Vec<_>>()
    };
    let texts: Vec<(String, Webhook)> = words.iter().flat_map(each).collect();
    let service = Process::of(class.service().pid());
    let before = service.threads_cpu();
    play::bring(class, &texts, Duration::ZERO, Instant::now());
    class.all_served();
    let used = service.threads_cpu() - before;
    used.as_secs_f64() * 1e3 / texts.len() as f64
}

/// The instructions of the store for a new phone's text, and for other words of a known phone.
fn instructions(bench: &Bench, class: &Classroom) -> Option<[f64; 2]> {
    let folder = class.data_dir();
    let each = |what: &str| {
        let times = bench.pick((2, 4), (100, 600));
        match count::instructions(bench, what, times, Some((&folder, &class.settings()))) {
            Counted::Instructions(count) => Some(count),
            Counted::Not(_) => None,
        }
    };
    Some([each(count::STORE_NEW)?, each(count::STORE_OTHER)?])
}

//! Benchmarks: the real program, a real Redis, fakes of Coder and Twilio with given delays, and what
//! all of it costs on this machine.
//!
//! Nothing here is a test: figures are printed and compared with the project's goals, and no
//! figure fails anything. `make bench` runs all parts and writes `docs/benchmarks.md`; the tests run a
//! short version of each part, so that none of them rots. A file a topic:
//!
//! - `webhook`: how many texts are taken a second, beside a bare tiny_http; `bare` is that one
//! - `load`, `wire`: what texts; one thread and epoll, nothing is made while the clock runs
//! - `reading`: texts in chunks, and phrases in other spellings
//! - `class`: whole classes, from the first text to the last login; `bound` is the best that can be
//! - `limit`: a class that is larger than what Coder accepts in a minute
//! - `growth`: what a text, a start and a sweep cost with many registrations known; `crowd` makes them
//! - `footprint`: memory, threads, wake-ups, starts; `binary` is what the file consists of
//! - `compare`: an earlier build and this one in pairs
//! - `screens`: what open join pages cost
//! - `warm`: what a student costs whose account is ready before the text comes
//! - `page`: an open join page, as `screens` and `warm` need it
//! - `count`: instructions of the pure hot paths, under valgrind
//! - `report`, `stats`, `machine`, `process`: tables, medians, where it ran, what a process took

pub mod bare;
mod bound;
pub(crate) mod class;
mod command;
mod compare;
pub mod count;
mod footprint;
mod growth;
mod limit;
mod load;
pub mod machine;
mod other_accounts;
mod page;
pub(crate) mod process;
mod reading;
pub mod report;
mod screens;
pub mod stats;
pub(crate) mod warm;
mod webhook;
mod wire;

pub use command::main;
use std::path::PathBuf;

use crate::classroom::Plan;
use report::Section;

/// What a part has to work with.
pub struct Bench {
    /// The program under test.
    pub binary: PathBuf,
    /// The program that this is, to be started again as a child that has to be measured apart; without
    /// it, parts go without such children.
    pub own: Option<PathBuf>,
    /// An earlier build, to be compared with the program under test.
    pub base: Option<PathBuf>,
    /// hyper's smallest server, to be measured beside the service.
    pub hyper: Option<PathBuf>,
    /// A short version of seconds, whose figures mean little.
    pub quick: bool,
    /// Says how far a part is.
    pub progress: Box<dyn Fn(&str) + Send + Sync>,
}

impl Bench {
    /// `quick` in a short version, `full` otherwise.
    pub fn pick<T>(&self, quick: T, full: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Says how far the part is.
    pub fn says(&self, words: &str) {
        (self.progress)(words);
    }

    /// A class as in production, but for limits that are not what is measured.
    fn plan(&self) -> Plan {
        self.plan_of(self.binary.clone())
    }

    /// The same with another file of the program.
    fn plan_of(&self, binary: PathBuf) -> Plan {
        Plan::new(binary)
            .with("CODER_REG_ENV", "prod")
            .with("CODER_REG_LOG_LEVEL", "info")
            .with("CODER_CHECK_INTERVAL", "900")
            .with("CODER_REG_MAX_USERS", "100000")
            .with("CODER_REG_HOURLY_TEXTS", "100000")
            .without_a_search()
    }
}

/// One part of the report.
pub struct BenchPart {
    /// By which it is chosen on the command line.
    pub name: &'static str,
    /// What is measured, in words.
    pub about: &'static str,
    /// Measures it.
    pub run: fn(&Bench) -> Section,
}

/// All parts, in the order of the report.
pub const PARTS: &[BenchPart] = &[
    webhook::PART,
    reading::PART,
    class::PART,
    limit::PART,
    growth::PART,
    footprint::PART,
    screens::PART,
    warm::PART,
    count::PART,
    count::student::PART,
    compare::PART,
];

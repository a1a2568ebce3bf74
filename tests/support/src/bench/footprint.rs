//! What the service takes of its machine while it does nothing: memory, threads, wake-ups; how soon it
//! is there, and there again; and how large it is.
//!
//! Two services are looked at in the same two quiet minutes: one that has just been started, and one that has
//! served a class of 300; and two of the static build, where there is one. Each runs from a copy of its
//! own, as two processes of one file would share its pages and each would look half as large.

mod binary;
pub mod starts;
mod tables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::class::play;
use super::process::{Memory, Process};
use super::report::Section;
use super::{Bench, BenchPart};
use crate::classroom::Classroom;
use crate::classroom::folder::Folder;
use crate::classroom::redis::Fsync;
use starts::Starts;

/// The part.
pub const PART: BenchPart = BenchPart {
    name: "footprint",
    about: "memory, threads and wake-ups when idle, starts, size",
    run: measure,
};

/// How long a service settles before it counts as idle: until the second search for missed texts, which follows
/// each start after 30 s, is over.
const SETTLED: Duration = Duration::from_secs(35);

/// One service at rest.
pub struct Idle {
    /// Which one.
    pub name: &'static str,
    /// What it holds at the end of the time that was watched.
    pub memory: Memory,
    threads: usize,
    /// How often threads of each name woke up in the time that was watched.
    pub wakeups: BTreeMap<String, u64>,
}

/// What was measured, for the tables.
struct FootprintFindings {
    starts: Starts,
    idle: Vec<Idle>,
    watched: Duration,
    students: usize,
    size: binary::Size,
}

fn measure(bench: &Bench) -> Section {
    bench.says("footprint: starts");
    let starts = starts::measure(bench);
    let (watched, students) = bench.pick(
        (Duration::from_millis(300), 5),
        (Duration::from_secs(120), 300),
    );
    let builds = [Some(bench.binary.clone()), binary::fixed(bench)];
    let builds: Vec<_> = builds.into_iter().flatten().zip(NAMES).collect();
    let idle = idle(bench, &builds, watched, students);
    bench.says("footprint: size");
    let size = binary::measure(bench);
    let findings = FootprintFindings {
        starts,
        idle,
        watched,
        students,
        size,
    };
    tables::draw(&findings)
}

/// A class with all that goes on by itself in production.
fn class(bench: &Bench, binary: PathBuf) -> Classroom {
    let class = bench
        .plan_of(binary)
        .with("CODER_REG_CATCH_UP", "30")
        .with_redis_that_syncs(Fsync::Always)
        .with_receipts()
        .prepare();
    play::slow_down(&class);
    class.start_service();
    class
}

/// What the services at rest are called: that of each build that has just started, and that which was busy.
const NAMES: [[&str; 2]; 2] = [
    ["just started", "after the burst"],
    ["static, just started", "static, after the burst"],
];

/// Each of these builds at rest, just started and after a burst, all in the same time. Their names are those of the
/// result.
pub fn idle(
    bench: &Bench,
    builds: &[(PathBuf, [&'static str; 2])],
    watched: Duration,
    students: usize,
) -> Vec<Idle> {
    let folder = Folder::new();
    let mut services = Vec::new();
    for (build, [fresh, busy]) in builds {
        let own = |name: &str| {
            copy(
                bench,
                build,
                folder.path().join(name.replace([' ', ','], "-")),
            )
        };
        bench.says(&format!("footprint: a burst of {students}"));
        let class = class(bench, own(busy));
        burst(bench, &class, students);
        services.push((*busy, class));
        services.push((*fresh, self::class(bench, own(fresh))));
    }
    std::thread::sleep(bench.pick(Duration::from_millis(100), SETTLED));
    let seconds = watched.as_secs();
    bench.says(&format!("footprint: {seconds} s of silence"));
    let processes: Vec<Process> = services
        .iter()
        .map(|(_, class)| Process::of(class.service().pid()))
        .collect();
    let before: Vec<_> = processes.iter().map(|process| process.threads()).collect();
    std::thread::sleep(watched);
    let after: Vec<_> = processes.iter().map(|process| process.threads()).collect();
    let look = |place: usize| {
        let mut wakeups = BTreeMap::new();
        for (id, thread) in &after[place] {
            let slept = before[place].get(id).map_or(0, |thread| thread.sleeps);
            *wakeups.entry(thread.name.clone()).or_insert(0) += thread.sleeps - slept;
        }
        Idle {
            name: services[place].0,
            memory: processes[place].memory(),
            threads: after[place].len(),
            wakeups,
        }
    };
    let mut found: Vec<Idle> = (0..services.len()).map(look).collect();
    let order: Vec<&str> = builds.iter().flat_map(|(_, names)| *names).collect();
    found.sort_by_key(|idle| order.iter().position(|name| *name == idle.name));
    found
}

/// A copy of a build under that path; in a hurry a link to it.
fn copy(bench: &Bench, build: &Path, path: PathBuf) -> PathBuf {
    if bench.quick {
        // A file that was just written cannot be run while another thread starts a process.
        std::os::unix::fs::symlink(build, &path).expect("a link to the program");
    } else {
        std::fs::copy(build, &path).expect("a copy of the program");
    }
    path
}

/// A class texts and gets its logins, and Twilio reports each as sent and delivered.
fn burst(bench: &Bench, class: &Classroom, students: usize) {
    let texts = play::texts(class, students);
    let span = bench.pick(Duration::from_millis(100), Duration::from_secs(10));
    play::bring(class, &texts, span, Instant::now());
    let limit = Duration::from_secs(120);
    let told = || class.twilio().receipts().len() >= 2 * students;
    class.eventually_within(limit, "every login has arrived", told);
    class.all_served();
}

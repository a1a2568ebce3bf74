//! What a student costs whose account is ready before the text comes, beside one whose account is made then, and how
//! that grows with the class.

pub(crate) mod laptops;
mod tables;

use std::time::{Duration, Instant};

use super::class::play;
use super::process::Process;
use super::report::Section;
use super::{Bench, BenchPart};
use crate::classroom::Classroom;
use crate::classroom::redis::Fsync;
use crate::fakes::twilio::ops as twilio;

/// The part.
pub const PART: BenchPart = BenchPart {
    name: "warm",
    about: "what a student costs whose account is ready before",
    run: measure,
};

/// The sizes of the classes, in place of the usual ones: `WARM_STUDENTS=100,1000 make bench PARTS=warm`.
const SIZES: &str = "WARM_STUDENTS";

/// The longest that spare accounts or a class may take.
const PATIENCE: Duration = Duration::from_secs(1_800);

/// How the students get their logins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Replies {
    Screen,
    Text,
}

/// Where the accounts come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Accounts {
    /// Each is made when the text comes, and its workspace too.
    Cold,
    /// They and their workspaces are ready.
    Warm,
    /// Each is made when the text comes, by the earlier build, which may not know workspaces.
    Earlier,
}

/// One class.
struct Figures {
    students: usize,
    replies: Replies,
    accounts: Accounts,
    /// CPU seconds of the service from the first page or text until everything is done.
    cpu: f64,
    /// Calls to Coder in that time.
    calls: usize,
    /// Seconds from the last text to the last login; of the slowest wave.
    last: f64,
    /// MB of memory (PSS): before the first text, and after all.
    memory: [f64; 2],
    /// Seconds that the spare accounts took.
    made_in: f64,
}

fn measure(bench: &Bench) -> Section {
    let sizes = std::env::var(SIZES).ok();
    let sizes = sizes.map(|sizes| {
        sizes
            .split(',')
            .filter_map(|one| one.parse().ok())
            .collect()
    });
    let sizes: Vec<usize> = sizes.unwrap_or_else(|| bench.pick(vec![8], vec![100, 1_000, 10_000]));
    let mut played = Vec::new();
    for students in sizes {
        let with_workspaces = [
            (Replies::Screen, Accounts::Cold),
            (Replies::Screen, Accounts::Warm),
            (Replies::Text, Accounts::Cold),
            (Replies::Text, Accounts::Warm),
        ];
        let earlier = bench
            .base
            .as_ref()
            .map(|_| (Replies::Text, Accounts::Earlier));
        for (replies, accounts) in with_workspaces.into_iter().chain(earlier) {
            let figures = play_class(bench, students, replies, accounts);
            bench.says(&format!("warm: {}", tables::line(&figures)));
            played.push(figures);
        }
    }
    tables::section(&played)
}

fn play_class(bench: &Bench, students: usize, replies: Replies, accounts: Accounts) -> Figures {
    let spares = if accounts == Accounts::Warm {
        students
    } else {
        0
    };
    let plan = match (&bench.base, accounts) {
        (Some(base), Accounts::Earlier) => bench.plan_of(base.clone()),
        _ => bench
            .plan()
            .with("CODER_REG_WARM", &spares.to_string())
            .with("CODER_REG_TEMPLATE", "docker"),
    };
    let plan = plan
        .with("CODER_REG_MAX_USERS", &students.to_string())
        .with_redis_that_syncs(Fsync::EverySecond);
    let class = match replies {
        Replies::Screen => plan.with_pages("screen"),
        Replies::Text => plan,
    };
    let class = class.prepare();
    let began = Instant::now();
    class.start_service();
    if spares > 0 {
        wait(&class, "spare accounts", READY, spares);
    }
    let made_in = began.elapsed().as_secs_f64();
    let process = Process::of(class.service().pid());
    // Its threads live as long as it does, and a tick of the kernel is a tenth of what a class of 40 takes.
    let (cpu, calls) = (process.threads_cpu(), class.coder().calls().len());
    let before = memory(process);
    let last = match replies {
        Replies::Screen => laptops::play(&class, students),
        Replies::Text => by_text(&class, students),
    };
    match accounts {
        Accounts::Earlier => wait(&class, "a login for everybody", SERVED, students),
        _ => wait(&class, "a workspace for everybody", SETTLED, students),
    }
    class.all_served();
    let (cpu, calls) = (
        process.threads_cpu() - cpu,
        class.coder().calls().len() - calls,
    );
    Figures {
        students,
        replies,
        accounts,
        cpu: cpu.as_secs_f64(),
        calls,
        last: last.as_secs_f64(),
        memory: [before, memory(process)],
        made_in,
    }
}

/// Everybody texts at once. Returns the time from the last text to the last login.
fn by_text(class: &Classroom, students: usize) -> Duration {
    let texts = play::texts(class, students);
    play::bring(class, &texts, Duration::ZERO, Instant::now());
    let brought = Instant::now();
    class.eventually_within(PATIENCE, "a login for everybody", || {
        class.twilio().count(twilio::SEND) >= students
    });
    brought.elapsed()
}

/// The spares that a student may get.
const READY: &str =
    "SELECT count(*) FROM registrations r JOIN workspaces w ON w.registration = r.id
    WHERE r.unused_at IS NOT NULL AND w.running_since IS NOT NULL";

/// The students that have a login and a workspace.
const SETTLED: &str =
    "SELECT count(*) FROM registrations r JOIN workspaces w ON w.registration = r.id
    WHERE r.stage = 'announced' AND w.id IS NOT NULL";

/// The students that have a login.
const SERVED: &str = "SELECT count(*) FROM registrations WHERE stage = 'announced'";

/// Waits until the database counts that many.
fn wait(class: &Classroom, what: &str, counted: &str, wanted: usize) {
    // The question costs the machine something where there are thousands of rows.
    let pause = Duration::from_millis(if wanted < 100 { 5 } else { 200 });
    class.eventually_within(PATIENCE, what, || {
        let found = class.query(counted) == wanted.to_string();
        if !found {
            std::thread::sleep(pause);
        }
        found
    });
}

fn memory(process: Process) -> f64 {
    process.memory().pss as f64 * 1_024.0 / 1e6
}

//! A class is over: the time of a thousand accounts is up at once.

use std::time::{Duration, Instant};

use super::super::Bench;
use super::super::class::play::{self, CODER_ANSWERS};
use super::super::other_accounts;
use crate::classroom::Classroom;
use crate::classroom::redis::Fsync;
use crate::fakes::coder::ops;
use crate::fakes::trouble::Op;

/// What is swept, and how.
#[derive(Clone, Copy)]
struct Task {
    workers: usize,
    delays: bool,
    /// Accounts whose time is not up.
    known: usize,
    /// Whether each account has a workspace, which has been stopped.
    workspaces: bool,
}

/// What came of it.
pub struct Sweep {
    /// `CODER_REG_PARALLEL`.
    pub workers: usize,
    /// What is special, in words.
    pub about: String,
    /// Accounts that were removed.
    pub accounts: usize,
    /// Seconds from the start of the service until no account was left.
    pub seconds: f64,
    /// The same with workers that lose no time between calls; 0 without delays.
    pub bound: f64,
    /// Calls to Coder for each account.
    pub calls: f64,
}

/// What a removal may ask for.
const OPS: [Op; 9] = [
    ops::READ_USER,
    ops::LIST_USERS,
    ops::LIST_WORKSPACES,
    ops::READ_WORKSPACE,
    ops::CREATE_BUILD,
    ops::READ_BUILD,
    ops::SUSPEND,
    ops::ACTIVATE,
    ops::DELETE_USER,
];

/// The longest that a sweep may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Measures all sweeps, one after the other.
pub fn measure(bench: &Bench) -> Vec<Sweep> {
    let task = |workers, delays, known, workspaces| Task {
        workers,
        delays,
        known,
        workspaces,
    };
    let tasks = [
        task(8, false, 0, false),
        task(8, false, 0, true),
        task(8, true, 0, false),
        task(16, true, 0, false),
        task(8, false, bench.pick(100, 98_000), false),
    ];
    // One class, as the last of the tasks is the one that fills its database.
    let class = bench
        .plan()
        .with_redis_that_syncs(Fsync::EverySecond)
        .open();
    class.coder().build_time(Duration::ZERO);
    let accounts = bench.pick(5, 1_000);
    let sweep = |task: &Task| {
        bench.says(&format!("growth: a sweep, {}", task.words()));
        sweep(&class, task, accounts)
    };
    tasks.iter().map(sweep).collect()
}

impl Task {
    fn words(&self) -> String {
        let mut words = match self.delays {
            true => format!("{} ms a call", CODER_ANSWERS.as_millis()),
            false => "no delays".to_owned(),
        };
        if self.workspaces {
            words += ", a workspace each";
        }
        if self.known > 0 {
            words += ", many others known";
        }
        words
    }
}

fn sweep(class: &Classroom, task: &Task, accounts: usize) -> Sweep {
    let texts = play::texts(class, accounts);
    play::bring(class, &texts, Duration::ZERO, Instant::now());
    class.eventually_within(PATIENCE, "an account for everybody", || {
        class.coder().students().len() == accounts
    });
    class.all_served();
    class.end_service();
    if task.workspaces {
        for student in class.coder().students() {
            let owner = &student.username;
            class
                .coder()
                .running_workspace(owner, "dev")
                .expect("a workspace");
            assert!(class.coder().stop_workspace(owner, "dev"), "it is stopped");
        }
    }
    if task.known > 0 {
        other_accounts::fill(class, task.known);
    }
    other_accounts::end_all_others(class);
    class.set("CODER_REG_PARALLEL", &task.workers.to_string());
    let delay = if task.delays {
        CODER_ANSWERS
    } else {
        Duration::ZERO
    };
    class.coder().latency(Op::ANY, delay);
    let count = || OPS.map(|op| class.coder().count(op));
    let (before, began) = (count(), Instant::now());
    class.spawn_service();
    class.eventually_within(PATIENCE, "everybody is removed", || {
        class.coder().students().is_empty() && class.registrations() == task.known
    });
    let seconds = began.elapsed().as_secs_f64();
    let calls = count();
    class.coder().latency(Op::ANY, Duration::ZERO);
    class
        .service()
        .listens(PATIENCE)
        .expect("the service listens");
    let each = |place: usize| (calls[place] - before[place]) as f64 / accounts as f64;
    let all: f64 = (0..OPS.len()).map(each).sum();
    Sweep {
        workers: task.workers,
        about: task.words(),
        accounts,
        seconds,
        bound: all * accounts as f64 * delay.as_secs_f64() / task.workers as f64,
        calls: all,
    }
}

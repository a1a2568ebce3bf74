//! Hours of everything at once on a small machine: texts with and without codes, texts that are repeated, mistyped or
//! offered twice, screens where somebody says yes, says no or leaves, ends by hand and by time, students who come
//! back, receipts, and kills of the service, of Redis and of both.
//!
//! In the first half all is killed, so the service is young most of the time. In the second half Redis alone is
//! killed, and one process lives on: what it takes of the machine at the end is compared with what it took first.

mod person;
mod round;

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::repeats::IDLE;
use super::table::Row;
use super::{Assault, FaultProof};
use crate::bench::process::{Memory, Process};
use crate::classroom::service::Footprint;
use crate::classroom::{Classroom, Plan};
use crate::fakes::random::Dice;
use crate::fakes::trouble::Op;
use person::Person;
use round::{Deeds, Habits, Round};

pub const PROOF: FaultProof = FaultProof {
    name: "soak",
    about: "hours of texts, screens, ends, receipts and kills with 256 files and 64 MB; FAULTS_MINUTES says how many",
    run,
};

/// Files and sockets that the service may have open.
const FILES: u32 = 256;

/// Memory that it may write, in KiB.
const MEMORY: u32 = 64 * 1024;

/// By how much its memory may grow in one life, in KiB: the allocator keeps some of what a burst needed.
const GROWTH: u64 = 2_048;

/// What is killed in one half of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Victims {
    /// The service, Redis, and both at once.
    All,
    /// Redis alone.
    Redis,
}

fn run(force: &Assault) -> Vec<Row> {
    let span = force.pick(
        Duration::from_secs(8),
        Duration::from_secs(60 * number("FAULTS_MINUTES", 120)),
    );
    let seed = number("FAULTS_SEED", 1);
    force.says(&format!("seed {seed}, {} s", span.as_secs()));
    let class = open(force);
    let soak = Soak {
        force,
        class: &class,
        deeds: Deeds::default(),
        began: Instant::now(),
        told: Cell::default(),
    };
    let mut dice = Dice::new(seed);
    let killed = soak.half(span / 2, Victims::All, &mut dice);
    let mut spared = soak.half(span / 2, Victims::Redis, &mut dice);
    spared.check_database(&class);
    vec![killed, spared]
}

/// A number that a variable of the environment names.
fn number(name: &str, otherwise: u64) -> u64 {
    let Ok(words) = std::env::var(name) else {
        return otherwise;
    };
    let number = words.trim().parse();
    number.unwrap_or_else(|_| panic!("{name} is {words:?}, which is no number"))
}

fn open(force: &Assault) -> Classroom {
    let mut plan = Plan::new(&force.binary)
        .with_safe_redis()
        .with_pages("both")
        .with_receipts()
        .with_open_files(FILES)
        .with_memory(MEMORY)
        .with("CODER_REG_RESEND_INTERVAL", "0")
        .with("CODER_REG_RESEND_DAILY", "1000")
        .with("CODER_REG_HOURLY_TEXTS", "100000");
    if force.full {
        // There is one for each of thousands of secrets, in a log of hours.
        plan = plan.without_a_search().with("CODER_REG_LOG_LEVEL", "info");
    }
    let class = plan.open();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", class.service().pid()));
    let limits = limits.expect("it runs");
    let is_set = |label: &str, limit: u64| {
        let line = limits.lines().find(|line| line.starts_with(label));
        line.is_some_and(|line| line.contains(&format!(" {limit} ")))
    };
    assert!(
        is_set("Max open files", FILES.into()) && is_set("Max data size", u64::from(MEMORY) * 1024),
        "the limits are not set:\n{limits}"
    );
    class.coder().latency(Op::ANY, Duration::from_millis(10));
    class.twilio().latency(Op::ANY, Duration::from_millis(10));
    class.coder().build_time(Duration::from_millis(50));
    class
        .coder()
        .suspended_workspaces_stop_after(Duration::from_millis(200));
    class
}

/// What the service takes of the machine at one time.
#[derive(Clone, Copy)]
struct Taken {
    memory: Memory,
    footprint: Footprint,
}

impl Taken {
    fn by(class: &Classroom) -> Self {
        let service = class.service();
        Self {
            memory: Process::of(service.pid()).memory(),
            footprint: service.footprint(),
        }
    }

    fn words(self) -> String {
        let Footprint {
            descriptors,
            threads,
            ..
        } = self.footprint;
        let pss = self.memory.pss as f64 / 1024.0;
        format!("{pss:.1} MB PSS, {descriptors} descriptors, {threads} threads")
    }
}

/// One run.
struct Soak<'a> {
    force: &'a Assault,
    class: &'a Classroom,
    deeds: Deeds,
    began: Instant,
    /// Minutes of which was told.
    told: Cell<u64>,
}

impl<'a> Soak<'a> {
    /// Round after round for so long.
    fn half(&self, span: Duration, victims: Victims, dice: &mut Dice) -> Row {
        let force = self.force;
        let began = Instant::now();
        let mut row = Row::new(match victims {
            Victims::All => "a soak, the service, Redis and both killed",
            Victims::Redis => "a soak, Redis killed",
        });
        let habits = Habits {
            victims,
            span: force.pick(Duration::from_secs(2), Duration::from_secs(40)),
            pause: force.pick(30, 120),
            comers: force.pick(5, 24),
            leaves: false,
        };
        let mut class = Vec::new();
        let (mut rounds, mut first) = (0, None);
        while rounds < 2 || began.elapsed() < span {
            // A text for a laptop that nobody looks at waits for a minute, and the round with it.
            let leaves = force.full && rounds % 3 == 0;
            let round = self.round(Habits { leaves, ..habits }, dice, &mut row, class);
            class = round.play(&|| self.tells());
            rounds += 1;
            if rounds == 2 {
                first = Some(Taken::by(self.class));
            }
        }
        self.round(habits, dice, &mut row, class).ends_all();
        let first = first.expect("two rounds are over");
        let last = self.settled(first);
        if victims == Victims::Redis {
            row.lost += usize::from(last.memory.pss > first.memory.pss + GROWTH);
            row.lost += usize::from(last.footprint.threads > first.footprint.threads);
            row.lost +=
                usize::from(last.footprint.descriptors > first.footprint.descriptors + IDLE);
        }
        row.note = format!(
            "{rounds} rounds; {}; {} -> {}",
            self.deeds.words(),
            first.words(),
            last.words()
        );
        force.says(&row.note);
        row
    }

    fn round<'b>(
        &'b self,
        habits: Habits,
        dice: &'b mut Dice,
        row: &'b mut Row,
        leaving: Vec<Person<'a>>,
    ) -> Round<'a, 'b> {
        let (class, binary) = (self.class, &self.force.binary);
        Round::new(class, binary, &self.deeds, habits, dice, row, leaving)
    }

    /// What the service takes once idle connections are closed.
    fn settled(&self, first: Taken) -> Taken {
        self.class.eventually("idle descriptors closed", || {
            Taken::by(self.class).footprint.descriptors <= first.footprint.descriptors + IDLE
        });
        Taken::by(self.class)
    }

    /// A line a minute.
    fn tells(&self) {
        let minute = self.began.elapsed().as_secs() / 60;
        if minute > self.told.replace(minute) {
            let taken = Taken::by(self.class).words();
            let deeds = self.deeds.words();
            self.force
                .says(&format!("minute {minute}: {taken}; {deeds}"));
        }
    }
}

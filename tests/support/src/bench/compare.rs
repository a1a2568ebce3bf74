//! An earlier build and this one, side by side: `make bench BASE=commit`.
//!
//! Every figure is taken in pairs, one build right after the other and in turns first, so that whatever else the
//! machine does meets both. What counts are the ratios of the pairs: their median, and the least and the most.

use std::path::PathBuf;
use std::time::Duration;

use super::count::Counted;
use super::count::student;
use super::footprint::{self, starts};
use super::load::{self, Opening};
use super::report::{Section, Table};
use super::stats::{Spread, number};
use super::webhook::{class_that_only_takes, fill, trim};
use super::wire::{self, Framing, Requests};
use super::{Bench, BenchPart};
use crate::classroom::Classroom;
use crate::classroom::redis::Fsync;

/// The part.
pub const PART: BenchPart = BenchPart {
    name: "compare",
    about: "an earlier build and this one in pairs; needs --base",
    run: measure,
};

/// What is compared: each of these of the earlier build, and of this one.
struct Compared {
    what: &'static str,
    unit: &'static str,
    /// Digits after the point.
    digits: usize,
    pairs: Vec<(f64, f64)>,
}

/// The two builds.
struct Builds {
    base: Bench,
    new: Bench,
}

fn measure(bench: &Bench) -> Section {
    let mut section = Section::new("Beside an earlier build");
    let Some(base) = &bench.base else {
        section.says("No earlier build was given: make bench BASE=commit.");
        return section;
    };
    let builds = Builds {
        base: of(bench, base.clone()),
        new: of(bench, bench.binary.clone()),
    };
    section.says(
        "Each figure is taken of both builds, one right after the other, and each of them is first in every other \
         pair. The ratio is this build's figure as a part of the earlier one's in the same pair: the median of all \
         pairs, with the least and the most.",
    );
    let mut table = Table::new(
        "**This build as a part of the earlier one**",
        &["figure", "ratio", "earlier", "this build", "pairs"],
    );
    let parts: [fn(&Builds) -> Vec<Compared>; 5] = [sizes, idle, begins, students, texts];
    for part in parts {
        for compared in part(&builds) {
            compared.show(&mut table);
        }
    }
    section.shows(&table);
    section
}

/// The same bench with another build.
fn of(bench: &Bench, binary: PathBuf) -> Bench {
    Bench {
        binary,
        own: bench.own.clone(),
        base: None,
        hyper: None,
        quick: bench.quick,
        progress: Box::new(|_| {}),
    }
}

impl Builds {
    /// Takes a figure of both builds, several times.
    fn pairs(&self, times: usize, mut figure: impl FnMut(&Bench) -> f64) -> Vec<(f64, f64)> {
        let pair = |round: usize| {
            if round.is_multiple_of(2) {
                let base = figure(&self.base);
                (base, figure(&self.new))
            } else {
                let new = figure(&self.new);
                (figure(&self.base), new)
            }
        };
        (0..times).map(pair).collect()
    }
}

impl Compared {
    fn show(&self, table: &mut Table) {
        let ratios = self.pairs.iter().filter(|(base, _)| *base > 0.0);
        let ratio = Spread::of(ratios.map(|(base, new)| new / base));
        let side = |side: Spread| side.show(self.digits);
        table.row(vec![
            format!("{}, {}", self.what, self.unit),
            ratio.show(2),
            side(Spread::of(self.pairs.iter().map(|pair| pair.0))),
            side(Spread::of(self.pairs.iter().map(|pair| pair.1))),
            number(self.pairs.len() as f64, 0),
        ]);
    }
}

fn sizes(builds: &Builds) -> Vec<Compared> {
    let size = |bench: &Bench| bench.binary.metadata().map_or(0, |file| file.len());
    vec![Compared {
        what: "size of the program",
        unit: "MB",
        digits: 2,
        pairs: builds.pairs(1, |bench| size(bench) as f64 / 1e6),
    }]
}

/// Both builds at rest in the same minutes.
fn idle(builds: &Builds) -> Vec<Compared> {
    const NAMES: [[&str; 2]; 2] = [
        ["earlier, just started", "earlier, after the burst"],
        ["just started", "after the burst"],
    ];
    let bench = &builds.new;
    let (watched, students) = bench.pick(
        (Duration::from_millis(300), 5),
        (Duration::from_secs(180), 300),
    );
    let both = [builds.base.binary.clone(), bench.binary.clone()];
    let both: Vec<_> = both.into_iter().zip(NAMES).collect();
    let idle = footprint::idle(bench, &both, watched, students);
    let of = |place: usize, figure: &dyn Fn(&footprint::Idle) -> f64| {
        let find = |name: &str| idle.iter().find(|one| one.name == name).map_or(0.0, figure);
        vec![(find(NAMES[0][place]), find(NAMES[1][place]))]
    };
    let memory = |one: &footprint::Idle| one.memory.pss as f64 * 1024.0 / 1e6;
    let wakeups = |one: &footprint::Idle| {
        let count: u64 = one.wakeups.values().sum();
        count as f64 * 60.0 / watched.as_secs_f64()
    };
    let row = |what, unit, digits, pairs| Compared {
        what,
        unit,
        digits,
        pairs,
    };
    vec![
        row("idle memory (PSS), just started", "MB", 2, of(0, &memory)),
        row(
            "idle memory (PSS), after 300 logins",
            "MB",
            2,
            of(1, &memory),
        ),
        row("wake-ups, just started", "a minute", 1, of(0, &wakeups)),
        row("wake-ups, after 300 logins", "a minute", 1, of(1, &wakeups)),
    ]
}

fn begins(builds: &Builds) -> Vec<Compared> {
    let class = |bench: &Bench| bench.plan().with_redis_that_syncs(Fsync::Always).prepare();
    let classes = [class(&builds.base), class(&builds.new)];
    let ready = |bench: &Bench| {
        let place = usize::from(bench.binary == builds.new.binary);
        starts::start(&classes[place]).1
    };
    vec![Compared {
        what: "start to the first 200 of `/healthz`",
        unit: "ms",
        digits: 1,
        pairs: builds.pairs(builds.new.pick(1, 20), ready),
    }]
}

fn students(builds: &Builds) -> Vec<Compared> {
    let counted = |bench: &Bench| match student::instructions(bench) {
        Counted::Instructions(count) => count / 1e3,
        Counted::Not(_) => 0.0,
    };
    vec![
        Compared {
            what: "own instructions a student, kernel left out",
            unit: "thousands",
            digits: 0,
            pairs: builds.pairs(1, counted),
        },
        Compared {
            what: "own processor time a student, kernel included",
            unit: "ms",
            digits: 2,
            pairs: builds.pairs(builds.new.pick(1, 8), student::processor_time),
        },
    ]
}

/// Texts that are taken while none is served.
fn texts(builds: &Builds) -> Vec<Compared> {
    let kinds = [
        (
            "texts taken over 64 connections, Redis `everysec`",
            "p99 at half of the earlier build's rate, Redis `everysec`",
            Fsync::EverySecond,
        ),
        (
            "texts taken over 64 connections, Redis `always`",
            "p99 at half of the earlier build's rate, Redis `always`",
            Fsync::Always,
        ),
    ];
    let figures = |(what, p99, fsync)| {
        let fields = [
            FsyncField::open(&builds.base, fsync),
            FsyncField::open(&builds.new, fsync),
        ];
        let of = |bench: &Bench| &fields[usize::from(bench.binary == builds.new.binary)];
        let rates = builds.pairs(builds.new.pick(1, 10), |bench| of(bench).rate(bench));
        // Both are offered the same.
        let half = Spread::of(rates.iter().map(|pair| pair.0)).median / 2.0;
        let waits = builds.pairs(builds.new.pick(1, 5), |bench| of(bench).p99(bench, half));
        [
            Compared {
                what,
                unit: "a second",
                digits: 0,
                pairs: rates,
            },
            Compared {
                what: p99,
                unit: "ms",
                digits: 2,
                pairs: waits,
            },
        ]
    };
    kinds.into_iter().flat_map(figures).collect()
}

/// A service under load, and what it is sent.
struct FsyncField {
    class: Classroom,
    texts: Requests,
}

impl FsyncField {
    fn open(bench: &Bench, fsync: Fsync) -> Self {
        let class = class_that_only_takes(bench, fsync);
        let account = class.twilio().account();
        let texts = wire::texts(account, bench.pick(1_000, 40_000), Framing::Length);
        fill(bench, &class, &texts);
        let field = Self { class, texts };
        // The first turn warms up all caches.
        field.rate(bench);
        field
    }

    fn rate(&self, bench: &Bench) -> f64 {
        let limit = Duration::from_millis(bench.pick(100, 800));
        let address = self.class.service().address();
        let outcome = load::closed(address, &self.texts, 64, Opening::OneByOne, limit);
        trim(&self.class);
        outcome.rate
    }

    /// The 99th percentile of the times to an answer, in milliseconds, when texts come at `rate` a second.
    fn p99(&self, bench: &Bench, rate: f64) -> f64 {
        let limit = Duration::from_millis(bench.pick(100, 2_000));
        let address = self.class.service().address();
        // A busy machine may have served no text in a short turn.
        let outcome = load::open(address, &self.texts, 64, rate.max(1.0), limit);
        trim(&self.class);
        outcome.wait(0.99)
    }
}

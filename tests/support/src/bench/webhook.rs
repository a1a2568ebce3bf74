//! How many texts are accepted a second, beside a tiny_http server that accepts them without storing them.
//!
//! Servers take turns, so that whatever else the machine does meets all of them: two bare ones, the service
//! with two kinds of Redis, and hyper's smallest server as a peer. Nothing is served meanwhile: Coder refuses the service's
//! token, so the provisioner holds as many texts as it ever does and waits, as it would for most of a
//! burst, and every text that is taken stays in the stream, where it can be counted.

mod tables;
mod taking;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::bare::{Bare, BareKind};
use super::load::{self, LoadOutcome, Opening};
use super::process::Process;
use super::report::Section;
use super::wire::{self, Framing, Requests};
use super::{Bench, BenchPart};
use crate::classroom::Classroom;
use crate::classroom::redis::Fsync;
use taking::TEXTS;
pub(super) use taking::{class_that_only_takes, fill, trim};

/// The part.
pub const PART: BenchPart = BenchPart {
    name: "webhook",
    about: "texts taken a second, beside a bare tiny_http",
    run: measure,
};

/// How clients connect.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LoadMode {
    /// The number of connections that stay open, and how they are opened.
    KeepAlive(usize, Opening),
    /// A new connection for each text, this many at a time.
    Fresh(usize),
}

/// The modes of the goals: a bare tiny_http is at its best with one and serves few with the other.
const CROWDED: [LoadMode; 2] = [
    LoadMode::KeepAlive(64, Opening::OneByOne),
    LoadMode::KeepAlive(64, Opening::AtOnce),
];

const MODES: [LoadMode; 5] = [
    LoadMode::KeepAlive(1, Opening::OneByOne),
    LoadMode::KeepAlive(16, Opening::OneByOne),
    CROWDED[0],
    CROWDED[1],
    LoadMode::Fresh(16),
];

impl LoadMode {
    fn name(self) -> String {
        match self {
            Self::KeepAlive(count, Opening::OneByOne) => count.to_string(),
            Self::KeepAlive(count, Opening::AtOnce) => format!("{count}, opened at once"),
            Self::Fresh(count) => format!("new each, {count} at once"),
        }
    }

    fn words(self) -> String {
        match self {
            Self::KeepAlive(count, Opening::OneByOne) => format!("{count} connections"),
            Self::KeepAlive(count, Opening::AtOnce) => {
                format!("{count} connections opened at once")
            }
            Self::Fresh(count) => format!("a new connection each, {count} at once"),
        }
    }
}

/// The servers, in the order of their turns.
const SERVERS: [(&str, &str); 5] = [
    ("a", "bare tiny_http, answers 200"),
    ("b", "bare tiny_http, form and signature"),
    ("c", "the service, Redis `everysec`"),
    ("d", "the service, Redis `always`"),
    ("e", "hyper on one thread, answers 200"),
];

/// The place of hyper, which is measured where `make bench` could build it.
const HYPER: usize = 4;

/// What one server did in one turn.
struct Turn {
    outcome: LoadOutcome,
    /// CPU time of the server's process, if it has one of its own.
    server_cpu: Option<Duration>,
    redis_cpu: Option<Duration>,
}

/// Turns of a mode, by server and round.
struct Turns {
    mode: LoadMode,
    of: [Vec<Turn>; 5],
}

/// At half of the rate that the service has reached just before.
struct HalfLoad {
    server: usize,
    rates: Vec<f64>,
    turns: Vec<LoadOutcome>,
}

impl HalfLoad {
    fn new(server: usize) -> Self {
        Self {
            server,
            rates: Vec::new(),
            turns: Vec::new(),
        }
    }
}

/// What the stream holds against what was confirmed.
#[derive(Default)]
struct Ledger {
    confirmed: usize,
    unanswered: usize,
    entries: usize,
    /// A turn in which there were fewer entries than confirmations, or more than texts sent.
    wrong: usize,
    /// Texts of the last turn that were not confirmed.
    late: usize,
}

/// What was measured, for the tables.
struct WebhookFindings {
    turns: Vec<Turns>,
    half: Vec<HalfLoad>,
    ledger: Ledger,
    request: usize,
    rounds: usize,
    limit: Duration,
}

/// The services under load, and what they are sent.
struct LoadField<'a> {
    bench: &'a Bench,
    classes: [Classroom; 2],
    /// Texts for each class, as each has an account of its own: kept open, and closed after each.
    texts: [(Requests, Requests); 2],
    limit: Duration,
    ledger: Ledger,
}

fn measure(bench: &Bench) -> Section {
    let mut field = LoadField::prepare(bench);
    let rounds = bench.pick(1, 5);
    let mut turns: Vec<Turns> = MODES.map(Turns::new).into();
    // The first round warms up all caches.
    for round in 0..=rounds {
        bench.says(&format!("webhook: round {round} of {rounds}"));
        for turn in &mut turns {
            let servers = SERVERS.len() - usize::from(bench.hyper.is_none());
            for server in 0..servers {
                let done = field.turn(server, turn.mode);
                if round > 0 {
                    turn.of[server].push(done);
                }
            }
        }
        field.tidy_up();
    }
    bench.says("webhook: at half of its rate");
    let mut half = [0, 2, 3].map(HalfLoad::new);
    for _ in 0..bench.pick(1, 3) {
        for half in &mut half {
            let (rate, turn) = field.half_load(half.server);
            half.rates.push(rate);
            half.turns.push(turn);
        }
    }
    let request = field.texts[0].0.length();
    let findings = WebhookFindings {
        turns,
        half: half.into(),
        ledger: field.ledger,
        request,
        rounds,
        limit: field.limit,
    };
    tables::draw(&findings)
}

impl Turns {
    fn new(mode: LoadMode) -> Self {
        Self {
            mode,
            of: Default::default(),
        }
    }

    fn rates(&self, server: usize) -> impl Iterator<Item = f64> {
        self.of[server].iter().map(|turn| turn.outcome.rate)
    }
}

impl<'a> LoadField<'a> {
    fn prepare(bench: &'a Bench) -> Self {
        bench.says("webhook: signing texts");
        let classes =
            [Fsync::EverySecond, Fsync::Always].map(|fsync| class_that_only_takes(bench, fsync));
        let texts = [0, 1].map(|place: usize| {
            let account = classes[place].twilio().account();
            let kept = wire::texts(account, bench.pick(1_000, 40_000), Framing::Length);
            let closed = wire::texts(account, bench.pick(200, 8_000), Framing::Close);
            (kept, closed)
        });
        for (class, texts) in classes.iter().zip(&texts) {
            fill(bench, class, &texts.0);
        }
        Self {
            bench,
            classes,
            texts,
            limit: Duration::from_millis(bench.pick(100, 800)),
            ledger: Ledger::default(),
        }
    }

    /// One turn of a server.
    fn turn(&mut self, server: usize, mode: LoadMode) -> Turn {
        // A new one each time: what a burst of connections does to a bare tiny_http outlives the burst.
        let bare = match server {
            0 => self.bare(BareKind::Answers),
            1 => self.bare(BareKind::Checks),
            HYPER => Bare::hyper(
                self.bench
                    .hyper
                    .as_ref()
                    .expect("it is only asked for if given"),
            ),
            service => return self.turn_of_service(service - 2, mode),
        };
        let process = bare.process();
        let before = process.map(Process::cpu);
        let outcome = self.send(bare.address, 0, mode);
        let after = process.map(Process::cpu);
        Turn {
            outcome,
            server_cpu: after.zip(before).map(|(after, before)| after - before),
            redis_cpu: None,
        }
    }

    fn turn_of_service(&mut self, place: usize, mode: LoadMode) -> Turn {
        let class = &self.classes[place];
        let address = class.service().address();
        let service = Process::of(class.service().pid());
        let redis = Process::of(class.redis().pid());
        let (service_before, redis_before) = (service.cpu(), redis.cpu());
        let before = class.redis().length(TEXTS);
        let outcome = self.send(address, place, mode);
        let turn = Turn {
            server_cpu: Some(service.cpu() - service_before),
            redis_cpu: Some(redis.cpu() - redis_before),
            outcome,
        };
        let entries = self.classes[place].redis().length(TEXTS) - before;
        self.ledger.add(&turn.outcome, entries);
        trim(&self.classes[place]);
        turn
    }

    fn send(&self, address: SocketAddr, place: usize, mode: LoadMode) -> LoadOutcome {
        let (kept, closed) = &self.texts[place];
        match mode {
            LoadMode::KeepAlive(count, opening) => {
                load::closed(address, kept, count, opening, self.limit)
            }
            LoadMode::Fresh(count) => load::fresh(address, closed, count, self.limit),
        }
    }

    /// One turn at half of the rate of the turn before. Returns that rate, too.
    fn half_load(&mut self, server: usize) -> (f64, LoadOutcome) {
        // A busy machine may have served no text in a short turn.
        let rate = (self.turn(server, CROWDED[0]).outcome.rate / 2.0).max(1.0);
        let limit = Duration::from_millis(self.bench.pick(100, 2_000));
        if server == 0 {
            let bare = self.bare(BareKind::Answers);
            let outcome = load::open(bare.address, &self.texts[0].0, 64, rate, limit);
            return (rate, outcome);
        }
        let place = server - 2;
        let class = &self.classes[place];
        let address = class.service().address();
        let before = class.redis().length(TEXTS);
        let outcome = load::open(address, &self.texts[place].0, 64, rate, limit);
        let entries = class.redis().length(TEXTS) - before;
        self.ledger.add(&outcome, entries);
        trim(class);
        (rate, outcome)
    }

    fn bare(&self, kind: BareKind) -> Bare {
        Bare::start(self.bench.own.as_deref(), kind, &self.classes[0].settings())
    }

    /// Has each Redis rewrite its file, so that it does not grow for ever.
    fn tidy_up(&self) {
        for class in &self.classes {
            let mut redis = class.redis().connection().expect("Redis answers");
            let _ = redis::cmd("BGREWRITEAOF").exec(&mut redis);
            let mut info = || -> String {
                let info = redis::cmd("INFO").arg("persistence").query(&mut redis);
                info.unwrap_or_default()
            };
            let deadline = Instant::now() + Duration::from_secs(10);
            while info().contains("aof_rewrite_in_progress:1") {
                assert!(Instant::now() < deadline, "Redis is not done");
                std::thread::park_timeout(Duration::from_millis(10));
            }
        }
    }
}

impl Ledger {
    fn add(&mut self, outcome: &LoadOutcome, entries: usize) {
        let unanswered = outcome.sent - outcome.taken - outcome.refused;
        self.confirmed += outcome.taken;
        self.unanswered += unanswered;
        self.entries += entries;
        // One that was refused, or not answered, may be in the stream all the same; its answer, or its entry, came
        // too late, perhaps only in the next turn.
        let most = outcome.sent + self.late;
        self.late = outcome.sent - outcome.taken;
        self.wrong += usize::from(!(outcome.taken..=most).contains(&entries));
    }
}

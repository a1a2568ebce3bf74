//! What open join pages cost: each asks for its state as the page's script does, over a connection that stays
//! open, as browsers keep theirs.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use super::page::{BenchPage, REST};
use super::process::{Memory, Process};
use super::report::{Section, Table};
use super::{Bench, BenchPart};

/// How many seconds the pages are watched, in place of the usual time: `SCREENS_SECONDS=600 make bench PARTS=screens`.
const SECONDS: &str = "SCREENS_SECONDS";

/// The part.
pub const PART: BenchPart = BenchPart {
    name: "screens",
    about: "CPU time and memory for 300 open join pages",
    run: measure,
};

/// All pages come from this address.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// How many threads play the pages.
const THREADS: usize = 4;

/// What the service has used so far, and what it holds.
#[derive(Clone, Copy)]
struct Moment {
    at: Instant,
    cpu: Duration,
    sleeps: u64,
    memory: Memory,
}

impl Moment {
    fn now(process: Process) -> Self {
        let threads = process.threads();
        Self {
            at: Instant::now(),
            cpu: process.threads_cpu(),
            sleeps: threads.values().map(|thread| thread.sleeps).sum(),
            memory: process.memory(),
        }
    }
}

/// What the pages cost: before the first one was open, at the beginning, in the middle and at the end.
struct Costs {
    polls: u64,
    before: Memory,
    moments: [Moment; 3],
}

fn measure(bench: &Bench) -> Section {
    let (pages, watched) = bench.pick((8, Duration::from_secs(1)), (300, Duration::from_secs(120)));
    let wanted = std::env::var(SECONDS).ok();
    let wanted = wanted.and_then(|seconds| seconds.parse().ok());
    let watched = wanted.map_or(watched, Duration::from_secs);
    let class = bench.plan().with_pages("screen").open();
    let process = Process::of(class.service().pid());
    bench.says(&format!(
        "screens: {pages} pages for {} s",
        watched.as_secs()
    ));
    let costs = watch(class.service().address(), process, pages, watched);
    let mut section = Section::new("Open pages");
    section.says(&format!(
        "{pages} join pages are open for {} s and show their codes; nobody texts. Each asks for its state {} ms after \
         the last answer, as a page does that is seen; one in the background asks every 3 s. A code that is too old is \
         replaced. All come from one address. A wake-up is a thread of the service that slept and goes on.",
        watched.as_secs(),
        REST.as_millis(),
    ));
    section.shows(&table(pages, &costs));
    section
}

/// Opens the pages, and watches the service while they ask.
fn watch(address: SocketAddr, process: Process, pages: usize, watched: Duration) -> Costs {
    let before = process.memory();
    let mut open: Vec<MeasuredPage> = (0..pages).map(|_| MeasuredPage::open(address)).collect();
    let first = Moment::now(process);
    let end = first.at + watched;
    let share = pages.div_ceil(THREADS);
    let (polls, half) = thread::scope(|scope| {
        let threads: Vec<_> = open
            .chunks_mut(share)
            .map(|pages| scope.spawn(move || ask(pages, end)))
            .collect();
        thread::sleep(watched / 2);
        let half = Moment::now(process);
        let polls = threads.into_iter().map(|thread| thread.join());
        let polls = polls.map(|polls| polls.expect("all answers come")).sum();
        (polls, half)
    });
    Costs {
        polls,
        before,
        moments: [first, half, Moment::now(process)],
    }
}

/// These pages ask in turns, each when it is due. Returns how often.
fn ask(pages: &mut [MeasuredPage], end: Instant) -> u64 {
    let mut polls = 0;
    // Spread over the first span, as pages are not opened at one moment.
    let apart = REST / u32::try_from(pages.len()).unwrap_or(1);
    let began = Instant::now();
    for (place, page) in (0..).zip(pages.iter_mut()) {
        page.due = began + apart * place;
    }
    loop {
        let next = pages.iter_mut().min_by_key(|page| page.due);
        let next = next.filter(|page| page.due < end);
        let Some(page) = next else {
            return polls;
        };
        thread::sleep(page.due.saturating_duration_since(Instant::now()));
        page.asks();
        page.due = Instant::now() + REST;
        polls += 1;
    }
}

/// One open page, and when it asks next.
struct MeasuredPage {
    page: BenchPage,
    due: Instant,
}

impl MeasuredPage {
    fn open(address: SocketAddr) -> Self {
        Self {
            page: BenchPage::open(address, HERE),
            due: Instant::now(),
        }
    }

    fn asks(&mut self) {
        let answer = self.page.asks();
        if answer.status == 404 {
            self.page.takes_code();
        } else {
            assert!(answer.body().contains("\"open\""), "{}", answer.body());
        }
    }
}

fn table(pages: usize, costs: &Costs) -> Table {
    let megabytes = |memory: Memory| format!("{:.2}", memory.pss as f64 * 1_024.0 / 1e6);
    let [first, half, end] = costs.moments;
    let mut table = Table::new(
        "**Open pages**: memory (PSS) in MB at that moment; CPU time of the service and wake-ups since the line above",
        &[
            "after",
            "memory",
            "CPU s",
            "of one CPU",
            "wake-ups/s",
            "us a question",
        ],
    );
    let none = || "–".to_owned();
    table.row(vec![
        "no page is open".to_owned(),
        megabytes(costs.before),
        none(),
        none(),
        none(),
        none(),
    ]);
    table.row(vec![
        format!("{pages} are opened"),
        megabytes(first.memory),
        none(),
        none(),
        none(),
        none(),
    ]);
    let all = end.cpu.saturating_sub(first.cpu).as_secs_f64();
    let each = 1e6 * all / (costs.polls as f64).max(1.0);
    for (from, to, each) in [
        (first, half, none()),
        (half, end, format!("{each:.0}, of {}", costs.polls)),
    ] {
        let seconds = to.at.duration_since(from.at).as_secs_f64().max(0.001);
        let cpu = to.cpu.saturating_sub(from.cpu).as_secs_f64();
        table.row(vec![
            format!("{:.0} s", to.at.duration_since(first.at).as_secs_f64()),
            megabytes(to.memory),
            format!("{cpu:.2}"),
            format!("{:.1} %", 100.0 * cpu / seconds),
            format!(
                "{:.0}",
                to.sleeps.saturating_sub(from.sleeps) as f64 / seconds
            ),
            each,
        ]);
    }
    table
}

//! What open join pages cost: each asks for its state as the page's script does, over a connection that stays
//! open, as browsers keep theirs.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use super::process::{Memory, Process};
use super::report::{Section, Table};
use super::{Bench, BenchPart};
use crate::classroom::wire::Wire;

/// The part.
pub const PART: BenchPart = BenchPart {
    name: "screens",
    about: "CPU time and memory for 300 open join pages",
    run: measure,
};

/// How long a page that is seen waits between an answer and its next question (`page.js`).
const REST: Duration = Duration::from_millis(800);

/// So many threads play the pages.
const THREADS: usize = 4;

/// What the pages cost in the time that was watched.
struct Costs {
    polls: u64,
    cpu: Duration,
    memory: Memory,
}

fn measure(bench: &Bench) -> Section {
    let (pages, watched) = bench.pick((8, Duration::from_secs(1)), (300, Duration::from_secs(120)));
    let class = bench.plan().with_pages("screen").open();
    let process = Process::of(class.service().pid());
    bench.says(&format!(
        "screens: {pages} pages for {} s",
        watched.as_secs()
    ));
    let before = process.memory();
    let costs = watch(class.service().address(), process, pages, watched);
    let mut section = Section::new("Open pages");
    section.says(&format!(
        "{pages} join pages are open for {} s and show their codes; nobody texts. Each asks for its state {} ms after \
         the last answer, as a page does that is seen; one in the background asks every 3 s. All come from one address.",
        watched.as_secs(),
        REST.as_millis(),
    ));
    section.shows(&table(pages, watched, before, &costs));
    section
}

/// Opens the pages, and watches the service while they ask.
fn watch(address: SocketAddr, process: Process, pages: usize, watched: Duration) -> Costs {
    let mut open: Vec<Page> = (0..pages).map(|_| Page::open(address)).collect();
    let began = Instant::now();
    let cpu = process.threads_cpu();
    let end = began + watched;
    let share = pages.div_ceil(THREADS);
    let polls = thread::scope(|scope| {
        let threads: Vec<_> = open
            .chunks_mut(share)
            .map(|pages| scope.spawn(move || ask(pages, end)))
            .collect();
        let polls = threads.into_iter().map(|thread| thread.join());
        polls.map(|polls| polls.expect("all answers come")).sum()
    });
    Costs {
        polls,
        cpu: process.threads_cpu().saturating_sub(cpu),
        memory: process.memory(),
    }
}

/// These pages ask in turns, each when it is due. Returns how often.
fn ask(pages: &mut [Page], end: Instant) -> u64 {
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

/// One open page.
struct Page {
    address: SocketAddr,
    wire: Wire,
    question: String,
    due: Instant,
}

impl Page {
    fn open(address: SocketAddr) -> Self {
        let mut wire = Wire::open(address).expect("the service lets us in");
        wire.sends(
            b"POST /screen HTTP/1.1\r\nHost: sms.class.example.org\r\nContent-Length: 0\r\n\r\n",
        );
        let answer = wire.answer().expect("an answer");
        let opened: serde_json::Value = serde_json::from_str(answer.body()).expect("JSON");
        let secret = opened["secret"].as_str().expect("a screen");
        Self {
            address,
            wire,
            // About as many headers as a browser sends.
            question: format!(
                "GET /screen HTTP/1.1\r\nHost: sms.class.example.org\r\nX-Screen: {secret}\r\nAccept: */*\r\n\
                 Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en\r\nSec-Fetch-Mode: cors\r\n\
                 Sec-Fetch-Site: same-origin\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\n\r\n"
            ),
            due: Instant::now(),
        }
    }

    fn asks(&mut self) {
        for _ in 0..2 {
            if self.wire.sends(self.question.as_bytes())
                && let Some(answer) = self.wire.answer()
            {
                assert!(answer.body().contains("\"open\""), "{}", answer.body());
                return;
            }
            // A server may end a connection that was quiet; a browser opens another one.
            self.wire = Wire::open(self.address).expect("the service lets us in");
        }
        panic!("no answer");
    }
}

fn table(pages: usize, watched: Duration, before: Memory, costs: &Costs) -> Table {
    let seconds = watched.as_secs_f64();
    let megabytes = |kib: u64| {
        let kib = kib as f64;
        format!("{:.2}", kib * 1_024.0 / 1e6)
    };
    let polls = costs.polls as f64;
    let mut table = Table::new(
        "**Open pages**: memory (PSS) in MB, CPU time of the service",
        &[
            "pages",
            "questions/s",
            "CPU s in all",
            "of one CPU",
            "us each",
            "before",
            "with them",
        ],
    );
    let cpu = costs.cpu.as_secs_f64();
    table.row(vec![
        pages.to_string(),
        format!("{:.0}", polls / seconds),
        format!("{cpu:.2}"),
        format!("{:.1} %", 100.0 * cpu / seconds),
        format!("{:.0}", 1e6 * cpu / polls.max(1.0)),
        megabytes(before.pss),
        megabytes(costs.memory.pss),
    ]);
    table
}

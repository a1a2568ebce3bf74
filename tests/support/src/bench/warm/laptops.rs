//! Students with laptops: each opens the join page, texts its code, says yes, and is signed in.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use super::super::class::play;
use super::super::page::{BenchPage, LATER, REST};
use super::PATIENCE;
use crate::classroom::student::Webhook;
use crate::classroom::{Classroom, PHRASE};

/// Pages that are open at once. The service lets 2,048 be open, so larger classes come and go.
pub(super) const WAVE: usize = 2_000;

/// Laptops that share an address. The service lets one address open 512.
const OF_ONE_ADDRESS: usize = 250;

/// How many threads play the laptops.
const THREADS: usize = 4;

/// How long a page waits while its account is made (`page.js`).
const MAKING: Duration = Duration::from_millis(300);

/// Plays a class, in waves if it is large: each wave texts at once. Returns the time from the last text of a wave to its
/// last login, of the slowest wave.
pub(crate) fn play(class: &Classroom, students: usize) -> Duration {
    let waves = (0..students).step_by(WAVE);
    let waves = waves.map(|first| play_wave(class, WAVE.min(students - first)));
    waves.max().unwrap_or_default()
}

fn play_wave(class: &Classroom, students: usize) -> Duration {
    let address = class.service().address();
    let mut laptops: Vec<BenchLaptop> = (0..students)
        .map(|number| BenchLaptop::open(address, number))
        .collect();
    let words = laptops
        .iter()
        .map(|one| format!("{PHRASE} {}", one.page.code()));
    let texts: Vec<(String, Webhook)> = class
        .students(students)
        .iter()
        .zip(words)
        .map(|(student, words)| (student.phone().to_owned(), student.webhook(&words, &[])))
        .collect();
    let share = students.div_ceil(THREADS);
    let end = Instant::now() + PATIENCE;
    let (brought, last) = std::thread::scope(|scope| {
        let threads: Vec<_> = laptops
            .chunks_mut(share)
            .map(|laptops| scope.spawn(move || sign_in(laptops, end)))
            .collect();
        play::bring(class, &texts, Duration::ZERO, Instant::now());
        let brought = Instant::now();
        let last = threads.into_iter().map(|one| one.join());
        let last = last.map(|last| last.expect("all are signed in")).max();
        (brought, last.unwrap_or(brought))
    });
    last.saturating_duration_since(brought)
}

/// One laptop, and when its page asks next.
struct BenchLaptop {
    page: BenchPage,
    due: Instant,
    /// When its page got the login.
    login_at: Option<Instant>,
}

impl BenchLaptop {
    fn open(address: SocketAddr, number: usize) -> Self {
        let room = u8::try_from(number / OF_ONE_ADDRESS).expect("few rooms");
        let client = IpAddr::V4(Ipv4Addr::new(127, 0, 1, 1 + room));
        Self {
            page: BenchPage::open(address, client),
            due: Instant::now(),
            login_at: None,
        }
    }

    /// The page asks, and the person in front of it says yes.
    fn asks(&mut self) {
        let mut state = self.page.state();
        if state["state"] == "question" {
            state = self.page.says_yes(&state["claim"]);
        }
        let rest = match state["state"].as_str() {
            Some("login") => {
                self.login_at = Some(Instant::now());
                self.page.arrives();
                return;
            }
            Some("making") => MAKING,
            Some("open") => REST,
            None => LATER,
            _ => panic!("{state}"),
        };
        self.due = Instant::now() + rest;
    }
}

/// These laptops ask in turns until all are signed in. Returns when the last one got its login.
fn sign_in(laptops: &mut [BenchLaptop], end: Instant) -> Instant {
    loop {
        let waiting = laptops.iter_mut().filter(|one| one.login_at.is_none());
        let Some(next) = waiting.min_by_key(|one| one.due) else {
            let last = laptops.iter().filter_map(|one| one.login_at).max();
            return last.unwrap_or_else(Instant::now);
        };
        assert!(next.due < end, "a login in time");
        std::thread::sleep(next.due.saturating_duration_since(Instant::now()));
        next.asks();
    }
}

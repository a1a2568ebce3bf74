//! From nothing to ready, and from a kill to work that goes on.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::super::Bench;
use super::super::stats::Spread;
use crate::classroom::redis::Fsync;
use crate::classroom::{Classroom, PATIENCE, PHRASE, http};
use crate::fakes::coder::ops::CREATE_USER;

/// How long it takes, in milliseconds.
pub struct Starts {
    /// From its start to the first line of its log, which says where it listens.
    pub listens: Spread,
    /// From its start to the first `GET /healthz` that is answered with 200.
    pub ready: Spread,
    /// From the start after a SIGKILL to the first call for a text that was in hand.
    pub resumed: Spread,
    /// How often each was measured.
    pub times: (usize, usize),
}

/// Measures all of it.
pub fn measure(bench: &Bench) -> Starts {
    let times = bench.pick((1, 1), (20, 5));
    let class = bench.plan().with_redis_that_syncs(Fsync::Always).prepare();
    let starts: Vec<(f64, f64)> = (0..times.0).map(|_| start(&class)).collect();
    Starts {
        listens: Spread::of(starts.iter().map(|start| start.0)),
        ready: Spread::of(starts.iter().map(|start| start.1)),
        resumed: Spread::of(resumptions(bench, times.1)),
        times,
    }
}

/// Starts the service (again). Returns after how many milliseconds it listened and was ready.
pub fn start(class: &Classroom) -> (f64, f64) {
    class.end_service();
    let began = Instant::now();
    let service = class.spawn_service();
    let address = service.listens(PATIENCE).expect("the service listens");
    let listens = began.elapsed();
    while !is_well(address) {
        assert!(began.elapsed() < PATIENCE, "the service is never well");
    }
    (milliseconds(listens), milliseconds(began.elapsed()))
}

fn is_well(address: SocketAddr) -> bool {
    let answer = http::request(address, "GET", "/healthz", &[], b"");
    answer.is_ok_and(|answer| answer.status == 200)
}

fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}

/// Texts are in hand and more wait, and the service is killed: once for each time that is wanted.
fn resumptions(bench: &Bench, times: usize) -> Vec<f64> {
    const HANDS: usize = 8;
    let class = bench
        .plan()
        .with("CODER_REG_PARALLEL", &HANDS.to_string())
        .with_redis_that_syncs(Fsync::Always)
        .open();
    // Longer than a start takes, so that every hand is held.
    class.coder().latency(CREATE_USER, Duration::from_secs(8));
    class.students(3 * HANDS).iter().for_each(|student| {
        student.texts(PHRASE);
    });
    let resume = |_| {
        let calls = class.coder().count(CREATE_USER).next_multiple_of(HANDS);
        let held = class
            .coder()
            .wait_for_calls(CREATE_USER, calls.max(HANDS), PATIENCE);
        assert!(held, "all workers are busy");
        class.end_service();
        let (calls, began) = (class.coder().count(CREATE_USER), Instant::now());
        class.spawn_service();
        let resumed = class
            .coder()
            .wait_for_calls(CREATE_USER, calls + 1, PATIENCE);
        assert!(resumed, "the texts in hand are taken up again");
        milliseconds(began.elapsed())
    };
    let spans = (0..times).map(resume).collect();
    class.coder().latency(CREATE_USER, Duration::ZERO);
    class.restart_service();
    class.all_served();
    spans
}

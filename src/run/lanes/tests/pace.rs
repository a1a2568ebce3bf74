//! Texts that Coder's limit of calls refuses: they are served almost as soon as the limit allows, and few calls are refused.

use super::super::state::LaneState;
use super::*;

/// How long a create takes that is accepted, with the send of the login, and how long one that is refused.
const SERVED: Duration = Duration::from_millis(400);
const REFUSED: Duration = Duration::from_millis(20);
const STEP: Duration = Duration::from_millis(10);
const PROBE: RetryTime = RetryTime::CoderLimit(Duration::from_secs(1));

/// Coder's counter: calls of the present minute, and those of the minute before as far as the sliding minute still covers it.
struct CodersLimit {
    limit: u64,
    minute: u64,
    counts: [u64; 2],
}

impl CodersLimit {
    fn accepts(&mut self, at: Duration) -> bool {
        let (minute, second) = (at.as_secs() / 60, at.as_secs() % 60);
        if minute > self.minute {
            let before = if minute == self.minute + 1 {
                self.counts[1]
            } else {
                0
            };
            (self.minute, self.counts) = (minute, [before, 0]);
        }
        let accepts = self.counts[1] + self.counts[0] * (60 - second) / 60 < self.limit;
        self.counts[1] += u64::from(accepts);
        accepts
    }
}

/// A class that texts at once, this many seconds after the start of a minute.
struct LimitedClass {
    students: usize,
    starts: u64,
    workers: usize,
    limit: u64,
}

impl LimitedClass {
    fn limit(&self) -> CodersLimit {
        CodersLimit {
            limit: self.limit,
            minute: 0,
            counts: [0, 0],
        }
    }

    /// How long it takes at best: the workers know when Coder accepts a call.
    fn bound(&self) -> Duration {
        let (mut limit, mut left) = (self.limit(), self.students);
        let mut free_at = vec![Duration::ZERO; self.workers];
        let mut after = Duration::ZERO;
        while left > 0 {
            let now = Duration::from_secs(self.starts) + after;
            for free in free_at.iter_mut().filter(|free| **free <= after) {
                if left > 0 && limit.accepts(now) {
                    *free = after + SERVED;
                    left -= 1;
                }
            }
            after += STEP;
        }
        free_at.into_iter().max().unwrap()
    }

    /// How long it takes, and how many calls are refused.
    fn played(&self) -> (Duration, usize) {
        let (mut limit, mut lanes) = (self.limit(), offered(self.students));
        let (began, most_retries) = (Instant::now(), Lanes::new(self.workers).most_retries);
        let mut at_work: Vec<(Duration, Job, bool)> = Vec::new();
        let (mut after, mut refused, mut left) = (Duration::ZERO, 0, self.students);
        while left > 0 {
            let now = began + after;
            let (ended, still) = at_work.into_iter().partition(|(end, ..)| *end <= after);
            at_work = still;
            for (_, mut job, accepted) in ended {
                if accepted {
                    lanes.release(&job);
                    lanes.learn(&mut job, PeerProof::Both, now);
                    left -= 1;
                } else {
                    refused += 1;
                    lanes.park(job, PROBE, 0, now);
                }
            }
            lanes.wake_parked(now);
            while at_work.len() < self.workers
                && let Some(job) = lanes.pick(now, most_retries)
            {
                let accepted = limit.accepts(Duration::from_secs(self.starts) + after);
                let span = if accepted { SERVED } else { REFUSED };
                at_work.push((after + span, job, accepted));
            }
            after += STEP;
            assert!(after.as_secs() < 3_600, "{left} are never served");
        }
        (after, refused)
    }
}

/// The texts of so many phones, of which none was served yet. Their ids begin with 1.
fn offered(phones: usize) -> LaneState {
    let lanes = Lanes::new(1);
    for number in 1..=phones {
        lanes.offer(entry(&number.to_string(), &format!("s{number}")));
    }
    std::mem::take(&mut *lanes.lock())
}

#[test]
fn a_class_above_the_limit_is_served_as_soon_as_the_limit_allows() {
    for starts in (0..60).step_by(3) {
        let class = LimitedClass {
            students: 600,
            starts,
            workers: 8,
            limit: 512,
        };
        let (bound, (took, refused)) = (class.bound(), class.played());
        println!("{starts}: {took:?} of {bound:?}, {refused} refused");
        assert!(
            took <= bound + Duration::from_secs(3),
            "{starts}: {took:?} and {bound:?} at best"
        );
        assert!(refused <= 88 + 120, "{starts}: {refused} refused");
    }
}

#[test]
fn a_class_of_many_minutes_keeps_up_with_the_limit() {
    let class = LimitedClass {
        students: 3_000,
        starts: 20,
        workers: 8,
        limit: 512,
    };
    let (bound, (took, refused)) = (class.bound(), class.played());
    println!("{took:?} of {bound:?}, {refused} refused");
    assert!(took <= bound.mul_f64(1.1), "{took:?} and {bound:?} at best");
}

#[test]
fn one_text_probes_and_each_that_is_accepted_lets_two_more_try() {
    let (mut lanes, now) = (offered(5), Instant::now());
    let at = |seconds| now + Duration::from_secs(seconds);
    let picked = |lanes: &mut LaneState, seconds| {
        lanes.wake_parked(at(seconds));
        let jobs = std::iter::from_fn(|| lanes.pick(at(seconds), 32));
        jobs.collect::<Vec<Job>>()
    };
    for job in picked(&mut lanes, 0) {
        lanes.park(job, PROBE, 0, at(0));
    }
    assert_eq!(lanes.next_due(at(0)), Some(at(1)));
    let ids =
        |jobs: &[Job]| -> Vec<String> { jobs.iter().map(|job| job.entry.id.clone()).collect() };
    let probe = picked(&mut lanes, 1);
    assert_eq!(ids(&probe), ["1"]);
    assert_eq!(lanes.next_due(at(1)), None, "its end will tell");
    for job in probe {
        lanes.park(job, PROBE, 0, at(1));
    }
    assert!(picked(&mut lanes, 1).is_empty());
    // The one that waits longest is the first again.
    let mut probe = picked(&mut lanes, 2);
    assert_eq!(ids(&probe), ["1"]);
    let mut job = probe.remove(0);
    lanes.release(&job);
    lanes.learn(&mut job, PeerProof::Coder, at(2));
    assert_eq!(ids(&picked(&mut lanes, 2)), ["2", "3"]);
}

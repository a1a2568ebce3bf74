//! What holds after any sequence of what can happen to texts in hand.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::tests::entry;
use super::*;
use crate::properties::drawn;
use crate::provision::Peer;

const PHONES: [&str; 5] = [
    "+12015550101",
    "+12015550102",
    "+17875550103",
    "+491705550104",
    "12345",
];

/// What may happen next; the number says to which of the jobs that are being worked on.
#[derive(Clone, Debug)]
enum LaneAct {
    /// An entry comes from Redis, or comes once more.
    Offer(u8),
    /// A worker asks for a job.
    Take,
    Finish(usize, PeerProof),
    Park(usize, RetryTime),
    /// A newer text takes the place of one of its phone that waits for a cause.
    TakeOlder(usize),
    /// Something happens at the screen of a text.
    Wake(u8),
    /// Every wait is over.
    TimePasses,
}

fn act() -> impl Strategy<Value = LaneAct> {
    let wait = prop_oneof![
        Just(RetryTime::Exactly(Duration::ZERO)),
        Just(RetryTime::CoderLimit(Duration::from_secs(60))),
        Just(RetryTime::HourlyLimit(Duration::from_secs(60))),
        Just(RetryTime::Away),
        Just(RetryTime::Screen(Duration::from_secs(60))),
        Just(RetryTime::Blocked(Peer::Twilio)),
        (held(), 0..90_u64).prop_map(|(cause, left)| RetryTime::Held {
            cause,
            left: Duration::from_secs(left),
        }),
    ];
    let proof = prop_oneof![
        Just(PeerProof::Nothing),
        Just(PeerProof::Coder),
        Just(PeerProof::Both),
    ];
    prop_oneof![
        4 => (0..24_u8).prop_map(LaneAct::Offer),
        6 => Just(LaneAct::Take),
        2 => (any::<usize>(), proof).prop_map(|(at, proof)| LaneAct::Finish(at, proof)),
        2 => (any::<usize>(), wait).prop_map(|(at, wait)| LaneAct::Park(at, wait)),
        1 => any::<usize>().prop_map(LaneAct::TakeOlder),
        1 => (1..3_u8).prop_map(LaneAct::Wake),
        1 => Just(LaneAct::TimePasses),
    ]
}

fn held() -> impl Strategy<Value = Cause> {
    let region = |phone| Cause::Region(Region::of(&Phone::parse_any(phone).unwrap()));
    prop_oneof![
        Just(region("+12015550123")),
        Just(region("+17875550123")),
        Just(Cause::Unverified),
        Just(Cause::Sender),
    ]
}

/// The lanes and what they should come to.
struct LaneModel {
    lanes: Lanes,
    working: Vec<Job>,
    in_hand: BTreeSet<String>,
    /// Those whose last attempt found this hour's texts used up.
    hourly_limited: BTreeSet<String>,
}

impl LaneModel {
    fn new(workers: usize) -> Self {
        Self {
            lanes: Lanes::new(workers),
            working: Vec::new(),
            in_hand: BTreeSet::new(),
            hourly_limited: BTreeSet::new(),
        }
    }

    fn play(&mut self, act: LaneAct) {
        match act {
            LaneAct::Offer(id) => {
                let phone = PHONES[usize::from(id) % PHONES.len()];
                self.lanes
                    .offer_to(entry(&id.to_string(), phone), id % 3 == 0);
                self.in_hand.insert(id.to_string());
            }
            LaneAct::Take => drop(self.take()),
            LaneAct::Finish(at, proof) => {
                if let Some(job) = self.some_job(at) {
                    self.in_hand.remove(&job.entry.id);
                    self.hourly_limited.remove(&job.entry.id);
                    self.lanes.finish(job, proof);
                }
            }
            LaneAct::Park(at, wait) => {
                if let Some(job) = self.some_job(at) {
                    self.hourly_limited.remove(&job.entry.id);
                    if matches!(wait, RetryTime::HourlyLimit(_)) {
                        self.hourly_limited.insert(job.entry.id.clone());
                    }
                    self.lanes.park(job, wait, 0);
                }
            }
            LaneAct::TakeOlder(at) => {
                let count = self.working.len();
                let newer = (count > 0).then(|| &self.working[at % count]);
                if let Some(older) = newer.and_then(|job| self.lanes.take_older(job)) {
                    self.in_hand.remove(&older.entry.id);
                    self.lanes.finish(older, PeerProof::Nothing);
                }
            }
            LaneAct::Wake(number) => {
                let text = entry(&"x".repeat(usize::from(number)), "").text.unwrap();
                self.lanes.wake(&text.sid);
            }
            LaneAct::TimePasses => self.time_passes(),
        }
        assert_eq!(self.lanes.room(), ROOM - self.in_hand.len());
        let is_limited = self.lanes.with_waits(|waits| waits.hourly_limit);
        assert_eq!(is_limited, !self.hourly_limited.is_empty());
    }

    fn some_job(&mut self, at: usize) -> Option<Job> {
        let count = self.working.len();
        (count > 0).then(|| self.working.remove(at % count))
    }

    fn time_passes(&self) {
        let mut state = self.lanes.lock();
        let now = Instant::now();
        state.parked.iter_mut().for_each(|parked| parked.due = now);
        state.holds.end_waits(now);
        state.pace.end_wait(now);
        if state.paused_until.is_some() {
            state.paused_until = Some(now);
        }
    }

    /// As a worker takes a job, without waiting for one; checks the choice. Whether there was one.
    fn take(&mut self) -> bool {
        let now = Instant::now();
        let mut state = self.lanes.lock();
        state.wake_parked(now);
        let busy: BTreeSet<String> = self.working.iter().map(|job| job.lane.clone()).collect();
        let free = |job: &&Job| !busy.contains(&job.lane);
        let fresh = state.ready.iter().filter(free).find(|job| !job.retried);
        let fresh = fresh.map(|job| job.entry.id.clone());
        let any = state.ready.iter().any(|job| free(&job));
        let at_screen = state.ready.iter().filter(free).any(|job| job.at_screen);
        let paused = state.paused_until.is_some_and(|until| until > now);
        let is_paused = state.paused_until.is_some();
        let picked = state.pick(now, self.lanes.most_retries);
        if picked.is_none() {
            let due = state.next_due(now);
            assert!(due.is_none_or(|due| due > now), "workers do not sleep");
        }
        drop(state);
        let retries = self.working.iter().filter(|job| job.retried).count();
        let Some(job) = picked else {
            let all_retries = fresh.is_none() && retries >= self.lanes.most_retries;
            assert!(
                paused || !any || all_retries,
                "nobody works, though there is work"
            );
            return false;
        };
        assert!(
            !paused || job.at_screen || job.for_screen,
            "taken in a pause"
        );
        assert!(
            !busy.contains(&job.lane),
            "two texts of {} at once",
            job.lane
        );
        assert!(
            self.in_hand.contains(&job.entry.id),
            "{} is over",
            job.entry.id
        );
        if at_screen {
            // What happened at a screen does not wait for its turn.
            let is_for_screen = job.at_screen || is_paused && job.for_screen;
            assert!(is_for_screen, "something else came before a screen");
        } else if is_paused && job.for_screen {
            // It needs no peer that refuses.
        } else if job.retried {
            assert_eq!(fresh, None, "a repeated attempt before a new text");
            assert!(
                retries < self.lanes.most_retries,
                "too many repeated attempts"
            );
        } else {
            assert_eq!(
                Some(&job.entry.id),
                fresh.as_ref(),
                "new texts out of order"
            );
        }
        self.working.push(job);
        true
    }

    /// Ends everything that is left; whatever was offered has to come up.
    fn drain(mut self) {
        while !self.in_hand.is_empty() {
            self.time_passes();
            let took = self.take();
            let job = self.some_job(0);
            assert!(took || job.is_some(), "{:?} are lost", self.in_hand);
            if let Some(job) = job {
                assert!(self.in_hand.remove(&job.entry.id), "{} twice", job.entry.id);
                self.lanes.finish(job, PeerProof::Nothing);
            }
        }
        let state = self.lanes.lock();
        assert!(state.ready.is_empty() && state.parked.is_empty() && state.holds.is_empty());
        assert!(state.pace.is_empty());
        assert_eq!(state.hourly_limited, 0);
        assert!(state.woken.is_empty() && state.at_work.is_empty());
        assert!(state.busy.is_empty() && state.held.is_empty() && state.retrying == 0);
    }
}

proptest! {
    #![proptest_config(drawn())]

    #[test]
    fn no_phone_twice_at_once_no_text_lost_new_ones_first(
        workers in 1..9_usize, acts in prop::collection::vec(act(), 0..120)
    ) {
        let mut house = LaneModel::new(workers);
        for act in acts {
            house.play(act);
        }
        house.drain();
    }
}

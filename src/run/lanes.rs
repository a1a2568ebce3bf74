//! Texts in hand: who may be worked on next, by whom, and when again.
//!
//! Redis owns the queue; this is only what was taken from it and has no verdict yet. What is hidden
//! here: one lane for each phone (never two texts of a phone at once), the order (new texts before
//! repeated attempts, which never take more than half of the hands), and the pause of everything but
//! a probe while somebody has to act.

use std::collections::{HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::provision::Wait;
use crate::retry;
use crate::stream::Entry;

/// Texts in hand at most; the others wait in Redis.
const ROOM: usize = 4_096;

/// Attempts of different texts that must fail in a row before the other side counts as away, so
/// that its return is worth telling everybody.
const AWAY_AFTER: u32 = 3;

/// The attempt whose wait is the longest for who fails while others get through: four seconds.
const UNLUCKY: u32 = 3;

/// How an entry ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nobody will need it again.
    Acknowledge,
    /// It was given up, for that reason.
    Bury(String),
}

/// A text in hand.
#[derive(Debug)]
pub struct Job {
    /// Its entry in the stream.
    pub entry: Entry,
    /// Attempts, the present one included.
    pub attempt: u32,
    /// The verdict, once it is reached but Redis has not recorded it.
    pub verdict: Option<Verdict>,
    lane: String,
    retried: bool,
}

struct Parked {
    job: Job,
    due: Instant,
    /// Whether the other side's return makes it due at once.
    on_return: bool,
}

#[derive(Default)]
struct State {
    ready: VecDeque<Job>,
    parked: Vec<Parked>,
    busy: HashSet<String>,
    held: HashSet<String>,
    retrying: usize,
    failures: u32,
    /// The lane that was refused last, with no success of anybody since. One phone may be refused
    /// for reasons of its own; a second one shows that it is everybody's.
    refused: Option<String>,
    /// While set nothing runs; when it passes, one job does.
    paused_until: Option<Instant>,
    stopped: bool,
}

/// The texts in hand, shared by the one who takes them and those who work on them.
pub struct Lanes {
    state: Mutex<State>,
    changed: Condvar,
    most_retries: usize,
}

impl Lanes {
    /// For `hands` workers.
    pub fn new(hands: usize) -> Self {
        Self {
            state: Mutex::new(State::default()),
            changed: Condvar::new(),
            most_retries: (hands / 2).max(1),
        }
    }

    /// Takes an entry in, unless it is in hand already.
    pub fn offer(&self, entry: Entry) {
        let mut state = self.lock();
        if !state.held.insert(entry.id.clone()) {
            return;
        }
        let lane = entry
            .text
            .as_ref()
            .map_or_else(|_| entry.id.clone(), |text| text.from.clone());
        state.ready.push_back(Job {
            entry,
            attempt: 1,
            verdict: None,
            lane,
            retried: false,
        });
        drop(state);
        self.changed.notify_all();
    }

    /// How many more entries may be taken from Redis.
    pub fn room(&self) -> usize {
        ROOM.saturating_sub(self.lock().held.len())
    }

    /// Waits up to `span` for room.
    pub fn wait_for_room(&self, span: Duration) {
        let state = self.lock();
        let full = |state: &mut State| state.held.len() >= ROOM && !state.stopped;
        drop(self.changed.wait_timeout_while(state, span, full));
    }

    /// The next job for a worker; blocks until there is one. `None` = stop.
    pub fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.stopped {
                return None;
            }
            let now = Instant::now();
            state.wake_parked(now);
            if let Some(job) = state.pick(now, self.most_retries) {
                return Some(job);
            }
            state = match state.next_due() {
                None => self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(due) => {
                    let span = due
                        .saturating_duration_since(now)
                        .max(Duration::from_millis(1));
                    let waited = self.changed.wait_timeout(state, span);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Lets go of a job that has its verdict. `proven` = it went through Coder and Twilio, so both
    /// are there. Returns whether that ends a pause.
    pub fn finish(&self, job: &Job, proven: bool) -> bool {
        let mut state = self.lock();
        state.release(job);
        state.held.remove(&job.entry.id);
        let mut ends_pause = false;
        if proven {
            let away = state.failures >= AWAY_AFTER || state.paused_until.is_some();
            ends_pause = state.paused_until.take().is_some();
            state.failures = 0;
            state.refused = None;
            if away {
                state.welcome_back();
            }
        } else if state.paused_until.is_some() {
            // This probe has shown nothing; the next one may go at once.
            state.paused_until = Some(Instant::now());
        }
        drop(state);
        self.changed.notify_all();
        ends_pause
    }

    /// Parks a job until another attempt is due. Returns whether that begins a pause: when a second
    /// phone is refused what no other was granted since.
    pub fn park(&self, mut job: Job, wait: Wait, noise: u8) -> bool {
        let now = Instant::now();
        let mut state = self.lock();
        state.release(&job);
        let mut begins_pause = false;
        let (span, on_return) = match wait {
            Wait::Exactly(span) => (span, false),
            Wait::Away => {
                // While others get through it was bad luck, and the next try is soon.
                let attempt = match state.failures {
                    0..AWAY_AFTER => job.attempt.min(UNLUCKY),
                    _ => job.attempt,
                };
                state.failures = state.failures.saturating_add(1);
                (retry::TEXT.wait(attempt, noise), true)
            }
            Wait::Blocked => {
                let pause = retry::BLOCKED.wait(1, noise);
                let known = state.paused_until.is_some();
                let other = state
                    .refused
                    .replace(job.lane.clone())
                    .is_some_and(|lane| lane != job.lane);
                if known || other {
                    begins_pause = state.paused_until.replace(now + pause).is_none();
                    // Due when the pause is over: then one of those who wait is the probe.
                    (Duration::ZERO, false)
                } else {
                    (pause, false)
                }
            }
        };
        job.attempt = job.attempt.saturating_add(1);
        job.retried = true;
        state.parked.push(Parked {
            job,
            due: now + span,
            on_return,
        });
        drop(state);
        self.changed.notify_all();
        begins_pause
    }

    /// Sends everybody home; what is in hand without a verdict stays pending in Redis.
    pub fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that may panic runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn release(&mut self, job: &Job) {
        self.busy.remove(&job.lane);
        self.retrying -= usize::from(job.retried);
    }

    /// Moves parked jobs whose time has come to the end of the line.
    fn wake_parked(&mut self, now: Instant) {
        let mut i = 0;
        while i < self.parked.len() {
            if self.parked[i].due <= now {
                let parked = self.parked.swap_remove(i);
                self.ready.push_back(parked.job);
            } else {
                i += 1;
            }
        }
    }

    /// Makes all due that waited for the other side, as new ones.
    fn welcome_back(&mut self) {
        let waiting = std::mem::take(&mut self.parked);
        for mut parked in waiting {
            if parked.on_return {
                parked.job.retried = false;
                self.ready.push_back(parked.job);
            } else {
                self.parked.push(parked);
            }
        }
    }

    /// The first job that may run now.
    fn pick(&mut self, now: Instant, most_retries: usize) -> Option<Job> {
        if self.paused_until.is_some_and(|until| until > now) {
            return None;
        }
        let may_run =
            |job: &Job, retries: bool| job.retried == retries && !self.busy.contains(&job.lane);
        let fresh = self.ready.iter().position(|job| may_run(job, false));
        let place = fresh.or_else(|| {
            let room = self.retrying < most_retries;
            room.then(|| self.ready.iter().position(|job| may_run(job, true)))
                .flatten()
        })?;
        let job = self.ready.remove(place)?;
        self.busy.insert(job.lane.clone());
        self.retrying += usize::from(job.retried);
        if self.paused_until.is_some() {
            // This one is the probe; the others wait for what it finds.
            self.paused_until = Some(now + retry::BLOCKED.first);
        }
        Some(job)
    }

    /// When a waiting worker has to look again by itself.
    fn next_due(&self) -> Option<Instant> {
        if let Some(until) = self.paused_until {
            return (!self.ready.is_empty() || !self.parked.is_empty()).then_some(until);
        }
        self.parked.iter().map(|parked| parked.due).min()
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{MessageSid, Text};

    pub(super) fn entry(id: &str, from: &str) -> Entry {
        let text = Text {
            sid: MessageSid::parse(&format!("SM{:032x}", id.len())).unwrap(),
            from: from.into(),
            to: String::new(),
            body: String::new(),
            opt_out: None,
            received: 0,
        };
        Entry {
            id: id.into(),
            text: Ok(text),
        }
    }

    fn pick(lanes: &Lanes) -> Option<String> {
        let mut state = lanes.lock();
        state.wake_parked(Instant::now());
        let most = lanes.most_retries;
        state.pick(Instant::now(), most).map(|job| job.entry.id)
    }

    fn take(lanes: &Lanes) -> Job {
        lanes.next().unwrap()
    }

    #[test]
    fn two_texts_of_one_phone_never_run_at_once() {
        let lanes = Lanes::new(8);
        lanes.offer(entry("1", "+1a"));
        lanes.offer(entry("2", "+1a"));
        lanes.offer(entry("3", "+1b"));
        let first = take(&lanes);
        assert_eq!(first.entry.id, "1");
        assert_eq!(pick(&lanes).as_deref(), Some("3"));
        assert_eq!(pick(&lanes), None);
        lanes.finish(&first, false);
        assert_eq!(pick(&lanes).as_deref(), Some("2"));
    }

    #[test]
    fn an_entry_in_hand_is_not_taken_twice() {
        let lanes = Lanes::new(8);
        lanes.offer(entry("1", "+1a"));
        lanes.offer(entry("1", "+1a"));
        let job = take(&lanes);
        assert_eq!(pick(&lanes), None);
        lanes.finish(&job, false);
        assert_eq!(pick(&lanes), None);
        lanes.offer(entry("1", "+1a"));
        assert_eq!(pick(&lanes).as_deref(), Some("1"));
    }

    #[test]
    fn repeated_attempts_take_half_of_the_hands_and_come_after_new_texts() {
        let lanes = Lanes::new(2);
        for id in ["1", "2"] {
            lanes.offer(entry(id, id));
            let job = take(&lanes);
            lanes.park(job, Wait::Exactly(Duration::ZERO), 0);
        }
        lanes.offer(entry("3", "3"));
        assert_eq!(pick(&lanes).as_deref(), Some("3"));
        assert!(pick(&lanes).is_some());
        assert_eq!(
            pick(&lanes),
            None,
            "one of two hands stays free for new texts"
        );
    }

    #[test]
    fn the_return_of_the_other_side_makes_all_due_at_once() {
        let lanes = Lanes::new(8);
        for id in ["1", "2", "3"] {
            lanes.offer(entry(id, id));
            let job = take(&lanes);
            lanes.park(job, Wait::Away, 0);
        }
        assert_eq!(pick(&lanes), None);
        lanes.offer(entry("4", "4"));
        let proof = take(&lanes);
        lanes.finish(&proof, true);
        assert!((0..3).all(|_| pick(&lanes).is_some()));
    }

    #[test]
    fn one_stuck_student_is_not_tried_again_at_every_success_of_others() {
        let lanes = Lanes::new(8);
        lanes.offer(entry("stuck", "s"));
        let job = take(&lanes);
        lanes.park(job, Wait::Away, 0);
        lanes.offer(entry("4", "4"));
        let proof = take(&lanes);
        lanes.finish(&proof, true);
        assert_eq!(pick(&lanes), None);
    }

    #[test]
    fn who_fails_while_others_get_through_is_tried_again_soon() {
        let wait_of = |others_get_through: bool| {
            let lanes = Lanes::new(8);
            lanes.lock().failures = if others_get_through { 0 } else { AWAY_AFTER };
            lanes.offer(entry("1", "+1a"));
            let mut job = take(&lanes);
            job.attempt = 9;
            lanes.park(job, Wait::Away, 0);
            let due = lanes.lock().parked[0].due;
            due.saturating_duration_since(Instant::now())
        };
        assert!(wait_of(true) <= Duration::from_secs(4));
        assert!(wait_of(false) > Duration::from_secs(8));
    }

    #[test]
    fn a_block_pauses_all_but_one_probe() {
        let lanes = Lanes::new(8);
        for id in ["1", "2", "3"] {
            lanes.offer(entry(id, id));
        }
        let first = take(&lanes);
        assert!(
            !lanes.park(first, Wait::Blocked, 0),
            "one phone may be refused for its own sake"
        );
        let second = take(&lanes);
        assert!(lanes.park(second, Wait::Blocked, 0), "a second one is not");
        assert_eq!(pick(&lanes), None);
        lanes.lock().paused_until = Some(Instant::now());
        let probe = take(&lanes);
        assert_eq!(pick(&lanes), None, "one probe at a time");
        assert!(lanes.finish(&probe, true), "a proof ends the pause");
        assert!(pick(&lanes).is_some());
    }

    #[test]
    fn one_phone_that_is_refused_again_and_again_holds_nobody_up() {
        let lanes = Lanes::new(8);
        lanes.offer(entry("1", "+1a"));
        for _ in 0..3 {
            let job = take(&lanes);
            assert!(!lanes.park(job, Wait::Blocked, 0));
            lanes.lock().parked[0].due = Instant::now();
        }
        lanes.lock().parked[0].due += Duration::from_secs(60);
        lanes.offer(entry("2", "+1b"));
        let other = take(&lanes);
        lanes.finish(&other, true);
        assert_eq!(
            pick(&lanes),
            None,
            "the success of another is no reason to try it at once"
        );
    }

    #[test]
    fn stopping_sends_everybody_home() {
        let lanes = Lanes::new(8);
        lanes.offer(entry("1", "+1a"));
        lanes.stop();
        assert!(lanes.next().is_none());
    }
}

//! Texts in hand: who may be worked on next, by whom, and when again.
//!
//! Redis owns the queue; this is only what was taken from it and has no verdict yet. What is hidden
//! here: one lane for each phone (never two texts of a phone at once), the order (new texts before
//! repeated attempts, which never take more than half of the hands), and the pause of everything but
//! a probe while somebody has to act.

use std::collections::{HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::Phone;
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

/// The lane of a sender: that of the phone, whichever of its numbers it came from, by SMS or by RCS.
fn lane_of(sender: &str) -> String {
    let phone = Phone::of_sender(sender);
    phone.map_or_else(|_| sender.to_owned(), |phone| phone.canonical().to_owned())
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
            .map_or_else(|_| entry.id.clone(), |text| lane_of(&text.from));
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
            Wait::Blocked | Wait::Failing => {
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

    /// Whether everybody waits for one of us to act.
    pub fn is_paused(&self) -> bool {
        self.lock().paused_until.is_some()
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
mod tests;

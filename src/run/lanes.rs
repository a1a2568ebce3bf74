//! Texts in hand: who may be worked on next, by whom, and when again.
//!
//! Redis owns the queue; this is only what was taken from it and has no verdict yet. What is hidden
//! here: one lane for each phone (never two texts of a phone at once), the order (new texts before
//! repeated attempts, which never take more than half of the hands), the pause of everything but
//! a probe while somebody has to act, and whom a cause concerns that is not everybody's.

mod holds;

use std::collections::{HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::{Phone, Region};
use crate::provision::{Cause, RetryTime};
use crate::retry;
use crate::stream::StreamEntry;
use holds::Holds;

/// Texts in hand at most; the others wait in Redis.
const ROOM: usize = 4_096;

/// Attempts of different texts that must fail in a row before the other side counts as away, so
/// that its return is worth telling everybody.
const AWAY_AFTER: u32 = 3;

/// The attempt whose wait is the longest for who fails while others get through: four seconds.
const UNLUCKY: u32 = 3;

/// How an entry ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// Nobody will need it again.
    Acknowledge,
    /// It was given up, for that reason.
    GiveUp(String),
}

/// A text in hand.
#[derive(Debug)]
pub struct Job {
    /// Its entry in the stream.
    pub entry: StreamEntry,
    /// Attempts, the present one included.
    pub attempt: u32,
    /// The verdict, once it is reached but Redis has not recorded it.
    pub verdict: Option<Settlement>,
    lane: String,
    region: Option<Region>,
    retried: bool,
    /// The cause that it waits for, or is tried in spite of.
    held: Option<Cause>,
    /// Successes of others when it was first refused like everybody else.
    refused_at: Option<u64>,
    /// Nobody works on it: a newer text of its phone has taken its place.
    aside: bool,
}

/// What the failure of a job begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitStart {
    /// Everybody waits until somebody acts.
    Pause,
    /// Those wait whom this concerns.
    Hold(Cause),
}

/// What the end of a job ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WaitEnd {
    /// The pause of everybody.
    pub pause: bool,
    /// The wait of those whom this concerns.
    pub hold: Option<Cause>,
}

struct ParkedText {
    job: Job,
    due: Instant,
    /// Whether the other side's return makes it due at once.
    on_return: bool,
}

#[derive(Default)]
struct LaneState {
    ready: VecDeque<Job>,
    parked: Vec<ParkedText>,
    busy: HashSet<String>,
    held: HashSet<String>,
    holds: Holds,
    retrying: usize,
    failures: u32,
    /// Jobs that got through since the start.
    successes: u64,
    /// The lane that was refused last, with no success of anybody since. One phone may be refused
    /// for reasons of its own; a second one shows that it is everybody's.
    refused: Option<String>,
    /// While set nothing runs; when it passes, one job does.
    paused_until: Option<Instant>,
    stopped: bool,
}

/// The texts in hand, shared by the one who takes them and those who work on them.
pub struct Lanes {
    state: Mutex<LaneState>,
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
            state: Mutex::new(LaneState::default()),
            changed: Condvar::new(),
            most_retries: (hands / 2).max(1),
        }
    }

    /// Takes an entry in, unless it is in hand already.
    pub fn offer(&self, entry: StreamEntry) {
        let mut state = self.lock();
        if !state.held.insert(entry.id.clone()) {
            return;
        }
        let from = entry.text.as_ref().map(|text| text.from.as_str());
        let lane = from.map_or_else(|_| entry.id.clone(), lane_of);
        let phone = Phone::parse_any(&lane).ok();
        let region = phone.as_ref().map(Region::of);
        state.ready.push_back(Job {
            entry,
            attempt: 1,
            verdict: None,
            lane,
            region,
            retried: false,
            held: None,
            refused_at: None,
            aside: false,
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
        let full = |state: &mut LaneState| state.held.len() >= ROOM && !state.stopped;
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
    /// are there. Returns what that ends.
    pub fn finish(&self, mut job: Job, proven: bool) -> WaitEnd {
        let mut state = self.lock();
        state.release(&job);
        state.held.remove(&job.entry.id);
        let mut ends = WaitEnd::default();
        if proven {
            let away = state.failures >= AWAY_AFTER || state.paused_until.is_some();
            ends.pause = state.paused_until.take().is_some();
            state.failures = 0;
            state.refused = None;
            state.successes += 1;
            if away {
                state.welcome_back();
            }
            let (next, over) = state.holds.served(&mut job, Instant::now());
            state.ready.extend(next);
            ends.hold = over;
        } else {
            state.holds.leave(&mut job);
            if state.paused_until.is_some() && !job.aside {
                // This probe has shown nothing; the next one may go at once.
                state.paused_until = Some(Instant::now());
            }
        }
        drop(state);
        self.changed.notify_all();
        ends
    }

    /// Takes the older text of this job's phone out that waits for a cause, to be ended: the newer one
    /// waits in its place.
    pub fn take_older(&self, job: &Job) -> Option<Job> {
        let mut older = self.lock().holds.take(&job.lane)?;
        older.aside = true;
        Some(older)
    }

    /// Parks a job until another attempt is due. Returns what that begins, if anything: a pause when a second
    /// phone is refused what no other was granted since.
    pub fn park(&self, mut job: Job, wait: RetryTime, noise: u8) -> Option<WaitStart> {
        let now = Instant::now();
        let mut state = self.lock();
        state.release(&job);
        job.attempt = job.attempt.saturating_add(1);
        if !matches!(wait, RetryTime::Held { .. }) {
            state.holds.leave(&mut job);
        }
        let mut begins = None;
        let (span, on_return) = match wait {
            RetryTime::Held { cause, left } => {
                let tell = state.hold(job, (cause, left), now);
                drop(state);
                self.changed.notify_all();
                return tell.then_some(WaitStart::Hold(cause));
            }
            RetryTime::Exactly(span) => (span, false),
            RetryTime::Away => {
                // While others get through it was bad luck, and the next try is soon.
                let failed = job.attempt - 1;
                let attempt = match state.failures {
                    0..AWAY_AFTER => failed.min(UNLUCKY),
                    _ => failed,
                };
                state.failures = state.failures.saturating_add(1);
                (retry::TEXT.wait(attempt, noise), true)
            }
            RetryTime::Blocked(_) | RetryTime::Failing => {
                let pause = retry::BLOCKED.wait(1, noise);
                let known = state.paused_until.is_some();
                if known || state.concerns_all(&mut job) {
                    let is_new = state.paused_until.replace(now + pause).is_none();
                    begins = is_new.then_some(WaitStart::Pause);
                    // Due when the pause is over: then one of those who wait is the probe.
                    (Duration::ZERO, false)
                } else {
                    (pause, false)
                }
            }
        };
        job.retried = true;
        state.parked.push(ParkedText {
            job,
            due: now + span,
            on_return,
        });
        drop(state);
        self.changed.notify_all();
        begins
    }

    /// Whether everybody waits for one of us to act.
    pub fn is_paused(&self) -> bool {
        self.lock().paused_until.is_some()
    }

    /// Causes that some phones wait for and that were reported.
    pub fn reported_causes(&self) -> Vec<Cause> {
        self.lock().holds.reported().collect()
    }

    /// Stops all workers; what is in hand without a verdict stays pending in Redis.
    pub fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, LaneState> {
        // No code that may panic runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LaneState {
    fn release(&mut self, job: &Job) {
        if job.aside {
            return;
        }
        self.busy.remove(&job.lane);
        self.retrying -= usize::from(job.retried);
    }

    /// Whether the refusal of this job concerns everybody: another phone was refused as well, and nobody
    /// served since. A text that is refused while others are served is refused for its own sake from then on.
    fn concerns_all(&mut self, job: &mut Job) -> bool {
        let successes = self.successes;
        if *job.refused_at.get_or_insert(successes) < successes {
            return false;
        }
        let before = self.refused.replace(job.lane.clone());
        before.is_some_and(|lane| lane != job.lane)
    }

    /// Has a job wait for a cause, for so long at most. Returns whether the operator has to be told.
    fn hold(&mut self, job: Job, wait: (Cause, Duration), now: Instant) -> bool {
        if self.paused_until.is_some() {
            // This probe has shown nothing of what everybody waits for; the next one may go at once.
            self.paused_until = Some(now);
        }
        self.holds.hold(job, wait, now, self.successes > 0)
    }

    /// Moves jobs whose time has come to the end of the line.
    fn wake_parked(&mut self, now: Instant) {
        self.ready.extend(self.holds.due(now));
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
        let mut job = self.ready.remove(place)?;
        job.aside = false;
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
        let held = self.holds.next_due();
        if let Some(until) = self.paused_until {
            let waits = !self.ready.is_empty() || !self.parked.is_empty() || held.is_some();
            return waits.then_some(until);
        }
        let parked = self.parked.iter().map(|parked| parked.due).min();
        parked.into_iter().chain(held).min()
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests;

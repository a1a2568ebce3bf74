//! Decides which text a worker serves next, and when a failed one is retried.
//!
//! Redis owns the queue. This room holds the texts that were taken from it and have no verdict yet. It hides:
//! one lane for each phone (never two texts of a phone at once), the order (new texts before retries,
//! which never occupy more than half of the workers), the pause of all texts but one probe while a
//! person has to act, and which texts wait for a cause that concerns only some phones.

mod holds;

use std::collections::{HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::{MessageSid, Phone, Region};
use crate::provision::{Cause, Peer, RetryTime};
use crate::retry;
use crate::stream::StreamEntry;
use holds::Holds;

/// The largest number of texts held here; the others wait in Redis.
const ROOM: usize = 4_096;

/// The number of attempts in a row that must fail before the peer counts as away. The first success
/// after that makes all waiting texts due.
const AWAY_AFTER: u32 = 3;

/// While other texts are served, a failed one waits as after this attempt at most: four seconds.
const UNLUCKY: u32 = 3;

/// How an entry ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It is acknowledged and deleted.
    Acknowledge,
    /// It becomes a dead letter with this reason.
    GiveUp(String),
}

/// A text that was taken from Redis and has no recorded verdict yet.
#[derive(Debug)]
pub struct Job {
    /// Its entry in the stream.
    pub entry: StreamEntry,
    /// The number of attempts, including the present one.
    pub attempt: u32,
    /// The verdict, if Redis has not recorded it yet.
    pub verdict: Option<Settlement>,
    lane: String,
    region: Option<Region>,
    retried: bool,
    /// The cause that it waits for, or for which it is the present probe.
    held: Option<Cause>,
    /// The number of successes when this text first met a refusal of all texts.
    refused_at: Option<u64>,
    /// No worker has it: a newer text of its phone has replaced it.
    aside: bool,
    /// Its last attempt left its login at a screen.
    at_screen: bool,
    /// It claims a screen, and has not needed Twilio so far.
    for_screen: bool,
}

impl Job {
    fn sid(&self) -> Option<&MessageSid> {
        self.entry.text.as_ref().ok().map(|text| &text.sid)
    }
}

/// What the end of a job proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Nothing.
    Nothing,
    /// Coder is available; Twilio was not called.
    Coder,
    /// Coder and Twilio are available.
    Both,
}

impl From<bool> for Proof {
    fn from(proven: bool) -> Self {
        if proven { Self::Both } else { Self::Nothing }
    }
}

/// A wait that begins with the failure of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitStart {
    /// All texts wait until a person acts.
    Pause,
    /// The texts that this cause concerns wait.
    Hold(Cause),
}

/// The waits that end with the success of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WaitEnd {
    /// The pause of all texts.
    pub pause: bool,
    /// The wait of the texts that this cause concerns.
    pub hold: Option<Cause>,
}

struct ParkedText {
    job: Job,
    due: Instant,
    /// Whether the return of the peer makes it due immediately.
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
    /// The number of texts that were served since the start.
    successes: u64,
    /// The lane that was refused last, without any success since. One phone may be refused for reasons
    /// of its own; a refusal of a second one shows that it concerns all.
    refused: Option<String>,
    /// While set, no job runs until that time; then one runs as a probe.
    paused_until: Option<Instant>,
    /// Whose refusal began the pause, or continued it last.
    paused_by: Option<Peer>,
    /// Texts that a worker has.
    at_work: HashSet<MessageSid>,
    /// Those of them that were woken meanwhile.
    woken: HashSet<MessageSid>,
    stopped: bool,
}

/// The texts being served, shared by the thread that takes them from Redis and the workers.
pub struct Lanes {
    state: Mutex<LaneState>,
    changed: Condvar,
    most_retries: usize,
}

/// The lane of a sender. All forms of a phone's number have the same lane, by SMS and by RCS.
fn lane_of(sender: &str) -> String {
    let phone = Phone::of_sender(sender);
    phone.map_or_else(|_| sender.to_owned(), |phone| phone.canonical().to_owned())
}

impl Lanes {
    /// Empty lanes for `workers` workers.
    pub fn new(workers: usize) -> Self {
        Self {
            state: Mutex::new(LaneState::default()),
            changed: Condvar::new(),
            most_retries: (workers / 2).max(1),
        }
    }

    /// Adds an entry, unless it is already here. `for_screen` = its login goes to a screen, so it need not wait
    /// while Twilio refuses everything.
    pub fn offer_to(&self, entry: StreamEntry, for_screen: bool) {
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
            at_screen: false,
            for_screen,
        });
        drop(state);
        self.changed.notify_all();
    }

    /// The number of entries that may still be taken from Redis.
    pub fn room(&self) -> usize {
        ROOM.saturating_sub(self.lock().held.len())
    }

    /// Waits up to `span` for room.
    pub fn wait_for_room(&self, span: Duration) {
        let state = self.lock();
        let full = |state: &mut LaneState| state.held.len() >= ROOM && !state.stopped;
        drop(self.changed.wait_timeout_while(state, span, full));
    }

    /// The next job for a worker; blocks until there is one. `None` = the service stops.
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

    /// Removes a job whose verdict is recorded. `proof` = Coder and Twilio have both served it.
    /// Returns the waits that this ends.
    pub fn finish(&self, mut job: Job, proof: impl Into<Proof>) -> WaitEnd {
        let proof = proof.into();
        let mut state = self.lock();
        state.release(&job);
        state.held.remove(&job.entry.id);
        let mut ends = WaitEnd::default();
        let by_twilio = state.paused_until.is_some() && state.paused_by == Some(Peer::Twilio);
        if proof == Proof::Both {
            let away = state.failures >= AWAY_AFTER || state.paused_until.is_some();
            ends.pause = state.paused_until.take().is_some();
            state.failures = 0;
            state.refused = None;
            state.successes += 1;
            if away {
                state.wake_all_waiting();
            }
            let (next, over) = state.holds.served(&mut job, Instant::now());
            state.ready.extend(next);
            ends.hold = over;
        } else if proof == Proof::Coder && !by_twilio {
            let away = state.failures >= AWAY_AFTER || state.paused_until.is_some();
            ends.pause = state.paused_until.take().is_some();
            state.failures = 0;
            if away {
                state.wake_all_waiting();
            }
            state.holds.leave(&mut job);
        } else {
            state.holds.leave(&mut job);
            if state.paused_until.is_some() && !job.aside && !job.at_screen && !job.for_screen {
                // This probe has shown nothing, so the next one may run immediately.
                state.paused_until = Some(Instant::now());
            }
        }
        drop(state);
        self.changed.notify_all();
        ends
    }

    /// Takes out an older text of the same phone that waits for a cause. The caller ends it, and the newer
    /// text waits in its place.
    pub fn take_older(&self, job: &Job) -> Option<Job> {
        let mut older = self.lock().holds.take(&job.lane)?;
        older.aside = true;
        Some(older)
    }

    /// Parks a job until its next attempt is due. Returns the wait that this begins, if any: a pause begins when a second
    /// phone is refused without any success in between.
    pub fn park(&self, mut job: Job, wait: RetryTime, noise: u8) -> Option<WaitStart> {
        let now = Instant::now();
        let mut state = self.lock();
        let woken = state.release(&job);
        let at_screen = matches!(wait, RetryTime::Screen(_));
        job.at_screen = at_screen;
        // Whatever else its attempt waits for may be Twilio.
        job.for_screen &= at_screen;
        if !at_screen {
            job.attempt = job.attempt.saturating_add(1);
        }
        if !matches!(wait, RetryTime::Held { .. }) {
            state.holds.leave(&mut job);
        }
        let mut begins = None;
        let (span, on_return) = match wait {
            RetryTime::Held { cause, left } => {
                let is_new = state.hold(job, (cause, left), now);
                drop(state);
                self.changed.notify_all();
                return is_new.then_some(WaitStart::Hold(cause));
            }
            RetryTime::Exactly(span) => (span, false),
            RetryTime::Screen(span) => {
                if state.paused_until.is_some() && state.paused_by != Some(Peer::Twilio) {
                    // This probe has shown that Coder is available; the next one may run immediately.
                    state.paused_until = Some(now);
                }
                (if woken { Duration::ZERO } else { span }, false)
            }
            RetryTime::Away => {
                // While other texts are served, the next attempt comes soon.
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
                    state.paused_by = Some(match wait {
                        RetryTime::Blocked(peer) => peer,
                        _ => Peer::Coder,
                    });
                    let is_new = state.paused_until.replace(now + pause).is_none();
                    begins = is_new.then_some(WaitStart::Pause);
                    // Due when the pause is over; then one of the waiting texts is the probe.
                    (Duration::ZERO, false)
                } else {
                    (pause, false)
                }
            }
        };
        // What waits for a screen has succeeded so far and takes no room from repeated attempts.
        job.retried = !at_screen;
        state.parked.push(ParkedText {
            job,
            due: now + span,
            on_return,
        });
        drop(state);
        self.changed.notify_all();
        begins
    }

    /// Makes a text due whose login waits at a screen. If a worker still has it, it is due when it is
    /// parked.
    pub fn wake(&self, sid: &MessageSid) {
        let mut state = self.lock();
        let now = Instant::now();
        let mut found = false;
        for parked in &mut state.parked {
            if parked.job.at_screen && parked.job.sid() == Some(sid) {
                parked.due = now;
                found = true;
            }
        }
        // One text may be in the stream twice: then one of its entries is parked, and a worker has the other.
        if state.at_work.contains(sid) {
            state.woken.insert(sid.clone());
        }
        drop(state);
        if found {
            self.changed.notify_all();
        }
    }

    /// Whether all texts wait until a person acts.
    pub fn is_paused(&self) -> bool {
        self.lock().paused_until.is_some()
    }

    /// The causes that some phones wait for and that were reported to the operator.
    pub fn reported_causes(&self) -> Vec<Cause> {
        self.lock().holds.reported().collect()
    }

    /// Stops all workers. Texts without a verdict stay pending in Redis.
    pub fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, LaneState> {
        // No code that may panic runs while this lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LaneState {
    /// A worker has ended its attempt at a job. Returns whether the job was woken meanwhile.
    fn release(&mut self, job: &Job) -> bool {
        if job.aside {
            return false;
        }
        self.busy.remove(&job.lane);
        self.retrying -= usize::from(job.retried);
        let Some(sid) = job.sid() else {
            return false;
        };
        self.at_work.remove(sid);
        self.woken.remove(sid)
    }

    /// Whether the refusal of this job concerns all texts: another phone was refused as well, without any success
    /// since. A text that is refused while others are served is refused for its own reasons from then on.
    fn concerns_all(&mut self, job: &mut Job) -> bool {
        let successes = self.successes;
        if *job.refused_at.get_or_insert(successes) < successes {
            return false;
        }
        let before = self.refused.replace(job.lane.clone());
        before.is_some_and(|lane| lane != job.lane)
    }

    /// Makes a job wait for a cause, at most for the given time. Returns whether the operator has to be told.
    fn hold(&mut self, job: Job, wait: (Cause, Duration), now: Instant) -> bool {
        if self.paused_until.is_some() {
            // This probe has shown nothing about the pause, so the next one may run immediately.
            self.paused_until = Some(now);
        }
        self.holds.hold(job, wait, now, self.successes > 0)
    }

    /// Moves jobs that are due to the end of the queue.
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

    /// Makes all jobs due that waited for the peer, and counts them as new ones.
    fn wake_all_waiting(&mut self) {
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
        if self.paused_until.is_some() {
            // What became of a login at a screen is recorded without Coder and Twilio.
            let by_twilio = self.paused_by == Some(Peer::Twilio);
            let may = |job: &Job| job.at_screen || by_twilio && job.for_screen;
            let is_free = |job: &Job| may(job) && !self.busy.contains(&job.lane);
            if let Some(place) = self.ready.iter().position(is_free) {
                return self.take(place);
            }
        }
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
        if self.paused_until.is_some() {
            // This one is the probe; the others wait for its result.
            self.paused_until = Some(now + retry::BLOCKED.first);
        }
        self.take(place)
    }

    /// Gives the job at this place to a worker.
    fn take(&mut self, place: usize) -> Option<Job> {
        let mut job = self.ready.remove(place)?;
        job.aside = false;
        self.busy.insert(job.lane.clone());
        self.retrying += usize::from(job.retried);
        if let Some(sid) = job.sid() {
            self.at_work.insert(sid.clone());
        }
        Some(job)
    }

    /// When a waiting worker has to check again without a wake-up.
    fn next_due(&self) -> Option<Instant> {
        let held = self.holds.next_due();
        if let Some(until) = self.paused_until {
            let waits = !self.ready.is_empty() || !self.parked.is_empty() || held.is_some();
            let screens = self.parked.iter().filter(|parked| parked.job.at_screen);
            let screens = screens.map(|parked| parked.due);
            return waits.then(|| screens.fold(until, Instant::min));
        }
        let parked = self.parked.iter().map(|parked| parked.due).min();
        parked.into_iter().chain(held).min()
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests;

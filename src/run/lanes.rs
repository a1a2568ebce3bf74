//! Decides which text a worker serves next, and when a failed one is retried.
//!
//! Redis owns the queue. This room holds the texts that were taken from it and are not finished. It hides:
//! one lane for each phone (never two texts of a phone at once), the order (new texts before retries,
//! which never occupy more than half of the workers), the pause of all texts but one probe while a
//! person has to act, and which texts wait for a cause that concerns only some phones.

mod holds;
mod pace;
mod state;

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::{MessageSid, Phone, Region};
use crate::provision::{Cause, RetryTime};
use crate::stream::StreamEntry;
use state::LaneState;

/// The largest number of texts held here; the others wait in Redis.
const ROOM: usize = 4_096;

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
    /// It was refused by a limit of calls, and is trying again.
    paced: bool,
    /// Its last attempt found this hour's texts used up.
    hourly_limited: bool,
}

impl Job {
    fn sid(&self) -> Option<&MessageSid> {
        self.entry.text.as_ref().ok().map(|text| &text.sid)
    }
}

/// What the end of a job proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerProof {
    /// Nothing.
    Nothing,
    /// Coder is available; Twilio was not called.
    Coder,
    /// Coder and Twilio are available.
    Both,
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

/// What texts wait for, as far as the operator is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waits {
    /// Whether all texts wait until a person acts.
    pub paused: bool,
    /// The causes that some phones wait for.
    pub causes: Vec<Cause>,
    /// Whether a text waits because this hour's texts are used up.
    pub hourly_limit: bool,
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
            paced: false,
            hourly_limited: false,
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
            state = match state.next_due(now) {
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

    /// Removes a job whose verdict is recorded. Returns the waits that this ends.
    pub fn finish(&self, mut job: Job, proof: PeerProof) -> WaitEnd {
        let mut state = self.lock();
        state.release(&job);
        state.held.remove(&job.entry.id);
        let ends = state.learn(&mut job, proof, Instant::now());
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

    /// Parks a job until its next attempt is due. Returns the wait that this begins, if any: a pause begins
    /// when a second phone is refused without any success in between.
    pub fn park(&self, job: Job, wait: RetryTime, noise: u8) -> Option<WaitStart> {
        let begins = self.lock().park(job, wait, noise, Instant::now());
        self.changed.notify_all();
        begins
    }

    /// Makes a text due if its login waits at a screen. If a worker still has it, it is due when it is
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

    /// Calls `report` with what texts wait for. Nothing changes meanwhile, so what was reported last is true. It must be
    /// short and may not use the lanes.
    pub fn with_waits<T>(&self, report: impl FnOnce(&Waits) -> T) -> T {
        let state = self.lock();
        report(&Waits {
            paused: state.paused_until.is_some(),
            causes: state.holds.reported().collect(),
            hourly_limit: state.hourly_limited > 0,
        })
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

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests;

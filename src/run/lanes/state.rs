//! The texts that are held, as they are at one moment: which one is next, and who waits for what.

use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use super::holds::Holds;
use super::pace::CallPace;
use super::{Job, PeerProof, WaitEnd, WaitStart};
use crate::domain::MessageSid;
use crate::provision::{Cause, Peer, RetryTime};
use crate::retry;

/// The number of attempts in a row that must fail before the peer counts as away. The first success
/// after that makes all waiting texts due.
pub(super) const AWAY_AFTER: u32 = 3;

/// While other texts are served, a failed one waits as after this attempt at most: four seconds.
const UNLUCKY: u32 = 3;

/// A text whose next attempt is not due yet.
pub(super) struct ParkedText {
    pub(super) job: Job,
    pub(super) due: Instant,
    /// Whether the return of the peer makes it due immediately.
    pub(super) on_return: bool,
}

/// All texts, and what their attempts have shown.
#[derive(Default)]
pub(super) struct LaneState {
    pub(super) ready: VecDeque<Job>,
    pub(super) parked: Vec<ParkedText>,
    pub(super) busy: HashSet<String>,
    pub(super) held: HashSet<String>,
    pub(super) holds: Holds,
    pub(super) pace: CallPace,
    pub(super) retrying: usize,
    pub(super) failures: u32,
    /// The number of texts that were served since the start.
    pub(super) successes: u64,
    /// The lane that was refused last, without any success since. One phone may be refused for reasons
    /// of its own; a refusal of a second one shows that it concerns all.
    pub(super) refused: Option<String>,
    /// While set, no job runs until that time; then one runs as a probe.
    pub(super) paused_until: Option<Instant>,
    /// Whose refusal began the pause, or continued it last.
    pub(super) paused_by: Option<Peer>,
    /// The number of texts whose last attempt found this hour's texts used up.
    pub(super) hourly_limited: usize,
    /// Texts that a worker has.
    pub(super) at_work: HashSet<MessageSid>,
    /// Those of them that were woken meanwhile.
    pub(super) woken: HashSet<MessageSid>,
    pub(super) stopped: bool,
}

impl LaneState {
    /// A worker has ended its attempt at a job. Returns whether the job was woken meanwhile.
    pub(super) fn release(&mut self, job: &Job) -> bool {
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

    /// Notes what the end of a job proves about Coder and Twilio. Returns the waits that this ends.
    pub(super) fn learn(&mut self, job: &mut Job, proof: PeerProof, now: Instant) -> WaitEnd {
        self.pace.ended(job, proof != PeerProof::Nothing);
        self.note_hourly_limit(job, false);
        let by_twilio = self.paused_until.is_some() && self.paused_by == Some(Peer::Twilio);
        let mut ends = WaitEnd::default();
        match proof {
            PeerProof::Both => {
                ends.pause = self.peers_are_back();
                self.refused = None;
                self.successes += 1;
                let (next, over) = self.holds.served(job, now);
                self.ready.extend(next);
                ends.hold = over;
            }
            PeerProof::Coder if !by_twilio => {
                ends.pause = self.peers_are_back();
                self.holds.leave(job);
            }
            PeerProof::Coder | PeerProof::Nothing => {
                self.holds.leave(job);
                if self.paused_until.is_some() && !job.aside && !job.at_screen && !job.for_screen {
                    // This probe has shown nothing, so the next one may run immediately.
                    self.paused_until = Some(now);
                }
            }
        }
        ends
    }

    /// Ends the pause, and makes the texts due that waited for a peer. Returns whether there was a pause.
    fn peers_are_back(&mut self) -> bool {
        let paused = self.paused_until.take().is_some();
        if paused || self.failures >= AWAY_AFTER {
            self.wake_all_waiting();
        }
        self.failures = 0;
        paused
    }

    /// Parks a job whose attempt has ended. Returns the wait that this begins, if any.
    pub(super) fn park(
        &mut self,
        mut job: Job,
        wait: RetryTime,
        noise: u8,
        now: Instant,
    ) -> Option<WaitStart> {
        let woken = self.note_end(&mut job, wait);
        let (span, begins_pause) = match wait {
            RetryTime::Held { cause, left } => {
                let is_new = self.hold(job, (cause, left), now);
                return is_new.then_some(WaitStart::Hold(cause));
            }
            RetryTime::CoderLimit(span) => {
                self.pace.refused(job, span, now);
                return None;
            }
            RetryTime::Exactly(span) | RetryTime::HourlyLimit(span) => (span, false),
            RetryTime::Screen(span) => {
                if self.paused_until.is_some() && self.paused_by != Some(Peer::Twilio) {
                    // This probe has shown that Coder is available; the next one may run immediately.
                    self.paused_until = Some(now);
                }
                (if woken { Duration::ZERO } else { span }, false)
            }
            RetryTime::Away => (self.wait_of_failed(&job, noise), false),
            RetryTime::Blocked(peer) => self.pause(&mut job, peer, noise, now),
            RetryTime::Failing => self.pause(&mut job, Peer::Coder, noise, now),
        };
        self.parked.push(ParkedText {
            job,
            due: now + span,
            on_return: matches!(wait, RetryTime::Away),
        });
        begins_pause.then_some(WaitStart::Pause)
    }

    /// Notes that a worker has ended an attempt that is to be followed by another one. Returns whether the job was woken
    /// meanwhile.
    fn note_end(&mut self, job: &mut Job, wait: RetryTime) -> bool {
        let woken = self.release(job);
        let at_screen = matches!(wait, RetryTime::Screen(_));
        job.at_screen = at_screen;
        // Whatever else its attempt waits for may be Twilio.
        job.for_screen &= at_screen;
        // What waits for a screen has succeeded so far and takes no room from repeated attempts.
        job.retried = !at_screen;
        if !at_screen {
            job.attempt = job.attempt.saturating_add(1);
        }
        let is_held = matches!(wait, RetryTime::Held { .. });
        if !is_held {
            self.holds.leave(job);
        }
        self.note_hourly_limit(job, matches!(wait, RetryTime::HourlyLimit(_)));
        if !matches!(wait, RetryTime::CoderLimit(_)) {
            // Only Twilio holds a text, and a login at a screen was made.
            self.pace.ended(job, is_held || at_screen);
        }
        woken
    }

    /// Notes whether the last attempt at a job found this hour's texts used up.
    fn note_hourly_limit(&mut self, job: &mut Job, is_met: bool) {
        let before = std::mem::replace(&mut job.hourly_limited, is_met);
        self.hourly_limited += usize::from(is_met);
        self.hourly_limited -= usize::from(before);
    }

    /// How long a job waits after its attempt has failed by itself. While other texts are served, the next one
    /// comes soon.
    fn wait_of_failed(&mut self, job: &Job, noise: u8) -> Duration {
        let failed = job.attempt - 1;
        let attempt = match self.failures {
            0..AWAY_AFTER => failed.min(UNLUCKY),
            _ => failed,
        };
        self.failures = self.failures.saturating_add(1);
        retry::TEXT.wait(attempt, noise)
    }

    /// Pauses all texts if the refusal of this job concerns all of them. Returns how long the job waits, and
    /// whether the pause is a new one.
    fn pause(&mut self, job: &mut Job, by: Peer, noise: u8, now: Instant) -> (Duration, bool) {
        let pause = retry::BLOCKED.wait(1, noise);
        if self.paused_until.is_none() && !self.concerns_all(job) {
            return (pause, false);
        }
        self.paused_by = Some(by);
        let is_new = self.paused_until.replace(now + pause).is_none();
        // Due when the pause is over; then one of the waiting texts is the probe.
        (Duration::ZERO, is_new)
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
    pub(super) fn wake_parked(&mut self, now: Instant) {
        self.ready.extend(self.holds.due(now));
        self.ready.extend(self.pace.due(now));
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
    pub(super) fn pick(&mut self, now: Instant, most_retries: usize) -> Option<Job> {
        // What became of a login at a screen is recorded without Coder and Twilio, so neither a pause nor a queue
        // holds it up: until it is recorded, nobody knows that the account is used.
        let by_twilio = self.paused_until.is_some() && self.paused_by == Some(Peer::Twilio);
        let may = |job: &Job| job.at_screen || by_twilio && job.for_screen;
        let is_free = |job: &Job| may(job) && !self.busy.contains(&job.lane);
        if let Some(place) = self.ready.iter().position(is_free) {
            return self.take(place);
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

    /// When a worker that found nothing to do at `now` has to check again without a wake-up.
    pub(super) fn next_due(&self, now: Instant) -> Option<Instant> {
        let apart = self.holds.next_due().into_iter();
        let apart = apart.chain(self.pace.next_due()).min();
        // Once the next text may probe, what was ready would be running, or waits for the end of another one.
        if let Some(until) = self.paused_until.filter(|until| *until > now) {
            let waits = !self.ready.is_empty() || !self.parked.is_empty() || apart.is_some();
            let screens = self.parked.iter().filter(|parked| parked.job.at_screen);
            let screens = screens.map(|parked| parked.due);
            return waits.then(|| screens.fold(until, Instant::min));
        }
        let parked = self.parked.iter().map(|parked| parked.due).min();
        parked.into_iter().chain(apart).min()
    }
}

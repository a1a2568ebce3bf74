//! Texts that wait for a cause which concerns only some phones, such as a region that is not enabled. Other
//! texts do not wait for them.
//!
//! This module hides when such a text is tried again. One text of each cause is tried every minute. If a text
//! that the cause concerns is served, two more are tried immediately, and two more for each of them that is
//! served, so a whole class is served within seconds. A text that was refused again is tried at most once a
//! minute, however many others are served.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Job;
use crate::provision::Cause;
use crate::retry;

/// The number of texts that are tried because another one was served.
const RELEASED: usize = 2;

/// The number of phones that must be refused in a row until the refusal counts as the sender's fault: before
/// the first success since the start, and after it.
const SUSPECT_AFTER: [usize; 2] = [2, 5];

/// A text that waits.
#[derive(Debug)]
struct HeldLane {
    job: Job,
    /// From this time on the success of another text releases it.
    ripe: Instant,
    /// The time of its last attempt.
    until: Instant,
}

/// All texts that wait for one cause.
#[derive(Debug)]
struct CauseHold {
    cause: Cause,
    waiting: VecDeque<HeldLane>,
    /// The number of texts that wait or are being tried again.
    members: usize,
    probe_at: Instant,
    /// The first few phones that were refused since the last success that this cause concerns.
    refused: Vec<String>,
    /// Whether the operator was told.
    reported: bool,
}

/// The waits for all causes.
#[derive(Debug, Default)]
pub(super) struct Holds(Vec<CauseHold>);

impl Holds {
    /// Makes a job wait for `cause`, at most for `left`. `proven` = a text was served since the start. Returns whether
    /// the operator has to be told now.
    pub(super) fn hold(
        &mut self,
        mut job: Job,
        (cause, left): (Cause, Duration),
        now: Instant,
        proven: bool,
    ) -> bool {
        if job.held != Some(cause) {
            self.leave(&mut job);
        }
        let place = self.0.iter().position(|hold| hold.cause == cause);
        let place = place.unwrap_or_else(|| {
            self.0.push(CauseHold {
                cause,
                waiting: VecDeque::new(),
                members: 0,
                probe_at: now + retry::BLOCKED.first,
                refused: Vec::new(),
                reported: false,
            });
            self.0.len() - 1
        });
        let hold = &mut self.0[place];
        hold.members += usize::from(job.held.is_none());
        if hold.refused.len() < SUSPECT_AFTER[1] && !hold.refused.contains(&job.lane) {
            hold.refused.push(job.lane.clone());
        }
        let pause = if job.held.is_none() {
            Duration::ZERO
        } else {
            retry::BLOCKED.first
        };
        job.held = Some(cause);
        job.retried = true;
        hold.waiting.push_back(HeldLane {
            job,
            ripe: now + pause,
            until: now + left,
        });
        let enough = match cause {
            Cause::Sender => SUSPECT_AFTER[usize::from(proven)],
            Cause::Region(_) | Cause::Unverified => 1,
        };
        let is_new = !hold.reported && hold.refused.len() >= enough;
        hold.reported |= is_new;
        is_new
    }

    /// Takes out the waiting text of a phone, because a newer one of the same phone replaces it.
    pub(super) fn take(&mut self, lane: &str) -> Option<Job> {
        let is_its = |held: &HeldLane| held.job.lane == lane;
        let found = self.0.iter_mut().find_map(|hold| {
            let place = hold.waiting.iter().position(is_its)?;
            hold.waiting.remove(place)
        });
        found.map(|HeldLane { mut job, .. }| {
            self.leave(&mut job);
            job
        })
    }

    /// Counts a job as no longer waiting for a cause.
    pub(super) fn leave(&mut self, job: &mut Job) {
        if let Some(cause) = job.held.take()
            && let Some(hold) = self.0.iter_mut().find(|hold| hold.cause == cause)
        {
            hold.members = hold.members.saturating_sub(1);
        }
        self.0.retain(|hold| hold.members > 0);
    }

    /// Called when a job was served. Returns the jobs to try now, and the cause that is over, if it was reported to the
    /// operator.
    pub(super) fn served(&mut self, job: &mut Job, now: Instant) -> (Vec<Job>, Option<Cause>) {
        let mut over = None;
        // This success also answers an older text of the same phone.
        let mut next: Vec<Job> = self.take(&job.lane).into_iter().collect();
        for hold in &mut self.0 {
            let is_member = job.held == Some(hold.cause);
            if !hold.concerns(job) {
                continue;
            }
            hold.refused.clear();
            if is_member && std::mem::take(&mut hold.reported) {
                over = Some(hold.cause);
            }
            for _ in 0..RELEASED {
                let ripe = |held: &HeldLane| is_member || held.ripe <= now;
                let place = hold.waiting.iter().position(ripe);
                let held = place.and_then(|place| hold.waiting.remove(place));
                next.extend(held.map(|held| held.job));
            }
        }
        self.leave(job);
        (next, over)
    }

    /// The jobs that are due.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Job> {
        let mut due = Vec::new();
        for hold in &mut self.0 {
            if hold.probe_at <= now {
                hold.probe_at = now + retry::BLOCKED.first;
                due.extend(hold.waiting.pop_front());
            }
            while let Some(place) = hold.waiting.iter().position(|held| held.until <= now) {
                due.extend(hold.waiting.remove(place));
            }
        }
        due.into_iter().map(|held| held.job).collect()
    }

    /// The causes that were reported to the operator and that texts still wait for.
    pub(super) fn reported(&self) -> impl Iterator<Item = Cause> {
        let reported = self.0.iter().filter(|hold| hold.reported);
        reported.map(|hold| hold.cause)
    }

    /// When the next job is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let holds = self.0.iter().filter(|hold| !hold.waiting.is_empty());
        let times = holds.flat_map(|hold| {
            let ends = hold.waiting.iter().map(|held| held.until);
            ends.chain([hold.probe_at])
        });
        times.min()
    }

    /// Makes all waiting jobs due now.
    #[cfg(test)]
    pub(super) fn end_waits(&mut self, now: Instant) {
        for hold in &mut self.0 {
            hold.waiting.iter_mut().for_each(|held| held.until = now);
        }
    }

    /// Whether no text waits here.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl CauseHold {
    /// Whether the success of this job may mean that the cause is over.
    fn concerns(&self, job: &Job) -> bool {
        match self.cause {
            Cause::Region(region) => job.region == Some(region),
            Cause::Unverified | Cause::Sender => true,
        }
    }
}

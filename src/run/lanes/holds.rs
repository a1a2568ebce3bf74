//! Texts that wait for a cause which concerns some phones only, such as a region that is not switched on:
//! nobody else waits for them.
//!
//! What is hidden here: when such a text is tried again. One of each cause is tried every minute. Where
//! another text gets through that the cause concerns as well, two are tried at once; each of them that
//! gets through brings on two more, so a whole class is served within seconds. A text that was refused again
//! is tried once a minute at most, however many others get through.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Job;
use crate::provision::Cause;
use crate::retry;

/// Texts that are tried because another one got through.
const BROUGHT_ON: usize = 2;

/// Phones that the sender has to be refused for, with nobody served in between, until it counts as the
/// sender's fault: before anybody was served since the start, and after.
const SUSPECT_AFTER: [usize; 2] = [2, 5];

/// A text that waits.
#[derive(Debug)]
struct HeldLane {
    job: Job,
    /// From when on another one's success brings it on.
    ripe: Instant,
    /// When it is tried for the last time.
    until: Instant,
}

/// All that wait for one cause.
#[derive(Debug)]
struct CauseHold {
    cause: Cause,
    waiting: VecDeque<HeldLane>,
    /// Texts that wait or are being tried once more.
    members: usize,
    probe_at: Instant,
    /// Phones that were refused since anybody was served that this concerns, the first few.
    refused: Vec<String>,
    /// Whether the operator was told.
    told: bool,
}

/// Everybody who waits for such a cause.
#[derive(Debug, Default)]
pub(super) struct Holds(Vec<CauseHold>);

impl Holds {
    /// Has a job wait for `cause`, until `left` is over at most; `proven` = somebody was served since the start.
    /// Returns whether the operator has to be told now.
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
                told: false,
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
        let tell = !hold.told && hold.refused.len() >= enough;
        hold.told |= tell;
        tell
    }

    /// Takes out the text of a phone that waits here, as a newer one of the same phone takes its place.
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

    /// A job that is no longer one of those that wait for a cause.
    pub(super) fn leave(&mut self, job: &mut Job) {
        if let Some(cause) = job.held.take()
            && let Some(hold) = self.0.iter_mut().find(|hold| hold.cause == cause)
        {
            hold.members = hold.members.saturating_sub(1);
        }
        self.0.retain(|hold| hold.members > 0);
    }

    /// A job got through. Returns the jobs to try now, and the cause that is over, if the operator was told of it.
    pub(super) fn served(&mut self, job: &mut Job, now: Instant) -> (Vec<Job>, Option<Cause>) {
        let mut over = None;
        // An older text of the same phone is answered by this success.
        let mut next: Vec<Job> = self.take(&job.lane).into_iter().collect();
        for hold in &mut self.0 {
            let is_member = job.held == Some(hold.cause);
            if !hold.concerns(job) {
                continue;
            }
            hold.refused.clear();
            if is_member && std::mem::take(&mut hold.told) {
                over = Some(hold.cause);
            }
            for _ in 0..BROUGHT_ON {
                let ripe = |held: &HeldLane| is_member || held.ripe <= now;
                let place = hold.waiting.iter().position(ripe);
                let held = place.and_then(|place| hold.waiting.remove(place));
                next.extend(held.map(|held| held.job));
            }
        }
        self.leave(job);
        (next, over)
    }

    /// The jobs to try as their time has come.
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

    /// The causes that the operator was told of and that texts still wait for.
    pub(super) fn reported(&self) -> impl Iterator<Item = Cause> {
        let told = self.0.iter().filter(|hold| hold.told);
        told.map(|hold| hold.cause)
    }

    /// When [`Holds::due`] has something next.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let holds = self.0.iter().filter(|hold| !hold.waiting.is_empty());
        let times = holds.flat_map(|hold| {
            let ends = hold.waiting.iter().map(|held| held.until);
            ends.chain([hold.probe_at])
        });
        times.min()
    }

    /// Makes every wait end now.
    #[cfg(test)]
    pub(super) fn end_waits(&mut self, now: Instant) {
        for hold in &mut self.0 {
            hold.waiting.iter_mut().for_each(|held| held.until = now);
        }
    }

    /// Whether nobody waits here.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl CauseHold {
    /// Whether the success of this job says something about those that wait.
    fn concerns(&self, job: &Job) -> bool {
        match self.cause {
            Cause::Region(region) => job.region == Some(region),
            Cause::Unverified | Cause::Sender => true,
        }
    }
}

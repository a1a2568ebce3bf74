//! Texts that a limit of calls has refused. They try again one after the other, and as many side by side as are accepted.
//!
//! Coder counts the calls of a sliding minute, and does not count those that it refuses (go-chi/httprate). So its limit
//! ends bit by bit, and when the next call will be accepted depends on when the earlier ones were made. The answer does
//! not say that: its `Retry-After` is always a minute. So one text at a time probes. Each that is accepted lets two more
//! try; the first refusal ends that.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Job;

/// The texts that wait for the limit, in the order of their first refusals.
#[derive(Default)]
pub(super) struct CallPace {
    waiting: VecDeque<Job>,
    /// None tries before.
    until: Option<Instant>,
    /// How many more may try, as attempts have ended.
    room: usize,
    /// How many are trying.
    trying: usize,
}

impl CallPace {
    /// Keeps a text that was refused. The next one probes after `span`, or when the wait that lasts already is over.
    pub(super) fn refused(&mut self, mut job: Job, span: Duration, now: Instant) {
        if !self.lasts(now) {
            self.until = Some(now + span);
        }
        self.room = 0;
        if std::mem::take(&mut job.paced) {
            self.trying -= 1;
            self.waiting.push_front(job);
        } else {
            self.waiting.push_back(job);
        }
    }

    /// Notes that an attempt has ended without a refusal by the limit. `accepted` = Coder has served it.
    pub(super) fn ended(&mut self, job: &mut Job, accepted: bool) {
        if std::mem::take(&mut job.paced) {
            self.trying -= 1;
            self.room += if accepted { 2 } else { 1 };
        }
    }

    /// Takes out the texts that may try now.
    pub(super) fn due(&mut self, now: Instant) -> impl Iterator<Item = Job> + '_ {
        let mut room = std::mem::take(&mut self.room);
        if self.lasts(now) {
            room = 0;
        } else if self.trying == 0 {
            room = room.max(1);
        }
        let count = room.min(self.waiting.len());
        self.trying += count;
        self.waiting.drain(..count).map(|mut job| {
            job.paced = true;
            job
        })
    }

    /// When the next text probes; `None` if none waits, or if the end of an attempt will tell.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let waits = !self.waiting.is_empty() && self.trying == 0;
        self.until.filter(|_| waits)
    }

    /// Lets a text probe now.
    #[cfg(test)]
    pub(super) fn end_wait(&mut self, now: Instant) {
        self.until = self.until.map(|_| now);
    }

    /// Whether no text waits, and none is trying.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.trying == 0
    }

    fn lasts(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }
}

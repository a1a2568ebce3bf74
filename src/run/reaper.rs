//! The loop of the reaper: daily tasks, removals, redaction in Twilio's log, sleep.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use log::{info, log};

use super::daily::{DailyRounds, forget_phones};
use crate::clock::{ClockWatch, unix_now, uptime};
use crate::domain::{UnixSeconds, count};
use crate::obstacles::{Obstacle, Obstacles};
use crate::reap::Reaper;
use crate::reconcile::Reconciler;
use crate::redact::Redactor;
use crate::stop::Stop;
use crate::store::StoreError;
use crate::stream::Settler;

/// The pause between two sweeps while more logins wait to be redacted.
const MOMENT: Duration = Duration::from_millis(100);

/// The pause before the next attempt to write to a database that cannot be written.
const WRITE_AGAIN: Duration = Duration::from_secs(10);

/// The parts that the loop uses.
pub(super) struct ReaperLoop {
    pub(super) reaper: Reaper,
    /// Searches for accounts that the database does not contain.
    pub(super) reconciler: Reconciler,
    /// Redacts logins in Twilio's log, unless that is switched off.
    pub(super) redactor: Option<Redactor>,
    pub(super) settler: Arc<Settler>,
    /// How long a text is retried.
    pub(super) text_life: Duration,
    /// Wakes the reaper early.
    pub(super) wakeups: Receiver<()>,
    pub(super) obstacles: Arc<Obstacles>,
}

impl ReaperLoop {
    /// Sweeps at each check interval, and earlier if a removal in progress needs it or after a wake-up. Runs until `stop`;
    /// a stop must also wake this loop. Returns whether it ended because of `stop`.
    pub(super) fn run(&self, stop: &Stop) -> bool {
        let reaper = &self.reaper;
        let mut rounds = DailyRounds::new(
            &self.reconciler,
            &self.settler,
            &reaper.token,
            &self.obstacles,
            (reaper.check_interval, self.text_life),
        );
        let mut watch = ClockWatch::default();
        loop {
            let (now, uptime) = (unix_now(), uptime());
            // First, because accounts adopted next are dated by the clock as it is now.
            let followed = follow_clock(reaper, &mut watch, now, uptime);
            rounds.run(now);
            match followed.and_then(|()| reaper.sweep(now)) {
                Ok(swept) if swept.removed > 0 => {
                    info!(
                        "removed {}; waiting: {}",
                        count(swept.removed, "account"),
                        swept.waiting
                    );
                    if matches!(reaper.store.count(), Ok(0)) {
                        forget_phones(&self.settler);
                    }
                }
                Ok(_) => {}
                Err(error) => log!(error.level(), "no removals: {error}"),
            }
            let is_unwritable = self.is_unwritable();
            let more = self
                .redactor
                .as_ref()
                .is_some_and(|redactor| redact(redactor, now, stop));
            let pause = match (more, pause(reaper, &rounds)) {
                (true, _) => MOMENT,
                (_, pause) if is_unwritable => pause.min(WRITE_AGAIN),
                (_, pause) => pause,
            };
            // One sweep is enough for several wake-ups.
            let _ = self.wakeups.recv_timeout(pause);
            while self.wakeups.try_recv().is_ok() {}
            if stop.asked() {
                return true;
            }
        }
    }
}

impl ReaperLoop {
    /// Whether the database cannot be written. If it could not before, this tries it, so that the end of the fault is
    /// noticed although nothing else is written.
    fn is_unwritable(&self) -> bool {
        const DISK: [Obstacle; 2] = [Obstacle::DiskFull, Obstacle::DatabaseNotWritable];
        let before = DISK.iter().any(|one| self.obstacles.has(*one));
        before && self.reaper.store.probe().is_err()
    }
}

/// Redacts logins in Twilio's log. Returns whether more of them can be redacted now.
fn redact(redactor: &Redactor, now: UnixSeconds, stop: &Stop) -> bool {
    match redactor.sweep(now, || stop.asked()) {
        Ok(swept) => swept.more,
        Err(error) => {
            log!(error.level(), "logins stay in Twilio's log: {error}");
            false
        }
    }
}

/// Tells the reaper about a change of the clock. If the reaper cannot record it, the next call tells it again.
fn follow_clock(
    reaper: &Reaper,
    watch: &mut ClockWatch,
    now: UnixSeconds,
    uptime: Option<UnixSeconds>,
) -> Result<(), StoreError> {
    if let Some(step) = watch.inspect(now, uptime) {
        reaper.clock_was_set(step, now)?;
    }
    watch.note(now, uptime);
    Ok(())
}

fn pause(reaper: &Reaper, rounds: &DailyRounds<'_>) -> Duration {
    let now = unix_now();
    let next = reaper.store.next_check(now).ok().flatten();
    let next = next.map(|at| at.saturating_sub(now));
    let soonest = next.into_iter().chain(rounds.next_question_in(now)).min();
    let soon = soonest.map(|left| Duration::from_secs(left.max(1).unsigned_abs()));
    soon.map_or(reaper.check_interval, |span| {
        span.min(reaper.check_interval)
    })
}

//! What happens to a text that has to wait: when it is tried again, and what the operator is told.

use std::time::Instant;

use log::{debug, error, info, warn};

use super::counters::Delay;
use super::{TextLoop, log_done};
use crate::clock::unix_now;
use crate::domain::noise;
use crate::obstacles::{Observer, Obstacle};
use crate::provision::{Cause, Later, Outcome, Peer, RetryTime};
use crate::run::lanes::{Job, PeerProof, Settlement, WaitStart};

impl TextLoop {
    /// Puts a text off, and says so in the log and in the list of obstacles.
    pub(super) fn put_off(&self, job: Job, later: &Later) {
        if let RetryTime::Screen(_) = later.wait {
            if let Ok(text) = &job.entry.text {
                debug!("text {}: {}", text.sid, later.why);
            }
            self.lanes.park(job, later.wait, 0);
            return;
        }
        self.counts.put_off.add(match later.wait {
            RetryTime::Away => Delay::Away,
            RetryTime::Blocked(_) | RetryTime::Failing => Delay::Blocked,
            RetryTime::Held { .. } => Delay::Held,
            RetryTime::Exactly(_)
            | RetryTime::CoderLimit(_)
            | RetryTime::HourlyLimit(_)
            | RetryTime::Screen(_) => Delay::Wait,
        });
        self.log_attempt(&job, later);
        if matches!(later.wait, RetryTime::CoderLimit(_)) && self.call_limit.is_news(Instant::now())
        {
            let why = &later.why;
            warn!(
                "Coder accepts no more calls for now, texts that need one are served as soon as it accepts them: {why}"
            );
        }
        if matches!(later.wait, RetryTime::Held { .. })
            && let Some(older) = self.lanes.take_older(&job)
        {
            self.supersede(older);
        }
        match self.lanes.park(job, later.wait, noise()) {
            Some(start) => self.report_start(start, later),
            None => self.report_probe(later),
        }
        self.report_waits();
    }

    /// Logs a failed attempt. The longer it lasts, the fewer lines: a class that waits for hours must not fill the
    /// disk.
    fn log_attempt(&self, job: &Job, later: &Later) {
        let level = match (job.attempt, later.wait) {
            // Told once for all of them.
            (_, RetryTime::CoderLimit(_) | RetryTime::HourlyLimit(_)) => log::Level::Debug,
            // Already reported for all texts.
            (1, RetryTime::Blocked(peer)) if self.obstacles.has(refusal_of(peer)) => {
                log::Level::Warn
            }
            (1, RetryTime::Blocked(_)) => log::Level::Error,
            // If a second phone meets the same, the pause reports it for all.
            (3, RetryTime::Failing) if !self.lanes.is_paused() => log::Level::Error,
            (1, _) => log::Level::Warn,
            (n, _) if n.is_power_of_two() => log::Level::Info,
            _ => log::Level::Debug,
        };
        if let Ok(text) = &job.entry.text {
            let (sid, attempt, why) = (&text.sid, job.attempt, &later.why);
            log::log!(
                level,
                "text {sid}: attempt {attempt} failed, trying again: {why}"
            );
        }
    }

    /// Says once that many texts wait from now on.
    fn report_start(&self, start: WaitStart, later: &Later) {
        let why = &later.why;
        match start {
            WaitStart::Pause => {
                let peer = match later.wait {
                    RetryTime::Blocked(peer) => peer,
                    _ => Peer::Coder,
                };
                let is_new = self.obstacles.begin(refusal_of(peer), Observer::Texts);
                log::log!(
                    if is_new {
                        log::Level::Error
                    } else {
                        log::Level::Warn
                    },
                    "all texts are paused until this is fixed, one of them is tried each minute: {why}"
                );
            }
            WaitStart::Hold(cause) => {
                error!(
                    "texts to {cause} wait until this is fixed, one of them is tried each minute; other phones are served: {why}"
                );
            }
        }
    }

    /// Shows again what a probe was refused for: Coder may accept the token by now, and refuse to make accounts.
    fn report_probe(&self, later: &Later) {
        let peer = match later.wait {
            RetryTime::Blocked(peer) => peer,
            RetryTime::Failing => Peer::Coder,
            _ => return,
        };
        if self.lanes.is_paused() {
            self.obstacles.begin(refusal_of(peer), Observer::Texts);
        }
    }

    /// Updates the list of obstacles with what texts wait for.
    pub(super) fn report_waits(&self) {
        let set = |obstacle, is_seen| self.obstacles.set(obstacle, Observer::Texts, is_seen);
        let limit_met = self.lanes.with_waits(|waits| {
            let by_sender = |cause: &Cause| *cause == Cause::Sender;
            set(Obstacle::SenderBlocked, waits.causes.iter().any(by_sender));
            set(Obstacle::PhonesBlocked, !waits.causes.iter().all(by_sender));
            if !waits.paused {
                set(Obstacle::CoderRefuses, false);
                set(Obstacle::TwilioRefuses, false);
            }
            let is_news = set(Obstacle::HourlyLimit, waits.hourly_limit);
            is_news.then_some(waits.hourly_limit)
        });
        let limit = self.provisioner.limits.hourly_texts;
        match limit_met {
            Some(true) => error!(
                "logins wait: CODER_REG_HOURLY_TEXTS allows {limit} an hour, and as many texts were sent. To send them now, raise the number and restart the service; otherwise they are sent as the hour goes on"
            ),
            Some(false) => info!("no login waits for the limit of texts per hour any more"),
            None => {}
        }
    }

    /// Ends a waiting text, because a newer one of the same phone has replaced it: one login answers both.
    fn supersede(&self, mut older: Job) {
        if let Ok(text) = &older.entry.text {
            match self.provisioner.leave_to_newer(text, unix_now()) {
                Outcome::Done(done) => {
                    log_done(text.sid.as_str(), &done);
                    self.counts.done(&done);
                    older.verdict = Some(Settlement::Acknowledge);
                }
                // Not recorded, so it stays and is retried on its own.
                Outcome::Later(later) => {
                    self.lanes.park(older, later.wait, noise());
                    return;
                }
                Outcome::Never(_) => {}
            }
        }
        self.end(older, PeerProof::Nothing);
    }
}

/// The obstacle for a refusal of all texts by `peer`.
fn refusal_of(peer: Peer) -> Obstacle {
    match peer {
        Peer::Coder => Obstacle::CoderRefuses,
        Peer::Twilio => Obstacle::TwilioRefuses,
    }
}

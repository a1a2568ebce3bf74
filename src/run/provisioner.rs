//! The loop of the provisioner: it takes texts from Redis, gives them to the workers, and turns each outcome
//! into acknowledge, retry or dead letter. This happens only here.

mod counters;
mod waits;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use log::{debug, error, info, warn};

use super::call_limit::CallLimit;
use super::channels::Channels;
use super::lanes::{self, Job, Lanes, PeerProof};
use super::notifier::Notifier;
use super::workspaces::WorkspaceWaker;
use crate::clock::unix_now;
use crate::domain::{MessageSid, Text, noise};
use crate::obstacles::{Observer, Obstacle, Obstacles};
use crate::provision::{Completion, Later, Outcome, Provisioner, RetryTime, Silence};
use crate::retry;
use crate::stop::Stop;
use crate::stream::{LONGEST_BLOCK, NewDeadLetter, Settler, StreamEntry, StreamError, Taker};
pub(super) use counters::TextCounters;
use counters::TextResult;

/// The largest number of entries that are taken at once.
const TAKE: usize = 64;

/// The number of attempts at a text that causes a panic.
const PANICS: u32 = 3;

/// The parts that the loop uses.
pub(super) struct TextLoop {
    pub(super) provisioner: Provisioner,
    pub(super) settler: Arc<Settler>,
    pub(super) lanes: Arc<Lanes>,
    pub(super) parallel: usize,
    /// Wakes the catch-up after an outage of Redis.
    pub(super) notifier: Notifier,
    pub(super) counts: Arc<TextCounters>,
    pub(super) call_limit: CallLimit,
    pub(super) channels: Channels,
    /// Wakes the maker of workspaces; `None` = none are made.
    pub(super) workspaces: Option<WorkspaceWaker>,
    /// Wakes the keeper of spare accounts.
    pub(super) spares: Notifier,
    pub(super) obstacles: Arc<Obstacles>,
}

impl TextLoop {
    /// Runs until `stop`; then every worker finishes its text. Returns whether it ended because of `stop`.
    pub(super) fn run(&self, taker: &mut Taker, stop: &Stop) -> bool {
        std::thread::scope(|scope| {
            for number in 1..=self.parallel {
                let worker = std::thread::Builder::new().name(format!("worker-{number}"));
                if let Err(error) = worker.spawn_scoped(scope, || self.work()) {
                    warn!("worker {number} cannot be started: {error}");
                }
            }
            self.take(taker, stop);
            self.lanes.stop();
        });
        stop.asked()
    }

    fn take(&self, taker: &mut Taker, stop: &Stop) {
        let mut failures = 0;
        let mut reported = None;
        while !stop.asked() {
            let room = self.lanes.room();
            if room == 0 {
                self.lanes.wait_for_room(Duration::from_secs(1));
                continue;
            }
            match taker.take(room.min(TAKE), LONGEST_BLOCK) {
                Ok(entries) => {
                    if reported.take().is_some() {
                        info!("texts are read from Redis again");
                        self.notifier.notify();
                    }
                    failures = 0;
                    self.obstacles.set_redis(Observer::Texts, None);
                    self.obstacles.clear(Obstacle::RedisAway);
                    entries.into_iter().for_each(|entry| self.offer(entry));
                }
                Err(fault) => {
                    failures += 1;
                    report(&fault, &mut reported);
                    self.obstacles
                        .set_redis(Observer::Texts, Some(fault.name()));
                    stop.wait(retry::CONNECT.wait(failures, noise()));
                }
            }
        }
    }

    fn offer(&self, entry: StreamEntry) {
        let for_screen = entry
            .text
            .as_ref()
            .is_ok_and(|text| self.provisioner.claims_screen(text));
        self.lanes.offer_to(entry, for_screen);
    }

    fn work(&self) {
        while let Some(mut job) = self.lanes.next() {
            if job.verdict.is_some() {
                self.end(job, PeerProof::Nothing);
                continue;
            }
            let outcome = match &job.entry.text {
                Ok(text) => self.attempt(text, job.attempt),
                // The entry was deleted while it was pending, so only its id is left.
                Err(unreadable) if unreadable.deleted => {
                    Outcome::Done(Completion::Silent(Silence::Deleted))
                }
                Err(_) => Outcome::Never("unreadable entry".to_owned()),
            };
            let sid = job.entry.text.as_ref();
            let sid = sid.map_or("(unreadable)", |text| text.sid.as_str());
            match outcome {
                Outcome::Later(later) => self.put_off(job, &later),
                Outcome::Done(done) => {
                    log_done(sid, &done);
                    if let (Ok(text), Completion::Silent(Silence::WhatsApp | Silence::Channel)) =
                        (&job.entry.text, &done)
                    {
                        self.channels.report(text);
                    }
                    self.counts.done(&done);
                    self.wake_others(&done);
                    job.verdict = Some(lanes::Settlement::Acknowledge);
                    let proof = match done {
                        Completion::LoginSent { .. } => PeerProof::Both,
                        Completion::LoginShown { .. } => PeerProof::Coder,
                        _ => PeerProof::Nothing,
                    };
                    self.end(job, proof);
                }
                Outcome::Never(reason) => {
                    error!("text {sid}: given up: {reason}{}", retry_hint(sid));
                    self.counts.ended.add(TextResult::GivenUp);
                    job.verdict = Some(lanes::Settlement::GiveUp(reason));
                    self.end(job, PeerProof::Nothing);
                }
            }
        }
    }

    /// Wakes those who follow a login.
    fn wake_others(&self, done: &Completion) {
        let (Completion::LoginSent { username, .. } | Completion::LoginShown { username }) = done
        else {
            return;
        };
        // Not only the first one: the account may have moved to a class that has workspaces.
        self.workspaces.iter().for_each(|w| w.wanted(username));
        if !matches!(done, Completion::LoginSent { again: true, .. }) {
            self.spares.notify();
        }
    }

    /// One attempt. A panic is a fault of this program; it must not end the service, and its text is given up after a
    /// few attempts.
    fn attempt(&self, text: &Text, attempt: u32) -> Outcome {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            self.provisioner.provision(text, unix_now())
        }));
        caught.unwrap_or_else(|_| {
            if attempt >= PANICS {
                let outcome = Outcome::Never("internal fault".to_owned());
                self.provisioner.tell_screen(text, &outcome);
                outcome
            } else {
                Outcome::Later(Later {
                    why: "internal fault".to_owned(),
                    wait: RetryTime::Away,
                })
            }
        })
    }

    /// Records a verdict in Redis and removes the job. If Redis fails, the job keeps its verdict and this is
    /// retried. `proof` = what the text has shown about the peers.
    fn end(&self, job: Job, proof: PeerProof) {
        let settled = match &job.verdict {
            Some(lanes::Settlement::GiveUp(reason)) => self.record_dead_letter(&job, reason),
            _ => self.settler.acknowledge(&job.entry.id),
        };
        match settled {
            Ok(()) => {
                let ends = self.lanes.finish(job, proof);
                if ends.pause {
                    info!("texts are served again");
                }
                if let Some(cause) = ends.hold {
                    info!("texts to {cause} are sent again");
                }
                self.report_waits();
            }
            Err(fault) => {
                let wait = retry::TEXT.wait(job.attempt, noise());
                debug!("the outcome of an entry is kept until Redis accepts it: {fault}");
                self.lanes.park(job, RetryTime::Exactly(wait), 0);
            }
        }
    }

    fn record_dead_letter(&self, job: &Job, reason: &str) -> Result<(), StreamError> {
        let text = job.entry.text.as_ref().ok();
        let letter = NewDeadLetter {
            sid: text.map(|text| &text.sid),
            reason,
            received: text.map(|text| text.received),
            at: unix_now(),
            attempts: job.attempt,
        };
        self.settler.record_dead_letter(&job.entry.id, &letter)
    }
}

/// The command that serves a given-up text again. It is no part of the reason, which is the same for many texts.
fn retry_hint(sid: &str) -> String {
    if MessageSid::parse(sid).is_none() {
        return String::new();
    }
    format!("; after the cause is fixed: coder-sms-register retry {sid}")
}

fn log_done(sid: &str, done: &Completion) {
    match done {
        Completion::LoginSent {
            username,
            again: false,
        } => info!("text {sid}: login of {username} sent"),
        Completion::LoginSent {
            username,
            again: true,
        } => info!("text {sid}: login of {username} sent again"),
        Completion::LoginShown { username } => {
            info!("text {sid}: login of {username} shown on a screen");
        }
        Completion::Hinted => info!("text {sid}: hint sent"),
        Completion::ToldFull => info!("text {sid}: told that the class is full"),
        Completion::ToldNotNow => {
            info!(
                "text {sid}: told that its class is not open yet or is over, or which login it has of another class"
            );
        }
        Completion::Withheld { username } => {
            info!("text {sid}: told that the login of {username} cannot be sent");
        }
        Completion::OptedOut => info!("text {sid}: opt-out word recorded"),
        Completion::OptedIn => info!("text {sid}: opt-in word recorded"),
        Completion::Silent(silence) => info!("text {sid}: no answer, {}", silence.reason()),
    }
}

/// Logs one line for each change of the fault of Redis.
fn report(fault: &StreamError, reported: &mut Option<&'static str>) {
    if reported.replace(fault.name()) != Some(fault.name()) {
        error!("texts wait: {fault}");
    }
}

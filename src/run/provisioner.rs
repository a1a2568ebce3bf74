//! The loop of the provisioner: it takes texts from Redis, gives them to the workers, and turns each outcome
//! into acknowledge, retry or dead letter. This happens only here.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::{debug, error, info, warn};

use super::call_limit::CallLimit;
use super::channels::Channels;
use super::lanes::{self, Job, Lanes, PeerProof, WaitStart};
use super::notifier::Notifier;
use super::workspaces::WorkspaceWaker;
use crate::clock::unix_now;
use crate::domain::{MessageSid, Text, Username, noise};
use crate::metrics::{Family, labels};
use crate::obstacles::{Observer, Obstacle, Obstacles};
use crate::provision::{Cause, Completion, Later, Outcome, Peer, Provisioner, RetryTime, Silence};
use crate::retry;
use crate::stop::Stop;
use crate::stream::{LONGEST_BLOCK, NewDeadLetter, Settler, StreamEntry, StreamError, Taker};

/// The largest number of entries that are taken at once.
const TAKE: usize = 64;

/// The number of attempts at a text that causes a panic.
const PANICS: u32 = 3;

labels! {
    /// How a text ended.
    pub(super) enum TextResult {
        /// A first login was sent.
        Login => "login_sent",
        /// A phone that had a login got it again.
        LoginAgain => "login_sent_again",
        /// A screen has fetched a login.
        LoginShown => "login_shown",
        /// The phone was told that it is not the phrase.
        Hint => "hint_sent",
        /// The phone was told that all seats are taken.
        Full => "told_full",
        /// The phone was told that the class is not open, or that it has a login of another one.
        NotNow => "told_not_now",
        /// The phone was told that its login cannot be sent again.
        Withheld => "login_withheld",
        /// An opt-out word was recorded.
        OptWord => "opt_word_recorded",
        /// Nothing was sent.
        Unanswered => "unanswered",
        /// It became a dead letter.
        GivenUp => "given_up",
    }
}

labels! {
    /// Why a text is retried later.
    pub(super) enum Delay {
        /// Coder, Twilio or the database is away.
        Away => "away",
        /// A person has to act: credentials, rights or the sender are refused.
        Blocked => "blocked",
        /// Some phones cannot be texted until a person acts.
        Held => "held",
        /// A limit is reached, or a step takes some time.
        Wait => "wait",
    }
}

/// Counters of the outcomes of texts since the start.
pub(super) struct TextCounters {
    /// Texts that ended; each counts once.
    pub(super) ended: Family<TextResult>,
    /// The texts among them that got no answer.
    pub(super) unanswered: Family<Silence>,
    /// Failed attempts that will be repeated.
    pub(super) put_off: Family<Delay>,
}

impl Default for TextCounters {
    fn default() -> Self {
        Self {
            ended: Family::new(TextResult::ALL.iter().copied()),
            unanswered: Family::new(Silence::ALL.iter().copied()),
            put_off: Family::new(Delay::ALL.iter().copied()),
        }
    }
}

impl TextCounters {
    fn done(&self, done: &Completion) {
        self.ended.add(match done {
            Completion::LoginSent { again: false, .. } => TextResult::Login,
            Completion::LoginSent { again: true, .. } => TextResult::LoginAgain,
            Completion::LoginShown { .. } => TextResult::LoginShown,
            Completion::Hinted => TextResult::Hint,
            Completion::ToldFull => TextResult::Full,
            Completion::ToldNotNow => TextResult::NotNow,
            Completion::Withheld { .. } => TextResult::Withheld,
            Completion::Recorded => TextResult::OptWord,
            Completion::Silent(silence) => {
                self.unanswered.add(*silence);
                TextResult::Unanswered
            }
        });
    }
}

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
                    if let Some(username) = has_first_login(&done) {
                        self.workspaces.iter().for_each(|w| w.wanted(username));
                        self.spares.notify();
                    }
                    job.verdict = Some(lanes::Settlement::Acknowledge);
                    let proof = match done {
                        Completion::LoginSent { .. } => PeerProof::Both,
                        Completion::LoginShown { .. } => PeerProof::Coder,
                        _ => PeerProof::Nothing,
                    };
                    self.end(job, proof);
                }
                Outcome::Never(reason) => {
                    error!("text {sid}: given up: {reason}{}", retry_hint(sid, &reason));
                    self.counts.ended.add(TextResult::GivenUp);
                    job.verdict = Some(lanes::Settlement::GiveUp(reason));
                    self.end(job, PeerProof::Nothing);
                }
            }
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

    fn put_off(&self, job: Job, later: &Later) {
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
            RetryTime::Exactly(_) | RetryTime::CoderLimit(_) | RetryTime::Screen(_) => Delay::Wait,
        });
        // The longer it lasts, the fewer lines: a class that waits for hours must not fill the disk.
        let level = match (job.attempt, later.wait) {
            // Told once for all of them, below.
            (_, RetryTime::CoderLimit(_)) => log::Level::Debug,
            // Already reported for all texts.
            (1, RetryTime::Blocked(peer)) if self.obstacles.has(refusal_of(peer)) => {
                log::Level::Warn
            }
            (1, RetryTime::Blocked(_)) => log::Level::Error,
            // If a second phone meets the same, the pause below reports it for all.
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
        if let RetryTime::CoderLimit(span) = later.wait
            && self.call_limit.begins(span, Instant::now())
        {
            let (seconds, why) = (span.as_secs(), &later.why);
            warn!(
                "Coder accepts no more calls for now, texts that need it are tried again in {seconds} s: {why}"
            );
        }
        if matches!(later.wait, RetryTime::Held { .. })
            && let Some(older) = self.lanes.take_older(&job)
        {
            self.supersede(older);
        }
        let why = &later.why;
        match self.lanes.park(job, later.wait, noise()) {
            Some(WaitStart::Pause) => {
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
            Some(WaitStart::Hold(cause)) => {
                error!(
                    "texts to {cause} wait until this is fixed, one of them is tried each minute; other phones are served: {why}"
                );
            }
            None => {}
        }
        self.report_waits();
    }

    /// Updates the list of obstacles with the causes that texts wait for.
    fn report_waits(&self) {
        let causes = self.lanes.reported_causes();
        let by_sender = |cause: &Cause| *cause == Cause::Sender;
        let (sender, phones) = (causes.iter().any(by_sender), !causes.iter().all(by_sender));
        let set = |obstacle, is_seen| self.obstacles.set(obstacle, Observer::Texts, is_seen);
        set(Obstacle::SenderBlocked, sender);
        set(Obstacle::PhonesBlocked, phones);
        if !self.lanes.is_paused() {
            set(Obstacle::CoderRefuses, false);
            set(Obstacle::TwilioRefuses, false);
        }
    }

    /// Ends a waiting text, because a newer one of the same phone has replaced it: one login answers both.
    fn supersede(&self, mut older: Job) {
        if let Ok(text) = &older.entry.text {
            match self.provisioner.leave_to_newer(text, unix_now()) {
                Outcome::Done(done) => {
                    log_done(text.sid.as_str(), &done);
                    self.counts.done(&done);
                    older.verdict = Some(lanes::Settlement::Acknowledge);
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
                debug!("the verdict on an entry is kept until Redis accepts it: {fault}");
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

/// The obstacle for a refusal of all texts by `peer`.
fn refusal_of(peer: Peer) -> Obstacle {
    match peer {
        Peer::Coder => Obstacle::CoderRefuses,
        Peer::Twilio => Obstacle::TwilioRefuses,
    }
}

/// The account that may have got its first login; a later one changes nothing.
fn has_first_login(done: &Completion) -> Option<&Username> {
    match done {
        Completion::LoginSent {
            username,
            again: false,
        }
        | Completion::LoginShown { username } => Some(username),
        _ => None,
    }
}

/// The command that serves a given-up text again, unless the reason already names it.
fn retry_hint(sid: &str, reason: &str) -> String {
    if reason.contains("coder-sms-register retry") || MessageSid::parse(sid).is_none() {
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
                "text {sid}: told that its class is not open, or which login it has of another class"
            );
        }
        Completion::Withheld { username } => {
            info!("text {sid}: told that the login of {username} cannot be sent");
        }
        Completion::Recorded => info!("text {sid}: opt-out word recorded"),
        Completion::Silent(silence) => info!("text {sid}: no answer, {}", silence.reason()),
    }
}

/// Logs one line for each change of the fault of Redis.
fn report(fault: &StreamError, reported: &mut Option<&'static str>) {
    if reported.replace(fault.name()) != Some(fault.name()) {
        error!("texts wait: {fault}");
    }
}

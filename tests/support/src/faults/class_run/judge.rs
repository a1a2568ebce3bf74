//! What the model of a class_run holds against the service after each of its looks.

use coder_sms_register::domain::UnixSeconds;

use super::{ClassRun, INTERVAL, WatchedAccount};

/// How far the two clocks may differ before nobody is removed, with a margin for slow answers.
const TOLERANCE: UnixSeconds = 900 + 30;
/// The smallest step of a clock that is followed.
const NOTICED: UnixSeconds = 60;
/// Whole seconds do not add up to the second.
const ROUNDING: UnixSeconds = 5;

/// What came of a schedule.
#[derive(Default)]
pub struct Tally {
    pub accounts: usize,
    pub logins: usize,
    pub sweeps: usize,
    pub set: usize,
    pub sleeps: usize,
    pub restarts: usize,
    /// Accounts that went early by a step of the clock that nothing could tell the service of.
    pub excused: usize,
    /// By how much at most.
    pub worst: UnixSeconds,
    pub early: Vec<String>,
    pub left: Vec<String>,
}

impl Tally {
    /// Adds the figures of another schedule.
    pub fn add(&mut self, other: &Self) {
        self.logins += other.logins;
        self.sweeps += other.sweeps;
        self.set += other.set;
        self.sleeps += other.sleeps;
        self.restarts += other.restarts;
        self.excused += other.excused;
        self.worst = self.worst.max(other.worst);
    }
}

impl ClassRun<'_> {
    /// A step is surely followed if the service remembers the look before it, if it came alone, and if
    /// the account was there at that look. Any other may make an account go early.
    pub(super) fn excuses(&mut self) {
        for account in &mut self.accounts {
            let new = account.look == self.looks;
            let then = if new { account.ahead } else { self.ahead_then };
            let step = self.ahead - then;
            let followed = self.remembers && !new && step >= NOTICED;
            if step > 0 && !followed {
                account.excuse += step;
            }
        }
        self.ahead_then = self.ahead;
        self.remembers = true;
        self.looks += 1;
    }

    /// Was anybody touched too early, did anybody stay too long?
    pub(super) fn judges(&mut self) {
        let deeds = self.coder.ledger();
        let differ = (self.ahead - self.coder_ahead).abs() > TOLERANCE;
        for deed in &deeds[self.deeds..] {
            if ["create user", "set password"].contains(&deed.what.as_str()) {
                continue;
            }
            let owner = self.accounts.iter_mut().find(|one| one.id == deed.user_id);
            let Some(owner) = owner else {
                self.tally.early.push(format!("whose is it? {deed:?}"));
                continue;
            };
            // What has begun goes on, whatever is switched meanwhile.
            let begun = std::mem::replace(&mut owner.begun, true);
            let never = if begun { 0 } else { UnixSeconds::MAX };
            let early = owner.until.map_or(never, |until| until - self.time);
            if early > owner.excuse + ROUNDING || differ {
                let words = format!("{early} s early: {owner:?} {deed:?}");
                let words = self.complaint(&words);
                self.tally.early.push(words);
            } else if early > ROUNDING {
                self.tally.excused += 1;
                self.tally.worst = self.tally.worst.max(early);
            }
        }
        self.deeds = deeds.len();
        let there = self.coder.students();
        self.accounts
            .retain(|one| there.iter().any(|user| user.id == one.id));
        if self.turned == 0 && self.coder_ahead == 0 {
            self.expects_no_latecomers();
        }
    }

    /// With clocks that were never set, who is free goes at the next look after the time is up.
    fn expects_no_latecomers(&mut self) {
        let is_late = |one: &&WatchedAccount| match (one.until, one.free_since) {
            (Some(until), Some(free)) => {
                self.time > until.max(free).max(self.well_since) + INTERVAL + 60
            }
            _ => false,
        };
        if let Some(late) = self.accounts.iter().find(is_late) {
            let words = self.complaint(&format!("late: {late:?}"));
            self.tally.left.push(words);
        }
    }
}

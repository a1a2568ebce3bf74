//! Act 3: the time is up.

use std::time::{Duration, Instant};

use super::class_run::DemoRun;
use super::ground::Ground;
use super::interrupt::Interrupted;
use super::proof::try_logins;
use super::screen::{DemoScreen, plural, seconds};
use super::stage::{DemoStage, STRANGER};
use crate::fakes::coder::ops::LIST_WORKSPACES;

/// Between two inspections.
const INTERVAL: Duration = Duration::from_millis(100);

/// If nothing changes for this long after the last account's time is up, the demo stops waiting.
const STANDSTILL: Duration = Duration::from_secs(15);

/// The service counts in whole seconds, so an account's time may end this much earlier.
const ROUNDING: Duration = Duration::from_secs(1);

/// The whole act.
pub struct Removal {
    /// Accounts that are gone.
    pub removed: usize,
    /// Logins that still work.
    pub working_logins: usize,
    pub faults: Vec<String>,
}

/// Accounts and workspaces at one moment.
#[derive(Clone, Default, PartialEq, Eq)]
struct Census {
    /// Students' accounts at Coder.
    users: usize,
    /// Running, or about to.
    running: usize,
    /// Stopped, or about to, or about to be deleted.
    resting: usize,
    deleted: usize,
    registrations: usize,
}

impl Census {
    fn take(stage: &DemoStage) -> Self {
        let coder = stage.class().coder();
        let mut census = Self {
            users: coder.students().len(),
            registrations: stage.class().registrations(),
            ..Self::default()
        };
        for bench in coder
            .all_workspaces()
            .iter()
            .filter(|bench| bench.owner != STRANGER)
        {
            match bench.transition.as_str() {
                _ if bench.deleted => census.deleted += 1,
                "start" => census.running += 1,
                _ => census.resting += 1,
            }
        }
        census
    }

    fn workspaces(&self) -> usize {
        self.running + self.resting
    }

    fn is_empty(&self) -> bool {
        [self.users, self.registrations, self.workspaces()] == [0; 3]
    }

    fn words(&self) -> String {
        format!(
            "{}; workspaces: {} running, {} stopped, {} gone",
            plural(self.users, "account"),
            self.running,
            self.resting,
            self.deleted
        )
    }
}

/// The events that are reported once each, in this order.
#[derive(Default)]
struct Milestones {
    looked: bool,
    stopped: bool,
    deleted: bool,
}

impl Milestones {
    fn pass(&mut self, census: &Census, looked: bool) -> Vec<String> {
        let mut lines = Vec::new();
        let once = |flag: &mut bool, now: bool| now && !std::mem::replace(flag, true);
        if once(&mut self.looked, looked) {
            let running = plural(census.running, "running workspace");
            lines.push(format!(
                "the first accounts' time is up; {running} left alone"
            ));
        }
        if once(&mut self.stopped, looked && census.running == 0) {
            lines.push("Coder has stopped the last workspace; now they can be deleted".to_owned());
        }
        if once(&mut self.deleted, looked && census.workspaces() == 0) {
            lines.push("the last workspace is deleted".to_owned());
        }
        lines
    }
}

/// Follows the removal.
struct Watch<'a> {
    stage: &'a DemoStage,
    ground: &'a Ground<'a>,
    screen: &'a DemoScreen,
    first_due: Instant,
    last_due: Instant,
    /// How often workspaces had been listed before the removal began.
    lists_before: usize,
    /// Students who had a login.
    served: usize,
    milestones: Milestones,
    last: Census,
    changed: Instant,
    faults: Vec<String>,
}

impl Watch<'_> {
    /// Inspects once. Returns whether the removal has ended, or never will.
    fn inspect(&mut self) -> bool {
        let census = Census::take(self.stage);
        let now = Instant::now();
        let due = now + ROUNDING >= self.first_due;
        let looked = due && self.ground.coder.count(LIST_WORKSPACES) > self.lists_before;
        for line in self.milestones.pass(&census, looked) {
            self.say(&line);
        }
        if census.users < self.served && !due && self.faults.is_empty() {
            let early = "accounts were removed before their time was up";
            self.faults.push(early.to_owned());
        }
        if census.is_empty() {
            self.say("the last account is removed, at Coder and in the database");
            return true;
        }
        if census != self.last {
            self.last = census;
            self.changed = now;
        }
        if let Some(fault) = self.hopeless(now) {
            self.say(&fault);
            self.faults.push(fault);
            return true;
        }
        let left = match self.first_due.saturating_duration_since(now).as_secs() {
            0 => String::new(),
            seconds => format!("   {seconds} s left"),
        };
        let time = self.ground.clock(now);
        self.screen.progress(time, self.last.words(), &left);
        false
    }

    /// Why waiting is of no use, if so.
    fn hopeless(&self, now: Instant) -> Option<String> {
        if let Some(status) = self.stage.class().service().wait(Duration::ZERO) {
            return Some(format!("the program has ended by itself ({status})"));
        }
        let still = now > self.last_due.max(self.changed) + STANDSTILL;
        still.then(|| format!("nothing has moved for {} s", STANDSTILL.as_secs()))
    }

    fn say(&self, line: &str) {
        let time = seconds(self.ground.clock(Instant::now()));
        self.screen.say(&format!("{time:>8}   {line}"));
    }
}

/// Follows the removal until all accounts are gone, or nothing changes any more.
pub fn play(
    stage: &DemoStage,
    class_run: &DemoRun,
    ground: &Ground<'_>,
    screen: &DemoScreen,
) -> Result<Removal, Interrupted> {
    screen.head(3, "Time runs out");
    let conversations = &class_run.conversations;
    let logins = || conversations.iter().filter_map(|one| one.first_login);
    let now = Instant::now();
    let mut watch = Watch {
        stage,
        ground,
        screen,
        first_due: logins().min().unwrap_or(now) + stage.lifetime,
        last_due: logins().max().unwrap_or(now) + stage.lifetime,
        lists_before: ground.coder.count(LIST_WORKSPACES),
        served: logins().count(),
        milestones: Milestones::default(),
        last: Census::take(stage),
        changed: now,
        faults: Vec::new(),
    };
    while !watch.inspect() {
        ground.interrupt.pause(INTERVAL)?;
    }
    let logins: Vec<_> = conversations.iter().map(|one| one.login.as_ref()).collect();
    let statuses = try_logins(&logins, ground, |_, _| {});
    ground.interrupt.check()?;
    let gone = ground.coder.deleted_users();
    Ok(Removal {
        removed: gone.iter().filter(|user| user.by_api).count(),
        working_logins: statuses.iter().filter(|status| **status == 201).count(),
        faults: watch.faults,
    })
}

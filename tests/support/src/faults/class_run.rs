//! A class_run with a true time, two clocks that may be wrong, and a service that is told what one of
//! them shows: the model behind the proof of the schedules.

mod judge;

use std::time::Duration;

use coder_sms_register::clock::{ClockWatch, unix_now};
use coder_sms_register::domain::{Text, UnixSeconds};
use coder_sms_register::provision::{Completion, Outcome, Provisioner};
use coder_sms_register::reap::Reaper;

use super::inside::{INTERVAL, Inside, sid};
use super::newcomers;
use crate::fakes::coder::FakeCoder;
use crate::fakes::random::Dice;
use crate::fakes::twilio::FakeTwilio;
pub use judge::Tally;

/// How long an account lives.
const SPAN: UnixSeconds = 3 * 3_600;

/// An account as the model sees it. All times are true ones.
#[derive(Debug)]
struct WatchedAccount {
    username: String,
    /// Coder's id of it.
    id: String,
    /// When its time is up; `None` = never.
    until: Option<UnixSeconds>,
    /// How far our clock was ahead when its time began, and in which look's time that was.
    ahead: UnixSeconds,
    look: usize,
    /// By how much it may go early: steps of the clock between looks that could not tell.
    excuse: UnixSeconds,
    /// When its last workspace was closed; `None` while one is open.
    free_since: Option<UnixSeconds>,
    /// Its removal has begun.
    begun: bool,
}

/// The class_run.
pub struct ClassRun<'a> {
    inside: &'a mut Inside,
    coder: FakeCoder,
    twilio: FakeTwilio,
    service: Option<(Provisioner, Reaper)>,
    watch: ClockWatch,
    base: UnixSeconds,
    /// The true time.
    time: UnixSeconds,
    /// How far the clocks are ahead of it: ours and Coder's.
    ahead: UnixSeconds,
    coder_ahead: UnixSeconds,
    /// How far ours was at the last look, whether the service remembers, and the looks so far.
    ahead_then: UnixSeconds,
    remembers: bool,
    looks: usize,
    /// Sum of all steps of our clock.
    turned: UnixSeconds,
    removal: bool,
    next_sweep: UnixSeconds,
    /// Since when nothing but workspaces keeps the service from removing accounts.
    well_since: UnixSeconds,
    phones: Vec<String>,
    accounts: Vec<WatchedAccount>,
    texts: u64,
    deeds: usize,
    seed: u64,
    story: Vec<String>,
    tally: Tally,
}

impl<'a> ClassRun<'a> {
    /// Nobody is registered yet.
    pub fn begin(inside: &'a mut Inside, seed: u64) -> Self {
        let coder = FakeCoder::start();
        coder.rate_limits(false);
        coder.build_time(Duration::ZERO);
        let mut class_run = Self {
            inside,
            coder,
            twilio: FakeTwilio::start_default(),
            service: None,
            watch: ClockWatch::default(),
            base: unix_now(),
            time: 0,
            ahead: 0,
            coder_ahead: 0,
            ahead_then: 0,
            remembers: false,
            looks: 0,
            turned: 0,
            removal: true,
            next_sweep: 0,
            well_since: 0,
            phones: Vec::new(),
            accounts: Vec::new(),
            texts: 0,
            deeds: 0,
            seed,
            story: Vec::new(),
            tally: Tally::default(),
        };
        class_run.starts();
        class_run
    }

    /// What our clock shows.
    fn now(&self) -> UnixSeconds {
        self.base + self.time + self.ahead
    }

    fn says(&mut self, words: String) {
        let Self {
            time,
            ahead,
            coder_ahead,
            ..
        } = self;
        let line = format!("{time:>7} {ahead:+} {coder_ahead:+} {words}");
        self.story.push(line);
    }

    /// The service starts on the data that it left.
    fn starts(&mut self) {
        self.inside.restart();
        self.watch = ClockWatch::default();
        self.remembers = false;
        let mut provisioner = newcomers::provisioner(self.inside, &self.coder, &self.twilio);
        let span = Duration::from_secs(SPAN.unsigned_abs());
        provisioner.class.remove_after = self.removal.then_some(span);
        provisioner.class.classes[0].remove_after = self.removal.then_some(span);
        let reaper = self.inside.reaper(&provisioner.coder);
        let store = self.inside.store();
        if self.removal {
            let due = self.now() + SPAN;
            store.set_missing_due(None, due).expect("the store writes");
        } else {
            store.clear_due(None).expect("the store writes");
        }
        for account in &mut self.accounts {
            match (self.removal, account.until) {
                (true, None) => {
                    account.until = Some(self.time + SPAN);
                    (account.ahead, account.look) = (self.ahead, self.looks);
                }
                (true, Some(_)) => {}
                (false, _) => account.until = None,
            }
        }
        self.service = Some((provisioner, reaper));
        self.next_sweep = self.time;
        self.well_since = self.time;
        self.passes(0);
    }

    /// The service stops for `pause`, during which our clock may be set, and starts again.
    pub fn restarts(&mut self, pause: UnixSeconds, by: UnixSeconds, switch: bool) {
        self.says(format!("restart, {pause} s, {by:+}, switch {switch}"));
        self.tally.restarts += 1;
        self.service = None;
        self.time += pause;
        if by != 0 {
            self.sets_clocks(by, 0);
        }
        self.removal ^= switch;
        self.starts();
    }

    /// Our clock and Coder's are set, by so much each.
    pub fn sets_clocks(&mut self, ours: UnixSeconds, coders: UnixSeconds) {
        self.says(format!("clocks set by {ours:+} and {coders:+}"));
        self.tally.set += 1;
        self.ahead += ours;
        self.turned += ours.abs();
        self.coder_ahead += coders;
        self.shows_the_difference();
    }

    /// Somebody sets Coder's clock by ours.
    pub fn sets_coders_clock_by_ours(&mut self) {
        if self.coder_ahead != self.ahead {
            self.well_since = self.time;
        }
        self.coder_ahead = self.ahead;
        self.shows_the_difference();
    }

    /// The client compares Coder's answer with this machine's real clock, which stands for ours.
    fn shows_the_difference(&self) {
        self.coder.clock_is_ahead(self.coder_ahead - self.ahead);
    }

    /// Somebody registers.
    pub fn registers(&mut self) {
        if self.phones.len() < 4 {
            let phone = self.inside.new_phone();
            self.phones.push(phone.clone());
            self.texts_the_phrase(&phone);
        }
    }

    /// Somebody who has registered asks again.
    pub fn asks_again(&mut self, dice: &mut Dice) {
        if let Some(number) = choose(dice, self.phones.len()) {
            let phone = self.phones[number].clone();
            self.texts_the_phrase(&phone);
        }
    }

    fn texts_the_phrase(&mut self, phone: &str) {
        self.texts += 1;
        let now = self.now();
        let text = Text {
            sid: sid(self.texts),
            from: phone.to_owned(),
            to: "+15005550006".to_owned(),
            body: "I am ready to learn".to_owned(),
            opt_out: None,
            received: now,
            heard: None,
        };
        let hash = self.inside.hash(phone);
        let find = |inside: &Inside| inside.store().find(&hash).expect("the store reads");
        let before = find(self.inside).and_then(|row| row.due_at);
        let (provisioner, _) = self.service.as_ref().expect("the service runs");
        let outcome = provisioner.provision(&text, now);
        self.says(format!("{phone} asks: {outcome:?}"));
        let Outcome::Done(Completion::LoginSent { username, .. }) = outcome else {
            return;
        };
        self.tally.logins += 1;
        let row = find(self.inside).expect("a row with the login");
        let known = self
            .accounts
            .iter()
            .position(|one| one.username == username.as_str());
        let number = known.unwrap_or_else(|| {
            self.tally.accounts += 1;
            self.accounts.push(WatchedAccount {
                username: username.as_str().to_owned(),
                id: row.coder_id.clone().expect("an id"),
                until: None,
                ahead: 0,
                look: 0,
                excuse: 0,
                free_since: Some(self.time),
                begun: false,
            });
            self.accounts.len() - 1
        });
        // A full time begins with the first login, and with one that is asked for when it was up.
        if known.is_none() || row.due_at > before {
            let account = &mut self.accounts[number];
            account.until = self.removal.then_some(self.time + SPAN);
            (account.ahead, account.look) = (self.ahead, self.looks);
            account.excuse = 0;
        }
    }

    /// A student opens a workspace.
    pub fn opens_a_workspace(&mut self, dice: &mut Dice) {
        if let Some(number) = choose(dice, self.accounts.len()) {
            let account = &mut self.accounts[number];
            if self
                .coder
                .running_workspace(&account.username, "dev")
                .is_some()
            {
                account.free_since = None;
            }
        }
    }

    /// A student closes their workspace.
    pub fn goes_home(&mut self, dice: &mut Dice) {
        if let Some(number) = choose(dice, self.accounts.len()) {
            self.closes(number);
        }
    }

    fn closes(&mut self, number: usize) {
        let account = &mut self.accounts[number];
        if account.free_since.is_none() && self.coder.stop_workspace(&account.username, "dev") {
            account.free_since = Some(self.time);
        }
    }

    /// The machine sleeps: no sweeps, and a wait goes on afterwards where it stood.
    pub fn sleeps(&mut self, span: UnixSeconds) {
        self.says(format!("sleeps for {span} s"));
        self.tally.sleeps += 1;
        self.time += span;
        self.next_sweep += span;
        self.well_since = self.time;
    }

    /// Time passes.
    pub fn passes(&mut self, span: UnixSeconds) {
        let end = self.time + span;
        while self.next_sweep <= end {
            self.time = self.next_sweep;
            self.sweeps();
        }
        self.time = end;
    }

    /// As the reaper's thread does it.
    fn sweeps(&mut self) {
        self.tally.sweeps += 1;
        let (now, uptime) = (self.now(), Some(1_000 + self.time));
        let (_, reaper) = self.service.as_ref().expect("the service runs");
        if let Some(step) = self.watch.inspect(now, uptime) {
            reaper.clock_was_set(step, now).expect("the store writes");
        }
        self.watch.note(now, uptime);
        reaper.sweep(now).expect("the store answers");
        let next = reaper.store.next_check(now).expect("the store reads");
        let soon = next.map_or(INTERVAL, |at| (at - now).clamp(1, INTERVAL));
        self.next_sweep = self.time + soon;
        self.excuses();
        self.judges();
    }

    fn complaint(&self, words: &str) -> String {
        let story = self.story.join("\n  ");
        format!("seed {}, at {}: {words}\n  {story}", self.seed, self.time)
    }

    /// Everybody goes home, the clocks are set by each other, removal is on: all must go.
    pub fn end(mut self) -> Tally {
        (0..self.accounts.len()).for_each(|number| self.closes(number));
        self.sets_coders_clock_by_ours();
        if !self.removal {
            self.restarts(1, 0, true);
        }
        let last = self.accounts.iter().filter_map(|one| one.until).max();
        let end = last.unwrap_or(0).max(self.time) + self.turned + 4 * INTERVAL;
        while self.time < end && !self.accounts.is_empty() {
            self.passes(INTERVAL);
        }
        let rows = self.inside.rows();
        if !self.accounts.is_empty() || !rows.is_empty() {
            let words = self.complaint(&format!("left: {:?} {rows:?}", self.accounts));
            self.tally.left.push(words);
        }
        if self.coder.all_workspaces().iter().any(|one| !one.deleted) {
            let words = self.complaint("a workspace is left");
            self.tally.left.push(words);
        }
        self.service = None;
        self.inside.clear();
        self.tally
    }
}

fn choose(dice: &mut Dice, count: usize) -> Option<usize> {
    let number = usize::try_from(dice.below(count as u64)).expect("an index");
    (count > 0).then_some(number)
}

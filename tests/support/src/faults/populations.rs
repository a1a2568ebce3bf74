//! Random populations, swept by the real reaper with a real store until nothing is left to do.
//!
//! Held at every sweep: nobody foreign is touched or adopted, nobody of ours before the time is up; a row stays
//! as long as its user does; who is due and still there has a reason in the database. In the end,
//! when all obstacles are lifted, nothing of ours is left.

use coder_sms_register::domain::UnixSeconds;
use coder_sms_register::reap::Reaper;
use coder_sms_register::reconcile::Reconciler;

use super::inside::{INTERVAL, Inside, for_each_seed};
use super::newcomers;
use super::students::{Ours, PopulationServer, Students};
use super::table::Row;
use super::{Assault, FaultProof};
use crate::fakes::random::Dice;

pub const PROOF: FaultProof = FaultProof {
    name: "populations",
    about: "random students, strangers and obstacles at Coder; the reaper sweeps until all is settled",
    run,
};

/// What came of one population.
#[derive(Default)]
struct PopulationFindings {
    ours: usize,
    strangers: usize,
    sweeps: usize,
    calls: usize,
    early: Vec<String>,
    harmed: Vec<String>,
}

fn run(force: &Assault) -> Vec<Row> {
    let count = force.pick(200, 10_000);
    let progress = |done: u64| {
        if done.is_multiple_of(1_000) {
            force.says(&format!("{done} populations"));
        }
    };
    let found = for_each_seed(count, &progress, play);
    let mut row = Row::new(format!("{count} random populations"));
    let (mut strangers, mut sweeps, mut calls) = (0, 0, 0);
    for one in &found {
        row.students += one.ours;
        row.lost += one.early.len();
        row.orphaned += one.harmed.len();
        strangers += one.strangers;
        sweeps += one.sweeps;
        calls += one.calls;
        for harm in one.early.iter().chain(&one.harmed).take(3) {
            force.says(harm);
        }
    }
    row.note = format!("{strangers} strangers, {sweeps} sweeps, {calls} calls to Coder");
    vec![row, newcomers::run(force)]
}

/// One population from its beginning to its end.
fn play(inside: &mut Inside, seed: u64) -> PopulationFindings {
    let mut dice = Dice::new(seed);
    let mut people = Students::new(&mut dice);
    let client = inside.client(&people.coder);
    people.settle(
        &mut PopulationServer {
            inside: &mut *inside,
            client: &client,
        },
        &mut dice,
    );
    let mut watch = PopulationWatch {
        reaper: inside.reaper(&client),
        reconciler: inside.reconciler(&client),
        inside,
        seen: people.coder.ledger().len(),
        found: PopulationFindings {
            ours: people.ours.len(),
            strangers: people.strangers.len(),
            ..PopulationFindings::default()
        },
        seed,
    };
    let mut now = people.base;
    for _ in 0..dice.below(25) {
        if dice.below(2) == 0 {
            people.something_happens(&mut dice);
        }
        now += i64::try_from(dice.below(1_800)).expect("seconds");
        watch.sweep(&people, now);
    }
    people.all_is_well();
    watch.settle(&people, now);
    watch.found.calls = people.coder.calls().len();
    let PopulationWatch {
        found,
        reaper,
        reconciler,
        ..
    } = watch;
    drop((reaper, reconciler));
    inside.clear();
    found
}

/// Sweeps, and looks at what the sweep did.
struct PopulationWatch<'a> {
    reaper: Reaper,
    reconciler: Reconciler,
    inside: &'a Inside,
    /// Deeds that were looked at.
    seen: usize,
    found: PopulationFindings,
    seed: u64,
}

impl PopulationWatch<'_> {
    fn sweep(&mut self, people: &Students, now: UnixSeconds) {
        self.found.sweeps += 1;
        if let Err(error) = self.reaper.sweep(now) {
            self.harm(people, format!("the sweep failed: {error}"));
        }
        // All of our accounts are in the database, so an adopted one belongs to somebody else.
        if self.found.sweeps.is_multiple_of(3)
            && let Ok(swept) = self.reconciler.sweep(now)
            && !swept.adopted.is_empty()
        {
            self.harm(people, format!("adopted: {:?}", swept.adopted));
        }
        self.look_at_deeds(people, now);
        self.look_at_rows(people, now);
    }

    /// The users that the service has changed.
    fn look_at_deeds(&mut self, people: &Students, now: UnixSeconds) {
        let deeds = people.coder.ledger();
        for deed in &deeds[self.seen..] {
            let owner = people
                .ours
                .iter()
                .find(|one| one.id.as_ref() == Some(&deed.user_id));
            match owner {
                None => self.harm(people, format!("a stranger was touched: {deed:?}")),
                Some(one) if !is_due(one, now) => {
                    let words = format!("seed {}: at {now} too early: {deed:?}", self.seed);
                    self.found.early.push(words);
                }
                Some(_) => {}
            }
        }
        self.seen = deeds.len();
    }

    /// Is everybody who is there written down, and everybody who is due with a reason?
    fn look_at_rows(&mut self, people: &Students, now: UnixSeconds) {
        let rows = self.inside.rows();
        let users = people.coder.users();
        for one in &people.ours {
            let row = rows.get(&one.row);
            let there = users.iter().any(|user| Some(&user.id) == one.id.as_ref());
            if there && row.is_none() {
                self.harm(people, format!("forgotten, but still there: {one:?}"));
            }
            if row.is_none() && !is_due(one, now) {
                self.harm(people, format!("forgotten before the time: {one:?}"));
            }
            if row.is_some_and(|row| is_due(one, now) && row.note.is_none()) {
                self.harm(people, format!("waits without a reason: {row:?}"));
            }
        }
    }

    /// Sweeps until nobody is due any more, and looks at what is left.
    fn settle(&mut self, people: &Students, mut now: UnixSeconds) {
        now = now.max(people.base + 4 * 3_600);
        for _ in 0..500 {
            now += INTERVAL;
            self.sweep(people, now);
            let rows = self.inside.rows();
            let waits = |one: &&Ours| is_due(one, now) && rows.contains_key(&one.row);
            if !people.ours.iter().any(|one| waits(&one)) {
                break;
            }
            // Builds take their time by the real clock.
            std::thread::park_timeout(std::time::Duration::from_micros(200));
        }
        let users = people.coder.users();
        let rows = self.inside.rows();
        let benches = people.coder.all_workspaces();
        for one in &people.ours {
            let there = users.iter().any(|user| Some(&user.id) == one.id.as_ref());
            let left = benches
                .iter()
                .any(|bench| !bench.deleted && Some(&bench.owner_id) == one.id.as_ref());
            if is_due(one, now) {
                let row = rows.get(&one.row);
                if there || row.is_some() || left && !one.deleted {
                    self.harm(people, format!("left: {one:?} {row:?}"));
                }
            } else if !one.deleted && one.id.is_some() && !there {
                self.harm(people, format!("gone before the time: {one:?}"));
            }
        }
        for id in &people.strangers {
            if !users.iter().any(|user| user.id == *id) {
                self.harm(people, format!("a stranger is gone: {id}"));
            }
        }
    }

    fn harm(&mut self, people: &Students, words: String) {
        let story = people.story.join("\n  ");
        let seed = self.seed;
        let harm = format!("seed {seed}: {words}\n  {story}");
        self.found.harmed.push(harm);
    }
}

fn is_due(one: &Ours, now: UnixSeconds) -> bool {
    one.due.is_some_and(|due| due <= now)
}

//! Random schedules against a model that knows the true time: students register and ask again, the
//! service sweeps, restarts and has removal switched off and on, the machine sleeps, clocks are set.
//!
//! The model says of each account before which true time it must not be touched, and by when it must
//! be gone. It reads nothing of that from the service.

use super::class_run::{ClassRun, Tally};
use super::inside::for_each_seed;
use super::table::Row;
use super::{Assault, FaultProof};
use crate::fakes::random::Dice;

pub const PROOF: FaultProof = FaultProof {
    name: "schedules",
    about: "random schedules with clocks that are set, sleep and restarts: nobody goes early, all go in the end",
    run,
};

fn run(force: &Assault) -> Vec<Row> {
    let count = force.pick(200, 10_000);
    let progress = |done: u64| {
        if done.is_multiple_of(1_000) {
            force.says(&format!("{done} schedules"));
        }
    };
    let found = for_each_seed(count, &progress, |inside, seed| {
        let mut dice = Dice::new(seed);
        let mut class_run = ClassRun::begin(inside, seed);
        // A third of them with clocks as they should be.
        let sane = seed % 3 == 0;
        for _ in 0..10 + dice.below(25) {
            act(&mut class_run, &mut dice, sane);
        }
        class_run.end()
    });
    let mut row = Row::new(format!("{count} random schedules"));
    let mut sum = Tally::default();
    for one in found {
        for harm in one.early.iter().chain(&one.left).take(3) {
            force.says(harm);
        }
        row.lost += one.early.len();
        row.orphaned += one.left.len();
        row.students += one.accounts;
        sum.add(&one);
    }
    row.note = format!(
        "{} sweeps, {} logins, {} times a clock was set, {} sleeps, {} restarts; early by a step that no look could tell: {}, by {} s at most",
        sum.sweeps, sum.logins, sum.set, sum.sleeps, sum.restarts, sum.excused, sum.worst
    );
    vec![row]
}

/// One thing happens, then some time passes.
fn act(class_run: &mut ClassRun<'_>, dice: &mut Dice, sane: bool) {
    let seconds = |dice: &mut Dice, most: u64| i64::try_from(dice.below(most)).expect("seconds");
    let step = |dice: &mut Dice| seconds(dice, 14_401) - 7_200;
    match dice.below(if sane { 13 } else { 17 }) {
        0..=2 => class_run.registers(),
        3..=5 => class_run.asks_again(dice),
        6 => class_run.opens_a_workspace(dice),
        7 => class_run.goes_home(dice),
        8 => class_run.sleeps(3_600 + seconds(dice, 12 * 3_600)),
        9 => class_run.restarts(seconds(dice, 600), 0, false),
        10 => class_run.restarts(seconds(dice, 60), 0, true),
        11 | 12 => {}
        13 => {
            let by = step(dice);
            class_run.sets_clocks(by, 0);
        }
        14 => {
            let by = step(dice);
            class_run.sets_clocks(by, by);
        }
        15 => {
            let by = step(dice);
            class_run.sets_clocks(0, by);
        }
        _ => {
            let by = step(dice);
            class_run.restarts(seconds(dice, 600), by, false);
        }
    }
    let most = if dice.below(3) == 0 { 7_200 } else { 900 };
    class_run.passes(seconds(dice, most));
    if !sane && dice.below(3) == 0 {
        class_run.sets_coders_clock_by_ours();
    }
}

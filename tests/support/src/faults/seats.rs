//! A race for seats: exactly as many accounts as there are seats.

use std::time::Duration;

use super::post::Post;
use super::table::Row;
use super::{Assault, FaultProof};
use crate::classroom::Plan;
use crate::fakes::random::Dice;
use crate::fakes::trouble::Op;

/// 100 texts for 30 seats.
pub const SEATS: FaultProof = FaultProof {
    name: "seats",
    about: "100 texts race for 30 seats, with 200 seeds",
    run: |force| {
        let rounds = force.pick(2, 200);
        let mut row = Row::new(format!("100 texts for 30 seats, {rounds} seeds"));
        let seeds: Vec<u64> = (0..rounds).collect();
        let threads = force.pick(1, 4);
        let rows = std::thread::scope(|scope| {
            let race = |seeds: &'_ [u64]| -> Vec<Row> {
                seeds.iter().map(|seed| race(force, *seed)).collect()
            };
            let share = seeds.len().div_ceil(threads);
            let threads: Vec<_> = seeds
                .chunks(share)
                .map(|seeds| scope.spawn(move || race(seeds)))
                .collect();
            let ended = threads
                .into_iter()
                .map(|thread| thread.join().expect("a race ends"));
            ended.flatten().collect::<Vec<Row>>()
        });
        rows.iter().for_each(|one| row.add(one));
        vec![row]
    },
};

const SEATS_THERE: usize = 30;

fn race(force: &Assault, seed: u64) -> Row {
    let mut dice = Dice::new(seed);
    let class = Plan::new(&force.binary)
        .with("CODER_REG_MAX_USERS", "30")
        .with("CODER_REG_PARALLEL", &(1 + dice.below(16)).to_string())
        .open();
    class
        .coder()
        .latency(Op::ANY, Duration::from_millis(dice.below(4)));
    let students = class.students(100);
    let post = Post::to(&class);
    students.iter().for_each(|student| post.asks(student));
    let mut row = Row::new("");
    row.lost += post.is_delivered();
    class.all_served();
    let seated = students
        .iter()
        .filter(|student| student.can_log_in())
        .count();
    let told = |text: &str| text.starts_with("This class is full");
    for student in &students {
        let inbox = student.inbox();
        row.doubled += usize::from(inbox.len() > 1);
        let answered = inbox.iter().any(|text| told(&text.body)) || student.can_log_in();
        row.lost += usize::from(!answered);
    }
    row.students += students.len();
    row.lost += SEATS_THERE.saturating_sub(seated);
    row.count_accounts(&class, SEATS_THERE);
    row
}

//! A race for seats: exactly as many accounts as there are seats.

use std::time::Duration;

use super::post::Post;
use super::table::Row;
use super::{Assault, FaultProof};
use crate::classroom::student::Student;
use crate::classroom::{PHRASE, Plan};
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
                seeds
                    .iter()
                    .map(|seed| race(force, *seed, &[one_class()]))
                    .collect()
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

/// One of the classes of a race.
pub(super) struct RacingClass {
    /// Its settings; the one that ends in `_SEATS` or `_USERS` says how many seats it has.
    pub(super) settings: Vec<(String, String)>,
    /// What its students text.
    pub(super) phrase: String,
    /// How many of them do.
    pub(super) students: usize,
}

impl RacingClass {
    fn seats(&self) -> usize {
        let is_seats = |name: &str| name.ends_with("_SEATS") || name.ends_with("_USERS");
        let found = self.settings.iter().find(|(name, _)| is_seats(name));
        let seats = found.and_then(|(_, value)| value.parse().ok());
        seats.expect("a setting with the number of seats")
    }
}

fn one_class() -> RacingClass {
    RacingClass {
        settings: vec![("CODER_REG_MAX_USERS".to_owned(), "30".to_owned())],
        phrase: PHRASE.to_owned(),
        students: 100,
    }
}

/// The students of all `classes` text at once.
pub(super) fn race(force: &Assault, seed: u64, classes: &[RacingClass]) -> Row {
    let mut dice = Dice::new(seed);
    let mut plan =
        Plan::new(&force.binary).with("CODER_REG_PARALLEL", &(1 + dice.below(16)).to_string());
    if classes.len() > 1 {
        plan = plan.with("CODER_REG_PASS", "");
    }
    for (name, value) in classes.iter().flat_map(|one| &one.settings) {
        plan = plan.with(name, value);
    }
    let class = plan.open();
    class
        .coder()
        .latency(Op::ANY, Duration::from_millis(dice.below(4)));
    let students = class.students(classes.iter().map(|one| one.students).sum());
    let phrases = classes
        .iter()
        .flat_map(|one| std::iter::repeat_n(&one.phrase, one.students));
    let post = Post::to(&class);
    let mut texts: Vec<_> = students.iter().zip(phrases).collect();
    dice.shuffle(&mut texts);
    for (student, phrase) in texts {
        post.texts(student, phrase);
    }
    let mut row = Row::new("");
    row.lost += post.is_delivered();
    class.all_served();
    let mut rest = students.as_slice();
    for one in classes {
        let (of_class, others) = rest.split_at(one.students);
        count_class(&mut row, of_class, one.seats());
        rest = others;
    }
    let seats = classes.iter().map(|one| one.seats().min(one.students));
    row.count_accounts(&class, seats.sum());
    row
}

/// Counts the students of one class with this number of seats.
fn count_class(row: &mut Row, students: &[Student<'_>], seats: usize) {
    let seated = students.iter().filter(|one| one.can_log_in()).count();
    let told = |text: &str| text.starts_with("This class is full");
    for student in students {
        let inbox = student.inbox();
        row.doubled += usize::from(inbox.len() > 1);
        let answered = inbox.iter().any(|text| told(&text.body)) || student.can_log_in();
        row.lost += usize::from(!answered);
    }
    let seats = seats.min(students.len());
    row.students += students.len();
    row.lost += seats.saturating_sub(seated);
    row.doubled += seated.saturating_sub(seats);
}

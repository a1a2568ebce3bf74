//! Class after class on one service: what it takes must come back.

use std::time::Duration;

use super::post::Post;
use super::table::Row;
use super::{Assault, FaultProof};
use crate::classroom::service::Footprint;
use crate::classroom::{Classroom, Plan};

/// Fifty classes.
pub const REPEATS: FaultProof = FaultProof {
    name: "repeats",
    about: "50 classes of 40 students on one service; memory, descriptors and database stay flat",
    run: |force| vec![repeats(force)],
};

/// How much memory may grow from the class after which it is first looked at, in KiB: the allocator
/// keeps some of what a burst needed.
const GROWTH: usize = 2_048;

/// How many descriptors may be open beyond those of an earlier moment: the connections that the HTTP client keeps for
/// the next call, and a few of passing work. At that moment they may all have been closed.
pub(super) const IDLE: usize = 16 + 4;

fn repeats(force: &Assault) -> Row {
    let (classes, size) = force.pick((4_usize, 10_usize), (50, 40));
    let mut row = Row::new(format!("{classes} classes of {size} on one service"));
    let class = Plan::new(&force.binary)
        .with("CODER_REG_RESEND_INTERVAL", "0")
        .with("CODER_REG_HOURLY_TEXTS", "100000")
        .with("CODER_REG_PARALLEL", "16")
        .open();
    class.coder().build_time(Duration::from_millis(20));
    let settled = classes.div_ceil(10).max(2);
    let mut before = (Footprint::default(), String::new());
    for number in 1..=classes {
        play(&class, size, &mut row);
        if number == settled {
            let took = class.service().footprint();
            before = (took, words(&class, took));
        }
        if number % 10 == 0 {
            force.says(&format!(
                "{number} classes, {}",
                words(&class, class.service().footprint())
            ));
        }
    }
    class.eventually("idle descriptors closed", || {
        class.service().footprint().descriptors <= before.0.descriptors + IDLE
    });
    let after = class.service().footprint();
    row.lost += usize::from(after.memory > before.0.memory + GROWTH);
    row.lost += usize::from(after.threads > before.0.threads);
    row.check_database(&class);
    row.note = format!("{} -> {}", before.1, words(&class, after));
    row
}

fn play(class: &Classroom, size: usize, row: &mut Row) {
    let students = class.students(size);
    let made = class.coder().created_ever().len();
    let post = Post::to(class);
    students.iter().for_each(|student| post.asks(student));
    row.lost += post.is_delivered();
    for student in &students {
        let login = student.next_login();
        class.has_a_stopped_workspace(&login);
    }
    class.all_served();
    row.count_logins(&students, 1);
    row.count_accounts(class, made + size);
    class.change("UPDATE registrations SET due_at = 1");
    class.all_gone();
    row.count_left(class);
}

/// What the service takes, in words.
fn words(class: &Classroom, took: Footprint) -> String {
    let database = std::fs::metadata(class.data_dir().join("registrations.db"));
    let Footprint {
        descriptors,
        threads,
        ..
    } = took;
    format!(
        "{:.1} MB, {descriptors} descriptors, {threads} threads, database {} KB",
        took.megabytes(),
        database.map_or(0, |file| file.len() / 1024)
    )
}

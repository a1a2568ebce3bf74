//! Redis dies, forgets, hangs and runs full while a class texts.

use std::time::{Duration, Instant};

use super::post::Post;
use super::table::Row;
use super::{Assault, FaultProof};
use crate::classroom::student::Student;
use crate::classroom::{Classroom, Plan};
use crate::fakes::random::Dice;
use crate::fakes::trouble::Op;

/// All that can befall Redis.
pub const OUTAGES: FaultProof = FaultProof {
    name: "outages",
    about: "Redis killed, killed together with the service, emptied, paused for 20 s, and full",
    run: |force| force.all_at_once([killed, both_killed, emptied, paused, full]),
};

fn class(force: &Assault, catch_up: &str) -> Classroom {
    let class = Plan::new(&force.binary)
        .with_safe_redis()
        .with("CODER_REG_CATCH_UP", catch_up)
        .open();
    class.coder().latency(Op::ANY, Duration::from_millis(10));
    class.twilio().latency(Op::ANY, Duration::from_millis(10));
    class
}

fn conclude(mut row: Row, class: &Classroom, post: &Post, students: &[Student<'_>]) -> Row {
    row.lost += post.is_delivered();
    class.eventually("all logins", || {
        students.iter().all(|student| !student.inbox().is_empty())
    });
    class.all_served();
    row.count(class, students, 1, 0);
    row.check_database(class);
    row
}

/// Killed in the middle of writing, without a search for missed texts: what it confirmed must be on
/// its disk.
fn killed(force: &Assault) -> Row {
    let (kills, count) = force.pick((3, 6), (30, 60));
    let class = class(force, "0");
    let post = Post::to(&class);
    let students = class.students(count);
    for (number, student) in students.iter().enumerate() {
        post.asks(student);
        std::thread::sleep(Duration::from_millis(10));
        if number % (count / kills) == 0 {
            class.redis().kill();
            class.redis().start_again();
        }
    }
    let row = Row::new(format!("{kills} SIGKILLs of Redis, fsync always"));
    conclude(row, &class, &post, &students)
}

/// The service and Redis are killed together, one of them a little earlier, again without a search.
fn both_killed(force: &Assault) -> Row {
    let (kills, count) = force.pick((4, 8), (60, 120));
    let mut dice = Dice::new(3);
    let class = class(force, "0");
    let post = Post::to(&class);
    let students = class.students(count);
    for (number, student) in students.iter().enumerate() {
        post.asks(student);
        std::thread::sleep(Duration::from_millis(dice.below(60)));
        if number % (count / kills) == 0 {
            let redis_first = dice.below(2) == 0;
            if redis_first {
                class.redis().kill();
            }
            class.end_service();
            class.redis().kill();
            class.redis().start_again();
            class.start_service();
            post.follows(&class);
        }
    }
    let row = Row::new(format!("{kills} SIGKILLs of Redis and the service at once"));
    conclude(row, &class, &post, &students)
}

/// Its disk is lost with texts that it had confirmed; Twilio's log still has them.
fn emptied(force: &Assault) -> Row {
    let count = force.pick(5, 40);
    let class = class(force, "30");
    class.coder().goes_down();
    let post = Post::to(&class);
    let students = class.students(count);
    students.iter().for_each(|student| post.asks(student));
    let mut row = Row::new("Redis comes back empty");
    row.lost += post.is_delivered();
    class.redis().kill();
    class.redis().forget();
    class.redis().start_again();
    class.coder().comes_back();
    conclude(row, &class, &post, &students)
}

fn paused(force: &Assault) -> Row {
    let span = force.pick(Duration::from_secs(3), Duration::from_secs(20));
    let class = class(force, "0");
    let post = Post::to(&class);
    let students = class.students(force.pick(6, 40));
    let (before, during) = students.split_at(students.len() / 2);
    before.iter().for_each(|student| post.asks(student));
    class.redis().pause();
    let began = Instant::now();
    during.iter().for_each(|student| post.asks(student));
    std::thread::sleep(span.saturating_sub(began.elapsed()));
    class.redis().resume();
    let row = Row::new(format!("Redis hangs for {} s", span.as_secs()));
    conclude(row, &class, &post, &students)
}

fn full(force: &Assault) -> Row {
    let class = class(force, "0");
    let post = Post::to(&class);
    let students = class.students(force.pick(6, 40));
    let (before, during) = students.split_at(students.len() / 2);
    class.coder().goes_down();
    before.iter().for_each(|student| drop(student.asks()));
    class.redis().limits_memory_to(1);
    during.iter().for_each(|student| post.asks(student));
    assert!(class.service().logs("Redis has no memory left"));
    // Those that it holds are served, and then there is room again.
    class.coder().comes_back();
    for student in before {
        student.next_login();
    }
    class.redis().limits_memory_to(0);
    conclude(Row::new("Redis is full"), &class, &post, &students)
}

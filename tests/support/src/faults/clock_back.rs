//! The clock is set back by an hour in the middle of a class.

use std::time::Duration;

use super::table::Row;
use super::{Assault, FaultProof};
use crate::classroom::{Classroom, Plan, a_later_second};
use crate::fakes::trouble::Op;

pub const PROOF: FaultProof = FaultProof {
    name: "clock_back",
    about: "the clock set back an hour in mid-class, the service's alone or Coder's with it",
    run: |force| force.all_at_once([ours, both]),
};

/// Back by an hour.
const BACK: i64 = -3_600;

fn ours(force: &Assault) -> Row {
    let mut row = Row::new("the service's clock set back an hour");
    let class = play(force, false, &mut row);
    // By a clock that is not Coder's nobody is removed.
    class.sets_the_clock(0);
    ends(&class, &mut row);
    row
}

fn both(force: &Assault) -> Row {
    let mut row = Row::new("all clocks set back an hour");
    let class = play(force, true, &mut row);
    ends(&class, &mut row);
    row
}

/// Some have their logins, the texts of some wait, and some come after the clock was set; then all ask again.
fn play(force: &Assault, coders_too: bool, row: &mut Row) -> Classroom {
    let class = Plan::new(&force.binary)
        .with_safe_redis()
        .with_clock_shim()
        .with("CODER_REG_RESEND_INTERVAL", "0")
        .with("CODER_REMOVE_TIME", "90m")
        .open();
    class.coder().latency(Op::ANY, Duration::from_millis(10));
    let students = class.students(force.pick(6, 60));
    let third = students.len() / 3;
    class.all_get_logins(&students[..third]);
    class.all_served();
    class.coder().goes_down();
    class.all_ask(&students[third..2 * third]);
    class.sets_the_clock(BACK);
    if coders_too {
        class.coder().clock_is_ahead(BACK);
    }
    class.coder().comes_back();
    class.restart_service();
    class.all_ask(&students[2 * third..]);
    class.eventually("all logins", || {
        students.iter().all(|student| !student.inbox().is_empty())
    });
    class.all_served();
    row.count(&class, &students, 1, 0);
    a_later_second();
    class.all_ask(&students);
    class.all_served();
    row.count_logins(&students, 2);
    row.students -= students.len();
    row.count_accounts(&class, students.len());
    row.lost += class.dead_letters();
    class
}

fn ends(class: &Classroom, row: &mut Row) {
    class.change("UPDATE registrations SET due_at = 1, check_at = 0");
    class.all_gone();
    row.count_left(class);
    row.check_database(class);
}

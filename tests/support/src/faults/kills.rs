//! SIGKILL of the service, at random moments and in a crash loop, while students come and go.

use std::time::{Duration, Instant};

use super::post::Post;
use super::table::Row;
use super::{Assault, FaultProof};
use crate::classroom::student::Student;
use crate::classroom::{Classroom, Plan};
use crate::fakes::random::Dice;
use crate::fakes::trouble::Op;

/// Kills while some register and others are removed.
pub const KILLS: FaultProof = FaultProof {
    name: "kills",
    about: "200 SIGKILLs at random moments while 40 students register and 20 are removed",
    run: kills,
};

/// A service that is killed again and again.
pub const CRASH_LOOP: FaultProof = FaultProof {
    name: "crash_loop",
    about: "3 minutes of a SIGKILL every 0.5 to 3 seconds under traffic",
    run: crash_loop,
};

fn class(force: &Assault) -> Classroom {
    let class = Plan::new(&force.binary)
        .with_safe_redis()
        .with("CODER_REG_CATCH_UP", "30")
        .with("CODER_REG_RESEND_INTERVAL", "0")
        .open();
    class.coder().latency(Op::ANY, Duration::from_millis(10));
    class.twilio().latency(Op::ANY, Duration::from_millis(10));
    class.coder().build_time(Duration::from_millis(50));
    class
}

fn pause(dice: &mut Dice, least: u64, most: u64) {
    std::thread::sleep(Duration::from_millis(least + dice.below(most - least)));
}

fn kills(force: &Assault) -> Vec<Row> {
    let (kills, coming, leaving) = force.pick((15, 6, 3), (200, 40, 20));
    let mut row = Row::new(format!("{kills} SIGKILLs at random moments"));
    let mut dice = Dice::new(7);
    let class = class(force);
    let leavers = class.students(leaving);
    for leaver in &leavers {
        let login = leaver.gets_a_login();
        class.has_a_stopped_workspace(&login);
    }
    class.all_served();
    class.change("UPDATE registrations SET due_at = 1");
    let comers = class.students(coming);
    let post = Post::to(&class);
    let mut waiting = comers.iter();
    for kill in 0..kills {
        // All have texted when three quarters of the kills are done.
        let texted = coming - waiting.len();
        if texted * kills * 3 <= kill * coming * 4 {
            waiting.next().inspect(|comer| post.asks(comer));
        }
        pause(&mut dice, 0, 90);
        class.restart_service();
        post.follows(&class);
        if kill % 50 == 49 {
            force.says(&format!("{} kills", kill + 1));
        }
    }
    row.lost += post.is_delivered();
    class.all_served();
    class.eventually("the others removed", || {
        class.registrations() == coming && class.coder().students().len() == coming
    });
    row.count_logins(&comers, 1);
    row.count_accounts(&class, coming + leaving);
    row.students += leaving;
    row.orphaned += usize::from(!class.workspaces_are_deleted());
    row.doubled += leavers
        .iter()
        .filter(|leaver| leaver.inbox().len() > 1)
        .count();
    row.check_database(&class);
    vec![row]
}

fn crash_loop(force: &Assault) -> Vec<Row> {
    let span = force.pick(Duration::from_secs(5), Duration::from_secs(180));
    let (least, most) = force.pick((200, 900), (500, 3_000));
    let mut row = Row::new(format!("a crash loop of {} s", span.as_secs()));
    let mut dice = Dice::new(11);
    let class = class(force);
    let post = Post::to(&class);
    let (mut students, mut asked): (Vec<Student<'_>>, Vec<usize>) = Default::default();
    let (began, mut kills, mut said) = (Instant::now(), 0, 0);
    let mut next_kill = Instant::now() + Duration::from_millis(most);
    while began.elapsed() < span {
        match dice.below(10) {
            0 | 1 if !students.is_empty() => {
                let again = usize::try_from(dice.below(students.len() as u64)).unwrap_or(0);
                post.asks(&students[again]);
                asked[again] += 1;
            }
            2 => post.texts(&class.student(), "is this the number?"),
            _ => {
                students.push(class.student());
                asked.push(1);
                post.asks(&students[students.len() - 1]);
            }
        }
        pause(&mut dice, 50, 500);
        if Instant::now() >= next_kill {
            class.restart_service();
            post.follows(&class);
            kills += 1;
            next_kill = Instant::now() + Duration::from_millis(least + dice.below(most - least));
        }
        if began.elapsed().as_secs() / 60 > said {
            said += 1;
            force.says(&format!("{kills} kills, {} students", students.len()));
        }
    }
    row.lost += post.is_delivered();
    class.all_served();
    for (student, asked) in students.iter().zip(asked) {
        row.count_logins(std::slice::from_ref(student), asked);
    }
    row.count_accounts(&class, students.len());
    class.change("UPDATE registrations SET due_at = 1");
    class.all_gone();
    row.count_left(&class);
    row.check_database(&class);
    row.note = format!("{kills} kills");
    vec![row]
}

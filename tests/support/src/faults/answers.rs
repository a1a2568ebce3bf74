//! Coder and Twilio answer late, wrongly or not at all.

use std::time::{Duration, Instant};

use super::table::Row;
use super::{Assault, FaultProof};
use crate::classroom::student::Student;
use crate::classroom::{Classroom, Plan};
use crate::fakes::server::Request;
use crate::fakes::trouble::{Op, Trouble};
use crate::fakes::twilio::ops as twilio;

/// All that can befall an answer.
pub const ANSWERS: FaultProof = FaultProof {
    name: "answers",
    about: "answers lost, late, wrong; Coder or Twilio away, refusing one, refusing all",
    run: |force| {
        force.all_at_once([
            lost,
            late,
            wrong,
            away,
            away_for_good,
            refused,
            credentials,
            stuck,
        ])
    },
};

/// How long a class in trouble may take to come to its end.
const END: Duration = Duration::from_secs(240);

/// How many texts are served side by side, unless a plan says otherwise.
const WORKERS: usize = 8;

fn plan(force: &Assault) -> Plan {
    Plan::new(&force.binary)
        .with("CODER_REG_RESEND_INTERVAL", "0")
        // A reservation without a user is looked at twice, four limits apart.
        .with("CODER_REG_CALL_LIMIT", "2s")
}

/// Waits until all is answered, then counts; then ends the class and counts again.
fn conclude(mut row: Row, class: &Classroom, students: &[Student<'_>]) -> Row {
    class.eventually_within(END, "all texts served", || {
        class.redis().length("coder-sms-register:texts") == 0
    });
    row.count(class, students, 1, 0);
    class.change("UPDATE registrations SET due_at = 1");
    class.eventually_within(END, "all accounts removed", || class.nobody_is_left());
    row.count_left(class);
    row.check_database(class);
    row
}

/// Three of ten calls are carried out and never answered, until the last account is gone.
fn lost(force: &Assault) -> Row {
    let (seeds, size) = force.pick((1, 8), (6, 20));
    let mut all = Row::new("30 % of all calls applied, answer lost");
    for seed in 0..seeds {
        let class = plan(force).open();
        class.coder().unreliable(seed, 30);
        class.twilio().unreliable(seed + 100, 30);
        let students = class.students(size);
        students.iter().for_each(|student| drop(student.asks()));
        all.add(&conclude(Row::new(""), &class, &students));
        force.says(&format!("{} of {seeds} seeds of lost answers", seed + 1));
    }
    all
}

/// Calls that hang past the time limit, carried out or not, on both sides.
fn late(force: &Assault) -> Row {
    let class = plan(force).with("CODER_REG_CALL_LIMIT", "1s").open();
    let students = class.students(force.pick(4, 20));
    let long = Duration::from_secs(20);
    for (times, trouble) in [
        (2, Trouble::Hang(long)),
        (2, Trouble::HangAfter(long)),
        (1, Trouble::Hang(long)),
    ] {
        class.coder().trouble(Op::ANY, times, trouble.clone());
        class.twilio().trouble(Op::ANY, times, trouble);
    }
    students.iter().for_each(|student| drop(student.asks()));
    conclude(
        Row::new("calls that hang past the time limit"),
        &class,
        &students,
    )
}

/// Every sort of wrong answer, on each side first in turn.
fn wrong(force: &Assault) -> Row {
    let troubles = || {
        let failed = serde_json::json!({ "message": "An internal error occurred." });
        [
            Trouble::json(500, &failed),
            Trouble::bad_gateway(),
            Trouble::unavailable(),
            Trouble::html(504, "Gateway Time-out"),
            Trouble::too_many_requests(1),
            Trouble::CutBefore,
            Trouble::LoseReply,
        ]
    };
    let mut all = Row::new("500, 502 HTML, 503, 504, 429 with Retry-After, cuts");
    for coder_first in [true, false] {
        let class = plan(force).open();
        let students = class.students(force.pick(4, 20));
        for (number, trouble) in troubles().into_iter().enumerate() {
            if (number % 2 == 0) == coder_first {
                class.coder().trouble(Op::ANY, 3, trouble);
            } else {
                class.twilio().trouble(Op::ANY, 3, trouble);
            }
        }
        students.iter().for_each(|student| drop(student.asks()));
        all.add(&conclude(Row::new(""), &class, &students));
    }
    all
}

/// Coder is away for ten minutes by the service's clock while a class texts, and comes back.
fn away(force: &Assault) -> Row {
    let span = force.pick(Duration::from_secs(3), Duration::from_secs(40));
    let class = plan(force).with_clock_shim().open();
    let students = class.students(force.pick(10, 100));
    class.coder().goes_down();
    students.iter().for_each(|student| drop(student.asks()));
    class.sets_the_clock(600);
    std::thread::sleep(span);
    class.coder().comes_back();
    let back = Instant::now();
    class.eventually_within(END, "all logins", || {
        students.iter().all(|student| !student.inbox().is_empty())
    });
    let mut row = Row::new(format!(
        "Coder away for 10 minutes of its clock, {} s of ours",
        span.as_secs()
    ));
    row.note = format!(
        "last login {:.1} s after its return",
        back.elapsed().as_secs_f64()
    );
    conclude(row, &class, &students)
}

/// Coder is away for longer than texts are worth a try: each is given up by name, and who texts
/// again when it is back is served.
fn away_for_good(force: &Assault) -> Row {
    let class = plan(force).with("CODER_REG_GIVE_UP", "2s").open();
    let students = class.students(force.pick(5, 40));
    class.coder().goes_down();
    students.iter().for_each(|student| drop(student.asks()));
    class.eventually_within(END, "all given up", || {
        class.redis().length("coder-sms-register:texts") == 0
    });
    let mut row = Row::new("Coder away for a whole class");
    let letters = class.redis().length("coder-sms-register:dead");
    row.lost += students.len().abs_diff(letters);
    class.coder().comes_back();
    class.eventually_within(END, "the reservations gone", || class.registrations() == 0);
    students.iter().for_each(|student| drop(student.asks()));
    row.note = format!("{letters} dead letters, then served");
    conclude(row, &class, &students)
}

/// One number is refused for good, then all are for the sender's sake: the one ends, the others wait.
fn refused(force: &Assault) -> Row {
    let class = plan(force).open();
    let mut students = class.students(force.pick(4, 20));
    let gone = class.student();
    class.twilio().refuse(gone.phone(), 400, 21_610);
    gone.asks();
    class.all_served();
    class.twilio().refuse_all(400, 21_212);
    students.iter().for_each(|student| drop(student.asks()));
    assert!(
        class
            .service()
            .logs("all texts are paused until this is fixed")
    );
    class.twilio().refuse_none();
    class.twilio().refuse(gone.phone(), 400, 21_610);
    // The operator mends the sender and starts the service again.
    class.restart_service();
    class.eventually_within(END, "the useless account removed", || {
        class.registrations() == students.len() && class.coder().students().len() == students.len()
    });
    let mut row = Row::new("one number refused (21610), then all (21212)");
    row.lost += usize::from(class.redis().length("coder-sms-register:dead") != 1);
    row.doubled += gone.inbox().len();
    class.all_served();
    row.count_logins(&students, 1);
    row.count_accounts(&class, students.len() + 1);
    students.clear();
    row
}

/// The key is revoked: sending pauses and nothing is given up.
fn credentials(force: &Assault) -> Row {
    let class = plan(force).open();
    let students = class.students(force.pick(4, 20));
    class.twilio().auth_fails(true);
    let began = Instant::now();
    students.iter().for_each(|student| drop(student.asks()));
    assert!(
        class
            .service()
            .logs("all texts are paused until this is fixed")
    );
    // Without a pause each of them would be tried again after a second, and after two more.
    std::thread::sleep(Duration::from_secs(5));
    let sends = class.twilio().count(twilio::SEND);
    // Each worker may have been at it when the first refusal came; then there is one probe a minute.
    let probes = usize::try_from(began.elapsed().as_secs() / 60).unwrap_or(usize::MAX) + 1;
    let paused = sends <= students.len().min(WORKERS) + probes;
    class.twilio().auth_fails(false);
    class.restart_service();
    let mut row = Row::new("Twilio refuses our key (20003)");
    row.lost += usize::from(!paused);
    row.lost += class.redis().length("coder-sms-register:dead");
    row.note = format!("{sends} tries before the pause");
    conclude(row, &class, &students)
}

/// One student's calls hang, each to the time limit: how long do others wait?
fn stuck(force: &Assault) -> Row {
    let class = plan(force)
        .with("CODER_REG_CALL_LIMIT", "3s")
        .with("CODER_REG_PARALLEL", "2")
        .open();
    let stuck = class.student();
    let number = stuck.phone().trim_start_matches('+').to_owned();
    let hers = move |request: &Request| String::from_utf8_lossy(&request.body).contains(&number);
    let long = Duration::from_secs(60);
    class
        .twilio()
        .trouble_when(Box::new(hers), usize::MAX, Trouble::Hang(long));
    stuck.asks();
    class.twilio().wait_for_calls(twilio::SEND, 1, END);
    let others = class.students(force.pick(6, 40));
    let mut slowest = Duration::ZERO;
    for student in &others {
        let began = Instant::now();
        student.gets_a_login();
        slowest = slowest.max(began.elapsed());
    }
    class.twilio().no_more_trouble();
    stuck.next_login();
    let mut row = Row::new("one student's calls hang for 3 s each");
    row.note = format!("the slowest of the others waited {slowest:.1?}");
    let mut students = others;
    students.push(stuck);
    conclude(row, &class, &students)
}

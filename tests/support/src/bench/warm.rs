//! What a student costs whose account is ready before the text comes, beside one whose account is made then, and how
//! that grows with the class.

use std::time::{Duration, Instant};

use super::class::play;
use super::process::Process;
use super::report::{Section, Table};
use super::{Bench, BenchPart};
use crate::classroom::redis::Fsync;
use crate::classroom::student::Webhook;
use crate::classroom::{Classroom, PHRASE};
use crate::fakes::twilio::ops as twilio;

/// The part.
pub const PART: BenchPart = BenchPart {
    name: "warm",
    about: "what a student costs whose account is ready before",
    run: measure,
};

/// The longest that spare accounts or a class may take.
const PATIENCE: Duration = Duration::from_secs(900);

/// One class.
struct Figures {
    students: usize,
    is_warm: bool,
    /// CPU seconds of the service from the first text to the last login.
    cpu: f64,
    /// Calls to Coder in that time.
    calls: usize,
    /// Seconds from the last text to the last login.
    last: f64,
    /// MB of memory (PSS) after that.
    memory: f64,
    /// Seconds that the spare accounts took.
    made_in: f64,
}

fn measure(bench: &Bench) -> Section {
    let sizes: &[usize] = bench.pick(&[8], &[100, 1_000, 10_000]);
    let mut played = Vec::new();
    for students in sizes {
        for is_warm in [false, true] {
            let kind = if is_warm { "warm" } else { "cold" };
            bench.says(&format!("warm: {students} students, {kind}"));
            played.push(play_class(bench, *students, is_warm));
        }
    }
    let mut section = Section::new("Accounts that are ready before");
    section.says(
        "All students text at once, and get their logins by text. Coder and Twilio answer at once, and there is no \
         template. *Cold*: the account of each is made when the text comes. *Warm*: as many spare accounts as students \
         were made before (`CODER_REG_WARM`), and nobody counts what that cost. Coder is also asked once a minute \
         whether somebody has used a spare.",
    );
    section.shows(&table(&played));
    section
}

fn play_class(bench: &Bench, students: usize, is_warm: bool) -> Figures {
    let spares = if is_warm { students } else { 0 };
    let class = bench
        .plan()
        .with("CODER_REG_MAX_USERS", &students.to_string())
        .with("CODER_REG_WARM", &spares.to_string())
        .with_redis_that_syncs(Fsync::EverySecond)
        .prepare();
    let began = Instant::now();
    class.start_service();
    class.eventually_within(PATIENCE, "spare accounts", || {
        ready(&class) == spares.to_string()
    });
    let made_in = began.elapsed().as_secs_f64();
    let texts: Vec<(String, Webhook)> = class
        .students(students)
        .iter()
        .map(|student| (student.phone().to_owned(), student.webhook(PHRASE, &[])))
        .collect();
    let process = Process::of(class.service().pid());
    let (cpu, calls) = (process.cpu(), class.coder().calls().len());
    play::bring(&class, &texts, Duration::ZERO, Instant::now());
    let brought = Instant::now();
    class.eventually_within(PATIENCE, "a login for everybody", || {
        class.twilio().count(twilio::SEND) >= students
    });
    let last = brought.elapsed().as_secs_f64();
    let (cpu, calls) = (process.cpu() - cpu, class.coder().calls().len() - calls);
    Figures {
        students,
        is_warm,
        cpu: cpu.as_secs_f64(),
        calls,
        last,
        memory: process.memory().pss as f64 * 1_024.0 / 1e6,
        made_in,
    }
}

/// How many spares a student may get.
fn ready(class: &Classroom) -> String {
    std::thread::sleep(Duration::from_millis(50));
    class.query("SELECT count(*) FROM registrations WHERE unused_at IS NOT NULL")
}

fn table(played: &[Figures]) -> Table {
    let mut table = Table::new(
        "**Ready before**: CPU time of the service from the first text to the last login",
        &[
            "students",
            "accounts",
            "CPU ms each",
            "of cold",
            "calls to Coder",
            "last login, s after the last text",
            "memory MB",
            "spares made in s",
        ],
    );
    for one in played {
        let mut all = played.iter();
        let cold = all.find(|other| other.students == one.students && !other.is_warm);
        let cold = cold.map_or(0.0, |cold| cold.cpu).max(0.001);
        table.row(vec![
            one.students.to_string(),
            if one.is_warm { "warm" } else { "cold" }.to_owned(),
            format!("{:.2}", one.cpu * 1e3 / one.students as f64),
            format!("{:.0} %", 100.0 * one.cpu / cold),
            one.calls.to_string(),
            format!("{:.2}", one.last),
            format!("{:.1}", one.memory),
            if one.is_warm {
                format!("{:.1}", one.made_in)
            } else {
                "–".to_owned()
            },
        ]);
    }
    table
}

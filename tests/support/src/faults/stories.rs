//! Stories of the model, played on the real program: the longest way through its states, and ten strange ones.
//!
//! `src/model` searches every order of events in small worlds; `src/model/stories` chooses the stories and writes them to
//! `tests/data/stories`. Here each of them is played with a real Redis and the fakes, move by move: calls end as the
//! story says, the service is killed where the story says, time passes by a clock that is set ahead, and the reaper looks
//! when the story says. After each move it is checked that the student's login works if the story says so, and that there
//! are never two accounts; at the end that the text was answered once by each account, or is a dead letter, and that nothing
//! is left. All of it takes seconds, so there is no short version.

mod brake;
mod effects;
mod player;
mod told;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::classroom::folder::Folder;
use crate::classroom::redis::{Fsync, Redis};
use crate::classroom::student::{Login, Student};
use crate::faults::points::site::PointSite;
use crate::faults::points::stage::PointStage;
use crate::faults::table::Row;
use crate::faults::{Assault, FaultProof};
use brake::Brake;
use player::{MOMENT, Player};
use told::{Told, ToldMove};

/// The proof.
pub const PROOF: FaultProof = FaultProof {
    name: "stories",
    about: "the longest way of the model and ten strange ones, move by move",
    run: prove,
};

/// Moments of the model: how long an account lives, and how long a text is tried.
const LIFE: i64 = 2;

/// Moments after which a create cannot be late any more. The service waits for four calls.
const LATE: i64 = 3;

/// What came of one story.
struct StoryOutcome {
    row: Row,
    played: usize,
    kills: usize,
    /// Calls that were carried out, and not answered.
    lost: usize,
    /// Calls that were not carried out.
    failed: usize,
    took: Duration,
    report: Option<String>,
}

fn prove(force: &Assault) -> Vec<Row> {
    let folder = Folder::new();
    let redis = Redis::start(folder.path(), Fsync::Never);
    let mut stories = told::all();
    if let Ok(chosen) = std::env::var("FAULTS_ONLY") {
        stories.retain(|story| chosen.split(' ').any(|name| name == story.name));
    }
    let outcomes: Vec<StoryOutcome> = std::thread::scope(|scope| {
        let runs = (1..).zip(&stories).map(|(number, story)| {
            let redis = redis.share(number);
            scope.spawn(move || play(force, redis, story))
        });
        let runs: Vec<_> = runs.collect();
        let ends = runs.into_iter().map(|run| run.join());
        ends.map(|end| end.expect("a run catches its panics"))
            .collect()
    });
    for outcome in &outcomes {
        if let Some(report) = &outcome.report {
            eprintln!("{report}");
        }
    }
    let uncounted = outcomes
        .iter()
        .any(|one| one.report.is_some() && one.row.harmed() == 0);
    assert!(!uncounted, "stories that are wrong as said above");
    outcomes.into_iter().map(StoryOutcome::into_row).collect()
}

impl StoryOutcome {
    /// Nothing is played yet.
    fn of(story: &Told) -> Self {
        let count = |is_one: &dyn Fn(&ToldMove) -> bool| {
            story.moves.iter().filter(|what| is_one(what)).count()
        };
        Self {
            row: Row::new(format!("story: {}", story.name)),
            played: 0,
            kills: count(&|what| what.parts()[0] == "kill"),
            lost: count(&|what| what.parts()[2] == "lostafter"),
            failed: count(&|what| what.parts()[2] == "lostbefore"),
            took: Duration::ZERO,
            report: None,
        }
    }

    fn into_row(self) -> Row {
        let Self {
            mut row,
            played,
            kills,
            lost,
            failed,
            took,
            ..
        } = self;
        let took = took.as_secs();
        row.note = format!(
            "{played} moves, {kills} kills, {lost} answers lost, {failed} calls failed, {took} s"
        );
        row
    }
}

fn play(force: &Assault, redis: Redis, story: &Told) -> StoryOutcome {
    let began = Instant::now();
    let caught = catch_unwind(AssertUnwindSafe(|| play_out(force, redis, story)));
    let mut outcome = caught.unwrap_or_else(|_| StoryOutcome {
        report: Some(format!("{}: broke off, see above", story.name)),
        ..StoryOutcome::of(story)
    });
    outcome.took = began.elapsed();
    outcome
}

fn play_out(force: &Assault, redis: Redis, story: &Told) -> StoryOutcome {
    let stage = PointStage::open(&force.binary, redis, PointSite::NewAdmin);
    let brake = settle_stage(&stage);
    let student = stage.class.student();
    let player = Player::new(&stage, &student, brake);
    let mut outcome = StoryOutcome::of(story);
    let (mut told, mut wrong) = (String::new(), Vec::new());
    for (number, what) in (1..).zip(&story.moves) {
        told += &format!("{number:3}. {}\n", what.words);
        if let Err(parted) = player.plays(what, &story.moves[number..]) {
            wrong.push(format!(
                "at move {number} it parts from the story: {parted}"
            ));
            break;
        }
        outcome.played += 1;
        let harm = harm_after(&stage, &student, what);
        if harm.harmed() > 0 {
            outcome.row.add(&harm);
            wrong.push(format!("harm is done by move {number}"));
            break;
        }
    }
    let ended = player.lets_all_go();
    wrong.extend(judge(&stage, &student, story, ended, &mut outcome.row));
    outcome.report = (!wrong.is_empty() || !outcome.row.holds()).then(|| {
        let (name, wrong) = (story.name, wrong.join("; "));
        let seen = (stage.tape.describe(), stage.class.describe());
        format!("{name}: {wrong}\n{told}=== tape ===\n{}{}", seen.0, seen.1)
    });
    outcome
}

/// Moments of the service are those of the model, and every effect meets the brake.
fn settle_stage(stage: &PointStage) -> Arc<Brake> {
    let brake = Arc::new(Brake::default());
    let own = Arc::clone(&brake);
    stage
        .tape
        .held_by(Box::new(move |_, label, deed| own.meets(label, deed)));
    stage.tape.counts(&[]);
    let seconds = |moments: i64| format!("{}s", moments * MOMENT);
    let settings = [
        ("CODER_REMOVE_TIME", seconds(LIFE)),
        ("CODER_REG_GIVE_UP", seconds(LIFE)),
        ("CODER_REG_CALL_LIMIT", format!("{}s", LATE * MOMENT / 4)),
        // The reaper looks when it is told to.
        ("CODER_CHECK_INTERVAL", "24h".to_owned()),
        ("CODER_REG_PARALLEL", "1".to_owned()),
        ("CODER_REG_REDACT", "off".to_owned()),
    ];
    for (name, value) in settings {
        stage.class.set(name, &value);
    }
    stage.class.time_may_pass();
    brake
}

/// What the student and Coder see after a move.
fn harm_after(stage: &PointStage, student: &Student<'_>, what: &ToldMove) -> Row {
    let accounts = stage.class.coder().students().len();
    Row {
        lost: usize::from(what.login && !student.can_log_in()),
        doubled: accounts.saturating_sub(1),
        ..Row::default()
    }
}

/// To how many accounts the student got logins. One whose login was never recorded may live its time and be removed, and
/// the text that still waits then gets another.
fn different(student: &Student<'_>) -> usize {
    let inbox = student.inbox();
    let logins = inbox.iter().filter_map(|text| Login::read(&text.body));
    let names: BTreeSet<String> = logins.map(|login| login.email).collect();
    names.len()
}

/// Counts who came to harm in the end, and says what else is wrong.
fn judge(
    stage: &PointStage,
    student: &Student<'_>,
    story: &Told,
    ended: bool,
    row: &mut Row,
) -> Vec<String> {
    let logins = student.inbox().len();
    let letters = stage.dead_letters();
    row.students += 1;
    row.lost += usize::from(logins + letters == 0);
    row.doubled += logins - different(student);
    row.count_left(&stage.class);
    stage.stop_service();
    let is_given_up = story.moves.iter().any(|one| one.parts()[1] == "deadletter");
    let checks = [
        (ended, "it did not come to its end"),
        // Killed while it is written, it may stand there twice.
        (
            is_given_up == (letters > 0),
            "a dead letter is missing, or nobody expects it",
        ),
        (
            stage.class.query("PRAGMA integrity_check") == "ok",
            "the database is damaged",
        ),
        (
            stage.tape.strays().is_empty(),
            "something went past the tape",
        ),
    ];
    let wrong = checks.into_iter().filter(|(holds, _)| !holds);
    wrong.map(|(_, what)| what.to_owned()).collect()
}

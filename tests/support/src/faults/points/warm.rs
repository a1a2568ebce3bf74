//! A class with spare accounts: they are made, two students take them, one more is made for the last seat, and the
//! class closes. The cuts fall anywhere in this.

use std::time::Duration;

use super::offer::Offer;
use super::stage::{PATIENCE, PointStage};
use crate::classroom::PHRASE;
use crate::classroom::student::{Login, Student};
use crate::faults::table::Row;

/// Two spares and three seats: after both students are in, one spare is allowed and two are wanted.
const SETTINGS: [(&str, &str); 6] = [
    ("CODER_REG_TEMPLATE", "docker"),
    ("CODER_CLASS_INTRO_PASS", PHRASE),
    ("CODER_CLASS_INTRO_SEATS", "3"),
    ("CODER_CLASS_INTRO_WARM", "2"),
    // A removal waits for it, where a user may appear late.
    ("CODER_REG_CALL_LIMIT", "2s"),
    // Two threads would change the order of effects from run to run.
    ("CODER_REG_PARALLEL", "1"),
];

/// The accounts that may ever be made: three spares, and one for each student who texts when none may be taken, as
/// after a kill.
const ACCOUNTS: usize = 5;

/// How long it may take until there are as many spares as wanted. If a kill leaves it open whether a workspace was
/// requested, the removal of its spare waits a minute for it to appear.
const SPARES_ARE_RIGHT: Duration = Duration::from_secs(PATIENCE.as_secs() + 61);

/// What the class is to be like.
pub fn prepare(stage: &PointStage) {
    stage.class.unset("CODER_REG_PASS");
    for (name, value) in SETTINGS {
        stage.class.set(name, value);
    }
    let coder = stage.class.coder();
    coder.suspended_workspaces_stop_after(Duration::ZERO);
}

/// Plays it with the tape counting. Returns whether each part came to its end in time.
pub fn plays(stage: &PointStage, students: &[Student<'_>]) -> bool {
    let ready =
        |stage: &PointStage| stage.tape.has_reached("coder check permissions") && stage.is_idle();
    let warm = |stage: &PointStage| ready(stage) && accounts(stage, 2, 2);
    if !stage.plays_until(|_| {}, warm) {
        return false;
    }
    stage.step.set(10);
    let offers: Vec<(&Student<'_>, Offer)> = students
        .iter()
        .map(|one| (one, Offer::new(Some(one.phrase_webhook()))))
        .collect();
    let text = |stage: &PointStage| {
        let next = offers.iter().find(|(_, offer)| !offer.is_taken());
        if let Some((student, offer)) = next.filter(|_| ready(stage)) {
            offer.goes_on(stage, student);
        }
    };
    let served = |stage: &PointStage| {
        offers.iter().all(|(_, offer)| offer.is_taken()) && stage.is_served() && ready(stage)
    };
    let refilled = |stage: &PointStage| served(stage) && accounts(stage, 3, 1);
    if !stage.plays_until(text, served) || !stage.plays_for(SPARES_ARE_RIGHT, |_| {}, refilled) {
        return false;
    }
    stage.step.set(20);
    stage
        .class
        .set("CODER_CLASS_INTRO_CLOSES", "2021-12-01T09:00Z");
    stage.start_service();
    stage.plays_for(
        SPARES_ARE_RIGHT,
        |_| {},
        |stage| ready(stage) && accounts(stage, 2, 0) && stage.class.coder().students().len() == 2,
    )
}

/// Whether there are this many accounts, and this many of them are spares that may be taken and whose workspaces run.
fn accounts(stage: &PointStage, all: usize, spares: usize) -> bool {
    let ready = "SELECT count(*) FROM registrations r JOIN workspaces w ON w.registration = r.id
         WHERE r.spare_since IS NOT NULL AND r.stage = 'created' AND r.unused_at IS NOT NULL
           AND w.running_since IS NOT NULL AND w.trouble IS NULL";
    stage.class.registrations() == all && stage.class.query(ready) == spares.to_string()
}

/// Counts who came to harm, and says what else is wrong.
pub fn judge(stage: &PointStage, students: &[Student<'_>], row: &mut Row) -> Vec<String> {
    let class = &stage.class;
    row.count_logins(students, 1);
    row.count_accounts(class, ACCOUNTS);
    let logins: Vec<Login> = students.iter().filter_map(Student::last_login).collect();
    let mut names: Vec<&str> = logins.iter().map(Login::username).collect();
    names.sort_unstable();
    names.dedup();
    // A spare that was given twice.
    row.doubled += logins.len() - names.len();
    let standing = class.coder().all_workspaces();
    let standing = standing.iter().filter(|one| !one.deleted).count();
    row.orphaned += standing.abs_diff(names.len());
    for name in names {
        let own = class.coder().workspaces_of(name);
        row.doubled += own.len().saturating_sub(1);
        row.lost += usize::from(own.first().is_none_or(|one| one.status != "running"));
    }
    let checks = [
        (
            "SELECT count(*) FROM registrations WHERE stage <> 'announced'",
            "no login is recorded, or a spare is left",
        ),
        (
            "SELECT count(fingerprint) FROM registrations",
            "a send is still open",
        ),
        (
            "SELECT count(*) FROM workspaces WHERE registration NOT IN (SELECT id FROM registrations)",
            "a workspace without an account is recorded",
        ),
    ];
    let wrong = checks
        .into_iter()
        .filter(|(sql, _)| class.query(sql) != "0");
    let mut wrong: Vec<String> = wrong.map(|(_, what)| what.to_owned()).collect();
    if stage.dead_letters() > 0 {
        wrong.push("there is a dead letter".to_owned());
    }
    wrong
}

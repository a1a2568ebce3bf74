//! The results: a table, what did not hold, and the instructor's screen.

use std::time::Duration;

use super::cast::{Cast, CastRole};
use super::class_run::DemoRun;
use super::proof::DemoProof;
use super::removal::Removal;
use super::screen::{DemoScreen, Paint, plural, seconds};
use super::stage::DemoStage;

/// How many lines of the program's log are shown if something did not hold.
const LOG_LINES: usize = 10;

/// The verdict.
pub struct DemoReport {
    /// What did not hold, in words.
    pub faults: Vec<String>,
}

/// The table under way.
struct ReportTable<'a> {
    screen: &'a DemoScreen,
    faults: Vec<String>,
}

impl ReportTable<'_> {
    /// A row without a check.
    fn row(&self, what: &str, value: &str) {
        self.screen.say(&format!("  {what:26} {value}"));
    }

    /// A row with a check; `fault` says what is wrong if it fails.
    fn hold(&mut self, what: &str, value: &str, holds: bool, fault: impl FnOnce() -> String) {
        if holds {
            return self.row(what, value);
        }
        self.row(
            what,
            &self.screen.paint(Paint::Bad, &format!("{value}   (!)")),
        );
        self.faults.push(fault());
    }

    /// A row with a number that must be `wanted`.
    fn count(&mut self, what: &str, found: usize, wanted: usize, note: &str) {
        let value = format!("{:<5} {note}", number(found));
        self.hold(what, value.trim_end(), found == wanted, || {
            format!("{}: {} instead of {wanted}", what.trim(), number(found))
        });
    }
}

/// Shows the table and the instructor's screen, and returns what did not hold.
pub fn draw_up(
    stage: &DemoStage,
    cast: &Cast,
    class_run: &DemoRun,
    proof: &DemoProof,
    removal: &Removal,
    screen: &DemoScreen,
) -> DemoReport {
    screen.head(4, "Results");
    let acts = [&class_run.faults, &proof.faults, &removal.faults];
    let mut table = ReportTable {
        screen,
        faults: acts.into_iter().flatten().cloned().collect(),
    };
    logins(&mut table, stage, cast, class_run, proof);
    texts(&mut table, stage, cast, class_run);
    remains(&mut table, stage, cast, removal);
    secrets(&mut table, stage);
    let strange = [
        stage.class().coder().unexpected(),
        stage.class().twilio().unexpected(),
    ];
    let strange = strange.concat();
    if !strange.is_empty() {
        table.faults.push(format!(
            "calls that the real APIs do not have: {}",
            strange.join(", ")
        ));
    }
    if !table.faults.is_empty() {
        show_log(stage, screen);
    }
    screen.head(
        5,
        "What the instructor saw in act 2: coder-sms-register status",
    );
    proof.status.iter().for_each(|line| screen.show(line));
    DemoReport {
        faults: table.faults,
    }
}

fn logins(
    table: &mut ReportTable<'_>,
    stage: &DemoStage,
    cast: &Cast,
    class_run: &DemoRun,
    proof: &DemoProof,
) {
    let students = cast.students.len();
    let made = stage.class().coder().created_ever().len();
    table.row("students", &students.to_string());
    table.count("accounts made", made, students, "one for each phone");
    table.count("logins proved", proof.proved, students, "by logging in");
    table.count("workspaces started", proof.workspaces, students, "");
    let mut waits: Vec<Duration> = class_run
        .conversations
        .iter()
        .flat_map(|one| one.waits.iter().copied())
        .collect();
    waits.sort_unstable();
    let value = match (waits.get(waits.len() / 2), waits.last()) {
        (Some(median), Some(worst)) => {
            format!("median {}, worst {}", seconds(*median), seconds(*worst))
        }
        _ => "never".to_owned(),
    };
    table.row("from text to login", &value);
}

fn texts(table: &mut ReportTable<'_>, stage: &DemoStage, cast: &Cast, class_run: &DemoRun) {
    let twilio = stage.class().twilio();
    let (wanted, logins) = cast.answers();
    let again = logins - cast.students.len();
    let parts = [
        (cast.students.len(), "login"),
        (again, "repeated login"),
        (cast.count(CastRole::Hesitant), "hint"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<_> = parts.map(|(count, what)| plural(*count, what)).collect();
    let sent = twilio.texts().len();
    let note = if sent == wanted {
        parts.join(", ")
    } else {
        String::new()
    };
    table.count("texts sent", sent, wanted, &note);

    let status = class_run.forged_status;
    let trace = twilio.texts_to(&cast.forger).len();
    table.hold(
        "forged requests refused",
        &format!(
            "{:<5} answered {status}, no account, no text",
            usize::from(status == 403)
        ),
        status == 403 && trace == 0,
        || format!("a forged request was answered with {status} and {trace} texts"),
    );
}

fn remains(table: &mut ReportTable<'_>, stage: &DemoStage, cast: &Cast, removal: &Removal) {
    let class = stage.class();
    table.count("accounts removed", removal.removed, cast.students.len(), "");
    let ours = |owner: &str| owner != super::stage::STRANGER;
    let workspaces = class.coder().all_workspaces();
    let workspaces = workspaces
        .iter()
        .filter(|bench| !bench.deleted && ours(&bench.owner));
    let redis = class.redis();
    let left = [
        ("left over: accounts", class.coder().students().len()),
        ("           workspaces", workspaces.count()),
        ("           working logins", removal.working_logins),
        ("           registrations", class.registrations()),
        (
            "           texts in stream",
            redis.length("coder-sms-register:texts"),
        ),
        (
            "           dead letters",
            redis.length("coder-sms-register:dead"),
        ),
    ];
    for (what, count) in left {
        table.count(what, count, 0, "");
    }
    table.hold(
        "a stranger's account",
        if stage.stranger_is_untouched() {
            "untouched, its workspace too"
        } else {
            "touched"
        },
        stage.stranger_is_untouched(),
        || "a stranger's account or workspace was touched".to_owned(),
    );
}

fn secrets(table: &mut ReportTable<'_>, stage: &DemoStage) {
    let leaks = stage.class().leaks();
    let value = match leaks.len() {
        0 => "hold no phone, text, password or token".to_owned(),
        count => format!("hold {}", plural(count, "secret")),
    };
    table.hold("log and database", &value, leaks.is_empty(), || {
        leaks.join("; ")
    });
}

/// Shows warnings and errors of the program's log.
fn show_log(stage: &DemoStage, screen: &DemoScreen) {
    let log = stage.class().log();
    let serious = |line: &&str| line.contains("WARN") || line.contains("ERROR");
    let lines: Vec<&str> = log.lines().filter(serious).take(LOG_LINES).collect();
    if !lines.is_empty() {
        screen.say("\n  From the program's log:\n");
    }
    for line in lines {
        screen.say(&format!("    {line}"));
    }
}

/// A count. `usize::MAX` means that there was no answer.
fn number(count: usize) -> String {
    match count {
        usize::MAX => "unknown".to_owned(),
        count => count.to_string(),
    }
}

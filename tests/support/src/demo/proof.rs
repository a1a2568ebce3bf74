//! Act 2: each student's last login is tried, each student starts a workspace, and the instructor looks.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::cast::Cast;
use super::class_run::DemoRun;
use super::ground::Ground;
use super::interrupt::Interrupted;
use super::screen::{DemoScreen, plural, seconds};
use super::stage::DemoStage;
use crate::classroom::student::Login;
use crate::picture::terminal::Line;

/// How many logins are tried at the same time.
const THREADS: usize = 16;

/// How long workspaces still run after the first account's time is up. They must be left alone then.
const OVERTIME: Duration = Duration::from_millis(1_500);

/// The name of each student's workspace.
const WORKSPACE: &str = "python";

/// The whole act.
pub struct DemoProof {
    /// Logins that worked.
    pub proved: usize,
    /// Workspaces that students could start.
    pub workspaces: usize,
    /// The instructor's screen while all work.
    pub status: Vec<Line>,
    pub faults: Vec<String>,
}

/// Tries all logins in parallel. Returns the statuses in the same order, 0 where there is no login.
pub fn try_logins(
    logins: &[Option<&Login>],
    ground: &Ground<'_>,
    after: impl Fn(&Login, u16) + Sync,
) -> Vec<u16> {
    let statuses = Mutex::new(vec![0; logins.len()]);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS.min(logins.len()) {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(login) = logins.get(place).filter(|_| !ground.interrupt.asked())
                    else {
                        return;
                    };
                    let Some(login) = login else { continue };
                    let status = ground.log_in(login);
                    after(login, status);
                    statuses.lock().unwrap_or_else(PoisonError::into_inner)[place] = status;
                }
            });
        }
    });
    statuses
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
}

/// Plays the act.
pub fn play(
    stage: &DemoStage,
    cast: &Cast,
    class_run: &DemoRun,
    ground: &Ground<'_>,
    screen: &DemoScreen,
) -> Result<DemoProof, Interrupted> {
    screen.head(2, "Every login is tried at Coder, and work begins");
    let run = time_left(stage, class_run) + OVERTIME;
    // As an instructor sets the template of a class.
    ground.coder.auto_stop_after(run);

    let logins: Vec<_> = class_run
        .conversations
        .iter()
        .map(|one| one.login.as_ref())
        .collect();
    let started = AtomicUsize::new(0);
    let statuses = try_logins(&logins, ground, |login, status| {
        let works = status == 201;
        if works
            && ground
                .coder
                .start_workspace(login.username(), WORKSPACE)
                .is_some()
        {
            started.fetch_add(1, Ordering::Relaxed);
        }
    });
    ground.interrupt.check()?;
    let (proved, faults) = judge(cast, &logins, &statuses);
    let workspaces = started.into_inner();
    let time = seconds(ground.clock(Instant::now()));
    let all = plural(cast.students.len(), "student");
    screen.say(&format!(
        "{time:>8}   {proved} of {all} logged in with the text on their phone"
    ));
    screen.say(&format!(
        "{:>8}   {workspaces} started a workspace, which its template stops after {}",
        "",
        seconds(run)
    ));
    Ok(DemoProof {
        proved,
        workspaces,
        status: stage.status(),
        faults,
    })
}

/// How long it is until the first account is due.
fn time_left(stage: &DemoStage, class_run: &DemoRun) -> Duration {
    let conversations = class_run.conversations.iter();
    let first = conversations.filter_map(|one| one.first_login).min();
    let left = first.map(|at| (at + stage.lifetime).saturating_duration_since(Instant::now()));
    left.unwrap_or_default()
}

fn judge(cast: &Cast, logins: &[Option<&Login>], statuses: &[u16]) -> (usize, Vec<String>) {
    let mut faults = Vec::new();
    let mut proved = 0;
    for ((part, login), status) in cast.students.iter().zip(logins).zip(statuses) {
        match (login, status) {
            (Some(_), 201) => proved += 1,
            (Some(_), status) => {
                faults.push(format!(
                    "{}: the login was answered with {status}",
                    part.label()
                ));
            }
            // Reported in act 1.
            (None, _) => {}
        }
    }
    (proved, faults)
}

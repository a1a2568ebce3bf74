//! Act 2: every login that was texted last is tried, and every student starts to work.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::cast::Cast;
use super::class_run::ClassRun;
use super::ground::Ground;
use super::interrupt::Interrupted;
use super::screen::{Screen, plural, seconds};
use super::stage::Stage;
use crate::classroom::student::Login;

/// Logins tried side by side.
const HANDS: usize = 16;

/// How long workspaces run on after the first account's time is up, so that they are seen to be
/// left alone.
const OVERTIME: Duration = Duration::from_millis(1_500);

/// The name of everybody's workspace.
const WORKSPACE: &str = "class_run";

/// The whole act.
pub struct Proof {
    /// Logins that worked.
    pub proved: usize,
    /// Workspaces that students could start.
    pub workspaces: usize,
    pub faults: Vec<String>,
}

/// Tries all logins side by side; gives the statuses in their order, 0 where there is no login.
pub fn try_logins(
    logins: &[Option<&Login>],
    ground: &Ground<'_>,
    after: impl Fn(&Login, u16) + Sync,
) -> Vec<u16> {
    let statuses = Mutex::new(vec![0; logins.len()]);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..HANDS.min(logins.len()) {
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
    stage: &Stage,
    cast: &Cast,
    class_run: &ClassRun,
    ground: &Ground<'_>,
    screen: &Screen,
) -> Result<Proof, Interrupted> {
    screen.head(2, "Every login is tried at Coder, and work begins");
    let first = class_run
        .conversations
        .iter()
        .filter_map(|one| one.first_login)
        .min();
    let left = first.map(|at| (at + stage.lifetime).saturating_duration_since(Instant::now()));
    let run = left.unwrap_or_default() + OVERTIME;
    // As the templates of a class should be set.
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
        "{time:>8}   {proved} of {all} logged in with what stood on their phone"
    ));
    screen.say(&format!(
        "{:>8}   {workspaces} started a workspace, which its template stops after {}",
        "",
        seconds(run)
    ));
    Ok(Proof {
        proved,
        workspaces,
        faults,
    })
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
            // Complained about in the act before.
            (None, _) => {}
        }
    }
    (proved, faults)
}

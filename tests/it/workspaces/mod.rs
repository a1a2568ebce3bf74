//! A workspace with each login.

mod ending;
mod killed;
mod made;
mod not_made;

use support::classroom::student::Login;
use support::classroom::{Classroom, Plan};
use support::fakes::coder::StudentWorkspace;

/// A class whose students get workspaces.
pub fn with_workspaces() -> Plan {
    crate::plan().with("CODER_REG_TEMPLATE", "docker")
}

/// Waits until the only workspace of a login runs.
#[track_caller]
pub fn runs(class: &Classroom, login: &Login) -> StudentWorkspace {
    let all = || class.coder().workspaces_of(login.username());
    class.eventually("a running workspace", || {
        all().iter().any(|one| one.status == "running")
    });
    let mut all = all();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// Waits until `status` names this among what needs the operator.
#[track_caller]
pub fn status_says(class: &Classroom, words: &str) {
    class.eventually(&format!("status says {words:?}"), || {
        class.try_service(&["status"]).stdout.contains(words)
    });
}

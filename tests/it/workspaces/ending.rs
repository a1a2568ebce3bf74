//! The end of accounts whose workspaces are being made, and more time for those that have one.

use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::{Duration, UNIX_EPOCH};

use super::{runs, with_workspaces};
use support::classroom::PATIENCE;
use support::fakes::coder::{Role, Version, ops as coder};
use support::fakes::trouble::When;

#[test]
fn an_account_that_ends_while_its_workspace_is_built_is_removed_with_it() {
    let class = with_workspaces().open();
    class.coder().build_time(Duration::from_secs(3));
    let login = &class.logins(1)[0];
    class.eventually("a build", || {
        !class.coder().workspaces_of(login.username()).is_empty()
    });
    class.does(&["end", "--yes", "--all"]);
    class.all_gone();
    assert!(class.workspaces_are_deleted());
    assert_eq!(class.coder().all_workspaces().len(), 1);
}

#[test]
fn an_account_that_ends_while_its_workspace_is_requested_leaves_none_without_an_owner() {
    // This release deletes users whatever they have, if the caller does not see it.
    let class = with_workspaces().coder_of(Version::V2_25).prepare();
    class
        .coder()
        .token_roles(&[Role::UserAdmin, Role::OrganizationAdmin]);
    class.start_service();
    let (release, held) = channel();
    let held = Mutex::new(held);
    let wait = move || {
        let _ = held.lock().expect("one waits").recv_timeout(PATIENCE);
    };
    class
        .coder()
        .on(coder::CREATE_WORKSPACE, When::Before, 1, Box::new(wait));
    class.logins(1);
    class.eventually("the request", || {
        class.coder().count(coder::CREATE_WORKSPACE) == 1
    });
    class.does(&["end", "--yes", "--all"]);
    class.logs("waiting for the answer to a request for its workspace");
    release.send(()).expect("somebody waits");
    class.all_gone();
    assert_eq!(class.coder().all_workspaces().len(), 1);
    assert!(class.workspaces_are_deleted());
}

#[test]
fn a_workspace_runs_on_when_its_account_gets_more_time() {
    let class = with_workspaces()
        .with("CODER_REMOVE_TIME", "1h")
        .with("CODER_CHECK_INTERVAL", "900")
        .open();
    let login = &class.logins(1)[0];
    let stops_at = || {
        let stops = runs(&class, login).stops_at.expect("a stop");
        let stops = stops.duration_since(UNIX_EPOCH).expect("today").as_secs();
        i64::try_from(stops).expect("seconds")
    };
    let before = class.due(login);
    assert!(stops_at() <= before, "{} {before}", stops_at());
    assert!(stops_at() > before - 300);
    class.does(&["extend", "--yes", "--all", "2h"]);
    let due = class.due(login);
    assert_eq!(due, before + 7_200);
    class.eventually("more time for the workspace", || {
        (due - 300..=due).contains(&stops_at())
    });
    assert_eq!(class.coder().count(coder::EXTEND_WORKSPACE), 1);
}

#[test]
fn a_workspace_is_made_before_coder_knows_of_all_that_run_longer() {
    const STUDENTS: usize = 25;
    let class = with_workspaces()
        .with("CODER_REMOVE_TIME", "1h")
        .with("CODER_CHECK_INTERVAL", "900")
        .open();
    class.logins(STUDENTS);
    class.eventually("all workspaces", || {
        class.query("SELECT count(*) FROM workspaces WHERE stops_at IS NOT NULL")
            == STUDENTS.to_string()
    });
    let release = class.coder().hold(coder::EXTEND_WORKSPACE, When::Before);
    class.does(&["extend", "--yes", "--all", "2h"]);
    class.eventually("the first of them", || {
        class.coder().count(coder::EXTEND_WORKSPACE) == 1
    });
    class.student().gets_a_login();
    class.all_served();
    release.send(()).expect("it waits");
    class.eventually("all may run longer", || {
        class.coder().count(coder::EXTEND_WORKSPACE) == STUDENTS
            && class.coder().count(coder::CREATE_WORKSPACE) == STUDENTS + 1
    });
    let calls = class.coder().calls();
    let last = |op: support::fakes::trouble::Op| calls.iter().rposition(|call| call.op == op.0);
    assert!(last(coder::CREATE_WORKSPACE) < last(coder::EXTEND_WORKSPACE));
}

#[test]
fn a_workspace_that_the_student_has_deleted_is_not_made_again() {
    let class = with_workspaces().open();
    let login = &class.logins(1)[0];
    runs(&class, login);
    class.eventually("all is settled", || {
        class.query("SELECT count(*) FROM workspaces WHERE check_at IS NULL") == "1"
    });
    assert!(class.coder().delete_workspace(login.username(), "class"));
    class.eventually("it is deleted", || class.workspaces_are_deleted());
    class.restart_service();
    let another = &class.logins(1)[0];
    runs(&class, another);
    assert!(class.coder().workspaces_of(login.username()).is_empty());
}

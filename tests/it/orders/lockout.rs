//! `end` ends: nobody can work on, and workspaces are gone as soon as they have stopped.

use std::time::Duration;

use serde_json::json;

use super::{AT_ONCE, sleepy};
use crate::plan;
use support::classroom::Classroom;
use support::classroom::student::Login;
use support::fakes::coder::{Role, Version, ops};
use support::fakes::trouble::Trouble;

/// A login with a workspace that runs.
fn at_work(class: &Classroom) -> Login {
    let login = class.logins(1).remove(0);
    class
        .coder()
        .running_workspace(login.username(), "dev")
        .expect("a workspace");
    login
}

/// Whether a login works at Coder.
fn works(class: &Classroom, login: &Login) -> bool {
    class.coder().password_works(&login.email, &login.password)
}

/// The builds that were asked for, in their order.
fn builds(class: &Classroom) -> Vec<String> {
    let deeds = class.coder().ledger().into_iter();
    let builds = deeds.filter_map(|deed| deed.what.strip_prefix("build ").map(str::to_owned));
    builds.collect()
}

#[test]
fn nobody_can_work_on_when_the_command_says_so_and_all_is_gone_soon_after() {
    for version in Version::RECORDED {
        let class = plan()
            .coder_of(version)
            .with("CODER_CHECK_INTERVAL", "15m")
            .open();
        class
            .coder()
            .token_roles(&[Role::UserAdmin, Role::OrganizationAdmin]);
        let fake = class.coder();
        fake.suspended_workspaces_stop_after(Duration::from_secs(4));
        let logins = class.logins(4);
        for login in &logins[..2] {
            fake.running_workspace(login.username(), "dev")
                .expect("a workspace");
        }
        let told = class.does(&["end", "--all", "--yes"]);
        assert!(
            told.contains(
                "4 accounts ended and locked out; 2 are removed within minutes, as soon as their workspaces are stopped and deleted"
            ),
            "{version:?}: {told}"
        );
        assert!(logins.iter().all(|login| !works(&class, login)));
        assert_eq!(fake.students().len(), 2, "{version:?}");
        class.all_gone();
        assert!(class.workspaces_are_deleted());
        assert_eq!(builds(&class), ["delete", "delete"], "{version:?}");
    }
}

#[test]
fn what_coder_does_not_stop_by_itself_is_stopped_after_two_minutes() {
    let class = plan()
        .coder_of(Version::V2_25)
        .with("CODER_CHECK_INTERVAL", "1s")
        .open();
    class
        .coder()
        .suspended_workspaces_stop_after(Duration::from_secs(3_600));
    let login = at_work(&class);
    let told = class.does(&["end", login.username()]);
    assert!(
        told.contains("ended and locked out; 1 is removed within minutes"),
        "{told}"
    );
    assert!(
        class
            .service()
            .logs("locked out, waiting for Coder to stop 1")
    );
    assert!(builds(&class).is_empty());
    class.change("UPDATE registrations SET locked_at = locked_at - 121");
    class.all_gone();
    assert!(class.workspaces_are_deleted());
    assert_eq!(builds(&class), ["stop", "delete"]);
}

#[test]
fn a_workspace_whose_stop_fails_still_runs_and_is_stopped_again() {
    let class = plan().with("CODER_CHECK_INTERVAL", "1s").open();
    let login = at_work(&class);
    class.coder().fail_stops(login.username(), 2);
    class.does(&["end", login.username()]);
    class.all_gone();
    assert!(class.workspaces_are_deleted());
    // The first one that failed was Coder's own.
    assert_eq!(builds(&class), ["stop", "stop", "delete"]);
}

#[test]
fn a_workspace_that_never_stops_is_deleted_as_it_is() {
    let class = plan().with("CODER_CHECK_INTERVAL", "1s").open();
    let login = at_work(&class);
    class.coder().fail_stops(login.username(), usize::MAX);
    class.does(&["end", login.username()]);
    class.eventually("a stop that failed", || {
        let workspaces = class.coder().workspaces_of(login.username());
        workspaces[0].status == "failed" && workspaces[0].transition == "stop"
    });
    assert_eq!(class.coder().count(ops::DELETE_USER), 0);
    class.change("UPDATE registrations SET locked_at = locked_at - 601");
    class.all_gone();
    assert!(class.workspaces_are_deleted());
}

#[test]
fn whom_the_command_could_not_see_locked_out_it_names() {
    let class = sleepy();
    let login = at_work(&class);
    class.coder().goes_down();
    let told = class.does(&["end", "--all", "--yes"]);
    assert!(
        told.contains("1 account ended: 1 can still be used"),
        "{told}"
    );
    assert!(
        told.contains(&format!("{}: ", login.username())) && told.contains("at Coder"),
        "{told}"
    );
    class.coder().comes_back();
    class.eventually("the lock-out", || !works(&class, &login));
    class.all_gone();
    assert!(class.workspaces_are_deleted());
}

#[test]
fn a_lock_out_that_is_refused_is_told_and_the_removal_goes_on() {
    let class = plan().with("CODER_CHECK_INTERVAL", "1s").open();
    let login = at_work(&class);
    let refusal = Trouble::json(403, &json!({"message": "Forbidden."}));
    let refusal = refusal.with_header("X-Coder-Build-Version", "v2.31.14");
    class.coder().trouble(ops::SUSPEND, usize::MAX, refusal);
    let told = class.tells(&["end", "--json", "--all", "--yes"]);
    assert_eq!(told["still_usable"][0]["username"], login.username());
    assert_eq!(
        (&told["gone"], &told["locked_out"]),
        (&json!(0), &json!(0)),
        "{told}"
    );
    assert!(
        class
            .service()
            .logs("continues without locking the user out")
    );
    assert!(class.coder().stop_workspace(login.username(), "dev"));
    class.all_gone();
    assert!(class.workspaces_are_deleted());
}

#[test]
fn a_student_that_was_made_an_admin_is_left_to_a_person() {
    let class = plan().with("CODER_CHECK_INTERVAL", "1s").open();
    let login = at_work(&class);
    class.coder().gives_role(login.username(), Role::UserAdmin);
    let told = class.does(&["end", "--all", "--yes"]);
    assert!(
        told.contains("1 can still be used") && told.contains("has a role: a person must decide"),
        "{told}"
    );
    class.eventually("some more looks", || {
        class.coder().count(ops::LIST_USERS) > 5
    });
    assert!(works(&class, &login));
    assert_eq!(class.coder().count(ops::SUSPEND), 0);
    assert!(builds(&class).is_empty());
    let errors = class.log();
    let errors = errors.lines().filter(|line| line.contains("has a role"));
    assert_eq!(errors.filter(|line| line.contains(" ERROR ")).count(), 1);
    let status = class.does(&["status"]);
    assert!(status.contains("a person must decide"), "{status}");

    class.coder().loses_roles(login.username());
    class.all_gone();
    assert!(class.workspaces_are_deleted());
}

#[test]
fn time_that_is_up_ends_no_admin_either() {
    let class = plan().with("CODER_REMOVE_TIME", "1s").open();
    let login = class.student().gets_a_login();
    class.coder().gives_role(login.username(), Role::Owner);
    assert!(class.service().logs("has a role: a person must decide"));
    assert!(works(&class, &login));
    class.coder().loses_roles(login.username());
    class.all_gone();
}

#[test]
fn an_end_after_a_gentle_one_locks_out() {
    let class = sleepy();
    let login = at_work(&class);
    class.does(&["end", "--gently", "--all", "--yes"]);
    class.eventually("the wait", || class.log().contains("in use (1 running"));
    assert!(works(&class, &login));
    let told = class.does(&["end", "--all", "--yes"]);
    assert!(told.contains("ended and locked out"), "{told}");
    assert!(!works(&class, &login));
    class.eventually_within(2 * AT_ONCE, "an empty class", || class.registrations() == 0);
}

#[test]
fn whom_coder_does_not_delete_is_not_said_to_be_gone_within_minutes() {
    let class = sleepy();
    let login = class.logins(1).remove(0);
    let refusal = Trouble::json(403, &json!({"message": "Forbidden."}));
    let refusal = refusal.with_header("X-Coder-Build-Version", "v2.31.14");
    class.coder().trouble(ops::DELETE_USER, usize::MAX, refusal);
    let told = class.does(&["end", login.username()]);
    for words in [
        "1 account ended and locked out; 1 cannot be removed now, see below\n",
        &format!("{}: delete a user at Coder: status 403", login.username()),
        "the service retries, see status\n",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    // It has no workspace.
    assert!(
        !told.contains("workspace") && !told.contains("minutes"),
        "{told}"
    );
    assert!(!works(&class, &login));
}

//! Removals that meet an obstacle at Coder: they wait, log the reason once, and end when the obstacle is gone.

mod rights;

use std::sync::Arc;
use std::time::Duration;

use crate::plan;
use support::classroom::Classroom;
use support::classroom::student::Login;
use support::fakes::coder::{FakeCoder, Role, Version, ops as coder};
use support::fakes::trouble::{Op, When, Which};

/// A class whose time is up when a test says so.
fn class() -> Classroom {
    plan().with("CODER_REMOVE_TIME", "1h").open()
}

/// A student with a workspace `dev` that is at rest.
fn at_rest(class: &Classroom) -> Login {
    let login = class.login_of(&class.student());
    class.has_a_stopped_workspace(&login);
    class.eventually("the workspace at rest", || {
        let workspaces = class.coder().workspaces_of(login.username());
        workspaces
            .iter()
            .all(|workspace| workspace.status == "stopped")
    });
    login
}

/// Runs `act` on the fake once, at the first call of this kind.
fn once(
    class: &Classroom,
    which: impl Into<Which>,
    when: When,
    act: impl Fn(&FakeCoder) + Send + 'static,
) {
    // The fake must not keep itself alive.
    let fake = Arc::downgrade(class.coder());
    let hook = move || {
        if let Some(fake) = fake.upgrade() {
            act(&fake);
        }
    };
    class.coder().on(which, when, 1, Box::new(hook));
}

/// Waits for these words, for some more looks, and fails if they were logged at more than one of them.
fn is_logged_once(class: &Classroom, words: &str) {
    class.logs(words);
    let before = class.coder().count(Op::ANY);
    class.eventually("some more looks", || {
        class.coder().count(Op::ANY) >= before + 6
    });
    let log = class.log();
    // What goes on is told too, but not to those who run it.
    let told = log
        .lines()
        .filter(|line| line.contains(words) && !line.contains(" DEBUG "));
    assert_eq!(told.count(), 1, "{words}");
}

#[test]
fn whatever_state_a_workspace_is_in_it_goes_in_the_end() {
    let class = class();
    let fake = class.coder();
    let logins: Vec<Login> = class
        .students(8)
        .iter()
        .map(|one| one.gets_a_login())
        .collect();
    class.all_served();
    let name = |number: usize| logins[number].username();
    let runs = |number| {
        fake.running_workspace(name(number), "dev")
            .expect("a workspace")
    };
    for number in [0, 1, 2, 3, 7] {
        runs(number);
    }
    fake.stop_workspace(name(1), "dev");
    fake.make_dormant(name(1), "dev");
    fake.stop_workspace(name(2), "dev");
    fake.rename_workspace(name(2), "dev", "something-else");
    fake.stop_workspace(name(3), "dev");
    fake.suspend_user(name(3));
    fake.fail_starts(&format!("{}/dev", name(4)), 1);
    fake.start_workspace(name(4), "dev");
    fake.build_time(Duration::from_millis(400));
    fake.start_workspace(name(5), "dev");
    fake.cancel_build(name(5), "dev");
    fake.start_workspace(name(6), "dev");
    fake.stop_workspace(name(7), "dev");
    class.time_is_up();
    class.eventually("all gone but those who run", || fake.students().len() == 2);
    for number in [0, 6] {
        is_logged_once(
            &class,
            &format!("removal of {}: in use (1 running", name(number)),
        );
        assert!(fake.stop_workspace(name(number), "dev"));
    }
    class.all_gone();
    assert!(class.workspaces_are_deleted());
}

#[test]
fn a_build_that_no_provisioner_takes_is_waited_for() {
    let class = class();
    let login = at_rest(&class);
    class.coder().no_provisioners(true);
    class.coder().start_workspace(login.username(), "dev");
    class.time_is_up();
    is_logged_once(&class, "in use (0 running, 1 changing), waiting");
    class.coder().no_provisioners(false);
    is_logged_once(&class, "in use (1 running, 0 changing), waiting");
    class.coder().stop_workspace(login.username(), "dev");
    class.all_gone();
    assert!(class.workspaces_are_deleted());
}

#[test]
fn a_delete_that_no_provisioner_takes_is_asked_for_again_when_coder_gives_it_up() {
    let class = class();
    at_rest(&class);
    class.coder().no_provisioners(true);
    class.time_is_up();
    is_logged_once(&class, "deleting its workspaces");
    assert_eq!(
        class.coder().count(coder::CREATE_BUILD),
        1,
        "asked for once"
    );
    class
        .coder()
        .pending_builds_fail_after(Duration::from_millis(300));
    class.logs("its workspace dev cannot be deleted: its deletion failed");
    class.coder().no_provisioners(false);
    class.all_gone();
    assert!(class.workspaces_are_deleted());
}

#[test]
fn a_workspace_that_somebody_else_is_deleting_is_left_to_them() {
    let class = class();
    let login = at_rest(&class);
    let username = login.username().to_owned();
    once(&class, coder::CREATE_BUILD, When::Before, move |fake| {
        assert!(fake.delete_workspace(&username, "dev"));
    });
    class.time_is_up();
    class.all_gone();
    assert!(class.workspaces_are_deleted());
    let calls = class.coder().calls();
    let mut builds = calls.iter().filter(|call| call.path.ends_with("/builds"));
    assert_eq!(builds.next().map(|call| call.status), Some(Some(409)));
}

#[test]
fn a_stuck_workspace_is_told_of_once_and_does_not_keep_its_neighbour() {
    let class = class();
    let login = at_rest(&class);
    let owner = login.username();
    class
        .coder()
        .running_workspace(owner, "aa")
        .expect("a workspace");
    class.coder().stop_workspace(owner, "aa");
    class.coder().fail_deletes(&format!("{owner}/aa"), 6);
    class.time_is_up();
    class.eventually("the neighbour gone", || {
        class.coder().workspaces_of(owner).len() == 1
    });
    is_logged_once(
        &class,
        "its workspace aa cannot be deleted: its deletion failed",
    );
    class.all_gone();
    assert!(class.workspaces_are_deleted());
}

#[test]
fn a_workspace_that_was_started_just_before_the_lock_out_is_waited_for() {
    let class = class();
    let coder = class.coder();
    coder.suspended_workspaces_stop_after(Duration::from_secs(60));
    let login = at_rest(&class);
    let username = login.username().to_owned();
    once(&class, coder::LIST_WORKSPACES, When::After, move |fake| {
        fake.start_workspace(&username, "late")
            .expect("a workspace");
    });
    class.time_is_up();
    is_logged_once(
        &class,
        "locked out, waiting for Coder to stop 1 running workspace",
    );
    let left = class.coder().workspaces_of(login.username());
    assert!(left.len() == 1 && left[0].name == "late", "{left:?}");
    coder.suspended_workspaces_stop_after(Duration::ZERO);
    class.all_gone();
    assert!(class.workspaces_are_deleted());
}

#[test]
fn a_user_whom_somebody_else_deletes_in_the_middle_is_gone() {
    for (op, when) in [
        (coder::AUTH_CHECK, When::Before),
        (coder::LIST_WORKSPACES, When::Before),
        (coder::SUSPEND, When::Before),
        (coder::SUSPEND, When::After),
        (coder::CREATE_BUILD, When::After),
        (coder::DELETE_USER, When::Before),
    ] {
        let class = class();
        let login = at_rest(&class);
        let username = login.username().to_owned();
        once(&class, op, when, move |fake| fake.delete_user(&username));
        class.time_is_up();
        class.all_gone();
    }
}

#[test]
fn a_stop_that_was_cancelled_is_asked_for_again() {
    let class = class();
    let login = class.login_of(&class.student());
    let owner = login.username();
    class
        .coder()
        .running_workspace(owner, "dev")
        .expect("a workspace");
    class.coder().build_time(Duration::from_secs(60));
    assert!(class.coder().stop_workspace(owner, "dev"));
    assert!(class.coder().cancel_build(owner, "dev"));
    let is_cancelled = || class.coder().workspaces_of(owner)[0].status == "canceled";
    class.eventually("the stop is cancelled", is_cancelled);
    class.coder().build_time(Duration::from_millis(50));
    class.time_is_up();
    class.all_gone();
    assert!(class.workspaces_are_deleted());
    // Start, the stop that was cancelled, ours, and the delete.
    assert_eq!(class.coder().all_workspaces()[0].builds, 4);
}

#[test]
fn a_workspace_that_was_put_aside_and_still_runs_is_stopped() {
    let class = class();
    let login = class.login_of(&class.student());
    let owner = login.username();
    class
        .coder()
        .running_workspace(owner, "dev")
        .expect("a workspace");
    class.coder().make_dormant(owner, "dev");
    class.time_is_up();
    class.all_gone();
    assert!(class.workspaces_are_deleted());
    // Start, stop, delete.
    assert_eq!(class.coder().all_workspaces()[0].builds, 3);
}

#[test]
fn a_refusal_of_before_is_no_news_of_a_student_who_works_on() {
    let class = plan()
        .with("CODER_REMOVE_TIME", "1h")
        .with("CODER_CHECK_INTERVAL", "1s")
        .prepare();
    class.coder().token_roles(&[Role::UserAdmin]);
    class.start_service();
    let login = class.login_of(&class.student());
    class.has_a_running_workspace(&login);
    class.time_is_up();
    let noted = |words: &str| {
        let count = "SELECT count(*) FROM registrations WHERE reap_note LIKE";
        class.query(&format!("{count} '%{words}%'")) == "1"
    };
    class.eventually("it is stuck", || noted("does not see workspaces"));
    class
        .coder()
        .token_roles(&[Role::UserAdmin, Role::OrganizationAdmin]);
    class.eventually("it is in use, and no more", || noted("in use"));
    let refused = "SELECT count(*) FROM registrations WHERE refused_since IS NOT NULL";
    assert_eq!(class.query(refused), "0");
}

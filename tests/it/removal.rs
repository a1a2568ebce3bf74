//! Accounts whose time is up.

use std::time::{Duration, Instant};

use crate::plan;
use support::classroom::PATIENCE;
use support::fakes::coder::{Role, Version, ops as coder};
use support::fakes::trouble::{Trouble, When, Which};

#[test]
fn an_account_is_removed_when_its_time_is_up_and_not_before() {
    let class = plan().with("CODER_REMOVE_TIME", "3s").open();
    let ana = class.student();
    ana.gets_a_login();
    let began = Instant::now();
    class.eventually("the removal", || class.coder().students().is_empty());
    // The service counts whole seconds from when the text was sent.
    assert!(
        began.elapsed() > Duration::from_millis(1_900),
        "{:?}",
        began.elapsed()
    );
    class.all_gone();
}

#[test]
fn workspaces_are_left_alone_until_they_stop_then_they_go_and_the_account_with_them() {
    let class = plan().with("CODER_REMOVE_TIME", "1s").open();
    let ana = class.student();
    let login = ana.gets_a_login();
    class.has_a_running_workspace(&login);
    class
        .coder()
        .running_workspace(login.username(), "lab")
        .expect("another");
    class.coder().stop_workspace(login.username(), "lab");
    class.logs("in use (1 running");
    assert!(
        class
            .coder()
            .workspaces_of(login.username())
            .iter()
            .all(|workspace| workspace.transition != "delete")
    );
    assert!(
        ana.can_log_in(),
        "nobody is locked out of a running workspace"
    );

    class.coder().stop_workspace(login.username(), "dev");
    class.all_gone();
    assert!(class.workspaces_are_deleted());
    let suspends: Vec<_> = class
        .coder()
        .calls()
        .into_iter()
        .filter(|call| call.path.ends_with("/status/suspend"))
        .map(|call| call.status)
        .collect();
    assert_eq!(
        suspends,
        [Some(200)],
        "locked out once, when nothing ran any more"
    );
}

#[test]
fn with_leave_to_stop_running_workspaces_are_stopped() {
    let class = plan()
        .with("CODER_REMOVE_TIME", "1s")
        .with("CODER_STOP_AFTER", "1s")
        .open();
    let ana = class.student();
    let login = ana.gets_a_login();
    class.has_a_running_workspace(&login);
    class.all_gone();
}

#[test]
fn failed_calls_do_not_keep_an_account() {
    for op in [
        coder::LIST_WORKSPACES,
        coder::SUSPEND,
        coder::CREATE_BUILD,
        coder::DELETE_USER,
        coder::LIST_USERS,
    ] {
        for trouble in [
            Trouble::CutBefore,
            Trouble::LoseReply,
            Trouble::bad_gateway(),
        ] {
            let class = plan().with("CODER_REMOVE_TIME", "1s").open();
            let ana = class.student();
            let login = ana.gets_a_login();
            class.has_a_running_workspace(&login);
            class.trouble_at_coder(op, 1, trouble.clone());
            class.coder().stop_workspace(login.username(), "dev");
            class.all_gone();
        }
    }
}

#[test]
fn strangers_of_the_same_name_are_never_touched() {
    let class = plan().with("CODER_REMOVE_TIME", "2s").open();
    let ana = class.student();
    let login = ana.gets_a_login();
    // Somebody removes the account and creates another one of that name for themselves.
    class.coder().delete_user(login.username());
    class
        .coder()
        .add_stranger(login.username(), "somebody@example.net");
    class
        .coder()
        .running_workspace(login.username(), "precious")
        .expect("a workspace");
    class.eventually("the row forgotten", || class.registrations() == 0);
    assert!(class.coder().user(login.username()).is_some());
}

/// What is said once of a token of a bare User Admin.
const BLIND: &str = "may not see, stop or delete workspaces of others: no accounts are removed";

#[test]
fn nobody_is_deleted_by_a_token_that_does_not_see_workspaces_whatever_the_release() {
    for version in [
        Version::V2_24,
        Version::V2_25,
        Version::V2_29,
        Version::V2_31,
        Version::Newest,
    ] {
        let class = plan()
            .coder_of(version)
            .with("CODER_REMOVE_TIME", "1s")
            .open();
        class.coder().token_roles(&[Role::UserAdmin]);
        let [ana, ben] = [(); 2].map(|()| class.student());
        let login = ana.gets_a_login();
        class.has_a_running_workspace(&login);
        // Whether he has one is not seen either.
        ben.gets_a_login();
        let stuck = "SELECT count(*) FROM registrations WHERE reap_note LIKE '%does not see workspaces of others%'";
        class.eventually("both are stuck", || class.query(stuck) == "2");
        assert_eq!(class.coder().count(coder::DELETE_USER), 0);
        assert_eq!(class.coder().students().len(), 2);
        // It is one lack, however many are stuck.
        let log = class.log();
        let told = log.lines().filter(|line| line.contains(BLIND));
        assert_eq!(told.count(), 1, "{log}");
        let loud = log.lines().filter(|line| !line.contains(" DEBUG "));
        assert!(
            !loud.into_iter().any(|line| line.contains("removal of")),
            "{log}"
        );

        class
            .coder()
            .token_roles(&[Role::UserAdmin, Role::OrganizationAdmin]);
        class.coder().stop_workspace(login.username(), "dev");
        class.all_gone();
        assert!(class.workspaces_are_deleted());
        let line = "Coder: reached, the token may make and remove accounts";
        // Once at the start, once when the rights are back.
        assert_eq!(class.log().matches(line).count(), 2, "{}", class.log());
    }
}

#[test]
fn a_coder_that_cannot_be_asked_for_rights_keeps_everybody() {
    let class = plan().with("CODER_REMOVE_TIME", "1s").open();
    let page = Trouble::json(404, &serde_json::json!({ "message": "Route not found." }))
        .with_header("X-Coder-Build-Version", "v2.1.0");
    class.trouble_at_coder(coder::AUTH_CHECK, usize::MAX, page);
    class.student().gets_a_login();
    class.logs("ask what the token may do at Coder: status 404");
    class.eventually("some looks", || class.coder().count(coder::AUTH_CHECK) > 4);
    assert_eq!(class.coder().count(coder::DELETE_USER), 0);
    assert_eq!(class.registrations(), 1);
    class.coder().no_more_trouble();
    class.all_gone();
}

#[test]
fn a_refused_call_has_the_rights_looked_at_and_what_is_missing_told() {
    let class = plan()
        .with("CODER_REMOVE_TIME", "1h")
        .with("CODER_CHECK_INTERVAL", "15m")
        .open();
    class.logs("Coder: reached");
    class.coder().token_loses_rights();
    class.student().asks();
    // Nobody looks by himself for a quarter of an hour.
    class.logs("may not see, create, suspend or delete users");
}

#[test]
fn zero_means_never_and_a_time_set_later_starts_then() {
    let class = plan().with("CODER_REMOVE_TIME", "0").open();
    let ana = class.student();
    ana.asks();
    let text = ana.next_text();
    assert!(!text.contains("Time left"), "{text}");
    class.all_served();
    assert!(class.service().log().contains("switched off: removal"));
    assert_eq!(class.query("SELECT due_at FROM registrations"), "null");

    class.set("CODER_REMOVE_TIME", "2s");
    class.restart_service();
    class.all_gone();
}

#[test]
fn a_student_who_asks_after_the_time_was_up_gets_time_again_or_a_new_account() {
    let class = plan()
        .with("CODER_REMOVE_TIME", "2s")
        .with("CODER_REG_RESEND_INTERVAL", "0")
        .open();
    let ana = class.student();
    let first = ana.gets_a_login();
    class.has_a_running_workspace(&first);
    class.logs("in use (1 running");
    // Still at work, so the account is the same and its time runs anew.
    let second = ana.gets_a_login();
    assert_eq!(first.email, second.email);
    assert!(ana.can_log_in());

    class.coder().stop_workspace(first.username(), "dev");
    class.all_gone();
    let third = ana.gets_a_login();
    assert_ne!(third.email, first.email);
    assert!(ana.can_log_in());
    class.all_gone();
}

#[test]
fn thirty_accounts_are_removed_side_by_side() {
    let class = plan().with("CODER_REMOVE_TIME", "3s").open();
    class
        .coder()
        .latency(support::fakes::trouble::Op::ANY, Duration::from_millis(20));
    let students = class.students(30);
    class.all_ask(&students);
    for student in &students {
        let login = student.next_login();
        class.coder().running_workspace(login.username(), "dev");
        class.coder().stop_workspace(login.username(), "dev");
    }
    class.all_gone();
    assert!(class.workspaces_are_deleted());
}

#[test]
fn a_lock_out_that_failed_is_tried_again() {
    let class = plan().with("CODER_REMOVE_TIME", "1s").open();
    let ana = class.student();
    let login = ana.gets_a_login();
    class.has_a_stopped_workspace(&login);
    class.coder().fail_deletes(login.username(), 2);
    class.trouble_at_coder(coder::SUSPEND, 1, Trouble::bad_gateway());
    class.eventually("the student locked out", || !ana.can_log_in());
    assert_eq!(class.coder().count(coder::SUSPEND), 2);
    class.all_gone();
}

#[test]
fn one_workspace_that_may_not_be_deleted_does_not_keep_the_others() {
    let class = plan().with("CODER_REMOVE_TIME", "1s").open();
    let ana = class.student();
    let login = ana.gets_a_login();
    let first = class
        .coder()
        .running_workspace(login.username(), "aa")
        .expect("a workspace");
    class.coder().stop_workspace(login.username(), "aa");
    class.has_a_stopped_workspace(&login);
    let path = format!("/api/v2/workspaces/{first}/builds");
    let forbidden = serde_json::json!({"message": "Forbidden."});
    class.trouble_at_coder(Which::path("POST", path), 3, Trouble::json(403, &forbidden));
    class.eventually("the other workspace gone", || {
        class
            .coder()
            .all_workspaces()
            .iter()
            .any(|workspace| workspace.name == "dev" && workspace.deleted)
    });
    class.logs("delete a workspace at Coder: status 403");
    class.all_gone();
}

#[test]
fn a_reservation_that_was_given_up_is_renewed_when_the_student_asks_again() {
    let class = plan()
        .with("CODER_REG_CALL_LIMIT", "1s")
        .with("CODER_REG_GIVE_UP", "1s")
        .open();
    let ana = class.student();
    class.trouble_at_coder(coder::CREATE_USER, 3, Trouble::CutBefore);
    ana.asks();
    class.eventually("the first text given up", || class.dead_letters() == 1);
    class.coder().no_more_trouble();
    class.login_of(&ana);
    assert!(ana.can_log_in());
    assert_eq!(class.query("SELECT stage FROM registrations"), "announced");
}

#[test]
fn a_create_that_ends_when_its_removal_has_begun_leaves_no_orphan() {
    let class = plan().with("CODER_REG_CALL_LIMIT", "10s").open();
    let ana = class.student();
    let begun = class.coder().hold(coder::CREATE_USER, When::Before);
    ana.asks();
    assert!(
        class
            .coder()
            .wait_for_calls(coder::CREATE_USER, 1, PATIENCE)
    );
    // As if the time of the reservation had run out just now.
    class.time_is_up();
    class.logs("reserved, but no user was seen yet");
    begun.send(()).expect("the create still waits");
    let login = ana.next_login();
    class.all_served();
    assert!(ana.can_log_in());
    ana.has_read_all();
    assert_eq!(class.coder().students().len(), 1);
    assert_eq!(class.coder().only_user().username, login.username());
}

#[test]
fn a_create_that_is_repeated_while_its_first_user_is_removed_leaves_no_orphan() {
    let class = plan().with("CODER_REG_CALL_LIMIT", "3s").open();
    let ana = class.student();
    class.trouble_at_coder(coder::CREATE_USER, 1, Trouble::LoseReply);
    ana.asks();
    class.logs("attempt 1 failed");
    let go = class.coder().hold(coder::CREATE_USER, When::Before);
    let creates = 2;
    assert!(
        class
            .coder()
            .wait_for_calls(coder::CREATE_USER, creates, PATIENCE)
    );
    // The time of the reservation runs out while the second request waits at Coder.
    class.time_is_up();
    class.eventually("the first user gone", || {
        class.coder().students().is_empty()
    });
    go.send(()).expect("the create still waits");
    let login = ana.next_login();
    class.all_served();
    assert!(ana.can_log_in());
    ana.has_read_all();
    assert!(class.coder().created_ever().len() >= 3);
    class.eventually("no user but hers", || class.coder().students().len() == 1);
    assert_eq!(class.coder().only_user().username, login.username());
    assert_eq!(class.registrations(), 1);
}

#[test]
fn whom_coder_fails_to_delete_is_locked_out_meanwhile() {
    let class = plan().with("CODER_REMOVE_TIME", "1s").open();
    let ana = class.student();
    ana.gets_a_login();
    class.trouble_at_coder(coder::DELETE_USER, usize::MAX, Trouble::bad_gateway());
    let locked = "SELECT count(*) FROM registrations WHERE locked_at IS NOT NULL";
    class.eventually("it is locked out", || class.query(locked) == "1");
    assert!(!ana.can_log_in());
    class.coder().no_more_trouble();
    class.all_gone();
}

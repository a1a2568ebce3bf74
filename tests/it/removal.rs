//! Accounts whose time is up.

use std::time::{Duration, Instant, SystemTime};

use crate::fakes::coder::{Role, Version, ops as coder};
use crate::fakes::http::http_date;
use crate::fakes::trouble::{Trouble, Which};
use crate::plan;

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
    class
        .coder()
        .running_workspace(login.username(), "dev")
        .expect("a workspace");
    class
        .coder()
        .running_workspace(login.username(), "lab")
        .expect("another");
    class.coder().stop_workspace(login.username(), "lab");
    assert!(class.service().logs("in use (1 running"));
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
    class
        .coder()
        .running_workspace(login.username(), "dev")
        .expect("a workspace");
    class.all_gone();
}

#[test]
fn a_delete_that_fails_is_tried_again_and_told_once() {
    let class = plan().with("CODER_REMOVE_TIME", "1s").open();
    let ana = class.student();
    let login = ana.gets_a_login();
    class.has_a_stopped_workspace(&login);
    class.coder().fail_deletes(login.username(), 2);
    class.all_gone();
    let builds = class.coder().all_workspaces()[0].builds;
    assert!(builds >= 5, "start, stop and three deletes, but {builds}");
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
            class
                .coder()
                .running_workspace(login.username(), "dev")
                .expect("a workspace");
            class.coder().trouble(op, 1, trouble.clone());
            class.coder().stop_workspace(login.username(), "dev");
            class.all_gone();
        }
    }
}

#[test]
fn what_is_gone_already_is_gone() {
    let class = plan().with("CODER_REMOVE_TIME", "2s").open();
    let ana = class.student();
    let login = ana.gets_a_login();
    class.coder().delete_user(login.username());
    class.all_gone();
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

#[test]
fn a_renamed_account_is_found_and_removed() {
    let class = plan().with("CODER_REMOVE_TIME", "2s").open();
    let ana = class.student();
    let login = ana.gets_a_login();
    class.coder().rename_user(login.username(), "teachers-pet");
    class
        .coder()
        .running_workspace("teachers-pet", "dev")
        .expect("a workspace");
    class.coder().stop_workspace("teachers-pet", "dev");
    class.all_gone();
}

#[test]
fn a_token_that_lost_its_rights_is_no_proof_that_anybody_is_gone() {
    let class = plan().with("CODER_REMOVE_TIME", "2s").open();
    let ana = class.student();
    ana.gets_a_login();
    class.coder().token_loses_rights();
    assert!(class.service().logs("is no owner or user admin any more"));
    assert_eq!(class.registrations(), 1);

    class.coder().token_roles(&[Role::Owner]);
    class.all_gone();
}

#[test]
fn an_old_coder_is_not_asked_to_orphan_workspaces_that_we_cannot_see() {
    let class = plan()
        .coder_of(Version::V2_20)
        .with("CODER_REMOVE_TIME", "1s")
        .open();
    class.coder().token_roles(&[Role::UserAdmin]);
    let ana = class.student();
    let login = ana.gets_a_login();
    class
        .coder()
        .running_workspace(login.username(), "dev")
        .expect("a workspace");
    assert!(
        class
            .service()
            .logs("stuck: this token sees no workspaces of others")
    );
    assert_eq!(class.coder().count(coder::DELETE_USER), 0);

    class.coder().token_roles(&[Role::Owner]);
    class.coder().stop_workspace(login.username(), "dev");
    class.all_gone();
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
    class
        .coder()
        .running_workspace(first.username(), "dev")
        .expect("a workspace");
    assert!(class.service().logs("in use (1 running"));
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
        .latency(crate::fakes::trouble::Op::ANY, Duration::from_millis(20));
    let students = class.students(30);
    students.iter().for_each(|student| drop(student.asks()));
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
    class
        .coder()
        .trouble(coder::SUSPEND, 1, Trouble::bad_gateway());
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
    class
        .coder()
        .trouble(Which::path("POST", path), 3, Trouble::json(403, &forbidden));
    class.eventually("the other workspace gone", || {
        class
            .coder()
            .all_workspaces()
            .iter()
            .any(|workspace| workspace.name == "dev" && workspace.deleted)
    });
    assert!(
        class
            .service()
            .logs("delete a workspace at Coder: status 403")
    );
    class.all_gone();
}

#[test]
fn a_reservation_that_was_given_up_is_renewed_when_the_student_asks_again() {
    let class = plan()
        .with("CODER_REG_CALL_LIMIT", "1s")
        .with("CODER_REG_GIVE_UP", "1s")
        .open();
    let ana = class.student();
    class
        .coder()
        .trouble(coder::CREATE_USER, 3, Trouble::CutBefore);
    ana.asks();
    class.eventually("the first text given up", || {
        class.redis().length("coder-sms-register:dead") == 1
    });
    class.coder().no_more_trouble();
    ana.gets_a_login();
    class.all_served();
    assert!(ana.can_log_in());
    assert_eq!(class.query("SELECT stage FROM registrations"), "announced");
}

#[test]
fn a_create_that_ends_when_its_removal_has_begun_leaves_no_orphan() {
    let class = plan().with("CODER_REG_CALL_LIMIT", "4s").open();
    let ana = class.student();
    class
        .coder()
        .latency(coder::CREATE_USER, Duration::from_secs(3));
    ana.asks();
    assert!(
        class
            .coder()
            .wait_for_calls(coder::CREATE_USER, 1, Duration::from_secs(10))
    );
    // As if the time of the reservation had run out just now.
    class.change("UPDATE registrations SET due_at = 1");
    assert!(class.service().logs("reserved, but no user was seen yet"));
    class.coder().latency(coder::CREATE_USER, Duration::ZERO);
    let login = ana.next_login();
    class.all_served();
    assert!(ana.can_log_in());
    ana.has_read_all();
    assert_eq!(class.coder().students().len(), 1);
    assert_eq!(class.coder().only_user().username, login.username());
}

#[test]
fn nobody_is_removed_by_a_clock_that_differs_from_coders() {
    let class = plan().with("CODER_REMOVE_TIME", "2s").open();
    class.student().gets_a_login();
    // As if this machine's clock had jumped two hours ahead.
    let date = http_date(SystemTime::now() - Duration::from_secs(7_200));
    let headers = [
        ("Date", date.as_str()),
        ("X-Coder-Build-Version", "v2.31.0"),
    ];
    let me = Trouble::Status(
        200,
        headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        "application/json".to_owned(),
        r#"{"roles":[{"name":"owner"}]}"#.to_owned(),
    );
    let path = Which::path("GET", "/api/v2/users/me");
    class.coder().trouble(path, usize::MAX, me);
    assert!(
        class
            .service()
            .logs("clock is 120 minutes ahead of Coder's")
    );
    assert_eq!(class.coder().students().len(), 1);

    class.coder().no_more_trouble();
    class.all_gone();
}

//! `check --write`: it creates a user, logs in as that user and deletes it.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Ready, ready};
use support::classroom::PATIENCE;
use support::fakes::coder::{Role, Version, ops};
use support::fakes::trouble::Trouble;

/// All traces of a probe are gone but for what Coder keeps of every deleted user.
fn is_gone(ready: &Ready) -> String {
    let coder = ready.coder();
    assert!(coder.users().is_empty(), "{}", coder.describe());
    let deleted = coder.deleted_users();
    assert_eq!(deleted.len(), 1, "{deleted:?}");
    assert!(deleted[0].name.starts_with("Class guest "), "{deleted:?}");
    assert!(deleted[0].email.ends_with("@class.example.org"));
    deleted[0].username.clone()
}

#[test]
fn a_user_is_made_logs_in_and_is_gone() {
    let ready = ready();
    let before = ready.check();
    assert!(ready.coder().created_ever().is_empty());
    let report = ready.check_with(&["--write"]);
    report.ends_with(0);
    let name = is_gone(&ready);
    let done = [
        "was created",
        "logged in with e-mail",
        "it may create a workspace (authcheck)",
        "it sees ",
        "its password was set again",
        "deleted and is gone",
    ];
    for what in done {
        report.has("pass", "coder", what, "");
    }
    assert_eq!(report.findings.len(), before.findings.len() + done.len());
    let told = format!("creating user {name} at Coder; if it remains there, delete it under");
    assert!(report.ended.stderr.contains(&told), "{report:#?}");
    assert_eq!(ready.registrations(), 0);
    assert!(ready.twilio().texts().is_empty());
}

#[test]
fn a_student_who_could_do_nothing_is_found_by_its_own_session() {
    let ready = ready();
    let coder = ready.coder();
    coder.default_org_member_roles(&[]);
    coder.no_templates();
    let report = ready.check_with(&["--write"]);
    report.ends_with(1);
    report.has(
        "fault",
        "coder",
        "students can log in but cannot create workspaces (authcheck)",
        "coder organizations edit",
    );
    report.has(
        "fault",
        "coder",
        "students can log in but see no template",
        "create a template",
    );
    report.has("pass", "coder", "deleted and is gone", "");
    is_gone(&ready);
}

#[test]
fn a_password_that_cannot_be_set_is_found_by_trying() {
    for (version, roles, sets) in [
        (
            Version::V2_24,
            &[Role::UserAdmin, Role::OrganizationAdmin][..],
            false,
        ),
        (
            Version::V2_31,
            &[Role::UserAdmin, Role::OrganizationAdmin],
            false,
        ),
        (
            Version::Newest,
            &[Role::UserAdmin, Role::OrganizationAdmin],
            true,
        ),
        (Version::V2_31, &[Role::Owner], true),
    ] {
        let ready = ready();
        let coder = ready.coder();
        coder.upgrade(version);
        coder.token_roles(roles);
        let report = ready.check_with(&["--write"]);
        report.ends_with(0);
        if sets {
            report.has("pass", "coder", "its password was set again", "");
        } else {
            report.has(
                "warning",
                "coder",
                "its password could not be set again: students who ask again get the same login",
                "only the role Owner has that right",
            );
        }
        is_gone(&ready);
    }
}

#[test]
fn the_user_is_removed_also_if_its_login_fails() {
    let ready = ready();
    let page = Trouble::bad_gateway();
    ready.trouble_at_coder(ops::LOGIN, 1, page);
    let report = ready.check_with(&["--write"]);
    report.ends_with(1);
    report.has("fault", "coder", "log in at Coder: status 502", "");
    report.has("pass", "coder", "deleted and is gone", "");
    is_gone(&ready);
}

#[test]
fn the_user_is_removed_also_if_coder_first_fails_to_delete_it() {
    let ready = ready();
    let coder = ready.coder();
    coder.trouble(
        ops::DELETE_USER,
        1,
        Trouble::html(500, "Internal Server Error"),
    );
    coder.trouble(ops::DELETE_USER, 1, Trouble::LoseReply);
    let report = ready.check_with(&["--write"]);
    report.ends_with(0);
    report.has("pass", "coder", "deleted and is gone", "");
    is_gone(&ready);
}

#[test]
fn the_user_is_removed_also_if_the_answer_to_its_creation_was_lost() {
    let ready = ready();
    ready.trouble_at_coder(ops::CREATE_USER, 1, Trouble::LoseReply);
    let report = ready.check_with(&["--write"]);
    report.ends_with(1);
    report.has("fault", "coder", "create a user at Coder", "");
    is_gone(&ready);
}

#[test]
fn a_user_that_does_not_go_is_told_of_by_name() {
    let ready = ready();
    let coder = ready.coder();
    coder.trouble(
        ops::DELETE_USER,
        usize::MAX,
        Trouble::html(500, "Internal Server Error"),
    );
    let report = ready.check_with(&["--write"]);
    report.ends_with(1);
    let name = coder.only_user().username;
    let left = format!("user {name} remains at Coder");
    report.has(
        "fault",
        "coder",
        &left,
        &format!("coder users delete {name}"),
    );
}

#[test]
fn a_token_without_rights_makes_nothing() {
    let ready = ready();
    ready.coder().token_loses_rights();
    let report = ready.check_with(&["--write"]);
    report.has(
        "fault",
        "coder",
        "create a user at Coder: status 403",
        "create a token as a user admin",
    );
    assert!(ready.coder().created_ever().is_empty());
}

#[test]
fn a_killed_check_leaves_a_user_with_a_known_name_and_marker() {
    let ready = ready();
    let coder = ready.coder();
    coder.trouble(ops::LOGIN, 1, Trouble::Hang(PATIENCE));
    let mut child = Command::new(env!("CARGO_BIN_EXE_coder-sms-register"))
        .env_clear()
        .envs(ready.settings())
        .args(["check", "--write"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    assert!(coder.wait_for_calls(ops::LOGIN, 1, Duration::from_secs(30)));
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let left = coder.only_user();
    assert!(
        told.contains(&format!("creating user {} at Coder", left.username)),
        "{told}"
    );
    assert!(left.name.starts_with("Class guest "), "{left:?}");
}

#[test]
fn a_user_that_the_service_adopts_in_between_is_forgotten_when_it_is_gone() {
    let ready = ready();
    let class = &ready.class;
    class.set("CODER_REG_CALL_LIMIT", "10");
    let coder = class.coder();
    coder.trouble(ops::LOGIN, 1, Trouble::Hang(PATIENCE));
    let looking = Command::new(env!("CARGO_BIN_EXE_coder-sms-register"))
        .env_clear()
        .envs(class.settings())
        .args(["check", "--write"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    assert!(coder.wait_for_calls(ops::LOGIN, 1, Duration::from_secs(30)));
    let name = coder.only_user().username;
    // As the service does at its start and daily.
    let told = class.try_service(&["reconcile", "--json"]);
    assert!(told.stdout.contains(&name), "{told:?}");
    assert_eq!(class.registrations(), 1);
    let output = looking.wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(words.contains("deleted and is gone"), "{words}");
    is_gone(&ready);
    assert_eq!(class.registrations(), 0);
}

//! Coder answers every creation of a user with the same internal error: all texts are paused.

use serde_json::json;

use crate::plan;
use support::classroom::Classroom;
use support::classroom::student::Student;
use support::fakes::coder::{Role, Version, ops as coder};
use support::fakes::trouble::Trouble;

const PAUSED: &str = "all texts are paused until this is fixed";

fn errors(class: &Classroom) -> Vec<String> {
    let log = class.log();
    let lines = log.lines().filter(|line| line.contains("ERROR"));
    lines.map(str::to_owned).collect()
}

fn internal_error(detail: &str) -> Trouble {
    let headers = vec![("X-Coder-Build-Version".to_owned(), "v2.31.14".to_owned())];
    let words = json!({ "message": "Internal error creating user.", "detail": detail });
    let kind = "application/json; charset=utf-8".to_owned();
    Trouble::Status(500, headers, kind, words.to_string())
}

#[test]
fn a_role_that_the_token_may_not_assign_pauses_all_texts_with_one_error() {
    let class = plan().coder_of(Version::Newest).open();
    class.coder().token_roles(&[Role::UserAdmin]);
    class
        .coder()
        .default_org_member_roles(&["organization-workspace-access", "organization-auditor"]);
    let students = class.students(6);
    class.all_ask(&students);
    class.logs(PAUSED);
    let errors = errors(&class);
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert!(
        errors[0].contains("create a user at Coder: status 500"),
        "{errors:?}"
    );
    assert!(
        class.coder().count(coder::CREATE_USER) <= 8,
        "a pause, not a storm"
    );

    class
        .coder()
        .default_org_member_roles(&["organization-workspace-access"]);
    class.restart_service();
    class.all_log_in(&students);
}

/// Three students whose texts wait, because Coder answers each create with the same internal error.
fn paused(class: &Classroom) -> Vec<Student<'_>> {
    let error = internal_error("insert of the member failed: a trigger said no");
    class.trouble_at_coder(coder::CREATE_USER, usize::MAX, error);
    let students = class.students(3);
    class.all_ask(&students);
    class.logs(PAUSED);
    students
}

#[test]
fn the_same_internal_error_of_any_words_pauses_all_texts_with_one_error() {
    let class = plan().open();
    let students = paused(&class);
    assert_eq!(errors(&class).len(), 1, "{:#?}", errors(&class));
    class.coder().no_more_trouble();
    class.restart_service();
    class.all_log_in(&students);
}

#[test]
fn the_end_of_the_pause_is_one_line_and_everybody_is_served() {
    let class = plan().open();
    let students = paused(&class);
    class.coder().no_more_trouble();
    // After a minute at most, one of them is tried.
    let late = class.student();
    late.asks();
    class.all_log_in(&students);
    late.logs_in();
    class.all_served();
    let log = class.log();
    let over = log
        .lines()
        .filter(|line| line.contains("texts are served again"));
    let over: Vec<&str> = over.collect();
    assert_eq!(over.len(), 1, "{over:#?}");
    assert!(over[0].contains(" INFO "), "{over:?}");
    assert_eq!(errors(&class).len(), 1, "{:#?}", errors(&class));
}

#[test]
fn one_odd_internal_error_is_tried_again_soon() {
    let class = plan().open();
    class.trouble_at_coder(
        coder::CREATE_USER,
        1,
        internal_error("the connection was lost"),
    );
    let students = class.students(4);
    class.all_ask(&students);
    class.all_log_in(&students);
    class.all_served();
    assert!(errors(&class).is_empty(), "{:#?}", errors(&class));
}

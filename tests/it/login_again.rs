//! A student texts the phrase again: the same login is sent, and an invalid one is replaced.

use std::fs;

use serde_json::json;

use crate::{class, plan};
use support::classroom::student::{Login, Student};
use support::classroom::{CHANGED_PASSWORD, Classroom};
use support::fakes::client::Client;
use support::fakes::coder::{Role, Version, ops as coder};
use support::fakes::trouble::Trouble;

const CHANGED: &str = "You changed your password.";
const UNKNOWN: &str = "Your login cannot be sent again.";

/// A browser that is logged in; says whether it still is.
struct Browser {
    client: Client,
}

impl Browser {
    fn logs_in(class: &Classroom, login: &Login) -> Self {
        let body = json!({ "email": login.email, "password": login.password });
        let answer = Client::new(&class.coder().url()).json("POST", "/api/v2/users/login", &body);
        assert_eq!(answer.status, 201, "{}", answer.body);
        let token = answer.json()["session_token"].clone();
        let token = token.as_str().expect("a session token");
        Self {
            client: Client::new(&class.coder().url()).token(token),
        }
    }

    fn is_logged_in(&mut self) -> bool {
        self.client.get("/api/v2/users/me").status == 200
    }
}

fn asks_again(class: &Classroom, student: &Student<'_>) -> Login {
    class.some_time_passes();
    student.gets_a_login()
}

#[test]
fn who_asks_again_gets_the_same_login_and_is_not_signed_out() {
    let class = class();
    let ana = class.student();
    let first = ana.gets_a_login();
    let mut browser = Browser::logs_in(&class, &first);
    for _ in 0..2 {
        assert_eq!(asks_again(&class, &ana), first);
        assert!(browser.is_logged_in());
    }
    class.all_served();
    ana.has_read_all();
    assert_eq!(class.coder().created_ever().len(), 1);
}

#[test]
fn a_page_in_place_of_coders_word_is_no_password_that_was_set() {
    let class = class();
    let ana = class.student();
    let first = ana.gets_a_login();
    class.changes_the_password(&first);
    class.some_time_passes();
    // A proxy that answers for Coder, which so never hears of it.
    let page = Trouble::html(200, "Welcome");
    class.trouble_at_coder(coder::SET_PASSWORD, usize::MAX, page);
    ana.asks();
    class.logs("set a password at Coder: status 200");
    // No login that does not work.
    ana.has_read_all();
    class.coder().no_more_trouble();
    assert_eq!(ana.next_login(), first);
    assert!(ana.can_log_in());
}

#[test]
fn every_token_and_release_lets_a_student_ask_again() {
    let tokens = [
        &[Role::Owner][..],
        &[Role::UserAdmin, Role::OrganizationAdmin],
        &[Role::UserAdmin],
    ];
    for version in Version::RECORDED.into_iter().chain([Version::Newest]) {
        let class = plan().coder_of(version).open();
        for roles in tokens {
            class.coder().token_roles(roles);
            let ana = class.student();
            let first = ana.gets_a_login();
            let mut browser = Browser::logs_in(&class, &first);
            assert_eq!(asks_again(&class, &ana), first, "{version:?} {roles:?}");
            assert!(browser.is_logged_in(), "{version:?} {roles:?}");
        }
        assert_eq!(class.coder().created_ever().len(), tokens.len());
    }
}

#[test]
fn a_token_that_sees_no_workspaces_of_others_deletes_nobody_for_a_password() {
    for version in Version::RECORDED {
        let class = plan().coder_of(version).open();
        let ana = class.student();
        let first = ana.gets_a_login();
        class.changes_the_password(&first);
        class.coder().token_roles(&[Role::UserAdmin]);
        class.some_time_passes();
        ana.asks();
        let told = ana.next_text();
        assert!(told.starts_with(CHANGED), "{version:?}: {told}");
        assert_eq!(class.coder().students().len(), 1, "{version:?}");
        assert_eq!(class.coder().count(coder::DELETE_USER), 0, "{version:?}");
    }
}

#[test]
fn a_student_that_became_an_admin_is_told_and_not_made_anew() {
    let class = plan().coder_of(Version::V2_31).open();
    let ana = class.student();
    let first = ana.gets_a_login();
    class.changes_the_password(&first);
    class
        .coder()
        .gives_role(first.username(), Role::TemplateAdmin);
    class.token_sets_no_passwords();
    class.some_time_passes();
    ana.asks();
    assert!(ana.next_text().starts_with(CHANGED));
    assert_eq!(class.coder().count(coder::DELETE_USER), 0);
}

#[test]
fn two_students_never_share_a_password() {
    let class = class();
    let logins: Vec<_> = class
        .students(5)
        .iter()
        .map(Student::gets_a_login)
        .collect();
    let all: std::collections::BTreeSet<_> = logins.iter().map(|one| &one.password).collect();
    assert_eq!(all.len(), 5);
}

#[test]
fn a_password_that_the_student_changed_is_the_one_of_the_login_again() {
    let class = class();
    let ana = class.student();
    let first = ana.gets_a_login();
    class.changes_the_password(&first);
    assert_eq!(asks_again(&class, &ana), first);
    assert!(ana.can_log_in());
}

#[test]
fn a_login_outlives_the_service_and_its_death() {
    let class = class();
    let ana = class.student();
    let first = ana.gets_a_login();
    class.restart_service();
    assert_eq!(asks_again(&class, &ana), first);
    let key = fs::read_to_string(class.data_dir().join("password.key")).expect("a key");
    assert!(!class.log().contains(key.trim()));
    assert!(
        !class
            .query("SELECT group_concat(hex(value)) FROM facts")
            .contains(&key.trim().to_uppercase())
    );
}

#[test]
fn while_coder_is_down_nobody_is_told_a_login_that_was_not_proved() {
    let class = class();
    let ana = class.student();
    let first = ana.gets_a_login();
    class.some_time_passes();
    class.coder().goes_down();
    ana.asks();
    class.logs("attempt 2 failed");
    assert_eq!(ana.inbox().len(), 1);
    class.coder().comes_back();
    assert_eq!(ana.next_login(), first);
}

#[test]
fn the_password_of_a_deleted_user_is_never_set() {
    let class = class();
    let ana = class.student();
    let first = ana.gets_a_login();
    class.coder().delete_user(first.username());
    let second = asks_again(&class, &ana);
    assert!(ana.can_log_in());
    assert_ne!(first.email, second.email);
    assert_eq!(class.coder().count(coder::SET_PASSWORD), 0);
    assert_eq!(class.coder().students().len(), 1);
    assert_eq!(class.registrations(), 1);
}

#[test]
fn a_lost_key_gives_everybody_a_new_password_that_works() {
    let class = class();
    let ana = class.student();
    let first = class.login_of(&ana);
    class.end_service();
    fs::remove_file(class.data_dir().join("password.key")).expect("it was there");
    class.start_service();
    assert!(
        class
            .log()
            .contains("the passwords of 1 account are no longer known")
    );
    let second = asks_again(&class, &ana);
    assert_eq!(first.email, second.email);
    assert_ne!(first.password, second.password);
    assert!(ana.can_log_in());
    assert_eq!(asks_again(&class, &ana), second);
}

#[test]
fn a_key_that_cannot_be_used_stops_the_start_with_its_cure() {
    let class = class();
    class.end_service();
    fs::write(class.data_dir().join("password.key"), "").expect("written");
    let ended = class.try_service(&["run"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("password.key") && ended.stderr.contains("empty or damaged"));
}

#[test]
fn an_account_whose_password_was_never_recorded_gets_one_that_is() {
    let class = class();
    let ana = class.student();
    let first = ana.gets_a_login();
    class
        .coder()
        .change_password(first.username(), "not-drawn-by-0ur-c0unter");
    class.change("UPDATE registrations SET password_counter = NULL, password_marker = NULL");
    let second = asks_again(&class, &ana);
    assert_eq!(first.email, second.email);
    assert!(ana.can_log_in());
    assert_eq!(asks_again(&class, &ana), second);
}

#[test]
fn an_account_without_a_workspace_whose_password_cannot_be_set_is_made_anew_under_its_name() {
    let class = plan().coder_of(Version::V2_31).open();
    let ana = class.student();
    let first = ana.gets_a_login();
    class.changes_the_password(&first);
    class.token_sets_no_passwords();
    let second = asks_again(&class, &ana);
    assert_eq!(first.email, second.email);
    assert_ne!(first.password, second.password);
    assert!(ana.can_log_in());
    assert_eq!(class.coder().students().len(), 1);
    assert_eq!(class.coder().created_ever().len(), 2);
    assert_eq!(class.registrations(), 1);
    class.all_served();
    ana.has_read_all();
}

#[test]
fn a_student_with_a_workspace_whose_password_cannot_be_set_is_told_so() {
    let class = plan().coder_of(Version::V2_31).open();
    let ana = class.student();
    let first = ana.gets_a_login();
    class.has_a_stopped_workspace(&first);
    class.changes_the_password(&first);
    class.token_sets_no_passwords();
    class.some_time_passes();
    ana.asks();
    let told = ana.next_text();
    assert!(told.starts_with(CHANGED), "{told}");
    assert!(
        told.contains(&first.site) && told.contains(&first.email),
        "{told}"
    );
    let renew = format!("coder-sms-register renew {}", first.username());
    class.logs(&renew);
    // Once for each interval of logins.
    ana.asks();
    class.all_served();
    ana.has_read_all();
    class.some_time_passes();
    ana.asks();
    assert!(ana.next_text().starts_with(CHANGED));
    assert_eq!(class.coder().students().len(), 1);
    assert!(class.coder().password_works(&first.email, CHANGED_PASSWORD));
}

#[test]
fn a_login_that_is_not_known_any_more_is_not_laid_to_the_student() {
    let class = plan().coder_of(Version::V2_31).open();
    let ana = class.student();
    let first = ana.gets_a_login();
    class.has_a_stopped_workspace(&first);
    class.all_served();
    class.end_service();
    fs::remove_file(class.data_dir().join("password.key")).expect("it was there");
    class.start_service();
    class.token_sets_no_passwords();
    class.some_time_passes();
    ana.asks();
    let told = ana.next_text();
    assert!(told.starts_with(UNKNOWN), "{told}");
    // What the student has still works.
    assert!(class.coder().password_works(&first.email, &first.password));
}

#[test]
fn an_internal_error_of_another_kind_deletes_nobody() {
    let class = class();
    let ana = class.student();
    let first = ana.gets_a_login();
    class.changes_the_password(&first);
    class.answers_passwords(&json!({
        "message": "Internal error updating user's password.",
        "detail": "pq: the connection was lost",
    }));
    class.some_time_passes();
    ana.asks();
    class.logs("attempt 4 failed");
    assert_eq!(class.coder().created_ever().len(), 1);
    class.coder().no_more_trouble();
    assert_eq!(ana.next_login(), first);
    assert!(ana.can_log_in());
}

#[test]
fn an_account_that_is_made_anew_survives_a_kill_at_any_call() {
    use support::fakes::trouble::When;
    for (op, when) in [
        (coder::SET_PASSWORD, When::After),
        (coder::LIST_WORKSPACES, When::After),
        (coder::DELETE_USER, When::Before),
        (coder::DELETE_USER, When::After),
        (coder::CREATE_USER, When::Before),
        (coder::CREATE_USER, When::After),
    ] {
        let class = plan().coder_of(Version::V2_31).open();
        let ana = class.student();
        let first = ana.gets_a_login();
        class.changes_the_password(&first);
        class.token_sets_no_passwords();
        class.some_time_passes();
        class.dies_at_coder(op, when);
        ana.asks_over_a_kill();
        ana.next_login();
        class.all_served();
        assert!(ana.can_log_in(), "{op:?} {when:?}");
        ana.has_read_all();
        assert_eq!(class.coder().students().len(), 1, "{op:?} {when:?}");
        assert_eq!(class.registrations(), 1, "{op:?} {when:?}");
    }
}

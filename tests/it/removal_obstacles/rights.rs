//! Removals by a token that loses its rights, and through an upgrade of Coder.

use super::*;

#[test]
fn rights_lost_in_the_middle_prove_nothing() {
    for (op, when) in [
        (coder::AUTH_CHECK, When::Before),
        (coder::LIST_USERS, When::Before),
        (coder::LIST_WORKSPACES, When::Before),
        (coder::LIST_WORKSPACES, When::After),
        (coder::CREATE_BUILD, When::After),
        (coder::DELETE_USER, When::Before),
    ] {
        let class = class();
        at_rest(&class);
        once(&class, op, when, FakeCoder::token_loses_rights);
        class.time_is_up();
        is_logged_once(&class, "may not see, create, suspend or delete users");
        assert_eq!(class.registrations(), 1, "{op:?} {when:?}");
        assert_eq!(class.coder().students().len(), 1);
        class.coder().token_roles(&[Role::Owner]);
        class.all_gone();
        assert!(class.workspaces_are_deleted());
    }
}

#[test]
fn a_revoked_token_is_told_of_once_and_another_goes_on() {
    for middle in [false, true] {
        let class = class();
        at_rest(&class);
        if middle {
            once(
                &class,
                coder::CREATE_BUILD,
                When::After,
                FakeCoder::expire_token,
            );
        } else {
            class.coder().expire_token();
        }
        class.time_is_up();
        // One line names the cure for all calls, and one says what the removal waits for.
        is_logged_once(&class, "is invalid or expired; create a token");
        let log = class.log();
        let waits = log.lines().filter(|line| {
            line.contains("removals of 1 account wait: ")
                && line.contains("is invalid or expired")
                && !line.contains(" DEBUG ")
        });
        assert_eq!(waits.count(), 1, "{log}");
        assert_eq!(class.registrations(), 1);
        class.set("CODER_API_KEY", &class.coder().rotate_token());
        class.restart_service();
        class.all_gone();
        assert!(class.workspaces_are_deleted());
    }
}

#[test]
fn a_revoked_token_is_one_error_however_many_accounts_are_due() {
    for middle in [false, true] {
        let class = class();
        let students = class.students(12);
        class.all_get_logins(&students);
        class.all_served();
        if middle {
            once(
                &class,
                coder::LIST_WORKSPACES,
                When::Before,
                FakeCoder::expire_token,
            );
        } else {
            class.coder().expire_token();
        }
        class.time_is_up();
        is_logged_once(&class, "is invalid or expired; create a token");
        class.logs("removals of 12 accounts wait: ");
        let log = class.log();
        let told = log
            .lines()
            .filter(|line| line.contains("is invalid or expired"));
        let (errors, others): (Vec<&str>, Vec<&str>) = told
            .filter(|line| !line.contains(" DEBUG "))
            .partition(|line| line.contains(" ERROR "));
        assert_eq!(
            (errors.len(), others.len()),
            (1, 1),
            "{errors:#?} {others:#?}"
        );
        assert_eq!(class.registrations(), 12);
        class.set("CODER_API_KEY", &class.coder().rotate_token());
        class.restart_service();
        class.all_gone();
    }
}

#[test]
fn coder_may_be_upgraded_in_the_middle() {
    for (op, when) in [
        (coder::LIST_WORKSPACES, When::After),
        (coder::CREATE_BUILD, When::After),
        (coder::DELETE_USER, When::Before),
    ] {
        let class = plan()
            .coder_of(Version::V2_10)
            .with("CODER_REMOVE_TIME", "1h")
            .open();
        at_rest(&class);
        once(&class, op, when, |fake| fake.upgrade(Version::Newest));
        class.time_is_up();
        class.all_gone();
        assert!(class.workspaces_are_deleted());
    }
}

#[test]
fn who_registered_before_an_upgrade_is_known_after_it() {
    let class = plan().coder_of(Version::V2_10).open();
    let ana = class.student();
    once(&class, coder::CREATE_USER, When::After, |fake| {
        fake.goes_down();
    });
    ana.asks();
    // Coder goes down after it has made the account: the account alone does not tell that it is down.
    class.logs("attempt 1 failed");
    assert_eq!(class.coder().students().len(), 1);
    class.coder().upgrade(Version::Newest);
    class.coder().comes_back();
    ana.next_login();
    class.all_served();
    assert!(ana.can_log_in());
    assert_eq!(class.coder().created_ever().len(), 1);
}

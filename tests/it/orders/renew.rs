//! A password that others have seen is replaced.

use crate::{class, plan};
use support::classroom::student::{Login, Student};
use support::classroom::{Classroom, PATIENCE};
use support::fakes::coder::{Role, Version, ops as coder};
use support::fakes::trouble::{Trouble, When};

#[test]
fn a_renewed_password_ends_the_old_one_at_once_and_comes_with_the_next_text() {
    let class = class();
    let ana = class.student();
    let first = ana.gets_a_login();
    class.all_served();
    let told = class.does(&["renew", &first.username().to_uppercase()]);
    assert!(told.contains("has a new password"), "{told}");
    assert!(!class.coder().password_works(&first.email, &first.password));
    assert!(class.does(&["status"]).contains("was renewed"));

    // At once, although a login was sent a moment ago.
    class.eventually("a text of a later second", || {
        ana.asks();
        class.all_served();
        ana.inbox().len() > 1
    });
    let second = ana.next_login();
    assert_eq!(first.email, second.email);
    assert_ne!(first.password, second.password);
    assert!(ana.can_log_in());
    assert!(!class.does(&["status"]).contains("was renewed"));
    // The limits hold again.
    ana.asks();
    class.all_served();
    ana.has_read_all();
}

/// A student who asks again gets the same login, which is valid.
fn keeps(class: &Classroom, student: &Student<'_>, login: &Login) {
    class.some_time_passes();
    assert_eq!(student.gets_a_login(), *login);
    assert!(student.can_log_in());
}

#[test]
fn a_token_that_may_set_no_passwords_changes_nothing() {
    let class = plan().coder_of(Version::V2_31).open();
    let ana = class.student();
    let first = ana.gets_a_login();
    class.all_served();
    class
        .coder()
        .token_roles(&[Role::UserAdmin, Role::OrganizationAdmin]);
    let ended = class.fails(1, &["renew", first.username()]);
    assert!(
        ended.stderr.contains("may not set passwords") && ended.stderr.contains("Owner"),
        "{}",
        ended.stderr
    );
    keeps(&class, &ana, &first);
}

#[test]
fn a_renewal_that_never_reached_the_password_leaves_the_login_as_it_was() {
    let class = plan().coder_of(Version::V2_31).open();
    let ana = class.student();
    let first = ana.gets_a_login();
    class.all_served();
    // Of such a token no other password is set later.
    class
        .coder()
        .token_roles(&[Role::UserAdmin, Role::OrganizationAdmin]);
    class
        .coder()
        .trouble(coder::LIST_USERS, 1, Trouble::bad_gateway());
    let ended = class.fails(1, &["renew", first.username()]);
    assert!(
        ended.stderr.contains("keeps its password"),
        "{}",
        ended.stderr
    );
    keeps(&class, &ana, &first);
}

#[test]
fn a_renewal_whose_answer_is_lost_is_made_whole_by_the_next_text() {
    for trouble in [
        Trouble::CutBefore,
        Trouble::LoseReply,
        Trouble::bad_gateway(),
    ] {
        let class = class();
        let ana = class.student();
        let first = ana.gets_a_login();
        class.all_served();
        class
            .coder()
            .trouble(coder::SET_PASSWORD, 1, trouble.clone());
        let ended = class.fails(1, &["renew", first.username()]);
        assert!(
            ended.stderr.contains("it is unknown whether"),
            "{}",
            ended.stderr
        );
        class.some_time_passes();
        let second = ana.gets_a_login();
        assert_ne!(first.password, second.password, "{trouble:?}");
        assert!(ana.can_log_in(), "{trouble:?}");
        // It may be repeated.
        class.all_served();
        class.does(&["renew", first.username()]);
        class.some_time_passes();
        assert_ne!(ana.gets_a_login().password, second.password);
        assert!(ana.can_log_in());
    }
}

#[test]
fn a_login_that_is_on_its_way_while_the_password_is_renewed_works() {
    let class = class();
    let ana = class.student();
    let first = ana.gets_a_login();
    class.some_time_passes();
    // The service has read which password is meant; the command is done before it asks Coder.
    let (arrived, asks) = std::sync::mpsc::channel();
    let (done, goes) = std::sync::mpsc::channel::<()>();
    let held = Box::new(move || {
        let _ = arrived.send(());
        let _ = goes.recv_timeout(PATIENCE);
    });
    class.coder().on(coder::LIST_USERS, When::Before, 1, held);
    ana.asks();
    asks.recv_timeout(PATIENCE).expect("the service asks Coder");
    class.does(&["renew", first.username()]);
    done.send(()).expect("it waits");
    let second = ana.next_login();
    assert_ne!(first.password, second.password);
    assert!(ana.can_log_in());
    class.all_served();
    ana.has_read_all();
}

#[test]
fn a_killed_renewal_leaves_a_login_that_works() {
    for when in [When::Before, When::After] {
        let class = class();
        let ana = class.student();
        let first = ana.gets_a_login();
        class.some_time_passes();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_coder-sms-register"));
        command.args(["renew", first.username()]);
        command.env_clear().envs(class.settings());
        let (send, killed) = std::sync::mpsc::channel::<u32>();
        let act = Box::new(move || {
            if let Ok(pid) = killed.recv_timeout(PATIENCE) {
                let pid = rustix::process::Pid::from_raw(pid.cast_signed()).expect("a process");
                rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("killed");
            }
        });
        class.coder().on(coder::SET_PASSWORD, when, 1, act);
        let mut child = command.spawn().expect("it starts");
        send.send(child.id()).expect("somebody waits");
        assert_eq!(child.wait().expect("it ends").code(), None);
        let second = ana.gets_a_login();
        assert_ne!(first.password, second.password, "{when:?}");
        assert!(ana.can_log_in(), "{when:?}");
    }
}

#[test]
fn what_cannot_be_renewed_is_said() {
    let class = class();
    let ended = class.fails(3, &["renew", "nobody-here"]);
    assert!(ended.stderr.contains("account not known: nobody-here"));
    class.fails(2, &["renew"]);
    class.fails(2, &["renew", "one", "two"]);
    let login = class.student().gets_a_login();
    class.all_served();
    class.coder().delete_user(login.username());
    let ended = class.fails(1, &["renew", login.username()]);
    assert!(
        ended.stderr.contains("Coder has no user"),
        "{}",
        ended.stderr
    );
    assert_eq!(class.coder().count(coder::SET_PASSWORD), 0);
}

#[test]
fn a_renewal_that_was_cut_short_and_may_not_be_made_leaves_the_login_as_it_was() {
    let class = plan().coder_of(Version::V2_31).open();
    let ana = class.student();
    let first = ana.gets_a_login();
    class.all_served();
    class
        .coder()
        .token_roles(&[Role::UserAdmin, Role::OrganizationAdmin]);
    class
        .coder()
        .trouble(coder::SET_PASSWORD, 1, Trouble::CutBefore);
    let ended = class.fails(1, &["renew", first.username()]);
    assert!(
        ended.stderr.contains("it is unknown whether"),
        "{}",
        ended.stderr
    );
    keeps(&class, &ana, &first);
    assert!(class.log().contains("the previous password stays valid"));
    assert_eq!(class.coder().created_ever().len(), 1);
}

#[test]
fn a_token_that_sees_no_users_does_not_say_that_there_is_none() {
    let class = class();
    let login = class.student().gets_a_login();
    class.all_served();
    class.coder().token_loses_rights();
    let ended = class.fails(1, &["renew", login.username()]);
    assert!(
        ended.stderr.contains("may not see users"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_user_that_is_deleted_while_its_password_is_renewed_has_none() {
    let class = class();
    let ana = class.student();
    let login = ana.gets_a_login();
    class.all_served();
    let fake = std::sync::Arc::downgrade(class.coder());
    let username = login.username().to_owned();
    let deleted = Box::new(move || {
        if let Some(fake) = fake.upgrade() {
            fake.delete_user(&username);
        }
    });
    class
        .coder()
        .on(coder::SET_PASSWORD, When::Before, 1, deleted);
    let ended = class.fails(1, &["renew", login.username()]);
    assert!(
        ended.stderr.contains("Coder has no user"),
        "{}",
        ended.stderr
    );
    class.some_time_passes();
    assert_ne!(ana.gets_a_login().username(), login.username());
    assert!(ana.can_log_in());
}

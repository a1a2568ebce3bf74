//! The service is killed between the steps of a login on a screen.

use crate::plan;
use support::classroom::Classroom;
use support::classroom::laptop::Laptop;
use support::classroom::student::Student;
use support::fakes::coder::ops as coder;
use support::fakes::trouble::When;

/// After a kill: the laptop takes a new code, the student texts it, and has one account.
fn goes_on(class: &Classroom, ana: &Student<'_>, laptop: &Laptop<'_>, reply: &str) {
    class.all_served();
    assert_eq!(laptop.state()["state"], "gone");
    if reply == "screen" {
        assert!(ana.inbox().is_empty());
    } else {
        // The text was answered by text; the login is that of the laptop.
        ana.next_login();
        assert!(ana.can_log_in());
        ana.has_read_all();
    }
    laptop.reloads();
    let login = laptop.signs_in(ana);
    class.all_served();
    if let Some(texted) = ana.last_login() {
        assert_eq!(
            (texted.email, texted.password),
            (login.email, login.password)
        );
    }
    assert_eq!(class.coder().created_ever().len(), 1);
    assert_eq!(class.registrations(), 1);
    assert_eq!(class.query("SELECT stage FROM registrations"), "announced");
}

#[test]
fn a_kill_while_the_account_is_made_makes_no_second_one() {
    for reply in ["both", "screen"] {
        for when in [When::Before, When::After] {
            let class = plan().with_pages(reply).open();
            let (ana, laptop) = (class.student(), class.laptop());
            class.dies_at_coder(coder::CREATE_USER, when);
            ana.texts_over_a_kill(&laptop.words());
            goes_on(&class, &ana, &laptop, reply);
        }
    }
}

#[test]
fn a_kill_while_the_laptop_is_asked_releases_nothing() {
    for reply in ["both", "screen"] {
        let class = plan().with_pages(reply).open();
        let (ana, laptop) = (class.student(), class.laptop());
        ana.texts(&laptop.words());
        laptop.shows("question");
        class.eventually("the account", || {
            class.query("SELECT stage FROM registrations") == "created"
        });
        class.restart_service();
        goes_on(&class, &ana, &laptop, reply);
    }
}

#[test]
fn a_kill_after_the_login_was_fetched_keeps_the_account() {
    for reply in ["both", "screen"] {
        let class = plan().with_pages(reply).open();
        let (ana, laptop) = (class.student(), class.laptop());
        ana.texts(&laptop.words());
        laptop.is_asked(&ana, true);
        let login = laptop.login();
        // Wherever the record of it is: before, in between or after.
        class.restart_service();
        class.all_served();
        assert_eq!(class.query("SELECT stage FROM registrations"), "announced");
        assert_eq!(class.coder().only_user().username, login.username());
        if reply == "screen" {
            assert!(ana.inbox().is_empty());
        }
        assert!(ana.inbox().len() <= 1);
        assert!(class.coder().password_works(&login.email, &login.password));
    }
}

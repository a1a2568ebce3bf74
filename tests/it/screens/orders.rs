//! Commands while a login waits at a laptop's page for a yes.

use crate::plan;
use support::classroom::{Classroom, a_later_second};

const WAITS: &str = "the login waits for its screen";

/// How often a login was brought to a screen.
fn offers(class: &Classroom) -> usize {
    class.log().matches(WAITS).count()
}

#[test]
fn a_login_whose_account_was_ended_is_shown_to_nobody() {
    for reply in ["both", "screen"] {
        for (command, reason) in [
            (
                "end",
                "the account of this phone ended after this text was received",
            ),
            ("forget", "this text was served before"),
        ] {
            let class = plan().with_pages(reply).open();
            let (ana, laptop) = (class.student(), class.laptop());
            ana.texts(&laptop.words());
            let question = laptop.shows("question");
            class.logs(WAITS);
            a_later_second();
            let username = class.query("SELECT username FROM registrations");
            match command {
                "end" => class.does(&["end", &username, "--yes"]),
                _ => class.does(&["forget", ana.phone()]),
            };
            class.logs(reason);
            laptop.answers(&question["claim"], true);
            let told = laptop.shows("notice");
            assert!(told["words"].as_str().unwrap().contains(reason), "{told}");
            class.all_served();
            class.all_gone();
            // Texting again brings another account.
            let login = laptop.signs_in(&ana);
            assert_ne!(login.username(), username);
            class.all_served();
            assert!(ana.inbox().is_empty(), "{reply} {command}");
        }
    }
}

#[test]
fn a_password_that_was_renewed_is_shown_in_place_of_the_old_one() {
    for reply in ["both", "screen"] {
        let class = plan().with_pages(reply).open();
        let ana = class.student();
        let first = class.laptop().signs_in(&ana);
        class.all_served();
        let laptop = class.laptop();
        let before = offers(&class);
        ana.texts(&laptop.words());
        laptop.shows("question");
        class.eventually("the login is there", || offers(&class) == before + 1);
        class.does(&["renew", first.username()]);
        class.eventually("the new one is there", || offers(&class) > before + 1);
        laptop.is_asked(&ana, true);
        let second = laptop.login();
        assert_eq!(second.email, first.email);
        assert_ne!(second.password, first.password);
        class.all_served();
        assert!(ana.inbox().is_empty());
        assert_eq!(class.coder().created_ever().len(), 1);
    }
}

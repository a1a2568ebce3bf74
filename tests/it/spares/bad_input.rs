//! What is wrong with a class or its template: students get their logins all the same, no users are made in vain,
//! and it is told.

use support::classroom::student::Student;
use support::fakes::coder::FakeCoder;

use super::{LONG_AGO, asks, figures, in_minutes, ready, users, warm};

/// What goes wrong, what `status` says of it, and how it is mended.
type Case = (fn(&FakeCoder), &'static str, fn(&FakeCoder));

const BROKEN: [Case; 4] = [
    (
        |coder| coder.rename_template("docker", "docker-old"),
        "1 workspace of a spare account was not made: there is no template docker in the default organization",
        |coder| coder.rename_template("docker-old", "docker"),
    ),
    (
        |coder| coder.delete_template("docker"),
        "1 workspace of a spare account was not made: there is no template docker in the default organization",
        |coder| drop(coder.add_template("docker")),
    ),
    (
        |coder| coder.deprecate_template("docker", "Use python."),
        "1 workspace of a spare account was not made: the template docker is deprecated",
        |coder| coder.deprecate_template("docker", ""),
    ),
    (
        |coder| coder.require_parameter("docker", "region", &[]),
        "1 workspace of a spare account was not made: Coder refuses to make any of the template docker (make a workspace at Coder: status 400, refused (Unable to validate parameter \"region\"))",
        |coder| {
            coder.delete_template("docker");
            coder.add_template("docker");
        },
    ),
];

#[test]
fn spares_whose_template_makes_no_workspaces_are_given_after_those_that_run() {
    for (breaks, words, mended) in BROKEN {
        let class = warm("2", LONG_AGO).open();
        ready(&class, 2);
        breaks(class.coder());
        class.restart_service();
        ready(&class, 2);
        let runs = |login: &support::classroom::student::Login| {
            let all = class.coder().workspaces_of(login.username());
            all.len() == 1 && all[0].status == "running"
        };
        assert!(runs(&asks(&class.student())), "{words}");
        class.eventually(words, || class.does(&["status"]).contains(words));
        assert_eq!(figures(&class), (1, 0, 1), "{words}");
        assert!(runs(&asks(&class.student())), "{words}");
        class.eventually("another one", || figures(&class) == (0, 0, 2));
        let third = class.student();
        let without = asks(&third);
        assert!(third.can_log_in(), "{words}");
        assert!(!runs(&without), "{words}");
        mended(class.coder());
        ready(&class, 2);
        class.eventually("the third has one as well", || runs(&without));
        assert_eq!(users(&class), (5, 5), "{words}");
    }
}

#[test]
fn no_more_spares_are_made_than_there_are_seats() {
    let class = warm("10", LONG_AGO).open();
    let told = class.try_service(&["config"]);
    assert!(
        told.stderr
            .contains("spare accounts are made for free seats only")
            || told
                .stdout
                .contains("spare accounts are made for free seats only"),
        "{told:?}"
    );
    ready(&class, 6);
    assert_eq!(users(&class), (6, 6));
    class.students(6).iter().for_each(|one| drop(asks(one)));
    class.all_served();
    ready(&class, 0);
    assert_eq!(users(&class), (6, 6));
}

fn hears(student: &Student<'_>, words: &str) {
    student.texts("purple kettle");
    let told = student.next_text();
    assert!(told.contains(words), "{told}");
}

#[test]
fn a_class_that_is_not_about_to_open_has_no_spares() {
    for (opens, closes, words) in [
        ("2099-12-01T09:00Z", "2099-12-01T19:00Z", "opens in"),
        (
            LONG_AGO,
            "2020-12-01T19:00Z",
            "does not give logins any more",
        ),
    ] {
        let class = warm("2", opens)
            .with("CODER_CLASS_INTRO_CLOSES", closes)
            .open();
        hears(&class.student(), words);
        class.all_served();
        assert_eq!(users(&class), (0, 0), "{opens}");
        assert_eq!(class.registrations(), 0, "{opens}");
        assert!(!class.does(&["status"]).contains("spare"), "{opens}");
    }
}

#[test]
fn a_clock_that_jumps_over_an_opening_brings_spares_and_over_the_closing_none() {
    for (hours, is_open) in [(3, true), (9, false)] {
        let class = warm("2", &in_minutes(120))
            .with("CODER_CLASS_INTRO_CLOSES", &in_minutes(6 * 60))
            .with_clock_shim()
            .open();
        hears(&class.student(), "opens in");
        class.coder().clock_is_ahead(hours * 3_600);
        class.sets_the_clock(hours * 3_600);
        if is_open {
            assert_eq!(users(&class), (0, 0));
            asks(&class.student());
            ready(&class, 2);
            assert_eq!(users(&class), (3, 3));
        } else {
            hears(&class.student(), "does not give logins any more");
            class.all_served();
            assert_eq!(users(&class), (0, 0));
        }
    }
}

#[test]
fn a_class_that_closes_while_the_service_runs_keeps_its_students_and_no_spare() {
    const CLOSES: i64 = 120;
    let class = warm("2", LONG_AGO)
        .with("CODER_CLASS_INTRO_CLOSES", &in_minutes(CLOSES))
        .with("CODER_CHECK_INTERVAL", "1h")
        .with_clock_shim()
        .open();
    class
        .coder()
        .suspended_workspaces_stop_after(std::time::Duration::ZERO);
    ready(&class, 2);
    let login = asks(&class.student());
    ready(&class, 2);
    class.coder().clock_is_ahead(CLOSES * 60);
    class.sets_the_clock(CLOSES * 60);
    class.eventually("the spares are gone", || {
        users(&class).0 == 1 && class.registrations() == 1
    });
    let left = class.coder().all_workspaces();
    let left: Vec<_> = left.iter().filter(|one| !one.deleted).collect();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(class.coder().workspaces_of(login.username()).len(), 1);
    assert_eq!(users(&class).1, 3);
    hears(&class.student(), "does not give logins any more");
}

#[test]
fn check_says_from_when_on_there_are_spares() {
    for (opens, closes, template, words) in [
        (
            in_minutes(60),
            "2099-12-01T09:00Z",
            "docker",
            "2 spare accounts will be made in 4",
        ),
        (
            LONG_AGO.to_owned(),
            "2099-12-01T09:00Z",
            "docker",
            "2 of 2 spare accounts ready (CODER_CLASS_INTRO_WARM)",
        ),
        (
            LONG_AGO.to_owned(),
            "2020-12-01T19:00Z",
            "docker",
            "no spare accounts are made (CODER_CLASS_INTRO_WARM): the class has closed",
        ),
        (
            LONG_AGO.to_owned(),
            "2099-12-01T09:00Z",
            "",
            "spare accounts have no running workspace (CODER_CLASS_INTRO_WARM), as there is no template",
        ),
    ] {
        let class = warm("2", &opens)
            .with("CODER_CLASS_INTRO_CLOSES", closes)
            .with("CODER_REG_TEMPLATE", template)
            .open();
        if words.contains(" ready ") {
            ready(&class, 2);
        }
        let told = class.try_service(&["check"]).stdout;
        // Lines are wrapped.
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains(words), "{words:?} is not in {told}");
    }
}

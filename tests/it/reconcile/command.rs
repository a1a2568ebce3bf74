//! The command `reconcile`: what it shows and what it adopts.

use rusqlite::Connection;

use super::{ADOPTED, names};
use crate::class;
use support::classroom::Classroom;
use support::classroom::student::Login;
use support::fakes::coder::ops;
use support::fakes::trouble::When;

/// A class that has lost two accounts: one is surely ours, one another folder's by its mark. Its service is
/// stopped.
fn two_lost(class: &Classroom) -> [Login; 2] {
    let (ana, ben) = (class.student(), class.student());
    let theirs = class.login_of(&ana);
    class.loses_its_database();
    class.start_service();
    let ours = class.login_of(&ben);
    class.loses_its_rows();
    [ours, theirs]
}

#[test]
fn a_rehearsal_changes_nothing_and_the_act_adopts_what_is_surely_ours() {
    let class = class();
    let [ours, theirs] = two_lost(&class);
    let [ours, theirs] = [ours.username(), theirs.username()];
    let told = class.does(&["reconcile", "--dry-run"]);
    let line = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.expect("a line").to_owned()
    };
    assert!(line(&told, ours).contains("made by this service"), "{told}");
    assert!(line(&told, ours).contains("would be adopted, 1"), "{told}");
    assert!(
        line(&told, theirs).ends_with("made with our key in another data folder  left alone"),
        "{told}"
    );
    assert!(
        told.contains("1 account would be adopted; nothing is changed"),
        "{told}"
    );
    assert!(told.contains("reconcile --all"), "{told}");
    let json = class.tells(&["reconcile", "--dry-run", "--json"]);
    assert_eq!(json["accounts"].as_array().unwrap().len(), 2);
    assert_eq!(class.registrations(), 0);
    let status = class.does(&["status"]);
    let first = format!("missing from the database, made by this service: 1 account: {ours}\n");
    let second = format!("missing from the database, with our mark: 1 account: {theirs}\n");
    assert!(
        status.contains(&first) && status.contains(&second),
        "{status}"
    );

    let told = class.does(&["reconcile"]);
    assert!(line(&told, ours).contains("adopted, 1"), "{told}");
    assert!(told.contains("1 account adopted, to be removed"), "{told}");
    assert_eq!(class.query(ADOPTED), ours);
    let json = class.tells(&["reconcile", "--json"]);
    assert_eq!(json["accounts"][0]["username"], theirs);
    assert_eq!(json["accounts"][0]["verdict"], "other-folder");
    assert_eq!(json["accounts"][0]["adoptable"], true);
    assert_eq!(json["accounts"][0]["adopted"], false);
    assert_eq!(class.coder().students().len(), 2);
}

#[test]
fn others_are_adopted_when_a_person_says_so() {
    let class = class();
    let [ours, theirs] = two_lost(&class);
    for misuse in [
        &["reconcile", "--all"][..],
        &["reconcile", "--all", ours.username()],
        &["reconcile", "--soon"],
    ] {
        class.fails(2, misuse);
    }
    let ended = class.fails(3, &["reconcile", ours.username(), "nobody-here"]);
    assert!(
        ended
            .stderr
            .contains("missing from the database: nobody-here; nothing is changed"),
        "{ended:?}"
    );
    assert_eq!(class.registrations(), 0);
    let shown = class.does(&["reconcile", "--all", "--dry-run"]);
    assert!(shown.contains("2 accounts would be adopted"), "{shown}");
    class.does(&["reconcile", &theirs.username().to_uppercase()]);
    assert_eq!(class.query(ADOPTED), theirs.username());
    let told = class.tells(&["reconcile", "--all", "--yes", "--json"]);
    assert_eq!(told["accounts"][0]["adopted"], true);
    assert_eq!(class.query(ADOPTED), names(&[&ours, &theirs]).join(" "));
    for arguments in [
        &["reconcile"][..],
        &["reconcile", "--all", "--yes"],
        &["reconcile", "--dry-run"],
    ] {
        let told = class.does(arguments);
        assert_eq!(told, "the database contains every account with our mark\n");
    }
    class.has_a_stopped_workspace(&theirs);
    class.start_service();
    class.does(&["end", "--all", "--yes"]);
    class.all_gone();
    assert!(class.workspaces_are_deleted());
}

#[test]
fn one_that_was_altered_is_never_adopted() {
    let class = class();
    let [ours, theirs] = two_lost(&class);
    let (ours, theirs) = (ours.username(), theirs.username());
    class
        .coder()
        .gives_role(ours, support::fakes::coder::Role::TemplateAdmin);
    let told = class.does(&["reconcile", "--all", "--yes"]);
    assert!(told.contains("has our mark, but also a role"), "{told}");
    assert_eq!(class.query(ADOPTED), theirs);
    let ended = class.fails(1, &["reconcile", ours]);
    assert!(ended.stderr.contains("never adopted"), "{ended:?}");
    class.start_service();
    assert_eq!(class.query(ADOPTED), theirs);
}

#[test]
fn without_an_answer_or_a_database_it_fails() {
    let class = class();
    class.coder().goes_down();
    class.fails(1, &["reconcile"]);
    class.coder().comes_back();
    class.does(&["reconcile"]);
    class.end_service();
    class.set(
        "CODER_REG_DATA_DIR",
        class.folder().join("none").to_str().unwrap(),
    );
    class.fails(1, &["reconcile"]);
}

/// Runs SQL on the database at the class's next list of users, before or after that is made.
fn at_the_list(class: &Classroom, when: When, sql: &'static str) {
    let path = class.data_dir().join("registrations.db");
    let hook = move || {
        let file = Connection::open(&path).expect("the database");
        file.execute_batch(sql).expect("the change");
    };
    class.coder().on(ops::LIST_USERS, when, 1, Box::new(hook));
}

#[test]
fn who_is_registered_or_removed_while_the_list_is_made_is_no_find() {
    let class = class();
    class.login_of(&class.student());
    class.end_service();
    let known = "the database contains every account with our mark\n";
    for command in [
        &["reconcile"][..],
        &["reconcile", "--all", "--yes"],
        &["status"],
    ] {
        let is_silent = || {
            let told = class.does(command);
            assert!(
                told == known || command == ["status"] && !told.contains("unknown"),
                "{told}"
            );
            assert_eq!(class.query(ADOPTED), "null");
        };
        // Removed: the list still has the user whose row is gone by then.
        class.change("CREATE TABLE aside AS SELECT * FROM registrations");
        at_the_list(&class, When::After, "DELETE FROM registrations");
        is_silent();
        assert_eq!(class.registrations(), 0);
        // Registered: the row was not there yet when the database was read first.
        let back = "INSERT INTO registrations SELECT * FROM aside; DROP TABLE aside";
        at_the_list(&class, When::Before, back);
        is_silent();
        assert_eq!(class.registrations(), 1);
    }
}

#[test]
fn the_service_and_commands_side_by_side_adopt_each_account_once() {
    let class = class();
    let logins: Vec<Login> = (0..5).map(|_| class.login_of(&class.student())).collect();
    class.loses_its_rows();
    std::thread::scope(|scope| {
        let settings = class.settings();
        for _ in 0..4 {
            let settings = settings.clone();
            scope.spawn(move || {
                let mut command =
                    std::process::Command::new(env!("CARGO_BIN_EXE_coder-sms-register"));
                let ended = command.env_clear().envs(settings).arg("reconcile").output();
                assert!(ended.expect("it runs").status.success());
            });
        }
        class.start_service();
    });
    let all: Vec<&Login> = logins.iter().collect();
    assert_eq!(class.query(ADOPTED), names(&all).join(" "));
    assert_eq!(class.registrations(), 5);
}

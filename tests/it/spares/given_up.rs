//! Spares that fail one after the other: no more are made for now, that is told, and there is a way back without a
//! restart.

use std::sync::Arc;

use support::classroom::{Classroom, http};
use support::fakes::coder::ops as coder;
use support::fakes::trouble::When;

use super::{LONG_AGO, asks, figures, ready, users, warm};

const GIVEN_UP: &str = "fail one after the other, so no more are made";
const WELL_AGAIN: &str = "spare accounts turn out well again";

/// The names in `/healthz`.
fn obstacles(class: &Classroom) -> Vec<String> {
    let address = class.service().address();
    let answer = http::request(address, "GET", "/healthz", &[], b"").expect("an answer");
    assert_eq!(answer.status, 200);
    answer.body().lines().skip(1).map(str::to_owned).collect()
}

/// What a command says, asked of the service that listens; lines are wrapped.
fn says(class: &Classroom, arguments: &[&str]) -> String {
    class.set("CODER_REG_LISTEN", &class.service().address().to_string());
    let told = class.try_service(arguments).stdout;
    told.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A class of one spare whose first three builds fail, and all later ones do not.
fn gives_up() -> Classroom {
    let class = warm("1", LONG_AGO)
        .with("CODER_CHECK_INTERVAL", "1s")
        .with_clock_shim()
        .prepare();
    class.coder().fail_starts("class", 3);
    class.start_service();
    class.logs(GIVEN_UP);
    class.eventually("the last one is kept", || {
        figures(&class) == (0, 0, 1) && users(&class).0 == 1
    });
    assert_eq!(users(&class).1, 3);
    class
}

/// Time passes in which one is tried.
fn minutes_pass(class: &Classroom) {
    class.coder().clock_is_ahead(11 * 60);
    class.sets_the_clock(11 * 60);
}

#[test]
fn the_last_spare_that_failed_is_built_again_and_then_they_are_made_as_before() {
    let class = gives_up();
    minutes_pass(&class);
    ready(&class, 1);
    class.logs(WELL_AGAIN);
    class.eventually("it is over", || obstacles(&class).is_empty());
    asks(&class.student());
    ready(&class, 1);
    assert_eq!(users(&class), (2, 4));
}

#[test]
fn another_spare_is_tried_after_a_student_got_the_last_one_that_failed() {
    let class = gives_up();
    let student = class.student();
    asks(&student);
    assert!(student.can_log_in());
    assert_eq!(figures(&class), (0, 0, 0));
    minutes_pass(&class);
    ready(&class, 1);
    class.logs(WELL_AGAIN);
    assert_eq!(users(&class), (2, 4));
}

#[test]
fn a_spare_that_was_built_before_is_no_proof_that_they_turn_out_well_again() {
    let class = warm("2", LONG_AGO).prepare();
    class.coder().no_provisioners(true);
    class.start_service();
    class.eventually("both are being made", || {
        class.coder().all_workspaces().len() == 2
    });
    // When the first one is replaced, the keeper has looked at the second one, which does not run yet.
    let at = Arc::clone(class.coder());
    let then = move || {
        at.finish_builds();
        at.fail_starts("class", 1_000);
        at.no_provisioners(false);
    };
    class
        .coder()
        .on(coder::CREATE_USER, When::Before, 1, Box::new(then));
    let first = class.coder().all_workspaces().swap_remove(0).owner;
    assert!(class.coder().cancel_build(&first, "class"));
    class.logs(GIVEN_UP);
    class.eventually("one runs", || figures(&class).0 == 1);
    let look = || class.query("SELECT max(unused_at) FROM registrations");
    let (before, made) = (look(), users(&class).1);
    class.eventually("a look at it", || look() > before);
    class.eventually("what follows from it", || {
        figures(&class) == (1, 0, 1) && users(&class).0 == 2
    });
    assert_eq!(obstacles(&class), ["spares-fail"]);
    assert!(!class.log().contains(WELL_AGAIN));
    assert_eq!(users(&class).1, made);
}

#[test]
fn spares_that_are_given_up_are_told_by_status_healthcheck_and_check() {
    let class = gives_up();
    assert_eq!(obstacles(&class), ["spares-fail"]);
    let told = says(&class, &["status", "--offline"]);
    assert!(told.contains("warn spare accounts fail"), "{told}");
    assert!(told.contains("one is tried every 10 minutes"), "{told}");
    let told = says(&class, &["status", "--json", "--offline"]);
    assert!(told.contains("\"spares-fail\""), "{told}");
    let told = says(&class, &["healthcheck"]);
    assert!(told.starts_with("ok spares-fail: "), "{told}");
    let told = says(&class, &["check"]);
    assert!(
        told.contains(
            "0 of 1 spare account ready, 1 without a workspace that runs (CODER_CLASS_INTRO_WARM)"
        ),
        "{told}"
    );
    assert!(
        told.contains("serves all students, but some later"),
        "{told}"
    );
}

#[test]
fn check_before_the_first_start_and_with_all_seats_taken_blames_nobody() {
    let class = warm("2", LONG_AGO)
        .with("CODER_CLASS_INTRO_SEATS", "2")
        .prepare();
    let checked = || {
        let told = class.try_service(&["check"]).stdout;
        told.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let told = checked();
    let words = "2 spare accounts will be made when the service runs (CODER_CLASS_INTRO_WARM)";
    assert!(told.contains(words), "{told}");
    class.start_service();
    ready(&class, 2);
    class.students(2).iter().for_each(|one| drop(asks(one)));
    let told = checked();
    let words = "no spare accounts are made (CODER_CLASS_INTRO_WARM), as all seats are taken";
    assert!(told.contains(words), "{told}");
}

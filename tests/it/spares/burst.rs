//! A class with spare accounts texts: who was ready before costs no call.

use std::collections::BTreeSet;
use std::time::Duration;

use support::classroom::student::{Login, Webhook};
use support::classroom::{Classroom, PHRASE};
use support::fakes::coder::ops as coder;

use super::{LONG_AGO, ready, warm};
use crate::metrics::comes_to;
use crate::plan;

/// The students of the class that texts at once.
const STUDENTS: usize = 40;

/// All accounts end at one time, so Coder need not be told of another one when a student gets a spare.
const END: &str = "2099-12-01T09:00Z";

/// What was asked of Coder and Twilio, without the looks at spares and builds, which are due once a minute whether anybody
/// texts.
fn calls(class: &Classroom) -> Vec<String> {
    let looks = [coder::LIST_USERS, coder::LIST_WORKSPACES, coder::AUTH_CHECK];
    let of_coder = class.coder().calls().into_iter();
    let of_coder = of_coder.filter(|call| looks.iter().all(|look| call.op != look.0));
    let of_twilio = class.twilio().calls().into_iter();
    of_coder.chain(of_twilio).map(|call| call.op).collect()
}

#[test]
fn forty_who_text_at_once_have_workspaces_that_run_though_a_build_takes_a_minute() {
    let class = warm(&STUDENTS.to_string(), LONG_AGO)
        .with("CODER_CLASS_INTRO_SEATS", &STUDENTS.to_string())
        .with("CODER_CLASS_INTRO_END_AT", END)
        .prepare();
    class.coder().build_time(Duration::from_secs(60));
    class.start_service();
    class.eventually("all workspaces are made", || {
        class.coder().count(coder::CREATE_WORKSPACE) == STUDENTS
    });
    // The minute of the builds passes.
    class.coder().finish_builds();
    ready(&class, 40);
    let before = calls(&class).len();
    let students = class.students(STUDENTS);
    let texts: Vec<Webhook> = students
        .iter()
        .map(|student| student.webhook("purple kettle", &[]))
        .collect();
    for (student, text) in students.iter().zip(&texts) {
        class.eventually("the text is taken", || student.posts(text) == 200);
    }
    let logins: Vec<Login> = students.iter().map(|one| one.next_login()).collect();
    for login in &logins {
        let all = class.coder().workspaces_of(login.username());
        assert_eq!(all.len(), 1, "{all:?}");
        assert_eq!((all[0].status.as_str(), all[0].builds), ("running", 1));
    }
    class.all_served();
    // One text for each of them, and nothing else.
    let asked = calls(&class).split_off(before);
    assert_eq!(asked, ["send text"; STUDENTS], "{asked:?}");
    let names: BTreeSet<&str> = logins.iter().map(Login::username).collect();
    assert_eq!(names.len(), STUDENTS);
    assert!(students.iter().all(|student| student.can_log_in()));
    assert_eq!(class.coder().created_ever().len(), STUDENTS);
}

#[test]
fn a_login_on_a_laptop_costs_no_call_to_anybody_if_a_spare_is_there() {
    let class = warm("2", LONG_AGO)
        .with_pages("screen")
        .with("CODER_CLASS_INTRO_PASS", PHRASE)
        .with("CODER_CLASS_INTRO_SEATS", "2")
        .with("CODER_CLASS_INTRO_END_AT", END)
        .open();
    ready(&class, 2);
    let before = calls(&class);
    let (ana, laptop) = (class.student(), class.laptop());
    ana.texts(&laptop.words());
    laptop.is_asked(&ana, true);
    let login = laptop.shows("login");
    let login = laptop.read(&login);
    class.all_served();
    assert_eq!(calls(&class), before);
    let all = class.coder().workspaces_of(login.username());
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0].status, "running");
    assert_eq!(laptop.login(), login);
    // Its workspace is there, so the browser goes straight to it.
    assert_eq!(laptop.arrives_at(), format!("/@{}/class", login.username()));
    assert!(ana.inbox().is_empty());
    ready(&class, 1);
}

#[test]
fn spares_are_counted_by_what_they_can_do_and_when_a_student_gets_one() {
    let class = plan()
        .with("CODER_REG_METRICS", "127.0.0.1:0")
        .with("CODER_REG_WARM", "2")
        .with("CODER_REG_TEMPLATE", "docker")
        .prepare();
    class.coder().no_provisioners(true);
    class.start_service();
    comes_to(&class, "spare_accounts{state=\"troubled\"}", 2.0);
    comes_to(&class, "spare_accounts{state=\"ready\"}", 0.0);
    class.coder().no_provisioners(false);
    comes_to(&class, "spare_accounts{state=\"ready\"}", 2.0);
    comes_to(&class, "spare_accounts_taken_total", 0.0);
    class.login_of(&class.student());
    comes_to(&class, "spare_accounts_taken_total", 1.0);
    comes_to(&class, "spare_accounts{state=\"ready\"}", 2.0);
    comes_to(&class, "registrations_total", 1.0);
}

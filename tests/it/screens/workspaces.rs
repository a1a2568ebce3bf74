//! Where a browser goes that is signed in, if students get workspaces.

use serde_json::json;
use support::classroom::Classroom;
use support::classroom::student::Login;
use support::fakes::coder::ops as coder;
use support::fakes::trouble::Trouble;

use crate::plan;

/// A class whose logins go to screens, and whose students get workspaces.
fn with_workspaces() -> Classroom {
    plan()
        .with_pages("screen")
        .with("CODER_REG_TEMPLATE", "docker")
        .open()
}

fn path(login: &Login) -> String {
    format!("/@{}/class", login.username())
}

#[track_caller]
fn is_made(class: &Classroom, login: &Login) {
    class.logs(&format!("workspace class of {} made", login.username()));
}

#[test]
fn a_laptop_goes_to_the_workspace_that_is_made_while_its_browser_signs_in() {
    let class = with_workspaces();
    let (ana, laptop) = (class.student(), class.laptop());
    ana.texts(&laptop.words());
    laptop.is_asked(&ana, true);
    let login = laptop.login();
    is_made(&class, &login);
    assert_eq!(laptop.arrives_at(), path(&login));
    // On another laptop it is there from the beginning, also after a restart.
    class.restart_service();
    let second = class.laptop();
    ana.texts(&second.words());
    second.is_asked(&ana, true);
    assert_eq!(second.login(), login);
    assert_eq!(second.arrives_at(), path(&login));
}

#[test]
fn a_laptop_goes_to_the_workspace_of_its_own_student() {
    let class = with_workspaces();
    let students = class.students(3);
    let laptops: Vec<_> = students.iter().map(|_| class.laptop()).collect();
    for (student, laptop) in students.iter().zip(&laptops) {
        student.texts(&laptop.words());
        laptop.is_asked(student, true);
    }
    let logins: Vec<Login> = laptops.iter().map(|laptop| laptop.login()).collect();
    logins.iter().for_each(|login| is_made(&class, login));
    for (laptop, login) in laptops.iter().zip(&logins) {
        assert_eq!(laptop.arrives_at(), path(login));
    }
}

#[test]
fn a_laptop_goes_to_coders_first_page_where_no_workspace_is_made() {
    let class = with_workspaces();
    let broken = Trouble::json(400, &json!({"message": "no"}));
    class
        .coder()
        .trouble(coder::CREATE_WORKSPACE, 1_000, broken);
    let ana = class.student();
    let first = class.laptop();
    ana.texts(&first.words());
    first.is_asked(&ana, true);
    let login = first.login();
    class.logs("1 workspace not made yet");
    assert_eq!(first.arrives_at(), "");
    // Nor later, as long as it is not made.
    let second = class.laptop();
    ana.texts(&second.words());
    second.is_asked(&ana, true);
    assert_eq!(second.login(), login);
    assert_eq!(second.arrives_at(), "");
}

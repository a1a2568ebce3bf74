//! Workspaces that are made with logins.

use std::time::Duration;

use super::{runs, with_workspaces};
use crate::plan;
use support::classroom::PATIENCE;
use support::classroom::student::Login;
use support::fakes::coder::{Role, Version, ops as coder};
use support::fakes::trouble::Trouble;

#[test]
fn each_login_has_a_workspace_made_by_one_call() {
    for version in Version::RECORDED.into_iter().chain([Version::Newest]) {
        let class = with_workspaces().coder_of(version).prepare();
        class
            .coder()
            .token_roles(&[Role::UserAdmin, Role::OrganizationAdmin]);
        class.start_service();
        let logins = class.logins(5);
        for login in &logins {
            let made = runs(&class, login);
            assert_eq!((made.name.as_str(), made.builds), ("class", 1));
            // The student need not have been there.
            let user = class.coder().user(login.username()).expect("a user");
            assert_eq!(user.status, "dormant");
        }
        assert_eq!(class.coder().count(coder::CREATE_WORKSPACE), 5);
        assert_eq!(class.coder().count(coder::READ_TEMPLATE), 1);
        class.change("UPDATE registrations SET due_at = 1");
        class.coder().auto_stop_after(Duration::ZERO);
        class.all_gone();
        assert!(class.workspaces_are_deleted());
    }
}

#[test]
fn the_login_leads_to_the_workspace_unless_none_can_be_made() {
    let class = with_workspaces().open();
    let page = |login: &Login| format!("{}/@{}/class", class.coder().url(), login.username());
    let login = &class.logins(1)[0];
    assert_eq!(login.site, page(login));
    class.coder().deprecate_template("docker", "Use python.");
    class.restart_service();
    class.logins(1);
    class.logs("the template docker is deprecated");
    let login = &class.logins(1)[0];
    assert_eq!(login.site, class.coder().url());
}

#[test]
fn a_workspace_has_the_name_and_the_parameters_of_the_settings() {
    let class = plan().prepare();
    let (template, _) = class.coder().add_template("python");
    class
        .coder()
        .require_parameter("python", "region", &["eu", "us"]);
    class.set("CODER_REG_TEMPLATE", &template);
    class.set("CODER_REG_WORKSPACE", "lab-1");
    class.set(
        "CODER_REG_PARAMETERS",
        r#"{"region": "eu", "motd": "hello, you"}"#,
    );
    class.start_service();
    let login = &class.logins(1)[0];
    let made = runs(&class, login);
    assert_eq!(made.name, "lab-1");
    let mut parameters = made.parameters;
    parameters.sort();
    let expected = [("motd", "hello, you"), ("region", "eu")];
    assert_eq!(
        parameters,
        expected.map(|(n, v)| (n.to_owned(), v.to_owned()))
    );
}

#[test]
fn each_class_has_the_template_of_its_own_or_that_of_all() {
    let class = plan()
        .with("CODER_REG_PASS", "")
        .with("CODER_REG_TEMPLATE", "docker")
        .with("CODER_CLASS_INTRO_PASS", "purple kettle")
        .with("CODER_CLASS_INTRO_TEMPLATE", "python")
        .with("CODER_CLASS_LAB_PASS", "brown lantern")
        .prepare();
    let (python, _) = class.coder().add_template("python");
    class.start_service();
    let gets = |phrase: &str| {
        let student = class.student();
        student.texts(phrase);
        student.next_login()
    };
    let (intro, lab) = (gets("purple kettle"), gets("brown lantern"));
    assert_eq!(runs(&class, &intro).template, python);
    assert_eq!(runs(&class, &lab).template, class.coder().template_id());
    // A template that breaks concerns its own class only.
    class.coder().deprecate_template("python", "Use docker.");
    class.restart_service();
    let late = gets("purple kettle");
    super::status_says(
        &class,
        "1 workspace was not made: the template python is deprecated",
    );
    class.eventually("the failure is known", || {
        let login = gets("purple kettle");
        login.site == class.coder().url()
    });
    let lab = gets("brown lantern");
    assert!(lab.site.contains("/@"), "{}", lab.site);
    runs(&class, &lab);
    class.coder().deprecate_template("python", "");
    runs(&class, &late);
}

#[test]
fn an_account_that_moves_to_a_class_with_a_template_gets_a_workspace() {
    let class = plan()
        .with("CODER_REG_PASS", "")
        .with("CODER_CLASS_TALK_PASS", "purple kettle")
        .with("CODER_CLASS_LAB_PASS", "brown lantern")
        .with("CODER_CLASS_LAB_TEMPLATE", "docker")
        .with("CODER_CHECK_INTERVAL", "1h")
        .open();
    let ana = class.student();
    ana.texts("purple kettle");
    let login = ana.next_login();
    // Once another student has one, it is settled that she gets none.
    let ben = class.student();
    ben.texts("brown lantern");
    runs(&class, &ben.next_login());
    class.all_served();
    class.change(
        "UPDATE registrations SET due_at = 1, announced_at = announced_at - 600 WHERE class = 'talk'",
    );
    ana.texts("brown lantern");
    let moved = ana.next_login();
    assert_eq!(moved.username(), login.username());
    assert!(moved.site.contains("/@"), "{}", moved.site);
    runs(&class, &moved);
}

#[test]
fn no_workspace_is_made_unless_a_template_is_set_and_then_for_everybody_who_has_none() {
    let class = plan().open();
    let login = &class.logins(1)[0];
    assert!(class.coder().all_workspaces().is_empty());
    class.set("CODER_REG_TEMPLATE", "docker");
    class.restart_service();
    runs(&class, login);
    class.restart_service();
    let another = &class.logins(1)[0];
    runs(&class, another);
    assert_eq!(class.coder().all_workspaces().len(), 2);
    assert_eq!(class.coder().count(coder::CREATE_WORKSPACE), 2);
}

#[test]
fn a_login_never_waits_for_a_workspace() {
    let class = with_workspaces().with("CODER_REG_PARALLEL", "1").open();
    class.trouble_at_coder(coder::CREATE_WORKSPACE, 1, Trouble::Hang(PATIENCE));
    let ana = class.student();
    ana.gets_a_login();
    class.eventually("the request for the workspace", || {
        class.coder().count(coder::CREATE_WORKSPACE) == 1
    });
    // The only worker is free.
    class.student().gets_a_login();
    assert!(class.coder().all_workspaces().is_empty());
}

#[test]
fn a_workspace_of_that_name_counts_and_the_name_of_nobody_else_does() {
    let class = with_workspaces().open();
    class.trouble_at_coder(coder::CREATE_WORKSPACE, 1, Trouble::LoseReply);
    let login = &class.logins(1)[0];
    let made = runs(&class, login);
    class.eventually("the workspace is known", || {
        class.query("SELECT id FROM workspaces") == made.id
    });
    assert_eq!(class.coder().all_workspaces().len(), 1);
}

#[test]
fn the_template_decides_when_it_stops_its_workspaces_earlier_than_the_account_ends() {
    let class = with_workspaces().with("CODER_REMOVE_TIME", "12h").open();
    let stops_in = |login| {
        let stops = runs(&class, login).stops_at.expect("a stop");
        let left = stops.duration_since(std::time::SystemTime::now());
        left.expect("later").as_secs()
    };
    let due = 12 * 3_600;
    let first = &class.logins(1)[0];
    assert!(
        (due - 300..due).contains(&stops_in(first)),
        "{}",
        stops_in(first)
    );
    class
        .coder()
        .template_runs_for("docker", Duration::from_secs(3_600));
    class.restart_service();
    let second = &class.logins(1)[0];
    assert!((3_300..=3_600).contains(&stops_in(second)));
}

//! Workspaces that cannot be made for now: the login comes all the same, the operator is told, and it is
//! tried again.

use support::fakes::coder::{FakeCoder, Role};

use super::{runs, status_says, with_workspaces};

/// What goes wrong in the middle of a class, what `status` says of it, and how it is mended.
type Case = (fn(&FakeCoder), &'static str, fn(&FakeCoder));

#[test]
fn a_template_that_breaks_in_the_middle_of_a_class_is_told_and_the_workspaces_follow() {
    const ORGANIZER: [Role; 2] = [Role::UserAdmin, Role::OrganizationAdmin];
    let cases: [Case; 6] = [
        (
            |coder| coder.deprecate_template("docker", "Use python."),
            "2 workspaces were not made: the template docker is deprecated",
            |coder| coder.deprecate_template("docker", ""),
        ),
        (
            |coder| coder.delete_template("docker"),
            "2 workspaces were not made: there is no template docker in the default organization",
            |coder| drop(coder.add_template("docker")),
        ),
        (
            |coder| coder.template_import("docker", "running"),
            "2 workspaces were not made: Coder refuses to make any of the template docker (make a workspace at Coder: status 406",
            |coder| coder.template_import("docker", "succeeded"),
        ),
        (
            |coder| coder.require_parameter("docker", "region", &[]),
            "2 workspaces were not made: Coder refuses to make any of the template docker (make a workspace at Coder: status 400, refused (Unable to validate parameter \"region\"))",
            |coder| {
                coder.delete_template("docker");
                coder.add_template("docker");
            },
        ),
        (
            |coder| coder.require_external_auth("docker", "github", false),
            "2 workspaces were not made: the template docker needs a sign-in of each student",
            |coder| {
                coder.delete_template("docker");
                coder.add_template("docker");
            },
        ),
        (
            |coder| coder.token_roles(&[Role::UserAdmin]),
            "2 workspaces were not made: the token (CODER_API_KEY) may not make workspaces",
            |coder| coder.token_roles(&ORGANIZER),
        ),
    ];
    for (breaks, words, mended) in cases {
        let class = with_workspaces().prepare();
        class.coder().token_roles(&ORGANIZER);
        class.start_service();
        runs(&class, &class.logins(1)[0]);
        breaks(class.coder());
        let logins = class.logins(2);
        status_says(&class, words);
        assert!(class.log().contains("not made yet, tried again"), "{words}");
        let told = class.tells(&["status", "--json"]);
        let told = told["accounts"].as_array().expect("accounts");
        let without = told.iter().filter(|one| one["workspace_error"].is_string());
        assert_eq!(without.count(), 2, "{told:?}");
        mended(class.coder());
        logins.iter().for_each(|login| drop(runs(&class, login)));
        class.logs("workspaces are made again");
        class.eventually("a status without faults of workspaces", || {
            !class.does(&["status"]).contains("not made")
        });
        assert_eq!(class.coder().all_workspaces().len(), 3);
    }
}

#[test]
fn a_template_that_was_renamed_goes_on_and_is_told_after_a_restart() {
    let class = with_workspaces().open();
    runs(&class, &class.logins(1)[0]);
    class.coder().rename_template("docker", "docker-old");
    runs(&class, &class.logins(1)[0]);
    class.restart_service();
    let late = &class.logins(1)[0];
    status_says(
        &class,
        "there is no template docker in the default organization",
    );
    class.coder().rename_template("docker-old", "docker");
    runs(&class, late);
}

#[test]
fn a_build_that_fails_is_told_and_tried_again() {
    let class = with_workspaces().open();
    class.coder().failed_builds_say("insufficient quota");
    class.coder().fail_starts("class", 2);
    let login = &class.logins(1)[0];
    status_says(
        &class,
        "1 workspace does not run: builds of the template docker failed (insufficient quota)",
    );
    let made = runs(&class, login);
    assert_eq!(made.builds, 3);
    class.eventually("nothing is wrong any more", || {
        class.query("SELECT count(*) FROM workspaces WHERE trouble IS NOT NULL") == "0"
    });
}

#[test]
fn a_build_that_waits_for_a_provisioner_is_told_and_runs_when_one_comes() {
    let class = with_workspaces().open();
    class.coder().no_provisioners(true);
    let logins = class.logins(2);
    status_says(
        &class,
        "2 workspaces do not run: builds of the template docker wait for a provisioner",
    );
    class.coder().no_provisioners(false);
    for login in &logins {
        assert_eq!(runs(&class, login).builds, 1);
    }
    assert!(!class.does(&["status"]).contains("provisioner"));
}

#[test]
fn a_coder_that_is_away_gets_the_requests_when_it_is_back() {
    let class = with_workspaces().open();
    let ana = class.student();
    let coder = std::sync::Arc::clone(class.coder());
    class.twilio().on(
        support::fakes::twilio::ops::SEND,
        support::fakes::trouble::When::After,
        1,
        Box::new(move || coder.goes_down()),
    );
    let login = ana.gets_a_login();
    class.logs("Coder does not answer");
    class.coder().comes_back();
    runs(&class, &login);
}

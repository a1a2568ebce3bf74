//! The template of which students get workspaces.

use std::time::Duration;

use super::{Ready, before_start};
use support::fakes::coder::{FakeCoder, Role};

/// What is broken, the verdict, what is found, and its cure.
type TemplateCase = (fn(&FakeCoder), &'static str, &'static str, &'static str);

/// A class that is ready, whose students get workspaces.
fn with_template(parameters: Option<&str>) -> Ready {
    let ready = before_start();
    ready.set("CODER_REG_TEMPLATE", "docker");
    if let Some(parameters) = parameters {
        ready.set("CODER_REG_PARAMETERS", parameters);
    }
    ready.starts();
    ready
}

#[test]
fn a_template_that_gives_no_workspace_is_found_before_class() {
    let cases: [TemplateCase; 8] = [
        (
            |coder| coder.rename_template("docker", "python"),
            "fault",
            "there is no template docker in the default organization",
            "set CODER_REG_TEMPLATE to one of: python",
        ),
        (
            |coder| coder.deprecate_template("docker", "Use python."),
            "fault",
            "the template docker is deprecated",
            "remove the deprecation",
        ),
        (
            |coder| coder.template_import("docker", "failed"),
            "fault",
            "the import of its active version has failed",
            "coder templates push docker",
        ),
        (
            |coder| coder.template_import("docker", "running"),
            "warning",
            "its active version is still being imported",
            "wait until",
        ),
        (
            |coder| coder.require_parameter("docker", "region", &["eu"]),
            "fault",
            "the template requires the parameter region, which is not given",
            "add region=VALUE to CODER_REG_PARAMETERS",
        ),
        (
            |coder| coder.require_parameter("docker", "size", &["big"]),
            "fault",
            "the template does not allow the value of the parameter size",
            "one of: big",
        ),
        (
            |coder| coder.require_external_auth("docker", "github", false),
            "warning",
            "students must sign in to github first",
            "make that sign-in optional",
        ),
        (
            |coder| coder.token_roles(&[Role::UserAdmin]),
            "fault",
            "the token may not make workspaces of others (authcheck)",
            "the role Organization Admin",
        ),
    ];
    for (breaks, verdict, what, cure) in cases {
        let ready = with_template(Some("size=2"));
        ready
            .coder()
            .require_parameter("docker", "size", &["1", "2"]);
        let report = ready.check();
        report.ends_with(0);
        report.has(
            "pass",
            "coder",
            "students get a workspace of the template docker",
            "",
        );
        report.has("pass", "coder", "its required parameters are given", "");
        breaks(ready.coder());
        ready.check().has(verdict, "coder", what, cure);
    }
    let ready = with_template(Some("regoin=eu"));
    ready.coder().require_parameter("docker", "region", &[]);
    let report = ready.check();
    report.has(
        "warning",
        "coder",
        "the template has no parameter regoin",
        "you may mean region",
    );
}

#[test]
fn a_workspace_is_built_seen_running_and_removed() {
    let ready = with_template(None);
    let coder = ready.coder();
    coder.build_time(Duration::from_millis(1_500));
    let report = ready.check_with(&["--write"]);
    report.ends_with(0);
    for what in [
        "it may use the template of its workspace",
        "its workspace runs after",
        "its workspace was removed",
        "it was deleted and is gone",
    ] {
        report.has("pass", "coder", what, "");
    }
    assert_eq!(coder.all_workspaces().len(), 1);
    assert!(coder.all_workspaces()[0].deleted && coder.users().is_empty());

    coder.fail_starts("class", 1);
    coder.failed_builds_say("insufficient quota");
    let report = ready.check_with(&["--write"]);
    report.ends_with(1);
    let what = "its workspace does not run (failed): insufficient quota";
    report.has("fault", "coder", what, "see the log of the build");
    assert!(coder.all_workspaces()[1].deleted && coder.users().is_empty());

    coder.template_is_for_admins("docker");
    let report = ready.check_with(&["--write"]);
    let what = "students may not use the template (CODER_REG_TEMPLATE)";
    report.has("fault", "coder", what, "let all members");
    assert!(coder.users().is_empty());
}

//! What is broken at Coder.

use std::time::Duration;

use super::{before_start, ready};
use support::fakes::coder::{Mails, Role, Version, ops};
use support::fakes::trouble::Trouble;

#[test]
fn a_wrong_token_is_a_fault() {
    let ready = ready();
    ready.set("CODER_API_KEY", "0123456789-ABCDEFGHIJKLMNOPQRSTUV");
    let report = ready.check();
    report.ends_with(1);
    let words = "CODER_API_KEY) is invalid or expired";
    report.has("fault", "coder", words, "create a token");
    // A token that is renewed counts after a restart only: the old one may expire during the class.
    let words = "started with another phrase, other seats, times or templates, or another address or token of Coder";
    report.has("fault", "public url", words, "restart the service");
    assert_eq!(report.all("fault").count(), 2);
    report.is_well_elsewhere(&["coder", "public url"]);
    report.has("skipped", "coder", "Coder does not accept the token", "");
    report.has("pass", "coder", "users may log in with passwords", "");
}

const ADMIN: &str = "the role User Admin";
const ORGANIZATION: &str = "the role Organization Admin of the default organization";

#[test]
fn a_members_token_may_do_nothing() {
    let ready = ready();
    ready.coder().token_loses_rights();
    let report = ready.check();
    report.ends_with(1);
    report.has("pass", "coder", "the token belongs to admin", "");
    for what in ["see users", "create users", "suspend users", "delete users"] {
        report.has("fault", "coder", &format!("may not {what}"), ADMIN);
    }
    for what in ["see", "stop", "delete"] {
        let what = format!("may not {what} workspaces of others");
        report.has("fault", "coder", &what, ORGANIZATION);
    }
    assert_eq!(report.all("fault").count(), 7);
    report.is_well_elsewhere(&["coder"]);
}

#[test]
fn a_user_admin_alone_sees_no_workspaces_however_empty_the_list() {
    let ready = ready();
    let coder = ready.coder();
    coder.token_roles(&[Role::UserAdmin]);
    let report = ready.check();
    report.has("pass", "coder", "may create users", "");
    for what in ["see", "stop", "delete"] {
        let what = format!("may not {what} workspaces of others");
        report.has("fault", "coder", &what, ORGANIZATION);
    }
    assert_eq!(report.all("fault").count(), 3);

    coder.token_roles(&[Role::UserAdmin, Role::TemplateAdmin]);
    let report = ready.check();
    report.has("pass", "coder", "may see workspaces of others", "");
    for what in ["stop", "delete"] {
        let what = format!("may not {what} workspaces of others");
        report.has("fault", "coder", &what, ORGANIZATION);
    }
    assert_eq!(report.all("fault").count(), 2);

    coder.token_roles(&[Role::UserAdmin, Role::OrganizationAdmin]);
    let report = ready.check();
    report.ends_with(0);
    report.is_well_elsewhere(&["coder"]);
}

#[test]
fn passwords_that_the_token_may_not_set_are_told_by_what_the_release_lets_know() {
    let ready = ready();
    let coder = ready.coder();
    ready
        .check()
        .has("pass", "coder", "may set passwords of others", "");
    coder.token_roles(&[Role::UserAdmin, Role::OrganizationAdmin]);
    let report = ready.check();
    let untold = "cannot tell whether the token may set passwords of others";
    report.has("warning", "coder", untold, "check --write");

    coder.upgrade(Version::V2_31);
    let report = ready.check();
    report.ends_with(0);
    report.has(
        "warning",
        "coder",
        "may not set passwords of others: students who ask again get the same login",
        "only the role Owner has that right",
    );
}

#[test]
fn a_coder_that_cannot_be_asked_for_rights_is_a_fault() {
    let ready = ready();
    let page = Trouble::json(404, &serde_json::json!({ "message": "Route not found." }))
        .with_header("X-Coder-Build-Version", "v2.1.0");
    ready.trouble_at_coder(ops::AUTH_CHECK, 1, page);
    ready.finds(
        "coder",
        "cannot tell what the token may do, so no account is removed",
        "update Coder",
    );
}

#[test]
fn a_proxy_that_wants_a_login_is_not_coder() {
    let ready = ready();
    let page = Trouble::html(401, "Authorization Required");
    let coder = ready.coder();
    // The version needs no token; the rights of the token do.
    coder.trouble(ops::READ_USER, 1, page);
    let report = ready.check();
    report.has(
        "fault",
        "coder",
        "ask who owns the token at Coder: status 401, not Coder's answer",
        "set CODER_API_URL",
    );
    let told = format!("{:?}", report.findings);
    assert!(!told.contains("invalid or expired"), "{told}");
}

#[test]
fn a_token_that_ends_soon_is_a_warning() {
    let ready = ready();
    for (hours, words) in [
        (5, "they would not be removed"),
        (30, "is valid for 1 d "),
        (70, "is valid for 2 d "),
    ] {
        let time = Duration::from_secs(hours * 3_600);
        ready.coder().token_lives(time);
        let report = ready.check();
        report.ends_with(0);
        report.has(
            "warning",
            "coder",
            words,
            "coder tokens create --lifetime 8760h",
        );
        report.is_well_elsewhere(&["coder"]);
    }
    ready.coder().token_lives(Duration::from_secs(80 * 3_600));
    ready
        .check()
        .has("pass", "coder", "the token is valid for 3 d ", "");
}

#[test]
fn a_token_is_good_for_longer_only_where_use_was_seen_to_prolong_it() {
    let ready = ready();
    let coder = ready.coder();
    for (version, prolongs) in [
        (Version::V2_24, true),
        (Version::V2_29, false),
        (Version::V2_31, true),
        (Version::Newest, false),
    ] {
        coder.upgrade(version);
        coder.token_lives(Duration::from_secs(7 * 86_400));
        let report = ready.check();
        // It was just made, so its end has not moved.
        report.has("pass", "coder", "the token is valid for ", "");
        let told = |report: &super::Report| {
            let all = report.findings.iter();
            all.filter(|one| one.what.contains("or more, because use extends it"))
                .count()
        };
        assert_eq!(told(&report), 0, "{report:#?}");
        coder.token_is_older(Duration::from_secs(2 * 86_400));
        let report = ready.check();
        assert_eq!(
            told(&report),
            usize::from(prolongs),
            "{version:?} {report:#?}"
        );
    }
}

#[test]
fn a_token_that_does_not_see_the_default_organization_is_a_fault() {
    let ready = ready();
    ready.coder().default_organization_is_hidden(true);
    ready.finds(
        "coder",
        "none of the organizations that the token (CODER_API_KEY) sees is the default one",
        "a member of the default organization",
    );
}

#[test]
fn members_who_may_make_no_workspace_are_a_fault() {
    let ready = ready();
    let coder = ready.coder();
    coder.default_org_member_roles(&[]);
    ready.finds(
        "coder",
        "students can log in but cannot create workspaces",
        "coder organizations edit --default-org-member-roles \"organization-workspace-access\"",
    );
    coder.default_org_member_roles(&["organization-workspace-access", "agents-access"]);
    let report = ready.check();
    report.ends_with(0);
    report.has(
        "warning",
        "coder",
        "every student may use the AI models",
        "coder organizations edit --default-org-member-roles \"organization-workspace-access\"",
    );
    // Releases before 2.35 have no such roles.
    coder.default_org_member_roles(&[]);
    coder.upgrade(Version::V2_31);
    let report = ready.check();
    report.ends_with(0);
    report.is_well_elsewhere(&[]);
}

#[test]
fn a_role_of_all_members_that_the_token_may_not_give_is_a_fault() {
    let ready = ready();
    let coder = ready.coder();
    coder.default_org_member_roles(&[
        "organization-workspace-access",
        "organization-template-admin",
    ]);
    let report = ready.check();
    report.has("pass", "coder", "may assign all roles of members", "");
    // The organization's own admin may, a user admin may not.
    coder.token_roles(&[Role::UserAdmin]);
    let report = ready.check_with(&["--write"]);
    report.has(
        "fault",
        "coder",
        "the token may not assign organization-template-admin",
        "the role Organization Admin",
    );
    report.has("fault", "coder", "create a user at Coder: status 500", "");
    assert!(coder.created_ever().is_empty());
}

#[test]
fn more_seats_than_may_log_in_within_a_minute_are_told() {
    let ready = before_start();
    ready.set("CODER_REG_MAX_USERS", "61");
    ready.starts();
    let report = ready.check();
    report.ends_with(0);
    report.has(
        "warning",
        "coder",
        "there are 61 seats (CODER_REG_MAX_USERS), but Coder accepts only 60 logins per minute",
        "in groups, a minute apart",
    );
}

#[test]
fn a_class_without_a_free_seat_is_told() {
    let ready = before_start();
    ready.set("CODER_REG_MAX_USERS", "1");
    ready.starts();
    assert_eq!(ready.check().in_area("warning", "coder"), 1);
    let student = ready.student();
    student.asks();
    student.next_login();
    ready.check().has(
        "warning",
        "coder",
        "no seat is free (all 1 of CODER_REG_MAX_USERS are taken)",
        "raise CODER_REG_MAX_USERS and restart",
    );
}

#[test]
fn mails_are_told_and_who_could_read_them() {
    let ready = ready();
    let coder = ready.coder();
    ready.check().has(
        "pass",
        "coder",
        "Coder sends no e-mail: it has no mail server",
        "",
    );
    coder.mails(Mails::Paused);
    ready
        .check()
        .has("pass", "coder", "notifications are paused", "");
    coder.mails(Mails::On);
    let report = ready.check();
    report.has(
        "warning",
        "coder",
        "up to three e-mails per student to each owner and user admin",
        "coder notifications pause",
    );
    let taken = "who reads e-mail to class.example.org";
    report.has("warning", "coder", taken, "ends in .invalid");
    ready.set("CODER_EMAIL_DOM", "class.invalid");
    let report = ready.check();
    assert!(
        !report
            .findings
            .iter()
            .any(|one| one.what.contains("who reads e-mail"))
    );
    ready.set("CODER_EMAIL_DOM", "gmail.com");
    let report = ready.check();
    report.ends_with(1);
    let strangers = "students' addresses end in gmail.com";
    report.has("fault", "coder", strangers, "a domain of your own");

    ready.set("CODER_EMAIL_DOM", "class.example.org");
    coder.token_roles(&[Role::UserAdmin, Role::OrganizationAdmin]);
    let report = ready.check();
    let unseen = "this token cannot show whether Coder sends e-mail";
    report.has("warning", "coder", unseen, "ask an Owner");
    report.has("warning", "coder", taken, "ends in .invalid");
}

#[test]
fn password_login_that_is_off_is_a_fault() {
    let ready = ready();
    ready.coder().password_auth(false);
    ready.finds(
        "coder",
        "does not accept logins with a password",
        "CODER_DISABLE_PASSWORD_AUTH",
    );
}

#[test]
fn something_else_than_coder_is_a_fault() {
    let ready = ready();
    // Somebody's web page at that address.
    ready.set("CODER_API_URL", &ready.front.url());
    ready.front.shows(200, "Welcome");
    let report = ready.check();
    report.has(
        "fault",
        "coder",
        "not Coder's answer",
        "set CODER_API_URL to the address that opens Coder",
    );
    report.has(
        "skipped",
        "coder",
        "the token's expiry: not checked, as Coder does not answer",
        "",
    );
    report.is_well_elsewhere(&["coder", "public url", "clock"]);
}

#[test]
fn a_coder_that_is_away_costs_one_call() {
    let ready = ready();
    let coder = ready.coder();
    ready.end_service();
    coder.trouble(ops::BUILD_INFO, 1, Trouble::CutBefore);
    let calls = coder.calls().len();
    let report = ready.check();
    report.has(
        "fault",
        "coder",
        "connection broke",
        "see the logs of Coder",
    );
    assert_eq!(coder.calls().len(), calls + 1, "nobody asks on");
    report.is_well_elsewhere(&["coder", "clock", "data folder", "public url"]);
}

#[test]
fn an_old_coder_is_asked_what_it_knows() {
    let ready = ready();
    ready.coder().upgrade(Version::V2_10);
    let report = ready.check();
    report.is_not_ready();
    report.has(
        "skipped",
        "coder",
        "a Coder before 2.17 has no such check",
        "",
    );
    ready
        .coder()
        .token_roles(&[Role::UserAdmin, Role::OrganizationAdmin]);
    let report = ready.check();
    assert_eq!(report.all("fault").count(), 0, "{report:#?}");
}

#[test]
fn a_clock_that_is_off_is_blamed_on_the_one_who_is_alone() {
    let ready = ready();
    ready.coder().clock_is_ahead(3_600);
    ready.finds(
        "clock",
        "behind Coder's: no account would be removed",
        "set Coder's clock",
    );
    ready.twilio().set_up(|setup| setup.clock_ahead = 3_600);
    let report = ready.check();
    report.has("fault", "clock", "behind Coder's", "timedatectl");
    report.has("fault", "clock", "behind Twilio's", "timedatectl");
    ready.coder().clock_is_ahead(-300);
    ready.twilio().set_up(|setup| setup.clock_ahead = 0);
    let report = ready.check();
    report.ends_with(0);
    report.has("warning", "clock", "ahead of Coder's", "set Coder's clock");
}

//! A Twilio that does not answer as it should is never called ready.

use serde_json::json;

use super::{Ready, ready};
use support::fakes::trouble::{Op, Trouble};
use support::fakes::twilio::ops;

/// Every call to Twilio ends so; nothing that was asked of it is called ready.
fn never_ready(ready: &Ready, trouble: &Trouble, words: &str, cure: &str) {
    let twilio = ready.twilio();
    twilio.trouble(Op::ANY, usize::MAX, trouble.clone());
    let report = ready.check();
    twilio.no_more_trouble();
    report.is_not_ready();
    report.has("fault", "twilio", words, cure);
    assert_eq!(
        report.in_area("pass", "twilio"),
        0,
        "{trouble}: {report:#?}"
    );
    report.is_well_elsewhere(&["twilio", "clock"]);
}

fn told(status: u16, code: u32, message: &str) -> Trouble {
    let url = format!("https://www.twilio.com/docs/errors/{code}");
    let body = json!({"code": code, "message": message, "more_info": url, "status": status});
    Trouble::json(status, &body)
}

#[test]
fn no_answer_that_does_not_help_is_called_ready() {
    let ready = ready();
    for (status, code, message, cure) in [
        (403, 20403, "Forbidden", "right to read"),
        (
            404,
            20404,
            "The requested resource was not found",
            "set TWILIO_ACCOUNT_SID",
        ),
        (429, 20429, "Too Many Requests", "wait for a minute"),
        (
            500,
            20500,
            "Internal Server Error",
            "check again in some minutes",
        ),
        (
            503,
            20503,
            "Service Unavailable",
            "check again in some minutes",
        ),
        (400, 20001, "Invalid parameter", "leave TWILIO_API_URL out"),
    ] {
        let words = format!("(Twilio says: {message})");
        never_ready(&ready, &told(status, code, message), &words, cure);
    }
    for status in [200, 302, 400, 401, 403, 404] {
        let page = Trouble::html(status, "Blocked");
        let words = format!("status {status}, ");
        never_ready(&ready, &page, &words, "leave TWILIO_API_URL out");
    }
    never_ready(
        &ready,
        &Trouble::bad_gateway(),
        "status 502, ",
        "status.twilio.com",
    );
    let empty = Trouble::json(200, &json!({}));
    never_ready(&ready, &empty, "status 200, ", "leave TWILIO_API_URL out");
}

#[test]
fn any_single_question_that_fails_is_not_called_ready() {
    let ready = ready();
    let twilio = ready.twilio();
    for op in [
        ops::ACCOUNT,
        ops::LIST,
        ops::NUMBERS,
        ops::SERVICES,
        ops::CAMPAIGNS,
        ops::BRANDS,
    ] {
        for trouble in [
            told(403, 70051, "Authorization Failed"),
            Trouble::unavailable(),
            Trouble::html(200, "Welcome"),
            Trouble::json(200, &json!([])),
        ] {
            twilio.trouble(op, usize::MAX, trouble.clone());
            let report = ready.check();
            twilio.no_more_trouble();
            report.is_not_ready();
            assert!(
                report.in_area("fault", "twilio") > 0,
                "{op} {trouble}: {report:#?}"
            );
            report.is_well_elsewhere(&["twilio", "clock"]);
        }
    }
}

#[test]
fn what_passes_is_asked_once_more() {
    let ready = ready();
    let twilio = ready.twilio();
    for trouble in [
        Trouble::CutBefore,
        Trouble::unavailable(),
        Trouble::too_many_requests(1),
        told(500, 20500, "Internal Server Error"),
    ] {
        for op in [ops::ACCOUNT, ops::LIST, ops::CAMPAIGNS] {
            twilio.trouble(op, 1, trouble.clone());
        }
        let report = ready.check();
        report.ends_with(0);
        report.is_well_elsewhere(&[]);
    }
}

#[test]
fn a_twilio_that_is_away_costs_two_calls() {
    let ready = ready();
    let twilio = ready.twilio();
    ready.end_service();
    let calls = twilio.calls().len();
    twilio.trouble(Op::ANY, 2, Trouble::CutBefore);
    let report = ready.check();
    report.has("fault", "twilio", "connection broke", "TWILIO_API_URL");
    report.has(
        "skipped",
        "twilio",
        "as Twilio accepts none of the credentials",
        "",
    );
    assert_eq!(twilio.calls().len(), calls + 2, "nobody asks on");
    report.is_well_elsewhere(&["twilio", "clock", "data folder", "public url"]);
}

#[test]
fn each_refusal_has_its_cure_and_twilios_words() {
    let ready = ready();
    for (status, code, message, cure) in [
        (
            401,
            20003,
            "Primary compliance profile is not approved",
            "primary customer profile",
        ),
        (
            403,
            20003,
            "Your primary compliance profile is not approved",
            "primary customer profile",
        ),
        (401, 20005, "Account not active", "the balance"),
        (403, 20403, "Account suspended", "the balance"),
        (403, 30002, "Account suspended", "the balance"),
        (403, 20003, "This account is closed", "the balance"),
        (
            403,
            20008,
            "Resource not accessible with Test Account Credentials",
            "copy the live ones",
        ),
        (
            403,
            70051,
            "Authorization Failed",
            "give the restricted key the right",
        ),
    ] {
        let words = format!("code {code}, ");
        never_ready(&ready, &told(status, code, message), &words, cure);
        let words = format!("(Twilio says: {message})");
        never_ready(&ready, &told(status, code, message), &words, cure);
    }
}

#[test]
fn a_key_that_may_send_and_not_read_is_a_fault() {
    let ready = ready();
    let twilio = ready.twilio();
    twilio.set_up(|setup| setup.key_rights = Some(vec![ops::SEND]));
    let report = ready.finds(
        "twilio",
        "cannot read the log at Twilio: status 403, code 70051",
        "give the restricted key the right to read Messages",
    );
    // The token of the account looks at the rest.
    report.has("pass", "twilio", "A2P campaign is verified", "");
}

#[test]
fn spellings_of_twilios_address_are_understood() {
    let ready = ready();
    let url = ready.twilio().url();
    for spelling in [
        format!("{url}/2010-04-01"),
        format!("{url}/2010-04-01/Accounts/"),
        url.replace("http://", "HTTP://"),
    ] {
        ready.set("TWILIO_API_URL", &spelling);
        ready.check().is_well_elsewhere(&[]);
    }
    for spelling in [
        "http://api.twilio.com",
        "https://www.twilio.com",
        "https://api.twilio.com/v1",
    ] {
        ready.set("TWILIO_API_URL", spelling);
        ready.finds_beside(
            "settings",
            "TWILIO_API_URL",
            "write it as https://api.twilio.com",
            &["twilio", "public url", "clock", "phrase"],
        );
    }
}

#[test]
fn a_short_code_is_looked_at() {
    let ready = ready();
    let twilio = ready.twilio();
    ready.set("FROM_NUM", "12345");
    ready.finds("twilio", "the account does not own 12345", "set FROM_NUM");
    twilio.set_up(|setup| setup.short_codes = vec!["12345".to_owned()]);
    let report = ready.check();
    report.has("pass", "twilio", "the account owns 12345", "");
    report.has(
        "pass",
        "twilio",
        "Twilio sends texts of 12345 to TWILIO_WEBHOOK_URL",
        "",
    );
    report.is_well_elsewhere(&[]);
    twilio.sms_url("https://old.example.org/sms");
    ready.finds(
        "twilio",
        "to https://old.example.org/sms",
        "set the URL of 12345",
    );
}

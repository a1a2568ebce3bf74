//! The public pages: whether they are reached, and what they can do for laptops there.

use super::{Ready, before_start};
use support::classroom::ORIGIN;

/// A class that is ready and has pages behind the front.
fn with_pages(reply: &str, settings: &[(&str, &str)]) -> Ready {
    let ready = before_start();
    ready.set("CODER_REG_PAGES_URL", &ready.front.url());
    ready.set("CODER_REG_REPLY", reply);
    ready.set("CODER_REG_CONTACT", "class@example.org");
    for (name, value) in settings {
        ready.set(name, value);
    }
    ready.starts();
    ready
}

#[test]
fn a_class_without_pages_hears_nothing_of_them() {
    let report = super::ready().check();
    assert!(report.findings.iter().all(|one| one.area != "pages"));
}

#[test]
fn pages_that_students_reach_are_ready() {
    let ready = with_pages("both", &[]);
    let report = ready.check();
    report.ends_with(0);
    report.has("pass", "pages", "students reach the join page", "");
    report.has("pass", "pages", "its script reaches the service", "");
    // Both are on one host here.
    report.has("pass", "pages", "it can sign laptops in to Coder", "");
    report.has("warning", "pages", "is not https", "certificate");
    assert_eq!(report.in_area("warning", "pages"), 1, "{report:#?}");
}

#[test]
fn a_class_without_outgoing_texts_needs_nothing_at_twilio_but_the_webhook() {
    let ready = with_pages(
        "screen",
        &[("TWILIO_AUTH_SID", ""), ("TWILIO_AUTH_TOKEN", "")],
    );
    let calls = ready.twilio().calls().len();
    let report = ready.check();
    report.ends_with(0);
    report.has(
        "pass",
        "twilio",
        "no text is ever sent (CODER_REG_REPLY=screen)",
        "",
    );
    report.has(
        "warning",
        "twilio",
        "whether Twilio sends texts to TWILIO_WEBHOOK_URL",
        "text the phrase",
    );
    report.has("pass", "public url", "reach this service", "");
    assert_eq!(ready.twilio().calls().len(), calls, "Twilio is not asked");
    for found in &report.findings {
        assert!(!found.what.contains("receipts sent"), "{found:?}");
    }
}

#[test]
fn what_is_wrong_with_the_pages_is_told_with_its_cure() {
    let ready = with_pages("both", &[]);
    // The proxy leads elsewhere.
    ready.front.shows(200, "Welcome to nginx");
    let report = ready.check();
    report.is_not_ready();
    report.has(
        "fault",
        "pages",
        "another program than this service answers (200)",
        "forward all paths",
    );
    ready.front.shows(401, "Login");
    ready.check().has(
        "fault",
        "pages",
        "requires a login (401)",
        "without a login",
    );
    ready.front.leads_to(ready.service().address());
    // The settings have changed since the start.
    ready.set("CODER_REG_ORG", "Another University");
    let report = ready.check();
    report.is_not_ready();
    report.has(
        "fault",
        "pages",
        "with other settings",
        "restart the service",
    );
    ready.set("CODER_REG_ORG", "");
    ready.set("CODER_REG_CONTACT", "");
    ready.check().has(
        "warning",
        "pages",
        "do not say how to reach you",
        "CODER_REG_CONTACT",
    );
    ready.set("CODER_REG_NUMBER", "+13125550177");
    ready.check().has(
        "warning",
        "pages",
        "the pages show +1 312 555 0177 and replies come from",
        "remove CODER_REG_NUMBER",
    );
    ready.set("CODER_REG_PAGES_URL", "http://no-such-host.invalid");
    ready
        .check()
        .has("fault", "pages", "no-such-host.invalid", "DNS record");
}

#[test]
fn a_number_on_the_pages_that_the_messaging_service_lacks_is_told() {
    let ready = with_pages("both", &[("CODER_REG_NUMBER", "+13125550177")]);
    let service = ready.twilio().account().service_sid.clone();
    ready.set("FROM_NUM", &service);
    let words = "the pages show +13125550177 (CODER_REG_NUMBER), which is no number of Messaging";
    let cure = "a number of the Messaging Service";
    ready.check().has("warning", "twilio", words, cure);
    let own = ready.twilio().account().from_numbers[0].clone();
    ready.set("CODER_REG_NUMBER", &own);
    let report = ready.check();
    report.has("pass", "twilio", "number(s) for texts", "");
    assert!(report.findings.iter().all(|one| !one.what.contains(words)));
}

#[test]
fn a_service_that_was_started_without_pages_is_told_to_be_restarted() {
    let ready = super::ready();
    ready.set("CODER_REG_PAGES_URL", &ready.front.url());
    let report = ready.check();
    report.is_not_ready();
    report.has(
        "fault",
        "pages",
        "the service answers, but it has no pages",
        "restart the service",
    );
}

#[test]
fn hosts_that_a_browser_takes_for_strangers_get_the_copy_buttons() {
    let ready = with_pages("both", &[]);
    ready.set("CODER_REG_PAGES_URL", ORIGIN);
    let report = ready.check();
    report.has(
        "warning",
        "pages",
        "cannot sign laptops in to Coder",
        "one domain",
    );
}

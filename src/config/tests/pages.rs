//! The pages, and where logins go.

use super::*;
use crate::domain::page_path;

const URL: (&str, &str) = ("CODER_REG_PAGES_URL", "https://sms.example.org");

#[test]
fn without_an_address_there_are_no_pages() {
    let pages = config(&[("CODER_REG_ORG", "Example School")]).pages;
    assert!(pages.site.is_none());
    assert_eq!(pages.reply, Reply::Text);
}

#[test]
fn the_address_is_read_in_all_spellings() {
    for spelling in [
        "https://sms.example.org",
        "sms.example.org",
        "https://SMS.example.org/",
    ] {
        let site = config(&[("CODER_REG_PAGES_URL", spelling)]).pages.site;
        assert_eq!(site.unwrap().url, "https://sms.example.org");
    }
    for bad in [
        "https://sms.example.org/class",
        "ftp://sms.example.org",
        "https://user:word@sms.example.org",
        "https://",
    ] {
        let faults = faults(&[("CODER_REG_PAGES_URL", bad)]);
        assert_eq!(faults.len(), 1, "{bad}: {faults:?}");
        assert_eq!(faults[0].name, "CODER_REG_PAGES_URL");
    }
}

#[test]
fn the_webhook_cannot_have_a_path_of_the_pages() {
    let webhook = |rest: &str| format!("https://sms.example.org{rest}");
    for rest in [
        "",
        "/",
        "?a=b",
        "/privacy",
        "/terms",
        "/page.css",
        "/page.js",
        "/favicon.ico",
        "/class",
        "/class/x",
        "/screen",
        "/screen?a",
        "/screen/answer",
        "/screen/arrived#rc=3",
    ] {
        let url = webhook(rest);
        let changes = [("TWILIO_WEBHOOK_URL", url.as_str())];
        assert!(read(&changes).is_ok(), "{rest}: there are no pages");
        let faults = faults(&[changes[0], URL]);
        assert_eq!(faults.len(), 1, "{rest}: {faults:?}");
        assert_eq!(faults[0].name, "TWILIO_WEBHOOK_URL");
        let told = faults[0].problem.to_string();
        let words = [
            "is reserved for the pages (CODER_REG_PAGES_URL): ",
            "such as /inbound",
        ];
        assert!(words.iter().all(|one| told.contains(one)), "{told}");
    }
    for rest in [
        "/inbound",
        "/classes",
        "/screens",
        "/privacy/",
        "/status",
        "/delivery",
    ] {
        let config = config(&[("TWILIO_WEBHOOK_URL", &webhook(rest)), URL]);
        let receipts = config.twilio.receipts.expect(rest);
        assert!(!page_path::is_one(receipts.signed.path()), "{receipts:?}");
    }
    let health = faults(&[("TWILIO_WEBHOOK_URL", &webhook("/healthz"))]);
    let told = health[0].problem.to_string();
    assert!(told.contains("is reserved for the health check"), "{told}");
}

#[test]
fn what_is_not_set_follows_from_other_settings() {
    let site = config(&[URL]).pages.site.unwrap();
    assert_eq!(site.organization, "sms.example.org");
    assert!(site.contact.is_none());
    let Sender::Number(number) = config(&[URL]).twilio.sender else {
        panic!("the sender is a number");
    };
    assert_eq!(site.number, number);
}

#[test]
fn screens_need_pages() {
    for reply in ["screen", "both"] {
        let missing = faults(&[("CODER_REG_REPLY", reply)]);
        assert_eq!(missing.len(), 1, "{missing:?}");
        assert_eq!(missing[0].name, "CODER_REG_PAGES_URL");
        assert!(
            missing[0].problem.what().starts_with("missing"),
            "{missing:?}"
        );
        assert!(
            config(&[("CODER_REG_REPLY", reply), URL])
                .pages
                .reply
                .on_screens()
        );
    }
    let unknown = faults(&[("CODER_REG_REPLY", "fax")]);
    assert_eq!(unknown.len(), 1, "{unknown:?}");
    assert_eq!(unknown[0].name, "CODER_REG_REPLY");
}

#[test]
fn a_messaging_service_has_no_number_to_show() {
    let service = ("FROM_NUM", "MG0123456789abcdef0123456789abcdef");
    let missing = faults(&[service, URL]);
    assert_eq!(missing.len(), 1, "{missing:?}");
    assert_eq!(missing[0].name, "CODER_REG_NUMBER");
    let site = config(&[service, URL, ("CODER_REG_NUMBER", "+1 312 555 0100")]);
    assert_eq!(site.pages.site.unwrap().number, "+13125550100");
    for (number, told) in [
        ("123", "neither a number with its country nor a short code"),
        (
            "415-555-0100",
            "neither a number with its country nor a short code",
        ),
        (SERVICE, "is a Messaging Service: set the number"),
    ] {
        let faults = faults(&[service, URL, ("CODER_REG_NUMBER", number)]);
        assert_eq!(faults.len(), 1, "{number}: {faults:?}");
        let problem = faults[0].problem.to_string();
        assert!(
            problem.contains(told) && !problem.contains("(MG"),
            "{problem}"
        );
    }
}

#[test]
fn a_code_could_not_be_told_from_digits_of_the_phrase() {
    let phrase = ("CODER_REG_PASS", "we learn in 2027");
    let edge = faults(&[phrase, URL, ("CODER_REG_REPLY", "both")]);
    assert_eq!(edge.len(), 1, "{edge:?}");
    assert_eq!(edge[0].name, "CODER_REG_PASS");
    assert!(config(&[phrase, URL]).pages.site.is_some());
}

#[test]
fn credentials_for_sending_are_needed_only_to_send() {
    let shared = [
        ("TWILIO_ACCOUNT_TOKEN", ""),
        ("TWILIO_AUTH_SID", ""),
        ("TWILIO_AUTH_TOKEN", ""),
        ("TWILIO_SHARED_KEY", "0123456789abcdef"),
        ("CODER_REG_PHONE_KEY", "0123456789abcdef"),
        URL,
    ];
    let with = |reply| [&shared[..], &[("CODER_REG_REPLY", reply)]].concat();
    let names: Vec<String> = faults(&with("both")).into_iter().map(|f| f.name).collect();
    assert_eq!(names, ["TWILIO_AUTH_SID", "TWILIO_AUTH_TOKEN"]);
    assert!(!config(&with("screen")).pages.reply.by_text());
}

#[test]
fn what_pages_show_is_one_short_line() {
    for (name, value) in [
        ("CODER_REG_ORG", "x".repeat(81)),
        ("CODER_REG_CONTACT", "x".repeat(121)),
        ("CODER_REG_ORG", "two\u{7}lines".to_owned()),
    ] {
        let faults = faults(&[URL, (name, &value)]);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].name, name);
    }
}

#[test]
fn what_pages_show_may_have_its_full_length() {
    let longest = "x".repeat(80);
    let pages = config(&[("CODER_REG_ORG", &longest)]).pages;
    assert_eq!(pages.organization, Some(longest));
}

#[test]
fn logins_in_texts_link_to_the_pages() {
    let url = "https://sms.example.org:8443";
    let pages = |reply| config(&[("CODER_REG_PAGES_URL", url), ("CODER_REG_REPLY", reply)]).pages;
    assert_eq!(pages("text").site.unwrap().host(), "sms.example.org:8443");
    assert_eq!(pages("text").link().as_deref(), Some(url));
    assert_eq!(pages("both").link().as_deref(), Some(url));
    assert_eq!(pages("screen").link(), None);
    assert_eq!(config(&[]).pages.link(), None);
}

#[test]
fn pages_without_encryption_are_warned_of_in_production() {
    for (url, environment, warned) in [
        ("http://sms.example.org", "production", true),
        ("https://sms.example.org", "production", false),
        ("http://sms.example.org", "dev", false),
    ] {
        let changes = [("CODER_REG_PAGES_URL", url), ("CODER_REG_ENV", environment)];
        let warnings = config(&changes).warnings;
        let found = warnings
            .iter()
            .any(|one| one.what.contains("CODER_REG_PAGES_URL"));
        assert_eq!(found, warned, "{url} {environment}: {warnings:?}");
    }
}

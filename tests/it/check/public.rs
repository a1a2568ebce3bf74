//! What is broken between the internet and the service.

use std::net::TcpListener;

use super::front::with_certificate;
use super::{Ready, Report, ready};
use crate::{class, plan};
use support::classroom::{Classroom, Plan, SIGNED_URL, STATUS_URL, http};
use support::fakes::twilio::{form_encode, sign, webhook_headers};

/// A class whose public URL is another one, at Twilio as well.
fn at(url: &str) -> Ready {
    let ready = ready();
    moves(&ready, url);
    ready
}

fn moves(ready: &Ready, url: &str) {
    ready.set("TWILIO_WEBHOOK_URL", url);
    ready.twilio().sms_url(&format!("{url}#rc=3&rp=all"));
}

/// What came back for a probe at `path` that is signed for `url`.
fn asks(class: &Classroom, path: &str, url: &str, account: &str, nonce: &str) -> http::Answer {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let params = [
        pair("AccountSid", account),
        pair("CoderSmsRegisterProbe", nonce),
    ];
    let token = &class.twilio().account().account_token;
    let headers = webhook_headers(&sign(token, url, &params));
    let body = form_encode(&params);
    let address = class.service().address();
    http::request(address, "POST", path, &headers, body.as_bytes()).expect("an answer")
}

#[test]
fn a_probe_is_answered_to_who_has_the_token_and_leaves_nothing() {
    let class = class();
    let account = class.twilio().account().account_sid.clone();
    let (one, two) = ("0".repeat(32), "1".repeat(32));
    let texts = asks(&class, "/inbound", SIGNED_URL, &account, &one);
    let receipts = asks(&class, "/status", STATUS_URL, &account, &one);
    let again = asks(&class, "/inbound", SIGNED_URL, &account, &one);
    let other = asks(&class, "/inbound", SIGNED_URL, &account, &two);
    for answer in [&texts, &receipts, &again, &other] {
        assert_eq!(answer.status, 200, "{}", answer.text);
        let proof: serde_json::Value = serde_json::from_str(answer.body()).unwrap();
        assert!(proof["token"] != proof["folder"] && proof["token"].is_string());
    }
    assert!(texts.body() == receipts.body() && texts.body() == again.body());
    assert_ne!(texts.body(), other.body(), "it depends on the nonce");
    assert_eq!(class.redis().length("coder-sms-register:texts"), 0);
    assert!(!class.log().contains("refused"), "{}", class.log());

    for (url, account, nonce, status) in [
        (STATUS_URL, account.as_str(), one.as_str(), 403),
        (SIGNED_URL, "AC0", &one, 403),
        (SIGNED_URL, &account, "short", 400),
    ] {
        let answer = asks(&class, "/inbound", url, account, nonce);
        assert_eq!(answer.status, status, "{url} {account} {nonce}");
    }
}

#[test]
fn a_tunnel_that_forwards_in_chunks_is_no_hindrance() {
    let ready = ready();
    ready.front.tunnels_to(ready.service().address());
    let report = ready.check();
    report.ends_with(0);
    report.has(
        "pass",
        "public url",
        "texts sent to it reach this service",
        "",
    );
    report.is_well_elsewhere(&[]);
}

#[test]
fn something_else_that_answers_is_a_fault() {
    let ready = ready();
    for (status, words, cure) in [
        (
            200,
            "another program than this service answers (200)",
            "CODER_REG_LISTEN",
        ),
        (
            404,
            "another program than this service answers (404)",
            "CODER_REG_LISTEN",
        ),
        (
            411,
            "the server refuses a chunked body (411)",
            "restart the service with this version",
        ),
        (502, "a proxy answers (502)", "let the proxy forward"),
        (301, "the server redirects (301)", "redirect's target"),
        (401, "the server requires a login (401)", "without a login"),
    ] {
        ready.front.shows(status, "Welcome");
        ready.finds("public url", words, cure);
    }
    ready.front.closes();
    ready.finds(
        "public url",
        "accepts the request, but connection broke",
        "logs of the proxy",
    );
}

#[test]
fn a_service_with_other_settings_is_told_from_a_stranger() {
    let ready = ready();
    let inbound = format!("{}/inbound", ready.front.url());
    moves(&ready, &format!("{inbound}?school=1"));
    ready.finds(
        "public url",
        "but with another TWILIO_WEBHOOK_URL",
        "settings of the running service",
    );
    moves(&ready, &format!("{}/elsewhere", ready.front.url()));
    ready.finds(
        "public url",
        "does not serve that path",
        "forward the path unchanged",
    );
}

#[test]
fn a_service_that_was_started_with_another_class_is_told_to_be_restarted() {
    for (setting, value) in [
        ("CODER_REG_PASS", "purple kettle"),
        ("CODER_REG_MAX_USERS", "59"),
        ("CODER_REMOVE_TIME", "11h"),
    ] {
        let ready = ready();
        ready.set(setting, value);
        let words = "but it was started with another phrase, other seats, times or templates";
        ready.finds("public url", words, "restart the service");
    }
}

#[test]
fn another_installation_with_our_token_is_a_fault() {
    let ready = ready();
    // The same settings on another machine, where the name leads by mistake.
    let twin: Plan = plan();
    let twin = twin
        .with("TWILIO_ACCOUNT_SID", &ready.twilio().account().account_sid)
        .with(
            "TWILIO_ACCOUNT_TOKEN",
            &ready.twilio().account().account_token,
        )
        .with(
            "TWILIO_WEBHOOK_URL",
            &format!("{}/inbound", ready.front.url()),
        )
        .open();
    ready.front.leads_to(twin.service().address());
    ready.finds(
        "public url",
        "another installation answers",
        "stop that one",
    );
}

#[test]
fn a_name_that_leads_nowhere_is_a_fault() {
    // No name server has to be asked for a label of more than 63 characters.
    let host = format!("{}.example.org", "a".repeat(70));
    let ready = at(&format!("https://{host}/inbound"));
    ready.finds("public url", "host name not found", "create a DNS record");
}

#[test]
fn nobody_at_the_address_is_a_fault() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let ready = at(&format!("http://{address}/inbound"));
    ready.finds(
        "public url",
        "connection refused, though the name leads to this machine",
        "let the proxy forward",
    );
}

fn with_tls(certificate: &'static [u8], words: &str, cure: &str) -> Report {
    let address = with_certificate(certificate);
    let ready = at(&format!("https://{address}/inbound"));
    ready.finds("public url", words, cure)
}

#[test]
fn a_certificate_that_nobody_trusts_is_a_fault() {
    let certificate = include_bytes!("../../data/tls/self-signed.der");
    with_tls(
        certificate,
        "is self-signed, or lacks the intermediate",
        "fullchain.pem",
    );
}

#[test]
fn a_certificate_that_has_expired_is_a_fault() {
    let certificate = include_bytes!("../../data/tls/expired.der");
    with_tls(certificate, "has expired", "renew the certificate");
}

#[test]
fn no_tls_at_all_is_a_fault() {
    let ready = ready();
    let address = ready.front.url().replace("http://", "");
    moves(&ready, &format!("https://{address}/inbound"));
    ready.finds(
        "public url",
        "does not use TLS on this port",
        "put a proxy with a certificate in front",
    );
}

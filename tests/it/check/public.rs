//! What is broken between the internet and the service.

use std::net::TcpListener;

use super::front::with_certificate;
use super::{Ready, Report, ready};
use crate::classroom::Plan;
use crate::plan;

/// A class whose public URL is another one, at Twilio as well.
fn at(url: &str) -> Ready {
    let ready = ready();
    moves(&ready, url);
    ready
}

fn moves(ready: &Ready, url: &str) {
    ready.class.set("TWILIO_WEBHOOK_URL", url);
    ready.class.twilio().sms_url(&format!("{url}#rc=3&rp=all"));
}

#[test]
fn something_else_that_answers_is_a_fault() {
    let ready = ready();
    for (status, words, cure) in [
        (
            200,
            "something else than this service answers there (200)",
            "CODER_REG_LISTEN",
        ),
        (
            404,
            "something else than this service answers there (404)",
            "CODER_REG_LISTEN",
        ),
        (502, "a proxy answers there (502)", "let the proxy forward"),
        (
            301,
            "something there redirects (301)",
            "address that it redirects to",
        ),
        (
            401,
            "something there wants a login (401)",
            "without a login",
        ),
    ] {
        ready.front.shows(status, "Welcome");
        ready.finds("public url", words, cure, &[]);
    }
    ready.front.closes();
    ready.finds(
        "public url",
        "takes the request, but connection broke",
        "log of the proxy",
        &[],
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
        &[],
    );
    moves(&ready, &format!("{}/elsewhere", ready.front.url()));
    ready.finds(
        "public url",
        "does not know that path",
        "pass the path on",
        &[],
    );
}

#[test]
fn another_installation_with_our_token_is_a_fault() {
    let ready = ready();
    // The same settings on another machine, where the name leads by mistake.
    let twin: Plan = plan();
    let twin = twin
        .with(
            "TWILIO_ACCOUNT_SID",
            &ready.class.twilio().account().account_sid,
        )
        .with(
            "TWILIO_ACCOUNT_TOKEN",
            &ready.class.twilio().account().account_token,
        )
        .with(
            "TWILIO_WEBHOOK_URL",
            &format!("{}/inbound", ready.front.url()),
        )
        .open();
    ready.front.leads_to(twin.service().address());
    ready.finds(
        "public url",
        "another installation answers there",
        "stop that one",
        &[],
    );
}

#[test]
fn a_name_that_leads_nowhere_is_a_fault() {
    // No name server has to be asked for a label of more than 63 characters.
    let host = format!("{}.example.org", "a".repeat(70));
    let ready = at(&format!("https://{host}/inbound"));
    ready.finds(
        "public url",
        "host name not found",
        "make a DNS record",
        &[],
    );
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
        &[],
    );
}

fn with_tls(certificate: &'static [u8], words: &str, cure: &str) -> Report {
    let address = with_certificate(certificate);
    let ready = at(&format!("https://{address}/inbound"));
    ready.finds("public url", words, cure, &[])
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
        "does not speak TLS",
        "let a proxy with a certificate answer",
        &[],
    );
}

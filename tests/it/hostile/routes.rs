//! Methods and paths: what exists says what it takes, everything else does not exist.

use super::bears;
use crate::class;
use std::net::SocketAddr;
use support::classroom::http::Answer;
use support::classroom::student::Webhook;
use support::classroom::wire::{self, Wire};

/// The signed text, sent with another method or to another target.
fn sent_as(address: SocketAddr, method: &str, target: &str, text: &Webhook) -> Answer {
    let whole = String::from_utf8(wire::bytes(text)).expect("our own text is ASCII");
    let other = whole.replacen("POST /inbound ", &format!("{method} {target} "), 1);
    let mut wire = Wire::saying(address, other.as_bytes());
    let answer = if method == "HEAD" {
        wire.answer_to_head()
    } else {
        wire.answer()
    };
    let answer = answer.unwrap_or_else(|| panic!("no answer to {method} {target}"));
    // Nothing that was not asked for follows.
    wire.half_closes();
    assert!(wire.is_closed(), "{method} {target}");
    answer
}

#[test]
fn each_path_says_which_methods_it_takes() {
    let class = class();
    let mallory = class.student();
    let text = mallory.phrase_webhook();
    let others = [
        "OPTIONS", "PUT", "DELETE", "TRACE", "CONNECT", "PATCH", "PURGE", "PROPFIND",
    ];
    for method in others.into_iter().chain(["GET", "HEAD"]) {
        let reads = matches!(method, "GET" | "HEAD");
        bears(&class, method, |address| {
            let answer = sent_as(address, method, "/inbound", &text);
            assert_eq!(
                (answer.status, answer.header("Allow")),
                (405, Some("POST")),
                "{method}"
            );
            let answer = sent_as(address, method, "/healthz", &text);
            let expected = if reads {
                (200, None)
            } else {
                (405, Some("GET, HEAD"))
            };
            assert_eq!(
                (answer.status, answer.header("Allow")),
                expected,
                "{method}"
            );
            let answer = sent_as(address, method, "/elsewhere", &text);
            assert_eq!(
                (answer.status, answer.header("Allow")),
                (404, None),
                "{method}"
            );
            assert!(
                !answer.text.contains("Signature"),
                "{method} does not say what was sent"
            );
        });
    }
    bears(&class, "POST", |address| {
        assert_eq!(sent_as(address, "POST", "/healthz", &text).status, 405);
        assert_eq!(sent_as(address, "POST", "/elsewhere", &text).status, 404);
    });
}

#[test]
fn a_path_that_only_looks_like_ours_does_not_exist() {
    let class = class();
    let mallory = class.student();
    let text = mallory.phrase_webhook();
    for target in [
        "/",
        "/inbound/",
        "/inbound/.",
        "/inbound/../x",
        "/inbound/../inbound",
        "/x/../inbound",
        "/./inbound",
        "/%2e/inbound",
        "/%69nbound",
        "/inbound%2f",
        "/inbound%00",
        "/inbound%3fa=b",
        "/inbound;a=b",
        "/inbound#a",
        "//inbound",
        "//sms.class.example.org/inbound",
        "/\\inbound",
        "/Inbound",
        "/INBOUND",
        "/inboundx",
        "/inboun",
        "/healthz/../inbound",
        "/?/inbound",
    ] {
        bears(&class, target, |address| {
            let status = sent_as(address, "POST", target, &text).status;
            assert_eq!(status, 404, "{target}");
        });
    }
}

#[test]
fn a_query_string_does_not_matter() {
    let class = class();
    for target in [
        "/inbound?",
        "/inbound?a=b&c",
        "/inbound?../x",
        "/inbound?a?b#c",
    ] {
        let student = class.student();
        let text = student.phrase_webhook();
        assert_eq!(
            sent_as(class.service().address(), "POST", target, &text).status,
            200,
            "{target}"
        );
        student.next_login();
    }
    bears(&class, "query strings", |address| {
        let mut wire = Wire::saying(address, b"HEAD /healthz?a=b HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(wire.answer_to_head().map(|answer| answer.status), Some(200));
    });
}

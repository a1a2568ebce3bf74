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

//! Requests as they come through the gate, and what each of them is taken for.

mod draft;
mod properties;
mod receipts;

use std::io::Write;

use serde_json::Value;

use super::*;
use draft::{ACCOUNT, FORM, RequestDraft, SID, STATUS_URL, TOKEN, judge, request, sign};

#[test]
fn a_text_is_taken_with_all_that_the_answer_needs() {
    let before = unix_now();
    let text = RequestDraft::new()
        .with("Body", "  Grüße + 100% & \u{1f600}\n")
        .text();
    assert_eq!(text.sid.as_str(), SID);
    assert_eq!(text.from, "+14155550123");
    assert_eq!(text.to, "+14155550100");
    assert_eq!(text.body, "  Grüße + 100% & \u{1f600}\n");
    assert_eq!(text.opt_out, None);
    assert!((before..=unix_now()).contains(&text.received));
}

#[test]
fn path_and_method_decide_first() {
    let (get_head, post) = (Some("GET, HEAD"), Some("POST"));
    for (method, path, expected) in [
        (Method::Get, "/healthz", None),
        (Method::Head, "/healthz", None),
        (Method::Get, "/healthz?from=uptime", None),
        (Method::Post, "/healthz", Some((405, get_head))),
        (Method::Delete, "/healthz", Some((405, get_head))),
        (Method::Get, "/inbound", Some((405, post))),
        (Method::Head, "/twilio", Some((405, post))),
        (Method::Put, "/inbound", Some((405, post))),
        (Method::Options, "/twilio", Some((405, post))),
        (Method::Get, "/", Some((404, None))),
        (Method::Post, "/", Some((404, None))),
        (Method::Delete, "/", Some((404, None))),
        (Method::Trace, "/elsewhere", Some((404, None))),
        (Method::Post, "/inbound/", Some((404, None))),
        (Method::Post, "/Inbound", Some((404, None))),
        (Method::Post, "/twilio/../inbound", Some((404, None))),
        (Method::Post, "//inbound", Some((404, None))),
    ] {
        let draft = RequestDraft {
            method: method.clone(),
            path,
            ..RequestDraft::new()
        };
        let refused = match draft.judged() {
            Judgement::Health => None,
            Judgement::Refuse(refusal) => Some((refusal.status, refusal.allow)),
            Judgement::Take(_)
            | Judgement::Receipt(_)
            | Judgement::Probe(_)
            | Judgement::Page(_) => {
                panic!("{method} {path} is taken")
            }
        };
        assert_eq!(refused, expected, "{method} {path}");
    }
}

#[test]
fn both_paths_take_texts_whatever_their_query_string() {
    for path in [
        "/twilio?class=7",
        "/twilio",
        "/twilio?class=8",
        "/inbound",
        "/inbound?x",
    ] {
        assert_eq!(
            RequestDraft {
                path,
                ..RequestDraft::new()
            }
            .text()
            .sid
            .as_str(),
            SID,
            "{path}"
        );
    }
}

#[test]
fn only_forms_are_read() {
    for media_type in [FORM, "Application/X-WWW-Form-Urlencoded ; charset=UTF-8"] {
        RequestDraft {
            media_type,
            ..RequestDraft::new()
        }
        .text();
    }
    for media_type in [
        "",
        "application/json",
        "text/plain",
        "multipart/form-data; boundary=x",
    ] {
        let refusal = RequestDraft {
            media_type,
            ..RequestDraft::new()
        }
        .refusal();
        assert_eq!(refusal.status, 400, "{media_type}");
    }
    for body in ["", "plain", "a=b c", "a=\u{e9}", "a=\0", "a=b\r\n"] {
        assert_eq!(
            RequestDraft::new().with_body(body).refusal().status,
            400,
            "{body:?}"
        );
    }
}

#[test]
fn a_signature_must_be_there_and_right() {
    let right = sign("a=b");
    for (signature, reason) in [
        ("", "no signature"),
        ("x", "wrong signature"),
        (&right, "wrong signature"),
        ("AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "wrong signature"),
        ("=AAAAAAAAAAAAAAAAAAAAAAAAAAA", "wrong signature"),
    ] {
        let refusal = RequestDraft {
            signature: Some(signature.to_owned()),
            ..RequestDraft::new()
        }
        .refusal();
        assert_eq!(
            (refusal.status, refusal.reason),
            (403, reason),
            "{signature}"
        );
    }
}

#[test]
fn a_field_changed_on_the_way_spoils_the_signature() {
    let signed = |draft: &RequestDraft| {
        sign(
            &form_urlencoded::Serializer::new(String::new())
                .extend_pairs(&draft.fields)
                .finish(),
        )
    };
    let signature = Some(signed(&RequestDraft::new()));
    for name in [
        "AccountSid",
        "MessageSid",
        "From",
        "To",
        "Body",
        "OptOutType",
    ] {
        let spoilt = RequestDraft {
            signature: signature.clone(),
            ..RequestDraft::new().with(name, "x")
        };
        assert_eq!(spoilt.refusal().reason, "wrong signature", "{name}");
    }
}

#[test]
fn texts_of_other_accounts_are_refused() {
    let other = "ACffffffffffffffffffffffffffffffff";
    for draft in [
        RequestDraft::new().with("AccountSid", other),
        RequestDraft::new().without("AccountSid"),
    ] {
        let refusal = draft.refusal();
        assert_eq!((refusal.status, refusal.reason), (403, "another account"));
    }
}

#[test]
fn a_text_without_a_proper_sid_is_refused() {
    let drafts = [
        RequestDraft::new().without("MessageSid"),
        RequestDraft::new().with("MessageSid", ""),
        RequestDraft::new().with("MessageSid", "SM0123"),
    ];
    for draft in drafts {
        let refusal = draft.refusal();
        assert_eq!((refusal.status, refusal.reason), (400, "no MessageSid"));
    }
}

#[test]
fn what_a_text_does_not_say_is_empty() {
    let text = RequestDraft::new()
        .with("Body", "")
        .without("From")
        .without("To")
        .text();
    assert_eq!(
        (text.from.as_str(), text.to.as_str(), text.body.as_str()),
        ("", "", "")
    );
    assert_eq!(RequestDraft::new().without("Body").text().body, "");
}

#[test]
fn opt_outs_are_passed_on() {
    for (word, expected) in [
        ("STOP", Some(OptWord::Stop)),
        ("START", Some(OptWord::Start)),
        ("HELP", Some(OptWord::Help)),
        ("SOMETHING", None),
        ("", None),
    ] {
        assert_eq!(
            RequestDraft::new().with("OptOutType", word).text().opt_out,
            expected,
            "{word}"
        );
    }
}

#[test]
fn a_text_is_cut_at_1600_characters() {
    for (length, kept) in [
        (1_599, 1_599),
        (1_600, 1_600),
        (1_601, 1_600),
        (3_000, 1_600),
    ] {
        let body = RequestDraft::new()
            .with("Body", &"\u{1f600}".repeat(length))
            .text()
            .body;
        assert_eq!(body, "\u{1f600}".repeat(kept), "{length}");
    }
}

#[test]
fn a_body_may_have_64_kib_and_no_more() {
    let fields = format!("AccountSid={ACCOUNT}&MessageSid={SID}&Body=");
    let body = |size: usize| format!("{fields}{}", "x".repeat(size - fields.len()));
    assert_eq!(
        RequestDraft::new()
            .with_body(body(64 * 1024))
            .text()
            .body
            .len(),
        1_600
    );
    for size in [64 * 1024 + 1, 200_000] {
        assert_eq!(
            RequestDraft::new().with_body(body(size)).refusal().status,
            413,
            "{size}"
        );
    }
}

#[test]
fn a_body_cut_short_is_refused() {
    let draft = RequestDraft {
        length: Some(2_000),
        ..RequestDraft::new()
    };
    let refusal = draft.refusal();
    assert_eq!((refusal.status, refusal.reason), (400, "incomplete body"));
}

#[test]
fn a_form_may_have_256_parameters_and_no_more() {
    let body = |count: usize| {
        let mut body = format!("AccountSid={ACCOUNT}&MessageSid={SID}").into_bytes();
        (2..count).for_each(|n| write!(body, "&p{n}=").unwrap());
        String::from_utf8(body).unwrap()
    };
    RequestDraft::new().with_body(body(256)).text();
    let refusal = RequestDraft::new().with_body(body(257)).refusal();
    assert_eq!(
        (refusal.status, refusal.reason),
        (400, "too many parameters")
    );
}

#[test]
fn the_vectors_of_the_official_helper_are_judged_as_it_does() {
    let file: Value =
        serde_json::from_str(include_str!("../../../tests/data/twilio-signatures.json")).unwrap();
    for vector in file["vectors"].as_array().unwrap() {
        let text = |key: &str| vector[key].as_str().unwrap_or("").to_owned();
        let (name, url, body) = (text("name"), text("url"), text("raw_body"));
        let fields: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes())
            .into_owned()
            .collect();
        let field = |name: &str| {
            fields
                .iter()
                .find(|(n, _)| n == name)
                .map(|(_, v)| v.as_str())
        };
        let (account, sid) = (field("AccountSid").unwrap_or(ACCOUNT), field("MessageSid"));
        let tail = &url[url.find("://").unwrap() + 3..];
        let headers = [
            ("Content-Type", text("content_type")),
            ("X-Twilio-Signature", text("signature")),
        ];
        let path = &tail[tail.find('/').unwrap()..];
        let mut request = request(Method::Post, path, &headers, body.clone());
        let judged = judge(&url, &text("auth_token"), account).judge(&mut request);
        let expected = match (text("content_type") == FORM, vector["valid"] == true, sid) {
            (false, _, _) => Err(400),
            (true, false, _) => Err(403),
            (true, true, None) => Err(400),
            (true, true, Some(sid)) => Ok((sid.to_owned(), field("Body").unwrap_or("").to_owned())),
        };
        let judged = match judged {
            Judgement::Take(text) => Ok((text.sid.as_str().to_owned(), text.body)),
            Judgement::Refuse(refusal) => Err(refusal.status),
            other => panic!("{name} is {other:?}"),
        };
        assert_eq!(judged, expected, "{name}");
    }
}

#[test]
fn a_probe_is_answered_if_it_is_signed_and_has_a_nonce() {
    let nonce = "0123456789abcdef0123456789ABCDEF";
    let probed = |nonce: &str| RequestDraft::new().with(probe::PARAMETER, nonce);
    let Judgement::Probe(answer) = probed(nonce).judged() else {
        panic!("not a probe");
    };
    assert_eq!(
        answer,
        probe::answer(nonce, &Secret::new(TOKEN), None, &Secret::new(""))
    );
    for bad in ["", "x", &nonce[1..], "0123456789abcdef0123456789abcdeg"] {
        let refusal = probed(bad).refusal();
        assert_eq!(
            (refusal.status, refusal.reason),
            (400, "not a probe"),
            "{bad:?}"
        );
    }
    let unsigned = RequestDraft {
        signature: Some("x".to_owned()),
        ..probed(nonce)
    };
    assert_eq!(unsigned.refusal().reason, "wrong signature");
}

#[test]
fn a_refusal_names_the_shared_key_that_is_not_configured() {
    let id = "webhooks_sharedkey_01kzm8v9x2f7q4t6w8y0a1b2c3";
    let headers = [
        ("Content-Type", FORM.to_owned()),
        ("X-Twilio-Signature", "x".to_owned()),
        (SETTINGS_HEADER, format!("key={id},algorithm=HMAC_SHA256")),
    ];
    let mut request = request(Method::Post, "/inbound", &headers, "a=b".to_owned());
    let judged = judge("https://sms.example.org/inbound", "t", ACCOUNT).judge(&mut request);
    let Judgement::Refuse(refusal) = judged else {
        panic!("not refused: {judged:?}");
    };
    assert_eq!((refusal.status, refusal.reason), (403, UNKNOWN_KEY));
    assert_eq!(refusal.key, KeyId::parse(id));
}

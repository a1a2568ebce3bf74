//! Twilio's answers to a text that is sent and to a look into the log.
//!
//! The input is the words of a text, a line `%%`, and an answer: a status, header lines, an empty line, a body. With
//! `%%log` the answer is one to a look.

use std::sync::LazyLock;
use std::time::Duration;

use coder_sms_register::domain::Phone;
use coder_sms_register::http::Http;
use coder_sms_register::twilio::sms::{Sms, SmsError, SmsErrorKind};
use serde_json::Value;

use crate::form::decode;
use crate::server::{Scripted, Server, split_once};
use crate::{ACCOUNT, OUR_NUMBER, TOKENS, assert_harmless, twilio_config};

const STUDENT: &str = "+14155550123";

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);
static SMS: LazyLock<Sms> = LazyLock::new(|| {
    let http = Http::new(Duration::from_secs(60));
    Sms::new(http, &twilio_config(SERVER.url()))
});

/// Reads the input, and panics where the service reads it wrongly.
pub fn check(input: &[u8]) {
    let (words, answer) = split_once(input, b"\n%%").unwrap_or((b"", input));
    let words = String::from_utf8_lossy(words);
    let (log, answer) = match answer.strip_prefix(b"log") {
        Some(answer) => (true, answer),
        None => (false, answer),
    };
    let answer = Scripted::parse(answer.trim_ascii_start());
    SERVER.expect([answer.clone()]);
    let student = Phone::parse(STUDENT).expect("a phone");
    if log {
        look(&student, &answer);
    } else {
        send(&student, &words, &answer);
    }
}

fn send(student: &Phone, words: &str, answer: &Scripted) {
    let sent = SMS.send(student, words);
    let asked = SERVER.asked();
    assert_eq!(asked.len(), 1, "a text is never sent twice");
    let path = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json");
    assert_eq!(asked[0].line, format!("POST {path} HTTP/1.1"));
    let form = [("To", STUDENT), ("From", OUR_NUMBER), ("Body", words)];
    let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(decode(&asked[0].body), form);
    match sent {
        Ok(sid) => {
            assert!([200, 201].contains(&answer.status), "{answer:?}");
            if let Some(json) = answer.json() {
                assert_eq!(json["sid"], Value::String(sid));
            }
        }
        Err(fault) => {
            if [200, 201].contains(&answer.status) {
                // It was taken; what it is called nobody knows.
                assert_eq!(fault.kind, SmsErrorKind::Unclear, "{answer:?}");
                assert_eq!(
                    fault.to_string(),
                    "send a text at Twilio: unreadable answer"
                );
            } else {
                is_told_well(&fault, answer, words);
            }
        }
    }
}

fn look(student: &Phone, answer: &Scripted) {
    let found = SMS.sent_to(student);
    let asked = SERVER.asked();
    let query = "To=%2B14155550123&From=%2B14155550100&PageSize=50";
    assert!(asked[0].line.contains(query));
    let logged = match found {
        // The page named another one, of which the server knows nothing.
        Err(_) if asked.len() > 1 => return,
        Err(fault) => return is_told_well(&fault, answer, ""),
        Ok(logged) => logged,
    };
    assert_eq!(answer.status, 200);
    if let Some(json) = answer.json() {
        let all = json["messages"].as_array().expect("a list");
        let ours: Vec<&Value> = all.iter().filter(|entry| is_ours(entry)).collect();
        assert_eq!(logged.len(), ours.len());
        for (logged, json) in logged.iter().zip(ours) {
            assert_eq!(logged.sid.as_deref(), json["sid"].as_str());
            assert_eq!(logged.body(), json["body"].as_str().unwrap_or(""));
        }
    }
    for logged in logged {
        // Years 0 to 9999, as dates of that form have them.
        let range = -62_200_000_000..253_500_000_000;
        assert!(logged.accepted_at().is_none_or(|at| range.contains(&at)));
    }
}

fn is_ours(entry: &Value) -> bool {
    let from = entry["from"].as_str().unwrap_or(OUR_NUMBER);
    entry.is_object() && entry["direction"] != "inbound" && from == OUR_NUMBER
}

fn is_told_well(fault: &SmsError, answer: &Scripted, words: &str) {
    let mut secrets = vec![TOKENS[0], STUDENT, &STUDENT[1..]];
    // Short words are in any sentence.
    secrets.extend((words.len() > 20).then_some(words));
    assert_harmless(&format!("{fault} {fault:?}"), &secrets);
    assert!(
        fault
            .to_string()
            .contains(&format!("status {}", answer.status))
    );
    let code = |json: Value| {
        let digits = json["code"].as_str().and_then(|digits| digits.parse().ok());
        json["code"].as_u64().or(digits)
    };
    let told = answer.json().and_then(code);
    assert!(fault.code.is_none() || answer.json().is_none() || fault.code.map(u64::from) == told);
    match (answer.status, fault.kind) {
        (429, SmsErrorKind::NotTaken(wait)) => {
            assert!(wait.is_none_or(|wait| wait <= Duration::from_secs(3_600)));
        }
        // Nobody knows.
        (200..=299 | 500.., SmsErrorKind::Unclear) => {}
        (429 | 200..=299 | 500.., other) => panic!("{other:?} of {answer:?}"),
        // A refusal is never taken for a text that may have left; one without a code is not Twilio's.
        (_, SmsErrorKind::NotTaken(_)) => {}
        (_, trouble) => {
            assert_ne!(trouble, SmsErrorKind::Unclear);
            assert!(fault.code.is_some(), "{trouble:?} of {answer:?}");
        }
    }
}

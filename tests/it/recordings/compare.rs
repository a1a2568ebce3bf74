//! What two answers have to have in common.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use support::fakes::client::ClientAnswer;
use support::fakes::random::parse_uuid;

use super::play::Row;

/// An answer of the fake that is not as the recorded one.
#[derive(Debug)]
pub struct Difference {
    caller: String,
    case: String,
    /// The part that differs, as recorded and as answered.
    what: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {:?}: {}", self.caller, self.case, self.what)
    }
}

/// The parts of an answer that have to be alike, each with its name.
fn parts(status: u16, body: &Value, limit: Option<&str>) -> Vec<(&'static str, String)> {
    let text = |name: &str| without_ids(body[name].as_str().unwrap_or_default());
    let blamed: Vec<&str> = body["validations"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|entry| entry["field"].as_str())
        .collect();
    let mut fields = BTreeSet::new();
    collect_fields(body, "", &mut fields);
    let fields: Vec<String> = fields.into_iter().collect();
    vec![
        ("status", status.to_string()),
        ("message", text("message")),
        ("detail", text("detail")),
        ("blamed fields", blamed.join(" ")),
        ("limit", limit.unwrap_or_default().to_owned()),
        ("fields", fields.join(" ")),
    ]
}

/// The names of all fields, with those that they lie in; of a list its first element counts.
fn collect_fields(body: &Value, within: &str, fields: &mut BTreeSet<String>) {
    match body {
        Value::Object(entries) => {
            for (name, value) in entries {
                let name = format!("{within}.{name}");
                collect_fields(value, &name, fields);
                fields.insert(name);
            }
        }
        Value::Array(list) => {
            if let Some(first) = list.first() {
                collect_fields(first, &format!("{within}[]"), fields);
            }
        }
        _ => {}
    }
}

/// The text with one word in the place of each id and of each name in angle brackets.
fn without_ids(text: &str) -> String {
    let is_edge = |letter: char| !(letter.is_ascii_alphanumeric() || "-<>".contains(letter));
    text.split_inclusive(is_edge)
        .map(|piece| {
            let word = piece.trim_end_matches(is_edge);
            let is_name = word.starts_with('<') && word.ends_with('>');
            match is_name || parse_uuid(word).is_some() {
                true => piece.replacen(word, "<id>", 1),
                false => piece.to_owned(),
            }
        })
        .collect()
}

/// The first part that differs, if any does.
pub fn difference(row: &Row, answer: &ClientAnswer) -> Option<Difference> {
    let recorded = parts(
        row.status,
        &row.answer,
        row.headers.get("X-RateLimit-Limit").map(String::as_str),
    );
    let answered = parts(
        answer.status,
        &answer.json(),
        answer.header("X-RateLimit-Limit"),
    );
    let differs = recorded
        .into_iter()
        .zip(answered)
        .find(|(recorded, answered)| recorded != answered);
    differs.map(|((name, recorded), (_, answered))| Difference {
        caller: row.caller.clone(),
        case: row.case.clone(),
        what: format!("{name}: recorded {recorded:?}, answered {answered:?}"),
    })
}

#[test]
fn every_part_of_an_answer_is_compared() {
    let recorded = serde_json::json!({ "message": "User <uuid> is gone.", "detail": "why", "list": [{ "a": 1, "b": null }],
        "validations": [{ "field": "name", "detail": "too long" }] });
    let row: Row = serde_json::from_value(serde_json::json!({ "caller": "OW", "case": "x", "method": "GET",
        "path": "/users", "body": null, "status": 400, "headers": { "X-RateLimit-Limit": "512" }, "answer": recorded }))
    .expect("a row");
    let id = support::fakes::random::uuid();
    let same = recorded.to_string().replace("<uuid>", &id);
    let told = |status: u16, limit: &str, body: &str| {
        let answer = ClientAnswer {
            status,
            head: format!("HTTP/1.1 {status}\r\nX-RateLimit-Limit: {limit}"),
            body: body.to_owned(),
        };
        difference(&row, &answer).map(|difference| difference.to_string())
    };
    assert_eq!(told(400, "512", &same), None);
    let table = [
        (404, "512", same.clone(), "status"),
        (400, "60", same.clone(), "limit"),
        (400, "512", same.replace("is gone", "left"), "message"),
        (400, "512", same.replace("why", "so"), "detail"),
        (
            400,
            "512",
            same.replace("\"name\"", "\"email\""),
            "blamed fields",
        ),
        (400, "512", same.replace("\"b\"", "\"c\""), "fields"),
    ];
    for (status, limit, body, part) in table {
        let told = told(status, limit, &body).expect("a difference");
        assert!(told.starts_with(&format!("OW \"x\": {part}: ")), "{told}");
    }
}

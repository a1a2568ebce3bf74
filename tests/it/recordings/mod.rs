//! The fake Coder answers as four real releases did.
//!
//! `tests/data/coder-recorded/RELEASE.jsonl` holds what a real server of that release was asked and answered, one
//! request a line, in order. The callers are nobody (`-`), a user admin (`UA`), a user admin who is the organization's
//! admin as well (`UO`), an owner (`OW`) and a student (`stud`). Ids, times and secrets are names in angle brackets.
//! Every request is played on the fake; its answer has to have the recorded status, message, detail, blamed fields,
//! limit and names of fields.

mod compare;
mod play;

use support::fakes::coder::Version;

use play::{Play, Row};

/// How many requests were recorded of each release.
const REQUESTS: usize = 343;

fn rows(release: &str) -> Vec<Row> {
    let path = format!(
        "{}/tests/data/coder-recorded/{release}.jsonl",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a recorded request"))
        .collect()
}

/// Plays one release; nothing may differ.
fn answers_as(version: Version) {
    let release = version.build().trim_start_matches('v');
    let rows = rows(release);
    assert_eq!(rows.len(), REQUESTS, "recorded requests of {release}");
    let differences = Play::new(version).all(&rows);
    let alike = REQUESTS - differences.len();
    println!("{release}: {REQUESTS} requests played, {alike} answers alike");
    let told: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{release}:\n{}", told.join("\n"));
}

#[test]
fn the_fake_answers_as_2_24_4_did() {
    answers_as(Version::V2_24);
}

#[test]
fn the_fake_answers_as_2_25_3_did() {
    answers_as(Version::V2_25);
}

#[test]
fn the_fake_answers_as_2_29_19_did() {
    answers_as(Version::V2_29);
}

#[test]
fn the_fake_answers_as_2_31_14_did() {
    answers_as(Version::V2_31);
}

//! The public pages of the running service, as any program that speaks HTTP sees them.
//!
//! - `paths`: what is served where, with which headers, and what is refused
//! - `screens`: codes and secrets of open join pages, and floods of them
//! - `behind_proxy`: the limits by address where a proxy forwards
//! - `projector`: the page on the wall and its link
//! - `commands`: the forms of carriers, and the link in a text

mod behind_proxy;
mod commands;
mod paths;
mod projector;
mod screens;

use serde_json::Value;

use crate::plan;
use support::classroom::http::{Answer, request};
use support::classroom::{Classroom, ORIGIN};

/// A class with pages.
fn class_with_pages(reply: &str) -> Classroom {
    plan()
        .with("CODER_REG_PAGES_URL", ORIGIN)
        .with("CODER_REG_REPLY", reply)
        .open()
}

/// Sends a request on a connection of its own.
fn ask(
    class: &Classroom,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let headers: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let address = class.service().address();
    request(address, method, target, &headers, body).expect("an answer")
}

fn get(class: &Classroom, target: &str) -> Answer {
    ask(class, "GET", target, &[], b"")
}

/// The JSON in an answer, which nobody may keep.
fn json(answer: &Answer) -> Value {
    assert_eq!(answer.header("Content-Type"), Some("application/json"));
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    serde_json::from_str(answer.body()).expect("JSON")
}

/// An open join page.
struct OpenPage {
    secret: String,
    code: String,
}

/// Opens a join page for the client at this address.
fn open(class: &Classroom, client: &str) -> OpenPage {
    let opened = ask(
        class,
        "POST",
        "/screen",
        &[("X-Forwarded-For", client)],
        b"",
    );
    assert_eq!(opened.status, 201);
    page(class, &json(&opened))
}

fn page(class: &Classroom, opened: &Value) -> OpenPage {
    let word = |name: &str| opened[name].as_str().expect(name).to_owned();
    class.keeps_secret(&word("secret"));
    OpenPage {
        secret: word("secret"),
        code: word("code"),
    }
}

/// What a page with this secret shows.
fn state(class: &Classroom, secret: &str) -> Answer {
    ask(class, "GET", "/screen", &[("X-Screen", secret)], b"")
}

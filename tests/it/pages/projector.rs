//! The page on the wall and its link.

use std::cell::RefCell;

use serde_json::Value;

use super::{Answer, ask, class_with_pages, get, json};
use crate::{class, plan};
use support::classroom::{Classroom, ORIGIN};

/// The phrase as the settings of every class have it.
const WRITTEN: &str = "iamreadytolearn";

/// The token in the link that the command prints.
fn token(class: &Classroom, options: &[&str]) -> String {
    let link = class.does(&[&["projector"], options].concat());
    let link = link.strip_suffix('\n').expect("one line");
    let token = link
        .strip_prefix(&format!("{ORIGIN}/class/"))
        .expect("the link");
    assert_eq!(token.len(), 22, "{link}");
    class.keeps_secret(token);
    token.to_owned()
}

/// The projector's page, or what its script asks, once the database has answered: on a busy machine the browser is
/// told to ask again.
fn answered(class: &Classroom, target: &str, token: &str) -> Answer {
    let answer = RefCell::new(None);
    class.eventually("the database to answer", || {
        let asked = ask(class, "GET", target, &[("X-Class", token)], b"");
        let again = asked.header("Refresh") == Some("1");
        *answer.borrow_mut() = Some(asked);
        !again
    });
    answer.into_inner().expect("an answer")
}

/// What the projector's page is told; `None` = the link is no longer valid.
fn figures(class: &Classroom, token: &str) -> Option<Value> {
    let answer = answered(class, "/class", token);
    (answer.status == 200).then(|| json(&answer))
}

#[test]
fn the_wall_shows_the_phrase_the_number_and_how_many_are_in() {
    let class = plan()
        .with("CODER_REG_PAGES_URL", ORIGIN)
        .with("CODER_REG_REPLY", "both")
        .with("CODER_REG_MAX_USERS", "40")
        .open();
    let token = token(&class, &[]);
    let page = answered(&class, &format!("/class/{token}"), "");
    assert_eq!(
        (page.status, page.header("Cache-Control")),
        (200, Some("no-store"))
    );
    assert!(
        page.header("Content-Security-Policy")
            .is_some_and(|policy| policy.starts_with("default-src 'none'"))
    );
    assert!(!page.body().contains(&token) && !page.body().contains("{{"));
    let shown = figures(&class, &token).expect("a valid link");
    assert_eq!(
        (&shown["phrase"], &shown["in"], &shown["seats"]),
        (&WRITTEN.into(), &0.into(), &40.into())
    );
    assert_eq!(shown["join"], ORIGIN);
    assert!(
        shown["sms"]
            .as_str()
            .is_some_and(|link| link.contains("iamreadytolearn"))
    );
    assert!(
        shown["qr"]
            .as_str()
            .is_some_and(|path| path.starts_with('M'))
    );
    let ana = class.student();
    ana.asks();
    ana.gets_a_login();
    class.eventually("one is in", || {
        figures(&class, &token).expect("a valid link")["in"] == 1
    });
}

#[test]
fn the_phrase_stands_nowhere_but_behind_the_link() {
    let class = class_with_pages("both");
    let token = token(&class, &[]);
    let wrong = format!(
        "{}{}",
        &token[..21],
        if token.ends_with('A') { 'B' } else { 'A' }
    );
    for path in [
        "/",
        "/privacy",
        "/terms",
        "/page.js",
        "/page.css",
        "/class",
        "/class/",
        &format!("/class/{wrong}"),
        &format!("/class/{token}x"),
        &format!("/class/{token}/"),
    ] {
        assert!(!get(&class, path).body().contains(WRITTEN), "{path}");
    }
    // Whose link it is, is known when the database has first been asked.
    class.eventually("an answer that is final", || {
        get(&class, "/class/").status != 503
    });
    for path in [
        "/class/",
        &format!("/class/{wrong}"),
        &format!("/class/{token}/"),
        &format!("/class/{token}x"),
    ] {
        let refused = get(&class, path);
        assert_eq!(
            (refused.status, refused.body()),
            (404, "not found\n"),
            "{path}"
        );
    }
    for wrong in ["", "x", &wrong] {
        assert_eq!(figures(&class, wrong), None);
        let form = format!("class={wrong}");
        let opened = json(&ask(&class, "POST", "/screen", &[], form.as_bytes()));
        assert_eq!(opened["phrase"], Value::Null);
        class.keeps_secret(opened["secret"].as_str().expect("a secret"));
    }
    let form = format!("class={token}");
    let opened = json(&ask(&class, "POST", "/screen", &[], form.as_bytes()));
    assert_eq!(opened["phrase"], WRITTEN);
    class.keeps_secret(opened["secret"].as_str().expect("a secret"));
}

#[test]
fn the_link_stays_over_a_restart_and_is_replaced_while_the_service_runs() {
    let class = class_with_pages("both");
    let first = token(&class, &[]);
    assert_eq!(token(&class, &[]), first);
    assert!(figures(&class, &first).is_some());
    class.restart_service();
    assert!(figures(&class, &first).is_some());
    let second = token(&class, &["--rotate"]);
    assert_ne!(second, first);
    assert_eq!(token(&class, &[]), second);
    class.eventually("the new link holds", || figures(&class, &second).is_some());
    assert_eq!(figures(&class, &first), None);
    assert_eq!(get(&class, &format!("/class/{first}")).status, 404);
    // A backup from before does not make the old link valid again.
    let backup = class.backs_up();
    let third = token(&class, &["--rotate"]);
    class.end_service();
    class.goes_back_to(&backup);
    class.start_service();
    assert_eq!(token(&class, &[]), third);
    assert!(figures(&class, &third).is_some() && figures(&class, &second).is_none());
}

#[test]
fn without_pages_there_is_no_link() {
    let class = class();
    for command in ["projector", "campaign"] {
        let ended = class.fails(1, &[command]);
        assert!(ended.stderr.contains("CODER_REG_PAGES_URL"), "{ended:?}");
    }
    class.fails(2, &["projector", "--turn"]);
    class.fails(2, &["projector", "now"]);
    class.fails(2, &["campaign", "now"]);
}

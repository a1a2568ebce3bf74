//! Codes and secrets of open join pages, and floods of them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{ask, class_with_pages, json, open, page, state};
use serde_json::{Value, json as value};
use support::classroom::Classroom;
use support::classroom::wire::Wire;

#[test]
fn a_page_gets_a_code_and_its_secret_shows_that_page_only() {
    let class = class_with_pages("both");
    let (one, other) = (open(&class, "203.0.113.1"), open(&class, "203.0.113.1"));
    assert_ne!(one.secret, other.secret);
    assert_ne!(one.code, other.code);
    assert_eq!(one.secret.len(), 22);
    assert!(one.code.len() == 5 && one.code.bytes().all(|digit| digit.is_ascii_digit()));
    for page in [&one, &other] {
        let answer = state(&class, &page.secret);
        assert_eq!(
            (answer.status, json(&answer)),
            (200, value!({"state": "open"}))
        );
    }
}

#[test]
fn a_wrong_secret_shows_and_changes_nothing() {
    let class = class_with_pages("both");
    let page = open(&class, "203.0.113.1");
    let mut almost = page.secret.clone();
    let last = if almost.ends_with('A') { "B" } else { "A" };
    almost.replace_range(21.., last);
    let long = "A".repeat(6_000);
    for secret in ["", "x", &almost, &page.code, &page.secret[1..], &long] {
        let headers = [("X-Screen", secret)];
        let answer = state(&class, secret);
        assert_eq!(
            (answer.status, json(&answer)),
            (404, value!({"state": "gone"}))
        );
        for (path, form) in [("/screen/answer", "claim=1&yes=1"), ("/screen/arrived", "")] {
            let answer = ask(&class, "POST", path, &headers, form.as_bytes());
            assert_eq!(
                (answer.status, json(&answer)),
                (404, value!({"state": "gone"})),
                "{path}"
            );
        }
    }
    // It is no part of the address either.
    let in_url = format!("/screen?X-Screen={}&secret={}", page.secret, page.secret);
    assert_eq!(super::get(&class, &in_url).status, 404);
    assert_eq!(state(&class, &page.secret).status, 200);
}

#[test]
fn an_answer_without_a_question_changes_nothing() {
    let class = class_with_pages("both");
    let page = open(&class, "203.0.113.1");
    let headers = [("X-Screen", page.secret.as_str())];
    for form in [
        "",
        "claim=1&yes=1",
        "claim=1&yes=0",
        "claim=-1&yes=1",
        "claim=99999999999999999999&yes=1",
        "%ff=%fe&&&=",
    ] {
        let answer = ask(&class, "POST", "/screen/answer", &headers, form.as_bytes());
        assert_eq!(
            (answer.status, json(&answer)),
            (200, value!({"state": "open"})),
            "{form}"
        );
    }
    assert_eq!(
        ask(&class, "POST", "/screen/arrived", &headers, b"").status,
        404
    );
    assert_eq!(
        json(&state(&class, &page.secret)),
        value!({"state": "open"})
    );
}

/// Opens a page for each client, all on one connection; returns the answers.
fn open_for<Client: Into<IpAddr>>(
    class: &Classroom,
    clients: impl Iterator<Item = Client>,
) -> Vec<(u16, Value)> {
    let mut wire = Wire::saying(class.service().address(), b"");
    let ask = |client: Client| {
        let client = client.into();
        let request = format!(
            "POST /screen HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {client}\r\nContent-Length: 0\r\n\r\n"
        );
        assert!(wire.sends(request.as_bytes()));
        let answer = wire.answer().expect("an answer");
        (answer.status, json(&answer))
    };
    clients.map(ask).collect()
}

fn client(number: u32) -> Ipv4Addr {
    Ipv4Addr::from(0xcb00_0000 + number)
}

/// A client with a /64 of its own, in a /48 of many.
fn neighbour(network: u16, number: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, network, number, 0, 0, 0, 1)
}

#[test]
fn the_addresses_of_one_network_lose_their_own_pages_and_never_those_of_a_class() {
    let class = class_with_pages("both");
    let of_class = open_for(&class, std::iter::repeat_n(client(1), 30));
    // One network may have 1,024 pages. Two networks together may have all pages that there are.
    let first = open_for(&class, (0..1_025).map(|number| neighbour(7, number)));
    let other = open_for(&class, (0..1_010).map(|number| neighbour(8, number)));
    let all = of_class.iter().chain(&first).chain(&other);
    assert!(all.map(|(status, _)| *status).all(|status| status == 201));
    let is_open = |(_, opened): &(u16, Value)| {
        let answer = state(&class, &page(&class, opened).secret);
        answer.status == 200
    };
    assert!(of_class.iter().all(is_open), "pages of the class are gone");
    // 2,065 were opened and 2,048 are there: the oldest of the larger network are gone, and no others.
    assert!(!first[..17].iter().any(is_open));
    assert!(first[17..].iter().step_by(50).all(is_open));
    assert!(other.iter().step_by(50).all(is_open));
}

#[test]
fn a_page_of_another_site_opens_no_screen() {
    let class = class_with_pages("both");
    for (site, status) in [
        ("cross-site", 403),
        ("same-site", 403),
        ("none", 403),
        ("same-origin", 201),
    ] {
        let headers = [
            ("Sec-Fetch-Site", site),
            ("Origin", "https://other.example.com"),
        ];
        let answer = ask(&class, "POST", "/screen", &headers, b"");
        assert_eq!(answer.status, status, "{site}");
        if status == 201 {
            page(&class, &json(&answer));
        } else {
            assert_eq!(json(&answer), value!({"error": "another site"}));
        }
    }
    // Older browsers send no such header.
    open(&class, "203.0.113.1");
}

#[test]
fn one_client_has_512_pages_at_most_and_nobody_else_loses_one() {
    let class = class_with_pages("both");
    let bystander = open(&class, "198.51.100.7");
    let opened = open_for(&class, std::iter::repeat_n(client(1), 513));
    assert!(opened.iter().all(|(status, _)| *status == 201));
    let secret = |index: usize| page(&class, &opened[index].1).secret;
    // The oldest of its own had to leave.
    assert_eq!(state(&class, &secret(0)).status, 404);
    for index in [1, 512] {
        assert_eq!(state(&class, &secret(index)).status, 200, "{index}");
    }
    assert_eq!(state(&class, &bystander.secret).status, 200);
}

#[test]
fn one_client_opens_600_pages_a_minute_and_others_go_on() {
    let class = class_with_pages("both");
    let opened = open_for(&class, std::iter::repeat_n(client(1), 605));
    let refused: Vec<&(u16, Value)> = opened.iter().filter(|(status, _)| *status != 201).collect();
    // If the test takes longer than a minute, some more are opened.
    assert!(opened[..600].iter().all(|(status, _)| *status == 201));
    for (status, answer) in refused {
        assert_eq!((*status, answer), (503, &value!({"error": "full"})));
    }
    assert_eq!(open_for(&class, [client(2)].into_iter())[0].0, 201);
    // A client that is no proxy cannot pass for another one by a header of the gate's own.
    let claimed = ask(
        &class,
        "POST",
        "/screen",
        &[
            ("X-Gate-Client", "198.51.100.9"),
            ("X-Forwarded-For", "203.0.0.1"),
        ],
        b"",
    );
    assert!([201, 503].contains(&claimed.status));
}

#[test]
fn there_are_2048_pages_at_most_and_the_oldest_leaves_first() {
    let class = class_with_pages("screen");
    let opened = open_for(&class, (0..2_049).map(|number| client(number / 400)));
    assert!(opened.iter().all(|(status, _)| *status == 201));
    let codes: std::collections::HashSet<String> = opened
        .iter()
        .map(|(_, answer)| answer["code"].to_string())
        .collect();
    assert_eq!(codes.len(), 2_049, "no code is shown twice");
    let secret = |index: usize| page(&class, &opened[index].1).secret;
    assert_eq!(state(&class, &secret(0)).status, 404);
    for index in [1, 2_048] {
        assert_eq!(state(&class, &secret(index)).status, 200, "{index}");
    }
}

#[test]
fn where_logins_go_by_text_only_no_page_gets_a_code() {
    let class = class_with_pages("text");
    for method in ["GET", "POST"] {
        for path in ["/screen", "/screen/answer", "/screen/arrived"] {
            let answer = ask(&class, method, path, &[("X-Screen", "A")], b"");
            assert_eq!(
                (answer.status, answer.body()),
                (404, "not found\n"),
                "{method} {path}"
            );
        }
    }
    assert_eq!(super::get(&class, "/").status, 200);
}

#[test]
fn a_text_with_the_code_brings_the_login_to_that_page_after_a_yes() {
    let class = class_with_pages("screen");
    let (page, other) = (open(&class, "203.0.113.1"), open(&class, "203.0.113.1"));
    let ana = class.student();
    ana.texts(&format!("{} {}", support::classroom::PHRASE, page.code));
    class.eventually("the page is asked", || {
        json(&state(&class, &page.secret))["state"] == "question"
    });
    let asked = json(&state(&class, &page.secret));
    let ends = &ana.phone()[ana.phone().len() - 2..];
    assert_eq!(asked["ends"], ends);
    let headers = [("X-Screen", page.secret.as_str())];
    // The other page can say what it likes.
    let form = format!("claim={}&yes=1", asked["claim"]);
    let foreign = [("X-Screen", other.secret.as_str())];
    let answer = ask(&class, "POST", "/screen/answer", &foreign, form.as_bytes());
    assert_eq!(json(&answer), value!({"state": "open"}));
    let answer = ask(&class, "POST", "/screen/answer", &headers, form.as_bytes());
    assert!(["making", "login"].contains(&json(&answer)["state"].as_str().unwrap_or("")));
    class.eventually("the login is shown", || {
        json(&state(&class, &page.secret))["state"] == "login"
    });
    let login = json(&state(&class, &page.secret));
    let word = |name: &str| login[name].as_str().expect(name).to_owned();
    class.keeps_secret(&word("password"));
    assert!(
        class
            .coder()
            .password_works(&word("email"), &word("password"))
    );
    let arrived = ask(&class, "POST", "/screen/arrived", &headers, b"");
    assert_eq!((arrived.status, arrived.body()), (204, ""));
    let again = ask(&class, "POST", "/screen/arrived", &headers, b"");
    assert!([204, 404].contains(&again.status));
    assert!(
        !state(&class, &page.secret)
            .body()
            .contains(&word("password"))
    );
    class.all_served();
    ana.has_read_all();
    assert!(class.twilio().texts().is_empty(), "nothing is sent by text");
}

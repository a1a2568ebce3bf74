//! What no client may spoil for the others. After each, a proper request must be served.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::harness::{GateHarness, POST, TestClient};
use crate::gate::Limits;

/// Requests just beyond our limits, or readable in two ways, and their answers. A bare tiny_http 0.12 allocates whatever
/// length a request announces and never gives up a connection that asks for a later version of HTTP; these requests
/// are harmless to it and prove the same checks of the gate.
const SHAPES: &[(&str, u16, &str)] = &[
    (
        "length of eleven digits",
        400,
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 00000000005\r\n\r\nhello",
    ),
    (
        "length of 64 KiB and one byte",
        413,
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\nabc",
    ),
    ("HTTP/1.2", 505, "GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
    (
        "chunks and a length",
        400,
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ),
    (
        "a chunk longer than it says",
        400,
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n0\r\n\r\n",
    ),
    (
        "a chunk of 64 KiB and one byte",
        413,
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n",
    ),
    (
        "garbage encoding",
        400,
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: what\r\nContent-Length: 5\r\n\r\nhello",
    ),
    (
        "length abc",
        400,
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: abc\r\n\r\n",
    ),
    (
        "length +5",
        400,
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello",
    ),
    (
        "two lengths",
        400,
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    ),
    (
        "non-ASCII header",
        400,
        "GET / HTTP/1.1\r\nHost: a\r\nX: \u{fc}\r\n\r\n",
    ),
    (
        "non-ASCII path",
        400,
        "GET /\u{fc} HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    ("bare LF", 400, "GET / HTTP/1.1\nHost: a\n\n"),
    ("missing host", 400, "GET / HTTP/1.1\r\n\r\n"),
    (
        "folded header",
        400,
        "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n  c\r\n\r\n",
    ),
    (
        "no colon",
        400,
        "GET / HTTP/1.1\r\nHost: a\r\nnothing\r\n\r\n",
    ),
    ("empty first line", 400, "\r\n\r\n"),
    (
        "unknown expectation",
        417,
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\nContent-Length: 5\r\n\r\nhello",
    ),
];

#[test]
fn a_request_that_could_be_misunderstood_is_refused_and_harms_nobody() {
    let house = GateHarness::open(Limits::default());
    for (name, status, shape) in SHAPES {
        let mut client = house.client();
        client.send(shape.as_bytes());
        let answer = client.answer();
        assert_eq!(answer.status, *status, "{name}");
        assert!(
            answer.head.contains("Connection: close"),
            "{name}: {}",
            answer.head
        );
        assert!(
            answer.body.starts_with(&status.to_string()),
            "{name}: {}",
            answer.body
        );
        client.is_closed();
        house.serves();
    }
}

#[test]
fn an_offer_to_change_the_protocol_is_ignored() {
    let house = GateHarness::open(Limits::default());
    let mut client = house.client();
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nUpgrade: websocket\r\n\r\n");
    assert_eq!(client.answer().status, 200);
    client.send(POST);
    assert_eq!(client.answer().status, 200);
}

#[test]
fn a_truncated_body_never_reaches_the_server() {
    let house = GateHarness::open(Limits::default());
    let mut client = house.client();
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\nhello");
    client.half_close();
    assert_eq!(client.answer().status, 400);
    client.is_closed();
    house.serves();
}

#[test]
fn chunks_without_their_end_never_reach_the_server() {
    let house = GateHarness::open(Limits::default());
    let mut client = house.client();
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    client.half_close();
    assert_eq!(client.answer().status, 400);
    client.is_closed();
    house.serves();
}

#[test]
fn a_header_line_without_end_is_not_kept() {
    let house = GateHarness::open(Limits::default());
    let mut client = house.client();
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: ");
    let chunk = vec![b'a'; 64 * 1024];
    // Beyond what the sockets of both sides may hold.
    let most = 32 * 16;
    let sent = (0..most).take_while(|_| client.try_send(&chunk)).count();
    assert!(sent < most, "all of it was taken");
    house.serves();

    // Who stops to listen is told.
    let mut client = house.client();
    client.send(&[b"GET / HTTP/1.1\r\nHost: a\r\nX: ", chunk.as_slice()].concat());
    assert_eq!(client.answer().status, 431);
    client.is_closed();
}

#[test]
fn those_who_leave_before_they_are_let_in_harm_nobody() {
    let house = GateHarness::open_after(Limits::default(), |address| {
        for _ in 0..50 {
            TestClient::of(TcpStream::connect(address).unwrap()).send(b"GET / HT");
        }
    });
    house.serves();
}

#[test]
fn those_who_leave_without_their_answer_harm_nobody() {
    let house = GateHarness::open(Limits::default());
    for round in 0..200 {
        let mut client = house.client();
        // Answers to a closed socket come back as resets.
        client.send(&POST.repeat(1 + round % 5));
        drop(client);
        house.client().send(b"POST / HTTP/1.1\r\nContent-Le");
    }
    house.serves();
}

#[test]
fn a_drip_is_cut_at_the_deadline_however_steady() {
    let house = GateHarness::open(Limits {
        complete: Duration::from_millis(200),
        ..Limits::default()
    });
    for start in [
        "GET /",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n8000\r\n",
    ] {
        let mut client = house.client();
        let since = Instant::now();
        client.send(start.as_bytes());
        client.drip(Duration::from_millis(10));
        let lasted = since.elapsed();
        assert_eq!(client.answer().status, 408);
        assert!(
            lasted >= Duration::from_millis(190) && lasted < Duration::from_secs(5),
            "{lasted:?}"
        );
        house.serves();
    }
}

#[test]
fn a_silent_connection_is_closed_without_a_word() {
    let house = GateHarness::open(Limits {
        first_byte: Duration::from_millis(50),
        ..Limits::default()
    });
    let mut client = house.client();
    client.is_closed();
    house.serves();
}

#[test]
fn a_client_that_does_not_take_its_answers_is_cut_off() {
    let house = GateHarness::open(Limits {
        take_answer: Duration::from_millis(50),
        ..Limits::default()
    });
    let mut client = house.client();
    // The echo is as long as the request, so both directions fill up.
    let many = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(7000)).repeat(20);
    while client.try_send(many.as_bytes()) {}
    house.serves();
}

#[test]
fn all_together_they_hold_no_more_than_allowed() {
    let house = GateHarness::open(Limits {
        buffered_bytes: 256 * 1024,
        ..Limits::default()
    });
    let mut clients: Vec<TestClient> = (0..20).map(|_| house.client()).collect();
    for client in &mut clients {
        client.try_send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n");
        client.try_send(&[b'x'; 50_000]);
        house.serves();
    }
    let served = clients.iter_mut().filter_map(|client| {
        client.try_send(&[b'x'; 10_000]);
        client.hears_something().then_some(())
    });
    let served = served.count();
    assert!((1..=5).contains(&served), "{served} were kept");
}

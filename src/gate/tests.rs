//! The gate as clients meet it: real sockets, a real tiny_http behind.
//!
//! Here: what a well-behaved client may rely on. `hostile`: what the others may not spoil. `network`: the upstream in
//! trouble, no room, the stop. `harness`: what they all stand on.

mod harness;
mod hostile;
mod network;

use std::time::{Duration, Instant};

use super::Limits;
use harness::{GateHarness, POST};

#[test]
fn a_request_is_served_and_its_answer_says_nothing_of_the_server_behind() {
    let house = GateHarness::open(Limits::default());
    let mut client = house.client();
    client.send(b"POST /sms?a=b HTTP/1.1\r\nHost: out.side\r\nX-Twilio-Signature: s=\r\nContent-Length: 5\r\n\r\nhello");
    let answer = client.answer();
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        "POST /sms?a=b host=gate signature=s= body=hello"
    );
    assert!(
        answer.head.contains("Content-Type: text/xml"),
        "{}",
        answer.head
    );
    assert!(!answer.head.contains("Server:"), "{}", answer.head);
    assert!(!answer.head.contains("Connection:"), "{}", answer.head);
}

#[test]
fn a_connection_serves_many_requests() {
    let house = GateHarness::open(Limits::default());
    let mut client = house.client();
    for round in 0..50 {
        client.post(&format!("/{round}"));
        assert!(client.answer().body.starts_with(&format!("POST /{round} ")));
    }
}

#[test]
fn a_request_may_come_in_pieces() {
    let house = GateHarness::open(Limits::default());
    let mut client = house.client();
    for byte in POST {
        client.send(&[*byte]);
    }
    assert_eq!(client.answer().status, 200);
}

#[test]
fn a_body_as_large_as_allowed_is_served() {
    let house = GateHarness::open(Limits::default());
    let mut client = house.client();
    for _ in 0..3 {
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n");
        client.send(&[b'x'; 65536]);
        assert!(client.answer().body.ends_with(&"x".repeat(1000)));
    }
}

#[test]
fn a_body_in_chunks_is_served_like_one_with_a_length() {
    let house = GateHarness::open(Limits::default());
    let mut client = house.client();
    let head = "POST /sms HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for chunks in [
        "5\r\nhello\r\n0\r\n\r\n",
        "1;x=y\r\nh\r\n04\r\nello\r\n0\r\nX-Twilio-Signature: trailer\r\n\r\n",
    ] {
        client.send(format!("{head}{chunks}").as_bytes());
        assert_eq!(
            client.answer().body,
            "POST /sms host=gate signature=none body=hello"
        );
        // The connection stays usable, for either form.
        client.send(POST);
        assert_eq!(client.answer().status, 200);
    }
    for byte in format!("{head}2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n").bytes() {
        client.send(&[byte]);
    }
    assert!(client.answer().body.ends_with("body=hello"));
}

#[test]
fn chunks_may_hold_as_much_as_a_body_may() {
    let house = GateHarness::open(Limits::default());
    let mut client = house.client();
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for _ in 0..4 {
        client.send(b"4000\r\n");
        client.send(&[b'x'; 0x4000]);
        client.send(b"\r\n");
    }
    client.send(b"0\r\n\r\n");
    assert!(client.answer().body.ends_with(&"x".repeat(1000)));
}

#[test]
fn a_client_in_chunks_that_waits_for_continue_gets_it() {
    let house = GateHarness::open(Limits::default());
    let mut client = house.client();
    client.send(
        b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    assert_eq!(client.read_exactly(25), b"HTTP/1.1 100 Continue\r\n\r\n");
    client.send(b"2\r\nab\r\n0\r\n\r\n");
    assert!(client.answer().body.ends_with("body=ab"));
}

#[test]
fn head_is_answered_without_a_body_and_the_next_answer_is_not_taken_for_one() {
    let house = GateHarness::open(Limits::default());
    let mut client = house.client();
    client.send(b"HEAD /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n");
    let head = client.answer_to_head();
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert!(head.head.contains("Content-Length: "), "{}", head.head);
    assert!(client.answer().body.starts_with("GET /b "));
}

#[test]
fn close_is_done_and_said() {
    let house = GateHarness::open(Limits::default());
    for request in [
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
    ] {
        let mut client = house.client();
        client.send(request.as_bytes());
        let answer = client.answer();
        assert_eq!(answer.status, 200);
        assert!(answer.head.contains("Connection: close"), "{}", answer.head);
        client.is_closed();
    }
}

#[test]
fn an_old_client_may_keep_its_connection_if_it_asks() {
    let house = GateHarness::open(Limits::default());
    let mut client = house.client();
    for _ in 0..2 {
        client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        assert!(client.answer().head.contains("Connection: keep-alive"));
    }
}

#[test]
fn methods_are_left_to_the_server_behind() {
    let house = GateHarness::open(Limits::default());
    let mut client = house.client();
    for method in ["TRACE", "CONNECT", "DELETE", "PURGE"] {
        client.send(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        assert!(client.answer().body.starts_with(method));
    }
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let house = GateHarness::open(Limits {
        idle: Duration::from_millis(50),
        ..Limits::default()
    });
    let mut client = house.client();
    client.send(POST);
    assert_eq!(client.answer().status, 200);
    let since = Instant::now();
    client.is_closed();
    assert!(since.elapsed() >= Duration::from_millis(40));
}

#[test]
fn the_server_behind_is_told_who_the_client_is_only_if_it_wants_to_know() {
    let named = GateHarness::naming_clients();
    let plain = GateHarness::open(Limits::default());
    for (headers, client) in [
        ("", "127.0.0.1"),
        // A client cannot name itself, whatever it writes.
        (
            "X-Gate-Client: 198.51.100.1\r\nx-gate-client: 198.51.100.2\r\n",
            "127.0.0.1",
        ),
        // The peer is a loopback address, as that of one's own proxy: the last address that it added counts.
        (
            "X-Forwarded-For: 198.51.100.1, 203.0.113.9\r\n",
            "203.0.113.9",
        ),
        (
            "X-Forwarded-For: 203.0.113.9\r\nx-forwarded-for: 198.51.100.1, 2001:db8::7\r\n",
            "2001:db8::7",
        ),
        (
            "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: unknown\r\n",
            "127.0.0.1",
        ),
        (
            "X-Forwarded-For: 198.51.100.1\r\nConnection: X-Gate-Client\r\n",
            "198.51.100.1",
        ),
    ] {
        for (house, told) in [
            (&named, format!(" client={client}")),
            (&plain, String::new()),
        ] {
            let mut client = house.client();
            // Twice, and in chunks as well: the line is part of a head that stays in order.
            for body in [
                "Content-Length: 5\r\n\r\nhello",
                "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            ] {
                client.send(format!("POST /a HTTP/1.1\r\nHost: a\r\n{headers}{body}").as_bytes());
                assert_eq!(
                    client.answer().body,
                    format!("POST /a host=gate signature=none{told} body=hello")
                );
            }
        }
    }
}

//! Too many bytes and too many connections.

use super::bears;
use crate::class;
use support::classroom::wire::{self, Wire, room_for_many};
use support::classroom::{PATIENCE, within};

const GET: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

/// Sends the same over and over until it is not taken any more; gives the bytes that were taken.
fn pours(wire: &mut Wire, bytes: &[u8], most: usize) -> usize {
    let mut sent = 0;
    while sent < most && wire.sends(bytes) {
        sent += bytes.len();
    }
    sent
}

#[test]
fn a_stream_without_end_is_cut_and_not_kept() {
    // Beyond what the sockets of both sides may hold.
    const MOST: usize = 32 * 1024 * 1024;
    let class = class();
    let before = class.service().footprint().memory;
    let block = vec![b'a'; 64 * 1024];
    let chunk = [format!("{:x}\r\n", block.len()).as_bytes(), &block, b"\r\n"].concat();
    let lines = b"X-A: b\r\n".repeat(1_000);
    for (name, head, rest) in [
        ("a header line", "GET / HTTP/1.1\r\nHost: a\r\nX: ", &block),
        ("a request line", "GET /", &block),
        ("a method", "GET", &b"A".repeat(4096)),
        ("header lines", "GET / HTTP/1.1\r\nHost: a\r\n", &lines),
        (
            "chunks",
            "POST /inbound HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
            &chunk,
        ),
        (
            "a body",
            "POST /inbound HTTP/1.1\r\nHost: a\r\nContent-Length: 0000065537\r\n\r\n",
            &block,
        ),
        (
            "bodies",
            "",
            &[
                b"POST /inbound HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n",
                &block[..],
            ]
            .concat(),
        ),
    ] {
        bears(&class, name, |address| {
            let mut wire = Wire::saying(address, head.as_bytes());
            let taken = pours(&mut wire, rest, MOST);
            assert!(taken < MOST, "all {taken} bytes of {name} were taken");
        });
    }
    let grown = class.service().footprint().memory.saturating_sub(before);
    assert!(grown < 10 * 1024, "{grown} KiB more are held");
}

#[test]
fn who_stops_to_listen_is_told_that_it_was_too_much() {
    let class = class();
    let (long, many) = ("a".repeat(9_000), "X-A: b\r\n".repeat(70));
    let body = "a".repeat(64 * 1024 + 1);
    let length = body.len();
    let chunked = "POST /inbound HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let (line, trailers) = ("a".repeat(256), format!("X-A: {}\r\n", "b".repeat(200)));
    for (status, request) in [
        (431, format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n")),
        (
            431,
            format!("GET / HTTP/1.1\r\nHost: a\r\nX: {long}\r\n\r\n"),
        ),
        (
            431,
            format!("GET / HTTP/1.1\r\nHost: a\r\n{long}: x\r\n\r\n"),
        ),
        (431, format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n")),
        (
            413,
            format!("POST /inbound HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}"),
        ),
        (413, format!("{chunked}{length:x}\r\n{body}")),
        (
            413,
            format!(
                "{chunked}{}",
                "8000\r\n".to_owned() + &body[..0x8000] + "\r\n8001\r\n"
            ),
        ),
        (400, format!("{chunked}{}", "1\r\na\r\n".repeat(4097))),
        (400, format!("{chunked}1;{line}\r\na\r\n0\r\n\r\n")),
        (400, format!("{chunked}0\r\n{}\r\n", trailers.repeat(10))),
        (
            413,
            format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}"),
        ),
    ] {
        bears(&class, &request[..60], |address| {
            let mut wire = Wire::saying(address, request.as_bytes());
            assert_eq!(wire.status(), status);
            assert!(wire.is_closed());
        });
    }
}

#[test]
fn a_burst_of_connections_that_stay_open_is_answered_to_the_last() {
    room_for_many();
    let class = class();
    for count in [64, 200] {
        let students = class.students(count);
        let address = class.service().address();
        let open = |_| Wire::open(address).expect("the service lets us in");
        let mut wires: Vec<Wire> = (0..count).map(open).collect();
        for words in ["hello", "hello again"] {
            for (wire, student) in wires.iter_mut().zip(&students) {
                wire.sends(&wire::bytes(
                    &student.webhook(words, &[("OptOutType", "HELP")]),
                ));
            }
            for wire in &mut wires {
                assert_eq!(wire.status(), 200, "one of {count}");
            }
        }
        class.all_served();
        bears(&class, "a burst", |_| ());
    }
}

#[test]
fn a_thousand_idle_connections_leave_room_for_a_text() {
    room_for_many();
    let class = class();
    class.student().gets_a_login();
    let before = class.service().footprint();
    let idle = bears(&class, "silent ones", |address| {
        (0..1_000).map(|_| Wire::open(address)).collect::<Vec<_>>()
    });
    let served = bears(&class, "served ones", |address| {
        let serve = |_| {
            let mut wire = Wire::saying(address, GET);
            assert_eq!(wire.status(), 200);
            wire
        };
        (0..1_000).map(serve).collect::<Vec<_>>()
    });
    let during = class.service().footprint();
    assert!(
        during.threads <= before.threads + 2,
        "{before:?} -> {during:?}"
    );
    assert!(
        during.descriptors <= before.descriptors + 520,
        "{before:?} -> {during:?}"
    );
    drop((idle, served));
    let back = || class.service().footprint().descriptors <= before.descriptors + 4;
    assert!(
        within(PATIENCE, back),
        "{before:?} -> {:?}",
        class.service().footprint()
    );
}

#[test]
fn requests_in_another_version_leave_nothing_behind() {
    let class = class();
    class.student().gets_a_login();
    let before = class.service().footprint();
    bears(&class, "another version", |address| {
        for _ in 0..300 {
            let mut wire = Wire::saying(address, b"GET / HTTP/1.2\r\nHost: a\r\n\r\n");
            assert_eq!(wire.status(), 505);
        }
    });
    let back = || {
        let now = class.service().footprint();
        now.descriptors <= before.descriptors + 4 && now.threads <= before.threads + 2
    };
    assert!(
        within(PATIENCE, back),
        "{before:?} -> {:?}",
        class.service().footprint()
    );
}

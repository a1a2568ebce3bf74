//! What no client may spoil for the others. After each, a proper request must be served. Requests that could be
//! misunderstood are in `head/tests.rs` and, sent to the real service, in `tests/it/hostile`.

use std::time::{Duration, Instant};

use super::harness::{GateHarness, TestClient};
use crate::gate::Limits;

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

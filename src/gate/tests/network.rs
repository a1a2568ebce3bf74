//! The upstream in trouble, no room for everybody, the stop.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::harness::{GateHarness, POST, TempFolder, TestClient, eventually, scripted};
use crate::gate::{Gate, Limits};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Reads one request of the gate; false at the end.
fn hear(sock: &mut UnixStream) -> bool {
    let mut heard = Vec::new();
    let mut byte = [0];
    while !heard.ends_with(b"hello") {
        match sock.read(&mut byte) {
            Ok(1) => heard.push(byte[0]),
            _ => return false,
        }
    }
    true
}

fn serve_well(mut sock: UnixStream) {
    while hear(&mut sock) {
        if sock.write_all(OK).is_err() {
            return;
        }
    }
}

/// The first connection of the gate meets `first`, every further one a good server.
fn house_after(limits: Limits, first: impl Fn(UnixStream) + Send + 'static) -> GateHarness {
    let folder = TempFolder::new();
    scripted(&folder.socket(), move |number, sock| {
        if number == 0 {
            first(sock);
        } else {
            serve_well(sock);
        }
    });
    GateHarness::before(folder, limits)
}

/// The next requests may still meet the pause before the gate dials again, or the one that never answers.
fn serves_again(house: &GateHarness) {
    eventually("it serves again", || {
        let mut client = house.client();
        client.send(POST);
        client.answer().status == 200
    });
}

#[test]
fn without_a_server_behind_there_is_no_start() {
    let folder = TempFolder::new();
    let gate = Gate::bind(
        "127.0.0.1:0".parse().unwrap(),
        folder.socket(),
        Limits::default(),
    )
    .unwrap();
    assert!(gate.run().is_err());
}

#[test]
fn a_restart_behind_fails_those_in_flight_and_nobody_after() {
    let house = house_after(Limits::default(), |mut sock| {
        hear(&mut sock);
        hear(&mut sock);
        sock.write_all(OK).unwrap();
    });
    let (mut first, mut second) = (house.client(), house.client());
    first.send(POST);
    second.send(POST);
    let mut statuses = [first.answer().status, second.answer().status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 503]);
    serves_again(&house);
}

#[test]
fn a_server_behind_that_is_gone_for_a_while_means_503_until_it_is_back() {
    let house = house_after(Limits::default(), |mut sock| {
        hear(&mut sock);
    });
    let mut client = house.client();
    client.send(POST);
    assert_eq!(client.answer().status, 503);
    let path = house.folder.socket();
    let away = path.with_extension("away");
    std::fs::rename(&path, &away).unwrap();
    for _ in 0..3 {
        let mut client = house.client();
        client.send(POST);
        let answer = client.answer();
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (503, "503 service unavailable: try again\n")
        );
    }
    std::fs::rename(&away, &path).unwrap();
    serves_again(&house);
}

#[test]
fn an_answer_that_cannot_be_trusted_ends_the_connection_behind() {
    let answers = [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nok",
        "what?\r\n\r\n",
        // One answer too many.
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
    ];
    for answer in answers {
        let house = house_after(Limits::default(), move |mut sock| {
            hear(&mut sock);
            sock.write_all(answer.as_bytes()).unwrap();
            assert!(!hear(&mut sock), "the gate should have hung up");
        });
        let mut client = house.client();
        client.send(POST);
        let expected = if answer.contains("okHTTP") { 200 } else { 503 };
        assert_eq!(client.answer().status, expected, "{answer:?}");
        serves_again(&house);
    }
}

#[test]
fn a_server_behind_that_never_answers_is_dialled_anew() {
    let house = house_after(
        Limits {
            backend: Duration::from_millis(50),
            ..Limits::default()
        },
        |mut sock| {
            while hear(&mut sock) {}
        },
    );
    let mut client = house.client();
    client.send(POST);
    assert_eq!(client.answer().status, 504);
    client.is_closed();
    serves_again(&house);
}

#[test]
fn a_late_answer_reaches_nobody_else() {
    let house = GateHarness::open(Limits {
        backend: Duration::from_millis(500),
        ..Limits::default()
    });
    let hold = house.hold();
    let mut late = house.client();
    late.post("/late");
    assert_eq!(late.answer().status, 504);
    late.is_closed();
    let mut next = house.client();
    next.post("/next");
    drop(hold);
    assert!(next.answer().body.starts_with("POST /next "));
    next.post("/after");
    assert!(next.answer().body.starts_with("POST /after "));
}

#[test]
fn those_who_gave_up_do_not_fill_the_queue_behind() {
    let limits = Limits {
        connections: 2,
        backend: Duration::from_millis(150),
        ..Limits::default()
    };
    let house = GateHarness::open(limits);
    let hold = house.hold();
    let (mut first, mut second) = (house.client(), house.client());
    first.send(POST);
    second.send(POST);
    assert_eq!((first.answer().status, second.answer().status), (504, 504));
    let mut third = house.client();
    third.send(POST);
    let answer = third.answer();
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (
            503,
            "503 service unavailable: overloaded, try again later\n"
        )
    );
    drop(hold);
    serves_again(&house);
}

#[test]
fn at_the_cap_the_idle_make_room_and_those_in_flight_do_not() {
    let house = GateHarness::open(Limits {
        connections: 4,
        ..Limits::default()
    });
    let hold = house.hold();
    let mut served = house.client();
    served.send(POST);
    let mut idle: Vec<TestClient> = (0..20).map(|_| house.client()).collect();
    let mut newcomer = house.client();
    newcomer.send(POST);
    // The first of the idle had to leave; that it is closed shows that the cap was reached.
    idle[0].is_closed();
    drop(hold);
    assert_eq!(served.answer().status, 200);
    assert_eq!(newcomer.answer().status, 200);
}

#[test]
fn at_the_cap_strangers_leave_before_those_who_were_served() {
    let house = GateHarness::open(Limits {
        connections: 8,
        ..Limits::default()
    });
    let mut known = house.client();
    known.send(POST);
    assert_eq!(known.answer().status, 200);
    let mut strangers: Vec<TestClient> = (0..30).map(|_| house.client()).collect();
    strangers[0].is_closed();
    strangers[22].is_closed();
    known.send(POST);
    assert_eq!(known.answer().status, 200);
}

#[test]
fn at_the_cap_those_who_were_served_do_not_squeeze_out_newcomers() {
    let house = GateHarness::open(Limits {
        connections: 8,
        ..Limits::default()
    });
    let mut known: Vec<TestClient> = (0..8).map(|_| house.client()).collect();
    for client in &mut known {
        client.send(POST);
        assert_eq!(client.answer().status, 200);
    }
    let mut newcomers: Vec<TestClient> = (0..4).map(|_| house.client()).collect();
    known[3].is_closed();
    for client in &mut newcomers {
        client.send(POST);
        assert_eq!(client.answer().status, 200);
    }
}

#[test]
fn at_the_cap_of_idle_keep_alives_a_new_one_is_served() {
    let house = GateHarness::open(Limits {
        connections: 4,
        ..Limits::default()
    });
    let mut idle: Vec<TestClient> = (0..4).map(|_| house.client()).collect();
    for client in &mut idle {
        client.send(POST);
        assert_eq!(client.answer().status, 200);
    }
    house.serves();
    // The one that was idle for longest made room; the youngest is still there.
    idle[0].is_closed();
    idle[3].send(POST);
    assert_eq!(idle[3].answer().status, 200);
}

#[test]
fn a_full_house_in_flight_serves_the_next_when_one_is_done() {
    let house = GateHarness::open(Limits {
        connections: 2,
        ..Limits::default()
    });
    let mut clients: Vec<TestClient> = (0..2).map(|_| house.client()).collect();
    for client in &mut clients {
        client.send(POST);
        assert_eq!(client.answer().status, 200);
    }
    let hold = house.hold();
    for client in &mut clients {
        client.send(POST);
    }
    for _ in 0..3 {
        let mut newcomer = house.client();
        newcomer.send(POST);
        clients.push(newcomer);
    }
    drop(hold);
    for client in &mut clients {
        assert_eq!(client.answer().status, 200);
    }
}

#[test]
fn the_stop_finishes_what_is_in_flight_and_nothing_else() {
    let mut house = GateHarness::open(Limits::default());
    let hold = house.hold();
    let (mut idle, mut partial, mut served) = (house.client(), house.client(), house.client());
    idle.send(POST);
    partial.send(b"POST / HTTP/1.1\r\n");
    served.send(POST);
    served.send(POST);
    let _unheard = house.client();
    house.handle.stop();
    assert_eq!(partial.answer().status, 503);
    eventually("nobody is let in", || {
        TcpStream::connect(house.address).is_err()
    });
    drop(hold);
    assert_eq!(idle.answer().status, 200);
    let answer = served.answer();
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("Connection: close"), "{}", answer.head);
    served.is_closed();
    house.has_stopped();
}

#[test]
fn the_stop_waits_no_longer_than_it_may() {
    let mut house = GateHarness::open(Limits {
        drain: Duration::from_millis(100),
        ..Limits::default()
    });
    let hold = house.hold();
    let mut client = house.client();
    client.send(POST);
    let since = Instant::now();
    house.handle.stop();
    house.handle.clone().stop();
    assert_eq!(client.answer().status, 503);
    house.has_stopped();
    assert!(since.elapsed() < Duration::from_secs(5));
    drop(hold);
}

//! The listener on real sockets, with a page of its own.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const PATIENCE: Duration = Duration::from_secs(30);

/// A listener whose page says how often it was made, and how often that was.
fn open() -> (SocketAddr, Arc<AtomicUsize>) {
    serving(|count| format!("made {count}\n"))
}

fn serving(page: impl Fn(usize) -> String + Send + 'static) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = MetricsListener::open("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let made = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&made);
    listener
        .serve(move || page(counted.fetch_add(1, Ordering::SeqCst) + 1))
        .unwrap();
    (address, made)
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn read(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    stream.read_to_end(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}

fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = connect(address);
    stream.write_all(request.as_bytes()).unwrap();
    read(stream)
}

#[test]
fn the_page_is_given_to_get_and_its_head_to_head() {
    let (address, _) = open();
    let page = ask(address, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(
        page,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: 7\r\nConnection: close\r\n\r\nmade 1\n"
    );
    let head = ask(address, "HEAD /metrics?x=y HTTP/1.0\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("Content-Length: 7\r\n") && head.ends_with("\r\n\r\n"));
}

#[test]
fn everything_else_is_refused_and_makes_no_page() {
    let (address, made) = open();
    let long = format!(
        "GET /metrics HTTP/1.1\r\nX: {}\r\n\r\n",
        "x".repeat(HEAD_LIMIT)
    );
    let many = format!(
        "GET /metrics HTTP/1.1\r\n{}\r\n",
        "A: b\r\n".repeat(HEADERS + 1)
    );
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n", "404 "),
        ("GET /metrics/ HTTP/1.1\r\n\r\n", "404 "),
        ("GET http://a/metrics HTTP/1.1\r\n\r\n", "404 "),
        ("POST / HTTP/1.1\r\n\r\n", "404 "),
        (
            "POST /metrics HTTP/1.1\r\nContent-Length: 2\r\n\r\nab",
            "405 ",
        ),
        ("get /metrics HTTP/1.1\r\n\r\n", "405 "),
        ("GET /metrics\r\n\r\n", "400 "),
        ("GET /metrics HTTP/1.2\r\n\r\n", "400 "),
        ("\x16\x03\x01\x02\x00\x01", "400 "),
        ("\0\0\0\0", "400 "),
        (&long, "400 "),
        (&many, "400 "),
    ] {
        let answer = ask(address, request);
        let line = answer.lines().next().unwrap_or_default();
        assert!(
            line.starts_with(&format!("HTTP/1.1 {status}")),
            "{request:?}: {line}"
        );
        assert_eq!(
            answer.contains("\r\nAllow: GET, HEAD\r\n"),
            status == "405 "
        );
    }
    assert_eq!(made.load(Ordering::SeqCst), 0);
}

#[test]
fn a_request_in_pieces_is_served_once_it_is_whole() {
    let (address, _) = open();
    let mut stream = connect(address);
    stream.set_nodelay(true).unwrap();
    for piece in ["GET /met", "rics HTTP/1.1\r\nHo", "st: a\r\n", "\r\n"] {
        stream.write_all(piece.as_bytes()).unwrap();
    }
    assert!(read(stream).ends_with("made 1\n"));
}

#[test]
fn silent_clients_hold_a_scrape_up_for_seconds_only_and_are_sent_away() {
    let (address, _) = open();
    let mut silent: Vec<TcpStream> = (0..MOST * 2).map(|_| connect(address)).collect();
    for stream in &mut silent {
        let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\n");
    }
    // The scrape waits until the time of those before it is over, but not for one after the other.
    let began = Instant::now();
    assert!(ask(address, "GET /metrics HTTP/1.1\r\n\r\n").ends_with("made 1\n"));
    assert!(began.elapsed() < PATIENCE / 2, "as if one after the other");
    for mut stream in silent {
        // An end or a reset, without an answer, long before this read gives up.
        let end = stream.read(&mut [0]).map_err(|error| error.kind());
        assert!(
            matches!(end, Ok(0) | Err(ErrorKind::ConnectionReset)),
            "{end:?}"
        );
    }
}

#[test]
fn a_large_page_reaches_a_slow_reader_and_one_who_reads_nothing_is_left() {
    let (address, _) = serving(|_| "x".repeat(20_000_000));
    let mut lazy = connect(address);
    lazy.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
    let page = ask(address, "GET /metrics HTTP/1.1\r\n\r\n");
    assert!(page.len() > 20_000_000);
    std::thread::sleep(LIMIT * 2);
    // What is left of it now is less than the whole.
    let mut rest = Vec::new();
    let _ = lazy.read_to_end(&mut rest);
    assert!(rest.len() < 20_000_000);
}

#[test]
fn a_fault_of_the_page_is_not_its_end() {
    let (address, _) = serving(|count| {
        assert!(count > 1, "a fault of ours");
        "well\n".to_owned()
    });
    let mut broken = connect(address);
    broken.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(read(broken), "");
    assert!(ask(address, "GET /metrics HTTP/1.1\r\n\r\n").ends_with("\r\n\r\nwell\n"));
}

#[test]
fn judged_piece_by_piece_a_request_is_no_other_than_as_a_whole() {
    let request = b"HEAD /metrics?a HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n";
    let whole = Some(ScrapeRequest {
        status: 200,
        head: true,
    });
    for length in 0..request.len() {
        assert_eq!(judge(&request[..length]), None, "{length}");
    }
    assert_eq!(judge(request), whole);
    assert_eq!(judge(&[request, &b"GET /more"[..]].concat()), whole);
}

use super::*;

fn read(bytes: &[u8]) -> HeadResult {
    Scan::default().read(bytes, &Limits::default())
}

fn whole(text: &str) -> Head {
    match read(text.as_bytes()) {
        HeadResult::Complete(head) => head,
        other => panic!("{text:?} gave {other:?}"),
    }
}

fn forwarded(text: &str) -> String {
    String::from_utf8(whole(text).forward).unwrap()
}

/// Every row is refused with this status, and no more than these bytes are needed to say so.
const REFUSED: &[(u16, &str, &str)] = &[
    (400, "bare LF after the request line", "GET / HTTP/1.1\n"),
    (400, "bare LF after a header", "GET / HTTP/1.1\r\nHost: a\n"),
    (400, "bare LF as the end", "GET / HTTP/1.1\r\nHost: a\r\n\n"),
    (400, "bare CR", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n"),
    (400, "empty first line", "\r\n"),
    (400, "TLS hello", "\x16\x03\x01"),
    (400, "lower-case method", "get / HTTP/1.1\r\n"),
    (
        400,
        "method with a digit",
        "GET2 / HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        400,
        "method of 17 letters",
        "ABCDEFGHIJKLMNOPQ / HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (400, "no version", "GET /\r\nHost: a\r\n\r\n"),
    (400, "two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
    (
        400,
        "a version that is none",
        "GET / FOO\r\nHost: a\r\n\r\n",
    ),
    (
        400,
        "a fourth word",
        "GET / HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        400,
        "absolute target",
        "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        400,
        "asterisk target",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        400,
        "authority target",
        "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        400,
        "non-ASCII target",
        "GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (400, "no host", "GET / HTTP/1.1\r\n\r\n"),
    (
        400,
        "two hosts",
        "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n",
    ),
    (
        400,
        "two hosts on 1.0",
        "GET / HTTP/1.0\r\nHost: a\r\nhost: a\r\n\r\n",
    ),
    (
        400,
        "no colon",
        "GET / HTTP/1.1\r\nHost: a\r\nnothing\r\n\r\n",
    ),
    (400, "no name", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"),
    (
        400,
        "space before the colon",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    ),
    (
        400,
        "space in a name",
        "GET / HTTP/1.1\r\nHost: a\r\nA B: c\r\n\r\n",
    ),
    (
        400,
        "folded line",
        "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n",
    ),
    (
        400,
        "fold before the first header",
        "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    ),
    (
        400,
        "non-ASCII value",
        "GET / HTTP/1.1\r\nHost: a\r\nX: caf\u{e9}\r\n\r\n",
    ),
    (
        400,
        "NUL in a value",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
    ),
    (
        400,
        "DEL in a value",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\x7fb\r\n\r\n",
    ),
    (
        400,
        "length of letters",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: abc\r\n\r\n",
    ),
    (
        400,
        "signed length",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n",
    ),
    (
        400,
        "negative length",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
    ),
    (
        400,
        "empty length",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
    ),
    (
        400,
        "two lengths in one",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n",
    ),
    (
        400,
        "two lengths",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
    ),
    (
        400,
        "eleven digits",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 00000000005\r\n\r\n",
    ),
    (
        400,
        "garbage encoding",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
    ),
    (
        400,
        "no encoding",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n",
    ),
    (
        400,
        "identity",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
    ),
    (
        400,
        "an encoding before the chunks",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    ),
    (
        400,
        "an encoding with a parameter",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;a=b\r\n\r\n",
    ),
    (
        400,
        "chunked twice in one line",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
    ),
    (
        400,
        "chunked in two lines",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n",
    ),
    (
        400,
        "length, then chunked",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    ),
    (
        400,
        "chunked, then length",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
    ),
    (
        400,
        "chunked in HTTP/1.0",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
    ),
    (
        413,
        "ten digits, one byte too many",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0000065537\r\n\r\n",
    ),
    (
        413,
        "one byte too many",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n",
    ),
    (
        417,
        "other expectation",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 200-ok\r\n\r\n",
    ),
    (505, "HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
    (505, "HTTP/0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n"),
];

#[test]
fn what_could_be_misunderstood_is_refused() {
    for (status, name, text) in REFUSED {
        match read(text.as_bytes()) {
            HeadResult::Bad(refusal) => assert_eq!(refusal.status, *status, "{name}: {refusal:?}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn the_verdict_is_the_same_however_slowly_the_bytes_come() {
    let limits = Limits::default();
    for (status, name, text) in REFUSED {
        let mut scan = Scan::default();
        let verdict =
            (1..=text.len()).find_map(|end| match scan.read(&text.as_bytes()[..end], &limits) {
                HeadResult::Incomplete => None,
                HeadResult::Bad(refusal) => Some(refusal.status),
                HeadResult::Complete(_) => Some(0),
            });
        assert_eq!(verdict, Some(*status), "{name}");
    }
}

#[test]
fn a_head_is_awaited_until_its_last_byte() {
    let text = "POST /sms?a=b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
    let mut scan = Scan::default();
    for end in 0..text.len() {
        let parsed = scan.read(&text.as_bytes()[..end], &Limits::default());
        assert!(
            matches!(parsed, HeadResult::Incomplete),
            "cut at {end}: {parsed:?}"
        );
    }
    let bytes = format!("{text}abcGET /");
    let HeadResult::Complete(head) = scan.read(bytes.as_bytes(), &Limits::default()) else {
        panic!("not whole")
    };
    assert_eq!((head.len, head.body), (text.len(), 3));
}

#[test]
fn a_head_that_never_ends_is_refused_at_its_limits() {
    let limits = Limits {
        head_bytes: 100,
        header_lines: 3,
        ..Limits::default()
    };
    let verdict = |text: &str| match Scan::default().read(text.as_bytes(), &limits) {
        HeadResult::Incomplete => 0,
        HeadResult::Complete(_) => 200,
        HeadResult::Bad(refusal) => refusal.status,
    };
    assert_eq!(verdict(&"A".repeat(99)), 0);
    assert_eq!(verdict(&"A".repeat(100)), 431);
    let filled =
        |bytes: usize| format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", "a".repeat(bytes - 26));
    assert_eq!((filled(100).len(), verdict(&filled(100))), (100, 200));
    assert_eq!(verdict(&filled(101)), 431);
    assert_eq!(
        verdict("GET / HTTP/1.1\r\nHost: a\r\nA: a\r\nB: b\r\n\r\n"),
        200
    );
    assert_eq!(
        verdict("GET / HTTP/1.1\r\nHost: a\r\nA: a\r\nB: b\r\nC: c\r\n"),
        431
    );
}

#[test]
fn a_request_is_written_anew() {
    let text = "POST /sms?x=%20 HTTP/1.1\r\nhost: public.example:8000\r\nUser-Agent:  TwilioProxy/1.1\t\r\n\
                X-Twilio-Signature: abc=\r\nContent-Type: application/x-www-form-urlencoded\r\nX-Empty:\r\n\
                content-length: 0000000012\r\n\r\n";
    let anew = "POST /sms?x=%20 HTTP/1.1\r\nHost: gate\r\nUser-Agent: TwilioProxy/1.1\r\nX-Twilio-Signature: abc=\r\n\
                Content-Type: application/x-www-form-urlencoded\r\nX-Empty: \r\nContent-Length: 12\r\n\r\n";
    assert_eq!(forwarded(text), anew);
}

#[test]
fn only_what_the_upstream_reads_is_forwarded_where_that_is_known() {
    let text = "POST / HTTP/1.1\r\nHost: a\r\nUser-Agent: x\r\nx-READ: 1\r\nX-Reads: 2\r\nHost-Of: 3\r\nX-Read: 4\r\n\
                Connection: X-Private\r\nX-Private: 5\r\nContent-Length: 3\r\n\r\n";
    let limits = Limits {
        forwarded: Some(&["X-Read", "X-Private"]),
        ..Limits::default()
    };
    let HeadResult::Complete(head) = Scan::default().read(text.as_bytes(), &limits) else {
        panic!("{text:?} is no request");
    };
    let anew =
        "POST / HTTP/1.1\r\nHost: gate\r\nx-READ: 1\r\nX-Read: 4\r\nContent-Length: 3\r\n\r\n";
    assert_eq!(String::from_utf8(head.forward).unwrap(), anew);
}

#[test]
fn what_concerns_only_the_client_s_connection_is_not_forwarded() {
    let text = "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, x-private\r\nConnection: TE\r\nUpgrade: h2c\r\nTE: trailers\r\n\
                Keep-Alive: 5\r\nTrailer: X\r\nProxy-Connection: close\r\nProxy-Authorization: x\r\nX-Private: 1\r\n\
                Expect: 100-continue\r\nX-Forwarded-For: 1.2.3.4\r\nForwarded: for=1\r\nX-Real-IP: 1\r\nx-gate-peer: 1\r\n\
                Accept: */*\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(
        forwarded(text),
        "GET / HTTP/1.1\r\nHost: gate\r\nAccept: */*\r\n\r\n"
    );
}

#[test]
fn a_length_is_written_where_a_body_may_be() {
    assert!(forwarded("POST / HTTP/1.1\r\nHost: a\r\n\r\n").contains("\r\nContent-Length: 0\r\n"));
    assert!(
        forwarded("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
            .contains("\r\nContent-Length: 4\r\n")
    );
    assert!(!forwarded("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n").contains("Length"));
}

#[test]
fn chunks_are_announced_by_one_word_in_any_case() {
    for word in ["chunked", "Chunked", "CHUNKED", "\tchunked "] {
        let mut head = whole(&format!(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {word}\r\nTrailer: X\r\n\r\n"
        ));
        assert!(head.chunked, "{word:?}");
        head.end_with_length(12);
        let anew = "POST / HTTP/1.1\r\nHost: gate\r\nContent-Length: 12\r\n\r\n";
        assert_eq!(String::from_utf8(head.forward).unwrap(), anew);
    }
}

#[test]
fn the_connection_persists_as_both_sides_understand_it() {
    for (line, persist) in [
        ("HTTP/1.1\r\nHost: a\r\n", Persistence::Keep),
        (
            "HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n",
            Persistence::Keep,
        ),
        (
            "HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n",
            Persistence::Close,
        ),
        (
            "HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: close\r\n",
            Persistence::Close,
        ),
        ("HTTP/1.0\r\n", Persistence::Close),
        (
            "HTTP/1.0\r\nConnection: Keep-Alive\r\n",
            Persistence::KeepExplicit,
        ),
    ] {
        assert_eq!(
            whole(&format!("GET / {line}\r\n")).persist,
            persist,
            "{line:?}"
        );
    }
}

#[test]
fn continue_is_for_those_who_know_it_and_have_a_body() {
    let wants = |version: &str, length: usize| {
        whole(&format!("POST / {version}\r\nHost: a\r\nContent-Length: {length}\r\nExpect: 100-Continue\r\n\r\n"))
            .wants_continue
    };
    assert!(wants("HTTP/1.1", 5));
    assert!(!wants("HTTP/1.1", 0));
    assert!(!wants("HTTP/1.0", 5));
}

#[test]
fn a_body_may_be_as_long_as_the_limit() {
    let limits = Limits::default();
    let head = |length: usize| {
        let text = format!("POST /inbound HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
        Scan::default().read(text.as_bytes(), &limits)
    };
    let longest = limits.body_bytes;
    assert!(matches!(head(longest), HeadResult::Complete(head) if head.body == longest));
    assert!(matches!(head(longest + 1), HeadResult::Bad(BODY_TOO_LARGE)));
}

#[test]
fn only_a_head_request_is_one() {
    assert!(whole("HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n").is_head);
    for method in ["GET", "POST", "HEADS"] {
        assert!(!whole(&format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n")).is_head);
    }
}

#[test]
fn a_value_that_is_no_text_is_named() {
    for byte in ['\0', '\x01', '\x7f', '\u{e9}'] {
        let read = read(format!("GET / HTTP/1.1\r\nHost: a\r\nX: a{byte}b\r\n\r\n").as_bytes());
        assert!(matches!(read, HeadResult::Bad(BAD_VALUE)), "{byte:?}");
    }
}

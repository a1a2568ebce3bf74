//! Requests that two readers could read in two ways, or that ask for too much. Each is a rightly signed text with
//! one thing wrong, and another rightly signed text follows in the same write: neither may be served.

use super::bears;
use crate::class;
use support::classroom::student::Webhook;
use support::classroom::wire::{self, Wire};

/// A whole head line, with what it is replaced by; `{n}` is the length of the body.
type Edit = (&'static str, u16, &'static str, &'static str);

const REQUEST_LINE: &str = "POST /inbound HTTP/1.1\r\n";
const HOST: &str = "Host: sms.class.example.org\r\n";
const LENGTH: &str = "Content-Length: {n}\r\n";

/// How long the body is, in words that readers disagree about.
#[rustfmt::skip]
const LENGTHS: &[Edit] = &[
    ("eleven digits", 400, LENGTH, "Content-Length: 00000000005\r\n"),
    ("64 KiB and one", 413, LENGTH, "Content-Length: 65537\r\n"),
    ("letters", 400, LENGTH, "Content-Length: abc\r\n"),
    ("plus", 400, LENGTH, "Content-Length: +{n}\r\n"),
    ("minus", 400, LENGTH, "Content-Length: -1\r\n"),
    ("hexadecimal", 400, LENGTH, "Content-Length: 0x5\r\n"),
    ("fraction", 400, LENGTH, "Content-Length: {n}.0\r\n"),
    ("nothing", 400, LENGTH, "Content-Length:\r\n"),
    ("two words", 400, LENGTH, "Content-Length: {n} {n}\r\n"),
    ("a list", 400, LENGTH, "Content-Length: {n}, {n}\r\n"),
    ("leading zeros", 400, LENGTH, "Content-Length: 00000000000000{n}\r\n"),
    ("twice the same", 400, LENGTH, "Content-Length: {n}\r\nContent-Length: {n}\r\n"),
    ("twice, second zero", 400, LENGTH, "Content-Length: {n}\r\nContent-Length: 0\r\n"),
    ("twice, first zero", 400, LENGTH, "Content-Length: 0\r\ncontent-length: {n}\r\n"),
    ("blank before the colon", 400, LENGTH, "Content-Length : {n}\r\n"),
    ("folded", 400, LENGTH, "Content-Length:\r\n {n}\r\n"),
    ("length, then encoding", 400, LENGTH, "Content-Length: {n}\r\nTransfer-Encoding: chunked\r\n"),
    ("encoding, then length", 400, LENGTH, "Transfer-Encoding: chunked\r\nContent-Length: {n}\r\n"),
    ("encoding with a tab", 400, LENGTH, "Content-Length: {n}\r\nTransfer-Encoding:\tchunked\r\n"),
    ("encoding, blank first", 400, LENGTH, "Content-Length: {n}\r\nTransfer-Encoding : chunked\r\n"),
    ("encoding, folded", 400, LENGTH, "Content-Length: {n}\r\nTransfer-Encoding:\r\n chunked\r\n"),
    ("identity", 400, LENGTH, "Content-Length: {n}\r\nTransfer-Encoding: identity\r\n"),
    ("no encoding", 400, LENGTH, "Content-Length: {n}\r\nTransfer-Encoding:\r\n"),
    ("unknown encoding", 400, LENGTH, "Content-Length: {n}\r\nTransfer-Encoding: xchunked\r\n"),
    ("two encodings", 400, LENGTH, "Transfer-Encoding: gzip, chunked\r\n"),
    ("capitals", 400, LENGTH, "TRANSFER-ENCODING: CHUNKED\r\n"),
];

/// Everything else in a head.
#[rustfmt::skip]
const HEADS: &[Edit] = &[
    ("HTTP/1.2", 505, REQUEST_LINE, "POST /inbound HTTP/1.2\r\n"),
    ("HTTP/0.9", 505, REQUEST_LINE, "POST /inbound HTTP/0.9\r\n"),
    ("HTTP/1.10", 400, REQUEST_LINE, "POST /inbound HTTP/1.10\r\n"),
    ("http/1.1", 400, REQUEST_LINE, "POST /inbound http/1.1\r\n"),
    ("another protocol", 400, REQUEST_LINE, "POST /inbound RTSP/1.1\r\n"),
    ("no version", 400, REQUEST_LINE, "POST /inbound\r\n"),
    ("small letters", 400, REQUEST_LINE, "post /inbound HTTP/1.1\r\n"),
    ("a method of 17 letters", 400, REQUEST_LINE, "POSTPOSTPOSTPOSTP /inbound HTTP/1.1\r\n"),
    ("blank in front", 400, REQUEST_LINE, " POST /inbound HTTP/1.1\r\n"),
    ("line in front", 400, REQUEST_LINE, "\r\nPOST /inbound HTTP/1.1\r\n"),
    ("two blanks", 400, REQUEST_LINE, "POST  /inbound HTTP/1.1\r\n"),
    ("tabs", 400, REQUEST_LINE, "POST\t/inbound\tHTTP/1.1\r\n"),
    ("a word too many", 505, REQUEST_LINE, "POST /inbound /inbound HTTP/1.1\r\n"),
    ("blank at the end", 400, REQUEST_LINE, "POST /inbound HTTP/1.1 \r\n"),
    ("an address of another", 400, REQUEST_LINE, "POST http://else.example.org/inbound HTTP/1.1\r\n"),
    ("an address of ours", 400, REQUEST_LINE, "POST https://sms.class.example.org/inbound HTTP/1.1\r\n"),
    ("no leading slash", 400, REQUEST_LINE, "POST inbound HTTP/1.1\r\n"),
    ("a star", 400, REQUEST_LINE, "OPTIONS * HTTP/1.1\r\n"),
    ("a tunnel", 400, REQUEST_LINE, "CONNECT sms.class.example.org:443 HTTP/1.1\r\n"),
    ("backslash in front", 400, REQUEST_LINE, "POST \\inbound HTTP/1.1\r\n"),
    ("NUL in the path", 400, REQUEST_LINE, "POST /inbound\0 HTTP/1.1\r\n"),
    ("umlaut in the path", 400, REQUEST_LINE, "POST /inb\u{f6}und HTTP/1.1\r\n"),
    ("LF after the first line", 400, REQUEST_LINE, "POST /inbound HTTP/1.1\n"),
    ("CR after the first line", 400, REQUEST_LINE, "POST /inbound HTTP/1.1\r"),
    ("no Host", 400, HOST, ""),
    ("two Hosts", 400, HOST, "Host: sms.class.example.org\r\nHost: sms.class.example.org\r\n"),
    ("folded header", 400, HOST, "Host: sms.class.example.org\r\nX-A: b\r\n c\r\n"),
    ("folded first line", 400, HOST, " X-A: b\r\nHost: sms.class.example.org\r\n"),
    ("no colon", 400, HOST, "Host: sms.class.example.org\r\nX-A\r\n"),
    ("no name", 400, HOST, "Host: sms.class.example.org\r\n: b\r\n"),
    ("blank before a colon", 400, HOST, "Host : sms.class.example.org\r\n"),
    ("blank in a name", 400, HOST, "Host: sms.class.example.org\r\nX A: b\r\n"),
    ("NUL in a name", 400, HOST, "Host: sms.class.example.org\r\nX\0A: b\r\n"),
    ("NUL in a value", 400, HOST, "Host: sms.class.example.org\r\nX-A: b\0c\r\n"),
    ("DEL in a value", 400, HOST, "Host: sms.class.example.org\r\nX-A: b\u{7f}c\r\n"),
    ("umlaut in a name", 400, HOST, "Host: sms.class.example.org\r\nX-\u{c4}: b\r\n"),
    ("umlaut in a value", 400, HOST, "Host: sms.class.example.org\r\nX-A: \u{e4}\r\n"),
    ("LF between headers", 400, HOST, "Host: sms.class.example.org\nX-A: b\r\n"),
    ("CR between headers", 400, HOST, "Host: sms.class.example.org\rX-A: b\r\n"),
    ("LF LF inside the head", 400, HOST, "Host: sms.class.example.org\n\nX-A: b\r\n"),
    ("unknown expectation", 417, HOST, "Host: sms.class.example.org\r\nExpect: wonders\r\n"),
];

/// The text with a line of its head replaced.
fn edited(text: &Webhook, line: &str, by: &str) -> Vec<u8> {
    let length = text.body.len().to_string();
    let whole = String::from_utf8(wire::bytes(text)).expect("our own text is ASCII");
    let (line, by) = (line.replace("{n}", &length), by.replace("{n}", &length));
    assert_eq!(
        whole.matches(&line).count(),
        1,
        "{line:?} is in the request"
    );
    whole.replacen(&line, &by, 1).into_bytes()
}

fn each_is_refused(edits: &[Edit]) {
    let class = class();
    for (name, status, line, by) in edits {
        let mallory = class.student();
        let bad = edited(&mallory.phrase_webhook(), line, by);
        let good = wire::bytes(&mallory.phrase_webhook());
        bears(&class, name, |address| {
            let mut wire = Wire::saying(address, &[bad, good].concat());
            let answer = wire
                .answer()
                .unwrap_or_else(|| panic!("no answer to {name}"));
            assert_eq!(answer.status, *status, "{name}");
            assert_eq!(answer.header("Connection"), Some("close"), "{name}");
            assert!(wire.is_closed(), "{name}");
        });
    }
}

#[test]
fn a_text_whose_end_is_in_doubt_is_refused_with_all_that_follows() {
    each_is_refused(LENGTHS);
}

#[test]
fn a_text_with_a_doubtful_head_is_refused_with_all_that_follows() {
    each_is_refused(HEADS);
}

/// A text in chunks, its framing damaged where `{n}` and `{body}` are not what they should be.
#[rustfmt::skip]
const CHUNKS: &[(u16, &str)] = &[
    (400, "zz\r\n{body}\r\n0\r\n\r\n"),
    (400, "-1\r\n{body}\r\n0\r\n\r\n"),
    (400, "+{n}\r\n{body}\r\n0\r\n\r\n"),
    (400, "0x{n}\r\n{body}\r\n0\r\n\r\n"),
    (400, "{n} \r\n{body}\r\n0\r\n\r\n"),
    (400, "{n}\n{body}\r\n0\r\n\r\n"),
    (400, "{n};a\n{body}\r\n0\r\n\r\n"),
    (400, "{n}\r\n{body}\n0\r\n\r\n"),
    (400, "{n}\r\n{body}x\r\n0\r\n\r\n"),
    (400, "{n}\r\n{body}0\r\n\r\n"),
    (400, "{n}\r\n{body}\r\n0\r\n\n"),
    (400, "{n}\r\n{body}\r\n0\r\nX-A\r\n\r\n"),
    (400, "000000{n}\r\n{body}\r\n0\r\n\r\n"),
    (413, "10001\r\n{body}"),
    (400, ""),
];

#[test]
fn a_text_in_chunks_whose_end_is_in_doubt_is_refused_with_all_that_follows() {
    let class = class();
    let mallory = class.student();
    let good = mallory.phrase_webhook();
    let follows = String::from_utf8(wire::bytes(&good)).unwrap();
    let length = good.body.len();
    for (status, chunks) in CHUNKS {
        let chunks = chunks
            .replace("{n}", &format!("{length:x}"))
            .replace("{body}", &good.body);
        let head = edited(&good, LENGTH, "Transfer-Encoding: chunked\r\n");
        let head = &head[..head.len() - length];
        bears(&class, &chunks, |address| {
            let bytes = [head, chunks.as_bytes(), follows.as_bytes()].concat();
            let mut wire = Wire::saying(address, &bytes);
            assert_eq!(wire.status(), *status, "{chunks:?}");
            assert!(wire.is_closed(), "{chunks:?}");
        });
    }
}

#[test]
fn a_text_in_proper_chunks_is_refused_where_another_reader_could_go_by_something_else() {
    let class = class();
    let mallory = class.student();
    let good = mallory.phrase_webhook();
    let follows = wire::bytes(&good);
    let length = good.body.len();
    let chunks = format!("{length:x}\r\n{}\r\n0\r\n\r\n", good.body);
    let lines = [
        "Content-Length: {n}\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: {n}\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
    ];
    let heads = lines.map(|lines| edited(&good, LENGTH, lines));
    let old = String::from_utf8(edited(&good, LENGTH, "Transfer-Encoding: chunked\r\n")).unwrap();
    let old = old.replacen("HTTP/1.1", "HTTP/1.0", 1).into_bytes();
    for head in heads.into_iter().chain([old]) {
        let head = &head[..head.len() - length];
        bears(&class, &String::from_utf8_lossy(head), |address| {
            let bytes = [head, chunks.as_bytes(), &follows].concat();
            let mut wire = Wire::saying(address, &bytes);
            assert_eq!(wire.status(), 400);
            assert!(wire.is_closed());
        });
    }
}

#[test]
fn lines_that_end_in_another_way_make_no_request() {
    let class = class();
    let mallory = class.student();
    let good = String::from_utf8(wire::bytes(&mallory.phrase_webhook())).unwrap();
    for bytes in [
        good.replace("\r\n", "\n"),
        good.replace("\r\n", "\r"),
        good.replace("\r\n", "\n\r"),
    ] {
        bears(&class, &bytes, |address| {
            let mut wire = Wire::saying(address, bytes.as_bytes());
            wire.half_closes();
            assert_eq!(wire.status(), 400);
            assert!(wire.is_closed());
        });
    }
}

#[test]
fn other_protocols_are_refused() {
    let class = class();
    let hello: &[u8] = b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03abcdefghijklmnopqrstuvwxyz012345";
    for (name, status, bytes) in [
        ("TLS", 400, hello),
        ("HTTP/0.9", 400, b"GET /healthz\r\n"),
        ("HTTP/0.9 and an empty line", 400, b"GET /healthz\r\n\r\n"),
        ("SSH", 400, b"SSH-2.0-OpenSSH_9.2\r\n"),
        ("SOCKS", 400, b"\x05\x01\0"),
        ("mail", 400, b"EHLO there\r\n"),
        ("Redis", 400, b"*1\r\n$4\r\nPING\r\n"),
        (
            "a proxy's own line",
            400,
            b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n\r\n",
        ),
        (
            "an answer",
            400,
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        ),
        ("an empty line", 400, b"\r\n"),
        ("NUL", 400, b"\0"),
    ] {
        bears(&class, name, |address| {
            let mut wire = Wire::saying(address, bytes);
            wire.half_closes();
            assert_eq!(wire.status(), status, "{name}");
            assert!(wire.is_closed(), "{name}");
        });
    }
}

#[test]
fn an_offer_to_change_the_protocol_is_ignored() {
    let class = class();
    for line in [
        "Upgrade: h2c\r\n",
        "Connection: X-Private\r\nX-Private: 1\r\nUpgrade: websocket\r\n",
    ] {
        let student = class.student();
        let text = student.phrase_webhook();
        let mut wire = Wire::saying(
            class.service().address(),
            &edited(&text, HOST, &format!("{HOST}{line}")),
        );
        assert_eq!(wire.status(), 200);
        // Still HTTP.
        wire.sends(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(wire.status(), 200);
        student.logs_in();
    }
    bears(&class, "offers", |_| ());
}

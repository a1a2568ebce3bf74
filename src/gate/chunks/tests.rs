use super::*;

const HEAD: &[u8] = b"head";

/// A body and what follows it, if it is whole, or the status of a refusal.
type Decoded = Result<Option<(Vec<u8>, Vec<u8>)>, u16>;

fn decode(bytes: &[u8], limits: &Limits) -> Decoded {
    let mut buffer = [HEAD, bytes].concat();
    let mut chunks = Chunks::at(HEAD.len());
    let decoded = chunks.decode(&mut buffer, limits);
    let length = decoded.map_err(|refusal| refusal.status)?;
    assert!(buffer.starts_with(HEAD));
    Ok(length.map(|length| {
        let (body, rest) = buffer[HEAD.len()..].split_at(length);
        (body.to_vec(), rest.to_vec())
    }))
}

fn whole(text: &str) -> String {
    let decoded = decode(text.as_bytes(), &Limits::default());
    let (body, rest) = decoded.unwrap().expect("a whole body");
    assert_eq!(rest, b"GET", "{text:?}");
    String::from_utf8(body).unwrap()
}

#[test]
fn framing_is_removed_and_what_follows_is_left() {
    for (body, text) in [
        ("", "0\r\n\r\nGET"),
        ("", "00000000\r\n\r\nGET"),
        ("hello", "5\r\nhello\r\n0\r\n\r\nGET"),
        ("hello", "00000005\r\nhello\r\n000\r\n\r\nGET"),
        ("hello", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\nGET"),
        ("0123456789abcdef", "10\r\n0123456789abcdef\r\n0\r\n\r\nGET"),
        ("0123456789", "a\r\n0123456789\r\n0\r\n\r\nGET"),
        ("0123456789", "A\r\n0123456789\r\n0\r\n\r\nGET"),
        ("\r\n0\r\n\r\n", "7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\nGET"),
        ("hello", "5;a=b;c=\"d e\"\r\nhello\r\n0;x\r\n\r\nGET"),
        ("hello", "5\r\nhello\r\n0\r\nX-A: b\r\nX-B:\r\n\r\nGET"),
    ] {
        assert_eq!(whole(text), body, "{text:?}");
    }
}

/// Every row is refused with this status, and no more than these bytes are needed to say so.
const REFUSED: &[(u16, &str, &str)] = &[
    (400, "no size", "\r\n"),
    (400, "an extension without a size", ";a\r\n"),
    (400, "letters", "xyz\r\n"),
    (400, "a prefix", "0x5\r\n"),
    (400, "a plus sign", "+5\r\n"),
    (400, "a minus sign", "-1\r\n"),
    (400, "a blank in front", " 5\r\n"),
    (400, "a blank behind", "5 \r\n"),
    (400, "a blank before the extension", "5 ;a\r\n"),
    (400, "a tab behind", "5\t\r\n"),
    (400, "two sizes", "5 5\r\n"),
    (400, "an underscore", "1_0\r\n"),
    (400, "nine digits", "000000005\r\n"),
    (400, "a bare LF", "5\n"),
    (400, "a bare LF in an extension", "5;a\n"),
    (400, "a bare CR in an extension", "5;a\rb\r\n"),
    (400, "CR CR LF", "5\r\r\n"),
    (400, "NUL in an extension", "5;a\0\r\n"),
    (400, "an umlaut in an extension", "5;\u{e4}\r\n"),
    (400, "a chunk that is longer than announced", "5\r\nhelloo"),
    (400, "a bare LF behind a chunk", "5\r\nhello\n"),
    (400, "CR CR behind a chunk", "5\r\nhello\r\r"),
    (400, "a bare LF as the end", "0\r\n\n"),
    (400, "a trailer without a colon", "0\r\nX-A\r\n"),
    (400, "a trailer without a name", "0\r\n: b\r\n"),
    (400, "a blank before a trailer's colon", "0\r\nX-A : b\r\n"),
    (400, "a folded trailer", "0\r\nX-A: b\r\n c\r\n"),
    (400, "a bare LF behind a trailer", "0\r\nX-A: b\n"),
    (400, "NUL in a trailer", "0\r\nX-A: b\0\r\n"),
    (
        400,
        "a request in place of the end",
        "0\r\nGET / HTTP/1.1\r\n",
    ),
    (413, "64 KiB and one byte", "10001\r\n"),
    (
        413,
        "one byte too many in the second chunk",
        "3\r\nabc\r\nfffe\r\n",
    ),
];

#[test]
fn what_could_be_misunderstood_is_refused() {
    for (status, name, text) in REFUSED {
        let decoded = decode(text.as_bytes(), &Limits::default());
        assert_eq!(decoded, Err(*status), "{name}");
    }
}

#[test]
fn the_verdict_is_the_same_however_slowly_the_bytes_come() {
    for (status, name, text) in REFUSED {
        let (mut buffer, mut chunks) = (HEAD.to_vec(), Chunks::at(HEAD.len()));
        let verdict = text.bytes().find_map(|byte| {
            buffer.push(byte);
            let decoded = chunks.decode(&mut buffer, &Limits::default());
            assert_ne!(decoded, Ok(Some(5)), "{name}");
            decoded.err().map(|refusal| refusal.status)
        });
        assert_eq!(verdict, Some(*status), "{name}");
    }
}

#[test]
fn a_body_is_awaited_until_its_last_byte() {
    let text = "5;a\r\nhello\r\n1\r\n!\r\n0\r\nX-A: b\r\n\r\n";
    for end in 0..text.len() {
        let decoded = decode(&text.as_bytes()[..end], &Limits::default());
        assert_eq!(decoded, Ok(None), "cut at {end}");
    }
}

#[test]
fn each_bound_holds_at_its_last_value_and_not_beyond() {
    let limits = Limits {
        body_bytes: 10,
        chunks: 3,
        chunk_line_bytes: 12,
        header_lines: 2,
        trailer_bytes: 14,
        ..Limits::default()
    };
    let verdict = |text: &str| match decode(text.as_bytes(), &limits) {
        Ok(Some(_)) => 200,
        Ok(None) => 0,
        Err(status) => status,
    };
    let end = "0\r\n\r\n";
    assert_eq!(verdict(&format!("a\r\n0123456789\r\n{end}")), 200);
    assert_eq!(verdict("b\r\n"), 413);
    assert_eq!(verdict("a\r\n0123456789\r\n1\r\n"), 413);
    assert_eq!(verdict(&format!("{}{end}", "1\r\na\r\n".repeat(3))), 200);
    assert_eq!(verdict(&"1\r\na\r\n".repeat(4)), 400);
    assert_eq!(verdict(&format!("1;abcdefgh\r\na\r\n{end}")), 200);
    assert_eq!(verdict("1;abcdefghi\r"), 400);
    assert_eq!(verdict("0\r\nA: bc\r\nD: ef\r\n\r\n"), 200);
    assert_eq!(verdict("0\r\nA: bc\r\nD: efg\r\n"), 400);
    assert_eq!(verdict("0\r\nA:\r\nB:\r\nC:\r\n"), 400);
}

//! The bytes of a connection, and the requests that the gate finds in them.
//!
//! The input is what a client sends. A request that passes must be readable in one way only.

use std::sync::LazyLock;

use coder_sms_register::gate::{Head, HeadResult, Intake, Limits, Persistence, Scan};

use crate::chunks::{Bounds, Read, read};
use crate::pick;

/// Narrow, so that inputs of a few hundred bytes come to the edges.
static LIMITS: LazyLock<Limits> = LazyLock::new(|| Limits {
    head_bytes: 512,
    header_lines: 8,
    body_bytes: 300,
    chunks: 6,
    chunk_line_bytes: 20,
    trailer_bytes: 40,
    ..Limits::default()
});
const BOUNDS: Bounds = Bounds {
    body: 300,
    chunks: 6,
    line: 20,
    trailer_lines: 8,
    trailers: 40,
};
/// Wide enough for whatever has passed and was written anew.
static WIDE: LazyLock<Limits> = LazyLock::new(Limits::default);

/// Reads the input, and panics where the service reads it wrongly.
pub fn check(input: &[u8]) {
    let mut rest = input;
    // What the server behind should get, and the status of the refusal that ends it.
    let (mut passed, mut refused) = (Vec::new(), None);
    loop {
        let parsed = Scan::default().read(rest, &LIMITS);
        comes_to_the_same_in_pieces(rest, &parsed);
        let head = match parsed {
            HeadResult::Complete(head) => head,
            HeadResult::Bad(refusal) => {
                refused = Some(refusal.status);
                break;
            }
            HeadResult::Incomplete => break,
        };
        assert!(head.len <= rest.len().min(LIMITS.head_bytes) && head.body <= LIMITS.body_bytes);
        let request = Request::read(&rest[..head.len]);
        agrees(&request, &head);
        rest = &rest[head.len..];
        let (body, later) = if head.chunked {
            match read(rest, &BOUNDS) {
                Read::Whole(body, later) => (body, later),
                Read::Incomplete => break,
                Read::Bad(status) => {
                    refused = Some(status);
                    break;
                }
            }
        } else if let Some((body, later)) = rest.split_at_checked(head.body) {
            (body.to_vec(), later)
        } else {
            break;
        };
        let forwarded = forward(&request, Some((body.len(), head.chunked)));
        stays_the_same(forwarded.as_bytes(), body.len());
        passed.extend_from_slice(forwarded.as_bytes());
        passed.extend_from_slice(&body);
        rest = later;
        if head.persist == Persistence::Close {
            break;
        }
    }
    passes(input, &passed, refused);
}

/// However the bytes arrive, the server behind gets these, and the client this refusal.
fn passes(input: &[u8], passed: &[u8], refused: Option<u16>) {
    let (mut intake, mut upstream) = (Intake::default(), Vec::new());
    let mut end = 0;
    while end < input.len() {
        let start = end;
        end = (end + 1 + pick(&input[..end], 9)).min(input.len());
        intake.push(&input[start..end]);
        loop {
            match intake.parse(&LIMITS) {
                Ok(false) => break,
                Ok(true) => {
                    intake.take(&mut upstream, None).expect("a whole request");
                    if intake.persist() == Persistence::Close {
                        return assert_eq!((&upstream[..], None), (passed, refused));
                    }
                    intake.next();
                }
                Err(refusal) => {
                    let status = Some(refusal.status);
                    return assert_eq!((&upstream[..], status), (passed, refused));
                }
            }
        }
    }
    assert_eq!((&upstream[..], None), (passed, refused));
}

/// However the bytes arrive, the verdict is the same, and it comes with the last byte of the head.
fn comes_to_the_same_in_pieces(bytes: &[u8], at_once: &HeadResult) {
    let mut scan = Scan::default();
    let mut end = 0;
    while end < bytes.len() {
        end = (end + 1 + pick(&bytes[..end], 7)).min(bytes.len());
        match (scan.read(&bytes[..end], &LIMITS), at_once) {
            (HeadResult::Incomplete, HeadResult::Complete(head)) => assert!(end < head.len),
            (HeadResult::Incomplete, _) => {}
            (HeadResult::Bad(early), HeadResult::Bad(late)) => return assert_eq!(early, *late),
            (HeadResult::Complete(early), HeadResult::Complete(late)) => {
                return assert_eq!((early.len, early.forward), (late.len, late.forward.clone()));
            }
            (early, late) => panic!("{early:?}, but {late:?}"),
        }
    }
    assert!(
        matches!(at_once, HeadResult::Incomplete),
        "{at_once:?} of {bytes:?}"
    );
}

/// A head in the strictest reading that there is: anything unusual is a failure.
struct Request<'a> {
    method: &'a str,
    target: &'a str,
    version: &'a str,
    headers: Vec<(&'a str, &'a str)>,
}

impl<'a> Request<'a> {
    fn read(bytes: &'a [u8]) -> Self {
        let text = std::str::from_utf8(bytes).expect("ASCII");
        let lines = text.strip_suffix("\r\n\r\n").expect("an empty line");
        let mut lines = lines.split("\r\n");
        let first: Vec<&str> = lines.next().expect("a line").split(' ').collect();
        let [method, target, version] = first[..] else {
            panic!("{first:?}");
        };
        assert!((1..=16).contains(&method.len()) && method.bytes().all(|b| b.is_ascii_uppercase()));
        assert!(target.starts_with('/') && target.bytes().all(|b| b.is_ascii_graphic()));
        assert!(["HTTP/1.0", "HTTP/1.1"].contains(&version), "{version}");
        let headers = lines.map(Self::header).collect();
        Self {
            method,
            target,
            version,
            headers,
        }
    }

    fn header(line: &'a str) -> (&'a str, &'a str) {
        let (name, value) = line.split_once(':').expect("a colon");
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        assert!(!name.is_empty() && name.bytes().all(token), "{line:?}");
        assert!(
            value.bytes().all(|b| matches!(b, b'\t' | b' '..=b'~')),
            "{line:?}"
        );
        (name, value.trim_matches([' ', '\t']))
    }

    fn named(&self, name: &str) -> Vec<&'a str> {
        let named = self
            .headers
            .iter()
            .filter(|(n, _)| n.eq_ignore_ascii_case(name));
        named.map(|(_, value)| *value).collect()
    }

    /// Whether `Connection` names that.
    fn connection(&self, name: &str) -> bool {
        let values = self.named("Connection");
        let mut words = values.iter().flat_map(|value| value.split(','));
        words.any(|word| word.trim_matches([' ', '\t']).eq_ignore_ascii_case(name))
    }
}

/// The gate has read the head as the strictest reader does, and hands on what it should.
fn agrees(request: &Request<'_>, head: &Head) {
    let lengths = request.named("Content-Length");
    let length = match lengths[..] {
        [] => 0,
        [one] => one.parse().expect("a number"),
        _ => panic!("several lengths pass"),
    };
    assert!(
        lengths
            .iter()
            .all(|length| length.bytes().all(|b| b.is_ascii_digit()))
    );
    assert_eq!(length, head.body);
    let encodings = request.named("Transfer-Encoding");
    assert_eq!(head.chunked, !encodings.is_empty());
    let new = request.version == "HTTP/1.1";
    if head.chunked {
        let [one] = encodings[..] else {
            panic!("several encodings pass");
        };
        assert!(one.eq_ignore_ascii_case("chunked") && new && lengths.is_empty());
    }
    let hosts = request.named("Host").len();
    assert!(if new { hosts == 1 } else { hosts <= 1 });
    let continues = !request.named("Expect").is_empty();
    assert_eq!(
        head.wants_continue,
        continues && new && (length > 0 || head.chunked)
    );
    assert_eq!(head.is_head, request.method == "HEAD");
    let persist = match (
        new,
        request.connection("close"),
        request.connection("keep-alive"),
    ) {
        (_, true, _) | (false, _, false) => Persistence::Close,
        (true, ..) => Persistence::Keep,
        (false, ..) => Persistence::KeepExplicit,
    };
    assert_eq!(head.persist, persist);
    assert_eq!(
        String::from_utf8_lossy(&head.forward),
        forward(request, (!head.chunked).then_some((length, false)))
    );
}

const KEPT_BACK: [&str; 14] = [
    "connection",
    "content-length",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
    "x-real-ip",
];

/// The head that the server behind should get. A body in chunks has its length written in any case; while that is not
/// known, the head has neither length nor end.
fn forward(request: &Request<'_>, body: Option<(usize, bool)>) -> String {
    let Request { method, target, .. } = request;
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: gate\r\n");
    for (name, value) in &request.headers {
        let lower = name.to_ascii_lowercase();
        let kept_back = KEPT_BACK.contains(&lower.as_str()) || lower.starts_with("x-gate-");
        if !kept_back && !request.connection(name) {
            head += &format!("{name}: {value}\r\n");
        }
    }
    let Some((length, chunked)) = body else {
        return head;
    };
    if chunked || length > 0 || ["POST", "PUT", "PATCH"].contains(method) {
        head += &format!("Content-Length: {length}\r\n");
    }
    head + "\r\n"
}

/// What was written anew passes again and is already in its last form; nobody can read more lines in it than we do.
fn stays_the_same(head: &[u8], body: usize) {
    let HeadResult::Complete(again) = Scan::default().read(head, &WIDE) else {
        panic!("{:?} does not pass", String::from_utf8_lossy(head));
    };
    // A length of 0 is written for methods that may have a body, and for a body in chunks.
    if body > 0 {
        assert_eq!(again.forward, head);
    }
    assert_eq!((again.len, again.body), (head.len(), body));
    assert!(!again.chunked);
    let ends = head.iter().filter(|b| b"\r\n".contains(b)).count();
    let lines = head.windows(2).filter(|pair| pair == b"\r\n").count();
    assert_eq!(ends, 2 * lines);
}

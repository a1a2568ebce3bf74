//! Parser of a request's head. No socket, no clock.
//!
//! It decides which requests are unambiguous. Anything that two parsers could read in two ways is
//! refused, and a valid head is rewritten, so that the upstream never sees a client's own bytes of
//! framing.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use httparse::{EMPTY_HEADER, Error, Header, Status};

use super::answer::{GateRefusal, Persistence};
use super::{Limits, client};

/// The most header lines that can be parsed; [`Limits::header_lines`] may be lower.
const MOST_HEADER_LINES: usize = 128;
const METHOD_LETTERS: RangeInclusive<usize> = 1..=16;
const LENGTH_DIGITS: RangeInclusive<usize> = 1..=10;

/// Headers that concern only the client's connection, that the gate writes itself, or that only a
/// trusted proxy may set.
const NEVER_FORWARDED: [&str; 14] = [
    "Connection",
    "Content-Length",
    "Expect",
    "Forwarded",
    "Host",
    "Keep-Alive",
    "Proxy-Authorization",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "X-Forwarded-For",
    "X-Real-Ip",
];
const OUR_OWN_PREFIX: &[u8] = b"x-gate-";

const BAD_START: GateRefusal =
    GateRefusal::bad_request("start with a method in capital letters, in plain HTTP");
const BARE_LF: GateRefusal = GateRefusal::bad_request("end every line with CR LF");
const BAD_HEAD: GateRefusal =
    GateRefusal::bad_request("send a request line and `Name: value` lines, each on one line");
const BAD_METHOD: GateRefusal = GateRefusal::bad_request("use a method of 1 to 16 capital letters");
const BAD_TARGET: GateRefusal =
    GateRefusal::bad_request("use a target that starts with / and is printable ASCII");
const BAD_VALUE: GateRefusal = GateRefusal::bad_request("use printable ASCII in header values");
const BAD_LENGTH: GateRefusal =
    GateRefusal::bad_request("send one Content-Length of 1 to 10 digits");
const BAD_ENCODING: GateRefusal = GateRefusal::bad_request(
    "send one Content-Length, or in HTTP/1.1 `Transfer-Encoding: chunked` alone",
);
const BAD_HOST: GateRefusal = GateRefusal::bad_request("send exactly one Host header");
const HEAD_TOO_LARGE: GateRefusal = GateRefusal {
    status: 431,
    reason: "Request Header Fields Too Large",
    cure: "send fewer and shorter header lines",
};
pub(super) const BODY_TOO_LARGE: GateRefusal = GateRefusal {
    status: 413,
    reason: "Content Too Large",
    cure: "send a shorter body",
};
const BAD_EXPECTATION: GateRefusal = GateRefusal {
    status: 417,
    reason: "Expectation Failed",
    cure: "expect 100-continue or nothing",
};
const BAD_VERSION: GateRefusal = GateRefusal {
    status: 505,
    reason: "HTTP Version Not Supported",
    cure: "use HTTP/1.1 or HTTP/1.0",
};

/// The result of parsing the bytes received so far.
#[derive(Debug)]
pub enum HeadResult {
    /// Valid so far; more bytes are needed.
    Incomplete,
    /// Not a valid request, whatever follows.
    Bad(GateRefusal),
    /// The head is complete and valid.
    Complete(Head),
}

/// A valid head.
#[derive(Debug)]
pub struct Head {
    /// Its length in bytes.
    pub len: usize,
    /// Bytes of the body. With `chunked` it is 0 until the body is decoded.
    pub body: usize,
    /// The body is chunked.
    pub chunked: bool,
    /// Whether the client's connection persists.
    pub persist: Persistence,
    /// The method is HEAD, so the answer has no body.
    pub is_head: bool,
    /// The client waits for `100 Continue` before it sends the body.
    pub wants_continue: bool,
    /// The last address of the last `X-Forwarded-For`, if there is one.
    pub forwarded_for: Option<IpAddr>,
    /// The rewritten head for the upstream. With `chunked` it lacks its end: see
    /// [`Head::end_with_length`].
    pub forward: Vec<u8>,
}

impl Head {
    /// Completes the head of a chunked body, which is decoded now and has `length` bytes.
    pub(super) fn end_with_length(&mut self, length: usize) {
        self.body = length;
        write_length(length, &mut self.forward);
        self.forward.extend_from_slice(b"\r\n");
    }
}

/// The position of the search for the head's end, so that no byte is scanned twice however slowly
/// they arrive.
#[derive(Default)]
pub struct Scan {
    at: usize,
    line_start: usize,
    lines: usize,
}

impl Scan {
    /// Parses the head at the start of `bytes`, which grow from call to call.
    pub fn read(&mut self, bytes: &[u8], limits: &Limits) -> HeadResult {
        match self.find_end(bytes, limits) {
            Ok(None) => HeadResult::Incomplete,
            Ok(Some(end)) => {
                parse(&bytes[..end], limits).map_or_else(HeadResult::Bad, HeadResult::Complete)
            }
            Err(refusal) => HeadResult::Bad(refusal),
        }
    }

    /// The length of the head once its empty line has arrived. A bare LF is refused: httparse
    /// accepts it as the end of a line, other parsers do not.
    fn find_end(&mut self, bytes: &[u8], limits: &Limits) -> Result<Option<usize>, GateRefusal> {
        if bytes
            .first()
            .is_some_and(|first| !first.is_ascii_uppercase())
        {
            return Err(BAD_START);
        }
        let window = &bytes[..bytes.len().min(limits.head_bytes)];
        while let Some(lf) = window[self.at..]
            .iter()
            .position(|byte| *byte == b'\n')
            .map(|offset| self.at + offset)
        {
            if !window[..lf].ends_with(b"\r") {
                return Err(BARE_LF);
            }
            self.at = lf + 1;
            if lf == self.line_start + 1 {
                return Ok(Some(self.at));
            }
            self.line_start = self.at;
            self.lines += 1;
            if self.lines > 1 + limits.header_lines.min(MOST_HEADER_LINES) {
                return Err(HEAD_TOO_LARGE);
            }
        }
        self.at = window.len();
        if window.len() >= limits.head_bytes {
            Err(HEAD_TOO_LARGE)
        } else {
            Ok(None)
        }
    }
}

/// Validates a head that ends with its empty line.
fn parse(head: &[u8], limits: &Limits) -> Result<Head, GateRefusal> {
    let mut lines = [EMPTY_HEADER; MOST_HEADER_LINES];
    let mut request = httparse::Request::new(&mut lines);
    match request.parse(head) {
        Ok(Status::Complete(len)) if len == head.len() => {}
        Ok(_) => return Err(BAD_HEAD),
        Err(error) => return Err(refusal_for(error, head)),
    }
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version)
    else {
        return Err(BAD_HEAD);
    };
    if !METHOD_LETTERS.contains(&method.len())
        || !method.bytes().all(|byte| byte.is_ascii_uppercase())
    {
        return Err(BAD_METHOD);
    }
    if !target.starts_with('/') || !target.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(BAD_TARGET);
    }
    let framing = Framing::of(request.headers, minor)?;
    if framing
        .length
        .is_some_and(|length| length > limits.body_bytes)
    {
        return Err(BODY_TOO_LARGE);
    }
    let body = framing.length.unwrap_or(0);
    let chunked = framing.chunked;
    Ok(Head {
        len: head.len(),
        body,
        chunked,
        persist: framing.persist(minor),
        is_head: method == "HEAD",
        // HTTP/1.0 has no interim answers.
        wants_continue: framing.wants_continue && minor == 1 && (body > 0 || chunked),
        forwarded_for: framing.forwarded_for.and_then(client::last_forwarded),
        forward: framing.forward(
            method,
            target,
            body,
            wanted(request.headers, limits),
            head.len(),
        ),
    })
}

/// The headers that the upstream reads.
fn wanted<'a>(headers: &'a [Header<'a>], limits: &Limits) -> impl Iterator<Item = &'a Header<'a>> {
    let forwarded = limits.forwarded;
    headers.iter().filter(move |header| {
        let is = |name: &&str| header.name.eq_ignore_ascii_case(name);
        forwarded.is_none_or(|names| names.iter().any(is))
    })
}

fn refusal_for(error: Error, head: &[u8]) -> GateRefusal {
    match error {
        Error::TooManyHeaders => HEAD_TOO_LARGE,
        Error::HeaderValue => BAD_VALUE,
        // "HTTP/1.2" is an unsupported version; "FOO" is none at all.
        Error::Version if names_http_version(head) => BAD_VERSION,
        _ => BAD_HEAD,
    }
}

fn names_http_version(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    line.rsplit(|byte| *byte == b' ')
        .next()
        .unwrap_or_default()
        .starts_with(b"HTTP/")
}

/// What the headers say about the end of the request, about its connection and its client.
#[derive(Default)]
struct Framing<'a> {
    length: Option<usize>,
    chunked: bool,
    hosts: usize,
    wants_continue: bool,
    /// The values of `Connection`. Each may name several options, and headers that concern only
    /// this connection.
    connection: Vec<&'a [u8]>,
    /// The last value of `X-Forwarded-For`.
    forwarded_for: Option<&'a [u8]>,
}

impl<'a> Framing<'a> {
    fn of(headers: &[Header<'a>], minor: u8) -> Result<Self, GateRefusal> {
        let mut framing = Self::default();
        for header in headers {
            framing.add(header)?;
        }
        // RFC 9112, section 6.1: a proxy in front may have used the length, or may not support
        // chunks.
        if framing.chunked && (framing.length.is_some() || minor != 1) {
            return Err(BAD_ENCODING);
        }
        let hosts_wanted = if minor == 1 { 1..=1 } else { 0..=1 };
        if hosts_wanted.contains(&framing.hosts) {
            Ok(framing)
        } else {
            Err(BAD_HOST)
        }
    }

    fn add(&mut self, header: &Header<'a>) -> Result<(), GateRefusal> {
        if !is_printable(header.value) {
            return Err(BAD_VALUE);
        }
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        if is("Transfer-Encoding") {
            // Only this one word: parsers disagree about lists, other codings and repetitions.
            let plain = header.value.eq_ignore_ascii_case(b"chunked");
            if !plain || std::mem::replace(&mut self.chunked, true) {
                return Err(BAD_ENCODING);
            }
        } else if is("Content-Length") {
            let length = length_of(header.value).ok_or(BAD_LENGTH)?;
            if self.length.replace(length).is_some() {
                return Err(BAD_LENGTH);
            }
        } else if is("Host") {
            self.hosts += 1;
        } else if is("Expect") {
            if !header.value.eq_ignore_ascii_case(b"100-continue") {
                return Err(BAD_EXPECTATION);
            }
            self.wants_continue = true;
        } else if is("Connection") {
            self.connection.push(header.value);
        } else if is("X-Forwarded-For") {
            self.forwarded_for = Some(header.value);
        }
        Ok(())
    }

    /// Whether `Connection` names this option or header.
    fn connection_names(&self, name: &str) -> bool {
        let mut options = self
            .connection
            .iter()
            .flat_map(|value| value.split(|byte| *byte == b','));
        options.any(|option| option.trim_ascii().eq_ignore_ascii_case(name.as_bytes()))
    }

    fn persist(&self, minor: u8) -> Persistence {
        if self.connection_names("close") {
            Persistence::Close
        } else if minor == 1 {
            Persistence::Keep
        } else if self.connection_names("keep-alive") {
            Persistence::KeepExplicit
        } else {
            Persistence::Close
        }
    }

    fn forward<'h>(
        &self,
        method: &str,
        target: &str,
        body: usize,
        headers: impl Iterator<Item = &'h Header<'h>>,
        room: usize,
    ) -> Vec<u8> {
        let mut out = Vec::with_capacity(room + 64);
        for part in [method, " ", target, " HTTP/1.1\r\nHost: gate\r\n"] {
            out.extend_from_slice(part.as_bytes());
        }
        for header in headers.filter(|header| self.may_pass(header.name)) {
            out.extend_from_slice(header.name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(header.value);
            out.extend_from_slice(b"\r\n");
        }
        if self.chunked {
            return out;
        }
        if body > 0 || matches!(method, "POST" | "PUT" | "PATCH") {
            write_length(body, &mut out);
        }
        out.extend_from_slice(b"\r\n");
        out
    }

    fn may_pass(&self, name: &str) -> bool {
        let ours = name
            .as_bytes()
            .get(..OUR_OWN_PREFIX.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(OUR_OWN_PREFIX));
        !ours
            && !NEVER_FORWARDED
                .iter()
                .any(|never| name.eq_ignore_ascii_case(never))
            && !self.connection_names(name)
    }
}

fn write_length(length: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("Content-Length: {length}\r\n").as_bytes());
}

/// Whether `bytes` are printable ASCII, spaces and tabs.
pub(super) fn is_printable(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
}

/// Whether `name` can be the name of a header (RFC 9110, section 5.6.2).
pub(super) fn is_token(name: &[u8]) -> bool {
    let of_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !name.is_empty() && name.iter().all(of_token)
}

/// The value of `Content-Length`. Digits only, as parsers disagree about `+5`, `5, 5` and `0x5`.
fn length_of(value: &[u8]) -> Option<usize> {
    if !LENGTH_DIGITS.contains(&value.len()) || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // Ten digits may exceed the `usize` of a 32-bit machine; such a length is above any limit.
    let length: u64 = std::str::from_utf8(value).ok()?.parse().ok()?;
    Some(usize::try_from(length).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod mutations;
#[cfg(test)]
mod tests;

//! Parser of a request's head. No socket, no clock.
//!
//! It decides which requests are unambiguous. Anything that two parsers could read in two ways is
//! refused, and a valid head is rewritten, so that the upstream never sees a client's own bytes of
//! framing.

mod framing;

use std::net::IpAddr;
use std::ops::RangeInclusive;

use httparse::{EMPTY_HEADER, Error, Header, Status};

use super::answer::{GateRefusal, Persistence};
use super::{Limits, client};
use framing::{BAD_VALUE, Framing, write_length};

/// The most header lines that can be parsed; [`Limits::header_lines`] may be lower.
const MOST_HEADER_LINES: usize = 128;
const METHOD_LETTERS: RangeInclusive<usize> = 1..=16;

const BAD_START: GateRefusal =
    GateRefusal::bad_request("start with a method in capital letters, in plain HTTP");
const BARE_LF: GateRefusal = GateRefusal::bad_request("end every line with CR LF");
const BAD_HEAD: GateRefusal =
    GateRefusal::bad_request("send a request line and `Name: value` lines, each on one line");
const BAD_METHOD: GateRefusal = GateRefusal::bad_request("use a method of 1 to 16 capital letters");
const BAD_TARGET: GateRefusal =
    GateRefusal::bad_request("use a target that starts with / and is printable ASCII");
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

/// Whether `bytes` are printable ASCII, spaces and tabs.
pub(super) fn is_printable(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
}

/// Whether `name` can be the name of a header (RFC 9110, section 5.6.2).
pub(super) fn is_token(name: &[u8]) -> bool {
    let of_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !name.is_empty() && name.iter().all(of_token)
}

#[cfg(test)]
mod mutations;
#[cfg(test)]
mod tests;

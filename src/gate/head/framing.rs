//! What the headers say about the end of a request, about its connection and its client, and the head that is passed on.

use std::ops::RangeInclusive;

use httparse::Header;

use super::is_printable;
use crate::gate::answer::{GateRefusal, Persistence};

const LENGTH_DIGITS: RangeInclusive<usize> = 1..=10;
const OUR_OWN_PREFIX: &[u8] = b"x-gate-";
pub(super) const BAD_VALUE: GateRefusal =
    GateRefusal::bad_request("use printable ASCII in header values");
const BAD_LENGTH: GateRefusal =
    GateRefusal::bad_request("send one Content-Length of 1 to 10 digits");
const BAD_ENCODING: GateRefusal = GateRefusal::bad_request(
    "send one Content-Length, or in HTTP/1.1 `Transfer-Encoding: chunked` alone",
);
const BAD_HOST: GateRefusal = GateRefusal::bad_request("send exactly one Host header");
const BAD_EXPECTATION: GateRefusal = GateRefusal {
    status: 417,
    reason: "Expectation Failed",
    cure: "expect 100-continue or nothing",
};

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

/// What the headers say about the end of the request, about its connection and its client.
#[derive(Default)]
pub(super) struct Framing<'a> {
    pub(super) length: Option<usize>,
    pub(super) chunked: bool,
    pub(super) hosts: usize,
    pub(super) wants_continue: bool,
    /// The values of `Connection`. Each may name several options, and headers that concern only
    /// this connection.
    pub(super) connection: Vec<&'a [u8]>,
    /// The last value of `X-Forwarded-For`.
    pub(super) forwarded_for: Option<&'a [u8]>,
}

impl<'a> Framing<'a> {
    pub(super) fn of(headers: &[Header<'a>], minor: u8) -> Result<Self, GateRefusal> {
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
    pub(super) fn connection_names(&self, name: &str) -> bool {
        let mut options = self
            .connection
            .iter()
            .flat_map(|value| value.split(|byte| *byte == b','));
        options.any(|option| option.trim_ascii().eq_ignore_ascii_case(name.as_bytes()))
    }

    pub(super) fn persist(&self, minor: u8) -> Persistence {
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

    pub(super) fn forward<'h>(
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

pub(super) fn write_length(length: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("Content-Length: {length}\r\n").as_bytes());
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

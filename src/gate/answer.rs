//! Answers to clients: the gate's own error answers, and the upstream's answers, rewritten.
//!
//! An answer of the upstream is used only if its end is certain. Otherwise the whole connection to
//! the upstream has to be dropped, because the next answer could go to the wrong client.

use httparse::{EMPTY_HEADER, Header, Status};

/// Far above any answer of the service. Above it, the upstream is broken or the parser has lost its
/// position.
const MOST_ANSWER_BYTES: usize = 1024 * 1024;
const MOST_HEADER_LINES: usize = 64;
const NOT_FOR_CLIENTS: [&str; 4] = ["Connection", "Keep-Alive", "Server", "Content-Length"];

/// Sent to a client that waits for it before it sends the body.
pub(super) const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// An error answer of the gate itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateRefusal {
    /// The HTTP status.
    pub status: u16,
    /// The standard reason phrase of the status.
    pub reason: &'static str,
    /// What the client should do instead.
    pub cure: &'static str,
}

impl GateRefusal {
    pub(super) const TOO_SLOW: Self = Self {
        status: 408,
        reason: "Request Timeout",
        cure: "send the whole request at once",
    };
    pub(super) const INCOMPLETE: Self =
        Self::bad_request("send the whole request before you close your side");
    pub(super) const UPSTREAM_UNAVAILABLE: Self = Self {
        status: 503,
        reason: "Service Unavailable",
        cure: "try again",
    };
    pub(super) const STOPPING: Self = Self {
        status: 503,
        reason: "Service Unavailable",
        cure: "stopping, try again later",
    };
    pub(super) const OVERLOADED: Self = Self {
        status: 503,
        reason: "Service Unavailable",
        cure: "overloaded, try again later",
    };
    pub(super) const UPSTREAM_TIMEOUT: Self = Self {
        status: 504,
        reason: "Gateway Timeout",
        cure: "no answer in time, try again",
    };

    pub(super) const fn bad_request(cure: &'static str) -> Self {
        Self {
            status: 400,
            reason: "Bad Request",
            cure,
        }
    }

    /// Writes the whole answer, which always closes the connection. An answer to HEAD has no body.
    pub(super) fn write(self, to_head: bool, out: &mut Vec<u8>) {
        let Self {
            status,
            reason,
            cure,
        } = self;
        let body = format!("{status} {}: {cure}\n", reason.to_ascii_lowercase());
        let head = format!(
            "HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        out.extend_from_slice(head.as_bytes());
        if !to_head {
            out.extend_from_slice(body.as_bytes());
        }
    }
}

/// Whether the client's connection persists after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// It stays open, which is the default in HTTP/1.1.
    Keep,
    /// It stays open, and the answer says so, as HTTP/1.0 requires.
    KeepExplicit,
    /// It is closed.
    Close,
}

impl Persistence {
    const fn line(self) -> &'static [u8] {
        match self {
            Self::Keep => b"",
            Self::KeepExplicit => b"Connection: keep-alive\r\n",
            Self::Close => b"Connection: close\r\n",
        }
    }
}

/// An answer of the upstream, ready for its client.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Relay {
    /// Its length in the bytes from the upstream.
    pub used: usize,
    /// The bytes to send to the client.
    pub bytes: Vec<u8>,
}

/// The upstream closed the connection or sent bytes that are not a usable answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BrokenResponse;

/// Rewrites the first answer in `bytes`; `None` while it is incomplete. `to_head`: it answers HEAD,
/// so it has no body.
pub(super) fn relay(
    bytes: &[u8],
    to_head: bool,
    persist: Persistence,
) -> Result<Option<Relay>, BrokenResponse> {
    let mut lines = [EMPTY_HEADER; MOST_HEADER_LINES];
    let mut response = httparse::Response::new(&mut lines);
    let head = match response.parse(bytes) {
        Ok(Status::Complete(head)) => head,
        Ok(Status::Partial) if bytes.len() <= MOST_ANSWER_BYTES => return Ok(None),
        Ok(Status::Partial) | Err(_) => return Err(BrokenResponse),
    };
    let (Some(status @ 200..), Some(reason)) = (response.code, response.reason) else {
        return Err(BrokenResponse);
    };
    let announced = length_of(response.headers)?;
    let bodiless = to_head || matches!(status, 204 | 304);
    let body = if bodiless {
        0
    } else {
        announced.ok_or(BrokenResponse)?
    };
    if bytes.len() - head < body {
        return Ok(None);
    }
    let used = head + body;
    let mut out = Vec::with_capacity(used);
    out.extend_from_slice(format!("HTTP/1.1 {status} {reason}\r\n").as_bytes());
    for header in response
        .headers
        .iter()
        .filter(|header| for_clients(header.name))
    {
        write_line(header.name, header.value, &mut out);
    }
    if let Some(length) = announced.filter(|_| status != 204) {
        write_line("Content-Length", length.to_string().as_bytes(), &mut out);
    }
    out.extend_from_slice(persist.line());
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(&bytes[head..used]);
    Ok(Some(Relay { used, bytes: out }))
}

fn for_clients(name: &str) -> bool {
    !NOT_FOR_CLIENTS
        .iter()
        .any(|not| name.eq_ignore_ascii_case(not))
}

fn write_line(name: &str, value: &[u8], out: &mut Vec<u8>) {
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
}

/// The announced length, if any. Anything that makes the end uncertain is a [`BrokenResponse`].
fn length_of(headers: &[Header<'_>]) -> Result<Option<usize>, BrokenResponse> {
    let mut length = None;
    for header in headers {
        if header.name.eq_ignore_ascii_case("Transfer-Encoding") {
            return Err(BrokenResponse);
        }
        if header.name.eq_ignore_ascii_case("Content-Length") {
            let value: usize = std::str::from_utf8(header.value)
                .ok()
                .and_then(|text| text.parse().ok())
                .ok_or(BrokenResponse)?;
            if value > MOST_ANSWER_BYTES || length.replace(value).is_some() {
                return Err(BrokenResponse);
            }
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &[u8] =
        b"HTTP/1.1 200 OK\r\nServer: tiny\r\nDate: today\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 2";

    #[test]
    fn an_answer_is_rewritten_and_the_bytes_after_it_stay() {
        let relayed = relay(PLAIN, false, Persistence::Close).unwrap().unwrap();
        assert_eq!(&PLAIN[relayed.used..], b"HTTP/1.1 2");
        let text =
            "HTTP/1.1 200 OK\r\nDate: today\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi";
        assert_eq!(String::from_utf8(relayed.bytes).unwrap(), text);
    }

    #[test]
    fn an_answer_is_incomplete_without_its_last_byte() {
        let whole = relay(PLAIN, false, Persistence::Keep)
            .unwrap()
            .unwrap()
            .used;
        for cut in 0..whole {
            assert_eq!(
                relay(&PLAIN[..cut], false, Persistence::Keep),
                Ok(None),
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn answers_to_head_and_with_status_204_have_no_body() {
        let to_head = relay(PLAIN, true, Persistence::Keep).unwrap().unwrap();
        assert_eq!(&PLAIN[to_head.used..], b"hiHTTP/1.1 2");
        let empty = b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n";
        let relayed = relay(empty, false, Persistence::KeepExplicit)
            .unwrap()
            .unwrap();
        assert_eq!(
            relayed.bytes,
            b"HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n"
        );
    }

    #[test]
    fn an_answer_with_an_uncertain_end_is_broken() {
        for bytes in [
            &b"HTTP/1.1 200 OK\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nhi",
            b"HTTP/1.1 100 Continue\r\n\r\n",
            b"hello",
        ] {
            assert_eq!(
                relay(bytes, false, Persistence::Keep),
                Err(BrokenResponse),
                "{}",
                bytes.escape_ascii()
            );
        }
    }

    #[test]
    fn a_refusal_names_the_error_and_its_cure_and_closes_the_connection() {
        let mut out = Vec::new();
        GateRefusal::TOO_SLOW.write(false, &mut out);
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.starts_with("HTTP/1.1 408 Request Timeout\r\n"),
            "{text}"
        );
        assert!(
            text.ends_with("\r\n\r\n408 request timeout: send the whole request at once\n"),
            "{text}"
        );
        assert!(text.contains("\r\nConnection: close\r\n"), "{text}");
    }
}

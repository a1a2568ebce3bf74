//! Requests and replies, and how they look on the wire.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Instant, SystemTime};

use super::clock::rfc2822;

const HEAD_LIMIT: usize = 64 * 1024;
const BODY_LIMIT: usize = 1024 * 1024;

/// One complete request.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `POST` ...
    pub method: String,
    /// The path as sent, without the query.
    pub path: String,
    /// The query as sent, without the question mark; empty if there is none.
    pub query: String,
    /// Names and values as sent, in their order.
    pub headers: Vec<(String, String)>,
    /// The body, complete.
    pub body: Vec<u8>,
    /// When the last byte of it had arrived.
    pub at: Instant,
}

impl Request {
    /// The first value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The decoded parameters of the query, in their order.
    pub fn query_pairs(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.query.as_bytes())
            .into_owned()
            .collect()
    }

    /// The first decoded query parameter of this name.
    pub fn query_value(&self, name: &str) -> Option<String> {
        self.query_pairs()
            .into_iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value)
    }

    /// The pieces of the path, percent-decoded, without empty ones at the ends.
    pub fn segments(&self) -> Vec<String> {
        self.path
            .trim_matches('/')
            .split('/')
            .map(percent_decode)
            .collect()
    }

    /// The body's media type in lower case, without parameters; empty if the header is missing.
    pub fn media_type(&self) -> String {
        let value = self.header("content-type").unwrap_or_default();
        value
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
    }
}

/// Decodes `%41` but leaves `+` alone, as paths want it.
pub fn percent_decode(text: &str) -> String {
    let shielded = text.replace('+', "%2B");
    let pair = format!("={shielded}").replace('&', "%26");
    form_urlencoded::parse(pair.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// One answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Headers besides `Content-Type` and `Content-Length`; without a `Date` the present one is sent.
    pub headers: Vec<(String, String)>,
    /// `None` sends no `Content-Type`.
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
    /// Why a test should hear of this call, if it should: the fake does not model what was asked.
    pub unexpected: Option<String>,
}

impl Reply {
    /// An answer without body.
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content_type: None,
            body: Vec::new(),
            unexpected: None,
        }
    }

    /// An answer with a JSON body.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        let content_type = Some("application/json; charset=utf-8".to_owned());
        Self {
            content_type,
            body: body.to_string().into_bytes(),
            ..Self::empty(status)
        }
    }

    /// An answer in plain text.
    pub fn text(status: u16, body: &str) -> Self {
        let content_type = Some("text/plain; charset=utf-8".to_owned());
        Self {
            content_type,
            body: body.as_bytes().to_vec(),
            ..Self::empty(status)
        }
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The same answer, noted as something the fake does not model.
    #[must_use]
    pub fn noting(mut self, why: impl Into<String>) -> Self {
        self.unexpected = Some(why.into());
        self
    }
}

/// Reads one request. `Ok(None)`: the client left. `Err`: what to answer before closing.
pub fn read_request(
    stream: &mut TcpStream,
    pending: &mut Vec<u8>,
) -> Result<Option<Request>, Reply> {
    let (head_length, mut request) = loop {
        if let Some(parsed) = parse_head(pending)? {
            break parsed;
        }
        if pending.len() > HEAD_LIMIT {
            return Err(Reply::text(431, "head too large"));
        }
        if !read_more(stream, pending) {
            return Ok(None);
        }
    };
    if request.header("transfer-encoding").is_some() {
        return Err(Reply::text(411, "send a Content-Length"));
    }
    let length = request
        .header("content-length")
        .map_or(Ok(0), str::parse::<usize>);
    let length = length.map_err(|_| Reply::text(400, "bad Content-Length"))?;
    if length > BODY_LIMIT {
        return Err(Reply::text(413, "body too large"));
    }
    while pending.len() < head_length + length {
        if !read_more(stream, pending) {
            return Ok(None);
        }
    }
    request.body = pending[head_length..head_length + length].to_vec();
    request.at = Instant::now();
    pending.drain(..head_length + length);
    Ok(Some(request))
}

fn read_more(stream: &mut TcpStream, pending: &mut Vec<u8>) -> bool {
    let mut chunk = [0; 8192];
    match stream.read(&mut chunk) {
        Ok(0) | Err(_) => false,
        Ok(count) => {
            pending.extend_from_slice(&chunk[..count]);
            true
        }
    }
}

fn parse_head(bytes: &[u8]) -> Result<Option<(usize, Request)>, Reply> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Request::new(&mut headers);
    let length = match head.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(Reply::text(400, "400 Bad Request")),
    };
    let target = head.path.unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let request = Request {
        method: head.method.unwrap_or_default().to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: head
            .headers
            .iter()
            .map(|header| (header.name.to_owned(), text(header.value)))
            .collect(),
        body: Vec::new(),
        at: Instant::now(),
    };
    if request.header("host").is_none() {
        return Err(Reply::text(
            400,
            "400 Bad Request: missing required Host header",
        ));
    }
    Ok(Some((length, request)))
}

/// A moment as HTTP writes it.
pub fn http_date(time: SystemTime) -> String {
    rfc2822(time).replace("+0000", "GMT")
}

/// Writes an answer; `last` says that the connection ends with it.
pub fn write_reply(stream: &mut TcpStream, reply: &Reply, last: bool) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {} {}\r\n", reply.status, reason(reply.status));
    if !reply.headers.iter().any(|(name, _)| name == "Date") {
        head += &format!("Date: {}\r\n", http_date(SystemTime::now()));
    }
    if let Some(content_type) = &reply.content_type {
        head += &format!("Content-Type: {content_type}\r\n");
    }
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    if reply.status != 204 {
        head += &format!("Content-Length: {}\r\n", reply.body.len());
    }
    if last {
        head += "Connection: close\r\n";
    }
    head += "\r\n";
    let mut message = head.into_bytes();
    message.extend_from_slice(&reply.body);
    stream.write_all(&message)
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        409 => "Conflict",
        410 => "Gone",
        417 => "Expectation Failed",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}

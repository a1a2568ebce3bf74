//! A client for the fakes' own tests: one connection, kept alive, no cookies, no patience for anything but HTTP.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// What came back.
#[derive(Debug)]
pub struct ClientAnswer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl ClientAnswer {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// The `message` of the body.
    pub fn message(&self) -> String {
        self.json()["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let of = |line: &'_ str| {
            line.split_once(": ")
                .is_some_and(|(found, _)| found.eq_ignore_ascii_case(name))
        };
        let line = self.head.lines().find(|line| of(line))?;
        line.split_once(": ").map(|(_, value)| value)
    }
}

/// A client with the headers that it sends with every call.
pub struct Client {
    address: String,
    headers: Vec<(String, String)>,
    stream: Option<TcpStream>,
}

impl Client {
    /// A client without an identity.
    pub fn new(url: &str) -> Self {
        let address = url.trim_start_matches("http://").to_owned();
        Self {
            address,
            headers: Vec::new(),
            stream: None,
        }
    }

    /// The same client with one more header.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same client with a Coder token.
    pub fn token(self, token: &str) -> Self {
        self.with("Coder-Session-Token", token)
    }

    /// The same client with Basic authentication.
    pub fn basic(self, user: &str, password: &str) -> Self {
        let encoded = STANDARD.encode(format!("{user}:{password}"));
        self.with("Authorization", &format!("Basic {encoded}"))
    }

    /// The same identity with a connection of its own.
    pub fn twin(&self) -> Self {
        Self {
            address: self.address.clone(),
            headers: self.headers.clone(),
            stream: None,
        }
    }

    /// A call with a body of this type. `None` if the connection ended without an answer.
    pub fn send(
        &mut self,
        method: &str,
        target: &str,
        content_type: &str,
        body: &str,
    ) -> Option<ClientAnswer> {
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n", self.address);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!(
            "Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => TcpStream::connect(&self.address).ok()?,
        };
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        stream.write_all(head.as_bytes()).ok()?;
        let answer = read_answer(&mut stream)?;
        self.stream = Some(stream);
        Some(answer)
    }

    /// A call without a body.
    pub fn get(&mut self, target: &str) -> ClientAnswer {
        self.send("GET", target, "text/plain", "")
            .expect("an answer")
    }

    /// A call with a JSON body.
    pub fn json(&mut self, method: &str, target: &str, body: &Value) -> ClientAnswer {
        self.send(method, target, "application/json", &body.to_string())
            .expect("an answer")
    }

    /// A `POST` with a form body.
    pub fn form(&mut self, target: &str, params: &[(&str, &str)]) -> ClientAnswer {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(params)
            .finish();
        self.send("POST", target, "application/x-www-form-urlencoded", &body)
            .expect("an answer")
    }
}

fn read_answer(stream: &mut TcpStream) -> Option<ClientAnswer> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let answer = ClientAnswer {
                status: head.split(' ').nth(1)?.parse().ok()?,
                head: head.to_owned(),
                body: body.to_owned(),
            };
            let length = answer
                .header("content-length")
                .map_or(Some(0), |value| value.parse().ok())?;
            if body.len() >= length {
                return Some(answer);
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}

//! A server that answers what it is told, and keeps what it was asked.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Headers that would change where an answer ends, or what becomes of the connection.
const FRAMING: [&str; 6] = [
    "connection",
    "content-encoding",
    "content-length",
    "keep-alive",
    "transfer-encoding",
    "upgrade",
];

/// One answer.
#[derive(Clone, Debug)]
pub struct Scripted {
    /// From 200 to 599.
    pub status: u16,
    /// Names and values that can stand in a head.
    pub headers: Vec<(String, String)>,
    /// The body; not sent with a 204 or 304.
    pub body: Vec<u8>,
}

impl Scripted {
    /// Reads an answer written down as a status line, header lines, an empty line and a body, as far as it goes.
    pub fn parse(text: &[u8]) -> Self {
        let (head, body) = split_once(text, b"\n\n").unwrap_or((text, b""));
        let head = String::from_utf8_lossy(head);
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.trim().parse().ok());
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            .filter(|(name, value)| may_be_header(name, value));
        Self {
            status: status
                .filter(|code| (200..600).contains(code))
                .unwrap_or(200),
            headers: headers.take(16).collect(),
            body: body.to_vec(),
        }
    }

    /// The only header of that name; `None` if there is none or more than one.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut named = self
            .headers
            .iter()
            .filter(|(n, _)| n.eq_ignore_ascii_case(name));
        match (named.next(), named.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }

    /// Whether a header of that name is there at all.
    pub fn has(&self, name: &str) -> bool {
        self.headers
            .iter()
            .any(|(n, _)| n.eq_ignore_ascii_case(name))
    }

    /// The body as JSON, whatever the headers say of it.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(self.sent_body()).ok()
    }

    fn sent_body(&self) -> &[u8] {
        if [204, 304].contains(&self.status) {
            b""
        } else {
            &self.body
        }
    }

    fn write(&self) -> Vec<u8> {
        let mut bytes = format!("HTTP/1.1 {} Said\r\n", self.status).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        if ![204, 304].contains(&self.status) {
            bytes.extend_from_slice(format!("Content-Length: {}\r\n", self.body.len()).as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(self.sent_body());
        bytes
    }
}

fn may_be_header(name: &str, value: &str) -> bool {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    !name.is_empty()
        && name.bytes().all(token)
        && value.bytes().all(|b| matches!(b, b' '..=b'~'))
        && !FRAMING.iter().any(|word| name.eq_ignore_ascii_case(word))
}

/// Splits at the first `mark`.
pub fn split_once<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = text.windows(mark.len()).position(|part| part == mark)?;
    Some((&text[..at], &text[at + mark.len()..]))
}

/// A request as it came.
#[derive(Debug)]
pub struct Asked {
    /// The request line.
    pub line: String,
    /// The body.
    pub body: Vec<u8>,
}

#[derive(Default)]
struct Script {
    answers: VecDeque<Scripted>,
    asked: Vec<Asked>,
}

/// The server; it serves until the process ends.
pub struct Server {
    address: String,
    script: Arc<Mutex<Script>>,
}

impl Server {
    /// Starts one on a free port.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let script: Arc<Mutex<Script>> = Arc::default();
        let shared = Arc::clone(&script);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let script = Arc::clone(&shared);
                std::thread::spawn(move || drop(serve(client, &script)));
            }
        });
        Self {
            address: format!("http://{address}"),
            script,
        }
    }

    /// Its base URL.
    pub fn url(&self) -> &str {
        &self.address
    }

    /// Makes it answer that, one by one, and the last one for ever; forgets what it was asked.
    pub fn expect(&self, answers: impl IntoIterator<Item = Scripted>) {
        let mut script = self.script.lock().expect("a whole script");
        script.answers = answers.into_iter().collect();
        script.asked.clear();
    }

    /// What it was asked since then.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.script.lock().expect("a whole script").asked)
    }
}

fn serve(client: TcpStream, script: &Mutex<Script>) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let mut writer = client.try_clone()?;
    let mut reader = BufReader::new(client);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut length = 0;
        let mut header = String::new();
        while reader.read_line(&mut header)? > 2 {
            let (name, value) = header.split_once(':').unwrap_or_default();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap_or(0);
            }
            header.clear();
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let answer = {
            let mut script = script.lock().expect("a whole script");
            script.asked.push(Asked {
                line: line.trim_end().to_owned(),
                body,
            });
            match script.answers.len() {
                0 => Scripted::parse(b"500"),
                1 => script.answers[0].clone(),
                _ => script.answers.pop_front().expect("one of several"),
            }
        };
        writer.write_all(&answer.write())?;
    }
}

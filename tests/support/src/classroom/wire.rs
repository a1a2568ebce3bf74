//! One raw connection to the service's public port, for tests that send what no library would.

use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};
use socket2::{Domain, SockRef, Socket, Type};

use super::PATIENCE;
use super::http::Answer;
use super::student::Webhook;

/// Lets this process open as many connections as the system grants at all.
pub fn room_for_many() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("our own limit");
}

/// A connection that stays open until one side has had enough.
pub struct Wire {
    sock: TcpStream,
    unread: Vec<u8>,
}

impl Wire {
    /// Connects.
    pub fn open(address: SocketAddr) -> std::io::Result<Self> {
        Self::over(TcpStream::connect_timeout(&address, PATIENCE)?)
    }

    /// Connects from another address of this machine, such as 127.0.0.9.
    pub fn open_from(source: IpAddr, address: SocketAddr) -> std::io::Result<Self> {
        let sock = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        sock.bind(&SocketAddr::new(source, 0).into())?;
        sock.connect_timeout(&address.into(), PATIENCE)?;
        Self::over(sock.into())
    }

    fn over(sock: TcpStream) -> std::io::Result<Self> {
        sock.set_nodelay(true)?;
        sock.set_read_timeout(Some(PATIENCE))?;
        sock.set_write_timeout(Some(PATIENCE))?;
        Ok(Self {
            sock,
            unread: Vec::new(),
        })
    }

    /// Connects, sends and leaves the answer for later.
    pub fn saying(address: SocketAddr, bytes: &[u8]) -> Self {
        let mut wire = Self::open(address).expect("the service lets us in");
        wire.sends(bytes);
        wire
    }

    /// Sends. False if the other side does not take it any more.
    pub fn sends(&mut self, bytes: &[u8]) -> bool {
        self.sock.write_all(bytes).is_ok()
    }

    /// The next answer with its body. `None` if none came before the end.
    pub fn answer(&mut self) -> Option<Answer> {
        self.next_answer(true)
    }

    /// The next answer, which has no body as it answers HEAD.
    pub fn answer_to_head(&mut self) -> Option<Answer> {
        self.next_answer(false)
    }

    fn next_answer(&mut self, with_body: bool) -> Option<Answer> {
        loop {
            if let Some(length) = whole(&self.unread, with_body) {
                let bytes: Vec<u8> = self.unread.drain(..length).collect();
                return Some(Answer::of(&bytes));
            }
            let mut more = [0; 4096];
            match self.sock.read(&mut more) {
                Ok(count @ 1..) => self.unread.extend_from_slice(&more[..count]),
                Ok(_) | Err(_) => return None,
            }
        }
    }

    /// The status of the next answer, 0 if none came.
    pub fn status(&mut self) -> u16 {
        self.answer().map_or(0, |answer| answer.status)
    }

    /// Says that nothing more will be sent.
    pub fn half_closes(&self) {
        let _ = self.sock.shutdown(Shutdown::Write);
    }

    /// Waits for the other side to close. False if it says something more, or nothing for long.
    pub fn is_closed(&mut self) -> bool {
        use std::io::ErrorKind::{TimedOut, WouldBlock};
        if !self.unread.is_empty() {
            return false;
        }
        match self.sock.read(&mut [0]) {
            Ok(count) => count == 0,
            Err(error) => !matches!(error.kind(), WouldBlock | TimedOut),
        }
    }

    /// Breaks the connection off with a reset.
    pub fn resets(self) {
        let _ = SockRef::from(&self.sock).set_linger(Some(Duration::ZERO));
    }
}

/// The length of the first answer in `bytes`, if it is there as a whole.
fn whole(bytes: &[u8], with_body: bool) -> Option<usize> {
    let head = 4 + bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let announced = Answer::of(&bytes[..head])
        .header("Content-Length")
        .and_then(|value| value.parse().ok())
        .unwrap_or(0);
    let length = head + if with_body { announced } else { 0 };
    (bytes.len() >= length).then_some(length)
}

/// The webhook as bytes of HTTP/1.1, for a connection that stays open.
pub fn bytes(webhook: &Webhook) -> Vec<u8> {
    let mut head = "POST /inbound HTTP/1.1\r\nHost: sms.class.example.org\r\n".to_owned();
    for (name, value) in &webhook.headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("Content-Length: {}\r\n\r\n", webhook.body.len());
    [head.as_bytes(), webhook.body.as_bytes()].concat()
}

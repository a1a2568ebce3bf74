//! The listener: one thread, asleep until somebody asks, and never at an end.
//!
//! What is hidden here: connections of which most may be silent. All of them are watched at once, so that who says
//! nothing keeps nobody waiting; there are few at a time, and the oldest leaves for a newcomer. Only one path is
//! served, without a body, a second request, or anything that a client could make grow.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use log::error;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use super::MEDIA_TYPE;

/// Where the page is.
const PATH: &str = "/metrics";

/// Time that a client has for its request, and again for taking the answer.
const LIMIT: Duration = Duration::from_secs(2);

/// The longest head of a request, in bytes.
const HEAD_LIMIT: usize = 8 * 1024;

/// Headers that it may have.
const HEADERS: usize = 64;

/// Connections at a time.
const MOST: usize = 32;

/// When the system has no connection for us, so long until the next try.
const TRY_AGAIN: Duration = Duration::from_millis(250);

/// The pause before it begins anew after a fault of our own or the system's.
const PAUSE: Duration = Duration::from_secs(1);

const LISTENER: Token = Token(0);

/// A bound address, ready to serve.
pub struct MetricsListener {
    listener: std::net::TcpListener,
}

impl MetricsListener {
    /// Binds the address; port 0 picks a free one.
    ///
    /// # Errors
    /// The address cannot be had.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener })
    }

    /// The address, with the port that was really given.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves what `page` gives, on a thread of its own that is left behind when the process ends. Nobody depends on
    /// it, so whatever happens to it does nothing to the service, and it begins anew.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn serve(self, mut page: impl FnMut() -> String + Send + 'static) -> io::Result<()> {
        let forever = move || {
            let mut told = false;
            loop {
                let served = catch_unwind(AssertUnwindSafe(|| {
                    let listener = self.listener.try_clone()?;
                    ListenerLoop::over(listener, &mut page)?.run()
                }));
                if !std::mem::replace(&mut told, true) {
                    match served {
                        Ok(Ok(never)) => match never {},
                        Ok(Err(error)) => error!("metrics are interrupted: {error}"),
                        Err(_) => error!("metrics are interrupted by a fault of our own"),
                    }
                }
                thread::sleep(PAUSE);
            }
        };
        thread::Builder::new()
            .name("metrics".to_owned())
            .spawn(forever)
            .map(drop)
    }
}

/// What does not happen.
enum Never {}

struct ListenerLoop<'p> {
    poll: Poll,
    listener: TcpListener,
    /// When somebody may wait at the door of whom the system will not tell again.
    accept_at: Option<Instant>,
    /// The oldest first.
    clients: VecDeque<ScrapeClient>,
    next: usize,
    page: &'p mut dyn FnMut() -> String,
}

struct ScrapeClient {
    token: Token,
    stream: TcpStream,
    deadline: Instant,
    state: ScrapeState,
}

enum ScrapeState {
    /// So much of a request is there.
    Asking(Vec<u8>),
    /// So much of the answer is taken.
    Taking(Vec<u8>, usize),
    /// The answer is out. What the client still says, so many bytes by now, is read, as a reset would take the answer
    /// back.
    Leaving(usize),
}

impl<'p> ListenerLoop<'p> {
    fn over(
        listener: std::net::TcpListener,
        page: &'p mut dyn FnMut() -> String,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::from_std(listener);
        let interest = Interest::READABLE;
        poll.registry()
            .register(&mut listener, LISTENER, interest)?;
        Ok(Self {
            poll,
            listener,
            accept_at: Some(Instant::now()),
            clients: VecDeque::new(),
            next: LISTENER.0 + 1,
            page,
        })
    }

    fn run(mut self) -> io::Result<Never> {
        let mut events = Events::with_capacity(64);
        loop {
            match self.poll.poll(&mut events, self.timeout()) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                Err(_) => continue,
                Ok(()) => {}
            }
            for event in &events {
                if event.token() == LISTENER {
                    self.accept_at = Some(Instant::now());
                } else {
                    self.drive(event.token());
                }
            }
            let now = Instant::now();
            if self.accept_at.is_some_and(|at| at <= now) {
                self.accept(now);
            }
            self.clients.retain(|client| client.deadline > now);
        }
    }

    /// How long nothing is to be done. Without a client: for ever.
    fn timeout(&self) -> Option<Duration> {
        let deadlines = self.clients.iter().map(|client| client.deadline);
        let next = deadlines.chain(self.accept_at).min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    fn accept(&mut self, now: Instant) {
        self.accept_at = None;
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => self.admit(stream, now),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return,
                    ErrorKind::Interrupted | ErrorKind::ConnectionAborted => {}
                    _ => {
                        // Most likely for want of file descriptors: one of ours is one.
                        self.clients.pop_front();
                        self.accept_at = Some(now + TRY_AGAIN);
                        return;
                    }
                },
            }
        }
    }

    fn admit(&mut self, mut stream: TcpStream, now: Instant) {
        let token = Token(self.next);
        self.next += 1;
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registry = self.poll.registry();
        if registry.register(&mut stream, token, interest).is_err() {
            return;
        }
        if self.clients.len() >= MOST {
            self.clients.pop_front();
        }
        self.clients.push_back(ScrapeClient {
            token,
            stream,
            deadline: now + LIMIT,
            state: ScrapeState::Asking(Vec::new()),
        });
        // At once: who has asked already is served before the next newcomer.
        self.drive(token);
    }

    fn drive(&mut self, token: Token) {
        let mut clients = self.clients.iter();
        let Some(place) = clients.position(|client| client.token == token) else {
            return;
        };
        if !self.clients[place].go_on(self.page) {
            self.clients.remove(place);
        }
    }
}

impl ScrapeClient {
    /// Does what can be done without waiting. Returns whether more is to come.
    fn go_on(&mut self, page: &mut dyn FnMut() -> String) -> bool {
        loop {
            let done = match &mut self.state {
                ScrapeState::Asking(head) => match read_some(&mut self.stream, head) {
                    ScrapeRead::Nothing => return true,
                    ScrapeRead::End => return false,
                    ScrapeRead::Some => judge(head),
                },
                ScrapeState::Taking(answer, taken) => match self.stream.write(&answer[*taken..]) {
                    Ok(0) => return false,
                    Ok(count) => {
                        *taken += count;
                        if *taken == answer.len() {
                            let _ = self.stream.shutdown(Shutdown::Write);
                            self.state = ScrapeState::Leaving(0);
                        }
                        continue;
                    }
                    Err(error) => match error.kind() {
                        ErrorKind::WouldBlock => return true,
                        ErrorKind::Interrupted => continue,
                        _ => return false,
                    },
                },
                ScrapeState::Leaving(read) => {
                    let mut more = Vec::new();
                    match read_some(&mut self.stream, &mut more) {
                        ScrapeRead::Nothing => return true,
                        ScrapeRead::Some if *read < HEAD_LIMIT => *read += more.len(),
                        _ => return false,
                    }
                    continue;
                }
            };
            if let Some(asked) = done {
                self.state = ScrapeState::Taking(asked.answer(page), 0);
                // What the page took to be made is not the client's fault.
                self.deadline = Instant::now() + LIMIT;
            }
        }
    }
}

enum ScrapeRead {
    Some,
    Nothing,
    End,
}

/// Reads what has come, a piece of it.
fn read_some(stream: &mut TcpStream, into: &mut Vec<u8>) -> ScrapeRead {
    let mut part = [0; 2048];
    loop {
        match stream.read(&mut part) {
            Ok(0) => return ScrapeRead::End,
            Ok(count) => {
                into.extend_from_slice(&part[..count]);
                return ScrapeRead::Some;
            }
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock => return ScrapeRead::Nothing,
                ErrorKind::Interrupted => {}
                _ => return ScrapeRead::End,
            },
        }
    }
}

/// What a request comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ScrapeRequest {
    status: u16,
    /// Whether only the head of the answer is wanted.
    head: bool,
}

/// Judges what has come of a request; `None` = more has to come.
fn judge(bytes: &[u8]) -> Option<ScrapeRequest> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let asked = |status, head| Some(ScrapeRequest { status, head });
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) if length <= HEAD_LIMIT => {}
        Ok(httparse::Status::Partial) if bytes.len() <= HEAD_LIMIT => return None,
        _ => return asked(400, false),
    }
    let (method, target) = (request.method?, request.path?);
    let head = method == "HEAD";
    if target.split('?').next() != Some(PATH) {
        return asked(404, head);
    }
    asked(if head || method == "GET" { 200 } else { 405 }, head)
}

impl ScrapeRequest {
    fn answer(self, page: &mut dyn FnMut() -> String) -> Vec<u8> {
        let plain = "text/plain; charset=utf-8";
        let (reason, media_type, body) = match self.status {
            200 => ("OK", MEDIA_TYPE, page()),
            404 => ("Not Found", plain, format!("only {PATH} is here\n")),
            405 => (
                "Method Not Allowed",
                plain,
                "only GET and HEAD\n".to_owned(),
            ),
            _ => (
                "Bad Request",
                plain,
                "no request that is understood\n".to_owned(),
            ),
        };
        let allow = if self.status == 405 {
            "Allow: GET, HEAD\r\n"
        } else {
            ""
        };
        let mut answer = format!(
            "HTTP/1.1 {} {reason}\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\n{allow}Connection: close\r\n\r\n",
            self.status,
            body.len()
        );
        if !self.head {
            answer.push_str(&body);
        }
        answer.into_bytes()
    }
}

#[cfg(test)]
mod tests;

//! The listener: one thread accepts, and each connection is served by a short-lived thread of its own.
//!
//! tiny_http is not used here: one malformed request can end the whole process, and a metrics port may be reachable
//! for others. This module hides the limits. A client has a fixed time for its request, and again for reading the
//! answer, so a silent client delays others only for seconds. The number of connections is limited. Only one path is
//! served, without a body or a second request on a connection.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::MEDIA_TYPE;

/// The path of the page.
const PATH: &str = "/metrics";

/// The time for a client's request, and again for reading the answer.
const LIMIT: Duration = Duration::from_secs(2);

/// The longest head of a request, in bytes.
const HEAD_LIMIT: usize = 8 * 1024;

/// The largest number of headers of a request.
const HEADERS: usize = 64;

/// The largest number of connections at a time. If the queue of the system (128) is full of silent clients, a scrape waits
/// at most five times [`LIMIT`], which is Prometheus' own time limit.
const MOST: usize = 32;

/// The pause after the system could not accept a connection or start a thread.
const TRY_AGAIN: Duration = Duration::from_millis(250);

/// A bound address, ready to serve.
pub struct MetricsListener {
    listener: TcpListener,
}

impl MetricsListener {
    /// Binds the address; port 0 picks a free one.
    ///
    /// # Errors
    /// The address cannot be used.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        Ok(Self { listener })
    }

    /// The address with the actual port.
    ///
    /// # Errors
    /// The system does not return it.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves the pages that `page` returns, on a thread that ends with the process. The service does not depend on it,
    /// and a fault of a connection or of a page does not end it.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn serve(self, page: impl FnMut() -> String + Send + 'static) -> io::Result<()> {
        let page = Arc::new(Mutex::new(page));
        let forever = move || {
            let mut clients = VecDeque::new();
            loop {
                if self.serve_next(&page, &mut clients).is_err() {
                    thread::sleep(TRY_AGAIN);
                }
            }
        };
        thread::Builder::new()
            .name("metrics".to_owned())
            .spawn(forever)
            .map(drop)
    }

    fn serve_next<P: FnMut() -> String + Send + 'static>(
        &self,
        page: &Arc<Mutex<P>>,
        clients: &mut VecDeque<JoinHandle<()>>,
    ) -> io::Result<()> {
        let (stream, _) = self.listener.accept()?;
        clients.retain(|client| !client.is_finished());
        if clients.len() >= MOST
            && let Some(oldest) = clients.pop_front()
        {
            // Its time limits end it. If its page panicked, that is already in the log.
            let _ = oldest.join();
        }
        let page = Arc::clone(page);
        let serve = move || {
            let mut page = || page.lock().unwrap_or_else(PoisonError::into_inner)();
            // An error here means that the client left early or sent nothing.
            let _ = ScrapeClient::new(&stream).serve(&mut page);
        };
        let name = "metrics-client".to_owned();
        clients.push_back(thread::Builder::new().name(name).spawn(serve)?);
        Ok(())
    }
}

/// A connection with a deadline for all of its reads and writes together.
struct ScrapeClient<'s> {
    stream: &'s TcpStream,
    deadline: Instant,
}

impl<'s> ScrapeClient<'s> {
    fn new(stream: &'s TcpStream) -> Self {
        Self {
            stream,
            deadline: Instant::now() + LIMIT,
        }
    }

    fn serve(mut self, page: &mut dyn FnMut() -> String) -> io::Result<()> {
        let (mut bytes, mut part) = (Vec::new(), [0; 2048]);
        let request = loop {
            match self.read(&mut part)? {
                0 => return Ok(()),
                count => bytes.extend_from_slice(&part[..count]),
            }
            if let Some(request) = judge(&bytes) {
                break request;
            }
        };
        let answer = request.answer(page);
        // The time for making the page does not count against the client.
        self.deadline = Instant::now() + LIMIT;
        self.write_all(&answer)?;
        self.stream.shutdown(Shutdown::Write)?;
        // Reads what the client still sends: closing a connection with unread bytes resets it, and the client may then
        // lose the answer.
        io::copy(&mut self.take(HEAD_LIMIT as u64), &mut io::sink()).map(drop)
    }

    /// The time until the deadline.
    fn left(&self) -> io::Result<Option<Duration>> {
        match self.deadline.checked_duration_since(Instant::now()) {
            Some(left) if !left.is_zero() => Ok(Some(left)),
            _ => Err(ErrorKind::TimedOut.into()),
        }
    }
}

impl Read for ScrapeClient<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(into)
    }
}

impl Write for ScrapeClient<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// How a request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ScrapeRequest {
    status: u16,
    /// Whether only the head of the answer is sent.
    head: bool,
}

/// Judges the bytes of a request; `None` = it is not complete yet.
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
            404 => ("Not Found", plain, format!("the only path is {PATH}\n")),
            405 => (
                "Method Not Allowed",
                plain,
                "only GET and HEAD\n".to_owned(),
            ),
            _ => ("Bad Request", plain, "not a valid request\n".to_owned()),
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

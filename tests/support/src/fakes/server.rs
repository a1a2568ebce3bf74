//! A small HTTP/1.1 server: a port of its own on the loopback interface, keep-alive, one thread a connection.
//!
//! It hides sockets and framing. The handler gets a complete [`Request`] and says by [`Action`] what the client
//! is to see: a reply, a cut connection, or silence.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::http::{read_request, write_reply};
use super::lock;

pub use super::http::{Reply, Request};

/// What the client is to see.
#[derive(Debug, Clone)]
pub enum Action {
    /// An answer; the connection stays open if the client wishes so.
    Reply(Reply),
    /// The connection is closed without an answer.
    Close,
    /// Silence for this long, or until the client leaves; then the connection is closed without an answer.
    Hold(Duration),
}

/// A free port of 127.0.0.1.
pub const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

type Handler = Box<dyn Fn(&Request) -> Action + Send + Sync>;

struct Shared {
    handler: Handler,
    stopping: AtomicBool,
    down: AtomicBool,
    open: Mutex<HashMap<u64, TcpStream>>,
}

impl Shared {
    fn cut_all(&self) {
        for stream in lock(&self.open).values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn is_closed(&self) -> bool {
        self.stopping.load(Ordering::SeqCst) || self.down.load(Ordering::SeqCst)
    }
}

/// The listening server. Dropping it closes the port and all connections.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on a free port of 127.0.0.1.
    pub fn start(handler: impl Fn(&Request) -> Action + Send + Sync + 'static) -> Self {
        Self::start_at(ANY_PORT, handler)
    }

    /// Listens on this address.
    pub fn start_at(
        address: SocketAddr,
        handler: impl Fn(&Request) -> Action + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound listener has an address");
        let shared = Arc::new(Shared {
            handler: Box::new(handler),
            stopping: AtomicBool::new(false),
            down: AtomicBool::new(false),
            open: Mutex::default(),
        });
        let acceptor = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Self {
            address,
            shared,
            acceptor: Some(acceptor),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on every connection is closed at once, those that are open too.
    pub fn goes_down(&self) {
        self.shared.down.store(true, Ordering::SeqCst);
        self.shared.cut_all();
    }

    /// Ends what [`Server::goes_down`] began.
    pub fn comes_back(&self) {
        self.shared.down.store(false, Ordering::SeqCst);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.shared.cut_all();
        // Wakes the accept call; it then sees the flag.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for number in 0.. {
        let accepted = listener.accept();
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok((stream, _)) = accepted else {
            thread::sleep(Duration::from_millis(10));
            continue;
        };
        let Ok(handle) = stream.try_clone() else {
            continue;
        };
        {
            let mut open = lock(&shared.open);
            if shared.is_closed() {
                continue;
            }
            open.insert(number, handle);
        }
        let serving = Serving {
            shared: Arc::clone(shared),
            number,
        };
        let spawned = thread::Builder::new()
            .stack_size(512 * 1024)
            .spawn(move || converse(&serving.shared, stream));
        drop(spawned);
    }
}

/// Takes a connection off the list of open ones when its thread ends, however it ends.
struct Serving {
    shared: Arc<Shared>,
    number: u64,
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(stream) = lock(&self.shared.open).remove(&self.number) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn converse(shared: &Shared, mut stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let mut pending = Vec::new();
    loop {
        let request = match read_request(&mut stream, &mut pending) {
            Ok(Some(request)) => request,
            Ok(None) => return,
            Err(refusal) => {
                let _ = write_reply(&mut stream, &refusal, true);
                return;
            }
        };
        if shared.is_closed() {
            return;
        }
        let last = request
            .header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"));
        match (shared.handler)(&request) {
            Action::Reply(reply) => {
                if shared.is_closed() || write_reply(&mut stream, &reply, last).is_err() || last {
                    return;
                }
            }
            Action::Close => return,
            Action::Hold(time) => return hold(&stream, time),
        }
    }
}

/// Waits until the client leaves, the server stops, or the time is over.
fn hold(stream: &TcpStream, time: Duration) {
    let end = Instant::now() + time;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() || stream.set_read_timeout(Some(left)).is_err() {
            return;
        }
        match stream.peek(&mut [0]) {
            Ok(0) => return,
            Ok(_) => thread::sleep(left.min(Duration::from_millis(20))),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    /// Sends raw bytes, ends the sending side, and reads all that comes back.
    fn exchange(server: &Server, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(server.address()).expect("a connection");
        stream.write_all(bytes).expect("the server reads");
        stream
            .shutdown(Shutdown::Write)
            .expect("an open connection");
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    }

    fn echo() -> Server {
        Server::start(|request| {
            Action::Reply(Reply::text(200, &String::from_utf8_lossy(&request.body)))
        })
    }

    #[test]
    fn requests_on_one_connection_are_answered_in_order() {
        let one = |body: &str| {
            format!(
                "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        let answer = exchange(&echo(), (one("first") + &one("second")).as_bytes());
        let (first, second) = (answer.find("first"), answer.find("second"));
        assert!(first.is_some() && first < second, "{answer}");
    }

    #[test]
    fn what_is_no_proper_request_is_refused() {
        let table = [
            ("nonsense\r\n\r\n", " 400 "),
            ("GET / HTTP/1.1\r\n\r\n", " 400 "),
            (
                "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
                " 400 ",
            ),
            (
                "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1048577\r\n\r\n",
                " 413 ",
            ),
            (
                "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
                " 411 ",
            ),
        ];
        let server = echo();
        for (request, status) in table {
            let answer = exchange(&server, request.as_bytes());
            assert!(
                answer.starts_with("HTTP/1.1") && answer[8..13] == *status,
                "{request}: {answer}"
            );
        }
    }

    #[test]
    fn a_dropped_server_frees_its_port() {
        let server = echo();
        let address = server.address();
        drop(server);
        assert!(TcpStream::connect(address).is_err());
    }
}

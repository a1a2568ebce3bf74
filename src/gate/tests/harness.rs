//! A gate with a server behind it, and clients to knock.

use crate::gate::Proxies;
use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tiny_http::{Header, Response, Server};

use crate::gate::{CLIENT_HEADER, Gate, GateHandle, Limits};

/// A proper request.
pub const POST: &[u8] = b"POST /ok HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
/// Nothing here takes longer, however busy the machine is.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A folder of its own, gone with its owner.
pub struct TempFolder(PathBuf);

impl TempFolder {
    pub fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("gate-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn socket(&self) -> PathBuf {
        self.0.join("http")
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A running gate. Stops with its owner, and must stop well.
pub struct GateHarness {
    pub address: SocketAddr,
    pub handle: GateHandle,
    gate: Option<JoinHandle<io::Result<()>>>,
    back: Option<TestBackend>,
    pub folder: TempFolder,
}

impl GateHarness {
    /// With a real tiny_http behind.
    pub fn open(limits: Limits) -> Self {
        Self::open_after(limits, |_| {})
    }

    /// The same, with something happening at the door before the gate runs.
    pub fn open_after(limits: Limits, at_the_door: impl FnOnce(SocketAddr)) -> Self {
        let folder = TempFolder::new();
        let back = TestBackend::open(&folder.socket());
        let mut house = Self::bind(folder, limits, at_the_door);
        house.back = Some(back);
        house
    }

    /// With whatever listens on the folder's socket behind.
    pub fn before(folder: TempFolder, limits: Limits) -> Self {
        Self::bind(folder, limits, |_| {})
    }

    fn bind(folder: TempFolder, limits: Limits, at_the_door: impl FnOnce(SocketAddr)) -> Self {
        let gate = Gate::bind("127.0.0.1:0".parse().unwrap(), folder.socket(), limits).unwrap();
        Self::run(folder, gate, at_the_door)
    }

    /// With a real tiny_http behind, which is told the address of each client.
    pub fn naming_clients() -> Self {
        let folder = TempFolder::new();
        let back = TestBackend::open(&folder.socket());
        let listen = "127.0.0.1:0".parse().unwrap();
        let gate = Gate::bind(listen, folder.socket(), Limits::default()).unwrap();
        let mut house = Self::run(folder, gate.naming_clients(Proxies::default()), |_| {});
        house.back = Some(back);
        house
    }

    fn run(folder: TempFolder, gate: Gate, at_the_door: impl FnOnce(SocketAddr)) -> Self {
        let (address, handle) = (gate.local_addr(), gate.handle());
        at_the_door(address);
        Self {
            address,
            handle,
            gate: Some(thread::spawn(|| gate.run())),
            back: None,
            folder,
        }
    }

    pub fn client(&self) -> TestClient {
        TestClient::of(TcpStream::connect(self.address).unwrap())
    }

    /// The house still serves a newcomer.
    #[track_caller]
    pub fn serves(&self) {
        let mut client = self.client();
        client.send(POST);
        assert_eq!(client.answer().status, 200);
    }

    /// The server behind answers nothing until the returned value is gone. Waits until it is so.
    pub fn hold(&self) -> BackendPause {
        self.back.as_ref().unwrap().hold()
    }

    /// Waits for the gate to have stopped.
    pub fn has_stopped(&mut self) {
        eventually("the gate stops", || {
            self.gate.as_ref().is_none_or(JoinHandle::is_finished)
        });
        if let Some(gate) = self.gate.take() {
            gate.join().unwrap().unwrap();
        }
    }
}

impl Drop for GateHarness {
    fn drop(&mut self) {
        self.handle.stop();
        if !thread::panicking() {
            self.has_stopped();
        }
    }
}

/// A tiny_http that says what it was asked.
struct TestBackend {
    server: Arc<Server>,
    held: Arc<Mutex<()>>,
    thread: Option<JoinHandle<()>>,
}

/// While this exists, nothing is answered.
pub struct BackendPause {
    release: Sender<()>,
    holder: Option<JoinHandle<()>>,
}

impl Drop for BackendPause {
    fn drop(&mut self) {
        let _ = self.release.send(());
        let _ = self.holder.take().unwrap().join();
    }
}

impl TestBackend {
    fn open(path: &Path) -> Self {
        let server = Arc::new(Server::http_unix(path).unwrap());
        let held = Arc::new(Mutex::new(()));
        let thread = thread::spawn({
            let (server, held) = (Arc::clone(&server), Arc::clone(&held));
            move || {
                while let Ok(request) = server.recv() {
                    drop(held.lock());
                    echo(request);
                }
            }
        });
        Self {
            server,
            held,
            thread: Some(thread),
        }
    }

    fn hold(&self) -> BackendPause {
        let (release, released) = channel::<()>();
        let (ready, is_ready) = channel();
        let held = Arc::clone(&self.held);
        let holder = thread::spawn(move || {
            let guard = held.lock();
            ready.send(()).unwrap();
            let _ = released.recv();
            drop(guard);
        });
        is_ready.recv().unwrap();
        BackendPause {
            release,
            holder: Some(holder),
        }
    }
}

impl Drop for TestBackend {
    fn drop(&mut self) {
        self.server.unblock();
        let _ = self.thread.take().unwrap().join();
    }
}

fn echo(mut request: tiny_http::Request) {
    let header = |name: &'static str| {
        let found = request
            .headers()
            .iter()
            .find(|header| header.field.equiv(name));
        found.map_or_else(|| "none".into(), |header| header.value.to_string())
    };
    let (host, signature) = (header("Host"), header("X-Twilio-Signature"));
    let client = request
        .headers()
        .iter()
        .filter(|header| header.field.equiv(CLIENT_HEADER))
        .map(|header| format!(" client={}", header.value))
        .collect::<String>();
    let mut body = String::new();
    request.as_reader().read_to_string(&mut body).unwrap();
    // Beyond 32 KB tiny_http would answer in chunks, which the gate does not take.
    body.truncate(1000);
    let text = format!(
        "{} {} host={host} signature={signature}{client} body={body}",
        request.method(),
        request.url()
    );
    let xml = Header::from_bytes("Content-Type", "text/xml").unwrap();
    let _ = request.respond(Response::from_string(text).with_header(xml));
}

/// Listens on `path` and treats the connections of the gate one after another as `script` says, by their number.
pub fn scripted(path: &Path, script: impl Fn(usize, UnixStream) + Send + 'static) {
    let listener = UnixListener::bind(path).unwrap();
    thread::spawn(move || {
        for (number, sock) in listener.incoming().enumerate() {
            let Ok(sock) = sock else { return };
            sock.set_read_timeout(Some(PATIENCE)).unwrap();
            script(number, sock);
        }
    });
}

/// One client.
pub struct TestClient {
    sock: TcpStream,
    read: Vec<u8>,
}

/// An answer as a client sees it.
pub struct ClientResponse {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl TestClient {
    pub fn of(sock: TcpStream) -> Self {
        sock.set_read_timeout(Some(PATIENCE)).unwrap();
        sock.set_write_timeout(Some(PATIENCE)).unwrap();
        sock.set_nodelay(true).unwrap();
        Self {
            sock,
            read: Vec::new(),
        }
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.sock.write_all(bytes).unwrap();
    }

    /// False once the other side has gone.
    pub fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.sock.write_all(bytes).is_ok()
    }

    pub fn post(&mut self, target: &str) {
        self.send(
            format!("POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").as_bytes(),
        );
    }

    pub fn half_close(&self) {
        self.sock.shutdown(Shutdown::Write).unwrap();
    }

    #[track_caller]
    pub fn answer(&mut self) -> ClientResponse {
        let mut answer = self.answer_to_head();
        let length = answer
            .head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "));
        let length = length.expect("a length").parse().unwrap();
        answer.body = String::from_utf8(self.read_exactly(length)).unwrap();
        answer
    }

    #[track_caller]
    pub fn answer_to_head(&mut self) -> ClientResponse {
        while !self.read.windows(4).any(|end| end == b"\r\n\r\n") {
            assert!(
                self.hears_something(),
                "closed without an answer after {:?}",
                String::from_utf8_lossy(&self.read)
            );
        }
        let end = self
            .read
            .windows(4)
            .position(|end| end == b"\r\n\r\n")
            .unwrap()
            + 4;
        let head = String::from_utf8(self.read.drain(..end).collect()).unwrap();
        let status = head.strip_prefix("HTTP/1.1 ").expect("HTTP/1.1")[..3]
            .parse()
            .unwrap();
        ClientResponse {
            status,
            head,
            body: String::new(),
        }
    }

    #[track_caller]
    pub fn read_exactly(&mut self, length: usize) -> Vec<u8> {
        while self.read.len() < length {
            assert!(
                self.hears_something(),
                "closed after {} of {length} bytes",
                self.read.len()
            );
        }
        self.read.drain(..length).collect()
    }

    /// Nothing more comes, and the end does.
    #[track_caller]
    pub fn is_closed(&mut self) {
        assert!(
            !self.hears_something(),
            "more came: {:?}",
            String::from_utf8_lossy(&self.read)
        );
        assert!(
            self.read.is_empty(),
            "unread: {:?}",
            String::from_utf8_lossy(&self.read)
        );
    }

    /// Sends one byte again and again until something comes back or the connection ends.
    pub fn drip(&mut self, every: Duration) {
        self.sock.set_read_timeout(Some(every)).unwrap();
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until && self.try_send(b"a") {
            let mut chunk = [0; 1024];
            match self.sock.read(&mut chunk) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Ok(count) => {
                    self.read.extend_from_slice(&chunk[..count]);
                    break;
                }
                Err(_) => break,
            }
        }
        self.sock.set_read_timeout(Some(PATIENCE)).unwrap();
    }

    /// False at the end, be it a proper one or a reset.
    pub fn hears_something(&mut self) -> bool {
        let mut chunk = [0; 16 * 1024];
        match self.sock.read(&mut chunk) {
            Ok(0) => false,
            Ok(count) => {
                self.read.extend_from_slice(&chunk[..count]);
                true
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("nothing came"),
            Err(_) => false,
        }
    }
}

/// Waits until `is_so`, for as long as [`PATIENCE`] lasts.
#[track_caller]
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "in vain: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

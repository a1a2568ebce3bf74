//! The border to Redis: a proxy on a Unix socket of its own, before the real server.
//!
//! It takes a pipeline apart: each command is an effect of its own, passed on only when the one
//! before it is answered. A connection belongs to one life of the service and to the thread that
//! made it: `disk.c` signs it with both.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Error, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::disk::role;
use super::tape::{EffectEnd, Tape};

/// The listening proxy. Dropping it closes all connections.
pub struct Proxy {
    shared: Arc<ProxyShared>,
    acceptor: Option<JoinHandle<()>>,
}

struct ProxyShared {
    path: PathBuf,
    server: PathBuf,
    tape: Arc<Tape>,
    open: Mutex<HashMap<u64, UnixStream>>,
    stopping: AtomicBool,
}

impl Proxy {
    /// Listens at `path` for the server whose socket is `server`.
    pub fn start(path: PathBuf, server: &str, tape: &Arc<Tape>) -> Self {
        let listener = UnixListener::bind(&path).expect("a socket for the proxy");
        let shared = Arc::new(ProxyShared {
            path,
            server: server.into(),
            tape: Arc::clone(tape),
            open: Mutex::default(),
            stopping: AtomicBool::new(false),
        });
        let acceptor = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Self {
            shared,
            acceptor: Some(acceptor),
        }
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Closes all connections, as those of a dead service are.
    pub fn cut_all(&self) {
        self.shared.cut_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.shared.cut_all();
        // Wakes the accept call; it then sees the flag.
        let _ = UnixStream::connect(&self.shared.path);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

impl ProxyShared {
    fn cut_all(&self) {
        for stream in lock(&self.open).values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn accept(listener: &UnixListener, shared: &Arc<ProxyShared>) {
    for number in (0..).step_by(2) {
        let accepted = listener.accept();
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let server = UnixStream::connect(&shared.server);
        let (Ok((client, address)), Ok(server)) = (accepted, server) else {
            continue;
        };
        let Some((process, caller)) = signature(&address) else {
            shared
                .tape
                .stray("an unsigned connection to Redis".to_owned());
            continue;
        };
        let life = shared.tape.life_of(process);
        let ends = [client.try_clone(), server.try_clone()];
        for (end, number) in ends.into_iter().flatten().zip(number..) {
            lock(&shared.open).insert(number, end);
        }
        let shared = Arc::clone(shared);
        let serve = move || {
            // However it ends, both sides learn of it.
            let _ = converse(&shared, life, &caller, &client, &server);
            for number in [number, number + 1] {
                if let Some(end) = lock(&shared.open).remove(&number) {
                    let _ = end.shutdown(Shutdown::Both);
                }
            }
        };
        let thread = thread::Builder::new().stack_size(256 * 1024);
        drop(thread.spawn(serve));
    }
}

/// The process and the role of the thread that made a connection.
fn signature(address: &SocketAddr) -> Option<(i32, String)> {
    let name = std::str::from_utf8(address.as_abstract_name()?).ok()?;
    let mut words = name.split('\t');
    let process = words.next()?.parse().ok()?;
    Some((process, role(words.next()?).to_owned()))
}

fn converse(
    shared: &ProxyShared,
    life: u32,
    caller: &str,
    client: &UnixStream,
    server: &UnixStream,
) -> io::Result<()> {
    let (mut asks, mut answers) = (BufReader::new(client), BufReader::new(server));
    let (mut to_client, mut to_server) = (client, server);
    loop {
        let mut command = Vec::new();
        let words = read_command(&mut asks, &mut command)?;
        let label = format!("{caller} redis {}", name(&words));
        let mut answer = Vec::new();
        let mut told: io::Result<()> = Ok(());
        let fate = shared.tape.pass(life, &label, &mut || {
            told = to_server
                .write_all(&command)
                .and_then(|()| read_value(&mut answers, &mut answer));
        });
        told?;
        if fate != EffectEnd::Answered {
            return Ok(());
        }
        to_client.write_all(&answer)?;
    }
}

/// A command in words that tell what it is about: its name, the stream it appends to, whether it waits.
fn name(words: &[Vec<u8>]) -> String {
    let word = |number: usize| {
        let bytes = words.get(number).map(Vec::as_slice).unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    };
    let command = word(0).to_ascii_uppercase();
    match command.as_str() {
        "XADD" => format!("XADD {}", word(1).rsplit(':').next().unwrap_or_default()),
        "XREADGROUP" if words.iter().any(|word| word == b"BLOCK") => "XREADGROUP wait".to_owned(),
        "CLIENT" => format!("CLIENT {}", word(1).to_ascii_uppercase()),
        _ => command,
    }
}

/// Reads one command, an array of bulk strings; `raw` gets its bytes.
fn read_command(from: &mut impl BufRead, raw: &mut Vec<u8>) -> io::Result<Vec<Vec<u8>>> {
    let (kind, count) = read_head(from, raw)?;
    if kind != b'*' {
        return Err(Error::new(ErrorKind::InvalidData, "no array"));
    }
    let mut words = Vec::new();
    for _ in 0..count {
        let (_, length) = read_head(from, raw)?;
        let begin = raw.len();
        read_bytes(from, raw, length)?;
        words.push(raw[begin..raw.len() - 2].to_vec());
    }
    Ok(words)
}

/// Reads one answer of any kind (RESP2); `raw` gets its bytes.
fn read_value(from: &mut impl BufRead, raw: &mut Vec<u8>) -> io::Result<()> {
    match read_head(from, raw)? {
        (b'*', count) => (0..count).try_for_each(|_| read_value(from, raw)),
        // A length of -1 stands for nothing at all.
        (b'$', length) if length >= 0 => read_bytes(from, raw, length),
        _ => Ok(()),
    }
}

/// Reads one line: its first sign and the number that follows, 0 if none does.
fn read_head(from: &mut impl BufRead, raw: &mut Vec<u8>) -> io::Result<(u8, i64)> {
    let begin = raw.len();
    if from.read_until(b'\n', raw)? == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let line = String::from_utf8_lossy(&raw[begin..]);
    let number = line.get(1..).and_then(|rest| rest.trim_end().parse().ok());
    Ok((raw[begin], number.unwrap_or(0)))
}

/// Reads that many bytes and the end of line after them.
fn read_bytes(from: &mut impl BufRead, raw: &mut Vec<u8>, length: i64) -> io::Result<()> {
    let length = u64::try_from(length).map_err(|_| ErrorKind::InvalidData)?;
    let read = from.take(length + 2).read_to_end(raw)?;
    if read as u64 == length + 2 {
        Ok(())
    } else {
        Err(ErrorKind::UnexpectedEof.into())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

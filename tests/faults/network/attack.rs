//! Strangers in numbers: they connect, misbehave, and come back when they are shown the door.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use socket2::SockRef;

/// How often each stranger looks whether it is still connected.
const LOOK: Duration = Duration::from_millis(100);
const DRIP: Duration = Duration::from_secs(1);

/// Strangers of one kind.
#[derive(Clone, Copy)]
pub struct Crowd {
    /// How many of them are connected at a time.
    pub count: usize,
    /// What each of them may send first; they take turns.
    pub start: &'static [&'static [u8]],
    /// What they send every second from then on.
    pub drip: &'static [u8],
    /// They break off with a reset as soon as they have sent it.
    pub resets: bool,
    /// How long they stay away after they were shown the door.
    pub pause: Duration,
}

/// An attack in progress; it ends with its owner, and every connection with it.
pub struct Attack {
    over: Arc<AtomicBool>,
    opened: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<()>>,
    began: Instant,
}

impl Attack {
    fn nobody() -> Self {
        Self {
            over: Arc::default(),
            opened: Arc::default(),
            refused: Arc::default(),
            threads: Vec::new(),
            began: Instant::now(),
        }
    }

    /// All of these crowds at once.
    pub fn of(address: SocketAddr, crowds: &[Crowd]) -> Self {
        let mut attack = Self::nobody();
        for &crowd in crowds {
            attack.join(
                move |over, door| {
                    let mut strangers: Vec<_> =
                        (0..crowd.count).map(|_| Stranger::default()).collect();
                    while !over.load(Ordering::Acquire) {
                        for (number, stranger) in strangers.iter_mut().enumerate() {
                            stranger.turn(number, &crowd, &door);
                        }
                        std::thread::park_timeout(LOOK);
                    }
                },
                address,
            );
        }
        attack
    }

    /// So many new connections every second from one address, of which the youngest `kept` stay.
    pub fn storm(address: SocketAddr, per_second: usize, kept: usize, says: &'static [u8]) -> Self {
        let mut attack = Self::nobody();
        attack.join(
            move |over, door| {
                let (began, mut count) = (Instant::now(), 0);
                let mut open = VecDeque::new();
                while !over.load(Ordering::Acquire) {
                    let due = began.elapsed().as_secs_f64() * per_second as f64;
                    if count as f64 >= due {
                        std::thread::park_timeout(Duration::from_millis(1));
                        continue;
                    }
                    count += 1;
                    open.extend(door.knock(says));
                    if open.len() > kept {
                        open.pop_front();
                    }
                }
            },
            address,
        );
        attack
    }

    fn join(&mut self, work: impl FnOnce(&AtomicBool, Door) + Send + 'static, address: SocketAddr) {
        let over = Arc::clone(&self.over);
        let door = Door {
            address,
            opened: Arc::clone(&self.opened),
            refused: Arc::clone(&self.refused),
        };
        self.threads
            .push(std::thread::spawn(move || work(&over, door)));
    }

    /// Connections that were opened so far.
    pub fn opened(&self) -> usize {
        self.opened.load(Ordering::Relaxed)
    }

    /// The same, for each second.
    pub fn rate(&self) -> usize {
        (self.opened() as f64 / self.began.elapsed().as_secs_f64()) as usize
    }
}

impl Drop for Attack {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

/// The way in.
struct Door {
    address: SocketAddr,
    opened: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
}

impl Door {
    /// A connection on which `says` was said.
    fn knock(&self, says: &[u8]) -> Option<TcpStream> {
        let open = || {
            let mut sock = TcpStream::connect_timeout(&self.address, Duration::from_secs(1))?;
            sock.set_nonblocking(true)?;
            sock.write_all(says)?;
            std::io::Result::Ok(sock)
        };
        match open() {
            Ok(sock) => {
                self.opened.fetch_add(1, Ordering::Relaxed);
                Some(sock)
            }
            Err(_) => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                None
            }
        }
    }
}

/// One of a crowd.
#[derive(Default)]
struct Stranger {
    sock: Option<TcpStream>,
    next: Option<Instant>,
}

impl Stranger {
    fn turn(&mut self, number: usize, crowd: &Crowd, door: &Door) {
        let now = Instant::now();
        let due = self.next.is_none_or(|at| at <= now);
        match &mut self.sock {
            Some(sock) if !is_open(sock) => {
                self.sock = None;
                self.next = Some(now + crowd.pause);
            }
            Some(sock) if due && !crowd.drip.is_empty() => {
                let _ = sock.write(crowd.drip);
                self.next = Some(now + DRIP);
            }
            Some(_) => {}
            None if due => {
                self.sock = door.knock(crowd.start[number % crowd.start.len()]);
                self.next = Some(now + DRIP);
                if crowd.resets
                    && let Some(sock) = self.sock.take()
                {
                    let _ = SockRef::from(&sock).set_linger(Some(Duration::ZERO));
                    self.next = Some(now + crowd.pause);
                }
            }
            None => {}
        }
    }
}

fn is_open(mut sock: &TcpStream) -> bool {
    match sock.read(&mut [0; 1024]) {
        Ok(count) => count > 0,
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}

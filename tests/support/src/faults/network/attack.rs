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
pub struct AttackGroup {
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
    acts: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<()>>,
    began: Instant,
}

impl Attack {
    fn nobody() -> Self {
        Self {
            over: Arc::default(),
            acts: Arc::default(),
            threads: Vec::new(),
            began: Instant::now(),
        }
    }

    /// All of these groups at the same time.
    pub fn of(address: SocketAddr, groups: &[AttackGroup]) -> Self {
        let mut attack = Self::nobody();
        for &group in groups {
            attack.join(address, move |over, door| {
                let mut strangers: Vec<_> = (0..group.count).map(|_| Stranger::default()).collect();
                while !over.load(Ordering::Acquire) {
                    for (number, stranger) in strangers.iter_mut().enumerate() {
                        stranger.turn(number, &group, &door);
                    }
                    std::thread::park_timeout(LOOK);
                }
            });
        }
        attack
    }

    /// This many new connections every second from one address. The newest `kept` stay; with 0 each is closed
    /// as soon as it has sent its bytes.
    pub fn storm(address: SocketAddr, per_second: usize, kept: usize, says: &'static [u8]) -> Self {
        const THREADS: usize = 4;
        let mut attack = Self::nobody();
        for _ in 0..THREADS {
            attack.join(address, move |over, door| {
                let pace = Duration::from_secs_f64(THREADS as f64 / per_second as f64);
                let (mut next, mut open) = (Instant::now(), VecDeque::new());
                while !over.load(Ordering::Acquire) {
                    next += pace;
                    std::thread::park_timeout(next.saturating_duration_since(Instant::now()));
                    open.extend(door.knock(says));
                    if open.len() > kept / THREADS {
                        open.pop_front().iter().for_each(leave);
                    }
                }
            });
        }
        attack
    }

    /// This many open connections, each of which asks again as soon as it is answered.
    pub fn hammer(address: SocketAddr, connections: usize, says: &'static [u8]) -> Self {
        let mut attack = Self::nobody();
        attack.join(address, move |over, door| {
            let mut open: Vec<_> = (0..connections).map(|_| door.knock(says)).collect();
            while !over.load(Ordering::Acquire) {
                for slot in &mut open {
                    match slot.as_mut().map(|sock| sock.read(&mut [0; 1024])) {
                        Some(Ok(1..)) => {
                            door.acts.fetch_add(1, Ordering::Relaxed);
                            let _ = slot.as_mut().map(|sock| sock.write(says));
                        }
                        Some(Err(error)) if error.kind() == ErrorKind::WouldBlock => {}
                        _ => *slot = door.knock(says),
                    }
                }
            }
        });
        attack
    }

    fn join(
        &mut self,
        address: SocketAddr,
        work: impl FnOnce(&AtomicBool, AttackedPort) + Send + 'static,
    ) {
        let over = Arc::clone(&self.over);
        let door = AttackedPort {
            address,
            acts: Arc::clone(&self.acts),
        };
        self.threads
            .push(std::thread::spawn(move || work(&over, door)));
    }

    /// Connections opened so far, and requests repeated on them.
    pub fn acts(&self) -> usize {
        self.acts.load(Ordering::Relaxed)
    }

    /// The same, for each second.
    pub fn rate(&self) -> usize {
        (self.acts() as f64 / self.began.elapsed().as_secs_f64()) as usize
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
struct AttackedPort {
    address: SocketAddr,
    acts: Arc<AtomicUsize>,
}

impl AttackedPort {
    /// A connection on which `says` was said.
    fn knock(&self, says: &[u8]) -> Option<TcpStream> {
        let open = || {
            let mut sock = TcpStream::connect_timeout(&self.address, Duration::from_secs(1))?;
            sock.set_nonblocking(true)?;
            sock.write_all(says)?;
            std::io::Result::Ok(sock)
        };
        let sock = open().ok()?;
        self.acts.fetch_add(1, Ordering::Relaxed);
        Some(sock)
    }
}

/// One member of a group.
#[derive(Default)]
struct Stranger {
    sock: Option<TcpStream>,
    next: Option<Instant>,
}

impl Stranger {
    fn turn(&mut self, number: usize, group: &AttackGroup, door: &AttackedPort) {
        let now = Instant::now();
        let due = self.next.is_none_or(|at| at <= now);
        match &mut self.sock {
            Some(sock) if !is_open(sock) => {
                self.sock = None;
                self.next = Some(now + group.pause);
            }
            Some(sock) if due && !group.drip.is_empty() => {
                let _ = sock.write(group.drip);
                self.next = Some(now + DRIP);
            }
            Some(_) => {}
            None if due => {
                self.sock = door.knock(group.start[number % group.start.len()]);
                self.next = Some(now + DRIP);
                if group.resets
                    && let Some(sock) = self.sock.take()
                {
                    let _ = SockRef::from(&sock).set_linger(Some(Duration::ZERO));
                    self.next = Some(now + group.pause);
                }
            }
            None => {}
        }
    }
}

/// Has the connection end with a reset.
fn leave(sock: &TcpStream) {
    let _ = SockRef::from(sock).set_linger(Some(Duration::ZERO));
}

fn is_open(mut sock: &TcpStream) -> bool {
    match sock.read(&mut [0; 1024]) {
        Ok(count) => count > 0,
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}

//! The one connection to the HTTP server behind, and the queue of those who wait for its answers.
//!
//! Hidden here: that requests of all clients share it. The server answers in the order it was asked, so the oldest in
//! the queue owns the next answer, even when it has left meanwhile. Once that order is in doubt the connection is
//! thrown away. It is dialled when a request needs it: a restart of the server between two requests goes unnoticed.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::net::UnixStream;
use mio::{Interest, Registry, Token};

use super::answer::{self, BrokenResponse, Persistence, Relay};

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// A buffer that grew beyond this is given back when it is empty.
const KEPT_BYTES: usize = 64 * 1024;

/// One who waits for an answer.
pub(super) struct PendingRequest {
    pub conn: usize,
    pub to_head: bool,
    since: Instant,
}

/// What listening to the upstream brought.
pub(super) enum UpstreamEvent {
    Bytes,
    Nothing,
}

/// The connection to the server behind.
pub(super) struct Upstream {
    path: PathBuf,
    token: Token,
    sock: Option<UnixStream>,
    waiting: VecDeque<PendingRequest>,
    out: Vec<u8>,
    sent: usize,
    inbuf: Vec<u8>,
    used: usize,
    readable: bool,
    half_closed: bool,
    /// Not dialled again before this.
    dial_at: Option<Instant>,
    pause: Duration,
}

impl Upstream {
    pub fn new(path: PathBuf, token: Token) -> Self {
        Self {
            path,
            token,
            sock: None,
            waiting: VecDeque::new(),
            out: Vec::new(),
            sent: 0,
            inbuf: Vec::new(),
            used: 0,
            readable: false,
            half_closed: false,
            dial_at: None,
            pause: FIRST_PAUSE,
        }
    }

    /// Connects. A unix socket connects at once or not at all, so nothing waits here.
    pub fn dial(&mut self, registry: &Registry) -> io::Result<()> {
        let mut sock = UnixStream::connect(&self.path)?;
        registry.register(
            &mut sock,
            self.token,
            Interest::READABLE | Interest::WRITABLE,
        )?;
        self.sock = Some(sock);
        self.readable = false;
        self.half_closed = false;
        Ok(())
    }

    /// Whether there is a connection, dialling if it is time for that.
    pub fn reach(&mut self, registry: &Registry, now: Instant) -> bool {
        if self.sock.is_some() {
            return true;
        }
        if self.dial_at.is_some_and(|at| now < at) {
            return false;
        }
        let dialled = self.dial(registry).is_ok();
        if !dialled {
            self.rest(now);
        }
        dialled
    }

    /// Remembers what the system said about the socket.
    pub fn note(&mut self, event: &Event) {
        self.readable |= event.is_readable() || event.is_read_closed() || event.is_error();
        self.half_closed |= event.is_read_closed();
    }

    /// Where the next request's bytes go; [`Upstream::expect`] must follow.
    pub fn post(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Queues the one whose request was just posted.
    pub fn expect(&mut self, conn: usize, to_head: bool, now: Instant) {
        self.waiting.push_back(PendingRequest {
            conn,
            to_head,
            since: now,
        });
    }

    /// Writes what was posted, as far as the socket takes it: one write for the requests of many.
    pub fn flush(&mut self) -> Result<(), BrokenResponse> {
        let Some(sock) = &mut self.sock else {
            return Ok(());
        };
        while self.sent < self.out.len() {
            match sock.write(&self.out[self.sent..]) {
                Ok(0) => return Err(BrokenResponse),
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.out.drain(..self.sent);
                    self.sent = 0;
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(BrokenResponse),
            }
        }
        self.sent = 0;
        empty(&mut self.out);
        Ok(())
    }

    /// Reads once.
    pub fn listen(&mut self, scratch: &mut [u8]) -> Result<UpstreamEvent, BrokenResponse> {
        let Some(sock) = &mut self.sock else {
            return Ok(UpstreamEvent::Nothing);
        };
        while self.readable {
            match sock.read(scratch) {
                Ok(0) => return Err(BrokenResponse),
                Ok(count) => {
                    // As with clients: a read that leaves room has emptied the socket.
                    self.readable = count == scratch.len() || self.half_closed;
                    self.inbuf.extend_from_slice(&scratch[..count]);
                    return Ok(UpstreamEvent::Bytes);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.readable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(BrokenResponse),
            }
        }
        Ok(UpstreamEvent::Nothing)
    }

    /// Who owns the next answer.
    pub fn front(&self) -> Option<&PendingRequest> {
        self.waiting.front()
    }

    /// Takes the next answer, if it is there as a whole. Bytes that nobody has asked for break the connection.
    pub fn answer(
        &mut self,
        to_head: bool,
        persist: Persistence,
    ) -> Result<Option<Relay>, BrokenResponse> {
        let unread = &self.inbuf[self.used..];
        if unread.is_empty() {
            return Ok(None);
        }
        let relayed = answer::relay(unread, to_head, persist)?;
        if let Some(relay) = &relayed {
            self.used += relay.used;
            self.waiting.pop_front();
            self.pause = FIRST_PAUSE;
        }
        Ok(relayed)
    }

    /// Forgets what was taken. Bytes left over with nobody waiting break the connection.
    pub fn settle(&mut self) -> Result<(), BrokenResponse> {
        self.inbuf.drain(..self.used);
        self.used = 0;
        if self.inbuf.is_empty() {
            empty(&mut self.inbuf);
        } else if self.waiting.is_empty() {
            return Err(BrokenResponse);
        }
        Ok(())
    }

    /// Throws the connection away and returns those who waited for it.
    pub fn fail(&mut self, registry: &Registry, now: Instant) -> VecDeque<PendingRequest> {
        if let Some(mut sock) = self.sock.take() {
            // Dropping it takes it off the poll anyway.
            let _ = registry.deregister(&mut sock);
        }
        self.out = Vec::new();
        self.sent = 0;
        self.inbuf = Vec::new();
        self.used = 0;
        self.rest(now);
        std::mem::take(&mut self.waiting)
    }

    fn rest(&mut self, now: Instant) {
        self.dial_at = Some(now + self.pause);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Since when the oldest has been waiting.
    pub fn oldest(&self) -> Option<Instant> {
        self.waiting.front().map(|slot| slot.since)
    }

    /// Bytes of memory held.
    pub fn held(&self) -> usize {
        self.out.capacity() + self.inbuf.capacity()
    }
}

fn empty(buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.shrink_to(KEPT_BYTES);
}

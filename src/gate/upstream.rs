//! The one connection to the upstream HTTP server, and the queue of pending requests.
//!
//! The requests of all clients share this connection. The server answers in the order of the
//! requests, so the next answer belongs to the oldest pending request, even if its client has left.
//! When that order is in doubt, the connection is dropped. It is opened when a request needs it, so
//! a restart of the server between two requests goes unnoticed.

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
/// Capacity that an empty buffer keeps, in bytes.
const KEPT_BYTES: usize = 64 * 1024;

/// A forwarded request without an answer.
pub(super) struct PendingRequest {
    pub conn: usize,
    pub to_head: bool,
    since: Instant,
}

/// The result of a read from the upstream.
pub(super) enum UpstreamRead {
    Bytes,
    WouldBlock,
}

/// The connection to the upstream.
pub(super) struct Upstream {
    path: PathBuf,
    token: Token,
    sock: Option<UnixStream>,
    pending: VecDeque<PendingRequest>,
    out: Vec<u8>,
    sent: usize,
    inbuf: Vec<u8>,
    used: usize,
    readable: bool,
    half_closed: bool,
    /// The earliest time of the next attempt to connect.
    dial_at: Option<Instant>,
    pause: Duration,
}

impl Upstream {
    pub fn new(path: PathBuf, token: Token) -> Self {
        Self {
            path,
            token,
            sock: None,
            pending: VecDeque::new(),
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

    /// Connects. A Unix socket connects at once or not at all, so this does not block.
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

    /// Connects if needed and if the pause after a failure is over. Returns whether there is a
    /// connection.
    pub fn ensure_connected(&mut self, registry: &Registry, now: Instant) -> bool {
        if self.sock.is_some() {
            return true;
        }
        if self.dial_at.is_some_and(|at| now < at) {
            return false;
        }
        let dialled = self.dial(registry).is_ok();
        if !dialled {
            self.back_off(now);
        }
        dialled
    }

    /// Stores the readiness that the system reports.
    pub fn on_event(&mut self, event: &Event) {
        self.readable |= event.is_readable() || event.is_read_closed() || event.is_error();
        self.half_closed |= event.is_read_closed();
    }

    /// The output buffer, for the bytes of the next request; [`Upstream::push_pending`] must
    /// follow.
    pub fn outbox(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Queues the request whose bytes were just added to the outbox.
    pub fn push_pending(&mut self, conn: usize, to_head: bool, now: Instant) {
        self.pending.push_back(PendingRequest {
            conn,
            to_head,
            since: now,
        });
    }

    /// Writes the outbox as far as the socket accepts it. One write may carry many requests.
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
    pub fn read(&mut self, scratch: &mut [u8]) -> Result<UpstreamRead, BrokenResponse> {
        let Some(sock) = &mut self.sock else {
            return Ok(UpstreamRead::WouldBlock);
        };
        while self.readable {
            match sock.read(scratch) {
                Ok(0) => return Err(BrokenResponse),
                Ok(count) => {
                    // As with clients: a read that does not fill the buffer has emptied the socket.
                    self.readable = count == scratch.len() || self.half_closed;
                    self.inbuf.extend_from_slice(&scratch[..count]);
                    return Ok(UpstreamRead::Bytes);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.readable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(BrokenResponse),
            }
        }
        Ok(UpstreamRead::WouldBlock)
    }

    /// The pending request that the next answer belongs to.
    pub fn oldest(&self) -> Option<&PendingRequest> {
        self.pending.front()
    }

    /// Takes the next answer if it is complete.
    pub fn next_answer(
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
            self.pending.pop_front();
            self.pause = FIRST_PAUSE;
        }
        Ok(relayed)
    }

    /// Discards the bytes of answers already taken. Bytes that remain without a pending request
    /// break the connection.
    pub fn discard_used(&mut self) -> Result<(), BrokenResponse> {
        self.inbuf.drain(..self.used);
        self.used = 0;
        if self.inbuf.is_empty() {
            empty(&mut self.inbuf);
        } else if self.pending.is_empty() {
            return Err(BrokenResponse);
        }
        Ok(())
    }

    /// Drops the connection and returns the pending requests.
    pub fn reset(&mut self, registry: &Registry, now: Instant) -> VecDeque<PendingRequest> {
        if let Some(mut sock) = self.sock.take() {
            // Dropping the socket removes it from the poll in any case.
            let _ = registry.deregister(&mut sock);
        }
        self.out = Vec::new();
        self.sent = 0;
        self.inbuf = Vec::new();
        self.used = 0;
        self.back_off(now);
        std::mem::take(&mut self.pending)
    }

    fn back_off(&mut self, now: Instant) {
        self.dial_at = Some(now + self.pause);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    /// The number of pending requests.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Since when the oldest request has been pending.
    pub fn oldest_since(&self) -> Option<Instant> {
        self.pending.front().map(|slot| slot.since)
    }

    /// Bytes of memory held.
    pub fn memory(&self) -> usize {
        self.out.capacity() + self.inbuf.capacity()
    }
}

fn empty(buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.shrink_to(KEPT_BYTES);
}

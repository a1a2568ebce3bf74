//! Admission and eviction of client connections.
//!
//! When connections, memory or file descriptors run out, the gate evicts clients and goes on. A
//! client that never sent a complete request is evicted first, and a request in flight is never
//! given up for a new client. Connections are not counted by address, because behind a proxy all
//! clients have the same one.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Interest, Token};

use super::conn::{Conn, EvictionRank};
use super::event_loop::EventLoop;

/// After this many, the clients already connected are served first.
const ACCEPTS_AT_ONCE: usize = 64;
/// Connections evicted after a failed accept, to free descriptors for the whole process.
const EVICTED_PER_ERROR: usize = 4;
const ACCEPT_RETRY: Duration = Duration::from_millis(5);

impl EventLoop {
    /// Accepts waiting clients. If some remain, it schedules another call: the listener is
    /// edge-triggered, so the system does not report them again.
    pub fn accept(&mut self) {
        self.accept_at = None;
        for _ in 0..ACCEPTS_AT_ONCE {
            let full = self.conns.len() >= self.ctx.limits.connections;
            let evicted = if full { self.next_to_evict() } else { None };
            if full && evicted.is_none() {
                // All clients are being served, which does not take long.
                self.accept_at = Some(self.ctx.now + ACCEPT_RETRY);
                return;
            }
            let Some(listener) = &self.listener else {
                return;
            };
            match listener.accept() {
                Ok((sock, peer)) => {
                    if let Some(id) = evicted {
                        self.evict(id);
                    }
                    self.admit(sock, peer.ip());
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return,
                    ErrorKind::ConnectionAborted | ErrorKind::Interrupted => {}
                    _ => return self.on_accept_error(),
                },
            }
        }
        self.accept_at = Some(self.ctx.now);
    }

    fn admit(&mut self, mut sock: TcpStream, peer: IpAddr) {
        // Without it, pipelined answers wait for each other's acknowledgement. If it fails, the
        // connection still works.
        let _ = sock.set_nodelay(true);
        let id = self.next_conn;
        let interest = Interest::READABLE | Interest::WRITABLE;
        if self
            .poll
            .registry()
            .register(&mut sock, Token(id), interest)
            .is_err()
        {
            self.ctx.tally.counts.accept_errors.add();
            return;
        }
        self.next_conn += 1;
        self.ctx.tally.counts.accepted.add();
        self.conns.insert(id, Conn::new(sock, peer, &self.ctx));
        // Read at once: a request in flight is safe from eviction by the next client.
        self.drive(id);
    }

    /// Handles an error of the system, most likely that no file descriptor is left.
    fn on_accept_error(&mut self) {
        self.ctx.tally.counts.accept_errors.add();
        for _ in 0..EVICTED_PER_ERROR {
            if let Some(id) = self.next_to_evict() {
                self.evict(id);
            }
        }
        self.accept_at = Some(self.ctx.now + ACCEPT_RETRY);
    }

    /// Keeps the sum of all buffers within its limit by evicting the connections that hold most. A
    /// valid request is small.
    pub fn enforce_memory_limit(&mut self) {
        while self.buffered + self.upstream.memory() > self.ctx.limits.buffered_bytes {
            let evictable = self
                .conns
                .iter()
                .filter(|(_, conn)| conn.counted > 0 && conn.eviction_rank().is_some());
            let Some(id) = evictable
                .max_by_key(|(_, conn)| conn.counted)
                .map(|(id, _)| *id)
            else {
                return;
            };
            self.evict(id);
        }
    }

    /// The connection to evict next: one that was never served before an idle one, and the oldest
    /// first. But if idle ones hold more than half of the places they go first, because one cheap
    /// request is enough to become one.
    fn next_to_evict(&self) -> Option<usize> {
        let evictable = || {
            self.conns
                .iter()
                .filter_map(|(id, conn)| Some((conn.eviction_rank()?, *id)))
        };
        let idle = evictable()
            .filter(|((rank, _), _)| *rank == EvictionRank::Idle)
            .count();
        let first = if idle * 2 > self.ctx.limits.connections {
            EvictionRank::Idle
        } else {
            EvictionRank::Unserved
        };
        let next = evictable().min_by_key(|((rank, since), _)| (*rank != first, *rank, *since));
        next.map(|(_, id)| id)
    }

    fn evict(&mut self, id: usize) {
        self.ctx.tally.counts.evicted.add();
        self.close(id);
    }
}

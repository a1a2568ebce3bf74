//! Who may come in, and who has to leave for it.
//!
//! Hidden here: what the gate does when there is no room, be it of connections, of memory or of the system's files. It
//! goes on: whoever never asked for anything leaves first, and a request in flight is never given up for a newcomer.
//! One thing it does not do is to count by address: behind a proxy all clients have the same.

use std::io::ErrorKind;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Interest, Token};

use super::conn::{Conn, EvictionRank};
use super::event_loop::EventLoop;

/// Then the clients already inside have a turn.
const ACCEPTS_AT_ONCE: usize = 64;
/// When the system has nothing left for us, so many leave, for whatever else the process needs.
const LEAVE_AT_ONCE: usize = 4;
const TRY_AGAIN: Duration = Duration::from_millis(5);

impl EventLoop {
    /// Lets in who waits, and takes care to come back: the system reports a crowd at the door only once.
    pub fn accept(&mut self) {
        self.accept_at = None;
        for _ in 0..ACCEPTS_AT_ONCE {
            let full = self.conns.len() >= self.turn.limits.connections;
            let leaver = if full { self.least_deserving() } else { None };
            if full && leaver.is_none() {
                // All are being served. They will not be for long.
                self.accept_at = Some(self.turn.now + TRY_AGAIN);
                return;
            }
            let Some(listener) = &self.listener else {
                return;
            };
            match listener.accept() {
                Ok((sock, _)) => {
                    if let Some(id) = leaver {
                        self.evict(id);
                    }
                    self.admit(sock);
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return,
                    ErrorKind::ConnectionAborted | ErrorKind::Interrupted => {}
                    _ => return self.make_room(),
                },
            }
        }
        self.accept_at = Some(self.turn.now);
    }

    fn admit(&mut self, mut sock: TcpStream) {
        // Pipelined answers would wait for each other's acknowledgement. A socket that cannot do it still works.
        let _ = sock.set_nodelay(true);
        let id = self.next_conn;
        let interest = Interest::READABLE | Interest::WRITABLE;
        if self
            .poll
            .registry()
            .register(&mut sock, Token(id), interest)
            .is_err()
        {
            self.turn.tally.counts.accept_errors.add();
            return;
        }
        self.next_conn += 1;
        self.turn.tally.counts.accepted.add();
        self.conns.insert(id, Conn::new(sock, &self.turn));
        // At once: a request in flight is safe from the next one at the door.
        self.drive(id);
    }

    /// The system would not give us a connection, most likely for want of file descriptors.
    fn make_room(&mut self) {
        self.turn.tally.counts.accept_errors.add();
        for _ in 0..LEAVE_AT_ONCE {
            if let Some(id) = self.least_deserving() {
                self.evict(id);
            }
        }
        self.accept_at = Some(self.turn.now + TRY_AGAIN);
    }

    /// Keeps the sum of all buffers bounded, at the cost of whoever holds most. A proper request is small.
    pub fn keep_within_memory(&mut self) {
        while self.buffered + self.upstream.held() > self.turn.limits.buffered_bytes {
            let movable = self
                .conns
                .iter()
                .filter(|(_, conn)| conn.counted > 0 && conn.claim().is_some());
            let Some(id) = movable
                .max_by_key(|(_, conn)| conn.counted)
                .map(|(id, _)| *id)
            else {
                return;
            };
            self.evict(id);
        }
    }

    /// Strangers leave before those who were served, the oldest first. But those who were served may not hold more than
    /// half of the places against newcomers: it takes one cheap request to be one of them.
    fn least_deserving(&self) -> Option<usize> {
        let movable = || {
            self.conns
                .iter()
                .filter_map(|(id, conn)| Some((conn.claim()?, *id)))
        };
        let idle = movable()
            .filter(|((claim, _), _)| *claim == EvictionRank::Idle)
            .count();
        let first = if idle * 2 > self.turn.limits.connections {
            EvictionRank::Idle
        } else {
            EvictionRank::None
        };
        let leaver = movable().min_by_key(|((claim, since), _)| (*claim != first, *claim, *since));
        leaver.map(|(_, id)| id)
    }

    fn evict(&mut self, id: usize) {
        self.turn.tally.counts.evicted.add();
        self.close(id);
    }
}

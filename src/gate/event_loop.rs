//! The event loop: it waits for a ready socket or a deadline, and then advances the connections
//! concerned.
//!
//! It is the gate's only thread. Only the poll blocks, and without a client it has no deadline to
//! wake up for.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::mem;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use mio::net::TcpListener;
use mio::{Events, Poll, Token};

use super::answer::{BrokenResponse, GateRefusal, Persistence};
use super::conn::{Conn, ConnContext, Next};
use super::tally::GateTally;
use super::upstream::{Upstream, UpstreamRead};
use super::{Gate, GateHandle};

pub(super) const LISTENER: Token = Token(0);
pub(super) const WAKER: Token = Token(1);
const UPSTREAM: Token = Token(2);
const FIRST_CONN: usize = 3;

const EVENTS_AT_ONCE: usize = 256;
/// The most bytes of one read. A request in flight may hold as many bytes of the next request.
const SCRATCH_BYTES: usize = 8 * 1024;
/// Deadlines are checked at most this often.
const SWEEP_EVERY: Duration = Duration::from_millis(100);
/// The connection to the upstream is dropped when its oldest answer has been due for this many
/// times [`Limits::backend`](super::Limits::backend).
const PATIENCE: u32 = 3;

/// A running gate.
pub(super) struct EventLoop {
    pub poll: Poll,
    /// `None` once the gate is stopping.
    pub listener: Option<TcpListener>,
    /// When to accept clients, if any may be waiting.
    pub accept_at: Option<Instant>,
    /// By number. Numbers are never reused, so an answer cannot reach a client that connected
    /// later.
    pub conns: BTreeMap<usize, Conn>,
    pub next_conn: usize,
    pub upstream: Upstream,
    pub ctx: ConnContext,
    /// Bytes that all connections hold together.
    pub buffered: usize,
    sweep_at: Option<Instant>,
    swept: Instant,
    /// When the gate ends even if clients are still connected; set once it is stopping.
    drain_until: Option<Instant>,
    handle: GateHandle,
}

impl EventLoop {
    /// Creates the loop and connects to the upstream.
    ///
    /// # Errors
    /// The upstream cannot be reached.
    pub fn start(gate: Gate) -> io::Result<Self> {
        let now = Instant::now();
        let mut upstream = Upstream::new(gate.upstream, UPSTREAM);
        upstream.dial(gate.poll.registry())?;
        let scratch = vec![0; SCRATCH_BYTES].into_boxed_slice();
        let ctx = ConnContext {
            now,
            limits: gate.limits,
            scratch,
            tally: GateTally::new(gate.counts),
            proxies: gate.proxies,
            draining: false,
        };
        Ok(Self {
            poll: gate.poll,
            listener: Some(gate.listener),
            accept_at: Some(now),
            conns: BTreeMap::new(),
            next_conn: FIRST_CONN,
            upstream,
            ctx,
            buffered: 0,
            sweep_at: None,
            swept: now,
            drain_until: None,
            handle: gate.handle,
        })
    }

    pub fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS_AT_ONCE);
        loop {
            match self.poll.poll(&mut events, self.timeout()) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                Err(_) => continue,
                Ok(()) => {}
            }
            self.ctx.now = Instant::now();
            self.handle(&events);
            let open = self.conns.len() as u64;
            self.ctx.tally.counts.open.set(open);
            if self
                .drain_until
                .is_some_and(|until| self.conns.is_empty() || self.ctx.now >= until)
            {
                self.finish();
                return Ok(());
            }
        }
    }

    /// The time until the next deadline; `None` without one.
    fn timeout(&self) -> Option<Duration> {
        let next = [self.sweep_at, self.accept_at, self.drain_until]
            .into_iter()
            .flatten()
            .min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    fn handle(&mut self, events: &Events) {
        for event in events {
            match event.token() {
                LISTENER => self.accept_at = Some(self.ctx.now),
                WAKER => {}
                UPSTREAM => self.upstream.on_event(event),
                Token(id) => {
                    if let Some(conn) = self.conns.get_mut(&id) {
                        conn.on_event(event);
                        self.drive(id);
                    }
                }
            }
        }
        if self.read_answers().is_err() {
            self.drop_upstream();
        }
        if self.accept_at.is_some_and(|at| at <= self.ctx.now) {
            self.accept();
        }
        if self.drain_until.is_none() && self.handle.stopping.load(Ordering::Acquire) {
            self.start_draining();
        }
        if self.sweep_at.is_some_and(|at| at <= self.ctx.now) {
            self.sweep();
        }
        // Last, so that one write carries the requests of all clients.
        if self.upstream.flush().is_err() {
            self.drop_upstream();
        }
    }

    /// Advances a client's connection as far as possible.
    pub fn drive(&mut self, id: usize) {
        while let Some(conn) = self.conns.get_mut(&id) {
            match conn.advance(&mut self.ctx) {
                Next::Wait => break,
                Next::Forward => self.forward(id),
                Next::Close => return self.close(id),
            }
        }
        self.track(id);
        self.enforce_memory_limit();
    }

    /// Updates the memory total and the next deadline after a connection has advanced.
    fn track(&mut self, id: usize) {
        let Some(conn) = self.conns.get_mut(&id) else {
            return;
        };
        let held = conn.memory();
        self.buffered = self.buffered + held - mem::replace(&mut conn.counted, held);
        let deadline = conn.deadline;
        self.wake_by(deadline);
    }

    pub fn wake_by(&mut self, deadline: Instant) {
        let at = deadline.max(self.swept + SWEEP_EVERY);
        self.sweep_at = Some(self.sweep_at.map_or(at, |earlier| earlier.min(at)));
    }

    pub fn close(&mut self, id: usize) {
        if let Some(mut conn) = self.conns.remove(&id) {
            self.buffered -= conn.counted;
            // Dropping the socket removes it from the poll in any case.
            let _ = self.poll.registry().deregister(conn.sock());
        }
    }

    /// Forwards the complete request of a client to the upstream.
    fn forward(&mut self, id: usize) {
        self.track(id);
        self.enforce_memory_limit();
        let over = self.buffered + self.upstream.memory() > self.ctx.limits.buffered_bytes;
        let overloaded = over || self.upstream.pending() >= self.ctx.limits.connections;
        let Some(conn) = self.conns.get_mut(&id) else {
            return;
        };
        if overloaded {
            conn.refuse(GateRefusal::OVERLOADED, &mut self.ctx);
        } else if self
            .upstream
            .ensure_connected(self.poll.registry(), self.ctx.now)
        {
            if let Some(to_head) = conn.take_request(self.upstream.outbox(), &self.ctx) {
                self.upstream.push_pending(id, to_head, self.ctx.now);
            }
        } else {
            conn.refuse(GateRefusal::UPSTREAM_UNAVAILABLE, &mut self.ctx);
        }
    }

    /// Reads answers of the upstream and passes them to their clients.
    fn read_answers(&mut self) -> Result<(), BrokenResponse> {
        while let UpstreamRead::Bytes = self.upstream.read(&mut self.ctx.scratch)? {
            while let Some(slot) = self.upstream.oldest() {
                let (id, to_head) = (slot.conn, slot.to_head);
                // If its client has left or has got a 504, the answer is read and dropped.
                let owner = self.conns.get_mut(&id).filter(|conn| conn.is_in_flight());
                let persist = match &owner {
                    Some(conn) if !self.ctx.draining => conn.persist(),
                    _ => Persistence::Close,
                };
                let Some(relay) = self.upstream.next_answer(to_head, persist)? else {
                    break;
                };
                if let Some(conn) = owner {
                    conn.answer(relay.bytes, persist == Persistence::Close, &self.ctx);
                    self.drive(id);
                }
            }
            self.upstream.discard_used()?;
        }
        Ok(())
    }

    /// Drops the connection to the upstream and refuses all pending requests.
    fn drop_upstream(&mut self) {
        self.ctx.tally.counts.upstream_lost.add();
        for slot in self.upstream.reset(self.poll.registry(), self.ctx.now) {
            self.refuse_in_flight(slot.conn, GateRefusal::UPSTREAM_UNAVAILABLE);
        }
    }

    fn refuse_in_flight(&mut self, id: usize, refusal: GateRefusal) {
        if let Some(conn) = self.conns.get_mut(&id).filter(|conn| conn.is_in_flight()) {
            conn.refuse(refusal, &mut self.ctx);
            self.drive(id);
        }
    }

    /// Handles the deadlines that have passed, and finds the next one.
    fn sweep(&mut self) {
        let now = self.ctx.now;
        self.swept = now;
        self.sweep_at = None;
        let due: Vec<usize> = self
            .conns
            .iter()
            .filter(|(_, conn)| conn.deadline <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            let Some(conn) = self.conns.get_mut(&id) else {
                continue;
            };
            if conn.expire(&mut self.ctx) {
                self.drive(id);
            } else {
                self.close(id);
            }
        }
        let patience = self.ctx.limits.backend * PATIENCE;
        if self
            .upstream
            .oldest_since()
            .is_some_and(|since| since + patience <= now)
        {
            self.drop_upstream();
        }
        let upstream_deadline = self.upstream.oldest_since().map(|since| since + patience);
        if let Some(next) = self
            .conns
            .values()
            .map(|conn| conn.deadline)
            .chain(upstream_deadline)
            .min()
        {
            self.wake_by(next);
        }
        self.ctx.tally.report(now);
    }

    /// Stops accepting clients, and refuses requests that are still incomplete.
    fn start_draining(&mut self) {
        self.drain_until = Some(self.ctx.now + self.ctx.limits.drain);
        // Clients in the kernel's queue are still served if their request has arrived.
        self.accept();
        self.accept_at = None;
        self.ctx.draining = true;
        if let Some(mut listener) = self.listener.take() {
            let _ = self.poll.registry().deregister(&mut listener);
        }
        let ids: Vec<usize> = self.conns.keys().copied().collect();
        for id in ids {
            // A request that has arrived but is not read yet is still served.
            if let Some(conn) = self.conns.get_mut(&id) {
                conn.assume_readable();
            }
            self.drive(id);
            let Some(conn) = self.conns.get_mut(&id) else {
                continue;
            };
            if conn.refuse_incomplete(&mut self.ctx) {
                self.drive(id);
            } else {
                self.close(id);
            }
        }
    }

    /// Refuses the requests that were not answered in time, and logs the counts.
    fn finish(&mut self) {
        let ids: Vec<usize> = self.conns.keys().copied().collect();
        for id in ids {
            self.refuse_in_flight(id, GateRefusal::STOPPING);
        }
        self.ctx.tally.flush(self.ctx.now);
    }
}

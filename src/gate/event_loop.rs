//! The loop: wait until a socket or a deadline has something to say, and give everybody concerned a turn.
//!
//! Hidden here: the one thread. Nothing in it blocks but the poll, and with no client there is not even a deadline to
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
use super::upstream::{Upstream, UpstreamEvent};
use super::{Gate, Remote};

pub(super) const LISTENER: Token = Token(0);
pub(super) const WAKER: Token = Token(1);
const UPSTREAM: Token = Token(2);
const FIRST_CONN: usize = 3;

const EVENTS_AT_ONCE: usize = 256;
/// What one read can bring. A request in flight may hold as much of what its client has sent too early.
const SCRATCH_BYTES: usize = 8 * 1024;
/// Deadlines are looked after no more often than this.
const SWEEP_EVERY: Duration = Duration::from_millis(100);
/// An upstream whose oldest answer is due for so many backend limits is given up.
const PATIENCE: u32 = 3;

/// The gate at work.
pub(super) struct EventLoop {
    pub poll: Poll,
    /// Gone once the gate is stopping.
    pub listener: Option<TcpListener>,
    /// When clients are to be let in, if any may be waiting.
    pub accept_at: Option<Instant>,
    /// By number. Numbers are never used twice, so whoever waits for an answer cannot be mistaken for a newcomer.
    pub conns: BTreeMap<usize, Conn>,
    pub next_conn: usize,
    pub upstream: Upstream,
    pub turn: ConnContext,
    /// Bytes that all connections hold together.
    pub buffered: usize,
    sweep_at: Option<Instant>,
    swept: Instant,
    /// When the gate stops whoever is still there; set once it is stopping.
    drain_until: Option<Instant>,
    remote: Remote,
}

impl EventLoop {
    /// Connects to the upstream, which proves that there is one.
    pub fn start(gate: Gate) -> io::Result<Self> {
        let now = Instant::now();
        let mut upstream = Upstream::new(gate.upstream, UPSTREAM);
        upstream.dial(gate.poll.registry())?;
        let scratch = vec![0; SCRATCH_BYTES].into_boxed_slice();
        let turn = ConnContext {
            now,
            limits: gate.limits,
            scratch,
            tally: GateTally::new(gate.counts),
            draining: false,
        };
        Ok(Self {
            poll: gate.poll,
            listener: Some(gate.listener),
            accept_at: Some(now),
            conns: BTreeMap::new(),
            next_conn: FIRST_CONN,
            upstream,
            turn,
            buffered: 0,
            sweep_at: None,
            swept: now,
            drain_until: None,
            remote: gate.remote,
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
            self.turn.now = Instant::now();
            self.handle(&events);
            let open = self.conns.len() as u64;
            self.turn.tally.counts.open.set(open);
            if self
                .drain_until
                .is_some_and(|until| self.conns.is_empty() || self.turn.now >= until)
            {
                self.finish();
                return Ok(());
            }
        }
    }

    /// How long nothing is to be done. Without a client: for ever.
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
                LISTENER => self.accept_at = Some(self.turn.now),
                WAKER => {}
                UPSTREAM => self.upstream.note(event),
                Token(id) => {
                    if let Some(conn) = self.conns.get_mut(&id) {
                        conn.note(event);
                        self.drive(id);
                    }
                }
            }
        }
        if self.hear().is_err() {
            self.lose_upstream();
        }
        if self.accept_at.is_some_and(|at| at <= self.turn.now) {
            self.accept();
        }
        if self.drain_until.is_none() && self.remote.stopping.load(Ordering::Acquire) {
            self.start_draining();
        }
        if self.sweep_at.is_some_and(|at| at <= self.turn.now) {
            self.sweep();
        }
        // Last, so that one write carries what all clients have asked in this turn.
        if self.upstream.flush().is_err() {
            self.lose_upstream();
        }
    }

    /// Lets a client's connection go as far as it can.
    pub fn drive(&mut self, id: usize) {
        while let Some(conn) = self.conns.get_mut(&id) {
            match conn.advance(&mut self.turn) {
                Next::Wait => break,
                Next::Forward => self.forward(id),
                Next::Gone => return self.close(id),
            }
        }
        self.account(id);
        self.keep_within_memory();
    }

    /// Brings the books up to date after a connection's turn.
    fn account(&mut self, id: usize) {
        let Some(conn) = self.conns.get_mut(&id) else {
            return;
        };
        let held = conn.held();
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
            // Dropping the socket takes it off the poll anyway.
            let _ = self.poll.registry().deregister(conn.sock());
        }
    }

    /// Hands a complete request on.
    fn forward(&mut self, id: usize) {
        self.account(id);
        self.keep_within_memory();
        let over = self.buffered + self.upstream.held() > self.turn.limits.buffered_bytes;
        let crowded = over || self.upstream.waiting() >= self.turn.limits.connections;
        let Some(conn) = self.conns.get_mut(&id) else {
            return;
        };
        if crowded {
            conn.refuse(GateRefusal::CROWDED, &mut self.turn);
        } else if self.upstream.reach(self.poll.registry(), self.turn.now) {
            if let Some(to_head) = conn.take_request(self.upstream.post(), &self.turn) {
                self.upstream.expect(id, to_head, self.turn.now);
            }
        } else {
            conn.refuse(GateRefusal::UPSTREAM_AWAY, &mut self.turn);
        }
    }

    /// Takes what the upstream says and gives everybody their answer.
    fn hear(&mut self) -> Result<(), BrokenResponse> {
        while let UpstreamEvent::Bytes = self.upstream.listen(&mut self.turn.scratch)? {
            while let Some(slot) = self.upstream.front() {
                let (id, to_head) = (slot.conn, slot.to_head);
                // Whoever left, or was told 504, owns the answer all the same: it is taken and dropped.
                let owner = self.conns.get_mut(&id).filter(|conn| conn.is_in_flight());
                let persist = match &owner {
                    Some(conn) if !self.turn.draining => conn.persist(),
                    _ => Persistence::Close,
                };
                let Some(relay) = self.upstream.answer(to_head, persist)? else {
                    break;
                };
                if let Some(conn) = owner {
                    conn.give(relay.bytes, persist == Persistence::Close, &self.turn);
                    self.drive(id);
                }
            }
            self.upstream.settle()?;
        }
        Ok(())
    }

    /// Tells all who wait for the upstream that it is gone.
    fn lose_upstream(&mut self) {
        self.turn.tally.counts.upstream_lost.add();
        for slot in self.upstream.fail(self.poll.registry(), self.turn.now) {
            self.refuse_in_flight(slot.conn, GateRefusal::UPSTREAM_AWAY);
        }
    }

    fn refuse_in_flight(&mut self, id: usize, refusal: GateRefusal) {
        if let Some(conn) = self.conns.get_mut(&id).filter(|conn| conn.is_in_flight()) {
            conn.refuse(refusal, &mut self.turn);
            self.drive(id);
        }
    }

    /// Looks after the deadlines that have passed, and finds the next.
    fn sweep(&mut self) {
        let now = self.turn.now;
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
            if conn.expire(&mut self.turn) {
                self.drive(id);
            } else {
                self.close(id);
            }
        }
        let patience = self.turn.limits.backend * PATIENCE;
        if self
            .upstream
            .oldest()
            .is_some_and(|since| since + patience <= now)
        {
            self.lose_upstream();
        }
        let upstream_deadline = self.upstream.oldest().map(|since| since + patience);
        if let Some(next) = self
            .conns
            .values()
            .map(|conn| conn.deadline)
            .chain(upstream_deadline)
            .min()
        {
            self.wake_by(next);
        }
        self.turn.tally.report(now);
    }

    /// Lets nobody in any more, and ends what is no complete request yet.
    fn start_draining(&mut self) {
        self.drain_until = Some(self.turn.now + self.turn.limits.drain);
        // Who stands at the door with a request in hand is served, too.
        self.accept();
        self.accept_at = None;
        self.turn.draining = true;
        if let Some(mut listener) = self.listener.take() {
            let _ = self.poll.registry().deregister(&mut listener);
        }
        let ids: Vec<usize> = self.conns.keys().copied().collect();
        for id in ids {
            // A request that has arrived but was not read yet is still served.
            if let Some(conn) = self.conns.get_mut(&id) {
                conn.inspect_again();
            }
            self.drive(id);
            let Some(conn) = self.conns.get_mut(&id) else {
                continue;
            };
            if conn.retire(&mut self.turn) {
                self.drive(id);
            } else {
                self.close(id);
            }
        }
    }

    /// The last words, to whoever was not answered in time.
    fn finish(&mut self) {
        let ids: Vec<usize> = self.conns.keys().copied().collect();
        for id in ids {
            self.refuse_in_flight(id, GateRefusal::STOPPING);
        }
        self.turn.tally.flush(self.turn.now);
    }
}

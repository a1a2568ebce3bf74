//! One client connection: its buffers, its state and its deadline.
//!
//! The socket is edge-triggered: readiness is reported only once. So `readable` keeps it until a
//! read finds no more bytes.

use std::io::{ErrorKind, Read, Write};
use std::mem;
use std::net::{IpAddr, Shutdown};
use std::time::Instant;

use mio::event::Event;
use mio::net::TcpStream;

use super::Limits;
use super::Proxies;
use super::answer::{CONTINUE, GateRefusal, Persistence};
use super::client::Caller;
use super::intake::Intake;
use super::tally::GateTally;

/// Capacity that an empty buffer keeps, in bytes.
const KEPT_BYTES: usize = 4 * 1024;
/// Bytes read from a client after its last answer. Enough for what was in transit when it was
/// refused; after that it is cut off.
const MOST_LINGER_BYTES: usize = 256 * 1024;

/// State that all connections share.
pub(super) struct ConnContext {
    pub now: Instant,
    pub limits: Limits,
    /// The target of every read, so that no connection's buffer grows before bytes have arrived.
    pub scratch: Box<[u8]>,
    pub tally: GateTally,
    /// `Some` = the upstream is told who each client is, and these may say it.
    pub proxies: Option<Proxies>,
    /// The gate is stopping: no connection serves another request.
    pub draining: bool,
}

/// What the event loop has to do with a connection next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing, until its socket is ready or its deadline passes.
    Wait,
    /// Take its complete request with [`Conn::take_request`].
    Forward,
    /// Close it.
    Close,
}

/// The order of eviction, first to last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EvictionRank {
    /// It never sent a valid request, or has got its last answer.
    Unserved,
    /// It was served before, and has no request in flight now.
    Idle,
    /// It has not read its answer yet.
    Unread,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ConnState {
    /// No complete request has arrived yet.
    Collecting,
    /// The request has been forwarded to the upstream.
    InFlight,
    /// The answer is being written.
    Answering { last: bool },
    /// The last answer is written. What the client still sends is read and dropped, so that it gets
    /// the answer and not a reset.
    Lingering,
}

/// One client's connection.
pub(super) struct Conn {
    sock: TcpStream,
    /// The address of its other end, if the upstream is told.
    peer: Option<Caller>,
    state: ConnState,
    /// When the current state began.
    since: Instant,
    /// When the current state ends, whatever the client does.
    pub deadline: Instant,
    /// Bytes that the gate's total counts for this connection.
    pub counted: usize,
    intake: Intake,
    out: Vec<u8>,
    sent: usize,
    /// It has got an answer of the upstream before.
    answered: bool,
    /// `100 Continue` was sent for the current request.
    continued: bool,
    /// Bytes read after the last answer.
    drained: usize,
    readable: bool,
    /// The client has closed its side: reads must go on until they return the end of the stream.
    half_closed: bool,
    broken: bool,
}

/// The result of a read.
enum ReadResult {
    Bytes(usize),
    WouldBlock,
    EndOfStream,
    Failed,
}

impl Conn {
    pub fn new(sock: TcpStream, peer: IpAddr, ctx: &ConnContext) -> Self {
        Self {
            sock,
            peer: ctx.proxies.as_ref().map(|proxies| Caller {
                address: peer,
                is_proxy: proxies.contain(peer),
            }),
            state: ConnState::Collecting,
            since: ctx.now,
            deadline: ctx.now + ctx.limits.first_byte,
            counted: 0,
            intake: Intake::default(),
            out: Vec::new(),
            sent: 0,
            answered: false,
            continued: false,
            drained: 0,
            // Its request has often arrived before it is accepted.
            readable: true,
            half_closed: false,
            broken: false,
        }
    }

    /// Stores the readiness that the system reports.
    pub fn on_event(&mut self, event: &Event) {
        self.readable |= event.is_readable() || event.is_read_closed();
        self.half_closed |= event.is_read_closed();
        self.broken |= event.is_error();
    }

    /// Makes the next [`Conn::advance`] read, even if the system has not reported readiness.
    pub fn assume_readable(&mut self) {
        self.readable = true;
    }

    /// Reads, parses and writes as far as the socket allows.
    pub fn advance(&mut self, ctx: &mut ConnContext) -> Next {
        loop {
            if self.broken || !self.flush() {
                return Next::Close;
            }
            match self.state {
                ConnState::Collecting => match self.collect(ctx) {
                    // Refused: there is an answer to write.
                    None => {}
                    Some(next) => return next,
                },
                ConnState::InFlight => return Next::Wait,
                ConnState::Answering { .. } if !self.out.is_empty() => return Next::Wait,
                ConnState::Answering { last } => self.finish_answer(last, ctx),
                ConnState::Lingering => return self.drain(ctx),
            }
        }
    }

    /// Reads until a request is complete or no more bytes are there. `None`: the request was
    /// refused.
    fn collect(&mut self, ctx: &mut ConnContext) -> Option<Next> {
        loop {
            match self.intake.parse(&ctx.limits) {
                Ok(false) => {}
                Ok(true) => return Some(Next::Forward),
                Err(refusal) => {
                    self.refuse(refusal, ctx);
                    return None;
                }
            }
            if self.intake.wants_continue() && !mem::replace(&mut self.continued, true) {
                self.out.extend_from_slice(CONTINUE);
                if !self.flush() {
                    return Some(Next::Close);
                }
            }
            let started = !self.intake.is_empty();
            match self.fill(ctx) {
                ReadResult::Bytes(_) if !started => {
                    self.enter(
                        ConnState::Collecting,
                        ctx.now,
                        ctx.now + ctx.limits.complete,
                    );
                }
                ReadResult::Bytes(_) => {}
                ReadResult::WouldBlock => return Some(Next::Wait),
                ReadResult::EndOfStream if started => {
                    self.refuse(GateRefusal::INCOMPLETE, ctx);
                    return None;
                }
                ReadResult::EndOfStream | ReadResult::Failed => return Some(Next::Close),
            }
        }
    }

    fn fill(&mut self, ctx: &mut ConnContext) -> ReadResult {
        let got = self.read(&mut ctx.scratch);
        if let ReadResult::Bytes(count) = got {
            self.intake.push(&ctx.scratch[..count]);
        }
        got
    }

    fn read(&mut self, scratch: &mut [u8]) -> ReadResult {
        while self.readable {
            match self.sock.read(scratch) {
                Ok(0) => return ReadResult::EndOfStream,
                Ok(count) => {
                    // A read that does not fill the buffer has emptied the socket, and later bytes
                    // are reported again. Only an end of the stream that was already reported is
                    // not, hence the second condition.
                    self.readable = count == scratch.len() || self.half_closed;
                    return ReadResult::Bytes(count);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.readable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return ReadResult::Failed,
            }
        }
        ReadResult::WouldBlock
    }

    /// Writes the output as far as the socket accepts it. Returns false if the client is gone.
    fn flush(&mut self) -> bool {
        while self.sent < self.out.len() {
            match self.sock.write(&self.out[self.sent..]) {
                Ok(0) => return false,
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        empty(&mut self.out);
        self.sent = 0;
        true
    }

    /// Moves the request to `upstream` and starts to wait for its answer. Returns whether its
    /// method is HEAD; `None` if there is no complete request.
    pub fn take_request(&mut self, upstream: &mut Vec<u8>, ctx: &ConnContext) -> Option<bool> {
        let is_head = self.intake.take(upstream, self.peer)?;
        self.enter(ConnState::InFlight, ctx.now, ctx.now + ctx.limits.backend);
        Some(is_head)
    }

    /// Starts to write the upstream's answer. `last` closes the connection after it.
    pub fn answer(&mut self, answer: Vec<u8>, last: bool, ctx: &ConnContext) {
        if self.out.is_empty() {
            self.out = answer;
        } else {
            // A `100 Continue` that the client has not read yet.
            self.out.extend_from_slice(&answer);
        }
        self.answered = true;
        self.enter(
            ConnState::Answering { last },
            ctx.now,
            ctx.now + ctx.limits.take_answer,
        );
    }

    /// Answers with an error of the gate, which is the last answer.
    pub fn refuse(&mut self, refusal: GateRefusal, ctx: &mut ConnContext) {
        log::debug!("gate: refused with {}", refusal.status);
        ctx.tally.counts.refused.add();
        refusal.write(self.intake.is_head(), &mut self.out);
        self.intake.close();
        self.enter(
            ConnState::Answering { last: true },
            ctx.now,
            ctx.now + ctx.limits.take_answer,
        );
    }

    /// Handles a deadline that has passed. Returns false if the connection can be closed at once.
    pub fn expire(&mut self, ctx: &mut ConnContext) -> bool {
        match self.state {
            ConnState::Collecting if !self.intake.is_empty() => {
                self.refuse(GateRefusal::TOO_SLOW, ctx);
            }
            ConnState::InFlight => self.refuse(GateRefusal::UPSTREAM_TIMEOUT, ctx),
            ConnState::Collecting | ConnState::Answering { .. } | ConnState::Lingering => {
                return false;
            }
        }
        true
    }

    /// Refuses an incomplete request, because the gate is stopping. Returns false if the connection
    /// can be closed at once.
    pub fn refuse_incomplete(&mut self, ctx: &mut ConnContext) -> bool {
        match self.state {
            ConnState::Collecting if self.intake.is_empty() => return false,
            ConnState::Collecting => self.refuse(GateRefusal::STOPPING, ctx),
            ConnState::InFlight | ConnState::Answering { .. } | ConnState::Lingering => {}
        }
        true
    }

    fn finish_answer(&mut self, last: bool, ctx: &ConnContext) {
        self.intake.next();
        self.continued = false;
        if last || ctx.draining {
            // If this fails, the next read reports the end of the connection.
            let _ = self.sock.shutdown(Shutdown::Write);
            self.enter(ConnState::Lingering, ctx.now, ctx.now + ctx.limits.linger);
        } else if self.intake.is_empty() {
            self.enter(ConnState::Collecting, ctx.now, ctx.now + ctx.limits.idle);
        } else {
            self.enter(
                ConnState::Collecting,
                ctx.now,
                ctx.now + ctx.limits.complete,
            );
        }
    }

    fn drain(&mut self, ctx: &mut ConnContext) -> Next {
        while self.drained < MOST_LINGER_BYTES {
            match self.read(&mut ctx.scratch) {
                ReadResult::Bytes(count) => self.drained += count,
                ReadResult::WouldBlock => return Next::Wait,
                ReadResult::EndOfStream | ReadResult::Failed => return Next::Close,
            }
        }
        Next::Close
    }

    fn enter(&mut self, state: ConnState, now: Instant, deadline: Instant) {
        self.state = state;
        self.since = now;
        self.deadline = deadline;
    }

    /// Whether it waits for an answer of the upstream.
    pub fn is_in_flight(&self) -> bool {
        self.state == ConnState::InFlight
    }

    /// Whether the current request wants its connection to persist.
    pub fn persist(&self) -> Persistence {
        self.intake.persist()
    }

    /// Bytes of memory held.
    pub fn memory(&self) -> usize {
        self.intake.memory() + self.out.capacity()
    }

    /// Its rank and the start of its current state; `None` if it may not be evicted.
    pub fn eviction_rank(&self) -> Option<(EvictionRank, Instant)> {
        let rank = match self.state {
            ConnState::InFlight => return None,
            ConnState::Lingering => EvictionRank::Unserved,
            ConnState::Collecting if !self.answered => EvictionRank::Unserved,
            ConnState::Collecting => EvictionRank::Idle,
            ConnState::Answering { .. } => EvictionRank::Unread,
        };
        Some((rank, self.since))
    }

    /// The socket, to deregister it from the poll.
    pub fn sock(&mut self) -> &mut TcpStream {
        &mut self.sock
    }
}

fn empty(buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.shrink_to(KEPT_BYTES);
}

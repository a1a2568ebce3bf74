//! One client: what it has sent, what it is owed, and until when.
//!
//! Hidden here: the edge-triggered socket. A readiness that was reported once is not reported again, so it is kept in
//! `readable` until a read finds nothing more.

use std::io::{ErrorKind, Read, Write};
use std::mem;
use std::net::Shutdown;
use std::time::Instant;

use mio::event::Event;
use mio::net::TcpStream;

use super::Limits;
use super::answer::{CONTINUE, GateRefusal, Persistence};
use super::intake::Intake;
use super::tally::GateTally;

/// A buffer that grew beyond this is given back when it is no longer needed.
const KEPT_BYTES: usize = 4 * 1024;
/// Of what a client still sends after its last answer, so much is read. Enough for what was under way when it was
/// refused; whoever goes on is cut off.
const LINGER_BYTES: usize = 256 * 1024;

/// What all connections share while one of them has its turn.
pub(super) struct ConnContext {
    pub now: Instant,
    pub limits: Limits,
    /// Where reads go first, so that no connection's buffer grows before bytes have come.
    pub scratch: Box<[u8]>,
    pub tally: GateTally,
    /// The gate is stopping: no connection serves another request.
    pub draining: bool,
}

/// What a connection wants after its turn.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// To be left alone until its socket or its deadline says so.
    Wait,
    /// Its complete request taken; see [`Conn::take_request`].
    Forward,
    /// Nothing any more.
    Gone,
}

/// What a connection can say for itself when there is no more room, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EvictionRank {
    /// Never sent a proper request, or has had its last answer.
    None,
    /// Was answered before, and is not being served now.
    Idle,
    /// Does not take its answer.
    Unread,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ConnState {
    /// A request is awaited, or a part of it is there.
    Collecting,
    /// The request is with the upstream.
    InFlight,
    /// The answer is being written.
    Answering { last: bool },
    /// All is said. What the client still sends is read and dropped, so that it can read the answer.
    Lingering,
}

/// One client's connection.
pub(super) struct Conn {
    sock: TcpStream,
    state: ConnState,
    /// When the present state began.
    since: Instant,
    /// When the present state ends, whatever the client does.
    pub deadline: Instant,
    /// Bytes that the gate's account holds against this connection.
    pub counted: usize,
    intake: Intake,
    out: Vec<u8>,
    sent: usize,
    answered: bool,
    continued: bool,
    /// Bytes read after the last answer.
    drained: usize,
    readable: bool,
    /// The client has closed its side: reads must go on until they say so too.
    half_closed: bool,
    broken: bool,
}

/// What a read brought.
enum ReadResult {
    Bytes(usize),
    Nothing,
    End,
    BrokenResponse,
}

impl Conn {
    pub fn new(sock: TcpStream, turn: &ConnContext) -> Self {
        Self {
            sock,
            state: ConnState::Collecting,
            since: turn.now,
            deadline: turn.now + turn.limits.first_byte,
            counted: 0,
            intake: Intake::default(),
            out: Vec::new(),
            sent: 0,
            answered: false,
            continued: false,
            drained: 0,
            // Its request is often there before it is let in.
            readable: true,
            half_closed: false,
            broken: false,
        }
    }

    /// Remembers what the system said about the socket.
    pub fn note(&mut self, event: &Event) {
        self.readable |= event.is_readable() || event.is_read_closed();
        self.half_closed |= event.is_read_closed();
        self.broken |= event.is_error();
    }

    /// Has the next turn read, whatever the system has said so far.
    pub fn inspect_again(&mut self) {
        self.readable = true;
    }

    /// Goes as far as the socket allows.
    pub fn advance(&mut self, turn: &mut ConnContext) -> Next {
        loop {
            if self.broken || !self.flush() {
                return Next::Gone;
            }
            match self.state {
                ConnState::Collecting => match self.collect(turn) {
                    // Refused: there is something to write.
                    None => {}
                    Some(next) => return next,
                },
                ConnState::InFlight => return Next::Wait,
                ConnState::Answering { .. } if !self.out.is_empty() => return Next::Wait,
                ConnState::Answering { last } => self.finish_answer(last, turn),
                ConnState::Lingering => return self.drain(turn),
            }
        }
    }

    /// Reads until a request is complete, or nothing more is there, or it is refused (`None`).
    fn collect(&mut self, turn: &mut ConnContext) -> Option<Next> {
        loop {
            match self.intake.inspect(&turn.limits) {
                Ok(false) => {}
                Ok(true) => return Some(Next::Forward),
                Err(refusal) => {
                    self.refuse(refusal, turn);
                    return None;
                }
            }
            if self.intake.wants_continue() && !mem::replace(&mut self.continued, true) {
                self.out.extend_from_slice(CONTINUE);
                if !self.flush() {
                    return Some(Next::Gone);
                }
            }
            let started = !self.intake.is_empty();
            match self.fill(turn) {
                ReadResult::Bytes(_) if !started => {
                    self.enter(
                        ConnState::Collecting,
                        turn.now,
                        turn.now + turn.limits.complete,
                    );
                }
                ReadResult::Bytes(_) => {}
                ReadResult::Nothing => return Some(Next::Wait),
                ReadResult::End if started => {
                    self.refuse(GateRefusal::CUT_SHORT, turn);
                    return None;
                }
                ReadResult::End | ReadResult::BrokenResponse => return Some(Next::Gone),
            }
        }
    }

    fn fill(&mut self, turn: &mut ConnContext) -> ReadResult {
        let got = self.read(&mut turn.scratch);
        if let ReadResult::Bytes(count) = got {
            self.intake.push(&turn.scratch[..count]);
        }
        got
    }

    fn read(&mut self, scratch: &mut [u8]) -> ReadResult {
        while self.readable {
            match self.sock.read(scratch) {
                Ok(0) => return ReadResult::End,
                Ok(count) => {
                    // A read that leaves room has emptied the socket, and what comes later is reported anew. Only an
                    // end that is already reported is not, hence the second condition.
                    self.readable = count == scratch.len() || self.half_closed;
                    return ReadResult::Bytes(count);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.readable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return ReadResult::BrokenResponse,
            }
        }
        ReadResult::Nothing
    }

    /// Writes what is owed, as far as the socket takes it. False when the client is gone.
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

    /// Puts the request onto `upstream` and waits for its answer from now on. Returns whether it is HEAD; nothing if
    /// there is no complete request.
    pub fn take_request(&mut self, upstream: &mut Vec<u8>, turn: &ConnContext) -> Option<bool> {
        let is_head = self.intake.take(upstream)?;
        self.enter(
            ConnState::InFlight,
            turn.now,
            turn.now + turn.limits.backend,
        );
        Some(is_head)
    }

    /// Gives the upstream's answer. `last` closes the connection after it.
    pub fn give(&mut self, answer: Vec<u8>, last: bool, turn: &ConnContext) {
        if self.out.is_empty() {
            self.out = answer;
        } else {
            // A `100 Continue` that the client has not taken yet.
            self.out.extend_from_slice(&answer);
        }
        self.answered = true;
        self.enter(
            ConnState::Answering { last },
            turn.now,
            turn.now + turn.limits.take_answer,
        );
    }

    /// Answers with an error of the gate's own, which is the last answer.
    pub fn refuse(&mut self, refusal: GateRefusal, turn: &mut ConnContext) {
        log::debug!("gate: refused with {}", refusal.status);
        turn.tally.counts.refused.add();
        refusal.write(self.intake.is_head(), &mut self.out);
        self.intake.close();
        self.enter(
            ConnState::Answering { last: true },
            turn.now,
            turn.now + turn.limits.take_answer,
        );
    }

    /// Acts on a deadline that has passed. False when there is nothing left to say.
    pub fn expire(&mut self, turn: &mut ConnContext) -> bool {
        match self.state {
            ConnState::Collecting if !self.intake.is_empty() => {
                self.refuse(GateRefusal::TOO_SLOW, turn);
            }
            ConnState::InFlight => self.refuse(GateRefusal::UPSTREAM_SILENT, turn),
            ConnState::Collecting | ConnState::Answering { .. } | ConnState::Lingering => {
                return false;
            }
        }
        true
    }

    /// Ends what has not become a request. False when there is nothing left to say.
    pub fn retire(&mut self, turn: &mut ConnContext) -> bool {
        match self.state {
            ConnState::Collecting if self.intake.is_empty() => return false,
            ConnState::Collecting => self.refuse(GateRefusal::STOPPING, turn),
            ConnState::InFlight | ConnState::Answering { .. } | ConnState::Lingering => {}
        }
        true
    }

    fn finish_answer(&mut self, last: bool, turn: &ConnContext) {
        self.intake.next();
        self.continued = false;
        if last || turn.draining {
            // What cannot be half-closed is about to report its end anyway.
            let _ = self.sock.shutdown(Shutdown::Write);
            self.enter(
                ConnState::Lingering,
                turn.now,
                turn.now + turn.limits.linger,
            );
        } else if self.intake.is_empty() {
            self.enter(ConnState::Collecting, turn.now, turn.now + turn.limits.idle);
        } else {
            self.enter(
                ConnState::Collecting,
                turn.now,
                turn.now + turn.limits.complete,
            );
        }
    }

    fn drain(&mut self, turn: &mut ConnContext) -> Next {
        while self.drained < LINGER_BYTES {
            match self.read(&mut turn.scratch) {
                ReadResult::Bytes(count) => self.drained += count,
                ReadResult::Nothing => return Next::Wait,
                ReadResult::End | ReadResult::BrokenResponse => return Next::Gone,
            }
        }
        Next::Gone
    }

    fn enter(&mut self, state: ConnState, now: Instant, deadline: Instant) {
        self.state = state;
        self.since = now;
        self.deadline = deadline;
    }

    /// Whether an answer of the upstream is awaited.
    pub fn is_in_flight(&self) -> bool {
        self.state == ConnState::InFlight
    }

    /// What the request in hand wants for its connection.
    pub fn persist(&self) -> Persistence {
        self.intake.persist()
    }

    /// Bytes of memory held.
    pub fn held(&self) -> usize {
        self.intake.held() + self.out.capacity()
    }

    /// Its claim to stay and since when, or nothing if it may not be made to leave.
    pub fn claim(&self) -> Option<(EvictionRank, Instant)> {
        let claim = match self.state {
            ConnState::InFlight => return None,
            ConnState::Lingering => EvictionRank::None,
            ConnState::Collecting if !self.answered => EvictionRank::None,
            ConnState::Collecting => EvictionRank::Idle,
            ConnState::Answering { .. } => EvictionRank::Unread,
        };
        Some((claim, self.since))
    }

    /// For leaving the poll.
    pub fn sock(&mut self) -> &mut TcpStream {
        &mut self.sock
    }
}

fn empty(buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.shrink_to(KEPT_BYTES);
}

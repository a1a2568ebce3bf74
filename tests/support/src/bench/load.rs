//! Sends what `wire` has made: one thread and epoll, so that it takes little of the machine and serves
//! every connection as soon as it can.
//!
//! Closed loop: each connection sends its next text when the last one is answered; so the rate is the
//! other side's. Open loop: texts are due at even moments whatever the other side does, and wait for a
//! free connection if there is none; their time counts from the moment when they were due.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::process::thread_cpu;
use super::stats::percentile;
use super::wire::{Requests, whole_answer};

/// How long answers are waited for that are due when the time is over, counted from the last that came.
const GRACE: Duration = Duration::from_millis(300);

/// The longest sleep between two checks of what is due, in an open loop.
const NAP: Duration = Duration::from_micros(100);

/// What came of it.
pub struct LoadOutcome {
    /// Texts that were sent.
    pub sent: usize,
    /// Those answered with 200, also after the time was over.
    pub taken: usize,
    /// Those answered with anything else.
    pub refused: usize,
    /// Connections that were to send, all in all.
    pub connections: usize,
    /// Those of them that got an answer.
    pub served: usize,
    /// Texts taken a second, while the time lasted.
    pub rate: f64,
    /// From sending a text to its answer, in milliseconds, sorted.
    pub waits: Vec<f64>,
    /// The part of one processor that sending took.
    pub busy: f64,
}

impl LoadOutcome {
    /// The time at that part of all texts, in milliseconds.
    pub fn wait(&self, part: f64) -> f64 {
        percentile(&self.waits, part)
    }
}

/// How connections that stay open are opened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// All at once, as by a crowd.
    AtOnce,
    /// Each once the one before it has had an answer, before the time begins.
    OneByOne,
}

/// How texts are sent.
#[derive(Clone, Copy)]
enum Pace {
    /// One after the other.
    Closed(Opening),
    /// One after the other, on a connection of its own each.
    Fresh,
    /// This number a second.
    Open(f64),
}

/// `connections` that stay open send for `limit`, or until all is sent.
pub fn closed(
    to: SocketAddr,
    texts: &Requests,
    connections: usize,
    opening: Opening,
    limit: Duration,
) -> LoadOutcome {
    Load::new(to, texts, Pace::Closed(opening), connections).run(limit)
}

/// As [`closed`], but every text has a connection of its own, `connections` of them at a time.
pub fn fresh(to: SocketAddr, texts: &Requests, connections: usize, limit: Duration) -> LoadOutcome {
    Load::new(to, texts, Pace::Fresh, connections).run(limit)
}

/// `rate` texts a second for `limit`, over `connections` that stay open and are opened one by one.
pub fn open(
    to: SocketAddr,
    texts: &Requests,
    connections: usize,
    rate: f64,
    limit: Duration,
) -> LoadOutcome {
    Load::new(to, texts, Pace::Open(rate), connections).run(limit)
}

/// One connection.
struct LoadConnection {
    socket: TcpStream,
    /// What is being sent or waited for: the text, how much of it is sent, since when it counts.
    asked: Option<(usize, usize, Instant)>,
    /// What came of the answer so far.
    answer: Vec<u8>,
    served: bool,
    broken: bool,
}

struct Load<'a> {
    to: SocketAddr,
    texts: &'a Requests,
    pace: Pace,
    poll: Poll,
    lines: Vec<LoadConnection>,
    /// Lines without a text, in an open loop.
    idle: Vec<usize>,
    /// When texts were due that wait for a line.
    late: VecDeque<Instant>,
    sent: usize,
    taken: usize,
    refused: usize,
    in_flight: usize,
    fresh_served: usize,
    waits: Vec<f64>,
}

impl<'a> Load<'a> {
    fn new(to: SocketAddr, texts: &'a Requests, pace: Pace, connections: usize) -> Self {
        let mut load = Self {
            to,
            texts,
            pace,
            poll: Poll::new().expect("an epoll"),
            lines: Vec::new(),
            idle: Vec::new(),
            late: VecDeque::new(),
            sent: 0,
            taken: 0,
            refused: 0,
            in_flight: 0,
            fresh_served: 0,
            waits: Vec::with_capacity(texts.len()),
        };
        for place in 0..connections {
            let line = load.dial(place);
            load.lines.push(line);
            if matches!(pace, Pace::Closed(Opening::OneByOne) | Pace::Open(_)) {
                load.ask(place, Instant::now());
                load.drain(&mut Events::with_capacity(16));
            }
        }
        load
    }

    fn dial(&self, place: usize) -> LoadConnection {
        let mut socket = match self.pace {
            Pace::Fresh => TcpStream::connect(self.to).expect("a socket"),
            _ => {
                let limit = Duration::from_secs(5);
                let socket = std::net::TcpStream::connect_timeout(&self.to, limit);
                let socket = socket.expect("the other side lets us in");
                socket.set_nonblocking(true).expect("a socket");
                TcpStream::from_std(socket)
            }
        };
        let _ = socket.set_nodelay(true);
        let both = Interest::READABLE | Interest::WRITABLE;
        let registry = self.poll.registry();
        registry
            .register(&mut socket, Token(place), both)
            .expect("a place in the epoll");
        LoadConnection {
            socket,
            asked: None,
            answer: Vec::with_capacity(512),
            served: false,
            broken: false,
        }
    }

    fn run(mut self, limit: Duration) -> LoadOutcome {
        let mut events = Events::with_capacity(256);
        let before = self.taken;
        self.waits.clear();
        let (began, busy) = (Instant::now(), thread_cpu());
        let deadline = began + limit;
        if !matches!(self.pace, Pace::Open(_)) {
            for place in 0..self.lines.len() {
                self.ask(place, Instant::now());
            }
        }
        let mut due = 0;
        // With the last text sent the time is over: lines would fall silent one by one.
        while Instant::now() < deadline && self.sent < self.texts.len() {
            self.offer(began, &mut due);
            self.look(&mut events, self.patience(deadline));
            self.work(&events, true);
        }
        let elapsed = began.elapsed();
        let in_time = self.taken - before;
        self.drain(&mut events);
        self.waits.sort_by(f64::total_cmp);
        let (connections, served) = self.connections();
        LoadOutcome {
            sent: self.sent,
            taken: self.taken,
            refused: self.refused,
            connections,
            served,
            rate: in_time as f64 / elapsed.as_secs_f64(),
            busy: (thread_cpu() - busy).as_secs_f64() / began.elapsed().as_secs_f64(),
            waits: self.waits,
        }
    }

    /// Waits for the answers to what was sent, as long as some come.
    fn drain(&mut self, events: &mut Events) {
        let mut last = (Instant::now(), self.in_flight);
        while self.in_flight > 0 && last.0.elapsed() < GRACE {
            self.look(events, GRACE);
            self.work(events, false);
            if self.in_flight != last.1 {
                last = (Instant::now(), self.in_flight);
            }
        }
    }

    fn connections(&self) -> (usize, usize) {
        match self.pace {
            Pace::Fresh => (self.sent, self.fresh_served),
            _ => {
                let served = self.lines.iter().filter(|line| line.served);
                (self.lines.len(), served.count())
            }
        }
    }

    /// In an open loop: gives out what is due by now.
    fn offer(&mut self, began: Instant, due: &mut u32) {
        let Pace::Open(rate) = self.pace else { return };
        let now = Instant::now();
        loop {
            let at = began + Duration::from_secs_f64(f64::from(*due) / rate);
            if at > now {
                break;
            }
            *due += 1;
            self.late.push_back(at);
        }
        while let (Some(&at), Some(place)) = (self.late.front(), self.idle.last().copied()) {
            self.late.pop_front();
            self.idle.pop();
            self.ask(place, at);
        }
    }

    fn patience(&self, deadline: Instant) -> Duration {
        match self.pace {
            // The kernel counts an epoll's time in milliseconds, which is too coarse for that.
            Pace::Open(_) => {
                std::thread::sleep(NAP);
                Duration::ZERO
            }
            _ => deadline.saturating_duration_since(Instant::now()),
        }
    }

    fn look(&mut self, events: &mut Events, patience: Duration) {
        match self.poll.poll(events, Some(patience)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => panic!("epoll: {error}"),
            _ => {}
        }
    }

    fn work(&mut self, events: &Events, more: bool) {
        for event in events {
            let place = event.token().0;
            if event.is_writable() {
                self.write(place);
            }
            if event.is_readable() || event.is_read_closed() {
                self.read(place, more);
            }
        }
    }

    /// Sends the next text on this line; its time counts from `at`.
    fn ask(&mut self, place: usize, at: Instant) {
        if self.sent == self.texts.len() || self.lines[place].broken {
            return;
        }
        self.lines[place].asked = Some((self.sent, 0, at));
        self.sent += 1;
        self.in_flight += 1;
        self.write(place);
    }

    fn write(&mut self, place: usize) {
        let line = &mut self.lines[place];
        let Some((text, sent, _)) = &mut line.asked else {
            return;
        };
        let bytes = self.texts.get(*text);
        while *sent < bytes.len() {
            match line.socket.write(&bytes[*sent..]) {
                Ok(count) => *sent += count,
                Err(error) if is_not_yet(&error) => return,
                Err(_) => return self.lose(place),
            }
        }
    }

    fn read(&mut self, place: usize, more: bool) {
        let mut bytes = [0; 4096];
        loop {
            match self.lines[place].socket.read(&mut bytes) {
                Ok(0) => return self.ended(place, more),
                Ok(count) => {
                    self.lines[place].answer.extend_from_slice(&bytes[..count]);
                    self.answered(place, more);
                    // There is no more for now, and what comes later is another event.
                    if count < bytes.len() && !matches!(self.pace, Pace::Fresh) {
                        return;
                    }
                }
                Err(error) if is_not_yet(&error) => return,
                Err(_) => return self.ended(place, more),
            }
        }
    }

    /// Counts the answer of this line, if it is there.
    fn answered(&mut self, place: usize, more: bool) {
        let line = &mut self.lines[place];
        let Some((status, length)) = whole_answer(&line.answer) else {
            return;
        };
        let Some((_, _, at)) = line.asked.take() else {
            return;
        };
        line.answer.drain(..length);
        line.served = true;
        self.in_flight -= 1;
        self.waits.push(at.elapsed().as_secs_f64() * 1e3);
        match status {
            200 => self.taken += 1,
            _ => self.refused += 1,
        }
        match self.pace {
            Pace::Closed(_) if more => self.ask(place, Instant::now()),
            Pace::Closed(_) => {}
            Pace::Fresh => self.fresh_served += 1,
            Pace::Open(_) => self.idle.push(place),
        }
    }

    /// The other side has closed this line.
    fn ended(&mut self, place: usize, more: bool) {
        if !matches!(self.pace, Pace::Fresh) {
            return self.lose(place);
        }
        // Closed after its answer as it was asked to, or before it, which is no answer.
        if self.lines[place].asked.take().is_some() {
            self.in_flight -= 1;
        }
        if more && self.sent < self.texts.len() {
            let began = Instant::now();
            self.lines[place] = self.dial(place);
            self.ask(place, began);
        } else {
            self.lines[place].broken = true;
        }
    }

    fn lose(&mut self, place: usize) {
        let line = &mut self.lines[place];
        line.broken = true;
        if line.asked.take().is_some() {
            self.in_flight -= 1;
        }
    }
}

fn is_not_yet(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::NotConnected | ErrorKind::Interrupted
    )
}

//! How a worker serves a text: every read, write and call is a step of its own, and between any two of them
//! everything else may happen.
//!
//! What follows from what was read is decided by the same functions as in the service
//! ([`crate::provision::decide`]).

use std::time::Duration;

use super::row::{Print, Row, TICK, Tick, seconds, tick};
use super::state::{State, Where};
use super::table::Seen;
use super::words::Luck;
use super::write::{Answer, Write};
use super::{Bug, GIVE_UP, LIFE, World, phone_of};
use crate::domain::registration::Stage;
use crate::provision::decide::{
    NextStep, ResendLimits, due_after, next_step, renewed_due, resend_limit,
};

/// What a worker does next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum At {
    #[default]
    Idle,
    /// Records an opt-out word.
    Stop,
    /// Reads the registration of the phone.
    Find,
    Reserve,
    UndoEnd,
    Renew,
    /// Records that Coder is asked once more.
    BeginCreate,
    /// Asks Coder for the user.
    Create,
    Await,
    /// Looks whose the taken name is.
    Ours,
    Created {
        user: u8,
    },
    Rename {
        vanished: bool,
    },
    /// Searches Twilio's log for a login whose sending was interrupted.
    Trace,
    Clear {
        doubtful: bool,
        renewed: Option<Tick>,
    },
    /// Asks Coder for the user of a known login.
    Again,
    BeginSend,
    Send,
    Record {
        /// Whether it was found in Twilio's log, and sent before the text was received.
        earlier: bool,
    },
    /// Twilio has refused the login.
    Refused {
        opted_out: bool,
    },
    /// Records that the phone is on Twilio's list.
    OptedOut,
    /// Records a login of unknown outcome as sent, and gives its text up.
    Doubt,
    GiveUp,
    Finish,
    Acknowledge,
    DeadLetter,
}

impl At {
    /// The user that it has in mind.
    pub(super) fn user(&mut self) -> Option<&mut u8> {
        match self {
            Self::Created { user } => Some(user),
            _ => None,
        }
    }

    /// The moment that it has in mind.
    pub(super) fn time(&mut self) -> Option<&mut Tick> {
        match self {
            Self::Clear { renewed, .. } => renewed.as_mut(),
            _ => None,
        }
    }
}

/// A worker, with what it remembers of its attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Worker {
    pub(super) at: At,
    pub(super) text: u8,
    /// When the attempt began.
    pub(super) began: Tick,
    /// Whether time has passed since.
    pub(super) late: bool,
    /// Whether it has drawn the name.
    pub(super) drew: bool,
    /// The row as it was read.
    pub(super) row: Option<Row>,
    /// When the account is due once its login is recorded.
    pub(super) due: Option<Tick>,
    /// The login that is being sent.
    pub(super) print: Option<Print>,
    /// Whether the instructor has ended the account since: an extension after that does not bring the promise back
    /// that the login makes.
    pub(super) void: bool,
}

const LIFE_OF_CLASS: Option<Duration> = Some(Duration::from_secs(LIFE as u64 * TICK as u64));

const LIMITS: ResendLimits = ResendLimits {
    interval: Duration::from_secs(TICK as u64 / 2),
    daily: u32::MAX,
};

/// One step of a worker, and what may come of it.
pub(super) struct Step<'a> {
    pub(super) world: &'a World,
    pub(super) state: &'a State,
    pub(super) phone: u8,
}

impl Step<'_> {
    pub(super) fn worker(&self) -> Worker {
        self.state.workers[usize::from(self.phone)]
    }

    pub(super) fn bug(&self, bug: Bug) -> bool {
        self.world.bug == Some(bug)
    }

    /// The worker goes on at `at` with the row that it has read.
    pub(super) fn at(&self, at: At) -> State {
        let mut after = *self.state;
        self.go(&mut after, at);
        after
    }

    pub(super) fn go(&self, state: &mut State, at: At) {
        let worker = &mut state.workers[usize::from(self.phone)];
        worker.drew |= matches!(worker.at, At::Reserve | At::Rename { .. });
        *worker = match at {
            At::Idle => Worker::default(),
            _ => Worker { at, ..*worker },
        };
        // What is not needed any more makes no difference between states.
        worker.drew &= matches!(at, At::Find | At::Reserve | At::UndoEnd | At::Renew);
        match at {
            At::Find
            | At::Finish
            | At::Acknowledge
            | At::DeadLetter
            | At::GiveUp
            | At::OptedOut => {
                (worker.row, worker.due, worker.print) = (None, None, None);
            }
            _ => {}
        }
        worker.void &= worker.due.is_some();
    }

    /// The attempt ends, and the text is tried again; or it is given up because it is too old.
    pub(super) fn later(&self, state: &mut State) {
        let worker = self.worker();
        let received = self.state.texts[usize::from(worker.text)].received;
        let is_old = received.is_some_and(|at| worker.began - at >= GIVE_UP);
        self.go(state, if is_old { At::GiveUp } else { At::Idle });
    }

    pub(super) fn ends_later(&self) -> State {
        let mut after = *self.state;
        self.later(&mut after);
        after
    }

    /// A write, and where the worker goes on when it is done.
    pub(super) fn write(&self, write: Write, then: At) -> (Answer, State) {
        let mut after = *self.state;
        let answer = after.table.write(write, after.now, self.world.bug);
        match answer {
            Answer::Illegal => self.later(&mut after),
            _ => self.go(&mut after, then),
        }
        (answer, after)
    }

    /// Takes up a text.
    pub(super) fn begin(&self, text: u8) -> State {
        let mut after = *self.state;
        let one = &self.state.texts[usize::from(text)];
        let contact = self.state.table.contacts[usize::from(self.phone)];
        let before = |ended: Tick| one.received.is_some_and(|at| at < ended);
        let at = match self.state.table.seen[usize::from(text)] {
            Seen::Served => At::Acknowledge,
            Seen::GivenUp => At::DeadLetter,
            Seen::Never if one.stop => At::Stop,
            Seen::Never if contact.opted_out || contact.ended.is_some_and(before) => At::Finish,
            Seen::Never => At::Find,
        };
        after.workers[usize::from(self.phone)] = Worker {
            text,
            began: after.now,
            ..Worker::default()
        };
        self.go(&mut after, at);
        after
    }

    /// Everything that may come of the next step.
    pub(super) fn all(&self) -> Vec<(Luck, State)> {
        let Worker { at, text, row, .. } = self.worker();
        let (phone, now) = (self.phone, self.state.now);
        let well = |after| vec![(Luck::Well, after)];
        let written = |write, then| well(self.write(write, then).1);
        let Some(row) = row else {
            return match at {
                At::Idle | At::Await => Vec::new(),
                At::Stop => written(
                    Write::OptedOut {
                        phone,
                        text,
                        gave_up: false,
                    },
                    At::Acknowledge,
                ),
                At::Find => well(self.find()),
                At::Reserve => self.reserve(),
                At::OptedOut => well(self.gives_up(Write::OptedOut {
                    phone,
                    text,
                    gave_up: true,
                })),
                At::GiveUp => well(self.gives_up(Write::GaveUp { phone, text })),
                At::Finish => written(Write::Finish { text }, At::Acknowledge),
                At::Acknowledge => well(self.settle(Where::Done)),
                At::DeadLetter => well(self.settle(Where::Dead)),
                _ => unreachable!("{at:?} without a row"),
            };
        };
        let id = row.id;
        let pending = self.worker().began + GIVE_UP;
        match at {
            At::Reserve => self.reserve(),
            At::UndoEnd => {
                let due = match row.stage {
                    Stage::Announced => self.worker().began + LIFE,
                    _ => pending,
                };
                written(Write::UndoEnd { id, due }, At::Find)
            }
            At::Renew => written(Write::Renew { id, due: pending }, self.first_create()),
            At::BeginCreate => written(Write::BeginCreate { id }, At::Create),
            At::Create => self.create(row),
            At::Await if !self.world.late => Vec::new(),
            At::Await => {
                let mut after = self.ends_later();
                let flights = after.flights.iter_mut().flatten();
                flights
                    .filter(|flight| flight.phone == phone)
                    .for_each(|flight| flight.awaited = false);
                vec![(Luck::TimeUp, after)]
            }
            At::Ours => self.ours(row),
            At::Created { user } => well(self.created(row, user, pending)),
            At::Rename { vanished } => self.rename(row, vanished, pending),
            At::Trace => self.trace(row),
            At::Clear { doubtful, renewed } => {
                let without_login = (!doubtful).then_some(pending);
                written(
                    Write::ClearSend {
                        id,
                        without_login,
                        renewed,
                    },
                    At::Again,
                )
            }
            At::Again => self.again(row),
            At::BeginSend => well(self.begin_send(row, now)),
            At::Send => self.send(row),
            At::Record { earlier } => well(self.record(row, earlier)),
            At::Refused { opted_out } => {
                let write = Write::ClearSend {
                    id,
                    without_login: Some(pending),
                    renewed: None,
                };
                let (_, mut after) = self.write(write, at);
                after.workers[usize::from(phone)] = self.worker();
                if opted_out {
                    self.go(&mut after, At::OptedOut);
                } else {
                    self.later(&mut after);
                }
                well(after)
            }
            At::Doubt => {
                let due = self.worker().due.unwrap_or(row.due);
                let gave_up = !self.bug(Bug::LosesDeadLetter);
                let then = if gave_up { At::DeadLetter } else { At::GiveUp };
                written(
                    Write::LoginSent {
                        id,
                        text,
                        due,
                        gave_up,
                        earlier: false,
                    },
                    then,
                )
            }
            _ => unreachable!("{at:?} with a row"),
        }
    }

    /// A text is given up. The service then does not know any more what it was about to search for in Twilio's log, so
    /// another text of the phone that still waits may get the login a second time.
    fn gives_up(&self, write: Write) -> State {
        let row = self.state.table.of(self.phone);
        let (_, mut after) = self.write(write, At::DeadLetter);
        // A login of unknown outcome is not taken for a later one of the same words: Twilio accepted it long before.
        // That the later one may follow within the tolerance of the clocks is left out.
        for entry in &mut after.log {
            *entry = entry.filter(|(phone, _)| *phone != self.phone);
        }
        let texts = after.texts.iter_mut().enumerate();
        let of_phone = texts.filter(|(text, _)| phone_of(*text) == self.phone);
        for (_, text) in of_phone.filter(|_| row.is_some_and(|row| row.sending.is_some())) {
            text.blind |= text.at == Where::Waiting;
        }
        after
    }

    fn find(&self) -> State {
        let mut after = *self.state;
        let worker = self.worker();
        let Some(row) = self.state.table.of(self.phone) else {
            self.go(&mut after, At::Reserve);
            return after;
        };
        let received = self.state.texts[usize::from(worker.text)]
            .received
            .unwrap_or(worker.began);
        let (received, now) = (seconds(received), seconds(worker.began));
        let registration = row.registration();
        let mut renewed = None;
        let at = match next_step(&registration, received, now) {
            NextStep::Ended => At::Finish,
            NextStep::UndoEnd => At::UndoEnd,
            NextStep::Create { renew: true } => At::Renew,
            NextStep::Create { renew: false } => self.first_create(),
            NextStep::TakeAnother => At::Reserve,
            NextStep::Announce => {
                renewed = renewed_due(&registration, LIFE_OF_CLASS, now).map(tick);
                if row.sending.is_some() {
                    At::Trace
                } else if resend_limit(&registration, received, now, false, LIMITS).is_some() {
                    At::Finish
                } else if renewed.is_some() {
                    At::Clear {
                        doubtful: false,
                        renewed,
                    }
                } else {
                    At::Again
                }
            }
        };
        let worker = &mut after.workers[usize::from(self.phone)];
        worker.row = Some(row);
        if matches!(at, At::Trace | At::Clear { .. } | At::Again) {
            worker.due = renewed.or_else(|| due_after(&registration, LIFE_OF_CLASS, now).map(tick));
        }
        self.go(&mut after, at);
        after
    }

    fn settle(&self, to: Where) -> State {
        let mut after = *self.state;
        let text = usize::from(self.worker().text);
        debug_assert_eq!(phone_of(text), self.phone);
        super::rules::settled(&mut after, text, to);
        let one = &mut after.texts[text];
        (one.at, one.received, one.had_login) = (to, None, false);
        if to == Where::Dead {
            after.students[usize::from(self.phone)].dead_at = Some(after.now);
        }
        self.go(&mut after, At::Idle);
        after
    }
}

//! Every order of events in small worlds: a model of the service, searched breadth first through all its states.
//!
//! The model consists of a few phones, their texts, the workers, the reaper, the database, Coder and Twilio. Each
//! read, write and call is a step of its own. Between any two steps everything else may happen: another worker,
//! the reaper, an order of the instructor, time, a kill. A call is done, refused, lost before it is done or lost
//! after it. In each state the promises are checked ([`rules`]), and from each state the service must come to rest
//! with everybody served and everything removed, if nothing goes wrong any more.
//!
//! Decisions are taken by the functions of the service: [`crate::provision::decide`], [`crate::domain::order`] and
//! [`Stage::after`](crate::domain::registration::Stage::after). What the database does is told again in [`table`].
//! [`seats`] is a model of its own: two phones, and the seats and spare accounts between them. So is [`screens`]: texts
//! with the codes of laptops' pages. [`stories`] chooses ways through the first model that are played on the real
//! program.

mod few;
mod forget;
mod making;
mod removal;
mod row;
mod rules;
mod screens;
mod search;
mod seats;
mod sending;
mod state;
mod stories;
mod table;
mod tests;
mod words;
mod worker;
mod write;

use std::time::Duration;

use crate::domain::order::Order;
use crate::domain::registration::Stage;
use removal::{Reap, ReaperStep};
use row::{Row, TICK, Tick};
use search::Machine;
use state::{CoderUser, State, TextState, Where};
use words::Move;
use worker::{At, Step};

/// How long an account lives, in moments.
const LIFE: Tick = 2;

/// The age at which a text is given up, in moments.
const GIVE_UP: Tick = 2;

/// A fault of the service that is put into the model to show that it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    /// A text that is given up makes its account due although its login may have been sent.
    RemovesUnclear,
    /// A row is forgotten while a second create for its name may be on its way.
    ForgetsLateCreate,
    /// Whether the account of a phone was ended is read before its row, and not again.
    ReadsEndEarly,
    /// A doubtful login is recorded before its text is recorded as given up.
    LosesDeadLetter,
    /// The number of a row that is gone is given again.
    ReusesNumbers,
    /// A row without a user counts as locked out while its create may be on its way.
    LocksNobody,
    /// A phone is released from a locked account although a repeated create may be on its way.
    ReleasesEarly,
    /// A taken name is never ours, so another one is drawn after each lost answer.
    DrawsAnother,
    /// Twilio's log is not searched.
    SendsTwice,
    /// A delete without an answer counts as done.
    TrustsSilence,
    /// A removal begins although the time of the account was renewed.
    RemovesRenewed,
    /// An earlier login that is found in Twilio's log answers a text although the removal of its account has begun.
    RecordsInRemoval,
}

/// What may happen in a world.
#[derive(Clone, Copy, Debug)]
struct World {
    /// Texts of each phone.
    texts: [usize; 2],
    /// Whether the instructor gives orders.
    orders: bool,
    /// Whether students opt out.
    stops: bool,
    /// Whether names of strangers are drawn.
    strangers: bool,
    /// Whether Twilio sends texts again.
    repeats: bool,
    /// Whether Coder refuses to delete users, so that they are only locked out.
    refusals: bool,
    /// Whether a create may be carried out after nobody waits for it any more.
    late: bool,
    /// Whether Twilio's log may be unreadable.
    unreadable: bool,
    bug: Option<Bug>,
}

/// The phone of a text. The last text belongs to the second phone in worlds that have one.
fn phone_of(text: usize) -> u8 {
    u8::from(text == 2)
}

/// Whether a user at Coder is the one of a row, by its marker.
fn is_ours(user: CoderUser, row: Row) -> bool {
    user.name == row.name
}

impl World {
    /// A world of one phone, without anything out of the ordinary but faults.
    const SMALL: Self = Self {
        texts: [1, 0],
        orders: false,
        stops: false,
        strangers: false,
        repeats: false,
        refusals: false,
        late: false,
        unreadable: false,
        bug: None,
    };

    fn first(&self) -> State {
        let mut first = State::new();
        first.table.reuses = self.bug == Some(Bug::ReusesNumbers);
        first
    }

    /// Whether a drawn name may be a stranger's.
    fn draws(&self) -> impl Iterator<Item = bool> + use<> {
        let most = if self.strangers { 2 } else { 1 };
        [false, true].into_iter().take(most)
    }

    fn is_there(&self, text: usize) -> bool {
        match text {
            2 => self.texts[1] > 0,
            _ => text < self.texts[0],
        }
    }

    /// Everything that may happen.
    fn all(&self, state: &State) -> Vec<(Move, State)> {
        let mut all = Vec::new();
        self.arrivals(state, &mut all);
        for phone in 0..2 {
            let step = Step {
                world: self,
                state,
                phone,
            };
            let worker = state.workers[usize::from(phone)];
            for (luck, after) in step.all() {
                all.push((
                    Move::Work {
                        text: worker.text,
                        at: worker.at,
                        luck,
                    },
                    after,
                ));
            }
        }
        for (place, flight) in state.flights.iter().enumerate() {
            let Some(flight) = flight else { continue };
            let step = Step {
                world: self,
                state,
                phone: flight.phone,
            };
            for (luck, after) in step.lands(place) {
                all.push((
                    Move::Lands {
                        phone: flight.phone,
                        luck,
                    },
                    after,
                ));
            }
        }
        self.removals(state, &mut all);
        self.orders(state, &mut all);
        if self.may_pass(state) {
            all.push((Move::Time, pass(*state)));
        }
        if !self.is_idle(state) {
            all.push((Move::Kill, kill(*state)));
        }
        all.into_iter()
            .map(|(what, after)| (what, after.normal(self.repeats)))
            .collect()
    }

    fn arrivals(&self, state: &State, all: &mut Vec<(Move, State)>) {
        for number in (0..3).filter(|text| self.is_there(*text)) {
            let (phone, text) = (phone_of(number), number as u8);
            match state.texts[number].at {
                Where::Unsent if number != 1 || state.texts[0].at != Where::Unsent => {
                    for stop in [false, true].into_iter().take(1 + usize::from(self.stops)) {
                        let mut after = *state;
                        let received = Some(after.now);
                        let login = state.students[usize::from(phone)].login;
                        let had_login = login.is_some_and(|login| login.until > state.now);
                        let at = Where::Waiting;
                        after.texts[number] = TextState {
                            at,
                            received,
                            stop,
                            had_login,
                            ..TextState::default()
                        };
                        after.students[usize::from(phone)].opted_out |= stop;
                        all.push((Move::Texts { text, stop }, after));
                    }
                }
                Where::Done if self.repeats => {
                    let mut after = *state;
                    after.texts[number].at = Where::Waiting;
                    all.push((Move::Repeats { text }, after));
                }
                Where::Waiting if state.workers[usize::from(phone)].at == At::Idle => {
                    let step = Step {
                        world: self,
                        state,
                        phone,
                    };
                    all.push((Move::Begin { text }, step.begin(text)));
                }
                _ => {}
            }
        }
    }

    fn removals(&self, state: &State, all: &mut Vec<(Move, State)>) {
        let removal = ReaperStep { world: self, state };
        if state.reaper.at == Reap::Idle {
            let due = state
                .table
                .rows
                .iter()
                .flatten()
                .filter(|row| row.due <= state.now);
            all.extend(due.map(|row| (Move::Inspect { row: row.id }, removal.begin(*row))));
        }
        let at = state.reaper.at;
        all.extend(
            removal
                .all()
                .into_iter()
                .map(|(luck, after)| (Move::Reap { at, luck }, after)),
        );
    }

    fn orders(&self, state: &State, all: &mut Vec<(Move, State)>) {
        if !self.orders {
            return;
        }
        let moments = |number: i64| Duration::from_secs((number * TICK).unsigned_abs());
        let (by, longest) = (moments(1), Some(moments(3)));
        for phone in 0..2 {
            let orders = [
                (Order::End, Move::Ends { phone }),
                (Order::EndGently, Move::EndsGently { phone }),
                (Order::Extend { by, longest }, Move::Extends { phone }),
            ];
            for (order, what) in orders {
                let mut after = *state;
                let write = write::Write::Order { phone, order };
                if after.table.write(write, after.now, self.bug) == write::Answer::Done {
                    if order.ends() {
                        after.students[usize::from(phone)].login = None;
                        let worker = &mut after.workers[usize::from(phone)];
                        worker.void = worker.due.is_some();
                    }
                    all.push((what, after));
                }
            }
        }
    }

    fn is_idle(&self, state: &State) -> bool {
        state.reaper.at == Reap::Idle && state.workers.iter().all(|worker| worker.at == At::Idle)
    }

    /// Time passes unless somebody has been at it for a moment already: no call and no attempt takes that long.
    fn may_pass(&self, state: &State) -> bool {
        !state.reaper.late
            && !state.workers.iter().any(|worker| worker.late)
            && !state.flights.iter().flatten().any(|flight| flight.late)
    }

    /// Whether nothing is left to do.
    fn is_at_rest(&self, state: &State) -> bool {
        state.table.rows.iter().all(Option::is_none)
            && state.flights.iter().all(Option::is_none)
            && state.texts.iter().all(|text| text.at != Where::Waiting)
    }

    /// Whether an attempt at a text may come to something now.
    fn is_useful(&self, state: &State, text: u8) -> bool {
        let phone = phone_of(usize::from(text));
        let is_seen = state.table.seen[usize::from(text)] != table::Seen::Never;
        let row = state.table.of(phone);
        is_seen || row.is_none_or(|row| row.stage != Stage::Reaping)
    }

    /// Whether an inspection of a row may come to something now.
    fn is_worthwhile(&self, state: &State, row: u8) -> bool {
        let Some(row) = state.table.row(row) else {
            return false;
        };
        let mut calm = ReaperStep { world: self, state }.begin(row);
        let before = state.table;
        while calm.reaper.at != Reap::Idle {
            let Some((_, after)) = ReaperStep {
                world: self,
                state: &calm,
            }
            .all()
            .into_iter()
            .next() else {
                return false;
            };
            calm = after;
        }
        calm.table != before
    }
}

/// Time passes.
fn pass(mut state: State) -> State {
    state.now += 1;
    for worker in state
        .workers
        .iter_mut()
        .filter(|worker| worker.at != At::Idle)
    {
        worker.late = true;
    }
    state.reaper.late = state.reaper.at != Reap::Idle;
    state
        .flights
        .iter_mut()
        .flatten()
        .for_each(|flight| flight.late = true);
    state
}

/// The service is killed. Calls on their way are carried out or not.
fn kill(mut state: State) -> State {
    state.workers = Default::default();
    state.reaper = Default::default();
    state
        .flights
        .iter_mut()
        .flatten()
        .for_each(|flight| flight.awaited = false);
    state
}

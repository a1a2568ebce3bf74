//! How a worker serves the text of a phone: with a spare, or with an account of its own.

use super::rules::Breach;
use super::table::{GONE, SeatAnswer, SeatPlace};
use super::words::SeatMove;
use super::{CALL, SeatBug, SeatLuck, SeatState, SeatText, Seating, registration};
use crate::domain::registration::{Event, Stage};
use crate::model::row::seconds;
use crate::provision::decide::{AfterTrace, NextStep, Trace, after_trace, next_step};

/// What a worker does next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum SeatStep {
    #[default]
    Idle,
    Find,
    Take,
    /// Only with [`SeatBug::GivesTwice`].
    Give(SeatPlace),
    Reserve,
    /// The class is full: that is recorded.
    Full,
    Create(SeatPlace),
    Created(SeatPlace),
    Trace(SeatPlace),
    Clear(SeatPlace),
    /// Asks Coder whether the login holds.
    Again(SeatPlace),
    BeginSend(SeatPlace),
    Send(SeatPlace),
    Record(SeatPlace),
    Finish,
    Acknowledge,
}

impl SeatStep {
    /// The account that it has in mind.
    pub(super) fn place(&mut self) -> Option<&mut SeatPlace> {
        match self {
            Self::Give(place)
            | Self::Create(place)
            | Self::Created(place)
            | Self::Trace(place)
            | Self::Clear(place)
            | Self::Again(place)
            | Self::BeginSend(place)
            | Self::Send(place)
            | Self::Record(place) => Some(place),
            _ => None,
        }
    }
}

/// What the worker of a phone may do next.
pub(super) fn steps(
    world: &Seating,
    class: &SeatState,
    phone: u8,
    all: &mut Vec<(SeatMove, SeatState)>,
) {
    let number = usize::from(phone);
    let at = class.workers[number];
    let mut go = |luck: SeatLuck, to: SeatStep, change: &dyn Fn(&mut SeatState)| {
        let mut after = *class;
        after.workers[number] = to;
        change(&mut after);
        all.push((SeatMove::Work { phone, at, luck }, after));
    };
    let nothing = |_: &mut SeatState| {};
    match at {
        SeatStep::Idle => match class.students[number].text {
            SeatText::Waiting => go(SeatLuck::Well, SeatStep::Find, &nothing),
            SeatText::Seen => go(SeatLuck::Well, SeatStep::Acknowledge, &nothing),
            SeatText::Unsent | SeatText::Done => {}
        },
        SeatStep::Find => go(SeatLuck::Well, find(class, phone), &nothing),
        SeatStep::Take => match class.table.best(phone, world) {
            Some(place) if world.bug == Some(SeatBug::GivesTwice) => {
                go(SeatLuck::Well, SeatStep::Give(place), &nothing);
            }
            Some(place) => go(SeatLuck::Well, SeatStep::Send(place), &|after| {
                after.table.give(place, phone);
            }),
            None => go(SeatLuck::Well, SeatStep::Reserve, &nothing),
        },
        SeatStep::Give(place) => {
            let row = class.table.row(place);
            if row.is_some_and(|row| row.stage == Stage::Created) {
                go(SeatLuck::Well, SeatStep::Send(place), &|after| {
                    after.table.give(place, phone);
                });
            } else {
                go(SeatLuck::Well, SeatStep::Idle, &nothing);
            }
        }
        SeatStep::Reserve => {
            let mut table = class.table;
            let to = match table.reserve(phone, world) {
                SeatAnswer::Done(_) => SeatStep::Find,
                SeatAnswer::Clash => SeatStep::Idle,
                SeatAnswer::Full => SeatStep::Full,
                SeatAnswer::NoRoom => return,
            };
            go(SeatLuck::Well, to, &|after| after.table = table);
        }
        SeatStep::Full => go(SeatLuck::Well, SeatStep::Acknowledge, &|after| {
            after.students[number].full = true;
            after.students[number].text = SeatText::Seen;
        }),
        SeatStep::Create(place) => {
            for luck in CALL {
                let to = if luck == SeatLuck::Well {
                    SeatStep::Created(place)
                } else {
                    SeatStep::Idle
                };
                // A name that is taken is ours: the user is there since an earlier attempt.
                go(luck, to, &|after| {
                    after.users[usize::from(place)] |= luck != SeatLuck::LostBefore;
                });
            }
        }
        SeatStep::Created(place) => write(
            class,
            place,
            Event::UserCreated,
            SeatStep::Send(place),
            &mut go,
        ),
        SeatStep::Trace(place) => {
            let trace = match class.students[number].logged {
                true => Trace::Found(()),
                false => Trace::NotFound,
            };
            let row = class.table.row(place).map(registration);
            let to = match row.map(|row| after_trace(&row, trace)) {
                Some(AfterTrace::Record(())) => SeatStep::Record(place),
                Some(AfterTrace::SendAgain { .. }) => SeatStep::Clear(place),
                Some(AfterTrace::GiveUp) | None => SeatStep::Idle,
            };
            go(SeatLuck::Well, to, &nothing);
            go(SeatLuck::LostBefore, SeatStep::Idle, &nothing);
        }
        SeatStep::Clear(place) => write(
            class,
            place,
            Event::LoginPrepared,
            SeatStep::Again(place),
            &mut go,
        ),
        SeatStep::Again(place) => {
            let exists = class.user_exists(place);
            // The user vanishes only because its removal has begun, which the next step sees.
            let to = if exists {
                SeatStep::BeginSend(place)
            } else {
                SeatStep::Idle
            };
            go(SeatLuck::Well, to, &nothing);
            go(SeatLuck::LostBefore, SeatStep::Idle, &nothing);
        }
        SeatStep::BeginSend(place) => {
            write(
                class,
                place,
                Event::LoginPrepared,
                SeatStep::Send(place),
                &mut go,
            );
        }
        SeatStep::Send(place) => {
            for luck in CALL {
                let to = if luck == SeatLuck::Well {
                    SeatStep::Record(place)
                } else {
                    SeatStep::Idle
                };
                go(luck, to, &|after| {
                    if luck != SeatLuck::LostBefore {
                        send(after, number, place);
                    }
                });
            }
        }
        SeatStep::Record(place) => write(
            class,
            place,
            Event::LoginSent,
            SeatStep::Acknowledge,
            &mut |luck, to, change| {
                go(luck, to, &|after| {
                    change(after);
                    if to == SeatStep::Acknowledge {
                        after.students[number].text = SeatText::Seen;
                        after.students[number].logged = false;
                    }
                });
            },
        ),
        SeatStep::Finish => go(SeatLuck::Well, SeatStep::Acknowledge, &|after| {
            after.students[number].text = SeatText::Seen;
        }),
        SeatStep::Acknowledge => go(SeatLuck::Well, SeatStep::Idle, &|after| {
            after.students[number].text = SeatText::Done;
        }),
    }
}

/// What follows from the registration of a phone.
fn find(class: &SeatState, phone: u8) -> SeatStep {
    let Some((place, row)) = class.table.of(phone) else {
        return SeatStep::Take;
    };
    let now = seconds(super::NOW);
    match next_step(&registration(row), now, now) {
        NextStep::Create { .. } => SeatStep::Create(place),
        NextStep::Announce if row.sending => SeatStep::Trace(place),
        NextStep::Announce if row.stage == Stage::Announced => SeatStep::Finish,
        NextStep::Announce => SeatStep::Again(place),
        NextStep::TakeAnother => SeatStep::Reserve,
        NextStep::Ended | NextStep::UndoEnd => SeatStep::Finish,
    }
}

/// Twilio accepts a login.
fn send(after: &mut SeatState, number: usize, place: SeatPlace) {
    let other = after.students[1 - number].login;
    if other == Some(place) && place != GONE {
        after.broken = Some(Breach::TwoStudents);
    }
    let student = &mut after.students[number];
    (student.login, student.logged) = (Some(place), true);
}

/// Where a worker goes on, and what changes.
type GoOn<'a> = dyn FnMut(SeatLuck, SeatStep, &dyn Fn(&mut SeatState)) + 'a;

/// A write about one account. If the account is being removed, the attempt ends and the text is tried again.
fn write(class: &SeatState, place: SeatPlace, event: Event, to: SeatStep, go: &mut GoOn<'_>) {
    let mut table = class.table;
    let stage = table.step(place, event);
    let goes_on = match stage {
        None => false,
        Some(Stage::Reaping) => event == Event::LoginSent,
        Some(_) => true,
    };
    table.change(place, |row| {
        row.sending = match event {
            Event::LoginSent => false,
            Event::LoginPrepared => goes_on && matches!(to, SeatStep::Send(_)),
            _ => goes_on,
        };
    });
    go(
        SeatLuck::Well,
        if goes_on { to } else { SeatStep::Idle },
        &|after| after.table = table,
    );
}

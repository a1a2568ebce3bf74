//! The promises, and what happens if nothing goes wrong any more.

use std::fmt;

use super::table::SeatOwner;
use super::words::SeatMove;
use super::{SeatLuck, SeatReap, SeatState, SeatText, Seating};
use crate::domain::registration::Stage;
use crate::model::search::Machine;

/// A promise that was broken by a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Breach {
    /// Two phones got the same login.
    TwoStudents,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TwoStudents => f.write_str("P12: two phones got the login of the same account"),
        }
    }
}

fn broken(world: &Seating, class: &SeatState) -> Option<String> {
    if let Some(breach) = class.broken {
        return Some(breach.to_string());
    }
    for (place, exists) in (0..).zip(class.users) {
        if exists && class.table.row(place).is_none() {
            return Some(format!(
                "P3: the user of account {} is in no row",
                place + 1
            ));
        }
    }
    for phone in 0..2 {
        let student = class.students[usize::from(phone)];
        let own = |owner| owner == SeatOwner::Phone(phone);
        let accounts = class.table.rows().filter(|(_, row)| own(row.owner)).count();
        if accounts > 1 {
            return Some(format!("P2: phone {} has two accounts", phone + 1));
        }
        if matches!(student.text, SeatText::Seen | SeatText::Done)
            && student.login.is_none()
            && !student.full
        {
            return Some(format!("P1: the text of phone {} has no answer", phone + 1));
        }
        let Some(place) = student.login else { continue };
        let Some(row) = class.table.row(place).filter(|row| own(row.owner)) else {
            continue;
        };
        let is_removed = row.stage == Stage::Reaping || !class.user_exists(place);
        if is_removed && !row.due {
            return Some(format!(
                "P5: the account of phone {} is removed early",
                phone + 1
            ));
        }
    }
    let students = class
        .table
        .rows()
        .filter(|(_, row)| row.owner != SeatOwner::Spare);
    (students.count() > world.seats).then(|| "more students than seats".to_owned())
}

fn unsettled(class: &SeatState) -> Option<String> {
    let waits = |one: &super::SeatStudent| matches!(one.text, SeatText::Waiting | SeatText::Seen);
    let left = [
        (class.students.iter().any(waits), "a text is not served"),
        (class.table.rows().next().is_some(), "a row is left"),
        (class.users.contains(&true), "a user is left at Coder"),
    ];
    let found = left.into_iter().find(|(is_left, _)| *is_left);
    found.map(|(_, what)| format!("in the end {what}"))
}

/// The move that happens next if nothing goes wrong. A step that changes nothing is none.
fn calm(class: &SeatState, moves: &[(SeatMove, SeatState)]) -> Option<usize> {
    let rank = |what: &SeatMove, after: &SeatState| {
        match what {
            SeatMove::Work {
                luck: SeatLuck::Well,
                at,
                ..
            } => {
                // An attempt begins only if the removal of an earlier account does not hold it up.
                let is_held = |phone: u8| {
                    let row = class.table.of(phone);
                    row.is_some_and(|(_, row)| row.stage == Stage::Reaping)
                };
                let begins = *at == super::SeatStep::Idle;
                let waits = matches!(what, SeatMove::Work { phone, .. } if begins
                && class.students[usize::from(*phone)].text == SeatText::Waiting && is_held(*phone));
                (!waits).then_some(1)
            }
            SeatMove::Reap {
                luck: SeatLuck::Well, ..
            } => Some(2),
            SeatMove::Keep {
                luck: SeatLuck::Well, ..
            } => Some(3),
            SeatMove::Inspect { .. } if class.reaper == SeatReap::Idle => Some(4),
            SeatMove::Over => Some(5),
            SeatMove::TimeUp { .. } if class.over => Some(6),
            _ => None,
        }
        .filter(|_| after != class)
    };
    let numbered = moves.iter().enumerate();
    let ranked = numbered.filter_map(|(number, (what, after))| Some((rank(what, after)?, number)));
    ranked.min().map(|(_, number)| number)
}

impl Machine for Seating {
    type State = SeatState;
    type Move = SeatMove;

    fn start(&self) -> SeatState {
        self.first()
    }

    fn moves(&self, state: &SeatState) -> Vec<(SeatMove, SeatState)> {
        self.all(state)
    }

    fn broken(&self, state: &SeatState) -> Option<String> {
        broken(self, state)
    }

    fn calm(&self, state: &SeatState, moves: &[(SeatMove, SeatState)]) -> Option<usize> {
        calm(state, moves)
    }

    fn unsettled(&self, state: &SeatState) -> Option<String> {
        unsettled(state)
    }
}

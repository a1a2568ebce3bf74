//! The promises that hold in every state.

use std::fmt;

use super::state::{PHONES, State, Where};
use super::{Machine, World};

/// A promise that was broken by a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Promise {
    /// A text was acknowledged, and nothing came of it.
    Lost { text: u8 },
    /// A text from before the end of an account has made another one.
    AfterEnd { text: u8 },
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost { text } => {
                let text = text + 1;
                write!(
                    f,
                    "P1: text {text} is acknowledged without a login, a dead letter or a later outcome"
                )
            }
            Self::AfterEnd { text } => {
                write!(
                    f,
                    "P5: text {} is from before the end, and makes another account",
                    text + 1
                )
            }
        }
    }
}

/// A text leaves the stream: something must have come of it.
pub(super) fn settled(state: &mut State, text: usize, to: Where) {
    let one = state.texts[text];
    let phone = usize::from(super::phone_of(text));
    let Some(received) = one.received.filter(|_| to == Where::Done && !one.stop) else {
        return;
    };
    let contact = state.table.contacts[phone];
    let student = state.students[phone];
    let since = |at: Option<u8>| at.is_some_and(|at| at >= received);
    // The login of an earlier text that was on its way answers later ones as well, if it still works.
    let has_login = student
        .knows
        .and_then(|user| state.user(user))
        .is_some_and(|user| !user.suspended);
    let is_served = has_login
        || one.had_login
        || since(student.login_at)
        || since(student.dead_at)
        || contact.ended.is_some_and(|ended| ended >= received)
        || contact.opted_out;
    if !is_served {
        state.broken = Some(Promise::Lost { text: text as u8 });
    }
}

/// The promise that is broken in this state, if one is.
pub(super) fn broken(state: &State) -> Option<String> {
    if let Some(promise) = state.broken {
        return Some(promise.to_string());
    }
    for phone in 0..PHONES {
        let of = |phone: usize| {
            state
                .users
                .iter()
                .flatten()
                .filter(move |user| usize::from(user.phone) == phone)
        };
        if of(phone).filter(|user| !user.suspended).count() > 1 {
            return Some(format!("P2: phone {} has two accounts", phone + 1));
        }
        if let Some(login) = state.students[phone]
            .login
            .filter(|login| login.until > state.now)
            && state.user(login.user).is_none_or(|user| user.suspended)
        {
            let left = login.until - state.now;
            return Some(format!(
                "P4, P5: the login of phone {} does not work, {left} before its time is up",
                phone + 1
            ));
        }
    }
    for user in state.users.iter().flatten() {
        let has_it = |row: &super::row::Row| row.user == Some(user.id) || row.name == user.name;
        if !state.table.rows.iter().flatten().any(has_it) {
            return Some(format!(
                "P3: a user of phone {} is in no row",
                user.phone + 1
            ));
        }
    }
    for (text, one) in state.texts.iter().enumerate() {
        if one.logins > 1 + u8::from(one.blind) {
            return Some(format!(
                "text {} was answered with {} logins",
                text + 1,
                one.logins
            ));
        }
    }
    None
}

/// What is left to do although nothing is going on.
pub(super) fn unsettled(state: &State) -> Option<String> {
    let left = [
        (
            state.texts.iter().any(|text| text.at == Where::Waiting),
            "a text is not served",
        ),
        (
            state.table.rows.iter().any(Option::is_some),
            "a row is left",
        ),
        (
            state.users.iter().any(Option::is_some),
            "a user is left at Coder",
        ),
    ];
    let found = left.into_iter().find(|(is_left, _)| *is_left);
    found.map(|(_, what)| format!("in the end {what}"))
}

/// The number of the move that happens next if nothing goes wrong. Calls succeed, workers come before the
/// reaper, and time passes when nobody has anything to do.
pub(super) fn calm<After>(
    world: &World,
    state: &State,
    moves: &[(super::words::Move, After)],
) -> Option<usize> {
    use super::words::{Luck, Move};
    let unchanged = world.is_at_rest(state);
    let rank = |what: &Move| match what {
        Move::Lands {
            luck: Luck::Well | Luck::Taken | Luck::Late,
            ..
        } => Some(0),
        Move::Work {
            luck: Luck::Well, ..
        } => Some(1),
        Move::Work {
            luck: Luck::Refused,
            ..
        } if !moves.iter().any(|(one, _)| {
            matches!(
                one,
                Move::Work {
                    luck: Luck::Well,
                    ..
                }
            )
        }) =>
        {
            Some(2)
        }
        Move::Reap {
            luck: Luck::Well, ..
        } => Some(3),
        Move::Begin { text } if world.is_useful(state, *text) => Some(4),
        Move::Inspect { row } if world.is_worthwhile(state, *row) => Some(5),
        Move::Time if !unchanged => Some(6),
        _ => None,
    };
    let ranked = moves
        .iter()
        .enumerate()
        .filter_map(|(number, (what, _))| Some((rank(what)?, number)));
    ranked.min().map(|(_, number)| number)
}

impl Machine for World {
    type State = State;
    type Move = super::words::Move;

    fn start(&self) -> State {
        self.first()
    }

    fn moves(&self, state: &State) -> Vec<(Self::Move, State)> {
        self.all(state)
    }

    fn broken(&self, state: &State) -> Option<String> {
        broken(state)
    }

    fn calm(&self, state: &State, moves: &[(Self::Move, State)]) -> Option<usize> {
        calm(self, state, moves)
    }

    fn unsettled(&self, state: &State) -> Option<String> {
        unsettled(state)
    }
}

//! How the reaper removes an account, step by step. One account at a time is enough: accounts do not share
//! anything but the machine.

use super::row::{Row, Tick};
use super::state::{CoderUser, State};
use super::words::Luck;
use super::write::{Answer, Write};
use super::{Bug, World};
use crate::domain::registration::Stage;

/// Moments until a create has surely been carried out. `reap::inspect` waits for four calls.
const LATE: Tick = 3;

/// What the reaper does next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Reap {
    #[default]
    Idle,
    /// Asks Coder for the user.
    User,
    Created {
        user: u8,
    },
    Begin {
        user: Option<u8>,
    },
    Locked,
    Delete {
        user: u8,
    },
    Suspend {
        user: u8,
    },
    /// Looks whether the list still contains the user.
    List {
        user: u8,
    },
    Forget,
}

impl Reap {
    /// The user that it has in mind.
    pub(super) fn user(&mut self) -> Option<&mut u8> {
        match self {
            Self::Created { user }
            | Self::Begin { user: Some(user) }
            | Self::Delete { user }
            | Self::Suspend { user }
            | Self::List { user } => Some(user),
            _ => None,
        }
    }
}

/// The reaper, with what it remembers of an inspection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct ReaperState {
    pub(super) at: Reap,
    pub(super) row: Option<Row>,
    pub(super) began: Option<Tick>,
    /// Whether time has passed since.
    pub(super) late: bool,
}

/// One step of the reaper, and what may come of it.
pub(super) struct ReaperStep<'a> {
    pub(super) world: &'a World,
    pub(super) state: &'a State,
}

impl ReaperStep<'_> {
    fn at(&self, at: Reap) -> State {
        let mut after = *self.state;
        Self::go(&mut after, at);
        after
    }

    fn go(state: &mut State, at: Reap) {
        state.reaper = match at {
            Reap::Idle => ReaperState::default(),
            _ => ReaperState { at, ..state.reaper },
        };
    }

    fn write(&self, write: Write, then: Reap) -> State {
        let mut after = *self.state;
        // A sweep works with the time of its beginning.
        let now = self.state.reaper.began.unwrap_or(after.now);
        let answer = after.table.write(write, now, self.world.bug);
        let is_done = matches!(answer, Answer::Done | Answer::Reaping);
        Self::go(&mut after, if is_done { then } else { Reap::Idle });
        after
    }

    /// Takes up a row that is due.
    pub(super) fn begin(&self, row: Row) -> State {
        let mut after = *self.state;
        after.reaper = ReaperState {
            at: Reap::User,
            row: Some(row),
            began: Some(after.now),
            late: false,
        };
        after
    }

    /// Everything that may come of the next step.
    pub(super) fn all(&self) -> Vec<(Luck, State)> {
        let ReaperState {
            at, row: Some(row), ..
        } = self.state.reaper
        else {
            return Vec::new();
        };
        let id = row.id;
        let now = self.state.reaper.began.unwrap_or(self.state.now);
        let well = |after| vec![(Luck::Well, after)];
        let failed = || (Luck::LostBefore, self.at(Reap::Idle));
        match at {
            Reap::Idle => Vec::new(),
            Reap::User => vec![(Luck::Well, self.at(self.found(row))), failed()],
            Reap::Created { user } => {
                let write = Write::Created {
                    id,
                    user,
                    due: now,
                    sending: None,
                };
                well(self.write(write, Reap::Delete { user }))
            }
            Reap::Begin { user } => {
                let then = user.map_or_else(
                    || self.without_user(row, true, now),
                    |user| Reap::Delete { user },
                );
                well(self.write(Write::BeginRemoval { id }, then))
            }
            Reap::Locked => well(self.write(Write::LockedOut { id }, Reap::Idle)),
            Reap::Delete { user } => {
                let mut gone = *self.state;
                remove(&mut gone, user);
                let mut lost = gone;
                Self::go(&mut gone, Reap::List { user });
                let seen_as = match self.world.bug {
                    Some(Bug::TrustsSilence) => Reap::Forget,
                    _ => Reap::Idle,
                };
                Self::go(&mut lost, seen_as);
                let before = (Luck::LostBefore, self.at(seen_as));
                let mut all = vec![(Luck::Well, gone), (Luck::LostAfter, lost), before];
                if self.world.refusals {
                    all.push((Luck::Refused, self.at(Reap::Suspend { user })));
                }
                all
            }
            Reap::Suspend { user } => {
                let mut suspended = self.at(Reap::Locked);
                let users = suspended.users.iter_mut().flatten();
                users
                    .filter(|one| one.id == user)
                    .for_each(|one| one.suspended = true);
                vec![(Luck::Well, suspended), failed()]
            }
            Reap::List { user } => {
                let at = if self.state.user(user).is_some() {
                    Reap::Idle
                } else {
                    Reap::Forget
                };
                vec![(Luck::Well, self.at(at)), failed()]
            }
            Reap::Forget => {
                let repeated = self.state.table.row(id).and_then(|row| row.repeated);
                if repeated.is_some_and(|at| at + LATE > now) {
                    return well(self.at(Reap::Idle));
                }
                well(self.write(Write::Forget { id }, Reap::Idle))
            }
        }
    }

    /// What follows from the look-up of the user.
    fn found(&self, row: Row) -> Reap {
        let is_reaping = row.stage == Stage::Reaping;
        let user = match row.user {
            Some(id) if row.repeated.is_none() || self.state.user(id).is_some() => {
                self.state.user(id)
            }
            _ => self
                .state
                .named(row.name)
                .filter(|user| super::is_ours(*user, row)),
        };
        match user.map(|CoderUser { id, .. }| id) {
            Some(user) if is_reaping && row.user != Some(user) => Reap::Created { user },
            Some(user) if is_reaping => Reap::Delete { user },
            Some(user) => Reap::Begin { user: Some(user) },
            None if is_reaping => self.without_user(
                row,
                false,
                self.state.reaper.began.unwrap_or(self.state.now),
            ),
            None => Reap::Begin { user: None },
        }
    }

    /// What happens to a row in removal without a user: a create may still be on its way.
    fn without_user(&self, row: Row, begins_now: bool, now: Tick) -> Reap {
        let since = if begins_now { Some(now) } else { row.reaping };
        let is_over = since.is_some_and(|since| now >= since + LATE);
        if row.user.is_some() || is_over {
            Reap::Forget
        } else if self.world.bug == Some(Bug::LocksNobody) {
            Reap::Locked
        } else {
            Reap::Idle
        }
    }
}

fn remove(state: &mut State, user: u8) {
    for one in &mut state.users {
        if one.is_some_and(|one| one.id == user) {
            *one = None;
        }
    }
}

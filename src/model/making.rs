//! How a worker makes the account of a phone: a name is reserved, and Coder is asked for the user.

use super::row::{Print, Row, Tick, seconds, tick};
use super::rules::Promise;
use super::state::{CoderUser, Flight, State};
use super::words::Luck;
use super::worker::{At, Step};
use super::write::{Answer, Write};
use super::{Bug, GIVE_UP, LIFE};
use crate::domain::registration::Event;
use crate::provision::decide::{TakenName, due_with_login, taken_name};

impl Step<'_> {
    pub(super) fn reserve(&self) -> Vec<(Luck, State)> {
        let worker = self.worker();
        let received = self.state.texts[usize::from(worker.text)]
            .received
            .unwrap_or(worker.began);
        let mut all = Vec::new();
        for foreign in self.world.draws() {
            let write = Write::Reserve {
                phone: self.phone,
                name: State::FRESH,
                foreign,
                due: worker.began + GIVE_UP,
                received,
            };
            let (answer, mut after) = self.write(write, At::Find);
            match answer {
                Answer::Full => continue,
                Answer::Clash if worker.row.is_some() => self.later(&mut after),
                Answer::Ended => self.go(&mut after, At::Finish),
                Answer::Done => {
                    let ended = self.state.table.contacts[usize::from(self.phone)].ended;
                    if ended.is_some_and(|at| received < at) {
                        after.broken = Some(Promise::AfterEnd { text: worker.text });
                    }
                }
                _ => {}
            }
            all.push((if foreign { Luck::Taken } else { Luck::Well }, after));
            if answer != Answer::Done {
                break;
            }
        }
        all
    }

    /// How a create begins: a repeated one is recorded before.
    pub(super) fn first_create(&self) -> At {
        if self.worker().drew || self.bug(Bug::ForgetsLateCreate) {
            At::Create
        } else {
            At::BeginCreate
        }
    }

    pub(super) fn create(&self, row: Row) -> Vec<(Luck, State)> {
        let mut after = self.at(At::Await);
        let Some(place) = after.flights.iter_mut().find(|flight| flight.is_none()) else {
            // The model does not go on with more creates on their way.
            return Vec::new();
        };
        *place = Some(Flight {
            phone: self.phone,
            name: row.name,
            foreign: row.foreign,
            awaited: true,
            late: false,
        });
        vec![(Luck::Well, after)]
    }

    /// What may come of a create on its way.
    pub(super) fn lands(&self, place: usize) -> Vec<(Luck, State)> {
        let Some(flight) = self.state.flights[place] else {
            return Vec::new();
        };
        let mut base = *self.state;
        base.flights[place] = None;
        let mut all = Vec::new();
        let is_taken = flight.foreign || base.named(flight.name).is_some();
        let mut applied = base;
        if !is_taken {
            let Some(free) = applied.users.iter_mut().find(|user| user.is_none()) else {
                return Vec::new();
            };
            *free = Some(CoderUser {
                id: State::FRESH,
                name: flight.name,
                phone: flight.phone,
                suspended: false,
            });
        }
        let user = if is_taken { None } else { Some(State::FRESH) };
        if flight.awaited {
            let mut answered = applied;
            let at = user.map_or(At::Ours, |user| At::Created { user });
            self.go(&mut answered, at);
            all.push((if is_taken { Luck::Taken } else { Luck::Well }, answered));
            for (luck, mut lost) in [(Luck::LostAfter, applied), (Luck::LostBefore, base)] {
                if luck == Luck::LostBefore || !is_taken {
                    self.later(&mut lost);
                    all.push((luck, lost));
                }
            }
        } else {
            all.push((Luck::Late, applied));
            if !is_taken {
                all.push((Luck::LostBefore, base));
            }
        }
        all
    }

    pub(super) fn ours(&self, row: Row) -> Vec<(Luck, State)> {
        let found = self
            .state
            .named(row.name)
            .filter(|user| super::is_ours(*user, row));
        let taken = match taken_name(&row.registration(), found.is_some()) {
            _ if self.bug(Bug::DrawsAnother) => TakenName::Foreign,
            taken => taken,
        };
        let at = match (taken, found) {
            (TakenName::Ours, Some(user)) => At::Created { user: user.id },
            _ => At::Rename { vanished: false },
        };
        vec![
            (Luck::Well, self.at(at)),
            (Luck::LostBefore, self.ends_later()),
        ]
    }

    pub(super) fn created(&self, row: Row, user: u8, due: Tick) -> State {
        let print = Print {
            name: row.name,
            left: LIFE,
        };
        let sending = Some((print, self.state.now));
        let promised = Some(seconds(self.state.now + LIFE));
        let due = match due_with_login(promised, seconds(due)) {
            Some(at) if !self.bug(Bug::RemovesUnclear) => tick(at),
            _ => due,
        };
        let write = Write::Created {
            id: row.id,
            user,
            due,
            sending,
        };
        let (answer, mut after) = self.write(write, At::Send);
        match answer {
            Answer::Reaping => self.later(&mut after),
            Answer::Done => {
                let worker = &mut after.workers[usize::from(self.phone)];
                worker.row = Some(Row {
                    user: Some(user),
                    ..row
                });
                (worker.print, worker.due) = (Some(print), Some(after.now + LIFE));
            }
            _ => {}
        }
        after
    }

    pub(super) fn rename(&self, row: Row, vanished: bool, due: Tick) -> Vec<(Luck, State)> {
        let event = if vanished {
            Event::UserVanished
        } else {
            Event::Renamed
        };
        let draw = |foreign: bool| {
            let write = Write::Rename {
                id: row.id,
                event,
                name: State::FRESH,
                foreign,
                due,
            };
            let luck = if foreign { Luck::Taken } else { Luck::Well };
            (luck, self.write(write, At::Find).1)
        };
        self.world.draws().map(draw).collect()
    }
}

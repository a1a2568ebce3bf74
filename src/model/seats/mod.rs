//! Two phones with one text each, and the seats and spare accounts between them.
//!
//! A worker for each phone, the keeper of the spares, the reaper, the database and Coder. Each transaction and each
//! call is a step, and between any two of them everything else may happen. Time is only this: at some moment the time
//! of an account is up, and at some moment the class is over.

mod keeper;
mod rules;
mod table;
mod tests;
mod words;
mod worker;

use crate::domain::registration::{Registration, Stage};
use keeper::KeeperStep;
use table::{SeatOwner, SeatPlace, SeatTable};
use words::SeatMove;
use worker::SeatStep;

/// A fault that is put into the model to show that it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SeatBug {
    /// A spare is chosen in one transaction and given in another one, which does not look again.
    GivesTwice,
    /// A spare is given although no seat is free.
    IgnoresSeats,
    /// A spare is dismissed without a look whether a student has taken it meanwhile.
    DismissesTaken,
    /// A spare that was being made when the service was killed is forgotten.
    DropsUnfinished,
}

/// What may happen in a world.
#[derive(Clone, Copy, Debug)]
struct Seating {
    /// Seats of the class.
    seats: usize,
    /// Spares that it wants.
    wanted: usize,
    bug: Option<SeatBug>,
}

/// A phone and its text, seen from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct SeatStudent {
    text: SeatText,
    /// The account whose login it got.
    login: Option<u8>,
    /// Whether it was told that the class is full.
    full: bool,
    /// Whether Twilio's log has a login that is not recorded.
    logged: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum SeatText {
    #[default]
    Unsent,
    Waiting,
    /// Its outcome is recorded, and it is not acknowledged yet.
    Seen,
    Done,
}

/// What the reaper does next, and with which account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum SeatReap {
    #[default]
    Idle,
    Begin(SeatPlace),
    Delete(SeatPlace),
    Forget(SeatPlace),
}

/// What is true at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct SeatState {
    table: SeatTable,
    /// Users at Coder, by the place of their row, and whom their logins were sent to.
    users: [bool; table::ROWS],
    students: [SeatStudent; 2],
    workers: [SeatStep; 2],
    keeper: KeeperStep,
    reaper: SeatReap,
    over: bool,
    broken: Option<rules::Breach>,
}

impl SeatState {
    fn user_exists(&self, place: SeatPlace) -> bool {
        self.users.get(usize::from(place)) == Some(&true)
    }

    /// A worker that has a forgotten account in mind finds none there.
    fn lose(&mut self, place: SeatPlace) {
        for student in &mut self.students {
            student.logged &= student.login != Some(place);
        }
        self.places(|one| {
            if *one == place {
                *one = table::GONE;
            }
        });
    }

    /// Every place that somebody has in mind.
    fn places(&mut self, each: impl Fn(&mut SeatPlace)) {
        let logins = self
            .students
            .iter_mut()
            .filter_map(|one| one.login.as_mut());
        let workers = self.workers.iter_mut().filter_map(SeatStep::place);
        let reaper = match &mut self.reaper {
            SeatReap::Idle => None,
            SeatReap::Begin(place) | SeatReap::Delete(place) | SeatReap::Forget(place) => {
                Some(place)
            }
        };
        let all = logins
            .chain(workers)
            .chain(self.keeper.place())
            .chain(reaper);
        all.for_each(each);
    }

    /// The normal form: the places of alike accounts make no difference.
    fn normal(mut self) -> Self {
        let new = self.table.sort();
        let users = self.users;
        for (from, to) in new.into_iter().enumerate() {
            self.users[usize::from(to)] = users[from];
        }
        self.places(|place| {
            if let Some(to) = new.get(usize::from(*place)) {
                *place = *to;
            }
        });
        self
    }
}

/// How a step ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SeatLuck {
    Well,
    /// It is done, and the answer is lost.
    LostAfter,
    /// It is not done, and there is no answer.
    LostBefore,
}

const CALL: [SeatLuck; 3] = [SeatLuck::Well, SeatLuck::LostAfter, SeatLuck::LostBefore];

impl Seating {
    fn first(&self) -> SeatState {
        SeatState {
            table: SeatTable::default(),
            users: [false; table::ROWS],
            students: Default::default(),
            workers: Default::default(),
            keeper: KeeperStep::Idle,
            reaper: SeatReap::Idle,
            over: false,
            broken: None,
        }
    }

    /// Spares that are wanted now.
    fn wants(&self, class: &SeatState) -> usize {
        if class.over { 0 } else { self.wanted }
    }

    fn all(&self, class: &SeatState) -> Vec<(SeatMove, SeatState)> {
        let mut all = Vec::new();
        for phone in 0..2 {
            let student = class.students[usize::from(phone)];
            // The phones are alike, so the first one texts first.
            let is_next = phone == 0 || class.students[0].text != SeatText::Unsent;
            if student.text == SeatText::Unsent && is_next {
                let mut after = *class;
                after.students[usize::from(phone)].text = SeatText::Waiting;
                all.push((SeatMove::Texts { phone }, after));
            }
            worker::steps(self, class, phone, &mut all);
        }
        keeper::steps(self, class, &mut all);
        self.removals(class, &mut all);
        for (place, row) in class.table.rows() {
            let has_time = row.stage == Stage::Announced || matches!(row.owner, SeatOwner::Spare);
            if has_time && !row.due {
                let mut after = *class;
                after.table.change(place, |row| row.due = true);
                all.push((SeatMove::TimeUp { owner: row.owner }, after));
            }
        }
        if !class.over {
            let mut after = *class;
            after.over = true;
            all.push((SeatMove::Over, after));
        }
        let mut killed = *class;
        killed.workers = Default::default();
        killed.keeper = KeeperStep::Idle;
        killed.reaper = SeatReap::Idle;
        // A new process trusts no look at a spare that another one had.
        killed.table.forget_looks();
        if self.bug == Some(SeatBug::DropsUnfinished) {
            killed.table.drop_unfinished();
        }
        all.push((SeatMove::Kill, killed));
        let normal = all.into_iter().map(|(what, after)| (what, after.normal()));
        normal.collect()
    }

    fn removals(&self, class: &SeatState, all: &mut Vec<(SeatMove, SeatState)>) {
        let mut push = |luck, after| {
            all.push((
                SeatMove::Reap {
                    at: class.reaper,
                    luck,
                },
                after,
            ));
        };
        let with = |reaper| SeatState { reaper, ..*class };
        match class.reaper {
            SeatReap::Idle => {
                for (place, row) in class.table.rows() {
                    let at = match row.stage {
                        Stage::Reaping => SeatReap::Delete(place),
                        _ if row.due => SeatReap::Begin(place),
                        _ => continue,
                    };
                    all.push((SeatMove::Inspect { owner: row.owner }, with(at)));
                }
            }
            SeatReap::Begin(place) => {
                let mut after = with(SeatReap::Idle);
                if after.table.begin_removal(place) {
                    after.reaper = SeatReap::Delete(place);
                }
                push(SeatLuck::Well, after);
            }
            SeatReap::Delete(place) => {
                for luck in CALL {
                    let mut after = with(SeatReap::Idle);
                    if luck == SeatLuck::Well {
                        after.reaper = SeatReap::Forget(place);
                    }
                    if luck != SeatLuck::LostBefore {
                        after.users[usize::from(place)] = false;
                    }
                    push(luck, after);
                }
            }
            SeatReap::Forget(place) => {
                let mut after = with(SeatReap::Idle);
                // The service waits for longer than any create takes before it forgets a row without a user.
                let may_appear = class.users[usize::from(place)]
                    || class.workers.contains(&SeatStep::Create(place))
                    || class.keeper == KeeperStep::Create(place);
                if !may_appear && after.table.forget(place) {
                    after.lose(place);
                }
                push(SeatLuck::Well, after);
            }
        }
    }
}

/// A registration as the pure rules of the service read it.
fn registration(row: table::SeatRow) -> Registration {
    super::row::Row {
        stage: row.stage,
        due: if row.due { NOW } else { NOW + 1 },
        ..super::row::Row::reserved(0)
    }
    .registration()
}

/// The moment at which everything happens.
const NOW: super::row::Tick = 1;

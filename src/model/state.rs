//! What is true at one moment in the model, and its normal form.

use super::removal::ReaperState;
use super::row::{Print, Row, Tick};
use super::rules::Promise;
use super::table::Table;
use super::worker::{At, Worker};

/// Phones at most.
pub(super) const PHONES: usize = 2;

/// The present in the normal form of a state. Earlier moments are moved towards it.
const NOW: Tick = 32;

/// The largest age of a moment that makes a difference.
const FAR: Tick = 3;

/// The id of a user that is gone.
const GONE: u8 = 15;

/// Where a text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Where {
    /// Its student has not written it.
    #[default]
    Unsent,
    /// In the stream.
    Waiting,
    /// It is acknowledged.
    Done,
    /// It is a dead letter.
    Dead,
}

/// A text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct TextState {
    pub(super) at: Where,
    /// When it was received, until it is settled.
    pub(super) received: Option<Tick>,
    /// Whether it is an opt-out word.
    pub(super) stop: bool,
    /// Whether its student had a login that worked when it was received.
    pub(super) had_login: bool,
    /// The account whose login was sent in answer to it, and how often Twilio has accepted it.
    pub(super) answer: Option<u8>,
    pub(super) logins: u8,
    /// Whether Twilio's log could not be read for it once.
    pub(super) blind: bool,
}

/// A user at Coder that we have made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct CoderUser {
    pub(super) id: u8,
    pub(super) name: u8,
    pub(super) phone: u8,
    pub(super) suspended: bool,
}

/// A create on its way to Coder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Flight {
    pub(super) phone: u8,
    pub(super) name: u8,
    pub(super) foreign: bool,
    /// Whether a worker waits for the answer.
    pub(super) awaited: bool,
    /// Whether time has passed since.
    pub(super) late: bool,
}

/// The login that a student has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct StudentLogin {
    pub(super) user: u8,
    /// Until when it works, as the text has promised.
    pub(super) until: Tick,
}

/// What is known about a phone from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Student {
    pub(super) login: Option<StudentLogin>,
    /// The user of the last login that it got.
    pub(super) knows: Option<u8>,
    /// When Twilio accepted the last login.
    pub(super) login_at: Option<Tick>,
    /// When its last dead letter was written.
    pub(super) dead_at: Option<Tick>,
    /// Whether Twilio refuses texts to it.
    pub(super) opted_out: bool,
}

/// What is true at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) now: Tick,
    pub(super) texts: [TextState; 3],
    pub(super) table: Table,
    pub(super) users: [Option<CoderUser>; 4],
    pub(super) flights: [Option<Flight>; 3],
    /// Logins in Twilio's log that are not recorded, by phone.
    pub(super) log: [Option<(u8, Print)>; 4],
    pub(super) workers: [Worker; PHONES],
    pub(super) reaper: ReaperState,
    pub(super) students: [Student; PHONES],
    pub(super) broken: Option<Promise>,
}

impl State {
    /// Nothing has happened yet.
    pub(super) fn new() -> Self {
        Self {
            now: NOW,
            texts: Default::default(),
            table: Table::default(),
            users: [None; 4],
            flights: [None; 3],
            log: [None; 4],
            workers: [Worker::default(); PHONES],
            reaper: ReaperState::default(),
            students: Default::default(),
            broken: None,
        }
    }

    /// A name that nobody has; the normal form gives it a small number.
    pub(super) const FRESH: u8 = 100;

    /// The user with this id, if it exists.
    pub(super) fn user(&self, id: u8) -> Option<CoderUser> {
        self.users
            .iter()
            .flatten()
            .find(|user| user.id == id)
            .copied()
    }

    /// The user with this name, if we made one.
    pub(super) fn named(&self, name: u8) -> Option<CoderUser> {
        self.users
            .iter()
            .flatten()
            .find(|user| user.name == name)
            .copied()
    }

    /// The normal form: states that have the same future become equal. `repeats`: Twilio may send a settled text again.
    pub(super) fn normal(mut self, repeats: bool) -> Self {
        super::forget::forget(&mut self, repeats);
        self.forget_what_is_over();
        self.number_users();
        self.number_rows();
        self.number_names();
        self.move_times();
        self
    }

    fn waiting_since(&self, phone: u8) -> impl Iterator<Item = Tick> + '_ {
        let texts = self.texts.iter().enumerate();
        let of = texts.filter(move |(text, _)| super::phone_of(*text) == phone);
        of.filter_map(|(_, text)| text.received)
    }

    /// Takes moments away that nothing will be compared with.
    fn forget_what_is_over(&mut self) {
        for phone in 0..PHONES {
            let number = phone as u8;
            let first = self.waiting_since(number).min();
            let now = self.now;
            // A text that comes now was received no later than what happens now.
            let may_be_needed = |at: &Tick| *at >= first.unwrap_or(now).min(now);
            let contact = &mut self.table.contacts[phone];
            contact.ended = contact.ended.filter(may_be_needed);
            let student = &mut self.students[phone];
            student.login_at = student.login_at.filter(may_be_needed);
            student.dead_at = student.dead_at.filter(may_be_needed);
            student.login = student.login.filter(|login| login.until > self.now);
        }
        let began = self
            .workers
            .iter()
            .filter(|worker| worker.at != At::Idle)
            .map(|worker| worker.began);
        let floor = began.chain([self.now]).min().unwrap_or(self.now);
        let now = self.now;
        let first = self.texts.iter().filter_map(|text| text.received).min();
        // Of moments before everything that is compared with them only that they are before counts.
        let before = first.map_or(now, |first| first.min(now));
        let latest = |at: Tick| if at < before { before - 1 } else { at };
        self.rows(|row| {
            row.due = row.due.max(floor);
            row.reaping = row.reaping.map(|at| at.max(now - FAR));
            row.locked = row.locked.map(|at| at.max(now - FAR));
            row.repeated = row.repeated.map(|at| at.max(now - FAR));
            row.announced = row.announced.map(latest);
            row.ended = row.ended.map(latest);
        });
        self.texts
            .iter_mut()
            .for_each(|text| text.logins = text.logins.min(3));
    }

    /// Every row, and every copy that somebody has read.
    fn rows(&mut self, mut each: impl FnMut(&mut Row)) {
        self.table.rows.iter_mut().flatten().for_each(&mut each);
        self.workers
            .iter_mut()
            .filter_map(|worker| worker.row.as_mut())
            .for_each(&mut each);
        self.reaper.row.iter_mut().for_each(&mut each);
    }

    fn number_users(&mut self) {
        self.users
            .sort_by_key(|user| user.map_or(u8::MAX, |user| user.id));
        let mut new = [GONE; 256];
        for (place, user) in self.users.iter_mut().flatten().enumerate() {
            new[usize::from(user.id)] = place as u8 + 1;
            user.id = place as u8 + 1;
        }
        let number = |id: &mut u8| *id = new[usize::from(*id)];
        self.rows(|row| row.user.iter_mut().for_each(number));
        self.workers
            .iter_mut()
            .filter_map(|worker| worker.at.user())
            .for_each(number);
        self.reaper.at.user().into_iter().for_each(number);
        self.students
            .iter_mut()
            .flat_map(|one| &mut one.login)
            .for_each(|login| number(&mut login.user));
        self.students
            .iter_mut()
            .filter_map(|one| one.knows.as_mut())
            .for_each(number);
    }

    /// Numbers the rows in their order, and has copies of rows that are gone refer to none.
    fn number_rows(&mut self) {
        self.table
            .rows
            .sort_by_key(|row| row.map_or(u8::MAX, |row| row.id));
        if self.table.reuses {
            return;
        }
        let mut new = [0; 256];
        for (place, row) in self.table.rows.iter().flatten().enumerate() {
            new[usize::from(row.id)] = place as u8 + 1;
        }
        self.rows(|row| row.id = new[usize::from(row.id)]);
    }

    /// Numbers the names in the order in which they are met.
    fn number_names(&mut self) {
        let mut new = [0; 256];
        let mut last = 0;
        let mut number = |name: &mut u8| {
            let known = &mut new[usize::from(*name)];
            if *known == 0 {
                last += 1;
                *known = last;
            }
            *name = *known;
        };
        self.rows(|row| {
            number(&mut row.name);
            row.sending
                .iter_mut()
                .for_each(|(print, _)| number(&mut print.name));
        });
        self.users
            .iter_mut()
            .flatten()
            .for_each(|user| number(&mut user.name));
        self.flights
            .iter_mut()
            .flatten()
            .for_each(|flight| number(&mut flight.name));
        self.workers
            .iter_mut()
            .filter_map(|worker| worker.print.as_mut())
            .for_each(|print| number(&mut print.name));
        // A login of an account that is forgotten is never searched for.
        for entry in &mut self.log {
            if let Some((_, print)) = entry {
                let name = new[usize::from(print.name)];
                if name == 0 {
                    *entry = None;
                } else {
                    print.name = name;
                }
            }
        }
        for text in &mut self.texts {
            text.answer = text
                .answer
                .map(|name| new[usize::from(name)])
                .filter(|name| *name > 0);
            if text.answer.is_none() {
                text.logins = 0;
            }
        }
        self.log.sort_by_key(|entry| {
            entry.map_or((1, 0, Print { name: 0, left: 0 }), |(phone, print)| {
                (0, phone, print)
            })
        });
        self.flights
            .sort_by_key(|flight| (flight.is_none(), *flight));
    }

    /// Moves earlier moments towards the present, as far as no order and no distance that counts changes.
    fn move_times(&mut self) {
        let now = self.now;
        let mut past = 0_u64;
        self.times(|at| {
            if *at < now {
                past |= 1 << (*at).min(63);
            }
        });
        let mut new = [0; 64];
        let mut moved = NOW;
        for at in (0..now).rev().filter(|at| past & (1 << at) != 0) {
            // How old a moment is counts up to a limit. Of older ones only their order counts.
            moved = (moved - 1).min(NOW - (now - at).min(FAR));
            new[usize::from(at)] = moved;
        }
        self.times(|at| {
            *at = if *at < now {
                new[usize::from(*at)]
            } else {
                *at - now + NOW
            };
        });
        self.now = NOW;
    }

    fn times(&mut self, mut each: impl FnMut(&mut Tick)) {
        self.texts
            .iter_mut()
            .filter_map(|text| text.received.as_mut())
            .for_each(&mut each);
        self.table
            .contacts
            .iter_mut()
            .filter_map(|contact| contact.ended.as_mut())
            .for_each(&mut each);
        self.rows(|row| {
            each(&mut row.due);
            let times = [
                &mut row.announced,
                &mut row.ended,
                &mut row.reaping,
                &mut row.locked,
                &mut row.repeated,
            ];
            times.into_iter().flatten().for_each(&mut each);
            row.sending.iter_mut().for_each(|(_, since)| each(since));
        });
        for worker in self
            .workers
            .iter_mut()
            .filter(|worker| worker.at != At::Idle)
        {
            each(&mut worker.began);
            worker.due.iter_mut().for_each(&mut each);
            worker.at.time().into_iter().for_each(&mut each);
        }
        self.reaper.began.iter_mut().for_each(&mut each);
        for student in &mut self.students {
            let times = [&mut student.login_at, &mut student.dead_at];
            times.into_iter().flatten().for_each(&mut each);
            student
                .login
                .iter_mut()
                .for_each(|login| each(&mut login.until));
        }
    }
}

//! The database of the model: what each write of `store` does to the rows, told again without SQL.

use super::Bug;
use super::row::{Row, Tick, seconds, tick};
use super::write::{Answer, Write};
use crate::domain::UnixSeconds;
use crate::domain::order::Order;
use crate::domain::registration::{Event, Stage};

/// Moments after which the phone of a locked account may have another one; `store::reserve` says 300 s.
const LOCKED: Tick = 3;

/// Seconds for which a login on its way holds up a removal; `store::removals` says so.
const SENDING: UnixSeconds = 60;

/// What is stored about a phone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct ContactRow {
    /// Texts from before then get no new account.
    pub(super) ended: Option<Tick>,
    pub(super) opted_out: bool,
}

/// What is recorded about a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Seen {
    #[default]
    Never,
    Served,
    GivenUp,
}

/// The database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Table {
    pub(super) rows: [Option<Row>; 3],
    pub(super) contacts: [ContactRow; 2],
    pub(super) seen: [Seen; 3],
    /// Whether the number of a row that is gone is given again.
    pub(super) reuses: bool,
}

impl Table {
    /// The row with this number.
    pub(super) fn row(&self, id: u8) -> Option<Row> {
        self.rows.iter().flatten().find(|row| row.id == id).copied()
    }

    /// The row of a phone.
    pub(super) fn of(&self, phone: u8) -> Option<Row> {
        let mut rows = self.rows.iter().flatten();
        rows.find(|row| row.phone == Some(phone)).copied()
    }

    /// Carries out a write.
    pub(super) fn write(&mut self, write: Write, now: Tick, bug: Option<Bug>) -> Answer {
        match write {
            Write::Reserve {
                phone,
                name,
                foreign,
                due,
                received,
            } => {
                let ended = self.contacts[usize::from(phone)].ended;
                if bug != Some(Bug::ReadsEndEarly) && ended.is_some_and(|at| received < at) {
                    return Answer::Ended;
                }
                self.reserve(phone, (name, foreign), due, now, bug)
            }
            Write::GaveUp { phone, text } => self.give_up(phone, text, now, bug),
            Write::OptedOut {
                phone,
                text,
                gave_up,
            } => {
                self.contacts[usize::from(phone)].opted_out = true;
                if gave_up {
                    return self.give_up(phone, text, now, bug);
                }
                self.serve(text)
            }
            Write::Finish { text } => self.serve(text),
            Write::LockedOut { id } => {
                if let Some(row) = self.find(id)
                    && row.stage == Stage::Reaping
                {
                    row.locked = row.locked.or(Some(now));
                }
                Answer::Done
            }
            Write::Order { phone, order } => self.order(phone, order, now),
            Write::Forget { id } => match self.step(id, Event::UserGone) {
                Ok(_) => {
                    self.rows
                        .iter_mut()
                        .filter(|row| row.is_some_and(|row| row.id == id))
                        .for_each(|row| *row = None);
                    Answer::Done
                }
                Err(illegal) => illegal,
            },
            Write::BeginRemoval { id } => self.begin_removal(id, now, bug),
            _ => self.advance(write, now),
        }
    }

    /// The writes that only take one row further.
    fn advance(&mut self, write: Write, now: Tick) -> Answer {
        let (id, event) = match write {
            Write::Rename { id, event, .. } => (id, event),
            Write::BeginCreate { id } => (id, Event::UserRequested),
            Write::Renew { id, .. } | Write::UndoEnd { id, .. } => (id, Event::Renewed),
            Write::Created { id, .. } => (id, Event::UserCreated),
            Write::BeginSend { id, .. } | Write::ClearSend { id, .. } => (id, Event::LoginPrepared),
            Write::LoginSent { id, .. } => (id, Event::LoginSent),
            _ => unreachable!("{write:?}"),
        };
        let is_removed = matches!(write, Write::LoginSent { earlier: true, .. })
            && self.row(id).is_some_and(|row| row.stage == Stage::Reaping);
        if let Write::LoginSent { text, gave_up, .. } = write
            && self.step(id, event).is_ok()
            && !is_removed
        {
            if gave_up {
                self.seen[usize::from(text)] = Seen::GivenUp;
            } else {
                self.serve(text);
            }
        }
        let (row, stage) = match self.step(id, event) {
            Ok(step) => step,
            Err(illegal) => return illegal,
        };
        let is_ended = row.ended.is_some();
        match write {
            Write::Rename {
                name, foreign, due, ..
            } => {
                (row.stage, row.name, row.foreign) = (stage, name, foreign);
                (row.user, row.sending, row.doubtful, row.repeated) = (None, None, false, None);
                row.due = if is_ended { row.due } else { due };
            }
            Write::BeginCreate { .. } => row.repeated = Some(now),
            Write::Renew { due, .. } => {
                row.due = if is_ended { row.due } else { row.due.max(due) };
            }
            Write::UndoEnd { due, .. } => (row.due, row.ended) = (due, None),
            Write::Created { user, .. } if stage == Stage::Reaping => {
                row.user = Some(user);
                return Answer::Reaping;
            }
            Write::Created {
                user, due, sending, ..
            } => {
                (row.stage, row.user, row.sending) = (stage, Some(user), sending);
                row.due = if is_ended { row.due } else { due };
            }
            Write::BeginSend {
                sending, promised, ..
            } => {
                row.sending = Some(sending);
                if row.stage == Stage::Created && !is_ended {
                    row.due = row.due.max(promised);
                }
            }
            Write::ClearSend {
                without_login,
                renewed,
                ..
            } => {
                row.sending = None;
                row.due = match (without_login, renewed) {
                    _ if is_ended => row.due,
                    (Some(pending), _) if row.stage == Stage::Created && !row.doubtful => pending,
                    (_, Some(renewed)) => row.due.max(renewed),
                    (_, None) => row.due,
                };
                row.doubtful |= without_login.is_none();
            }
            Write::LoginSent { due, .. } => {
                row.due = match stage {
                    _ if is_ended || stage == Stage::Reaping => row.due,
                    _ if row.announced.is_some() && row.stage == Stage::Announced => {
                        row.due.max(due)
                    }
                    _ => due,
                };
                (row.stage, row.announced) = (stage, Some(now));
                (row.sending, row.doubtful) = (None, false);
            }
            _ => {}
        }
        if is_removed {
            return Answer::Reaping;
        }
        Answer::Done
    }

    fn find(&mut self, id: u8) -> Option<&mut Row> {
        self.rows.iter_mut().flatten().find(|row| row.id == id)
    }

    fn step(&mut self, id: u8, event: Event) -> Result<(&mut Row, Stage), Answer> {
        let stage = self.row(id).map_or(Stage::Gone, |row| row.stage);
        let next = stage.after(event).map_err(|_| Answer::Illegal)?;
        let row = self.find(id).ok_or(Answer::Illegal)?;
        Ok((row, next))
    }

    fn serve(&mut self, text: u8) -> Answer {
        let seen = &mut self.seen[usize::from(text)];
        if *seen == Seen::Never {
            *seen = Seen::Served;
        }
        Answer::Done
    }

    fn give_up(&mut self, phone: u8, text: u8, now: Tick, bug: Option<Bug>) -> Answer {
        let mut rows = self.rows.iter_mut().flatten();
        if let Some(row) = rows.find(|row| row.phone == Some(phone))
            && matches!(row.stage, Stage::Reserved | Stage::Created)
        {
            let may_have_login = row.sending.is_some() || row.doubtful;
            if !may_have_login || bug == Some(Bug::RemovesUnclear) {
                row.due = now;
            }
            (row.doubtful, row.sending) = (may_have_login, None);
        }
        self.seen[usize::from(text)] = Seen::GivenUp;
        Answer::Done
    }

    fn reserve(
        &mut self,
        phone: u8,
        (name, foreign): (u8, bool),
        due: Tick,
        now: Tick,
        bug: Option<Bug>,
    ) -> Answer {
        let earlier = self.of(phone);
        if earlier.is_some_and(|row| {
            let is_locked = row.locked.is_some_and(|at| at + LOCKED <= now)
                && (row.repeated.is_none() || bug == Some(Bug::ReleasesEarly));
            row.stage != Stage::Reaping || !is_locked
        }) {
            return Answer::Clash;
        }
        let last = self.rows.iter().flatten().map(|row| row.id).max();
        let id = if self.reuses {
            last.unwrap_or(0) + 1
        } else {
            200
        };
        let Some(place) = self.rows.iter().position(Option::is_none) else {
            return Answer::Full;
        };
        if let Some(row) = self
            .rows
            .iter_mut()
            .flatten()
            .find(|row| row.phone == Some(phone))
        {
            row.phone = None;
        }
        self.rows[place] = Some(Row {
            phone: Some(phone),
            name,
            foreign,
            due,
            ..Row::reserved(id)
        });
        Answer::Done
    }

    fn begin_removal(&mut self, id: u8, now: Tick, bug: Option<Bug>) -> Answer {
        let (row, stage) = match self.step(id, Event::RemovalBegun) {
            Ok(step) => step,
            Err(illegal) => return illegal,
        };
        let is_held = row.stage == Stage::Announced
            && row.ended.is_none()
            && row
                .sending
                .is_some_and(|(_, since)| seconds(now) - seconds(since) <= SENDING);
        if (row.due > now && bug != Some(Bug::RemovesRenewed)) || is_held {
            return Answer::Not;
        }
        (row.stage, row.reaping) = (stage, Some(now));
        let (phone, had_login) = (row.phone, row.announced.is_some());
        if let (Some(phone), true) = (phone, had_login) {
            self.contacts[usize::from(phone)].ended = Some(now);
        }
        Answer::Done
    }

    fn order(&mut self, phone: u8, order: Order, now: Tick) -> Answer {
        let Some(row) = self.of(phone) else {
            return Answer::Not;
        };
        let Ok(due) = order.due(&row.registration(), seconds(now)) else {
            return Answer::Not;
        };
        let event = match order {
            Order::End => Event::RemovalBegun,
            _ => Event::Rescheduled,
        };
        let (row, stage) = match self.step(row.id, event) {
            Ok(step) => step,
            Err(illegal) => return illegal,
        };
        (row.stage, row.due) = (stage, tick(due.at));
        row.ended = order.ends().then_some(now);
        row.reaping = (event == Event::RemovalBegun).then_some(now);
        if order.ends() {
            self.contacts[usize::from(phone)].ended = Some(now);
        }
        Answer::Done
    }
}

//! The database: what the transactions of `store::reserve`, `store::spares` and `store::sends` do, told again.

use super::{SeatBug, Seating};
use crate::domain::registration::{Event, Stage};

/// Rows at most.
pub(super) const ROWS: usize = 3;

/// The place of a row, which names its account as well.
pub(super) type SeatPlace = u8;

/// Where an account was that is forgotten. Numbers of rows are never given again.
pub(super) const GONE: SeatPlace = ROWS as SeatPlace;

/// Whose an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum SeatOwner {
    Spare,
    Phone(u8),
}

/// An account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct SeatRow {
    pub(super) owner: SeatOwner,
    pub(super) stage: Stage,
    pub(super) due: bool,
    pub(super) sending: bool,
    /// Whether this process has seen that nobody has used it.
    pub(super) unused: bool,
}

/// All accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct SeatTable([Option<SeatRow>; ROWS]);

/// The answer to a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SeatAnswer {
    Done(SeatPlace),
    Clash,
    Full,
    /// The model has no room for another row, and does not go on here.
    NoRoom,
}

impl SeatTable {
    pub(super) fn rows(&self) -> impl Iterator<Item = (SeatPlace, SeatRow)> + '_ {
        (0..)
            .zip(&self.0)
            .filter_map(|(place, row)| Some((place, (*row)?)))
    }

    pub(super) fn row(&self, place: SeatPlace) -> Option<SeatRow> {
        self.0.get(usize::from(place)).copied().flatten()
    }

    pub(super) fn of(&self, phone: u8) -> Option<(SeatPlace, SeatRow)> {
        self.rows()
            .find(|(_, row)| row.owner == SeatOwner::Phone(phone))
    }

    pub(super) fn change(&mut self, place: SeatPlace, change: impl FnOnce(&mut SeatRow)) {
        if let Some(row) = self.0.get_mut(usize::from(place)).and_then(Option::as_mut) {
            change(row);
        }
    }

    /// The spares that may still get a student.
    pub(super) fn live(&self) -> impl Iterator<Item = (SeatPlace, SeatRow)> + '_ {
        let live = |row: &SeatRow| matches!(row.stage, Stage::Reserved | Stage::Created);
        self.rows()
            .filter(move |(_, row)| row.owner == SeatOwner::Spare && live(row))
    }

    /// Seats that are free. Spares take none.
    pub(super) fn free(&self, world: &Seating) -> usize {
        let students = self.rows().filter(|(_, row)| row.owner != SeatOwner::Spare);
        world.seats.saturating_sub(students.count())
    }

    pub(super) fn allowed(&self, world: &Seating, wanted: usize) -> usize {
        wanted.min(self.free(world))
    }

    fn insert(&mut self, owner: SeatOwner) -> SeatAnswer {
        let Some(place) = self.0.iter().position(Option::is_none) else {
            return SeatAnswer::NoRoom;
        };
        self.0[place] = Some(SeatRow {
            owner,
            stage: Stage::Reserved,
            due: false,
            sending: false,
            unused: false,
        });
        SeatAnswer::Done(place as SeatPlace)
    }

    /// Sorts the rows, as accounts of the same owner in the same state are alike. Returns the new place of each one.
    pub(super) fn sort(&mut self) -> [SeatPlace; ROWS] {
        let key = |place: &usize| {
            let row = self.0[*place]?;
            let owner = match row.owner {
                SeatOwner::Phone(phone) => phone,
                SeatOwner::Spare => 2,
            };
            let stage = row.stage.as_str();
            Some(std::cmp::Reverse((
                owner,
                stage,
                row.due,
                row.sending,
                row.unused,
            )))
        };
        let mut order: [usize; ROWS] = std::array::from_fn(|place| place);
        order.sort_by_key(|place| std::cmp::Reverse(key(place)));
        let mut new = [0; ROWS];
        for (to, from) in (0..).zip(order) {
            new[from] = to;
        }
        self.0 = order.map(|place| self.0[place]);
        new
    }

    /// `Store::reserve`.
    pub(super) fn reserve(&mut self, phone: u8, world: &Seating) -> SeatAnswer {
        if self.of(phone).is_some() {
            SeatAnswer::Clash
        } else if self.free(world) == 0 {
            SeatAnswer::Full
        } else {
            self.insert(SeatOwner::Phone(phone))
        }
    }

    /// `Store::reserve_spare`.
    pub(super) fn reserve_spare(&mut self, world: &Seating, wanted: usize) -> SeatAnswer {
        if self.allowed(world, wanted) <= self.live().count() {
            return SeatAnswer::Full;
        }
        self.insert(SeatOwner::Spare)
    }

    /// The spare that `Store::take_spare` gives to a phone, if it gives one.
    pub(super) fn best(&self, phone: u8, world: &Seating) -> Option<SeatPlace> {
        let usable = |row: &SeatRow| row.stage == Stage::Created && row.unused && !row.due;
        let (place, _) = self.live().find(|(_, row)| usable(row))?;
        let has_seat = self.free(world) > 0 || world.bug == Some(SeatBug::IgnoresSeats);
        (has_seat && self.of(phone).is_none()).then_some(place)
    }

    /// Makes a spare the account of a phone; its login is about to be sent.
    pub(super) fn give(&mut self, place: SeatPlace, phone: u8) {
        self.change(place, |row| {
            (row.owner, row.unused, row.due) = (SeatOwner::Phone(phone), false, false);
            row.sending = true;
        });
    }

    /// A step that [`Stage::after`] allows or not. Returns the reached stage.
    pub(super) fn step(&mut self, place: SeatPlace, event: Event) -> Option<Stage> {
        let stage = self.row(place).map_or(Stage::Gone, |row| row.stage);
        let next = stage.after(event).ok()?;
        self.change(place, |row| row.stage = next);
        Some(next)
    }

    /// `Store::begin_removal`. Returns whether it began.
    pub(super) fn begin_removal(&mut self, place: SeatPlace) -> bool {
        let is_held = |row: SeatRow| row.stage == Stage::Announced && row.sending;
        let may_begin = self.row(place).is_some_and(|row| row.due && !is_held(row));
        may_begin && self.step(place, Event::RemovalBegun).is_some()
    }

    /// `Store::dismiss_surplus_spare`. Returns whether its removal began.
    pub(super) fn dismiss(&mut self, place: SeatPlace, world: &Seating, wanted: usize) -> bool {
        let is_spare = self
            .row(place)
            .is_some_and(|row| row.owner == SeatOwner::Spare);
        let is_surplus = self.live().count() > self.allowed(world, wanted);
        let may_begin = is_spare && is_surplus || world.bug == Some(SeatBug::DismissesTaken);
        may_begin && self.step(place, Event::RemovalBegun).is_some()
    }

    /// `Store::forget`. Returns whether the row is gone.
    pub(super) fn forget(&mut self, place: SeatPlace) -> bool {
        let is_gone = self.step(place, Event::UserGone).is_some();
        if is_gone {
            self.0[usize::from(place)] = None;
        }
        is_gone
    }

    /// `Store::forget_looks_at_spares`.
    pub(super) fn forget_looks(&mut self) {
        self.0
            .iter_mut()
            .flatten()
            .for_each(|row| row.unused = false);
    }

    /// Only for [`SeatBug::DropsUnfinished`].
    pub(super) fn drop_unfinished(&mut self) {
        let unfinished =
            |row: SeatRow| row.owner == SeatOwner::Spare && row.stage == Stage::Reserved;
        for row in &mut self.0 {
            *row = row.filter(|row| !unfinished(*row));
        }
    }
}

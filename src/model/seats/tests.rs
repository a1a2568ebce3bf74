//! The worlds of seats and spares that are searched.

use super::{SeatBug, Seating};
use crate::model::search;

const MOST: usize = 5_000_000;

fn holds(name: &str, world: Seating) {
    search::holds(name, &world, MOST);
}

const ONE_SEAT: Seating = Seating {
    seats: 1,
    wanted: 0,
    bug: None,
};

const ONE_SPARE: Seating = Seating {
    seats: 1,
    wanted: 1,
    bug: None,
};

const TWO_SEATS: Seating = Seating {
    seats: 2,
    ..ONE_SPARE
};

#[test]
fn two_phones_want_the_same_seat() {
    holds("two phones, one seat", ONE_SEAT);
}

#[test]
fn bugs_of_spares_are_found() {
    let bugs = [
        (SeatBug::GivesTwice, "P12", TWO_SEATS),
        (SeatBug::IgnoresSeats, "more students than seats", ONE_SPARE),
        (SeatBug::DismissesTaken, "P5", ONE_SPARE),
        (SeatBug::DropsUnfinished, "P3", ONE_SPARE),
    ];
    for (bug, promise, world) in bugs {
        let bug_in = Seating {
            bug: Some(bug),
            ..world
        };
        search::finds(bug, promise, &bug_in, MOST);
    }
}

/// `make model` runs these, by their names or all of them.
#[test]
fn large_worlds_of_seats() {
    let Ok(chosen) = std::env::var("MODEL_WORLDS") else {
        return;
    };
    for (name, world) in [("one-spare", ONE_SPARE), ("two-seats", TWO_SEATS)] {
        if chosen.is_empty() || chosen.split(' ').any(|one| one == name) {
            holds(name, world);
        }
    }
}

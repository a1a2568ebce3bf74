//! The worlds of seats and spares that are searched.

use super::{SeatBug, Seating};
use crate::model::search::search;

const MOST: usize = 5_000_000;

fn holds(name: &str, world: Seating) {
    let report = search(&world, MOST);
    println!("{name}: {report}");
    if let Some(story) = report.broken {
        panic!("{name}:\n{story}");
    }
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
        let report = search(
            &Seating {
                bug: Some(bug),
                ..world
            },
            MOST,
        );
        println!("{bug:?}: {report}");
        let story = report.broken.unwrap_or_default();
        assert!(
            story.contains(promise),
            "{bug:?} breaks nothing, or something else:\n{story}"
        );
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

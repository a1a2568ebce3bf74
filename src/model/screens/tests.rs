//! The worlds that are searched.

use super::super::search::{self, Report};
use super::*;

/// States at most: they are larger than those of the other models.
const MOST: usize = 20_000_000;

/// One phone with a text, and a laptop; nothing goes to phones.
const ONE: Hall = Hall {
    texts: [1, 0],
    laptops: 1,
    by_text: false,
    times: 1,
    bug: None,
};

fn holds(name: &str, world: Hall) -> Report {
    search::holds(name, &world, MOST)
}

fn finds(bug: HallBug, promise: &str, world: Hall) {
    let bug_in = Hall {
        bug: Some(bug),
        ..world
    };
    search::finds(bug, promise, &bug_in, MOST);
}

#[test]
fn one_text_for_a_laptop() {
    for by_text in [false, true] {
        let report = holds("one text for a laptop", Hall { by_text, ..ONE });
        assert!(report.states > 1_000, "{report}");
    }
}

#[test]
fn bugs_of_screens_are_found() {
    let both = Hall {
        by_text: true,
        ..ONE
    };
    let two_phones = Hall {
        texts: [1, 1],
        ..ONE
    };
    finds(HallBug::ShowsUnasked, "P12", ONE);
    finds(HallBug::ConfirmsAnother, "P12", two_phones);
    finds(HallBug::RecordsOffer, "P1", ONE);
    finds(HallBug::StaysSilent, "P1", both);
    finds(HallBug::ForgetsShown, "P4, P5", ONE);
}

/// `make model` runs these, by their names or all of them.
#[test]
fn large_worlds_of_screens() {
    let Ok(chosen) = std::env::var("MODEL_WORLDS") else {
        return;
    };
    let both = Hall {
        by_text: true,
        ..ONE
    };
    let worlds = [
        (
            "neighbour",
            Hall {
                texts: [1, 1],
                ..ONE
            },
        ),
        (
            "neighbour-both",
            Hall {
                texts: [1, 1],
                ..both
            },
        ),
        (
            "two-codes",
            Hall {
                texts: [2, 0],
                laptops: 2,
                ..ONE
            },
        ),
        (
            "two-codes-both",
            Hall {
                texts: [2, 0],
                laptops: 2,
                ..both
            },
        ),
    ];
    for (name, world) in worlds {
        if chosen.is_empty() || chosen.split(' ').any(|one| one == name) {
            let began = std::time::Instant::now();
            holds(name, world);
            println!("{name}: {:.0} s", began.elapsed().as_secs_f64());
        }
    }
}

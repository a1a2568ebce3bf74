//! The worlds that are searched.

use super::few::Few;
use super::search::{self, Report};
use super::*;

/// States at most: more do not fit into the memory of a small machine.
pub(super) const MOST: usize = 60_000_000;

/// Searches a world in which every promise has to hold.
fn holds(name: &str, world: World) -> Report {
    search::holds(name, &world, MOST)
}

/// Searches a world with a bug, which has to be found.
fn finds(bug: Bug, promise: &str, world: World) {
    let bug_in = World {
        bug: Some(bug),
        ..world
    };
    search::finds(bug, promise, &bug_in, MOST);
}

#[test]
fn one_text_in_every_order_of_events() {
    let report = holds("one text", World::SMALL);
    assert!(report.states > 10_000, "{report}");
}

#[test]
fn bugs_of_a_text_are_found() {
    finds(Bug::SendsTwice, "was answered with 2 logins", World::SMALL);
    finds(Bug::RemovesUnclear, "P4, P5", World::SMALL);
    finds(Bug::DrawsAnother, "P3", World::SMALL);
    finds(
        Bug::LosesDeadLetter,
        "P1",
        World {
            unreadable: true,
            ..World::SMALL
        },
    );
}

#[test]
fn bugs_of_a_removal_are_found() {
    let late = World {
        late: true,
        ..World::SMALL
    };
    finds(Bug::TrustsSilence, "P3", World::SMALL);
    finds(Bug::ForgetsLateCreate, "P3", late);
    finds(Bug::LocksNobody, "P2", late);
}

#[test]
fn bugs_of_orders_and_of_two_texts_are_found() {
    let orders = World {
        orders: true,
        ..World::SMALL
    };
    let two_texts = World {
        texts: [2, 0],
        ..World::SMALL
    };
    finds(Bug::ReadsEndEarly, "P5", orders);
    finds(Bug::RemovesRenewed, "P4, P5", two_texts);
    finds(Bug::RecordsInRemoval, "P1", two_texts);
}

/// Whatever the model knows may happen, with the texts of two phones.
const EVERYTHING: World = World {
    texts: [2, 1],
    orders: true,
    stops: true,
    strangers: true,
    repeats: true,
    refusals: true,
    late: true,
    unreadable: true,
    bug: None,
};

/// How often something out of the ordinary happens in these worlds.
fn few(texts: [usize; 2], troubles: u8) -> Few {
    let world = World {
        texts,
        ..EVERYTHING
    };
    Few { world, troubles }
}

#[test]
fn two_texts_and_one_trouble_of_any_kind() {
    let report = search::holds("two texts, one trouble", &few([2, 0], 1), MOST);
    assert!(report.states > 100_000, "{report}");
}

/// `make model` runs these, by their names or all of them.
#[test]
fn large_worlds_of_few_troubles() {
    let Ok(chosen) = std::env::var("MODEL_WORLDS") else {
        return;
    };
    for (name, world) in [
        ("two-texts-2-troubles", few([2, 0], 2)),
        ("two-texts-3-troubles", few([2, 0], 3)),
        ("three-texts-1-trouble", few([2, 1], 1)),
    ] {
        // Nobody has waited for the end of the others.
        let is_meant = chosen.is_empty() && name == "two-texts-2-troubles";
        if is_meant || chosen.split(' ').any(|one| one == name) {
            let began = std::time::Instant::now();
            search::holds(name, &world, MOST);
            println!("{name}: {:.0} s", began.elapsed().as_secs_f64());
        }
    }
}

/// `make model` runs these, by their names or all of them.
#[test]
fn large_worlds() {
    let Ok(chosen) = std::env::var("MODEL_WORLDS") else {
        return;
    };
    let small = World::SMALL;
    let worlds = [
        (
            "late",
            World {
                late: true,
                ..small
            },
        ),
        (
            "unreadable",
            World {
                late: true,
                unreadable: true,
                ..small
            },
        ),
        (
            "orders",
            World {
                orders: true,
                ..small
            },
        ),
        (
            "opt-outs",
            World {
                stops: true,
                orders: true,
                ..small
            },
        ),
        (
            "strangers",
            World {
                strangers: true,
                repeats: true,
                ..small
            },
        ),
        (
            "refusals",
            World {
                refusals: true,
                ..small
            },
        ),
        (
            "two-texts",
            World {
                texts: [2, 0],
                ..small
            },
        ),
    ];
    for (name, world) in worlds {
        // Nobody has waited for the end of that one.
        let is_meant = chosen.is_empty() && name != "refusals";
        if is_meant || chosen.split(' ').any(|one| one == name) {
            let began = std::time::Instant::now();
            holds(name, world);
            println!("{name}: {:.0} s", began.elapsed().as_secs_f64());
        }
    }
}

//! Every pair of crash points, a proof for each act.
//!
//! Of pairs all combinations of two kills are played, at every site, each world once: a kill before an effect
//! finds the world that a kill after the effect before it leaves. So the second cut of a pair, and the first, is a
//! kill after each effect, and one before the very first. Of all other pairs, with lost and refused answers in either
//! place, every so-manieth is played, always the same ones.
//!
//! `FAULTS_PART=2/5` plays the second fifth of them, for machines on which a proof takes too long in one piece.

use std::collections::BTreeSet;

use super::act::PointAct;
use super::run::{PointOutcome, PointPlan};
use super::{Proving, cuts, extended, finds_new_world, list, rehearsals, rows};
use crate::classroom::folder::Folder;
use crate::faults::table::Row;
use crate::faults::{Assault, FaultProof};

/// A first login.
pub const FIRST: FaultProof = FaultProof {
    name: "pairs_first",
    about: "a first login, killed twice, at every pair of effects",
    run: |force| prove(force, PointAct::First),
};

/// Another login.
pub const AGAIN: FaultProof = FaultProof {
    name: "pairs_again",
    about: "another login, killed twice, at every pair of effects",
    run: |force| prove(force, PointAct::Again),
};

/// A removal.
pub const REMOVAL: FaultProof = FaultProof {
    name: "pairs_removal",
    about: "a removal, killed twice, at every pair of effects",
    run: |force| prove(force, PointAct::Removal),
};

/// An end by hand.
pub const END: FaultProof = FaultProof {
    name: "pairs_end",
    about: "an end by hand while a workspace runs, killed twice, at every pair of effects",
    run: |force| prove(force, PointAct::End),
};

/// A renewal.
pub const RENEW: FaultProof = FaultProof {
    name: "pairs_renew",
    about: "a renewal of a password and the text after it, killed twice, at every pair of effects",
    run: |force| prove(force, PointAct::Renew),
};

/// A login on a laptop's page.
pub const SCREEN: FaultProof = FaultProof {
    name: "pairs_screen",
    about: "a login on a laptop's page, killed twice, at every pair of effects",
    run: |force| prove(force, PointAct::Screen),
};

/// Spare accounts.
pub const WARM: FaultProof = FaultProof {
    name: "pairs_warm",
    about: "a class with spare accounts until it has closed, killed twice, at every pair of effects",
    run: |force| prove(force, PointAct::Warm),
};

/// Of the pairs that are not two kills, one in this number is played.
const SAMPLE: usize = 40;

/// How many first cuts, and how many pairs, the short version plays.
const SHORT: usize = 6;

fn prove(force: &Assault, act: PointAct) -> Vec<Row> {
    let folder = Folder::new();
    let proving = Proving::new(force, &folder);
    if let Some(chosen) = proving.chosen() {
        return chosen;
    }
    let rehearsals = proving.plays("rehearsals", rehearsals(&[act]));
    let worlds: BTreeSet<PointPlan> = extended(&rehearsals, finds_new_world).into_iter().collect();
    let mut singles = extended(&rehearsals, |_, _| true);
    if !force.full {
        singles = few(worlds.iter().cloned().collect());
    }
    let singles = proving.plays("first cuts", singles);
    let (kills, others) = pairs(singles, &worlds);
    let (kills, others) = match force.full {
        true => (
            share(kills),
            share(others.into_iter().step_by(SAMPLE).collect()),
        ),
        false => (few(kills), few(others)),
    };
    let mut played = proving.plays("pairs of kills", kills);
    played.extend(proving.plays("other pairs", others));
    force.says(&list(&cuts(&played)));
    rows(&played, "cut twice")
}

/// The pairs of two kills, each world once, and all other pairs.
fn pairs(
    singles: Vec<PointOutcome>,
    worlds: &BTreeSet<PointPlan>,
) -> (Vec<PointPlan>, Vec<PointPlan>) {
    let all = extended(&singles, |_, _| true);
    let killed: Vec<PointOutcome> = singles
        .into_iter()
        .filter(|single| worlds.contains(&single.plan))
        .collect();
    let kills: BTreeSet<PointPlan> = extended(&killed, finds_new_world).into_iter().collect();
    let others = all.into_iter().filter(|plan| !kills.contains(plan));
    let others = others.collect();
    (kills.into_iter().collect(), others)
}

/// The part of them that is to be played.
fn share(plans: Vec<PointPlan>) -> Vec<PointPlan> {
    let (part, parts) = part();
    plans.into_iter().skip(part - 1).step_by(parts).collect()
}

/// Which part of how many is to be played.
fn part() -> (usize, usize) {
    let Ok(words) = std::env::var("FAULTS_PART") else {
        return (1, 1);
    };
    let numbers = words.split_once('/');
    let numbers = numbers.and_then(|(part, parts)| Some((part.parse().ok()?, parts.parse().ok()?)));
    match numbers {
        Some((part, parts)) if (1..=parts).contains(&part) => (part, parts),
        _ => panic!("FAULTS_PART is {words:?}, which is no part such as 2/5"),
    }
}

/// Some of them, evenly spread.
fn few(plans: Vec<PointPlan>) -> Vec<PointPlan> {
    let step = plans.len().div_ceil(SHORT).max(1);
    plans.into_iter().step_by(step).collect()
}

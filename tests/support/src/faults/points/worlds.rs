//! Any number of kills, one after the other.
//!
//! What happens after a kill depends on nothing but the world that it leaves: the service has no memory that survives
//! it. So each world is played once, however many kills led to it, with a kill after each effect that follows, until
//! these kills leave no world that is not known. Kills before an effect add nothing: their world is that of the kill
//! after the effect before.
//!
//! What counts as the same world is in `world`. A run tells all worlds that it has passed, so a kill counts for the
//! world that it was made in, also where threads ran in another order than planned.
//!
//! `FAULTS_KILLS=2` plays no run with more kills, which makes it all pairs. `FAULTS_WORLDS=FOLDER` writes the worlds into
//! that folder, to be read and compared.

use std::collections::{BTreeMap, BTreeSet};

use super::act::PointAct;
use super::run::{PointOutcome, PointPlan};
use super::site::PointSite;
use super::world::PointWorld;
use super::{Proving, acts, rehearsals, rows, sites};
use crate::classroom::folder::Folder;
use crate::faults::table::Row;
use crate::faults::tape::{Cut, Mode, Point};
use crate::faults::{Assault, FaultProof};

/// The proof.
pub const PROOF: FaultProof = FaultProof {
    name: "worlds",
    about: "killed in every world that kills leave, until they leave no new one",
    run: prove,
};

/// Kills in one run at most.
const MOST: (usize, usize) = (3, 12);

/// Rounds of runs at most; each goes a kill farther, or makes up for kills that were not met.
const ROUNDS: (usize, usize) = (4, 100);

/// How many kills each round of the short version plays.
const SHORT: usize = 8;

/// How often a kill is planned whose effect does not come, as threads ran in another order.
const TRIES: usize = 4;

/// Ways to one world that are kept, so that a kill that does not come by one is tried by another.
const WAYS: usize = 4;

fn prove(force: &Assault) -> Vec<Row> {
    let folder = Folder::new();
    let proving = Proving::new(force, &folder);
    if let Some(chosen) = proving.chosen() {
        return chosen;
    }
    let acts = if force.full {
        acts()
    } else {
        vec![PointAct::First]
    };
    let sites = if force.full {
        sites()
    } else {
        vec![PointSite::NewAdmin]
    };
    let places = acts
        .iter()
        .flat_map(|act| sites.iter().map(|site| (*act, *site)));
    let mut searches: Vec<WorldSearch> = places.map(WorldSearch::new).collect();
    let most = most_kills().unwrap_or_else(|| force.pick(MOST.0, MOST.1));
    let mut played = proving.plays("rehearsals", rehearsals(&acts));
    let mut all = Vec::new();
    let rounds = force.pick(ROUNDS.0, ROUNDS.1);
    for round in 0.. {
        for search in &mut searches {
            search.learns(&played);
        }
        all.append(&mut played);
        searches.iter_mut().for_each(WorldSearch::writes);
        let kills = force.pick(SHORT, usize::MAX);
        let plans: Vec<PointPlan> = searches
            .iter_mut()
            .flat_map(|search| search.plans(most, kills))
            .collect();
        if plans.is_empty() || round == rounds {
            break;
        }
        let worlds: usize = searches.iter().map(|search| search.worlds.len() - 1).sum();
        played = proving.plays(&format!("kills, {worlds} worlds known"), plans);
    }
    all.retain(|outcome| !outcome.plan.cuts.is_empty());
    let mut rows = rows(&all, "killed again and again");
    for (row, search) in rows.iter_mut().zip(&searches) {
        row.note = search.note(&all);
        if force.full {
            force.says(&format!("{}: {}", row.fault, row.note));
        }
    }
    rows
}

/// The number that `FAULTS_KILLS` gives.
fn most_kills() -> Option<usize> {
    let words = std::env::var("FAULTS_KILLS").ok()?;
    let number = words.parse().ok().filter(|number| *number > 0);
    Some(number.unwrap_or_else(|| panic!("FAULTS_KILLS is {words:?}, which is no number of kills")))
}

/// The search of one act at one site.
struct WorldSearch {
    place: (PointAct, PointSite),
    worlds: BTreeMap<PointWorld, KnownWorld>,
    /// How often each kill in each world was planned, and whether it was made.
    kills: BTreeMap<(PointWorld, Point), (usize, bool)>,
    /// How many worlds were written.
    files: usize,
}

/// What is known of a world.
#[derive(Default)]
struct KnownWorld {
    /// Kills that led to it.
    ways: Vec<Vec<Cut>>,
    /// What was seen to happen in it.
    next: BTreeSet<Point>,
    /// Whether it was written into the folder of `FAULTS_WORLDS`.
    is_written: bool,
}

impl WorldSearch {
    fn new(place: (PointAct, PointSite)) -> Self {
        Self {
            place,
            worlds: BTreeMap::new(),
            kills: BTreeMap::new(),
            files: 0,
        }
    }

    /// Learns of the worlds that runs have passed and of what followed.
    fn learns(&mut self, played: &[PointOutcome]) {
        for outcome in played.iter().filter(|outcome| outcome.is_of(self.place)) {
            let mut world = Some(PointWorld::untouched());
            for (number, cut) in outcome.plan.cuts.iter().enumerate() {
                let next = outcome.worlds.iter().find(|(cut, _)| *cut == number + 1);
                let next = next.map(|(_, world)| world.clone());
                if let (Some(world), true) = (world, next.is_some()) {
                    let kill = self.kills.entry((world, cut.point.clone()));
                    kill.or_default().1 = true;
                }
                world = next;
            }
            // A run that was not killed as often as planned, or ended with its last kill, shows nothing further.
            let Some(world) = world else { continue };
            let known = self.worlds.entry(world).or_default();
            let way = &outcome.plan.cuts;
            if known.ways.len() < WAYS && !known.ways.contains(way) {
                known.ways.push(way.clone());
            }
            let kills = outcome.next.iter().filter(|cut| cut.mode == Mode::After);
            known.next.extend(kills.map(|cut| cut.point.clone()));
        }
    }

    /// Writes the worlds that are new into the folder that `FAULTS_WORLDS` names, each with the kills that led to it.
    fn writes(&mut self) {
        let Ok(folder) = std::env::var("FAULTS_WORLDS") else {
            return;
        };
        let new = self
            .worlds
            .iter_mut()
            .filter(|(_, known)| !known.is_written);
        for (world, known) in new {
            self.files += 1;
            let (act, site) = self.place;
            let name = format!("{folder}/{}-{}-{}", act.word(), site.word(), self.files);
            let way: Vec<String> = known.ways[0].iter().map(ToString::to_string).collect();
            let text = format!("{}\n\n{}\n", way.join("\n"), world.describe());
            std::fs::write(name, text).expect("the folder of FAULTS_WORLDS can be written");
            known.is_written = true;
        }
    }

    /// A run for each kill that was not made yet, on ways of fewer than `most` kills; `kills` of them at most, evenly spread.
    fn plans(&mut self, most: usize, kills: usize) -> BTreeSet<PointPlan> {
        let (act, site) = self.place;
        let mut open = Vec::new();
        for (world, known) in &self.worlds {
            let mut ways: Vec<&Vec<Cut>> =
                known.ways.iter().filter(|way| way.len() < most).collect();
            ways.sort_by_key(|way| way.len());
            for point in &known.next {
                let key = (world.clone(), point.clone());
                let (tries, is_made) = self.kills.get(&key).copied().unwrap_or_default();
                if is_made || tries >= TRIES || ways.is_empty() {
                    continue;
                }
                let mut cuts = ways[tries % ways.len()].clone();
                let (point, mode) = (point.clone(), Mode::After);
                cuts.push(Cut { point, mode });
                open.push((key, PointPlan { act, site, cuts }));
            }
        }
        let step = open.len().div_ceil(kills).max(1);
        let chosen = open.into_iter().step_by(step);
        chosen
            .map(|(key, plan)| {
                self.kills.entry(key).or_default().0 += 1;
                plan
            })
            .collect()
    }

    /// What came of it, in words.
    fn note(&self, all: &[PointOutcome]) -> String {
        let runs = all.iter().filter(|outcome| outcome.is_of(self.place));
        let runs = runs.count();
        let ways = self
            .worlds
            .values()
            .filter_map(|known| known.ways.iter().map(Vec::len).min());
        let made = self.kills.values().filter(|(_, is_made)| *is_made).count();
        let unmet = self.kills.len() - made;
        let all_kills = self.worlds.iter().flat_map(|(world, known)| {
            let points = known.next.iter();
            points.map(|point| (world.clone(), point.clone()))
        });
        let left = all_kills
            .filter(|kill| !self.kills.contains_key(kill))
            .count();
        format!(
            "{} worlds, the farthest {} kills away; {made} kills made in {runs} runs, {unmet} not met, {left} left",
            self.worlds.len() - 1,
            ways.max().unwrap_or(0)
        )
    }
}

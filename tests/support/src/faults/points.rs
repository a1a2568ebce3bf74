//! Every crash point, not samples: the service is cut at every outside effect that it has, and at
//! every pair of them.
//!
//! Twelve acts are played: a first login, another login, the same with a checkpoint of the database, a
//! removal, an account with a running workspace that is ended by hand, the command that renews a password,
//! an answer that is refused, a text found in Twilio's log, a login on a laptop's page, a
//! workspace with the login, a move to another class, spare accounts. A run without cuts shows the effects of an act.
//! Then each effect is cut in each [`Mode`], a run for each; what the service did after the cut, up to the
//! end of the act, are the effects for the second cut of a pair.
//!
//! All is played at each `PointSite`: two releases of Coder, and two roles of the service's user. Pairs are
//! proofs of their own, one an act, so that each is over within ten minutes: see [`pairs`].
//!
//! Runs are many, and most of them wait: so they are played side by side and share one Redis.
//! `FAULTS_ONLY` plays single plans, as a failed run prints them, parted by `;`. `FAULTS_SITE` names one
//! site and `FAULTS_ACT` one act, to play that alone.

mod act;
mod offer;
mod page;
pub mod pairs;
mod run;
pub mod site;
pub mod stage;
mod warm;
mod world;
pub mod worlds;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::classroom::folder::Folder;
use crate::classroom::redis::{Fsync, Redis};
use crate::faults::table::Row;
use crate::faults::tape::{Cut, Mode};
use crate::faults::{Assault, FaultProof};
use act::PointAct;
use run::{PointOutcome, PointPlan, play_all};
use site::PointSite;

/// The proof.
pub const PROOF: FaultProof = FaultProof {
    name: "points",
    about: "killed, or its answers lost, at every single effect",
    run: prove,
};

/// Runs without a cut for each act: threads run side by side, so one may not show every effect.
const REHEARSALS: usize = 3;

/// Runs at the same time. Most of them wait: for a removal's next look, for Twilio's log to settle.
const WORKERS: (u32, u32) = (40, 64);

/// The short version plays every kill that finds a world of its own, and of the other single cuts one in
/// this number.
const SAMPLE: usize = 10;

/// Of the kills in the act that takes longest, as it waits for builds three times, the short version plays one in this
/// number.
const LONG_SAMPLE: usize = 4;

/// What every act shows, if all borders are in place.
const BORDERS: [&str; 4] = ["disk sync log", "redis X", "coder ", "twilio send"];

/// Failed runs that are shown with all that was seen.
const SHOWN: usize = 3;

fn prove(force: &Assault) -> Vec<Row> {
    let folder = Folder::new();
    let proving = Proving::new(force, &folder);
    if let Some(chosen) = proving.chosen() {
        return chosen;
    }
    let rehearsals = proving.plays("rehearsals", rehearsals(&acts()));
    // One act alone need not pass every border.
    let borders = if acts().len() == PointAct::ALL.len() {
        BORDERS.as_slice()
    } else {
        &[]
    };
    for border in borders {
        let mut cuts = rehearsals.iter().flat_map(|outcome| &outcome.next);
        let is_guarded = cuts.any(|cut| cut.point.label.contains(*border));
        assert!(
            is_guarded,
            "no effect {border:?}: is the program linked statically?"
        );
    }
    let mut singles = extended(&rehearsals, |_, _| true);
    if !force.full {
        singles = short_cut(&rehearsals, singles);
    }
    let singles = proving.plays("single cuts", singles);
    force.says(&list(&cuts(&singles)));
    rows(&singles, "cut once")
}

/// One run of the proof.
struct Proving<'a> {
    force: &'a Assault,
    redis: Redis,
}

impl<'a> Proving<'a> {
    /// Starts what all runs share.
    fn new(force: &'a Assault, folder: &Folder) -> Self {
        Self {
            force,
            redis: Redis::start(folder.path(), Fsync::Never),
        }
    }

    /// The plans that somebody asked for by name, in place of all others.
    fn chosen(&self) -> Option<Vec<Row>> {
        let only = std::env::var("FAULTS_ONLY").ok()?;
        let plans: Option<Vec<PointPlan>> = only.split(';').map(PointPlan::parse).collect();
        let played = self.plays("chosen plans", plans.expect("plans as they are printed"));
        Some(rows(&played, "chosen"))
    }

    /// Plays plans and shows those that failed.
    fn plays(&self, what: &str, plans: Vec<PointPlan>) -> Vec<PointOutcome> {
        let force = self.force;
        let all = plans.len();
        let heard = |count: usize| {
            if force.full && count.is_multiple_of(500) {
                force.says(&format!("{count} of {all} {what}"));
            }
        };
        let workers = force.pick(WORKERS.0, WORKERS.1);
        let outcomes = play_all(&force.binary, &self.redis, &plans, workers, heard);
        let failed: Vec<&PointOutcome> = outcomes.iter().filter(|o| o.report.is_some()).collect();
        force.says(&format!("{all} {what}, {} failed", failed.len()));
        for outcome in failed.iter().take(SHOWN) {
            eprintln!("{}", outcome.report.as_deref().unwrap_or_default());
        }
        for outcome in &failed {
            eprintln!("failed: FAULTS_ONLY='{}'", outcome.plan);
        }
        // A run that broke off has counted nobody.
        let uncounted = failed.iter().filter(|outcome| outcome.row.harmed() == 0);
        let uncounted = uncounted.count();
        assert_eq!(uncounted, 0, "runs that are wrong as said above");
        outcomes
    }
}

/// These acts without a cut, at every site.
fn rehearsals(acts: &[PointAct]) -> Vec<PointPlan> {
    let plan = |act, site| PointPlan {
        act,
        site,
        cuts: Vec::new(),
    };
    let sites = sites();
    let places = acts
        .iter()
        .flat_map(|act| sites.iter().map(|site| (*act, *site)));
    places
        .flat_map(|(act, site)| std::iter::repeat_n(plan(act, site), REHEARSALS))
        .collect()
}

/// All acts, or the one that `FAULTS_ACT` names.
fn acts() -> Vec<PointAct> {
    let Ok(word) = std::env::var("FAULTS_ACT") else {
        return PointAct::ALL.to_vec();
    };
    let act = PointAct::ALL.into_iter().find(|act| act.word() == word);
    let known = PointAct::ALL.map(PointAct::word).join(", ");
    vec![act.unwrap_or_else(|| panic!("FAULTS_ACT names none of {known}"))]
}

/// All sites, or the one that `FAULTS_SITE` names.
fn sites() -> Vec<PointSite> {
    let Ok(word) = std::env::var("FAULTS_SITE") else {
        return PointSite::ALL.to_vec();
    };
    let site = PointSite::ALL.into_iter().find(|site| site.word() == word);
    let known = PointSite::ALL.map(PointSite::word).join(", ");
    vec![site.unwrap_or_else(|| panic!("FAULTS_SITE names none of {known}"))]
}

/// Whether this cut after that outcome is a kill that finds the world as no other kill does.
fn finds_new_world(before: &PointOutcome, cut: &Cut) -> bool {
    match cut.mode {
        Mode::After => true,
        Mode::Before => before.first.as_ref() == Some(&cut.point),
        Mode::Lost | Mode::Refused => false,
    }
}

/// All plans that have one cut more than those played, of the cuts that count.
fn extended(
    played: &[PointOutcome],
    counts: impl Fn(&PointOutcome, &Cut) -> bool,
) -> Vec<PointPlan> {
    let mut plans = BTreeSet::new();
    for outcome in played.iter().filter(|outcome| outcome.reached) {
        let PointPlan { act, site, cuts } = &outcome.plan;
        for next in outcome.next.iter().filter(|cut| counts(outcome, cut)) {
            let cuts = [cuts.as_slice(), std::slice::from_ref(next)].concat();
            plans.insert(PointPlan {
                act: *act,
                site: *site,
                cuts,
            });
        }
    }
    plans.into_iter().collect()
}

/// Every kill that finds a world of its own, and some of the other cuts; shared out among the sites.
fn short_cut(rehearsals: &[PointOutcome], plans: Vec<PointPlan>) -> Vec<PointPlan> {
    let kills = extended(rehearsals, finds_new_world);
    let others = plans.into_iter().filter(|plan| !kills.contains(plan));
    let others: Vec<PointPlan> = others.collect();
    let (long, kills): (Vec<PointPlan>, Vec<PointPlan>) = kills
        .into_iter()
        .partition(|plan| plan.act == PointAct::Warm);
    let mut chosen = shared_out(&kills);
    chosen.extend(shared_out(&long).into_iter().step_by(LONG_SAMPLE));
    chosen.extend(shared_out(&others).into_iter().step_by(SAMPLE));
    chosen
}

/// Of the plans of each site every third one, so that each is played at one of the three.
fn shared_out(plans: &[PointPlan]) -> Vec<PointPlan> {
    let at = |(number, site): (usize, PointSite)| {
        let here = plans.iter().filter(move |plan| plan.site == site);
        here.skip(number).step_by(PointSite::ALL.len()).cloned()
    };
    PointSite::ALL
        .into_iter()
        .enumerate()
        .flat_map(at)
        .collect()
}

/// A row for each act at each site.
fn rows(outcomes: &[PointOutcome], how: &str) -> Vec<Row> {
    let row = |(act, site): (PointAct, PointSite)| {
        let mut row = Row::new(format!("{}, {how}, {}", act.title(), site.word()));
        let (mut missed, mut slowest) = (0, 0);
        for outcome in outcomes.iter().filter(|outcome| outcome.is_of((act, site))) {
            row.students += outcome.row.students;
            row.lost += outcome.row.lost;
            row.doubled += outcome.row.doubled;
            row.orphaned += outcome.row.orphaned;
            missed += usize::from(!outcome.reached);
            slowest = slowest.max(outcome.took.as_secs());
        }
        let cuts = cuts(outcomes);
        let points = cuts.iter().filter(|(place, _)| *place == (act, site));
        let points: BTreeSet<_> = points.map(|(_, cut)| &cut.point).collect();
        let points = points.len();
        row.note = format!("{points} points, {missed} not met again, slowest {slowest} s");
        row
    };
    PointAct::ALL
        .into_iter()
        .flat_map(|act| PointSite::ALL.map(|site| (act, site)))
        .map(row)
        .filter(|row| row.students > 0)
        .collect()
}

/// Every cut that was made.
fn cuts(outcomes: &[PointOutcome]) -> Vec<((PointAct, PointSite), Cut)> {
    let made = outcomes.iter().filter(|outcome| outcome.reached);
    made.flat_map(|outcome| {
        outcome
            .plan
            .cuts
            .iter()
            .map(|cut| ((outcome.plan.act, outcome.plan.site), cut.clone()))
    })
    .collect()
}

/// How often each kind of effect was cut, in each mode.
fn list(cuts: &[((PointAct, PointSite), Cut)]) -> String {
    let kinds: BTreeSet<&str> = cuts.iter().map(|(_, cut)| &*cut.point.label).collect();
    let mut text = format!("{} kinds of effects; cut", kinds.len());
    for mode in Mode::ALL {
        let _ = write!(text, " {:>8}", mode.word());
    }
    for kind in kinds {
        let _ = write!(text, "\n    {kind:45}");
        for mode in Mode::ALL {
            let is_it = |cut: &Cut| *cut.point.label == *kind && cut.mode == mode;
            let count = cuts.iter().filter(|(_, cut)| is_it(cut)).count();
            let _ = write!(text, " {count:>6}");
        }
    }
    text
}

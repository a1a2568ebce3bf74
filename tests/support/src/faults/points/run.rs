//! One run of one act by one plan of cuts, and many runs side by side.

use std::collections::BTreeSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::act::PointAct;
use super::site::PointSite;
use super::stage::PointStage;
use super::world::PointWorld;
use crate::classroom::redis::Redis;
use crate::faults::table::Row;
use crate::faults::tape::{Cut, Mark, Mode, Point};

/// What is to be played.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PointPlan {
    /// The act.
    pub act: PointAct,
    /// Where it is played.
    pub site: PointSite,
    /// Its cuts, in their order.
    pub cuts: Vec<Cut>,
}

impl fmt::Display for PointPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cuts: Vec<String> = self.cuts.iter().map(ToString::to_string).collect();
        let (act, site) = (self.act.word(), self.site.word());
        write!(f, "{act} at {site}: {}", cuts.join(", "))
    }
}

impl PointPlan {
    /// Reads what its `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        let (place, cuts) = text.split_once(':')?;
        let (act, site) = place.split_once(" at ")?;
        let act = PointAct::ALL
            .into_iter()
            .find(|known| known.word() == act.trim())?;
        let site = PointSite::ALL
            .into_iter()
            .find(|known| known.word() == site.trim())?;
        let cuts = cuts.split(',').filter(|cut| !cut.trim().is_empty());
        let cuts = cuts.map(Cut::parse).collect::<Option<_>>()?;
        Some(Self { act, site, cuts })
    }
}

/// What came of one run.
pub struct PointOutcome {
    /// What was played.
    pub plan: PointPlan,
    /// The cuts that could have come next.
    pub next: BTreeSet<Cut>,
    /// The first effect after the last cut.
    pub first: Option<Point>,
    /// The worlds that kills have left, each with the number of the cut that was the kill.
    pub worlds: Vec<(usize, PointWorld)>,
    /// Whether every cut of the plan was made.
    pub reached: bool,
    /// How long it took.
    pub took: Duration,
    /// Who came to harm.
    pub row: Row,
    /// All that was seen, if anything was wrong.
    pub report: Option<String>,
}

impl PointOutcome {
    /// Whether this act was played at this site.
    pub fn is_of(&self, place: (PointAct, PointSite)) -> bool {
        (self.plan.act, self.plan.site) == place
    }
}

/// Plays one plan.
pub fn play(binary: &Path, redis: Redis, plan: &PointPlan) -> PointOutcome {
    let began = Instant::now();
    let caught = catch_unwind(AssertUnwindSafe(|| play_out(binary, redis, plan)));
    let mut outcome = caught.unwrap_or_else(|_| PointOutcome {
        plan: plan.clone(),
        next: BTreeSet::new(),
        first: None,
        worlds: Vec::new(),
        reached: false,
        row: Row::default(),
        report: Some(format!("{plan}\nbroke off, see above")),
        took: Duration::ZERO,
    });
    outcome.took = began.elapsed();
    outcome
}

fn play_out(binary: &Path, redis: Redis, plan: &PointPlan) -> PointOutcome {
    let stage = PointStage::open(binary, redis, plan.site);
    let students = stage.class.students(plan.act.students());
    plan.act.prepare(&stage, &students[0]);
    stage.tape.counts(&plan.cuts);
    let ended = plan.act.play(&stage, &students);
    stage.tape.rests();
    let mut row = Row::default();
    let mut wrong = plan.act.judge(&stage, &students, &mut row);
    if !ended {
        wrong.push("it did not come to its end".to_owned());
    }
    let report = (!wrong.is_empty() || !row.holds()).then(|| {
        format!(
            "{plan}\nwrong: {}; lost {}, doubled {}, orphaned {}\n=== tape ===\n{}{}",
            wrong.join(", "),
            row.lost,
            row.doubled,
            row.orphaned,
            stage.tape.describe(),
            stage.class.describe()
        )
    });
    let made = stage.tape.cuts_made();
    let trace = stage.tape.trace();
    let mut last = trace
        .iter()
        .filter(|mark| mark.phase == made && mark.cut.is_none());
    PointOutcome {
        plan: plan.clone(),
        next: last.clone().flat_map(cuts_at).collect(),
        first: last.next().map(|mark| mark.point.clone()),
        worlds: stage.worlds(),
        reached: made == plan.cuts.len(),
        took: Duration::ZERO,
        row,
        report,
    }
}

/// In how many ways an effect that was not cut can be cut.
fn cuts_at(mark: &Mark) -> impl Iterator<Item = Cut> {
    let (begins, ends) = (!mark.only_ends, mark.answered);
    let can_be = move |mode: &Mode| match mode {
        Mode::Before | Mode::Refused => begins,
        Mode::After | Mode::Lost => ends,
    };
    let point = mark.point.clone();
    Mode::ALL.into_iter().filter(can_be).map(move |mode| Cut {
        point: point.clone(),
        mode,
    })
}

/// Plays all plans, `workers` at a time, each in a database of its own on one Redis. `heard` is
/// called as each of them ends, with the number of those that have ended.
pub fn play_all(
    binary: &Path,
    redis: &Redis,
    plans: &[PointPlan],
    workers: u32,
    heard: impl Fn(usize) + Sync,
) -> Vec<PointOutcome> {
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = |redis: Redis| {
        while let Some(plan) = plans.get(next.fetch_add(1, Ordering::SeqCst)) {
            let share = redis.share(redis.database());
            let outcome = play(binary, share, plan);
            let mut outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
            outcomes.push(outcome);
            heard(outcomes.len());
        }
    };
    std::thread::scope(|scope| {
        for worker in 1..=workers {
            let (redis, work) = (redis.share(worker), &work);
            scope.spawn(move || work(redis));
        }
    });
    let mut outcomes = outcomes
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by(|a, b| a.plan.cmp(&b.plan));
    outcomes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_read_as_it_is_printed() {
        let words = "again at newest-admin: worker disk sync log 2 after, twilio send text 1 lost";
        let plan = PointPlan::parse(words).expect("a plan");
        assert_eq!(plan.cuts[0].point.nth, 2);
        assert_eq!(plan.to_string(), words);
        assert!(PointPlan::parse("again at newest-admin: worker disk sync log 2").is_none());
        assert!(PointPlan::parse("again at 2.23.1-owner: worker disk sync log 2 after").is_none());
    }
}

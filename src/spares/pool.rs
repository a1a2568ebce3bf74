//! What is remembered about the spares of one class: how many failed, and whether they get on.

use std::collections::HashSet;

use super::build_again;
use crate::domain::UnixSeconds;
use crate::domain::registration::Stage;
use crate::store::{Spare, SpareBuild};

/// Failures that always bring another spare, but for the last one, whatever the size of the class.
const LEAST: u32 = 3;

/// The spares of a class.
#[derive(Debug, Default)]
pub(super) struct Pool {
    /// Spares that failed since one has turned out well.
    failed: u32,
    /// The spares that have turned out well.
    good: HashSet<i64>,
    /// When another one is tried; `None` = they are not given up.
    next_try: Option<UnixSeconds>,
}

impl Pool {
    /// Whether they are given up: as many as the class wants have failed, and none has turned out well since. A
    /// broken template would otherwise make users without end.
    pub(super) fn is_exhausted(&self, wanted: u32) -> bool {
        self.failed >= wanted.max(LEAST)
    }

    /// Whether one that fails now is replaced. The last one is not: it is built again until it turns out well,
    /// and its login works all the same.
    pub(super) fn replaces(&self, wanted: u32) -> bool {
        self.failed + 1 < wanted.max(LEAST)
    }

    /// Counts a spare that failed.
    pub(super) fn fail(&mut self) {
        self.failed = self.failed.saturating_add(1);
    }

    /// Records that they are given up. The `healthy` ones of that moment prove nothing later, though Coder may not
    /// have been asked about them yet. Returns whether that is new.
    pub(super) fn give_up(
        &mut self,
        healthy: impl IntoIterator<Item = i64>,
        now: UnixSeconds,
    ) -> bool {
        if self.next_try.is_some() {
            return false;
        }
        self.good.extend(healthy);
        self.next_try = Some(now + build_again());
        true
    }

    /// How many of the `missing` ones are made now: all, or one now and then while they are given up.
    pub(super) fn allows(&mut self, wanted: u32, missing: usize, now: UnixSeconds) -> usize {
        if missing == 0 || !self.is_exhausted(wanted) {
            return missing;
        }
        let latest = now + build_again();
        // The clock may have been set back.
        let is_due = self.next_try.is_none_or(|at| at <= now || at > latest);
        if is_due {
            self.next_try = Some(latest);
        }
        usize::from(is_due)
    }

    /// Records which spares are usable. Returns whether they were given up, and are made again because of that.
    pub(super) fn note_good(&mut self, good: HashSet<i64>) -> bool {
        let is_better = good.iter().any(|id| !self.good.contains(id));
        self.good = good;
        if !is_better {
            return false;
        }
        self.failed = 0;
        self.next_try.take().is_some()
    }
}

/// The order in which spares are kept: the readiest first, and the oldest of those.
pub(super) fn rank(spare: &Spare) -> (u8, i64) {
    let rank = match (spare.stage, spare.build) {
        (Stage::Reserved, _) => 4,
        (_, SpareBuild::Running) => 0,
        (_, SpareBuild::Building) => 1,
        (_, SpareBuild::None) => 2,
        (_, SpareBuild::Troubled { .. }) => 3,
    };
    (rank, spare.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = 1_800_000_000;

    fn ids(ids: &[i64]) -> HashSet<i64> {
        ids.iter().copied().collect()
    }

    /// A pool that is given up, and knows that the first spare is healthy.
    fn given_up(wanted: u32) -> Pool {
        let mut pool = Pool::default();
        assert!(!pool.note_good(ids(&[1])));
        while !pool.is_exhausted(wanted) {
            pool.fail();
        }
        assert!(pool.give_up([1, 2], NOW));
        pool
    }

    #[test]
    fn the_last_one_that_fails_is_kept() {
        for wanted in [1, 3, 5] {
            let (mut pool, mut replaced) = (Pool::default(), 0);
            while pool.replaces(wanted) {
                pool.fail();
                replaced += 1;
                assert!(!pool.is_exhausted(wanted));
            }
            pool.fail();
            assert!(pool.is_exhausted(wanted) && !pool.replaces(wanted));
            assert_eq!(replaced + 1, wanted.max(LEAST));
        }
    }

    #[test]
    fn they_are_given_up_until_one_turns_out_well_that_did_not_run_then() {
        for wanted in [1, 3, 5] {
            let mut pool = given_up(wanted);
            assert!(!pool.give_up([7], NOW));
            // The second one runs, but Coder is asked about it only now.
            assert!(!pool.note_good(ids(&[1, 2])));
            assert!(pool.is_exhausted(wanted));
            assert!(pool.note_good(ids(&[1, 2, 7])));
            assert!(!pool.is_exhausted(wanted));
            assert!(!pool.note_good(ids(&[1, 8])));
        }
    }

    #[test]
    fn one_is_made_now_and_then_while_they_are_given_up() {
        let mut pool = given_up(5);
        let pause = build_again();
        assert_eq!(pool.allows(5, 4, NOW), 0);
        assert_eq!(pool.allows(5, 4, NOW + pause - 1), 0);
        assert_eq!(pool.allows(5, 0, NOW + pause), 0);
        assert_eq!(pool.allows(5, 4, NOW + pause), 1);
        assert_eq!(pool.allows(5, 3, NOW + pause + 1), 0);
        assert_eq!(pool.allows(5, 3, NOW + 2 * pause), 1);
        // The clock is set back by hours.
        assert_eq!(pool.allows(5, 3, NOW - 9 * pause), 1);
        assert_eq!(pool.allows(5, 3, NOW - 9 * pause + 1), 0);
        assert!(pool.note_good(ids(&[9])));
        assert_eq!(pool.allows(5, 4, NOW), 4);
    }
}

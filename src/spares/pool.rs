//! What is remembered about the spares of one class: how many were replaced, and whether they get on.

use std::collections::HashSet;

use crate::domain::registration::Stage;
use crate::store::{Spare, SpareBuild};

/// Replacements that are always allowed, whatever the size of the class.
const LEAST: u32 = 3;

/// The spares of a class.
#[derive(Debug, Default)]
pub(super) struct Pool {
    /// Spares that were dismissed because they had failed, since one has turned out well.
    replaced: u32,
    /// The spares that have turned out well.
    good: HashSet<i64>,
    /// Whether it was logged that no more are made.
    pub(super) told: bool,
}

impl Pool {
    /// Whether no more are made: as many as the class wants were dismissed, and none has turned out well since.
    /// A broken template would otherwise make users without end. So the last one that is dismissed is not made
    /// again until one turns out well.
    pub(super) fn is_exhausted(&self, wanted: u32) -> bool {
        self.replaced >= wanted.max(LEAST)
    }

    /// Counts a spare that is replaced.
    pub(super) fn replace(&mut self) {
        self.replaced += 1;
    }

    /// Records which spares are usable. Returns whether spares are made again because of that.
    pub(super) fn note_good(&mut self, good: HashSet<i64>) -> bool {
        let is_better = good.iter().any(|id| !self.good.contains(id));
        self.good = good;
        if !is_better {
            return false;
        }
        self.replaced = 0;
        std::mem::take(&mut self.told)
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

    fn ids(ids: &[i64]) -> HashSet<i64> {
        ids.iter().copied().collect()
    }

    #[test]
    fn replacements_end_unless_one_turns_out_well() {
        let mut pool = Pool::default();
        assert!(!pool.note_good(ids(&[1])));
        for wanted in [1, 3, 5] {
            let mut number = 0;
            while !pool.is_exhausted(wanted) {
                pool.replace();
                number += 1;
            }
            assert_eq!(number, wanted.max(LEAST));
            pool.told = true;
            // The earlier healthy ones prove nothing.
            assert!(!pool.note_good(ids(&[1])));
            assert!(pool.is_exhausted(wanted));
            assert!(pool.note_good(ids(&[1, 7])));
            assert!(!pool.is_exhausted(wanted) && !pool.told);
            pool.note_good(ids(&[1]));
        }
    }
}

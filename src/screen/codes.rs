//! Which code belongs to which screen, and which codes rest.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use super::LIFE;
use crate::domain::ScreenCode;

/// How long a code is not given again after its screen ended, so that a late text meets nobody else.
const CODE_RESTS: Duration = LIFE;

/// How often a code is drawn until a rested one is taken before its time. With all screens open and as many
/// codes at rest, every second draw succeeds.
const DRAWS: usize = 64;

/// The codes of all screens.
#[derive(Default)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct Codes {
    /// The numbers of the screens that show them.
    screens: HashMap<ScreenCode, u64>,
    /// Codes of screens that ended, and when; the longest ago first.
    resting: VecDeque<(Instant, ScreenCode)>,
    /// The same codes.
    at_rest: HashSet<ScreenCode>,
}

impl Codes {
    /// The number of the screen that shows this code.
    pub(super) fn screen(&self, code: ScreenCode) -> Option<u64> {
        self.screens.get(&code).copied()
    }

    /// Gives a screen a code that no other one has. If all others are at rest, it is the one that has rested
    /// the longest.
    pub(super) fn give(&mut self, screen: u64) -> ScreenCode {
        let code = self.draw();
        self.screens.insert(code, screen);
        code
    }

    /// Lets the code of a screen rest that ended at `now`.
    pub(super) fn retire(&mut self, code: ScreenCode, now: Instant) {
        self.screens.remove(&code);
        self.resting.push_back((now, code));
        self.at_rest.insert(code);
    }

    /// Lets codes be drawn again that have rested long enough. It looks at no others, so it may be called as often
    /// as anything happens.
    pub(super) fn pass_time(&mut self, now: Instant) {
        let is_over = |(ended, _): &(Instant, ScreenCode)| *ended + CODE_RESTS <= now;
        while self.resting.front().is_some_and(is_over) {
            self.take_rested();
        }
    }

    fn draw(&mut self) -> ScreenCode {
        for _ in 0..DRAWS {
            let code = ScreenCode::draw();
            if !self.at_rest.contains(&code) && !self.screens.contains_key(&code) {
                return code;
            }
        }
        if let Some(code) = self.take_rested() {
            return code;
        }
        // Nothing rests, and at most a fifth of all codes are taken: this ends.
        loop {
            let code = ScreenCode::draw();
            if !self.screens.contains_key(&code) {
                return code;
            }
        }
    }

    /// Takes the code that has rested the longest.
    fn take_rested(&mut self) -> Option<ScreenCode> {
        let (_, code) = self.resting.pop_front()?;
        self.at_rest.remove(&code);
        Some(code)
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.screens.is_empty() && self.resting.is_empty() && self.at_rest.is_empty()
    }
}

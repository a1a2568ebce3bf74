//! Where a plan cuts, and how.

use std::fmt;
use std::sync::Arc;

/// What a cut does to an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// The service is killed before the effect is applied.
    Before,
    /// The effect is applied and the service killed before it sees the answer.
    After,
    /// The effect is applied but its answer is lost: a closed connection, an I/O error.
    Lost,
    /// The effect is not applied: a closed connection, an I/O error.
    Refused,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Before, Self::After, Self::Lost, Self::Refused];

    /// Its name in plans.
    pub fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
            Self::Lost => "lost",
            Self::Refused => "refused",
        }
    }
}

/// One effect: the number `nth` (from 1) of its label, counted since the last cut.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// Who does what, such as `worker coder create user`.
    pub label: Arc<str>,
    /// Which of those with that label.
    pub nth: usize,
}

/// One cut of a plan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cut {
    /// Where.
    pub point: Point,
    /// How.
    pub mode: Mode,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Point { label, nth } = &self.point;
        write!(f, "{label} {nth} {}", self.mode.word())
    }
}

impl Cut {
    /// Reads what its `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        let (rest, mode) = text.trim().rsplit_once(' ')?;
        let (label, nth) = rest.rsplit_once(' ')?;
        let point = Point {
            label: label.into(),
            nth: nth.parse().ok()?,
        };
        let mode = Mode::ALL.into_iter().find(|known| known.word() == mode)?;
        Some(Self { point, mode })
    }
}

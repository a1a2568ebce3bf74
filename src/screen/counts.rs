//! What is counted about screens.

use crate::metrics::{Counter, Family, Gauge, labels};

labels! {
    /// How the claim of a text ended.
    pub enum ClaimEnd {
        /// Its login was shown.
        Shown => "shown",
        /// The person at the laptop said that it is not their phone.
        Declined => "declined",
        /// Another claim of the same screen was confirmed, or too many wait there.
        Lost => "lost",
        /// Its login was not fetched in time.
        Expired => "expired",
        /// The phone has claimed another screen since.
        Superseded => "superseded",
        /// The phone claims this screen already.
        Doubled => "doubled",
        /// The screen has shown the login of the phone before.
        ShownBefore => "shown_before",
        /// Words were shown in place of a login.
        Told => "told",
        /// Its screen ended before.
        ScreenEnded => "screen_ended",
        /// No screen shows that code.
        NoScreen => "no_screen",
    }
}

/// What was counted since the start.
#[derive(Debug)]
pub struct ScreenCounters {
    /// Screens at present.
    pub open: Gauge,
    /// Screens opened.
    pub opened: Counter,
    /// Screens refused, because there was no room or a client opened too many.
    pub refused: Counter,
    /// Screens that had to leave for others before anybody texted their code.
    pub evicted: Counter,
    /// Claims that ended.
    pub claims: Family<ClaimEnd>,
    /// Browsers that proved to be signed in.
    pub arrived: Counter,
}

impl Default for ScreenCounters {
    fn default() -> Self {
        Self {
            open: Gauge::default(),
            opened: Counter::default(),
            refused: Counter::default(),
            evicted: Counter::default(),
            claims: Family::new(ClaimEnd::ALL.iter().copied()),
            arrived: Counter::default(),
        }
    }
}

//! What the model compares of screens and claims: everything that later answers depend on, without names and moments
//! that are drawn anew each time. How fast logins may be used is not part of it.

use std::hash::{Hash, Hasher};
use std::time::{Duration, Instant};

use super::Slots;
use crate::domain::MessageSid;
use crate::screen::claim::Phase;

/// Older than anything that is remembered.
const OLD: Duration = Duration::from_secs(700);

impl Slots {
    /// Writes what is true at `now` into `hasher`.
    pub(in crate::screen) fn picture(&self, now: Instant, hasher: &mut impl Hasher) {
        let age = |at: Instant| now.saturating_duration_since(at).min(OLD).as_secs();
        for screen in self.screens.values() {
            let left = screen.ends.saturating_duration_since(now).as_secs();
            (left, &screen.waiting, &screen.confirmed, screen.arrived).hash(hasher);
        }
        let mut claims: Vec<_> = self.claims.iter().collect();
        claims.sort_by_key(|(sid, _)| sid.as_str());
        for (sid, claim) in claims {
            let screen = self
                .screens
                .keys()
                .position(|number| *number == claim.screen);
            let phase = match claim.phase {
                Phase::Asked => (0, None, 0),
                Phase::Confirmed => (1, None, 0),
                Phase::Shown(at) => (2, None, age(at)),
                Phase::Ended(end) => (3, Some(end.as_str()), age(claim.touched)),
            };
            let login = claim.login.as_ref().map(|login| login.email.as_str());
            let offered = claim.offered.map(age);
            let is_last = self.by_phone.get(&claim.phone) == Some(sid);
            let rest = (&claim.notice, claim.recorded, is_last);
            (sid, screen, phase, login, offered, rest).hash(hasher);
        }
    }

    /// The text of the claim with this number.
    pub(in crate::screen) fn text_of(&self, number: u64) -> Option<&MessageSid> {
        let mut claims = self.claims.iter();
        claims
            .find(|(_, claim)| claim.number == number)
            .map(|(sid, _)| sid)
    }

    /// The keyed hashes of the secrets of all screens, in their order.
    pub(in crate::screen) fn tags(&self) -> impl Iterator<Item = &str> {
        self.screens.values().map(|screen| screen.tag.as_str())
    }
}

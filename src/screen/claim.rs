//! One claim: a text that carried the code of a screen.

use std::time::{Duration, Instant};

use super::{ClaimEnd, LIFE, OFFER, ScreenLogin};
use crate::domain::{MessageSid, PhoneHash, ScreenCode};

/// How long a login that was shown is remembered until that is recorded.
const SHOWN_KEPT: Duration = Duration::from_secs(86_400);

/// A text that claims a screen.
#[derive(Clone, Copy)]
pub struct NewClaim<'a> {
    /// The code in the text.
    pub code: ScreenCode,
    /// The text.
    pub sid: &'a MessageSid,
    /// The phone that sent it.
    pub phone: &'a PhoneHash,
    /// The last two digits of the phone, for the question.
    pub ends: &'a str,
    /// When this process received the text. A screen that was opened later cannot be meant, and no screen by a text
    /// that another process received.
    pub heard: Option<Instant>,
}

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimState {
    /// The screen has not fetched a login yet.
    Waiting {
        /// Until when the offered login waits; `None` = none was offered.
        until: Option<Instant>,
    },
    /// The screen has fetched the login.
    Shown {
        /// When the login was offered.
        offered: Instant,
        /// When it was fetched.
        at: Instant,
    },
    /// The person at the laptop said that it is not their phone.
    Declined,
    /// Another claim of the same screen was confirmed, or too many wait there.
    Lost,
    /// The login was not fetched in time.
    Expired,
    /// The phone has claimed another screen since.
    Superseded,
    /// An earlier text of the phone claims the same screen.
    Doubled,
    /// The screen has shown the phone's login before, for an earlier text.
    ShownBefore {
        /// Whether that is recorded, so that it counts for the limits of the phone.
        recorded: bool,
    },
    /// No screen shows the code, or it has ended.
    NoScreen,
}

/// How far a claim has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The person at the laptop has not answered.
    Asked,
    /// They said yes.
    Confirmed,
    /// The screen has fetched the login, then.
    Shown(Instant),
    /// It has ended without a login.
    Ended(ClaimEnd),
}

/// A claim.
#[cfg_attr(test, derive(Clone))]
pub(super) struct Claim {
    /// Its number, which the answer names.
    pub(super) number: u64,
    /// The screen; 0 = there was none.
    pub(super) screen: u64,
    pub(super) phone: PhoneHash,
    pub(super) ends: String,
    pub(super) phase: Phase,
    pub(super) login: Option<ScreenLogin>,
    pub(super) offered: Option<Instant>,
    /// Words in place of a login.
    pub(super) notice: Option<String>,
    /// When it was made, repeated or ended last.
    pub(super) touched: Instant,
    /// Whether what became of it is recorded elsewhere.
    pub(super) recorded: bool,
}

impl Claim {
    /// Whether its screen may still get its login or its notice.
    pub(super) fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Asked | Phase::Confirmed)
    }

    /// When its login stops waiting; `None` = none waits.
    pub(super) fn until(&self) -> Option<Instant> {
        let offered = self.offered.filter(|_| self.login.is_some())?;
        self.is_live().then(|| offered + OFFER)
    }

    pub(super) fn state(&self) -> ClaimState {
        match self.phase {
            Phase::Asked | Phase::Confirmed => ClaimState::Waiting {
                until: self.until(),
            },
            Phase::Shown(at) => ClaimState::Shown {
                // A login that was shown was offered before.
                offered: self.offered.unwrap_or(at),
                at,
            },
            Phase::Ended(end) => match end {
                ClaimEnd::Declined => ClaimState::Declined,
                ClaimEnd::Lost => ClaimState::Lost,
                ClaimEnd::Expired => ClaimState::Expired,
                ClaimEnd::Superseded => ClaimState::Superseded,
                ClaimEnd::Doubled => ClaimState::Doubled,
                ClaimEnd::ShownBefore => ClaimState::ShownBefore { recorded: true },
                ClaimEnd::Shown | ClaimEnd::Told | ClaimEnd::ScreenEnded | ClaimEnd::NoScreen => {
                    ClaimState::NoScreen
                }
            },
        }
    }

    /// When it may be forgotten; `None` = not while its screen may need it.
    pub(super) fn forget_at(&self) -> Option<Instant> {
        match self.phase {
            Phase::Asked | Phase::Confirmed => None,
            Phase::Ended(_) => Some(self.touched + LIFE),
            // Its screen lives no longer than that after it was claimed.
            Phase::Shown(at) if self.recorded => Some(at + LIFE),
            Phase::Shown(at) => Some(at + SHOWN_KEPT),
        }
    }

    pub(super) fn is_forgettable(&self, now: Instant) -> bool {
        self.forget_at().is_some_and(|at| at <= now)
    }
}

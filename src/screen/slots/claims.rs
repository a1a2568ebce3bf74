//! The claims of texts on screens: which one is asked about, and how each of them ends.

use std::time::{Duration, Instant};

use super::{Screen, Slots};
use crate::domain::{MessageSid, PhoneHash};
use crate::screen::claim::{Claim, ClaimState, NewClaim, Phase};
use crate::screen::{ClaimEnd, LIFE, OFFER, ScreenLogin};

/// Claims that may wait for an answer at one screen.
pub(in crate::screen) const CLAIMS: usize = 4;

/// How much later than its text a screen may seem to be opened: texts are dated in whole seconds.
const SLACK: Duration = Duration::from_secs(2);

/// Claims that are remembered, unless they are at a screen: more than the texts that can wait in the service.
const REMEMBERED: usize = 8_192;

impl Slots {
    pub(in crate::screen) fn claim(&mut self, new: NewClaim<'_>, now: Instant) -> ClaimState {
        if let Some(claim) = self.claims.get_mut(new.sid) {
            if claim.is_live() {
                claim.touched = now;
                if let Some(screen) = self.screens.get_mut(&claim.screen) {
                    screen.ends = screen.ends.max(now + LIFE);
                }
            }
            return self.claim_state(new.sid);
        }
        let found = self.codes.screen(new.code);
        let screen = found.and_then(|number| Some((number, self.screens.get(&number)?)));
        let is_older = |screen: &Screen| new.heard.is_some_and(|at| screen.opened <= at + SLACK);
        let Some((number, screen)) = screen.filter(|(_, screen)| is_older(screen)) else {
            self.counts.claims.add(ClaimEnd::NoScreen);
            if self.claims.len() < REMEMBERED {
                self.remember(&new, 0, Phase::Ended(ClaimEnd::NoScreen), now);
            }
            return ClaimState::NoScreen;
        };
        let end = self.end_at_once(screen, new.phone);
        self.remember(&new, number, Phase::Asked, now);
        if let Some(end) = end {
            self.end_claim(new.sid, end, now);
            return self.claim_state(new.sid);
        }
        if let Some(earlier) = self.by_phone.insert(*new.phone, new.sid.clone())
            && self.claims.get(&earlier).is_some_and(Claim::is_live)
        {
            self.end_claim(&earlier, ClaimEnd::Superseded, now);
        }
        if let Some(told) = self
            .screens
            .get(&number)
            .and_then(|one| one.confirmed.clone())
        {
            // What was shown in place of a login is over now.
            self.end_claim(&told, ClaimEnd::Told, now);
        }
        if let Some(screen) = self.screens.get_mut(&number) {
            screen.waiting.push_back(new.sid.clone());
            screen.ends = now + LIFE;
        }
        self.note_idle(number);
        self.claim_state(new.sid)
    }

    /// Remembers a claim, so that another attempt at its text decides the same.
    fn remember(&mut self, new: &NewClaim<'_>, screen: u64, phase: Phase, now: Instant) {
        self.last_number += 1;
        let claim = Claim {
            number: self.last_number,
            screen,
            phone: *new.phone,
            ends: new.ends.to_owned(),
            phase,
            login: None,
            offered: None,
            notice: None,
            touched: now,
            recorded: false,
        };
        if let Some(at) = claim.forget_at() {
            self.changes_at(at);
        }
        self.claims.insert(new.sid.clone(), claim);
    }

    /// Why a claim of this screen ends before anybody is asked about it, if so.
    fn end_at_once(&self, screen: &Screen, phone: &PhoneHash) -> Option<ClaimEnd> {
        let of = |sid: &MessageSid| self.claims.get(sid);
        let confirmed = screen.confirmed.as_ref().and_then(of);
        // Where words were shown in place of a login, the next text tries again.
        let holder = confirmed.filter(|claim| claim.notice.is_none());
        let mut waiting = screen.waiting.iter().filter_map(of);
        let is_same = |claim: &Claim| claim.phone == *phone;
        let has_it = |claim: &Claim| is_same(claim) && matches!(claim.phase, Phase::Shown(_));
        if holder.is_some_and(has_it) {
            Some(ClaimEnd::ShownBefore)
        } else if holder.is_some_and(is_same) || waiting.any(is_same) {
            Some(ClaimEnd::Doubled)
        } else if holder.is_some() || screen.waiting.len() >= CLAIMS {
            Some(ClaimEnd::Lost)
        } else {
            None
        }
    }

    pub(in crate::screen) fn offer(
        &mut self,
        sid: &MessageSid,
        login: ScreenLogin,
        now: Instant,
    ) -> ClaimState {
        let Some(claim) = self.claims.get_mut(sid) else {
            return ClaimState::NoScreen;
        };
        if claim.is_live() {
            claim.login = Some(login);
            claim.notice = None;
            let offered = *claim.offered.get_or_insert(now);
            self.changes_at(offered + OFFER);
        }
        self.claim_state(sid)
    }

    /// The texts whose logins wait at a screen.
    pub(in crate::screen) fn offers(&self) -> Vec<MessageSid> {
        self.claims_where(|claim| claim.until().is_some())
    }

    /// The login that waits for this text's screen.
    pub(in crate::screen) fn offered(&self, sid: &MessageSid) -> Option<ScreenLogin> {
        let claim = self.claims.get(sid)?;
        claim.until()?;
        claim.login.clone()
    }

    /// Takes a login back that its screen has not fetched.
    pub(in crate::screen) fn withdraw(&mut self, sid: &MessageSid) {
        if let Some(claim) = self.claims.get_mut(sid).filter(|claim| claim.is_live()) {
            claim.login = None;
        }
    }

    pub(in crate::screen) fn tell(&mut self, sid: &MessageSid, words: &str) {
        if let Some(claim) = self.claims.get_mut(sid)
            && claim.is_live()
        {
            claim.login = None;
            if claim.notice.replace(words.to_owned()).is_none() {
                self.counts.claims.add(ClaimEnd::Told);
            }
        }
    }

    pub(in crate::screen) fn claim_state(&self, sid: &MessageSid) -> ClaimState {
        let Some(claim) = self.claims.get(sid) else {
            return ClaimState::NoScreen;
        };
        match claim.state() {
            ClaimState::ShownBefore { .. } => {
                let screen = self.screens.get(&claim.screen);
                let shown = screen.and_then(|screen| self.claims.get(screen.confirmed.as_ref()?));
                ClaimState::ShownBefore {
                    recorded: shown.is_none_or(|shown| shown.recorded),
                }
            }
            state => state,
        }
    }

    pub(in crate::screen) fn recorded(&mut self, sid: &MessageSid) {
        if let Some(claim) = self.claims.get_mut(sid) {
            claim.recorded = true;
            if let Some(at) = claim.forget_at() {
                self.changes_at(at);
            }
        }
    }

    /// Ends a live claim without a login, and tells of it.
    pub(super) fn end_claim(&mut self, sid: &MessageSid, end: ClaimEnd, now: Instant) {
        let Some(claim) = self.claims.get_mut(sid).filter(|claim| claim.is_live()) else {
            return;
        };
        let was_told = claim.notice.take().is_some();
        claim.phase = Phase::Ended(end);
        claim.login = None;
        claim.touched = now;
        let (forget_at, number) = (claim.forget_at(), claim.screen);
        if !was_told {
            self.counts.claims.add(end);
        }
        self.changed.push(sid.clone());
        if let Some(at) = forget_at {
            self.changes_at(at);
        }
        if let Some(screen) = self.screens.get_mut(&number) {
            screen.waiting.retain(|waiting| waiting != sid);
            if screen.confirmed.as_ref() == Some(sid) {
                screen.confirmed = None;
            }
        }
        self.note_idle(number);
    }

    pub(super) fn forget_claim(&mut self, sid: &MessageSid) {
        if let Some(claim) = self.claims.remove(sid)
            && self.by_phone.get(&claim.phone) == Some(sid)
        {
            self.by_phone.remove(&claim.phone);
        }
    }

    pub(super) fn claims_where(&self, is_it: impl Fn(&Claim) -> bool) -> Vec<MessageSid> {
        let found = self.claims.iter().filter(|(_, claim)| is_it(claim));
        found.map(|(sid, _)| sid.clone()).collect()
    }
}

//! The screens and claims themselves, as they are at one moment.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::claim::{Claim, ClaimState, NewClaim, Phase};
use super::clients::{ClientKey, Clients};
use super::codes::Codes;
use super::idle::{Crowd, Idle};
use super::{ClaimEnd, LIFE, OFFER, ScreenCounters, ScreenLogin, ScreenState, ScreensFull};
use crate::domain::{MessageSid, PhoneHash, ScreenCode, Username};

/// Screens at most.
pub(super) const SCREENS: usize = 2_048;

/// Screens of one client at most.
pub(super) const SCREENS_OF_ONE: usize = 512;

/// Screens of all clients of one network at most.
pub(super) const SCREENS_OF_NETWORK: usize = 1_024;

/// Claims that may wait for an answer at one screen.
pub(super) const CLAIMS: usize = 4;

/// How much later than its text a screen may seem to be opened: texts are dated in whole seconds.
const SLACK: Duration = Duration::from_secs(2);

/// Claims that are remembered, unless they are at a screen: more than the texts that can wait in the service.
const REMEMBERED: usize = 8_192;

/// A screen.
struct Screen {
    /// The keyed hash of its secret.
    tag: String,
    code: ScreenCode,
    client: ClientKey,
    opened: Instant,
    ends: Instant,
    /// The texts whose claims wait for an answer, in their order; the first one is asked about.
    waiting: VecDeque<MessageSid>,
    /// The text whose claim was confirmed.
    confirmed: Option<MessageSid>,
    /// From when on its login may be used.
    login_at: Option<Instant>,
    /// Whether its browser is signed in.
    arrived: bool,
}

impl Screen {
    /// Whether it may leave for another one.
    fn is_idle(&self) -> bool {
        self.arrived || (self.waiting.is_empty() && self.confirmed.is_none())
    }
}

/// All screens and claims.
pub(super) struct Slots {
    /// By number, so in the order in which they were opened.
    screens: BTreeMap<u64, Screen>,
    by_tag: HashMap<String, u64>,
    codes: Codes,
    claims: HashMap<MessageSid, Claim>,
    /// The last claim of each phone.
    by_phone: HashMap<PhoneHash, MessageSid>,
    clients: Clients,
    /// The screens that may leave for others.
    idle: Idle,
    last_number: u64,
    /// Before then nothing changes by time alone.
    next_change: Option<Instant>,
    /// Texts whose claims have changed.
    changed: Vec<MessageSid>,
    /// Accounts whose students have arrived.
    arrived: Vec<Username>,
    counts: Arc<ScreenCounters>,
}

impl Slots {
    pub(super) fn new(counts: Arc<ScreenCounters>) -> Self {
        Self {
            screens: BTreeMap::new(),
            by_tag: HashMap::new(),
            codes: Codes::default(),
            claims: HashMap::new(),
            by_phone: HashMap::new(),
            clients: Clients::default(),
            idle: Idle::default(),
            last_number: 0,
            next_change: None,
            changed: Vec::new(),
            arrived: Vec::new(),
            counts,
        }
    }

    /// Brings everything to `now`: offers and screens whose time is over end, and what nobody needs any
    /// more is forgotten.
    pub(super) fn pass_time(&mut self, now: Instant) {
        self.codes.pass_time(now);
        if self.next_change.is_none_or(|at| now < at) {
            return;
        }
        let is_over = |claim: &Claim| claim.until().is_some_and(|until| until <= now);
        for sid in self.claims_where(is_over) {
            self.end_claim(&sid, ClaimEnd::Expired, now);
        }
        let over = self.screens.iter().filter(|(_, screen)| screen.ends <= now);
        let over: Vec<u64> = over.map(|(number, _)| *number).collect();
        for number in over {
            self.end_screen(number, now);
        }
        for sid in self.claims_where(|claim| claim.is_forgettable(now)) {
            self.forget_claim(&sid);
        }
        self.clients.forget_idle(now);
        let screens = self.screens.values().map(|screen| screen.ends);
        let offers = self.claims.values().filter_map(Claim::until);
        let kept = self.claims.values().filter_map(Claim::forget_at);
        self.next_change = screens.chain(offers).chain(kept).min();
    }

    /// The texts and accounts to tell of.
    pub(super) fn take_news(&mut self) -> (Vec<MessageSid>, Vec<Username>) {
        let open = u64::try_from(self.screens.len()).unwrap_or(u64::MAX);
        self.counts.open.set(open);
        (
            std::mem::take(&mut self.changed),
            std::mem::take(&mut self.arrived),
        )
    }

    pub(super) fn open(
        &mut self,
        client: IpAddr,
        tag: String,
        now: Instant,
    ) -> Result<ScreenCode, ScreensFull> {
        let client = ClientKey::of(client);
        if !self.clients.may_open(client, now) {
            return Err(ScreensFull);
        }
        let is_full = (self.screens.len() >= SCREENS).then_some(Crowd::All);
        if let Some(crowd) = self.clients.full(client).or(is_full) {
            self.evict(now, crowd)?;
        }
        self.last_number += 1;
        let code = self.codes.give(self.last_number);
        let ends = now + LIFE;
        self.by_tag.insert(tag.clone(), self.last_number);
        self.screens.insert(
            self.last_number,
            Screen {
                tag,
                code,
                client,
                opened: now,
                ends,
                waiting: VecDeque::new(),
                confirmed: None,
                login_at: None,
                arrived: false,
            },
        );
        self.clients.opened(client);
        self.note_idle(self.last_number);
        self.changes_at(ends);
        Ok(code)
    }

    pub(super) fn state(&mut self, tag: &str, now: Instant) -> ScreenState {
        let Some(screen) = self
            .by_tag
            .get(tag)
            .and_then(|one| self.screens.get_mut(one))
        else {
            return ScreenState::Gone;
        };
        if screen.arrived {
            return ScreenState::Gone;
        }
        if let Some(sid) = &screen.confirmed
            && let Some(claim) = self.claims.get_mut(sid)
        {
            if let Some(words) = &claim.notice {
                return ScreenState::Notice(words.clone());
            }
            let Some(login) = claim.login.clone() else {
                return ScreenState::Making;
            };
            if claim.phase == Phase::Confirmed {
                claim.phase = Phase::Shown(now);
                claim.touched = now;
                self.counts.claims.add(ClaimEnd::Shown);
                self.changed.push(sid.clone());
            }
            let clients = &mut self.clients;
            let at = *screen
                .login_at
                .get_or_insert_with(|| clients.next_login(screen.client, now));
            return ScreenState::Login {
                login,
                wait: at.saturating_duration_since(now),
            };
        }
        let asked = screen.waiting.front().and_then(|sid| self.claims.get(sid));
        asked.map_or(ScreenState::Open, |claim| ScreenState::Question {
            claim: claim.number,
            ends: claim.ends.clone(),
        })
    }

    /// The only place where a claim is confirmed.
    pub(super) fn answer(&mut self, tag: &str, number: u64, yes: bool, now: Instant) {
        let Some(screen) = self
            .by_tag
            .get(tag)
            .and_then(|one| self.screens.get_mut(one))
        else {
            return;
        };
        let Some(sid) = screen.waiting.front().cloned() else {
            return;
        };
        let Some(claim) = self.claims.get_mut(&sid) else {
            return;
        };
        if claim.number != number || screen.confirmed.is_some() {
            return;
        }
        if !yes {
            self.end_claim(&sid, ClaimEnd::Declined, now);
            return;
        }
        claim.phase = Phase::Confirmed;
        screen.waiting.pop_front();
        screen.confirmed = Some(sid);
        let others: Vec<MessageSid> = screen.waiting.iter().cloned().collect();
        for other in others {
            self.end_claim(&other, ClaimEnd::Lost, now);
        }
    }

    pub(super) fn arrived(&mut self, tag: &str) -> bool {
        let Some(screen) = self
            .by_tag
            .get(tag)
            .and_then(|one| self.screens.get_mut(one))
        else {
            return false;
        };
        if screen.arrived {
            return true;
        }
        let claim = screen
            .confirmed
            .as_ref()
            .and_then(|sid| self.claims.get_mut(sid));
        let Some(claim) = claim.filter(|claim| matches!(claim.phase, Phase::Shown(_))) else {
            return false;
        };
        let Some(login) = claim.login.take() else {
            return false;
        };
        screen.arrived = true;
        let number = claim.screen;
        self.note_idle(number);
        self.counts.arrived.add();
        self.arrived.push(login.username);
        true
    }

    pub(super) fn claim(&mut self, new: NewClaim<'_>, now: Instant) -> ClaimState {
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

    pub(super) fn offer(
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
    pub(super) fn offers(&self) -> Vec<MessageSid> {
        self.claims_where(|claim| claim.until().is_some())
    }

    /// The login that waits for this text's screen.
    pub(super) fn offered(&self, sid: &MessageSid) -> Option<ScreenLogin> {
        let claim = self.claims.get(sid)?;
        claim.until()?;
        claim.login.clone()
    }

    /// Takes a login back that its screen has not fetched.
    pub(super) fn withdraw(&mut self, sid: &MessageSid) {
        if let Some(claim) = self.claims.get_mut(sid).filter(|claim| claim.is_live()) {
            claim.login = None;
        }
    }

    pub(super) fn tell(&mut self, sid: &MessageSid, words: &str) {
        if let Some(claim) = self.claims.get_mut(sid)
            && claim.is_live()
        {
            claim.login = None;
            if claim.notice.replace(words.to_owned()).is_none() {
                self.counts.claims.add(ClaimEnd::Told);
            }
        }
    }

    pub(super) fn claim_state(&self, sid: &MessageSid) -> ClaimState {
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

    pub(super) fn recorded(&mut self, sid: &MessageSid) {
        if let Some(claim) = self.claims.get_mut(sid) {
            claim.recorded = true;
            if let Some(at) = claim.forget_at() {
                self.changes_at(at);
            }
        }
    }

    /// Ends a live claim without a login, and tells of it.
    fn end_claim(&mut self, sid: &MessageSid, end: ClaimEnd, now: Instant) {
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

    /// Notes whether a screen may leave for another one; called whenever that may have changed.
    fn note_idle(&mut self, number: u64) {
        if let Some(screen) = self.screens.get(&number) {
            self.idle.set(screen.client, number, screen.is_idle());
        }
    }

    fn end_screen(&mut self, number: u64, now: Instant) {
        let Some(screen) = self.screens.get(&number) else {
            return;
        };
        let confirmed = screen.confirmed.clone();
        let claims: Vec<MessageSid> = screen.waiting.iter().chain(&confirmed).cloned().collect();
        for sid in claims {
            self.end_claim(&sid, ClaimEnd::ScreenEnded, now);
        }
        if let Some(claim) = confirmed.and_then(|sid| self.claims.get_mut(&sid)) {
            // A login that was shown cannot be read any more.
            claim.login = None;
        }
        if let Some(screen) = self.screens.remove(&number) {
            self.by_tag.remove(&screen.tag);
            self.codes.retire(screen.code, now);
            self.clients.ended(screen.client);
            self.idle.set(screen.client, number, false);
        }
    }

    /// Ends a screen of this crowd that nobody has claimed.
    fn evict(&mut self, now: Instant, crowd: Crowd) -> Result<(), ScreensFull> {
        let number = self.idle.leaves(crowd).ok_or(ScreensFull)?;
        if self.screens.get(&number).is_some_and(|one| !one.arrived) {
            self.counts.evicted.add();
        }
        self.end_screen(number, now);
        Ok(())
    }

    fn forget_claim(&mut self, sid: &MessageSid) {
        if let Some(claim) = self.claims.remove(sid)
            && self.by_phone.get(&claim.phone) == Some(sid)
        {
            self.by_phone.remove(&claim.phone);
        }
    }

    fn claims_where(&self, is_it: impl Fn(&Claim) -> bool) -> Vec<MessageSid> {
        let found = self.claims.iter().filter(|(_, claim)| is_it(claim));
        found.map(|(sid, _)| sid.clone()).collect()
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.screens.is_empty()
            && self.by_tag.is_empty()
            && self.codes.is_empty()
            && self.claims.is_empty()
            && self.by_phone.is_empty()
            && self.idle.is_empty()
    }

    fn changes_at(&mut self, at: Instant) {
        self.next_change = Some(self.next_change.map_or(at, |next| next.min(at)));
    }
}

//! The screens themselves, as they are at one moment; `claims` holds what texts do with them.

mod claims;
#[cfg(test)]
mod picture;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use super::claim::{Claim, Phase};
use super::clients::{ClientKey, Clients};
use super::codes::Codes;
use super::idle::{Crowd, Idle};
use super::{ClaimEnd, LIFE, ScreenCounters, ScreenState, ScreensFull};
use crate::domain::{MessageSid, PhoneHash, ScreenCode, Username};

/// Screens at most.
pub(super) const SCREENS: usize = 2_048;

/// Screens of one client at most.
pub(super) const SCREENS_OF_ONE: usize = 512;

/// Screens of all clients of one network at most.
pub(super) const SCREENS_OF_NETWORK: usize = 1_024;

/// A screen.
#[cfg_attr(test, derive(Clone))]
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
#[cfg_attr(test, derive(Clone))]
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

    pub(super) fn arrived(&mut self, tag: &str) -> Option<String> {
        let screen = self.screens.get_mut(self.by_tag.get(tag)?)?;
        if screen.arrived {
            return Some(String::new());
        }
        let claim = self.claims.get_mut(screen.confirmed.as_ref()?)?;
        if !matches!(claim.phase, Phase::Shown(_)) {
            return None;
        }
        let login = claim.login.take()?;
        screen.arrived = true;
        let number = claim.screen;
        self.note_idle(number);
        self.counts.arrived.add();
        self.arrived.push(login.username);
        Some(login.workspace)
    }

    pub(super) fn workspace_made(&mut self, owner: &Username, path: &str) {
        let logins = self
            .claims
            .values_mut()
            .filter_map(|one| one.login.as_mut());
        for login in logins.filter(|login| login.username == *owner) {
            path.clone_into(&mut login.workspace);
        }
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

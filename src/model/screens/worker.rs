//! How a worker serves a text with a code, told again from `provision::on_screen` and what it calls.

use super::state::{HallRow, HallState, HallWhere, received};
use super::words::{HallLuck, HallMove, Silent};
use super::{Hall, HallBug, rules};
use crate::domain::registration::{Event, Stage};
use crate::provision::decide::{NextStep, next_step};
use crate::screen::ClaimState;
use crate::screen::copied::whose;

/// What a worker does next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum HallAt {
    #[default]
    Idle,
    /// Claims the screen, or asks what became of the claim.
    Claim,
    /// Reads the registration.
    Find,
    Reserve,
    /// Gives the account a new time.
    Renew,
    /// Asks Coder for the user.
    Create,
    Created,
    /// Asks Coder whether the password holds.
    Again,
    BeginShow,
    Offer,
    RecordShown,
    /// Tells the screens that it is recorded.
    Recorded,
    /// Records a login that may have been on a screen of a process that was killed.
    Perhaps,
    /// Searches Twilio's log.
    Trace,
    Clear,
    BeginSend,
    Send,
    RecordSent,
    Finish(Silent),
    /// Has the screen say why there is no login.
    Tell,
    Acknowledge,
}

/// A worker, with what it remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct HallWorker {
    pub(super) at: HallAt,
    pub(super) text: u8,
    /// Whether the login goes to a screen.
    on_screen: bool,
}

/// One step of a worker.
pub(super) struct HallStep<'a> {
    world: &'a Hall,
    hall: &'a HallState,
    phone: u8,
}

impl<'a> HallStep<'a> {
    pub(super) fn new(world: &'a Hall, hall: &'a HallState, phone: u8) -> Self {
        Self { world, hall, phone }
    }

    fn at(&self, at: HallAt) -> HallState {
        let mut after = self.hall.clone();
        self.go(&mut after, at);
        after
    }

    fn go(&self, hall: &mut HallState, at: HallAt) {
        let worker = &mut hall.workers[usize::from(self.phone)];
        *worker = match at {
            HallAt::Idle => HallWorker::default(),
            _ => HallWorker { at, ..*worker },
        };
    }

    fn later(&self) -> HallState {
        self.at(HallAt::Idle)
    }

    fn row(&self) -> Option<HallRow> {
        self.hall.rows[usize::from(self.phone)]
    }

    fn bug(&self, bug: HallBug) -> bool {
        self.world.bug == Some(bug)
    }

    /// A write that takes the row further; without a row, or against its stage, the attempt ends.
    fn write(
        &self,
        event: Event,
        then: HallAt,
        change: impl FnOnce(&mut HallRow, Stage),
    ) -> HallState {
        let stage = self.row().map_or(Stage::Gone, |row| row.stage);
        let Ok(next) = stage.after(event) else {
            return self.later();
        };
        let mut after = self.at(then);
        let row = after.row(self.phone);
        row.stage = next;
        change(row, next);
        after
    }

    fn claim(&self, text: u8) -> HallState {
        let one = &self.hall.texts[usize::from(text)];
        if one.seen {
            return self.at(HallAt::Acknowledge);
        }
        let mut after = self.hall.clone();
        let Some(shown) = one.page else {
            unreachable!("a text without a code")
        };
        let claim = after.screens.claim(text, self.phone, shown.code, one.heard);
        let silence = match claim {
            ClaimState::Waiting { until: Some(_) } if self.stands(text) => {
                self.go(&mut after, HallAt::Idle);
                return after;
            }
            ClaimState::Waiting { until } => {
                if until.is_some() {
                    after.screens.withdraw(text);
                }
                after.workers[usize::from(self.phone)].on_screen = true;
                self.go(&mut after, HallAt::Find);
                return after;
            }
            ClaimState::Shown { .. } => {
                self.go(&mut after, HallAt::RecordShown);
                return after;
            }
            ClaimState::ShownBefore { recorded: false } => {
                self.go(&mut after, HallAt::Idle);
                return after;
            }
            ClaimState::Superseded | ClaimState::Doubled => {
                self.go(&mut after, HallAt::Finish(Silent::OtherText));
                return after;
            }
            ClaimState::NoScreen if !self.world.by_text && !one.heard => HallAt::Perhaps,
            ClaimState::ShownBefore { recorded: true }
            | ClaimState::Declined
            | ClaimState::Lost
            | ClaimState::Expired
            | ClaimState::NoScreen => HallAt::Finish(Silent::AtScreen),
        };
        let is_silent = claim == ClaimState::Expired && self.bug(HallBug::StaysSilent);
        let by_text = self.world.by_text && !is_silent;
        self.go(&mut after, if by_text { HallAt::Find } else { silence });
        after
    }

    /// Whether the login that waits at the screen is still that of the phone.
    pub(super) fn stands(&self, text: u8) -> bool {
        if self.hall.texts[usize::from(text)].ended {
            return false;
        }
        let Some(offered) = self.hall.screens.offered(text) else {
            return true;
        };
        let row = self.row().filter(|row| row.stage != Stage::Reaping);
        row.is_some_and(|row| (self.phone, row.account) == whose(&offered))
    }

    fn find(&self, text: u8, on_screen: bool) -> HallState {
        let one = &self.hall.texts[usize::from(text)];
        if one.ended {
            return self.at(HallAt::Finish(Silent::Ended));
        }
        let Some(row) = self.row() else {
            return self.at(HallAt::Reserve);
        };
        self.at(
            match next_step(&row.registration(), received(), received()) {
                NextStep::Ended | NextStep::UndoEnd => unreachable!("nobody ends accounts here"),
                NextStep::TakeAnother => HallAt::Idle,
                NextStep::Create { renew: true } => HallAt::Renew,
                NextStep::Create { renew: false } => HallAt::Create,
                NextStep::Announce if row.due => HallAt::Renew,
                NextStep::Announce if on_screen => HallAt::Again,
                // A login was sent or shown after the text was received.
                NextStep::Announce if row.announced && one.served => {
                    HallAt::Finish(Silent::NewerLogin)
                }
                NextStep::Announce if row.sending => HallAt::Trace,
                NextStep::Announce => HallAt::Again,
            },
        )
    }

    fn reserve(&self, text: u8) -> Option<HallState> {
        if self.hall.texts[usize::from(text)].ended {
            return Some(self.at(HallAt::Finish(Silent::Ended)));
        }
        let phone = usize::from(self.phone);
        let account = self.hall.accounts[phone];
        if usize::from(account) == self.hall.users[phone].len() {
            // The model does not go on with more accounts.
            return None;
        }
        let mut after = self.at(HallAt::Create);
        after.accounts[phone] += 1;
        after.rows[phone] = Some(HallRow {
            account,
            stage: Stage::Reserved,
            announced: false,
            due: false,
            sending: false,
        });
        Some(after)
    }

    /// Everything that may come of the next step.
    fn all(&self) -> Vec<(HallLuck, HallState)> {
        let HallWorker {
            at,
            text,
            on_screen,
        } = self.hall.workers[usize::from(self.phone)];
        let well = |after| vec![(HallLuck::Well, after)];
        let lost = |after| (HallLuck::LostBefore, after);
        match at {
            HallAt::Idle => Vec::new(),
            HallAt::Claim => well(self.claim(text)),
            HallAt::Find => well(self.find(text, on_screen)),
            HallAt::Reserve => self.reserve(text).map_or_else(Vec::new, well),
            HallAt::Renew => {
                well(self.write(Event::Renewed, HallAt::Find, |row, _| row.due = false))
            }
            HallAt::Create => self.create(),
            HallAt::Created => well(self.created(on_screen)),
            HallAt::Again => {
                let row = self.row();
                let exists = row.is_some_and(|row| self.exists(row.account));
                let then = match (exists, on_screen) {
                    (false, _) => HallAt::Idle,
                    (true, true) => HallAt::BeginShow,
                    (true, false) => HallAt::BeginSend,
                };
                vec![(HallLuck::Well, self.at(then)), lost(self.later())]
            }
            HallAt::BeginShow => well(self.write(Event::LoginPrepared, HallAt::Offer, |_, _| {})),
            HallAt::Offer => well(self.offer(text)),
            HallAt::RecordShown => well(self.record_shown(text)),
            HallAt::Recorded => {
                let mut after = self.at(HallAt::Acknowledge);
                after.screens.recorded(text);
                well(after)
            }
            HallAt::Perhaps => well(self.perhaps()),
            HallAt::Trace => {
                let then = match self.hall.logged[usize::from(self.phone)] {
                    true => HallAt::RecordSent,
                    false => HallAt::Clear,
                };
                vec![(HallLuck::Well, self.at(then)), lost(self.later())]
            }
            HallAt::Clear => well(self.write(Event::LoginPrepared, HallAt::Again, |row, _| {
                row.sending = false;
            })),
            HallAt::BeginSend => well(self.write(Event::LoginPrepared, HallAt::Send, |row, _| {
                row.sending = true;
            })),
            HallAt::Send => {
                let mut done = self.at(HallAt::RecordSent);
                self.accepted(&mut done, text);
                let mut unknown = done.clone();
                self.go(&mut unknown, HallAt::Idle);
                vec![
                    (HallLuck::Well, done),
                    (HallLuck::LostAfter, unknown),
                    lost(self.later()),
                ]
            }
            HallAt::RecordSent => {
                let then = HallAt::Acknowledge;
                let mut after = self.write(Event::LoginSent, then, |row, stage| {
                    (row.announced, row.sending) = (true, false);
                    row.due &= stage == Stage::Reaping;
                });
                if after.workers[usize::from(self.phone)].at != HallAt::Idle {
                    rules::settled(self.world, &mut after, text, Silent::Answered);
                    after.logged[usize::from(self.phone)] = false;
                }
                well(after)
            }
            HallAt::Finish(why) => {
                let mut after = self.at(HallAt::Tell);
                rules::settled(self.world, &mut after, text, why);
                well(after)
            }
            HallAt::Tell => {
                let mut after = self.at(HallAt::Acknowledge);
                after.screens.tell(text);
                well(after)
            }
            HallAt::Acknowledge => {
                let mut after = self.later();
                after.texts[usize::from(text)].at = HallWhere::Done;
                well(after)
            }
        }
    }

    fn exists(&self, account: u8) -> bool {
        self.hall.users[usize::from(self.phone)][usize::from(account)]
    }

    fn create(&self) -> Vec<(HallLuck, HallState)> {
        let Some(row) = self.row() else {
            return vec![(HallLuck::Well, self.later())];
        };
        let mut done = self.at(HallAt::Created);
        done.users[usize::from(self.phone)][usize::from(row.account)] = true;
        let mut unknown = done.clone();
        self.go(&mut unknown, HallAt::Idle);
        vec![
            (HallLuck::Well, done),
            (HallLuck::LostAfter, unknown),
            (HallLuck::LostBefore, self.later()),
        ]
    }

    fn created(&self, on_screen: bool) -> HallState {
        let then = if on_screen {
            HallAt::Offer
        } else {
            HallAt::Send
        };
        let mut after = self.write(Event::UserCreated, then, |row, stage| {
            row.sending = !on_screen && stage != Stage::Reaping;
        });
        if self.row().is_some_and(|row| row.stage == Stage::Reaping) {
            self.go(&mut after, HallAt::Idle);
        }
        after
    }

    fn offer(&self, text: u8) -> HallState {
        let Some(row) = self.row() else {
            return self.later();
        };
        let mut after = self.later();
        after.screens.offer(text, self.phone, row.account);
        if self.bug(HallBug::RecordsOffer) {
            rules::settled(self.world, &mut after, text, Silent::Answered);
        }
        after
    }

    fn record_shown(&self, text: u8) -> HallState {
        let keeps_send = self.world.by_text;
        let mut after = match self.row() {
            None => self.at(HallAt::Finish(Silent::Ended)),
            Some(row) if row.stage == Stage::Reserved => self.at(HallAt::Recorded),
            Some(_) => self.write(Event::LoginSent, HallAt::Recorded, |row, stage| {
                row.announced = true;
                row.sending &= keeps_send;
                row.due &= stage == Stage::Reaping;
            }),
        };
        if self.row().is_some() {
            rules::settled(self.world, &mut after, text, Silent::Answered);
        }
        after
    }

    fn perhaps(&self) -> HallState {
        let then = HallAt::Finish(Silent::AtScreen);
        match self.row() {
            Some(row) if row.stage == Stage::Created && !self.bug(HallBug::ForgetsShown) => self
                .write(Event::LoginSent, then, |row, _| {
                    (row.announced, row.due, row.sending) = (true, false, false);
                }),
            _ => self.at(then),
        }
    }

    /// Twilio accepts the login, and the student reads it.
    fn accepted(&self, hall: &mut HallState, text: u8) {
        hall.logged[usize::from(self.phone)] = true;
        hall.texts[usize::from(text)].logins += 1;
        if let Some(row) = self.row() {
            hall.has_login(self.phone, row);
        }
    }
}

/// The next steps of a phone's worker.
pub(super) fn steps(step: &HallStep<'_>, all: &mut Vec<(HallMove, HallState)>) {
    let HallWorker { at, text, .. } = step.hall.workers[usize::from(step.phone)];
    let moves = step.all().into_iter();
    all.extend(moves.map(|(luck, after)| (HallMove::Work { text, at, luck }, after)));
}

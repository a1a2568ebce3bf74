//! What is true at one moment.

use std::hash::{Hash, Hasher};

use super::super::row::Row;
use super::rules::HallBreach;
use super::worker::HallWorker;
use crate::domain::ScreenCode;
use crate::domain::registration::{Registration, Stage};
use crate::screen::copied::CopiedScreens;

/// The moment at which everything happens.
const NOW: super::super::row::Tick = 1;

/// The second in which every text is received.
pub(super) fn received() -> crate::domain::UnixSeconds {
    super::super::row::seconds(NOW)
}

/// A page that shows a code: its number in this process, and the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) page: u8,
    pub(super) code: ScreenCode,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum HallWhere {
    #[default]
    Unsent,
    Waiting,
    Done,
}

/// A text with a code.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HallText {
    pub(super) at: HallWhere,
    /// The page whose code it carries.
    pub(super) page: Option<Shown>,
    /// Whether this process has received it.
    pub(super) heard: bool,
    /// Whether its phone has had a login since it was sent, on a screen or as a text.
    pub(super) served: bool,
    /// Whether it is recorded as served.
    pub(super) seen: bool,
    /// Whether the removal of an account of its phone has begun since.
    pub(super) ended: bool,
    /// Texts with a login in answer to it.
    pub(super) logins: u8,
    /// The laptop at which somebody has said yes to it, and the one that has shown its login.
    pub(super) yes: Option<u8>,
    pub(super) shown: Option<u8>,
}

/// A laptop's page.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Page {
    pub(super) open: Option<Shown>,
    /// Whether its screen belongs to a process that was killed.
    pub(super) gone: bool,
    /// The question that it shows: the number of the claim, and the text.
    pub(super) asked: Option<(u64, u8)>,
    /// Whose login it has shown.
    pub(super) login: Option<(u8, u8)>,
}

/// The registration of a phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct HallRow {
    /// The number of the account.
    pub(super) account: u8,
    pub(super) stage: Stage,
    /// Whether it has, or had, a recorded login.
    pub(super) announced: bool,
    /// Whether its time is up.
    pub(super) due: bool,
    /// Whether a login text is about to be sent, or was.
    pub(super) sending: bool,
}

impl HallRow {
    /// As the pure rules of the service read it.
    pub(super) fn registration(self) -> Registration {
        Row {
            stage: self.stage,
            due: if self.due { NOW } else { NOW + 1 },
            ..Row::reserved(0)
        }
        .registration()
    }
}

/// What the reaper does next, and with whose account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum HallReap {
    #[default]
    Idle,
    Begin(u8),
    Delete(u8),
    Forget(u8),
}

/// What is true at one moment.
#[derive(Clone, Default)]
pub(super) struct HallState {
    pub(super) screens: CopiedScreens,
    pub(super) pages: [Page; 2],
    pub(super) texts: [HallText; 3],
    pub(super) rows: [Option<HallRow>; 2],
    /// Accounts that each phone has had.
    pub(super) accounts: [u8; 2],
    /// The users at Coder, by phone and account.
    pub(super) users: [[bool; 4]; 2],
    /// Whether Twilio's log has a login of the phone that is not recorded.
    pub(super) logged: [bool; 2],
    /// The account whose login each phone, or the laptop that it claimed, has.
    pub(super) logins: [Option<u8>; 2],
    pub(super) workers: [HallWorker; 2],
    pub(super) reaper: HallReap,
    /// How often time has passed.
    pub(super) times: u8,
    pub(super) broken: Option<HallBreach>,
}

impl HallState {
    /// The row of a phone that surely has one.
    pub(super) fn row(&mut self, phone: u8) -> &mut HallRow {
        self.rows[usize::from(phone)].as_mut().expect("a row")
    }

    /// Whether a text of this phone waits.
    pub(super) fn waits(&self, phone: u8) -> bool {
        let mut texts = self.texts.iter().enumerate();
        texts
            .any(|(number, text)| super::phone_of(number) == phone && text.at == HallWhere::Waiting)
    }

    /// A phone has a login of this account now, so its texts that wait are served. It is worth something as long as the
    /// time of the account is not up.
    pub(super) fn has_login(&mut self, phone: u8, row: HallRow) {
        let is_worth = !row.due && row.stage != Stage::Reaping;
        self.logins[usize::from(phone)] = is_worth.then_some(row.account);
        for (number, text) in self.texts.iter_mut().enumerate() {
            text.served |= super::phone_of(number) == phone && text.at == HallWhere::Waiting;
        }
    }

    /// Which page it is, whatever its number and its code: its place among those that are open.
    fn place(&self, page: Option<Shown>) -> Option<Option<usize>> {
        page.map(|shown| self.screens.place(shown.page))
    }
}

impl Hash for HallState {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.screens.hash(hasher);
        for page in &self.pages {
            let asked = page.asked.map(|(_, text)| text);
            let place = if page.gone {
                None
            } else {
                Some(self.place(page.open))
            };
            (place, asked, page.login).hash(hasher);
        }
        for text in &self.texts {
            text.at.hash(hasher);
            // A text that is settled makes no difference any more, except that its login is nowhere else.
            if text.at != HallWhere::Done {
                let place = if text.heard {
                    self.place(text.page)
                } else {
                    None
                };
                (place, text.heard, text.served, text.seen).hash(hasher);
                (text.ended, text.logins).hash(hasher);
            }
            (text.yes, text.shown).hash(hasher);
        }
        (&self.rows, &self.accounts, &self.users).hash(hasher);
        (&self.logged, &self.logins, &self.workers).hash(hasher);
        (&self.reaper, self.times, &self.broken).hash(hasher);
    }
}

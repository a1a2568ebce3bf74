//! What `status` found, and what follows from it.

use std::collections::{BTreeMap, HashMap};

use crate::coder::{CoderError, Nearness, Rights, User, Validity, Workspace};
use crate::config::{ClassState, Reply};
use crate::domain::registration::{OnScreen, Registration, Stage};
use crate::domain::span;
use crate::domain::{ClassName, MessageSid, Receipt, UnixSeconds};
use crate::healthcheck::NamedFault;
use crate::obstacles::Obstacle;
use crate::reconcile::UnknownAccount;
use crate::store::{SpareFigures, TroubledWorkspace};
use crate::stream::DeadLetter;
use crate::token::RENEWAL;

/// The condition of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// It can accept texts.
    Well,
    /// It runs but cannot accept texts, or does not say whether it can; the reason.
    Unwell(String),
    /// It runs, but its port is not known, so it was not asked.
    Running,
    /// It does not run.
    Stopped,
    /// Whether it runs could not be determined.
    Hidden,
}

/// Everything that was found.
pub(super) struct ClassView {
    pub(super) now: UnixSeconds,
    pub(super) condition: Condition,
    /// What the service reports that keeps students from being served although texts are taken.
    pub(super) obstacles: Vec<NamedFault>,
    pub(super) roster: Vec<Registration>,
    /// The receipts of the last login texts, by MessageSid.
    pub(super) deliveries: HashMap<String, Receipt>,
    /// Logins that are still in Twilio's log: those that were given up, and the number that is late. `None` = logins
    /// are not redacted.
    pub(super) pending_redactions: Option<(Vec<MessageSid>, u32)>,
    /// The classes that are shown.
    pub(super) classes: Vec<ClassSeats>,
    /// Where logins go.
    pub(super) reply: Reply,
    /// Seconds between two looks at the accounts whose time is up.
    pub(super) check_interval: UnixSeconds,
    /// Phones without an account that were turned away in the last day because a class was full; `None` = one of several
    /// classes is shown, and of which class they were is not known.
    pub(super) turned_away: Option<u32>,
    /// `None` = Coder was not asked.
    pub(super) at_coder: Option<Result<CoderView, CoderError>>,
    /// Accounts in Coder with our mark that are missing from the database.
    pub(super) unknown: Vec<UnknownAccount>,
    pub(super) texts: Result<QueueView, String>,
    /// Workspaces that are not made, or do not run, each with the template that it is made of.
    pub(super) troubled_workspaces: Vec<(TroubledWorkspace, String)>,
}

/// The seats of one class.
pub(super) struct ClassSeats {
    /// `None` = the one without a name.
    pub(super) name: Option<ClassName>,
    /// Whether it gives accounts now.
    pub(super) state: ClassState,
    pub(super) seats: u32,
    /// The setting that says how many it has.
    pub(super) setting: String,
    pub(super) taken: usize,
    /// How many spare accounts it wants now, and those that it has.
    pub(super) spares_wanted: u32,
    pub(super) spares: SpareFigures,
}

impl ClassSeats {
    /// The number of further accounts until the limit.
    pub(super) fn left(&self) -> usize {
        let seats = usize::try_from(self.seats).unwrap_or(usize::MAX);
        seats.saturating_sub(self.taken)
    }

    /// Whether it gives accounts now, if seats are free.
    pub(super) fn is_open(&self) -> bool {
        self.state == ClassState::Open
    }

    /// Whether it gives accounts now, in plain words.
    pub(super) fn state_words(&self) -> &'static str {
        match self.state {
            ClassState::NotYet(_) => "not open yet",
            ClassState::Open => "open",
            ClassState::Over => "over",
        }
    }

    /// Its spare accounts in words, if it wants or has any.
    pub(super) fn spares_in_words(&self) -> Option<String> {
        let SpareFigures {
            ready,
            building,
            troubled,
        } = self.spares;
        let left = u32::try_from(self.left()).unwrap_or(u32::MAX);
        let has_none = ready + building + troubled == 0;
        match self.spares_wanted.min(left) {
            0 if has_none && self.spares_wanted == 0 => None,
            0 if has_none => Some("no spare accounts, as all seats are taken".to_owned()),
            // No more are made than seats are free.
            allowed => Some(self.spares.in_words(allowed)),
        }
    }
}

/// The class in Coder.
pub(super) struct CoderView {
    pub(super) users: Vec<User>,
    pub(super) workspaces: Vec<Workspace>,
    pub(super) token: TokenView,
}

/// Our token in Coder.
pub(super) struct TokenView {
    /// Its rights, or why Coder did not report them.
    pub(super) rights: Result<Rights, String>,
    /// When it expires; `None` = Coder did not report it.
    pub(super) validity: Option<Validity>,
}

impl TokenView {
    /// What the operator must correct.
    pub(super) fn troubles(&self, now: UnixSeconds) -> Vec<String> {
        let rights = match &self.rights {
            Ok(rights) => rights.missing().map(|missing| missing.to_string()),
            Err(fault) => Some(fault.clone()),
        };
        let end = self.validity.as_ref();
        let end = end.filter(|validity| validity.nearness(now) > Nearness::Far);
        let end = end.map(|validity| {
            format!(
                "the token (CODER_API_KEY) {}; {RENEWAL}",
                validity.describe(now)
            )
        });
        rights.into_iter().chain(end).collect()
    }
}

/// The texts in Redis.
pub(super) struct QueueView {
    pub(super) waiting: usize,
    pub(super) oldest: Option<UnixSeconds>,
    pub(super) dead: Vec<DeadLetter>,
}

/// The states of accounts whose student has a login.
pub(super) const HAS_LOGIN: &str = "has a login";
const NEW_LOGIN: &str = "new login being sent";

/// The states of accounts whose student has none yet.
const WAITS_FOR_CODER: &str = "waiting for Coder";
const LOGIN_BEING_SENT: &str = "login being sent";
const LOGIN_NOT_SENT: &str = "login not sent yet";
const WAITS_FOR_LAPTOP: &str = "waiting for its laptop";
const WAITS_FOR_LIMIT: &str = "waiting for the hourly limit";

/// Seconds that a removal usually takes at most: the account's workspaces are stopped and deleted first.
const REMOVAL: UnixSeconds = 300;

/// When its last login was texted. For an adopted account this is not known.
pub(super) fn login_at(registration: &Registration) -> Option<UnixSeconds> {
    let known = registration.adopted_at.is_none();
    registration.announced_at.filter(|_| known)
}

/// How far a login on a screen has come, in plain words.
pub(super) fn on_screen_words(on_screen: OnScreen) -> &'static str {
    match on_screen {
        OnScreen::Shown => "on a screen",
        OnScreen::SignedIn => "signed in",
    }
}

impl CoderView {
    /// Whether a user that is not in the list does not exist. A token without the right to see users gets an empty one.
    pub(super) fn lists_all_users(&self) -> bool {
        self.token
            .rights
            .as_ref()
            .is_ok_and(|rights| rights.see_users)
    }

    pub(super) fn user(&self, registration: &Registration) -> Option<&User> {
        self.users.iter().find(|user| match &registration.coder_id {
            Some(id) => user.id == *id,
            None => user.name == registration.marker.as_str(),
        })
    }

    pub(super) fn workspaces(&self, user: &User) -> Vec<&Workspace> {
        let all = self.workspaces.iter();
        all.filter(|workspace| workspace.owner_id == user.id)
            .collect()
    }
}

impl ClassView {
    /// Whether both Redis and Coder answered, as far as they were asked.
    pub(super) fn is_whole(&self) -> bool {
        self.texts.is_ok() && !matches!(self.at_coder, Some(Err(_)))
    }

    pub(super) fn coder(&self) -> Option<&CoderView> {
        self.at_coder.as_ref().and_then(|found| found.as_ref().ok())
    }

    pub(super) fn ago(&self, at: Option<UnixSeconds>) -> String {
        at.map_or_else(
            || "-".to_owned(),
            |at| format!("{} ago", span(self.now - at)),
        )
    }

    /// The receipt of the last login text.
    pub(super) fn receipt(&self, registration: &Registration) -> Option<&Receipt> {
        let sid = registration.login_sid.as_ref()?;
        self.deliveries.get(sid.as_str())
    }

    /// The state of an account, in plain words.
    pub(super) fn state(&self, registration: &Registration) -> &'static str {
        match registration.stage {
            Stage::Reaping | Stage::Gone => "being removed",
            _ if registration.ended_at.is_some() => "ended",
            _ if registration.is_due(self.now) => "time is up",
            Stage::Reserved if self.waits_for_limit() => WAITS_FOR_LIMIT,
            Stage::Reserved => WAITS_FOR_CODER,
            Stage::Created => self.state_before_login(registration),
            Stage::Announced if registration.sending.is_some() => NEW_LOGIN,
            Stage::Announced if registration.adopted_at.is_some() => "adopted",
            Stage::Announced => HAS_LOGIN,
        }
    }

    /// Whether the service reports this obstacle.
    pub(super) fn reports(&self, obstacle: Obstacle) -> bool {
        self.obstacles
            .iter()
            .any(|one| one.name == obstacle.as_str())
    }

    /// Whether logins wait because this hour's texts are used up, and not because of Coder as well.
    fn waits_for_limit(&self) -> bool {
        let of_coder = [
            Obstacle::CoderAway,
            Obstacle::CoderRefuses,
            Obstacle::TokenLacksRights,
        ];
        self.reports(Obstacle::HourlyLimit) && !of_coder.iter().any(|one| self.reports(*one))
    }

    /// The state of an account that is made, but whose student has no login yet.
    fn state_before_login(&self, registration: &Registration) -> &'static str {
        match self.reply {
            // Its student has not said yes yet, or the laptop has not fetched the login.
            Reply::Screen => WAITS_FOR_LAPTOP,
            // It waits for a laptop, or for Twilio.
            Reply::Both if registration.sending.is_none() => LOGIN_NOT_SENT,
            Reply::Text if self.waits_for_limit() => WAITS_FOR_LIMIT,
            Reply::Both | Reply::Text => LOGIN_BEING_SENT,
        }
    }

    /// Whether its student has a working login, or gets one at the moment.
    pub(super) fn has_login(&self, registration: &Registration) -> bool {
        matches!(self.state(registration), HAS_LOGIN | NEW_LOGIN)
    }

    /// Whether its student waits for the first login.
    pub(super) fn waits_for_login(&self, registration: &Registration) -> bool {
        let state = self.state(registration);
        matches!(
            state,
            WAITS_FOR_CODER
                | LOGIN_BEING_SENT
                | LOGIN_NOT_SENT
                | WAITS_FOR_LAPTOP
                | WAITS_FOR_LIMIT
        )
    }

    /// The receipt of a login that did not arrive, if the student still needs it.
    pub(super) fn undelivered(&self, registration: &Registration) -> Option<&Receipt> {
        let receipt = self.receipt(registration)?;
        let waits = self.has_login(registration) && receipt.delivery.has_failed();
        waits.then_some(receipt)
    }

    /// The number of accounts with a login.
    pub(super) fn with_login(&self) -> usize {
        let roster = self.roster.iter();
        roster.filter(|one| self.has_login(one)).count()
    }

    /// The number of accounts with a login that did not arrive.
    pub(super) fn not_delivered(&self) -> usize {
        let roster = self.roster.iter();
        roster.filter(|one| self.undelivered(one).is_some()).count()
    }

    /// The number of accounts by state.
    pub(super) fn states(&self) -> BTreeMap<&'static str, usize> {
        let mut states = BTreeMap::new();
        for registration in &self.roster {
            *states.entry(self.state(registration)).or_default() += 1;
        }
        states
    }

    /// The number of accounts that all classes shown may have.
    pub(super) fn seats(&self) -> u64 {
        self.classes
            .iter()
            .map(|class| u64::from(class.seats))
            .sum()
    }

    /// The number of further accounts until the limits.
    pub(super) fn seats_left(&self) -> usize {
        self.classes.iter().map(ClassSeats::left).sum()
    }

    /// The classes shown that have a name.
    pub(super) fn named_classes(&self) -> impl Iterator<Item = (&ClassName, &ClassSeats)> {
        let classes = self.classes.iter();
        classes.filter_map(|class| Some((class.name.as_ref()?, class)))
    }

    /// Workspaces that are not made, or that do not run as far as Coder was asked; with their templates.
    pub(super) fn troubled_workspaces(&self) -> impl Iterator<Item = (&TroubledWorkspace, &str)> {
        let runs = |one: &TroubledWorkspace| {
            let found = self.coder().into_iter().flat_map(|coder| &coder.workspaces);
            let mut found = found.filter(|found| one.id.as_ref() == Some(&found.id));
            found.any(|found| found.latest_build.status == "running")
        };
        let all = self.troubled_workspaces.iter();
        all.filter(move |(one, _)| !runs(one))
            .map(|(one, template)| (one, template.as_str()))
    }

    /// Whether an account whose time is up should have been removed by now, or cannot be.
    pub(super) fn is_late(&self, registration: &Registration) -> bool {
        let removal = &registration.removal;
        let begins = registration.due_at.map(|due| due + self.check_interval);
        let began = removal.since.or(begins);
        let is_late = began.is_some_and(|began| self.now - began > REMOVAL);
        is_late || removal.refused_since.is_some()
    }

    /// Accounts whose time is up and that still exist.
    pub(super) fn overdue(&self) -> impl Iterator<Item = &Registration> {
        self.roster.iter().filter(|one| one.is_due(self.now))
    }
}

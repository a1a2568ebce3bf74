//! All that `status` found, and what follows from it.

use std::collections::{BTreeMap, HashMap};

use crate::coder::{Nearness, Rights, User, Validity, Workspace};
use crate::domain::registration::{Registration, Stage};
use crate::domain::span;
use crate::domain::{MessageSid, Receipt, UnixSeconds};
use crate::healthcheck::NamedFault;
use crate::reconcile::UnknownAccount;
use crate::stream::DeadLetter;
use crate::token::RENEWAL;

/// How the service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// It can take texts.
    Well,
    /// It runs and cannot take texts, or does not say whether; why.
    Unwell(String),
    /// It runs, and could not be asked.
    Running,
    /// It does not run.
    Stopped,
    /// Whether it runs cannot be found out.
    Hidden,
}

/// All that was found.
pub(super) struct ClassView {
    pub(super) now: UnixSeconds,
    pub(super) condition: Condition,
    /// What the service reports that keeps students from being served although texts are taken.
    pub(super) obstacles: Vec<NamedFault>,
    pub(super) roster: Vec<Registration>,
    /// What became of their last login texts, by MessageSid.
    pub(super) deliveries: HashMap<String, Receipt>,
    /// Logins that stay in Twilio's log: those given up, and how many are late. `None` = they are to stay.
    pub(super) pending_redactions: Option<(Vec<MessageSid>, u32)>,
    /// How many accounts there may be.
    pub(super) seats: u32,
    /// Phones that found the class full of late and have no account.
    pub(super) turned_away: u32,
    /// `None` = it was not asked.
    pub(super) at_coder: Option<Result<CoderView, String>>,
    /// Accounts of ours there that the database does not know.
    pub(super) unknown: Vec<UnknownAccount>,
    pub(super) texts: Result<QueueView, String>,
}

/// What Coder knows of the class.
pub(super) struct CoderView {
    pub(super) users: Vec<User>,
    pub(super) workspaces: Vec<Workspace>,
    pub(super) token: TokenView,
}

/// What Coder tells of our token.
pub(super) struct TokenView {
    /// What it may do, or why Coder did not say.
    pub(super) rights: Result<Rights, String>,
    /// Until when it is good; `None` = Coder did not say.
    pub(super) validity: Option<Validity>,
}

impl TokenView {
    /// What somebody has to do something about.
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

/// What stands in Redis.
pub(super) struct QueueView {
    pub(super) waiting: usize,
    pub(super) oldest: Option<UnixSeconds>,
    pub(super) dead: Vec<DeadLetter>,
}

/// How an account that has a login is called.
pub(super) const HAS_LOGIN: &str = "has a login";
const NEW_LOGIN: &str = "new login being sent";

/// When its last login was texted. Of an adopted account nobody knows.
pub(super) fn login_at(registration: &Registration) -> Option<UnixSeconds> {
    let known = registration.adopted_at.is_none();
    registration.announced_at.filter(|_| known)
}

/// Where an account stands, in plain words.
pub(super) fn state(registration: &Registration, now: UnixSeconds) -> &'static str {
    match registration.stage {
        Stage::Reaping | Stage::Gone => "being removed",
        _ if registration.ended_at.is_some() => "ended",
        _ if registration.is_due(now) => "time is up",
        Stage::Reserved => "waiting for Coder",
        Stage::Created => "login being sent",
        Stage::Announced if registration.sending.is_some() => NEW_LOGIN,
        Stage::Announced if registration.adopted_at.is_some() => "adopted",
        Stage::Announced => HAS_LOGIN,
    }
}

impl CoderView {
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
    /// Whether everything that was asked has answered.
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

    /// What Twilio has told of the last login text.
    pub(super) fn receipt(&self, registration: &Registration) -> Option<&Receipt> {
        let sid = registration.login_sid.as_ref()?;
        self.deliveries.get(sid.as_str())
    }

    /// Whether its student has a login that works, or should have.
    pub(super) fn has_login(&self, registration: &Registration) -> bool {
        matches!(state(registration, self.now), HAS_LOGIN | NEW_LOGIN)
    }

    /// The receipt that says that this account's login did not reach its student, who still waits for it.
    pub(super) fn undelivered(&self, registration: &Registration) -> Option<&Receipt> {
        let receipt = self.receipt(registration)?;
        let waits = self.has_login(registration) && receipt.delivery.has_failed();
        waits.then_some(receipt)
    }

    /// How many accounts have a login.
    pub(super) fn with_login(&self) -> usize {
        let roster = self.roster.iter();
        roster.filter(|one| self.has_login(one)).count()
    }

    /// How many of them did not get it.
    pub(super) fn not_delivered(&self) -> usize {
        let roster = self.roster.iter();
        roster.filter(|one| self.undelivered(one).is_some()).count()
    }

    /// How many accounts stand where.
    pub(super) fn states(&self) -> BTreeMap<&'static str, usize> {
        let mut states = BTreeMap::new();
        for registration in &self.roster {
            *states.entry(state(registration, self.now)).or_default() += 1;
        }
        states
    }

    /// How many more accounts there may be.
    pub(super) fn seats_left(&self) -> usize {
        usize::try_from(self.seats)
            .unwrap_or(usize::MAX)
            .saturating_sub(self.roster.len())
    }

    /// Accounts whose time is up and that are still there.
    pub(super) fn overdue(&self) -> impl Iterator<Item = &Registration> {
        self.roster.iter().filter(|one| one.is_due(self.now))
    }
}

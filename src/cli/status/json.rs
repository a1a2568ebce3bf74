//! The JSON of `status`. Times are UTC seconds. docs/monitoring.md describes every field.

use serde_json::{Value, json};

use super::super::reconcile;
use super::overview::{ClassView, Condition, TokenView, login_at, on_screen_words};
use crate::coder::{Rights, User, Workspace};
use crate::domain::registration::Registration;
use crate::domain::{ClassName, MessageSid};
use crate::store::SpareFigures;
use crate::stream::DeadLetter;

impl Condition {
    /// Whether the service runs; `None` = not known.
    fn runs(&self) -> Option<bool> {
        match self {
            Self::Well | Self::Unwell(_) | Self::Running => Some(true),
            Self::Stopped => Some(false),
            Self::Hidden => None,
        }
    }

    /// Whether it can accept texts; `None` = it was not asked.
    fn is_well(&self) -> Option<bool> {
        match self {
            Self::Well => Some(true),
            Self::Unwell(_) | Self::Stopped => Some(false),
            Self::Running | Self::Hidden => None,
        }
    }
}

impl TokenView {
    fn json(&self) -> Value {
        let rights = self.rights.as_ref().ok();
        let lack = rights.and_then(Rights::missing);
        let validity = self.validity.as_ref();
        json!({
            "lacks": lack.map(|lack| lack.to_string()),
            "rights_error": self.rights.as_ref().err(),
            "sets_passwords": rights.and_then(|rights| rights.set_passwords),
            "expires_at": validity.and_then(|validity| validity.expires_at),
            "prolonged_by_use": validity.map(|validity| validity.is_extended_by_use),
        })
    }
}

impl ClassView {
    /// Everything as one object.
    pub(super) fn json(&self) -> Value {
        let texts = self.texts.as_ref().ok();
        let coder_fault = match &self.at_coder {
            Some(Err(fault)) => Some(fault.to_string()),
            _ => None,
        };
        let trouble = match &self.condition {
            Condition::Unwell(why) => Some(why),
            _ => None,
        };
        json!({
            "now": self.now,
            "service_running": self.condition.runs(),
            "service_well": self.condition.is_well(),
            "service_error": trouble,
            "obstacles": self.obstacles.iter().map(|one| &one.name).collect::<Vec<_>>(),
            "counts": self.counts(),
            "classes": self.named_classes().map(|(name, class)| json!({
                "name": name.as_str(),
                "state": class.state_words(),
                "accounts": class.taken,
                "seats": class.seats,
                "seats_left": class.left(),
                "spares": spares(&class.spares, class.spares_wanted),
            })).collect::<Vec<_>>(),
            "accounts": self.roster.iter().map(|one| self.account(one)).collect::<Vec<_>>(),
            "coder_asked": self.at_coder.is_some(),
            "coder_error": coder_fault,
            "token": self.coder().map(|found| found.token.json()),
            "unknown_accounts": self.coder().filter(|found| found.lists_all_users()).map(|_| {
                self.unknown.iter().map(reconcile::as_json).collect::<Vec<_>>()
            }),
            "unredacted_logins": self.pending_redactions.as_ref().map(|(given_up, late)| {
                let given_up: Vec<&str> = given_up.iter().map(MessageSid::as_str).collect();
                json!({ "given_up": given_up, "retried": late })
            }),
            "redis_error": self.texts.as_ref().err(),
            "waiting_texts": texts.map(|texts| {
                json!({ "count": texts.waiting, "oldest_at": texts.oldest })
            }),
            "dead_letters": texts.map(|texts| texts.dead.iter().map(dead_letter).collect::<Vec<_>>()),
        })
    }

    fn counts(&self) -> Value {
        let texts = self.texts.as_ref().ok();
        json!({
            "accounts": self.roster.len(),
            "states": self.states(),
            "with_login": self.with_login(),
            "not_delivered": self.not_delivered(),
            "overdue": self.overdue().count(),
            "seats": self.seats(),
            "seats_left": self.seats_left(),
            "spares": self.spares(),
            "turned_away": self.turned_away,
            "waiting_texts": texts.map(|texts| texts.waiting),
            "dead_letters": texts.map(|texts| texts.dead.len()),
        })
    }

    /// The spare accounts of all classes together.
    fn spares(&self) -> Value {
        let mut all = SpareFigures::default();
        for class in &self.classes {
            all.ready += class.spares.ready;
            all.building += class.spares.building;
            all.troubled += class.spares.troubled;
        }
        spares(
            &all,
            self.classes.iter().map(|class| class.spares_wanted).sum(),
        )
    }

    fn account(&self, registration: &Registration) -> Value {
        let found = self.coder();
        let user = found.and_then(|coder| coder.user(registration));
        let workspaces = found.zip(user).map(|(coder, user)| coder.workspaces(user));
        let workspace =
            |one: &&Workspace| json!({ "name": one.name, "status": one.latest_build.status });
        json!({
            "username": registration.username.as_str(),
            "class": registration.class.as_ref().map(ClassName::as_str),
            "stage": registration.stage.as_str(),
            "state": self.state(registration),
            "registered_at": registration.reserved_at,
            "login_at": login_at(registration),
            "login_sid": registration.login_sid.as_ref().map(MessageSid::as_str),
            "adopted_at": registration.adopted_at,
            "delivery": self.receipt(registration).map(|one| one.delivery.as_str()),
            "delivery_code": self.receipt(registration).and_then(|one| one.code),
            "on_screen": registration.on_screen().map(on_screen_words),
            "signed_in_at": registration.arrived_at,
            "due_at": registration.due_at,
            "overdue": registration.is_due(self.now),
            "ended_at": registration.ended_at,
            "note": registration.reap_note,
            "login_withheld_at": registration.withheld_at,
            "password_renewed_at": registration.renewed_at,
            "workspace_error": self
                .troubled_workspaces()
                .find(|(one, _)| one.username == registration.username)
                .map(|(one, _)| one.trouble.as_str()),
            "at_coder": match user {
                Some(_) => Some(true),
                None => found.filter(|found| found.lists_all_users()).map(|_| false),
            },
            "last_seen_at": user.and_then(User::last_seen),
            "workspaces": workspaces
                .map(|all| all.iter().map(workspace).collect::<Vec<_>>()),
        })
    }
}

fn spares(figures: &SpareFigures, wanted: u32) -> Value {
    json!({
        "wanted": wanted,
        "ready": figures.ready,
        "building": figures.building,
        "troubled": figures.troubled,
    })
}

fn dead_letter(letter: &DeadLetter) -> Value {
    json!({
        "sid": letter.sid,
        "reason": letter.reason,
        "given_up_at": letter.at,
        "attempts": letter.attempts,
    })
}

//! What `status` shows of what it found: for people, and for scripts.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::reconcile;
use super::table::{count, span, table};
use crate::coder::{Nearness, Rights, User, Validity, Workspace};
use crate::domain::registration::{Registration, Stage};
use crate::domain::{MessageSid, Receipt, Undelivered, UnixSeconds};
use crate::reconcile::UnknownAccount;
use crate::stream::DeadLetter;
use crate::token::RENEWAL;
use crate::twilio::codes;

/// All that was found.
pub(super) struct ClassView {
    pub(super) now: UnixSeconds,
    /// Whether the service runs; `None` = it cannot be found out.
    pub(super) running: Option<bool>,
    pub(super) roster: Vec<Registration>,
    /// What became of their last login texts, by MessageSid.
    pub(super) deliveries: HashMap<String, Receipt>,
    /// Logins that stay in Twilio's log: those given up, and how many are late. `None` = they are to stay.
    pub(super) pending_redactions: Option<(Vec<MessageSid>, u32)>,
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
    fn troubles(&self, now: UnixSeconds) -> Vec<String> {
        let rights = match &self.rights {
            Ok(rights) => rights.lack().map(|lack| lack.to_string()),
            Err(fault) => Some(fault.clone()),
        };
        let end = self.validity.as_ref();
        let end = end.filter(|validity| validity.nearness(now) > Nearness::Far);
        let end = end.map(|validity| {
            format!(
                "the token (CODER_API_KEY) {}; {RENEWAL}",
                validity.words(now)
            )
        });
        rights.into_iter().chain(end).collect()
    }

    fn json(&self) -> Value {
        let rights = self.rights.as_ref().ok();
        let lack = rights.and_then(Rights::lack);
        let validity = self.validity.as_ref();
        json!({
            "lacks": lack.map(|lack| lack.to_string()),
            "rights_error": self.rights.as_ref().err(),
            "sets_passwords": rights.and_then(|rights| rights.set_passwords),
            "expires_at": validity.and_then(|validity| validity.expires_at),
            "prolonged_by_use": validity.map(|validity| validity.is_prolonged),
        })
    }
}

/// What stands in Redis.
pub(super) struct QueueView {
    pub(super) waiting: usize,
    pub(super) oldest: Option<UnixSeconds>,
    pub(super) dead: Vec<DeadLetter>,
}

/// When its last login was texted. Of an adopted account nobody knows.
fn login_at(registration: &Registration) -> Option<UnixSeconds> {
    let known = registration.adopted_at.is_none();
    registration.announced_at.filter(|_| known)
}

/// Where an account stands, in plain words.
fn state(registration: &Registration, now: UnixSeconds) -> &'static str {
    match registration.stage {
        Stage::Reaping | Stage::Gone => "being removed",
        _ if registration.ended_at.is_some() => "ended",
        _ if registration.is_due(now) => "time is up",
        Stage::Reserved => "waiting for Coder",
        Stage::CreateResult => "login being sent",
        Stage::Announced if registration.sending.is_some() => "new login being sent",
        Stage::Announced if registration.adopted_at.is_some() => "adopted",
        Stage::Announced => "has a login",
    }
}

impl CoderView {
    fn user(&self, registration: &Registration) -> Option<&User> {
        self.users.iter().find(|user| match &registration.coder_id {
            Some(id) => user.id == *id,
            None => user.name == registration.marker.as_str(),
        })
    }

    fn workspaces(&self, user: &User) -> Vec<&Workspace> {
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

    fn coder(&self) -> Option<&CoderView> {
        self.at_coder.as_ref().and_then(|found| found.as_ref().ok())
    }

    fn ago(&self, at: Option<UnixSeconds>) -> String {
        at.map_or_else(
            || "-".to_owned(),
            |at| format!("{} ago", span(self.now - at)),
        )
    }

    fn left(&self, registration: &Registration) -> String {
        match (registration.stage, registration.due_at) {
            (_, Some(due)) if due <= self.now => "up".to_owned(),
            (Stage::Announced, None) => "no end".to_owned(),
            (Stage::Announced, Some(due)) => span(due - self.now),
            _ => "-".to_owned(),
        }
    }

    /// What Twilio has told of the last login text.
    fn receipt(&self, registration: &Registration) -> Option<&Receipt> {
        let sid = registration.login_sid.as_ref()?;
        self.deliveries.get(sid.as_str())
    }

    fn delivery(&self, registration: &Registration) -> String {
        let Some(receipt) = self.receipt(registration) else {
            return "-".to_owned();
        };
        let code = receipt.code.filter(|_| receipt.delivery.has_failed());
        let code = code.map_or_else(String::new, |code| format!(" {code}"));
        format!("{}{code}", receipt.delivery.as_str())
    }

    /// Those whose login did not reach them, with what that means and what helps.
    fn undelivered(&self) -> impl Iterator<Item = Undelivered> {
        self.roster.iter().filter_map(|one| {
            let receipt = self.receipt(one).filter(|r| r.delivery.has_failed())?;
            Some(Undelivered {
                username: one.username.clone(),
                sid: receipt.sid.clone(),
                code: receipt.code,
            })
        })
    }

    fn row(&self, registration: &Registration) -> Vec<String> {
        let mut row = vec![
            registration.username.to_string(),
            state(registration, self.now).to_owned(),
            self.ago(Some(registration.reserved_at)),
            self.ago(login_at(registration)),
            self.delivery(registration),
            self.left(registration),
        ];
        if let Some(coder) = self.coder() {
            let user = coder.user(registration);
            row.push(match user.map(|user| user.last_seen()) {
                None => "no user".to_owned(),
                Some(None) => "never".to_owned(),
                Some(seen) => self.ago(seen),
            });
            let workspaces = user.map_or_else(Vec::new, |user| coder.workspaces(user));
            let words = workspaces
                .iter()
                .map(|one| format!("{} {}", one.name, one.latest_build.status));
            row.push(words.collect::<Vec<_>>().join(", "));
        }
        row
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let mut titles = vec![
            "USER",
            "STATE",
            "REGISTERED",
            "LOGIN SENT",
            "DELIVERY",
            "LEFT",
        ];
        if self.coder().is_some() {
            titles.extend(["LAST SEEN", "WORKSPACES"]);
        }
        let rows: Vec<Vec<String>> = self.roster.iter().map(|one| self.row(one)).collect();
        let mut text = String::new();
        if !rows.is_empty() {
            text += &table(&titles, &rows);
            text.push('\n');
        }
        text += &self.totals();
        text += &self.texts_in_words();
        for one in self.undelivered() {
            text += &codes::line(&one);
            text.push('\n');
        }
        text += &self.unblanked_in_words();
        for registration in self.overdue() {
            let since = registration.due_at.map_or(0, |due| self.now - due);
            let note = registration.reap_note.as_deref();
            text += &format!(
                "not gone yet: {}, time up since {}: {}\n",
                registration.username,
                span(since),
                note.unwrap_or("not looked at yet")
            );
        }
        for line in self.passwords_in_words() {
            text += &line;
        }
        text += &reconcile::lines(&self.unknown);
        for trouble in self
            .coder()
            .map(|found| found.token.troubles(self.now))
            .into_iter()
            .flatten()
        {
            text += &format!("Coder: {trouble}\n");
        }
        if let Some(Err(fault)) = &self.at_coder {
            text += &format!("Coder does not tell who has logged in: {fault}\n");
        }
        text
    }

    fn totals(&self) -> String {
        let mut states: BTreeMap<&str, usize> = BTreeMap::new();
        for registration in &self.roster {
            *states.entry(state(registration, self.now)).or_default() += 1;
        }
        let states: Vec<String> = states
            .iter()
            .map(|(state, number)| format!("{state} {number}"))
            .collect();
        let colon = if states.is_empty() { "" } else { ": " };
        let service = match self.running {
            Some(true) => "the service is running",
            Some(false) => "the service does not run",
            None => "whether the service runs cannot be found out",
        };
        let accounts = count(self.roster.len(), "account");
        format!("{accounts}{colon}{}; {service}\n", states.join(", "))
    }

    fn texts_in_words(&self) -> String {
        let texts = match &self.texts {
            Ok(texts) => texts,
            Err(fault) => return format!("what texts wait is not known: {fault}\n"),
        };
        let oldest = texts.oldest.map_or_else(String::new, |at| {
            format!(", the oldest came {}", self.ago(Some(at)))
        });
        let mut text = format!("{} waiting{oldest}\n", count(texts.waiting, "text"));
        for letter in &texts.dead {
            text += &format!(
                "given up {}: {} ({})\n",
                self.ago(letter.at),
                letter.reason,
                letter.sid
            );
        }
        if !texts.dead.is_empty() {
            text += "once the cause is fixed: coder-sms-register retry --all, or retry SID; let go of them: drop\n";
        }
        text
    }

    /// Logins that could not be sent again, and passwords that were renewed and not sent yet.
    fn passwords_in_words(&self) -> impl Iterator<Item = String> {
        self.roster.iter().filter_map(|one| {
            let name = &one.username;
            if let Some(at) = one.withheld_at {
                let ago = self.ago(Some(at));
                return Some(format!(
                    "login of {name} could not be sent again {ago}: it has another password, and the token may not set one; with a token that may: coder-sms-register renew {name}\n"
                ));
            }
            let ago = self.ago(Some(one.renewed_at?));
            Some(format!(
                "password of {name} was renewed {ago} and is not sent yet: its student texts the phrase\n"
            ))
        })
    }

    /// Logins whose words stay in Twilio's log.
    fn unblanked_in_words(&self) -> String {
        let mut text = String::new();
        let Some((given_up, late)) = &self.pending_redactions else {
            return text;
        };
        if !given_up.is_empty() {
            let sids: Vec<&str> = given_up.iter().map(MessageSid::as_str).collect();
            text += &format!(
                "left in Twilio's log with their words: {}, to be deleted in Twilio's console: {}\n",
                count(sids.len(), "login"),
                sids.join(" ")
            );
        }
        if *late > 0 {
            text += &format!(
                "not blanked in Twilio's log yet: {}, tried again; the log of the service says why\n",
                count(*late, "login")
            );
        }
        text
    }

    /// Accounts whose time is up and that are still there.
    fn overdue(&self) -> impl Iterator<Item = &Registration> {
        self.roster.iter().filter(|one| one.is_due(self.now))
    }

    /// For scripts. Times are UTC seconds.
    pub(super) fn json(&self) -> Value {
        let texts = self.texts.as_ref().ok();
        let coder_fault = match &self.at_coder {
            Some(Err(fault)) => Some(fault),
            _ => None,
        };
        json!({
            "now": self.now,
            "service_running": self.running,
            "students": self.roster.iter().map(|one| self.student(one)).collect::<Vec<_>>(),
            "coder_asked": self.at_coder.is_some(),
            "coder_error": coder_fault,
            "token": self.coder().map(|found| found.token.json()),
            "unknown_accounts": self.coder().map(|_| {
                self.unknown.iter().map(reconcile::as_json).collect::<Vec<_>>()
            }),
            "unblanked_logins": self.pending_redactions.as_ref().map(|(given_up, late)| {
                let given_up: Vec<&str> = given_up.iter().map(MessageSid::as_str).collect();
                json!({ "given_up": given_up, "tried_again": late })
            }),
            "redis_error": self.texts.as_ref().err(),
            "waiting_texts": texts.map(|texts| {
                json!({ "count": texts.waiting, "oldest_at": texts.oldest })
            }),
            "dead_letters": texts.map(|texts| texts.dead.iter().map(letter).collect::<Vec<_>>()),
        })
    }

    fn student(&self, registration: &Registration) -> Value {
        let found = self.coder();
        let user = found.and_then(|coder| coder.user(registration));
        let workspaces = found.zip(user).map(|(coder, user)| coder.workspaces(user));
        let workspace =
            |one: &&Workspace| json!({ "name": one.name, "status": one.latest_build.status });
        json!({
            "username": registration.username.as_str(),
            "stage": registration.stage.as_str(),
            "state": state(registration, self.now),
            "registered_at": registration.reserved_at,
            "login_at": login_at(registration),
            "adopted_at": registration.adopted_at,
            "delivery": self.receipt(registration).map(|one| one.delivery.as_str()),
            "delivery_code": self.receipt(registration).and_then(|one| one.code),
            "due_at": registration.due_at,
            "overdue": registration.is_due(self.now),
            "ended_at": registration.ended_at,
            "note": registration.reap_note,
            "login_withheld_at": registration.withheld_at,
            "password_renewed_at": registration.renewed_at,
            "at_coder": found.map(|_| user.is_some()),
            "last_seen_at": user.and_then(User::last_seen),
            "workspaces": workspaces
                .map(|all| all.iter().map(workspace).collect::<Vec<_>>()),
        })
    }
}

fn letter(letter: &DeadLetter) -> Value {
    json!({
        "sid": letter.sid,
        "reason": letter.reason,
        "given_up_at": letter.at,
        "attempts": letter.attempts,
    })
}

//! What needs the operator: one entry per cause, for any number of accounts.

use std::collections::BTreeMap;

use super::overview::{ClassSeats, ClassView, Condition};
use crate::clock::TOLERANCE;
use crate::coder::{CoderError, CoderErrorKind};
use crate::domain::registration::Registration;
use crate::domain::span;
use crate::domain::{MessageSid, WorkspaceTrouble, count};
use crate::healthcheck::NamedFault;
use crate::obstacles::Obstacle;
use crate::reconcile::Ownership;
use crate::twilio::codes::{self, Explanation};

/// One cause.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Concern {
    /// Whether students are not served until the operator acts.
    pub(super) is_fault: bool,
    /// What is wrong.
    pub(super) what: String,
    /// The accounts or texts that it concerns; empty = all.
    pub(super) names: Vec<String>,
    /// What helps; may be empty.
    pub(super) cure: String,
}

fn fault(what: impl Into<String>) -> Concern {
    Concern {
        is_fault: true,
        ..warning(what)
    }
}

fn warning(what: impl Into<String>) -> Concern {
    Concern {
        what: what.into(),
        ..Concern::default()
    }
}

impl Concern {
    fn of(mut self, names: Vec<String>) -> Self {
        self.names = names;
        self
    }

    fn helped_by(mut self, cure: impl Into<String>) -> Self {
        self.cure = cure.into();
        self
    }
}

/// "1 login was", "3 logins were".
fn were(number: usize, noun: &str) -> String {
    let verb = if number == 1 { "was" } else { "were" };
    format!("{} {verb}", count(number, noun))
}

/// The names of these classes, but for the one without a name.
fn names_of(classes: &[&ClassSeats]) -> Vec<String> {
    let names = classes.iter().filter_map(|one| one.name.as_ref());
    names.map(ToString::to_string).collect()
}

impl ClassView {
    /// All concerns, the most urgent first.
    pub(super) fn concerns(&self) -> Vec<Concern> {
        let mut all = Vec::new();
        all.extend(self.of_service());
        all.extend(self.of_obstacles());
        all.extend(self.of_coder());
        all.extend(self.of_clock());
        all.extend(self.of_seats());
        all.extend(self.of_deliveries());
        all.extend(self.of_dead_letters());
        all.extend(self.of_passwords());
        all.extend(self.of_workspaces());
        all.extend(self.of_removals());
        all.extend(self.of_log());
        all.extend(self.of_unknown_accounts());
        all.sort_by_key(|one| !one.is_fault);
        all
    }

    fn of_service(&self) -> impl Iterator<Item = Concern> {
        let service = match &self.condition {
            Condition::Well | Condition::Running | Condition::Hidden => None,
            Condition::Unwell(why) => Some(fault(format!("the service is not healthy: {why}"))),
            Condition::Stopped => Some(
                fault("the service does not run: no text is served, and no account is removed")
                    .helped_by("start it; its log says why it ended"),
            ),
        };
        // Where the service has named what is wrong with Redis, the summary says the rest.
        let is_said =
            matches!(&self.condition, Condition::Unwell(why) if why.starts_with("redis-"));
        let redis = self.texts.as_ref().err().filter(|_| !is_said);
        let redis =
            redis.map(|why| fault(format!("the number of waiting texts is unknown: {why}")));
        service.into_iter().chain(redis)
    }

    /// What the running service reports. What this command itself was told by Coder is said by [`Self::of_coder`].
    fn of_obstacles(&self) -> impl Iterator<Item = Concern> {
        let is_seen_here = |one: &NamedFault| match Obstacle::named(&one.name) {
            Some(Obstacle::CoderAway) => matches!(self.at_coder, Some(Err(_))),
            Some(Obstacle::CoderRefuses) => self.is_refused_here(),
            Some(Obstacle::TokenLacksRights) => self.coder().is_some(),
            _ => false,
        };
        let obstacles = self.obstacles.iter();
        let obstacles = obstacles.filter(move |one| !is_seen_here(one));
        obstacles.map(|one| {
            let concern = if one.only_delays() {
                warning(one.what())
            } else {
                fault(one.what())
            };
            concern.helped_by(one.cure().unwrap_or_default())
        })
    }

    fn of_coder(&self) -> impl Iterator<Item = Concern> {
        let away = match &self.at_coder {
            Some(Err(why)) => Some(self.of_silent_coder(why)),
            _ => None,
        };
        let token = self.coder().map(|found| found.token.troubles(self.now));
        let token = token.into_iter().flatten();
        let token = token.map(|trouble| fault(format!("Coder: {trouble}")));
        away.into_iter().chain(token)
    }

    /// Clocks that differ so much that no account is removed.
    fn of_clock(&self) -> Option<Concern> {
        let rights = self.coder()?.token.rights.as_ref().ok()?;
        let ahead = rights.clock_ahead.filter(|by| by.abs() > TOLERANCE)?;
        let side = if ahead > 0 { "ahead of" } else { "behind" };
        let by = span(ahead.abs());
        let what = format!("this machine's clock is {by} {side} Coder's: no account is removed");
        let cure = "set the clock that is wrong: coder-sms-register check says which one";
        Some(fault(what).helped_by(cure))
    }

    /// Whether Coder refuses the token of this command.
    fn is_refused_here(&self) -> bool {
        matches!(&self.at_coder, Some(Err(why)) if why.refuses_token())
    }

    /// Coder did not answer this command. If the service says the same, students wait.
    fn of_silent_coder(&self, why: &CoderError) -> Concern {
        let unknown = "users and workspaces at Coder are unknown";
        if self.is_refused_here() && self.reports(Obstacle::CoderRefuses) {
            let cure = format!("{} and restart the service", why.cure());
            return fault(format!("Coder refuses the token, and {unknown}: {why}")).helped_by(cure);
        }
        let mut obstacles = self.obstacles.iter();
        let reported = obstacles.find(|one| one.name == Obstacle::CoderAway.as_str());
        match reported {
            // Coder works, and has had enough calls for this minute.
            None if matches!(why.kind, CoderErrorKind::Busy(_)) => {
                warning(format!("{unknown}: {why}")).helped_by(why.cure())
            }
            None => fault(format!("{unknown}: {why}")).helped_by(why.cure()),
            Some(obstacle) => fault(format!("{}, and {unknown}: {why}", obstacle.what()))
                .helped_by(obstacle.cure().unwrap_or_default()),
        }
    }

    fn of_seats(&self) -> Option<Concern> {
        let turned_away = self.turned_away.filter(|number| *number > 0)?;
        let number = usize::try_from(turned_away).unwrap_or(usize::MAX);
        let were = were(number, "student");
        let phrase = self.reply.what_to_text();
        let mut what = format!("{were} turned away in the last day because the class was full");
        let open = self.classes.iter().filter(|one| one.is_open());
        let (full, others): (Vec<&ClassSeats>, Vec<_>) = open.partition(|one| one.left() == 0);
        if full.is_empty() {
            let left: usize = others.iter().map(|one| one.left()).sum();
            if left == 0 {
                // No class gives accounts now.
                return Some(warning(what));
            }
            let names = names_of(&others);
            if names.is_empty() {
                let left = count(left, "seat");
                let cure = format!("{left} left now: the students text {phrase} again");
                return Some(warning(what).helped_by(cure));
            }
            // They may have been turned away by another class, which is over.
            what += "; classes with free seats now";
            let cure = format!("their students text {phrase} again");
            return Some(warning(what).of(names).helped_by(cure));
        }
        let names = names_of(&full);
        if !names.is_empty() {
            what += "; full now";
        }
        let settings: Vec<&str> = full.iter().map(|one| one.setting.as_str()).collect();
        let settings = settings.join(" or ");
        let cure = format!(
            "end accounts that are not used, or raise {settings} and restart the service; then the students text {phrase} again"
        );
        Some(fault(what).of(names).helped_by(cure))
    }

    /// Logins that did not arrive, by Twilio's code, the most frequent first.
    fn of_deliveries(&self) -> Vec<Concern> {
        let mut codes: BTreeMap<Option<u32>, Vec<String>> = BTreeMap::new();
        for one in &self.roster {
            if let Some(receipt) = self.undelivered(one) {
                let names = codes.entry(receipt.code).or_default();
                names.push(one.username.to_string());
            }
        }
        let mut all: Vec<_> = codes.into_iter().collect();
        all.sort_by_key(|(_, names)| std::cmp::Reverse(names.len()));
        let concern = |(code, names): (Option<u32>, Vec<String>)| {
            let Explanation { meaning, cure } = codes::explain(code);
            let number = code.map_or_else(String::new, |code| format!("{code}, "));
            let were = were(names.len(), "login");
            let what = format!("{were} not delivered: {number}{meaning}");
            fault(what).of(names).helped_by(cure)
        };
        all.into_iter().map(concern).collect()
    }

    /// Texts that were given up, by their reason, the latest first.
    fn of_dead_letters(&self) -> Vec<Concern> {
        let mut all: Vec<Concern> = Vec::new();
        let texts = self.texts.as_ref().ok();
        let mut reasons: Vec<(&str, Vec<&crate::stream::DeadLetter>)> = Vec::new();
        for letter in texts.iter().flat_map(|texts| &texts.dead) {
            match reasons.iter_mut().find(|(why, _)| *why == letter.reason) {
                Some((_, letters)) => letters.push(letter),
                None => reasons.push((&letter.reason, vec![letter])),
            }
        }
        for (reason, letters) in reasons {
            let last = letters.iter().filter_map(|letter| letter.at).max();
            let last = last.map_or_else(String::new, |at| format!(" {}", self.ago(Some(at))));
            let were = were(letters.len(), "text");
            let names = letters.iter().map(|letter| letter.name().to_owned());
            let concern = fault(format!("{were} given up{last}: {reason}"));
            all.push(concern.of(names.collect()));
        }
        if let Some(last) = all.last_mut() {
            last.cure = "once the cause is fixed: coder-sms-register retry --all, or retry SID; to discard them: drop".to_owned();
        }
        all
    }

    /// Logins that could not be sent again, and passwords that were renewed, but not sent yet.
    fn of_passwords(&self) -> impl Iterator<Item = Concern> {
        let names = |is_meant: &dyn Fn(&&Registration) -> bool| -> Vec<String> {
            let meant = self.roster.iter().filter(is_meant);
            meant.map(|one| one.username.to_string()).collect()
        };
        let withheld = names(&|one| one.withheld_at.is_some());
        let renewed = names(&|one| one.withheld_at.is_none() && one.renewed_at.is_some());
        let withheld = (!withheld.is_empty()).then(|| {
            let number = count(withheld.len(), "login");
            fault(format!(
                "{number} could not be sent again: the account has another password, and the token (CODER_API_KEY) may not set one"
            ))
            .of(withheld)
            .helped_by("use a token that may (an Owner's), then: coder-sms-register renew USER")
        });
        let renewed = (!renewed.is_empty()).then(|| {
            let were = were(renewed.len(), "password");
            warning(format!("{were} renewed, but not sent yet"))
                .of(renewed)
                .helped_by(format!("the student texts {}", self.reply.what_to_text()))
        });
        withheld.into_iter().chain(renewed)
    }

    /// Workspaces that are not made or do not run, by the reason.
    fn of_workspaces(&self) -> Vec<Concern> {
        type WorkspaceCause<'a> = (bool, WorkspaceTrouble, &'a str, &'a str);
        let mut causes: BTreeMap<WorkspaceCause<'_>, Vec<String>> = BTreeMap::new();
        for (one, template) in self.troubled_workspaces() {
            let template = match one.trouble {
                // It concerns all templates alike.
                WorkspaceTrouble::CoderAway => "",
                _ => template,
            };
            let cause = (one.is_spare, one.trouble, one.note.as_str(), template);
            let names = causes.entry(cause).or_default();
            names.push(one.username.to_string());
        }
        let concern = |(cause, names): (WorkspaceCause<'_>, Vec<String>)| {
            let (is_spare, trouble, note, template) = cause;
            let verb = match (trouble.is_of_build(), names.len()) {
                (true, 1) => "does not run",
                (true, _) => "do not run",
                (false, 1) => "was not made",
                (false, _) => "were not made",
            };
            let number = count(names.len(), "workspace");
            let note = match note {
                "" => String::new(),
                words => format!(" ({words})"),
            };
            let whose = match (is_spare, names.len()) {
                (false, _) => "",
                (true, 1) => " of a spare account",
                (true, _) => " of spare accounts",
            };
            let reason = trouble.reason(template);
            let what = format!("{number}{whose} {verb}: {reason}{note}");
            // Students get logins without them.
            let concern = if is_spare { warning(what) } else { fault(what) };
            concern.of(names).helped_by(trouble.cure())
        };
        causes.into_iter().map(concern).collect()
    }

    /// Accounts that still exist long after their time, by the reason.
    fn of_removals(&self) -> Vec<Concern> {
        let mut notes: Vec<(Option<&str>, Vec<&Registration>)> = Vec::new();
        for one in self.overdue().filter(|one| self.is_late(one)) {
            let note = one.reap_note.as_deref();
            match notes.iter_mut().find(|(known, _)| *known == note) {
                Some((_, accounts)) => accounts.push(one),
                None => notes.push((note, vec![one])),
            }
        }
        let concern = |(note, accounts): (Option<&str>, Vec<&Registration>)| {
            let since = accounts.iter().filter_map(|one| one.due_at).min();
            let since = since.map_or_else(String::new, |due| span(self.now - due));
            let note = note.unwrap_or("the service has not tried to remove it yet");
            let number = count(accounts.len(), "account");
            let what =
                format!("{number} not removed yet although the time was up {since} ago: {note}");
            let names = accounts.iter().map(|one| one.username.to_string());
            warning(what).of(names.collect())
        };
        notes.into_iter().map(concern).collect()
    }

    /// Logins whose words are still in Twilio's log.
    fn of_log(&self) -> Vec<Concern> {
        let mut all = Vec::new();
        let Some((given_up, late)) = &self.pending_redactions else {
            return all;
        };
        if !given_up.is_empty() {
            let number = count(given_up.len(), "login");
            let names = given_up.iter().map(MessageSid::to_string);
            let what = format!("could not be redacted in Twilio's log: {number}");
            let concern = fault(what).of(names.collect());
            all.push(concern.helped_by("delete them in Twilio's console"));
        }
        if *late > 0 {
            let number = count(*late, "login");
            all.push(
                warning(format!("not yet redacted in Twilio's log: {number}"))
                    .helped_by("the service tries again; its log has the reason"),
            );
        }
        all
    }

    /// Accounts in Coder with our mark that are missing from the database.
    fn of_unknown_accounts(&self) -> Vec<Concern> {
        let kinds = [
            (
                true,
                "made by this service",
                "adopted at its next start or within a day, or now by: coder-sms-register reconcile",
            ),
            (
                false,
                "with our mark",
                "not removed by this service; see: coder-sms-register reconcile",
            ),
        ];
        let mut all = Vec::new();
        for (is_ours, what, cure) in kinds {
            let found = self.unknown.iter();
            let found = found.filter(|one| (one.ownership == Ownership::Ours) == is_ours);
            let names: Vec<String> = found.map(|one| one.username.to_string()).collect();
            if !names.is_empty() {
                let number = count(names.len(), "account");
                let what = format!("missing from the database, {what}: {number}");
                all.push(warning(what).of(names).helped_by(cure));
            }
        }
        all
    }
}

//! Random populations of a Coder server: our students at every stage, strangers who look nearly like
//! them, and what happens to both while removals go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use coder_sms_register::clock::unix_now;
use coder_sms_register::coder::{Coder, CreateResult, NewUser};
use coder_sms_register::domain::registration::Sending;
use coder_sms_register::domain::{Marker, Password, PhoneKey, UnixSeconds, Username};
use coder_sms_register::store::SentLogin;

use super::inside::{DOMAIN, Inside, home, sid};
use crate::fakes::coder::{FakeCoder, Role, Version, ops};
use crate::fakes::random::Dice;
use crate::fakes::trouble::{Op, Trouble, When};

/// A time that no proof reaches.
pub const FAR: UnixSeconds = 90 * 86_400;

/// The calls of a removal.
const CALLS: &[Op] = &[
    Op::ANY,
    ops::READ_USER,
    ops::LIST_USERS,
    ops::LIST_WORKSPACES,
    ops::SUSPEND,
    ops::CREATE_BUILD,
    ops::DELETE_USER,
];

/// One of our students.
#[derive(Debug)]
pub struct Ours {
    /// The number of the row.
    pub row: i64,
    /// The name that was drawn.
    pub username: String,
    /// The Coder user's id, if one was made.
    pub id: Option<String>,
    /// When the time is up.
    pub due: Option<UnixSeconds>,
    /// Somebody else has deleted the user.
    pub deleted: bool,
    marker: Marker,
}

/// Everybody at one server.
pub struct Students {
    pub coder: Arc<FakeCoder>,
    pub ours: Vec<Ours>,
    /// The ids of everybody else.
    pub strangers: Vec<String>,
    /// When it began.
    pub base: UnixSeconds,
    /// What happened, for a person who looks at a failed proof.
    pub story: Vec<String>,
    serial: u64,
    /// Some are known by address and age alone, which a step of Coder's clock falsifies.
    by_age: bool,
    /// No surprise that waits for its call shall come any more.
    over: Arc<AtomicBool>,
}

fn pick<T: Copy>(dice: &mut Dice, list: &[T]) -> T {
    let number = dice.below(list.len() as u64);
    list[usize::try_from(number).expect("an index")]
}

/// The client of a population's own server.
pub struct PopulationServer<'a> {
    pub inside: &'a mut Inside,
    pub client: &'a Coder,
}

impl Students {
    /// An empty server of a random release.
    pub fn new(dice: &mut Dice) -> Self {
        let version = pick(dice, &[Version::V2_10, Version::V2_20, Version::Newest]);
        let coder = Arc::new(FakeCoder::start_version(version));
        coder.rate_limits(false);
        let time = pick(dice, &[0, 0, 1, 3]);
        coder.build_time(std::time::Duration::from_millis(time));
        Self {
            coder,
            ours: Vec::new(),
            strangers: Vec::new(),
            base: unix_now(),
            story: vec![format!("{version:?}, builds take {time} ms")],
            serial: 0,
            by_age: version == Version::V2_10,
            over: Arc::default(),
        }
    }

    /// Up to five of each.
    pub fn settle(&mut self, server: &mut PopulationServer<'_>, dice: &mut Dice) {
        for _ in 0..dice.below(6) {
            self.add_ours(server, dice);
        }
        for _ in 0..dice.below(6) {
            self.add_stranger(dice);
        }
    }

    /// The present name of a user that is not deleted.
    pub fn name_of(&self, id: &str) -> Option<String> {
        let users = self.coder.users();
        users
            .into_iter()
            .find(|user| user.id == id)
            .map(|user| user.username)
    }

    fn new_name(&mut self, base: &str) -> String {
        self.serial += 1;
        format!("{base}-{}", self.serial)
    }

    /// A student of ours at a random stage, with workspaces in random states.
    fn add_ours(&mut self, server: &mut PopulationServer<'_>, dice: &mut Dice) {
        let base = self.base;
        let due = base + i64::try_from(dice.below(4 * 3_600)).expect("hours");
        let stage = dice.below(7);
        let (row, username, marker) = server.inside.reserve(base, due);
        let mut one = Ours {
            row,
            username: username.as_str().to_owned(),
            id: None,
            due: Some(due),
            deleted: false,
            marker,
        };
        if stage > 0 {
            one.id = Some(make_user(server.client, &username, &one.marker));
        }
        let store = server.inside.store();
        if stage > 1 {
            let id = one.id.as_deref().unwrap_or_default();
            let fingerprint = server.inside.key().fingerprint(id);
            let since = base;
            let sending = (dice.below(2) == 0).then_some(Sending { fingerprint, since });
            store.created(row, id, due, sending).expect("a user");
        }
        if (3..6).contains(&stage) {
            one.due = match dice.below(8) {
                0 => None,
                1 => Some(base + FAR),
                _ => Some(due),
            };
            let sent = SentLogin {
                text: None,
                at: base,
                due_at: one.due,
                window_start: base,
                sent_in_window: 1,
            };
            let number = row.unsigned_abs();
            store.login_sent(row, &sid(number), sent).expect("a login");
        } else if stage == 6 {
            assert!(store.begin_removal(row, due).expect("a removal begun"));
        }
        if one.id.is_some() {
            let name = one.username.clone();
            self.add_workspaces(&name, dice, 4);
        }
        self.story.push(format!("{one:?} at stage {stage}"));
        self.ours.push(one);
    }

    fn add_workspaces(&mut self, owner: &str, dice: &mut Dice, below: u64) {
        let coder = &self.coder;
        for number in 0..dice.below(below) {
            let name = format!("w{number}");
            let place = format!("{owner}/{name}");
            let state = dice.below(7);
            match state {
                0 => drop(coder.start_workspace(owner, &name)),
                1 => {
                    coder.fail_starts(&place, 1);
                    coder.start_workspace(owner, &name);
                }
                _ => drop(coder.running_workspace(owner, &name)),
            }
            if state > 2 {
                coder.stop_workspace(owner, &name);
            }
            if state == 4 {
                let times = 1 + usize::try_from(dice.below(3)).expect("few");
                coder.fail_deletes(&place, times);
            }
            if state == 5 {
                coder.make_dormant(owner, &name);
            }
            if state == 6 {
                coder.cancel_build(owner, &name);
            }
        }
    }

    /// Somebody else, in many ways like one of ours.
    fn add_stranger(&mut self, dice: &mut Dice) {
        let like = if self.ours.is_empty() {
            None
        } else {
            let number = usize::try_from(dice.below(self.ours.len() as u64)).expect("an index");
            Some(&self.ours[number])
        };
        let marker = like.map(|one| one.marker.as_str().to_owned());
        let taken = like.map(|one| one.username.clone());
        let nearly = format!("{}@{DOMAIN}", taken.as_deref().unwrap_or_default());
        let free = like.is_some_and(|one| one.id.is_none());
        let other = Username::draw(0);
        let installation = PhoneKey::derive("somebody else's key");
        let mut name = self.new_name("teacher");
        let mut email = format!("{name}@school.example.org");
        let mut display = String::new();
        match (dice.below(6), taken, marker) {
            (0, ..) => email = format!("{name}@{DOMAIN}"),
            (1, ..) => {
                name = other.as_str().to_owned();
                email = other.email(DOMAIN);
                display = Marker::draw(&other, &installation, &home())
                    .as_str()
                    .to_owned();
            }
            (2, Some(taken), Some(marker)) => {
                name = format!("{taken}-2");
                display = marker[..marker.len() - 1].to_owned();
            }
            (3, Some(taken), Some(marker)) if free => {
                // The very name that was drawn for a student, with nearly the marker.
                name = taken;
                display = marker[..marker.len() - 1].to_owned();
            }
            (4, Some(_), _) if free => {
                // The very address, of a time before ours was drawn; no display name, as on old servers.
                email = nearly.clone();
            }
            (5, Some(taken), Some(marker)) => {
                name = format!("a-{taken}");
                display = format!("{marker} ");
            }
            _ => {}
        }
        if self.coder.user(&name).is_some() {
            return;
        }
        self.by_age |= email == nearly;
        let id = self.coder.add_stranger(&name, &email);
        self.coder.set_display_name(&name, &display);
        self.coder
            .make_older(&name, std::time::Duration::from_secs(30));
        self.story
            .push(format!("stranger {name} {email} {display:?}"));
        self.strangers.push(id);
        self.add_workspaces(&name, dice, 3);
    }

    /// Something happens that is none of our doing.
    pub fn something_happens(&mut self, dice: &mut Dice) {
        let what = dice.below(18);
        self.story.push(format!("event {what}"));
        match what {
            0..=5 => self.happens_to_one(dice, what),
            6 => self.rights_change(dice),
            7 => {
                let suspended = dice.below(2) == 0;
                self.coder.token_owner_suspended(suspended);
            }
            8 => self.coder.no_provisioners(dice.below(2) == 0),
            9 => self.coder.upgrade(Version::Newest),
            10 => {
                let ahead: i64 = pick(dice, &[-7_200, -960, -600, 0, 600, 960, 7_200]);
                let falsifies = self.by_age && ahead.abs() == 600;
                let ahead = if falsifies { 0 } else { ahead };
                self.coder.clock_is_ahead(ahead);
            }
            11 => self.coder.unreliable(dice.below(1_000), dice.below(40)),
            12 | 13 => self.something_will_happen(dice),
            _ => self.calls_go_wrong(dice),
        }
    }

    /// The next call of some kind is met by a surprise: a right that is lost just then, a workspace
    /// that is started.
    fn something_will_happen(&self, dice: &mut Dice) {
        let op = pick(dice, CALLS);
        let when = pick(dice, &[When::Before, When::After]);
        let workspace = dice.below(2) == 0;
        let student = self.ours.first().map(|one| one.username.clone());
        // The fake must not keep itself alive.
        let (fake, over) = (Arc::downgrade(&self.coder), Arc::clone(&self.over));
        let surprise = move || match fake.upgrade() {
            Some(fake) if !over.load(Ordering::Relaxed) => match &student {
                Some(student) if workspace => drop(fake.start_workspace(student, "sudden")),
                _ => fake.token_loses_rights(),
            },
            _ => {}
        };
        self.coder.on(op, when, 1, Box::new(surprise));
    }

    fn calls_go_wrong(&self, dice: &mut Dice) {
        let op = pick(dice, CALLS);
        let body = serde_json::json!({ "message": "Forbidden." });
        let trouble = match dice.below(7) {
            0 | 1 => Trouble::LoseReply,
            2 => Trouble::CutBefore,
            3 => Trouble::bad_gateway(),
            4 => Trouble::html(404, "Not Found"),
            5 => Trouble::too_many_requests(60),
            _ => Trouble::json(403, &body),
        };
        let times = 1 + usize::try_from(dice.below(3)).expect("few");
        self.coder.trouble(op, times, trouble);
    }

    fn rights_change(&self, dice: &mut Dice) {
        match dice.below(4) {
            0 => self.coder.token_loses_rights(),
            1 => self.coder.token_roles(&[Role::UserAdmin]),
            2 => self.coder.token_roles(&[Role::TemplateAdmin]),
            _ => self.coder.token_roles(&[Role::Owner]),
        }
    }

    fn happens_to_one(&mut self, dice: &mut Dice, what: u64) {
        if self.ours.is_empty() {
            return;
        }
        let number = usize::try_from(dice.below(self.ours.len() as u64)).expect("an index");
        let id = self.ours[number].id.clone();
        let Some(name) = id.and_then(|id| self.name_of(&id)) else {
            return;
        };
        match what {
            0 => {
                let renamed = self.new_name("renamed");
                self.coder.rename_user(&name, &renamed);
            }
            1 if dice.below(2) == 0 => {
                self.coder.delete_user(&name);
                self.ours[number].deleted = true;
                if dice.below(2) == 0 {
                    let email = format!("{name}@school.example.org");
                    self.strangers.push(self.coder.add_stranger(&name, &email));
                    self.add_workspaces(&name, dice, 3);
                }
            }
            2 => self.coder.suspend_user(&name),
            3 => drop(self.coder.start_workspace(&name, "w0")),
            4 => drop(self.coder.start_workspace(&name, "late")),
            _ => drop(self.coder.stop_workspace(&name, "w0")),
        }
    }

    /// All that stood in the way is over.
    pub fn all_is_well(&mut self) {
        self.story.push("all is well".to_owned());
        self.over.store(true, Ordering::Relaxed);
        self.coder.no_more_trouble();
        self.coder.token_owner_suspended(false);
        self.coder.token_roles(&[Role::Owner]);
        self.coder.no_provisioners(false);
        self.coder.clock_is_ahead(0);
        // Students go home: the server stops what still runs.
        self.coder.auto_stop_after(std::time::Duration::ZERO);
    }
}

fn make_user(client: &Coder, username: &Username, marker: &Marker) -> String {
    let new = NewUser {
        username,
        email: &username.email(DOMAIN),
        marker,
        password: &Password::draw(),
    };
    match client.create_user(new) {
        Ok(CreateResult::Created(user)) => user.id,
        other => panic!("no user was made: {other:?}"),
    }
}

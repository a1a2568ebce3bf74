//! What the server remembers: its users and their keys, its settings, and what was done to whom.

use std::time::{Duration, Instant, SystemTime};

use super::super::random;
use super::auth::Caller;
use super::limits::Limiter;
use super::timeline::{Transition, Workspace};

/// Which release the fake is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// Early 2024: one optional organization; `name` and `user_status` of a new user are ignored.
    V2_10,
    /// Early 2025: organizations are required; login type `none` is still allowed.
    V2_20,
    /// Autumn 2026.
    Newest,
}

impl Version {
    /// As in `X-Coder-Build-Version` and in the build info.
    pub fn build(self) -> &'static str {
        match self {
            Self::V2_10 => "v2.10.1+3d1f4a2",
            Self::V2_20 => "v2.20.2+8fc3b1d",
            Self::Newest => "v2.38.0+5b7d9e0",
        }
    }
}

/// What a user may do beyond their own things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Owner,
    /// Users, but not other people's workspaces.
    UserAdmin,
    /// Reads users and workspaces; no more.
    TemplateAdmin,
    /// Reads users, and manages the workspaces of the organization.
    OrganizationAdmin,
}

/// Whether a user may log in, and whether it ever has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Active,
    Dormant,
    Suspended,
}

impl Status {
    /// The word of the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Dormant => "dormant",
            Self::Suspended => "suspended",
        }
    }

    /// The status of a word of the API.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Active, Self::Dormant, Self::Suspended]
            .into_iter()
            .find(|status| status.word() == word)
    }
}

/// A user's row. Deleted users keep theirs.
pub(super) struct User {
    pub id: String,
    pub username: String,
    pub email: String,
    pub name: String,
    /// Kept in clear: the fake must compare it, and it dies with the test.
    pub password: String,
    pub login_type: &'static str,
    pub status: Status,
    pub roles: Vec<Role>,
    pub created: Instant,
    pub updated: Instant,
    pub last_seen: Option<Instant>,
    pub deleted: bool,
    /// Created by a call with the API token.
    pub by_api: bool,
}

impl User {
    /// Has this role.
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

/// What an owner's token lives for from its last use, since 2.24 or so.
const OWNER_TOKEN: Duration = Duration::from_secs(168 * 3_600);

/// A session or an API token: `id-secret`.
pub(super) struct Key {
    pub id: String,
    pub secret: String,
    /// The id of the user that it opens the door for.
    pub user: String,
    pub expired: bool,
    /// How long it is good from its last use on.
    pub lives: Duration,
}

/// What the `settings` verbs change.
pub(super) struct Settings {
    pub build_time: Duration,
    pub hashing_time: Duration,
    pub no_provisioners: bool,
    /// Since when provisioners have been there, or away.
    pub provisioners_since: Instant,
    /// How long a workspace runs before the server stops it.
    pub auto_stop: Option<Duration>,
    /// How long a build waits before the server fails it.
    pub pending_limit: Duration,
    pub password_auth: bool,
    pub rate_limits: bool,
    /// `CODER_API_RATE_LIMIT`: calls a minute that one caller may make to one path.
    pub calls_a_minute: u64,
}

/// Something the API token's owner did, or tried to do, to a user or to a user's workspace.
#[derive(Debug, Clone)]
pub struct Deed {
    /// When.
    pub at: Instant,
    /// `create user`, `delete user`, `build delete` ...
    pub what: String,
    /// Whose account or workspace.
    pub username: String,
    /// The user's id.
    pub user_id: String,
    /// The user was not created by this token.
    pub foreign: bool,
}

/// Everything behind the API.
pub(super) struct World {
    pub version: Version,
    /// The id of the one organization.
    pub organization: String,
    /// The id of the one template.
    pub template: String,
    pub users: Vec<User>,
    pub keys: Vec<Key>,
    /// The user that the API token belongs to.
    pub admin: String,
    pub workspaces: Vec<Workspace>,
    pub settings: Settings,
    pub limiter: Limiter,
    pub ledger: Vec<Deed>,
    /// Builds that are to fail: of this user or workspace, this transition, so many times.
    pub failing: Vec<(String, Transition, usize)>,
    born: (Instant, SystemTime),
    /// Since when the server's clock has been ahead of this machine's by so many seconds.
    pub clock_set: Vec<(Instant, i64)>,
}

impl World {
    /// A server with one owner and the owner's token.
    pub fn new(version: Version) -> Self {
        let now = Instant::now();
        let settings = Settings {
            build_time: Duration::from_millis(50),
            hashing_time: Duration::ZERO,
            no_provisioners: false,
            provisioners_since: now,
            auto_stop: None,
            pending_limit: Duration::from_secs(30 * 60),
            password_auth: true,
            rate_limits: true,
            calls_a_minute: 512,
        };
        let mut world = Self {
            version,
            organization: random::uuid(),
            template: random::uuid(),
            users: Vec::new(),
            keys: Vec::new(),
            admin: String::new(),
            workspaces: Vec::new(),
            settings,
            limiter: Limiter::default(),
            ledger: Vec::new(),
            failing: Vec::new(),
            born: (now, SystemTime::now()),
            clock_set: Vec::new(),
        };
        let admin = world.add_user("admin", "admin@coder.test", &random::letters_and_digits(20));
        admin.roles = vec![Role::Owner];
        admin.status = Status::Active;
        world.admin = admin.id.clone();
        world.add_key(world.admin.clone());
        world
    }

    /// A new dormant user; the caller changes what shall be different.
    pub fn add_user(&mut self, username: &str, email: &str, password: &str) -> &mut User {
        let now = Instant::now();
        self.users.push(User {
            id: random::uuid(),
            username: username.to_owned(),
            email: email.to_owned(),
            name: String::new(),
            password: password.to_owned(),
            login_type: "password",
            status: Status::Dormant,
            roles: Vec::new(),
            created: now,
            updated: now,
            last_seen: None,
            deleted: false,
            by_api: false,
        });
        self.users.last_mut().expect("just added")
    }

    /// A new key for a user, as `id-secret`.
    pub fn add_key(&mut self, user: String) -> String {
        let (id, secret) = (
            random::letters_and_digits(10),
            random::letters_and_digits(22),
        );
        let token = format!("{id}-{secret}");
        self.keys.push(Key {
            id,
            secret,
            user,
            expired: false,
            lives: OWNER_TOKEN,
        });
        token
    }

    /// The token that the fake hands out.
    pub fn token(&self) -> String {
        let key = self.keys.iter().rev().find(|key| key.user == self.admin);
        key.map_or_else(String::new, |key| format!("{}-{}", key.id, key.secret))
    }

    /// The date that the server's clock showed at a moment.
    pub fn date(&self, at: Instant) -> SystemTime {
        let (born, date) = self.born;
        let true_date = match at.checked_duration_since(born) {
            Some(since) => date + since,
            None => date - born.duration_since(at),
        };
        let set = self.clock_set.iter().rev().find(|(since, _)| *since <= at);
        match set.map_or(0, |(_, ahead)| *ahead) {
            ahead if ahead < 0 => true_date - Duration::from_secs(ahead.unsigned_abs()),
            ahead => true_date + Duration::from_secs(ahead.unsigned_abs()),
        }
    }

    /// A user by id, deleted or not.
    pub fn by_id(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    /// A user that is not deleted, whatever the case of the name.
    pub fn by_name(&self, username: &str) -> Option<&User> {
        self.users
            .iter()
            .find(|user| !user.deleted && user.username.eq_ignore_ascii_case(username))
    }

    /// A user that is not deleted, whatever the case of the address.
    pub fn by_email(&self, email: &str) -> Option<&User> {
        self.users
            .iter()
            .find(|user| !user.deleted && user.email.eq_ignore_ascii_case(email))
    }

    /// The name for an id.
    pub fn username(&self, id: &str) -> String {
        self.by_id(id)
            .map(|user| user.username.clone())
            .unwrap_or_default()
    }

    /// The user's workspaces that are not deleted.
    pub fn workspaces_of(&self, id: &str) -> impl Iterator<Item = &Workspace> {
        self.workspaces
            .iter()
            .filter(move |workspace| !workspace.deleted && workspace.owner == id)
    }

    /// Notes what the API token's owner did or tried; what others do is nobody's business.
    pub fn note(&mut self, caller: &Caller, what: &str, user: &str) {
        if caller.id != self.admin {
            return;
        }
        let Some(User {
            id,
            username,
            by_api,
            ..
        }) = self.users.iter().find(|known| known.id == user)
        else {
            return;
        };
        self.ledger.push(Deed {
            at: Instant::now(),
            what: what.to_owned(),
            username: username.clone(),
            user_id: id.clone(),
            foreign: !by_api,
        });
    }
}

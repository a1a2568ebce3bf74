//! What the server remembers: its users and their keys, its settings, and what was done to whom.

use std::collections::HashMap;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant, SystemTime};

use super::super::random;
use super::auth::Caller;
use super::class::Mails;
use super::keys::{Key, OWNER_TOKEN};
use super::limits::Limiter;
use super::templates::Template;
use super::timeline::{Transition, Workspace};

/// Which release the fake is. From 2.24.4 to 2.31.14 its answers are held to recordings of real servers; the two
/// older ones and the newest one follow the source of Coder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 2.10, early 2024: one optional organization; `name` and `user_status` of a new user are ignored.
    V2_10,
    /// 2.20, early 2025: organizations are required.
    V2_20,
    /// 2.24.4.
    V2_24,
    /// 2.25.3: a user is deleted although it owns workspaces, if the caller cannot see them.
    V2_25,
    /// 2.29.19: members cannot rename themselves; API tokens are not prolonged by use.
    V2_29,
    /// 2.31.14: an unknown user is 404 instead of 400; API tokens are prolonged by use.
    V2_31,
    /// Later than 2.35.1, as on the main branch in July 2026: a user admin may set passwords, an organization has
    /// default roles, API tokens are not prolonged by use, calls are counted by user.
    Newest,
}

impl Version {
    /// The releases whose answers were recorded.
    pub const RECORDED: [Self; 4] = [Self::V2_24, Self::V2_25, Self::V2_29, Self::V2_31];

    /// As in `X-Coder-Build-Version` and in the build info.
    pub fn build(self) -> &'static str {
        match self {
            Self::V2_10 => "v2.10.1+3d1f4a2",
            Self::V2_20 => "v2.20.2+8fc3b1d",
            Self::V2_24 => "v2.24.4",
            Self::V2_25 => "v2.25.3",
            Self::V2_29 => "v2.29.19",
            Self::V2_31 => "v2.31.14",
            Self::Newest => "v2.38.0+5b7d9e0",
        }
    }

    /// The workspaces that keep a user from being deleted are those that the caller sees, not all.
    pub(super) fn counts_seen_workspaces_only(self) -> bool {
        matches!(self, Self::V2_10 | Self::V2_20 | Self::V2_25)
    }

    /// Use prolongs a token that was made by `POST /users/{user}/keys/tokens`.
    pub(super) fn prolongs_tokens(self) -> bool {
        !matches!(self, Self::V2_29 | Self::Newest)
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

impl Role {
    const ALL: [Self; 4] = [
        Self::Owner,
        Self::UserAdmin,
        Self::TemplateAdmin,
        Self::OrganizationAdmin,
    ];

    /// The word of the API.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::UserAdmin => "user-admin",
            Self::TemplateAdmin => "template-admin",
            Self::OrganizationAdmin => "organization-admin",
        }
    }

    /// The name for people.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Owner => "Owner",
            Self::UserAdmin => "User Admin",
            Self::TemplateAdmin => "Template Admin",
            Self::OrganizationAdmin => "Organization Admin",
        }
    }

    /// The role of a word of the API.
    pub(super) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }

    /// Holds in the whole deployment, not in the organization only.
    pub(super) fn is_of_site(self) -> bool {
        self != Self::OrganizationAdmin
    }
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
    /// How many different ones it has had.
    pub passwords: usize,
    pub login_type: &'static str,
    pub status: Status,
    /// When it was suspended, if it is.
    pub suspended: Option<Instant>,
    pub roles: Vec<Role>,
    pub created: Instant,
    pub updated: Instant,
    pub last_seen: Option<Instant>,
    pub deleted: bool,
    /// Created by a call with the API token.
    pub by_api: bool,
}

impl User {
    /// Has this password from now on.
    pub fn takes_password(&mut self, new: &str) {
        self.passwords += usize::from(self.password != new);
        new.clone_into(&mut self.password);
    }

    /// Is suspended from now on, or active again.
    pub fn suspend(&mut self, suspend: bool) {
        let now = Instant::now();
        self.updated = now;
        (self.status, self.suspended) = match suspend {
            true => (Status::Suspended, self.suspended.or(Some(now))),
            false => (Status::Active, None),
        };
    }

    /// Has this role.
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

/// The role by which a member of the organization may have workspaces, in the newest release.
pub(super) const WORKSPACE_ACCESS: &str = "organization-workspace-access";

/// What the `settings` verbs change.
pub(super) struct Settings {
    pub build_time: Duration,
    /// Where calls that make users meet before they take a name.
    pub meeting: Option<Arc<Barrier>>,
    pub no_provisioners: bool,
    /// Since when provisioners have been there, or away.
    pub provisioners_since: Instant,
    /// How long the server takes to stop the running workspaces of a suspended user.
    pub suspended_stop: Duration,
    /// The roles that every member of the organization has, in the newest release.
    pub default_org_member_roles: Vec<String>,
    /// The callers are members of two other organizations, and do not see the default one.
    pub default_organization_is_hidden: bool,
    pub mails: Mails,
    /// What failed builds say.
    pub build_error: String,
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
    /// Never empty.
    pub templates: Vec<Template>,
    pub users: Vec<User>,
    /// The position of each user, by id: a large class is asked for one user thousands of times.
    places: HashMap<String, usize>,
    pub keys: Vec<Key>,
    /// The user that the API token belongs to.
    pub admin: String,
    pub workspaces: Vec<Workspace>,
    pub settings: Settings,
    pub limiter: Limiter,
    pub ledger: Vec<Deed>,
    /// Builds that are to fail: of this user or workspace, this transition, this number of times.
    pub failing: Vec<(String, Transition, usize)>,
    born: (Instant, SystemTime),
    /// When the server started.
    pub since: Instant,
    /// Since when the server's clock has been ahead of this machine's, and by how many seconds.
    pub clock_set: Vec<(Instant, i64)>,
}

impl World {
    /// A server with one owner and the owner's token.
    pub fn new(version: Version) -> Self {
        let now = Instant::now();
        let settings = Settings {
            build_time: Duration::from_millis(50),
            meeting: None,
            no_provisioners: false,
            provisioners_since: now,
            suspended_stop: Duration::from_millis(500),
            default_org_member_roles: vec![WORKSPACE_ACCESS.to_owned()],
            default_organization_is_hidden: false,
            mails: Mails::Off,
            build_error: "recv workspace provision: exit status 1".to_owned(),
            auto_stop: None,
            pending_limit: Duration::from_secs(30 * 60),
            password_auth: true,
            rate_limits: true,
            calls_a_minute: 512,
        };
        let mut world = Self {
            version,
            organization: random::uuid(),
            templates: vec![Template::new("docker")],
            since: now,
            users: Vec::new(),
            places: HashMap::new(),
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
        world.add_token(world.admin.clone(), "class", OWNER_TOKEN);
        world
    }

    /// A new dormant user; the caller changes what shall be different.
    pub fn add_user(&mut self, username: &str, email: &str, password: &str) -> &mut User {
        let (id, now) = (random::uuid(), Instant::now());
        self.places.insert(id.clone(), self.users.len());
        self.users.push(User {
            id,
            username: username.to_owned(),
            email: email.to_owned(),
            name: String::new(),
            password: password.to_owned(),
            passwords: 1,
            login_type: "password",
            status: Status::Dormant,
            suspended: None,
            roles: Vec::new(),
            created: now,
            updated: now,
            last_seen: None,
            deleted: false,
            by_api: false,
        });
        self.users.last_mut().expect("just added")
    }

    /// What the server's clock shows.
    pub fn now(&self) -> SystemTime {
        self.date(Instant::now())
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

    /// A template by id.
    pub fn template(&self, id: &str) -> Option<&Template> {
        self.templates.iter().find(|template| template.id == id)
    }

    /// A user by id, deleted or not.
    pub fn by_id(&self, id: &str) -> Option<&User> {
        Some(&self.users[*self.places.get(id)?])
    }

    /// The same, to change it.
    pub fn by_id_mut(&mut self, id: &str) -> Option<&mut User> {
        Some(&mut self.users[*self.places.get(id)?])
    }

    /// Marks a user as deleted. Its sessions and tokens end with it.
    pub fn delete_user(&mut self, id: &str) {
        self.by_id_mut(id)
            .into_iter()
            .for_each(|user| user.deleted = true);
        self.keys.retain(|key| key.user != id);
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
        let Some(user) = self.by_id(user) else {
            return;
        };
        let deed = Deed {
            at: Instant::now(),
            what: what.to_owned(),
            username: user.username.clone(),
            user_id: user.id.clone(),
            foreign: !user.by_api,
        };
        self.ledger.push(deed);
    }
}

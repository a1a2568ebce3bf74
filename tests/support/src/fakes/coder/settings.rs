//! What tests change about the server itself.

use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant, SystemTime};

use super::FakeCoder;
use super::class::Mails;
use super::keys::{Key, OWNER_TOKEN};
use super::templates::Template;
use super::timeline::Transition;
use super::world::{Role, Version};

impl FakeCoder {
    /// How long builds take that are queued from now on: a fifth of it pending, the rest running. At first 50 ms.
    pub fn build_time(&self, time: Duration) {
        self.look(|world| world.settings.build_time = time);
    }

    /// Every build that is active ends now, as it would have in the end.
    pub fn finish_builds(&self) {
        self.look(|world| world.finish_builds());
    }

    /// One more template. Answers its id and the id of its active version.
    pub fn add_template(&self, name: &str) -> (String, String) {
        self.look(|world| {
            let template = Template::new(name);
            let ids = (template.id.clone(), template.version.clone());
            world.templates.push(template);
            ids
        })
    }

    /// There is no template at all any more, or one again.
    pub fn remove_template(&self, name: &str) {
        self.look(|world| world.templates.retain(|template| template.name != name));
    }

    /// The next `calls` that make a user all look for its name before one of them takes it, as calls at the same
    /// moment do.
    pub fn make_users_at_once(&self, calls: usize) {
        let meeting = Some(Arc::new(Barrier::new(calls)));
        self.look(|world| world.settings.meeting = meeting);
    }

    /// Ends what [`FakeCoder::make_users_at_once`] began.
    pub fn make_users_apart(&self) {
        self.look(|world| world.settings.meeting = None);
    }

    /// Without provisioners queued builds stay pending.
    pub fn no_provisioners(&self, absent: bool) {
        self.look(|world| {
            world.settings.no_provisioners = absent;
            world.settings.provisioners_since = Instant::now();
        });
    }

    /// How long a pending build waits before the server fails it. At first 30 minutes.
    pub fn pending_builds_fail_after(&self, time: Duration) {
        self.look(|world| world.settings.pending_limit = time);
    }

    /// From now on the server stops workspaces that have run this long.
    pub fn auto_stop_after(&self, time: Duration) {
        self.look(|world| world.settings.auto_stop = Some(time));
    }

    /// How long the server takes to stop the running workspaces of a suspended user. A real one takes up to a minute;
    /// at first 500 ms.
    pub fn suspended_workspaces_stop_after(&self, time: Duration) {
        self.look(|world| world.settings.suspended_stop = time);
    }

    /// The roles that every member of the organization has, in the newest release. At first
    /// `organization-workspace-access`.
    pub fn default_org_member_roles(&self, roles: &[&str]) {
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        self.look(|world| world.settings.default_org_member_roles = roles);
    }

    /// All templates are deleted.
    pub fn no_templates(&self) {
        self.look(|world| world.templates.clear());
    }

    /// Whether the server sends mails. At first [`Mails::Off`].
    pub fn mails(&self, mails: Mails) {
        self.look(|world| world.settings.mails = mails);
    }

    /// The next `times` deletes fail: of this user's workspaces, of this workspace, or of `user/workspace`.
    pub fn fail_deletes(&self, target: &str, times: usize) {
        self.look(|world| {
            world
                .failing
                .push((target.to_owned(), Transition::Delete, times));
        });
    }

    /// The next `times` starts fail, chosen as in [`FakeCoder::fail_deletes`].
    pub fn fail_starts(&self, target: &str, times: usize) {
        self.look(|world| {
            world
                .failing
                .push((target.to_owned(), Transition::Start, times));
        });
    }

    /// The next `times` stops fail, chosen as in [`FakeCoder::fail_deletes`].
    pub fn fail_stops(&self, target: &str, times: usize) {
        self.look(|world| {
            world
                .failing
                .push((target.to_owned(), Transition::Stop, times));
        });
    }

    /// The server's clock is set: from now on it is so many seconds ahead of this machine's, or behind. What was
    /// dated before keeps its date.
    pub fn clock_is_ahead(&self, seconds: i64) {
        self.look(|world| world.clock_set.push((Instant::now(), seconds)));
    }

    /// The server is restarted as another release, with the same users, workspaces and tokens.
    pub fn upgrade(&self, version: Version) {
        self.look(|world| world.version = version);
    }

    /// Whether the callers are members of two other organizations, and do not see the default one.
    pub fn default_organization_is_hidden(&self, hidden: bool) {
        self.look(|world| world.settings.default_organization_is_hidden = hidden);
    }

    /// Whether users may have passwords at all.
    pub fn password_auth(&self, enabled: bool) {
        self.look(|world| world.settings.password_auth = enabled);
    }

    /// Whether calls are counted and refused with 429. At first they are.
    pub fn rate_limits(&self, enabled: bool) {
        self.look(|world| world.settings.rate_limits = enabled);
    }

    /// How often one caller may use one path within a minute, where Coder has no narrower limit. At first 512.
    pub fn calls_a_minute(&self, limit: u64) {
        self.look(|world| {
            world.settings.rate_limits = true;
            world.settings.calls_a_minute = limit;
        });
    }

    /// What the owner of the token may do. At first [`Role::Owner`].
    pub fn token_roles(&self, roles: &[Role]) {
        self.look(|world| {
            let admin = world.admin.clone();
            let user = world.users.iter_mut().find(|user| user.id == admin);
            user.expect("the admin is never removed").roles = roles.to_vec();
        });
    }

    /// The owner of the token becomes an ordinary member: it sees itself only.
    pub fn token_loses_rights(&self) {
        self.token_roles(&[]);
    }

    /// The owner of the token is suspended, or no longer so.
    pub fn token_owner_suspended(&self, suspended: bool) {
        self.change_user("admin", |user| user.suspend(suspended));
    }

    /// The old token is deleted; answers the new one.
    pub fn rotate_token(&self) -> String {
        self.look(|world| {
            let admin = world.admin.clone();
            world.keys.retain(|key| key.user != admin);
            world.add_token(admin, "class", OWNER_TOKEN)
        })
    }

    /// The token was made just now, to be good for so long. At first 7 days.
    pub fn token_lives(&self, time: Duration) {
        self.change_token(|key, now| {
            (key.lives, key.created, key.used) = (time, now, now);
            key.expires = now + time;
        });
    }

    /// The token was made, and last used, so much earlier than it was.
    pub fn token_is_older(&self, by: Duration) {
        self.change_token(|key, _| {
            key.created -= by;
            key.used -= by;
            key.expires -= by;
        });
    }

    fn change_token(&self, change: impl Fn(&mut Key, SystemTime)) {
        self.look(|world| {
            let (admin, now) = (world.admin.clone(), world.now());
            for key in world.keys.iter_mut().filter(|key| key.user == admin) {
                change(key, now);
            }
        });
    }

    /// The token's time is over; [`FakeCoder::rotate_token`] makes a new one.
    pub fn expire_token(&self) {
        self.change_token(|key, now| key.expires = now - Duration::from_secs(1));
    }
}

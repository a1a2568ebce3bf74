//! What tests change about the server itself.

use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant, SystemTime};

use super::super::random;
use super::FakeCoder;
use super::class::Mails;
use super::keys::{Key, OWNER_TOKEN};
use super::templates::{Parameter, Template};
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

    /// The template gets another name.
    pub fn rename_template(&self, from: &str, to: &str) {
        self.change_template(from, |template| template.name = to.to_owned());
    }

    /// The template is deleted; its workspaces stay.
    pub fn delete_template(&self, name: &str) {
        self.change_template(name, |template| template.deleted = true);
    }

    /// No more workspaces are made of the template, for this reason; with none, they are again.
    pub fn deprecate_template(&self, name: &str, reason: &str) {
        self.change_template(name, |template| template.deprecated = reason.to_owned());
    }

    /// The template's next version has this parameter, without a default. `options` are the values that it may have;
    /// none = any.
    pub fn require_parameter(&self, template: &str, name: &str, options: &[&str]) {
        self.change_template(template, |template| {
            template.version = random::uuid();
            template.parameters.push(Parameter {
                name: name.to_owned(),
                required: true,
                options: options.iter().map(|value| (*value).to_owned()).collect(),
            });
        });
    }

    /// The template's workspaces need a sign-in of their owner to this service.
    pub fn require_external_auth(&self, template: &str, id: &str, optional: bool) {
        let one = (id.to_owned(), optional);
        self.change_template(template, |template| template.external_auth.push(one));
    }

    /// Only admins may see the template and make workspaces of it.
    pub fn template_is_for_admins(&self, name: &str) {
        self.change_template(name, |template| template.for_admins = true);
    }

    /// The state of the import of the template's version: `succeeded`, `running` or `failed`.
    pub fn template_import(&self, name: &str, state: &'static str) {
        self.change_template(name, |template| template.import = state);
    }

    /// How long workspaces of the template run after a start, unless they say otherwise.
    pub fn template_runs_for(&self, name: &str, time: Duration) {
        let time = i64::try_from(time.as_millis()).expect("some days");
        self.change_template(name, |template| template.default_ttl_ms = time);
    }

    fn change_template(&self, name: &str, change: impl FnOnce(&mut Template)) {
        self.look(|world| {
            let mut all = world.templates.iter_mut();
            let found = all.find(|template| template.name == name && !template.deleted);
            change(found.unwrap_or_else(|| panic!("there is no template {name}")));
        });
    }

    /// What builds say that fail from now on.
    pub fn failed_builds_say(&self, words: &str) {
        self.look(|world| world.settings.build_error = words.to_owned());
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

    /// The server's clock is set: from now on it is this number of seconds ahead of this machine's, or behind. What was
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
            let user = world.by_id_mut(&admin);
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

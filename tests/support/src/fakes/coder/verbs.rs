//! What tests ask of the fake, without HTTP and without a role.

use std::time::SystemTime;

use super::super::lock;
use super::FakeCoder;
use super::login::would_log_in;
use super::timeline::Workspace;
use super::world::{Deed, User, World};

/// A user as a test sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The UUID.
    pub id: String,
    /// The name.
    pub username: String,
    /// The address that the login wants.
    pub email: String,
    /// The display name.
    pub name: String,
    /// `active`, `dormant` or `suspended`.
    pub status: String,
    /// The password that it has.
    pub password: String,
    /// How many different ones it has had.
    pub passwords: usize,
    /// When it was created.
    pub created_at: SystemTime,
    /// Created by a call with the fake's token, not by [`FakeCoder::add_stranger`].
    pub by_api: bool,
}

/// A workspace as a test sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudentWorkspace {
    /// The UUID.
    pub id: String,
    /// The name.
    pub name: String,
    /// The owner's name.
    pub owner: String,
    /// The owner's id.
    pub owner_id: String,
    /// As in `latest_build.status`: `pending`, `running`, `deleted`, `failed` ...
    pub status: String,
    /// As in `latest_build.transition`: `start`, `stop` or `delete`.
    pub transition: String,
    /// How many builds it has had.
    pub builds: usize,
    /// The id of its template.
    pub template: String,
    /// The values of its template's parameters.
    pub parameters: Vec<(String, String)>,
    /// When the server stops it, if it runs and stops by itself.
    pub stops_at: Option<SystemTime>,
    /// Deleted for good.
    pub deleted: bool,
}

fn account(world: &World, user: &User) -> Account {
    Account {
        id: user.id.clone(),
        username: user.username.clone(),
        email: user.email.clone(),
        name: user.name.clone(),
        status: user.status.word().to_owned(),
        password: user.password.clone(),
        passwords: user.passwords,
        created_at: world.date(user.created),
        by_api: user.by_api,
    }
}

fn bench(world: &World, workspace: &Workspace) -> StudentWorkspace {
    StudentWorkspace {
        id: workspace.id.clone(),
        name: workspace.name.clone(),
        owner: world.username(&workspace.owner),
        owner_id: workspace.owner.clone(),
        status: workspace.latest().status().to_owned(),
        transition: workspace.latest().transition.word().to_owned(),
        builds: workspace.builds.len(),
        template: workspace.template.clone(),
        parameters: workspace.parameters.clone(),
        stops_at: workspace.latest().deadline.map(|at| world.date(at)),
        deleted: workspace.deleted,
    }
}

impl FakeCoder {
    pub(super) fn look<T>(&self, at: impl FnOnce(&mut World) -> T) -> T {
        let mut world = lock(&self.world);
        world.tick();
        at(&mut world)
    }

    fn accounts(&self, is_wanted: impl Fn(&User) -> bool) -> Vec<Account> {
        self.look(|world| {
            let wanted = world
                .users
                .iter()
                .filter(|user| user.id != world.admin && is_wanted(user));
            wanted.map(|user| account(world, user)).collect()
        })
    }

    /// All users that are not deleted, strangers too, but not the admin who owns the token. In order of creation.
    pub fn users(&self) -> Vec<Account> {
        self.accounts(|user| !user.deleted)
    }

    /// The users that were created with the token and are not deleted.
    pub fn students(&self) -> Vec<Account> {
        self.accounts(|user| !user.deleted && user.by_api)
    }

    /// The one user that was created with the token and is not deleted; panics if there are none or more.
    pub fn only_user(&self) -> Account {
        let mut students = self.students();
        assert_eq!(
            students.len(),
            1,
            "one user was expected, these are there: {students:?}"
        );
        students.remove(0)
    }

    /// The user of this name, unless deleted.
    pub fn user(&self, name: &str) -> Option<Account> {
        self.look(|world| world.by_name(name).map(|user| account(world, user)))
    }

    /// The users that are deleted, in order of their creation. A name may appear more than once.
    pub fn deleted_users(&self) -> Vec<Account> {
        self.accounts(|user| user.deleted)
    }

    /// The names of all users that were ever created with the token, in order.
    pub fn created_ever(&self) -> Vec<String> {
        let created = self
            .ledger()
            .into_iter()
            .filter(|deed| deed.what == "create user");
        created.map(|deed| deed.username).collect()
    }

    /// Everything that was done, or tried, with the token to users and their workspaces, in order.
    pub fn ledger(&self) -> Vec<Deed> {
        self.look(|world| world.ledger.clone())
    }

    /// What was done, or tried, with the token to users that it had not created. A test should find nothing.
    pub fn touched_foreign(&self) -> Vec<String> {
        let foreign = self.ledger().into_iter().filter(|deed| deed.foreign);
        foreign
            .map(|deed| format!("{} of {} ({})", deed.what, deed.username, deed.user_id))
            .collect()
    }

    /// Whether a login would succeed now. Changes nothing.
    pub fn password_works(&self, email: &str, password: &str) -> bool {
        self.look(|world| would_log_in(world, email, password).is_ok())
    }

    /// The user's workspaces that are not deleted.
    pub fn workspaces_of(&self, username: &str) -> Vec<StudentWorkspace> {
        self.all_workspaces()
            .into_iter()
            .filter(|bench| !bench.deleted && bench.owner == username)
            .collect()
    }

    /// All workspaces that ever were, in order of creation.
    pub fn all_workspaces(&self) -> Vec<StudentWorkspace> {
        self.look(|world| {
            world
                .workspaces
                .iter()
                .map(|workspace| bench(world, workspace))
                .collect()
        })
    }

    /// A valid token of the admin, as `id-secret`.
    pub fn token(&self) -> String {
        self.look(|world| world.token())
    }

    /// The id of the default organization.
    pub fn organization_id(&self) -> String {
        self.look(|world| world.organization.clone())
    }

    /// The id of the first template.
    pub fn template_id(&self) -> String {
        self.look(|world| world.templates[0].id.clone())
    }
}

//! What tests do in the place of students and of the admin, without HTTP.

use std::time::{Duration, Instant};

use super::super::random;
use super::FakeCoder;
use super::builds::cancel_now;
use super::timeline::{End, Transition, Workspace};
use super::workspaces;
use super::world::{Role, Status, User, World};

impl FakeCoder {
    /// Adds somebody else's active account, with a password of its own. Answers its id.
    pub fn add_stranger(&self, username: &str, email: &str) -> String {
        self.look(|world| {
            let user = world.add_user(username, email, &random::letters_and_digits(20));
            user.status = Status::Active;
            user.id.clone()
        })
    }

    /// The admin renames a user.
    pub fn rename_user(&self, from: &str, to: &str) {
        self.change_user(from, |user| user.username = to.to_owned());
    }

    /// The admin suspends a user.
    pub fn suspend_user(&self, username: &str) {
        self.change_user(username, |user| user.suspend(true));
    }

    /// The admin deletes a user, workspaces or not.
    pub fn delete_user(&self, username: &str) {
        self.look(|world| {
            let id = world.by_name(username).map(|user| user.id.clone());
            world.delete_user(&id.unwrap_or_else(|| panic!("there is no user {username}")));
        });
    }

    /// The user chooses another display name.
    pub fn set_display_name(&self, username: &str, name: &str) {
        self.change_user(username, |user| user.name = name.to_owned());
    }

    /// An owner gives the user a role.
    pub fn gives_role(&self, username: &str, role: Role) {
        self.change_user(username, |user| user.roles.push(role));
    }

    /// An owner takes all roles from the user.
    pub fn loses_roles(&self, username: &str) {
        self.change_user(username, |user| user.roles.clear());
    }

    /// The user was created so much earlier than it was.
    pub fn make_older(&self, username: &str, by: Duration) {
        self.change_user(username, |user| {
            user.created = user
                .created
                .checked_sub(by)
                .expect("not before the machine started");
        });
    }

    /// The user chooses another password.
    pub fn change_password(&self, username: &str, password: &str) {
        self.change_user(username, |user| user.takes_password(password));
    }

    pub(super) fn change_user(&self, username: &str, change: impl FnOnce(&mut User)) {
        self.look(|world| {
            let id = world.by_name(username).map(|user| user.id.clone());
            let user = id.and_then(|id| world.by_id_mut(&id));
            change(user.unwrap_or_else(|| panic!("there is no user {username}")));
        });
    }

    /// The student opens a workspace, or starts a stopped one. Answers its id; `None` if Coder refuses: unknown or
    /// suspended user, or a build is active.
    pub fn start_workspace(&self, username: &str, name: &str) -> Option<String> {
        self.look(|world| {
            let owner = active_owner(world, username)?;
            let Some(at) = find_workspace(world, &owner, name) else {
                let at = workspaces::add(world, &owner, name, &owner);
                return Some(world.workspaces[at].id.clone());
            };
            world.workspaces[at].latest().done?;
            world.add_build(at, Transition::Start, &owner, "initiator");
            Some(world.workspaces[at].id.clone())
        })
    }

    /// The student stops a workspace. `false` if Coder refuses.
    pub fn stop_workspace(&self, username: &str, name: &str) -> bool {
        self.look(|world| {
            let Some(owner) = active_owner(world, username) else {
                return false;
            };
            let Some(at) = find_workspace(world, &owner, name) else {
                return false;
            };
            if world.workspaces[at].latest().done.is_none() {
                return false;
            }
            world.add_build(at, Transition::Stop, &owner, "initiator");
            true
        })
    }

    /// The admin cancels the build that is active. `false` if none is.
    pub fn cancel_build(&self, username: &str, name: &str) -> bool {
        self.look(|world| {
            let owner = world.by_name(username).map(|user| user.id.clone());
            let Some(at) = find_workspace(world, &owner.unwrap_or_default(), name) else {
                return false;
            };
            world.workspaces[at]
                .builds
                .last_mut()
                .is_some_and(cancel_now)
        })
    }

    /// A workspace that has run all the while: as [`FakeCoder::start_workspace`], but its start is done at once.
    pub fn running_workspace(&self, username: &str, name: &str) -> Option<String> {
        let id = self.start_workspace(username, name)?;
        self.look(|world| {
            let workspace = world
                .workspaces
                .iter_mut()
                .find(|workspace| workspace.id == id)?;
            let now = Instant::now();
            let build = workspace.builds.last_mut()?;
            (build.started, build.done) = (Some(now), Some((now, End::Succeeded)));
            Some(id)
        })
    }

    /// The user gives a workspace another name.
    pub fn rename_workspace(&self, username: &str, from: &str, to: &str) {
        self.change_workspace(username, from, |workspace| workspace.name = to.to_owned());
    }

    /// The admin asks for the deletion of a workspace. `false` if a build is active.
    pub fn delete_workspace(&self, username: &str, name: &str) -> bool {
        self.look(|world| {
            let owner = world.by_name(username).map(|user| user.id.clone());
            let Some(at) = find_workspace(world, &owner.unwrap_or_default(), name) else {
                return false;
            };
            if world.workspaces[at].latest().done.is_none() {
                return false;
            }
            let admin = world.admin.clone();
            world.add_build(at, Transition::Delete, &admin, "initiator");
            true
        })
    }

    fn change_workspace(&self, username: &str, name: &str, change: impl FnOnce(&mut Workspace)) {
        self.look(|world| {
            let owner = world.by_name(username).map(|user| user.id.clone());
            let at = find_workspace(world, &owner.unwrap_or_default(), name)
                .unwrap_or_else(|| panic!("{username} has no workspace {name}"));
            change(&mut world.workspaces[at]);
        });
    }

    /// Marks a workspace as unused for long.
    pub fn make_dormant(&self, username: &str, name: &str) {
        self.change_workspace(username, name, |workspace| {
            workspace.dormant = Some(Instant::now());
        });
    }
}

fn active_owner(world: &mut World, username: &str) -> Option<String> {
    let id = world.by_name(username)?.id.clone();
    let user = world.by_id_mut(&id)?;
    if user.status == Status::Suspended {
        return None;
    }
    user.status = Status::Active;
    user.last_seen = Some(Instant::now());
    Some(id)
}

fn find_workspace(world: &World, owner: &str, name: &str) -> Option<usize> {
    world.workspaces.iter().position(|workspace| {
        !workspace.deleted && workspace.owner == owner && workspace.name.eq_ignore_ascii_case(name)
    })
}

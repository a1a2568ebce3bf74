//! A strict fake of the Coder REST API, as a client that provisions users sees it.
//!
//! [`FakeCoder`] is the handle for tests: its URL and token go into the register's settings, its verbs look into or
//! change the world behind the API. Inside:
//!
//! - [`ops`]: the routes, and their names for counting and for trouble.
//! - `world`, `timeline`: users and keys; workspaces, builds and the clock that moves them.
//! - `auth`, `limits`: who calls, what they may, how often.
//! - `fields`, [`password`], `search`: the server's rules for what it is sent.
//! - `permissions`, `keys`: what a caller may do; sessions and tokens, and until when they are good.
//! - `new_user`, `users`, `login`, `workspaces`, `builds`: one file for each family of calls, `roles` and
//!   `templates` as well; `json` renders the answers.
//! - `browser`: what the server does for browsers: cookies, the web page, sign-out.
//! - `verbs`, `acts`, `settings`: what tests can ask, do, and change.

pub mod ops;
pub mod password;

mod acts;
mod auth;
mod browser;
mod builds;
mod class;
mod fault;
mod fields;
mod json;
mod keys;
mod limits;
mod login;
mod new_user;
mod permissions;
mod roles;
mod search;
mod settings;
mod templates;
mod timeline;
mod users;
mod verbs;
mod workspaces;
mod world;

#[cfg(test)]
mod browser_tests;
#[cfg(test)]
mod desk_tests;
#[cfg(test)]
mod newest_tests;
#[cfg(test)]
mod session_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod workspace_tests;

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::desk::{Api, FakeServer};
use super::http::http_date;
use super::lock;
use super::server::{ANY_PORT, Reply, Request};
use super::trouble::Op;

use auth::Caller;
use fault::Fault;
use ops::Route;
use world::World;

pub use class::Mails;
pub use limits::CallCounter;
pub use verbs::{Account, StudentWorkspace};
pub use world::{Deed, Role, Version};

/// A running fake. It lends the verbs of [`FakeServer`]; dropping it closes its port.
pub struct FakeCoder {
    server: FakeServer,
    world: Arc<Mutex<World>>,
}

impl FakeCoder {
    /// Starts 2.31.14 with one owner, whose token the fake hands out.
    pub fn start() -> Self {
        Self::start_version(Version::V2_31)
    }

    /// Starts a certain version.
    pub fn start_version(version: Version) -> Self {
        Self::start_at(ANY_PORT, version)
    }

    /// Starts a certain version on this address.
    pub fn start_at(address: SocketAddr, version: Version) -> Self {
        let world = Arc::new(Mutex::new(World::new(version)));
        let server = FakeServer::start_at(
            "fake Coder",
            address,
            CoderRules {
                world: Arc::clone(&world),
            },
        );
        Self { server, world }
    }
}

impl Deref for FakeCoder {
    type Target = FakeServer;

    fn deref(&self) -> &FakeServer {
        &self.server
    }
}

struct CoderRules {
    world: Arc<Mutex<World>>,
}

impl Api for CoderRules {
    fn op(&self, request: &Request) -> Op {
        Route::of(request, self.version()).op()
    }

    fn answer(&self, request: &Request) -> Reply {
        let version = self.version();
        let route = Route::of(request, version);
        let reply = match &route {
            Route::Healthz => Reply::text(200, "OK"),
            Route::WebPage => browser::web_page(&mut lock(&self.world), request),
            _ => self.answer_api(&route, request),
        };
        let date = lock(&self.world).date(Instant::now());
        reply
            .with("X-Coder-Build-Version", version.build())
            .with("Date", http_date(date))
    }
}

impl CoderRules {
    fn version(&self) -> Version {
        lock(&self.world).version
    }

    /// Limits, then identity, then the call itself: the order of the real server's layers.
    fn answer_api(&self, route: &Route, request: &Request) -> Reply {
        let (caller, limited) = {
            let mut world = lock(&self.world);
            world.tick();
            if let Err(refusal) = auth::check_csrf(request) {
                return refusal;
            }
            let caller = auth::identify(&mut world, request);
            (
                caller.clone(),
                limits::check(&mut world, request, route, caller.as_ref().ok()),
            )
        };
        let headers = match limited {
            Ok(headers) => headers,
            Err(refusal) => return refusal,
        };
        let answered = match route {
            Route::NotInVersion | Route::Unknown => Err(Fault::new(404, "Route not found.")),
            Route::WrongMethod => Ok(Reply::empty(405).noting("wrong method")),
            _ if route.is_public() => self.answer_public(route, request),
            _ => self.answer_member(route, request, caller),
        };
        let mut reply = answered.unwrap_or_else(Reply::from);
        reply.headers.extend(headers);
        reply
    }

    fn answer_public(&self, route: &Route, request: &Request) -> Result<Reply, Fault> {
        let mut world = lock(&self.world);
        match route {
            Route::BuildInfo => Ok(login::build_info(&world)),
            Route::AuthMethods => Ok(login::auth_methods(&world)),
            Route::Login => login::login(&mut world, request),
            Route::ValidatePassword => login::validate_password(request),
            Route::FirstUser => Ok(login::first_user()),
            Route::RequestCode => login::request_code(request),
            other => Err(Fault::new(500, &format!("{other:?} is not public"))),
        }
    }

    fn answer_member(
        &self,
        route: &Route,
        request: &Request,
        caller: Result<Caller, Fault>,
    ) -> Result<Reply, Fault> {
        let caller = caller?;
        if matches!(route, Route::CreateUser) {
            return new_user::create(&self.world, &caller, request);
        }
        let world = &mut *lock(&self.world);
        match route {
            Route::Organizations => Ok(login::organizations(world)),
            Route::Organization(name) => login::organization(world, name),
            Route::AssignableRoles => class::assignable_roles(&caller),
            Route::NotificationSettings => Ok(class::notification_settings(world)),
            Route::DeploymentConfig => class::deployment_config(world, &caller),
            Route::ListUsers => users::list(world, &caller, request),
            Route::LoginType(user) => login::login_type(world, &caller, user),
            Route::LogOut => Ok(browser::log_out(world, request)),
            Route::AuthCheck => permissions::check(world, &caller, request),
            Route::Key(user, id) => keys::read(world, &caller, user, id),
            Route::DeleteKey(user, id) => keys::delete(world, &caller, user, id),
            Route::ListTokens(user) => keys::list(world, &caller, user, request),
            Route::CreateToken(user) => keys::create(world, &caller, user, request),
            Route::TokenConfig(user) => keys::config(world, &caller, user),
            Route::ListRoles => Ok(roles::list(world, &caller)),
            Route::SetRoles(user) => roles::set_of_site(world, &caller, user, request),
            Route::SetOrganizationRoles(name, user) => {
                roles::set_in_organization(world, &caller, (name, user), request)
            }
            Route::SetNotifications(user) => {
                roles::set_notifications(world, &caller, user, request)
            }
            Route::ListTemplates => templates::list(world, &caller, request),
            Route::Template(organization, name) => {
                templates::by_name(world, &caller, organization, name)
            }
            Route::TemplateById(id) => templates::by_id(world, &caller, id),
            Route::TemplateVersion(id) => templates::version(world, &caller, id),
            Route::TemplateExternalAuth(id) => templates::external_auth(world, &caller, id),
            Route::TemplateParameters(id) => templates::parameters(world, &caller, id),
            Route::ExtendWorkspace(id) => builds::extend(world, &caller, id, request),
            Route::User(user) => users::read(world, &caller, user),
            Route::DeleteUser(user) => users::delete(world, &caller, user),
            Route::Suspend(user) => users::set_status(world, &caller, user, true),
            Route::Activate(user) => users::set_status(world, &caller, user, false),
            Route::Password(user) => users::set_password(world, &caller, user, request),
            Route::Profile(user) => users::set_profile(world, &caller, user, request),
            Route::ListWorkspaces => workspaces::list(world, &caller, request),
            Route::Workspace(id) => workspaces::read(world, &caller, id, request),
            Route::WorkspaceByName(user, name) => {
                workspaces::read_by_name(world, &caller, user, name, request)
            }
            Route::CreateWorkspace(user) => workspaces::create(world, &caller, user, request),
            Route::CreateBuild(id) => builds::create(world, &caller, id, request),
            Route::ReadBuild(id) => builds::read(world, &caller, id),
            Route::CancelBuild(id) => builds::cancel(world, &caller, id, request),
            other => Err(Fault::new(500, &format!("{other:?} needs no session"))),
        }
    }
}

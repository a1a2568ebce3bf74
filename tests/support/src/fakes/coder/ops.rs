//! The routes of the API, and the names that tests use for them.

use super::super::server::Request;
use super::super::trouble::Op;
use super::world::Version;

/// `GET /healthz`
pub const HEALTHZ: Op = Op("healthz");
/// The page that browsers get, outside the API
pub const WEB_PAGE: Op = Op("web page");
/// `GET /api/v2/buildinfo`
pub const BUILD_INFO: Op = Op("build info");
/// `GET /api/v2/users/authmethods`
pub const AUTH_METHODS: Op = Op("auth methods");
/// `POST /api/v2/users/login`
pub const LOGIN: Op = Op("login");
/// `POST /api/v2/users/logout`
pub const LOG_OUT: Op = Op("log out");
/// `GET /api/v2/users/{user}/login-type`
pub const LOGIN_TYPE: Op = Op("login type");
/// `POST /api/v2/users/validate-password`
pub const VALIDATE_PASSWORD: Op = Op("validate password");
/// `GET /api/v2/organizations`
pub const ORGANIZATIONS: Op = Op("organizations");
/// `GET /api/v2/organizations/{id or name}`
pub const ORGANIZATION: Op = Op("organization");
/// `GET /api/v2/organizations/{id}/members/roles`
pub const ASSIGNABLE_ROLES: Op = Op("assignable roles");
/// `GET /api/v2/notifications/settings`
pub const NOTIFICATION_SETTINGS: Op = Op("notification settings");
/// `GET /api/v2/deployment/config`
pub const DEPLOYMENT_CONFIG: Op = Op("deployment config");
/// `POST /api/v2/users`
pub const CREATE_USER: Op = Op("create user");
/// `GET /api/v2/users`
pub const LIST_USERS: Op = Op("list users");
/// `GET /api/v2/users/{user}`
pub const READ_USER: Op = Op("read user");
/// `DELETE /api/v2/users/{user}`
pub const DELETE_USER: Op = Op("delete user");
/// `PUT /api/v2/users/{user}/status/suspend`
pub const SUSPEND: Op = Op("suspend user");
/// `PUT /api/v2/users/{user}/status/activate`
pub const ACTIVATE: Op = Op("activate user");
/// `PUT /api/v2/users/{user}/password`
pub const SET_PASSWORD: Op = Op("set password");
/// `PUT /api/v2/users/{user}/profile`
pub const SET_PROFILE: Op = Op("set profile");
/// `POST /api/v2/authcheck`
pub const AUTH_CHECK: Op = Op("check permissions");
/// `GET /api/v2/users/{user}/keys/{id}`
pub const READ_KEY: Op = Op("read key");
/// `GET /api/v2/users/{user}/keys/tokens`
pub const LIST_TOKENS: Op = Op("list tokens");
/// `POST /api/v2/users/{user}/keys/tokens`
pub const CREATE_TOKEN: Op = Op("create token");
/// `DELETE /api/v2/users/{user}/keys/{id}`
pub const DELETE_KEY: Op = Op("delete key");
/// `GET /api/v2/users/{user}/keys/tokens/tokenconfig`
pub const TOKEN_CONFIG: Op = Op("token config");
/// `GET /api/v2/users/roles`
pub const LIST_ROLES: Op = Op("list roles");
/// `PUT /api/v2/users/{user}/roles`, and in the organization
pub const SET_ROLES: Op = Op("set roles");
/// `PUT /api/v2/users/{user}/notifications/preferences`
pub const SET_NOTIFICATIONS: Op = Op("set notifications");
/// `GET /api/v2/users/first`
pub const FIRST_USER: Op = Op("first user");
/// `POST /api/v2/users/otp/request`
pub const REQUEST_CODE: Op = Op("request code");
/// `GET /api/v2/templates`
pub const LIST_TEMPLATES: Op = Op("list templates");
/// `GET /api/v2/organizations/{organization}/templates/{name}`
pub const READ_TEMPLATE: Op = Op("read template");
/// `GET /api/v2/templates/{id}`
pub const TEMPLATE_BY_ID: Op = Op("template by id");
/// `GET /api/v2/templateversions/{id}`
pub const TEMPLATE_VERSION: Op = Op("template version");
/// `GET /api/v2/templateversions/{id}/external-auth`
pub const TEMPLATE_EXTERNAL_AUTH: Op = Op("template external auth");
/// `PUT /api/v2/workspaces/{id}/extend`
pub const EXTEND_WORKSPACE: Op = Op("extend workspace");
/// `GET /api/v2/templateversions/{id}/rich-parameters`
pub const TEMPLATE_PARAMETERS: Op = Op("template parameters");
/// `GET /api/v2/workspaces`
pub const LIST_WORKSPACES: Op = Op("list workspaces");
/// `GET /api/v2/workspaces/{id}`, and by owner and name
pub const READ_WORKSPACE: Op = Op("read workspace");
/// `POST /api/v2/users/{user}/workspaces`, and its alias below the organization
pub const CREATE_WORKSPACE: Op = Op("create workspace");
/// `POST /api/v2/workspaces/{id}/builds`
pub const CREATE_BUILD: Op = Op("create build");
/// `GET /api/v2/workspacebuilds/{id}`
pub const READ_BUILD: Op = Op("read build");
/// `PATCH /api/v2/workspacebuilds/{id}/cancel`
pub const CANCEL_BUILD: Op = Op("cancel build");

/// One request's route, with the names and ids from its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Healthz,
    WebPage,
    BuildInfo,
    AuthCheck,
    AuthMethods,
    Login,
    LogOut,
    LoginType(String),
    ValidatePassword,
    Organizations,
    Organization(String),
    AssignableRoles,
    NotificationSettings,
    DeploymentConfig,
    CreateUser,
    ListUsers,
    User(String),
    DeleteUser(String),
    Suspend(String),
    Activate(String),
    Password(String),
    Profile(String),
    Key(String, String),
    DeleteKey(String, String),
    ListTokens(String),
    CreateToken(String),
    TokenConfig(String),
    ListRoles,
    SetRoles(String),
    SetOrganizationRoles(String, String),
    SetNotifications(String),
    FirstUser,
    RequestCode,
    ListTemplates,
    Template(String, String),
    TemplateById(String),
    TemplateVersion(String),
    TemplateExternalAuth(String),
    ExtendWorkspace(String),
    TemplateParameters(String),
    ListWorkspaces,
    Workspace(String),
    WorkspaceByName(String, String),
    CreateWorkspace(String),
    CreateBuild(String),
    ReadBuild(String),
    CancelBuild(String),
    /// A route of newer versions.
    NotInVersion,
    WrongMethod,
    Unknown,
}

impl Route {
    /// Reads method and path.
    pub fn of(request: &Request, version: Version) -> Self {
        let segments = request.segments();
        let path: Vec<&str> = segments.iter().map(String::as_str).collect();
        let method = request.method.as_str();
        let found = match path.as_slice() {
            ["healthz"] if method == "GET" => Self::Healthz,
            ["api", "v2", rest @ ..] => Self::of_api(method, rest),
            _ if method == "GET" => Self::WebPage,
            _ => Self::Unknown,
        };
        match found {
            Self::ValidatePassword if version < Version::V2_20 => Self::NotInVersion,
            Self::CreateWorkspace(_)
                if version < Version::V2_20 && path.get(2) == Some(&"users") =>
            {
                Self::NotInVersion
            }
            found => found,
        }
    }

    fn of_api(method: &str, path: &[&str]) -> Self {
        let own = |text: &&str| (*text).to_owned();
        let known: Vec<(&str, Self)> = match path {
            ["buildinfo"] => vec![("GET", Self::BuildInfo)],
            ["authcheck"] => vec![("POST", Self::AuthCheck)],
            ["organizations"] => vec![("GET", Self::Organizations)],
            ["organizations", name] => vec![("GET", Self::Organization(own(name)))],
            ["organizations", name, "members", user, "roles"] => {
                vec![("PUT", Self::SetOrganizationRoles(own(name), own(user)))]
            }
            ["organizations", name, "templates", template] => {
                vec![("GET", Self::Template(own(name), own(template)))]
            }
            ["templates", id] => vec![("GET", Self::TemplateById(own(id)))],
            ["templateversions", id] => vec![("GET", Self::TemplateVersion(own(id)))],
            ["templateversions", id, "external-auth"] => {
                vec![("GET", Self::TemplateExternalAuth(own(id)))]
            }
            ["workspaces", id, "extend"] => vec![("PUT", Self::ExtendWorkspace(own(id)))],
            ["templates"] => vec![("GET", Self::ListTemplates)],
            ["templateversions", id, "rich-parameters"] => {
                vec![("GET", Self::TemplateParameters(own(id)))]
            }
            ["organizations", _, "members", user, "workspaces"] => {
                vec![("POST", Self::CreateWorkspace(own(user)))]
            }
            ["organizations", _, "members", "roles"] => vec![("GET", Self::AssignableRoles)],
            ["notifications", "settings"] => vec![("GET", Self::NotificationSettings)],
            ["deployment", "config"] => vec![("GET", Self::DeploymentConfig)],
            ["users"] => vec![("GET", Self::ListUsers), ("POST", Self::CreateUser)],
            ["users", "authmethods"] => vec![("GET", Self::AuthMethods)],
            ["users", "roles"] if method == "GET" => vec![("GET", Self::ListRoles)],
            ["users", "first"] if method == "GET" => vec![("GET", Self::FirstUser)],
            ["users", "otp", "request"] => vec![("POST", Self::RequestCode)],
            ["users", "login"] => vec![("POST", Self::Login)],
            ["users", "logout"] if method == "POST" => vec![("POST", Self::LogOut)],
            ["users", user, "login-type"] => vec![("GET", Self::LoginType(own(user)))],
            ["users", "validate-password"] => vec![("POST", Self::ValidatePassword)],
            ["users", user] => vec![
                ("GET", Self::User(own(user))),
                ("DELETE", Self::DeleteUser(own(user))),
            ],
            ["users", user, "status", "suspend"] => vec![("PUT", Self::Suspend(own(user)))],
            ["users", user, "status", "activate"] => vec![("PUT", Self::Activate(own(user)))],
            ["users", user, "password"] => vec![("PUT", Self::Password(own(user)))],
            ["users", user, "keys", "tokens"] => vec![
                ("GET", Self::ListTokens(own(user))),
                ("POST", Self::CreateToken(own(user))),
            ],
            ["users", user, "keys", "tokens", "tokenconfig"] => {
                vec![("GET", Self::TokenConfig(own(user)))]
            }
            ["users", user, "keys", id] => vec![
                ("GET", Self::Key(own(user), own(id))),
                ("DELETE", Self::DeleteKey(own(user), own(id))),
            ],
            ["users", user, "roles"] => vec![("PUT", Self::SetRoles(own(user)))],
            ["users", user, "notifications", "preferences"] => {
                vec![("PUT", Self::SetNotifications(own(user)))]
            }
            ["users", user, "profile"] => vec![("PUT", Self::Profile(own(user)))],
            ["users", user, "workspaces"] => vec![("POST", Self::CreateWorkspace(own(user)))],
            ["users", user, "workspace", name] => {
                vec![("GET", Self::WorkspaceByName(own(user), own(name)))]
            }
            ["workspaces"] => vec![("GET", Self::ListWorkspaces)],
            ["workspaces", id] => vec![("GET", Self::Workspace(own(id)))],
            ["workspaces", id, "builds"] => vec![("POST", Self::CreateBuild(own(id)))],
            ["workspacebuilds", id] => vec![("GET", Self::ReadBuild(own(id)))],
            ["workspacebuilds", id, "cancel"] => vec![("PATCH", Self::CancelBuild(own(id)))],
            _ => return Self::Unknown,
        };
        let found = known.into_iter().find(|(allowed, _)| *allowed == method);
        found.map_or(Self::WrongMethod, |(_, route)| route)
    }

    /// The name for tests.
    pub fn op(&self) -> Op {
        match self {
            Self::Healthz => HEALTHZ,
            Self::BuildInfo => BUILD_INFO,
            Self::AuthCheck => AUTH_CHECK,
            Self::Key(..) => READ_KEY,
            Self::DeleteKey(..) => DELETE_KEY,
            Self::ListTokens(_) => LIST_TOKENS,
            Self::CreateToken(_) => CREATE_TOKEN,
            Self::TokenConfig(_) => TOKEN_CONFIG,
            Self::ListRoles => LIST_ROLES,
            Self::SetRoles(_) | Self::SetOrganizationRoles(..) => SET_ROLES,
            Self::SetNotifications(_) => SET_NOTIFICATIONS,
            Self::FirstUser => FIRST_USER,
            Self::RequestCode => REQUEST_CODE,
            Self::ListTemplates => LIST_TEMPLATES,
            Self::Template(..) => READ_TEMPLATE,
            Self::TemplateById(_) => TEMPLATE_BY_ID,
            Self::TemplateVersion(_) => TEMPLATE_VERSION,
            Self::TemplateExternalAuth(_) => TEMPLATE_EXTERNAL_AUTH,
            Self::ExtendWorkspace(_) => EXTEND_WORKSPACE,
            Self::TemplateParameters(_) => TEMPLATE_PARAMETERS,
            Self::AuthMethods => AUTH_METHODS,
            Self::Login => LOGIN,
            Self::LogOut => LOG_OUT,
            Self::LoginType(_) => LOGIN_TYPE,
            Self::ValidatePassword | Self::NotInVersion => VALIDATE_PASSWORD,
            Self::Organizations => ORGANIZATIONS,
            Self::Organization(_) => ORGANIZATION,
            Self::AssignableRoles => ASSIGNABLE_ROLES,
            Self::NotificationSettings => NOTIFICATION_SETTINGS,
            Self::DeploymentConfig => DEPLOYMENT_CONFIG,
            Self::CreateUser => CREATE_USER,
            Self::ListUsers => LIST_USERS,
            Self::User(_) => READ_USER,
            Self::DeleteUser(_) => DELETE_USER,
            Self::Suspend(_) => SUSPEND,
            Self::Activate(_) => ACTIVATE,
            Self::Password(_) => SET_PASSWORD,
            Self::Profile(_) => SET_PROFILE,
            Self::ListWorkspaces => LIST_WORKSPACES,
            Self::Workspace(_) | Self::WorkspaceByName(..) => READ_WORKSPACE,
            Self::CreateWorkspace(_) => CREATE_WORKSPACE,
            Self::CreateBuild(_) => CREATE_BUILD,
            Self::ReadBuild(_) => READ_BUILD,
            Self::CancelBuild(_) => CANCEL_BUILD,
            Self::WebPage => WEB_PAGE,
            Self::WrongMethod | Self::Unknown => Op::UNKNOWN,
        }
    }

    /// Needs no session.
    pub fn is_public(&self) -> bool {
        matches!(
            self,
            Self::BuildInfo
                | Self::AuthMethods
                | Self::FirstUser
                | Self::Login
                | Self::RequestCode
                | Self::ValidatePassword
        )
    }
}

//! The parts of Coder's JSON that we read. Unknown fields are ignored. Fields that an older or
//! newer server leaves out may be missing.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::cleaned::cleaned;

/// A user. The JSON does not show whether it is deleted; see [`super::Coder::locate`].
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct User {
    /// Its UUID.
    pub id: String,
    /// Its current name, which the user or an admin may have changed.
    pub username: String,
    /// Its e-mail address.
    #[serde(default, deserialize_with = "null_as_missing")]
    pub email: String,
    /// Its display name; empty on servers that do not accept one at creation (before 2.14 or so).
    #[serde(default, deserialize_with = "null_as_missing")]
    pub name: String,
    /// When it was created, RFC 3339.
    #[serde(default, deserialize_with = "read_word")]
    pub created_at: String,
    /// Its status: `active`, `dormant` or `suspended`.
    #[serde(default, deserialize_with = "read_word")]
    pub status: String,
    /// When it was last active, RFC 3339; see [`User::last_seen`].
    #[serde(default, deserialize_with = "read_word")]
    pub last_seen_at: String,
    /// How it logs in.
    #[serde(default, deserialize_with = "read_login_type")]
    pub login_type: LoginType,
    /// Whether it may do more than an ordinary member. Roles that cannot be read count as such.
    #[serde(default, deserialize_with = "read_has_roles", rename = "roles")]
    pub has_roles: bool,
    /// When it was created, by our own clock; `None` if the server's answer had no date.
    #[serde(skip)]
    pub made_at: Option<crate::domain::UnixSeconds>,
}

/// Reads `null` like a missing field: servers written in Go write `null` for empty values.
fn null_as_missing<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// How a user logs in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoginType {
    /// The server does not report it.
    #[default]
    Unknown,
    /// By password, like the users that we create.
    Password,
    /// Not at all.
    None,
    /// By a GitHub account.
    Github,
    /// By an OpenID Connect provider.
    Oidc,
    /// In a way that this program does not support.
    Other,
}

impl User {
    /// Whether it is suspended: it cannot log in and has no session.
    pub fn is_suspended(&self) -> bool {
        self.status == "suspended"
    }
}

// Values of any type are accepted: a user must be readable even if a version writes these fields
// differently.
fn read_login_type<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LoginType, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Null => LoginType::Unknown,
        Value::String(word) => match word.as_str() {
            "" => LoginType::Unknown,
            "password" => LoginType::Password,
            "none" => LoginType::None,
            "github" => LoginType::Github,
            "oidc" => LoginType::Oidc,
            _ => LoginType::Other,
        },
        _ => LoginType::Other,
    })
}

/// Reads a value that is no string as an empty string: one unexpected field of one user must not make a whole list
/// unreadable.
fn read_word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(word) => word,
        _ => String::new(),
    })
}

fn read_has_roles<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Null => false,
        Value::Array(roles) => roles.iter().any(|role| role["name"] != "member"),
        _ => true,
    })
}

#[derive(Deserialize)]
pub(super) struct UserList {
    pub(super) users: Vec<User>,
}

#[derive(Deserialize)]
pub(super) struct Me {
    #[serde(default, deserialize_with = "null_as_missing")]
    pub(super) username: String,
    #[serde(default, deserialize_with = "null_as_missing")]
    pub(super) roles: Vec<RoleBody>,
}

#[derive(Deserialize)]
pub(super) struct RoleBody {
    pub(super) name: String,
}

#[derive(Deserialize)]
pub(super) struct BuildInfo {
    pub(super) version: String,
}

#[derive(Deserialize)]
pub(super) struct Key {
    #[serde(default, deserialize_with = "null_as_missing")]
    pub(super) login_type: String,
    #[serde(default, deserialize_with = "null_as_missing")]
    pub(super) created_at: String,
    #[serde(default, deserialize_with = "null_as_missing")]
    pub(super) expires_at: String,
    #[serde(default)]
    pub(super) lifetime_seconds: Option<i64>,
}

#[derive(Deserialize)]
pub(super) struct AuthMethods {
    pub(super) password: AuthMethod,
}

#[derive(Deserialize)]
pub(super) struct AuthMethod {
    pub(super) enabled: bool,
}

#[derive(Deserialize)]
pub(super) struct PasswordCheck {
    pub(super) valid: bool,
}

#[derive(Deserialize)]
pub(super) struct Organization {
    pub(super) id: String,
    /// `None` = the server does not say.
    #[serde(default)]
    pub(super) is_default: Option<bool>,
    #[serde(default)]
    pub(super) default_org_member_roles: Option<Vec<String>>,
}

/// A role, and whether the caller may assign it.
#[derive(Deserialize)]
pub(super) struct AssignableRole {
    pub(super) name: String,
    #[serde(default, deserialize_with = "null_as_missing")]
    pub(super) assignable: bool,
}

#[derive(Deserialize)]
pub(super) struct SessionBody {
    pub(super) session_token: String,
}

/// A template that is not deleted.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Template {
    /// Its UUID.
    pub id: String,
    /// Its name, which an admin may change.
    pub name: String,
    /// The id of the version that new workspaces are built from.
    #[serde(
        default,
        deserialize_with = "null_as_missing",
        rename = "active_version_id"
    )]
    pub version: String,
    /// Whether no workspace can be made of it any more.
    #[serde(default, deserialize_with = "null_as_missing")]
    pub deprecated: bool,
    /// How long its workspaces run after a start, in milliseconds, unless they say otherwise; 0 = without
    /// end.
    #[serde(default, deserialize_with = "null_as_missing")]
    pub default_ttl_ms: u64,
}

#[derive(Deserialize)]
pub(super) struct NotificationSettings {
    #[serde(default, deserialize_with = "null_as_missing")]
    pub(super) notifier_paused: bool,
}

#[derive(Deserialize)]
pub(super) struct ErrorBody {
    #[serde(default, deserialize_with = "null_as_missing")]
    pub(super) message: String,
    #[serde(default, deserialize_with = "null_as_missing")]
    pub(super) detail: String,
    #[serde(default, deserialize_with = "null_as_missing")]
    pub(super) validations: Vec<Validation>,
}

#[derive(Deserialize)]
pub(super) struct Validation {
    pub(super) field: String,
}

#[derive(Deserialize)]
pub(super) struct WorkspaceList {
    pub(super) workspaces: Vec<Workspace>,
}

/// A workspace that is not deleted.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Workspace {
    /// Its UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The UUID of the user it belongs to.
    pub owner_id: String,
    /// Its latest build.
    pub latest_build: Build,
    /// Whether it is dormant, which means unused for long. Coder does not stop such a workspace by
    /// itself (`isEligibleForAutostop` in coderd/autobuild), even if it runs.
    #[serde(default, rename = "dormant_at", deserialize_with = "is_not_null")]
    pub dormant: bool,
}

fn is_not_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Value::deserialize(deserializer).map(|value| !value.is_null())
}

/// One build: a start, stop or delete of a workspace.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Build {
    /// `start`, `stop` or `delete`.
    #[serde(default, deserialize_with = "null_as_missing")]
    pub transition: String,
    /// Job status and transition in one word, such as `running` or `failed`. A queued build of any
    /// kind is `pending`.
    #[serde(default, deserialize_with = "null_as_missing")]
    pub status: String,
    /// Why it failed, cleaned for the log; empty if Coder gives no reason.
    #[serde(default, rename = "job", deserialize_with = "read_job_error")]
    pub error: String,
}

fn read_job_error<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let job = Value::deserialize(deserializer)?;
    Ok(job["error"].as_str().map(cleaned).unwrap_or_default())
}

/// The release `v2.31.14+abc123` as numbers; `None` for a version that is not a release, such as a
/// build from source.
pub(super) fn release(version: &str) -> Option<(u32, u32, u32)> {
    let version = version.split('+').next().unwrap_or_default();
    let mut parts = version.trim_start_matches('v').split('.');
    let mut next = || parts.next().and_then(|part| part.parse().ok());
    let release = (next()?, next()?, next()?);
    parts.next().is_none().then_some(release)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn login_type_and_roles_are_read_from_values_of_any_type() {
        let read = |fields: &str| {
            let user = format!(r#"{{"id": "i", "username": "happy-tuna"{fields}}}"#);
            let user: User = serde_json::from_str(&user).unwrap();
            (user.login_type, user.has_roles)
        };
        for (fields, login_type, has_roles) in [
            ("", LoginType::Unknown, false),
            (
                r#", "login_type": "password", "roles": []"#,
                LoginType::Password,
                false,
            ),
            (
                r#", "login_type": "none", "roles": null"#,
                LoginType::None,
                false,
            ),
            (r#", "login_type": "oidc""#, LoginType::Oidc, false),
            (r#", "login_type": "github""#, LoginType::Github, false),
            (r#", "login_type": "new""#, LoginType::Other, false),
            (r#", "login_type": null"#, LoginType::Unknown, false),
            (r#", "login_type": 7, "roles": {}"#, LoginType::Other, true),
            (
                r#", "roles": [{"name": "member"}]"#,
                LoginType::Unknown,
                false,
            ),
            (
                r#", "roles": [{"name": "member"}, {"name": "auditor"}]"#,
                LoginType::Unknown,
                true,
            ),
            (
                r#", "roles": [{"name": "owner"}]"#,
                LoginType::Unknown,
                true,
            ),
            (r#", "roles": ["member"]"#, LoginType::Unknown, true),
        ] {
            assert_eq!(read(fields), (login_type, has_roles), "{fields}");
        }
    }

    #[test]
    fn null_is_read_like_a_missing_field() {
        let user = r#"{"id": "i", "username": "happy-tuna", "email": null, "name": null,
            "created_at": null, "status": null, "last_seen_at": null}"#;
        let user: User = serde_json::from_str(user).unwrap();
        assert!(user.email.is_empty() && !user.is_suspended());
        assert_eq!(user.last_seen(), None);
        let numbers = r#"{"id": "i", "username": "happy-tuna", "created_at": 7, "status": 3, "last_seen_at": [1]}"#;
        let user: User = serde_json::from_str(numbers).unwrap();
        assert_eq!(
            (
                user.created_at.as_str(),
                user.last_seen(),
                user.is_suspended()
            ),
            ("", None, false)
        );
        let words = r#"{"message": "New password cannot match old password.", "detail": null, "validations": null}"#;
        let words: ErrorBody = serde_json::from_str(words).unwrap();
        assert!(words.detail.is_empty() && words.validations.is_empty());
        let key = r#"{"login_type": null, "created_at": null, "expires_at": null, "lifetime_seconds": null}"#;
        let key: Key = serde_json::from_str(key).unwrap();
        assert!(key.login_type.is_empty());
        let me: Me = serde_json::from_str(r#"{"username": null, "roles": null}"#).unwrap();
        assert!(me.roles.is_empty());
        // A user without id or name cannot be read.
        for user in [
            r#"{"id": null, "username": "x"}"#,
            r#"{"id": "i", "username": null}"#,
        ] {
            assert!(serde_json::from_str::<User>(user).is_err(), "{user}");
        }
        for list in [r#"{"users": null}"#, "{}"] {
            assert!(serde_json::from_str::<UserList>(list).is_err(), "{list}");
        }
    }

    #[test]
    fn only_a_released_version_is_a_release() {
        for (version, expected) in [
            ("v2.31.14+abc123", Some((2, 31, 14))),
            ("v2.9.1", Some((2, 9, 1))),
            ("v0.0.0-devel+abc123", None),
            ("v2.35.0-devel", None),
            ("v2.25.0-rc.1", None),
            ("v2.25", None),
            ("v2.25.0.1", None),
            ("devel", None),
            ("", None),
        ] {
            assert_eq!(release(version), expected, "{version}");
        }
    }
}

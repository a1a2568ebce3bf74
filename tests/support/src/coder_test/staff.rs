//! The service's user: made with its roles, and with a token of its own.

use serde_json::json;
use ureq::http::Method;

use crate::fakes::random;

use super::server::CoderServer;

/// The default organization, as Coder lets clients name it.
const DEFAULT_ORGANIZATION: &str = "00000000-0000-0000-0000-000000000000";

/// A day, in nanoseconds.
const DAY: u64 = 86_400_000_000_000;

/// A set of roles that the service's user may have.
pub struct Roles {
    /// As the README names it.
    pub title: &'static str,
    site: &'static [&'static str],
    organization: &'static [&'static str],
}

/// The sets that the README recommends.
pub const ROLES: [Roles; 2] = [
    Roles {
        title: "User Admin, with Organization Admin",
        site: &["user-admin"],
        organization: &["organization-admin"],
    },
    Roles {
        title: "Owner",
        site: &["owner"],
        organization: &[],
    },
];

/// The user with its token. It is removed with the other traces of its trial.
pub struct Staff {
    pub token: String,
}

/// Of the users of a trial the one that is no student.
pub fn username(suffix: &str) -> String {
    format!("sms-trial-{suffix}")
}

/// The domain of all addresses of a trial. Nobody can have it.
pub fn domain(suffix: &str) -> String {
    format!("sms-trial-{suffix}.invalid")
}

impl Staff {
    /// Makes the user, gives it its roles, logs in as it and makes a token.
    pub fn make(server: &CoderServer, roles: &Roles, suffix: &str) -> Result<Self, String> {
        let name = username(suffix);
        let email = format!("{name}@{}", domain(suffix));
        let password = format!(
            "{}-{}",
            random::letters_and_digits(16),
            random::letters_and_digits(8)
        );
        let wish = json!({ "username": name, "email": email, "password": password, "login_type": "password",
            "organization_ids": [DEFAULT_ORGANIZATION] });
        let made = server
            .tell(Method::POST, "/users", &wish)?
            .expect("make the service's user", &[201])?;
        let id = made.text("id");
        server
            .tell(
                Method::PUT,
                &format!("/users/{id}/roles"),
                &json!({ "roles": roles.site }),
            )?
            .expect("give it its roles", &[200])?;
        if !roles.organization.is_empty() {
            let path = format!("/organizations/default/members/{id}/roles");
            server
                .tell(Method::PUT, &path, &json!({ "roles": roles.organization }))?
                .expect("give it its roles in the organization", &[200])?;
        }
        let (status, session) = server.log_in(&email, &password)?;
        if status != 201 {
            return Err(format!("log in as the service's user: status {status}"));
        }
        let wish = json!({ "lifetime": DAY, "token_name": "sms" });
        let path = "/users/me/keys/tokens";
        let token = server
            .call(Some(&session), Method::POST, path, &wish)?
            .expect("make its token", &[201])?
            .text("key");
        Ok(Self { token })
    }
}

//! The server settings that matter to a class: roles of members, templates, e-mail notifications.

use super::{Coder, CoderError, encode, wire};

/// The role that lets members of an organization create workspaces (exists since 2.35).
pub const WORKSPACE_ACCESS: &str = "organization-workspace-access";
/// The role that lets members use the deployment's AI models, which costs money.
pub const AGENTS_ACCESS: &str = "agents-access";

/// The roles that every member of the default organization has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRoles {
    /// Their names.
    pub roles: Vec<String>,
    /// Those of them that our token may not assign. Any such role makes every creation of a user
    /// fail. `None` = the server could not be asked.
    pub unassignable: Option<Vec<String>>,
}

/// Whether a server sends e-mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mails {
    /// A mail server or a webhook for notifications is configured.
    On,
    /// Neither is configured.
    Off,
    /// An admin has paused them.
    Paused,
    /// The token may not read this setting.
    Hidden,
}

impl Coder {
    /// The roles that every member of the default organization has; `None` if the server has no
    /// such setting.
    ///
    /// # Errors
    /// The call failed.
    pub fn member_roles(&self) -> Result<Option<MemberRoles>, CoderError> {
        const OPERATION: &str = "ask which roles may be assigned";
        let organization = self.default_organization()?;
        let Some(roles) = organization.default_org_member_roles else {
            return Ok(None);
        };
        let path = format!("/organizations/{}/members/roles", encode(&organization.id));
        let answer = self.get(OPERATION, &path)?;
        let assignable: Option<Vec<wire::AssignableRole>> = answer.json();
        let assignable = assignable.filter(|_| answer.status == 200);
        let unassignable = assignable.map(|assignable| {
            let may_not = |name: &&String| {
                assignable
                    .iter()
                    .any(|one| one.name == **name && !one.assignable)
            };
            roles.iter().filter(may_not).cloned().collect()
        });
        Ok(Some(MemberRoles {
            roles,
            unassignable,
        }))
    }

    /// Whether the server e-mails its admins about users.
    ///
    /// # Errors
    /// A call failed.
    pub fn mails(&self) -> Result<Mails, CoderError> {
        const OPERATION: &str = "ask whether mails are sent";
        let answer = self.get(OPERATION, "/notifications/settings")?;
        let settings: Option<wire::NotificationSettings> = answer.json();
        if settings.is_some_and(|settings| answer.status == 200 && settings.notifier_paused) {
            return Ok(Mails::Paused);
        }
        // Only owners and auditors may read this.
        let answer = self.get(OPERATION, "/deployment/config")?;
        if answer.status != 200 {
            return Ok(Mails::Hidden);
        }
        let deployment: serde_json::Value = answer
            .json()
            .ok_or_else(|| CoderError::of(OPERATION, &answer))?;
        let config = &deployment["config"];
        let is_set = |host: &serde_json::Value| host.as_str().is_some_and(|host| !host.is_empty());
        let on = is_set(&config["email"]["smarthost"])
            || is_set(&config["notifications"]["email"]["smarthost"])
            || config["notifications"]["method"] == "webhook";
        Ok(if on { Mails::On } else { Mails::Off })
    }
}

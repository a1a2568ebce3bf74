//! What a server has ready for a class, and what it does to one: roles of members, templates, mails.

use super::{Coder, CoderError, encode, wire};

/// The role that lets members of an organization make workspaces, where a server has it (since 2.35).
pub const WORKSPACE_ACCESS: &str = "organization-workspace-access";
/// The role that lets them spend on the deployment's AI models.
pub const AGENTS_ACCESS: &str = "agents-access";

/// Roles that every member of the default organization has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRoles {
    /// Their names.
    pub roles: Vec<String>,
    /// Those of them that our token may not give to others: each create of a user fails then. `None` = it cannot be
    /// asked.
    pub unassignable: Option<Vec<String>>,
}

/// Whether a server sends mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mails {
    /// It has a mail server, or another way, to send them by.
    On,
    /// It has none.
    Off,
    /// An admin has paused them.
    Paused,
    /// The token may not see that.
    Hidden,
}

impl Coder {
    /// The roles that every member of the default organization has; `None` where the server has no such thing.
    ///
    /// # Errors
    /// The call failed.
    pub fn member_roles(&self) -> Result<Option<MemberRoles>, CoderError> {
        const DOING: &str = "ask which roles may be assigned";
        let organization = self.default_organization()?;
        let Some(roles) = organization.default_org_member_roles else {
            return Ok(None);
        };
        let path = format!("/organizations/{}/members/roles", encode(&organization.id));
        let answer = self.get(DOING, &path)?;
        let known: Option<Vec<wire::AssignableRole>> = answer.json();
        let known = known.filter(|_| answer.status == 200);
        let unassignable = known.map(|known| {
            let may_not = |name: &&String| {
                known
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

    /// How many templates the caller may make workspaces of, without deprecated ones.
    ///
    /// # Errors
    /// The call failed.
    pub fn templates(&self) -> Result<usize, CoderError> {
        const DOING: &str = "list templates";
        let answer = self.get(DOING, "/templates")?;
        let all: Option<Vec<wire::Template>> = answer.json();
        let all = all.filter(|_| answer.status == 200);
        let all = all.ok_or_else(|| CoderError::of(DOING, &answer))?;
        Ok(all.iter().filter(|template| !template.deprecated).count())
    }

    /// Whether the server sends mails about users to its admins.
    ///
    /// # Errors
    /// A call failed.
    pub fn mails(&self) -> Result<Mails, CoderError> {
        const DOING: &str = "ask whether mails are sent";
        let answer = self.get(DOING, "/notifications/settings")?;
        let settings: Option<wire::NotificationSettings> = answer.json();
        if settings.is_some_and(|settings| answer.status == 200 && settings.notifier_paused) {
            return Ok(Mails::Paused);
        }
        // Owners and auditors only.
        let answer = self.get(DOING, "/deployment/config")?;
        if answer.status != 200 {
            return Ok(Mails::Hidden);
        }
        let told: serde_json::Value = answer
            .json()
            .ok_or_else(|| CoderError::of(DOING, &answer))?;
        let config = &told["config"];
        let is_set = |host: &serde_json::Value| host.as_str().is_some_and(|host| !host.is_empty());
        let on = is_set(&config["email"]["smarthost"])
            || is_set(&config["notifications"]["email"]["smarthost"])
            || config["notifications"]["method"] == "webhook";
        Ok(if on { Mails::On } else { Mails::Off })
    }
}

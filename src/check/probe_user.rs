//! Tests Coder with a real user (`check --write`): creates it, logs in as it, deletes it, and
//! verifies that it is gone.
//!
//! If this program is killed in between, the user remains. Its name was shown before it was
//! created, and it has our marker, so that the service finds it within a day and removes it like
//! one of its own.

use super::coder::CoderFacts;
use super::folder::FolderFacts;
use super::{Notes, probe_workspace, template, token};
use crate::clock::unix_now;
use crate::coder::{Coder, CoderError, CreateResult, DeleteResult, NewUser, PasswordResult};
use crate::config::{PartialConfig, WorkspaceConfig};
use crate::domain::{InstanceId, Marker, Password, PhoneKey, Username, count};
use crate::http::Http;
use crate::store::Commands;

/// A workspace that students get, and the setting of its template.
type Wanted<'a> = (&'a WorkspaceConfig, String);

/// Checks what a student can do, with the user's own session. `wanted`: the workspaces that students get.
fn check_workspaces(student: &Coder, wanted: &[Wanted<'_>], notes: &mut Notes<'_>) {
    const ROLE_CURE: &str = "let members create workspaces: coder organizations edit --default-org-member-roles organization-workspace-access, without any role that forbids it";
    match student.may_create_workspace() {
        Ok(may) => notes.judge(
            may,
            "it may create a workspace (authcheck)",
            "students can log in but cannot create workspaces (authcheck)",
            ROLE_CURE,
        ),
        Err(error) => notes.fault(format!("cannot {error}"), error.cure()),
    }
    match student.templates() {
        Ok(all) if all.is_empty() => notes.fault(
            "students can log in but see no template, so they cannot create workspaces",
            "create a template in the default organization, and let all its members use it",
        ),
        Ok(all) => notes.pass(format!("it sees {}", count(all.len(), "template"))),
        Err(error) => notes.fault(format!("cannot {error}"), error.cure()),
    }
    for (wanted, setting) in wanted {
        match template::find(student, &wanted.template) {
            Ok(found) => notes.judge(
                found.is_some(),
                "it may use the template of its workspace",
                &format!("students may not use the template ({setting}): they could not start their workspaces again"),
                "let all members of the default organization use it, in the template's permissions at Coder",
            ),
            Err(error) => notes.fault(format!("cannot {error}"), error.cure()),
        }
    }
}

/// How many names are tried until one is free.
const MAX_NAMES: u32 = 3;
/// How many times the deletion is tried.
const MAX_DELETES: usize = 3;

const WHAT: &str = "the test with a real user";

pub(super) fn inspect(
    parts: &PartialConfig,
    http: &Http,
    facts: &FolderFacts,
    found: &CoderFacts,
    announce: &dyn Fn(&str),
    notes: &mut Notes<'_>,
) {
    let Some(config) = parts.coder.as_ref().filter(|_| found.accepted) else {
        return notes.skip(
            WHAT,
            "as Coder was not reached, or does not accept the token",
        );
    };
    // The key of the database, so that its service recognises the marker.
    let stored =
        Commands::open(&parts.data_dir).and_then(|commands| commands.key(&parts.phone_keys));
    let Some(key) = stored.ok().or_else(|| parts.phone_keys.first().cloned()) else {
        return notes.skip(WHAT, "as the settings have faults");
    };
    // If no service has used the folder yet, there is no instance id; then a person has to delete a
    // remaining user.
    let unknown = InstanceId::from_stored("");
    let instance_id = facts.instance.id().unwrap_or(&unknown);
    let coder = Coder::new(http.clone(), &config.address.api, config.key.clone());
    let site = &config.address.site;
    for clashes in 1..=MAX_NAMES {
        let probe = Probe::draw(clashes, &config.email_domain, &key, instance_id);
        announce(&format!(
            "creating user {} at Coder; if it remains there, delete it under {site}/users",
            probe.username
        ));
        let wanted: Vec<Wanted<'_>> = parts.class.as_ref().map_or_else(Vec::new, |class| {
            let all = class.workspaces_to_come(unix_now()).into_iter();
            all.map(|one| (one, class.template_setting(one))).collect()
        });
        if let Some(left) = probe.run(&coder, site, &wanted, notes) {
            if !left {
                // A running service may have adopted the user as a lost account in the meantime.
                let _ = Commands::open(&parts.data_dir)
                    .map(|mut commands| commands.disown(&probe.marker));
            }
            return;
        }
    }
    notes.fault(
        format!("{MAX_NAMES} drawn names in a row were in use at Coder"),
        "check again; if it happens again, see the list of users at Coder",
    );
}

struct Probe {
    username: Username,
    email: String,
    marker: Marker,
    password: Password,
}

impl Probe {
    fn draw(clashes: u32, domain: &str, key: &PhoneKey, instance_id: &InstanceId) -> Self {
        let username = Username::draw(clashes);
        Self {
            email: username.email(domain),
            marker: Marker::draw(&username, key, instance_id),
            username,
            password: Password::draw(),
        }
    }

    /// Returns whether the user remains at Coder; `None` if the name belongs to another user.
    fn run(
        &self,
        coder: &Coder,
        site: &str,
        wanted: &[Wanted<'_>],
        notes: &mut Notes<'_>,
    ) -> Option<bool> {
        let created = coder.create_user(NewUser {
            username: &self.username,
            email: &self.email,
            marker: &self.marker,
            password: &self.password,
        });
        let gone = match created {
            Ok(CreateResult::Taken) => return None,
            Ok(CreateResult::Created(user)) => {
                notes.pass(format!("user {} was created", self.username));
                self.log_in(coder, wanted, notes);
                for (wanted, _) in wanted {
                    probe_workspace::inspect(coder, &user.id, wanted, notes);
                }
                // After the login, because it ends the session.
                self.set_password(coder, &user.id, notes);
                self.delete_for_sure(coder, Some(&user.id), site, notes)
            }
            Err(error) => {
                notes.fault(format!("cannot {error}"), error.cure());
                // It may have been created all the same.
                self.delete_for_sure(coder, None, site, notes)
            }
        };
        Some(!gone)
    }

    fn log_in(&self, coder: &Coder, wanted: &[Wanted<'_>], notes: &mut Notes<'_>) {
        match coder.log_in(&self.email, &self.password) {
            Ok(Some(session)) => {
                notes.pass("it logged in with e-mail and password");
                check_workspaces(&coder.with_session(session), wanted, notes);
            }
            Ok(None) => notes.fault(
                "it could not log in with its e-mail and password",
                "log in at Coder with a password yourself, to see whether password login is on",
            ),
            Err(error) => notes.fault(format!("cannot {error}"), error.cure()),
        }
    }

    /// Sets another password, which shows more than [`Coder::rights`] can.
    fn set_password(&self, coder: &Coder, id: &str, notes: &mut Notes<'_>) {
        match coder.set_password(id, &Password::draw()) {
            Ok(PasswordResult::Set | PasswordResult::Unchanged) => notes.pass("its password was set again"),
            // The check whether it is gone reports that.
            Ok(PasswordResult::NoUser) => {}
            Ok(PasswordResult::Forbidden) => notes.warn(
                "its password could not be set again: students who ask again get the same login, unless they have changed its password",
                token::PASSWORD_ROLE,
            ),
            Err(error) => notes.fault(format!("cannot {error}"), error.cure()),
        }
    }

    /// Deletes the user, whatever happened before, and verifies that it is gone. Without `id` it is
    /// searched for first. Returns whether it is gone.
    fn delete_for_sure(
        &self,
        coder: &Coder,
        id: Option<&str>,
        site: &str,
        notes: &mut Notes<'_>,
    ) -> bool {
        let mut last = None;
        for _ in 0..MAX_DELETES {
            match self.delete(coder, id) {
                Ok(true) => {
                    if id.is_some() {
                        notes.pass("it was deleted and is gone");
                    }
                    return true;
                }
                Ok(false) => {}
                Err(error) => last = Some(error),
            }
        }
        let why = last.map_or_else(
            || "Coder still has it".to_owned(),
            |error| error.to_string(),
        );
        notes.fault(
            format!("user {} remains at Coder: {why}", self.username),
            format!(
                "delete it by hand under {site}/users, or: coder users delete {}",
                self.username
            ),
        );
        false
    }

    /// Returns whether it is gone. Only a user with our marker, or the one just created, is
    /// deleted.
    fn delete(&self, coder: &Coder, id: Option<&str>) -> Result<bool, CoderError> {
        let name = self.username.as_str();
        let is_ours =
            |user: &crate::coder::User| id == Some(&user.id) || user.name == self.marker.as_str();
        let Some(user) = coder.user(name)?.filter(is_ours) else {
            // A token without the right to see users proves nothing by not finding the user.
            return Ok(coder.rights()?.see_users);
        };
        if coder.delete_user(&user.id)? == DeleteResult::HasWorkspaces {
            return Ok(false);
        }
        Ok(coder.user(name)?.is_none_or(|left| left.id != user.id))
    }
}

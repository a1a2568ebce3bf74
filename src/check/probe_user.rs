//! The proof by doing: a user is made, logs in, is deleted, and is seen to be gone.
//!
//! Killed in between, the user is left. Its name was told before it was made, and it carries our marker, so
//! that the service finds it within a day and removes it as one of its own.

use super::coder::CoderFacts;
use super::folder::FolderFacts;
use super::{Notes, token};
use crate::coder::{Coder, CoderError, CreateResult, DeleteResult, NewUser, PasswordResult};
use crate::config::PartialConfig;
use crate::domain::{InstanceId, Marker, Password, PhoneKey, Username, count};
use crate::http::Http;
use crate::store::Commands;

/// What a student can do, by its own session.
fn works(student: &Coder, notes: &mut Notes<'_>) {
    const ROLES: &str = "let members make workspaces: coder organizations edit --default-org-member-roles organization-workspace-access; a role that bans it must not be among them";
    match student.may_create_workspace() {
        Ok(may) => notes.judge(
            may,
            "it may make a workspace (authcheck)",
            "students can log in and make no workspace (authcheck)",
            ROLES,
        ),
        Err(fault) => notes.fault(format!("cannot {fault}"), fault.cure()),
    }
    match student.templates() {
        Ok(0) => notes.fault(
            "students can log in and see no template, so they make no workspace",
            "make a template in the default organization, and let everybody use it",
        ),
        Ok(number) => notes.pass(format!("it sees {}", count(number, "template"))),
        Err(fault) => notes.fault(format!("cannot {fault}"), fault.cure()),
    }
}

/// How often a name is drawn that nobody has.
const NAMES: u32 = 3;
/// How often the user is deleted until it is gone.
const DELETES: usize = 3;

const WHAT: &str = "a user that is made, logs in and goes";

pub(super) fn inspect(
    parts: &PartialConfig,
    http: &Http,
    facts: &FolderFacts,
    found: &CoderFacts,
    announce: &dyn Fn(&str),
    notes: &mut Notes<'_>,
) {
    let Some(config) = parts.coder.as_ref().filter(|_| found.let_in) else {
        return notes.skip(
            WHAT,
            "as Coder was not reached, or does not let the token in",
        );
    };
    // The key of the database, so that its owner knows the marker again.
    let kept = Commands::open(&parts.data_dir).and_then(|hand| hand.key(&parts.phone_keys));
    let Some(key) = kept.ok().or_else(|| parts.phone_keys.first().cloned()) else {
        return notes.skip(WHAT, "as the settings have faults");
    };
    // Where no service has worked yet there is no id that it could be of; then a person decides.
    let nobody = InstanceId::from_stored("");
    let instance_id = facts.instance_id.as_ref().and_then(Option::as_ref);
    let instance_id = instance_id.unwrap_or(&nobody);
    let coder = Coder::new(http.clone(), &config.address.api, config.key.clone());
    let site = &config.address.site;
    for clashes in 1..=NAMES {
        let probe = Probe::draw(clashes, &config.email_domain, &key, instance_id);
        announce(&format!(
            "making user {} at Coder; if it is left there, delete it under {site}/users",
            probe.username
        ));
        if let Some(left) = probe.runs(&coder, site, notes) {
            if !left {
                // A service that looked for lost accounts just now has taken it for one.
                let _ = Commands::open(&parts.data_dir).map(|mut hand| hand.disown(&probe.marker));
            }
            return;
        }
    }
    notes.fault(
        format!("{NAMES} drawn names in a row were taken at Coder"),
        "check again; if it stays so, look at the users there",
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

    /// Returns whether the user is left at Coder; `None` where the name was a stranger's.
    fn runs(&self, coder: &Coder, site: &str, notes: &mut Notes<'_>) -> Option<bool> {
        let made = coder.create_user(NewUser {
            username: &self.username,
            email: &self.email,
            marker: &self.marker,
            password: &self.password,
        });
        let gone = match made {
            Ok(CreateResult::Taken) => return None,
            Ok(CreateResult::Created(user)) => {
                notes.pass(format!("user {} was made", self.username));
                self.log_in(coder, notes);
                // It ends the session.
                self.gets_a_password(coder, &user.id, notes);
                self.goes(coder, Some(&user.id), site, notes)
            }
            Err(fault) => {
                notes.fault(format!("cannot {fault}"), fault.cure());
                // It may have been made all the same.
                self.goes(coder, None, site, notes)
            }
        };
        Some(!gone)
    }

    fn log_in(&self, coder: &Coder, notes: &mut Notes<'_>) {
        match coder.log_in(&self.email, &self.password) {
            Ok(Some(session)) => {
                notes.pass("it logged in with e-mail and password");
                works(&coder.with_session(session), notes);
            }
            Ok(None) => notes.fault(
                "it could not log in with its e-mail and password",
                "log in at Coder with a password yourself: is password login on for everybody?",
            ),
            Err(fault) => notes.fault(format!("cannot {fault}"), fault.cure()),
        }
    }

    /// Sets another password, which shows more than [`Coder::rights`] can tell.
    fn gets_a_password(&self, coder: &Coder, id: &str, notes: &mut Notes<'_>) {
        match coder.set_password(id, &Password::draw()) {
            Ok(PasswordResult::Set | PasswordResult::Unchanged) => notes.pass("its password was set anew"),
            // The look at whether it is gone tells that.
            Ok(PasswordResult::NoUser) => {}
            Ok(PasswordResult::Forbidden) => notes.warn(
                "its password could not be set anew: students get the same login again, but not once they have changed its password",
                token::PASSWORD_ROLE,
            ),
            Err(fault) => notes.fault(format!("cannot {fault}"), fault.cure()),
        }
    }

    /// Deletes the user, whatever happened before, until it is seen to be gone. Without `id` it is
    /// looked for first. Returns whether it is gone.
    fn goes(&self, coder: &Coder, id: Option<&str>, site: &str, notes: &mut Notes<'_>) -> bool {
        let mut last = None;
        for _ in 0..DELETES {
            match self.delete(coder, id) {
                Ok(true) => {
                    if id.is_some() {
                        notes.pass("it was deleted and is gone");
                    }
                    return true;
                }
                Ok(false) => {}
                Err(fault) => last = Some(fault),
            }
        }
        let why = last.map_or_else(
            || "Coder still has it".to_owned(),
            |fault| fault.to_string(),
        );
        notes.fault(
            format!("user {} is left at Coder: {why}", self.username),
            format!(
                "delete it by hand under {site}/users, or: coder users delete {}",
                self.username
            ),
        );
        false
    }

    /// Returns whether it is gone. Only a user with our marker, or the one just made, is touched.
    fn delete(&self, coder: &Coder, id: Option<&str>) -> Result<bool, CoderError> {
        let name = self.username.as_str();
        let is_ours =
            |user: &crate::coder::User| id == Some(&user.id) || user.name == self.marker.as_str();
        let Some(user) = coder.user(name)?.filter(is_ours) else {
            // Whom a token without rights does not see may be there; ours was let in to make it.
            return Ok(coder.rights()?.see_users);
        };
        if coder.delete_user(&user.id)? == DeleteResult::HasWorkspaces {
            return Ok(false);
        }
        Ok(coder.user(name)?.is_none_or(|left| left.id != user.id))
    }
}

//! The rights of our token, as the server reports them (`POST /authcheck`). They are never guessed
//! from a release or from the name of a role.
//!
//! The checks are about objects of other users in the default organization. A list would prove
//! nothing, because it is empty as well for a token that may not see the objects. The server
//! answers "no" to a check that it does not support, so a right that is renamed one day is reported
//! as missing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::Ordering;

use serde::Serialize;
use ureq::http::Method;

use super::{Coder, CoderError, VERSION_HEADER, json, wire};
use crate::domain::UnixSeconds;

/// The owner of the objects in the checks: a user that does not exist, so it is not our own user.
const OTHER_USER: &str = "5f6cd4b2-9a3e-4c55-8f0e-3d1b7a60c9e4";

/// The last release on which only a token that may delete the user's keys can set a password. Later
/// servers delete the keys with their own rights.
const KEYS_DECIDE_UNTIL: (u32, u32, u32) = (2, 35, 1);

/// What the token may do with users, and with other users' workspaces in the default organization.
///
/// An empty list proves something only with the right to see: to a token that has lost its rights
/// every user looks deleted, and every list of workspaces is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is one answer of the server's"
)]
pub struct Rights {
    /// It can see all users.
    pub see_users: bool,
    /// It can create users as members of the default organization.
    pub create_users: bool,
    /// It can suspend users and change their names.
    pub update_users: bool,
    /// It can delete users.
    pub delete_users: bool,
    /// It can see workspaces of other users. Without this right no user is deleted: some releases
    /// delete a user whose workspaces the caller cannot see, and the workspaces keep running
    /// without an owner.
    pub see_workspaces: bool,
    /// It can stop workspaces of other users.
    pub stop_workspaces: bool,
    /// It can delete workspaces of other users.
    pub delete_workspaces: bool,
    /// It can set passwords of other users; `None` = only a try shows it.
    pub set_passwords: Option<bool>,
    /// It can delete keys of other users, which only owners may.
    pub(super) delete_keys: bool,
    /// Seconds by which our clock is ahead of the server's; `None` if the answer had no date.
    pub clock_ahead: Option<UnixSeconds>,
}

/// Rights that a class needs and the token does not have. The text names the role that contains
/// them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingRight {
    users: Vec<&'static str>,
    workspaces: Vec<&'static str>,
    effect: &'static str,
}

impl Rights {
    /// The rights that every class needs and this token lacks; `None` = it has them all. Setting
    /// passwords does not count: without it, students who did not change their password still get
    /// the same login again.
    pub fn missing(&self) -> Option<MissingRight> {
        let without = |pairs: &[(bool, &'static str)]| -> Vec<&'static str> {
            let lacking = pairs.iter().filter(|(has, _)| !has);
            lacking.map(|(_, verb)| *verb).collect()
        };
        let missing = MissingRight {
            users: without(&[
                (self.see_users, "see"),
                (self.create_users, "create"),
                (self.update_users, "suspend"),
                (self.delete_users, "delete"),
            ]),
            workspaces: without(&[
                (self.see_workspaces, "see"),
                (self.stop_workspaces, "stop"),
                (self.delete_workspaces, "delete"),
            ]),
            effect: match (self.create_users, self.removes_users()) {
                (false, false) => "no accounts are created or removed",
                (false, true) => "no accounts are created",
                (true, false) => "no accounts are removed",
                (true, true) => "accounts that have workspaces are not removed",
            },
        };
        (!missing.users.is_empty() || !missing.workspaces.is_empty()).then_some(missing)
    }

    /// Whether an account without workspaces can be removed.
    fn removes_users(&self) -> bool {
        self.see_users && self.delete_users && self.see_workspaces
    }

    fn is_complete_in_organization(&self) -> bool {
        self.create_users && self.see_workspaces && self.stop_workspaces && self.delete_workspaces
    }
}

impl MissingRight {
    /// What to do: the roles that contain the missing rights.
    pub fn cure(&self) -> &'static str {
        match (self.users.is_empty(), self.workspaces.is_empty()) {
            (true, _) => {
                "give the token's user the role Organization Admin of the default organization"
            }
            (_, true) => "give the token's user the role User Admin",
            _ => {
                "give the token's user the roles User Admin, and Organization Admin of the default organization"
            }
        }
    }
}

/// One line: what is missing, what follows from it, and what to do.
impl fmt::Display for MissingRight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let users = (!self.users.is_empty()).then(|| format!("{} users", join_verbs(&self.users)));
        let workspaces = (!self.workspaces.is_empty())
            .then(|| format!("{} workspaces of others", join_verbs(&self.workspaces)));
        let acts: Vec<String> = users.into_iter().chain(workspaces).collect();
        write!(
            f,
            "the token (CODER_API_KEY) may not {}: {}; {}",
            acts.join(", nor "),
            self.effect,
            self.cure()
        )
    }
}

/// Joins verbs: "see", "see or stop", "see, stop or delete".
fn join_verbs(verbs: &[&str]) -> String {
    match verbs.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

#[derive(Serialize)]
struct Question<'a> {
    object: Object<'a>,
    action: &'static str,
}

#[derive(Serialize)]
struct Object<'a> {
    resource_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner_id: Option<&'static str>,
}

#[derive(Serialize)]
struct Questions<'a> {
    checks: BTreeMap<&'static str, Question<'a>>,
}

/// A check: its name, the kind of object, the action, whether the object belongs to the default
/// organization, and its owner.
type RightCheck = (
    &'static str,
    &'static str,
    &'static str,
    bool,
    Option<&'static str>,
);

const TOKEN_CHECKS: [RightCheck; 9] = [
    ("see users", "user", "read", false, None),
    ("create users", "user", "create", false, None),
    ("join", "organization_member", "create", true, None),
    ("update users", "user", "update", false, None),
    ("delete users", "user", "delete", false, None),
    (
        "see workspaces",
        "workspace",
        "read",
        true,
        Some(OTHER_USER),
    ),
    (
        "stop workspaces",
        "workspace",
        "stop",
        true,
        Some(OTHER_USER),
    ),
    (
        "delete workspaces",
        "workspace",
        "delete",
        true,
        Some(OTHER_USER),
    ),
    ("delete keys", "api_key", "delete", false, Some(OTHER_USER)),
];

const MAKER_CHECKS: [RightCheck; 1] = [("create", "workspace", "create", true, Some(OTHER_USER))];

const STUDENT_CHECKS: [RightCheck; 1] = [("create", "workspace", "create", true, Some("me"))];

impl Coder {
    /// The rights of the token now.
    ///
    /// # Errors
    /// The server cannot be asked, or does not know the question.
    pub fn rights(&self) -> Result<Rights, CoderError> {
        // Reset before the calls, so that a call that is refused meanwhile causes another check of
        // the rights.
        self.refused.store(false, Ordering::Relaxed);
        let cached = self.cached_organization();
        let id = match &cached {
            Some(id) => id.clone(),
            None => self.default_organization()?.id,
        };
        let mut rights = self.rights_in(&id)?;
        if cached.is_some() && !rights.is_complete_in_organization() {
            // Another server, with another organization, may have taken over the same address.
            let now = self.default_organization()?.id;
            if now != id {
                rights = self.rights_in(&now)?;
            }
        }
        self.may_bypass_limit
            .store(rights.delete_keys, Ordering::Relaxed);
        Ok(rights)
    }

    fn rights_in(&self, organization: &str) -> Result<Rights, CoderError> {
        const OPERATION: &str = "ask what the token may do";
        let (may, answer) = self.authcheck(OPERATION, &TOKEN_CHECKS, organization)?;
        let release = answer.header(VERSION_HEADER).and_then(wire::release);
        let keys = may("delete keys");
        Ok(Rights {
            see_users: may("see users"),
            create_users: may("create users") && may("join"),
            update_users: may("update users"),
            delete_users: may("delete users"),
            see_workspaces: may("see workspaces"),
            stop_workspaces: may("stop workspaces"),
            delete_workspaces: may("delete workspaces"),
            set_passwords: can_set_passwords(keys, release, self.may_set_passwords()),
            delete_keys: keys,
            clock_ahead: answer.clock_ahead(),
        })
    }

    /// Whether the caller may create a workspace of its own in the default organization.
    ///
    /// # Errors
    /// The server cannot be asked, or does not know the question.
    pub fn may_create_workspace(&self) -> Result<bool, CoderError> {
        const OPERATION: &str = "ask whether a student may create a workspace";
        let id = self.default_organization()?.id;
        let (may, _) = self.authcheck(OPERATION, &STUDENT_CHECKS, &id)?;
        Ok(may("create"))
    }

    /// Whether the token may make workspaces for other users of the default organization.
    ///
    /// # Errors
    /// The server cannot be asked, or does not know the question.
    pub fn may_create_workspaces_of_others(&self) -> Result<bool, CoderError> {
        const OPERATION: &str = "ask whether the token may make workspaces of others";
        let id = self.default_organization()?.id;
        let (may, _) = self.authcheck(OPERATION, &MAKER_CHECKS, &id)?;
        Ok(may("create"))
    }

    /// Makes all checks in one call. An answer without one of them is an error.
    fn authcheck(
        &self,
        operation: &'static str,
        wanted: &[RightCheck],
        organization: &str,
    ) -> Result<(impl Fn(&str) -> bool + use<>, crate::http::HttpResponse), CoderError> {
        let checks = wanted
            .iter()
            .map(|&(name, resource_type, action, inside, owner_id)| {
                let object = Object {
                    resource_type,
                    organization_id: inside.then_some(organization),
                    owner_id,
                };
                (name, Question { object, action })
            });
        let body = json(&Questions {
            checks: checks.collect(),
        });
        let answer = self.send(operation, Method::POST, "/authcheck", body)?;
        let granted: Option<BTreeMap<String, bool>> = answer.json();
        let granted = granted.filter(|granted| {
            answer.status == 200 && wanted.iter().all(|(name, ..)| granted.contains_key(*name))
        });
        let granted = granted.ok_or_else(|| CoderError::of(operation, &answer))?;
        Ok((move |name: &str| granted.get(name) == Some(&true), answer))
    }
}

/// Whether a token can set passwords. `delete_keys`: whether it can delete keys of others;
/// `release`: the server's, if it is a released one; `tried`: what the last try has shown.
fn can_set_passwords(
    delete_keys: bool,
    release: Option<(u32, u32, u32)>,
    tried: Option<bool>,
) -> Option<bool> {
    match release {
        _ if delete_keys => Some(true),
        _ if tried.is_some() => tried,
        Some(release) if release <= KEYS_DECIDE_UNTIL => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

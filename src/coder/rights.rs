//! What our token may do, by the server's own word (`POST /authcheck`): asked, never guessed from a release
//! or from the name of a role.
//!
//! The questions are about somebody else's things in the default organization. A list would prove nothing,
//! as it is empty as well for a token that may not see what is there. A word that a server does not know it
//! answers with "no", so a right that is renamed one day counts as missing and is told.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::Ordering;

use serde::Serialize;
use ureq::http::Method;

use super::{Coder, CoderError, VERSION_HEADER, json, wire};
use crate::domain::UnixSeconds;

/// The owner of what is asked about: a user that does not exist, and so is not us.
const SOMEBODY: &str = "5f6cd4b2-9a3e-4c55-8f0e-3d1b7a60c9e4";

/// The last release on which only those may set a password who may delete the user's keys. On later ones the
/// server deletes the keys in its own name.
const KEYS_DECIDE_UNTIL: (u32, u32, u32) = (2, 35, 1);

/// What the token may do with users, and with other people's workspaces in the default organization.
///
/// "There is none" is believed only with the right to see: to a token that has lost its rights every user looks
/// deleted, and every list of workspaces is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is one answer of the server's"
)]
pub struct Rights {
    /// It sees all users.
    pub see_users: bool,
    /// It creates users, as members of the default organization.
    pub create_users: bool,
    /// It suspends users and changes their names.
    pub update_users: bool,
    /// It deletes users.
    pub delete_users: bool,
    /// It sees workspaces of others. Without it no user is deleted: some releases delete one whose workspaces
    /// the caller does not see, and those run on without an owner.
    pub see_workspaces: bool,
    /// It stops them.
    pub stop_workspaces: bool,
    /// It deletes them.
    pub delete_workspaces: bool,
    /// It sets passwords of others; `None` = only trying tells.
    pub set_passwords: Option<bool>,
    /// It deletes other people's keys, which only owners may.
    pub(super) delete_keys: bool,
    /// Seconds by which our clock is ahead of the server's; `None` where it did not tell its time.
    pub clock_ahead: Option<UnixSeconds>,
}

/// Rights that a class needs and the token has not. Its words name the role that brings them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingRight {
    users: Vec<&'static str>,
    workspaces: Vec<&'static str>,
    so: &'static str,
}

impl Rights {
    /// What is missing of the rights that every class needs; `None` = nothing. Setting passwords is no such right:
    /// students who did not change theirs get the same login again without it.
    pub fn lack(&self) -> Option<MissingRight> {
        let without = |pairs: &[(bool, &'static str)]| -> Vec<&'static str> {
            let lacking = pairs.iter().filter(|(has, _)| !has);
            lacking.map(|(_, verb)| *verb).collect()
        };
        let lack = MissingRight {
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
            so: match (self.create_users, self.removes_users()) {
                (false, false) => "no accounts are made or removed",
                (false, true) => "no accounts are made",
                (true, false) => "no accounts are removed",
                (true, true) => "accounts that have workspaces are not removed",
            },
        };
        (!lack.users.is_empty() || !lack.workspaces.is_empty()).then_some(lack)
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
    /// The roles that bring what is missing.
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

/// In one line: what is missing, what follows from it, what helps.
impl fmt::Display for MissingRight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let users = (!self.users.is_empty()).then(|| format!("{} users", or(&self.users)));
        let workspaces = (!self.workspaces.is_empty())
            .then(|| format!("{} workspaces of others", or(&self.workspaces)));
        let acts: Vec<String> = users.into_iter().chain(workspaces).collect();
        write!(
            f,
            "the token (CODER_API_KEY) may not {}: {}; {}",
            acts.join(", nor "),
            self.so,
            self.cure()
        )
    }
}

/// Verbs in a row: "see", "see or stop", "see, stop or delete".
fn or(verbs: &[&str]) -> String {
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

/// A question: its name, the kind of thing, what to do with it, whether it belongs to the default organization, and
/// to whom.
type Ask = (
    &'static str,
    &'static str,
    &'static str,
    bool,
    Option<&'static str>,
);

const OF_A_TOKEN: [Ask; 9] = [
    ("see users", "user", "read", false, None),
    ("create users", "user", "create", false, None),
    ("join", "organization_member", "create", true, None),
    ("update users", "user", "update", false, None),
    ("delete users", "user", "delete", false, None),
    ("see workspaces", "workspace", "read", true, Some(SOMEBODY)),
    ("stop workspaces", "workspace", "stop", true, Some(SOMEBODY)),
    (
        "delete workspaces",
        "workspace",
        "delete",
        true,
        Some(SOMEBODY),
    ),
    ("delete keys", "api_key", "delete", false, Some(SOMEBODY)),
];

const OF_A_STUDENT: [Ask; 1] = [("create", "workspace", "create", true, Some("me"))];

impl Coder {
    /// What the token may do now.
    ///
    /// # Errors
    /// The server cannot be asked, or does not know the question.
    pub fn rights(&self) -> Result<Rights, CoderError> {
        // First, so that a call that is refused meanwhile has them asked for again.
        self.refused.store(false, Ordering::Relaxed);
        let known = self.known_organization();
        let id = match &known {
            Some(id) => id.clone(),
            None => self.default_organization()?.id,
        };
        let mut rights = self.rights_in(&id)?;
        if known.is_some() && !rights.is_complete_in_organization() {
            // Behind the same address there may be another server by now, whose organization is another one.
            let now = self.default_organization()?.id;
            if now != id {
                rights = self.rights_in(&now)?;
            }
        }
        self.unlimited.store(rights.delete_keys, Ordering::Relaxed);
        Ok(rights)
    }

    fn rights_in(&self, organization: &str) -> Result<Rights, CoderError> {
        const DOING: &str = "ask what the token may do";
        let (may, answer) = self.authcheck(DOING, &OF_A_TOKEN, organization)?;
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
            set_passwords: sets_passwords(keys, release, self.may_set_passwords()),
            delete_keys: keys,
            clock_ahead: answer.clock_ahead(),
        })
    }

    /// Whether the caller may make a workspace of its own in the default organization.
    ///
    /// # Errors
    /// The server cannot be asked, or does not know the question.
    pub fn may_make_a_workspace(&self) -> Result<bool, CoderError> {
        const DOING: &str = "ask whether a student may make a workspace";
        let id = self.default_organization()?.id;
        let (may, _) = self.authcheck(DOING, &OF_A_STUDENT, &id)?;
        Ok(may("create"))
    }

    /// Asks all questions at once. An answer that leaves one out is none.
    fn authcheck(
        &self,
        doing: &'static str,
        asks: &[Ask],
        organization: &str,
    ) -> Result<(impl Fn(&str) -> bool + use<>, crate::http::HttpResponse), CoderError> {
        let checks = asks
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
        let answer = self.send(doing, Method::POST, "/authcheck", body)?;
        let told: Option<BTreeMap<String, bool>> = answer.json();
        let told = told.filter(|told| {
            answer.status == 200 && asks.iter().all(|(name, ..)| told.contains_key(*name))
        });
        let told = told.ok_or_else(|| CoderError::of(doing, &answer))?;
        Ok((move |name: &str| told.get(name) == Some(&true), answer))
    }
}

/// Whether somebody may set passwords who may, or may not, delete keys of others. `release` is that of the server,
/// if it is a released one; `tried` is what trying has shown.
fn sets_passwords(
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
mod tests {
    use super::*;

    const ALL: Rights = Rights {
        see_users: true,
        create_users: true,
        update_users: true,
        delete_users: true,
        see_workspaces: true,
        stop_workspaces: true,
        delete_workspaces: true,
        set_passwords: None,
        delete_keys: false,
        clock_ahead: None,
    };

    #[test]
    fn what_is_missing_is_told_with_the_role_that_brings_it() {
        assert_eq!(ALL.lack(), None);
        let user_admin = Rights {
            see_workspaces: false,
            stop_workspaces: false,
            delete_workspaces: false,
            ..ALL
        };
        let organization_admin = Rights {
            see_users: false,
            create_users: false,
            update_users: false,
            delete_users: false,
            ..ALL
        };
        let member = Rights {
            see_workspaces: false,
            stop_workspaces: false,
            delete_workspaces: false,
            ..organization_admin
        };
        let template_admin = Rights {
            see_users: true,
            see_workspaces: true,
            ..member
        };
        let no_builds = Rights {
            delete_workspaces: false,
            ..ALL
        };
        for (rights, words) in [
            (
                no_builds,
                "the token (CODER_API_KEY) may not delete workspaces of others: accounts that have workspaces are not removed; give the token's user the role Organization Admin of the default organization",
            ),
            (
                user_admin,
                "the token (CODER_API_KEY) may not see, stop or delete workspaces of others: no accounts are removed; give the token's user the role Organization Admin of the default organization",
            ),
            (
                organization_admin,
                "the token (CODER_API_KEY) may not see, create, suspend or delete users: no accounts are made or removed; give the token's user the role User Admin",
            ),
            (
                member,
                "the token (CODER_API_KEY) may not see, create, suspend or delete users, nor see, stop or delete workspaces of others: no accounts are made or removed; give the token's user the roles User Admin, and Organization Admin of the default organization",
            ),
            (
                template_admin,
                "the token (CODER_API_KEY) may not create, suspend or delete users, nor stop or delete workspaces of others: no accounts are made or removed; give the token's user the roles User Admin, and Organization Admin of the default organization",
            ),
        ] {
            assert_eq!(rights.lack().unwrap().to_string(), words);
        }
    }

    #[test]
    fn what_trying_has_shown_counts_more_than_the_release() {
        let old = wire::release("v2.24.4");
        assert_eq!(sets_passwords(false, None, Some(true)), Some(true));
        assert_eq!(sets_passwords(false, None, Some(false)), Some(false));
        assert_eq!(sets_passwords(false, old, Some(true)), Some(true));
        // Somebody has given it the role since.
        assert_eq!(sets_passwords(true, old, Some(false)), Some(true));
    }

    #[test]
    fn whether_passwords_may_be_set_follows_from_keys_up_to_one_release() {
        for (keys, version, expected) in [
            (true, "v2.24.4", Some(true)),
            (true, "v0.0.0-devel+3fa2", Some(true)),
            (false, "v2.24.4+5b7d9e0", Some(false)),
            (false, "v2.35.1", Some(false)),
            (false, "v2.35.2", None),
            (false, "v2.36.0", None),
            (false, "v2.35.1-devel+3fa2", None),
            (false, "v0.0.0-devel", None),
            (false, "", None),
        ] {
            assert_eq!(
                sets_passwords(keys, wire::release(version), None),
                expected,
                "{keys} {version}"
            );
        }
    }
}

//! Lists read from Coder once per part of a sweep, so that accounts need not be looked up one by one.
//!
//! A list is slightly old, so it may decide only this: a user whose id it contains exists, and
//! workspaces that it shows in progress are left alone. For all else Coder is called again: nothing is
//! stopped or deleted because of a list, and no user counts as gone before it was looked up by itself.

use std::collections::{HashMap, HashSet};

use log::debug;

use super::inspect::RemovalError;
use super::plan::{StopPermission, plan};
use super::{Reaper, remove};
use crate::coder::{CoderError, User, Workspace};
use crate::domain::registration::Registration;

/// Number of accounts for which the lists are read once.
pub(super) const SHARING: usize = 200;

/// Accounts for each page of the list of all workspaces; a page is an expensive call.
const FOR_A_PAGE: usize = 8;

/// Users and workspaces at the start of a part of a sweep.
#[derive(Default)]
pub(super) struct SharedLists {
    users: HashMap<String, User>,
    /// By the owner's id. The list may be incomplete.
    workspaces: HashMap<String, Vec<Workspace>>,
}

impl SharedLists {
    /// The user with this id, if the list contains it.
    pub(super) fn user(&self, id: &str) -> Option<&User> {
        self.users.get(id)
    }

    /// The workspaces of a user, if there is nothing to do but wait for them.
    pub(super) fn all_in_progress(&self, id: &str, may: StopPermission) -> Option<&[Workspace]> {
        let workspaces = self.workspaces.get(id)?;
        let plan = plan(workspaces, may);
        (plan.is_busy() && plan.stop.is_empty() && plan.delete.is_empty()).then_some(workspaces)
    }
}

impl Reaper {
    /// Reads the lists for this number of accounts. They stay empty for a single account, and if the
    /// call fails: then each account is looked up by itself.
    ///
    /// # Errors
    /// Coder accepts no more calls for now.
    pub(super) fn shared_lists(&self, accounts: usize) -> Result<SharedLists, CoderError> {
        let mut lists = SharedLists::default();
        if accounts < 2 {
            return Ok(lists);
        }
        let users = self.coder.users_of(&self.email_domain);
        let pages = accounts / FOR_A_PAGE;
        for user in unless_busy(users)? {
            lists.users.insert(user.id.clone(), user);
        }
        if pages > 0 {
            let workspaces = self.coder.workspaces_up_to(pages);
            for workspace in unless_busy(workspaces)? {
                let of_owner = lists.workspaces.entry(workspace.owner_id.clone());
                of_owner.or_default().push(workspace);
            }
        }
        Ok(lists)
    }

    /// Decides for each user whose delete Coder has confirmed whether it is really gone. For several
    /// users one list is read; it counts if it is complete and the user's address is in our domain.
    pub(super) fn proved_gone<'a>(
        &self,
        deleted: Vec<(&'a Registration, User)>,
    ) -> Vec<(&'a Registration, Result<bool, RemovalError>)> {
        let mut ids = HashSet::new();
        let read = (deleted.len() > 1).then(|| {
            self.coder.each_user_of(&self.email_domain, |user| {
                ids.insert(user.id.clone());
            })
        });
        let listed: Option<Result<HashSet<String>, CoderError>> = match read {
            Some(Ok(true)) => Some(Ok(ids)),
            Some(Err(fault)) => Some(Err(fault)),
            Some(Ok(false)) | None => None,
        };
        let domain = format!("@{}", self.email_domain.to_ascii_lowercase());
        let is_gone = |user: &User| {
            let ours = user.email.to_ascii_lowercase().ends_with(&domain);
            match &listed {
                Some(Ok(ids)) if ours => Ok(!ids.contains(&user.id)),
                Some(Err(fault)) if ours => Err(fault.clone()),
                _ => self.coder.is_listed(&user.id, &user.email).map(|is| !is),
            }
        };
        let checked = deleted
            .into_iter()
            .map(|(registration, user)| (registration, is_gone(&user).map_err(RemovalError::from)));
        checked.collect()
    }
}

/// The list, or an empty one if the call failed. That Coder accepts no more calls is an error.
fn unless_busy<T>(listed: Result<Vec<T>, CoderError>) -> Result<Vec<T>, CoderError> {
    match listed {
        Err(fault) if remove::is_busy(&fault) => Err(fault),
        Err(fault) => {
            debug!("accounts are looked up one by one: {fault}");
            Ok(Vec::new())
        }
        listed => listed,
    }
}

//! Lists of Coder's that the looks of one sweep share, so that a class is not searched for account by account.
//!
//! What is hidden here: what a list of a moment ago may decide. A user whose id it shows is there. Workspaces
//! that it shows at work are left alone. All else is asked for again: nothing is stopped or deleted by it, and
//! nobody is taken for gone before the lookup of one account says so.

use std::collections::{HashMap, HashSet};

use log::debug;

use super::inspect::RemovalError;
use super::plan::{StopPermission, plan};
use super::{Reaper, remove};
use crate::coder::{CoderError, User, Workspace};
use crate::domain::registration::Registration;

/// Accounts for which lists are read once.
pub(super) const SHARING: usize = 200;

/// Accounts for which one page of everybody's workspaces is read: each is a heavy call.
const FOR_A_PAGE: usize = 8;

/// Users and workspaces as they were when a part of a sweep began.
#[derive(Default)]
pub(super) struct SharedLists {
    users: HashMap<String, User>,
    /// By their owner's id. Perhaps not all.
    workspaces: HashMap<String, Vec<Workspace>>,
}

impl SharedLists {
    /// The user with that id, if it was there.
    pub(super) fn user(&self, id: &str) -> Option<&User> {
        self.users.get(id)
    }

    /// The workspaces of a user, if there is nothing to do but to wait for them.
    pub(super) fn at_work(&self, id: &str, may: StopPermission) -> Option<&[Workspace]> {
        let workspaces = self.workspaces.get(id)?;
        let plan = plan(workspaces, may);
        (plan.is_busy() && plan.stop.is_empty() && plan.delete.is_empty()).then_some(workspaces)
    }
}

impl Reaper {
    /// Reads the lists for those accounts. For a single one there are none, and where the call fails: then each
    /// account is looked up by itself.
    ///
    /// # Errors
    /// Coder takes no more calls for now.
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

    /// Sorts accounts whose delete Coder has confirmed: those that are in no list any more come first. One list is
    /// read for many, where it came to its end and the user has an address of ours.
    pub(super) fn proved_gone<'a>(
        &self,
        deleted: Vec<(&'a Registration, User)>,
    ) -> Vec<(&'a Registration, Result<bool, RemovalError>)> {
        let all = (deleted.len() > 1).then(|| self.coder.all_users_of(&self.email_domain));
        let listed: Option<Result<HashSet<String>, CoderError>> = match all {
            Some(Ok(Some(users))) => Some(Ok(users.into_iter().map(|user| user.id).collect())),
            Some(Err(fault)) => Some(Err(fault)),
            Some(Ok(None)) | None => None,
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
        let judged = deleted
            .into_iter()
            .map(|(registration, user)| (registration, is_gone(&user).map_err(RemovalError::from)));
        judged.collect()
    }
}

/// What was listed; nothing if that failed. That Coder takes no more calls goes for everybody.
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

//! The whole class in few calls: its users, and everybody's workspaces, page by page.

use serde::de::DeserializeOwned;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::users::made_at;
use super::wire::{User, UserList, Workspace, WorkspaceList};
use super::{Coder, CoderFault, encode};
use crate::domain::UnixSeconds;
use crate::http::Answer;

/// Users on one page.
const USERS: usize = 200;
/// Workspaces on one page: each may be tens of kilobytes long.
const WORKSPACES: usize = 100;
/// Pages that are read at most, of each: 4,000 users, 2,000 workspaces.
const PAGES: usize = 20;

impl User {
    /// When it last did something at Coder; `None` = it never logged in.
    pub fn last_seen(&self) -> Option<UnixSeconds> {
        let at = OffsetDateTime::parse(&self.last_seen_at, &Rfc3339).ok()?;
        // Coder says the year 1 for "never".
        (at.year() > 1).then(|| at.unix_timestamp())
    }
}

impl Coder {
    /// The users whose address is of `domain`, one call for 200 of them; 4,000 at most.
    ///
    /// # Errors
    /// A call failed.
    pub fn users_of(&self, domain: &str) -> Result<Vec<User>, CoderFault> {
        let ours = format!("@{}", domain.to_ascii_lowercase());
        let mut users: Vec<User> = Vec::new();
        for _ in 0..PAGES {
            // By the last user's id, as pages by number shift when somebody registers in between.
            let after = users.last().map_or_else(String::new, |user| {
                format!("&after_id={}", encode(&user.id))
            });
            let path = format!("/users?q={}&limit={USERS}{after}", encode(&ours));
            let (page, answer): (UserList, Answer) = self.page("list users", &path)?;
            let full = page.users.len() >= USERS;
            users.extend(page.users.into_iter().map(|mut user| {
                user.made_at = made_at(&user, &answer);
                user
            }));
            if !full {
                break;
            }
        }
        users.retain(|user| user.email.to_ascii_lowercase().ends_with(&ours));
        Ok(users)
    }

    /// Everybody's workspaces, as far as our token sees them, one call for 100 of them; 2,000 at most.
    ///
    /// # Errors
    /// A call failed.
    pub fn all_workspaces(&self) -> Result<Vec<Workspace>, CoderFault> {
        let mut workspaces = Vec::new();
        for number in 0..PAGES {
            let offset = number * WORKSPACES;
            let path = format!("/workspaces?limit={WORKSPACES}&offset={offset}");
            let (page, _): (WorkspaceList, Answer) = self.page("list workspaces", &path)?;
            let full = page.workspaces.len() >= WORKSPACES;
            workspaces.extend(page.workspaces);
            if !full {
                break;
            }
        }
        Ok(workspaces)
    }

    fn page<T: DeserializeOwned>(
        &self,
        doing: &'static str,
        path: &str,
    ) -> Result<(T, Answer), CoderFault> {
        let answer = self.get(doing, path)?;
        match answer.json() {
            Some(page) if answer.status == 200 => Ok((page, answer)),
            _ => Err(CoderFault::of(doing, &answer)),
        }
    }
}

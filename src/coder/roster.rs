//! Lists of all users of the class and of all workspaces, page by page.

use serde::de::DeserializeOwned;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::users::made_at;
use super::wire::{User, UserList, Workspace, WorkspaceList};
use super::{Coder, CoderError, VERSION_HEADER, encode};
use crate::domain::{UnixSeconds, WorkspaceName};
use crate::http::HttpResponse;

/// Users per page.
const USERS_PER_PAGE: usize = 200;
/// Workspaces per page: each may be tens of kilobytes long.
const WORKSPACES_PER_PAGE: usize = 100;
/// The most pages that are read: 20,000 users, and as many workspaces. What nobody has asked for is not kept.
const MAX_USER_PAGES: usize = 100;
const MAX_WORKSPACE_PAGES: usize = 200;

impl User {
    /// When the user was last active at Coder; `None` = it never logged in.
    pub fn last_seen(&self) -> Option<UnixSeconds> {
        let at = OffsetDateTime::parse(&self.last_seen_at, &Rfc3339).ok()?;
        // Coder writes "never" as a date in the year 1.
        (at.year() > 1).then(|| at.unix_timestamp())
    }
}

impl Coder {
    /// The users whose address is in `domain`. One call returns 200 users that contain the domain
    /// anywhere in their name or address. Stops after 20,000, or if the server repeats a page.
    ///
    /// # Errors
    /// A call failed.
    pub fn users_of(&self, domain: &str) -> Result<Vec<User>, CoderError> {
        let ours = address_end(domain);
        let (users, _) = self.users_with("list users", &ours, |user| is_in_domain(user, &ours))?;
        Ok(users)
    }

    /// Shows `see` the users of [`Coder::users_of`] one by one, and keeps none of them. Returns whether these are all;
    /// otherwise a user may exist that it was not shown.
    ///
    /// # Errors
    /// A call failed.
    pub fn each_user_of(
        &self,
        domain: &str,
        mut see: impl FnMut(&User),
    ) -> Result<bool, CoderError> {
        let ours = address_end(domain);
        let is_kept = |user: &User| {
            if is_in_domain(user, &ours) {
                see(user);
            }
            false
        };
        let (_, complete) = self.users_with("list users", &ours, is_kept)?;
        Ok(complete)
    }

    /// The users with `text` in their name or address for which `keep` is true, and whether the
    /// list is complete. It is incomplete if there are more than 20,000, or if the server repeats a
    /// page.
    pub(super) fn users_with(
        &self,
        operation: &'static str,
        text: &str,
        mut keep: impl FnMut(&User) -> bool,
    ) -> Result<(Vec<User>, bool), CoderError> {
        let mut users: Vec<User> = Vec::new();
        // Paging goes by the last user's id: numbered pages would shift if a user registered in
        // between.
        let mut last = String::new();
        for _ in 0..MAX_USER_PAGES {
            let after = match last.as_str() {
                "" => String::new(),
                id => format!("&after_id={}", encode(id)),
            };
            let path = format!("/users?q={}&limit={USERS_PER_PAGE}{after}", encode(text));
            let (page, answer): (UserList, HttpResponse) = self.page(operation, &path)?;
            let next = page.users.last().map(|user| user.id.clone());
            let full = page.users.len() >= USERS_PER_PAGE;
            let kept = page.users.into_iter().filter(&mut keep);
            users.extend(kept.map(|mut user| {
                user.made_at = made_at(&user, &answer);
                user
            }));
            match next {
                Some(next) if full && next != last => last = next,
                _ => return Ok((users, !full)),
            }
        }
        Ok((users, false))
    }

    /// The workspaces of all users that our token may see, 100 per call, 20,000 at most.
    ///
    /// # Errors
    /// A call failed.
    pub fn all_workspaces(&self) -> Result<Vec<Workspace>, CoderError> {
        self.workspaces_up_to(MAX_WORKSPACE_PAGES)
    }

    /// The same, from at most `pages` pages.
    ///
    /// # Errors
    /// A call failed.
    pub fn workspaces_up_to(&self, pages: usize) -> Result<Vec<Workspace>, CoderError> {
        let mut workspaces = Vec::new();
        self.read_workspaces("", pages, |page| {
            workspaces.extend(page);
            false
        })?;
        Ok(workspaces)
    }

    /// The workspaces of one owner, by the owner's id, out of those of all users.
    ///
    /// # Errors
    /// A call failed.
    pub(super) fn workspaces_of_id(&self, owner: &str) -> Result<Vec<Workspace>, CoderError> {
        let mut found = Vec::new();
        self.read_workspaces("", MAX_WORKSPACE_PAGES, |page| {
            found.extend(page.into_iter().filter(|one| one.owner_id == owner));
            false
        })?;
        Ok(found)
    }

    /// Shows `see` the workspaces of all users with this name one by one, until it says that it has seen enough, and
    /// keeps none of them. Returns whether it has, or has seen all. At most 20,000 are read.
    ///
    /// # Errors
    /// A call failed.
    pub fn each_workspace_named(
        &self,
        name: &WorkspaceName,
        mut see: impl FnMut(&Workspace) -> bool,
    ) -> Result<bool, CoderError> {
        let filter = format!("q={}&", encode(&format!("name:{name}")));
        self.read_workspaces(&filter, MAX_WORKSPACE_PAGES, |page| {
            // Coder also finds names that contain this one.
            let mut named = page
                .iter()
                .filter(|one| one.name.eq_ignore_ascii_case(name.as_str()));
            named.any(&mut see)
        })
    }

    /// Gives the workspaces that `filter`, a part of the query, selects to `take`, page by page, until it says that
    /// it has enough. Returns whether it has, or has got all of them.
    fn read_workspaces(
        &self,
        filter: &str,
        pages: usize,
        mut take: impl FnMut(Vec<Workspace>) -> bool,
    ) -> Result<bool, CoderError> {
        for number in 0..pages.min(MAX_WORKSPACE_PAGES) {
            let offset = number * WORKSPACES_PER_PAGE;
            let path = format!("/workspaces?{filter}limit={WORKSPACES_PER_PAGE}&offset={offset}");
            let (page, _): (WorkspaceList, HttpResponse) = self.page("list workspaces", &path)?;
            let is_last = page.workspaces.len() < WORKSPACES_PER_PAGE;
            if take(page.workspaces) || is_last {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn page<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
    ) -> Result<(T, HttpResponse), CoderError> {
        let answer = self.get(operation, path)?;
        // An absence in a list is used as proof, so the list must come from Coder.
        if answer.header(VERSION_HEADER).is_none() {
            return Err(CoderError::not_coder(operation, answer.status));
        }
        match answer.json() {
            Some(page) if answer.status == 200 => Ok((page, answer)),
            _ => Err(CoderError::of(operation, &answer)),
        }
    }
}

/// What the addresses of a domain end with, in lower case.
fn address_end(domain: &str) -> String {
    format!("@{}", domain.to_ascii_lowercase())
}

fn is_in_domain(user: &User, end: &str) -> bool {
    user.email.to_ascii_lowercase().ends_with(end)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::domain::Secret;
    use crate::http::Http;

    /// A server that answers every request with these users, and the number of requests so far.
    fn server(users: Vec<serde_json::Value>) -> (Coder, Arc<AtomicUsize>) {
        let body = serde_json::json!({ "users": users, "count": 1_000_000 }).to_string();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = format!("http://{}/api/v2", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let head = BufReader::new(stream.try_clone().unwrap()).lines();
                assert!(head.map_while(Result::ok).any(|line| line.is_empty()));
                count.fetch_add(1, Ordering::SeqCst);
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Coder-Build-Version: v2.31.0\r\nConnection: close";
                let length = body.len();
                let _ = write!(stream, "{head}\r\nContent-Length: {length}\r\n\r\n{body}");
            }
        });
        let http = Http::new(Duration::from_secs(30));
        (Coder::new(http, &api, Secret::new("k")), requests)
    }

    fn user(number: usize, domain: &str) -> serde_json::Value {
        serde_json::json!({
            "id": format!("id-{number}"),
            "username": format!("user-{number}"),
            "email": format!("user-{number}@{domain}"),
        })
    }

    #[test]
    fn reading_stops_when_the_server_repeats_a_page() {
        let ours = (0..USERS_PER_PAGE).map(|number| user(number, "class.example.org"));
        let (coder, requests) = server(ours.collect());
        let users = coder.users_of("Class.example.org").unwrap();
        assert_eq!(requests.load(Ordering::SeqCst), 2);
        assert!(users.iter().any(|one| one.id == "id-7"));
    }

    #[test]
    fn users_whose_address_only_resembles_ours_are_not_kept() {
        let others = ["class.example.org.example.com", "sub.class.example.org", ""];
        let mut users: Vec<_> = others.iter().map(|domain| user(1, domain)).collect();
        users.push(user(2, "class.example.org"));
        let (coder, requests) = server(users);
        let found = coder.users_of("class.example.org").unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].id, "id-2");
        assert_eq!(requests.load(Ordering::SeqCst), 1);
    }
}

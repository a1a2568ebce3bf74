//! The whole class in few calls: its users, and everybody's workspaces, page by page.

use serde::de::DeserializeOwned;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::users::made_at;
use super::wire::{User, UserList, Workspace, WorkspaceList};
use super::{Coder, CoderError, VERSION_HEADER, encode};
use crate::domain::UnixSeconds;
use crate::http::HttpResponse;

/// Users on one page.
const USERS: usize = 200;
/// Workspaces on one page: each may be tens of kilobytes long.
const WORKSPACES: usize = 100;
/// Pages that are read at most: 20,000 users, of whom only those of our domain are kept, and 2,000
/// workspaces, which all are.
const USER_PAGES: usize = 100;
const WORKSPACE_PAGES: usize = 20;

impl User {
    /// When it last did something at Coder; `None` = it never logged in.
    pub fn last_seen(&self) -> Option<UnixSeconds> {
        let at = OffsetDateTime::parse(&self.last_seen_at, &Rfc3339).ok()?;
        // Coder says the year 1 for "never".
        (at.year() > 1).then(|| at.unix_timestamp())
    }
}

impl Coder {
    /// The users whose address is of `domain`, one call for 200 of them that have the domain anywhere in
    /// name or address. Ends after 20,000, and where the server does not go on to others.
    ///
    /// # Errors
    /// A call failed.
    pub fn users_of(&self, domain: &str) -> Result<Vec<User>, CoderError> {
        let (users, _) = self.of_domain(domain)?;
        Ok(users)
    }

    /// The same; `None` where the list did not come to its end, so that who is not in it may be there all the same.
    ///
    /// # Errors
    /// A call failed.
    pub fn all_users_of(&self, domain: &str) -> Result<Option<Vec<User>>, CoderError> {
        let (users, complete) = self.of_domain(domain)?;
        Ok(complete.then_some(users))
    }

    fn of_domain(&self, domain: &str) -> Result<(Vec<User>, bool), CoderError> {
        let ours = format!("@{}", domain.to_ascii_lowercase());
        let is_of_domain = |user: &User| user.email.to_ascii_lowercase().ends_with(&ours);
        self.users_with("list users", &ours, is_of_domain)
    }

    /// The users that have `text` in their name or address and are to be kept, and whether the list came
    /// to its end: not after 20,000, and not where the server does not go on to others.
    pub(super) fn users_with(
        &self,
        doing: &'static str,
        text: &str,
        keep: impl Fn(&User) -> bool,
    ) -> Result<(Vec<User>, bool), CoderError> {
        let mut users: Vec<User> = Vec::new();
        // By the last user's id, as pages by number shift when somebody registers in between.
        let mut last = String::new();
        for _ in 0..USER_PAGES {
            let after = match last.as_str() {
                "" => String::new(),
                id => format!("&after_id={}", encode(id)),
            };
            let path = format!("/users?q={}&limit={USERS}{after}", encode(text));
            let (page, answer): (UserList, HttpResponse) = self.page(doing, &path)?;
            let next = page.users.last().map(|user| user.id.clone());
            let full = page.users.len() >= USERS;
            let kept = page.users.into_iter().filter(&keep);
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

    /// Everybody's workspaces, as far as our token sees them, one call for 100 of them; 2,000 at most.
    ///
    /// # Errors
    /// A call failed.
    pub fn all_workspaces(&self) -> Result<Vec<Workspace>, CoderError> {
        self.workspaces_on(WORKSPACE_PAGES)
    }

    /// The same from that many pages at most.
    ///
    /// # Errors
    /// A call failed.
    pub fn workspaces_on(&self, pages: usize) -> Result<Vec<Workspace>, CoderError> {
        let mut workspaces = Vec::new();
        for number in 0..pages.min(WORKSPACE_PAGES) {
            let offset = number * WORKSPACES;
            let path = format!("/workspaces?limit={WORKSPACES}&offset={offset}");
            let (page, _): (WorkspaceList, HttpResponse) = self.page("list workspaces", &path)?;
            let full = page.workspaces.len() >= WORKSPACES;
            workspaces.extend(page.workspaces);
            if !full {
                break;
            }
        }
        Ok(workspaces)
    }

    pub(super) fn page<T: DeserializeOwned>(
        &self,
        doing: &'static str,
        path: &str,
    ) -> Result<(T, HttpResponse), CoderError> {
        let answer = self.get(doing, path)?;
        // What is missing in a list means something, so the list has to be Coder's.
        if answer.header(VERSION_HEADER).is_none() {
            return Err(CoderError::not_coder(doing, answer.status));
        }
        match answer.json() {
            Some(page) if answer.status == 200 => Ok((page, answer)),
            _ => Err(CoderError::of(doing, &answer)),
        }
    }
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

    /// A server that answers every page with these users, whatever is asked for; and how often it was asked.
    fn server(users: Vec<serde_json::Value>) -> (Coder, Arc<AtomicUsize>) {
        let body = serde_json::json!({ "users": users, "count": 1_000_000 }).to_string();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = format!("http://{}/api/v2", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
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
        (Coder::new(http, &api, Secret::new("k")), asked)
    }

    fn user(number: usize, domain: &str) -> serde_json::Value {
        serde_json::json!({
            "id": format!("id-{number}"),
            "username": format!("user-{number}"),
            "email": format!("user-{number}@{domain}"),
        })
    }

    #[test]
    fn a_list_that_does_not_go_on_ends() {
        let ours = (0..USERS).map(|number| user(number, "class.example.org"));
        let (coder, asked) = server(ours.collect());
        let users = coder.users_of("Class.example.org").unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        assert!(users.iter().any(|one| one.id == "id-7"));
    }

    #[test]
    fn people_whose_address_only_resembles_ours_are_not_kept() {
        let others = ["class.example.org.example.com", "sub.class.example.org", ""];
        let mut users: Vec<_> = others.iter().map(|domain| user(1, domain)).collect();
        users.push(user(2, "class.example.org"));
        let (coder, asked) = server(users);
        let found = coder.users_of("class.example.org").unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].id, "id-2");
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
}

//! The workspaces that are made with logins.

use super::*;
use crate::store::{WorkspaceProgress, WorkspaceTask};

/// A store with an account that has a login and is due at 1,000.
fn with_login(dir: &TempDir) -> (Store, i64, Username) {
    let store = dir.open();
    let id = store.reserved(1).id;
    store.created(id, "uuid-1", 1_000, None).unwrap();
    store
        .login_sent(id, &sid(1), sent(30, Some(1_000)))
        .unwrap();
    let username = store.roster().unwrap().remove(0).username;
    (store, id, username)
}

fn only(store: &Store, now: UnixSeconds) -> Option<WorkspaceTask> {
    let mut tasks = store.workspace_tasks(now, 600).unwrap();
    assert!(tasks.len() < 2, "{tasks:?}");
    tasks.pop()
}

impl Store {
    /// Wants the workspace of one account.
    fn wants_workspace(&self, username: &Username, now: UnixSeconds) {
        let one = std::slice::from_ref(username);
        self.want_workspaces(one, now).unwrap();
    }
}

#[test]
fn an_account_with_a_login_is_wanted_once_and_until_it_is_over() {
    let dir = TempDir::new();
    let (store, id, username) = with_login(&dir);
    assert_eq!(only(&store, 50), None);
    store.wants_workspace(&username, 50);
    assert_eq!(store.want_all_workspaces(60).unwrap(), 0);
    let task = only(&store, 60).unwrap();
    assert_eq!((task.registration, task.owner.as_str()), (id, "uuid-1"));
    assert_eq!((task.due_at, task.id.as_ref()), (Some(1_000), None));
    assert_eq!(store.next_workspace_task(60).unwrap(), Some(50));
    // Its time is up.
    assert_eq!(only(&store, 1_000), None);
    assert_eq!(store.next_workspace_task(1_000).unwrap(), None);
    assert!(!store.begin_workspace(&task, 1_000).unwrap());
    store.begin_removal(id, 1_000).unwrap();
    store.forget(id, 1_001).unwrap();
    let left = "SELECT count(*) FROM workspaces";
    let left: i64 = store.lock().query_row(left, [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
}

#[test]
fn a_request_on_its_way_holds_up_the_removal_for_a_minute_or_until_its_answer() {
    let dir = TempDir::new();
    let (store, id, username) = with_login(&dir);
    store.wants_workspace(&username, 50);
    let task = only(&store, 50).unwrap();
    assert_eq!(store.making_until(id, 50).unwrap(), None);
    assert!(store.begin_workspace(&task, 50).unwrap());
    assert_eq!(store.making_until(id, 110).unwrap(), Some(111));
    assert_eq!(store.making_until(id, 111).unwrap(), None);
    let lost = WorkspaceProgress {
        check_at: Some(55),
        tries: 1,
        trouble: None,
        note: "",
        may_be_made: true,
        running_at: None,
    };
    store.workspace_progress(&task, &lost).unwrap();
    assert!(store.making_until(id, 60).unwrap().is_some());
    store.workspace_made(&task, "w-1", Some(1_000), 70).unwrap();
    assert_eq!(store.making_until(id, 60).unwrap(), None);
    assert_eq!(only(&store, 60), None);
    let made = only(&store, 70).unwrap();
    assert_eq!((made.id.as_deref(), made.tries), (Some("w-1"), 0));
}

#[test]
fn a_user_that_is_made_anew_gets_a_workspace_of_its_own() {
    let dir = TempDir::new();
    let (store, id, username) = with_login(&dir);
    store.wants_workspace(&username, 50);
    let before = only(&store, 50).unwrap();
    store.workspace_made(&before, "w-1", None, 70).unwrap();
    let another = name("calm-otter");
    store
        .rename(id, Event::UserVanished, &another, &marker(&another), 1_000)
        .unwrap();
    assert_eq!(only(&store, 80), None);
    store.created(id, "uuid-2", 1_000, None).unwrap();
    store
        .login_sent(id, &sid(2), sent(90, Some(1_000)))
        .unwrap();
    assert_eq!(only(&store, 90), None, "a row of the earlier user");
    store.wants_workspace(&another, 90);
    let task = only(&store, 90).unwrap();
    assert_eq!((task.owner.as_str(), task.id.as_ref()), ("uuid-2", None));
    // What comes late of the earlier one changes nothing.
    store.workspace_made(&before, "w-1", None, 95).unwrap();
    assert_eq!(only(&store, 95).unwrap().id, None);
}

#[test]
fn more_time_for_an_account_is_found_until_coder_knows_of_it() {
    let dir = TempDir::new();
    let (store, id, username) = with_login(&dir);
    store.wants_workspace(&username, 50);
    let task = only(&store, 50).unwrap();
    store.workspace_made(&task, "w-1", Some(1_000), 70).unwrap();
    assert!(store.prolonged_workspaces(0, 9, 100).unwrap().is_empty());
    store.renew(id, 2_000).unwrap();
    let prolonged = store.prolonged_workspaces(0, 9, 100).unwrap();
    assert_eq!(prolonged[0].due_at, Some(2_000));
    assert!(store.prolonged_workspaces(id, 9, 100).unwrap().is_empty());
    assert!(store.prolonged_workspaces(0, 0, 100).unwrap().is_empty());
    store
        .workspace_prolonged(&prolonged[0], Some(2_000))
        .unwrap();
    assert!(store.prolonged_workspaces(0, 9, 100).unwrap().is_empty());
}

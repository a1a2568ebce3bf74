//! Backup and restore, killed before and after every write, sync, name and removal: what stands under
//! the database's name is the old one or the new one, whole.

use std::fs;
use std::path::{Path, PathBuf};

use coder_sms_register::domain::{InstanceId, Marker, MessageSid, Phone, PhoneKey, Username};
use coder_sms_register::store::{Reservation, ReserveResult, Seats, Store};

use super::{REGISTRATIONS, is_whole, number, on};
use crate::{lives, opened};
use support::classroom::folder::Folder;

fn key() -> PhoneKey {
    PhoneKey::derive("a key of our own")
}

/// Registers phones with these numbers.
fn register(store: &Store, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let phone = Phone::parse(&format!("+1415555{number:04}")).unwrap();
        let username = Username::parse(&format!("happy-tuna-{number}")).unwrap();
        let marker = Marker::draw(&username, &key(), &InstanceId::from_stored("home"));
        let reserved = store.reserve(
            Reservation {
                phone: &phone.hash(&key()),
                text: &MessageSid::parse(&format!("SM{number:032x}")).unwrap(),
                received: 10,
                username: &username,
                marker: &marker,
                now: 10,
                due_at: 100,
            },
            Seats {
                class: None,
                limit: 1_000,
            },
        );
        assert_eq!(reserved.unwrap(), ReserveResult::Done);
    }
}

/// Registrations of the backup, and of the database that it replaces.
const NEW: i64 = 2;
const OLD: i64 = 5;

/// A data folder as a kill leaves it, with a write-ahead log, and a backup beside it.
struct Ground {
    folder: Folder,
}

impl Ground {
    fn new() -> Self {
        let folder = Folder::new();
        let ground = Self { folder };
        let (working, data) = (ground.path("working"), ground.path("template"));
        let store = opened(&working, &key());
        register(&store, 0..2);
        let arguments = ["backup".into(), ground.path("copy.db").into_os_string()];
        assert!(
            on::<std::ffi::OsString>(&working, &arguments)
                .output()
                .unwrap()
                .status
                .success()
        );
        register(&store, 2..5);
        fs::create_dir(&data).unwrap();
        for name in ["registrations.db", "registrations.db-wal"] {
            fs::copy(working.join(name), data.join(name)).unwrap();
        }
        ground
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A fresh copy of that data folder.
    fn data(&self, step: usize) -> PathBuf {
        let data = self.path(&format!("data-{step}"));
        fs::create_dir(&data).unwrap();
        for entry in fs::read_dir(self.path("template")).unwrap().flatten() {
            fs::copy(entry.path(), data.join(entry.file_name())).unwrap();
        }
        data
    }

    /// Runs the binary on `data`, killed at this step. Returns whether it lived to its end.
    fn killed_at(&self, step: usize, data: &Path, arguments: &[&str]) -> bool {
        let socket = self.path(&format!("{step}.sock"));
        lives(step, on(data, arguments), socket)
    }
}

/// More questions than either asks.
const STEPS: usize = 400;

#[test]
fn a_restore_leaves_the_old_or_the_new_database_whole() {
    let ground = Ground::new();
    let copy = ground.path("copy.db").display().to_string();
    let mut found = Vec::new();
    for step in 0..STEPS {
        let data = ground.data(step);
        let done = ground.killed_at(step, &data, &["restore", "--yes", &copy]);
        let before = data.join("registrations.db.before-restore");
        if before.exists() {
            is_whole(&before);
            assert_eq!(number(&before, REGISTRATIONS), OLD, "step {step}");
        }
        // As the service would, with its checks.
        let store = opened(&data, &key());
        let count = store.count().unwrap();
        found.push(count);
        assert!(!done || count == NEW && before.exists(), "step {step}");
        drop(store);
        is_whole(&data.join("registrations.db"));
        let names = fs::read_dir(&data).unwrap().flatten();
        let names: Vec<String> = names
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        let left = ["restoring", "aside"];
        let left = names
            .iter()
            .find(|name| left.iter().any(|word| name.contains(word)));
        assert_eq!(left, None, "step {step}: {names:?}");
        fs::remove_dir_all(&data).unwrap();
        if done {
            break;
        }
    }
    let olds = found.iter().take_while(|count| **count == OLD).count();
    assert!(
        olds > 10 && olds < found.len() && found.len() < STEPS,
        "{found:?}"
    );
    assert!(found[olds..].iter().all(|count| *count == NEW), "{found:?}");
}

#[test]
fn a_backup_leaves_no_file_or_a_whole_one_and_the_database_as_it_is() {
    let ground = Ground::new();
    let mut seen = [0; 2];
    for step in 0..STEPS {
        let data = ground.data(step);
        let target = ground.path(&format!("target-{step}.db"));
        let arguments = ["backup", target.to_str().unwrap()];
        let done = ground.killed_at(step, &data, &arguments);
        seen[usize::from(target.exists())] += 1;
        if target.exists() {
            is_whole(&target);
            assert_eq!(number(&target, REGISTRATIONS), OLD, "step {step}");
        }
        let store = opened(&data, &key());
        assert_eq!(store.count().unwrap(), OLD, "step {step}");
        drop(store);
        fs::remove_dir_all(&data).unwrap();
        if done {
            assert!(target.exists());
            break;
        }
    }
    assert!(
        seen[0] > 5 && seen[1] > 0 && seen[0] + seen[1] < STEPS,
        "{seen:?}"
    );
}

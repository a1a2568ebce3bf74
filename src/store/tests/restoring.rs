//! Spare accounts that students got after the backup that is restored.

use std::fs;

use super::*;
use crate::clock::unix_now;
use crate::store::{Origin, restore};

const ALL: Seats<'static> = Seats {
    class: None,
    limit: 9,
};

/// A folder with a backup of two spares, of which one was given since.
fn given_since() -> (TempDir, PathBuf) {
    let dir = TempDir::new();
    let backup = dir.path().join("backup.db");
    let store = dir.open();
    for number in 0..2 {
        store.spare(number, ALL, 2).unwrap();
    }
    drop(store);
    fs::copy(dir.file(), &backup).unwrap();
    let store = dir.open();
    let taken = store.takes(7, ALL, spares::NOW).unwrap();
    assert_eq!(taken.username, name("spare-0"));
    let login = sent(spares::NOW, Some(7_000));
    store.login_sent(taken.id, &sid(7), login).unwrap();
    (dir, backup)
}

/// Restores the backup. A process that another test is starting may hold the lock for a moment.
fn restore_from(backup: &Path, dir: &TempDir) {
    let deadline = Instant::now() + Duration::from_secs(2);
    loop {
        match restore(&dir.data(), Origin::File(backup)) {
            Err(StoreError::Running { .. }) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            done => break drop(done.unwrap()),
        }
    }
}

/// The registration with this name.
fn named(store: &Store, username: &str) -> Registration {
    let all = store.roster().unwrap();
    let found = all.into_iter().find(|one| one.username == name(username));
    found.unwrap()
}

#[test]
fn a_spare_that_a_student_got_after_the_backup_is_no_spare_after_a_restore() {
    let (dir, backup) = given_since();
    restore_from(&backup, &dir);
    let store = dir.open();
    let (given, spare) = (named(&store, "spare-0"), named(&store, "spare-1"));
    assert!(!given.is_spare() && given.adopted_at.is_some());
    assert_eq!((given.stage, given.due_at), (Stage::Announced, Some(7_000)));
    assert!(spare.is_spare());
    assert_eq!(store.spares().unwrap().len(), 1);
}

#[test]
fn without_the_old_database_every_spare_may_have_a_student() {
    // It is damaged, or the machine was lost with it.
    for is_lost in [false, true] {
        let (dir, backup) = given_since();
        if is_lost {
            fs::remove_dir_all(dir.data()).unwrap();
            fs::create_dir(dir.data()).unwrap();
        } else {
            fs::write(dir.file(), "damaged").unwrap();
        }
        restore_from(&backup, &dir);
        let store = dir.open();
        assert_eq!(store.spares().unwrap().len(), 0);
        for username in ["spare-0", "spare-1"] {
            let one = named(&store, username);
            assert!(one.adopted_at.is_some());
            assert_eq!(one.stage, Stage::Announced);
            assert!(one.due_at > Some(unix_now() + 86_000), "{:?}", one.due_at);
        }
    }
}

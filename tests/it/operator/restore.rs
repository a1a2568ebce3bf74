//! A copy takes the database's place.

mod as_root;

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use super::{REGISTRATIONS, is_whole, number, on, out, said};
use crate::plan;
use support::classroom::student::{Login, Student};
use support::classroom::{Classroom, PHRASE};

/// A backup of a class, made by the binary.
fn backup(class: &Classroom, name: &str) -> PathBuf {
    let file = class.folder().join(name);
    let arguments = ["backup".as_ref(), file.as_os_str()];
    let (code, words) = said(&on(&class.data_dir(), &arguments).output().unwrap());
    assert_eq!(code, Some(0), "{words}");
    file
}

/// Exit code, standard output, standard error.
fn restore(folder: &Path, file: &Path) -> (Option<i32>, String, String) {
    let arguments = ["restore".as_ref(), "--yes".as_ref(), file.as_os_str()];
    let output = on(folder, &arguments).output().unwrap();
    let (code, words) = said(&output);
    (code, out(&output), words)
}

/// The name of the data folder in Redis.
const INSTANCE: &str =
    "SELECT coalesce(max(hex(value)), 'none') FROM facts WHERE name = 'instance'";

fn open_class() -> Classroom {
    plan().with("CODER_REG_RESEND_INTERVAL", "0").open()
}

/// A login for somebody who had one; it takes until the second of that one is over.
fn another_login(class: &Classroom, student: &Student<'_>) -> Login {
    loop {
        let had = student.inbox().len();
        student.asks();
        class.all_served();
        if student.inbox().len() > had {
            return student.next_login();
        }
    }
}

#[test]
fn after_a_restore_students_are_known_again_and_newer_ones_are_named() {
    let class = open_class();
    let [ana, ben] = [(); 2].map(|()| class.student());
    let first = ana.gets_a_login();
    class.all_served();
    let file = backup(&class, "copy.db");
    let lost = ben.gets_a_login();
    class.all_served();
    class.end_service();

    let (code, out, words) = restore(&class.data_dir(), &file);
    assert_eq!(code, Some(0), "{words}");
    assert!(
        out.starts_with("restored 1 registration, the newest created 20"),
        "{out}"
    );
    assert!(
        out.contains("it does not contain accounts made since the backup"),
        "{out}"
    );
    let others = format!("contained these others: {}\n", lost.username());
    assert!(out.contains(&others), "{out}");
    let before = class.data_dir().join("registrations.db.before-restore");
    assert!(out.contains(before.to_str().unwrap()), "{out}");
    is_whole(&before);
    assert_eq!(number(&before, REGISTRATIONS), 2);

    class.start_service();
    assert!(class.log().contains("has 1 account;"), "{}", class.log());
    let again = another_login(&class, &ana);
    assert_eq!(again.username(), first.username());
    assert!(ana.can_log_in());
    assert_eq!(
        again.password, first.password,
        "the key is no part of a backup"
    );
    // The other one is known as an account again, but not by its phone.
    assert_eq!(class.registrations(), 2);
    assert_ne!(another_login(&class, &ben).username(), lost.username());
}

#[test]
fn a_backup_through_pipes_moves_a_class_to_another_folder() {
    let class = open_class();
    let ana = class.student();
    let first = ana.gets_a_login();
    class.all_served();
    class.end_service();
    let saved = on(&class.data_dir(), &["backup", "-"]).output().unwrap();
    let file = class.folder().join("pipe.db");
    fs::write(&file, saved.stdout).unwrap();

    let fresh = class.folder().join("fresh");
    fs::create_dir(&fresh).unwrap();
    let output = on(&fresh, &["restore", "-"])
        .stdin(File::open(&file).unwrap())
        .output()
        .unwrap();
    let words = out(&output);
    assert!(
        words.starts_with("restored 1 registration"),
        "{}",
        said(&output).1
    );
    assert!(!words.contains("old database"), "{words}");
    let instance = class.query(INSTANCE);
    class.set("CODER_REG_DATA_DIR", fresh.to_str().unwrap());
    assert_eq!(class.query(INSTANCE), "none");
    // Else Redis would remember the folder that was left for a minute after the kill.
    class.redis().kill();
    class.redis().forget();
    class.redis().start_again();
    class.start_service();
    assert_ne!(class.query(INSTANCE), instance);
    let again = another_login(&class, &ana);
    assert_eq!(again.username(), first.username());
}

#[test]
fn texts_answered_after_the_backup_are_not_answered_again_and_missed_ones_are() {
    let class = plan().with("CODER_REG_CATCH_UP", "30").open();
    assert!(class.service().logs("no text was missed"));
    let [ana, ben, eva] = [(); 3].map(|()| class.student());
    ana.gets_a_login();
    class.all_served();
    let file = backup(&class, "copy.db");
    ben.gets_a_login();
    class.all_served();
    class.end_service();
    let missed = eva.webhook(PHRASE, &[]);
    assert_eq!(restore(&class.data_dir(), &file).0, Some(0));
    class.start_service();
    eva.next_login();
    assert!(class.log().contains("1 text that had not reached us"));
    // Twilio offers it again; and one more search changes nothing.
    assert_eq!(eva.posts(&missed), 200);
    class.restart_service();
    assert!(class.service().logs("no text was missed"));
    class.all_served();
    for student in [&ana, &ben, &eva] {
        student.has_read_all();
        assert!(student.can_log_in());
    }
    assert_eq!(class.coder().created_ever().len(), 3);
}

#[test]
fn a_running_service_is_not_robbed_of_its_database() {
    let class = open_class();
    let ana = class.student();
    ana.gets_a_login();
    class.all_served();
    let file = backup(&class, "copy.db");
    let (code, _, words) = restore(&class.data_dir(), &file);
    assert_eq!(code, Some(1));
    for part in ["is running on", "docker compose stop", "systemctl stop"] {
        assert!(words.contains(part), "{words}");
    }
    class.end_service();
    let reader = rusqlite::Connection::open(class.data_dir().join("registrations.db")).unwrap();
    reader
        .execute_batch("BEGIN; SELECT * FROM registrations")
        .unwrap();
    let (code, _, words) = restore(&class.data_dir(), &file);
    assert_eq!(code, Some(1));
    assert!(
        words.contains("another program has") && words.contains("try again"),
        "{words}"
    );
    drop(reader);
    assert_eq!(restore(&class.data_dir(), &file).0, Some(0));
    class.start_service();
    another_login(&class, &ana);
}

/// A class of one whose service is stopped, a backup of it, and the bytes of its database.
fn stopped_class() -> (Classroom, Vec<u8>, Vec<u8>) {
    let class = open_class();
    class.student().gets_a_login();
    class.all_served();
    let backup = fs::read(backup(&class, "copy.db")).unwrap();
    class.end_service();
    // Opened and closed once, so that its write-ahead log is in the file.
    class.change("SELECT 1");
    let database = fs::read(class.data_dir().join("registrations.db")).unwrap();
    (class, backup, database)
}

#[test]
fn what_is_no_whole_backup_of_ours_is_refused_and_changes_nothing() {
    let (class, backup, database) = stopped_class();
    let file = class.folder().join("given");
    let changed = |sql: &str| {
        fs::write(&file, &backup).unwrap();
        rusqlite::Connection::open(&file)
            .unwrap()
            .execute_batch(sql)
            .unwrap();
        fs::read(&file).unwrap()
    };
    let mut torn = backup.clone();
    let middle = torn.len() / 2 / 4096 * 4096;
    torn[middle..middle + 4096].fill(0xa5);
    let newer = "UPDATE facts SET value = CAST('99' AS BLOB) WHERE name = 'usable_from'; PRAGMA user_version = 99";
    for (bytes, problem) in [
        (Vec::new(), "it is empty"),
        (
            b"Dear diary, ".repeat(1_000),
            "it is not an SQLite database",
        ),
        (vec![0x1f, 0x8b, 8, 0], "it is compressed"),
        (
            backup[..backup.len() - 4096].to_vec(),
            "it is damaged or cut off",
        ),
        (backup[..100].to_vec(), "it is damaged or cut off"),
        (torn, "it is damaged or cut off"),
        (changed("PRAGMA application_id = 7"), "of another program"),
        (
            changed("PRAGMA application_id = 0; DROP TABLE seen"),
            "of another program",
        ),
        (changed(newer), "made by a newer program (version 99"),
    ] {
        fs::write(&file, &bytes).unwrap();
        let (code, out, words) = restore(&class.data_dir(), &file);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{problem}");
        assert!(words.contains(problem), "{problem}: {words}");
        assert!(words.contains("The database is unchanged"), "{words}");
        let names = fs::read_dir(class.data_dir()).unwrap();
        let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        let left = |name: &&std::ffi::OsString| {
            let name = name.to_string_lossy();
            name.contains("restor") || name.contains("aside")
        };
        assert_eq!(names.iter().find(left), None, "{problem}");
    }
    let (code, _, words) = restore(&class.data_dir(), Path::new("/no/such/file"));
    assert_eq!(code, Some(1));
    assert!(words.contains("cannot read /no/such/file"), "{words}");
    let same = fs::read(class.data_dir().join("registrations.db")).unwrap() == database;
    assert!(same, "the database was changed");
}

#[test]
fn a_damaged_database_is_replaced_and_kept_aside_as_it_was() {
    let (class, backup, _) = stopped_class();
    let file = class.folder().join("given");
    fs::write(&file, &backup).unwrap();
    let database = class.data_dir().join("registrations.db");
    let broken = b"Dear diary, ".repeat(1_000);
    fs::write(&database, &broken).unwrap();
    assert!(class.try_service(&[]).stderr.contains("is damaged"));
    // Nothing of the old one's must be read as the new one's.
    for side in ["-wal", "-shm", "-journal"] {
        let name = format!("registrations.db{side}");
        fs::write(class.data_dir().join(name), "left by the old one").unwrap();
    }
    let (code, out, words) = restore(&class.data_dir(), &file);
    assert_eq!(code, Some(0), "{words}");
    assert!(out.starts_with("restored 1 registration"), "{out}");
    assert!(!out.contains("knew"), "{out}");
    let before = class.data_dir().join("registrations.db.before-restore");
    assert!(fs::read(&before).unwrap() == broken);
    let names = fs::read_dir(class.data_dir()).unwrap().flatten();
    let sides = names.filter(|entry| {
        let name = entry.file_name().into_string().unwrap();
        name.starts_with("registrations.db-")
    });
    assert_eq!(sides.count(), 0);
    is_whole(&database);
    class.start_service();
    assert_eq!(class.registrations(), 1);
    class.end_service();
    assert_eq!(restore(&class.data_dir(), &file).0, Some(0));
    is_whole(&class.data_dir().join("registrations.db.before-restore-2"));
    assert!(fs::read(&before).unwrap() == broken, "it was overwritten");
}

#[test]
fn no_restore_overwrites_what_an_earlier_one_put_aside() {
    let (class, backup, _) = stopped_class();
    let file = class.folder().join("given");
    fs::write(&file, &backup).unwrap();
    let database = class.data_dir().join("registrations.db");
    // What only this folder knows.
    let only = b"the only copy of a class".repeat(1_000);
    fs::write(&database, &only).unwrap();
    let kept = |name: &str| {
        class
            .data_dir()
            .join(format!("registrations.db.before-{name}"))
    };
    for name in ["restore", "restore-2", "restore-3"] {
        let (code, out, words) = restore(&class.data_dir(), &file);
        assert_eq!(code, Some(0), "{words}");
        let shown = format!("kept as {}\n", kept(name).display());
        assert!(out.contains(&shown), "{out}");
        assert!(fs::read(kept("restore")).unwrap() == only);
    }
    is_whole(&kept("restore-3"));
    // A name that a log or a broken link stands under is not free either.
    fs::write(kept("restore-4-wal"), "a log").unwrap();
    symlink("/no/such/file", kept("restore-5")).unwrap();
    assert_eq!(restore(&class.data_dir(), &file).0, Some(0));
    is_whole(&kept("restore-6"));
    assert_eq!(fs::read(kept("restore-4-wal")).unwrap(), b"a log");
}

#[test]
fn nobody_is_asked_while_the_service_runs() {
    let class = open_class();
    let file = backup(&class, "copy.db");
    let ended = class.on_a_terminal(&["restore", file.to_str().unwrap()], "y\n");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("stop it first"), "{ended:?}");
    let shown = format!("{}{}", ended.stdout, ended.stderr);
    assert!(!shown.contains("replace /"), "{ended:?}");
}

#[test]
fn a_database_is_replaced_only_by_somebody_who_was_asked() {
    let (class, backup, _) = stopped_class();
    let file = class.folder().join("given");
    fs::write(&file, &backup).unwrap();
    let database = class.data_dir().join("registrations.db");
    let before = fs::read(&database).unwrap();
    let unasked = |from: &Path| {
        let arguments = ["restore".as_ref(), from.as_os_str()];
        let mut command = on(&class.data_dir(), &arguments);
        command.stdin(File::open(&file).unwrap());
        said(&command.output().unwrap())
    };
    for from in [file.as_path(), Path::new("-")] {
        let (code, words) = unasked(from);
        assert_eq!(code, Some(2), "{words}");
        assert!(words.contains("needs --yes"), "{words}");
    }
    // What cannot be read is told at once, without a question.
    let absent = class.folder().join("no-such-copy");
    for (from, why) in [
        (absent, "No such file"),
        (class.data_dir(), "it is a folder"),
    ] {
        let ended = class.on_a_terminal(&["restore", from.to_str().unwrap()], "n\n");
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let words = format!("cannot read {}: {why}", from.display());
        assert!(ended.stderr.contains(&words), "{ended:?}");
        let shown = format!("{}{}", ended.stdout, ended.stderr);
        assert!(!shown.contains("replace "), "{ended:?}");
        assert_eq!(unasked(&from).0, Some(1), "without a terminal too");
    }
    let ended = class.on_a_terminal(&["restore", file.to_str().unwrap()], "n\n");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("nothing is changed"), "{ended:?}");
    assert!(fs::read(&database).unwrap() == before);
    let ended = class.on_a_terminal(&["restore", file.to_str().unwrap()], "y\n");
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn a_copy_that_was_made_with_its_log_beside_it_is_taken_whole() {
    let class = open_class();
    class.student().gets_a_login();
    class.all_served();
    // As `cp` would do it after a kill: the file alone lacks what is in the log.
    class.end_service();
    let file = class.folder().join("by-hand.db");
    let database = class.data_dir().join("registrations.db");
    fs::copy(&database, &file).unwrap();
    let log = class.data_dir().join("registrations.db-wal");
    fs::copy(&log, class.folder().join("by-hand.db-wal")).unwrap();
    // The folder's name in Redis is the folder's, not the backup's.
    class.change("UPDATE facts SET value = x'0123456789ABCDEF' WHERE name = 'instance'");
    let (code, out, words) = restore(&class.data_dir(), &file);
    assert_eq!(code, Some(0), "{words}");
    assert_eq!(class.query(INSTANCE), "0123456789ABCDEF");
    assert!(out.starts_with("restored 1 registration"), "{out}");
    assert!(out.contains("contained no other accounts"), "{out}");
}

//! Copies of the database while the service works.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use super::{REGISTRATIONS, is_whole, number, on, out, said};
use crate::class;
use support::classroom::folder::Folder;

#[test]
fn copies_made_while_a_class_registers_are_whole_and_of_one_moment() {
    let class = class();
    let students = class.students(30);
    let mut counts = Vec::new();
    for (number_of, part) in students.chunks(5).enumerate() {
        part.iter().for_each(|student| drop(student.asks()));
        let file = class.folder().join(format!("{number_of}.db"));
        let output = on(&class.data_dir(), &["backup".as_ref(), file.as_os_str()])
            .output()
            .unwrap();
        let (code, words) = said(&output);
        assert_eq!(code, Some(0), "{words}");
        is_whole(&file);
        let count = number(&file, REGISTRATIONS);
        assert!(
            words.starts_with(&format!("{count} registration")),
            "{words}"
        );
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        counts.push(count);
    }
    assert!(counts.is_sorted(), "{counts:?}");
    for student in &students {
        student.next_login();
        assert!(student.can_log_in());
    }
    class.all_served();
    let whole = class.folder().join("whole.db");
    let ended = class.try_service(&["backup", whole.to_str().unwrap()]);
    assert!(
        ended.stderr.starts_with("30 registrations, schema "),
        "{}",
        ended.stderr
    );
    assert_eq!(number(&whole, REGISTRATIONS), 30);
    let left = names(class.folder());
    assert!(
        !left.iter().any(|name| name.contains("partial")),
        "{left:?}"
    );
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_copy_goes_down_a_pipe_and_leaves_nothing_behind() {
    let class = class();
    class.student().gets_a_login();
    class.all_served();
    let before = names(&class.data_dir());
    let output = on(&class.data_dir(), &["backup", "-"]).output().unwrap();
    let (code, words) = said(&output);
    assert_eq!(code, Some(0), "{words}");
    assert!(words.starts_with("1 registration, schema "), "{words}");
    let file = class.folder().join("piped.db");
    fs::write(&file, &output.stdout).unwrap();
    is_whole(&file);
    assert_eq!(number(&file, REGISTRATIONS), 1);
    assert_eq!(names(&class.data_dir()), before);

    // Nobody takes it: that is told, and nothing is left either.
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = on(&class.data_dir(), &["backup", "-"])
        .stdout(full)
        .output()
        .unwrap();
    let (code, words) = said(&output);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("cannot write standard output"), "{words}");
    assert_eq!(names(&class.data_dir()), before);
}

#[test]
fn what_a_killed_copy_left_is_gone_after_the_next_start() {
    let class = class();
    class.end_service();
    let left = [
        "registrations.db.copy",
        "registrations.db.copy-journal",
        "registrations.db.restoring",
    ];
    for name in left {
        fs::write(class.data_dir().join(name), "half").unwrap();
    }
    class.start_service();
    let names = names(&class.data_dir());
    assert!(
        left.iter()
            .all(|left| !names.iter().any(|name| name == left)),
        "{names:?}"
    );
}

#[test]
fn a_file_that_is_there_is_not_overwritten_unless_forced() {
    let class = class();
    let file = class.folder().join("precious");
    fs::write(&file, "mine").unwrap();
    let path = file.to_str().unwrap();
    let refused = on(&class.data_dir(), &["backup", path]).output().unwrap();
    let (code, words) = said(&refused);
    assert_eq!(code, Some(1));
    assert!(
        words.contains("already exists") && words.contains("--force"),
        "{words}"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    let forced = on(&class.data_dir(), &["backup", "--force", path])
        .output()
        .unwrap();
    assert_eq!(said(&forced).0, Some(0), "{}", said(&forced).1);
    is_whole(&file);
    for odd in ["/dev/null", class.folder().to_str().unwrap()] {
        let refused = on(&class.data_dir(), &["backup", odd, "--force"])
            .output()
            .unwrap();
        assert!(
            said(&refused).1.contains("is not an ordinary file"),
            "{odd}: {}",
            said(&refused).1
        );
    }
    let nowhere = class.folder().join("no/such/folder.db");
    let refused = on(&class.data_dir(), &["backup".as_ref(), nowhere.as_os_str()])
        .output()
        .unwrap();
    assert!(
        said(&refused).1.contains("there is no such folder"),
        "{}",
        said(&refused).1
    );
}

#[test]
fn a_folder_without_our_database_is_reported() {
    let folder = Folder::new();
    let target = folder.path().join("copy.db");
    let backup = || {
        let arguments = ["backup".as_ref(), target.as_os_str()];
        said(&on(folder.path(), &arguments).output().unwrap())
    };
    let (code, words) = backup();
    assert_eq!(code, Some(1));
    assert!(words.contains("there is no database in /"), "{words}");
    assert!(words.contains("first start"), "{words}");
    assert!(words.contains("CODER_REG_DATA_DIR"), "{words}");
    let database = folder.path().join("registrations.db");
    let other = rusqlite::Connection::open(&database).unwrap();
    other
        .execute_batch("CREATE TABLE recipes (name TEXT)")
        .unwrap();
    drop(other);
    assert!(backup().1.contains("is not a database of this program"));
    fs::write(&database, "Dear diary, ".repeat(1_000)).unwrap();
    assert!(backup().1.contains("is damaged"));
    assert!(!target.exists());
}

#[test]
fn a_backup_is_not_written_to_a_terminal() {
    // `script` gives it one.
    let binary = env!("CARGO_BIN_EXE_coder-sms-register");
    let mut script = std::process::Command::new("script");
    script.args(["-qec", &format!("{binary} backup -"), "/dev/null"]);
    let output = script
        .stdin(Stdio::null())
        .output()
        .expect("script, of util-linux");
    let shown = out(&output);
    assert!(shown.contains("standard output is a terminal"), "{shown}");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn two_backups_at_once_do_not_disturb_each_other() {
    let class = class();
    let folder = class.data_dir();
    let held = fs::File::create(folder.join("registrations.db.copy")).unwrap();
    held.lock().unwrap();
    let (code, words) = said(&on(&folder, &["backup", "-"]).output().unwrap());
    assert_eq!(code, Some(1));
    assert!(
        words.contains("another backup or restore is under way"),
        "{words}"
    );
    drop(held);
    // A child that another test has just forked may hold the lock for a moment.
    class.eventually("a backup", || {
        said(&on(&folder, &["backup", "-"]).output().unwrap()).0 == Some(0)
    });
}

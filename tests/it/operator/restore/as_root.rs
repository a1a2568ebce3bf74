//! Root backs up and restores as the user to whom the data folder belongs.

use super::*;

/// A stopped class with its backup in a file, whose data folder belongs to nobody. `None` where this is
/// not root: nobody else can give files away.
fn class_of_nobody() -> Option<(Classroom, PathBuf)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let (class, backup, _) = stopped_class();
    let file = class.folder().join("given");
    fs::write(&file, &backup).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    // Others have to get to the data folder, as to /var/lib.
    fs::set_permissions(class.folder(), Permissions::from_mode(0o755)).unwrap();
    let folder = class.data_dir();
    let other = Some(65_534);
    chown(&folder, other, other).unwrap();
    for entry in fs::read_dir(&folder).unwrap().flatten() {
        chown(entry.path(), other, other).unwrap();
    }
    Some((class, file))
}

#[test]
fn root_backs_up_and_restores_as_the_user_to_whom_the_folder_belongs() {
    let Some((class, file)) = class_of_nobody() else {
        return;
    };
    let folder = class.data_dir();
    let copy = backup(&class, "by-root.db");
    let found = fs::metadata(&copy).unwrap();
    assert_eq!((found.uid(), found.mode() & 0o777), (0, 0o600));
    assert_eq!(number(&copy, REGISTRATIONS), 1);
    fs::remove_file(folder.join("lock")).unwrap();
    let (code, out, words) = restore(&folder, &file);
    assert_eq!(code, Some(0), "{words}");
    assert!(out.starts_with("restored 1 registration"), "{out}");
    for name in [
        "registrations.db",
        "registrations.db.before-restore",
        "lock",
    ] {
        let found = fs::metadata(folder.join(name)).unwrap();
        assert_eq!((found.uid(), found.gid()), (65_534, 65_534), "{name}");
        assert_eq!(found.mode() & 0o777, 0o600, "{name}");
    }
}

#[test]
fn links_in_the_data_folder_lead_root_to_no_file_of_others() {
    for name in ["lock", "registrations.db", "registrations.db.restoring"] {
        let Some((class, file)) = class_of_nobody() else {
            return;
        };
        let folder = class.data_dir();
        let target = class.folder().join("target");
        fs::write(&target, fs::read(&file).unwrap()).unwrap();
        fs::set_permissions(&target, Permissions::from_mode(0o600)).unwrap();
        let before = fs::read(&target).unwrap();
        let _ = fs::remove_file(folder.join(name));
        symlink(&target, folder.join(name)).unwrap();
        restore(&folder, &file);
        let found = fs::metadata(&target).unwrap();
        assert_eq!((found.uid(), found.mode() & 0o777), (0, 0o600), "{name}");
        assert_eq!(fs::read(&target).unwrap(), before, "{name}");
        let aside = folder.join("registrations.db.before-restore");
        if name == "registrations.db" {
            assert!(!aside.exists(), "its content was copied");
        }
    }
}

//! Opening the database: whose folder it is, how the file is made, and what is refused.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::*;

#[test]
fn a_folder_has_one_user_at_a_time() {
    let dir = TempDir::new();
    let first = dir.open();
    let refusal = dir.refusal(&[key("ours")]);
    assert!(matches!(refusal, StoreError::Taken { .. }), "{refusal}");
    let folder = fs::canonicalize(dir.data()).unwrap();
    assert!(
        refusal.to_string().contains(folder.to_str().unwrap()),
        "{refusal}"
    );
    first.reserved(1);
    drop(first);
    assert_eq!(dir.open().count().unwrap(), 1);
}

#[test]
fn nobody_else_can_read_what_is_made() {
    let dir = TempDir::new();
    let store = dir.open();
    store.reserved(1);
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(&dir.data()), 0o700);
    let files: Vec<PathBuf> = fs::read_dir(dir.data())
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    assert!(files.contains(&dir.file()) && files.len() > 2, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn a_folder_that_is_none_is_refused_by_its_name() {
    let dir = TempDir::new();
    fs::write(dir.data(), "a file").unwrap();
    let refusal = dir.refusal(&[key("ours")]);
    assert!(matches!(refusal, StoreError::Folder { .. }), "{refusal}");
    assert!(
        refusal.to_string().contains(dir.data().to_str().unwrap()),
        "{refusal}"
    );
}

#[test]
fn a_file_that_may_not_be_written_is_refused() {
    let dir = TempDir::new();
    drop(dir.open());
    fs::set_permissions(dir.file(), Permissions::from_mode(0o400)).unwrap();
    if fs::OpenOptions::new().append(true).open(dir.file()).is_ok() {
        return; // to the superuser nothing is forbidden
    }
    assert!(matches!(
        dir.refusal(&[key("ours")]),
        StoreError::Folder { .. }
    ));
}

#[test]
fn rows_are_checked_by_type_and_survive_a_power_cut() {
    let dir = TempDir::new();
    let store = dir.open();
    let connection = store.lock();
    let ask = |query: &str| -> Value { connection.query_row(query, [], |row| row.get(0)).unwrap() };
    let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table'";
    assert_eq!(ask(tables), Value::Integer(10));
    let strict = format!("{tables} AND sql LIKE '%) STRICT%'");
    assert_eq!(ask(&strict), Value::Integer(10));
    assert_eq!(ask("PRAGMA journal_mode"), Value::Text("wal".to_owned()));
    assert_eq!(ask("PRAGMA synchronous"), Value::Integer(2), "FULL");
    assert_eq!(ask("PRAGMA secure_delete"), Value::Integer(1));
    assert_eq!(ask("PRAGMA user_version"), Value::Integer(schema::VERSION));
}

/// What a newer program may have made of a database of ours.
fn upgraded(dir: &TempDir, usable_from: i64) {
    let connection = Connection::open(dir.file()).unwrap();
    connection
        .execute_batch(&format!(
            "ALTER TABLE registrations ADD COLUMN nickname TEXT DEFAULT 'none';
             UPDATE registrations SET nickname = 'kept';
             CREATE TABLE notes (id INTEGER PRIMARY KEY, words TEXT) STRICT;
             INSERT INTO notes (words) VALUES ('kept');
             UPDATE facts SET value = CAST('{usable_from}' AS BLOB) WHERE name = 'usable_from';
             PRAGMA user_version = {};",
            schema::VERSION + 1
        ))
        .unwrap();
}

#[test]
fn a_newer_database_that_older_programs_may_use_is_used_and_kept_as_it_is() {
    let dir = TempDir::new();
    let store = dir.open();
    let kept = store.at_stage(1, Stage::Announced);
    let gone = store.at_stage(2, Stage::Reaping);
    drop(store);
    upgraded(&dir, schema::VERSION);
    dir.open().forget(gone, 100).unwrap();
    let store = dir.open();
    let new = store.at_stage(3, Stage::Announced);
    assert!(store.begin_removal(new, 100).unwrap());
    store.forget(new, 100).unwrap();
    store.renew(kept, 200).unwrap();
    let connection = store.lock();
    let ask = |query: &str| -> Value { connection.query_row(query, [], |row| row.get(0)).unwrap() };
    assert_eq!(
        ask("PRAGMA user_version"),
        Value::Integer(schema::VERSION + 1)
    );
    let nickname = format!("SELECT nickname FROM registrations WHERE id = {kept}");
    assert_eq!(ask(&nickname), Value::Text("kept".to_owned()));
    assert_eq!(
        ask("SELECT words FROM notes"),
        Value::Text("kept".to_owned())
    );
    assert_eq!(ask("SELECT count(*) FROM registrations"), Value::Integer(1));
}

#[test]
fn a_newer_database_that_this_program_must_not_use_is_refused_with_the_cure_and_left_as_it_was() {
    let dir = TempDir::new();
    dir.open().reserved(1);
    let newer = schema::VERSION + 1;
    for forget in [false, true] {
        upgraded_once(&dir, newer, forget);
        let before = fs::read(dir.file()).unwrap();
        let refusal = dir.refusal(&[key("ours")]);
        let told = matches!(refusal, StoreError::Newer { found, known } if (found, known) == (newer, schema::VERSION));
        assert!(told, "{refusal}");
        let words = refusal.to_string();
        assert!(
            words.contains("install the newer program") && words.contains("restore FILE"),
            "{words}"
        );
        assert!(fs::read(dir.file()).unwrap() == before);
    }
}

/// Upgrades at the first call; with `forget`, the database does not even say who may use it.
fn upgraded_once(dir: &TempDir, usable_from: i64, forget: bool) {
    if forget {
        let connection = Connection::open(dir.file()).unwrap();
        let sql = "DELETE FROM facts WHERE name = 'usable_from'";
        connection.execute(sql, []).unwrap();
    } else {
        upgraded(dir, usable_from);
    }
}

#[test]
fn every_migration_says_who_may_use_its_result() {
    let dir = TempDir::new();
    let store = dir.open();
    let usable_from: Vec<u8> = store
        .lock()
        .query_row(
            "SELECT value FROM facts WHERE name = 'usable_from'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let usable_from: i64 = String::from_utf8(usable_from).unwrap().parse().unwrap();
    assert!((1..=schema::VERSION).contains(&usable_from));
}

/// Opens a file of 300 registrations after each kind of damage.
fn damaged(check: impl Fn(&str, &TempDir, &[u8], &StoreError)) {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 4] = [
        ("garbage over the header", |bytes| bytes[..100].fill(0xA5)),
        ("garbage over a page", |bytes| {
            let middle = bytes.len() / 2 / 4096 * 4096;
            bytes[middle..middle + 4096].fill(0xA5);
        }),
        ("cut in half", |bytes| bytes.truncate(bytes.len() / 2)),
        ("another file", |bytes| {
            *bytes = b"Dear diary, ".repeat(1_000);
        }),
    ];
    for (what, damage) in damages {
        let dir = TempDir::new();
        let store = dir.open();
        (0..300).for_each(|number| drop(store.reserved(number)));
        drop(store);
        let mut bytes = fs::read(dir.file()).unwrap();
        damage(&mut bytes);
        fs::write(dir.file(), &bytes).unwrap();
        check(what, &dir, &bytes, &dir.refusal(&[key("ours")]));
    }
}

#[test]
fn a_damaged_file_is_refused_and_left_as_it_was() {
    damaged(|what, dir, bytes, _| {
        assert!(
            fs::read(dir.file()).unwrap() == bytes,
            "{what}: the file was changed"
        );
    });
}

#[test]
fn the_refusal_of_a_damaged_file_names_the_cure() {
    damaged(|what, _, _, refusal| {
        assert!(
            refusal.to_string().contains("restore a backup"),
            "{what}: {refusal}"
        );
    });
}

#[test]
fn an_empty_database_takes_the_preferred_key() {
    let dir = TempDir::new();
    let (a, b) = (key("a"), key("b"));
    for keys in [
        [a.clone(), b.clone()],
        [b.clone(), a.clone()],
        [a.clone(), b.clone()],
    ] {
        let preferred = keys[0].clone();
        assert!(dir.open_with(&keys).unwrap().1 == preferred);
    }
}

#[test]
fn with_registrations_their_own_key_is_kept_wherever_it_stands() {
    let dir = TempDir::new();
    let (a, b) = (key("a"), key("b"));
    dir.open_with(std::slice::from_ref(&a))
        .unwrap()
        .0
        .reserved(1);
    for keys in [
        vec![a.clone(), b.clone()],
        vec![b.clone(), a.clone()],
        vec![a.clone()],
    ] {
        assert!(dir.open_with(&keys).unwrap().1 == a);
    }
}

#[test]
fn registrations_under_another_key_stop_the_start_until_they_are_gone() {
    let dir = TempDir::new();
    let (a, b) = (key("a"), key("b"));
    let store = dir.open_with(std::slice::from_ref(&a)).unwrap().0;
    let id = store.at_stage(1, Stage::Reaping);
    store.opted(&phone(1), true, &sid(1), 10, None).unwrap();
    drop(store);
    for keys in [vec![b.clone()], vec![b.clone(), key("c")], vec![]] {
        let refusal = dir.refusal(&keys);
        assert!(
            matches!(refusal, StoreError::OtherKey { registrations: 1 }),
            "{refusal}"
        );
        assert!(
            refusal.to_string().contains("TWILIO_ACCOUNT_TOKEN"),
            "{refusal}"
        );
    }
    let store = dir.open_with(std::slice::from_ref(&a)).unwrap().0;
    assert!(store.contact(&phone(1)).unwrap().opted_out_at.is_some());
    store.forget(id, 100).unwrap();
    drop(store);

    let (store, adopted) = dir.open_with(std::slice::from_ref(&b)).unwrap();
    assert!(adopted == b);
    assert_eq!(store.contact(&phone(1)).unwrap(), Contact::default());
    store.reserved(2);
    drop(store);
    assert!(matches!(
        dir.refusal(&[a]),
        StoreError::OtherKey { registrations: 1 }
    ));
}

//! The mechanism of migrations, with a made-up second version.

use super::*;

/// A second version that a first-version program may use if `usable_from` is 1.
fn versions(usable_from: i64, second: &'static str) -> [Migration; 2] {
    let first = MIGRATIONS[0].sql;
    [
        Migration {
            usable_from: 1,
            sql: first,
        },
        Migration {
            usable_from,
            sql: second,
        },
    ]
}

/// A database of the first version with a row that has to be kept.
fn first_version() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    migrate(&mut connection).unwrap();
    connection
        .execute("INSERT INTO seen (sid, at) VALUES ('SM1', 7)", [])
        .unwrap();
    connection
}

fn ask<T: rusqlite::types::FromSql>(connection: &Connection, query: &str) -> T {
    connection.query_row(query, [], |row| row.get(0)).unwrap()
}

const USABLE_FROM: &str =
    "SELECT CAST(CAST(value AS TEXT) AS INTEGER) FROM facts WHERE name = 'usable_from'";
const VERSION_OF: &str = "PRAGMA user_version";

#[test]
fn a_new_database_has_the_first_version_and_says_whose_it_is() {
    let connection = first_version();
    assert_eq!(ask::<i64>(&connection, VERSION_OF), VERSION);
    assert_eq!(ask::<i64>(&connection, USABLE_FROM), 1);
    assert!(is_ours(&connection).unwrap());
    assert_eq!(usable_version(&connection).unwrap(), VERSION);
}

#[test]
fn a_database_is_brought_to_the_next_version_once_and_keeps_its_rows() {
    for usable_from in [1, 2] {
        let mut connection = first_version();
        let next = versions(usable_from, "ALTER TABLE seen ADD COLUMN words TEXT;");
        migrate_by(&next, &mut connection).unwrap();
        assert_eq!(ask::<i64>(&connection, VERSION_OF), 2);
        assert_eq!(ask::<i64>(&connection, USABLE_FROM), usable_from);
        assert_eq!(
            ask::<i64>(&connection, "SELECT at FROM seen WHERE words IS NULL"),
            7
        );
        // A program of the first version goes on with it where it may.
        match usable_version(&connection) {
            Ok(found) => assert_eq!((usable_from, found), (1, 2)),
            Err(StoreError::Newer { found, known }) => {
                assert_eq!((usable_from, found, known), (2, 2, 1));
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn a_migration_that_fails_leaves_the_database_as_it_was() {
    let mut connection = first_version();
    let broken = versions(
        2,
        "ALTER TABLE seen ADD COLUMN words TEXT; SELECT nonsense;",
    );
    migrate_by(&broken, &mut connection).unwrap_err();
    assert_eq!(ask::<i64>(&connection, VERSION_OF), 1);
    assert_eq!(ask::<i64>(&connection, USABLE_FROM), 1);
    let columns = "SELECT count(*) FROM pragma_table_info('seen') WHERE name = 'words'";
    assert_eq!(ask::<i64>(&connection, columns), 0);
    migrate(&mut connection).unwrap();
    assert_eq!(usable_version(&connection).unwrap(), VERSION);
}

#[test]
fn a_database_of_an_unreleased_build_is_refused_with_what_to_do() {
    for (application, version) in [(UNRELEASED[0], 11), (UNRELEASED[0], 1), (UNRELEASED[1], 2)] {
        let mut connection = first_version();
        let old = format!("PRAGMA application_id = {application}; PRAGMA user_version = {version}");
        connection.execute_batch(&old).unwrap();
        let refusal = migrate(&mut connection).unwrap_err();
        let told = matches!(refusal, StoreError::Unreleased { found } if found == version);
        assert!(told, "{refusal}");
        let words = refusal.to_string();
        assert!(
            words.contains("end --all") && words.contains("move the file"),
            "{words}"
        );
        assert_eq!(ask::<i64>(&connection, VERSION_OF), version);
    }
}

//! The mechanism of migrations, with a made-up next version.

use super::*;

/// One version more, which a program of this version may use if `usable_from` is 1.
fn versions(usable_from: i64, next: &'static str) -> Vec<Migration> {
    let known = MIGRATIONS.iter().map(|one| Migration {
        usable_from: one.usable_from,
        sql: one.sql,
    });
    let next = Migration {
        usable_from,
        sql: next,
    };
    known.chain([next]).collect()
}

/// A database of this version with a row that has to be kept.
fn this_version() -> Connection {
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
fn a_new_database_has_this_version_and_says_whose_it_is() {
    let connection = this_version();
    assert_eq!(ask::<i64>(&connection, VERSION_OF), VERSION);
    assert_eq!(ask::<i64>(&connection, USABLE_FROM), 1);
    assert!(is_ours(&connection).unwrap());
    assert_eq!(usable_version(&connection).unwrap(), VERSION);
}

#[test]
fn a_database_is_brought_to_the_next_version_once_and_keeps_its_rows() {
    for usable_from in [1, VERSION + 1] {
        let mut connection = this_version();
        let next = versions(usable_from, "ALTER TABLE seen ADD COLUMN words TEXT;");
        migrate_by(&next, &mut connection).unwrap();
        assert_eq!(ask::<i64>(&connection, VERSION_OF), VERSION + 1);
        assert_eq!(ask::<i64>(&connection, USABLE_FROM), usable_from);
        assert_eq!(
            ask::<i64>(&connection, "SELECT at FROM seen WHERE words IS NULL"),
            7
        );
        // A program of this version goes on with it where it may.
        match usable_version(&connection) {
            Ok(found) => assert_eq!((usable_from, found), (1, VERSION + 1)),
            Err(StoreError::Newer { found, known }) => {
                let next = VERSION + 1;
                assert_eq!((usable_from, found, known), (next, next, VERSION));
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn a_migration_that_fails_leaves_the_database_as_it_was() {
    let mut connection = this_version();
    let broken = versions(
        2,
        "ALTER TABLE seen ADD COLUMN words TEXT; SELECT nonsense;",
    );
    migrate_by(&broken, &mut connection).unwrap_err();
    assert_eq!(ask::<i64>(&connection, VERSION_OF), VERSION);
    assert_eq!(ask::<i64>(&connection, USABLE_FROM), 1);
    let columns = "SELECT count(*) FROM pragma_table_info('seen') WHERE name = 'words'";
    assert_eq!(ask::<i64>(&connection, columns), 0);
    migrate(&mut connection).unwrap();
    assert_eq!(usable_version(&connection).unwrap(), VERSION);
}

#[test]
fn a_database_of_an_unreleased_build_is_refused_with_what_to_do() {
    for (application, version) in [(UNRELEASED[0], 11), (UNRELEASED[0], 1), (UNRELEASED[1], 2)] {
        let mut connection = this_version();
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

#[test]
fn a_database_of_each_earlier_version_is_brought_up_to_date() {
    for (found, _) in MIGRATIONS.iter().enumerate().skip(1) {
        let mut connection = Connection::open_in_memory().unwrap();
        let known = versions(1, "");
        migrate_by(&known[..found], &mut connection).unwrap();
        migrate(&mut connection).unwrap();
        assert_eq!(ask::<i64>(&connection, VERSION_OF), VERSION);
        let columns = "SELECT count(*) FROM pragma_table_info('registrations')
                       WHERE name IN ('shown_at', 'arrived_at', 'class', 'create_repeated_at')";
        assert_eq!(ask::<i64>(&connection, columns), 4);
    }
}

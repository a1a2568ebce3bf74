//! All rows of the service's database, read from a copy.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use crate::classroom::Classroom;

/// All rows of the database. The names of accounts in it are added to `drawn`.
pub fn lines(class: &Classroom, drawn: &mut BTreeSet<String>) -> Vec<String> {
    let (home, copy) = (class.data_dir(), class.folder().join("copy"));
    fs::create_dir_all(&copy).expect("a folder for the copy");
    let logs = ["registrations.db-wal", "registrations.db-journal"];
    for name in ["registrations.db"].into_iter().chain(logs) {
        // A file of an earlier copy must not stand in for one that is not there.
        let _ = fs::remove_file(copy.join(name));
        let _ = fs::copy(home.join(name), copy.join(name));
    }
    if !copy.join("registrations.db").exists() {
        return vec!["no database".to_owned()];
    }
    rows(&copy.join("registrations.db"), drawn)
        .unwrap_or_else(|error| vec![format!("database: {error}")])
}

fn rows(path: &Path, drawn: &mut BTreeSet<String>) -> rusqlite::Result<Vec<String>> {
    let connection = Connection::open(path)?;
    let number = |name: &str| {
        connection.query_row(&format!("PRAGMA {name}"), [], |row| {
            row.get_ref(0).map(shown)
        })
    };
    let mut lines = Vec::new();
    for name in ["application_id", "user_version", "journal_mode"] {
        lines.push(format!("database {name} {}", number(name)?));
    }
    let mut tables = connection.prepare(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    )?;
    let tables = tables.query_map([], |row| row.get::<_, String>(0))?;
    for table in tables.collect::<rusqlite::Result<Vec<_>>>()? {
        // The fact "probe" is written to see whether it can be; its value has no meaning.
        let meant = if table == "facts" {
            " WHERE name <> 'probe'"
        } else {
            ""
        };
        let mut all = connection.prepare(&format!("SELECT * FROM {table}{meant}"))?;
        let columns: Vec<String> = all.column_names().map(ToString::to_string).collect();
        let found = all.query_map([], |row| record(&table, &columns, row, drawn))?;
        lines.extend(found.collect::<rusqlite::Result<Vec<_>>>()?);
    }
    Ok(lines)
}

/// One row, without what is NULL in it.
fn record(
    table: &str,
    columns: &[String],
    row: &Row<'_>,
    drawn: &mut BTreeSet<String>,
) -> rusqlite::Result<String> {
    let mut line = table.to_owned();
    for (place, column) in columns.iter().enumerate() {
        let value = row.get_ref(place)?;
        if column == "username" {
            drawn.insert(shown(value));
        }
        // A slot is a time, counted in another unit.
        if value != ValueRef::Null && column != "slot" {
            line += &format!(" {column} {}", shown(value));
        }
    }
    Ok(line)
}

/// A value of a database in words; bytes as hexadecimal digits.
fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        ValueRef::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

//! The tables, as a list of migrations: number n brings a database from `user_version` n-1 to n.
//!
//! A migration that has been released is never edited; a change is a new one at the end.

use rusqlite::{Connection, TransactionBehavior};

use super::StoreError;

const MIGRATIONS: &[&str] = &[
    // 1: phones appear as keyed hashes only, passwords not at all.
    "
    CREATE TABLE registrations (
        id             INTEGER PRIMARY KEY,
        phone          BLOB    NOT NULL UNIQUE CHECK (length(phone) = 20),
        username       TEXT    NOT NULL UNIQUE COLLATE NOCASE,
        marker         TEXT    NOT NULL,
        stage          TEXT    NOT NULL CHECK (stage IN ('reserved', 'created', 'announced', 'reaping')),
        coder_id       TEXT             CHECK (coder_id IS NOT NULL OR stage IN ('reserved', 'reaping')),
        reserved_at    INTEGER NOT NULL,
        announced_at   INTEGER          CHECK (announced_at IS NOT NULL OR stage <> 'announced'),
        due_at         INTEGER,
        fingerprint    BLOB             CHECK (length(fingerprint) = 20),
        sending_since  INTEGER          CHECK ((sending_since IS NULL) = (fingerprint IS NULL)),
        doubtful       INTEGER NOT NULL DEFAULT 0,
        sent_in_window INTEGER NOT NULL DEFAULT 0,
        window_start   INTEGER NOT NULL DEFAULT 0,
        check_at       INTEGER NOT NULL DEFAULT 0,
        reap_tries     INTEGER NOT NULL DEFAULT 0,
        reap_note      TEXT
    ) STRICT;
    CREATE INDEX registrations_due ON registrations (due_at) WHERE due_at IS NOT NULL;

    CREATE TABLE seen (
        sid TEXT    PRIMARY KEY,
        at  INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX seen_at ON seen (at);

    CREATE TABLE contacts (
        phone         BLOB    PRIMARY KEY CHECK (length(phone) = 20),
        hinted_at     INTEGER,
        opted_out_at  INTEGER,
        refused_until INTEGER
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE facts (
        name  TEXT PRIMARY KEY,
        value BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    ",
    // 2: why a text was given up, who was told that the class is full, how many texts were sent.
    "
    ALTER TABLE seen ADD COLUMN gave_up TEXT;
    ALTER TABLE contacts ADD COLUMN full_at INTEGER;
    CREATE TABLE sends (
        slot  INTEGER PRIMARY KEY,
        count INTEGER NOT NULL
    ) STRICT;
    ",
];

/// The version that this program writes.
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

/// Brings the database up to [`VERSION`]; all of it or nothing.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let failed = StoreError::sql("bring the database up to date");
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(&failed)?;
    let found: i64 = transaction
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(&failed)?;
    if found > VERSION {
        return Err(StoreError::Newer {
            found,
            known: VERSION,
        });
    }
    let done = usize::try_from(found).unwrap_or(0);
    for migration in &MIGRATIONS[done..] {
        transaction.execute_batch(migration).map_err(&failed)?;
    }
    transaction
        .execute_batch(&format!("PRAGMA user_version = {VERSION}"))
        .map_err(&failed)?;
    transaction.commit().map_err(failed)
}

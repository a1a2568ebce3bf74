//! The tables, as a list of migrations: number n brings a database from `user_version` n-1 to n.
//!
//! A migration that has been released is never edited; a change is a new one at the end. Each says
//! which programs may still use its result ([`Migration::usable_from`]), so that an operator can go
//! back to the program of yesterday:
//!
//! - **Additive**, `usable_from` stays what it was: a new table or index that only new programs use, a
//!   trigger that changes nothing but such a table, and a new column that may be NULL or has a DEFAULT, whose value may grow stale while an older
//!   program works. Our SQL names its columns, never `*`, so older programs do not notice.
//! - **Everything else**, `usable_from` = its own number: a new stage or another meaning of a value, a
//!   new CHECK, UNIQUE or foreign key, a column renamed or dropped, a value that has to be kept up.
//!
//! The largest `usable_from` is kept in the database, as an older program does not know this list.

use rusqlite::{Connection, TransactionBehavior};

use super::{StoreError, facts};

/// One step of the tables.
struct Migration {
    /// The oldest schema whose programs may use the database after this step.
    usable_from: i64,
    sql: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    // 1: phones appear as keyed hashes only, passwords not at all.
    Migration { usable_from: 1, sql: "
    PRAGMA application_id = 0x43534d52;

    CREATE TABLE registrations (
        id               INTEGER PRIMARY KEY,
        -- Random bytes in an account that was found at Coder, whose phone is not known.
        phone            BLOB    NOT NULL UNIQUE CHECK (length(phone) = 20),
        username         TEXT    NOT NULL UNIQUE COLLATE NOCASE,
        marker           TEXT    NOT NULL,
        stage            TEXT    NOT NULL CHECK (stage IN ('reserved', 'created', 'announced', 'reaping')),
        coder_id         TEXT             CHECK (coder_id IS NOT NULL OR stage IN ('reserved', 'reaping')),
        reserved_at      INTEGER NOT NULL,
        announced_at     INTEGER          CHECK (announced_at IS NOT NULL OR stage <> 'announced'),
        due_at           INTEGER,
        fingerprint      BLOB             CHECK (length(fingerprint) = 20),
        sending_since    INTEGER          CHECK ((sending_since IS NULL) = (fingerprint IS NULL)),
        doubtful         INTEGER NOT NULL DEFAULT 0,
        sent_in_window   INTEGER NOT NULL DEFAULT 0,
        window_start     INTEGER NOT NULL DEFAULT 0,
        login_sid        TEXT,
        -- Which password it has, where it follows from the key beside the database; see `store::passwords`.
        password_counter INTEGER,
        password_marker  TEXT,
        renewed_at       INTEGER,
        withheld_at      INTEGER,
        adopted_at       INTEGER,
        ended_at         INTEGER,
        forgotten_at     INTEGER,
        check_at         INTEGER NOT NULL DEFAULT 0,
        reap_tries       INTEGER NOT NULL DEFAULT 0,
        reap_note        TEXT,
        reaping_since    INTEGER,
        locked_at        INTEGER,
        refused_since    INTEGER
    ) STRICT;
    CREATE INDEX registrations_due ON registrations (due_at) WHERE due_at IS NOT NULL;

    -- How many registrations there are, so that a reservation need not count all others.
    CREATE TABLE totals (
        name  TEXT PRIMARY KEY,
        count INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    INSERT INTO totals (name, count) VALUES ('registrations', 0);
    CREATE TRIGGER registrations_more AFTER INSERT ON registrations BEGIN
        UPDATE totals SET count = count + 1 WHERE name = 'registrations';
    END;
    CREATE TRIGGER registrations_fewer AFTER DELETE ON registrations BEGIN
        UPDATE totals SET count = count - 1 WHERE name = 'registrations';
    END;

    -- Texts that had their effect, or were given up.
    CREATE TABLE seen (
        sid     TEXT    PRIMARY KEY,
        at      INTEGER NOT NULL,
        gave_up TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX seen_at ON seen (at);

    -- What is known of a phone longer than of its account.
    CREATE TABLE contacts (
        phone         BLOB    PRIMARY KEY CHECK (length(phone) = 20),
        hinted_at     INTEGER,
        opted_out_at  INTEGER,
        own_opt_out   INTEGER,
        refused_until INTEGER,
        full_at       INTEGER,
        ended_at      INTEGER,
        gone_at       INTEGER
    ) STRICT, WITHOUT ROWID;

    -- How many texts were sent, by span of time.
    CREATE TABLE sends (
        slot  INTEGER PRIMARY KEY,
        count INTEGER NOT NULL
    ) STRICT;

    -- What became of login texts. A text that is still to be redacted outlives its registration; no other does, so
    -- that no row meets another registration which is given the same number.
    CREATE TABLE deliveries (
        sid          TEXT    PRIMARY KEY,
        at           INTEGER NOT NULL,
        registration INTEGER,
        state        TEXT    NOT NULL,
        code         INTEGER,
        redact_at    INTEGER,
        redact_tries INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX deliveries_at ON deliveries (at);
    CREATE INDEX deliveries_registration ON deliveries (registration) WHERE registration IS NOT NULL;
    CREATE INDEX deliveries_redact ON deliveries (redact_at) WHERE redact_at IS NOT NULL;
    CREATE INDEX deliveries_strange ON deliveries (at) WHERE registration IS NULL AND redact_at IS NULL;
    CREATE TRIGGER deliveries_go AFTER DELETE ON registrations BEGIN
        DELETE FROM deliveries WHERE registration = OLD.id AND redact_at IS NULL;
        UPDATE deliveries SET registration = NULL WHERE registration = OLD.id;
    END;

    -- Logins whose words stay in Twilio's log, as they could not be redacted.
    CREATE TABLE unredacted (
        sid TEXT    PRIMARY KEY,
        at  INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE facts (
        name  TEXT PRIMARY KEY,
        value BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    " },
];

/// What the header of our files says: "CSMR".
const APPLICATION: i64 = 0x4353_4d52;

/// What it says in files of builds from before the first release: "SMSR", or nothing. Their versions are not ours.
const UNRELEASED: [i64; 2] = [0x534d_5352, 0];

/// The version that this program writes.
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

/// The version of a database.
///
/// # Errors
/// [`StoreError::Newer`] or [`StoreError::Unreleased`] if this program must not use it. Nothing is changed.
pub(super) fn usable_version(connection: &Connection) -> Result<i64, StoreError> {
    let failed = StoreError::sql("read the database's version");
    let pragma = |name| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0));
    let found: i64 = pragma("user_version").map_err(&failed)?;
    let application: i64 = pragma("application_id").map_err(&failed)?;
    if found > 0 && UNRELEASED.contains(&application) {
        return Err(StoreError::Unreleased { found });
    }
    if found <= VERSION {
        return Ok(found);
    }
    let written = facts::read(connection, facts::USABLE_FROM).map_err(failed)?;
    let usable_from: Option<i64> =
        written.and_then(|digits| String::from_utf8(digits).ok()?.parse().ok());
    match usable_from {
        Some(oldest) if oldest <= VERSION => Ok(found),
        _ => Err(StoreError::Newer {
            found,
            known: VERSION,
        }),
    }
}

/// Whether the database was made by this program, by whichever version of it.
///
/// # Errors
/// SQLite refused.
pub(super) fn is_ours(connection: &Connection) -> rusqlite::Result<bool> {
    let application: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    Ok([APPLICATION, UNRELEASED[0]].contains(&application))
}

/// Brings the database up to [`VERSION`], all of it or nothing. A newer one that this program may
/// use stays as it is.
///
/// # Errors
/// SQLite refused, [`StoreError::Newer`] or [`StoreError::Unreleased`].
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    migrate_by(MIGRATIONS, connection)
}

fn migrate_by(migrations: &[Migration], connection: &mut Connection) -> Result<(), StoreError> {
    let failed = StoreError::sql("bring the database up to date");
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(&failed)?;
    let found = usize::try_from(usable_version(&transaction)?).unwrap_or(0);
    if found >= migrations.len() {
        return Ok(());
    }
    for migration in &migrations[found..] {
        transaction.execute_batch(migration.sql).map_err(&failed)?;
    }
    let version = migrations.len();
    let usable_from = migrations.iter().map(|one| one.usable_from).max();
    let usable_from = usable_from.unwrap_or(VERSION).to_string();
    facts::record(&transaction, facts::USABLE_FROM, usable_from.as_bytes()).map_err(&failed)?;
    transaction
        .execute_batch(&format!("PRAGMA user_version = {version}"))
        .map_err(&failed)?;
    transaction.commit().map_err(failed)
}

#[cfg(test)]
mod tests;

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
    " },
    // 2: why a text was given up, who was told that the class is full, how many texts were sent.
    Migration { usable_from: 2, sql: "
    ALTER TABLE seen ADD COLUMN gave_up TEXT;
    ALTER TABLE contacts ADD COLUMN full_at INTEGER;
    CREATE TABLE sends (
        slot  INTEGER PRIMARY KEY,
        count INTEGER NOT NULL
    ) STRICT;
    " },
    // 3: a file says whose it is, and who may use it.
    Migration { usable_from: 2, sql: "PRAGMA application_id = 0x534d5352;" },
    // 4: what became of login texts. The trigger has older programs tidy up too, so that no row of a
    // registration that went meets another one that is given its number; a text that is still to be
    // blanked loses its bond only.
    Migration { usable_from: 2, sql: "
    CREATE TABLE deliveries (
        sid          TEXT    PRIMARY KEY,
        at           INTEGER NOT NULL,
        registration INTEGER,
        state        TEXT    NOT NULL,
        code         INTEGER,
        blank_at     INTEGER,
        blank_tries  INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX deliveries_at ON deliveries (at);
    CREATE INDEX deliveries_registration ON deliveries (registration) WHERE registration IS NOT NULL;
    CREATE INDEX deliveries_blank ON deliveries (blank_at) WHERE blank_at IS NOT NULL;
    CREATE INDEX deliveries_strange ON deliveries (at) WHERE registration IS NULL AND blank_at IS NULL;
    CREATE TRIGGER deliveries_go AFTER DELETE ON registrations BEGIN
        DELETE FROM deliveries WHERE registration = OLD.id AND blank_at IS NULL;
        UPDATE deliveries SET registration = NULL WHERE registration = OLD.id;
    END;
    ALTER TABLE registrations ADD COLUMN login_sid TEXT;
    " },
    // 5: the instructor may end an account, which counts until its student asks again.
    // Of a phone that was waiting for a login it has to be known longer than the account lives.
    Migration { usable_from: 2, sql: "
    ALTER TABLE registrations ADD COLUMN ended_at INTEGER;
    ALTER TABLE contacts ADD COLUMN ended_at INTEGER;
    " },
    // 6: accounts that were found at Coder. Their phone is not known; random bytes stand in its place,
    // as a column that may be NULL would need a new table, which older programs could not use.
    Migration { usable_from: 2, sql: "
    ALTER TABLE registrations ADD COLUMN adopted_at INTEGER;
    " },
    // 7: how many registrations there are, so that who takes a seat need not count all others. The
    // triggers have older programs keep the count too.
    Migration { usable_from: 2, sql: "
    CREATE TABLE totals (
        name  TEXT PRIMARY KEY,
        count INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    INSERT INTO totals (name, count) SELECT 'registrations', count(*) FROM registrations;
    CREATE TRIGGER registrations_more AFTER INSERT ON registrations BEGIN
        UPDATE totals SET count = count + 1 WHERE name = 'registrations';
    END;
    CREATE TRIGGER registrations_fewer AFTER DELETE ON registrations BEGIN
        UPDATE totals SET count = count - 1 WHERE name = 'registrations';
    END;
    " },
    // 8: which password an account has, where it follows from the key beside the database. NULL in the
    // counter = an older program set one that nobody knows; see `store::passwords`.
    Migration { usable_from: 2, sql: "
    ALTER TABLE registrations ADD COLUMN password_counter INTEGER;
    ALTER TABLE registrations ADD COLUMN password_marker TEXT;
    ALTER TABLE registrations ADD COLUMN renewed_at INTEGER;
    ALTER TABLE registrations ADD COLUMN withheld_at INTEGER;
    " },
    // 9: politeness. Which opt-outs only we know of, when an account of a phone was removed, and of which phones
    // nothing is to be remembered then.
    Migration { usable_from: 2, sql: "
    ALTER TABLE contacts ADD COLUMN own_opt_out INTEGER;
    ALTER TABLE contacts ADD COLUMN gone_at INTEGER;
    ALTER TABLE registrations ADD COLUMN forgotten_at INTEGER;
    " },
    // 10: since when an account is being removed, since when nobody can use it, and since when Coder
    // refuses something that its removal needs. An older program leaves them empty.
    Migration { usable_from: 2, sql: "
    ALTER TABLE registrations ADD COLUMN reaping_since INTEGER;
    ALTER TABLE registrations ADD COLUMN locked_at INTEGER;
    ALTER TABLE registrations ADD COLUMN refused_since INTEGER;
    " },
    // 11: logins whose words stay in Twilio's log, as they could not be taken out of it.
    Migration { usable_from: 2, sql: "
    CREATE TABLE unblanked (
        sid TEXT    PRIMARY KEY,
        at  INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    " },
];

/// What the header of our files says: "SMSR". See [`is_ours`] for those of before migration 3.
const APPLICATION: i64 = 0x534d_5352;

/// The version that this program writes.
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

/// The version of a database.
///
/// # Errors
/// [`StoreError::Newer`] if this program must not use it. Nothing is changed.
pub(super) fn usable_version(connection: &Connection) -> Result<i64, StoreError> {
    let failed = StoreError::sql("read the database's version");
    let found: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(&failed)?;
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
    if application != 0 {
        return Ok(application == APPLICATION);
    }
    let tables: i64 = connection.query_row(
        "SELECT count(*) FROM sqlite_schema
         WHERE type = 'table' AND name IN ('registrations', 'seen', 'contacts', 'facts')",
        [],
        |row| row.get(0),
    )?;
    Ok(tables == 4)
}

/// Brings the database up to [`VERSION`], all of it or nothing. A newer one that this program may
/// use stays as it is.
///
/// # Errors
/// SQLite refused, or [`StoreError::Newer`].
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let failed = StoreError::sql("bring the database up to date");
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(&failed)?;
    let found = usable_version(&transaction)?;
    if found >= VERSION {
        return Ok(());
    }
    let done = usize::try_from(found).unwrap_or(0);
    for migration in &MIGRATIONS[done..] {
        transaction.execute_batch(migration.sql).map_err(&failed)?;
    }
    let usable_from = MIGRATIONS.iter().map(|one| one.usable_from).max();
    let usable_from = usable_from.unwrap_or(VERSION).to_string();
    facts::record(&transaction, facts::USABLE_FROM, usable_from.as_bytes()).map_err(&failed)?;
    transaction
        .execute_batch(&format!("PRAGMA user_version = {VERSION}"))
        .map_err(&failed)?;
    transaction.commit().map_err(failed)
}

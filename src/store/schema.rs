//! The tables, as a list of migrations: number n brings a database from `user_version` n-1 to n.
//!
//! A released migration is never edited; a change is a new migration at the end. Each one says which
//! programs may still use its result ([`Migration::usable_from`]), so that an operator can go back to
//! the previous program:
//!
//! - **Additive**, `usable_from` stays as before: a new table or index that only new programs use, a
//!   trigger that changes only such a table, and a new column that may be NULL or has a DEFAULT and
//!   whose value may become stale while an older program works. Our SQL names its columns, never `*`, so
//!   older programs are not affected.
//! - **Everything else**, `usable_from` = its own number: a new stage or another meaning of a value, a
//!   new CHECK, UNIQUE or foreign key, a column renamed or dropped, a value that must be kept up to date.
//!
//! The largest `usable_from` is stored in the database, because an older program does not have this list.

use rusqlite::{Connection, TransactionBehavior};

use super::{StoreError, facts};

/// One change of the tables.
struct Migration {
    /// The oldest schema version whose programs may use the database after this step.
    usable_from: i64,
    sql: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    // 1: phones appear as keyed hashes only, passwords not at all.
    Migration { usable_from: 1, sql: "
    PRAGMA application_id = 0x43534d52;

    CREATE TABLE registrations (
        id               INTEGER PRIMARY KEY,
        -- Random bytes for an account that was adopted, or parted from its phone.
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
        -- Which derived password it has; see `store::passwords`.
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

    -- The number of registrations, so that a reservation need not count them.
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

    -- Received texts that were served or given up.
    CREATE TABLE seen (
        sid     TEXT    PRIMARY KEY,
        at      INTEGER NOT NULL,
        gave_up TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX seen_at ON seen (at);

    -- What is stored about a phone, also after its account is gone.
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

    -- The number of sent texts, by slot of five minutes.
    CREATE TABLE sends (
        slot  INTEGER PRIMARY KEY,
        count INTEGER NOT NULL
    ) STRICT;

    -- The delivery of login texts. The row of a text still to be redacted outlives its registration. No other
    -- row does, so that none is taken for a later registration with the same id.
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

    -- Logins that could not be redacted in Twilio's log.
    CREATE TABLE unredacted (
        sid TEXT    PRIMARY KEY,
        at  INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE facts (
        name  TEXT PRIMARY KEY,
        value BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    " },
    // 2: logins on screens. An older program leaves the times as they are; they count only while they
    // agree with `announced_at`.
    Migration { usable_from: 1, sql: "
    ALTER TABLE registrations ADD COLUMN shown_at INTEGER;
    ALTER TABLE registrations ADD COLUMN arrived_at INTEGER;
    " },
    // 3: workspaces that are made with logins. An older program makes none, and looks at none.
    Migration { usable_from: 1, sql: "
    CREATE TABLE workspaces (
        registration INTEGER PRIMARY KEY,
        -- Coder's id of the user; a row of an earlier user of the registration does not count.
        owner        TEXT    NOT NULL,
        -- Coder's id of the workspace, once it is made.
        id           TEXT,
        making_since INTEGER,
        stops_at     INTEGER,
        check_at     INTEGER,
        tries        INTEGER NOT NULL DEFAULT 0,
        trouble      TEXT,
        note         TEXT
    ) STRICT;
    CREATE INDEX workspaces_check ON workspaces (check_at) WHERE check_at IS NOT NULL;
    CREATE TRIGGER workspaces_go AFTER DELETE ON registrations BEGIN
        DELETE FROM workspaces WHERE registration = OLD.id;
    END;
    " },
    // 4: classes. NULL is the class without a name, as in every row that an older program makes.
    Migration { usable_from: 1, sql: "
    ALTER TABLE registrations ADD COLUMN class TEXT;
    CREATE INDEX registrations_class ON registrations (class) WHERE class IS NOT NULL;
    ALTER TABLE contacts ADD COLUMN told_at INTEGER;
    " },
    // 5: ids that are never used again. An older program gives the id of a removed account to another phone as
    // before, and does not record that a create was repeated.
    Migration { usable_from: 1, sql: "
    ALTER TABLE registrations ADD COLUMN create_repeated_at INTEGER;
    -- The highest id of a registration that was deleted.
    CREATE TABLE last_deleted (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        id  INTEGER NOT NULL
    ) STRICT;
    INSERT INTO last_deleted (one, id) VALUES (1, 0);
    CREATE TRIGGER registrations_id AFTER DELETE ON registrations BEGIN
        UPDATE last_deleted SET id = max(id, OLD.id) WHERE one = 1;
    END;
    " },
    // 6: accounts that are made before a student asks. An older program takes one for an account without a
    // login, which is removed when it is due.
    Migration { usable_from: 1, sql: "
    -- When it was made for nobody yet; NULL = it has a student.
    ALTER TABLE registrations ADD COLUMN spare_since INTEGER;
    -- When Coder showed last that nobody has used it.
    ALTER TABLE registrations ADD COLUMN unused_at INTEGER;
    CREATE INDEX registrations_spare ON registrations (class) WHERE spare_since IS NOT NULL;
    -- Their number, so that a reservation need not count them.
    INSERT INTO totals (name, count) VALUES ('spares', 0);
    CREATE TRIGGER spares_more AFTER INSERT ON registrations WHEN NEW.spare_since IS NOT NULL BEGIN
        UPDATE totals SET count = count + 1 WHERE name = 'spares';
    END;
    CREATE TRIGGER spares_fewer AFTER DELETE ON registrations WHEN OLD.spare_since IS NOT NULL BEGIN
        UPDATE totals SET count = count - 1 WHERE name = 'spares';
    END;
    CREATE TRIGGER spares_taken AFTER UPDATE OF spare_since ON registrations
        WHEN OLD.spare_since IS NOT NULL AND NEW.spare_since IS NULL BEGIN
        UPDATE totals SET count = count - 1 WHERE name = 'spares';
    END;
    -- Since when it runs, as far as Coder was asked.
    ALTER TABLE workspaces ADD COLUMN running_since INTEGER;
    " },
];

/// The application id in the header of our files: "CSMR".
const APPLICATION: i64 = 0x4353_4d52;

/// The application ids of builds from before the first release: "SMSR", or none. Their versions are not ours.
const UNRELEASED: [i64; 2] = [0x534d_5352, 0];

/// The version that this program writes.
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

/// The version of a database, if this program may use it.
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

/// Whether the database was made by any version of this program.
///
/// # Errors
/// SQLite refused.
pub(super) fn is_ours(connection: &Connection) -> rusqlite::Result<bool> {
    let application: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    Ok([APPLICATION, UNRELEASED[0]].contains(&application))
}

/// Brings the database up to [`VERSION`], completely or not at all. A newer one that this program may
/// use is not changed.
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

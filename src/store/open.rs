//! Opens the database: folder, lock, file mode, pragmas, version, and the key of its phone hashes.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::files::{DATABASE, DRAFTS, OpenedFile, take_folder};
use super::group::SharedConnection;
use super::{Store, StoreCounters, StoreError, atomic_file, facts, schema};
use crate::domain::PhoneKey;

impl Store {
    /// Opens the database in `folder`, creates both if they are missing, and takes the folder for this
    /// process alone. Returns the store and the one of `keys` that its hashes are made with.
    ///
    /// # Errors
    /// [`StoreError`]: the folder is taken, unusable, or of another key; the file is damaged or newer than
    /// this program. A damaged file is never replaced.
    pub fn open(folder: &Path, keys: &[PhoneKey]) -> Result<(Self, PhoneKey), StoreError> {
        let lock = take_folder(folder)?;
        for left in DRAFTS {
            // Left by a killed backup, restore or first start. If it cannot be removed, the start continues.
            let _ = atomic_file::remove_left(&folder.join(left));
        }
        let path = folder.join(DATABASE);
        // SQLite would create the file readable for others. Its side files inherit the mode.
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .map_err(|source| StoreError::Folder {
                path: path.clone(),
                source,
            })?;
        let mut connection =
            Connection::open(&path).map_err(StoreError::sql("open the database"))?;
        connection
            .busy_timeout(Duration::from_secs(5))
            .map_err(StoreError::sql("prepare the database"))?;
        // Before any change: this program may not change the database of a newer one.
        schema::usable_version(&connection)?;
        prepare(&connection)?;
        schema::migrate(&mut connection)?;
        correct_total(&connection)?;
        let key = settle_key(&connection, keys)?;
        let file =
            OpenedFile::at(path.clone()).map_err(|source| StoreError::Folder { path, source })?;
        let store = Self {
            connection: SharedConnection::new(connection),
            file,
            counts: StoreCounters::default(),
            observer: OnceLock::new(),
            lock,
        };
        store.probe()?;
        Ok((store, key))
    }
}

fn prepare(connection: &Connection) -> Result<(), StoreError> {
    let failed = StoreError::sql("prepare the database");
    // All statements that a service uses again and again.
    connection.set_prepared_statement_cache_capacity(128);
    // Without that, SQLite compiles some statements again whenever they are bound to other values.
    // Source: https://www.sqlite.org/queryplanner-ng.html#qpstab
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(&failed)?;
    // Asked twice: SQLite answers "wal" even if the switch failed on the way.
    for question in ["PRAGMA journal_mode = WAL", "PRAGMA journal_mode"] {
        let mode: String = connection
            .query_row(question, [], |row| row.get(0))
            .map_err(&failed)?;
        if mode != "wal" {
            return Err(StoreError::Journal { mode });
        }
    }
    // FULL: a row proves that a call was about to be made, so it must survive a power cut.
    connection
        .execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;",
        )
        .map_err(&failed)?;
    let found: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(failed)?;
    if found == "ok" {
        Ok(())
    } else {
        Err(StoreError::Damaged { damage: found })
    }
}

/// Corrects the count of registrations, in case the table was changed by hand. Writes only if it differs.
fn correct_total(connection: &Connection) -> Result<(), StoreError> {
    connection
        .execute(
            "INSERT INTO totals (name, count)
             SELECT 'registrations', count(*) FROM registrations WHERE true
             UNION ALL SELECT 'spares', count(*) FROM registrations WHERE spare_since IS NOT NULL
             ON CONFLICT (name) DO UPDATE SET count = excluded.count WHERE count <> excluded.count",
            [],
        )
        .map(drop)
        .map_err(StoreError::sql("count registrations"))
}

/// Finds the key that the stored hashes were made with. An empty database gets the preferred one.
///
/// With a changed key every student would seem new and get a second account. So that is refused while
/// there are registrations.
fn settle_key(connection: &Connection, keys: &[PhoneKey]) -> Result<PhoneKey, StoreError> {
    let failed = StoreError::sql("read the database's key check");
    let kept = facts::phone_key(connection, keys).map_err(&failed)?;
    let count: i64 = connection
        .query_row("SELECT count(*) FROM registrations", [], |row| row.get(0))
        .map_err(&failed)?;
    match (kept, keys.first()) {
        (Some(key), _) if count > 0 => Ok(key.clone()),
        (None, _) if count > 0 => Err(StoreError::OtherKey {
            registrations: count,
        }),
        (_, None) => Err(StoreError::OtherKey { registrations: 0 }),
        (kept, Some(preferred)) => {
            if kept != Some(preferred) {
                // Nothing is registered, so start afresh with the preferred key. Opt-outs under the old
                // key can no longer be read; Twilio keeps its own list of them.
                connection
                    .execute("DELETE FROM contacts", [])
                    .map_err(&failed)?;
                facts::record(connection, facts::PHONE_KEY, preferred.check().as_bytes())
                    .map_err(failed)?;
            }
            Ok(preferred.clone())
        }
    }
}

//! Facts of the database: single values by name. Each name and its meaning stand here.

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::{InstanceId, PhoneKey};

/// The instance id of the data folder, 8 random bytes.
pub(super) const INSTANCE: &str = "instance";
/// By what the key of the phone hashes is known again.
pub(super) const PHONE_KEY: &str = "key";
/// By what the key of the passwords is known again.
pub(super) const PASSWORD_KEY: &str = "password_key";
/// The oldest program that may use the tables, as decimal digits.
pub(super) const USABLE_FROM: &str = "usable_from";
/// Nothing: it is written to see whether the database takes a write.
const PROBE: &str = "probe";

/// The value of a fact, if it is there.
pub(super) fn read(connection: &Connection, name: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    connection
        .query_row("SELECT value FROM facts WHERE name = ?1", [name], |row| {
            row.get(0)
        })
        .optional()
}

/// Records a fact in place of what was recorded before.
pub(super) fn record(connection: &Connection, name: &str, value: &[u8]) -> rusqlite::Result<()> {
    connection
        .execute(
            "INSERT INTO facts (name, value) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            params![name, value],
        )
        .map(drop)
}

/// Takes a fact out.
pub(super) fn forget(connection: &Connection, name: &str) -> rusqlite::Result<()> {
    connection
        .execute("DELETE FROM facts WHERE name = ?1", [name])
        .map(drop)
}

/// Records a fact as the database has it that is attached as `old`, if it is there.
pub(super) fn carry_over(connection: &Connection, name: &str) -> rusqlite::Result<()> {
    connection
        .execute(
            "INSERT INTO main.facts (name, value)
             SELECT name, value FROM old.facts WHERE name = ?1
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [name],
        )
        .map(drop)
}

/// Writes something that means nothing.
pub(super) fn probe(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO facts (name, value) VALUES (?1, x'00')
             ON CONFLICT (name) DO UPDATE SET value = CASE value WHEN x'00' THEN x'01' ELSE x'00' END",
        )?
        .execute([PROBE])
        .map(drop)
}

/// The instance id; `None` before the first start of a service on the folder.
pub(super) fn instance_id(connection: &Connection) -> rusqlite::Result<Option<InstanceId>> {
    connection
        .query_row(
            "SELECT hex(value) FROM facts WHERE name = ?1",
            [INSTANCE],
            |row| row.get::<_, String>(0),
        )
        .optional()
        .map(|id| id.map(InstanceId::from_stored))
}

/// Draws the instance id, if there is none.
pub(super) fn draw_instance_id(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .execute(
            "INSERT INTO facts (name, value) VALUES (?1, randomblob(8)) ON CONFLICT DO NOTHING",
            [INSTANCE],
        )
        .map(drop)
}

/// The one of `keys` that the phone hashes are made with, if it is one of them.
pub(super) fn phone_key<'a>(
    connection: &Connection,
    keys: &'a [PhoneKey],
) -> rusqlite::Result<Option<&'a PhoneKey>> {
    let stored = read(connection, PHONE_KEY)?;
    Ok(stored.and_then(|check| keys.iter().find(|key| key.check().as_bytes() == check)))
}

//! The table `facts`: single values by name. This file lists every name and its meaning.

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::{ClassName, InstanceId, PhoneKey};

/// The instance id of the data folder, 8 random bytes.
pub(super) const INSTANCE: &str = "instance";
/// A check value that identifies the key of the phone hashes.
pub(super) const PHONE_KEY: &str = "key";
/// A check value that identifies the password key.
pub(super) const PASSWORD_KEY: &str = "password_key";
/// The oldest program that may use the tables, as decimal digits.
pub(super) const USABLE_FROM: &str = "usable_from";
/// The id of the default organization of the Coder that the service works with.
pub(super) const CODER: &str = "coder";
/// The number of the projector's link, as 4 bytes, the highest first; of a class with `/` and its name behind.
const PROJECTOR: &str = "projector";
/// Has no meaning: it is written to test whether the database accepts a write.
const PROBE: &str = "probe";

/// The name of the number of a class's projector link.
pub(super) fn projector(class: Option<&ClassName>) -> String {
    match class {
        None => PROJECTOR.to_owned(),
        Some(class) => format!("{PROJECTOR}/{class}"),
    }
}

/// The value of a fact, if there is one.
pub(super) fn read(connection: &Connection, name: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    connection
        .query_row("SELECT value FROM facts WHERE name = ?1", [name], |row| {
            row.get(0)
        })
        .optional()
}

/// Records a fact, replacing an earlier value.
pub(super) fn record(connection: &Connection, name: &str, value: &[u8]) -> rusqlite::Result<()> {
    connection
        .execute(
            "INSERT INTO facts (name, value) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            params![name, value],
        )
        .map(drop)
}

/// Deletes a fact.
pub(super) fn forget(connection: &Connection, name: &str) -> rusqlite::Result<()> {
    connection
        .execute("DELETE FROM facts WHERE name = ?1", [name])
        .map(drop)
}

/// Copies a fact from the database attached as `old`, if it has one.
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

/// Copies the numbers of all projector links from the database attached as `old`.
pub(super) fn carry_over_projectors(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .execute(
            "INSERT INTO main.facts (name, value)
             SELECT name, value FROM old.facts WHERE name = ?1 OR name LIKE ?1 || '/%'
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [PROJECTOR],
        )
        .map(drop)
}

/// Writes a value without meaning.
pub(super) fn probe(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO facts (name, value) VALUES (?1, x'00')
             ON CONFLICT (name) DO UPDATE SET value = CASE value WHEN x'00' THEN x'01' ELSE x'00' END",
        )?
        .execute([PROBE])
        .map(drop)
}

/// The instance id; `None` before the first start of a service in the data folder.
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

/// Draws the instance id if there is none.
pub(super) fn draw_instance_id(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .execute(
            "INSERT INTO facts (name, value) VALUES (?1, randomblob(8)) ON CONFLICT DO NOTHING",
            [INSTANCE],
        )
        .map(drop)
}

/// The one of `keys` that the phone hashes were made with, if any.
pub(super) fn phone_key<'a>(
    connection: &Connection,
    keys: &'a [PhoneKey],
) -> rusqlite::Result<Option<&'a PhoneKey>> {
    let stored = read(connection, PHONE_KEY)?;
    Ok(stored.and_then(|check| keys.iter().find(|key| key.check().as_bytes() == check)))
}

//! Reads rows of `registrations` into the types that they were written from.

use rusqlite::{Connection, Row};

use super::StoreError;
use crate::domain::registration::{Registration, Removal, Sending, Stage};
use crate::domain::{ClassName, Fingerprint, Marker, MessageSid, PhoneHash, UnixSeconds, Username};

/// The columns that [`read_registration`] reads, in its order.
pub(super) const COLUMNS: &str = "id, username, marker, stage, coder_id, reserved_at, announced_at, due_at, \
     fingerprint, sending_since, doubtful, sent_in_window, window_start, reap_tries, reap_note, \
     login_sid, ended_at, adopted_at, password_counter, \
     coalesce(password_marker = marker, 0), renewed_at, withheld_at, \
     reaping_since, locked_at, refused_since, shown_at, arrived_at, class, create_repeated_at, spare_since";

/// The id of the next registration. An id is never used again: a worker may still hold one whose account was removed
/// meanwhile, and what it records must not reach the account of another phone.
pub(super) const NEXT_ID: &str = "1 + max(coalesce((SELECT max(id) FROM registrations), 0),
         (SELECT id FROM last_deleted WHERE one = 1))";

/// Whether the phone of a registration has a login, or may have one: a send whose outcome is not known.
pub(super) const MAY_HAVE_LOGIN: &str =
    "(stage = 'announced' OR stage = 'created' AND (fingerprint IS NOT NULL OR doubtful > 0))";

/// Reads one registration.
///
/// # Errors
/// SQLite refused, or the row is impossible.
pub(super) fn read_registration(row: &Row<'_>) -> Result<Registration, StoreError> {
    let failed = StoreError::sql("read a registration");
    let text = |index| row.get::<_, String>(index).map_err(&failed);
    let fingerprint: Option<Vec<u8>> = row.get(8).map_err(&failed)?;
    let since: Option<UnixSeconds> = row.get(9).map_err(&failed)?;
    let sending = match (fingerprint, since) {
        (Some(bytes), Some(since)) => Some(Sending {
            fingerprint: Fingerprint::from_bytes(&bytes).ok_or(StoreError::Row("fingerprint"))?,
            since,
        }),
        _ => None,
    };
    Ok(Registration {
        id: row.get(0).map_err(&failed)?,
        username: Username::parse(&text(1)?).ok_or(StoreError::Row("username"))?,
        marker: Marker::from_stored(text(2)?),
        stage: Stage::parse(&text(3)?).ok_or(StoreError::Row("stage"))?,
        coder_id: row.get(4).map_err(&failed)?,
        reserved_at: row.get(5).map_err(&failed)?,
        announced_at: row.get(6).map_err(&failed)?,
        due_at: row.get(7).map_err(&failed)?,
        sending,
        doubtful: row.get(10).map_err(&failed)?,
        sent_in_window: row.get(11).map_err(&failed)?,
        window_start: row.get(12).map_err(&failed)?,
        reap_tries: row.get(13).map_err(&failed)?,
        reap_note: row.get(14).map_err(&failed)?,
        login_sid: row
            .get::<_, Option<String>>(15)
            .map_err(&failed)?
            .and_then(|sid| MessageSid::parse(&sid)),
        ended_at: row.get(16).map_err(&failed)?,
        adopted_at: row.get(17).map_err(&failed)?,
        password_counter: row.get(18).map_err(&failed)?,
        password_known: row.get(19).map_err(&failed)?,
        renewed_at: row.get(20).map_err(&failed)?,
        withheld_at: row.get(21).map_err(&failed)?,
        removal: Removal {
            since: row.get(22).map_err(&failed)?,
            locked_at: row.get(23).map_err(&failed)?,
            refused_since: row.get(24).map_err(&failed)?,
        },
        shown_at: row.get(25).map_err(&failed)?,
        arrived_at: row.get(26).map_err(&failed)?,
        class: row
            .get::<_, Option<String>>(27)
            .map_err(&failed)?
            .map(ClassName::from_stored),
        create_repeated_at: row.get(28).map_err(&failed)?,
        spare_since: row.get(29).map_err(&failed)?,
    })
}

/// The registration of a phone.
pub(super) fn read_of_phone(
    connection: &Connection,
    phone: &PhoneHash,
) -> Result<Option<Registration>, StoreError> {
    let failed = StoreError::sql("find a registration");
    let mut statement = connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM registrations WHERE phone = ?1"
        ))
        .map_err(&failed)?;
    let mut rows = statement.query([phone.as_bytes()]).map_err(&failed)?;
    rows.next()
        .map_err(failed)?
        .map(read_registration)
        .transpose()
}

/// All registrations, in the order of their names.
pub(super) fn read_all(connection: &Connection) -> Result<Vec<Registration>, StoreError> {
    read_where(connection, "ORDER BY username", [])
}

/// The registrations selected by `which`, the end of a SELECT.
pub(super) fn read_where(
    connection: &Connection,
    which: &str,
    params: impl rusqlite::Params,
) -> Result<Vec<Registration>, StoreError> {
    let failed = StoreError::sql("read the registrations");
    let mut statement = connection
        .prepare(&format!("SELECT {COLUMNS} FROM registrations {which}"))
        .map_err(&failed)?;
    let mut rows = statement.query(params).map_err(&failed)?;
    let mut all = Vec::new();
    while let Some(row) = rows.next().map_err(&failed)? {
        all.push(read_registration(row)?);
    }
    Ok(all)
}

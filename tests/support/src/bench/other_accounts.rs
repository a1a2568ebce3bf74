//! Accounts without students, so that a database is as large as after many classes.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::classroom::Classroom;

/// The beginning of their names.
const NAME: &str = "other";

/// Writes `count` registrations into the database of a service that does not run: each with a login
/// that arrived an hour ago, its text, and a year of time. Once a class.
pub fn fill(class: &Classroom, count: usize) {
    let now = now();
    let (then, due) = (now - 3_600, now + 365 * 86_400);
    let numbers = format!(
        "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {count})"
    );
    let sid = "'SM' || lower(hex(randomblob(16)))";
    class.change(&format!(
        "BEGIN;
         {numbers}
         INSERT INTO registrations (phone, username, marker, stage, coder_id, reserved_at, announced_at,
                                    due_at, sent_in_window, window_start, login_sid)
         SELECT randomblob(20), '{NAME}-' || n, lower(hex(randomblob(8))), 'announced',
                lower(hex(randomblob(16))), {then}, {then}, {due}, 1, {then}, {sid}
         FROM number;
         INSERT INTO seen (sid, at) SELECT {sid}, {then} FROM registrations;
         INSERT INTO deliveries (sid, at, registration, state)
         SELECT login_sid, {then}, id, 'delivered' FROM registrations WHERE username LIKE '{NAME}-%';
         COMMIT;"
    ));
}

/// Ends the time of all accounts but those. The service does not run.
pub fn end_all_others(class: &Classroom) {
    let past = now() - 1;
    class.change(&format!(
        "UPDATE registrations SET due_at = {past} WHERE username NOT LIKE '{NAME}-%'"
    ));
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(0))
}

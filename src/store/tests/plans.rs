//! What a look-up costs, and what the files never hold.

use super::*;
use crate::store::rows::COLUMNS;

#[test]
fn look_ups_go_through_an_index_however_many_are_registered() {
    let dir = TempDir::new();
    let store = dir.open();
    (0..100).for_each(|number| drop(store.reserved(number)));
    let connection = store.lock();
    let registration = format!("SELECT {COLUMNS} FROM registrations WHERE phone = ?1");
    let due = format!(
        "SELECT {COLUMNS} FROM registrations
         WHERE due_at <= ?1 AND check_at <= ?1 ORDER BY due_at, id"
    );
    for query in [
        registration.as_str(),
        &due,
        "SELECT min(check_at) FROM registrations WHERE due_at <= ?1 AND check_at > 0",
        "SELECT stage FROM registrations WHERE id = ?1",
        "SELECT 1 FROM seen WHERE sid = ?1",
        "DELETE FROM seen WHERE at < ?1",
        "SELECT hinted_at, opted_out_at, refused_until FROM contacts WHERE phone = ?1",
    ] {
        let mut statement = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {query}"))
            .unwrap();
        let steps = statement
            .query_map([1], |row| row.get::<_, String>("detail"))
            .unwrap();
        let steps: Vec<String> = steps.map(Result::unwrap).collect();
        let indexed = |step: &String| {
            step.contains("USING INDEX")
                || step.contains("USING COVERING INDEX")
                || step.contains("PRIMARY KEY")
        };
        assert!(steps.iter().any(indexed), "{query}: {steps:?}");
        let slow = |step: &String| step.contains("SCAN") || step.contains("TEMP B-TREE");
        assert!(!steps.iter().any(slow), "{query}: {steps:?}");
    }
}

#[test]
fn no_file_ever_holds_a_phone() {
    let number = "+14155550123";
    let dir = TempDir::new();
    let store = dir.open();
    let hash = Phone::parse(number).unwrap().hash(&key("ours"));
    let username = name("happy-tuna");
    store
        .reserve_at(&hash, &username, &marker(&username), (10, 100), SEATS)
        .unwrap();
    let id = store.find(&hash).unwrap().unwrap().id;
    let login = Sending {
        fingerprint: key("ours").fingerprint("password: x7k2m"),
        since: 20,
    };
    store.created(id, "uuid", 100, Some(login)).unwrap();
    store.login_sent(id, &sid(1), sent(30, Some(100))).unwrap();
    store.noticed(Notice::Hint, &hash, &sid(2), 40).unwrap();
    store.opted(&hash, true, &sid(3), 50, None).unwrap();
    store.refused(&hash, 900, &sid(4), 60, "landline").unwrap();
    let search = || {
        let mut found_name = false;
        for entry in std::fs::read_dir(dir.data()).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            let holds = |text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
            for secret in [&number[2..], "5550123", "x7k2m"] {
                assert!(!holds(secret), "{} holds {secret}", path.display());
            }
            found_name |= holds("happy-tuna");
        }
        assert!(found_name, "nothing was searched");
    };
    search();
    drop(store);
    search();
}

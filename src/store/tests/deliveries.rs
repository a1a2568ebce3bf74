//! What became of login texts, and which of them still have to be redacted.

use super::contacts::TEXT_LIFE;
use super::*;
use crate::domain::Undelivered;
use crate::domain::{Delivery, Receipt};
use crate::store::deliveries::UNASSIGNED_KEPT;

fn receipt(number: u32, delivery: Delivery, code: Option<u32>) -> Receipt {
    Receipt {
        sid: sid(number),
        delivery,
        code,
    }
}

impl Store {
    /// An announced registration whose login, of that number, was sent at `at`.
    fn login(&self, number: u32, at: UnixSeconds) -> Option<Undelivered> {
        let id = self.at_stage(number, Stage::Created);
        let text = sid(number);
        let sent = SentLogin {
            text: Some(&text),
            ..sent(at, Some(at + 100))
        };
        self.login_sent(id, &sid(number + 500), sent).unwrap()
    }

    /// Records one receipt at 60.
    fn hears(&self, number: u32, delivery: Delivery, code: Option<u32>) -> Vec<Undelivered> {
        self.record_receipts(&[receipt(number, delivery, code)], 60)
            .unwrap()
    }

    fn state(&self, number: u32) -> Option<(String, Option<u32>)> {
        let sql = "SELECT state, code FROM deliveries WHERE sid = ?1";
        self.lock()
            .query_row(sql, [sid(number).as_str()], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()
            .unwrap()
    }

    fn due_to_redact(&self, now: UnixSeconds) -> Vec<MessageSid> {
        let texts = self.to_redact(now, 100).unwrap();
        texts.into_iter().map(|text| text.sid).collect()
    }

    fn deliveries(&self) -> u32 {
        self.lock()
            .query_row("SELECT count(*) FROM deliveries", [], |row| row.get(0))
            .unwrap()
    }
}

#[test]
fn the_furthest_state_is_kept_and_a_failure_told_once() {
    let dir = TempDir::new();
    let store = dir.open();
    assert_eq!(store.login(1, 50), None);
    assert_eq!(store.row(1).login_sid, Some(sid(1)));
    assert_eq!(store.hears(1, Delivery::Sent, None), []);
    let failed = store.hears(1, Delivery::Undelivered, Some(30003));
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].username, store.row(1).username);
    assert_eq!((&failed[0].sid, failed[0].code), (&sid(1), Some(30003)));
    for again in [Delivery::Undelivered, Delivery::Failed, Delivery::Queued] {
        assert_eq!(store.hears(1, again, Some(30008)), []);
    }
    assert_eq!(
        store.state(1),
        Some(("undelivered".to_owned(), Some(30003)))
    );
}

#[test]
fn a_receipt_that_is_faster_than_the_answer_counts() {
    let dir = TempDir::new();
    let store = dir.open();
    assert_eq!(store.hears(1, Delivery::Delivered, None), []);
    assert!(!store.is_recorded(sid(1).as_str()).unwrap());
    assert_eq!(store.hears(2, Delivery::Failed, Some(30034)), []);
    assert_eq!(
        store.due_to_redact(9_999),
        [],
        "nothing is recorded as sent"
    );
    assert_eq!(store.login(1, 50), None);
    assert_eq!(store.state(1), Some(("delivered".to_owned(), None)));
    assert!(store.is_recorded(sid(1).as_str()).unwrap());
    assert_eq!(store.due_to_redact(50), [sid(1)]);
    let failed = store.login(2, 50).expect("a failure");
    assert_eq!(failed.code, Some(30034));
}

#[test]
fn a_login_is_blanked_once_it_has_arrived_or_after_an_hour() {
    let dir = TempDir::new();
    let store = dir.open();
    store.login(1, 50);
    store.login(2, 51);
    store.hears(2, Delivery::Sent, None);
    assert_eq!(store.due_to_redact(3_649), []);
    assert_eq!(store.due_to_redact(3_650), [sid(1)]);
    assert_eq!(
        store.due_to_redact(-90_000),
        [sid(1), sid(2)],
        "a clock set back"
    );
    store.hears(2, Delivery::Delivered, None);
    assert_eq!(store.due_to_redact(60), [sid(2)]);
    store.redact_later(&sid(2), 400, 1).unwrap();
    assert_eq!(store.due_to_redact(399), []);
    assert_eq!(store.to_redact(400, 9).unwrap()[0].tries, 1);
    store.redacted(&sid(2)).unwrap();
    store.redact_later(&sid(2), 1, 2).unwrap();
    store.hears(2, Delivery::Read, None);
    assert_eq!(store.due_to_redact(3_649), [], "redacted once is enough");
    assert_eq!(store.deliveries(), 2, "what became of it is still known");
}

#[test]
fn rows_go_with_their_registration_but_not_before_they_are_blanked() {
    let dir = TempDir::new();
    let store = dir.open();
    for number in [1, 2] {
        store.login(number, 50);
        let id = store.row(number).id;
        assert!(store.begin_removal(id, 150).unwrap());
    }
    store.redacted(&sid(1)).unwrap();
    for number in [1, 2] {
        store.forget(store.row(number).id, 100).unwrap();
    }
    assert_eq!((store.state(1), store.deliveries()), (None, 1));
    // Another account with the same row number has nothing to do with it.
    store.login(3, 200);
    assert_eq!(store.hears(2, Delivery::Failed, Some(30003)), []);
    assert_eq!(store.due_to_redact(3_650), [sid(2)]);
    store.redacted(&sid(2)).unwrap();
    assert_eq!((store.state(2), store.deliveries()), (None, 1));
}

#[test]
fn strangers_are_bounded_and_everything_ends_after_thirty_days() {
    let dir = TempDir::new();
    let store = dir.open();
    store.login(1, 50);
    let many = |range: std::ops::Range<u32>| -> Vec<Receipt> {
        range.map(|n| receipt(n, Delivery::Sent, None)).collect()
    };
    let most = UNASSIGNED_KEPT;
    store.record_receipts(&many(10..10 + most), 60).unwrap();
    assert_eq!(store.deliveries(), most + 1);
    store.record_receipts(&many(5_000..5_200), 61).unwrap();
    assert_eq!(store.deliveries(), most + 1);
    assert!(store.state(5_199).is_some(), "the latest stay");
    assert!(store.state(1).is_some(), "logins are not pushed out");
    store.prune(60 + 30 * 86_400, TEXT_LIFE).unwrap();
    assert_eq!(store.deliveries(), most);
    store.prune(62 + 30 * 86_400, TEXT_LIFE).unwrap();
    assert_eq!(store.deliveries(), 0);
}

#[test]
fn look_ups_go_through_an_index() {
    let dir = TempDir::new();
    let store = dir.open();
    let connection = store.lock();
    for query in [
        "SELECT state, code, registration FROM deliveries WHERE sid = ?1",
        "SELECT sid, state, redact_tries FROM deliveries
         WHERE redact_at IS NOT NULL AND redact_at NOT BETWEEN ?1 + 1 AND ?1 + 86400
         ORDER BY redact_at LIMIT 9",
        "SELECT sid FROM deliveries WHERE registration IS NULL AND redact_at IS NULL
         ORDER BY at DESC LIMIT -1 OFFSET ?1",
        "DELETE FROM deliveries WHERE at < ?1",
        "DELETE FROM deliveries WHERE registration = ?1 AND redact_at IS NULL",
    ] {
        let mut statement = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {query}"))
            .unwrap();
        let steps = statement.query_map([1], |row| row.get::<_, String>("detail"));
        let steps: Vec<String> = steps.unwrap().map(Result::unwrap).collect();
        let slow = |step: &String| {
            step.contains("TEMP B-TREE") || step.contains("SCAN") && !step.contains("INDEX")
        };
        assert!(!steps.iter().any(slow), "{query}: {steps:?}");
    }
}

#[test]
fn each_login_is_counted_once_whatever_is_said_of_it() {
    let dir = TempDir::new();
    let store = dir.open();
    let delivered = |store: &Store| store.counts().delivered.get();
    store.login(1, 50);
    for delivery in [
        Delivery::Sent,
        Delivery::Delivered,
        Delivery::Delivered,
        Delivery::Read,
    ] {
        store.hears(1, delivery, None);
    }
    assert_eq!((store.counts().sent.get(), delivered(&store)), (1, 1));
    // Read at once, of which nobody said that it was delivered.
    store.login(2, 50);
    store.hears(2, Delivery::Read, None);
    assert_eq!(delivered(&store), 2);
    store.login(3, 50);
    let failed = store.hears(3, Delivery::Undelivered, Some(30_003));
    assert_eq!(failed.len(), 1);
    assert_eq!(store.hears(3, Delivery::Delivered, None), []);
    // Receipts that come before the send's own answer count with it; those of strangers never do.
    store.hears(4, Delivery::Delivered, None);
    assert_eq!(store.hears(5, Delivery::Failed, Some(12_345)), []);
    store.hears(6, Delivery::Delivered, None);
    assert_eq!(delivered(&store), 2);
    assert_eq!(store.login(4, 50), None);
    assert!(store.login(5, 50).is_some());
    assert_eq!(delivered(&store), 3);
    assert_eq!(store.counts().sent.get(), 5);
    assert_eq!(store.counts().reserved.get(), 5);
}

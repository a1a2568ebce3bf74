//! What is remembered beside registrations, and for how long.

use super::*;

const DAY: UnixSeconds = 86_400;

#[test]
fn a_phone_that_never_wrote_is_unknown() {
    let dir = TempDir::new();
    assert_eq!(dir.open().contact(&phone(1)).unwrap(), Contact::default());
}

#[test]
fn hints_opt_outs_and_refusals_are_remembered_side_by_side() {
    let dir = TempDir::new();
    let store = dir.open();
    store.hinted(&phone(1), &sid(1), 10).unwrap();
    store.opted(&phone(1), true, &sid(2), 20).unwrap();
    store.refused(&phone(1), 900, &sid(3), 30).unwrap();
    let all = Contact {
        hinted_at: Some(10),
        opted_out_at: Some(20),
        refused_until: Some(900),
    };
    assert_eq!(store.contact(&phone(1)).unwrap(), all);
    assert_eq!(store.contact(&phone(2)).unwrap(), Contact::default());

    store.hinted(&phone(1), &sid(4), 40).unwrap();
    store.opted(&phone(1), false, &sid(5), 50).unwrap();
    let back = Contact {
        hinted_at: Some(40),
        opted_out_at: None,
        ..all
    };
    assert_eq!(store.contact(&phone(1)).unwrap(), back);
    for number in 1..=5 {
        assert!(store.seen(&sid(number)).unwrap(), "{number}");
    }
}

#[test]
fn an_account_that_nobody_has_a_login_for_is_due_once_its_text_is_hopeless() {
    type End = fn(&Store, &PhoneHash) -> Result<(), StoreError>;
    let ends: [(&str, End); 2] = [
        ("refused", |store, phone| {
            store.refused(phone, 900, &sid(99), 50)
        }),
        ("gave_up", |store, phone| store.gave_up(phone, &sid(99), 50)),
    ];
    for (name, end) in ends {
        for (stage, due_at) in [
            (Stage::Reserved, 50),
            (Stage::Created, 50),
            (Stage::Announced, 100),
            (Stage::Reaping, 100),
        ] {
            let dir = TempDir::new();
            let store = dir.open();
            store.at_stage(1, stage);
            store.at_stage(2, stage);
            end(&store, &phone(1)).unwrap();
            let row = store.row(1);
            assert_eq!(
                (row.stage, row.due_at),
                (stage, Some(due_at)),
                "{name} {stage:?}"
            );
            assert_eq!(row.sending, None, "{name} {stage:?}");
            assert_eq!(store.row(2).due_at, Some(100), "{name} {stage:?}");
            assert!(store.seen(&sid(99)).unwrap());
        }
    }
}

#[test]
fn a_text_is_finished_once() {
    let dir = TempDir::new();
    let store = dir.open();
    assert!(!store.seen(&sid(1)).unwrap());
    store.finish(&sid(1), 10).unwrap();
    store.finish(&sid(1), 20).unwrap();
    assert!(store.seen(&sid(1)).unwrap());
    assert!(!store.seen(&sid(2)).unwrap());
}

#[test]
fn texts_are_forgotten_after_thirty_days() {
    let dir = TempDir::new();
    let store = dir.open();
    store.finish(&sid(1), DAY).unwrap();
    store.finish(&sid(2), DAY + 1).unwrap();
    assert_eq!(store.prune(31 * DAY).unwrap(), 0);
    assert_eq!(store.prune(31 * DAY + 1).unwrap(), 1);
    assert!(!store.seen(&sid(1)).unwrap());
    assert!(store.seen(&sid(2)).unwrap());
}

#[test]
fn contacts_are_forgotten_when_nothing_of_them_counts_any_more() {
    let dir = TempDir::new();
    let store = dir.open();
    let now = 100 * DAY;
    store.hinted(&phone(1), &sid(1), now - 31 * DAY).unwrap();
    store.hinted(&phone(2), &sid(2), now - 29 * DAY).unwrap();
    store
        .opted(&phone(3), true, &sid(3), now - 90 * DAY)
        .unwrap();
    store
        .opted(&phone(4), true, &sid(4), now - 90 * DAY)
        .unwrap();
    store
        .opted(&phone(4), false, &sid(5), now - 89 * DAY)
        .unwrap();
    store
        .refused(&phone(5), now + DAY, &sid(6), now - 90 * DAY)
        .unwrap();
    store
        .refused(&phone(6), now - 80 * DAY, &sid(7), now - 90 * DAY)
        .unwrap();
    store.prune(now).unwrap();
    for (number, kept) in [
        (1, false),
        (2, true),
        (3, true),
        (4, false),
        (5, true),
        (6, false),
    ] {
        let known = store.contact(&phone(number)).unwrap() != Contact::default();
        assert_eq!(known, kept, "{number}");
    }
    let rows = "SELECT count(*) FROM contacts";
    let count: i64 = store.lock().query_row(rows, [], |row| row.get(0)).unwrap();
    assert_eq!(count, 3);
}

#[test]
fn registrations_outlive_the_memory_of_texts() {
    let dir = TempDir::new();
    let store = dir.open();
    store.at_stage(1, Stage::Announced);
    store.prune(1_000 * DAY).unwrap();
    assert_eq!(store.count().unwrap(), 1);
}

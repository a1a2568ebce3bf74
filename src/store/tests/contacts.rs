//! What is remembered beside registrations, and for how long.

use super::*;
use crate::store::prune::TEXTS_KEPT;

const DAY: UnixSeconds = 86_400;
pub(super) const TEXT_LIFE: Duration = Duration::from_secs(43_200);

#[test]
fn a_phone_that_never_wrote_is_unknown() {
    let dir = TempDir::new();
    assert_eq!(dir.open().contact(&phone(1)).unwrap(), Contact::default());
}

#[test]
fn hints_opt_outs_and_refusals_are_remembered_side_by_side() {
    let dir = TempDir::new();
    let store = dir.open();
    store.noticed(Notice::Hint, &phone(1), &sid(1), 10).unwrap();
    store.opted(&phone(1), true, &sid(2), 20, None).unwrap();
    store
        .refused(&phone(1), 900, &sid(3), 30, "landline")
        .unwrap();
    store.noticed(Notice::Full, &phone(1), &sid(6), 35).unwrap();
    let all = Contact {
        hinted_at: Some(10),
        opted_out_at: Some(20),
        own_opt_out: false,
        refused_until: Some(900),
        full_at: Some(35),
        ended_at: None,
        gone_at: None,
        told_at: None,
    };
    assert_eq!(store.contact(&phone(1)).unwrap(), all);
    assert_eq!(store.contact(&phone(2)).unwrap(), Contact::default());

    store.noticed(Notice::Hint, &phone(1), &sid(4), 40).unwrap();
    store.opted(&phone(1), false, &sid(5), 50, None).unwrap();
    let back = Contact {
        hinted_at: Some(40),
        opted_out_at: None,
        ..all
    };
    assert_eq!(store.contact(&phone(1)).unwrap(), back);
    for number in 1..=6 {
        assert!(!store.is_new(&sid(number)), "{number}");
    }
}

#[test]
fn an_account_that_nobody_has_a_login_for_is_due_once_its_text_is_hopeless() {
    type End = fn(&Store, &PhoneHash) -> Result<(), StoreError>;
    let ends: [(&str, End); 2] = [
        ("refused", |store, phone| {
            store.refused(phone, 900, &sid(99), 50, "landline")
        }),
        ("gave_up", |store, phone| {
            store.gave_up(phone, &sid(99), 50, "landline")
        }),
    ];
    for (name, end) in ends {
        for (stage, cleared, due_at) in [
            (Stage::Reserved, None, 50),
            (Stage::Created, Some(NOT_SENT), 50),
            // Its phone may have the login.
            (Stage::Created, None, 100),
            (Stage::Created, Some(ClearedSend::Doubtful), 100),
            (Stage::Announced, None, 100),
            (Stage::Reaping, None, 100),
        ] {
            let dir = TempDir::new();
            let store = dir.open();
            let id = store.at_stage(1, stage);
            store.at_stage(2, stage);
            if let Some(cleared) = cleared {
                store.clear_send(id, cleared, None).unwrap();
            }
            let may_have_login = stage == Stage::Created && cleared != Some(NOT_SENT);
            end(&store, &phone(1)).unwrap();
            let row = store.row(1);
            assert_eq!(
                (row.stage, row.due_at),
                (stage, Some(due_at)),
                "{name} {stage:?}"
            );
            assert_eq!(row.sending, None, "{name} {stage:?}");
            assert_eq!(row.doubtful, u32::from(may_have_login), "{name} {stage:?}");
            assert_eq!(store.row(2).due_at, Some(100), "{name} {stage:?}");
            assert!(!store.is_new(&sid(99)));
        }
    }
}

#[test]
fn a_text_is_finished_once() {
    let dir = TempDir::new();
    let store = dir.open();
    assert!(store.is_new(&sid(1)));
    store.finish(&sid(1), 10).unwrap();
    store.finish(&sid(1), 20).unwrap();
    assert!(!store.is_new(&sid(1)));
    assert!(store.is_new(&sid(2)));
}

#[test]
fn texts_are_forgotten_after_thirty_days() {
    let dir = TempDir::new();
    let store = dir.open();
    store.finish(&sid(1), DAY).unwrap();
    store.finish(&sid(2), DAY + 1).unwrap();
    assert_eq!(store.prune(31 * DAY, TEXT_LIFE).unwrap(), 0);
    assert_eq!(store.prune(31 * DAY + 1, TEXT_LIFE).unwrap(), 1);
    assert!(store.is_new(&sid(1)));
    assert!(!store.is_new(&sid(2)));
}

#[test]
fn contacts_are_forgotten_when_nothing_of_them_counts_any_more() {
    let dir = TempDir::new();
    let store = dir.open();
    let now = 100 * DAY;
    store
        .noticed(Notice::Hint, &phone(1), &sid(1), now - 31 * DAY)
        .unwrap();
    store
        .noticed(Notice::Hint, &phone(2), &sid(2), now - 29 * DAY)
        .unwrap();
    store
        .opted(&phone(3), true, &sid(3), now - 90 * DAY, None)
        .unwrap();
    store
        .opted(&phone(4), true, &sid(4), now - 90 * DAY, None)
        .unwrap();
    store
        .opted(&phone(4), false, &sid(5), now - 89 * DAY, None)
        .unwrap();
    store
        .refused(&phone(5), now + DAY, &sid(6), now - 90 * DAY, "landline")
        .unwrap();
    store
        .refused(
            &phone(6),
            now - 80 * DAY,
            &sid(7),
            now - 90 * DAY,
            "landline",
        )
        .unwrap();
    store.prune(now, TEXT_LIFE).unwrap();
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
    store.prune(1_000 * DAY, TEXT_LIFE).unwrap();
    assert_eq!(store.count().unwrap(), 1);
}

#[test]
fn a_text_that_was_given_up_is_known_with_its_reason() {
    let dir = TempDir::new();
    let store = dir.open();
    let given_up = |number| store.seen(&sid(number)).unwrap();
    store.gave_up(&phone(1), &sid(1), 10, "too old").unwrap();
    store
        .refused(&phone(2), 900, &sid(2), 10, "landline")
        .unwrap();
    store
        .opted(&phone(3), true, &sid(3), 10, Some("21610"))
        .unwrap();
    assert_eq!(given_up(1), TextHistory::GivenUp("too old".to_owned()));
    assert_eq!(given_up(2), TextHistory::GivenUp("landline".to_owned()));
    assert_eq!(given_up(3), TextHistory::GivenUp("21610".to_owned()));
    store.opted(&phone(4), true, &sid(4), 10, None).unwrap();
    assert_eq!(given_up(4), TextHistory::Served);
}

#[test]
fn the_oldest_texts_go_when_there_are_too_many() {
    let dir = TempDir::new();
    let store = dir.open();
    let many = i64::from(TEXTS_KEPT) + 10;
    store
        .write("fill", |tx| {
            tx.execute(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
                 INSERT INTO seen (sid, at) SELECT printf('SM%032d', i), i FROM n",
                [many],
            )
        })
        .unwrap();
    assert_eq!(store.prune(many, TEXT_LIFE).unwrap(), 10);
    let name = |number: i64| MessageSid::parse(&format!("SM{number:032}")).unwrap();
    assert!(store.is_new(&name(10)));
    assert!(!store.is_new(&name(11)));
}

#[test]
fn texts_of_the_last_hour_are_counted_but_for_those_that_were_not_taken() {
    let dir = TempDir::new();
    let store = dir.open();
    let now = 100 * DAY;
    assert_eq!(store.sent_last_hour(now).unwrap(), 0);
    store
        .noticed(Notice::Hint, &phone(9), &sid(9), now)
        .unwrap();
    let id = store.at_stage(1, Stage::Announced);
    let sending = |since| Sending {
        fingerprint: key("ours").fingerprint("password: x7k2m"),
        since,
    };
    for (minute, cleared, counted) in [(1, NOT_SENT, 1), (2, ClearedSend::Doubtful, 2)] {
        store
            .begin_send(id, sending(now + 60 * minute), 1, None)
            .unwrap();
        assert_eq!(store.sent_last_hour(now + 120).unwrap(), 2);
        store.clear_send(id, cleared, None).unwrap();
        assert_eq!(
            store.sent_last_hour(now + 120).unwrap(),
            counted,
            "{cleared:?}"
        );
    }
    assert_eq!(store.sent_last_hour(now + 3_599).unwrap(), 2);
    assert_eq!(store.sent_last_hour(now + 3_600).unwrap(), 0);
    assert_eq!(
        store.sent_last_hour(now - 3_600).unwrap(),
        0,
        "the future is not the past"
    );
    store.prune(now + 4_000, TEXT_LIFE).unwrap();
    let left: i64 = store
        .lock()
        .query_row("SELECT count(*) FROM sends", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 0);
}

#[test]
fn what_stands_under_a_former_number_moves_to_the_new_one() {
    let dir = TempDir::new();
    let store = dir.open();
    let (former, new) = (phone(1), phone(2));
    store.at_stage(1, Stage::Announced);
    let id = store.row(1).id;
    store.opted(&former, true, &sid(1), 20, None).unwrap();
    store.noticed(Notice::Hint, &former, &sid(2), 30).unwrap();
    store.renumber(&former, &new).unwrap();
    assert_eq!(store.row(2).id, id);
    assert!(store.find(&former).unwrap().is_none());
    let moved = store.contact(&new).unwrap();
    assert_eq!((moved.opted_out_at, moved.hinted_at), (Some(20), Some(30)));
    assert_eq!(store.contact(&former).unwrap(), Contact::default());
    // Known under both: nobody's account is lost, and an opt-out counts whichever number it came from.
    let former = phone(3);
    store.opted(&new, false, &sid(3), 40, None).unwrap();
    store.at_stage(3, Stage::Created);
    store.opted(&former, true, &sid(4), 50, None).unwrap();
    store.renumber(&former, &new).unwrap();
    assert_eq!(store.row(2).id, id);
    assert_eq!(store.row(3).stage, Stage::Created);
    let merged = store.contact(&new).unwrap();
    assert_eq!(
        (merged.opted_out_at, merged.hinted_at),
        (Some(50), Some(30))
    );
    assert_eq!(store.contact(&former).unwrap(), Contact::default());
}

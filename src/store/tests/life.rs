//! The stages of one registration.

use super::*;

#[test]
fn a_registration_goes_through_all_stages_until_it_is_deleted() {
    let dir = TempDir::new();
    let store = dir.open();
    assert_eq!(store.find(&phone(1)).unwrap(), None);

    let row = store.reserved(1);
    let expected = Registration {
        id: row.id,
        due_at: Some(100),
        ..Registration::fresh(name("happy-tuna-1"), row.marker.clone(), 10)
    };
    assert_eq!(row, expected);

    store
        .created(row.id, "uuid", 200, Some(sending(20)))
        .unwrap();
    let mut expected = Registration {
        stage: Stage::Created,
        coder_id: Some("uuid".to_owned()),
        due_at: Some(200),
        sending: Some(sending(20)),
        ..expected
    };
    assert_eq!(store.row(1), expected);

    store.clear_send(row.id, NOT_SENT, None).unwrap();
    (expected.sending, expected.due_at) = (None, Some(100));
    assert_eq!(store.row(1), expected);

    assert!(store.begin_send(row.id, sending(30), 1, Some(90)).unwrap());
    expected.sending = Some(sending(30));
    assert_eq!(store.row(1), expected);

    store
        .clear_send(row.id, ClearedSend::Doubtful, Some(250))
        .unwrap();
    (expected.sending, expected.doubtful, expected.due_at) = (None, 1, Some(250));
    assert_eq!(store.row(1), expected);

    assert!(store.begin_send(row.id, sending(40), 1, Some(200)).unwrap());
    assert!(store.is_new(&sid(1)));
    let text = sid(77);
    let login = SentLogin {
        text: Some(&text),
        at: 50,
        due_at: Some(300),
        window_start: 45,
        sent_in_window: 3,
    };
    store.login_sent(row.id, &sid(1), login).unwrap();
    assert!(!store.is_new(&sid(1)));
    let mut expected = Registration {
        stage: Stage::Announced,
        announced_at: Some(50),
        due_at: Some(300),
        doubtful: 0,
        sent_in_window: 3,
        window_start: 45,
        login_sid: Some(sid(77)),
        ..expected
    };
    assert_eq!(store.row(1), expected);

    assert!(
        !store.begin_removal(row.id, 299).unwrap(),
        "removed before its time"
    );
    assert_eq!(store.row(1), expected);
    assert!(store.begin_removal(row.id, 300).unwrap());
    expected.stage = Stage::Reaping;
    expected.removal.since = Some(300);
    assert_eq!(store.row(1), expected);

    store.locked_out(row.id, 310).unwrap();
    store.locked_out(row.id, 320).unwrap();
    expected.removal.locked_at = Some(310);
    assert_eq!(store.row(1), expected);

    store
        .put_off(row.id, put_off(400, 2, "a build runs"))
        .unwrap();
    (expected.reap_tries, expected.reap_note) = (2, Some("a build runs".to_owned()));
    assert_eq!(store.row(1), expected);

    store.forget(row.id, 100).unwrap();
    assert_eq!(store.find(&phone(1)).unwrap(), None);
    assert_eq!(store.count().unwrap(), 0);
}

#[test]
fn a_user_that_is_found_late_is_recorded_while_its_reservation_is_removed() {
    let dir = TempDir::new();
    let store = dir.open();
    let id = store.at_stage(1, Stage::Reaping);
    let before = store.row(1);
    let reached = store
        .created(id, "late uuid", 9_999_999, Some(sending(99)))
        .unwrap();
    assert_eq!(reached, Stage::Reaping);
    let expected = Registration {
        coder_id: Some("late uuid".to_owned()),
        ..before
    };
    assert_eq!(store.row(1), expected, "only the id is recorded");
}

#[test]
fn another_name_starts_the_registration_afresh() {
    let dir = TempDir::new();
    let store = dir.open();
    for (number, stage, event) in [
        (1, Stage::Reserved, Event::Renamed),
        (2, Stage::Created, Event::UserVanished),
        (3, Stage::Announced, Event::UserVanished),
    ] {
        let id = store.at_stage(number, stage);
        let other = name(&format!("calm-otter-{number}"));
        let sign = marker(&other);
        assert!(store.rename(id, event, &other, &sign, 500).unwrap());
        let row = store.row(number);
        assert_eq!(
            (row.id, row.stage, row.coder_id),
            (id, Stage::Reserved, None)
        );
        assert_eq!((row.username, row.marker), (other, sign));
        assert_eq!((row.due_at, row.sending), (Some(500), None));
    }
}

#[test]
fn a_name_or_a_phone_is_reserved_once() {
    let dir = TempDir::new();
    let store = dir.open();
    store.reserved(1);
    let id = store.reserved(2).id;
    let before = store.dump();
    let reserve = |number, username: &str| {
        let username = name(username);
        store
            .reserve_at(
                &phone(number),
                &username,
                &marker(&username),
                (10, 100),
                SEATS,
            )
            .unwrap()
            == ReserveResult::Done
    };
    assert!(!reserve(1, "calm-otter"), "a second name for one phone");
    assert!(!reserve(3, "happy-tuna-1"), "one name for two phones");
    assert!(
        !reserve(3, "Happy-Tuna-1"),
        "Coder does not tell letter cases apart"
    );
    let taken = name("happy-tuna-1");
    assert!(
        !store
            .rename(id, Event::Renamed, &taken, &marker(&taken), 500)
            .unwrap()
    );
    assert_eq!(store.dump(), before);
}

#[test]
fn a_renewal_keeps_what_the_instructor_has_ordered_meanwhile() {
    let dir = TempDir::new();
    let store = dir.open();
    let id = store.at_stage(1, Stage::Announced);
    let set = |columns: &str| {
        let sql = format!("UPDATE registrations SET {columns}");
        store.lock().execute(&sql, []).unwrap();
    };
    let due = || -> Option<UnixSeconds> {
        let sql = "SELECT due_at FROM registrations";
        store.lock().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    // It was due, and was extended before the student's text renewed it.
    set("due_at = 500");
    store.renew(id, 200).unwrap();
    assert_eq!(due(), Some(500));
    store.renew(id, 900).unwrap();
    assert_eq!(due(), Some(900));
    // It was ended.
    set("due_at = 100, ended_at = 100");
    store.renew(id, 2_000).unwrap();
    assert_eq!(due(), Some(100));
}

#[test]
fn illegal_steps_are_refused_and_leave_the_row_as_it_was() {
    type Step = (
        &'static str,
        Event,
        fn(&Store, i64) -> Result<(), StoreError>,
    );
    let steps: [Step; 9] = [
        ("begin_create", Event::UserRequested, |store, id| {
            store.begin_create(id, 99)
        }),
        ("created", Event::UserCreated, |store, id| {
            store.created(id, "other", 999, None).map(drop)
        }),
        ("renew", Event::Renewed, |store, id| store.renew(id, 999)),
        ("begin_send", Event::LoginPrepared, |store, id| {
            store.begin_send(id, sending(99), 1, Some(100)).map(drop)
        }),
        ("clear_send", Event::LoginPrepared, |store, id| {
            store.clear_send(id, ClearedSend::Doubtful, Some(999))
        }),
        ("login_sent", Event::LoginSent, |store, id| {
            store
                .login_sent(id, &sid(99), sent(99, Some(999)))
                .map(drop)
        }),
        ("begin_removal", Event::RemovalBegun, |store, id| {
            store.begin_removal(id, 999).map(drop)
        }),
        ("forget", Event::UserGone, |store, id| store.forget(id, 100)),
        ("rename", Event::Renamed, |store, id| {
            let other = name("calm-otter");
            store
                .rename(id, Event::Renamed, &other, &marker(&other), 999)
                .map(drop)
        }),
    ];
    let mut refused = 0;
    for stage in [
        Stage::Reserved,
        Stage::Created,
        Stage::Announced,
        Stage::Reaping,
        Stage::Gone,
    ] {
        for (step, event, take) in steps {
            if stage.after(event).is_ok() {
                continue;
            }
            let dir = TempDir::new();
            let store = dir.open();
            let id = if stage == Stage::Gone {
                1
            } else {
                store.at_stage(1, stage)
            };
            let before = store.dump();
            let error = take(&store, id).unwrap_err();
            let expected = IllegalStep { stage, event };
            assert!(
                matches!(&error, StoreError::Step(found) if *found == expected),
                "{step}: {error}"
            );
            assert_eq!(store.dump(), before, "{step} on {stage:?}");
            assert!(store.is_new(&sid(99)), "{step} on {stage:?}");
            refused += 1;
        }
    }
    assert!(refused >= 20, "{refused}");
}

#[test]
fn a_restart_keeps_all_rows() {
    let dir = TempDir::new();
    let store = dir.open();
    for (number, stage) in [
        (1, Stage::Reserved),
        (2, Stage::Created),
        (3, Stage::Announced),
        (4, Stage::Reaping),
    ] {
        store.at_stage(number, stage);
    }
    let before = store.dump();
    drop(store);
    assert_eq!(dir.open().dump(), before);
}

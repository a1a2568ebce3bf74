//! Logins that are about to be sent, ids, and texts that end while they are served.

use super::*;

#[test]
fn a_first_login_that_may_arrive_keeps_its_account_as_long_as_it_promises() {
    let dir = TempDir::new();
    let store = dir.open();
    let id = store.reserved(1).id;
    let due = || store.row(1).due_at;
    let begin = |promised| assert!(store.begin_send(id, sending(30), 1, promised).unwrap());
    store.created(id, "uuid", 700, Some(sending(20))).unwrap();
    assert_eq!(due(), Some(700));
    // Without a login it lives as long as its text is tried.
    store.clear_send(id, NOT_SENT, None).unwrap();
    assert_eq!(due(), Some(100));
    begin(Some(90));
    assert_eq!(due(), Some(100));
    begin(Some(800));
    assert_eq!(due(), Some(800));
    // The second one surely failed, but the first one may have arrived.
    store.clear_send(id, ClearedSend::Doubtful, None).unwrap();
    begin(Some(750));
    store.clear_send(id, NOT_SENT, None).unwrap();
    assert_eq!(due(), Some(800));
    begin(None);
    assert_eq!(due(), None, "it promises a life without end");
    let other = name("calm-otter-1");
    assert!(
        store
            .rename(id, Event::UserVanished, &other, &marker(&other), 500)
            .unwrap()
    );
    assert_eq!(
        store.row(1).doubtful,
        0,
        "the login of a vanished user is worth nothing"
    );
}

#[test]
fn an_end_is_kept_whatever_a_login_promises() {
    let dir = TempDir::new();
    let store = dir.open();
    let id = store.at_stage(1, Stage::Created);
    let sql = "UPDATE registrations SET due_at = 40, ended_at = 40";
    store.lock().execute(sql, []).unwrap();
    store.begin_send(id, sending(30), 1, Some(800)).unwrap();
    assert_eq!(store.row(1).due_at, Some(40));
    store.clear_send(id, NOT_SENT, Some(900)).unwrap();
    assert_eq!(store.row(1).due_at, Some(40));
}

#[test]
fn two_sends_that_cannot_be_found_out_are_recorded_with_the_end_of_their_text() {
    let dir = TempDir::new();
    let store = dir.open();
    let id = store.at_stage(1, Stage::Created);
    let login = sent(30, Some(900));
    store
        .login_perhaps_sent(id, &sid(5), login, "unknown")
        .unwrap();
    let row = store.row(1);
    assert_eq!((row.stage, row.due_at), (Stage::Announced, Some(900)));
    let given_up = TextHistory::GivenUp("unknown".to_owned());
    assert_eq!(store.seen(&sid(5)).unwrap(), given_up);
}

#[test]
fn an_earlier_login_is_no_answer_once_its_account_is_being_removed() {
    for (is_removed, history) in [(false, TextHistory::Served), (true, TextHistory::Never)] {
        let dir = TempDir::new();
        let store = dir.open();
        let id = store.at_stage(1, Stage::Created);
        store.begin_send(id, sending(30), 1, Some(90)).unwrap();
        if is_removed {
            assert!(store.begin_removal(id, 100).unwrap());
        }
        let login = sent(101, Some(900));
        let (stage, _) = store.earlier_login_sent(id, &sid(5), login).unwrap();
        assert_eq!(stage == Stage::Reaping, is_removed);
        assert_eq!(store.seen(&sid(5)).unwrap(), history);
        // What was sent is recorded all the same.
        let row = store.row(1);
        assert_eq!((row.announced_at, row.sending), (Some(101), None));
        assert_eq!(row.due_at, Some(if is_removed { 100 } else { 900 }));
    }
}

#[test]
fn an_id_is_never_used_again() {
    let dir = TempDir::new();
    let store = dir.open();
    let goes = |store: &Store, id| {
        assert!(store.begin_removal(id, 100).unwrap());
        store.forget(id, 100).unwrap();
    };
    let first = store.reserved(1).id;
    let second = store.reserved(2).id;
    goes(&store, second);
    let third = store.reserved(3).id;
    assert!(first < second && second < third, "{first} {second} {third}");
    goes(&store, first);
    goes(&store, third);
    drop(store);
    let store = dir.open();
    let fourth = store.reserved(4).id;
    assert!(third < fourth, "{third} {fourth}");
    // What was read of an account that is gone reaches no other one.
    let error = store.begin_send(third, sending(30), 1, None).unwrap_err();
    assert!(matches!(error, StoreError::Step(_)), "{error}");
}

#[test]
fn a_text_that_ended_meanwhile_reserves_nothing() {
    for (ended, received, what) in [
        (None, 20, ReserveResult::Done),
        (Some(20), 20, ReserveResult::Done),
        (Some(21), 20, ReserveResult::Ended),
    ] {
        let dir = TempDir::new();
        let store = dir.open();
        let text = sid(7);
        let reserve = || {
            let username = name("happy-tuna");
            let reservation = Reservation {
                phone: &phone(1),
                text: &text,
                received,
                username: &username,
                marker: &marker(&username),
                now: 30,
                due_at: 100,
            };
            store.reserve(reservation, SEATS).unwrap()
        };
        if ended.is_some() {
            let sql = "INSERT INTO contacts (phone, ended_at) VALUES (?1, ?2)";
            let phone = phone(1);
            let values = params![phone.as_bytes(), ended];
            store.lock().execute(sql, values).unwrap();
        }
        let before = store.dump();
        // As if it had been served, or its phone forgotten.
        store.finish(&text, 25).unwrap();
        assert_eq!(reserve(), ReserveResult::Ended);
        assert_eq!(store.dump(), before);
        store.lock().execute("DELETE FROM seen", []).unwrap();
        assert_eq!(reserve(), what, "{ended:?}");
    }
}

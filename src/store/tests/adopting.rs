//! Accounts that were found at Coder.

use super::*;
use crate::clock::ClockStep;
use crate::domain::order::{Order, OrderRefused};

fn adoption(raw: &str, id: &str, due_at: Option<UnixSeconds>) -> Adoption {
    let username = name(raw);
    Adoption {
        marker: marker(&username),
        username,
        coder_id: id.to_owned(),
        made_at: 50,
        due_at,
    }
}

fn adopted(store: &Store, accounts: &[Adoption]) -> Vec<String> {
    let names = store.adopt(accounts, 70).unwrap();
    names.iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_known_by_id_name_or_marker_is_not_adopted() {
    let dir = TempDir::new();
    let store = dir.open();
    let accounts = [
        adoption("happy-tuna", "one", Some(500)),
        adoption("calm-otter", "two", None),
    ];
    assert_eq!(adopted(&store, &accounts), ["happy-tuna", "calm-otter"]);
    assert_eq!(adopted(&store, &accounts), Vec::<String>::new());
    let same_marker = Adoption {
        marker: accounts[0].marker.clone(),
        ..adoption("lazy-newt", "three", None)
    };
    let others = [
        adoption("Happy-Tuna", "three", None),
        adoption("lazy-newt", "one", None),
        same_marker,
        adoption("shy-gecko", "four", None),
        adoption("shy-gecko", "five", None),
    ];
    assert_eq!(adopted(&store, &others), ["shy-gecko"]);
    assert_eq!(store.count().unwrap(), 3);
}

#[test]
fn an_adopted_account_lives_and_goes_as_any_other() {
    let dir = TempDir::new();
    let store = dir.open();
    let account = adoption("happy-tuna", "one", Some(500));
    adopted(&store, std::slice::from_ref(&account));
    let row = store.roster().unwrap().pop().unwrap();
    assert_eq!((row.stage, row.adopted_at), (Stage::Announced, Some(70)));
    assert_eq!((row.reserved_at, row.announced_at), (50, Some(50)));
    assert_eq!(row.coder_id.as_deref(), Some("one"));
    assert_eq!(row.marker, account.marker);
    let mut commands = Commands::open(&dir.data()).unwrap();
    let extend = Order::Extend {
        by: Duration::from_secs(100),
        longest: None,
    };
    let applied = commands.apply(extend, Chosen::All, 80, false).unwrap();
    assert_eq!(applied.changed[0].1.at, 600);
    commands
        .apply(Order::EndGently, Chosen::All, 90, false)
        .unwrap();
    assert_eq!(store.due(90, 1_000).unwrap().len(), 1);
    // Nobody's text waits for it.
    assert_eq!(
        value_of(&store, "SELECT count(*) FROM contacts"),
        Value::Integer(0)
    );
    assert!(store.begin_removal(row.id, 90).unwrap());
    let applied = commands.apply(Order::End, Chosen::All, 95, false).unwrap();
    assert_eq!(applied.refused[0].1, OrderRefused::BeingRemoved);
    store.forget(row.id, 100).unwrap();
    assert_eq!(store.count().unwrap(), 0);
}

fn value_of(store: &Store, sql: &str) -> Value {
    let connection = store.lock();
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn it_takes_a_seat_and_no_phone() {
    let dir = TempDir::new();
    let store = dir.open();
    let accounts = [
        adoption("happy-tuna", "one", None),
        adoption("calm-otter", "two", None),
    ];
    adopted(&store, &accounts);
    let username = name("lazy-newt");
    let reserve = |limit| {
        let marker = marker(&username);
        let seats = Seats { class: None, limit };
        store.reserve_at(&phone(1), &username, &marker, (10, 100), seats)
    };
    assert_eq!(reserve(2).unwrap(), ReserveResult::Full);
    assert_eq!(reserve(3).unwrap(), ReserveResult::Done);
    let sql = "SELECT count(DISTINCT phone) FROM registrations WHERE length(phone) = 20";
    assert_eq!(value_of(&store, sql), Value::Integer(3));
}

#[test]
fn commands_know_the_folder_by_its_name_once_it_has_one() {
    let dir = TempDir::new();
    let store = dir.open();
    let commands = Commands::open(&dir.data()).unwrap();
    assert_eq!(commands.instance_id().unwrap(), None);
    let drawn = store.instance_id().unwrap();
    assert_eq!(commands.instance_id().unwrap(), Some(drawn));
}

#[test]
fn a_clock_that_is_set_takes_the_adopted_along_by_when_they_were_adopted() {
    let dir = TempDir::new();
    let store = dir.open();
    // Made long ago, adopted at 1,000 and at 9,000.
    let long_ago = adoption("happy-tuna", "one", Some(1_500));
    let later = adoption("calm-otter", "two", Some(9_500));
    store.adopt(&[long_ago], 1_000).unwrap();
    store.adopt(&[later], 9_000).unwrap();
    let times = || {
        let all = store.roster().unwrap();
        let times = all.iter().map(|one| (one.due_at.unwrap(), one.reserved_at));
        times.collect::<Vec<_>>()
    };
    assert_eq!(times(), [(9_500, 50), (1_500, 50)]);
    // Set ahead by 7,000 between the two: the second is dated by the clock as it is.
    let ahead = ClockStep {
        before: 1_100,
        by: 7_000,
    };
    assert_eq!(store.follow_clock(ahead, 9_000, &[]).unwrap(), 1);
    assert_eq!(times(), [(9_500, 50), (8_500, 50)]);
    // And back by that: it was adopted in what is the future now.
    let back = ClockStep {
        before: 9_100,
        by: -7_000,
    };
    assert_eq!(store.follow_clock(back, 2_100, &[]).unwrap(), 1);
    assert_eq!(times(), [(2_600, 50 - 6_900), (8_500, 50)]);
    let all = store.roster().unwrap();
    assert_eq!(all[0].adopted_at, Some(2_100));
}

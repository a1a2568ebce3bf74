//! Threads that want the same thing at the same moment.

use std::sync::Barrier;
use std::thread;

use super::*;
use crate::domain::ClassName;

const RUNNERS: u32 = 8;

/// Lets eight threads start at once; what each of them came back with.
fn race<T: Send>(run: impl Fn(u32) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(RUNNERS as usize);
    let (run, start) = (&run, &start);
    thread::scope(|scope| {
        let runner = |number| {
            scope.spawn(move || {
                start.wait();
                run(number)
            })
        };
        let runners: Vec<_> = (0..RUNNERS).map(runner).collect();
        runners
            .into_iter()
            .map(|runner| runner.join().unwrap())
            .collect()
    })
}

#[test]
fn one_of_eight_threads_gets_the_phone() {
    let dir = TempDir::new();
    let store = dir.open();
    for round in 0..20 {
        let came = race(|runner| {
            let username = name(&format!("happy-tuna-{round}-{runner}"));
            let won = store.reserve_at(
                &phone(round),
                &username,
                &marker(&username),
                (10, 100),
                SEATS,
            );
            (won.unwrap() == ReserveResult::Done).then_some(username)
        });
        let winners: Vec<Username> = came.into_iter().flatten().collect();
        assert_eq!(winners, [store.row(round).username], "round {round}");
    }
}

#[test]
fn one_of_eight_threads_gets_the_name() {
    let dir = TempDir::new();
    let store = dir.open();
    let username = name("happy-tuna");
    let sign = marker(&username);
    let won = race(|runner| {
        store
            .reserve_at(&phone(runner), &username, &sign, (10, 100), SEATS)
            .unwrap()
            == ReserveResult::Done
    });
    assert_eq!(won.iter().filter(|won| **won).count(), 1);
    assert_eq!(store.count().unwrap(), 1);
}

#[test]
fn an_account_is_either_removed_or_renewed() {
    let dir = TempDir::new();
    let store = dir.open();
    for round in 0..100 {
        let id = store.at_stage(round, Stage::Announced);
        let start = Barrier::new(2);
        let (reaped, renewed) = thread::scope(|scope| {
            let reaper = scope.spawn(|| {
                start.wait();
                store.begin_removal(id, 100).unwrap()
            });
            let renewal = scope.spawn(|| {
                start.wait();
                store.login_sent(id, &sid(5_000 + round), sent(100, Some(900)))
            });
            (reaper.join().unwrap(), renewal.join().unwrap())
        });
        renewed.unwrap();
        let row = store.row(round);
        let expected = if reaped {
            (Stage::Reaping, Some(100))
        } else {
            (Stage::Announced, Some(900))
        };
        assert_eq!((row.stage, row.due_at), expected, "round {round}");
        assert!(!store.is_new(&sid(5_000 + round)));
    }
}

#[test]
fn a_login_on_its_way_holds_a_removal_up_for_a_minute_at_most() {
    let dir = TempDir::new();
    let store = dir.open();
    let id = store.at_stage(1, Stage::Announced);
    assert_eq!(store.held_until(id, 1_010).unwrap(), None);
    store.begin_send(id, sending(1_000), 1, Some(100)).unwrap();
    // One of the future is from before somebody set the clock back.
    assert_eq!(store.held_until(id, 999).unwrap(), None);
    assert_eq!(store.held_until(id, 1_010).unwrap(), Some(1_061));
    assert!(!store.begin_removal(id, 1_010).unwrap());
    assert!(!store.begin_removal(id, 1_060).unwrap());
    assert_eq!(store.held_until(id, 1_061).unwrap(), None);
    assert!(store.begin_removal(id, 1_061).unwrap());
}

#[test]
fn a_panic_under_the_lock_spoils_nothing() {
    let dir = TempDir::new();
    let store = dir.open();
    let id = store.reserved(1).id;
    let before = store.dump();
    let died = thread::scope(|scope| {
        let panics = || {
            store.step("panic", id, Event::UserCreated, |tx, _| {
                tx.execute("UPDATE registrations SET due_at = 1", [])?;
                panic!("on purpose");
                #[expect(unreachable_code, reason = "tells the closure's type")]
                Ok(())
            })
        };
        scope.spawn(panics).join().is_err()
    });
    assert!(died);
    assert_eq!(store.dump(), before);
    store.created(id, "uuid", 100, None).unwrap();
}

#[test]
fn each_class_gives_exactly_its_seats_whoever_comes_first() {
    let dir = TempDir::new();
    let store = dir.open();
    let classes: Vec<ClassName> = (0..3)
        .map(|number| ClassName::in_command(&format!("class-{number}")))
        .collect();
    let seats = [3, 7, 11];
    race(|runner| {
        for number in 0..12 {
            let class = (number as usize + runner as usize) % classes.len();
            let username = name(&format!("happy-tuna-{runner}-{number}"));
            let place = Seats {
                class: Some(&classes[class]),
                limit: seats[class],
            };
            let phone = phone(runner * 100 + number);
            let came = store.reserve_at(&phone, &username, &marker(&username), (10, 100), place);
            assert_ne!(came.unwrap(), ReserveResult::Clash);
        }
    });
    let roster = store.roster().unwrap();
    for (class, seats) in classes.iter().zip(seats) {
        let taken = roster
            .iter()
            .filter(|one| one.class.as_ref() == Some(class));
        assert_eq!(taken.count(), seats as usize, "{class}");
    }
}

#[test]
fn an_account_that_changes_its_class_takes_a_seat_there_and_leaves_its_own() {
    let dir = TempDir::new();
    let store = dir.open();
    let (intro, other) = (
        ClassName::in_command("intro"),
        ClassName::in_command("other"),
    );
    let of = |class, limit| Seats {
        class: Some(class),
        limit,
    };
    let unnamed = Seats {
        class: None,
        limit: 1,
    };
    let id = store.reserved(1).id;
    let second = store.reserved(2).id;
    assert!(store.change_class(id, of(&intro, 1)).unwrap());
    assert!(!store.change_class(second, of(&intro, 1)).unwrap());
    assert_eq!(store.row(2).class, None);
    // In its own class it needs no further seat.
    assert!(store.change_class(id, of(&intro, 1)).unwrap());
    assert!(store.change_class(id, of(&other, 1)).unwrap());
    assert!(store.change_class(second, of(&intro, 1)).unwrap());
    assert_eq!(store.row(1).class, Some(other));
    assert!(store.change_class(id, unnamed).unwrap());
    assert_eq!(store.row(1).class, None);
}

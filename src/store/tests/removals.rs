//! Who is due, who is put off, and what happens when removal is switched on or off.

use super::*;
use crate::clock::ClockStep;
use crate::domain::ClassName;

fn due(store: &Store, now: UnixSeconds) -> Vec<i64> {
    store
        .due(now, 1_000)
        .unwrap()
        .iter()
        .map(|registration| registration.id)
        .collect()
}

/// Announced, with that time.
fn announced(store: &Store, number: u32, due_at: Option<UnixSeconds>) -> i64 {
    let id = store.at_stage(number, Stage::Announced);
    store
        .login_sent(id, &sid(number + 1_000), sent(40, due_at))
        .unwrap();
    id
}

#[test]
fn those_whose_time_is_up_are_due_the_earliest_first() {
    let dir = TempDir::new();
    let store = dir.open();
    let late = announced(&store, 1, Some(300));
    let early = announced(&store, 2, Some(200));
    let reserved = store.reserved(3).id;
    announced(&store, 4, None);
    for (now, expected) in [
        (99, vec![]),
        (100, vec![reserved]),
        (200, vec![reserved, early]),
        (9_999, vec![reserved, early, late]),
    ] {
        assert_eq!(due(&store, now), expected, "at {now}");
    }
}

#[test]
fn a_removal_that_is_put_off_is_looked_at_again_at_its_time() {
    let dir = TempDir::new();
    let store = dir.open();
    let (first, second) = (
        announced(&store, 1, Some(100)),
        announced(&store, 2, Some(100)),
    );
    assert!(store.begin_removal(first, 100).unwrap());
    assert_eq!(store.next_check(100).unwrap(), None);
    store
        .put_off(first, put_off(160, 1, "a build runs"))
        .unwrap();
    store
        .put_off(second, put_off(130, 1, "a workspace is busy"))
        .unwrap();
    assert_eq!(store.next_check(100).unwrap(), Some(130));
    assert_eq!(due(&store, 129), [0; 0]);
    assert_eq!(due(&store, 130), [second]);
    assert_eq!(due(&store, 160), [first, second]);

    assert!(store.begin_removal(second, 130).unwrap());
    let row = store.row(2);
    assert_eq!((row.reap_tries, row.reap_note), (0, None));
    assert_eq!(store.next_check(130).unwrap(), Some(160));
    assert_eq!(due(&store, 130), [second]);
}

#[test]
fn a_new_login_takes_the_account_out_of_the_waiting_room() {
    let dir = TempDir::new();
    let store = dir.open();
    let id = announced(&store, 1, Some(100));
    store
        .put_off(id, put_off(9_000, 3, "a workspace is busy"))
        .unwrap();
    store.login_sent(id, &sid(5), sent(110, Some(200))).unwrap();
    assert!(!store.begin_removal(id, 199).unwrap());
    assert_eq!(store.next_check(200).unwrap(), None);
    assert_eq!(due(&store, 200), [id]);
}

#[test]
fn removal_begins_once_and_not_without_a_time() {
    let dir = TempDir::new();
    let store = dir.open();
    let never = announced(&store, 1, None);
    assert!(!store.begin_removal(never, UnixSeconds::MAX).unwrap());
    let id = store.at_stage(2, Stage::Reaping);
    assert!(matches!(
        store.begin_removal(id, 100),
        Err(StoreError::Step(_))
    ));
}

#[test]
fn switching_removal_off_spares_those_who_have_a_login() {
    let dir = TempDir::new();
    let store = dir.open();
    let kept = announced(&store, 1, Some(100));
    let reserved = store.reserved(2).id;
    let created = store.at_stage(3, Stage::Created);
    store.clear_send(created, NOT_SENT, None).unwrap();
    let reaping = store.at_stage(4, Stage::Reaping);
    assert_eq!(store.clear_due(None).unwrap(), 1);
    assert_eq!(store.clear_due(None).unwrap(), 0);
    assert_eq!(due(&store, 9_999), [reserved, created, reaping]);
    assert_eq!(store.row(1).due_at, None);

    assert_eq!(store.set_missing_due(None, 500).unwrap(), 1);
    assert_eq!(store.set_missing_due(None, 600).unwrap(), 0);
    assert_eq!(store.row(1).due_at, Some(500));
    assert_eq!(due(&store, 9_999), [reserved, created, reaping, kept]);
}

#[test]
fn what_a_clock_of_the_future_put_off_is_looked_at_all_the_same() {
    let dir = TempDir::new();
    let store = dir.open();
    let id = announced(&store, 1, Some(100));
    store.put_off(id, put_off(8_300, 1, "in use")).unwrap();
    assert_eq!(due(&store, 7_300), [0; 0]);
    assert_eq!(due(&store, 7_299), [id]);
}

/// Everybody's time, in the order of their numbers.
fn times(store: &Store, count: u32) -> Vec<Option<UnixSeconds>> {
    (1..=count).map(|number| store.row(number).due_at).collect()
}

/// An account reserved, and announced, at that time, for 9,000 seconds.
fn announced_at(store: &Store, number: u32, at: UnixSeconds) {
    let id = store.at_stage(number, Stage::Announced);
    let login = sent(at, Some(at + 9_000));
    store.login_sent(id, &sid(number + 50), login).unwrap();
    let sql = "UPDATE registrations SET reserved_at = ?2 WHERE id = ?1";
    store.lock().execute(sql, [id, at]).unwrap();
}

#[test]
fn a_clock_set_ahead_takes_those_along_who_were_there_before() {
    let dir = TempDir::new();
    let store = dir.open();
    for (number, at) in [(1, 500), (2, 1_000), (3, 8_199)] {
        announced_at(&store, number, at);
    }
    announced(&store, 4, None);
    let reaping = announced(&store, 5, Some(100));
    assert!(store.begin_removal(reaping, 100).unwrap());
    // Another login after the step changes nothing about the time that runs.
    let again = sent(8_210, Some(9_500));
    store.login_sent(1, &sid(99), again).unwrap();
    let step = ClockStep {
        before: 1_000,
        by: 7_200,
    };
    assert_eq!(store.follow_clock(step, 8_300, &[]).unwrap(), 2);
    let expected = [Some(16_700), Some(17_200), Some(17_199), None, Some(100)];
    assert_eq!(times(&store, 5), expected);
}

#[test]
fn a_student_who_may_have_a_login_is_treated_as_if_it_had_arrived() {
    let dir = TempDir::new();
    let store = dir.open();
    let ids: Vec<i64> = (1..=3)
        .map(|number| store.at_stage(number, Stage::Created))
        .collect();
    store
        .clear_send(ids[1], ClearedSend::Doubtful, None)
        .unwrap();
    store.clear_send(ids[2], NOT_SENT, None).unwrap();
    let ahead = ClockStep {
        before: 1_000,
        by: 7_200,
    };
    assert_eq!(store.follow_clock(ahead, 8_300, &[]).unwrap(), 2);
    assert_eq!(times(&store, 3), [Some(7_300), Some(7_300), Some(100)]);
    let sql = "UPDATE registrations SET reserved_at = 9000";
    store.lock().execute(sql, []).unwrap();
    let back = ClockStep {
        before: 9_100,
        by: -7_200,
    };
    assert_eq!(store.follow_clock(back, 1_900, &[]).unwrap(), 2);
    assert_eq!(times(&store, 3), [Some(200), Some(200), Some(100)]);
    assert_eq!(store.clear_due(None).unwrap(), 2);
    assert_eq!(times(&store, 3), [None, None, Some(100)]);
}

#[test]
fn a_repeated_create_may_be_late_for_a_while() {
    let dir = TempDir::new();
    let store = dir.open();
    let id = store.reserved(1).id;
    let until = |now| store.late_create_until(id, now, 40).unwrap();
    assert_eq!(until(50), None);
    store.begin_create(id, 50).unwrap();
    assert_eq!(store.row(1).create_repeated_at, Some(50));
    assert_eq!(until(49), None, "from before the clock was set back");
    assert_eq!(until(50), Some(90));
    store.created(id, "uuid", 100, Some(sending(60))).unwrap();
    assert_eq!(until(89), Some(90));
    assert_eq!(until(90), None);
    let other = name("calm-otter-1");
    let renamed = store.rename(id, Event::UserVanished, &other, &marker(&other), 500);
    assert!(renamed.unwrap());
    assert_eq!(until(60), None, "another name was requested of nobody yet");
}

#[test]
fn a_clock_set_back_takes_those_along_who_are_of_the_future() {
    let dir = TempDir::new();
    let store = dir.open();
    announced_at(&store, 1, 500);
    announced_at(&store, 2, 8_000);
    announced_at(&store, 3, 9_000);
    let step = ClockStep {
        before: 8_102,
        by: -7_200,
    };
    assert_eq!(store.follow_clock(step, 900, &[]).unwrap(), 2);
    assert_eq!(times(&store, 3), [Some(9_500), Some(9_900), Some(10_800)]);
    let reserved = [2, 3].map(|number| store.row(number).reserved_at);
    assert_eq!(reserved, [900, 1_800]);
    assert_eq!(store.row(2).announced_at, Some(900));
}

#[test]
fn what_was_ended_stays_due_when_the_clock_is_set_back() {
    let dir = TempDir::new();
    let store = dir.open();
    for number in 1..=3 {
        announced_at(&store, number, 500);
    }
    let ids = [1, 2].map(|number| store.row(number).id);
    let end = "UPDATE registrations SET ended_at = 8000, due_at = 8000 WHERE id <= ?1";
    store.lock().execute(end, [ids[1]]).unwrap();
    assert!(store.begin_removal(ids[1], 8_000).unwrap());
    assert!(store.due(900, 600).unwrap().is_empty());
    let step = ClockStep {
        before: 8_102,
        by: -7_200,
    };
    store.follow_clock(step, 900, &[]).unwrap();
    let due = store.due(900, 600).unwrap();
    let due: Vec<i64> = due.iter().map(|one| one.id).collect();
    assert_eq!(due, ids);
}

#[test]
fn texts_count_for_the_hour_in_which_they_were_sent_though_the_clock_is_set_back() {
    let dir = TempDir::new();
    let store = dir.open();
    for (number, at) in [(1, 20_000), (2, 27_000), (3, 27_100)] {
        let noticed = store.noticed(Notice::Hint, &phone(number), &sid(number), at);
        noticed.unwrap();
    }
    let step = ClockStep {
        before: 27_200,
        by: -7_200,
    };
    store.follow_clock(step, 20_010, &[]).unwrap();
    // The first one was sent two hours ago, and by the clock as it is now it counts once more.
    let counted = [20_010, 23_000, 27_000].map(|now| store.sent_last_hour(now).unwrap());
    assert_eq!(counted, [3, 3, 0]);
}

#[test]
fn an_end_at_a_time_of_day_does_not_follow_the_clock() {
    for (by, at, before, now) in [(7_200, 500, 1_000, 8_300), (-7_200, 9_000, 8_102, 900)] {
        let dir = TempDir::new();
        let store = dir.open();
        for (number, class) in [(1, "NULL"), (2, "'evening'"), (3, "'evening-2'")] {
            announced_at(&store, number, at);
            let sql = format!("UPDATE registrations SET class = {class} WHERE id = ?1");
            let id = store.row(number).id;
            store.lock().execute(&sql, [id]).unwrap();
        }
        let fixed = ["morning", "evening"].map(ClassName::in_command);
        let step = ClockStep { before, by };
        assert_eq!(store.follow_clock(step, now, &fixed).unwrap(), 2, "{by}");
        let moved = Some(at + 9_000 + by);
        assert_eq!(times(&store, 3), [moved, Some(at + 9_000), moved], "{by}");
        // When it was made is known by the new clock, whatever its class.
        let rows = [1, 2].map(|number| store.row(number));
        assert_eq!(rows[0].reserved_at, rows[1].reserved_at);
        assert_eq!(rows[0].announced_at, rows[1].announced_at);
    }
}

#[test]
fn a_time_is_up_at_its_very_second() {
    let dir = TempDir::new();
    let row = dir.open().reserved(1);
    assert!(!row.is_due(99) && row.is_due(100));
}

#[test]
fn the_standing_has_every_stage_and_those_whose_time_is_up() {
    let dir = TempDir::new();
    let store = dir.open();
    let stands = |now, counts: [u32; 4], overdue, overdue_since| {
        let stages = Stage::STORED.into_iter().zip(counts).collect();
        let expected = ClassStanding {
            stages,
            spares: SpareFigures::default(),
            overdue,
            overdue_since,
            classes: Vec::new(),
        };
        assert_eq!(store.standing(now).unwrap(), expected, "at {now}");
    };
    stands(i64::MAX, [0, 0, 0, 0], 0, None);
    announced(&store, 1, Some(300));
    announced(&store, 2, Some(200));
    announced(&store, 3, None);
    let reserved = store.reserved(4).id;
    stands(99, [1, 0, 3, 0], 0, None);
    stands(100, [1, 0, 3, 0], 1, Some(100));
    assert!(store.begin_removal(reserved, 100).unwrap());
    stands(9_999, [0, 0, 3, 1], 3, Some(100));
    store.forget(reserved, 100).unwrap();
    stands(9_999, [0, 0, 3, 0], 2, Some(200));
    assert_eq!(store.counts().forgotten.get(), 1);
    assert!(store.forget(reserved, 100).is_err());
    assert_eq!(store.counts().forgotten.get(), 1, "gone is gone");
    assert!(store.counts().writes.snapshot().count >= 10);
}

/// What the phone of `number` gets at `now`, with another name.
fn another(store: &Store, number: u32, now: UnixSeconds) -> ReserveResult {
    let username = name(&format!("sunny-fern-{number}"));
    let marker = marker(&username);
    store
        .reserve_at(
            &phone(number),
            &username,
            &marker,
            (now, now + 1_000),
            SEATS,
        )
        .unwrap()
}

#[test]
fn a_lock_out_lets_go_of_the_phone_only_if_no_second_user_can_appear() {
    let dir = TempDir::new();
    let store = dir.open();
    let locked = |number: u32, stage: Stage, repeats_create: bool| {
        let id = store.at_stage(number, stage);
        if repeats_create {
            store.begin_create(id, 90).unwrap();
        }
        if stage != Stage::Reaping {
            assert!(store.begin_removal(id, 100).unwrap());
        }
        store.locked_out(id, 100).unwrap();
    };
    locked(1, Stage::Announced, false);
    // Coder never showed a user of this one, and may still make it.
    locked(2, Stage::Reaping, false);
    // Of this one Coder may have made two.
    locked(3, Stage::Reserved, true);
    for (number, after_five_minutes) in [
        (1, ReserveResult::Done),
        (2, ReserveResult::Clash),
        (3, ReserveResult::Clash),
    ] {
        assert_eq!(another(&store, number, 399), ReserveResult::Clash);
        assert_eq!(another(&store, number, 400), after_five_minutes, "{number}");
    }
    for number in [2, 3] {
        assert_eq!(another(&store, number, 100 + 30 * 60), ReserveResult::Done);
    }
}

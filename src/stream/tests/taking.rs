//! Whose entries come, in which order, and what an entry may look like.

use std::sync::atomic::Ordering;

use super::*;

const LONG_AGO: Duration = Duration::from_secs(120);

#[test]
fn texts_that_came_before_the_first_taker_are_taken() {
    let house = StreamHarness::open();
    let mut appender = Appender::new(house.redis());
    (1..=3).for_each(|number| appender.takes(&text(number)));
    let mut taker = Taker::new(house.redis(), &us());
    assert_eq!(taker.numbers(64), [1, 2, 3]);
    assert_eq!(taker.numbers(64), [0; 0]);
    appender.takes(&text(4));
    assert_eq!(taker.numbers(64), [4]);
}

#[test]
fn what_has_no_verdict_comes_again_before_anything_new() {
    let house = StreamHarness::open();
    let mut appender = Appender::new(house.redis());
    let settler = Settler::new(house.redis());
    (1..=6).for_each(|number| appender.takes(&text(number)));
    let taken = Taker::new(house.redis(), &us()).take(5, MOMENT).unwrap();
    settler.acknowledge(&taken[1].id).unwrap();
    appender.takes(&text(7));

    let mut taker = Taker::new(house.redis(), &us());
    assert_eq!(taker.numbers(3), [1, 3, 4]);
    assert_eq!(taker.numbers(3), [5]);
    assert_eq!(taker.numbers(3), [6, 7]);
    assert_eq!(taker.numbers(3), [0; 0]);
}

#[test]
fn an_acknowledged_entry_is_gone() {
    let house = StreamHarness::open();
    let mut appender = Appender::new(house.redis());
    let settler = Settler::new(house.redis());
    (1..=3).for_each(|number| appender.takes(&text(number)));
    for entry in Taker::new(house.redis(), &us()).take(64, MOMENT).unwrap() {
        settler.acknowledge(&entry.id).unwrap();
        settler.acknowledge(&entry.id).unwrap();
    }
    assert_eq!((house.length(TEXTS), house.pending()), (0, 0));
    assert_eq!(Taker::new(house.redis(), &us()).numbers(64), [0; 0]);
}

#[test]
fn entries_that_another_consumer_left_behind_are_taken_over() {
    let house = StreamHarness::open();
    assert_eq!(Taker::new(house.redis(), &us()).numbers(1), [0; 0]);
    let mut appender = Appender::new(house.redis());
    (1..=3).for_each(|number| appender.takes(&text(number)));
    house.taken_by_another(LONG_AGO);
    assert_eq!(Taker::new(house.redis(), &us()).numbers(64), [1, 2, 3]);
    assert_eq!(
        Taker::new(house.redis(), &us()).numbers(64),
        [1, 2, 3],
        "now they are our own"
    );
}

#[test]
fn entries_that_another_consumer_works_on_are_left_to_it() {
    let house = StreamHarness::open();
    assert_eq!(Taker::new(house.redis(), &us()).numbers(1), [0; 0]);
    Appender::new(house.redis()).takes(&text(1));
    house.taken_by_another(Duration::from_secs(30));
    assert_eq!(Taker::new(house.redis(), &us()).numbers(64), [0; 0]);
}

#[test]
fn a_take_brings_no_more_than_it_was_asked_for() {
    let house = StreamHarness::open();
    assert_eq!(Taker::new(house.redis(), &us()).numbers(1), [0; 0]);
    let mut appender = Appender::new(house.redis());
    (1..=25).for_each(|number| appender.takes(&text(number)));
    assert_eq!(Taker::new(house.redis(), &us()).numbers(2).len(), 2);
    house.taken_by_another(LONG_AGO);
    let mut taker = Taker::new(house.redis(), &us());
    assert_eq!(taker.numbers(2), [1, 2]);
    let claimed = taker.numbers(10).len();
    assert!(claimed <= 10, "{claimed} for 10");
}

#[test]
fn an_entry_that_holds_no_text_says_so_and_spoils_no_other() {
    let house = StreamHarness::open();
    let good: [(&[u8], &[u8]); 5] = [
        (b"sid", b"SM00000000000000000000000000000009"),
        (b"from", b"+14155550123"),
        (b"to", b"+14155550100"),
        (b"body", b"hi"),
        (b"received", b"1700000000"),
    ];
    let add = |fields: &[(&[u8], &[u8])]| {
        let mut words: Vec<&[u8]> = vec![b"XADD", TEXTS.as_bytes(), b"*"];
        words.extend(fields.iter().flat_map(|(name, value)| [*name, *value]));
        house.try_run::<String>(&words).unwrap();
    };
    let without = |name: &str| -> Vec<(&[u8], &[u8])> {
        good.into_iter()
            .filter(|(n, _)| *n != name.as_bytes())
            .collect()
    };
    let mut bad = 0;
    for name in ["sid", "from", "to", "body", "received"] {
        add(&without(name));
        add(&[&without(name)[..], &[(name.as_bytes(), b"\xff\xfe")]].concat());
        bad += 2;
    }
    for (name, value) in [
        ("sid", "SM1"),
        ("sid", ""),
        ("received", "today"),
        ("received", ""),
        ("received", "1.5"),
    ] {
        add(&[&without(name)[..], &[(name.as_bytes(), value.as_bytes())]].concat());
        bad += 1;
    }
    add(&[(b"x", b"y")]);
    add(&[&good[..], &[(b"more", b"\xff")]].concat());
    let taken = Taker::new(house.redis(), &us()).take(64, MOMENT).unwrap();
    assert_eq!(taken.len(), bad + 2);
    for entry in &taken[..=bad] {
        assert_eq!(entry.text, Err(UnreadableEntry { deleted: false }));
    }
    assert_eq!(taken[bad + 1].text.as_ref().map(number), Ok(9));
}

#[test]
fn an_entry_with_unreadable_names_does_not_stop_the_others() {
    let house = StreamHarness::open();
    house
        .try_run::<String>(&[b"XADD", TEXTS.as_bytes(), b"*", b"\xff", b"x"])
        .unwrap();
    Appender::new(house.redis()).takes(&text(1));
    let mut taker = Taker::new(house.redis(), &us());
    for _ in 0..3 {
        if let Ok(entries) = taker.take(64, MOMENT)
            && entries
                .iter()
                .any(|entry| entry.text.as_ref().map(number) == Ok(1))
        {
            return;
        }
    }
    panic!(
        "the text behind it is never taken: {:?}",
        taker.take(64, MOMENT)
    );
}

#[test]
fn an_entry_that_was_deleted_while_pending_says_so() {
    let house = StreamHarness::open();
    let mut appender = Appender::new(house.redis());
    appender.takes(&text(1));
    appender.takes(&text(2));
    let taken = Taker::new(house.redis(), &us()).take(64, MOMENT).unwrap();
    let _: i64 = house.run(&format!("XDEL {TEXTS} {}", taken[0].id));
    let again = Taker::new(house.redis(), &us()).take(64, MOMENT).unwrap();
    assert_eq!(again[0].id, taken[0].id);
    assert_eq!(again[0].text, Err(UnreadableEntry { deleted: true }));
    assert_eq!(again[1].text, Ok(text(2)));
    Settler::new(house.redis())
        .acknowledge(&again[0].id)
        .unwrap();
    assert_eq!(house.pending(), 1);
}

#[test]
fn a_take_may_wait_longer_than_any_other_answer() {
    let house = StreamHarness::open();
    let mut taker = Taker::new(house.redis(), &us());
    assert_eq!(taker.take(1, MOMENT).unwrap().len(), 0);
    let block = ANSWER_TIMEOUT + Duration::from_millis(100);
    let before = Instant::now();
    assert_eq!(taker.take(1, block).unwrap().len(), 0);
    assert!(before.elapsed() >= block);
    Appender::new(house.redis()).takes(&text(1));
    assert_eq!(taker.numbers(1), [1]);
}

#[test]
fn the_first_take_on_a_connection_does_not_wait() {
    let house = StreamHarness::open();
    let mut taker = Taker::new(house.redis(), &us());
    let before = Instant::now();
    assert_eq!(taker.take(1, Duration::from_secs(60)).unwrap().len(), 0);
    assert!(before.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_waiting_take_is_woken_by_a_text_and_by_an_unblock() {
    let house = StreamHarness::open();
    let mut taker = Taker::new(house.redis(), &us());
    let id = taker.client_id();
    assert_eq!(id.load(Ordering::Relaxed), 0);
    assert_eq!(taker.take(64, MOMENT).unwrap().len(), 0);
    for wake_by_text in [true, false, true] {
        let before = Instant::now();
        let taken = std::thread::scope(|scope| {
            let take = scope.spawn(|| taker.take(64, Duration::from_secs(60)));
            house.sees_waiting(&id);
            if wake_by_text {
                Appender::new(house.redis()).takes(&text(1));
            } else {
                Settler::new(house.redis())
                    .unblock(id.load(Ordering::Relaxed))
                    .unwrap();
            }
            take.join().unwrap()
        });
        assert_eq!(taken.unwrap().len(), usize::from(wake_by_text));
        assert!(before.elapsed() < Duration::from_secs(30));
    }
}

#[test]
fn a_database_belongs_to_one_data_folder_until_its_service_has_been_gone_for_two_minutes() {
    let owner = |folder, place| RedisOwner::new(&InstanceId::from_stored(folder), place);
    for other in [owner("others", "here"), owner("us", "where the copy is")] {
        let house = StreamHarness::open();
        Appender::new(house.redis()).takes(&text(1));
        let mut ours = Taker::new(house.redis(), &us());
        assert_eq!(ours.numbers(1), [1]);
        let mut others = Taker::new(house.redis(), &other);
        assert!(matches!(others.take(1, MOMENT), Err(StreamError::Shared)));
        assert_eq!(
            Taker::new(house.redis(), &us()).numbers(1),
            [1],
            "after a restart"
        );
        let left = left(&house);
        assert!((1..=120).contains(&left), "{left}");
        let _: i64 = house.run(&format!("DEL {OWNER}"));
        assert_eq!(others.numbers(1), [1], "its own from then on");
        let again = Taker::new(house.redis(), &us()).take(1, MOMENT);
        assert!(matches!(again, Err(StreamError::Shared)));
    }
}

/// Seconds until the ownership ends.
fn left(house: &StreamHarness) -> i64 {
    house.run(&format!("TTL {OWNER}"))
}

/// How many pieces Redis has sent so far.
fn sent(house: &StreamHarness) -> u64 {
    let info: String = house.run("INFO stats");
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("total_writes_processed:"));
    line.unwrap().parse().unwrap()
}

#[test]
fn a_wait_without_a_text_ends_with_one_answer_that_renews_the_ownership() {
    let house = StreamHarness::open();
    let mut taker = Taker::new(house.redis(), &us());
    assert_eq!(taker.numbers(1), [0; 0]);
    let ours = sent(&house);
    let ours = sent(&house) - ours;
    for _ in 0..3 {
        let _: i64 = house.run(&format!("EXPIRE {OWNER} 20"));
        let before = sent(&house);
        assert_eq!(taker.numbers(1), [0; 0]);
        assert_eq!(sent(&house) - before - ours, 1);
        assert!(left(&house) > 100, "{}", left(&house));
    }
}

#[test]
fn a_text_that_comes_after_another_service_took_the_database_is_left_to_that_one() {
    let house = StreamHarness::open();
    let mut taker = Taker::new(house.redis(), &us());
    let id = taker.client_id();
    assert_eq!(taker.numbers(1), [0; 0]);
    let taken = std::thread::scope(|scope| {
        let take = scope.spawn(|| taker.take(64, LONGEST_BLOCK));
        house.sees_waiting(&id);
        let _: String = house.run(&format!("SET {OWNER} other EX 60"));
        Appender::new(house.redis()).takes(&text(1));
        take.join().unwrap()
    });
    assert!(matches!(taken, Err(StreamError::Shared)), "{taken:?}");
    assert_eq!((house.length(TEXTS), house.pending()), (1, 1));
    assert!(matches!(taker.take(1, MOMENT), Err(StreamError::Shared)));
}

#[test]
fn the_owner_is_asked_for_again_on_each_connection() {
    let house = StreamHarness::open();
    let mut taker = Taker::new(house.redis(), &us());
    assert_eq!(taker.numbers(1), [0; 0]);
    let _: String = house.run(&format!("SET {OWNER} other EX 60"));
    let _: i64 = house.run("CLIENT KILL TYPE normal SKIPME yes");
    Appender::new(house.redis()).takes(&text(1));
    assert_eq!(taker.take(1, MOMENT).unwrap_err().name(), "redis-away");
    assert!(matches!(taker.take(1, MOMENT), Err(StreamError::Shared)));
    assert_eq!(house.pending(), 0);
}

#[test]
fn a_wait_that_finds_no_owner_takes_the_database_again() {
    let house = StreamHarness::open();
    let mut taker = Taker::new(house.redis(), &us());
    assert_eq!(taker.numbers(1), [0; 0]);
    let _: i64 = house.run(&format!("DEL {OWNER}"));
    Appender::new(house.redis()).takes(&text(1));
    assert_eq!(taker.numbers(1), [1]);
    assert_eq!(taker.numbers(1), [0; 0]);
    assert!(left(&house) > 100, "{}", left(&house));
}

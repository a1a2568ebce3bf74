//! Redis in trouble: what is answered meanwhile, and that all works again afterwards.

use std::sync::atomic::Ordering;

use super::harness::until;
use super::*;

/// The time limit of a call is one and a half seconds; the rest is for a busy machine.
const SOON: Duration = Duration::from_millis(2_300);

#[test]
fn a_redis_with_a_password_is_used() {
    let house = StreamHarness::locked("sesame");
    Appender::new(house.redis()).takes(&text(1));
    assert_eq!(Taker::new(house.redis(), &us()).numbers(1), [1]);
}

/// A dead letter without a text.
const LETTER: NewDeadLetter<'static> = NewDeadLetter {
    sid: None,
    reason: "x",
    received: None,
    at: 1,
    attempts: 1,
};

/// A locked Redis, and a client with that password.
fn locked(password: Option<&str>) -> (StreamHarness, Redis) {
    let house = StreamHarness::locked("sesame");
    let config = RedisConfig {
        password: password.map(Secret::new),
        ..house.config()
    };
    let redis = Redis::new(&config).unwrap();
    (house, redis)
}

fn assert_denied(error: &StreamError) {
    assert!(matches!(error, StreamError::Denied), "{error}");
    assert_eq!(error.name(), "redis-password");
    assert!(error.to_string().contains("REDIS_PW"), "{error}");
    assert!(!format!("{error} {error:?}").contains("barley"), "{error}");
}

const NO_KEY: [Option<&str>; 2] = [Some("open barley"), None];

#[test]
fn a_locked_redis_is_named_by_taker_and_settler() {
    for password in NO_KEY {
        let (_house, redis) = locked(password);
        let settler = Settler::new(redis.clone());
        assert_denied(&Taker::new(redis, &us()).take(1, MOMENT).unwrap_err());
        assert_denied(&settler.acknowledge("1-1").unwrap_err());
        assert_denied(&settler.unblock(1).unwrap_err());
    }
}

#[test]
fn a_locked_redis_is_named_by_the_appender() {
    for password in NO_KEY {
        let (house, redis) = locked(password);
        let AppendResult {
            texts: none,
            alive,
            fault,
        } = Appender::new(redis.clone()).append(&[], true);
        assert_eq!((none, alive), (vec![], Err("redis-password")));
        fault.iter().for_each(assert_denied);
        let AppendResult {
            texts: answers,
            alive: _,
            fault,
        } = Appender::new(redis).append(&[&text(1)], false);
        assert_eq!(answers, [Err("redis-password")], "{password:?}: {fault:?}");
        fault.iter().for_each(assert_denied);
        assert_eq!(house.length(TEXTS), 0);
    }
}

#[test]
fn a_full_redis_turns_texts_away_by_name() {
    let house = StreamHarness::open();
    let mut appender = Appender::new(house.redis());
    appender.takes(&text(1));
    let _: String = house.run("CONFIG SET maxmemory 1");
    assert_eq!(appender.verdict(&text(2)), Err("redis-full"));
    assert_eq!(appender.append(&[], true).alive, Err("redis-full"));
    let _: String = house.run("CONFIG SET maxmemory 0");
    until("texts are taken again", || appender.verdict(&text(3)).ok());
    assert_eq!(Taker::new(house.redis(), &us()).numbers(64), [1, 3]);
}

#[test]
fn a_probe_is_refused_when_texts_are_and_leaves_nothing() {
    let house = StreamHarness::open();
    let mut appender = Appender::new(house.redis());
    let mut probe = || appender.append(&[], true).alive;
    assert_eq!(probe(), Ok(()));
    let _: String = house.run("CONFIG SET min-replicas-to-write 1");
    assert_eq!(probe(), Err("redis-refuses"));
    let _: String = house.run("CONFIG SET min-replicas-to-write 0");
    assert_eq!(probe(), Ok(()));
    let keys: Vec<String> = house.run("KEYS *");
    assert_eq!(keys, [""; 0]);
}

/// Two texts in the stream, both taken, and then no memory left.
fn full_with_two_pending() -> (StreamHarness, Vec<StreamEntry>) {
    let house = StreamHarness::open();
    let mut appender = Appender::new(house.redis());
    (1..=2).for_each(|number| appender.takes(&text(number)));
    let entries = Taker::new(house.redis(), &us()).take(64, MOMENT).unwrap();
    let _: String = house.run("CONFIG SET maxmemory 1");
    (house, entries)
}

#[test]
fn what_a_full_redis_holds_can_be_acknowledged() {
    let (house, entries) = full_with_two_pending();
    let settler = Settler::new(house.redis());
    for entry in &entries {
        let settled = settler.acknowledge(&entry.id);
        assert!(settled.is_ok(), "it stays full: {settled:?}");
    }
    assert_eq!(house.length(TEXTS), 0);
}

#[test]
fn what_a_full_redis_holds_can_be_taken_after_a_restart() {
    let (house, entries) = full_with_two_pending();
    match Taker::new(house.redis(), &us()).take(64, MOMENT) {
        Ok(again) => assert_eq!(again.len(), entries.len()),
        Err(error) => panic!("it stays full: {error}"),
    }
}

#[test]
fn a_dead_letter_that_a_full_redis_has_no_room_for_says_so() {
    let (house, entries) = full_with_two_pending();
    let error = Settler::new(house.redis())
        .record_dead_letter(&entries[0].id, &LETTER)
        .unwrap_err();
    assert_eq!(error.name(), "redis-full", "{error}");
    assert_eq!(
        (house.length(TEXTS), house.pending(), house.length(DEAD)),
        (2, 2, 0)
    );
}

#[test]
fn a_key_of_another_kind_is_refused_without_repeating_the_text() {
    let house = StreamHarness::open();
    let _: String = house.run(&format!("SET {TEXTS} x"));
    let AppendResult {
        texts: answers,
        alive: _,
        fault,
    } = Appender::new(house.redis()).append(&[&text(1)], false);
    assert_eq!(answers, [Err("redis-refuses")]);
    let taken = Taker::new(house.redis(), &us())
        .take(1, MOMENT)
        .unwrap_err();
    assert_eq!(taken.what(), "Redis refuses a command (WRONGTYPE)");
    assert!(!format!("{fault:?} {taken:?}").contains("5550123"));
}

#[test]
fn texts_are_taken_again_after_the_stream_was_deleted() {
    for loss in [format!("DEL {TEXTS}"), "FLUSHALL".to_owned()] {
        let house = StreamHarness::open();
        let mut appender = Appender::new(house.redis());
        let mut taker = Taker::new(house.redis(), &us());
        appender.takes(&text(1));
        assert_eq!(taker.numbers(64), [1]);
        let _: redis::Value = house.run(&loss);
        appender.takes(&text(2));
        let come = until("a text comes", || taker.take(64, MOMENT).unwrap().pop());
        assert_eq!(come.text, Ok(text(2)), "{loss}");
        Settler::new(house.redis()).acknowledge(&come.id).unwrap();
        assert_eq!(house.length(TEXTS), 0, "{loss}");
    }
}

#[test]
fn a_waiting_take_survives_the_loss_of_the_stream() {
    for loss in [format!("DEL {TEXTS}"), "FLUSHALL".to_owned()] {
        let house = StreamHarness::open();
        let mut taker = Taker::new(house.redis(), &us());
        let id = taker.client_id();
        let before = Instant::now();
        let come = std::thread::scope(|scope| {
            let take = scope.spawn(|| {
                until("a text comes", || {
                    taker.take(64, Duration::from_secs(60)).unwrap().pop()
                })
            });
            house.sees_waiting(&id);
            let _: redis::Value = house.run(&loss);
            Appender::new(house.redis()).takes(&text(2));
            take.join().unwrap()
        });
        assert_eq!(come.text, Ok(text(2)), "{loss}");
        assert!(before.elapsed() < Duration::from_secs(30), "{loss}");
    }
}

#[test]
fn appender_taker_and_settler_work_again_after_redis_was_killed() {
    let mut house = StreamHarness::open();
    let mut appender = Appender::new(house.redis());
    let mut taker = Taker::new(house.redis(), &us());
    let settler = Settler::new(house.redis());
    appender.takes(&text(1));
    settler.acknowledge(&taker.only().id).unwrap();

    house.is_killed();
    let AppendResult {
        texts: answers,
        alive,
        fault,
    } = appender.append(&[&text(2), &text(3)], true);
    assert_eq!(
        (answers, alive),
        (vec![Err("redis-away"); 2], Err("redis-away"))
    );
    assert!(matches!(fault, Some(StreamError::Away(_))), "{fault:?}");
    assert_eq!(taker.take(1, MOMENT).unwrap_err().name(), "redis-away");
    assert_eq!(settler.acknowledge("1-1").unwrap_err().name(), "redis-away");
    assert_eq!(taker.client_id().load(Ordering::Relaxed), 0);

    house.comes_back();
    until("texts are appended again", || {
        appender.verdict(&text(4)).ok()
    });
    let entry = taker.only();
    assert_eq!(entry.text, Ok(text(4)));
    settler.acknowledge(&entry.id).unwrap();
    assert_eq!(house.length(TEXTS), 0);
}

#[test]
fn a_settler_whose_connection_died_meanwhile_needs_no_second_call() {
    let mut house = StreamHarness::open();
    let settler = Settler::new(house.redis());
    settler.acknowledge("1-1").unwrap();
    house.is_killed();
    house.comes_back();
    settler.acknowledge("1-1").unwrap();
    let _: i64 = house.run("CLIENT KILL TYPE normal SKIPME yes");
    settler.acknowledge("1-1").unwrap();
}

#[test]
fn a_redis_that_was_never_there_is_away() {
    let mut house = StreamHarness::open();
    house.is_killed();
    let AppendResult {
        texts: answers,
        alive,
        fault,
    } = Appender::new(house.redis()).append(&[], true);
    assert!(answers.is_empty() && fault.is_some());
    assert_eq!(alive, Err("redis-away"));
    assert_eq!(
        Taker::new(house.redis(), &us())
            .take(1, MOMENT)
            .unwrap_err()
            .name(),
        "redis-away"
    );
}

/// Appends while Redis hangs: an answer soon, then answers at once, then all is well again.
fn append_to_a_hanging_redis(house: &StreamHarness, appender: &mut Appender) {
    let texts: Vec<Text> = (10..74).map(text).collect();
    let texts: Vec<&Text> = texts.iter().collect();
    house.hangs();
    let before = Instant::now();
    let AppendResult {
        texts: answers,
        alive,
        fault,
    } = appender.append(&texts, true);
    assert!(before.elapsed() < SOON, "{:?}", before.elapsed());
    assert_eq!(answers, [Err("redis-away"); 64]);
    assert_eq!(
        (alive, fault.map(|fault| fault.name())),
        (Err("redis-away"), Some("redis-away"))
    );

    let before = Instant::now();
    let AppendResult {
        texts: answers,
        alive,
        fault,
    } = appender.append(&texts, true);
    assert!(before.elapsed() < MOMENT, "{:?}", before.elapsed());
    assert_eq!(
        (answers, alive),
        (vec![Err("redis-away"); 64], Err("redis-away"))
    );
    assert!(fault.is_none(), "told twice: {fault:?}");

    house.goes_on();
    until("texts are appended again", || {
        appender.verdict(&text(9)).ok()
    });
}

#[test]
fn a_hanging_redis_keeps_nobody_waiting() {
    let house = StreamHarness::open();
    let mut appender = Appender::new(house.redis());
    appender.takes(&text(1));
    append_to_a_hanging_redis(&house, &mut appender);
    let entries = Taker::new(house.redis(), &us()).take(200, MOMENT).unwrap();
    let numbers: Vec<u32> = entries
        .iter()
        .map(|e| number(e.text.as_ref().unwrap()))
        .collect();
    assert_eq!((numbers.first(), numbers.last()), (Some(&1), Some(&9)));
}

#[test]
fn a_redis_that_hangs_before_the_first_text_keeps_nobody_waiting() {
    let house = StreamHarness::open();
    append_to_a_hanging_redis(&house, &mut Appender::new(house.redis()));
    let locked = StreamHarness::locked("sesame");
    append_to_a_hanging_redis(&locked, &mut Appender::new(locked.redis()));
}

#[test]
fn taker_and_settler_give_up_a_hanging_redis_in_time_for_a_stop() {
    let house = StreamHarness::open();
    let mut taker = Taker::new(house.redis(), &us());
    let settler = Settler::new(house.redis());
    assert_eq!(taker.numbers(1), [0; 0]);
    settler.acknowledge("1-1").unwrap();
    house.hangs();
    let mut slow = Vec::new();
    let mut timed = |what: &str, error: &mut dyn FnMut() -> StreamError| {
        let before = Instant::now();
        assert_eq!(error().name(), "redis-away", "{what}");
        if before.elapsed() > Duration::from_secs(5) {
            slow.push(format!("{what} took {:?}", before.elapsed()));
        }
    };
    timed("take", &mut || taker.take(1, MOMENT).unwrap_err());
    timed("acknowledge", &mut || {
        settler.acknowledge("1-1").unwrap_err()
    });
    timed("unblock", &mut || settler.unblock(1).unwrap_err());
    timed("record a dead letter", &mut || {
        settler.record_dead_letter("1-1", &LETTER).unwrap_err()
    });
    assert!(slow.is_empty(), "{slow:?}");
}

#[test]
fn taker_and_settler_work_again_after_redis_hung() {
    let house = StreamHarness::open();
    let mut taker = Taker::new(house.redis(), &us());
    let settler = Settler::new(house.redis());
    assert_eq!(taker.numbers(1), [0; 0]);
    house.hangs();
    assert!(taker.take(1, MOMENT).is_err() && settler.acknowledge("1-1").is_err());
    house.goes_on();
    Appender::new(house.redis()).takes(&text(5));
    let entry = until("texts are taken again", || {
        taker.take(1, MOMENT).ok()?.pop()
    });
    assert_eq!(entry.text, Ok(text(5)));
    settler.acknowledge(&entry.id).unwrap();
    assert_eq!(house.length(TEXTS), 0);
}

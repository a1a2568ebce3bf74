//! How entries end.

use redis::streams::StreamRangeReply;

use super::*;

#[test]
fn a_dead_letter_says_what_helps_and_nothing_personal() {
    let house = StreamHarness::open();
    Appender::new(house.redis()).takes(&text(7));
    let entry = Taker::new(house.redis(), &us()).only();
    let sid = sid(7);
    let letter = NewDeadLetter {
        sid: Some(&sid),
        reason: "Coder refuses the name",
        received: Some(1_700_000_000),
        at: 1_700_000_600,
        attempts: 4,
    };
    Settler::new(house.redis())
        .record_dead_letter(&entry.id, &letter)
        .unwrap();

    assert_eq!((house.length(TEXTS), house.pending()), (0, 0));
    let dead: StreamRangeReply = house.run(&format!("XRANGE {DEAD} - +"));
    assert_eq!(dead.ids.len(), 1);
    let mut fields: Vec<(&str, String)> = dead.ids[0]
        .map
        .keys()
        .map(|name| (name.as_str(), dead.ids[0].get(name).unwrap()))
        .collect();
    fields.sort();
    let expected = [
        ("at", "1700000600"),
        ("attempts", "4"),
        ("reason", "Coder refuses the name"),
        ("received", "1700000000"),
        ("sid", sid.as_str()),
    ];
    assert_eq!(
        fields,
        expected.map(|(name, value)| (name, value.to_owned()))
    );
    let all = format!("{dead:?}");
    assert!(!all.contains("5550123") && !all.contains("5550100") && !all.contains("text 7"));
}

#[test]
fn an_unreadable_entry_becomes_a_dead_letter_without_a_sid() {
    let house = StreamHarness::open();
    let _: String = house.run(&format!("XADD {TEXTS} * x y"));
    let entry = Taker::new(house.redis(), &us()).only();
    let letter = NewDeadLetter {
        sid: None,
        reason: "unreadable entry",
        received: None,
        at: 9,
        attempts: 1,
    };
    Settler::new(house.redis())
        .record_dead_letter(&entry.id, &letter)
        .unwrap();
    assert_eq!(
        (house.length(TEXTS), house.pending(), house.length(DEAD)),
        (0, 0, 1)
    );
    let dead: StreamRangeReply = house.run(&format!("XRANGE {DEAD} - +"));
    assert_eq!(dead.ids[0].get::<String>("sid").unwrap(), "");
}

#[test]
fn only_the_newest_dead_letters_are_kept() {
    let house = StreamHarness::open();
    assert_eq!(Taker::new(house.redis(), &us()).numbers(1), [0; 0]);
    let settler = Settler::new(house.redis());
    for number in 1..=1_300 {
        let sid = sid(number);
        let letter = NewDeadLetter {
            sid: Some(&sid),
            reason: "x",
            received: None,
            at: 1,
            attempts: 1,
        };
        settler
            .record_dead_letter(&format!("{number}-1"), &letter)
            .unwrap();
    }
    let length = house.length(DEAD);
    assert!((1_000..=1_100).contains(&length), "{length}");
    let newest: StreamRangeReply = house.run(&format!("XREVRANGE {DEAD} + - COUNT 1"));
    assert_eq!(
        newest.ids[0].get::<String>("sid").unwrap(),
        sid(1_300).as_str()
    );
}

#[test]
fn verdicts_may_be_recorded_from_many_threads() {
    let house = StreamHarness::open();
    let texts: Vec<Text> = (0..80).map(text).collect();
    let _ = Appender::new(house.redis()).append(&texts.iter().collect::<Vec<_>>(), false);
    let entries = Taker::new(house.redis(), &us()).take(80, MOMENT).unwrap();
    let settler = &Settler::new(house.redis());
    std::thread::scope(|scope| {
        for part in entries.chunks(10) {
            scope.spawn(move || {
                for entry in part {
                    settler.acknowledge(&entry.id).unwrap();
                }
            });
        }
    });
    assert_eq!(
        (entries.len(), house.length(TEXTS), house.pending()),
        (80, 0, 0)
    );
}

#[test]
fn the_depth_tells_texts_and_letters_and_how_old_the_oldest_is() {
    let house = StreamHarness::open();
    let mut waiting = StreamInspector::new(house.redis());
    assert_eq!(waiting.depth().unwrap(), Depth::default(), "an empty Redis");
    for id in ["7000-0", "9000-3", "12000-0"] {
        let _: String = house.run(&format!("XADD {TEXTS} {id} x y"));
    }
    let expected = Depth {
        texts: 3,
        oldest: Some(7),
        ..Depth::default()
    };
    assert_eq!(waiting.depth().unwrap(), expected, "nobody takes yet");
    let mut taker = Taker::new(house.redis(), &us());
    let entries = taker.take(2, MOMENT).unwrap();
    Settler::new(house.redis())
        .acknowledge(&entries[0].id)
        .unwrap();
    let _: String = house.run(&format!("XADD {DEAD} * sid x"));
    let expected = Depth {
        texts: 2,
        oldest: Some(9),
        pending: 1,
        oldest_pending: Some(9),
        dead: 1,
    };
    assert_eq!(waiting.depth().unwrap(), expected);
    let mut house = house;
    house.is_killed();
    assert_eq!(waiting.depth().unwrap_err().name(), "redis-away");
}

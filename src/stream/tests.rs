//! The stream on a real Redis, one for each test.
//!
//! Here: texts come out as they went in. `taking`: whose entries come, and in which order.
//! `settling`: how they end. `trouble`: Redis full, locked, stopped, killed, emptied. `harness`: what
//! they all stand on.

mod harness;
mod settling;
mod taking;
mod trouble;

use std::sync::LazyLock;
use std::time::Instant;

use super::*;
use crate::domain::{InstanceId, MessageSid, OptWord, RedisOwner, Secret, Text};
use harness::StreamHarness;

/// Long enough for an answer, short enough to wait for none.
const MOMENT: Duration = Duration::from_millis(50);

/// When the texts of these tests were received.
static HEARD: LazyLock<Instant> = LazyLock::new(Instant::now);

fn us() -> RedisOwner {
    RedisOwner::new(&InstanceId::from_stored("us"), "here")
}

fn sid(number: u32) -> MessageSid {
    MessageSid::parse(&format!("SM{number:032x}")).unwrap()
}

fn text(number: u32) -> Text {
    Text {
        sid: sid(number),
        from: "+14155550123".to_owned(),
        to: "+14155550100".to_owned(),
        body: format!("text {number}"),
        opt_out: None,
        received: 1_700_000_000,
        heard: Some(*HEARD),
    }
}

impl Appender {
    /// Appends one text, which must be taken.
    fn takes(&mut self, text: &Text) {
        let AppendResult {
            texts: answers,
            alive,
            fault,
        } = self.append(&[text], false);
        assert_eq!((answers, alive), (vec![Ok(())], Ok(())), "{fault:?}");
    }

    /// Appends one text; the word for what is wrong.
    fn verdict(&mut self, text: &Text) -> Confirmation {
        self.append(&[text], false).texts[0]
    }
}

impl Taker {
    /// The numbers of the texts that come next.
    fn numbers(&mut self, count: usize) -> Vec<u32> {
        let entries = self.take(count, MOMENT).unwrap();
        entries
            .iter()
            .map(|entry| number(entry.text.as_ref().unwrap()))
            .collect()
    }

    /// The only entry that comes next.
    fn only(&mut self) -> StreamEntry {
        let mut entries = self.take(64, MOMENT).unwrap();
        assert_eq!(entries.len(), 1, "{entries:?}");
        entries.remove(0)
    }
}

fn number(text: &Text) -> u32 {
    u32::from_str_radix(&text.sid.as_str()[24..], 16).unwrap()
}

#[test]
fn a_text_is_taken_as_it_was_appended() {
    let house = StreamHarness::open();
    let bodies = [
        "I am ready to learn",
        "",
        " ",
        "\"quotes\" and 'quotes'",
        "nul \0 within",
        "\u{1f469}\u{200d}\u{1f680} \u{1f600}",
        "line\r\nline\n",
        "$5\r\n*1\r\n",
        "日本語 Grüße",
    ];
    let odd = bodies.iter().zip(1..).map(|(body, n)| Text {
        body: body.to_string(),
        ..text(n)
    });
    let words = [
        OptWord::Stop,
        OptWord::Start,
        OptWord::Help,
        OptWord::Unknown,
    ];
    let opted = words.iter().zip(20..).map(|(word, n)| Text {
        opt_out: Some(*word),
        ..text(n)
    });
    let nobody = Text {
        from: String::new(),
        to: String::new(),
        received: 0,
        ..text(30)
    };
    let texts: Vec<Text> = odd.chain(opted).chain([nobody]).collect();

    let mut appender = Appender::new(house.redis());
    let AppendResult {
        texts: answers,
        alive,
        fault,
    } = appender.append(&texts.iter().collect::<Vec<_>>(), false);
    assert!(
        answers.iter().all(Result::is_ok) && answers.len() == texts.len(),
        "{answers:?}"
    );
    assert!(alive.is_ok() && fault.is_none());
    let taken = Taker::new(house.redis(), &us()).take(64, MOMENT).unwrap();
    let taken: Vec<Text> = taken.into_iter().map(|entry| entry.text.unwrap()).collect();
    assert!(taken == texts, "{taken:?}");
}

#[test]
fn a_longest_text_and_a_batch_of_64_pass() {
    let house = StreamHarness::open();
    let long = |n| Text {
        body: "\u{1f600}".repeat(1_600),
        ..text(n)
    };
    let texts: Vec<Text> = (0..64).map(long).collect();
    let AppendResult { texts: answers, .. } =
        Appender::new(house.redis()).append(&texts.iter().collect::<Vec<_>>(), true);
    assert_eq!(answers, [Ok(()); 64]);
    let taken = Taker::new(house.redis(), &us()).take(64, MOMENT).unwrap();
    assert!(
        taken
            .iter()
            .zip(&texts)
            .all(|(entry, text)| entry.text.as_ref() == Ok(text))
    );
    assert_eq!(taken.len(), 64);
}

#[test]
fn a_ping_asks_for_a_sign_of_life_and_leaves_no_entry() {
    let house = StreamHarness::open();
    let mut appender = Appender::new(house.redis());
    let AppendResult {
        texts: answers,
        alive,
        fault,
    } = appender.append(&[], true);
    assert!(
        answers.is_empty() && alive.is_ok() && fault.is_none(),
        "{alive:?} {fault:?}"
    );
    let AppendResult {
        texts: answers,
        alive,
        fault: _,
    } = appender.append(&[&text(1)], true);
    assert_eq!((answers, alive), (vec![Ok(())], Ok(())));
    assert_eq!(house.length(TEXTS), 1);
}

#[test]
fn the_configured_database_is_used() {
    let house = StreamHarness::open();
    let elsewhere = || {
        Redis::new(&RedisConfig {
            db: 3,
            ..house.config()
        })
        .unwrap()
    };
    Appender::new(elsewhere()).takes(&text(1));
    assert_eq!(house.length(TEXTS), 0);
    assert_eq!(Taker::new(elsewhere(), &us()).numbers(10), [1]);
}

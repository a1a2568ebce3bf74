//! What it costs to read texts that come in another form: bodies in chunks, as tunnels forward them, and
//! phrases that have to be brought into their normal form before they are compared.

use std::hint::black_box;
use std::time::{Duration, Instant};

use coder_sms_register::domain::Passphrase;

use super::load::{self, LoadOutcome, Opening};
use super::report::{Section, Table};
use super::stats::Spread;
use super::webhook::{class_that_only_takes, fill, trim};
use super::wire::{self, Framing, Requests};
use super::{Bench, BenchPart};
use crate::classroom::redis::Fsync;

/// The part.
pub const PART: BenchPart = BenchPart {
    name: "reading",
    about: "texts in chunks, and phrases in other spellings",
    run: measure,
};

/// Connections that stay open.
const CONNECTIONS: usize = 64;

fn measure(bench: &Bench) -> Section {
    let mut section = Section::new("Other forms of a text");
    section.shows(&chunks(bench));
    section.shows(&phrases(bench));
    section
}

/// Bodies with their length, and in one chunk: in turns, so that whatever else the machine does meets both.
fn chunks(bench: &Bench) -> Table {
    bench.says("reading: bodies with their length and in chunks");
    let class = class_that_only_takes(bench, Fsync::EverySecond);
    let texts = |framing| wire::texts(class.twilio().account(), bench.pick(1_000, 40_000), framing);
    let forms = [texts(Framing::Length), texts(Framing::Chunks)];
    fill(bench, &class, &forms[0]);
    let limit = Duration::from_millis(bench.pick(100, 800));
    let turn = |requests: &Requests| -> LoadOutcome {
        let address = class.service().address();
        let outcome = load::closed(address, requests, CONNECTIONS, Opening::OneByOne, limit);
        trim(&class);
        outcome
    };
    let mut rates = [Vec::new(), Vec::new()];
    let mut ratios = Vec::new();
    // The first round warms up all caches.
    for round in 0..=bench.pick(1, 9) {
        let [length, chunked] = [0, 1].map(|form: usize| turn(&forms[form]).rate);
        if round > 0 {
            rates[0].push(length);
            rates[1].push(chunked);
            ratios.push(chunked / length.max(1.0));
        }
    }
    let caption = format!("**Texts a second over {CONNECTIONS} connections, Redis `everysec`**");
    let mut table = Table::new(&caption, &["body", "texts/s", "of the first"]);
    let [length, chunked] = rates.map(|rates| Spread::of(rates).show(0));
    table.row(vec!["`Content-Length`".to_owned(), length, String::new()]);
    let ratio = Spread::of(ratios).per_cent();
    table.row(vec!["one chunk".to_owned(), chunked, ratio]);
    table
}

/// The phrase, and texts that are compared with it.
const PHRASE: &str = "pr\u{ea}t \u{e0} apprendre";
const SPELLINGS: [(&str, &str); 4] = [
    ("as it is set", PHRASE),
    (
        "capitals, signs, no accents",
        "\u{ab} PRET A APPRENDRE ! \u{bb}",
    ),
    (
        "full-width letters",
        "\u{ff50}\u{ff52}\u{ff45}\u{ff54} \u{ff41} \u{ff41}\u{ff50}\u{ff50}\u{ff52}\u{ff45}\u{ff4e}\u{ff44}\u{ff52}\u{ff45}",
    ),
    (
        "another text, one segment long",
        "Bonjour, c'est \u{c9}lo\u{ef}se de la deuxi\u{e8}me rang\u{e9}e, je n'ai pas re\u{e7}u le code, est-ce que vous pouvez me l'envoyer encore une fois, s'il vous pla\u{ee}t ? Merci beaucoup !",
    ),
];

fn phrases(bench: &Bench) -> Table {
    bench.says("reading: phrases");
    let phrase = Passphrase::parse(PHRASE).expect("a phrase");
    let times = bench.pick(100, 20_000);
    let caption = "**Nanoseconds for each comparison with a phrase with accents**";
    let mut table = Table::new(caption, &["text", "ns"]);
    for (name, text) in SPELLINGS {
        let rounds = (0..bench.pick(1, 9)).map(|_| {
            let start = Instant::now();
            for _ in 0..times {
                black_box(phrase.matches(black_box(text)));
            }
            start.elapsed().as_secs_f64() * 1e9 / f64::from(times)
        });
        table.row(vec![name.to_owned(), Spread::of(rounds).show(0)]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_but_the_last_are_the_phrase() {
        let phrase = Passphrase::parse(PHRASE).unwrap();
        let found = SPELLINGS.map(|(_, text)| phrase.matches(text));
        assert_eq!(found, [true, true, true, false]);
    }
}

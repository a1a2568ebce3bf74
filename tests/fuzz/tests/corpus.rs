//! Gives each target its own seeds, and what comes of them by small changes, without libFuzzer. It keeps the targets true
//! to the service between the runs of `make fuzz`, which looks much deeper.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use coder_sms_register_fuzz::{
    coder_answers, configuration, gate, phone_and_phrase, settings_file, stream_entry,
    twilio_answers, webhook,
};

/// Bytes that mean something to one of the parsers.
const TELLING: &[u8] = b"\r\n\t :=%&+\"'\\,;#-0A{}[]\0\x7f\xc3\xff";

/// One test for each target, with the number of changed inputs; fewer where each one costs connections.
macro_rules! targets {
    ($($name:ident: $changes:expr),* $(,)?) => {
        $(#[test]
        fn $name() {
            play(stringify!($name), $changes, $name::check);
        })*

        #[test]
        fn every_target_has_its_seeds_and_its_test() {
            let here: BTreeSet<String> = [$(stringify!($name).to_owned()),*].into();
            assert_eq!(names("targets"), here);
            assert_eq!(names("corpus"), here);
            assert_eq!(names("dict"), here);
        }
    };
}

targets! {
    coder_answers: 4_000,
    configuration: 4_000,
    gate: 40_000,
    phone_and_phrase: 20_000,
    settings_file: 40_000,
    stream_entry: 40_000,
    twilio_answers: 4_000,
    webhook: 20_000,
}

fn play(target: &str, changes: usize, check: fn(&[u8])) {
    let seeds = seeds(target);
    let check = |input: Vec<u8>| {
        let shown = Shown(&input);
        check(&input);
        drop(shown);
    };
    seeds.iter().cloned().for_each(check);
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for round in 0..changes {
        let mut input = seeds[round % seeds.len()].clone();
        for _ in 0..=dice.roll(3) {
            change(&mut input, &seeds, &mut dice);
        }
        input.truncate(1_024);
        check(input);
    }
}

/// One small change: a byte removed, replaced or added, an end cut off, a piece repeated, or the end of another seed.
fn change(input: &mut Vec<u8>, seeds: &[Vec<u8>], dice: &mut Dice) {
    let at = dice.roll(input.len() + 1);
    let byte = TELLING[dice.roll(TELLING.len())];
    match dice.roll(6) {
        0 if at < input.len() => {
            input.remove(at);
        }
        1 if at < input.len() => input[at] = byte,
        2 => input.truncate(at),
        3 => {
            let end = (at + dice.roll(40)).min(input.len());
            let piece = input[at..end].to_vec();
            input.splice(at..at, piece);
        }
        4 => {
            let other = &seeds[dice.roll(seeds.len())];
            input.truncate(at);
            input.extend_from_slice(&other[dice.roll(other.len() + 1)..]);
        }
        _ => input.insert(at, byte),
    }
}

/// Numbers that are the same in each run (xorshift).
struct Dice(u64);

impl Dice {
    /// A number below `bound`, which is not 0.
    fn roll(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// Shows the input if the check panics.
struct Shown<'a>(&'a [u8]);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the input was b\"{}\"", self.0.escape_ascii());
        }
    }
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let mut files = entries(&Path::new("corpus").join(target));
    files.sort();
    let read = |file: &PathBuf| fs::read(file).expect("a seed");
    files.iter().map(read).collect()
}

/// What lies in a folder, by the names without their endings.
fn names(folder: &str) -> BTreeSet<String> {
    let name = |path: PathBuf| path.file_stem()?.to_str().map(str::to_owned);
    entries(Path::new(folder))
        .into_iter()
        .filter_map(name)
        .collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(&folder).expect("a folder of the package");
    entries
        .map(|entry| entry.expect("an entry").path())
        .collect()
}

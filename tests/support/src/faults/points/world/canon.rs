//! Facts without what was drawn and when it was.
//!
//! Of a moment only its distance from now counts, in minutes, and of less than a minute only whether it is yet to come.
//! A drawn word (a name, an id, a hash, a password) is replaced by the places in which it stands, so two worlds that
//! differ only in the words that were drawn are the same, and two in which a word stands in different places are not.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{SystemTime, UNIX_EPOCH};

/// Words of this length with a digit in them were drawn: ids, hashes, keys.
const DRAWN: usize = 16;

/// How many digits phone numbers of the classes have, which are drawn as well.
const PHONE: usize = 11;

/// How often the places of a word are looked at with those of the words beside it. Links are no longer than that: from
/// a text to a name, a row, a workspace.
const ROUNDS: usize = 4;

/// A fact that is there more often counts as often as this.
const MOST: usize = 2;

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    Plain(String),
    Drawn(String),
}

/// These facts in an order and with words that do not differ from run to run. `drawn` are words that cannot be told by
/// their looks.
pub fn canonical(lines: &[String], drawn: &BTreeSet<String>, now: SystemTime) -> String {
    let now = since_epoch(now);
    let mut lines: Vec<Vec<Piece>> = lines.iter().map(|line| pieces(line, drawn, now)).collect();
    // A text that Twilio offers again after each kill makes one more entry each time.
    lines.sort_unstable();
    let copies = |place: usize| place >= MOST && lines[place - MOST] == lines[place];
    let kept = (0..lines.len()).filter(|place| !copies(*place));
    let lines: Vec<Vec<Piece>> = kept.map(|place| lines[place].clone()).collect();
    let mut places: BTreeMap<&str, u64> = lines
        .iter()
        .flatten()
        .filter_map(|piece| match piece {
            Piece::Drawn(word) => Some((word.as_str(), 0)),
            Piece::Plain(_) => None,
        })
        .collect();
    for _ in 0..ROUNDS {
        let shown: Vec<String> = lines.iter().map(|line| show(line, &places)).collect();
        let mut found: BTreeMap<&str, Vec<(u64, usize)>> = BTreeMap::new();
        for (line, shown) in lines.iter().zip(&shown) {
            for (place, piece) in line.iter().enumerate() {
                if let Piece::Drawn(word) = piece {
                    found.entry(word).or_default().push((hash(shown), place));
                }
            }
        }
        for (word, mut found) in found {
            found.sort_unstable();
            places.insert(word, hash(&found));
        }
    }
    let mut shown: Vec<String> = lines.iter().map(|line| show(line, &places)).collect();
    shown.sort_unstable();
    shown.join("\n")
}

/// A line with the places of its drawn words in their stead.
fn show(line: &[Piece], places: &BTreeMap<&str, u64>) -> String {
    let words = line.iter().map(|piece| match piece {
        Piece::Plain(text) => text.clone(),
        Piece::Drawn(word) => format!("<{:08x}>", places[word.as_str()] & 0xffff_ffff),
    });
    words.collect()
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Takes a line apart.
fn pieces(line: &str, drawn: &BTreeSet<String>, now: i64) -> Vec<Piece> {
    let mut pieces = vec![Piece::Plain(String::new())];
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let known = drawn.iter().filter(|word| rest.starts_with(word.as_str()));
        let word = known.max_by_key(|word| word.len()).map_or_else(
            || {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
                let end = end.unwrap_or(rest.len()).max(first.len_utf8());
                &rest[..next_known(&rest[..end], drawn)]
            },
            |word| &rest[..word.len()],
        );
        rest = &rest[word.len()..];
        if drawn.contains(word) || looks_drawn(word) {
            pieces.push(Piece::Drawn(word.to_owned()));
            pieces.push(Piece::Plain(String::new()));
        } else if let Some(Piece::Plain(text)) = pieces.last_mut() {
            *text += &moment(word, now).unwrap_or_else(|| word.to_owned());
        }
    }
    pieces
}

fn looks_drawn(word: &str) -> bool {
    let mut digits = word.chars().map(|c| c.is_ascii_digit());
    match word.len() {
        PHONE => digits.all(|is_digit| is_digit),
        DRAWN.. => digits.any(|is_digit| is_digit),
        _ => false,
    }
}

/// Where in a word a known one begins; its end if none does.
fn next_known(word: &str, drawn: &BTreeSet<String>) -> usize {
    let starts = drawn.iter().filter_map(|known| word.find(known.as_str()));
    let starts = starts.filter(|start| *start > 0);
    starts.min().unwrap_or(word.len())
}

/// How far a moment is from now; `None` if the word is no moment of these years, in seconds or milliseconds.
fn moment(word: &str, now: i64) -> Option<String> {
    const YEARS: i64 = 20 * 365 * 86_400;
    let number: i64 = word.parse().ok()?;
    let seconds = match word.len() {
        10 => number,
        13 => number / 1_000,
        _ => return None,
    };
    let ahead = seconds - now;
    if ahead.abs() > YEARS {
        return None;
    }
    Some(match ahead {
        -60..=0 => "now".to_owned(),
        1..=60 => "soon".to_owned(),
        _ => format!("{:+}min", (ahead + 30).div_euclid(60)),
    })
}

/// A moment as a database has it.
pub fn seconds(at: SystemTime) -> String {
    since_epoch(at).to_string()
}

fn since_epoch(at: SystemTime) -> i64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// A text without the times of day in it.
pub fn without_clock(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(colon) = rest.find(':') {
        let (before, after) = (&rest[..colon], &rest[colon + 1..]);
        let hours = before.len() - before.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let minutes = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let is_clock = (1..=2).contains(&hours) && minutes == 2;
        if is_clock {
            plain += &before[..before.len() - hours];
            plain += "clock";
        } else {
            plain += before;
            plain.push(':');
        }
        rest = if is_clock { &after[2..] } else { after };
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn world(lines: &[&str]) -> String {
        let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        let drawn = BTreeSet::from(["happy-tuna".to_owned(), "calm-owl".to_owned()]);
        canonical(
            &lines,
            &drawn,
            UNIX_EPOCH + Duration::from_secs(1_800_000_000),
        )
    }

    const ID: &str = "0123456789abcdef0";
    const OTHER: &str = "f123456789abcdef1";

    #[test]
    fn drawn_words_and_the_order_of_facts_do_not_count() {
        let one = world(&[&format!("row {ID} of happy-tuna"), "mail happy-tuna@temp"]);
        let same = world(&["mail calm-owl@temp", &format!("row {OTHER} of calm-owl")]);
        assert_eq!(one, same);
    }

    #[test]
    fn where_a_drawn_word_stands_counts() {
        let linked = world(&["row 1 happy-tuna", "row 2 calm-owl", "text happy-tuna"]);
        let other = world(&["row 1 happy-tuna", "row 2 calm-owl", "text calm-owl"]);
        let none = world(&["row 1 happy-tuna", "row 2 calm-owl", &format!("text {ID}")]);
        assert!(linked != other && linked != none && other != none);
    }

    #[test]
    fn plain_words_and_missing_facts_count() {
        assert_ne!(world(&["row 1 created"]), world(&["row 1 reserved"]));
        assert_ne!(world(&["row 1", "row 2"]), world(&["row 1"]));
        assert_ne!(world(&["row 1", "row 1"]), world(&["row 1"]));
        let texts = |count| world(&vec!["text happy-tuna"; count]);
        assert!(texts(3) == texts(2) && texts(2) != texts(1));
    }

    #[test]
    fn of_moments_minutes_count_and_whether_they_are_yet_to_come() {
        let told = |seconds: i64| world(&[&format!("at {}", 1_800_000_000 + seconds)]);
        assert_eq!(told(-1), told(-60));
        assert_eq!(told(1), told(60));
        assert_eq!(told(-602), told(-598));
        let kinds = [-600, -120, 0, 30, 600, 86_400].map(told);
        assert_eq!(kinds.iter().collect::<BTreeSet<_>>().len(), kinds.len());
        assert_eq!(told(30), world(&["at 1800000030000"]), "milliseconds");
        let phone = |number| world(&[&format!("to +{number}")]);
        assert_eq!(phone(15_550_100_001_i64), phone(15_550_100_002), "phones");
    }

    #[test]
    fn times_of_day_are_left_out_and_other_colons_are_not() {
        assert_eq!(
            without_clock("until 9:05, or 21:30."),
            "until clock, or clock."
        );
        assert_eq!(
            without_clock("http://a.b:8080/x Password: 1:2345"),
            "http://a.b:8080/x Password: 1:2345"
        );
    }
}

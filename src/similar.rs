//! Guesses which known word a misspelt word stands for.

/// The word of `known` that is closest to `word`, if it is close enough to be a guess.
///
/// Case, `_` and `-` are ignored. A short word may have one slip, a longer one two, and a word of 16 or more
/// letters three. A slip is one letter added, left out, replaced, or exchanged with its neighbour. An added
/// ending of up to three letters is one slip as well.
pub(crate) fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = plain(word);
    let allowed = match word.len() {
        0..=2 => return None,
        3..=5 => 1,
        6..=15 => 2,
        16..=LONGEST => 3,
        _ => return None,
    };
    let distance = |candidate: &str| {
        let candidate = plain(candidate);
        // `FROM_NUMBER` for `FROM_NUM`: an added ending is one slip.
        let ending = word.strip_prefix(candidate.as_slice());
        match ending.map(<[char]>::len) {
            Some(1..=3) => 1,
            _ => slips(&word, &candidate),
        }
    };
    known
        .into_iter()
        .map(|candidate| (distance(candidate), candidate))
        .filter(|(slips, _)| *slips <= allowed)
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, candidate)| candidate)
}

/// Longer words are not compared: all our names are shorter, and the work grows with the square of the length.
const LONGEST: usize = 64;

fn plain(word: &str) -> Vec<char> {
    word.chars()
        .filter(|c| !matches!(c, '_' | '-'))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// The optimal string alignment distance.
fn slips(one: &[char], two: &[char]) -> usize {
    let mut before_last = vec![0; two.len() + 1];
    let mut last: Vec<usize> = (0..=two.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in two.iter().enumerate() {
            let other = last[j] + usize::from(a != b);
            let mut least = other.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == two[j - 1] && one[i - 1] == *b {
                least = least.min(before_last[j - 1] + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[two.len()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::properties::drawn;

    const KNOWN: [&str; 5] = [
        "end",
        "extend",
        "status",
        "CODER_REMOVE_TIME",
        "TWILIO_API_URL",
    ];

    #[test]
    fn words_with_few_slips_are_guessed_and_others_are_not() {
        for (word, meant) in [
            ("ned", Some("end")),
            ("END", Some("end")),
            ("extned", Some("extend")),
            ("stat", None),
            ("statsu", Some("status")),
            ("CODER_REMOVETIME", Some("CODER_REMOVE_TIME")),
            ("CODER_REMOVE_TIMES", Some("CODER_REMOVE_TIME")),
            ("CODER_REMOVE_TIMEOUT", Some("CODER_REMOVE_TIME")),
            ("ended", Some("end")),
            ("endings", None),
            ("TWILIO_API_KEY", None),
            ("CODER_AGENT_URL", None),
            ("en", None),
            ("", None),
            ("be", None),
        ] {
            assert_eq!(closest(word, KNOWN), meant, "{word}");
        }
        assert_eq!(closest(&"e".repeat(100_000), KNOWN), None);
    }

    #[test]
    fn slips_are_counted() {
        for (one, two, count) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "abc", 0),
            ("abc", "acb", 1),
            ("abc", "ab", 1),
            ("abc", "axc", 1),
            ("abcd", "badc", 2),
        ] {
            assert_eq!(slips(&plain(one), &plain(two)), count, "{one} {two}");
        }
    }

    proptest! {
        #![proptest_config(drawn())]

        #[test]
        fn the_number_of_slips_is_symmetric_and_zero_between_equal_words(
            one in "[a-z]{0,12}", two in "[a-z]{0,12}",
        ) {
            let (a, b) = (plain(&one), plain(&two));
            prop_assert_eq!(slips(&a, &a), 0);
            prop_assert_eq!(slips(&a, &b), slips(&b, &a));
            prop_assert!(slips(&a, &b) <= a.len().max(b.len()));
            prop_assert!(slips(&a, &b) >= a.len().abs_diff(b.len()));
        }
    }
}

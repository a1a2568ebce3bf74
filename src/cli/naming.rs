//! Accounts as people write them on the command line.

use crate::domain::count;
use crate::similar::closest;

/// Words that people write where they mean everybody.
const EVERYBODY: [&str; 4] = ["all", "everybody", "everyone", "*"];

/// The username in `word`, which may be the e-mail address that stands in a login.
pub(super) fn username(word: &str) -> &str {
    match word.split_once('@') {
        Some((name, _)) if !name.is_empty() => name,
        _ => word,
    }
}

/// The word among `words` with which somebody probably meant `--all`.
pub(super) fn everybody(words: &[String]) -> Option<&str> {
    let is_meant = |word: &&String| EVERYBODY.iter().any(|all| word.eq_ignore_ascii_case(all));
    words.iter().find(is_meant).map(String::as_str)
}

/// Says that nobody has these names.
pub(super) fn not_known<'a>(
    unknown: &[impl AsRef<str>],
    known: impl Iterator<Item = &'a str> + Clone,
) -> String {
    let noun = match unknown.len() {
        1 => "account".to_owned(),
        more => count(more, "account"),
    };
    format!("{noun} not known: {}", guessed(unknown, known))
}

/// Those names, each with the one of `known` that was probably meant.
pub(super) fn guessed<'a>(
    unknown: &[impl AsRef<str>],
    known: impl Iterator<Item = &'a str> + Clone,
) -> String {
    let one = |name: &str| match closest(name, known.clone()) {
        Some(meant) => format!("{name} (did you mean {meant}?)"),
        None => name.to_owned(),
    };
    let names: Vec<String> = unknown.iter().map(|name| one(name.as_ref())).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stands_for_its_account() {
        for (word, name) in [
            ("happy-tuna", "happy-tuna"),
            ("happy-tuna@class.example.org", "happy-tuna"),
            ("Happy-Tuna@class", "Happy-Tuna"),
            ("@class", "@class"),
            ("", ""),
        ] {
            assert_eq!(username(word), name, "{word}");
        }
    }

    #[test]
    fn who_is_not_known_is_told_with_what_was_meant() {
        let known = ["happy-tuna", "agile-noodle"];
        let told = |unknown: &[&str]| not_known(unknown, known.iter().copied());
        assert_eq!(
            told(&["agile-nodle"]),
            "account not known: agile-nodle (did you mean agile-noodle?)"
        );
        assert_eq!(
            told(&["bob", "hapy-tuna"]),
            "2 accounts not known: bob, hapy-tuna (did you mean happy-tuna?)"
        );
    }
}

//! The names of accounts on the command line.

use crate::domain::{ClassName, count};
use crate::similar::closest;

/// Words that are used in place of `--all` by mistake.
const WORDS_FOR_ALL: [&str; 4] = ["all", "everybody", "everyone", "*"];

/// The username in `word`, which may be the e-mail address from a login text.
pub(super) fn username(word: &str) -> &str {
    match word.split_once('@') {
        Some((name, _)) if !name.is_empty() => name,
        _ => word,
    }
}

/// The first of `words` that probably means `--all`.
pub(super) fn word_for_all(words: &[String]) -> Option<&str> {
    let is_meant = |word: &&String| {
        WORDS_FOR_ALL
            .iter()
            .any(|all| word.eq_ignore_ascii_case(all))
    };
    words.iter().find(is_meant).map(String::as_str)
}

/// The message that no accounts have these names.
pub(super) fn not_known<'a>(
    unknown: &[impl AsRef<str>],
    known: impl Iterator<Item = &'a str> + Clone,
) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in unknown.iter().map(AsRef::as_ref) {
        if !names.iter().any(|one| one.eq_ignore_ascii_case(name)) {
            names.push(name);
        }
    }
    let noun = match names.len() {
        1 => "account".to_owned(),
        more => count(more, "account"),
    };
    format!("{noun} not known: {}", guessed(&names, known))
}

/// The message that there is no class of this name.
pub(super) fn no_class<'a>(
    name: &ClassName,
    known: impl Iterator<Item = &'a ClassName> + Clone,
) -> String {
    let guessed = guessed(&[name.as_str()], known.map(ClassName::as_str));
    format!("class not known: {guessed}")
}

/// The names, each with the one of `known` that it probably stands for.
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
    fn an_address_means_its_account() {
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
    fn unknown_names_are_reported_with_a_guess() {
        let known = ["happy-tuna", "agile-noodle"];
        let message = |unknown: &[&str]| not_known(unknown, known.iter().copied());
        assert_eq!(
            message(&["agile-nodle"]),
            "account not known: agile-nodle (did you mean agile-noodle?)"
        );
        assert_eq!(
            message(&["bob", "hapy-tuna"]),
            "2 accounts not known: bob, hapy-tuna (did you mean happy-tuna?)"
        );
        assert_eq!(message(&["bob", "BOB", "bob"]), "account not known: bob");
    }
}

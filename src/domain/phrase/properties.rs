//! What holds of every phrase.

use proptest::prelude::*;

use super::*;
use crate::properties::drawn;

/// Letters of many scripts, among them those that change oddly with their case.
const LETTERS: &str = "[a-zA-Z0-9ßẞςσΣİıſŉǆΐﬃĳ]|\\p{L}|\\p{Nd}";
const NOISE: &str = "[ \t\n.,!?'\"_\u{a0}\u{2019}\u{201c}\u{1f600}-]{0,3}";

fn phrase() -> impl Strategy<Value = String> {
    prop::collection::vec(LETTERS, 1..16).prop_map(|letters| letters.concat())
}

proptest! {
    #![proptest_config(drawn())]

    #[test]
    fn case_blanks_and_signs_never_count(
        phrase in phrase(),
        dress in prop::collection::vec((NOISE, any::<bool>()), 64),
    ) {
        let Ok(parsed) = Passphrase::parse(&phrase) else {
            return Err(TestCaseError::reject("a word of the network"));
        };
        let mut text = String::new();
        for (letter, (noise, up)) in phrase.chars().zip(&dress) {
            text.push_str(noise);
            if *up {
                text.extend(letter.to_uppercase());
            } else {
                text.extend(letter.to_lowercase());
            }
        }
        text.push_str(&dress[63].0);
        prop_assert!(parsed.matches(&text), "{text:?}");
        prop_assert_eq!(Passphrase::parse(&text).map(|again| again.letters), Ok(parsed.letters));
    }

    #[test]
    fn a_code_beside_any_phrase_is_read(phrase in phrase(), noise in NOISE, before in any::<bool>()) {
        let Ok(parsed) = Passphrase::parse(&phrase) else {
            return Err(TestCaseError::reject("a word of the network"));
        };
        prop_assert_eq!(parsed.read(&phrase), PhraseMatch::Phrase);
        let code = ScreenCode::draw();
        let text = if before {
            format!("{code}{noise}{phrase}")
        } else {
            format!("{phrase}{noise}{code}")
        };
        prop_assert!(parsed.has_outer_digit() || parsed.read(&text) == PhraseMatch::WithCode(code), "{text:?}");
    }

    #[test]
    fn other_letters_are_another_phrase(one in "[a-z0-9]{1,8}", other in "[a-z0-9 ]{1,8}") {
        let Ok(parsed) = Passphrase::parse(&one) else {
            return Err(TestCaseError::reject("a word of the network"));
        };
        prop_assert_eq!(parsed.matches(&other), other.replace(' ', "") == one);
    }

    #[test]
    fn one_slip_is_another_phrase(
        phrase in "[a-z0-9]{6,20}", place in any::<prop::sample::Index>(), letter in "[a-z0-9]"
    ) {
        let parsed = Passphrase::parse(&phrase).unwrap();
        let at = place.index(phrase.len());
        let mut longer = phrase.clone();
        longer.insert_str(at, &letter);
        let mut shorter = phrase.clone();
        shorter.remove(at);
        let mut changed = phrase.clone();
        changed.replace_range(at..=at, &letter);
        prop_assert!(!parsed.matches(&longer) && !parsed.matches(&shorter));
        prop_assert_eq!(parsed.matches(&changed), changed == phrase);
    }
}

//! What holds of every text.

use proptest::prelude::*;

use super::*;
use crate::properties::drawn;

/// Characters of all of Unicode, most of them of kinds that matter here.
fn any_text() -> impl Strategy<Value = String> {
    let kinds = "\\p{L}|\\p{M}|\\p{Nd}|\\p{Latin}|\\p{Greek}|\\p{Cyrillic}|[a-zA-Z0-9 '.]|\\p{Cf}";
    prop_oneof![
        prop::collection::vec(kinds, 0..24).prop_map(|parts| parts.concat()),
        prop::collection::vec(any::<char>(), 0..24).prop_map(String::from_iter),
    ]
}

proptest! {
    #![proptest_config(drawn())]

    #[test]
    fn normal_forms_of_a_text_are_one_text(text in any_text()) {
        for accents in [Accents::Ignored, Accents::Kept] {
            let folded = fold(&text, accents);
            let forms: [String; 4] = [
                text.nfc().collect(),
                text.nfd().collect(),
                text.nfkc().collect(),
                text.nfkd().collect(),
            ];
            for form in forms {
                prop_assert_eq!(fold(&form, accents), folded.as_str(), "{:?}", form);
            }
        }
    }

    #[test]
    fn a_folded_text_stays_as_it_is(text in any_text()) {
        for accents in [Accents::Ignored, Accents::Kept] {
            let folded = fold(&text, accents);
            prop_assert_eq!(fold(&folded, accents), folded);
        }
        let exact = fold(&text, Accents::Kept);
        prop_assert_eq!(fold(&exact, Accents::Ignored), fold(&text, Accents::Ignored));
    }

    #[test]
    fn case_does_not_count(text in any_text()) {
        // A mark whose capital is a letter: what follows it is a mark on something else in capitals.
        let text = text.replace('\u{345}', "");
        let folded = fold(&text, Accents::Ignored);
        prop_assert_eq!(fold(&text.to_lowercase(), Accents::Ignored), folded.as_str());
        prop_assert_eq!(fold(&text.to_uppercase(), Accents::Ignored), folded);
    }

    #[test]
    fn every_decimal_digit_is_one_of_ten(digits in "\\p{Nd}{64}") {
        let folded = fold(&digits, Accents::Ignored);
        prop_assert!(folded.len() == 64 && folded.bytes().all(|byte| byte.is_ascii_digit()), "{}", folded);
    }

    #[test]
    fn the_longest_text_that_can_be_is_bounded(mark in "\\p{M}", length in 1_600_usize..4_000) {
        // U+FDFA is 18 characters when it is decomposed, more than any other one.
        let text = format!("{}{}", "\u{fdfa}".repeat(length), mark.repeat(length));
        prop_assert!(fold(&text, Accents::Ignored).chars().count() <= 18 * Text::LENGTH);
    }
}

//! What holds of every opt-out word.

use proptest::prelude::*;

use super::*;
use crate::domain::{Passphrase, PhraseError};
use crate::properties::drawn;

proptest! {
    #![proptest_config(drawn())]

    #[test]
    fn a_word_of_the_network_is_one_in_any_case_and_only_alone(
        word in prop::sample::select(vec![
            "STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "START",
            "UNSTOP", "YES", "HELP", "INFO",
        ]),
        ups in prop::collection::vec(any::<bool>(), 11),
        blanks in ("\\s{0,2}", "\\s{0,2}"),
        more in "[b-z]{5}",
    ) {
        let mixed: String = word
            .chars()
            .zip(ups)
            .map(|(c, up)| if up { c } else { c.to_ascii_lowercase() })
            .collect();
        let alone = format!("{}{mixed}{}", blanks.0, blanks.1);
        prop_assert!(OptWord::in_body(&alone).is_some(), "{alone:?}");
        prop_assert_eq!(Passphrase::parse(&alone), Err(PhraseError::OptWord));
        let sentence = format!("{mixed} {more}");
        prop_assert_eq!(OptWord::in_body(&sentence), None);
    }
}

//! What holds of every sender.

use proptest::prelude::*;

use super::*;
use crate::properties::drawn;

const E164: &str = "\\+[1-9][0-9]{7,14}";
/// No NUL, which no environment holds: HMAC fills short keys up with it, so that one at the end makes no difference.
const KEY: &str = "[ -~äß]{0,40}";

proptest! {
    #![proptest_config(drawn())]

    #[test]
    fn a_number_is_its_own_form_whatever_blanks_stand_around_it(
        number in E164, before in "\\s{0,3}", after in "\\s{0,3}"
    ) {
        let phone = Phone::parse_any(&format!("{before}{number}{after}")).unwrap();
        prop_assert_eq!(phone.reveal(), &number);
        let again = Phone::parse_any(phone.reveal()).unwrap();
        let key = PhoneKey::derive("k");
        prop_assert_eq!(again.hash(&key), phone.hash(&key));
        prop_assert_eq!(again, phone);
    }

    #[test]
    fn nothing_that_is_no_digit_may_stand_in_a_number(
        number in E164, place in any::<prop::sample::Index>(), sign in "[^0-9]"
    ) {
        let mut spoiled = number.clone();
        spoiled.insert_str(1 + place.index(number.len() - 1), &sign);
        prop_assert_eq!(Phone::parse(&spoiled), Err(UnservedSender::NotANumber));
    }

    #[test]
    fn of_any_text_only_e164_is_a_number(text in "\\+[0-9]{6,17}|[+0-9]{0,8}|\\PC{0,18}") {
        let digits = text.trim().strip_prefix('+').unwrap_or("");
        let is_e164 = (8..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.chars().all(|c| c.is_ascii_digit());
        prop_assert_eq!(Phone::parse_any(&text).is_ok(), is_e164);
        // A phone is a number, and all numbers but toll-free and premium ones are phones.
        let special = ["8", "900"].iter().any(|area| digits.starts_with(&format!("1{area}")));
        prop_assert!(Phone::parse(&text).is_ok() <= is_e164);
        prop_assert!(Phone::parse(&text).is_ok() || !is_e164 || special);
    }

    #[test]
    fn no_more_of_a_number_is_shown_than_its_end(number in E164) {
        let phone = Phone::parse_any(&number).unwrap();
        let shown = format!("{phone:?}");
        prop_assert_eq!(shown, format!("Phone(..{})", &number[number.len() - 2..]));
    }

    #[test]
    fn another_digit_is_another_hash_and_another_key_too(
        number in E164,
        place in any::<prop::sample::Index>(),
        digit in "[1-9]",
        key in KEY,
        letter in "[!-~]",
    ) {
        let at = 1 + place.index(number.len() - 1);
        let mut other = number.clone();
        other.replace_range(at..=at, &digit);
        let [a, b] = [&number, &other].map(|raw| Phone::parse_any(raw).unwrap());
        let other_key = format!("{key}{letter}");
        let (k, l) = (PhoneKey::derive(&key), PhoneKey::derive(&other_key));
        prop_assert_eq!(a.hash(&k) == b.hash(&k), number == other);
        prop_assert_ne!(a.hash(&k), a.hash(&l));
        prop_assert_ne!(k.check(), l.check());
        prop_assert_ne!(k.fingerprint(&number), k.fingerprint(&number[1..]));
    }

    #[test]
    fn a_country_is_let_in_by_its_prefix_alone(
        number in E164, prefixes in prop::collection::vec("[0-9]{1,7}", 1..4), plus in any::<bool>()
    ) {
        let plus = if plus { "+" } else { "" };
        let list: Vec<String> = prefixes.iter().map(|p| format!("{plus}{p}")).collect();
        let phone = Phone::parse_any(&number).unwrap();
        let listed = prefixes.iter().any(|prefix| number[1..].starts_with(prefix));
        for between in [",", " ", " , "] {
            let countries = Countries::parse(&list.join(between)).unwrap();
            prop_assert_eq!(countries.admit(&phone), listed);
        }
        prop_assert!(Countries::parse("*").unwrap().admit(&phone));
    }
}

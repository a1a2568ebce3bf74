//! Renumbered lines: the old and the new number are the same phone.
//!
//! Only changes of a whole country's plan are listed, where the old number determines the new one.
//! Argentina is not listed: `+54 9 11 ...` and `+54 11 ...` may be a mobile and a fixed line of two
//! people, as its mobile and fixed numbers share area codes and differ only in the `9` (ENACOM's
//! numbering plan).

/// One change of numbers.
struct Renumbering {
    /// The country code.
    country: &'static str,
    /// The number of digits of the old national number.
    digits: usize,
    /// The prefixes of old national numbers.
    begins: &'static [&'static str],
    /// The digits removed from the beginning.
    dropped: &'static str,
    /// The digits added in their place.
    added: &'static str,
}

const RENUMBERINGS: [Renumbering; 5] = [
    // Mexico, 2019-08-03: the 1 between country code and mobile number was dropped. Twilio's
    // guidelines for Mexico (twilio.com/en-us/guidelines/mx/voice and .../sms) give the date and
    // both forms; the regulator's plan is in the Diario Oficial de la Federacion of 2018-05-11.
    Renumbering {
        country: "+52",
        digits: 11,
        begins: &["1"],
        dropped: "1",
        added: "",
    },
    // Benin, 2024-11-30: every number got the prefix 01, for all operators (allafrica.com,
    // 2024-11-30, on the campaign of the regulator, ARCEP). The prefixes of old numbers are those
    // of the plan that ARCEP reported to the ITU, taken from the data of numero-uemoa 0.1.0 (PyPI).
    Renumbering {
        country: "+229",
        digits: 8,
        begins: &["2", "4", "5", "6", "9"],
        dropped: "",
        added: "01",
    },
    // Ivory Coast, 2021-01-31: every mobile number got a prefix of its network (newsgeek.ci,
    // 2020-07-28, on the announcement of the regulator, ARTCI). The new prefix for each old one is
    // from ARTCI's notice in the form of ITU-T E.129, copied in github.com/guyaristide/numerotation
    // (2021-02-04); numero-uemoa 0.1.0 (PyPI) has the same ones. The original of neither notice was
    // seen. Fixed lines are not listed: they got 21, 25 or 27, and send no texts. Moov:
    Renumbering {
        country: "+225",
        digits: 8,
        begins: &[
            "01", "02", "03", "40", "41", "42", "43", "50", "51", "52", "53", "70", "71", "72",
            "73",
        ],
        dropped: "",
        added: "01",
    },
    // MTN:
    Renumbering {
        country: "+225",
        digits: 8,
        begins: &[
            "04", "05", "06", "44", "45", "46", "54", "55", "56", "64", "65", "66", "74", "75",
            "76", "84", "85", "86", "94", "95", "96",
        ],
        dropped: "",
        added: "05",
    },
    // Orange:
    Renumbering {
        country: "+225",
        digits: 8,
        begins: &[
            "07", "08", "09", "47", "48", "49", "57", "58", "59", "67", "68", "69", "77", "78",
            "79", "87", "88", "89", "97", "98",
        ],
        dropped: "",
        added: "07",
    },
];

impl Renumbering {
    fn renew(&self, number: &str) -> Option<String> {
        let national = number.strip_prefix(self.country)?;
        let is_old = national.len() == self.digits
            && self.begins.iter().any(|begin| national.starts_with(begin));
        let rest = national.strip_prefix(self.dropped).filter(|_| is_old)?;
        Some(format!("{}{}{rest}", self.country, self.added))
    }

    fn undo(&self, number: &str) -> Option<String> {
        let national = number.strip_prefix(self.country)?;
        let rest = national.strip_prefix(self.added)?;
        let old = format!("{}{}{rest}", self.country, self.dropped);
        (self.renew(&old).as_deref() == Some(number)).then_some(old)
    }
}

/// The number that replaced `number`, if there is one. Both in E.164 form.
pub(super) fn renewed(number: &str) -> Option<String> {
    RENUMBERINGS.iter().find_map(|row| row.renew(number))
}

/// The number that `number` replaced, if there is one. Both in E.164 form.
pub(super) fn former(number: &str) -> Option<String> {
    RENUMBERINGS.iter().find_map(|row| row.undo(number))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::properties::drawn;

    #[test]
    fn old_and_new_numbers() {
        for (old, new) in [
            ("+5215512345678", "+525512345678"),
            ("+22997123456", "+2290197123456"),
            ("+22501234567", "+2250101234567"),
            ("+22554123456", "+2250554123456"),
            ("+22507123456", "+2250707123456"),
        ] {
            assert_eq!(renewed(old).as_deref(), Some(new));
            assert_eq!(former(new).as_deref(), Some(old));
        }
        for other in [
            "+525512345678",
            "+2290197123456",
            "+2250707123456",
            // A fixed line of Ivory Coast, and a prefix that no number had.
            "+22520301234",
            "+22560123456",
            "+5491123456789",
            "+541123456789",
            "+5511912345678",
            "+14155550123",
        ] {
            assert_eq!(renewed(other), None, "{other}");
        }
        for other in [
            "+14155550123",
            "+541123456789",
            "+5491123456789",
            "+2252720301234",
        ] {
            assert_eq!(former(other), None, "{other}");
        }
    }

    /// Numbers of the countries in the table and near them, and any others.
    fn number() -> impl Strategy<Value = String> {
        let near = "\\+(52|521|229|22901|225|22501|22505|22507|54|549)[0-9]{6,10}";
        let any = "\\+[1-9][0-9]{7,14}";
        prop_oneof![near, any]
    }

    proptest! {
        #![proptest_config(drawn())]

        #[test]
        fn a_new_number_is_not_renewed_again(number in number()) {
            if let Some(new) = renewed(&number) {
                prop_assert_eq!(renewed(&new), None);
                prop_assert_eq!(former(&new), Some(number.clone()));
            }
            if let Some(old) = former(&number) {
                prop_assert_eq!(renewed(&old), Some(number));
            }
        }

        #[test]
        fn no_third_number_is_the_same_phone(one in number(), other in number()) {
            let canonical = |number: &str| renewed(number).unwrap_or_else(|| number.to_owned());
            if canonical(&one) == canonical(&other) {
                let pair = renewed(&one).as_ref() == Some(&other) || renewed(&other).as_ref() == Some(&one);
                prop_assert!(pair || one == other);
            }
        }

        #[test]
        fn a_phone_of_a_country_outside_the_table_has_one_number(number in "\\+(1|44|49|54|55|91)[0-9]{8,10}") {
            prop_assert_eq!(renewed(&number), None);
            prop_assert_eq!(former(&number), None);
        }
    }
}

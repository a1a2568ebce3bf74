//! The region of a phone number, by its first digits. Twilio enables the countries that an account
//! may send to by region.

use std::fmt;

use super::Phone;

/// The dialling code of a country, such as `+49`, or of a territory in the North American plan,
/// such as `+1787`. Countries that share a code are one region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Region(u16);

/// Area codes of the North American plan outside the United States and Canada (NANPA's list of area
/// codes, 2026).
const TERRITORIES: [u16; 27] = [
    242, 246, 264, 268, 284, 340, 345, 441, 473, 649, 658, 664, 670, 671, 684, 721, 758, 767, 784,
    787, 809, 829, 849, 868, 869, 876, 939,
];

/// Dialling codes with two digits. The codes 1 and 7 have one digit, all others three (ITU-T E.164,
/// list of assigned country codes).
const TWO_DIGITS: [u16; 44] = [
    20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56,
    57, 58, 60, 61, 62, 63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98,
];

impl Region {
    /// The region of a phone.
    pub fn of(phone: &Phone) -> Self {
        // A phone number has a plus sign and at least 8 digits.
        let first = |count: usize| phone.reveal().get(1..=count).and_then(|d| d.parse().ok());
        let [one, two, three, four] = [1, 2, 3, 4].map(|count| first(count).unwrap_or(0));
        Self(match one {
            1 if TERRITORIES.contains(&(four % 1_000)) => four,
            1 | 7 => one,
            _ if TWO_DIGITS.contains(&two) => two,
            _ => three,
        })
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_a_country_or_a_territory() {
        for (phone, region) in [
            ("+12015550123", "+1"),
            ("+14165550123", "+1"),
            ("+17875550123", "+1787"),
            ("+19395550123", "+1939"),
            ("+18765550123", "+1876"),
            ("+491701234567", "+49"),
            ("+525512345678", "+52"),
            ("+5215512345678", "+52"),
            ("+77011234567", "+7"),
            ("+3531234567", "+353"),
            ("+2250712345678", "+225"),
            ("+97150123456", "+971"),
        ] {
            let phone = Phone::parse(phone).unwrap();
            assert_eq!(Region::of(&phone).to_string(), region, "{phone:?}");
        }
    }
}

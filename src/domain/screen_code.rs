//! The code that a screen shows and a student texts behind the phrase.

use std::fmt;

use super::random::below;

/// Four digits and a check digit, such as `48217`.
///
/// The check digit is that of H. Michael Damm (Total anti-symmetrische Quasigruppen, Marburg 2004).
/// It detects every single wrong digit and every swap of two neighbouring digits. So a slip of the
/// finger never leads to the screen of a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScreenCode(u16);

/// Damm's quasigroup of order 10, which has a zero diagonal.
const TABLE: [[u8; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

impl ScreenCode {
    /// The number of digits, the check digit included.
    pub const DIGITS: usize = 5;

    /// The number of different codes.
    pub const COUNT: usize = 10_000;

    /// Draws a code at random.
    pub fn draw() -> Self {
        // Below 10,000, so it fits.
        Self(u16::try_from(below(Self::COUNT)).unwrap_or(0))
    }

    /// Reads five ASCII digits; `None` if there are more or fewer, or if the check digit is wrong.
    pub fn parse(digits: &str) -> Option<Self> {
        if digits.len() != Self::DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number = digits[..Self::DIGITS - 1].parse().ok()?;
        let code = Self(number);
        (code.to_string() == digits).then_some(code)
    }

    fn check_digit(self) -> u8 {
        let number = usize::from(self.0);
        [1_000, 100, 10, 1].into_iter().fold(0, |interim, place| {
            TABLE[usize::from(interim)][number / place % 10]
        })
    }
}

impl fmt::Display for ScreenCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}{}", self.0, self.check_digit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = String> {
        (0..10_000).map(|number| ScreenCode(number).to_string())
    }

    #[test]
    fn every_code_reads_back() {
        for (number, digits) in (0..10_000).zip(all()) {
            assert_eq!(ScreenCode::parse(&digits), Some(ScreenCode(number)));
        }
    }

    #[test]
    fn the_check_digit_of_the_published_example_is_right() {
        // Damm's thesis and later texts use 572 with the check digit 4.
        assert_eq!(ScreenCode(572).to_string(), "05724");
    }

    #[test]
    fn no_single_slip_is_another_code() {
        for digits in all() {
            let bytes = digits.as_bytes();
            for place in 0..bytes.len() {
                for digit in b'0'..=b'9' {
                    let mut slip = bytes.to_vec();
                    slip[place] = digit;
                    let slip = String::from_utf8(slip).unwrap();
                    assert_eq!(ScreenCode::parse(&slip).is_some(), slip == digits, "{slip}");
                }
            }
            for place in 1..bytes.len() {
                let mut swap = bytes.to_vec();
                swap.swap(place - 1, place);
                let swap = String::from_utf8(swap).unwrap();
                assert_eq!(ScreenCode::parse(&swap).is_some(), swap == digits, "{swap}");
            }
        }
    }

    #[test]
    fn nothing_else_is_a_code() {
        for text in ["", "0000", "000000", "4821a", " 4821", "-4821", "٠٠٠٠٠"] {
            assert_eq!(ScreenCode::parse(text), None, "{text}");
        }
    }

    #[test]
    fn codes_are_drawn_from_the_whole_range() {
        let drawn: std::collections::HashSet<_> = (0..2_000).map(|_| ScreenCode::draw()).collect();
        assert!(drawn.len() > 1_500, "{}", drawn.len());
    }
}

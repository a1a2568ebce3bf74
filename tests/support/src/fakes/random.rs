//! Identifiers in the forms that Coder and Twilio use, and a dice that repeats itself for the same seed.

/// Fills `N` bytes from the system's random source.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut filled = [0; N];
    getrandom::fill(&mut filled).expect("the system has random bytes");
    filled
}

/// `2 * N` lower-case hexadecimal digits.
pub fn hex<const N: usize>() -> String {
    bytes::<N>()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// `length` letters and digits.
pub fn letters_and_digits(length: usize) -> String {
    const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    (0..length)
        .map(|_| char::from(ALPHABET[usize::from(bytes::<1>()[0]) % ALPHABET.len()]))
        .collect()
}

/// A random UUID (version 4).
pub fn uuid() -> String {
    let mut raw = bytes::<16>();
    raw[6] = raw[6] & 0x0f | 0x40;
    raw[8] = raw[8] & 0x3f | 0x80;
    let digits: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
    hyphenate(&digits)
}

/// The UUID that a text stands for, as Go's parser reads it: hyphenated, bare hexadecimal, in braces or as `urn:uuid:`.
/// The answer is in lower case with hyphens.
pub fn parse_uuid(text: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    let inner = match text.len() {
        45 => text.strip_prefix("urn:uuid:")?,
        38 => text.strip_prefix('{')?.strip_suffix('}')?,
        _ => &text,
    };
    let digits: String = match inner.len() {
        36 if [8, 13, 18, 23]
            .iter()
            .all(|&at| inner.as_bytes()[at] == b'-') =>
        {
            inner.replace('-', "")
        }
        32 => inner.to_owned(),
        _ => return None,
    };
    (digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
        .then(|| hyphenate(&digits))
}

fn hyphenate(digits: &str) -> String {
    [
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..],
    ]
    .join("-")
}

/// A small generator (SplitMix64): the same seed gives the same sequence.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// A dice for this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A dice that nobody can predict.
    pub fn unseeded() -> Self {
        Self(u64::from_le_bytes(bytes::<8>()))
    }

    /// A number from 0 up to, not including, `sides`.
    pub fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides.max(1)
    }

    /// Puts a list into random order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            let other = usize::try_from(self.below(last as u64 + 1)).expect("an index fits");
            list.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_read_in_every_spelling_that_go_accepts() {
        let id = uuid();
        let bare = id.replace('-', "");
        for spelling in [
            id.clone(),
            id.to_uppercase(),
            bare,
            format!("{{{id}}}"),
            format!("urn:uuid:{id}"),
        ] {
            assert_eq!(parse_uuid(&spelling), Some(id.clone()), "{spelling}");
        }
        for nonsense in [
            "",
            "happy-tuna",
            "me",
            &id[1..],
            "zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz",
        ] {
            assert_eq!(parse_uuid(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn the_same_seed_rolls_the_same() {
        let roll = |seed| {
            let mut dice = Dice::new(seed);
            (0..8).map(|_| dice.below(100)).collect::<Vec<_>>()
        };
        assert_eq!(roll(7), roll(7));
        assert_ne!(roll(7), roll(8));
    }
}

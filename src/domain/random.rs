//! Random values from the operating system's generator, all equally likely.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A uniform random number in `0..bound`. `bound` must be in `1..=65536`.
///
/// Values in the incomplete last range are rejected (rejection sampling), because a plain remainder
/// would favour small numbers.
pub(super) fn below(bound: usize) -> usize {
    debug_assert!((1..=65536).contains(&bound));
    let limit = 65536 - 65536 % bound;
    loop {
        let value = usize::from(u16::from_le_bytes(bytes()));
        if value < limit {
            return value % bound;
        }
    }
}

/// `N` random bytes.
pub(super) fn bytes<const N: usize>() -> [u8; N] {
    let mut buffer = [0; N];
    // getrandom(2) fails only on kernels before 3.17 or if a sandbox forbids it. A service that
    // cannot draw random keys must not go on with weak ones.
    getrandom::fill(&mut buffer).expect("the operating system's random generator answers");
    buffer
}

/// A random byte, as jitter for waits that must not coincide.
pub fn noise() -> u8 {
    bytes::<1>()[0]
}

/// 32 unpredictable hexadecimal digits.
pub fn nonce() -> String {
    hex(&bytes::<16>())
}

/// The number of characters of a token.
pub const TOKEN_LENGTH: usize = 22;

/// An unpredictable token: 128 bits in base64url (RFC 4648, section 5) without padding.
pub fn token() -> String {
    token_of(bytes())
}

/// The token that is made of these bits.
pub(super) fn token_of(bits: [u8; 16]) -> String {
    URL_SAFE_NO_PAD.encode(bits)
}

/// Lower-case hexadecimal digits of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_even() {
        // 28 does not divide 65536; a remainder without rejection would still pass a coarse test,
        // so the bound below is one where the bias would be 50 %.
        let bound = 40_000;
        let low = (0..20_000).filter(|_| below(bound) < 20_000).count();
        assert!(
            (9_300..10_700).contains(&low),
            "{low} of 20000 in the lower half"
        );
        assert_eq!(below(1), 0);
    }

    #[test]
    fn what_is_drawn_has_its_form_and_is_drawn_once() {
        use std::collections::HashSet;
        let nonces: HashSet<String> = (0..100).map(|_| nonce()).collect();
        assert_eq!(nonces.len(), 100);
        let is_hex = |text: &String| text.bytes().all(|b| b"0123456789abcdef".contains(&b));
        assert!(nonces.iter().all(|one| one.len() == 32 && is_hex(one)));
        let tokens: HashSet<String> = (0..100).map(|_| token()).collect();
        assert_eq!(tokens.len(), 100);
        assert!(tokens.iter().all(|one| one.len() == TOKEN_LENGTH));
        // A thousand bytes have fewer than 200 of 256 values once in more than the age of the world.
        let noises: HashSet<u8> = (0..1_000).map(|_| noise()).collect();
        assert!(noises.len() >= 200, "{}", noises.len());
    }
}

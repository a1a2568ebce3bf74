//! Passwords: their format, and how they are derived from a key in a file beside the database.
//!
//! A password is never stored. It is derived again whenever it is needed, so a repeated attempt
//! after a crash, or a student who texts the phrase again, gets the same one.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::ClassName;
use super::account::{Marker, Username};
use super::projector::ProjectorToken;
use super::random::{bytes, hex};
use super::registration::Registration;

/// The password of one student. It may be shown only to that student.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// Consonants and digits without look-alikes (no `l`, `0`, `1`). There are no vowels, so that no
/// words occur, and only lower case, so that no shift key is needed.
const ALPHABET: &[u8; 28] = b"bcdfghjkmnpqrstvwxyz23456789";
const GROUPS: usize = 3;
const GROUP: usize = 5;

/// Bytes below this limit choose a character. The others are skipped, because their remainders
/// would favour the first characters. It is the largest multiple of 28 that a byte can reach.
const UNBIASED_LIMIT: u8 = 252;

impl Password {
    /// Its length in characters, hyphens included.
    pub const LENGTH: usize = GROUPS * (GROUP + 1) - 1;

    /// Draws a random password for an account of no student, such as the one that `check` creates.
    pub fn draw() -> Self {
        Self::from_bytes(std::iter::repeat_with(bytes::<32>).flatten())
    }

    /// The first password that `bytes` encode: 15 characters of an alphabet of 28, 72.1 bits, as
    /// `xxxxx-xxxxx-xxxxx`.
    ///
    /// A candidate without a letter or without a digit (1 of 155) is skipped: Coder rates how many
    /// kinds of characters there are, so a password of digits alone would be close to its limit.
    /// That costs 0.01 bits. `bytes` has to be random and endless.
    fn from_bytes(bytes: impl Iterator<Item = u8>) -> Self {
        let mut characters = bytes
            .filter(|byte| *byte < UNBIASED_LIMIT)
            .map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
        loop {
            let candidate: Vec<char> = characters.by_ref().take(GROUPS * GROUP).collect();
            let has = |kind: fn(&char) -> bool| candidate.iter().any(kind);
            if has(char::is_ascii_lowercase) && has(char::is_ascii_digit) {
                let groups: Vec<String> = candidate.chunks(GROUP).map(String::from_iter).collect();
                return Self(groups.join("-"));
            }
        }
    }

    /// Whether `text` contains something in the format of a password: groups of its length and
    /// alphabet, joined by hyphens. It does if a phone sends a login text back.
    pub fn is_in(text: &str) -> bool {
        let in_alphabet = |c: char| c.is_ascii() && ALPHABET.contains(&(c as u8));
        text.split(|c: char| c != '-' && !in_alphabet(c))
            .any(|run| {
                let groups: Vec<&str> = run.split('-').collect();
                groups.len() == GROUPS && groups.iter().all(|group| group.len() == GROUP)
            })
    }

    /// The password itself, only for the request to Coder and for the reply to the student.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// Labels that separate the uses of the key from each other.
const OF_PASSWORDS: &[u8] = b"coder-sms-register password v1";
const OF_PROJECTORS: &[u8] = b"coder-sms-register projector v1";
const OF_CHECKS: &[u8] = b"coder-sms-register password key check v1";

/// The key that all passwords of one data folder are derived from: 32 random bytes. This key,
/// together with the username, marker and counter of an account, gives the account's password.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordKey([u8; 32]);

impl PasswordKey {
    /// Draws a new key.
    pub fn draw() -> Self {
        Self(bytes())
    }

    /// Parses the key's text form; `None` if it is not exactly 64 hexadecimal digits.
    pub fn parse(written: &str) -> Option<Self> {
        let digits = written.as_bytes();
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let mut key = [0; 32];
        for (byte, pair) in key.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).ok()?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        Some(Self(key))
    }

    /// Its text form, 64 hexadecimal digits, only for its file.
    pub fn reveal(&self) -> String {
        hex(&self.0)
    }

    /// A value of 32 bytes to compare two keys without revealing them.
    pub fn check(&self) -> [u8; 32] {
        self.mac(&[OF_CHECKS])
    }

    /// The token of the projector's link number `link` of a class; `None` = the one without a name.
    pub fn projector_token(&self, class: Option<&ClassName>, link: u32) -> ProjectorToken {
        let number = link.to_be_bytes();
        let mac = match class {
            None => self.mac(&[OF_PROJECTORS, &number]),
            Some(class) => self.mac(&[OF_PROJECTORS, &number, class.as_str().as_bytes()]),
        };
        let mut bits = [0; 16];
        bits.copy_from_slice(&mac[..16]);
        ProjectorToken::new(bits)
    }

    /// The present password of a registration. If none has been given out, that is the first one.
    pub fn password_of(&self, registration: &Registration) -> Password {
        let counter = registration.password_counter.unwrap_or(1);
        self.password(&registration.username, &registration.marker, counter)
    }

    /// The password number `counter` of the account with this username and marker.
    ///
    /// The marker contains a number that is drawn for each account, so a username that is used
    /// again for another student gives another password.
    pub fn password(&self, username: &Username, marker: &Marker, counter: u32) -> Password {
        let block = |number: u32| {
            self.mac(&[
                OF_PASSWORDS,
                username.as_str().as_bytes(),
                marker.as_str().as_bytes(),
                &counter.to_be_bytes(),
                &number.to_be_bytes(),
            ])
        };
        // Endless in practice: 4,294,967,296 blocks of 32 bytes.
        Password::from_bytes((0..=u32::MAX).flat_map(block))
    }

    /// HMAC-SHA-256 of `parts`, each preceded by its length so that no two lists of parts collide.
    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        // HMAC takes a key of any length (RFC 2104, section 2), so this constructor cannot fail.
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for PasswordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordKey(..)")
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

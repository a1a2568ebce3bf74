//! Values that must not be printed, and the keyed hashes that are stored in place of some of them.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::random::hex;

/// A token, password or key from the configuration. `Debug` never shows the value.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps the value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, only where it has to be sent or compared.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// HMAC-SHA1 of `parts`. Each is preceded by its length, so that no two lists of parts collide.
pub(super) fn keyed_hash(key: &[u8], parts: &[&[u8]]) -> [u8; 20] {
    // HMAC takes a key of any length (RFC 2104, section 2), so this constructor cannot fail.
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// A proof of knowing `secret`, for a verifier that also has it: 40 hexadecimal digits that depend
/// on all of `parts`.
pub fn prove(secret: &Secret, parts: &[&str]) -> String {
    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
    hex(&keyed_hash(secret.reveal().as_bytes(), &parts))
}

/// A keyed hash of one outgoing text, stored while the outcome of its sending is unknown.
///
/// With it the text is found in Twilio's log, without storing the password that is in the text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 20]);

impl Fingerprint {
    /// Restores a fingerprint from its stored form; `None` if that is not 20 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(super) fn new(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// The stored form, 20 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let shown = format!("{:?} {:?}", Secret::new("hunter2"), Fingerprint([7; 20]));
        assert_eq!(shown, "Secret(..) Fingerprint(..)");
    }

    #[test]
    fn a_secret_is_revealed_as_it_was_given() {
        assert_eq!(Secret::new("hunter2").reveal(), "hunter2");
    }

    #[test]
    fn a_fingerprint_is_stored_as_its_twenty_bytes() {
        let stored: Vec<u8> = (0..20).collect();
        let restored = Fingerprint::from_bytes(&stored).unwrap();
        assert_eq!(restored.as_bytes(), stored);
        assert!(Fingerprint::from_bytes(&stored[1..]).is_none());
    }

    #[test]
    fn a_proof_is_the_keyed_hash_of_the_parts_in_hexadecimal() {
        // HMAC-SHA1 by Python's hmac, of two lengths of eight bytes with their parts.
        let proof = prove(&Secret::new("key"), &["ab", "c"]);
        assert_eq!(proof, "a0a6c26e133066836d9ecf9dba4a7c15762ec4cc");
        assert_ne!(proof, prove(&Secret::new("key"), &["a", "bc"]));
    }

    #[test]
    fn the_hash_depends_on_the_boundaries_of_the_parts() {
        assert_ne!(
            keyed_hash(b"k", &[b"ab", b"c"]),
            keyed_hash(b"k", &[b"a", b"bc"])
        );
    }
}

//! Which secret signed a request: the account's Auth Token, or one of its shared keys.

use crate::domain::{KeyId, SharedKey};

/// The header of requests that are signed with a shared key.
pub const SETTINGS_HEADER: &str = "X-Twilio-Webhooks-Signature-Settings";

/// An algorithm for signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC with SHA-1.
    Sha1,
    /// HMAC with SHA-256.
    Sha256,
}

/// The claim of a request about its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signer {
    /// The Auth Token, by HMAC-SHA1.
    AuthToken,
    /// A shared key.
    SharedKey {
        /// Its id, if it is valid.
        id: Option<KeyId>,
        /// The algorithm.
        algorithm: Algorithm,
    },
    /// An unknown algorithm.
    Unknown,
}

impl Signer {
    /// Reads the value of [`SETTINGS_HEADER`]: `key=...,algorithm=...`. Without an algorithm, as
    /// without the header, the signer is the Auth Token, as in Twilio's official libraries. Names
    /// and algorithms are case-insensitive.
    pub fn read(header: &str) -> Self {
        let named = |wanted: &str| {
            let mut parts = header.split(',').filter_map(|part| part.split_once('='));
            parts.find_map(|(name, value)| {
                let found = name.trim().eq_ignore_ascii_case(wanted) && !value.trim().is_empty();
                found.then(|| value.trim())
            })
        };
        let Some(algorithm) = named("algorithm") else {
            return Self::AuthToken;
        };
        let algorithm = match algorithm.to_ascii_uppercase().as_str() {
            "HMAC_SHA1" => Algorithm::Sha1,
            "HMAC_SHA256" => Algorithm::Sha256,
            _ => return Self::Unknown,
        };
        Self::SharedKey {
            id: named("key").and_then(KeyId::parse),
            algorithm,
        }
    }
}

/// The value of [`SETTINGS_HEADER`] for a request that `key` signs by HMAC-SHA256.
pub fn settings_of(key: &SharedKey) -> String {
    let id = key.id.as_ref().map_or("", KeyId::as_str);
    format!("key={id},algorithm=HMAC_SHA256")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "webhooks_sharedkey_01kzm8v9x2f7q4t6w8y0a1b2c3";

    #[test]
    fn the_header_names_the_signer() {
        let key = |algorithm| Signer::SharedKey {
            id: KeyId::parse(ID),
            algorithm,
        };
        let unnamed = Signer::SharedKey {
            id: None,
            algorithm: Algorithm::Sha256,
        };
        for (header, signer) in [
            ("", Signer::AuthToken),
            (",", Signer::AuthToken),
            (ID, Signer::AuthToken),
            (&format!("key={ID}"), Signer::AuthToken),
            (&format!("key={ID},algorithm="), Signer::AuthToken),
            (
                &format!("key={ID},algorithm=HMAC_SHA256"),
                key(Algorithm::Sha256),
            ),
            (
                &format!("key={ID},algorithm=HMAC_SHA1"),
                key(Algorithm::Sha1),
            ),
            (
                &format!(" Algorithm = hmac_sha256 , KEY = {ID} "),
                key(Algorithm::Sha256),
            ),
            (
                &format!("algorithm=,algorithm=HMAC_SHA1,key={ID}"),
                key(Algorithm::Sha1),
            ),
            (
                &format!("key={ID},algorithm=HMAC_SHA256,new=1"),
                key(Algorithm::Sha256),
            ),
            ("algorithm=HMAC_SHA256", unnamed.clone()),
            ("key=,algorithm=HMAC_SHA256", unnamed.clone()),
            ("key=<b>,algorithm=HMAC_SHA256", unnamed),
            (&format!("key={ID},algorithm=HMAC_MD5"), Signer::Unknown),
            (&format!("key={ID},algorithm=none"), Signer::Unknown),
            (
                &format!("key={ID},algorithm=HMAC_SHA256;x"),
                Signer::Unknown,
            ),
        ] {
            assert_eq!(Signer::read(header), signer, "{header:?}");
        }
    }
}

//! The proof that a webhook comes from Twilio, as Twilio's pages "Webhooks security" and "Sign webhooks with shared keys"
//! define it.
//!
//! What is hidden here: which spellings of our URL Twilio may have signed, and with what. The `Host` header of a
//! request plays no part, as whoever sends the request writes it.

mod signer;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;

use crate::domain::{KeyId, Secret, SharedKey, SignedUrl};
pub use signer::{Algorithm, SETTINGS_HEADER, Signer, settings_of};

/// Room for the 32 bytes of the longest signature, in whole groups of three as Base64 has them.
const SIGNATURE: usize = 33;

/// Why a signature is not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// It is not one by the Auth Token.
    Token,
    /// It says that it is by the Auth Token, and none is configured.
    NoToken,
    /// It is not one by the shared key that it names, or by any where it names none that we know.
    Key(Option<KeyId>),
    /// It says that it is by a shared key, and that is not configured.
    NoKey(Option<KeyId>),
    /// It names an algorithm that is unknown.
    Algorithm,
}

/// One secret's prepared HMACs, one for each spelling of the URL.
struct States<M>(Vec<M>);

/// A shared key's.
struct KeyStates {
    id: Option<KeyId>,
    sha1: States<Hmac<Sha1>>,
    sha256: States<Hmac<Sha256>>,
}

/// Checks signatures.
pub struct Verifier {
    tokens: Vec<States<Hmac<Sha1>>>,
    keys: Vec<KeyStates>,
}

impl Verifier {
    /// Prepares the check for `url`, signed with any one of `tokens` or `keys`.
    pub fn new(url: &SignedUrl, tokens: &[Secret], keys: &[SharedKey]) -> Self {
        let tokens = tokens.iter().map(|token| States::of(url, token)).collect();
        let keys = keys.iter().map(|key| KeyStates {
            id: key.id.clone(),
            sha1: States::of(url, &key.secret),
            sha256: States::of(url, &key.secret),
        });
        Self {
            tokens,
            keys: keys.collect(),
        }
    }

    /// Whether `signature`, the value of `X-Twilio-Signature`, is right for the decoded form parameters, made as
    /// `signer` says. The comparison takes the same time wherever it fails.
    ///
    /// # Errors
    /// Why it is not.
    pub fn check<N: AsRef<str>, V: AsRef<str>>(
        &self,
        signer: &Signer,
        params: &[(N, V)],
        signature: &str,
    ) -> Result<(), SignatureError> {
        match signer {
            Signer::AuthToken if self.tokens.is_empty() => Err(SignatureError::NoToken),
            Signer::AuthToken => {
                let right = ClaimedSignature::<20>::read(signature)
                    .is_some_and(|claim| claim.is_right(self.tokens.iter(), params));
                right.then_some(()).ok_or(SignatureError::Token)
            }
            Signer::SharedKey { id, algorithm } => {
                self.check_key(id.as_ref(), *algorithm, params, signature)
            }
            Signer::Unknown => Err(SignatureError::Algorithm),
        }
    }

    fn check_key<N: AsRef<str>, V: AsRef<str>>(
        &self,
        id: Option<&KeyId>,
        algorithm: Algorithm,
        params: &[(N, V)],
        signature: &str,
    ) -> Result<(), SignatureError> {
        // A key whose name is not configured may be that of any name, and the other way round.
        let may_be = |key: &&KeyStates| id.is_none() || key.id.is_none() || key.id.as_ref() == id;
        let mut keys = self.keys.iter().filter(may_be).peekable();
        if keys.peek().is_none() {
            return Err(SignatureError::NoKey(id.cloned()));
        }
        let right = match algorithm {
            Algorithm::Sha1 => ClaimedSignature::<20>::read(signature)
                .is_some_and(|claim| claim.is_right(keys.map(|key| &key.sha1), params)),
            Algorithm::Sha256 => ClaimedSignature::<32>::read(signature)
                .is_some_and(|claim| claim.is_right(keys.map(|key| &key.sha256), params)),
        };
        right
            .then_some(())
            .ok_or_else(|| SignatureError::Key(id.cloned()))
    }
}

impl<M: Mac + KeyInit> States<M> {
    fn of(url: &SignedUrl, secret: &Secret) -> Self {
        let prepared = |spelling: &String| {
            let mut state: M = keyed(secret);
            state.update(spelling.as_bytes());
            state
        };
        Self(url.spellings().iter().map(prepared).collect())
    }
}

fn keyed<M: KeyInit>(secret: &Secret) -> M {
    // HMAC takes a key of any length (RFC 2104, section 2), so this cannot fail.
    M::new_from_slice(secret.reveal().as_bytes()).expect("HMAC takes keys of any length")
}

/// A signature of `LENGTH` bytes, as a request claims it.
struct ClaimedSignature<const LENGTH: usize>([u8; SIGNATURE]);

impl<const LENGTH: usize> ClaimedSignature<LENGTH> {
    /// Only the padded standard form counts; anything else costs no hashing.
    fn read(signature: &str) -> Option<Self> {
        let mut bytes = [0; SIGNATURE];
        if signature.len() != LENGTH.div_ceil(3) * 4 {
            return None;
        }
        let length = STANDARD.decode_slice(signature, &mut bytes).ok()?;
        (length == LENGTH).then_some(Self(bytes))
    }

    fn is_right<'a, M: Mac + Clone + 'a, N: AsRef<str>, V: AsRef<str>>(
        &self,
        mut secrets: impl Iterator<Item = &'a States<M>>,
        params: &[(N, V)],
    ) -> bool {
        let text = canonical(params);
        secrets.any(|States(states)| {
            states.iter().any(|state| {
                let mut mac = state.clone();
                mac.update(text.as_bytes());
                mac.verify_slice(&self.0[..LENGTH]).is_ok()
            })
        })
    }
}

/// Signs form parameters for `url` as Twilio does with the Auth Token: the value of `X-Twilio-Signature`.
pub fn sign<N: AsRef<str>, V: AsRef<str>>(
    url: &SignedUrl,
    token: &Secret,
    params: &[(N, V)],
) -> String {
    sign_by(keyed::<Hmac<Sha1>>(token), url, params)
}

/// The same with a shared key, by HMAC-SHA256; [`settings_of`] has to come with it.
pub fn sign_with_key<N: AsRef<str>, V: AsRef<str>>(
    url: &SignedUrl,
    key: &SharedKey,
    params: &[(N, V)],
) -> String {
    sign_by(keyed::<Hmac<Sha256>>(&key.secret), url, params)
}

fn sign_by<M: Mac, N: AsRef<str>, V: AsRef<str>>(
    mut mac: M,
    url: &SignedUrl,
    params: &[(N, V)],
) -> String {
    mac.update(url.as_str().as_bytes());
    mac.update(canonical(params).as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Names and values without separators: sorted by name, then value; the same pair counts once
/// (official helpers for Python and Node).
fn canonical<N: AsRef<str>, V: AsRef<str>>(params: &[(N, V)]) -> String {
    let mut pairs: Vec<(&str, &str)> = params
        .iter()
        .map(|(name, value)| (name.as_ref(), value.as_ref()))
        .collect();
    pairs.sort_unstable();
    pairs.dedup();
    let length = pairs
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    let mut text = String::with_capacity(length);
    for (name, value) in pairs {
        text.push_str(name);
        text.push_str(value);
    }
    text
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

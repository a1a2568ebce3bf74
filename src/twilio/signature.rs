//! The proof that a webhook comes from Twilio, as Twilio's pages "Webhooks security" and "Sign
//! webhooks with shared keys" define it.
//!
//! This module hides which spellings of our URL Twilio may have signed, and with which secret. The
//! `Host` header of a request is not used, because the sender of the request controls it.

mod signer;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;

use crate::domain::{KeyId, Secret, SharedKey, SignedUrl};
pub use signer::{Algorithm, SETTINGS_HEADER, Signer, settings_of};

/// Buffer for the 32 bytes of the longest signature, rounded up to a group of three as Base64
/// needs.
const SIGNATURE_BUFFER: usize = 33;

/// Why a signature is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// It does not match the Auth Token.
    Token,
    /// It claims to be made with the Auth Token, and none is configured.
    NoToken,
    /// It does not match the shared key that it names, or any shared key if it names none.
    Key(Option<KeyId>),
    /// It claims to be made with a shared key that is not configured.
    NoKey(Option<KeyId>),
    /// It names an unknown algorithm.
    Algorithm,
}

/// The prepared HMACs of one secret, one for each spelling of the URL.
struct States<M>(Vec<M>);

/// The prepared HMACs of one shared key.
struct KeyStates {
    id: Option<KeyId>,
    sha1: States<Hmac<Sha1>>,
    sha256: States<Hmac<Sha256>>,
}

/// Checks the signatures of webhooks.
pub struct Verifier {
    tokens: Vec<States<Hmac<Sha1>>>,
    keys: Vec<KeyStates>,
}

impl Verifier {
    /// Prepares the check for `url`, signed with any of `tokens` or `keys`.
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

    /// Whether `signature`, the value of `X-Twilio-Signature`, is right for the decoded form
    /// parameters, if made as `signer` says. The comparison takes constant time.
    ///
    /// # Errors
    /// Why the signature is not accepted.
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
        // A configured key without an id matches any id, and a request without an id matches any
        // key.
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

/// The signature of `LENGTH` bytes in a request, not checked yet.
struct ClaimedSignature<const LENGTH: usize>([u8; SIGNATURE_BUFFER]);

impl<const LENGTH: usize> ClaimedSignature<LENGTH> {
    /// Accepts only padded standard Base64; anything else is refused without hashing.
    fn read(signature: &str) -> Option<Self> {
        let mut bytes = [0; SIGNATURE_BUFFER];
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

/// Signs form parameters for `url` as Twilio does with the Auth Token: the value of
/// `X-Twilio-Signature`.
pub fn sign<N: AsRef<str>, V: AsRef<str>>(
    url: &SignedUrl,
    token: &Secret,
    params: &[(N, V)],
) -> String {
    sign_by(keyed::<Hmac<Sha1>>(token), url, params)
}

/// Like [`sign`] with a shared key, by HMAC-SHA256; the request also needs the header value of
/// [`settings_of`].
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

/// Names and values without separators, sorted by name, then value; equal pairs count once (as in
/// Twilio's official libraries for Python and Node).
fn canonical<'p, N: AsRef<str>, V: AsRef<str>>(params: &'p [(N, V)]) -> String {
    let sortable = |(name, value): &'p (N, V)| {
        let name = name.as_ref();
        (beginning(name), name, value.as_ref())
    };
    let mut pairs: Vec<(u64, &str, &str)> = params.iter().map(sortable).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let lengths = pairs
        .iter()
        .map(|(_, name, value)| name.len() + value.len());
    let mut text = String::with_capacity(lengths.sum());
    for (_, name, value) in pairs {
        text.push_str(name);
        text.push_str(value);
    }
    text
}

/// The first bytes of a name as a number that sorts as they do. It tells most names of Twilio apart, which is faster than
/// to compare them.
fn beginning(name: &str) -> u64 {
    let name = name.as_bytes();
    let bytes = name.first_chunk().copied().unwrap_or_else(|| {
        let mut padded = [0; 8];
        padded[..name.len()].copy_from_slice(name);
        padded
    });
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

//! The proof that a webhook comes from Twilio, as Twilio's page "Webhooks security" defines it.
//!
//! What is hidden here: which spellings of our URL Twilio may have signed. The `Host` header of a
//! request plays no part, as whoever sends the request writes it.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::domain::Secret;

/// The URL that Twilio was given, without the parts that it never signs.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedUrl {
    /// Spellings that Twilio may have signed, the likeliest first: as configured, then with the
    /// default port, then without any ("Signature generation on the back end is inconsistent", says
    /// the official helper of ports).
    spellings: Vec<String>,
    path: String,
}

/// Why a value is no URL of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlFault {
    /// It begins with neither `https://` nor `http://`.
    Scheme,
    /// No host, or a character that no URL has.
    Form,
}

impl fmt::Display for UrlFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "begins with neither https:// nor http://",
            Self::Form => "is not a URL",
        })
    }
}

impl std::error::Error for UrlFault {}

impl SignedUrl {
    /// Parses the URL as it stands in Twilio's console; its fragment (Twilio's connection
    /// overrides) and user info are never signed, and come off.
    ///
    /// # Errors
    /// See [`UrlFault`].
    pub fn parse(url: &str) -> Result<Self, UrlFault> {
        let (scheme, rest) = url.split_once("://").ok_or(UrlFault::Scheme)?;
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "https" => "443",
            "http" => "80",
            _ => return Err(UrlFault::Scheme),
        };
        let rest = rest.split('#').next().unwrap_or(rest);
        let split = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(split);
        let host_port = authority.rsplit('@').next().unwrap_or(authority);
        let (host, port) = split_port(host_port);
        let port_ok = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        if host.is_empty() || !port_ok || !rest.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(UrlFault::Form);
        }
        let with = |authority: &str| format!("{scheme}://{authority}{tail}");
        let mut spellings = vec![with(host_port)];
        match port {
            Some(_) => spellings.push(with(host)),
            None => spellings.push(with(&format!("{host}:{default_port}"))),
        }
        let path = tail.split('?').next().unwrap_or(tail);
        let path = if path.is_empty() { "/" } else { path }.to_owned();
        Ok(Self { spellings, path })
    }

    /// The path under which the webhook is served; begins with `/`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether requests to `other` come here and carry a signature for this URL: the same URL, but for
    /// the default port, which may be written or not.
    pub fn is_same_as(&self, other: &Self) -> bool {
        let (ours, theirs) = (&self.spellings, &other.spellings);
        // The second spelling of a URL without port has the default one; it is the longer one then.
        let with_port = |urls: &[String]| urls[1].len() > urls[0].len();
        ours[0] == theirs[0]
            || (with_port(ours) && ours[1] == theirs[0])
            || (with_port(theirs) && theirs[1] == ours[0])
    }

    /// Whether it is `https`.
    pub fn is_https(&self) -> bool {
        self.as_str().starts_with("https://")
    }

    /// Its host, without port; an IPv6 address in its brackets.
    pub fn host(&self) -> &str {
        let rest = self.as_str().split_once("://").map_or("", |(_, rest)| rest);
        let authority = rest.split(['/', '?']).next().unwrap_or(rest);
        split_port(authority).0
    }

    /// The URL without fragment and user info.
    pub fn as_str(&self) -> &str {
        &self.spellings[0]
    }
}

impl fmt::Debug for SignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Splits `host:port`; an IPv6 literal keeps its colons.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
            (host, Some(port))
        }
        _ => (authority, None),
    }
}

/// Room for the 20 bytes of a signature, in whole groups of three as Base64 has them.
const SIGNATURE: usize = 21;

/// Checks signatures: one prepared HMAC for each token and each spelling of the URL.
pub struct Verifier {
    states: Vec<Hmac<Sha1>>,
}

impl Verifier {
    /// Prepares the check for `url`, signed with any one of `tokens`.
    pub fn new(url: &SignedUrl, tokens: &[Secret]) -> Self {
        let mut states = Vec::new();
        for token in tokens {
            for spelling in &url.spellings {
                // HMAC takes a key of any length (RFC 2104, section 2), so this cannot fail.
                let mut state = Hmac::<Sha1>::new_from_slice(token.reveal().as_bytes())
                    .expect("HMAC takes keys of any length");
                state.update(spelling.as_bytes());
                states.push(state);
            }
        }
        Self { states }
    }

    /// Whether `signature`, the value of `X-Twilio-Signature`, is right for the decoded form
    /// parameters. The comparison takes the same time wherever it fails.
    pub fn accepts<N: AsRef<str>, V: AsRef<str>>(
        &self,
        params: &[(N, V)],
        signature: &str,
    ) -> bool {
        // Only the padded standard form of 20 bytes counts; anything else costs no hashing.
        let mut claimed = [0; SIGNATURE];
        if signature.len() != claimed.len() / 3 * 4 {
            return false;
        }
        let Ok(length) = STANDARD.decode_slice(signature, &mut claimed) else {
            return false;
        };
        let text = canonical(params);
        self.states.iter().any(|state| {
            let mut mac = state.clone();
            mac.update(text.as_bytes());
            mac.verify_slice(&claimed[..length]).is_ok()
        })
    }
}

/// Signs form parameters for `url` as Twilio does: the value of `X-Twilio-Signature`.
pub fn sign<N: AsRef<str>, V: AsRef<str>>(
    url: &SignedUrl,
    token: &Secret,
    params: &[(N, V)],
) -> String {
    // HMAC takes a key of any length (RFC 2104, section 2), so this cannot fail.
    let mut mac = Hmac::<Sha1>::new_from_slice(token.reveal().as_bytes())
        .expect("HMAC takes keys of any length");
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
mod tests {
    use super::*;
    use serde_json::Value;

    fn vectors() -> Vec<Value> {
        let file: Value =
            serde_json::from_str(include_str!("../../tests/data/twilio-signatures.json")).unwrap();
        file["vectors"].as_array().unwrap().clone()
    }

    fn text<'a>(value: &'a Value, key: &str) -> &'a str {
        value[key].as_str().unwrap_or("")
    }

    #[test]
    fn every_form_vector_of_the_official_helper_agrees() {
        let mut seen = 0;
        for vector in vectors() {
            if text(&vector, "content_type") == "application/json" {
                continue;
            }
            let url = SignedUrl::parse(text(&vector, "url")).unwrap();
            let verifier = Verifier::new(&url, &[Secret::new(text(&vector, "auth_token"))]);
            let params: Vec<(String, String)> =
                form_urlencoded::parse(text(&vector, "raw_body").as_bytes())
                    .into_owned()
                    .collect();
            let accepted = verifier.accepts(&params, text(&vector, "signature"));
            assert_eq!(Value::Bool(accepted), vector["valid"], "{}", vector["name"]);
            seen += 1;
        }
        assert_eq!(seen, 23);
    }

    #[test]
    fn json_vectors_sign_the_url_alone() {
        // The body of a JSON post is covered by a hash in the URL. We take no JSON at all (400 before
        // any signature), so of these two vectors only the part about the URL is ours.
        let json: Vec<Value> = vectors()
            .into_iter()
            .filter(|v| text(v, "content_type") == "application/json")
            .collect();
        assert_eq!(json.len(), 2);
        for vector in json {
            let url = SignedUrl::parse(text(&vector, "url")).unwrap();
            let verifier = Verifier::new(&url, &[Secret::new(text(&vector, "auth_token"))]);
            assert!(verifier.accepts::<&str, &str>(&[], text(&vector, "signature")));
        }
    }

    #[test]
    fn fragment_and_user_info_are_never_signed() {
        let url = SignedUrl::parse("https://user:pw@sms.example.org:8443/in?x=1#rc=3&rp=ct,rt,5xx")
            .unwrap();
        assert_eq!(url.as_str(), "https://sms.example.org:8443/in?x=1");
        assert_eq!(url.path(), "/in");
        assert_eq!(url.spellings[1], "https://sms.example.org/in?x=1");
        assert_eq!(
            SignedUrl::parse("https://sms.example.org").unwrap().path(),
            "/"
        );
        assert_eq!(
            SignedUrl::parse("http://[::1]/x").unwrap().spellings,
            ["http://[::1]/x", "http://[::1]:80/x"]
        );
        assert_eq!(
            SignedUrl::parse("sms.example.org/in"),
            Err(UrlFault::Scheme)
        );
        assert_eq!(SignedUrl::parse("ftp://x/in"), Err(UrlFault::Scheme));
        assert_eq!(SignedUrl::parse("https:///in"), Err(UrlFault::Form));
        assert_eq!(SignedUrl::parse("https://x/a b"), Err(UrlFault::Form));
    }

    #[test]
    fn a_default_port_makes_no_other_url() {
        let url = |url: &str| SignedUrl::parse(url).unwrap();
        let ours = url("https://sms.example.org/inbound");
        for same in [
            "https://sms.example.org/inbound#rc=3",
            "https://user:pw@sms.example.org/inbound",
            "https://sms.example.org:443/inbound",
        ] {
            assert!(ours.is_same_as(&url(same)) && url(same).is_same_as(&ours));
        }
        for other in [
            "http://sms.example.org/inbound",
            "https://sms.example.org:8443/inbound",
            "https://sms.example.org/inbound/",
            "https://SMS.example.org/inbound",
            "https://sms.example.org/inbound?x=1",
        ] {
            assert!(!ours.is_same_as(&url(other)) && !url(other).is_same_as(&ours));
        }
        assert_eq!(url("https://[::1]:8443/x").host(), "[::1]");
        assert_eq!(url("http://sms.example.org?x").host(), "sms.example.org");
    }

    #[test]
    fn what_is_signed_here_is_accepted() {
        let url = SignedUrl::parse("https://sms.example.org/inbound").unwrap();
        let token = Secret::new("token");
        let params = [("B", "2"), ("A", "1")];
        let verifier = Verifier::new(&url, std::slice::from_ref(&token));
        assert!(verifier.accepts(&params, &sign(&url, &token, &params)));
    }

    #[test]
    fn old_and_new_token_count_during_a_rotation() {
        let url = SignedUrl::parse("https://sms.example.org/inbound").unwrap();
        let params = [("Body", "hi")];
        let sign = |token: &str| {
            let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).unwrap();
            mac.update(b"https://sms.example.org/inboundBodyhi");
            STANDARD.encode(mac.finalize().into_bytes())
        };
        let both = Verifier::new(&url, &[Secret::new("old"), Secret::new("new")]);
        assert!(both.accepts(&params, &sign("old")));
        assert!(both.accepts(&params, &sign("new")));
        assert!(!both.accepts(&params, &sign("older")));
        assert!(!both.accepts(&params, ""));
        assert!(!both.accepts(&[("Body", "ho")], &sign("new")));
    }
}

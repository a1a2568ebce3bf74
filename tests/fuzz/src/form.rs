//! Forms as the WHATWG's URL standard has them, and Twilio's signature of one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// A form's names and values in their order.
pub type Pairs = Vec<(String, String)>;

/// Decodes a form.
pub fn decode(form: &[u8]) -> Pairs {
    form.split(|byte| *byte == b'&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| {
            let equals = piece.iter().position(|byte| *byte == b'=');
            let (name, value) = match equals {
                Some(at) => (&piece[..at], &piece[at + 1..]),
                None => (piece, &piece[..0]),
            };
            (unescape(name), unescape(value))
        })
        .collect()
}

fn unescape(escaped: &[u8]) -> String {
    let digit = |at: usize| {
        let byte = *escaped.get(at)?;
        char::from(byte).to_digit(16)
    };
    let mut bytes = Vec::new();
    let mut at = 0;
    while at < escaped.len() {
        match (escaped[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                at += 2;
            }
            (b'+', ..) => bytes.push(b' '),
            (byte, ..) => bytes.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What Twilio signs: the URL, then all names and values, sorted, none twice, without anything between them.
pub fn signed_text(url: &str, pairs: &Pairs) -> String {
    let mut sorted = pairs.clone();
    sorted.sort();
    sorted.dedup();
    let mut text = url.to_owned();
    for (name, value) in &sorted {
        text += name;
        text += value;
    }
    text
}

/// The value of `X-Twilio-Signature` for a text.
pub fn sign(token: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).expect("any length will do");
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

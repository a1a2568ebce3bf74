//! What the service reads from others, held against a second opinion that is written anew in the plainest way. Each room
//! with a function `check` has a target in `targets/` for libFuzzer and seeds in `corpus/`.
//!
//! `make fuzz` runs the targets; `make test` gives the seeds, and what comes of them by small changes, to the same functions.
//! Inputs are plain text, so that seeds can be read and written by hand. What a run finds beside them goes to `found/`,
//! which is not kept.

pub mod chunks;
pub mod coder_answers;
pub mod configuration;
pub mod form;
pub mod gate;
pub mod phone_and_phrase;
pub mod server;
pub mod settings_file;
pub mod stream_entry;
pub mod twilio_answers;
pub mod webhook;

use coder_sms_register::config::{Sender, TwilioConfig};
use coder_sms_register::domain::{Secret, SignedUrl};

/// The account whose texts are taken.
pub const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
/// The number that replies come from.
pub const OUR_NUMBER: &str = "+14155550100";
/// The webhook's URL.
pub const URL: &str = "https://sms.example.org/twilio?class=7";
/// The tokens of a rotation: the new and the old one.
pub const TOKENS: [&str; 2] = ["NewTokenOfTheAccount", "OldTokenOfTheAccount"];

/// Twilio's part of a configuration, with the API at `api_url`.
pub fn twilio_config(api_url: &str) -> TwilioConfig {
    TwilioConfig {
        account_sid: ACCOUNT.to_owned(),
        webhook_tokens: TOKENS.map(Secret::new).into(),
        shared_keys: Vec::new(),
        auth_sid: ACCOUNT.to_owned(),
        auth_token: Secret::new(TOKENS[0]),
        sender: Sender::Number(OUR_NUMBER.to_owned()),
        webhook_url: SignedUrl::parse(URL).expect("a URL"),
        receipts: None,
        api_url: api_url.to_owned(),
    }
}

/// A number below `bound` that depends on all of `data`: choices that need no bytes of the input.
pub fn pick(data: &[u8], bound: usize) -> usize {
    let mixed = data.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (mixed % bound.max(1) as u64) as usize
}

/// Fails unless `shown` is one printable line without any of `secrets`.
pub fn assert_harmless(shown: &str, secrets: &[&str]) {
    assert!(!shown.chars().any(char::is_control), "{shown:?}");
    for secret in secrets {
        assert!(!shown.contains(secret), "{secret:?} is in {shown:?}");
    }
}

//! The probe of the public URL: does this service answer there?
//!
//! `check` sends it like a text from Twilio, with a parameter that Twilio never sends and a signature made
//! with our token. The answer proves to an owner of the token that the service has the same token, the
//! same data folder, and the same settings of its classes and of Coder. The request is not stored and not
//! logged. It is counted, so that a flood of probes can be noticed.
//!
//! A probe cannot be turned into a text: it contains no MessageSid, even if names and values are split in
//! another way. A repeated probe gets the same answer.

use serde::{Deserialize, Serialize};

use crate::domain::{InstanceId, Secret, prove};

/// The parameter. Its value is a nonce of 32 hexadecimal digits.
pub const PARAMETER: &str = "CoderSmsRegisterProbe";

const TOKEN: &str = "coder-sms-register probe of the token v1";
const FOLDER: &str = "coder-sms-register probe of the folder v1";
const SETTINGS: &str = "coder-sms-register probe of the settings v1";

#[derive(Deserialize, Serialize)]
struct ProofBody {
    token: String,
    folder: String,
    /// Empty in answers of earlier versions.
    #[serde(default)]
    settings: String,
}

/// The service that answered a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answerer {
    /// The service of this data folder.
    Ourselves,
    /// The same, but it was started with other settings, or is an earlier version.
    Outdated,
    /// A service with our token, but with another data folder.
    Twin,
    /// A service with our token. We do not know our own instance id.
    Unnamed,
}

/// Whether `value` is a nonce.
pub(super) fn is_nonce(value: &str) -> bool {
    value.len() == 32 && value.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The answer to a nonce, as JSON. `settings`: what the service was started with.
pub(super) fn answer(
    nonce: &str,
    token: &Secret,
    instance_id: Option<&InstanceId>,
    settings: &Secret,
) -> String {
    let instance_id = instance_id.map_or("", InstanceId::as_str);
    let proof = ProofBody {
        token: prove(token, &[TOKEN, nonce]),
        folder: prove(token, &[FOLDER, nonce, instance_id]),
        settings: prove(token, &[SETTINGS, nonce, settings.reveal()]),
    };
    // A struct of strings always serializes.
    serde_json::to_string(&proof).unwrap_or_default()
}

/// Reads the answer to `nonce` from a service that has one of `tokens`. `None` = it is not a valid answer.
/// `settings`: what it should have been started with; `None` = unknown.
pub fn read(
    body: &[u8],
    nonce: &str,
    tokens: &[Secret],
    instance_id: Option<&InstanceId>,
    settings: Option<&Secret>,
) -> Option<Answerer> {
    let proof: ProofBody = serde_json::from_slice(body).ok()?;
    let token = tokens
        .iter()
        .find(|token| prove(token, &[TOKEN, nonce]) == proof.token)?;
    let as_set =
        |settings: &Secret| prove(token, &[SETTINGS, nonce, settings.reveal()]) == proof.settings;
    Some(match instance_id {
        None => Answerer::Unnamed,
        Some(id) if prove(token, &[FOLDER, nonce, id.as_str()]) == proof.folder => {
            match settings.is_none_or(as_set) {
                true => Answerer::Ourselves,
                false => Answerer::Outdated,
            }
        }
        Some(_) => Answerer::Twin,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::nonce;

    #[test]
    fn an_answer_proves_the_token_the_data_folder_and_the_settings() {
        let (ours, old) = (Secret::new("new"), Secret::new("old"));
        let sent = nonce();
        assert!(is_nonce(&sent));
        let id = |raw: &str| InstanceId::from_stored(raw);
        let (class, other) = (Secret::new("purple kettle"), Secret::new("brown lantern"));
        let answer = answer(&sent, &old, Some(&id("F00D")), &class);
        let read_for = |tokens: &[Secret], nonce: &str, raw: Option<&str>, settings| {
            let body = answer.as_bytes();
            read(body, nonce, tokens, raw.map(id).as_ref(), settings)
        };
        let read = |tokens: &[Secret], nonce: &str, raw| read_for(tokens, nonce, raw, Some(&class));
        let both = [ours.clone(), old];
        assert_eq!(read(&both, &sent, Some("F00D")), Some(Answerer::Ourselves));
        assert_eq!(read(&both, &sent, Some("BEEF")), Some(Answerer::Twin));
        for (settings, expected) in [
            (None, Answerer::Ourselves),
            (Some(&other), Answerer::Outdated),
        ] {
            let found = read_for(&both, &sent, Some("F00D"), settings);
            assert_eq!(found, Some(expected));
        }
        assert_eq!(read(&both, &sent, None), Some(Answerer::Unnamed));
        assert_eq!(read(&[ours], &sent, Some("F00D")), None);
        assert_eq!(read(&both, &nonce(), Some("F00D")), None);
    }

    #[test]
    fn other_bodies_are_no_answers_and_other_values_no_nonces() {
        for body in ["", "{}", "<Response/>", "ok"] {
            let tokens = [Secret::new("t")];
            assert_eq!(read(body.as_bytes(), &nonce(), &tokens, None, None), None);
        }
        for value in ["", "x", &"g".repeat(32), &"0".repeat(33)] {
            assert!(!is_nonce(value), "{value}");
        }
    }
}

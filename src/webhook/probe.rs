//! A question to the public URL: is it this very service that answers there?
//!
//! `check` asks it as Twilio would send a text, with a parameter that Twilio never sends and a signature
//! by our own token. The answer proves to who has that token that the same token is there, and that the
//! same data folder is. Nothing is kept or logged of it; it is counted, as a request that leaves no trace
//! at all would be one to flood us with.
//!
//! A text cannot be made of such a request, as there is no MessageSid in it, however names and values are
//! parted anew; a repeated one gets the same answer.

use serde::{Deserialize, Serialize};

use crate::domain::{InstanceId, Secret, prove};

/// The parameter. Its value is a nonce of 32 hexadecimal digits.
pub const PARAMETER: &str = "CoderSmsRegisterProbe";

const TOKEN: &str = "coder-sms-register probe of the token v1";
const FOLDER: &str = "coder-sms-register probe of the folder v1";

#[derive(Deserialize, Serialize)]
struct Proof {
    token: String,
    folder: String,
}

/// Who answered a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answerer {
    /// The service of this data folder.
    Ourselves,
    /// A service with our token, but with another data folder.
    Twin,
    /// A service with our token. Our own instance id is not known.
    Unnamed,
}

/// Whether `value` is a nonce.
pub(super) fn is_nonce(value: &str) -> bool {
    value.len() == 32 && value.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The answer to a nonce, as JSON.
pub(super) fn answer(nonce: &str, token: &Secret, instance_id: Option<&InstanceId>) -> String {
    let instance_id = instance_id.map_or("", InstanceId::as_str);
    let proof = Proof {
        token: prove(token, &[TOKEN, nonce]),
        folder: prove(token, &[FOLDER, nonce, instance_id]),
    };
    // A struct of strings always serializes.
    serde_json::to_string(&proof).unwrap_or_default()
}

/// Reads the answer to `nonce`, by a service that has one of `tokens`. `None` = it is no such answer.
pub fn read(
    body: &[u8],
    nonce: &str,
    tokens: &[Secret],
    instance_id: Option<&InstanceId>,
) -> Option<Answerer> {
    let proof: Proof = serde_json::from_slice(body).ok()?;
    let token = tokens
        .iter()
        .find(|token| prove(token, &[TOKEN, nonce]) == proof.token)?;
    Some(match instance_id {
        None => Answerer::Unnamed,
        Some(id) if prove(token, &[FOLDER, nonce, id.as_str()]) == proof.folder => {
            Answerer::Ourselves
        }
        Some(_) => Answerer::Twin,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::nonce;

    #[test]
    fn an_answer_shows_token_and_folder() {
        let (ours, old) = (Secret::new("new"), Secret::new("old"));
        let asked = nonce();
        assert!(is_nonce(&asked));
        let id = |raw: &str| InstanceId::from_stored(raw);
        let told = answer(&asked, &old, Some(&id("F00D")));
        let read = |tokens: &[Secret], nonce: &str, raw: Option<&str>| {
            read(told.as_bytes(), nonce, tokens, raw.map(id).as_ref())
        };
        let both = [ours.clone(), old];
        assert_eq!(read(&both, &asked, Some("F00D")), Some(Answerer::Ourselves));
        assert_eq!(read(&both, &asked, Some("BEEF")), Some(Answerer::Twin));
        assert_eq!(read(&both, &asked, None), Some(Answerer::Unnamed));
        assert_eq!(read(&[ours], &asked, Some("F00D")), None);
        assert_eq!(read(&both, &nonce(), Some("F00D")), None);
    }

    #[test]
    fn nothing_else_is_an_answer() {
        for body in ["", "{}", "<Response/>", "ok"] {
            let tokens = [Secret::new("t")];
            assert_eq!(read(body.as_bytes(), &nonce(), &tokens, None), None);
        }
        for value in ["", "x", &"g".repeat(32), &"0".repeat(33)] {
            assert!(!is_nonce(value), "{value}");
        }
    }
}

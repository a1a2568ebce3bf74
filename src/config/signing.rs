//! Reads the secrets that sign webhooks: Auth Tokens, shared keys, or both while one replaces the
//! other.

use super::SettingProblem;
use super::reader::Reader;
use crate::domain::{KeyId, Secret, SharedKey};

const TOKEN: &str = "TWILIO_ACCOUNT_TOKEN";
const KEY: &str = "TWILIO_SHARED_KEY";

/// The most secrets of one kind: the new and the old one.
const MAX_SECRETS: usize = 2;

/// Reads the Auth Tokens. They are optional if shared keys are set, which is `replaced`.
pub(super) fn read_tokens(r: &mut Reader, replaced: bool) -> Vec<Secret> {
    let tokens = if replaced {
        r.get(TOKEN).unwrap_or_default().to_owned()
    } else {
        r.required(TOKEN)
    };
    let listed: Vec<Secret> = items(&tokens).map(Secret::new).collect();
    if listed.is_empty() && !tokens.is_empty() {
        r.fault(
            TOKEN,
            SettingProblem::new("lists no token", "copy the Auth Token of the account"),
        );
    }
    if listed.len() > MAX_SECRETS {
        r.fault(
            TOKEN,
            SettingProblem::new("lists more than two tokens", "keep the new and the old one"),
        );
    }
    listed
}

pub(super) fn read_shared_keys(r: &mut Reader) -> Vec<SharedKey> {
    let keys = r.optional(KEY, |value| {
        let keys: Vec<SharedKey> = items(value).map(shared_key).collect::<Result<_, _>>()?;
        match keys.len() {
            0 => Err(SettingProblem::new(
                "lists no key",
                "copy the secret that Twilio showed when the key was created",
            )),
            1..=MAX_SECRETS => Ok(keys),
            _ => Err(SettingProblem::new(
                "lists more than two keys",
                "keep the new and the old one",
            )),
        }
    });
    keys.ok().flatten().unwrap_or_default()
}

fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split([',', ' ']).filter(|item| !item.is_empty())
}

/// The value is a secret, so no error repeats it.
fn shared_key(value: &str) -> Result<SharedKey, SettingProblem> {
    let (id, secret) = match value.split_once(':') {
        Some((id, secret)) if KeyId::begins(id) => {
            let id = KeyId::parse(id).ok_or(
                "names a key that does not consist of webhooks_sharedkey_ and letters and digits",
            )?;
            (Some(id), secret)
        }
        _ => (None, value),
    };
    if secret.is_empty() || (id.is_none() && KeyId::begins(value)) {
        return Err(SettingProblem::new(
            "is the id of a key and not its secret, which Twilio shows only once",
            "write webhooks_sharedkey_...:SECRET, or the secret alone",
        ));
    }
    Ok(SharedKey {
        id,
        secret: Secret::new(secret),
    })
}

/// Requires the settings that would otherwise be derived from the Auth Token. Credentials for calls
/// are needed only if the service `sends` texts.
pub(super) fn replace_token(r: &mut Reader, sends: bool) {
    if sends {
        require_api_key(r);
    }
    if r.get("CODER_REG_PHONE_KEY").is_none() && !r.is_faulty("CODER_REG_PHONE_KEY") {
        r.fault(
            "CODER_REG_PHONE_KEY",
            SettingProblem::new("missing: without TWILIO_ACCOUNT_TOKEN it cannot be derived", "set a key of your own (openssl rand -hex 32); while accounts from before still exist, keep TWILIO_ACCOUNT_TOKEN"),
        );
    }
}

fn require_api_key(r: &mut Reader) {
    let is_key = r
        .get("TWILIO_AUTH_SID")
        .is_some_and(|sid| sid.starts_with("SK"));
    if !is_key && !r.is_faulty("TWILIO_AUTH_SID") {
        r.fault(
            "TWILIO_AUTH_SID",
            SettingProblem::new(
                "missing: without TWILIO_ACCOUNT_TOKEN texts are sent with an API key (SK...)",
                "create one in Twilio's console",
            ),
        );
    }
    if r.get("TWILIO_AUTH_TOKEN").is_none() && !is_key && !r.is_faulty("TWILIO_AUTH_TOKEN") {
        r.fault(
            "TWILIO_AUTH_TOKEN",
            SettingProblem::new(
                "missing",
                "without TWILIO_ACCOUNT_TOKEN it is the secret of the API key in TWILIO_AUTH_SID",
            ),
        );
    }
}

#[cfg(test)]
mod tests;

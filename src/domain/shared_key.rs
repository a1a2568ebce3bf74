//! A key of Twilio that signs webhooks in place of the Auth Token, and its name.

use std::fmt;

use super::Secret;

/// What the ids of shared keys begin with.
const ID_START: &str = "webhooks_sharedkey_";
/// The longest id that is shown; Twilio's have 26 characters after their beginning.
const ID_LENGTH: usize = 64;

/// A key that Twilio signs webhooks with instead of the Auth Token; it can do nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedKey {
    /// Twilio's name for it (`webhooks_sharedkey_...`); `None` = not known, so it may be the key of any name.
    pub id: Option<KeyId>,
    /// What is signed with.
    pub secret: Secret,
}

/// The name of a shared key. It is no secret, and safe to show.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(String);

impl KeyId {
    /// Parses a name; `None` if it has another form.
    pub fn parse(raw: &str) -> Option<Self> {
        let rest = raw.strip_prefix(ID_START)?;
        let proper = !rest.is_empty()
            && raw.len() <= ID_LENGTH
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
        proper.then(|| Self(raw.to_owned()))
    }

    /// The name as Twilio writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a value begins as such names do.
    pub fn begins(value: &str) -> bool {
        value.starts_with(ID_START)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "webhooks_sharedkey_01kzm8v9x2f7q4t6w8y0a1b2c3";

    #[test]
    fn a_key_s_name_has_one_form() {
        assert!(KeyId::parse(ID).is_some());
        let long = format!("{ID_START}{}", "a".repeat(ID_LENGTH));
        for bad in [
            "",
            ID_START,
            "sharedkey_1",
            "webhooks_sharedkey_1\n",
            "webhooks_sharedkey_é",
            &long,
        ] {
            assert!(KeyId::parse(bad).is_none(), "{bad:?}");
        }
    }
}

//! Shared keys of Twilio, which sign webhooks in place of the Auth Token, and their ids.

use std::fmt;

use super::Secret;

/// The prefix of the ids of shared keys.
const ID_START: &str = "webhooks_sharedkey_";
/// The longest valid id; Twilio's have 26 characters after the prefix.
const ID_LENGTH: usize = 64;

/// A key that Twilio signs webhooks with instead of the Auth Token. It has no other use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedKey {
    /// Its id at Twilio (`webhooks_sharedkey_...`); `None` = not known, so it is tried for any id.
    pub id: Option<KeyId>,
    /// The key itself.
    pub secret: Secret,
}

/// The id of a shared key. It is not secret.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(String);

impl KeyId {
    /// Parses an id; `None` if it has another form.
    pub fn parse(raw: &str) -> Option<Self> {
        let rest = raw.strip_prefix(ID_START)?;
        let proper = !rest.is_empty()
            && raw.len() <= ID_LENGTH
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
        proper.then(|| Self(raw.to_owned()))
    }

    /// The id as Twilio writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a value has the prefix of such ids.
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
    fn key_ids_have_one_form() {
        let id = KeyId::parse(ID).expect("Twilio's form");
        assert_eq!(
            (id.as_str(), format!("{id} {id:?}")),
            (ID, format!("{ID} {ID}"))
        );
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

    #[test]
    fn a_value_that_begins_like_an_id_is_known_as_one() {
        assert!(KeyId::begins(ID) && KeyId::begins("webhooks_sharedkey_?"));
        assert!(!KeyId::begins("sharedkey_1") && !KeyId::begins("my_webhooks_sharedkey_1"));
    }
}

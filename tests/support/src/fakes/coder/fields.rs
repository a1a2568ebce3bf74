//! Reading a JSON body, and the rules for single fields.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _};

use super::super::random::parse_uuid;
use super::super::server::Request;
use super::fault::Fault;

/// A UUID inside a body; a malformed one makes the whole body malformed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uuid(pub String);

/// Stands for "the default organization".
pub const NIL_UUID: &str = "00000000-0000-0000-0000-000000000000";

impl<'de> Deserialize<'de> for Uuid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || D::Error::custom(format!("invalid UUID length: {}", text.len()));
        parse_uuid(&text).map(Self).ok_or_else(wrong)
    }
}

/// Reads the body's first JSON value. Unknown fields are ignored, as the server ignores them.
pub fn read_body<T: DeserializeOwned>(request: &Request) -> Result<T, Fault> {
    let malformed =
        |detail: String| Fault::new(400, "Request body must be valid JSON.").detail(detail);
    let body = request.body.trim_ascii();
    if body.is_empty() {
        return Err(malformed("EOF".to_owned()));
    }
    if body[0] != b'{' {
        return Err(malformed(
            "json: cannot unmarshal value into Go value".to_owned(),
        ));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    T::deserialize(&mut reader).map_err(|error| malformed(error.to_string()))
}

/// Collects the fields that break a rule: the first broken rule of each, all fields at once.
#[derive(Default)]
pub struct Check(Vec<(String, String)>);

impl Check {
    /// Blames `field` for `tag` unless it is `fine`, and unless it is blamed already. The value is echoed.
    pub fn that(&mut self, fine: bool, field: &str, tag: &str, value: &str) -> &mut Self {
        if !fine && self.0.iter().all(|(blamed, _)| blamed != field) {
            let detail = format!("Validation failed for tag {tag:?} with value: \"{value}\"");
            self.0.push((field.to_owned(), detail));
        }
        self
    }

    /// The fault, if there is any.
    pub fn done(&mut self) -> Result<(), Fault> {
        if self.0.is_empty() {
            return Ok(());
        }
        let fault = Fault::new(400, "Validation failed.");
        Err(self.0.iter().fold(fault, |fault, (field, detail)| {
            fault.field(field, detail.as_str())
        }))
    }
}

/// 1 to 32 letters and digits with single hyphens between them; not `new`, not `create`.
pub fn is_username(text: &str) -> bool {
    let pieces = text
        .split('-')
        .all(|piece| !piece.is_empty() && piece.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    (1..=32).contains(&text.len()) && pieces && text != "new" && text != "create"
}

/// At most 128 bytes, no white space at the ends.
pub fn is_real_name(text: &str) -> bool {
    text.len() <= 128 && text.trim() == text
}

/// A syntactic look only: something before the `@`, and a dotted domain whose last label begins and ends with a letter.
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let is_atom = |byte: u8| {
        byte.is_ascii_alphanumeric() || byte >= 0x80 || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
    };
    let local_fine = local
        .split('.')
        .all(|atom| !atom.is_empty() && atom.bytes().all(is_atom));
    let is_letter = |character: char| character.is_ascii_alphabetic() || !character.is_ascii();
    let is_inner = |character: char| {
        is_letter(character) || character.is_ascii_digit() || "-_~".contains(character)
    };
    let label_fine = |label: &str, is_edge: &dyn Fn(char) -> bool| {
        label.starts_with(is_edge) && label.ends_with(is_edge) && label.chars().all(is_inner)
    };
    let mut labels: Vec<&str> = domain
        .strip_suffix('.')
        .unwrap_or(domain)
        .split('.')
        .collect();
    let last = labels.pop().unwrap_or_default();
    let is_edge = |character: char| is_letter(character) || character.is_ascii_digit();
    local_fine
        && !labels.is_empty()
        && labels.iter().all(|label| label_fine(label, &is_edge))
        && label_fine(last, &is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames() {
        for fine in [
            "a",
            "happy-tuna",
            "Happy-Tuna-27",
            "0",
            "new-user",
            "a1-b2-c3",
            &"x".repeat(32),
        ] {
            assert!(is_username(fine), "{fine}");
        }
        for wrong in [
            "",
            "-a",
            "a-",
            "a--b",
            "a_b",
            "a.b",
            "new",
            "create",
            "tüna",
            "a b",
            &"x".repeat(33),
        ] {
            assert!(!is_username(wrong), "{wrong}");
        }
    }

    #[test]
    fn email_addresses() {
        for fine in ["ana@temp.example.com", "a.b+c@x.org", "x@a1-b.co"] {
            assert!(is_email(fine), "{fine}");
        }
        for wrong in [
            "",
            "ana",
            "@x.org",
            "x@localhost",
            "x@1.2.3.4",
            "a..b@x.org",
            "x@.org",
            "x@a.b-",
            "x y@a.org",
        ] {
            assert!(!is_email(wrong), "{wrong}");
        }
    }

    #[test]
    fn real_names() {
        assert!(is_real_name("") && is_real_name("Happy Tuna") && is_real_name(&"x".repeat(128)));
        assert!(!is_real_name(" x") && !is_real_name("x\t") && !is_real_name(&"x".repeat(129)));
    }
}

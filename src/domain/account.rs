//! What a student gets: a username, and the marker by which we know the account again.

use std::fmt;

use super::InstanceId;
use super::phone::PhoneKey;
use super::random::{below, bytes, hex};
use super::words::{ADJECTIVES, NOUNS};

/// A Coder username of two friendly words and, after a clash, digits: `happy-tuna`, `happy-tuna-27`.
///
/// It obeys Coder's rule (`codersdk/name.go`: 1 to 32 bytes, letters and digits with single hyphens
/// between them) and cannot be one of Coder's route names, as it always has a hyphen.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Username(String);

impl Username {
    /// The longest name that [`Username::draw`] can make, in bytes: two words of 8 and three digits.
    pub const LONGEST: usize = 8 + 1 + 8 + 4;

    /// Draws a name. The first try is two words; each further one adds a number, as the plain pair
    /// has shown to be taken.
    pub fn draw(clashes: u32) -> Self {
        let pair = format!(
            "{}-{}",
            ADJECTIVES[below(ADJECTIVES.len())],
            NOUNS[below(NOUNS.len())]
        );
        Self(match clashes {
            0 => pair,
            1..=2 => format!("{pair}-{}", 10 + below(90)),
            _ => format!("{pair}-{}", 100 + below(900)),
        })
    }

    /// Reads a stored name back; `None` if it breaks Coder's rule.
    pub fn parse(raw: &str) -> Option<Self> {
        let fits = (1..=32).contains(&raw.len())
            && raw
                .split('-')
                .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()));
        fits.then(|| Self(raw.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The e-mail address with which the student logs in.
    pub fn email(&self, domain: &str) -> String {
        format!("{}@{domain}", self.0)
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The display name that our users carry in Coder, such as `Class guest 1f0c92aa-77b01e5d-c4a11b02`.
///
/// The first number is drawn for one reservation, the second proves that our key drew it for this
/// name, the third that it was drawn in this data folder: services of one instructor may share the key.
/// A user with the marker that we wrote down before creating it is ours; one without is a stranger's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker(String);

/// Who drew a display name, as far as its proofs tell. All of them had our key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawer {
    /// This data folder's service.
    ThisFolder,
    /// Another data folder's: one that was lost, or that of another service.
    OtherFolder,
}

/// Whether this is one of the numbers of a marker: 8 hex digits, as we write them.
fn is_number(text: &str) -> bool {
    text.len() == 8 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// What every marker begins with.
const WORDS: &str = "Class guest ";

impl Marker {
    /// Draws a marker for `username` in the data folder of `instance_id`.
    pub fn draw(username: &Username, key: &PhoneKey, instance_id: &InstanceId) -> Self {
        let nonce = hex(&bytes::<4>());
        let proof = key.sign_name(username.as_str(), &nonce);
        let place = key.sign_instance(username.as_str(), &nonce, instance_id);
        Self(format!("{WORDS}{nonce}-{proof}-{place}"))
    }

    /// Who drew `shown`, a user's display name, for the name `username`; `None` if that was not one of
    /// `keys`, whatever it looks like. Without `instance_id`, that of this data folder, nobody drew it here.
    pub fn drawer(
        shown: &str,
        username: &str,
        keys: &[PhoneKey],
        instance_id: Option<&InstanceId>,
    ) -> Option<Drawer> {
        let numbers: Vec<&str> = shown.strip_prefix(WORDS)?.split('-').collect();
        let [nonce, proof, place] = numbers[..] else {
            return None;
        };
        if !numbers.iter().all(|number| is_number(number)) {
            return None;
        }
        let key = keys
            .iter()
            .find(|key| key.sign_name(username, nonce) == proof)?;
        let here = instance_id.map(|instance_id| key.sign_instance(username, nonce, instance_id));
        Some(match here {
            Some(here) if here == place => Drawer::ThisFolder,
            _ => Drawer::OtherFolder,
        })
    }

    /// Reads a stored marker back.
    pub fn from_stored(raw: String) -> Self {
        Self(raw)
    }

    /// The display name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    fn id(raw: &str) -> InstanceId {
        InstanceId::from_stored(raw)
    }

    #[test]
    fn usernames_obey_coders_rule_and_fit_the_announced_length() {
        for clashes in 0..2_000 {
            let name = Username::draw(clashes % 5);
            assert_eq!(Username::parse(name.as_str()).as_ref(), Some(&name));
            assert!(name.as_str().len() <= Username::LONGEST, "{name}");
        }
        for bad in ["", "-a", "a-", "a--b", "a_b", "a.b", &"x".repeat(33)] {
            assert!(Username::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_clash_adds_digits() {
        let plain = Username::draw(0);
        assert!(
            plain
                .as_str()
                .bytes()
                .all(|b| b == b'-' || b.is_ascii_lowercase())
        );
        assert!(
            Username::draw(1)
                .as_str()
                .ends_with(|c: char| c.is_ascii_digit())
        );
    }

    #[test]
    fn words_never_exceed_eight_letters() {
        assert!(ADJECTIVES.iter().chain(&NOUNS).all(|word| word.len() <= 8));
    }

    #[test]
    fn a_marker_belongs_to_one_reservation_and_fits_coders_display_name() {
        let key = PhoneKey::derive("k");
        let name = Username::draw(0);
        let (one, two) = (
            Marker::draw(&name, &key, &id("home")),
            Marker::draw(&name, &key, &id("home")),
        );
        assert_ne!(one, two);
        assert!(one.as_str().len() <= 128 && one.as_str().trim() == one.as_str());
    }

    #[test]
    fn a_marker_tells_who_drew_it_and_nothing_else_does() {
        let (key, new) = (PhoneKey::derive("k"), PhoneKey::derive("new"));
        let keys = [new, key.clone()];
        let name = Username::parse("happy-tuna").unwrap();
        let marker = Marker::draw(&name, &key, &id("home"));
        let shown = marker.as_str();
        let two_numbers = &shown[..shown.len() - 9];
        let by = |shown: &str, instance_id: Option<&str>| {
            Marker::drawer(shown, "happy-tuna", &keys, instance_id.map(id).as_ref())
        };
        for (shown, instance_id, expected) in [
            (shown, Some("home"), Some(Drawer::ThisFolder)),
            (shown, Some("other"), Some(Drawer::OtherFolder)),
            (shown, None, Some(Drawer::OtherFolder)),
            (two_numbers, Some("home"), None),
            (&format!("{two_numbers}-"), Some("home"), None),
            (&format!("{shown}-"), Some("home"), None),
            (&format!("{shown} "), Some("home"), None),
            (&shown.to_uppercase(), Some("home"), None),
            (&shown[6..], Some("home"), None),
            ("Class guest 1f0c92aa-77b01e5d", Some("home"), None),
            ("Class guest -", Some("home"), None),
            ("Class guest ", Some("home"), None),
            ("", Some("home"), None),
        ] {
            assert_eq!(by(shown, instance_id), expected, "{shown}");
        }
        let for_another = Marker::drawer(shown, "happy-tuna-2", &keys, Some(&id("home")));
        assert_eq!(for_another, None);
        let other_key = Marker::drawer(shown, "happy-tuna", &keys[..1], Some(&id("home")));
        assert_eq!(other_key, None);
    }
}

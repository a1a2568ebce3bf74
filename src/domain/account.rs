//! The username of an account, and the marker that proves that the service created it.

use std::fmt;

use super::InstanceId;
use super::phone::PhoneKey;
use super::random::{below, bytes, hex};
use super::words::{ADJECTIVES, NOUNS};

/// A Coder username of two friendly words and, after a clash, digits: `happy-tuna`,
/// `happy-tuna-27`.
///
/// It follows Coder's rule (`codersdk/name.go`: 1 to 32 bytes, letters and digits with single
/// hyphens between them). It cannot be one of Coder's route names, because it always has a hyphen.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Username(String);

impl Username {
    /// The longest name that [`Username::draw`] can make, in bytes: two words of 8 and three
    /// digits.
    pub const LONGEST: usize = 8 + 1 + 8 + 4;

    /// Draws a name after `clashes` names that were taken. Without a clash it is two words; after
    /// one it also has a number.
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

    /// Parses a stored name; `None` if it breaks Coder's rule.
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

/// The display name of the service's users in Coder, such as `Class guest
/// 1f0c92aa-77b01e5d-c4a11b02`.
///
/// The first number is drawn for one reservation. The second proves that it was drawn with this key
/// for this username. The third proves the data folder, because several services of one instructor
/// may share the key. A user in Coder belongs to the service only if it has the marker that was
/// stored before the user was created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker(String);

/// The service that created a marker, according to its proofs. Both have the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkerOrigin {
    /// The service of this data folder.
    ThisFolder,
    /// The service of another data folder, which may have been lost.
    OtherFolder,
}

/// Whether `text` is one of the numbers of a marker: 8 lower-case hex digits.
fn is_number(text: &str) -> bool {
    text.len() == 8 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The beginning of every marker.
const WORDS: &str = "Class guest ";

impl Marker {
    /// Draws a marker for `username` in the data folder of `instance_id`.
    pub fn draw(username: &Username, key: &PhoneKey, instance_id: &InstanceId) -> Self {
        let nonce = hex(&bytes::<4>());
        let proof = key.sign_name(username.as_str(), &nonce);
        let place = key.sign_instance(username.as_str(), &nonce, instance_id);
        Self(format!("{WORDS}{nonce}-{proof}-{place}"))
    }

    /// The service that drew `shown`, the display name of the user `username`; `None` if it was
    /// drawn with none of `keys`. `instance_id` is that of this data folder; without it, no marker
    /// counts as drawn here.
    pub fn origin(
        shown: &str,
        username: &str,
        keys: &[PhoneKey],
        instance_id: Option<&InstanceId>,
    ) -> Option<MarkerOrigin> {
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
            Some(here) if here == place => MarkerOrigin::ThisFolder,
            _ => MarkerOrigin::OtherFolder,
        })
    }

    /// Restores a stored marker.
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
        for (clashes, digits) in [(0, 0), (1, 2), (2, 2), (3, 3), (9, 3)] {
            let name = Username::draw(clashes);
            let word = name.as_str().trim_end_matches(|c: char| c.is_ascii_digit());
            assert_eq!(name.as_str().len() - word.len(), digits, "{name}");
        }
    }

    #[test]
    fn words_never_exceed_eight_letters() {
        assert!(ADJECTIVES.iter().chain(&NOUNS).all(|word| word.len() <= 8));
        let longest = |words: &[&str]| words.iter().map(|word| word.len()).max();
        let pair = longest(&ADJECTIVES).zip(longest(&NOUNS));
        let digits = "-100".len();
        assert_eq!(
            pair.map(|(one, two)| one + 1 + two + digits),
            Some(Username::LONGEST)
        );
    }

    #[test]
    fn a_marker_belongs_to_one_reservation_and_fits_coders_display_name() {
        let key = PhoneKey::derive("k");
        let name = Username::draw(0);
        let (one, two) = (
            Marker::draw(&name, &key, &id("here")),
            Marker::draw(&name, &key, &id("here")),
        );
        assert_ne!(one, two);
        assert!(one.as_str().len() <= 128 && one.as_str().trim() == one.as_str());
    }

    #[test]
    fn a_marker_tells_who_drew_it_and_nothing_else_does() {
        let (key, new) = (PhoneKey::derive("k"), PhoneKey::derive("new"));
        let keys = [new, key.clone()];
        let name = Username::parse("happy-tuna").unwrap();
        let marker = Marker::draw(&name, &key, &id("here"));
        let shown = marker.as_str();
        let two_numbers = &shown[..shown.len() - 9];
        let by = |shown: &str, instance_id: Option<&str>| {
            Marker::origin(shown, "happy-tuna", &keys, instance_id.map(id).as_ref())
        };
        for (shown, instance_id, expected) in [
            (shown, Some("here"), Some(MarkerOrigin::ThisFolder)),
            (shown, Some("other"), Some(MarkerOrigin::OtherFolder)),
            (shown, None, Some(MarkerOrigin::OtherFolder)),
            (two_numbers, Some("here"), None),
            (&format!("{two_numbers}-"), Some("here"), None),
            (&format!("{shown}-"), Some("here"), None),
            (&format!("{shown} "), Some("here"), None),
            (&shown.to_uppercase(), Some("here"), None),
            (&shown[6..], Some("here"), None),
            ("Class guest 1f0c92aa-77b01e5d", Some("here"), None),
            ("Class guest -", Some("here"), None),
            ("Class guest ", Some("here"), None),
            ("", Some("here"), None),
        ] {
            assert_eq!(by(shown, instance_id), expected, "{shown}");
        }
        let for_another = Marker::origin(shown, "happy-tuna-2", &keys, Some(&id("here")));
        assert_eq!(for_another, None);
        let other_key = Marker::origin(shown, "happy-tuna", &keys[..1], Some(&id("here")));
        assert_eq!(other_key, None);
    }

    #[test]
    fn a_name_is_shown_as_it_is_and_is_the_first_part_of_the_address() {
        let name = Username::parse("happy-tuna").unwrap();
        assert_eq!(format!("{name} {name:?}"), "happy-tuna happy-tuna");
        assert_eq!(name.email("example.org"), "happy-tuna@example.org");
    }
}

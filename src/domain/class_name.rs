//! The names of classes.

use std::fmt;

/// The name of a class, as people see it: lower-case letters, digits and `-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClassName(String);

impl ClassName {
    /// The most characters of a name. A text that names a class must fit in one SMS.
    pub const LONGEST: usize = 20;

    /// The class that a setting means by `word`: letters, digits and `_`, with a letter or digit at both
    /// ends. `None` = it cannot be a name.
    pub fn of_setting(word: &str) -> Option<Self> {
        let fits = (1..=Self::LONGEST).contains(&word.len())
            && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && !word.starts_with('_')
            && !word.ends_with('_');
        fits.then(|| Self::in_command(word))
    }

    /// The class that a person means by `word`: case does not matter, and `_` counts as `-`.
    pub fn in_command(word: &str) -> Self {
        Self(word.to_ascii_lowercase().replace('_', "-"))
    }

    /// A name that was read from the database.
    pub fn from_stored(name: String) -> Self {
        Self(name)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClassName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_letters_digits_and_a_line_between_them() {
        for (word, name) in [
            ("INTRO", Some("intro")),
            ("Intro_2", Some("intro-2")),
            ("7", Some("7")),
            ("", None),
            ("_A", None),
            ("A_", None),
            ("A-B", None),
            ("Ä", None),
            ("ABCDEFGHIJKLMNOPQRST", Some("abcdefghijklmnopqrst")),
            ("ABCDEFGHIJKLMNOPQRSTU", None),
        ] {
            let parsed = ClassName::of_setting(word);
            assert_eq!(parsed.as_ref().map(ClassName::as_str), name, "{word}");
        }
        assert_eq!(
            ClassName::in_command("intro_2"),
            ClassName::in_command("INTRO-2")
        );
    }

    #[test]
    fn a_name_is_shown_as_it_is() {
        assert_eq!(ClassName::in_command("intro-2").to_string(), "intro-2");
    }
}

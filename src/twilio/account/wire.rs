//! Cleans values of Twilio for use in URLs and messages.

use super::Target;

impl Target {
    pub(super) fn new(url: Option<String>, method: Option<String>) -> Self {
        Self {
            url: url.unwrap_or_default(),
            method: method.unwrap_or_else(|| "POST".to_owned()),
        }
    }
}

/// A state such as `IN_PROGRESS`; all other characters are dropped.
pub(super) fn word(state: Option<String>) -> String {
    let is_part = |c: &char| c.is_ascii_alphabetic() || *c == '_';
    let word = state.unwrap_or_default();
    word.chars().filter(is_part).take(40).collect()
}

/// A SID or number that is safe in a URL and in our messages.
pub(super) fn plain(name: &str) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || *c == '+';
    name.chars().filter(is_plain).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_characters_are_kept() {
        assert_eq!(word(Some("IN_PROGRESS".to_owned())), "IN_PROGRESS");
        assert_eq!(word(Some("suspended\n<b>".to_owned())), "suspendedb");
        assert_eq!(word(None), "");
        assert_eq!(plain("PN0/../1?x=+"), "PN01x+");
    }
}

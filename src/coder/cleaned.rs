//! Cleans messages from Coder and the programs behind it, so that they may be logged.

/// The longest cleaned text, in characters.
const MAX_LENGTH: usize = 160;

/// Replaces a word that may be personal data or a secret.
const REPLACEMENT: &str = "...";

/// Returns the beginning of `text` on one line. Words that may be an address, a number, a link or a
/// secret are replaced: those with `@` or `://` or `=`, those with seven or more digits, and long
/// ones with anything but lower-case letters and punctuation.
pub(super) fn cleaned(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words = words.filter(|word| !word.is_empty());
    let words = words.map(|word| if is_plain(word) { word } else { REPLACEMENT });
    let mut line = String::new();
    for word in words {
        if line.chars().count() + 1 + word.chars().count() > MAX_LENGTH {
            line.push_str(" ...");
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

fn is_plain(word: &str) -> bool {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let is_letter = |c: char| c.is_ascii_lowercase() || "-_.,:;!?()\"'".contains(c);
    word.is_ascii()
        && !word.contains('@')
        && !word.contains("://")
        && !word.contains('=')
        && digits < 7
        && (word.len() <= 20 || word.len() <= 40 && word.chars().all(is_letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_may_be_personal_or_secret_are_replaced() {
        for (text, line) in [
            ("", ""),
            (
                "You do not have permission to delete this workspace.",
                "You do not have permission to delete this workspace.",
            ),
            (
                "terraform apply:\n\texit status 1",
                "terraform apply: exit status 1",
            ),
            ("mail ana@example.org +12025550123", "mail ... ..."),
            ("see https://u:p@host/x", "see ..."),
            ("key AKIAIOSFODNN7EXAMPLEKEYS", "key ..."),
            ("token=abc", "..."),
            ("h\u{e9}llo", "..."),
        ] {
            assert_eq!(cleaned(text), line, "{text:?}");
        }
        let long = cleaned(&"word ".repeat(100));
        assert!(
            long.len() <= MAX_LENGTH + 4 && long.ends_with(" ..."),
            "{long}"
        );
    }
}

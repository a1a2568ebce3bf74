//! Words of Coder's, and of the programs behind it, as far as they may stand in a log.

/// The longest text that is taken over, in characters.
const LONGEST: usize = 160;

/// What stands in the place of a word that may be somebody's data.
const LEFT_OUT: &str = "...";

/// Returns the beginning of `text` on one line, without words that may be an address, a number, a link or
/// a secret: those with `@` or `://`, with seven digits or more, and long ones that are no plain word.
pub(super) fn cleaned(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words = words.filter(|word| !word.is_empty());
    let words = words.map(|word| if is_plain(word) { word } else { LEFT_OUT });
    let mut line = String::new();
    for word in words {
        if line.chars().count() + 1 + word.chars().count() > LONGEST {
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
    fn what_may_be_somebodys_data_is_left_out() {
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
            long.len() <= LONGEST + 4 && long.ends_with(" ..."),
            "{long}"
        );
    }
}

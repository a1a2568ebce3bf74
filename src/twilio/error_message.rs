//! Twilio's own code and message for a refused request, cleaned so that they can be shown, logged
//! and stored.

use std::fmt;

use serde_json::Value;

use crate::http::HttpResponse;

/// The longest cleaned message, in characters.
const MAX_LENGTH: usize = 160;

/// As many digits in a row may be a phone number.
const NUMBER_DIGITS: usize = 7;

/// As many letters and digits in a row may be a token.
const TOKEN_LENGTH: usize = 20;

/// Words of our text that are at least this long must not be repeated in a message.
const WORD_LENGTH: usize = 6;

/// The version in the paths of Twilio's API; it is not a phone number.
const VERSION: &str = "2010-04-01";

/// The error body of an answer of Twilio, as far as it may be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorMessage {
    /// Twilio's code.
    pub code: Option<u32>,
    /// Its message, cleaned.
    pub message: Option<Message>,
}

/// A message of Twilio on one line of at most 160 characters. Phone numbers, e-mail addresses and
/// anything that may be a token are masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message(String);

impl ErrorMessage {
    /// Reads the body of an answer: Twilio's own form (`code`, `message`) or a problem document of
    /// RFC 9457 (`code`, `detail`, `title`). The result is empty for a body that is not a JSON
    /// object.
    pub fn of(answer: &HttpResponse) -> Self {
        let Some(Value::Object(body)) = answer.json::<Value>() else {
            return Self::default();
        };
        let code = body.get("code").and_then(|code| match code {
            Value::Number(number) => number.as_u64().and_then(|code| u32::try_from(code).ok()),
            Value::String(digits) => digits.parse().ok(),
            _ => None,
        });
        let mut words = ["message", "detail", "title"]
            .into_iter()
            .filter_map(|name| body.get(name).and_then(Value::as_str));
        Self {
            code,
            message: words.find_map(Message::new),
        }
    }
}

impl Message {
    /// Cleans `words`; `None` if nothing is left.
    pub fn new(words: &str) -> Option<Self> {
        let is_shown = |c: char| c.is_ascii_graphic() || c.is_alphanumeric();
        let plain: String = words
            .chars()
            .map(|c| match c {
                '"' => '\'',
                c if is_shown(c) => c,
                _ => ' ',
            })
            .collect();
        let masked: Vec<String> = plain.split_ascii_whitespace().map(mask_word).collect();
        let line = mask_numbers(&masked.join(" "));
        let mut short: String = line.chars().take(MAX_LENGTH).collect();
        if short.len() < line.len() {
            short.push_str("...");
        }
        (!short.is_empty()).then_some(Self(short))
    }

    /// This message; `None` if it repeats words of `text`, which may be a login.
    pub fn unless_repeating(self, text: &str) -> Option<Self> {
        let message = self.0.to_lowercase();
        let repeats = text
            .split_whitespace()
            .filter(|word| word.chars().count() >= WORD_LENGTH)
            .any(|word| message.contains(&word.to_lowercase()));
        (!repeats).then_some(self)
    }

    /// Whether it contains `words`, in upper or lower case.
    pub fn contains(&self, words: &str) -> bool {
        self.0.to_lowercase().contains(&words.to_lowercase())
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn mask_word(word: &str) -> String {
    if word.contains('@') {
        return "[address]".to_owned();
    }
    let is_token = |run: &str| {
        run.chars().count() >= TOKEN_LENGTH
            && run.contains(|c: char| c.is_ascii_digit())
            && !is_sid(run)
    };
    let runs = word.split(|c: char| !c.is_alphanumeric());
    if runs.into_iter().any(is_token) {
        return "[token]".to_owned();
    }
    word.to_owned()
}

/// Whether `run` is an identifier of Twilio (SID): two capital letters and 32 hexadecimal digits.
fn is_sid(run: &str) -> bool {
    let (kind, rest) = run.split_at_checked(2).unwrap_or_default();
    kind.bytes().all(|b| b.is_ascii_uppercase())
        && rest.len() == 32
        && rest.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Masks anything that may be a phone number: a run of digits, with the characters that people and
/// Twilio put between them (`+1 (415) 555-0123`, `+1415555XXXX`).
fn mask_numbers(line: &str) -> String {
    let mut shown = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let kept = unmasked_length(rest, shown.ends_with(char::is_alphanumeric));
        let run = run_of_digits(rest);
        let step = if kept > 0 {
            kept
        } else if run.chars().filter(|c| is_digit(*c)).count() >= NUMBER_DIGITS {
            shown.push_str("[number]");
            rest = &rest[run.len()..];
            continue;
        } else {
            run.len().max(first.len_utf8())
        };
        let (copied, after) = rest.split_at(step);
        shown.push_str(copied);
        rest = after;
    }
    shown
}

/// The length in bytes of a SID or API version at the start of `rest`; these contain digits but are
/// not phone numbers.
fn unmasked_length(rest: &str, within_a_word: bool) -> usize {
    let end = rest.find(|c: char| !c.is_alphanumeric());
    let word = &rest[..end.unwrap_or(rest.len())];
    if !within_a_word && is_sid(word) {
        word.len()
    } else if rest.starts_with(VERSION) {
        VERSION.len()
    } else {
        0
    }
}

/// The digits at the start of `rest`, up to the last one, with the characters between them.
fn run_of_digits(rest: &str) -> &str {
    if !rest.starts_with(|c: char| c.is_numeric() || c == '+') {
        return "";
    }
    let end = rest.find(|c: char| !is_digit(c) && !"+-.()/ ".contains(c));
    rest[..end.unwrap_or(rest.len())].trim_end_matches(|c| !is_digit(c))
}

/// A digit, or a character that replaces one.
fn is_digit(c: char) -> bool {
    c.is_numeric() || "Xx*".contains(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ureq::http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};

    use super::*;
    use crate::properties::drawn;

    fn shown(words: &str) -> String {
        Message::new(words)
            .map(|message| message.to_string())
            .unwrap_or_default()
    }

    fn said(kind: &'static str, body: &str) -> ErrorMessage {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        ErrorMessage::of(&HttpResponse {
            status: 400,
            headers,
            body: body.into(),
        })
    }

    #[test]
    fn twilios_message_is_shown_without_personal_data() {
        for (words, clean) in [
            ("Authenticate", "Authenticate"),
            (
                "Primary compliance profile is not approved.",
                "Primary compliance profile is not approved.",
            ),
            (
                "'To' number is not a valid mobile number: +1415555XXXX",
                "'To' number is not a valid mobile number: [number]",
            ),
            ("Sent to +14155550123, again", "Sent to [number], again"),
            ("to +1 (415) 555-0123.", "to [number]."),
            ("to 415.555.0123!", "to [number]!"),
            ("to (415) 555 0123", "to ([number]"),
            ("code 21608 since 2026", "code 21608 since 2026"),
            (
                "/2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef was not found",
                "/2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef was not found",
            ),
            (
                "token 0123456789abcdef0123456789abcdef is wrong",
                "token [token] is wrong",
            ),
            ("ask ana@example.org,", "ask [address]"),
            (
                "two\nlines\u{1b}[2J \u{202e}and \"more\"",
                "two lines [2J and 'more'",
            ),
            ("", ""),
        ] {
            assert_eq!(shown(words), clean);
        }
        assert_eq!(shown(&"long ".repeat(100)).chars().count(), MAX_LENGTH + 3);
    }

    #[test]
    fn both_forms_of_an_error_are_read_and_others_give_nothing() {
        let authenticate = Message::new("Authenticate");
        for (kind, body, code, message) in [
            (
                "application/json",
                r#"{"code":20003,"message":"Authenticate"}"#,
                Some(20003),
                true,
            ),
            (
                "application/problem+json",
                r#"{"code":20003,"detail":"Authenticate","title":"x"}"#,
                Some(20003),
                true,
            ),
            (
                "application/json",
                r#"{"code":"20003","message":null,"title":"Authenticate"}"#,
                Some(20003),
                true,
            ),
            (
                "application/json",
                r#"{"code":null,"message":7}"#,
                None,
                false,
            ),
            ("application/json", r"[1]", None, false),
            (
                "text/html",
                r#"{"code":20003,"message":"Authenticate"}"#,
                None,
                false,
            ),
        ] {
            let found = said(kind, body);
            assert_eq!(found.code, code, "{body}");
            assert_eq!(
                found.message,
                authenticate.clone().filter(|_| message),
                "{body}"
            );
        }
    }

    #[test]
    fn a_message_that_repeats_the_text_is_dropped() {
        let text = "Your login: happy-tuna, password brave-pond-73";
        let message = |words: &str| Message::new(words).unwrap().unless_repeating(text);
        assert_eq!(message("Body 'Brave-Pond-73' was filtered"), None);
        assert!(message("Body was filtered").is_some());
    }

    proptest! {
        #![proptest_config(drawn())]

        #[test]
        fn no_number_gets_through(
            before in "[ a-zäß(:,'0-9]{0,20}", number in "[1-9][0-9]{7,14}", after in "[ a-z).,'!]{0,20}"
        ) {
            let line = shown(&format!("{before}{number}{after}"));
            prop_assert!(!line.contains(&number), "{}", line);
        }

        #[test]
        fn any_words_are_cleaned(words in "\\PC{0,400}|[\\x00-\\x7f]{0,400}") {
            let line = shown(&words);
            prop_assert!(line.chars().count() <= MAX_LENGTH + 3);
            prop_assert!(!line.contains(char::is_control));
        }
    }
}

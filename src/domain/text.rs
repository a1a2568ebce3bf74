//! One received text message.

use std::fmt;
use std::time::Instant;

use super::{OptWord, UnixSeconds};

/// Twilio's id of one message: two capital letters (`SM`, `MM`) and 32 hex digits. It is not
/// secret: an operator uses it to find the message in Twilio's console.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MessageSid(String);

impl MessageSid {
    /// Parses a sid; `None` if it has another form.
    pub fn parse(raw: &str) -> Option<Self> {
        let (kind, rest) = raw.split_at_checked(2)?;
        (kind.bytes().all(|b| b.is_ascii_uppercase())
            && rest.len() == 32
            && rest.bytes().all(|b| b.is_ascii_hexdigit()))
        .then(|| Self(raw.to_owned()))
    }

    /// The sid as Twilio writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageSid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MessageSid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text as the webhook received it. `Debug` shows only the sid.
#[derive(Clone, PartialEq, Eq)]
pub struct Text {
    /// Its id, by which duplicates are recognised.
    pub sid: MessageSid,
    /// The sender as Twilio gives it; not parsed yet.
    pub from: String,
    /// The number of the service that it was sent to.
    pub to: String,
    /// What the person wrote.
    pub body: String,
    /// Set if Twilio reports that the text was an opt-out, opt-in or help word, or if it cannot
    /// tell.
    pub opt_out: Option<OptWord>,
    /// When the webhook received it.
    pub received: UnixSeconds,
    /// The same on the clock of this process, which cannot be set. `None` = another process received it, before
    /// this one began.
    pub heard: Option<Instant>,
}

impl Text {
    /// The longest text that Twilio forwards, in characters.
    pub const LENGTH: usize = 1_600;

    /// The first [`Text::LENGTH`] characters of `words`.
    pub fn cut(words: &str) -> &str {
        // Hardly any text has even as many bytes.
        if words.len() <= Self::LENGTH {
            return words;
        }
        let end = words.char_indices().nth(Self::LENGTH);
        end.map_or(words, |(end, _)| &words[..end])
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({})", self.sid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sids_have_one_form() {
        let words = "SM6262211c157aa9623d96f03ffb638c3f";
        let sid = MessageSid::parse(words).expect("a sid");
        assert_eq!(sid.as_str(), words);
        assert_eq!(format!("{sid} {sid:?}"), format!("{words} {words}"));
        assert!(MessageSid::parse("MM6262211c157aa9623d96f03ffb638c3f").is_some());
        for bad in [
            "",
            "SM",
            "SM6262211c157aa9623d96f03ffb638c3",
            "SM6262211c157aa9623d96f03ffb638c3f0",
            "sm6262211c157aa9623d96f03ffb638c3f",
            "SM6262211c157aa9623d96f03ffb638c3\n",
            "é6262211c157aa9623d96f03ffb638c3f",
        ] {
            assert!(MessageSid::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_text_is_cut_after_the_longest_of_twilio() {
        for letter in ["a", "é", "€", "😀"] {
            let longest = letter.repeat(Text::LENGTH);
            for words in ["", letter, &longest] {
                assert_eq!(Text::cut(words), words);
            }
            assert_eq!(Text::cut(&format!("{longest}{letter}b")), longest);
        }
    }

    #[test]
    fn of_a_text_only_its_sid_is_printed() {
        let text = Text {
            sid: MessageSid::parse("SM6262211c157aa9623d96f03ffb638c3f").expect("a sid"),
            from: "+12025550123".to_owned(),
            to: "+12015550100".to_owned(),
            body: "I am ready to learn".to_owned(),
            opt_out: None,
            received: 0,
            heard: None,
        };
        assert_eq!(
            format!("{text:?}"),
            "Text(SM6262211c157aa9623d96f03ffb638c3f)"
        );
    }
}

//! The phrase that students text, and the words that belong to the network instead of to us.

use std::fmt;

/// A word with which a person opts out of, or into, texts of a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptWord {
    /// No more texts, please.
    Stop,
    /// Texts are welcome again.
    Start,
    /// A request for help, which Twilio answers itself.
    Help,
}

impl OptWord {
    /// Reads Twilio's `OptOutType` parameter.
    pub fn from_parameter(value: &str) -> Option<Self> {
        match value {
            "STOP" => Some(Self::Stop),
            "START" => Some(Self::Start),
            "HELP" => Some(Self::Help),
            _ => None,
        }
    }

    /// The form in which it travels through the stream; [`OptWord::from_parameter`] reads it back.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "STOP",
            Self::Start => "START",
            Self::Help => "HELP",
        }
    }

    /// Recognises a whole message that is one of Twilio's default keywords, in any letter case.
    /// "stop please" is no opt-out to Twilio, so it is none to us.
    pub fn in_body(body: &str) -> Option<Self> {
        match body.trim().to_ascii_uppercase().as_str() {
            "STOP" | "STOPALL" | "UNSUBSCRIBE" | "CANCEL" | "END" | "QUIT" | "REVOKE"
            | "OPTOUT" => Some(Self::Stop),
            "START" | "UNSTOP" | "YES" => Some(Self::Start),
            "HELP" | "INFO" => Some(Self::Help),
            _ => None,
        }
    }
}

/// The phrase, as its letters and digits in lower case.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(String);

/// Why a configured phrase cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhraseFault {
    /// No letter and no digit in it.
    Empty,
    /// Twilio keeps this word for opting out or in, so it never reaches us as a phrase.
    OptWord,
}

/// Why a phrase is easily guessed by who has nothing but the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// Fewer than 6 letters and digits.
    Short,
    /// Digits alone, fewer than 10 of them.
    Digits,
    /// One sign again and again, or signs in the order of the alphabet or keyboard.
    Run,
    /// What many would try first.
    Common,
}

impl Weakness {
    /// The reason in words.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Short => "is shorter than 6 letters",
            Self::Digits => "is nothing but a few digits",
            Self::Run => "is a run of signs in their usual order",
            Self::Common => "is a word that many try first",
        }
    }
}

/// Words that people choose, and others try, in this trade.
const COMMON: [&str; 39] = [
    "access",
    "account",
    "admin",
    "class",
    "classroom",
    "coder",
    "coding",
    "computer",
    "course",
    "demo",
    "developer",
    "education",
    "hello",
    "helloworld",
    "ilovecoding",
    "instructor",
    "join",
    "learn",
    "learning",
    "lesson",
    "letmein",
    "login",
    "opensesame",
    "passphrase",
    "password",
    "phrase",
    "please",
    "register",
    "registration",
    "school",
    "secret",
    "signup",
    "student",
    "students",
    "teacher",
    "testing",
    "welcome",
    "workshop",
    "workspace",
];

/// Orders in which hands and minds run along.
const RUNS: [&str; 5] = [
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
];

impl Passphrase {
    /// Parses a configured phrase.
    ///
    /// # Errors
    /// See [`PhraseFault`].
    pub fn parse(phrase: &str) -> Result<Self, PhraseFault> {
        let folded = fold(phrase);
        if folded.is_empty() {
            return Err(PhraseFault::Empty);
        }
        if OptWord::in_body(&folded).is_some() {
            return Err(PhraseFault::OptWord);
        }
        Ok(Self(folded))
    }

    /// Whether `body` is the phrase: the same letters and digits, whatever the case, blanks and signs.
    pub fn matches(&self, body: &str) -> bool {
        fold(body) == self.0
    }

    /// Why it is easily guessed, if it is. Digits behind a common word add nothing.
    pub fn weakness(&self) -> Option<Weakness> {
        let length = self.0.chars().count();
        let back: String = self.0.chars().rev().collect();
        let first = self.0.chars().next();
        let is_run = self.0.chars().all(|c| Some(c) == first)
            || RUNS
                .iter()
                .any(|run| run.contains(&self.0) || run.contains(&back));
        let word = self.0.trim_end_matches(|c: char| c.is_ascii_digit());
        if length < 6 {
            Some(Weakness::Short)
        } else if is_run {
            Some(Weakness::Run)
        } else if length < 10 && word.is_empty() {
            Some(Weakness::Digits)
        } else if COMMON.contains(&word) {
            Some(Weakness::Common)
        } else {
            None
        }
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// The letters and digits of `text`, alike for all spellings that differ in case alone.
///
/// Down, up and down again: some letters have two small forms (`σ` and `ς`), or become several letters when they change
/// case (`ß`, `İ`). What is neither letter nor digit goes last, as a change of case can bring forth an accent.
fn fold(text: &str) -> String {
    text.chars()
        .flat_map(char::to_lowercase)
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .filter(|c| c.is_alphanumeric())
        .collect()
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_phrase() {
        let phrase = Passphrase::parse("iamreadytolearn").unwrap();
        for body in [
            "I am ready to learn!",
            "  i AM ready, to learn  ",
            "\u{201c}I am ready to learn\u{201d}",
            "I\u{a0}am ready to learn \u{1f600}",
            "iamreadytolearn",
        ] {
            assert!(phrase.matches(body), "{body}");
        }
        for body in ["", "I am ready to lear", "I am not ready to learn", "ready"] {
            assert!(!phrase.matches(body), "{body}");
        }
        assert!(Passphrase::parse("Grüße 7").unwrap().matches("GRÜßE7!"));
    }

    #[test]
    fn case_counts_in_no_letter_of_any_script() {
        for letter in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            let text = letter.to_string();
            for same in [fold(&text), text.to_lowercase(), text.to_uppercase()] {
                assert_eq!(fold(&same), fold(&text), "{letter:?}");
            }
        }
        let greek = Passphrase::parse("Λόγος της ημέρας").unwrap();
        assert!(greek.matches("ΛΌΓΟΣ ΤΗΣ ΗΜΈΡΑΣ"));
    }

    #[test]
    fn phrases_that_are_easily_guessed() {
        for (phrase, weakness) in [
            ("Hello", Weakness::Short),
            ("42 42", Weakness::Short),
            ("20262026", Weakness::Digits),
            ("aaaaaaaaaa", Weakness::Run),
            ("123 456 789", Weakness::Run),
            ("7654321", Weakness::Run),
            ("Qwertyuiop!", Weakness::Run),
            ("Welcome 2026", Weakness::Common),
            ("hello, world", Weakness::Common),
        ] {
            let found = Passphrase::parse(phrase).unwrap().weakness();
            assert_eq!(found, Some(weakness), "{phrase}");
        }
        for phrase in [
            "I am ready to learn",
            "purple kettle",
            "4711 2398 1155",
            "kettle",
        ] {
            assert_eq!(
                Passphrase::parse(phrase).unwrap().weakness(),
                None,
                "{phrase}"
            );
        }
        assert!(COMMON.iter().all(|word| fold(word) == *word));
    }

    #[test]
    fn phrases_that_cannot_work() {
        assert_eq!(Passphrase::parse(" ?! "), Err(PhraseFault::Empty));
        assert_eq!(Passphrase::parse("Stop!"), Err(PhraseFault::OptWord));
        assert_eq!(Passphrase::parse("yes"), Err(PhraseFault::OptWord));
        assert!(Passphrase::parse("start learning").is_ok());
    }

    #[test]
    fn only_a_whole_message_opts_out() {
        assert_eq!(OptWord::in_body(" Stop\n"), Some(OptWord::Stop));
        assert_eq!(OptWord::in_body("unstop"), Some(OptWord::Start));
        assert_eq!(OptWord::in_body("info"), Some(OptWord::Help));
        assert_eq!(OptWord::in_body("stop please"), None);
        for word in [OptWord::Stop, OptWord::Start, OptWord::Help] {
            assert_eq!(OptWord::from_parameter(word.as_str()), Some(word));
        }
    }
}

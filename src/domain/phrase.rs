//! The phrase that students text.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

use super::letters::{Accents, fold};
use super::{OptWord, count};

/// The phrase, as its letters and digits in the one form in which texts are compared. Two are equal if these are.
#[derive(Clone)]
pub struct Passphrase {
    letters: String,
    /// What arrives where a phone sends it in the 7-bit alphabet, if that is something else.
    simple: Option<String>,
    accents: Accents,
    /// Letters that stand in the settings, and what they count as where that is not plain.
    replaced: Vec<(char, String)>,
}

/// Why a configured phrase cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhraseError {
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
    /// Parses a configured phrase. Its accents do not count.
    ///
    /// # Errors
    /// See [`PhraseError`].
    pub fn parse(phrase: &str) -> Result<Self, PhraseError> {
        Self::with(phrase, Accents::Ignored)
    }

    /// Parses phrases that are used side by side. Accents count in those that would be the same without them, such
    /// as `año` and `ano`.
    ///
    /// # Errors
    /// See [`PhraseError`], for each phrase.
    pub fn parse_several(phrases: &[&str]) -> Vec<Result<Self, PhraseError>> {
        let all: Vec<_> = phrases.iter().map(|phrase| Self::parse(phrase)).collect();
        let exact: Vec<_> = phrases
            .iter()
            .map(|phrase| fold(phrase, Accents::Kept))
            .collect();
        let clashes = |index: usize, one: &Self| {
            let others = all
                .iter()
                .zip(&exact)
                .filter(|(_, letters)| **letters != exact[index]);
            others
                .filter_map(|(other, _)| other.as_ref().ok())
                .any(|other| one.overlaps(other))
        };
        let parse = |(index, loose): (usize, &Result<Self, PhraseError>)| match loose {
            Ok(one) if clashes(index, one) => Self::with(phrases[index], Accents::Kept),
            loose => loose.clone(),
        };
        all.iter().enumerate().map(parse).collect()
    }

    fn with(phrase: &str, accents: Accents) -> Result<Self, PhraseError> {
        let letters = fold(phrase, accents);
        if letters.is_empty() {
            return Err(PhraseError::Empty);
        }
        if OptWord::reserves(phrase) {
            return Err(PhraseError::OptWord);
        }
        let simple = match accents {
            Accents::Ignored => Some(simple(phrase)).filter(|simple| *simple != letters),
            Accents::Kept => None,
        };
        Ok(Self {
            letters,
            simple,
            accents,
            replaced: replaced(phrase, accents),
        })
    }

    /// Whether `body` is the phrase: the same letters and digits, whatever the case, blanks, signs and accents.
    pub fn matches(&self, body: &str) -> bool {
        let letters = fold(body, self.accents);
        letters == self.letters || self.simple.as_ref() == Some(&letters)
    }

    /// Whether a text may be both phrases.
    fn overlaps(&self, other: &Self) -> bool {
        let forms = |phrase: &Self| [Some(phrase.letters.clone()), phrase.simple.clone()];
        let others = forms(other);
        let mut own = forms(self).into_iter().flatten();
        own.any(|form| others.contains(&Some(form)))
    }

    /// How texts are compared with it, in words that do not give it away: how many letters count, and which of them
    /// count as others.
    pub fn comparison(&self) -> String {
        let letters = self.letters.nfc().count();
        let mut words = format!("{} and digits are compared", count(letters, "letter"));
        for (index, (letter, form)) in self.replaced.iter().enumerate() {
            let verb = if index == 0 { " counts" } else { "" };
            words.push_str(&format!(", {letter}{verb} as {form}"));
        }
        words
    }

    /// Why it is easily guessed, if it is. Digits behind a common word add nothing.
    pub fn weakness(&self) -> Option<Weakness> {
        let length = self.letters.nfc().count();
        let back: String = self.letters.chars().rev().collect();
        let first = self.letters.chars().next();
        let is_run = self.letters.chars().all(|c| Some(c) == first)
            || RUNS
                .iter()
                .any(|run| run.contains(&self.letters) || run.contains(&back));
        let word = self.letters.trim_end_matches(|c: char| c.is_ascii_digit());
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

impl PartialEq for Passphrase {
    fn eq(&self, other: &Self) -> bool {
        (&self.letters, self.accents) == (&other.letters, other.accents)
    }
}

impl Eq for Passphrase {}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// What arrives of a phrase where a phone turns every letter into one of the 7-bit alphabet (a setting named "simple
/// characters" or "GSM alphabet"; Android's table is `sms_7bit_translation_table.xml`). Accents go with the others in
/// [`fold`]; here is what those rules do not cover: `œ` becomes `o`, `ĳ` becomes `j`, and a Greek letter whose capital
/// looks like a Latin one becomes that. A phone does so to the whole text, so single letters stay different.
fn simple(phrase: &str) -> String {
    let ligatures: String = phrase
        .nfc()
        .map(|c| match c {
            'œ' | 'Œ' => 'o',
            'ĳ' | 'Ĳ' => 'j',
            c => c,
        })
        .collect();
    let latin = |c: char| match c {
        'α' => 'a',
        'β' => 'b',
        'ε' => 'e',
        'ζ' => 'z',
        'η' => 'h',
        'ι' => 'i',
        'κ' => 'k',
        'μ' => 'm',
        'ν' => 'n',
        'ο' => 'o',
        'ρ' => 'p',
        'τ' => 't',
        'υ' => 'y',
        'χ' => 'x',
        c => c,
    };
    fold(&ligatures, Accents::Ignored)
        .chars()
        .map(latin)
        .collect()
}

/// The letters of a phrase that count as others, in the order in which they stand in it.
fn replaced(phrase: &str, accents: Accents) -> Vec<(char, String)> {
    let mut pairs = Vec::new();
    for c in phrase.nfc().flat_map(char::to_lowercase) {
        let form: String = fold(c.encode_utf8(&mut [0; 4]), accents).nfc().collect();
        let pair = (c, form);
        let is_news = !pair.1.is_empty() && !pair.1.chars().eq([c]);
        if is_news && !pairs.contains(&pair) {
            pairs.push(pair);
        }
    }
    pairs
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
    fn a_phrase_as_phones_send_it() {
        for (phrase, body) in [
            ("prêt à apprendre", "Pret a apprendre"),
            ("Grüße 7", "grusse ٧"),
            ("καλημέρα κόσμε", "KAΛHMEPA KOΣME"),
            ("καλημέρα κόσμε", "ΚΑΛΗΜΕΡΑ ΚΟΣΜΕ"),
            ("cœur ouvert", "cour ouvert"),
            ("cœur ouvert", "coeur ouvert"),
            ("ĳsbeer", "jsbeer"),
            ("ĳsbeer", "IJsbeer"),
            ("żółta łódka", "zolta lodka"),
            ("hazır mısın", "HAZIR MISIN"),
            ("तैयार हूँ २०२६", "तैयार हूँ 2026"),
        ] {
            assert!(
                Passphrase::parse(phrase).unwrap().matches(body),
                "{phrase}: {body}"
            );
        }
        for (phrase, body) in [
            // One letter of another script, not the whole text.
            ("καλημέρα κόσμε", "καλημέρa κόσμε"),
            ("ready to learn", "reаdy to learn"),
            ("तैयार हूँ", "तयर ह"),
        ] {
            assert!(
                !Passphrase::parse(phrase).unwrap().matches(body),
                "{phrase}: {body}"
            );
        }
    }

    #[test]
    fn accents_count_where_phrases_differ_in_nothing_else() {
        let several = |phrases: &[&str]| -> Vec<Passphrase> {
            let all = Passphrase::parse_several(phrases);
            all.into_iter().map(Result::unwrap).collect()
        };
        let [year, anus, learn] = &several(&["otro año", "otro ano", "prêt à apprendre"])[..]
        else {
            panic!("three phrases");
        };
        assert!(year.matches("Otro an\u{303}o!") && !year.matches("otro ano"));
        assert!(anus.matches("OTRO ANO") && !anus.matches("otro año"));
        assert!(learn.matches("pret a apprendre"));
        // A phone without Greek letters would make one phrase of these two.
        let [greek, latin] = &several(&["τάξη ενα", "tαξh ena"])[..] else {
            panic!("two phrases");
        };
        assert!(!greek.matches("tαξh ena") && !latin.matches("τάξη ενα"));
        let twice = several(&["otro año", "OTRO AÑO"]);
        assert!(twice[0] == twice[1] && twice[0].matches("otro ano"));
        assert_eq!(
            Passphrase::parse_several(&["?!", "kettle"])[0],
            Err(PhraseError::Empty)
        );
    }

    #[test]
    fn how_it_is_compared_is_told_without_the_phrase() {
        for (phrase, words) in [
            ("I am ready", "8 letters and digits are compared"),
            (
                "Prêt à être",
                "9 letters and digits are compared, ê counts as e, à as a",
            ),
            (
                "Straße ٧",
                "8 letters and digits are compared, ß counts as ss, ٧ as 7",
            ),
            ("가나", "2 letters and digits are compared"),
        ] {
            assert_eq!(Passphrase::parse(phrase).unwrap().comparison(), words);
        }
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
        assert!(
            COMMON
                .iter()
                .all(|word| fold(word, Accents::Ignored) == *word)
        );
    }

    #[test]
    fn phrases_that_cannot_work() {
        assert_eq!(Passphrase::parse(" ?! "), Err(PhraseError::Empty));
        assert_eq!(Passphrase::parse("Stop!"), Err(PhraseError::OptWord));
        for word in [
            "yes",
            "Opt-out",
            "“Stop” 🛑",
            "ｓｔｏｐ",
            "arrêt",
            "help!",
            "stop texting me",
        ] {
            assert_eq!(Passphrase::parse(word), Err(PhraseError::OptWord), "{word}");
        }
        assert!(Passphrase::parse("start learning").is_ok());
    }
}

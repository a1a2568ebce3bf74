//! The phrase that students text, and how texts are compared with it.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

use super::letters::{Accents, fold};
use super::{OptWord, ScreenCode};

/// A phrase, as its normalised letters and digits. Two phrases are equal if these are.
#[derive(Clone)]
pub struct Passphrase {
    letters: String,
    /// The letters that arrive if a phone sends the phrase in the 7-bit alphabet, if they differ.
    simple: Option<String>,
    accents: Accents,
    /// Letters of the configured phrase that normalisation replaces, each with its replacement.
    replaced: Vec<(char, String)>,
}

/// Why a configured phrase cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhraseError {
    /// It has no letter and no digit.
    Empty,
    /// It is a word for opting out or in, so it cannot be used as a phrase.
    OptWord,
}

/// How a text compares with the phrase where screens show codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhraseMatch {
    /// It is not the phrase.
    Other,
    /// It is the phrase alone.
    Phrase,
    /// It is the phrase with a code.
    WithCode(ScreenCode),
    /// It is the phrase with digits that are no code.
    WrongCode,
}

/// Why a phrase is easy to guess for a person who knows only the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// Fewer than 6 letters and digits.
    Short,
    /// Only digits, fewer than 10 of them.
    Digits,
    /// One character repeated, or characters in the order of the alphabet or keyboard.
    Run,
    /// A word that many people would try first.
    Common,
}

impl Weakness {
    /// The reason, to follow the name of the setting.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Short => "is shorter than 6 letters",
            Self::Digits => "is a number of fewer than 10 digits",
            Self::Run => "is a sequence such as abcdef, qwerty or aaaaaa",
            Self::Common => "is a word that many people try first",
        }
    }
}

/// Words that are often chosen, and tried, for a class.
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

/// Usual orders of characters.
const RUNS: [&str; 5] = [
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
];

/// The most digits beside the phrase that count as a mistyped code.
const MOST_DIGITS: usize = 8;

/// The most bytes of other letters beside the phrase and a code.
const MOST_WORDS: usize = 40;

impl Passphrase {
    /// Parses a configured phrase. Its accents are ignored.
    ///
    /// # Errors
    /// See [`PhraseError`].
    pub fn parse(phrase: &str) -> Result<Self, PhraseError> {
        Self::with(phrase, Accents::Ignored)
    }

    /// Parses phrases that are used at the same time. Accents are significant in those that would
    /// otherwise be the same, such as `año` and `ano`.
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

    /// Whether `body` is the phrase: the same letters and digits. Case, spaces, punctuation and
    /// accents are ignored.
    pub fn matches(&self, body: &str) -> bool {
        self.is(&fold(body, self.accents))
    }

    fn is(&self, letters: &str) -> bool {
        letters == self.letters || self.simple.as_deref() == Some(letters)
    }

    /// Compares `body` with the phrase and a screen code, in either order. Like spaces, other
    /// letters beside the digits do not count (`I am ready to learn, my code is 48217`). The code may
    /// occur twice, also on both sides: a scanned link begins the text with it, and the page says
    /// that it comes behind the phrase.
    pub fn read(&self, body: &str) -> PhraseMatch {
        let letters = fold(body, self.accents);
        if self.is(&letters) {
            return PhraseMatch::Phrase;
        }
        let mut forms = [Some(&self.letters), self.simple.as_ref()].into_iter();
        let Some(rest) = forms.find_map(|form| beside(&letters, form?)) else {
            return PhraseMatch::Other;
        };
        let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
        let words = rest.len() - digits.len();
        let digits = once(&digits);
        if digits.is_empty() || digits.len() > MOST_DIGITS || words > MOST_WORDS {
            PhraseMatch::Other
        } else {
            ScreenCode::parse(digits).map_or(PhraseMatch::WrongCode, PhraseMatch::WithCode)
        }
    }

    /// Whether the phrase begins or ends with a digit, so that a code beside it cannot be told
    /// from it.
    pub fn has_outer_digit(&self) -> bool {
        let is_digit = |c: char| c.is_ascii_digit();
        self.letters.starts_with(is_digit) || self.letters.ends_with(is_digit)
    }

    /// Whether one text can match both phrases.
    fn overlaps(&self, other: &Self) -> bool {
        let forms = |phrase: &Self| [Some(phrase.letters.clone()), phrase.simple.clone()];
        let others = forms(other);
        let mut own = forms(self).into_iter().flatten();
        own.any(|form| others.contains(&Some(form)))
    }

    /// Whether one phrase is the other one, or its beginning or its end, so that a text with words or a code
    /// beside the shorter one may mean either.
    pub fn collides(&self, other: &Self) -> bool {
        let forms = |phrase: &Self| [Some(phrase.letters.clone()), phrase.simple.clone()];
        let others: Vec<String> = forms(other).into_iter().flatten().collect();
        let outer = |long: &str, short: &str| long.starts_with(short) || long.ends_with(short);
        let mut own = forms(self).into_iter().flatten();
        own.any(|form| {
            let mut others = others.iter();
            others.any(|other| outer(&form, other) || outer(other, &form))
        })
    }

    /// A description of the comparison that does not reveal the phrase: the number of letters, and
    /// the letters that are replaced.
    pub fn comparison(&self) -> String {
        let letters = self.letters.nfc().count();
        let mut words = match letters {
            1 => "1 letter or digit is compared".to_owned(),
            _ => format!("{letters} letters and digits are compared"),
        };
        for (index, (letter, form)) in self.replaced.iter().enumerate() {
            let verb = if index == 0 { " counts" } else { "" };
            words.push_str(&format!(", {letter}{verb} as {form}"));
        }
        words
    }

    /// Why it is easy to guess, if it is. Digits after a common word do not make it stronger.
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

/// What stands beside the phrase in the letters of a text: behind it, in front of it, or behind it with nothing but
/// digits in front.
fn beside(letters: &str, phrase: &str) -> Option<String> {
    let behind = letters.strip_prefix(phrase);
    if let Some(rest) = behind.or_else(|| letters.strip_suffix(phrase)) {
        return Some(rest.to_owned());
    }
    let rest = letters.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = &letters[..letters.len() - rest.len()];
    Some(format!("{digits}{}", rest.strip_prefix(phrase)?))
}

/// A code that was typed twice, once. `digits` are ASCII.
fn once(digits: &str) -> &str {
    let (first, second) = digits.split_at(digits.len() / 2);
    if first == second && first.len() == ScreenCode::DIGITS {
        first
    } else {
        digits
    }
}

/// The letters that arrive if a phone replaces every letter by one of the 7-bit alphabet (a setting
/// named "simple characters" or "GSM alphabet"; Android's table is
/// `sms_7bit_translation_table.xml`). [`fold`] drops the accents; this covers the rest: `œ` becomes
/// `o`, `ĳ` becomes `j`, and a Greek letter whose capital looks like a Latin one becomes that one.
/// A phone does so in the whole text, so a text with only some letters replaced does not match.
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

/// The letters of a phrase that normalisation replaces, in their order in the phrase, each with its
/// replacement.
fn replaced(phrase: &str, accents: Accents) -> Vec<(char, String)> {
    let mut pairs = Vec::new();
    for c in phrase.nfc().flat_map(char::to_lowercase) {
        let form: String = fold(c.encode_utf8(&mut [0; 4]), accents).nfc().collect();
        let pair = (c, form);
        let is_replaced = !pair.1.is_empty() && !pair.1.chars().eq([c]);
        if is_replaced && !pairs.contains(&pair) {
            pairs.push(pair);
        }
    }
    pairs
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests;

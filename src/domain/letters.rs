//! Normalisation of texts to letters and digits, so that all spellings of a phone compare equal.
//!
//! It is compatibility normalisation (NFKD), then case folding, then these rules:
//!
//! - A decimal digit of any script becomes the ASCII digit of the same value.
//! - An accent is a mark on a Latin or Greek letter, and in Cyrillic the dots of `ё` and the stress
//!   marks of vowels. Accents are dropped, as the "simple characters" mode of phones does. All
//!   other marks are kept: a Devanagari vowel sign, a Hebrew point, a Thai tone, a kana voicing
//!   mark or the breve of `й` makes another word.
//! - Latin letters that Unicode does not decompose are written as CLDR's Latin-ASCII transform
//!   writes them (`ø` as `o`, `æ` as `ae`).
//! - Spaces, punctuation, apostrophes, symbols and invisible characters are dropped.
//!
//! Look-alikes of different scripts stay different: Cyrillic `а` is not Latin `a`.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::Text;

/// Whether accents are significant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accents {
    /// `ê` is `e`.
    Ignored,
    /// `ê` and `e` are two letters.
    Kept,
}

/// Normalises `text` to its letters and digits. Only the first [`Text::LENGTH`] visible characters
/// are used, so that the work is bounded.
pub(super) fn fold(text: &str, accents: Accents) -> String {
    if text.is_ascii() {
        return text
            .bytes()
            .filter(u8::is_ascii_alphanumeric)
            .take(Text::LENGTH)
            .map(|byte| char::from(byte.to_ascii_lowercase()))
            .collect();
    }
    let decomposed = text
        .chars()
        .filter(|c| !is_invisible(*c))
        .take(Text::LENGTH)
        .nfkd()
        .flat_map(fold_case)
        .nfkd()
        .filter(|c| !is_invisible(*c));
    let mut folded = String::new();
    // The letter or digit that a following mark belongs to.
    let mut base = None;
    let mut last_letter = None;
    for c in decomposed {
        if is_combining_mark(c) {
            if is_nikhahit(c) {
                base = last_letter;
            }
            if base.is_some_and(|base| counts(base, c, accents)) {
                folded.push(c);
            }
        } else if is_letter_or_digit(c) {
            push_base(&mut folded, c, accents);
            base = Some(c);
            last_letter = base;
        } else {
            base = None;
        }
    }
    folded
}

/// Whether `c` is the mark at the start of the decomposed Thai or Lao letter AM. That letter may
/// follow a sign; then the mark belongs to the letter before the sign.
fn is_nikhahit(c: char) -> bool {
    matches!(c, '\u{e4d}' | '\u{ecd}')
}

/// Lower case, upper case and lower case again: some letters have two small forms (`σ` and `ς`),
/// and some become several letters when their case changes (`ß`).
fn fold_case(c: char) -> impl Iterator<Item = char> {
    c.to_lowercase()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
}

fn is_letter_or_digit(c: char) -> bool {
    c.is_alphanumeric() && !is_apostrophe(c)
}

fn push_base(folded: &mut String, c: char, accents: Accents) {
    if let Some(digit) = digit(c) {
        folded.push(digit);
        return;
    }
    match latin_ascii(c).filter(|_| accents == Accents::Ignored) {
        Some(letters) => folded.push_str(letters),
        None => folded.push(c),
    }
}

/// Whether a mark on this letter or digit is significant.
fn counts(base: char, mark: char, accents: Accents) -> bool {
    match base {
        // For example the frame of a keycap emoji.
        _ if digit(base).is_some() => false,
        'a'..='z'
        | '\u{df}'..='\u{3ff}'
        | '\u{1d00}'..='\u{1fff}'
        | '\u{2c60}'..='\u{2c7f}'
        | '\u{a720}'..='\u{a7ff}'
        | '\u{ab30}'..='\u{ab6f}' => accents == Accents::Kept,
        'е' if mark == '\u{308}' => accents == Accents::Kept,
        'а' | 'е' | 'и' | 'о' | 'у' | 'ы' | 'э' | 'ю' | 'я' | 'і' | 'є'
            if matches!(mark, '\u{300}' | '\u{301}') =>
        {
            accents == Accents::Kept
        }
        _ => true,
    }
}

/// Whether `c` is never displayed: joiners, selectors, fillers, direction marks (Unicode's property
/// `Default_Ignorable_Code_Point`).
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Whether `c` is an apostrophe or prime that Unicode classifies as a letter.
fn is_apostrophe(c: char) -> bool {
    matches!(c, '\u{2b9}'..='\u{2bf}' | '\u{7f4}'..='\u{7f5}' | '\u{a78b}'..='\u{a78c}')
}

/// The digit zero of each script; the other nine digits follow it (Unicode's general category `Nd`,
/// version 17). Zeros that normalisation already replaces, such as full-width ones, are not listed.
const ZEROS: [char; 70] = [
    '0',
    '\u{660}',
    '\u{6f0}',
    '\u{7c0}',
    '\u{966}',
    '\u{9e6}',
    '\u{a66}',
    '\u{ae6}',
    '\u{b66}',
    '\u{be6}',
    '\u{c66}',
    '\u{ce6}',
    '\u{d66}',
    '\u{de6}',
    '\u{e50}',
    '\u{ed0}',
    '\u{f20}',
    '\u{1040}',
    '\u{1090}',
    '\u{17e0}',
    '\u{1810}',
    '\u{1946}',
    '\u{19d0}',
    '\u{1a80}',
    '\u{1a90}',
    '\u{1b50}',
    '\u{1bb0}',
    '\u{1c40}',
    '\u{1c50}',
    '\u{a620}',
    '\u{a8d0}',
    '\u{a900}',
    '\u{a9d0}',
    '\u{a9f0}',
    '\u{aa50}',
    '\u{abf0}',
    '\u{104a0}',
    '\u{10d30}',
    '\u{10d40}',
    '\u{11066}',
    '\u{110f0}',
    '\u{11136}',
    '\u{111d0}',
    '\u{112f0}',
    '\u{11450}',
    '\u{114d0}',
    '\u{11650}',
    '\u{116c0}',
    '\u{116d0}',
    '\u{116da}',
    '\u{11730}',
    '\u{118e0}',
    '\u{11950}',
    '\u{11bf0}',
    '\u{11c50}',
    '\u{11d50}',
    '\u{11da0}',
    '\u{11de0}',
    '\u{11f50}',
    '\u{16130}',
    '\u{16a60}',
    '\u{16ac0}',
    '\u{16b50}',
    '\u{16d70}',
    '\u{1e140}',
    '\u{1e2f0}',
    '\u{1e4f0}',
    '\u{1e5f1}',
    '\u{1e950}',
    '\u{1fbf0}',
];

/// The ASCII digit of the same value, if `c` is a decimal digit.
fn digit(c: char) -> Option<char> {
    let after = ZEROS.partition_point(|zero| *zero <= c);
    let zero = ZEROS.get(after.checked_sub(1)?)?;
    char::from_digit(u32::from(c) - u32::from(*zero), 10)
}

/// The form that CLDR's transform Latin-ASCII gives to small letters without a decomposition.
fn latin_ascii(c: char) -> Option<&'static str> {
    Some(match c {
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ħ' => "h",
        'ł' => "l",
        'ŧ' => "t",
        _ => return None,
    })
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, other: &str) -> bool {
        fold(one, Accents::Ignored) == fold(other, Accents::Ignored)
    }

    #[test]
    fn a_letter_that_decomposes_to_a_mark_first_is_the_same_after_a_sign() {
        for (one, other) in [
            ("\u{e19}\u{e33}", "\u{e19}_\u{e33}"),
            ("\u{e99}\u{eb3}", "\u{e99} \u{eb3}"),
        ] {
            assert!(same(one, other), "{one}");
        }
        assert!(!same("\u{e19}\u{e33}", "\u{e19}\u{e32}"));
    }

    #[test]
    fn spellings_of_the_same_word_are_equal() {
        for (one, other) in [
            ("prêt à apprendre", "pret a apprendre"),
            ("prêt à apprendre", "pre\u{302}t a\u{300} apprendre"),
            ("I am ready", "Ｉ ａｍ ｒｅａｄｙ"),
            ("I am ready", "𝐈 𝗮𝗺 𝓻𝓮𝓪𝓭𝔂"),
            ("class 2026", "class ٢٠٢٦"),
            ("class 2026", "class ۲۰۲۶"),
            ("class 2026", "class २०२६"),
            ("class 2026", "class ２０２６"),
            ("class 2", "class 2\u{fe0f}\u{20e3}"),
            ("Straße", "STRASSE"),
            ("Þæt", "THAET"),
            ("Ħaŧ", "HAT"),
            ("Straße", "STRAẞE"),
            ("İstanbul", "istanbul"),
            ("ışık", "ISIK"),
            ("ﬁnd ﬂour", "find flour"),
            ("it's o'clock", "it\u{2019}s o\u{2bc}clock"),
            ("ready", "re\u{200b}a\u{ad}d\u{2060}y\u{feff}"),
            ("łódź", "lodz"),
            ("Đakovo", "dakovo"),
            ("smørrebrød", "smorrebrod"),
            ("cœur", "coeur"),
            ("Λόγος της ημέρας", "ΛΟΓΟΣ ΤΗΣ ΗΜΕΡΑΣ"),
            ("ёлка", "елка"),
            ("за́мок", "замок"),
            ("ｶﾞｷﾞｸﾞ", "ガギグ"),
            ("가나다", "\u{1100}\u{1161}\u{1102}\u{1161}\u{1103}\u{1161}"),
        ] {
            assert!(same(one, other), "{one:?} and {other:?}");
        }
    }

    #[test]
    fn different_marks_and_letters_make_different_words() {
        for (one, other) in [
            ("कि", "की"),
            ("कल", "कला"),
            ("क्षमा", "कषमा"),
            ("שָׁלוֹם", "שלום"),
            ("มา", "ม้า"),
            ("か", "が"),
            ("ハ", "パ"),
            ("ка\u{438}", "ка\u{439}"),
            ("кит", "кіт"),
            ("їжа", "іжа"),
            ("أمل", "امل"),
            ("а", "a"),
            ("ο", "o"),
            ("Ꭺ", "A"),
            ("l", "1"),
            ("O", "0"),
        ] {
            assert!(!same(one, other), "{one:?} and {other:?}");
        }
    }

    #[test]
    fn accents_can_be_significant() {
        let exact = |text| fold(text, Accents::Kept);
        assert_ne!(exact("año"), exact("ano"));
        assert_ne!(exact("rød"), exact("rod"));
        assert_eq!(exact("Año"), exact("AN\u{303}O"));
        assert_eq!(exact("Straße"), exact("STRASSE"));
    }

    #[test]
    fn no_letter_is_another_letter_of_the_alphabet() {
        for letter in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            let folded = fold(letter.encode_utf8(&mut [0; 4]), Accents::Ignored);
            assert_eq!(fold(&folded, Accents::Ignored), folded, "{letter:?}");
            let is_of_another_script = matches!(letter,
                '\u{370}'..='\u{58f}' | '\u{13a0}'..='\u{13ff}' | '\u{1c80}'..='\u{1c8f}'
                | '\u{1f00}'..='\u{1fff}' | '\u{2c80}'..='\u{2dff}' | '\u{a4d0}'..='\u{a4ff}'
                | '\u{a640}'..='\u{a69f}' | '\u{ab70}'..='\u{abbf}');
            let has_latin = folded.bytes().any(|byte| byte.is_ascii_lowercase());
            assert!(
                !(is_of_another_script && has_latin),
                "{letter:?} is {folded}"
            );
            if folded.len() == 1 && folded != "i" {
                // Its own decomposition begins with that letter, or it is in the short list above.
                let first = letter.nfkd().find(|c| is_letter_or_digit(*c));
                let first = first.and_then(|c| fold_case(c).next()).unwrap();
                let is_listed = latin_ascii(first) == Some(folded.as_str());
                let is_digit = digit(first).is_some_and(|digit| folded.starts_with(digit));
                assert!(
                    folded.starts_with(first) || is_listed || is_digit,
                    "{letter:?} is {folded}"
                );
            }
        }
    }

    #[test]
    fn every_zero_begins_ten_digits() {
        assert!(ZEROS.is_sorted());
        for zero in ZEROS {
            for value in 0..10 {
                let c = char::from_u32(u32::from(zero) + value).unwrap();
                assert_eq!(digit(c), char::from_digit(value, 10));
                assert!(c.is_numeric() || zero == '\u{11de0}', "{c:?}");
            }
        }
    }

    #[test]
    fn of_the_marks_on_a_cyrillic_letter_only_accents_and_its_dots_are_left_out() {
        assert!(same("\u{451}", "\u{435}") && same("\u{435}\u{301}", "\u{435}"));
        // With a breve it is another letter.
        assert!(!same("\u{4d7}", "\u{435}"));
        let keeps = |text| fold(text, Accents::Kept);
        assert_ne!(keeps("\u{451}"), keeps("\u{435}"));
    }

    #[test]
    fn a_mark_behind_a_sign_belongs_to_no_letter_and_fillers_are_none() {
        assert!(same("\u{435}!\u{306}", "\u{435}"));
        assert!(same("re\u{3164}ady", "ready"));
    }
}

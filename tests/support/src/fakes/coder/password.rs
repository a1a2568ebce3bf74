//! Coder's rule for passwords: enough entropy, counted its own way, and at most 64 bytes.
//!
//! The entropy is `length * log2(alphabet)`. The alphabet counts whole classes of characters; the length counts what
//! remains after runs of one character and runs along the keyboard or the alphabet have been cut down to two.

const REPLACE: &str = "!@$&*";
const SEPARATORS: &str = "_-., ";
const OTHER_SPECIAL: &str = "\"#%'()+/:;<=>?[\\]^{|}~";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const SEQUENCES: [&str; 5] = [DIGITS, "qwertyuiop", "asdfghjkl", "zxcvbnm", LOWER];
const ENOUGH: f64 = 52.0;
const LONGEST: usize = 64;

/// Accepts a password, or says in Coder's words what is wrong with it.
pub fn validate(password: &str) -> Result<(), String> {
    if entropy(password) < ENOUGH {
        let hints = hints(password);
        let hints = if hints.is_empty() {
            String::new()
        } else {
            format!("try {} or ", hints.join(", "))
        };
        return Err(match hints.is_empty() {
            true => "insecure password, try using a longer password".to_owned(),
            false => format!("insecure password, {hints}using a longer password"),
        });
    }
    if password.len() > LONGEST {
        return Err(format!(
            "password must be no more than {LONGEST} characters"
        ));
    }
    Ok(())
}

/// Bits of entropy by Coder's count.
pub fn entropy(password: &str) -> f64 {
    let length = effective_length(password);
    if length == 0 {
        return 0.0;
    }
    length as f64 * (alphabet(password) as f64).log2()
}

fn has_any(password: &str, class: &str) -> bool {
    password.chars().any(|character| class.contains(character))
}

fn alphabet(password: &str) -> usize {
    let classes = [REPLACE, SEPARATORS, OTHER_SPECIAL, LOWER, UPPER, DIGITS];
    let whole: usize = classes
        .iter()
        .filter(|class| has_any(password, class))
        .map(|class| class.len())
        .sum();
    let mut others: Vec<char> = password
        .chars()
        .filter(|c| !classes.iter().any(|class| class.contains(*c)))
        .collect();
    others.sort_unstable();
    others.dedup();
    whole + others.len()
}

fn effective_length(password: &str) -> usize {
    let mut text = cut_repeats(password);
    for sequence in SEQUENCES {
        text = cut_sequence(text, &sequence.chars().collect::<Vec<_>>());
    }
    for sequence in SEQUENCES {
        text = cut_sequence(text, &sequence.chars().rev().collect::<Vec<_>>());
    }
    text.into_iter().map(char::len_utf8).sum()
}

/// Keeps the first two of a run of one character.
fn cut_repeats(password: &str) -> Vec<char> {
    let mut kept: Vec<char> = Vec::new();
    for character in password.chars() {
        if !kept.ends_with(&[character, character]) {
            kept.push(character);
        }
    }
    kept
}

/// Keeps the first two of a run along a sequence. The odd steps of the original are kept on purpose: the position
/// moves once more after each scan, and the streak is not forgotten between scans.
fn cut_sequence(mut text: Vec<char>, sequence: &[char]) -> Vec<char> {
    let mut streak = 0;
    let mut position = 0;
    while position < text.len() {
        for next in sequence {
            let Some(character) = text.get(position) else {
                break;
            };
            if character != next {
                streak = 0;
                continue;
            }
            streak += 1;
            if streak > 2 {
                text.remove(position);
            } else {
                position += 1;
            }
        }
        position += 1;
    }
    text
}

fn hints(password: &str) -> Vec<&'static str> {
    let special = [REPLACE, SEPARATORS, OTHER_SPECIAL]
        .iter()
        .all(|class| has_any(password, class));
    let mut hints = Vec::new();
    let checks = [
        (special, "including more special characters"),
        (has_any(password, LOWER), "using lowercase letters"),
        (has_any(password, UPPER), "using uppercase letters"),
        (has_any(password, DIGITS), "using numbers"),
    ];
    hints.extend(
        checks
            .into_iter()
            .filter(|(present, _)| !present)
            .map(|(_, hint)| hint),
    );
    hints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strength_is_counted_as_coder_counts_it() {
        let long_run = "a".repeat(65);
        let table = [
            ("PasswordSecured123!", 67, 18, 109.2, true),
            ("kx7mq2vr9tz", 36, 11, 56.9, true),
            ("kx7mq2vr9t", 36, 10, 51.7, false),
            ("Kx7mQ2vR9", 62, 9, 53.6, true),
            ("P@ssw0rd!", 67, 9, 54.6, true),
            ("mfq8-r3tn-vk2p", 41, 14, 75.0, true),
            ("4711-9283-5540", 15, 14, 54.7, true),
            ("password", 26, 8, 37.6, false),
            ("qwertyuiop123", 36, 4, 20.7, false),
            ("abcdefghijklmnop", 26, 6, 28.2, false),
            (&long_run, 26, 2, 9.4, false),
        ];
        for (password, letters, length, bits, accepted) in table {
            assert_eq!(alphabet(password), letters, "alphabet of {password}");
            assert_eq!(effective_length(password), length, "length of {password}");
            assert!(
                (entropy(password) - bits).abs() < 0.06,
                "bits of {password}: {}",
                entropy(password)
            );
            assert_eq!(validate(password).is_ok(), accepted, "{password}");
        }
    }

    #[test]
    fn runs_are_cut_to_two_with_the_odd_exceptions_of_the_original() {
        for (password, length) in [
            ("abcdef", 2),
            ("4321", 2),
            ("dabc", 4),
            ("ABCDEF", 6),
            ("", 0),
        ] {
            assert_eq!(effective_length(password), length, "{password}");
        }
    }

    #[test]
    fn a_refusal_names_its_reason() {
        let strong_but_long = "kx7mq2vr9tz".repeat(6);
        let refusal = |password: &str| validate(password).expect_err("refused");
        assert_eq!(
            refusal(&strong_but_long[..65]),
            "password must be no more than 64 characters"
        );
        assert_eq!(
            refusal("password"),
            "insecure password, try including more special characters, using uppercase letters, using numbers or using \
             a longer password"
        );
        assert!(validate(&strong_but_long[..64]).is_ok());
        assert!(refusal("").starts_with("insecure password"));
    }
}

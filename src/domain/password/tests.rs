//! Passwords by examples, and by Coder's own rule for their strength.

use super::*;

/// The first key of the examples: bytes 0 to 31.
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const MARKER: &str = "Class guest 1f0c92aa-77b01e5d-c4a11b02";

fn derived(key: &str, username: &str, marker: &str, counter: u32) -> String {
    let key = PasswordKey::parse(key).unwrap();
    let username = Username::parse(username).unwrap();
    let marker = Marker::from_stored(marker.to_owned());
    let password = key.password(&username, &marker, counter);
    password.reveal().to_owned()
}

#[test]
fn derived_passwords_are_those_that_another_program_derives() {
    // Computed with Python's hmac and hashlib, by the words of this module.
    for (key, username, marker, counter, password) in [
        (KEY, "happy-tuna", MARKER, 1, "mnssm-t9hhs-v5r88"),
        (KEY, "happy-tuna", MARKER, 2, "dyhr9-3wgbm-qsjfx"),
        // One candidate without a digit is skipped, then two.
        (KEY, "happy-tuna", MARKER, 4, "wsvmc-rb3h6-n58bh"),
        (KEY, "happy-tuna", MARKER, 1_377, "g3rvq-4txkq-9hg7q"),
        (
            KEY,
            "happy-tuna",
            "Class guest 1f0c92ab-77b01e5d-c4a11b02",
            1,
            "n67g3-kz52d-rb6r7",
        ),
        (KEY, "happy-tuna-27", MARKER, 1, "thgrt-xgz8v-fk652"),
        (
            &"0".repeat(64),
            "happy-tuna",
            MARKER,
            1,
            "4q6dv-48ncz-p6pyb",
        ),
        (&"f".repeat(64), "a", "", u32::MAX, "mdq6c-rf7q8-9b7sp"),
    ] {
        assert_eq!(derived(key, username, marker, counter), password);
    }
    let check = PasswordKey::parse(KEY).unwrap().check();
    assert_eq!(
        hex(&check),
        "733cf3c7c15d77092e3e0f84e4022dedb1f3910513af8353d40aaf0b84650bff"
    );
}

#[test]
fn a_key_is_read_as_it_is_written_and_does_not_print() {
    let key = PasswordKey::draw();
    assert_eq!(PasswordKey::parse(&key.reveal()), Some(key.clone()));
    assert_ne!(key, PasswordKey::draw());
    assert_eq!(format!("{key:?}"), "PasswordKey(..)");
    let whole = key.reveal();
    for damaged in [
        "",
        &whole[1..],
        &format!("{whole}0"),
        &format!(" {}", &whole[1..]),
        &format!("+{}", &whole[1..]),
        &format!("g{}", &whole[1..]),
        &"é".repeat(32),
    ] {
        assert_eq!(PasswordKey::parse(damaged), None, "{damaged}");
    }
}

#[test]
fn passwords_have_seventy_bits_and_do_not_print() {
    let bits = (GROUPS * GROUP) as f64 * (ALPHABET.len() as f64).log2();
    assert!(bits >= 70.0, "{bits}");
    let password = Password::draw();
    assert_eq!(password.reveal().len(), Password::LENGTH);
    assert_eq!(format!("{password:?}"), "Password(..)");
}

#[test]
fn a_million_passwords_pass_coders_strength_rule() {
    // For 52 bits ten of the 17 characters have to count. Repeats and keyboard runs would have
    // to fill all three groups to leave fewer, which happens once in 10^12 draws or rarer.
    for _ in 0..1_000_000 {
        let password = Password::draw();
        let bits = coder_strength::bits(password.reveal());
        assert!(bits >= 52.0, "{bits} bits");
    }
}

#[test]
fn a_hundred_thousand_derived_passwords_pass_coders_strength_rule_and_differ() {
    let key = PasswordKey::draw();
    let username = Username::parse("happy-tuna").unwrap();
    let marker = Marker::from_stored(MARKER.to_owned());
    let mut all = std::collections::HashSet::new();
    for counter in 0..100_000 {
        let password = key.password(&username, &marker, counter);
        let bits = coder_strength::bits(password.reveal());
        assert!(bits >= 52.0, "{bits} bits");
        assert!(all.insert(password.reveal().to_owned()), "{counter}");
    }
}

#[test]
fn a_typical_password_is_far_above_coders_strength_rule() {
    let mut bits: Vec<f64> = (0..1_001)
        .map(|_| coder_strength::bits(Password::draw().reveal()))
        .collect();
    bits.sort_by(f64::total_cmp);
    assert!(bits[500] >= 90.0, "{} bits", bits[500]);
}

#[test]
fn every_password_has_letters_and_digits() {
    for _ in 0..20_000 {
        let password = Password::draw();
        let has = |kind: fn(&u8) -> bool| password.reveal().as_bytes().iter().any(kind);
        assert!(has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit));
    }
}

/// Coder's rule: `wagslane/go-password-validator`, entropy of at least 52 bits.
mod coder_strength {
    const SEQUENCES: [&str; 5] = [
        "0123456789",
        "qwertyuiop",
        "asdfghjkl",
        "zxcvbnm",
        "abcdefghijklmnopqrstuvwxyz",
    ];

    pub fn bits(password: &str) -> f64 {
        let has = |class: fn(&u8) -> bool| password.as_bytes().iter().any(class);
        let mut base = 0.0;
        for (present, size) in [
            (has(u8::is_ascii_lowercase), 26.0),
            (has(u8::is_ascii_uppercase), 26.0),
            (has(u8::is_ascii_digit), 10.0),
            (password.contains(['_', '-', '.', ',', ' ']), 5.0),
        ] {
            if present {
                base += size;
            }
        }
        length(password) as f64 * f64::log2(base)
    }

    /// The length that counts: of repeats and of keyboard or alphabet runs only two characters.
    fn length(password: &str) -> usize {
        let mut text: Vec<u8> = Vec::new();
        for &byte in password.as_bytes() {
            if !text.ends_with(&[byte, byte]) {
                text.push(byte);
            }
        }
        for sequence in SEQUENCES {
            let forward = sequence.as_bytes().to_vec();
            let backward = forward.iter().rev().copied().collect();
            for run in [forward, backward] {
                text = without_run(text, &run);
            }
        }
        text.len()
    }

    /// Every third and later character of any stretch that follows `run` goes: at least as
    /// strict as the library, whose sweep can miss some.
    fn without_run(text: Vec<u8>, run: &[u8]) -> Vec<u8> {
        let follows = |a: u8, b: u8| run.windows(2).any(|pair| pair == [a, b]);
        let mut kept = Vec::new();
        for (i, &byte) in text.iter().enumerate() {
            let third = i >= 2 && follows(text[i - 2], text[i - 1]) && follows(text[i - 1], byte);
            if !third {
                kept.push(byte);
            }
        }
        kept
    }
}

#[test]
fn a_password_is_found_in_a_text_by_its_form() {
    for text in ["Password: mnssm-t9hhs-v5r88", "(mnssm-t9hhs-v5r88)."] {
        assert!(Password::is_in(text), "{text}");
    }
    for text in [
        "",
        "I am ready",
        "mnssm-t9hhs",
        "mnssm-t9hhs-v5r8",
        "mnssm-t9hhs-v5r88-dyhr9",
        "mnssm t9hhs v5r88",
    ] {
        assert!(!Password::is_in(text), "{text}");
    }
}

//! Senders, phrases, opt-out words, countries, names.
//!
//! The input is lines: a sender, a list of countries, a phrase, a text, a name.

use coder_sms_register::domain::{
    Countries, MessageSid, OptWord, Passphrase, Phone, PhoneKey, PhraseError, UnservedSender,
    Username,
};

use crate::assert_harmless;

/// Reads the input, and panics where the service reads it wrongly.
pub fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or("");
    let phone = phone(line());
    countries(line(), phone.as_ref());
    phrase(line(), line());
    name(line());
}

fn phone(raw: &str) -> Option<Phone> {
    let digits: Vec<u32> = raw.trim().chars().filter_map(|c| c.to_digit(10)).collect();
    let any = Phone::parse_any(raw);
    let is_e164 = raw.trim().starts_with('+')
        && digits.len() + 1 == raw.trim().chars().count()
        && (8..=15).contains(&digits.len())
        && digits[0] != 0;
    assert_eq!(any.is_ok(), is_e164, "{raw:?}");
    let parsed = Phone::parse(raw);
    by_rcs(raw);
    let phone = match (&parsed, any) {
        (Ok(phone), Ok(any)) => {
            assert_eq!(*phone, any);
            any
        }
        (Err(unserved), Ok(any)) => {
            assert_eq!(*unserved, UnservedSender::NotMobile);
            assert!(any.reveal().starts_with("+18") || any.reveal().starts_with("+1900"));
            any
        }
        (Err(unserved), Err(other)) => {
            if matches!(unserved, UnservedSender::WhatsApp | UnservedSender::Channel) {
                assert!(raw.contains(':'), "{raw:?}");
                return None;
            }
            assert!([UnservedSender::ShortCode, UnservedSender::NotANumber].contains(&other));
            if is_rcs(raw) {
                // Read as the number behind the channel's name.
                assert_eq!(other, UnservedSender::NotANumber);
            } else {
                assert_eq!(*unserved, other);
            }
            return None;
        }
        (Ok(phone), Err(_)) => {
            let number = raw.trim().get(4..).unwrap_or_default();
            assert!(is_rcs(raw), "{raw:?}");
            assert_eq!(Phone::parse_any(number).as_ref(), Ok(phone));
            return None;
        }
    };
    let again = Phone::parse_any(phone.reveal());
    assert_eq!(again.as_ref(), Ok(&phone), "a phone is its own form");
    assert_eq!(phone.reveal(), raw.trim());
    let (key, other) = (PhoneKey::derive("one"), PhoneKey::derive("two"));
    assert_eq!(again.map(|phone| phone.hash(&key)), Ok(phone.hash(&key)));
    assert_ne!(phone.hash(&key), phone.hash(&other));
    let shown = format!("{phone:?} {:?} {key:?}", phone.hash(&key));
    assert_harmless(&shown, &[&phone.reveal()[1..], &phone.reveal()[..5]]);
    Some(phone)
}

fn is_rcs(raw: &str) -> bool {
    raw.trim().to_ascii_lowercase().starts_with("rcs:")
}

/// By RCS a sender is what it is by SMS, unless it names a channel itself.
fn by_rcs(raw: &str) {
    if !raw.contains(':') {
        let by_rcs = Phone::of_sender(&format!("rcs:{raw}"));
        assert_eq!(by_rcs, Phone::of_sender(raw), "{raw:?}");
    }
}

fn countries(list: &str, phone: Option<&Phone>) {
    let Ok(countries) = Countries::parse(list) else {
        return;
    };
    let items: Vec<&str> = list.split([',', ' ']).filter(|i| !i.is_empty()).collect();
    assert_eq!(countries.is_empty(), items.is_empty());
    assert_eq!(Countries::parse(&items.join(" , ")), Ok(countries.clone()));
    if let Some(phone) = phone {
        let number = &phone.reveal()[1..];
        let begins =
            |item: &&str| **item == *"*" || number.starts_with(item.trim_start_matches('+'));
        assert_eq!(countries.admit(phone), items.iter().any(begins), "{list:?}");
    }
}

fn phrase(phrase: &str, text: &str) {
    let word = OptWord::in_body(text);
    assert_eq!(
        word,
        OptWord::in_body(&format!("\t {} \n", text.to_ascii_lowercase()))
    );
    if let Some(word) = word {
        assert_eq!(OptWord::from_parameter(word.as_str()), Some(word));
        assert_eq!(Passphrase::parse(text), Err(PhraseError::OptWord));
    }
    let Ok(parsed) = Passphrase::parse(phrase) else {
        return;
    };
    assert_eq!(format!("{parsed:?}"), "Passphrase(..)");
    assert!(!parsed.comparison().is_empty());
    let spaced: String = phrase.chars().flat_map(|c| [c, '\u{200b}']).collect();
    for same in [phrase, &spaced] {
        assert!(parsed.matches(same), "{phrase:?} and {same:?}");
    }
    // One text that another phrase means as well makes the accents of both count.
    let two = Passphrase::parse_several(&[phrase, text]);
    if let [Ok(one), Ok(other)] = &two[..] {
        assert_eq!(one.matches(text) && other.matches(phrase), one == other);
        assert!(one.matches(phrase) && other.matches(text));
    }
}

fn name(raw: &str) {
    // codersdk/name.go: ^[a-zA-Z0-9]+(?:-[a-zA-Z0-9]+)*$, at most 32.
    let signs = raw.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let edges = raw.starts_with('-') || raw.ends_with('-') || raw.contains("--");
    let fits = (1..=32).contains(&raw.len()) && signs && !edges;
    let name = Username::parse(raw);
    assert_eq!(name.is_some(), fits, "{raw:?}");
    if let Some(name) = name {
        assert_eq!((name.as_str(), name.to_string()), (raw, raw.to_owned()));
        assert_eq!(name.email("example.org"), format!("{raw}@example.org"));
    }
    if let Some(sid) = MessageSid::parse(raw) {
        assert_eq!(sid.as_str(), raw);
        assert_harmless(&format!("{sid} {sid:?}"), &[]);
    }
}

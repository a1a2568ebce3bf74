use std::collections::BTreeMap;
use std::io;

use crate::config::{Config, ConfigError};

const ID: &str = "webhooks_sharedkey_01kzm8v9x2f7q4t6w8y0a1b2c3";

/// What a service needs that knows no Auth Token.
const WITHOUT_TOKEN: [(&str, &str); 11] = [
    ("TWILIO_ACCOUNT_SID", "AC0123456789abcdef0123456789abcdef"),
    ("TWILIO_SHARED_KEY", "theSecretOfTheKey"),
    ("TWILIO_AUTH_SID", "SK0123456789abcdef0123456789abcdef"),
    ("TWILIO_AUTH_TOKEN", "theSecretOfTheApiKey"),
    ("FROM_NUM", "+14155550100"),
    ("TWILIO_WEBHOOK_URL", "https://sms.example.org/inbound"),
    ("CODER_EMAIL_DOM", "class.example.org"),
    ("CODER_API_URL", "coder.example.org"),
    ("CODER_API_KEY", "token-1234"),
    ("CODER_REG_PASS", "Purple otters juggle"),
    ("CODER_REG_PHONE_KEY", "a key of our own"),
];

fn read(changes: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let mut vars: BTreeMap<&str, &str> = WITHOUT_TOKEN.into();
    vars.extend(changes.iter().copied());
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let vars: Vec<(String, String)> = vars.into_iter().map(owned).collect();
    Config::from_vars(vars, &|_| Err(io::ErrorKind::NotFound.into()))
}

#[test]
fn a_shared_key_takes_the_place_of_the_auth_token() {
    let config = read(&[]).unwrap();
    assert!(config.twilio.webhook_tokens.is_empty());
    assert_eq!(config.twilio.signing_secrets().len(), 1);
    assert_eq!(config.service.phone_keys.len(), 1);
    let both = read(&[
        ("TWILIO_ACCOUNT_TOKEN", "new,old"),
        ("CODER_REG_PHONE_KEY", ""),
    ])
    .unwrap();
    assert_eq!(both.twilio.webhook_tokens.len(), 2);
    assert_eq!(both.twilio.shared_keys.len(), 1);
    assert_eq!(both.service.phone_keys.len(), 2);
}

#[test]
fn keys_are_written_with_their_name_or_without() {
    let keys = |value: &str| {
        read(&[("TWILIO_SHARED_KEY", value)])
            .unwrap()
            .twilio
            .shared_keys
    };
    for (value, expected) in [
        ("secret", &[(None, "secret")][..]),
        ("se:cr:et", &[(None, "se:cr:et")]),
        (&format!("{ID}:secret"), &[(Some(ID), "secret")]),
        (&format!("{ID}:se:cret"), &[(Some(ID), "se:cret")]),
        (
            &format!("{ID}:new, old"),
            &[(Some(ID), "new"), (None, "old")],
        ),
    ] {
        let read: Vec<(Option<String>, String)> = keys(value)
            .into_iter()
            .map(|key| {
                (
                    key.id.map(|id| id.to_string()),
                    key.secret.reveal().to_owned(),
                )
            })
            .collect();
        let expected: Vec<(Option<String>, String)> = expected
            .iter()
            .map(|(id, secret)| (id.map(str::to_owned), (*secret).to_owned()))
            .collect();
        assert_eq!(read, expected, "{value}");
    }
}

#[test]
fn what_is_no_key_is_a_fault_of_its_own_and_is_not_repeated() {
    for (value, words) in [
        (",", "lists no key"),
        ("one,two,three", "more than two keys"),
        (ID, "is the id of a key and not its secret"),
        (&format!("{ID}:"), "is the id of a key and not its secret"),
        ("webhooks_sharedkey_a-b:hush", "does not consist of"),
    ] {
        let faults = read(&[("TWILIO_SHARED_KEY", value)]).unwrap_err();
        let [fault] = &faults.0[..] else {
            panic!("{value}: {faults}");
        };
        assert_eq!(fault.name, "TWILIO_SHARED_KEY");
        assert!(
            fault.problem.to_string().contains(words),
            "{value}: {}",
            fault.problem
        );
        assert!(!faults.to_string().contains("hush") && !faults.to_string().contains("01kzm8"));
    }
}

#[test]
fn without_the_auth_token_its_other_uses_are_asked_for() {
    for (changes, names) in [
        (
            &[("CODER_REG_PHONE_KEY", "")][..],
            &["CODER_REG_PHONE_KEY"][..],
        ),
        (&[("TWILIO_AUTH_SID", "")], &["TWILIO_AUTH_SID"]),
        (&[("TWILIO_AUTH_TOKEN", "")], &["TWILIO_AUTH_TOKEN"]),
        (
            &[
                ("TWILIO_AUTH_SID", ""),
                ("TWILIO_AUTH_TOKEN", ""),
                ("CODER_REG_PHONE_KEY", ""),
            ],
            &[
                "TWILIO_AUTH_SID",
                "TWILIO_AUTH_TOKEN",
                "CODER_REG_PHONE_KEY",
            ],
        ),
        // The account's own login is the Auth Token again.
        (
            &[("TWILIO_AUTH_SID", "AC0123456789abcdef0123456789abcdef")],
            &["TWILIO_AUTH_SID"],
        ),
        (&[("TWILIO_SHARED_KEY", "")], &["TWILIO_ACCOUNT_TOKEN"]),
    ] {
        let faults = read(changes).unwrap_err();
        let found: Vec<&str> = faults.0.iter().map(|fault| fault.name.as_str()).collect();
        assert_eq!(found, names, "{changes:?}: {faults}");
    }
}

//! What stops a start: each fault by its name, all of them at once.

use super::*;

#[test]
fn everything_that_is_missing_is_listed_at_once_with_its_cure() {
    let Err(faults) = Config::from_vars([], &no_file) else {
        panic!("started without a single setting");
    };
    let missing: Vec<&str> = faults.0.iter().map(|fault| fault.name.as_str()).collect();
    for setting in required() {
        let found = missing.iter().filter(|name| **name == setting.name).count();
        assert_eq!(found, 1, "{}: {faults}", setting.name);
    }
    assert_eq!(missing.len(), required().count(), "{faults}");
    let text = faults.to_string();
    assert!(
        text.starts_with(&format!("configuration has {} faults\n", missing.len())),
        "{text}"
    );
    for (setting, line) in required().flat_map(|s| {
        text.lines()
            .filter(|line| line.split_whitespace().next() == Some(s.name))
            .map(move |l| (s, l))
    }) {
        assert!(
            line.contains("missing: set it") && line.contains(setting.meaning),
            "{line}"
        );
        let file = format!("{}_FILE", setting.name);
        assert_eq!(line.contains(&file), setting.secret, "{line}");
    }
}

#[test]
fn each_missing_one_is_one_fault() {
    for setting in required() {
        let faults = faults(&[(setting.name, ""), ("TWILIO_SHARED_KEY", "")]);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].name, setting.name);
    }
    let text = ConfigError(faults(&[("FROM_NUM", "")])).to_string();
    assert!(text.starts_with("configuration has 1 fault\n"), "{text}");
}

/// Values that cannot be meant.
const BAD: &[(&str, &[&str])] = &[
    (
        "TWILIO_ACCOUNT_SID",
        &[
            "AC123",
            "SK0123456789abcdef0123456789abcdef",
            "AC0123456789abcdef0123456789abcdeg",
        ],
    ),
    ("TWILIO_ACCOUNT_TOKEN", &["one,two,three", ",", " , "]),
    (
        "FROM_NUM",
        &[
            "415-555-0100",
            "MG123",
            "TWILIO",
            "+0123456789",
            "whatsapp:+14155550100",
        ],
    ),
    (
        "TWILIO_WEBHOOK_URL",
        &[
            "sms.example.org/inbound",
            "ftp://sms.example.org/",
            "https:///inbound",
            "https://a b/",
        ],
    ),
    (
        "TWILIO_API_URL",
        &["ftp://api.twilio.com", "https://api twilio.com"],
    ),
    (
        "CODER_API_URL",
        &[
            "ftp://coder.example.org",
            "https://user:pass@coder.example.org",
            "user@coder.example.org",
            "https://coder.example.org/?a=b",
            "https://coder.example.org/#top",
            "coder example.org",
            "https://:3000",
            "https://",
            "http:///api/v2",
            "/api/v2",
            "/",
            "https://coder.example.org:0",
            "https://coder.example.org:65536",
            "https://coder.example.org:",
            "http://[::1]:0",
        ],
    ),
    ("REDIS_HOST", &["a/b", "user@host", "two words"]),
    ("CODER_API_KEY", &["two words", "grüße", "line\nbreak"]),
    (
        "CODER_EMAIL_DOM",
        &[
            "localhost",
            "example.",
            ".org",
            "-a.org",
            "a-.org",
            "a_b.org",
            "10.0.0.1",
            "a@b.org",
            "example.o1",
            "example.1o",
            "a..org",
        ],
    ),
    (
        "CODER_REG_PASS",
        &["!?", "\u{1f600}", "stop", "Yes!", "INFO"],
    ),
    ("CODER_REMOVE_TIME", &["soon", "-1", "1.5h", "9999d"]),
    ("CODER_CHECK_INTERVAL", &["0", "never"]),
    ("CODER_STOP_AFTER", &["later"]),
    ("CODER_REG_CALL_LIMIT", &["0", "0ms", "x"]),
    ("CODER_REG_GIVE_UP", &["0"]),
    ("CODER_REG_MAX_USERS", &["0", "100001", "all"]),
    ("CODER_REG_HOURLY_TEXTS", &["0", "-5", "100001"]),
    ("CODER_REG_CATCH_UP", &["25h", "sometimes", "-1"]),
    ("CODER_REG_HINTS", &["sometimes"]),
    ("CODER_REG_REDACT", &["sometimes", "12h"]),
    ("CODER_REG_RESEND_INTERVAL", &["-1"]),
    ("CODER_REG_RESEND_DAILY", &["0", "1001", "ten"]),
    ("CODER_REG_PARALLEL", &["0", "65", "-1"]),
    ("CODER_REG_COUNTRIES", &["US", ",", "+12345678"]),
    (
        "CODER_REG_LISTEN",
        &["0.0.0.0", "example.org:80", "70000", "127.0.0.1:70000"],
    ),
    (
        "CODER_REG_METRICS",
        &["on", "0.0.0.0", "example.org:80", "70000"],
    ),
    ("CODER_REG_ENV", &["staging"]),
    ("CODER_REG_LOG_LEVEL", &["debug", "verbose", "trace"]),
    ("REDIS_PORT", &["70000", "0", "x"]),
    ("REDIS_DB", &["-1", "one"]),
];

#[test]
fn a_value_that_cannot_be_meant_is_one_fault_of_that_name() {
    let mut wrong = Vec::new();
    for (name, values) in BAD {
        for value in *values {
            match read(&[(name, value)]) {
                Err(ConfigError(faults)) if faults.len() == 1 && faults[0].name == *name => {}
                Err(faults) => wrong.push(format!("{name}={value:?}: {faults}")),
                Ok(_) => wrong.push(format!("{name}={value:?} is accepted")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn wrong_values_are_listed_all_at_once() {
    let changes: Vec<(&str, &str)> = BAD
        .iter()
        .map(|(name, values)| (*name, values[0]))
        .collect();
    let faults = faults(&changes);
    for (name, _) in BAD {
        let found = faults.iter().filter(|fault| fault.name == *name).count();
        assert_eq!(found, 1, "{name}: {faults:?}");
    }
    assert_eq!(faults.len(), BAD.len(), "{faults:?}");
}

#[test]
fn a_refused_start_always_says_why() {
    let mut silent = Vec::new();
    for setting in SETTINGS {
        for value in [",", "!", "0", "-", "://", "a b"] {
            let mut few = required_only();
            few.insert(setting.name.to_owned(), value.to_owned());
            if Config::from_vars(few, &no_file).is_err_and(|faults| faults.0.is_empty()) {
                silent.push(format!("{}={value:?}", setting.name));
            }
        }
    }
    assert!(silent.is_empty(), "refused without a word: {silent:?}");
}

#[test]
fn an_api_key_needs_its_own_secret() {
    let faults = faults(&[
        ("TWILIO_AUTH_SID", "SK0123456789abcdef0123456789abcdef"),
        ("TWILIO_AUTH_TOKEN", ""),
    ]);
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].name, "TWILIO_AUTH_TOKEN");
}

#[test]
fn an_api_key_in_the_place_of_the_account_is_told_where_it_belongs() {
    let fault = &faults(&[("TWILIO_ACCOUNT_SID", "SK0123456789abcdef0123456789abcdef")])[0];
    assert!(
        fault.problem.to_string().contains("TWILIO_AUTH_SID"),
        "{}",
        fault.problem
    );
}

#[test]
fn a_secret_both_set_and_in_a_file_is_a_fault() {
    for setting in secret() {
        let file = format!("{}_FILE", setting.name);
        let faults = faults(&[(&file, "/run/secrets/x")]);
        let told: Vec<&SettingError> = faults.iter().filter(|f| f.name == setting.name).collect();
        assert!(
            told.iter().any(|f| f.problem.to_string().contains(&file)),
            "{faults:?}"
        );
        assert_eq!(told.len(), 1, "one slip, one fault: {faults:?}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_a_fault_of_its_own_name() {
    for setting in secret() {
        let file = format!("{}_FILE", setting.name);
        let faults = faults(&[(setting.name, ""), (&file, "/run/secrets/x")]);
        let told = faults.iter().find(|fault| fault.name == file);
        assert!(
            told.is_some_and(|f| f.problem.to_string().contains("/run/secrets/x")),
            "{faults:?}"
        );
        assert_eq!(faults.len(), 1, "one slip, one fault: {faults:?}");
    }
}

#[test]
fn control_characters_in_a_name_of_the_environment_are_shown_and_not_sent_to_the_terminal() {
    let faults = faults(&[("CODER_CLASS_B\x0cLUE_PASS", "purple kettle")]);
    let told = faults
        .iter()
        .map(|fault| format!("{} {}\n", fault.name, fault.problem));
    let told: String = told.collect();
    assert!(told.contains("CODER_CLASS_B\\u{c}LUE"), "{told}");
    assert!(
        told.lines().all(|line| !line.contains(char::is_control)),
        "{told:?}"
    );
    let config = config(&[("CODER_REG_\x1b[31mRED", "1")]);
    let warnings: String = config.warnings.iter().map(ToString::to_string).collect();
    assert!(
        warnings.contains("CODER_REG_\\u{1b}[31mRED"),
        "{warnings:?}"
    );
}

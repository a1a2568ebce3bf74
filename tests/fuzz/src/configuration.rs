//! An environment, and the configuration or the faults that come of it.
//!
//! The input is lines `NAME=value`, laid over an environment that is in order; a line without `=` unsets its name.
//! Every secret, whatever else it is set to, holds the same word, which must never be shown.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use coder_sms_register::config::{Config, ConfigError, SETTINGS, SettingError, is_setting};

const CANARY: &str = "zebracanary";

const IN_ORDER: [(&str, &str); 8] = [
    ("TWILIO_ACCOUNT_SID", "AC0123456789abcdef0123456789abcdef"),
    ("TWILIO_ACCOUNT_TOKEN", ""),
    ("FROM_NUM", "+14155550100"),
    ("TWILIO_WEBHOOK_URL", "https://sms.example.org/inbound"),
    ("CODER_EMAIL_DOM", "class.example.org"),
    ("CODER_API_URL", "coder.example.org/api/v2/"),
    ("CODER_API_KEY", ""),
    ("CODER_REG_PASS", ""),
];

const LONGEST: Duration = Duration::from_secs(10 * 366 * 86_400);

type Vars = BTreeMap<String, String>;

/// Reads the input, and panics where the service reads it wrongly.
pub fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if folded(text).contains(CANARY) {
        return;
    }
    let vars = vars(text);
    match read(&vars) {
        Ok(config) => {
            silent(&config.table());
            silent(&format!("{config:?}"));
            let warnings = config.warnings.iter();
            warnings.for_each(|warning| silent(&warning.to_string()));
            within_bounds(&config);
            reads_its_own_words(&config, vars);
        }
        Err(faults) => {
            silent(&format!("{faults} {faults:?}"));
            assert!(!faults.0.is_empty());
            faults.0.iter().for_each(is_told_well);
            assert_eq!(read(&vars).err(), Some(faults), "told twice, told alike");
        }
    }
}

fn vars(text: &str) -> Vars {
    let mut vars: Vars = IN_ORDER
        .map(|(name, value)| (name.to_owned(), hide(name, value)))
        .into();
    for line in text.lines() {
        match line.split_once('=') {
            Some((name, value)) => vars.insert(name.to_owned(), hide(name, value)),
            None => vars.remove(line),
        };
    }
    vars
}

/// Puts the word into the value of a secret, and into a path that may be a secret in the wrong line.
fn hide(name: &str, value: &str) -> String {
    let is_path = name.ends_with("_FILE") && value.contains(['/', '.', '~']);
    let name = name.strip_suffix("_FILE").unwrap_or(name);
    let is_phrase = name.starts_with("CODER_CLASS_") && name.ends_with("_PASS");
    if !is_path && (is_phrase || SETTINGS.iter().any(|s| s.secret && s.name == name)) {
        format!("{value}{CANARY}")
    } else {
        value.to_owned()
    }
}

fn read(vars: &Vars) -> Result<Config, ConfigError> {
    Config::from_vars(
        vars.clone(),
        &|path: &Path| match path.to_str().map(str::len) {
            Some(length) if length % 3 == 0 => Err(io::ErrorKind::NotFound.into()),
            Some(length) if length % 3 == 1 => Ok(format!("{CANARY} {CANARY}\n")),
            _ => Ok(format!(" {CANARY}\n")),
        },
    )
}

fn folded(text: &str) -> String {
    let letters = text.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

fn silent(shown: &str) {
    assert!(!folded(shown).contains(CANARY), "a secret in {shown}");
}

fn is_told_well(fault: &SettingError) {
    assert!(is_setting(&fault.name), "{}", fault.name);
    let told = fault.problem.to_string();
    assert!(
        !told.is_empty() && !told.chars().any(char::is_control),
        "{fault:?}"
    );
}

fn within_bounds(config: &Config) {
    let class = &config.class;
    assert!(
        (1..=64).contains(&config.service.parallel) && (1..=1_000).contains(&class.resend_daily)
    );
    for span in [
        config.service.call_limit,
        config.class.check_interval,
        config.service.give_up,
    ] {
        assert!(!span.is_zero() && span <= LONGEST);
    }
    assert!(
        class
            .remove_after
            .is_none_or(|span| !span.is_zero() && span <= LONGEST)
    );
    assert!((1..=2).contains(&config.twilio.webhook_tokens.len()));
    assert!((1..=2).contains(&config.service.phone_keys.len()));
    assert!(config.twilio.webhook_url.path().starts_with('/'));
    assert!(config.coder.address.api == format!("{}/api/v2", config.coder.address.site));
    assert!(!config.coder.address.site.ends_with('/') && !config.twilio.api_url.ends_with('/'));
    assert!(!config.class.countries.is_empty() && config.redis.port > 0);
}

/// What was understood can be written back as a setting and is understood alike.
fn reads_its_own_words(config: &Config, mut vars: Vars) {
    let words = [
        ("FROM_NUM", format!("{:?}", config.twilio.sender)),
        (
            "TWILIO_WEBHOOK_URL",
            config.twilio.webhook_url.as_str().to_owned(),
        ),
        ("TWILIO_API_URL", config.twilio.api_url.clone()),
        ("CODER_API_URL", config.coder.address.api.clone()),
        ("CODER_EMAIL_DOM", config.coder.email_domain.clone()),
        ("CODER_REG_LISTEN", config.service.listen.to_string()),
        (
            "CODER_CHECK_INTERVAL",
            format!("{}ms", config.class.check_interval.as_millis()),
        ),
        (
            "CODER_REG_GIVE_UP",
            format!("{} ms", config.service.give_up.as_millis()),
        ),
    ];
    vars.extend(words.map(|(name, value)| (name.to_owned(), value)));
    let again = match read(&vars) {
        Ok(again) => again,
        Err(faults) => panic!("its own words are refused: {faults}"),
    };
    assert_eq!(again.twilio.sender, config.twilio.sender);
    // As it is shown, which leaves out a password; its other spellings are for signatures only.
    assert_eq!(
        again.twilio.webhook_url.as_str(),
        config.twilio.webhook_url.as_str()
    );
    assert_eq!(again.twilio.api_url, config.twilio.api_url);
    assert_eq!(again.coder.address, config.coder.address);
    assert_eq!(again.coder.email_domain, config.coder.email_domain);
    assert_eq!(again.service.listen, config.service.listen);
    assert_eq!(again.class.check_interval, config.class.check_interval);
    assert_eq!(again.service.give_up, config.service.give_up);
    assert_eq!(
        (&again.class.classes[0].phrase, &again.service.phone_keys),
        (&config.class.classes[0].phrase, &config.service.phone_keys)
    );
}

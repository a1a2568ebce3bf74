//! The configuration as an operator writes it.
//!
//! Here: a set of variables that is in order, defaults, files, quotes. `values`: each value's forms. `effective`: what
//! the table says they mean.
//! `faults`: what stops a start. `secrets`: what is never shown. `sources`: files, credentials, and
//! which of them counts.

mod classes;
mod effective;
mod faults;
mod pages;
mod secrets;
mod sources;
mod values;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use log::LevelFilter;

use super::*;
use crate::domain::{ClassName, Countries, PhoneKey, Secret};

const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
const SERVICE: &str = "MG0123456789abcdef0123456789abcdef";

/// Every required setting, and every secret one.
const VALID: [(&str, &str); 13] = [
    ("TWILIO_ACCOUNT_SID", ACCOUNT),
    ("TWILIO_ACCOUNT_TOKEN", "77aa00bb77cc00dd77ee00ff77aa00bb"),
    (
        "TWILIO_SHARED_KEY",
        "webhooks_sharedkey_01kzm8v9x2f7q4t6w8y0a1b2c3:keySleepsUnderTheStairs",
    ),
    ("TWILIO_AUTH_SID", "SK0123456789abcdef0123456789abcdef"),
    ("TWILIO_AUTH_TOKEN", "ApiKeyRidesTheTrain"),
    ("FROM_NUM", "+14155550100"),
    ("TWILIO_WEBHOOK_URL", "https://sms.example.org/inbound"),
    ("CODER_EMAIL_DOM", "class.example.org"),
    ("CODER_API_URL", "coder.example.org/api/v2/"),
    ("CODER_API_KEY", "q8Zr4-sessionOfTheHouse"),
    ("CODER_REG_PASS", "Purple otters juggle"),
    ("CODER_REG_PHONE_KEY", "a key kept under the mat"),
    ("REDIS_PW", "redisSleepsInTheBarn"),
];

fn valid() -> BTreeMap<String, String> {
    VALID
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

fn required_only() -> BTreeMap<String, String> {
    valid()
        .into_iter()
        .filter(|(name, _)| required().any(|s| s.name == name))
        .collect()
}

/// The valid set with some values changed, read without files.
fn read(changes: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let mut vars = valid();
    vars.extend(
        changes
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string())),
    );
    Config::from_vars(vars, &no_file)
}

fn config(changes: &[(&str, &str)]) -> Config {
    read(changes).unwrap_or_else(|faults| panic!("{changes:?}: {faults}"))
}

/// The faults of the valid set with some values changed.
fn faults(changes: &[(&str, &str)]) -> Vec<SettingError> {
    match read(changes) {
        Ok(_) => panic!("{changes:?} is no fault"),
        Err(faults) => faults.0,
    }
}

/// The line of a setting in the table, without the spaces between its words.
fn table_line(config: &Config, name: &str) -> String {
    let table = config.table();
    let line = table
        .lines()
        .find(|line| line.split(' ').next() == Some(name));
    let line = line.unwrap_or_else(|| panic!("no line for {name} in {table}"));
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn no_file(_: &Path) -> io::Result<String> {
    Err(io::ErrorKind::NotFound.into())
}

fn required() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(|setting| setting.required)
}

fn secret() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(|setting| setting.secret)
}

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

#[test]
fn the_required_settings_are_enough() {
    let config = Config::from_vars(required_only(), &no_file).unwrap();
    assert_eq!(config.service.log_level, LevelFilter::Info);
    assert_eq!(config.service.listen.to_string(), "0.0.0.0:8000");
    assert_eq!(config.service.metrics, None);
    assert_eq!(
        config.service.data_dir,
        Path::new("/var/lib/coder-sms-register")
    );
    assert_eq!(config.twilio.api_url, "https://api.twilio.com");
    assert_eq!(config.redis.host, "127.0.0.1");
    assert_eq!((config.redis.port, config.redis.db), (6379, 0));
    assert_eq!(config.redis.password, None);
    assert_eq!(config.class.countries, Countries::parse("+1").unwrap());
    assert_eq!(config.class.remove_after, Some(minutes(720)));
    assert_eq!(config.class.resend_interval, minutes(1));
    assert_eq!(config.class.resend_daily, 10);
    assert_eq!(config.class.hint_interval, Some(minutes(60)));
    assert_eq!(config.service.give_up, minutes(720));
    assert_eq!(config.service.parallel, 8);
    assert_eq!(config.service.call_limit, Duration::from_secs(15));
    assert_eq!(config.class.check_interval, minutes(15));
    assert_eq!(config.class.stop_after, None);
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

#[test]
fn a_default_written_out_changes_nothing() {
    let silent = |changes: &[(&str, &str)]| {
        let mut config = config(changes);
        config.shown.clear();
        // Only the projector shows whether it was set.
        config.class.classes[0].seats_are_set = false;
        format!("{config:?}")
    };
    for setting in SETTINGS {
        if let Some(default) = setting.default {
            assert_eq!(
                silent(&[(setting.name, default)]),
                silent(&[]),
                "{}",
                setting.name
            );
        }
    }
}

#[test]
fn a_setting_is_either_required_or_has_a_default_or_may_be_left_out() {
    for setting in SETTINGS {
        assert!(
            !(setting.required && setting.default.is_some()),
            "{}",
            setting.name
        );
        assert!(
            !(setting.secret && setting.default.is_some()),
            "{}",
            setting.name
        );
        assert_eq!(
            super::settings::setting(setting.name).map(|s| s.name),
            Some(setting.name)
        );
    }
}

#[test]
fn an_empty_value_counts_as_unset() {
    for empty in ["", "  ", "\"\"", "''", "\" \""] {
        assert_eq!(
            config(&[("REDIS_PORT", empty)]).redis.port,
            6379,
            "{empty:?}"
        );
        assert_eq!(
            config(&[("REDIS_PW", empty)]).redis.password,
            None,
            "{empty:?}"
        );
        let faults = faults(&[("CODER_API_URL", empty)]);
        assert!(
            faults[0].problem.what().starts_with("missing"),
            "{faults:?}"
        );
    }
}

#[test]
fn quotes_around_a_value_come_off_and_those_within_stay() {
    for (written, meant) in [
        ("\"pw\"", "pw"),
        ("'pw'", "pw"),
        ("  pw\t", "pw"),
        ("\"pw", "\"pw"),
        ("pw'", "pw'"),
        ("p\"w", "p\"w"),
        ("\"pw'", "\"pw'"),
    ] {
        let password = config(&[("REDIS_PW", written)]).redis.password;
        assert_eq!(password, Some(Secret::new(meant)), "{written}");
    }
}

#[test]
fn every_secret_may_stand_in_a_file() {
    for setting in secret() {
        let name = setting.name;
        let mut vars = valid();
        let value = vars.remove(name).unwrap();
        vars.insert(format!("{name}_FILE"), format!("/run/secrets/{name}"));
        let read = |path: &Path| {
            assert_eq!(path, Path::new("/run/secrets").join(name));
            Ok(format!("{value}\n"))
        };
        let filed = Config::from_vars(vars, &read).unwrap_or_else(|faults| panic!("{faults}"));
        let set = config(&[]);
        assert_eq!(filed.twilio.webhook_tokens, set.twilio.webhook_tokens);
        assert_eq!(filed.twilio.auth_token, set.twilio.auth_token);
        assert_eq!(filed.coder.key, set.coder.key);
        assert_eq!(filed.class.classes[0].phrase, set.class.classes[0].phrase);
        assert_eq!(filed.redis.password, set.redis.password);
        assert_eq!(filed.service.phone_keys, set.service.phone_keys);
        let line = filed
            .table()
            .lines()
            .find(|l| l.starts_with(name))
            .map(str::to_owned);
        assert!(
            line.as_ref().is_some_and(|line| line.contains(" file ")),
            "{line:?}"
        );
    }
}

#[test]
fn an_empty_file_is_as_good_as_no_value() {
    let mut different = Vec::new();
    for Setting { name, .. } in secret() {
        let mut vars = valid();
        vars.remove(*name);
        let unset = Config::from_vars(vars.clone(), &no_file);
        vars.insert(format!("{name}_FILE"), "/run/secrets/empty".to_owned());
        let same = match (Config::from_vars(vars, &|_| Ok("\n".to_owned())), unset) {
            (Ok(empty), Ok(unset)) => {
                empty.redis.password == unset.redis.password
                    && empty.service.phone_keys == unset.service.phone_keys
            }
            (empty, unset) => {
                let told =
                    |faults: &ConfigError| faults.0.iter().any(|f| f.name.starts_with(*name));
                empty.is_err_and(|faults| told(&faults)) && unset.is_err()
            }
        };
        if !same {
            different.push(*name);
        }
    }
    assert!(
        different.is_empty(),
        "an empty file is taken for the value of {different:?}"
    );
}

#[test]
fn the_table_has_a_line_for_each_setting_and_says_where_its_value_came_from() {
    let table = config(&[("REDIS_PORT", "6380")]).table();
    assert_eq!(table.lines().count(), SETTINGS.len());
    let line = |name: &str| -> Vec<&str> {
        let line = table
            .lines()
            .find(|line| line.split(' ').next() == Some(name));
        line.unwrap().split_whitespace().collect()
    };
    assert_eq!(line("REDIS_PORT"), ["REDIS_PORT", "set", "6380"]);
    assert_eq!(line("REDIS_DB"), ["REDIS_DB", "default", "0"]);
    assert_eq!(line("REDIS_PW"), ["REDIS_PW", "set", "********"]);
    assert_eq!(
        line("CODER_STOP_AFTER"),
        ["CODER_STOP_AFTER", "default", "never"]
    );
    assert_eq!(
        line("CODER_REG_PHONE_KEY"),
        ["CODER_REG_PHONE_KEY", "set", "********"]
    );
    assert_eq!(
        line("CODER_REMOVE_TIME").join(" "),
        "CODER_REMOVE_TIME default 720 = 12 h"
    );
}

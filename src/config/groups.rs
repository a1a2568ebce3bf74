//! Reads the settings that belong together, group by group. Every value of a group is read before
//! any of them ends it, so that all faults come out together.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use log::LevelFilter;

use super::reader::{self, Reader};
use super::{
    CoderAddress, CoderConfig, RedisConfig, Rules, TwilioConfig, Unit, addresses, signing,
    twilio_url,
};
use crate::domain::{Countries, Passphrase, PhraseError, Secret};

pub(super) fn read_env(r: &mut Reader) -> Option<bool> {
    r.parsed("CODER_REG_ENV", |value| {
        match value.to_ascii_lowercase().as_str() {
            "prod" | "production" => Ok(false),
            "dev" | "development" => Ok(true),
            _ => Err(format!("{value:?} is neither prod nor dev")),
        }
    })
}

pub(super) fn read_log_level(r: &mut Reader, dev: bool) -> Option<LevelFilter> {
    r.parsed("CODER_REG_LOG_LEVEL", |value| {
        let level = match value.to_ascii_lowercase().as_str() {
            "error" => LevelFilter::Error,
            "warn" | "warning" => LevelFilter::Warn,
            "info" => LevelFilter::Info,
            "debug" => LevelFilter::Debug,
            _ => return Err(format!("{value:?} is none of error, warn, info, debug")),
        };
        if level == LevelFilter::Debug && !dev {
            return Err("debug is for development: set info, or CODER_REG_ENV=dev".to_owned());
        }
        Ok(level)
    })
}

pub(super) fn read_twilio(r: &mut Reader) -> Option<TwilioConfig> {
    let account_sid = r.required_parsed("TWILIO_ACCOUNT_SID", addresses::account_sid);
    let shared_keys = signing::read_shared_keys(r);
    let replaced = !shared_keys.is_empty() || r.is_faulty("TWILIO_SHARED_KEY");
    let webhook_tokens = signing::read_tokens(r, replaced);
    let auth_token = r.get("TWILIO_AUTH_TOKEN").map(Secret::new);
    let auth_sid = r.parsed("TWILIO_AUTH_SID", addresses::auth_sid);
    if auth_sid.as_ref().is_some_and(|sid| sid.starts_with("SK"))
        && auth_token.is_none()
        && !r.is_faulty("TWILIO_AUTH_TOKEN")
    {
        r.fault(
            "TWILIO_AUTH_TOKEN",
            "missing: TWILIO_AUTH_SID is an API key and needs its own secret",
        );
    }
    if webhook_tokens.is_empty() && !shared_keys.is_empty() {
        signing::replace_token(r);
    }
    let sender = r.required_parsed("FROM_NUM", addresses::sender);
    let webhook_url = r.required_parsed("TWILIO_WEBHOOK_URL", addresses::webhook_url);
    let receipts = r.get("TWILIO_WEBHOOK_URL").and_then(addresses::status_url);
    let api_url = r.parsed("TWILIO_API_URL", twilio_url::parse);
    let account_sid = account_sid?;
    let auth_token = auth_token.or_else(|| webhook_tokens.first().cloned());
    Some(TwilioConfig {
        auth_sid: auth_sid.unwrap_or_else(|| account_sid.clone()),
        account_sid,
        auth_token: auth_token?,
        webhook_tokens,
        shared_keys,
        sender: sender?,
        webhook_url: webhook_url?,
        receipts,
        api_url: api_url?,
    })
}

pub(super) fn read_coder(r: &mut Reader) -> Option<CoderConfig> {
    let address = r.required_parsed("CODER_API_URL", CoderAddress::parse);
    let key = r.required("CODER_API_KEY");
    if !key.is_empty() && !addresses::is_header_value(&key) {
        r.fault(
            "CODER_API_KEY",
            "contains blanks or characters that no token has: copy it again",
        );
    }
    let email_domain = r.required_parsed("CODER_EMAIL_DOM", addresses::email_domain);
    if address.as_ref().is_some_and(CoderAddress::is_exposed) {
        r.warn(
            "CODER_API_URL is http: the token and all passwords cross the network in clear"
                .to_owned(),
        );
    }
    Some(CoderConfig {
        address: address?,
        key: Secret::new(key),
        email_domain: email_domain?,
    })
}

pub(super) fn read_redis(r: &mut Reader) -> Option<RedisConfig> {
    let host = r.required_parsed("REDIS_HOST", addresses::redis_host);
    let port = r.number("REDIS_PORT");
    let db = r.number("REDIS_DB");
    let password = r.get("REDIS_PW").map(Secret::new);
    let host = host?;
    let local = host.starts_with('/') || ["127.0.0.1", "::1", "localhost"].contains(&host.as_str());
    if password.is_none() && !local {
        r.warn("REDIS_PW is unset and Redis is not on this machine: anyone who reaches it reads the phones of texts in progress".to_owned());
    }
    Some(RedisConfig {
        host,
        port: port?,
        db: db?,
        password,
    })
}

pub(super) fn read_phrase(r: &mut Reader) -> Option<Passphrase> {
    let phrase = r.required_parsed("CODER_REG_PASS", |phrase| {
        Passphrase::parse(phrase).map_err(|fault| match fault {
            PhraseError::Empty => "has no letter and no digit: choose some words".to_owned(),
            PhraseError::OptWord => {
                "is a word that Twilio keeps for opting out (STOP, YES, INFO ...): choose other words".to_owned()
            }
        })
    })?;
    if let Some(weakness) = phrase.weakness() {
        r.warn(format!(
            "CODER_REG_PASS {}: easy to guess",
            weakness.reason()
        ));
    }
    Some(phrase)
}

pub(super) fn read_countries(r: &mut Reader) -> Option<Countries> {
    r.parsed("CODER_REG_COUNTRIES", |list| match Countries::parse(list) {
        Ok(countries) if countries.is_empty() => Err("names no prefix; * lets in all".to_owned()),
        Ok(countries) => Ok(countries),
        Err(item) => Err(format!(
            "{item:?} is not a dialling prefix such as +1 or +49"
        )),
    })
}

pub(super) fn read_rules(r: &mut Reader) -> Option<Rules> {
    let remove_after = r.span("CODER_REMOVE_TIME");
    let resend_interval = r.span("CODER_REG_RESEND_INTERVAL");
    let resend_daily = r.number("CODER_REG_RESEND_DAILY");
    let hint_interval = r.parsed("CODER_REG_HINTS", |value| {
        match value.to_ascii_lowercase().as_str() {
            "off" | "no" | "false" | "never" | "0" => Ok(None),
            "on" | "yes" | "true" => Ok(Some(Duration::from_secs(3_600))),
            _ => reader::parse_span(value, Unit::Minutes).map(Some),
        }
    });
    let give_up = positive_span(r, "CODER_REG_GIVE_UP");
    let max_users = r.number("CODER_REG_MAX_USERS");
    let hourly_texts = r.number("CODER_REG_HOURLY_TEXTS");
    Some(Rules {
        remove_after: remove_after.map(|span| (!span.is_zero()).then_some(span))?,
        resend_interval: resend_interval?,
        resend_daily: resend_daily?,
        hint_interval: hint_interval?,
        give_up: give_up?,
        max_users: max_users?,
        hourly_texts: hourly_texts?,
    })
}

/// How far back texts that never reached us may be looked for: a day. Twilio's log is long.
const CATCH_UP_LIMIT: Duration = Duration::from_secs(86_400);

/// `Some(None)` = switched off.
pub(super) fn read_catch_up(r: &mut Reader) -> Option<Option<Duration>> {
    let span = r.parsed("CODER_REG_CATCH_UP", |value| {
        match value.to_ascii_lowercase().as_str() {
            "off" | "no" | "false" | "never" => Ok(Duration::ZERO),
            _ => reader::parse_span(value, Unit::Minutes),
        }
    })?;
    if span > CATCH_UP_LIMIT {
        r.fault(
            "CODER_REG_CATCH_UP",
            "is longer than a day: texts of yesterday's class want no login today",
        );
        return None;
    }
    Some((!span.is_zero()).then_some(span))
}

/// `Some(None)` = no limit.
pub(super) fn read_max_time(r: &mut Reader) -> Option<Option<Duration>> {
    if r.get("CODER_MAX_TIME").is_none() && !r.is_faulty("CODER_MAX_TIME") {
        return Some(None);
    }
    positive_span(r, "CODER_MAX_TIME").map(Some)
}

/// An account that lives for less was probably meant to live for so many hours.
const SHORT_LIFE: Duration = Duration::from_secs(30 * 60);

/// Compares the times of an account with each other and with what is likely.
pub(super) fn compare_times(
    r: &mut Reader,
    remove_after: Option<Duration>,
    max_time: Option<Duration>,
    production: bool,
) {
    let Some(remove_after) = remove_after else {
        return;
    };
    if max_time.is_some_and(|most| most < remove_after) {
        r.fault(
            "CODER_MAX_TIME",
            "is shorter than CODER_REMOVE_TIME: no account could be extended; set a longer time, or take it away",
        );
    }
    if production && remove_after < SHORT_LIFE {
        let minutes = remove_after.as_secs().div_ceil(60);
        r.warn(format!(
            "CODER_REMOVE_TIME is {minutes} minutes: hours are written {minutes}h"
        ));
    }
}

/// How a span of time is written on the command line: as in a setting, with bare numbers in minutes.
///
/// # Errors
/// Why it is none.
pub(crate) fn minutes(value: &str) -> Result<Duration, String> {
    match reader::parse_span(value, Unit::Minutes)? {
        span if span.is_zero() => Err("must be longer than 0".to_owned()),
        span => Ok(span),
    }
}

pub(super) fn read_redact(r: &mut Reader) -> Option<bool> {
    r.parsed("CODER_REG_REDACT", |value| {
        match value.to_ascii_lowercase().as_str() {
            "on" | "yes" | "true" | "1" => Ok(true),
            "off" | "no" | "false" | "never" | "0" => Ok(false),
            _ => Err(format!("{value:?} is neither on nor off")),
        }
    })
}

/// `Some(None)` = off.
pub(super) fn read_metrics(r: &mut Reader) -> Option<Option<SocketAddr>> {
    let metrics = r.parsed("CODER_REG_METRICS", addresses::metrics)?;
    if let Some(address) = metrics.filter(|address| !address.ip().is_loopback()) {
        r.warn(format!(
            "CODER_REG_METRICS: {address} shows metrics, which are numbers only, to anybody who can reach it"
        ));
    }
    Some(metrics)
}

pub(super) fn read_data_dir(r: &mut Reader, dev: bool) -> PathBuf {
    let default = if dev {
        "./data"
    } else {
        "/var/lib/coder-sms-register"
    };
    PathBuf::from(r.get("CODER_REG_DATA_DIR").unwrap_or(default))
}

pub(super) fn positive_span(r: &mut Reader, name: &'static str) -> Option<Duration> {
    let span = r.span(name)?;
    if span.is_zero() {
        r.fault(name, "must be longer than 0");
        return None;
    }
    Some(span)
}

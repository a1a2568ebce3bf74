//! The group "This service": where it listens, what it keeps, and its limits.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use log::LevelFilter;

use super::SettingProblem;
use super::reader::{Faulty, Reader};
use super::span;
use super::{TwilioConfig, addresses, span_words, words_of};
use crate::domain::PhoneKey;

/// Where the service listens, what it keeps, and its limits.
#[derive(Clone, Debug)]
pub struct ServiceConfig {
    /// Most detailed level that is logged.
    pub log_level: LevelFilter,
    /// Address of the public listener.
    pub listen: SocketAddr,
    /// Address of the metrics listener; `None` = off.
    pub metrics: Option<SocketAddr>,
    /// Folder of the database, its lock and the private socket.
    pub data_dir: PathBuf,
    /// Students served in parallel, 1 to 64.
    pub parallel: usize,
    /// Time limit of one call to Coder or Twilio.
    pub call_limit: Duration,
    /// Age at which a text is no longer retried.
    pub give_up: Duration,
    /// The most accounts at the same time.
    pub max_users: u32,
    /// The most texts sent per hour, to all phones together.
    pub hourly_texts: u32,
    /// How far back the catch-up searches for texts that never reached us; `None` = off.
    pub catch_up: Option<Duration>,
    /// Whether delivered logins are redacted in Twilio's log.
    pub redact: bool,
    /// Keys with which phone hashes may have been made, the preferred one first.
    pub phone_keys: Vec<PhoneKey>,
}

impl ServiceConfig {
    /// The effective value of a setting of this group, if it may differ from the written one.
    pub(super) fn effective(&self, name: &str) -> Option<String> {
        Some(match name {
            "CODER_REG_LISTEN" => self.listen.to_string(),
            "CODER_REG_METRICS" => self
                .metrics
                .map_or_else(|| "off".to_owned(), |address| address.to_string()),
            "CODER_REG_DATA_DIR" => self.data_dir.display().to_string(),
            "CODER_REG_GIVE_UP" => words_of(self.give_up),
            "CODER_REG_CATCH_UP" => span_words(self.catch_up, "off"),
            "CODER_REG_CALL_LIMIT" => words_of(self.call_limit),
            _ => return None,
        })
    }
}

/// Reads the group. If no phone key is set, it is derived from the tokens of `twilio`.
pub(super) fn read(r: &mut Reader, twilio: Option<&TwilioConfig>) -> Result<ServiceConfig, Faulty> {
    let dev = read_is_dev(r);
    let log_level = read_log_level(r, matches!(dev, Ok(true)));
    let listen = read_listen(r);
    let metrics = read_metrics(r);
    let data_dir = read_data_dir(r);
    let parallel = r.number("CODER_REG_PARALLEL");
    let call_limit = read_call_limit(r);
    let give_up = r.span("CODER_REG_GIVE_UP");
    let max_users = r.number("CODER_REG_MAX_USERS");
    let hourly_texts = r.number("CODER_REG_HOURLY_TEXTS");
    let catch_up = r.value("CODER_REG_CATCH_UP", catch_up);
    let redact = r.value("CODER_REG_REDACT", on_or_off);
    dev?;
    Ok(ServiceConfig {
        log_level: log_level?,
        listen: listen?,
        metrics: metrics?,
        data_dir,
        parallel: parallel?,
        call_limit: call_limit?,
        give_up: give_up?,
        max_users: max_users?,
        hourly_texts: hourly_texts?,
        catch_up: catch_up?,
        redact: redact?,
        phone_keys: read_phone_keys(r, twilio),
    })
}

/// Reads `CODER_REG_ENV`: whether this is development.
pub(super) fn read_is_dev(r: &mut Reader) -> Result<bool, Faulty> {
    r.value("CODER_REG_ENV", |value| {
        match value.to_ascii_lowercase().as_str() {
            "prod" | "production" => Ok(false),
            "dev" | "development" => Ok(true),
            _ => Err(format!("{value:?} is neither prod nor dev")),
        }
    })
}

fn read_log_level(r: &mut Reader, dev: bool) -> Result<LevelFilter, Faulty> {
    r.value("CODER_REG_LOG_LEVEL", |value| {
        let level = match value.to_ascii_lowercase().as_str() {
            "error" => LevelFilter::Error,
            "warn" | "warning" => LevelFilter::Warn,
            "info" => LevelFilter::Info,
            "debug" => LevelFilter::Debug,
            _ => return Err(format!("{value:?} is not error, warn, info or debug").into()),
        };
        if level == LevelFilter::Debug && !dev {
            return Err(SettingProblem::new(
                "debug is for development",
                "set info, or CODER_REG_ENV=dev",
            ));
        }
        Ok(level)
    })
}

/// Reads `CODER_REG_LISTEN`.
pub(super) fn read_listen(r: &mut Reader) -> Result<SocketAddr, Faulty> {
    r.value("CODER_REG_LISTEN", addresses::listen)
}

/// Reads `CODER_REG_METRICS`; `None` = off.
fn read_metrics(r: &mut Reader) -> Result<Option<SocketAddr>, Faulty> {
    let metrics = r.value("CODER_REG_METRICS", addresses::metrics)?;
    if let Some(address) = metrics.filter(|address| !address.ip().is_loopback()) {
        r.warn(
            format!("CODER_REG_METRICS serves the metrics, which are numbers only, to every client that can reach {address}"),
            "let only your Prometheus reach that address",
        );
    }
    Ok(metrics)
}

/// Reads `CODER_REG_DATA_DIR`, whose default depends on `CODER_REG_ENV`.
pub(super) fn read_data_dir(r: &mut Reader) -> PathBuf {
    let default = if matches!(read_is_dev(r), Ok(true)) {
        "./data"
    } else {
        "/var/lib/coder-sms-register"
    };
    PathBuf::from(r.get("CODER_REG_DATA_DIR").unwrap_or(default))
}

/// Reads `CODER_REG_CALL_LIMIT`.
pub(super) fn read_call_limit(r: &mut Reader) -> Result<Duration, Faulty> {
    r.span("CODER_REG_CALL_LIMIT")
}

/// Reads `CODER_REG_PHONE_KEY`; empty if the setting that decides about it has a fault.
pub(super) fn read_phone_keys(r: &Reader, twilio: Option<&TwilioConfig>) -> Vec<PhoneKey> {
    if let Some(key) = r.get("CODER_REG_PHONE_KEY") {
        return vec![PhoneKey::derive(key)];
    }
    let tokens = twilio.iter().flat_map(|twilio| &twilio.webhook_tokens);
    tokens
        .map(|token| PhoneKey::derive(token.reveal()))
        .collect()
}

/// `None` = switched off.
fn catch_up(value: &str) -> Result<Option<Duration>, SettingProblem> {
    let span = match value.to_ascii_lowercase().as_str() {
        "off" | "no" | "false" | "never" => Duration::ZERO,
        _ => span::of_setting("CODER_REG_CATCH_UP", value)?,
    };
    Ok((!span.is_zero()).then_some(span))
}

fn on_or_off(value: &str) -> Result<bool, SettingProblem> {
    match value.to_ascii_lowercase().as_str() {
        "on" | "yes" | "true" | "1" => Ok(true),
        "off" | "no" | "false" | "never" | "0" => Ok(false),
        _ => Err(format!("{value:?} is neither on nor off").into()),
    }
}

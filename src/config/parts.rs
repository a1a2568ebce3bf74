//! The settings group by group, so that a fault in one does not hide the others.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use log::LevelFilter;

use super::misspelt::Misspelling;
use super::reader::{ReadFile, Reader, SettingError};
use super::{CoderConfig, Config, RedisConfig, Rules, TwilioConfig, Vars, addresses, groups};
use crate::domain::{Countries, Passphrase, PhoneKey};

/// What could be read of the settings. `None` = a fault is in the way.
#[derive(Debug)]
pub struct PartialConfig {
    /// What concerns Twilio.
    pub twilio: Option<TwilioConfig>,
    /// What concerns Coder.
    pub coder: Option<CoderConfig>,
    /// Where Redis is.
    pub redis: Option<RedisConfig>,
    /// The phrase that asks for a login.
    pub phrase: Option<Passphrase>,
    /// Whose texts are served.
    pub countries: Option<Countries>,
    /// What students get and how often.
    pub rules: Option<Rules>,
    /// Address of the public listener.
    pub listen: Option<SocketAddr>,
    /// Folder of the database.
    pub data_dir: PathBuf,
    /// Keys that the phone hashes may have been made with; none where the setting that says so has a
    /// fault.
    pub phone_keys: Vec<PhoneKey>,
    /// Time limit of one call to Coder or Twilio.
    pub call_limit: Option<Duration>,
    /// All that is wrong.
    pub faults: Vec<SettingError>,
    /// Things that work but look wrong.
    pub warnings: Vec<String>,
    /// Variables that look like settings and are none.
    pub misspelt: Vec<Misspelling>,
    log_level: Option<LevelFilter>,
    metrics: Option<Option<SocketAddr>>,
    parallel: Option<usize>,
    check_interval: Option<Duration>,
    stop_after: Option<Duration>,
    max_time: Option<Option<Duration>>,
    catch_up: Option<Option<Duration>>,
    redact: Option<bool>,
}

impl PartialConfig {
    /// Reads as [`Config::from_vars`] does, and keeps what is in order.
    pub fn from_vars(vars: impl Into<Vars>, read: ReadFile<'_>) -> Self {
        let mut reader = Reader::new(vars.into(), read);
        let mut parts = Self::read(&mut reader);
        parts.faults = reader.faults().map_or_else(Vec::new, |faults| faults.0);
        parts.misspelt = reader.misspelt().to_vec();
        parts.warnings = reader.into_warnings();
        parts
    }

    /// Reads every value before anybody gives up on any, so that all faults come out together.
    pub(super) fn read(r: &mut Reader) -> Self {
        let dev = groups::read_env(r);
        let log_level = groups::read_log_level(r, dev == Some(true));
        let twilio = groups::read_twilio(r);
        let coder = groups::read_coder(r);
        let redis = groups::read_redis(r);
        let phrase = groups::read_phrase(r);
        let countries = groups::read_countries(r);
        let rules = groups::read_rules(r);
        let max_time = groups::read_max_time(r);
        if let (Some(rules), Some(max_time)) = (&rules, max_time) {
            groups::compare_times(r, rules.remove_after, max_time, dev == Some(false));
        }
        let key = r.get("CODER_REG_PHONE_KEY").map(PhoneKey::derive);
        let derived = twilio.as_ref().map_or_else(Vec::new, |twilio| {
            let tokens = twilio.webhook_tokens.iter();
            tokens.map(|t| PhoneKey::derive(t.reveal())).collect()
        });
        Self {
            phone_keys: key.map_or(derived, |key| vec![key]),
            twilio,
            coder,
            redis,
            phrase,
            countries,
            rules,
            log_level,
            listen: r.parsed("CODER_REG_LISTEN", addresses::listen),
            data_dir: groups::read_data_dir(r, dev == Some(true)),
            metrics: groups::read_metrics(r),
            parallel: r.number("CODER_REG_PARALLEL"),
            call_limit: groups::positive_span(r, "CODER_REG_CALL_LIMIT"),
            check_interval: groups::positive_span(r, "CODER_CHECK_INTERVAL"),
            stop_after: r.span("CODER_STOP_AFTER"),
            max_time,
            catch_up: groups::read_catch_up(r),
            redact: groups::read_redact(r),
            faults: Vec::new(),
            warnings: Vec::new(),
            misspelt: Vec::new(),
        }
    }

    /// All of it, where nothing is missing.
    pub(super) fn whole(self) -> Option<Config> {
        Some(Config {
            log_level: self.log_level?,
            listen: self.listen?,
            metrics: self.metrics?,
            data_dir: self.data_dir,
            twilio: self.twilio?,
            coder: self.coder?,
            redis: self.redis?,
            phrase: self.phrase?,
            countries: self.countries?,
            rules: self.rules?,
            parallel: self.parallel?,
            call_limit: self.call_limit?,
            check_interval: self.check_interval?,
            stop_after: self.stop_after,
            max_time: self.max_time?,
            catch_up: self.catch_up?,
            redact: self.redact?,
            phone_keys: self.phone_keys,
            warnings: Vec::new(),
            shown: Vec::new(),
        })
    }

    /// Whether one of the settings whose names begin so has a fault.
    pub fn is_faulty(&self, beginnings: &[&str]) -> bool {
        let begins =
            |fault: &SettingError| beginnings.iter().any(|one| fault.name.starts_with(one));
        self.faults.iter().any(begins)
    }
}

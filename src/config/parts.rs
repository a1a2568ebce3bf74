//! The settings that could be read, so that a fault in one does not hide the others.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::error::{SettingError, SettingWarning};
use super::misspelt::Misspelling;
use super::reader::{Faulty, ReadFile, Reader};
use super::{
    ClassConfig, ClassPhrase, CoderConfig, Config, PagesConfig, RedisConfig, SETTINGS,
    ServiceConfig, TwilioConfig, Vars, class, classes, coder, pages, redis, service, twilio,
};
use crate::domain::PhoneKey;

/// The settings that could be read: whole groups, and single values of groups that may have faults.
/// `None` = not readable because of a fault.
#[derive(Debug)]
pub struct PartialConfig {
    /// The group "Twilio".
    pub twilio: Option<TwilioConfig>,
    /// The group "Coder".
    pub coder: Option<CoderConfig>,
    /// The group "The class".
    pub class: Option<ClassConfig>,
    /// The group "The pages".
    pub pages: Option<PagesConfig>,
    /// The group "Redis".
    pub redis: Option<RedisConfig>,
    /// The group "This service".
    pub service: Option<ServiceConfig>,
    /// The phrases that request a login; `None` also if one of them has a fault.
    pub phrases: Option<Vec<ClassPhrase>>,
    /// The number of settings that were read: the general ones, and those of classes that are set.
    pub settings: usize,
    /// Address of the public listener.
    pub listen: Option<SocketAddr>,
    /// Folder of the database.
    pub data_dir: PathBuf,
    /// Keys with which phone hashes may have been made; empty if the setting has a fault.
    pub phone_keys: Vec<PhoneKey>,
    /// Time limit of one call to Coder or Twilio.
    pub call_limit: Option<Duration>,
    /// All faults.
    pub faults: Vec<SettingError>,
    /// Warnings: settings that work but look wrong.
    pub warnings: Vec<SettingWarning>,
    /// Variables whose names look like settings but are not.
    pub misspelt: Vec<Misspelling>,
}

impl PartialConfig {
    /// Like [`Config::from_vars`], but keeps the readable settings if others have faults.
    pub fn from_vars(vars: impl Into<Vars>, read: ReadFile<'_>) -> Self {
        let mut reader = Reader::new(vars.into(), read);
        let mut parts = Self::read(&mut reader);
        parts.faults = reader.faults().map_or_else(Vec::new, |faults| faults.0);
        parts.misspelt = reader.misspelt().to_vec();
        parts.warnings = reader.into_warnings();
        parts
    }

    /// Reads every value before returning, so that all faults are reported together.
    pub(super) fn read(r: &mut Reader) -> Self {
        let production = service::read_is_dev(r) == Ok(false);
        let twilio = twilio::read(r).ok();
        let phrases = classes::read_phrases(r).ok();
        let sender = twilio.as_ref().map(|twilio| &twilio.sender);
        Self {
            pages: pages::read(
                r,
                sender,
                phrases.as_deref().unwrap_or_default(),
                production,
            )
            .ok(),
            coder: coder::read(r).ok(),
            redis: redis::read(r).ok(),
            class: class::read(r, production).ok(),
            service: service::read(r, twilio.as_ref()).ok(),
            phrases,
            settings: SETTINGS.len() + r.class_settings().count(),
            listen: service::read_listen(r).ok(),
            data_dir: service::read_data_dir(r),
            phone_keys: service::read_phone_keys(r, twilio.as_ref()),
            call_limit: service::read_call_limit(r).ok(),
            twilio,
            faults: Vec::new(),
            warnings: Vec::new(),
            misspelt: Vec::new(),
        }
    }

    /// The complete configuration, if every group could be read.
    pub(super) fn into_config(self) -> Result<Config, Faulty> {
        Ok(Config {
            twilio: self.twilio.ok_or(Faulty)?,
            coder: self.coder.ok_or(Faulty)?,
            class: self.class.ok_or(Faulty)?,
            pages: self.pages.ok_or(Faulty)?,
            redis: self.redis.ok_or(Faulty)?,
            service: self.service.ok_or(Faulty)?,
            warnings: Vec::new(),
            shown: Vec::new(),
        })
    }

    /// Whether a setting with one of these prefixes has a fault.
    pub fn is_faulty(&self, prefixes: &[&str]) -> bool {
        let begins = |fault: &SettingError| prefixes.iter().any(|one| fault.name.starts_with(one));
        self.faults.iter().any(begins)
    }
}

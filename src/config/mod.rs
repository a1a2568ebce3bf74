//! Reads the environment into one [`Config`], or into a list of everything that is wrong with it.
//!
//! This module hides the names of variables, their defaults and units, and the spellings that each
//! accepts. After the start the environment is not read again.

mod addresses;
mod class;
mod classes;
mod coder;
mod env_file;
mod error;
mod misspelt;
mod moment;
mod pages;
mod parts;
mod reader;
mod redis;
mod service;
mod settings;
mod signing;
mod span;
mod twilio;
mod twilio_url;
mod vars;
mod workspace;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::domain::{exact_span, seconds};
pub use addresses::{CoderAddress, HEALTH_PATH, Sender, StatusUrl};
pub use class::ClassConfig;
pub use classes::{ClassPhrase, ClassSettings, ClassState, EASY_TO_GUESS};
pub use coder::CoderConfig;
pub use env_file::{EnvFile, LineError, LineProblem, parse_env_file};
pub use error::{ConfigError, SettingError, SettingProblem, SettingWarning};
pub use misspelt::Misspelling;
pub use pages::{PagesConfig, PagesSite, Reply, readable_number};
pub use parts::PartialConfig;
pub use reader::ReadFile;
use reader::Reader;
pub use redis::RedisConfig;
pub use service::ServiceConfig;
pub use settings::{CLASS_SETTINGS, SETTINGS, Setting, Unit};
pub(crate) use span::minutes;
pub use twilio::TwilioConfig;
pub use vars::Vars;
pub use workspace::{TemplateRef, WorkspaceConfig};

/// Whether `name` is a variable that the service reads: a setting, or the `NAME_FILE` of a secret.
#[must_use]
pub fn is_setting(name: &str) -> bool {
    let secret = |plain: &str| settings::setting(plain).is_some_and(|setting| setting.secret);
    settings::setting(name).is_some() || name.strip_suffix("_FILE").is_some_and(secret)
}

/// All settings, checked, in the groups of `.env-template`. Each group has its own reader.
#[derive(Debug)]
pub struct Config {
    /// How webhooks of Twilio are recognised and its API is called.
    pub twilio: TwilioConfig,
    /// How Coder is called.
    pub coder: CoderConfig,
    /// Which students are served, what they get, and how often.
    pub class: ClassConfig,
    /// The public pages, and whether logins appear on screens.
    pub pages: PagesConfig,
    /// Where Redis is.
    pub redis: RedisConfig,
    /// Where the service listens, what it keeps, and its limits.
    pub service: ServiceConfig,
    /// Warnings for the log: settings that work but look wrong.
    pub warnings: Vec<SettingWarning>,
    shown: Vec<ShownSetting>,
}

/// One line of the table that `config` prints.
#[derive(Clone, Debug)]
struct ShownSetting {
    name: String,
    value: String,
    source: &'static str,
}

impl Config {
    /// Reads a configuration from pairs of name and value; `read` opens the files of `NAME_FILE`.
    ///
    /// # Errors
    /// Every fault at once.
    pub fn from_vars(vars: impl Into<Vars>, read: ReadFile<'_>) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(vars.into(), read);
        let config = PartialConfig::read(&mut reader).into_config();
        let mut config = reader.finish(config)?;
        config.shown = shown(&reader, &config);
        config.warnings = reader.misspelt().iter().map(Misspelling::warning).collect();
        config.warnings.extend(reader.into_warnings());
        Ok(config)
    }

    /// The folder of the database, for commands that need no other setting.
    ///
    /// # Errors
    /// The faults of the settings that decide about it, and of no others.
    pub fn data_dir(vars: impl Into<Vars>) -> Result<PathBuf, ConfigError> {
        let mut reader = Reader::only(&["CODER_REG_DATA_DIR", "CODER_REG_ENV"], vars.into());
        let folder = service::read_data_dir(&mut reader);
        reader.faults().map_or(Ok(folder), Err)
    }

    /// The longest life that an account may be extended to, for commands that need no other
    /// setting.
    ///
    /// # Errors
    /// The fault of that setting.
    pub fn max_time(vars: impl Into<Vars>) -> Result<Option<Duration>, ConfigError> {
        let mut reader = Reader::only(&["CODER_MAX_TIME"], vars.into());
        let span = class::read_max_time(&mut reader);
        reader.finish(span)
    }

    /// The address that the service listens on, for commands that need no other setting.
    ///
    /// # Errors
    /// The fault of that setting.
    pub fn listen(vars: impl Into<Vars>) -> Result<SocketAddr, ConfigError> {
        let mut reader = Reader::only(&["CODER_REG_LISTEN"], vars.into());
        let listen = service::read_listen(&mut reader);
        reader.finish(listen)
    }

    /// The effective value of a setting that has several spellings or is filled in by another one.
    /// Never a secret.
    fn effective(&self, name: &str) -> Option<String> {
        let group = self.twilio.effective(name);
        let group = group.or_else(|| self.coder.effective(name));
        let group = group.or_else(|| self.class.effective(name));
        let group = group.or_else(|| self.pages.effective(name));
        group.or_else(|| self.service.effective(name))
    }

    /// The effective settings as a table; secrets are masked.
    pub fn table(&self) -> String {
        let width = self.shown.iter().map(|line| line.name.len()).max();
        let mut table = String::new();
        for ShownSetting {
            name,
            value,
            source,
        } in &self.shown
        {
            let width = width.unwrap_or(0);
            table.push_str(&format!("{name:width$}  {source:10}  {value}\n"));
        }
        table
    }
}

fn shown(reader: &Reader, config: &Config) -> Vec<ShownSetting> {
    let line = |name: &str, secret: bool| {
        let value = match reader.get(name) {
            Some(_) if secret => "********".to_owned(),
            Some(value) => without_user(value),
            None => String::new(),
        };
        let effective = config.effective(name).filter(|words| *words != value);
        let value = match effective {
            Some(words) if value.is_empty() => words,
            Some(words) => format!("{value}  = {words}"),
            None if value.is_empty() => "(unset)".to_owned(),
            None => value,
        };
        ShownSetting {
            name: name.to_owned(),
            value,
            source: reader.source(name),
        }
    };
    let general = SETTINGS
        .iter()
        .map(|setting| line(setting.name, setting.secret));
    let of_classes = reader.class_settings().map(|name| {
        let secret = settings::setting(name).is_none_or(|setting| setting.secret);
        line(name, secret)
    });
    general.chain(of_classes).collect()
}

/// A span of time in words.
fn words_of(span: Duration) -> String {
    if span.subsec_nanos() > 0 {
        return format!("{} ms", span.as_millis());
    }
    exact_span(seconds(span))
}

/// A span of time in words, or `none` if it is switched off.
fn span_words(span: Option<Duration>, none: &str) -> String {
    span.map_or_else(|| none.to_owned(), words_of)
}

/// A URL without the user and password in front of its host.
fn without_user(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else {
        return value.to_owned();
    };
    let host_end = rest.find('/').unwrap_or(rest.len());
    match rest[..host_end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests;

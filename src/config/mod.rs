//! Turns the environment into one [`Config`], or into the list of everything that is wrong with it.
//!
//! What is hidden here: the names of variables, their defaults and units, and how forgiving each is
//! read. After the start nobody looks at the environment again.

mod addresses;
mod env_file;
mod groups;
mod misspelt;
mod parts;
mod reader;
mod settings;
mod signing;
mod twilio_url;
mod vars;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use log::LevelFilter;

use crate::domain::{Countries, Passphrase, PhoneKey, Secret, SharedKey, SignedUrl};
pub use addresses::{CoderAddress, HEALTH_PATH, Sender, StatusUrl};
pub use env_file::{EnvFile, LineError, parse_env_file};
pub(crate) use groups::minutes;
pub use misspelt::Misspelling;
pub use parts::PartialConfig;
use reader::Reader;
pub use reader::{ConfigError, ReadFile, SettingError};
pub use settings::{SETTINGS, Setting, Unit};
pub use vars::Vars;

/// Whether `name` is a variable that the service reads: a setting, or one that names a secret's file.
#[must_use]
pub fn is_setting(name: &str) -> bool {
    let secret = |plain: &str| settings::setting(plain).is_some_and(|setting| setting.secret);
    settings::setting(name).is_some() || name.strip_suffix("_FILE").is_some_and(secret)
}

/// Everything that the service was told, checked.
#[derive(Debug)]
pub struct Config {
    /// Most detailed level that is logged.
    pub log_level: LevelFilter,
    /// Address of the public listener.
    pub listen: SocketAddr,
    /// Address that metrics are shown on; `None` = nowhere.
    pub metrics: Option<SocketAddr>,
    /// Folder of the database, its lock and the private socket.
    pub data_dir: PathBuf,
    /// What concerns Twilio.
    pub twilio: TwilioConfig,
    /// What concerns Coder.
    pub coder: CoderConfig,
    /// Where Redis is.
    pub redis: RedisConfig,
    /// The phrase that asks for a login.
    pub phrase: Passphrase,
    /// Whose texts are served.
    pub countries: Countries,
    /// What students get and how often.
    pub rules: Rules,
    /// Students served side by side, 1 to 64.
    pub parallel: usize,
    /// Time limit of one call to Coder or Twilio.
    pub call_limit: Duration,
    /// Pause between two looks for accounts whose time is up.
    pub check_interval: Duration,
    /// How long past its time a running workspace is left alone; `None` = for ever.
    pub stop_after: Option<Duration>,
    /// The longest life of an account that may be extended to, from its login on; `None` = any.
    pub max_time: Option<Duration>,
    /// How far back texts that never reached us are looked for; `None` = not at all.
    pub catch_up: Option<Duration>,
    /// Whether logins that arrived are blanked in Twilio's log.
    pub redact: bool,
    /// Keys that the phone hashes may have been made with, the preferred one first.
    pub phone_keys: Vec<PhoneKey>,
    /// Things that work but look wrong, for the log.
    pub warnings: Vec<String>,
    shown: Vec<ShownSetting>,
}

/// One line of the table that `config` prints.
#[derive(Clone, Debug)]
struct ShownSetting {
    name: &'static str,
    value: String,
    source: &'static str,
}

/// How Twilio is recognised and called.
#[derive(Debug)]
pub struct TwilioConfig {
    /// The account whose texts are taken.
    pub account_sid: String,
    /// Auth Tokens that a webhook may be signed with; none where shared keys sign instead.
    pub webhook_tokens: Vec<Secret>,
    /// Shared keys that a webhook may be signed with; empty only where there is an Auth Token.
    pub shared_keys: Vec<SharedKey>,
    /// User name of API calls.
    pub auth_sid: String,
    /// Password of API calls.
    pub auth_token: Secret,
    /// Whom replies come from.
    pub sender: Sender,
    /// The URL that Twilio signs.
    pub webhook_url: SignedUrl,
    /// Where Twilio tells what became of a text; `None` = our public URL is not https.
    pub receipts: Option<StatusUrl>,
    /// Base of the API, without a slash at the end.
    pub api_url: String,
}

impl TwilioConfig {
    /// All that a webhook may be signed with, the first Auth Token first; never empty.
    pub fn signing_secrets(&self) -> Vec<Secret> {
        let keys = self.shared_keys.iter().map(|key| &key.secret);
        self.webhook_tokens.iter().chain(keys).cloned().collect()
    }
}

/// How Coder is called.
#[derive(Debug)]
pub struct CoderConfig {
    /// Where its API and its login page are.
    pub address: CoderAddress,
    /// The session token of the service.
    pub key: Secret,
    /// Domain of the students' e-mail addresses.
    pub email_domain: String,
}

/// How Redis is reached.
#[derive(Clone, Debug)]
pub struct RedisConfig {
    /// Host name, address, or the path of a Unix socket (begins with `/`).
    pub host: String,
    /// TCP port; unused with a Unix socket.
    pub port: u16,
    /// Database number.
    pub db: i64,
    /// Password, if Redis wants one.
    pub password: Option<Secret>,
}

/// Times and limits of what students get.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Life of an account after its login was texted; `None` = it is never removed.
    pub remove_after: Option<Duration>,
    /// Pause after a login during which the same phone gets no other.
    pub resend_interval: Duration,
    /// Logins that one phone gets within 24 hours.
    pub resend_daily: u32,
    /// Pause between two hints to one phone; `None` = no hints.
    pub hint_interval: Option<Duration>,
    /// Age at which a text is given up.
    pub give_up: Duration,
    /// Accounts at a time.
    pub max_users: u32,
    /// Texts sent within an hour, to all phones together.
    pub hourly_texts: u32,
}

impl Config {
    /// Reads a configuration from pairs of name and value; `read` opens the files of `NAME_FILE`.
    ///
    /// # Errors
    /// Every fault at once.
    pub fn from_vars(vars: impl Into<Vars>, read: ReadFile<'_>) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(vars.into(), read);
        match PartialConfig::read(&mut reader).whole() {
            Some(mut config) if reader.faults().is_none() => {
                config.shown = shown(&reader, &config);
                config.warnings = reader
                    .misspelt()
                    .iter()
                    .map(Misspelling::to_string)
                    .collect();
                config.warnings.extend(reader.into_warnings());
                Ok(config)
            }
            // A part is missing only over values that have left a fault behind.
            _ => Err(reader.faults().unwrap_or(ConfigError(Vec::new()))),
        }
    }

    /// The folder of the database, for commands that need no other setting.
    ///
    /// # Errors
    /// The faults of the settings that say so, and of no others.
    pub fn data_dir(vars: impl Into<Vars>) -> Result<PathBuf, ConfigError> {
        let mut reader = Reader::only(&["CODER_REG_DATA_DIR", "CODER_REG_ENV"], vars.into());
        let dev = groups::read_env(&mut reader);
        let folder = groups::read_data_dir(&mut reader, dev == Some(true));
        reader.faults().map_or(Ok(folder), Err)
    }

    /// The longest life that an account may be extended to, for commands that need no other setting.
    ///
    /// # Errors
    /// The fault of that setting.
    pub fn max_time(vars: impl Into<Vars>) -> Result<Option<Duration>, ConfigError> {
        let mut reader = Reader::only(&["CODER_MAX_TIME"], vars.into());
        let span = groups::read_max_time(&mut reader);
        reader.faults().map_or_else(|| Ok(span.flatten()), Err)
    }

    /// The address that the service listens on, for commands that need no other setting.
    ///
    /// # Errors
    /// The fault of that setting.
    pub fn listen(vars: impl Into<Vars>) -> Result<SocketAddr, ConfigError> {
        let mut reader = Reader::only(&["CODER_REG_LISTEN"], vars.into());
        let listen = reader.parsed("CODER_REG_LISTEN", addresses::listen);
        // It has a default, so it is there or has left a fault.
        listen.ok_or_else(|| reader.faults().unwrap_or(ConfigError(Vec::new())))
    }

    /// What a setting that can be written in several ways, or is filled in by another one, came to
    /// mean. Never a secret.
    fn understood(&self, name: &str) -> Option<String> {
        let span =
            |span: Option<Duration>, none: &str| span.map_or_else(|| none.to_owned(), words_of);
        let rules = &self.rules;
        Some(match name {
            "TWILIO_AUTH_SID" => self.twilio.auth_sid.clone(),
            "TWILIO_WEBHOOK_URL" => self.twilio.webhook_url.as_str().to_owned(),
            "FROM_NUM" => format!("{:?}", self.twilio.sender),
            "CODER_API_URL" => self.coder.address.api.clone(),
            "CODER_EMAIL_DOM" => self.coder.email_domain.clone(),
            "CODER_REG_PASS" => self.phrase.comparison(),
            "CODER_REG_LISTEN" => self.listen.to_string(),
            "CODER_REG_METRICS" => {
                let address = self.metrics.map(|address| address.to_string());
                address.unwrap_or_else(|| "off".to_owned())
            }
            "CODER_REG_DATA_DIR" => self.data_dir.display().to_string(),
            "CODER_REMOVE_TIME" => span(rules.remove_after, "never"),
            "CODER_CHECK_INTERVAL" => words_of(self.check_interval),
            "CODER_STOP_AFTER" => span(self.stop_after, "never"),
            "CODER_MAX_TIME" => span(self.max_time, "no limit"),
            "CODER_REG_HINTS" => span(rules.hint_interval, "off"),
            "CODER_REG_RESEND_INTERVAL" => words_of(rules.resend_interval),
            "CODER_REG_GIVE_UP" => words_of(rules.give_up),
            "CODER_REG_CATCH_UP" => span(self.catch_up, "off"),
            "CODER_REG_CALL_LIMIT" => words_of(self.call_limit),
            _ => return None,
        })
    }

    /// What was understood, as a table; secrets are masked.
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
    let line = |setting: &'static Setting| {
        let value = match reader.get(setting.name) {
            Some(_) if setting.secret => "********".to_owned(),
            Some(value) => without_user(value),
            None => String::new(),
        };
        let understood = config
            .understood(setting.name)
            .filter(|words| *words != value);
        let value = match understood {
            Some(words) if value.is_empty() => words,
            Some(words) => format!("{value}  = {words}"),
            None if value.is_empty() => "(unset)".to_owned(),
            None => value,
        };
        ShownSetting {
            name: setting.name,
            value,
            source: reader.source(setting.name),
        }
    };
    SETTINGS.iter().map(line).collect()
}

/// A span in the largest unit that it is a whole number of.
fn words_of(span: Duration) -> String {
    let seconds = span.as_secs();
    if span.subsec_nanos() > 0 {
        return format!("{} ms", span.as_millis());
    }
    [(86_400, "d"), (3_600, "h"), (60, "min")]
        .into_iter()
        .find(|(unit, _)| seconds > *unit && seconds.is_multiple_of(*unit))
        .map_or_else(
            || format!("{seconds} s"),
            |(unit, name)| format!("{} {name}", seconds / unit),
        )
}

/// A URL without the user and password that may stand in front of its host.
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

//! The table of all settings: the only place with their names, units and defaults.
//!
//! The reader uses its defaults and ranges, `--help` and `config` print it, the table of
//! `docs/settings.md` is generated from it, and a test compares `.env-template` with it.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::words_of;

/// The unit of a number without a suffix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Not a span of time.
    None,
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
}

impl Unit {
    /// The word for messages and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Seconds => "seconds",
            Self::Minutes => "minutes",
        }
    }
}

/// One environment variable that the service reads.
#[derive(Debug)]
pub struct Setting {
    /// The variable.
    pub name: &'static str,
    /// The default value; `None` if the setting is required or has no default.
    pub default: Option<&'static str>,
    /// The unit of a bare number.
    pub unit: Unit,
    /// The permitted range of a number.
    pub range: Option<RangeInclusive<u32>>,
    /// The permitted range of a span of time.
    pub spans: Option<RangeInclusive<Duration>>,
    /// Whether its value is always masked, and `NAME_FILE` is read as well.
    pub secret: bool,
    /// Whether the service cannot start without it, or without the replacement that its meaning
    /// names.
    pub required: bool,
    /// One line of explanation.
    pub meaning: &'static str,
}

const fn plain(name: &'static str, meaning: &'static str) -> Setting {
    Setting {
        name,
        default: None,
        unit: Unit::None,
        range: None,
        spans: None,
        secret: false,
        required: false,
        meaning,
    }
}

impl Setting {
    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    /// A span of time, from 0 to ten years.
    const fn span(mut self, unit: Unit) -> Self {
        self.unit = unit;
        self.spans = Some(RangeInclusive::new(Duration::ZERO, LONGEST));
        self
    }

    /// A span of time that is not 0.
    const fn positive_span(mut self, unit: Unit) -> Self {
        self.unit = unit;
        self.spans = Some(RangeInclusive::new(SHORTEST, LONGEST));
        self
    }

    /// A span of time from 0 to `most`.
    const fn span_up_to(mut self, most: Duration, unit: Unit) -> Self {
        self.unit = unit;
        self.spans = Some(RangeInclusive::new(Duration::ZERO, most));
        self
    }

    const fn within(mut self, least: u32, most: u32) -> Self {
        self.range = Some(RangeInclusive::new(least, most));
        self
    }

    /// The range of a number, or the unit and the range of a span of time; empty if it is neither.
    pub fn measure(&self) -> String {
        match (&self.range, &self.spans) {
            (Some(range), _) => format!("{} to {}", range.start(), range.end()),
            (None, Some(spans)) => {
                let (least, most) = (bound(*spans.start()), bound(*spans.end()));
                format!("{}; {least} to {most}", self.unit.name())
            }
            (None, None) => String::new(),
        }
    }
}

/// Ten years; a longer span is a typing error.
pub(super) const LONGEST: Duration = Duration::from_secs(10 * 366 * 86_400);

/// The shortest span that can be written, besides 0.
const SHORTEST: Duration = Duration::from_millis(1);

/// The limit of the catch-up: a day, because Twilio's log is long.
const DAY: Duration = Duration::from_secs(86_400);

/// The end of a range of spans in words.
pub(super) fn bound(span: Duration) -> String {
    match span {
        Duration::ZERO => "0".to_owned(),
        LONGEST => "10 years".to_owned(),
        DAY => "1 day".to_owned(),
        other => words_of(other),
    }
}

/// Every setting, in the order in which they are shown.
pub const SETTINGS: &[Setting] = &[
    plain("TWILIO_ACCOUNT_SID", "the Twilio account that owns the number; texts of other accounts are refused").required(),
    plain("TWILIO_ACCOUNT_TOKEN", "the account's Auth Token, which signs the webhooks; during a rotation the new and the old one, separated by a comma; not needed with TWILIO_SHARED_KEY").required().secret(),
    plain("TWILIO_SHARED_KEY", "a shared key that signs the webhooks in place of the Auth Token, as webhooks_sharedkey_...:SECRET or the secret alone; during a rotation two, separated by a comma").secret(),
    plain("TWILIO_AUTH_SID", "the credentials for Twilio's API: an API key (SK...) or the account itself; default: TWILIO_ACCOUNT_SID"),
    plain("TWILIO_AUTH_TOKEN", "the secret of TWILIO_AUTH_SID; default: the first token of TWILIO_ACCOUNT_TOKEN").secret(),
    plain("FROM_NUM", "the number that replies are sent from (+14155550123), or a Messaging Service (MG...)").required(),
    plain("TWILIO_WEBHOOK_URL", "the public URL of the webhook, exactly as it is set at Twilio").required(),
    plain("CODER_REG_LOG_LEVEL", "error, warn, info, or debug (debug only with CODER_REG_ENV=dev)").or("info"),
    plain("CODER_REG_ENV", "prod or dev").or("prod"),
    plain("CODER_EMAIL_DOM", "the domain of the e-mail addresses that students log in with: one of your own without mailboxes, or one that ends in .invalid").required(),
    plain("CODER_API_URL", "the Coder server's API: coder.example.org/api/v2/").required(),
    plain("CODER_API_KEY", "a Coder token that may create and delete users and see their workspaces").required().secret(),
    plain("CODER_REG_PASS", "the phrase that students text; only its letters and digits count, in any case, with or without accents").required().secret(),
    plain("CODER_REMOVE_TIME", "how long an account lives after its login was texted; 0 = it is never removed").or("720").span(Unit::Minutes),
    plain("CODER_MAX_TIME", "how long an account may live after its login was texted, however often the extend command is used; unset = no limit").positive_span(Unit::Minutes),
    plain("CODER_CHECK_INTERVAL", "how often the service searches for accounts whose time is up").or("900").positive_span(Unit::Seconds),
    plain("CODER_REG_TEMPLATE", "the template (name or id) from which each student gets a workspace with the login; unset = no workspace is made"),
    plain("CODER_REG_WORKSPACE", "the name of these workspaces").or("class"),
    plain("CODER_REG_PARAMETERS", "the template's parameters: NAME=VALUE,NAME=VALUE, or a JSON object if a value contains a comma"),
    plain("CODER_REG_PAGES_URL", "the public address of pages that browsers open, such as https://sms.example.org; all paths below it must reach the service; unset = no pages"),
    plain("CODER_REG_REPLY", "where a login goes: text, screen (the laptop whose code was texted; nothing is ever sent by Twilio) or both (the screen, or a text if no code was texted)").or("text"),
    plain("CODER_REG_ORG", "who runs the class, as the pages name them; default: the host of CODER_REG_PAGES_URL; if set, each text with room for it ends with it and Reply STOP to opt out"),
    plain("CODER_REG_CONTACT", "how to reach them, as the pages tell it: an e-mail address, a phone number or a URL"),
    plain("CODER_REG_NUMBER", "the number that students text, as the pages show it; default: FROM_NUM; required with pages if that is a Messaging Service"),
    plain("REDIS_PW", "password of Redis; unset = none").secret(),
    plain("REDIS_HOST", "host of Redis, or the path of its Unix socket").or("127.0.0.1"),
    plain("REDIS_PORT", "port of Redis").or("6379").within(1, 65_535),
    plain("REDIS_DB", "number of the Redis database").or("0").within(0, 65_535),
    plain("CODER_REG_LISTEN", "address and port that the webhook listens on").or("0.0.0.0:8000"),
    plain("CODER_REG_METRICS", "address and port where metrics for Prometheus are served, to every client that can reach it; off = no metrics").or("off"),
    plain("CODER_REG_DATA_DIR", "folder of the database; default: /var/lib/coder-sms-register, with CODER_REG_ENV=dev ./data"),
    plain("CODER_REG_WARM", "how many spare accounts, each with its workspace, are kept ready for the next students, as long as seats are free; a class that opens has them from 15 minutes before").or("0").within(0, 100_000),
    plain("CODER_REG_COUNTRIES", "dialling prefixes that are served, separated by commas (+1, +49); * = all").or("+1"),
    plain("CODER_REG_PARALLEL", "how many students are served in parallel; with 4 or more a Coder on two cores creates 30 to 35 users a second; a higher number only slows its workspaces down").or("8").within(1, 64),
    plain("CODER_STOP_AFTER", "how long after its end an account is suspended if its workspace still runs, which stops the workspace; unset = never, the template's own limit stops it").span(Unit::Minutes),
    plain("CODER_REG_HINTS", "how often one phone gets the hint that its text was not the phrase; off = never").or("60").span(Unit::Minutes),
    plain("CODER_REG_RESEND_INTERVAL", "how long after a login the same phone gets no new one").or("60").span(Unit::Seconds),
    plain("CODER_REG_RESEND_DAILY", "how many logins one phone gets within 24 hours").or("10").within(1, 1_000),
    plain("CODER_REG_MAX_USERS", "how many accounts may exist at the same time; further students get the reply that the class is full").or("500").within(1, 100_000),
    plain("CODER_REG_HOURLY_TEXTS", "how many texts are sent within an hour to all phones together; further logins wait").or("1000").within(1, 100_000),
    plain("CODER_REG_CATCH_UP", "how far back Twilio's log is searched for texts that never reached the service; 0 = off").or("30").span_up_to(DAY, Unit::Minutes),
    plain("CODER_REG_REDACT", "whether the text of a login is removed from Twilio's log after its delivery, or after an hour").or("on"),
    plain("CODER_REG_GIVE_UP", "how long a text is retried while Coder or Twilio cannot be reached").or("720").positive_span(Unit::Minutes),
    plain("CODER_REG_CALL_LIMIT", "time limit of one call to Coder or Twilio").or("15").positive_span(Unit::Seconds),
    plain("CODER_REG_PHONE_KEY", "key of the hashes that replace phone numbers in the database; default: derived from TWILIO_ACCOUNT_TOKEN; required without it").secret(),
    plain("TWILIO_API_URL", "Twilio's API").or("https://api.twilio.com"),
];

/// The placeholder for the class in the names of [`CLASS_SETTINGS`].
pub(super) const CLASS: &str = "<NAME>";

/// The settings that each class has.
pub const CLASS_SETTINGS: &[Setting] = &[
    plain("CODER_CLASS_<NAME>_PASS", "the phrase of the class; no phrase may be the beginning or the end of another one; in place of CODER_REG_PASS").required().secret(),
    plain("CODER_CLASS_<NAME>_SEATS", "how many accounts of the class may exist at the same time; default: CODER_REG_MAX_USERS").within(1, 100_000),
    plain("CODER_CLASS_<NAME>_REMOVE_TIME", "how long an account of the class lives after its login was texted; 0 = it is never removed; default: CODER_REMOVE_TIME").span(Unit::Minutes),
    plain("CODER_CLASS_<NAME>_TEMPLATE", "the template from which each student of the class gets a workspace; default: CODER_REG_TEMPLATE"),
    plain("CODER_CLASS_<NAME>_WARM", "how many spare accounts of the class are kept ready; default: CODER_REG_WARM").within(0, 100_000),
    plain("CODER_CLASS_<NAME>_OPENS", "when the class opens: a local time with its zone, such as 2026-12-01T09:00 Europe/Berlin, or with its offset from UTC, such as 2026-12-01T09:00+01:00; unset = it is open"),
    plain("CODER_CLASS_<NAME>_CLOSES", "from when on nobody gets a new account of the class; a login is still sent again; unset = never"),
    plain("CODER_CLASS_<NAME>_END_AT", "when the accounts of the class are removed, whenever they were made; in place of a time to live"),
];

/// The class in the name of a setting, as it is written there, and the row of [`CLASS_SETTINGS`].
pub(super) fn class_setting(name: &str) -> Option<(&str, &'static Setting)> {
    let mut all = CLASS_SETTINGS.iter();
    all.find_map(|setting| {
        let (before, behind) = setting.name.split_once(CLASS)?;
        let class = name.strip_prefix(before)?.strip_suffix(behind)?;
        (!class.is_empty()).then_some((class, setting))
    })
}

/// The setting with this name. Callers use literals, and a test checks that each of them exists, or names of
/// settings of a class.
pub fn setting(name: &str) -> Option<&'static Setting> {
    let mut all = SETTINGS.iter();
    let found = all.find(|setting| setting.name == name);
    found.or_else(|| class_setting(name).map(|(_, setting)| setting))
}

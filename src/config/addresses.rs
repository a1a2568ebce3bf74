//! Parsers of addresses in settings: URLs, phone numbers, domains, hosts.

use super::SettingProblem;
use std::net::{IpAddr, SocketAddr};

use crate::domain::{Phone, Secret, SignedUrl, page_path};

/// The path of the health check; the webhook cannot use it.
pub const HEALTH_PATH: &str = "/healthz";

/// The sender of replies.
#[derive(Clone, PartialEq, Eq)]
pub enum Sender {
    /// A phone number in E.164 form, or a short code.
    Number(String),
    /// A Messaging Service (`MG...`), which selects the number itself.
    Service(String),
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            // Our own number is shown to the class; it is not a secret.
            Self::Number(number) | Self::Service(number) => f.write_str(number),
        }
    }
}

/// Reads `FROM_NUM`; characters with which people group digits are ignored.
pub(super) fn sender(value: &str) -> Result<Sender, SettingProblem> {
    if is_sid(value, "MG") {
        return Ok(Sender::Service(value.to_owned()));
    }
    number(value).map(Sender::Number).ok_or_else(|| format!(
        "{value:?} is neither a number with its country (+14155550123) nor a Messaging Service (MG...)"
    ).into())
}

/// Reads `CODER_REG_NUMBER`, which students text.
pub(super) fn texted_number(value: &str) -> Result<String, SettingProblem> {
    if is_sid(value, "MG") {
        return Err(SettingProblem::new(
            "is a Messaging Service",
            "set the number that students text, such as +14155550123",
        ));
    }
    number(value).ok_or_else(|| {
        SettingProblem::new(
            format!("{value:?} is neither a number with its country nor a short code"),
            "write it as +14155550123, or a short code as 5 or 6 digits",
        )
    })
}

/// A number in E.164 form, or a short code.
fn number(value: &str) -> Option<String> {
    let number: String = value.chars().filter(|c| !" -().".contains(*c)).collect();
    let short_code = (5..=6).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    (short_code || Phone::parse_any(&number).is_ok()).then_some(number)
}

/// Reads `TWILIO_WEBHOOK_URL`. `with_pages`: whether this service also serves the pages.
pub(super) fn webhook_url(value: &str, with_pages: bool) -> Result<SignedUrl, SettingProblem> {
    let url = SignedUrl::parse(value).map_err(|error| {
        SettingProblem::new(
            format!("{error}"),
            "write it as https://sms.example.org/inbound",
        )
    })?;
    let path = url.path();
    let owner = match path {
        HEALTH_PATH => "the health check",
        path if with_pages && page_path::is_one(path) => "the pages (CODER_REG_PAGES_URL)",
        _ => return Ok(url),
    };
    Err(SettingProblem::new(
        format!("its path {path} is reserved for {owner}"),
        "use another one, here and at Twilio, such as /inbound",
    ))
}

/// The URL to which Twilio sends delivery receipts, on the host of the webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusUrl {
    /// As given to Twilio, with the user name and password of the webhook's URL, if it has them.
    pub given: Secret,
    /// The part that Twilio signs.
    pub signed: SignedUrl,
}

/// Derives the receipt URL from `TWILIO_WEBHOOK_URL`. `None` if that is not https: Twilio would
/// send the receipts over the network unencrypted.
pub(super) fn status_url(webhook: &str) -> Option<StatusUrl> {
    let (scheme, rest) = webhook.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let path = match SignedUrl::parse(webhook).ok()?.path() {
        "/status" => "/delivery",
        _ => "/status",
    };
    let given = format!("https://{host}{path}");
    Some(StatusUrl {
        signed: SignedUrl::parse(&given).ok()?,
        given: Secret::new(given),
    })
}

/// Reads `TWILIO_ACCOUNT_SID`.
pub(super) fn account_sid(value: &str) -> Result<String, SettingProblem> {
    if is_sid(value, "AC") {
        return Ok(value.to_owned());
    }
    // The value is not repeated: it may be the token, entered in the wrong line.
    let hint = if value.starts_with("SK") {
        "; put an API key (SK...) into TWILIO_AUTH_SID"
    } else {
        ""
    };
    Err(SettingProblem::new(
        "is not an account SID",
        format!("AC and 32 hexadecimal digits{hint}"),
    ))
}

/// Reads `TWILIO_AUTH_SID`.
pub(super) fn auth_sid(value: &str) -> Result<String, SettingProblem> {
    if is_sid(value, "AC") || is_sid(value, "SK") {
        return Ok(value.to_owned());
    }
    Err(SettingProblem::new(
        "is neither an API key nor an account SID",
        "SK or AC and 32 hexadecimal digits",
    ))
}

fn is_sid(value: &str, prefix: &str) -> bool {
    let rest = value.strip_prefix(prefix);
    rest.is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Where Coder's API and its login page are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoderAddress {
    /// Base of the API, ending in `/api/v2`.
    pub api: String,
    /// The address that students open in their browser.
    pub site: String,
}

impl CoderAddress {
    /// Reads `CODER_API_URL`, with or without scheme, `/api/v2` and slashes at the end.
    pub(super) fn parse(value: &str) -> Result<Self, SettingProblem> {
        let site = base_url(value, &["/api/v2", "/api"])?;
        Ok(Self {
            api: format!("{site}/api/v2"),
            site,
        })
    }

    /// Whether it is reached unencrypted over a network.
    pub(super) fn is_exposed(&self) -> bool {
        let Some(rest) = self.site.strip_prefix("http://") else {
            return false;
        };
        let host = rest.split(['/', ':']).next().unwrap_or(rest);
        let loopback = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        !loopback && host != "localhost" && !rest.starts_with("[::1]")
    }
}

/// Normalizes a URL: adds a scheme, removes slashes and `suffixes` from the end of its path.
pub(super) fn base_url(value: &str, suffixes: &[&str]) -> Result<String, SettingProblem> {
    if value.contains(['?', '#', '@']) {
        // Not repeated: a password may be in front of an @.
        return Err(SettingProblem::new(
            "must not contain a user, a query or a fragment",
            "write it as https://host.example.org",
        ));
    }
    let (scheme, rest) = value.split_once("://").unwrap_or(("https", value));
    let scheme = scheme.to_ascii_lowercase();
    if !["http", "https"].contains(&scheme.as_str()) {
        return Err(format!("{value:?} begins with neither https:// nor http://").into());
    }
    let split = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at(split);
    let printable = rest.bytes().all(|b| b.is_ascii_graphic());
    if host.is_empty() || host.starts_with(':') || !has_valid_port(host) || !printable {
        return Err(SettingProblem::new(
            format!("{value:?} is not a URL"),
            "write it as https://host.example.org",
        ));
    }
    let mut path = path.trim_end_matches('/');
    for suffix in suffixes {
        path = path
            .strip_suffix(suffix)
            .unwrap_or(path)
            .trim_end_matches('/');
    }
    Ok(format!("{scheme}://{host}{path}"))
}

/// Reads `CODER_REG_PAGES_URL`: scheme, host and port. The pages use all paths below it.
pub(super) fn pages_url(value: &str) -> Result<String, SettingProblem> {
    let url = base_url(value, &[])?.to_ascii_lowercase();
    let host = url.split_once("://").map_or("", |(_, host)| host);
    if host.contains('/') {
        return Err(SettingProblem::new(
            "has a path",
            "the pages need a host of their own, such as https://sms.example.org",
        ));
    }
    Ok(url)
}

/// Whether `host` names no port or one from 1 to 65535.
fn has_valid_port(host: &str) -> bool {
    match host.rsplit_once(':') {
        // The colons of an IPv6 address are within its brackets.
        Some((_, port)) if !port.ends_with(']') => port.parse::<u16>().is_ok_and(|port| port > 0),
        _ => true,
    }
}

/// Reads `REDIS_HOST`.
pub(super) fn redis_host(value: &str) -> Result<String, SettingProblem> {
    if value.starts_with('/') {
        return Ok(value.to_owned());
    }
    if value.contains(['/', '@']) || !is_header_value(value) {
        // Not repeated: a password may be in front of an @.
        return Err(SettingProblem::new(
            "is neither a host name nor the path of a socket",
            "the password goes into REDIS_PW, the port into REDIS_PORT",
        ));
    }
    Ok(value.to_owned())
}

/// Reads `CODER_EMAIL_DOM`. Coder requires a dot and a last part that begins and ends with a letter
/// (go-playground/validator, tag `email`).
pub(super) fn email_domain(value: &str) -> Result<String, SettingProblem> {
    let domain = value.trim_start_matches('@').to_ascii_lowercase();
    let labels: Vec<&str> = domain.split('.').collect();
    let label_ok = |label: &&str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last_ok = labels.last().is_some_and(|last| {
        last.starts_with(|c: char| c.is_ascii_lowercase())
            && last.ends_with(|c: char| c.is_ascii_lowercase())
    });
    if labels.len() >= 2 && labels.iter().all(label_ok) && last_ok {
        return Ok(domain);
    }
    Err(SettingProblem::new(
        format!("{value:?} is not a domain that Coder accepts in an e-mail address"),
        "write it as example.org",
    ))
}

/// Reads `CODER_REG_LISTEN`: `0.0.0.0:8000`, `[::]:8000`, `:8000` or `8000`.
pub(super) fn listen(value: &str) -> Result<SocketAddr, SettingProblem> {
    let port = value.strip_prefix(':').unwrap_or(value);
    let full = if port.parse::<u16>().is_ok() {
        format!("0.0.0.0:{port}")
    } else {
        value.replace("localhost:", "127.0.0.1:")
    };
    full.parse().map_err(|_| {
        SettingProblem::new(
            format!("{value:?} is not an address with a port"),
            "write it as 0.0.0.0:8000",
        )
    })
}

/// Reads `CODER_REG_METRICS`: an address with a port, or `off`. A port alone means loopback, so
/// that an incomplete value never opens the metrics to the network.
pub(super) fn metrics(value: &str) -> Result<Option<SocketAddr>, SettingProblem> {
    if ["off", "no", "false", "never", "0"].contains(&value.to_ascii_lowercase().as_str()) {
        return Ok(None);
    }
    let port = value.strip_prefix(':').unwrap_or(value);
    let full = if port.parse::<u16>().is_ok() {
        format!("127.0.0.1:{port}")
    } else {
        value.replace("localhost:", "127.0.0.1:")
    };
    full.parse().map(Some).map_err(|_| {
        SettingProblem::new(
            format!("{value:?} is neither an address with a port nor off"),
            "write it as 127.0.0.1:9464",
        )
    })
}

/// Whether `value` is allowed in an HTTP header.
pub(super) fn is_header_value(value: &str) -> bool {
    value.bytes().all(|b| b.is_ascii_graphic())
}

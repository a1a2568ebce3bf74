//! The URL of the webhook as configured at Twilio, and the spellings that Twilio may sign.

use std::fmt;
use std::net::Ipv6Addr;

/// The URL of the webhook as configured at Twilio.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedUrl {
    /// Spellings that Twilio may have signed, the most likely first: as configured, without user
    /// info. It is not documented whether a default port, user info, capitals in the host or an
    /// empty path are signed as typed, and Twilio's helper libraries differ.
    spellings: Vec<String>,
    /// As configured without user info, and the same with the default port added or its port
    /// removed.
    plain: [String; 2],
    path: String,
}

/// Why a value is not the URL of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlError {
    /// It begins with neither `https://` nor `http://`.
    Scheme,
    /// It has no host, or a character that is not allowed in a URL.
    Form,
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "begins with neither https:// nor http://",
            Self::Form => "is not a URL",
        })
    }
}

impl std::error::Error for UrlError {}

impl SignedUrl {
    /// Parses the URL as it is in Twilio's console. Its fragment (Twilio's connection overrides) is
    /// never signed, and is dropped.
    ///
    /// # Errors
    /// See [`UrlError`].
    pub fn parse(url: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = url.split_once("://").ok_or(UrlError::Scheme)?;
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "https" => "443",
            "http" => "80",
            _ => return Err(UrlError::Scheme),
        };
        let rest = rest.split('#').next().unwrap_or(rest);
        let split = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(split);
        let (user, host_port) = authority
            .rsplit_once('@')
            .map_or((None, authority), |(user, host)| (Some(user), host));
        let (host, port) = split_port(host_port);
        let port_ok = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        if host.is_empty() || !port_ok || !rest.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(UrlError::Form);
        }
        let other_port = if port.is_some() {
            String::new()
        } else {
            format!(":{default_port}")
        };
        let ports = [
            port.map_or(String::new(), |port| format!(":{port}")),
            other_port,
        ];
        let plain = ports
            .each_ref()
            .map(|port| format!("{scheme}://{host}{port}{tail}"));
        let parts = UrlParts {
            scheme: &scheme,
            users: with(String::new(), user.map(|user| format!("{user}@"))),
            hosts: hosts(host),
            ports: ports.into(),
            tails: with(
                tail.to_owned(),
                (!tail.starts_with('/')).then(|| format!("/{tail}")),
            ),
        };
        let path = tail.split('?').next().unwrap_or(tail);
        let path = if path.is_empty() { "/" } else { path }.to_owned();
        Ok(Self {
            spellings: parts.spellings(),
            plain,
            path,
        })
    }

    /// The path of the webhook; begins with `/`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether requests to `other` arrive here with a signature for this URL: both are the same
    /// URL, with or without the default port.
    pub fn is_same_as(&self, other: &Self) -> bool {
        let (ours, theirs) = (&self.plain, &other.plain);
        // If the URL has no port, the second spelling has the default port and so is longer.
        let with_port = |urls: &[String]| urls[1].len() > urls[0].len();
        ours[0] == theirs[0]
            || (with_port(ours) && ours[1] == theirs[0])
            || (with_port(theirs) && theirs[1] == ours[0])
    }

    /// Whether it is `https`.
    pub fn is_https(&self) -> bool {
        self.as_str().starts_with("https://")
    }

    /// Its host without port; an IPv6 address has its brackets.
    pub fn host(&self) -> &str {
        let rest = self.as_str().split_once("://").map_or("", |(_, rest)| rest);
        let authority = rest.split(['/', '?']).next().unwrap_or(rest);
        split_port(authority).0
    }

    /// The URL without fragment and user info.
    pub fn as_str(&self) -> &str {
        &self.plain[0]
    }

    /// All spellings that may be signed.
    pub(crate) fn spellings(&self) -> &[String] {
        &self.spellings
    }
}

impl fmt::Debug for SignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The parts of a URL, each in all its spellings, the likeliest first.
struct UrlParts<'a> {
    scheme: &'a str,
    users: Vec<String>,
    hosts: Vec<String>,
    ports: Vec<String>,
    tails: Vec<String>,
}

impl UrlParts<'_> {
    fn spellings(&self) -> Vec<String> {
        let mut all = Vec::new();
        for user in &self.users {
            for host in &self.hosts {
                for tail in &self.tails {
                    for port in &self.ports {
                        all.push(format!("{}://{user}{host}{port}{tail}", self.scheme));
                    }
                }
            }
        }
        all
    }
}

fn with(first: String, second: Option<String>) -> Vec<String> {
    let first = [first];
    first.into_iter().chain(second).collect()
}

/// The spellings of a host: as typed, in lower case, and an IPv6 address in its shortest form.
fn hosts(host: &str) -> Vec<String> {
    let small = host.to_ascii_lowercase();
    let address = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let short = address
        .and_then(|address| address.parse::<Ipv6Addr>().ok())
        .map(|address| format!("[{address}]"));
    let mut hosts = vec![host.to_owned()];
    for other in [Some(small), short].into_iter().flatten() {
        if !hosts.contains(&other) {
            hosts.push(other);
        }
    }
    hosts
}

/// Splits `host:port`; an IPv6 literal keeps its colons.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
            (host, Some(port))
        }
        _ => (authority, None),
    }
}

#[cfg(test)]
mod tests;

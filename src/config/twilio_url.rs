//! Reads `TWILIO_API_URL`, the root of Twilio's API, in all usual spellings.

use super::SettingProblem;
use super::addresses::base_url;
use crate::domain::twilio_hosts::{MESSAGING, VERSION, is_twilios, of_texts};

const USUAL: &str = "write it as https://api.twilio.com, or leave it out";

/// Reads the root of Twilio's API. A path of the API after it is dropped, and
/// `messaging.twilio.com` is read as the host for texts: the service derives both itself.
pub(super) fn parse(value: &str) -> Result<String, SettingProblem> {
    let root = base_url(value, &[])?;
    let (scheme, rest) = root.split_once("://").unwrap_or(("https", root.as_str()));
    let (place, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let place = place.to_ascii_lowercase();
    let (host, port) = split_port(&place);
    let host = host.trim_end_matches('.');
    if !is_twilios(host) {
        return Ok(format!("{scheme}://{place}{}", before(path, VERSION)));
    }
    if scheme != "https" {
        return Err(SettingProblem::new(
            "is http: keys and texts would cross the network unencrypted",
            USUAL,
        ));
    }
    if port.is_some_and(|port| port != "443") {
        return Err(SettingProblem::new(
            format!("{value:?}: Twilio answers only on port 443"),
            USUAL,
        ));
    }
    let texts = of_texts(host).ok_or_else(|| {
        SettingProblem::new(
            format!("{value:?} is not the host for sending texts"),
            USUAL,
        )
    })?;
    let mut left = before(path, VERSION);
    if host.starts_with(MESSAGING) {
        left = before(left, "v1");
    }
    if !left.is_empty() {
        return Err(SettingProblem::new(
            format!("{value:?}: Twilio's API has no {left}"),
            USUAL,
        ));
    }
    Ok(format!("https://{texts}"))
}

/// The host and its port. The colons of an IPv6 address are within its brackets.
fn split_port(place: &str) -> (&str, Option<&str>) {
    match place.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (place, None),
    }
}

/// The path before the first part that equals `part`.
fn before<'a>(path: &'a str, part: &str) -> &'a str {
    let mut end = 0;
    for one in path.split_inclusive('/') {
        if one.trim_end_matches('/') == part {
            return path[..end].trim_end_matches('/');
        }
        end += one.len();
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_twilios_address_lead_to_one_place() {
        for value in [
            "https://api.twilio.com",
            "https://api.twilio.com/",
            "api.twilio.com",
            "HTTPS://API.Twilio.COM",
            "https://api.twilio.com:443",
            "https://api.twilio.com:443/2010-04-01/",
            "https://api.twilio.com./2010-04-01",
            "https://api.twilio.com/2010-04-01/Accounts",
            "https://api.twilio.com/2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef/Messages.json",
            "https://messaging.twilio.com",
            "https://messaging.twilio.com/v1",
            "https://messaging.twilio.com/v1/Services",
        ] {
            assert_eq!(
                parse(value).as_deref(),
                Ok("https://api.twilio.com"),
                "{value}"
            );
        }
        for (value, root) in [
            (
                "https://API.dublin.ie1.twilio.com/2010-04-01",
                "https://api.dublin.ie1.twilio.com",
            ),
            (
                "https://messaging.dublin.ie1.twilio.com",
                "https://api.dublin.ie1.twilio.com",
            ),
            // A stand-in keeps its port and its path.
            ("http://127.0.0.1:4711/2010-04-01/", "http://127.0.0.1:4711"),
            ("http://[::1]:4711/2010-04-01", "http://[::1]:4711"),
            (
                "https://Gate.Example.org/Twilio/2010-04-01/Accounts",
                "https://gate.example.org/Twilio",
            ),
            ("https://gate.example.org/v1", "https://gate.example.org/v1"),
            (
                "https://api.nottwilio.com/2010-04-01",
                "https://api.nottwilio.com",
            ),
        ] {
            assert_eq!(parse(value).as_deref(), Ok(root), "{value}");
        }
    }

    #[test]
    fn other_addresses_of_twilio_are_faults_with_a_cure() {
        for value in [
            "http://api.twilio.com",
            "https://api.twilio.com:8443",
            "https://twilio.com",
            "https://www.twilio.com",
            "https://console.twilio.com",
            "https://webhooks.twilio.com/v1",
            "https://api.twilio.com/v1",
            "https://api.twilio.com/Accounts",
            "https://user:secret@api.twilio.com",
        ] {
            let fault = parse(value).unwrap_err().to_string();
            assert!(fault.contains("write it as https://"), "{value}: {fault}");
            assert!(!fault.contains("secret"), "{fault}");
        }
    }
}

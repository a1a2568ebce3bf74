//! The hosts of Twilio's API. Each product has its own host; all are derived from the host of the
//! product for texts.

/// The domain of Twilio's hosts.
const DOMAIN: &str = "twilio.com";

/// The product for texts, as in `api.twilio.com`, or in the host of a region
/// (`api.dublin.ie1.twilio.com`).
const TEXTS: &str = "api";

/// The product for Messaging Services and for registrations with carriers.
pub const MESSAGING: &str = "messaging";

/// The product for webhook rules and shared keys.
pub const WEBHOOKS: &str = "webhooks";

/// The API version in all paths of the product for texts.
pub const VERSION: &str = "2010-04-01";

/// Whether `host`, in lower case and without port, belongs to Twilio.
pub fn is_twilios(host: &str) -> bool {
    let rest = host.strip_suffix(DOMAIN);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether a root URL, in the form of `TWILIO_API_URL`, leads to Twilio itself, and not to a
/// substitute for tests.
pub fn leads_to_twilio(root: &str) -> bool {
    let host = root.strip_prefix("https://").unwrap_or_default();
    is_twilios(host.split(['/', ':']).next().unwrap_or(host))
}

/// The root URL of another product, derived from `root`. A substitute for Twilio is assumed to
/// serve all products at one root.
pub fn beside(root: &str, product: &str) -> String {
    match root.strip_prefix("https://api.") {
        Some(rest) if leads_to_twilio(root) => format!("https://{product}.{rest}"),
        _ => root.to_owned(),
    }
}

/// The host of the product for texts, if `host` is that of a product that is confused with it;
/// `None` for any other host.
pub fn of_texts(host: &str) -> Option<String> {
    let (product, rest) = host.split_once('.')?;
    match product {
        TEXTS | MESSAGING | WEBHOOKS => Some(format!("{TEXTS}.{rest}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twilios_hosts_are_told_from_look_alikes() {
        for host in ["twilio.com", "api.twilio.com", "api.dublin.ie1.twilio.com"] {
            assert!(is_twilios(host), "{host}");
        }
        for host in ["", "nottwilio.com", "twilio.com.example.org", "example.org"] {
            assert!(!is_twilios(host), "{host}");
        }
    }

    #[test]
    fn the_host_for_texts_is_found_from_hosts_of_other_products() {
        for (host, texts) in [
            ("api.twilio.com", Some("api.twilio.com")),
            ("messaging.twilio.com", Some("api.twilio.com")),
            (
                "webhooks.dublin.ie1.twilio.com",
                Some("api.dublin.ie1.twilio.com"),
            ),
            ("verify.twilio.com", None),
            ("localhost", None),
        ] {
            assert_eq!(of_texts(host).as_deref(), texts, "{host}");
        }
    }

    #[test]
    fn only_twilio_has_one_host_for_each_product() {
        for (root, messaging) in [
            ("https://api.twilio.com", "https://messaging.twilio.com"),
            (
                "https://api.dublin.ie1.twilio.com",
                "https://messaging.dublin.ie1.twilio.com",
            ),
            ("http://127.0.0.1:4711", "http://127.0.0.1:4711"),
            ("https://api.example.org", "https://api.example.org"),
            ("https://api.nottwilio.com", "https://api.nottwilio.com"),
            (
                "https://api.example.org/twilio.com",
                "https://api.example.org/twilio.com",
            ),
        ] {
            assert_eq!(beside(root, MESSAGING), messaging);
            assert_eq!(leads_to_twilio(root), root != messaging, "{root}");
        }
    }
}

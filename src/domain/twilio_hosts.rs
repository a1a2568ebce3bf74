//! The hosts of Twilio's API. Each product has one of its own; all are derived from that of texts.

/// The domain of Twilio's hosts.
const DOMAIN: &str = "twilio.com";

/// The product that texts are sent with, as it stands in a host: `api.twilio.com`, or that of a region
/// (`api.dublin.ie1.twilio.com`).
const TEXTS: &str = "api";

/// The product of Messaging Services and of the carriers' registrations.
pub const MESSAGING: &str = "messaging";

/// The product of webhook rules and shared keys.
pub const WEBHOOKS: &str = "webhooks";

/// The version in all paths of the product that texts are sent with.
pub const VERSION: &str = "2010-04-01";

/// Whether `host`, in lower case and without port, is one of Twilio's own.
pub fn is_twilios(host: &str) -> bool {
    let rest = host.strip_suffix(DOMAIN);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether a root as `TWILIO_API_URL` has it leads to Twilio itself, and not to a stand-in.
pub fn leads_to_twilio(root: &str) -> bool {
    let host = root.strip_prefix("https://").unwrap_or_default();
    is_twilios(host.split(['/', ':']).next().unwrap_or(host))
}

/// The root of another product beside `root`. A stand-in for Twilio is taken to have all products in one
/// place.
pub fn beside(root: &str, product: &str) -> String {
    match root.strip_prefix("https://api.") {
        Some(rest) if leads_to_twilio(root) => format!("https://{product}.{rest}"),
        _ => root.to_owned(),
    }
}

/// The host of texts where `host` is one of Twilio's that people take for it; `None` = another one.
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
    fn products_have_hosts_of_their_own_at_twilio_alone() {
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
